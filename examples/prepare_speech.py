"""Make clips for lips that hear: voices of many languages with the lips of the text-driven networks, and non-speech.

    python examples/prepare_speech.py --output outputs/speech

A clip is a sentence of `--texts`, or a number, said by espeak-ng, Pico or Hibari at a random rate; its times are the
voice's own, its lips those that the pipeline gives it (`animate`). Latin sentences are read by the rules of any
language that is written so: nonsense, in that language's sounds. Others are sung vowels, and noise,
hum, music and babble, with the mouth at rest. `val` has other languages and other variants of espeak-ng than `train`.
Writes Parquet like examples/prepare_grid.py, without pictures. A run that was stopped goes on where it was.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from prepare_grid import write_splits
from tqdm import tqdm

from text2lip.data.clips import SourceClip
from text2lip.data.mesh_stamp import NO_MESH
from text2lip.data.prepared import load_record, record_path, save_record
from text2lip.speech.audio import resample, to_float, to_int16
from text2lip.speech.features import SAMPLING_RATE, levelled, log_mel
from text2lip.text.timing import Segment, Timeline
from text2lip.training.settings import errors_in_one_line
from text2lip.training.sounds import COLOURS, babble, hum, music, noise, sung_vowels
from text2lip.training.teacher import read_texts


FPS = 25.0
LATIN = (
    "en-us", "en-gb", "en-gb-scotland", "de", "fr-fr", "es", "es-419", "it", "pt", "nl", "pl", "cs", "fi", "da", "nb",
    "ro", "hr", "id", "sw", "ca", "et", "lv", "lt", "sk", "sl", "eu", "af", "cy", "ga", "ms", "sq", "eo",
)  # fmt: skip
OTHER_SCRIPTS = ("ru", "hi", "el")  # of sentences
ONLY_NUMBERS = ("ru", "uk", "bg", "ko", "ar", "fa", "ka", "bn", "ta")  # of languages in other scripts
HELD_OUT_LATIN, HELD_OUT_NUMBERS = ("sv", "tr", "pt-br", "hu", "vi", "is"), ("cmn", "hi", "el", "ja", "he")
VARIANTS = ("", "+f1", "+f2", "+f3", "+f4", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m8", "+klatt2", "+klatt4")
HELD_OUT_VARIANTS = ("+f5", "+m7", "+Annie", "+klatt3")
PICO = ("en-us", "en-gb", "de", "fr-fr", "es", "it")
VOICES = {"espeak": 0.4, "pico": 0.25, "hibari": 0.35}  # shares
RATES = (0.65, 1.5)
SECONDS = 3.0  # of what is no speech, and about those of a song
EDGES = (0.1, 0.9)  # seconds of silence before and after
KINDS = {"speech": 0.82, "song": 0.06, "other": 0.12}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="outputs/speech")
    parser.add_argument("--pipeline", default="text2lip-grid", help="whose networks move the lips")
    parser.add_argument("--texts", default="examples/configs/teacher_texts.txt")
    parser.add_argument("--clips", type=int, default=2000, help="of `train`")
    parser.add_argument("--held-out", type=int, default=80, help="clips of `val`")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    output, failed = Path(args.output), []
    jobs = [("val", i) for i in range(args.held_out)] + [("train", i) for i in range(args.clips)]
    order = {"speech": 0, "song": 0, "other": 1}  # babble is made of the speech before it
    jobs.sort(key=lambda job: order[kind_of(*job)])
    with ProcessPoolExecutor(max(1, args.workers)) as pool:
        for stage in (0, 1):
            some = [job for job in jobs if order[kind_of(*job)] == stage]
            made = pool.map(make, *zip(*some), [args] * len(some), chunksize=4)
            for job, error in tqdm(zip(some, made), total=len(some), unit="clip"):
                if error:
                    failed.append(f"{clip_name(*job)}: {error}")
    there = [SourceClip(clip_name(*job), "", job[0], Path(), "") for job in jobs]
    counts = write_splits([clip for clip in there if record_path(output, clip.name).exists()], output)
    print(f"{dict(counts)} in {output}; {len(failed)} could not be said.", *failed[:10], sep="\n")


def clip_name(split: str, index: int) -> str:
    return f"{split}/{kind_of(split, index)}-{index:05d}"


def kind_of(split: str, index: int) -> str:
    return str(draws(split, index).choice(list(KINDS), p=list(KINDS.values())))


def draws(split: str, index: int) -> np.random.Generator:
    return np.random.default_rng([split == "train", index])


def make(split: str, index: int, args: argparse.Namespace) -> str | None:
    """Make one clip where it is missing; returns why it can't be made."""
    path = record_path(Path(args.output), clip_name(split, index))
    if path.exists():
        return None
    rng = draws(split, index)
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    try:
        record = {"speech": spoken, "song": sung, "other": unspoken}[str(kind)](rng, split, args)
    except (ValueError, ImportError) as error:
        return str(error)
    save_record(path, record | {"name": clip_name(split, index), "split": split, "mesh": NO_MESH})
    return None


