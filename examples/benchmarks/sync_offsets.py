"""How far can the sync scorer be trusted? Real clips with their sound, with the sound moved, and with another's.

    python examples/benchmarks/sync_offsets.py --splits val test val_speaker unseen_speaker
    python examples/benchmarks/sync_offsets.py --layout faces --splits val

- `within_one`: share of clips whose offset is found within one frame; `offset`: its mean size.
- `two_frames`, `five_frames`: share of clips whose offset moves by so many frames, or one more or less, but moves,
  when the sound is moved by as many, early and late.
- `confidence`: of the true sound. `other_sound`: of the next clip's, `still`: of the first frame, held.
- `ahead`: share of clips whose own sound has more confidence than the next clip's.

Pictures and lip motion are judged apart; a mouth that is held has no motion to judge.
"""

import json
from argparse import Namespace
from collections import defaultdict
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from judges import sound_of
from PIL import Image
from quality import clip_parser, load, number, prepared_folder
from rows import BenchClip, crop_transforms

from text2lip import metrics as M
from text2lip.faces.crop import CROP_SIZE, crop
from text2lip.media.video import read_frames
from text2lip.metrics.sync_scorer import SyncScorer, builtin_sync_scorer
from text2lip.speech.features import SAMPLING_RATE
from text2lip.training.settings import errors_in_one_line


COLUMNS = ("clips", "within_one", "offset", "two_frames", "five_frames", "confidence", "other_sound", "ahead", "still")
MOVED = {"two_frames": 2, "five_frames": 5}


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--splits", nargs="+", default=["val", "val_speaker"])
    parser.add_argument("--scorer", help="folder of a SyncScorer (default: the built-in one)")
    parser.add_argument("--limit", type=int, help="only so many clips of each split")
    parser.add_argument("--json", default="outputs/sync-offsets.json")
    args = parser.parse_args()
    model = SyncScorer.from_pretrained(args.scorer).float().eval() if args.scorer else builtin_sync_scorer()
    report, prepared = {}, prepared_folder(args)
    for split in args.splits:
        clips, _ = load(Namespace(**vars(args) | {"split": split}), prepared)
        report |= {f"{split}, by {kind}": figures for kind, figures in measure(clips, model).items()}
    Path(args.json).parent.mkdir(parents=True, exist_ok=True)
    Path(args.json).write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print("| clips | " + " | ".join(COLUMNS) + " |\n| --- |" + " --- |" * len(COLUMNS))
    for name, figures in report.items():
        print(f"| {name} | " + " | ".join(number(figures[column]) for column in COLUMNS) + " |")


def measure(clips: list[BenchClip], model: SyncScorer) -> dict[str, dict[str, float | None]]:
    """Figures of a split, by pictures and by lips."""
    sounds, values = [sound_of(clip) for clip in clips], {"pictures": defaultdict(list), "lips": defaultdict(list)}
    for clip, sound, other in zip(clips, sounds, sounds[1:] + sounds[:1]):
        crops = mouths(clip)
        views = {"pictures": (M.sync_of_pictures, crops), "lips": (M.sync_of_lips, clip.lips)}
        for kind, (judge, view) in views.items():
            found = values[kind]
            true = judge(view, sound, fps=clip.fps, model=model)
            found["within_one"].append(abs(true.offset) <= 1)
            found["offset"].append(abs(true.offset))
            found["confidence"].append(true.confidence)
            for name, frames in MOVED.items():
                for way in (-frames, frames):
                    late = moved(sound, way / clip.fps)
                    change = true.offset - judge(view, late, fps=clip.fps, model=model).offset
                    found[name].append(change != 0 and abs(change - way) <= 1)
            if len(clips) > 1:
                found["other_sound"].append(judge(view, other, fps=clip.fps, model=model).confidence)
                found["ahead"].append(true.confidence > found["other_sound"][-1])
        held = np.repeat(crops[:1], len(crops), 0)
        values["pictures"]["still"].append(M.sync_of_pictures(held, sound, fps=clip.fps, model=model).confidence)
    return {
        kind: {"clips": len(clips)} | {name: M.mean_of(map(float, found[name])) for name in COLUMNS[1:]}
        for kind, found in values.items()
    }


def mouths(clip: BenchClip) -> np.ndarray:
    """Mouth crops of the protocol, uint8 (frames, 96, 96, 3)."""
    if "crops" in clip.record:
        return np.stack([np.asarray(Image.open(BytesIO(png)).convert("RGB")) for png in clip.record["crops"]])
    frames = islice(read_frames(clip.video), len(clip.lips))
    return np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(frames, crop_transforms(clip))])


def moved(sound: np.ndarray, seconds: float) -> np.ndarray:
    """Sound (samples,) that comes later, or earlier where `seconds` is negative; silence takes its place."""
    samples = round(seconds * SAMPLING_RATE)
    return np.pad(sound, (max(samples, 0), max(-samples, 0)))[max(-samples, 0) :][: len(sound)]


if __name__ == "__main__":
    with errors_in_one_line():
        main()
