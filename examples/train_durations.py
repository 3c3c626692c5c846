"""Train the duration head of the viseme encoder, so that text alone has a length; nothing else of it changes.

    python examples/prepare_grid.py --output outputs/grid
    python examples/train_durations.py --prepared outputs/grid --output outputs/viseme_encoder

Learns from the word times of 32 talkers of GRID, from the phones of the prepared clips of `train` at those talkers'
mean pace, and from voices that read open text in all languages, drawn halfway towards nominal times and calmed down.
Takes two minutes of one core. Run it again whenever the rest of the encoder has been trained anew.
"""

import argparse
import os
import time
from pathlib import Path

import torch
from tqdm import tqdm

from text2lip import Text2LipPipeline
from text2lip.data.alignments import phone_timeline, read_alignments
from text2lip.data.prepared import load_prepared
from text2lip.pipelines.text2lip import CHECKPOINTS
from text2lip.speech import synthesize
from text2lip.text import Timeline, available_languages, split_phone
from text2lip.text.visemes import LETTER_CLASS
from text2lip.training.durations import EncodedLessons, believable, fit_head, lesson, write_head
from text2lip.training.teacher import read_texts


NUMBERS = "1, 2 3. 45 67, 890 1234 5678 and 21 32 43 54 65 76 87 98 1000000."  # every espeak language can say it
PACE = 4.5  # syllables a second, at most; in some languages voices make 9
EXAMPLES = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, or folder, of the pipeline")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder with grid/alignments.tsv.gz")
    parser.add_argument("--prepared", default="outputs/grid", help="made by prepare_grid.py")
    parser.add_argument("--texts", default=str(EXAMPLES / "configs/teacher_texts.txt"), help="language<TAB>sentence")
    parser.add_argument("--output", default="outputs/viseme_encoder", help="folder for the encoder")
    parser.add_argument("--sentences", type=int, default=12000, help="of the aligned ones, drawn at random")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--learning_rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not args.data:
        raise SystemExit("train_durations: give --data, or set TEXT2LIP_DATA to the folder that holds grid/.")
    began = time.perf_counter()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    encoder, tokenizer = pipe.viseme_encoder.eval(), pipe.tokenizer
    sentences = training_sentences(args.data)
    picks = torch.randperm(len(sentences), generator=torch.Generator().manual_seed(args.seed))[: args.sentences]
    spoken = [phone_timeline(sentences[i]) for i in tqdm(picks.tolist(), desc="sentences", unit="")]
    clips = [clip.phones for clip in load_prepared(args.prepared, "train")]
    pace = speech_seconds(Timeline(c, [], 0) for c in clips) / speech_seconds(spoken)
    lessons = (
        [lesson(tokenizer, timeline, whole_words=True) for timeline in spoken],
        [lesson(tokenizer, Timeline(phones, [], phones[-1].end), pace=pace) for phones in clips],
        [lesson(tokenizer, timeline, pace=calm(timeline)) for timeline in open_text(args.texts)],
    )
    pools = [(EncodedLessons(encoder, some), size) for some, size in zip(lessons, (32, 16, 32))]
    head = fit_head(encoder, pools, args.steps, args.learning_rate, args.seed, tqdm)
    folder = CHECKPOINTS / args.pipeline if (CHECKPOINTS / args.pipeline).is_dir() else Path(args.pipeline)
    write_head(folder / "viseme_encoder", encoder, head, args.output)
    print(f"Wrote {args.output} after {time.perf_counter() - began:.0f} s; all but the duration head is unchanged.")


def training_sentences(data: str | Path) -> list:
    """The aligned sentences that durations are learnt from."""
    return read_alignments(Path(data) / "grid" / "alignments.tsv.gz")


def open_text(texts: str) -> list[Timeline]:
    """Text read by espeak and, in the languages it has, by the default voice."""
    said = [(voice, *text) for text in read_texts(texts) for voice in ("espeak", "default")]
    said += [("espeak", language, NUMBERS) for language in available_languages()]
    return [
        believable(synthesize(t, voice, code).timeline) for voice, code, t in tqdm(said, desc="open text", unit="")
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
    main()
