"""Train the duration head of the viseme encoder, so that text alone has a length; nothing else of it changes.

    python examples/prepare_grid.py --output outputs/grid
    accelerate launch examples/train_pvar.py --config examples/configs/pvar_grid.yaml
    python examples/train_durations.py --pipeline outputs/pvar/best --output outputs/pvar/timed

Learns from a table of word times, where there is one (those of 32 talkers of GRID for the built-in head), from the
phones of the prepared clips of `train`, at the mean pace of the table's talkers, and from voices that read open text
in all languages, drawn halfway towards nominal times and calmed down. Takes two minutes of one core. Run it again
whenever the rest of the encoder has been trained anew: the head reads what the encoder makes. `--output` becomes a
copy of `--pipeline` with the new head.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

import torch
from tqdm import tqdm

from text2lip import Text2LipPipeline
from text2lip.data.alignments import phone_timeline, read_alignments
from text2lip.data.prepared import load_prepared
from text2lip.licences import check_licence
from text2lip.pipelines.hub import pipeline_source
from text2lip.speech import synthesize
from text2lip.text import Timeline, available_languages, split_phone
from text2lip.text.visemes import LETTER_CLASS
from text2lip.training.duration_head import EncodedLessons, believable, fit_head, lesson, write_head
from text2lip.training.settings import errors_in_one_line
from text2lip.training.teacher import read_texts


NUMBERS = "1, 2 3. 45 67, 890 1234 5678 and 21 32 43 54 65 76 87 98 1000000."  # every espeak language can say it
PACE = 4.5  # syllables a second, at most; in some languages voices make 9
EXAMPLES = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", required=True, help="whose encoder gets a head: folder, built-in name or Hub id")
    parser.add_argument("--alignments", type=Path, help="table of word times (default: GRID's, if it is there)")
    parser.add_argument("--prepared", default="outputs/grid", help="made by prepare_grid.py")
    parser.add_argument("--texts", default=str(EXAMPLES / "configs/teacher_texts.txt"), help="language<TAB>sentence")
    parser.add_argument("--output", required=True, help="folder for the pipeline with the new head")
    parser.add_argument("--sentences", type=int, default=12000, help="of the aligned ones, drawn at random")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--learning_rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--licence", help="of encoder and head, an SPDX identifier such as CC-BY-4.0; noted if given")
    args = parser.parse_args()
    licence = check_licence(args.licence, None)
    began = time.perf_counter()
    source = pipeline_folder(args.pipeline)
    if Path(args.output).resolve() == source.resolve():
        raise ValueError(f"output: {args.output!r} is the pipeline itself; give another folder.")
    pipe = Text2LipPipeline.from_pretrained(source)
    if pipe.viseme_encoder is None:
        raise ValueError(f"pipeline: {args.pipeline!r} has no viseme_encoder to give a head; choose one that has.")
    encoder, tokenizer = pipe.viseme_encoder.eval(), pipe.tokenizer
    encoder.check_tokenizer(tokenizer)
    sentences = training_sentences(args.alignments)
    picks = torch.randperm(len(sentences), generator=torch.Generator().manual_seed(args.seed))[: args.sentences]
    spoken = [phone_timeline(sentences[i]) for i in tqdm(picks.tolist(), desc="sentences", unit="")]
    clips = [clip.phones for clip in load_prepared(args.prepared, "train")]
    pace = speech_seconds(Timeline(c, [], 0) for c in clips) / speech_seconds(spoken) if spoken else 1.0
    lessons = (
        [lesson(tokenizer, timeline, whole_words=True) for timeline in spoken],
        [lesson(tokenizer, Timeline(phones, [], phones[-1].end), pace=pace) for phones in clips],
        [lesson(tokenizer, timeline, pace=calm(timeline)) for timeline in open_text(args.texts)],
    )
    pools = [(EncodedLessons(encoder, kind), size) for kind, size in zip(lessons, (32, 16, 32)) if kind]
    head = fit_head(encoder, pools, args.steps, args.learning_rate, args.seed, tqdm)
    shutil.copytree(source, args.output, dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md"))
    write_head(source / "viseme_encoder", encoder, head, Path(args.output) / "viseme_encoder", licence)
    print(f"Wrote {args.output} after {time.perf_counter() - began:.0f} s; all but the duration head is unchanged.")


def pipeline_folder(name: str) -> Path:
    """Where the files of a pipeline are: built-in name, folder or Hub id."""
    source = pipeline_source(name, "pipeline")
    return Path(source if os.path.isdir(source) else Text2LipPipeline.download(source))


def training_sentences(path: Path | None) -> list:
    """The aligned sentences that durations are learnt from: GRID's below $TEXT2LIP_DATA by default, if any."""
    table = path or Path(os.environ.get("TEXT2LIP_DATA", ""), "grid", "alignments.tsv.gz")
    if path is None and not table.is_file():
        print("No table of word times (--alignments): learning from the prepared clips and from voices alone.")
        return []
    return read_alignments(table)


def open_text(texts: str) -> list[Timeline]:
    """Text read by espeak and, in the languages it has, by the default voice."""
    readings = [(voice, *text) for text in read_texts(texts) for voice in ("espeak", "default")]
    readings += [("espeak", language, NUMBERS) for language in available_languages()]
    return [
        believable(synthesize(t, voice, code).timeline) for voice, code, t in tqdm(readings, desc="open text", unit="")
    ]


def calm(timeline: Timeline) -> float:
    """By how much to slow speech down to `PACE`; 1 where it is slower."""
    vowels = [p for p in timeline.phones if LETTER_CLASS[split_phone(p.label)[0][0]] == "vowel"]
    return min(1.0, PACE * speech_seconds([timeline]) / max(len(vowels), 1))


def speech_seconds(timelines) -> float:
    """Mean seconds of speech in a sentence."""
    sums = [sum(p.end - p.start for p in timeline.phones if p.label) for timeline in timelines]
    return sum(sums) / len(sums)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