def spoken(rng: np.random.Generator, split: str, args: argparse.Namespace) -> dict:
    from text2lip import synthesize

    voice, language = choose_voice(rng, split)
    sentences = [text for code, text in read_texts(args.texts) if code not in OTHER_SCRIPTS]
    if language not in (*LATIN, *HELD_OUT_LATIN) or rng.uniform() < 0.2:
        text = " ".join(str(rng.integers(10, 10 ** rng.integers(2, 6))) for _ in range(rng.integers(2, 4)))
    else:
        text = sentences[rng.integers(len(sentences))]
    speech = synthesize(text, voice, language, rng.uniform(*RATES))
    before, after = rng.uniform(*EDGES, 2)
    audio = resample(speech.audio, speech.sampling_rate, SAMPLING_RATE)
    audio = np.concatenate([np.zeros(int(before * SAMPLING_RATE)), audio, np.zeros(int(after * SAMPLING_RATE))])
    phones = [Segment(p.label, p.start + before, p.end + before) for p in speech.timeline.phones]
    timeline = Timeline.from_phones(phones, [], len(audio) / SAMPLING_RATE)
    return record(args.pipeline, audio, timeline, voice, text, language)


def choose_voice(rng: np.random.Generator, split: str) -> tuple[str, str]:
    if split == "val":
        return f"espeak{rng.choice(HELD_OUT_VARIANTS)}", str(rng.choice([*HELD_OUT_LATIN, *HELD_OUT_NUMBERS]))
    voice = str(rng.choice(list(VOICES), p=list(VOICES.values())))
    if voice == "espeak":
        return f"espeak{rng.choice(VARIANTS)}", str(rng.choice([*LATIN, *ONLY_NUMBERS]))
    return voice, "en-us" if voice == "hibari" else str(rng.choice(PICO))


def sung(rng: np.random.Generator, split: str, args: argparse.Namespace) -> dict:
    audio, phones = sung_vowels(rng, SECONDS)
    return record(args.pipeline, audio, Timeline.from_phones(phones, [], len(audio) / SAMPLING_RATE), "song")


def unspoken(rng: np.random.Generator, split: str, args: argparse.Namespace) -> dict:
    """A sound that no mouth makes, some of it with silence before it."""
    samples = int(SECONDS * SAMPLING_RATE)
    kind = str(rng.choice([*COLOURS, "hum", "music", "babble", "silence"], p=[0.1, 0.1, 0.1, 0.1, 0.35, 0.2, 0.05]))
    if kind == "babble":
        voices = sorted((Path(args.output) / "cache" / split).glob("speech-*.safetensors"))
        chosen = [voices[i] for i in rng.choice(len(voices), 12)]
        audio = babble(rng, samples, [to_float(load_record(path)["audio"]) for path in chosen])
    elif kind == "silence":
        audio = 10 ** rng.uniform(-5, -2) * noise(rng, samples, "pink")
    else:
        made = {"hum": hum, "music": music}.get(kind)
        audio = made(rng, samples) if made else noise(rng, samples, kind)
    if rng.uniform() < 0.3:
        audio[: rng.integers(samples // 2)] = 0
    return record(args.pipeline, audio, Timeline.from_phones([], [], SECONDS), kind, still=True)


def record(
    pipeline: str, audio: np.ndarray, timeline: Timeline, voice: str, text="", language="en-us", still=False
) -> dict:
    """What `prepare_clip` makes of a film, as far as there is no picture of it."""
    from text2lip.motion.lips import animate

    pipe, rest = teacher(pipeline)
    frames = int(timeline.duration * FPS)
    tokens = pipe.tokenizer(phones=timeline, language=language, return_tensors="pt")
    moved = np.zeros((frames, 57, 2), np.float32)
    if not still:
        moved = animate(pipe.lip_model("networks"), tokens, frames, FPS)[0][0].numpy()
    audio = levelled(audio) / 4  # peaks stay below full scale
    return {
        "speaker": voice, "text": text, "language": language, "aligned_by": "voice", "fps": FPS, "size": (0, 0),
        "late_words": [], "landmarks": np.zeros((0, 478, 3), np.float32), "head": np.zeros((0, 2, 3), np.float32),
        "lips": rest + moved, "crops": [], "audio": to_int16(audio), "mel": log_mel(levelled(audio), frames, FPS),
        "phones": timeline.phones, "words": timeline.words, "phone_ids": tokens["phone_ids"][0].numpy(),
        "viseme_ids": tokens["input_ids"][0].numpy(), "durations": tokens["durations"][0].numpy(),
    }  # fmt: skip


@lru_cache(1)
def teacher(name: str) -> tuple:
    """The pipeline of that name, and the average face's mouth (57, 2), as wide as the networks know one at rest."""
    import torch

    from text2lip import Text2LipPipeline
    from text2lip.faces.canonical import canonical_lips, lip_width
    from text2lip.faces.topology import canonical_mesh

    torch.set_num_threads(1)
    pipe = Text2LipPipeline.from_pretrained(name)
    rest = canonical_lips(canonical_mesh()[0][None, :, :2] * [1, -1])[0]
    return pipe, rest * np.float32(pipe.lip_decoder.config.reference_width / lip_width(rest))


if __name__ == "__main__":
    with errors_in_one_line():
        main()
