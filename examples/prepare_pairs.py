"""Make the pairs of mouth pictures that examples/train_renderer.py learns from and is judged on.

    python examples/prepare_pairs.py --prepared outputs/grid --output outputs/pairs
    python examples/prepare_pairs.py --heads outputs/heads --output outputs/pairs

Films come from $TEXT2LIP_DATA/grid with the landmarks of examples/prepare_grid.py, stills from its portraits/.
`--heads` takes a folder of <name>.npz files with uint8 `images` (n, height, width, 3) and float32 `landmarks`
(n, 478, 2), normalised: several mouths of one head in one light. Writes <output>/{films,stills,heads,val}/.
"""

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from text2lip import FaceLandmarker
from text2lip.data import grid_clips
from text2lip.data.prepared import load_record, record_path
from text2lip.faces.canonical import neutral_shape
from text2lip.media.images import load_image
from text2lip.media.video import read_frames
from text2lip.training.pairs import film_pairs, portrait_pairs, save_pairs
from text2lip.training.settings import errors_in_one_line


TRAINABLE = 30  # portraits; the others are never trained on
FAR = 4  # source frame and target frames are so many frames apart or more


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder that holds grid/, portraits/")
    parser.add_argument("--prepared", help="folder of examples/prepare_grid.py")
    parser.add_argument("--heads", help="folder of rendered heads")
    parser.add_argument("--output", default="outputs/pairs")
    parser.add_argument("--targets", type=int, default=8, help="pairs of neighbouring frames of each film")
    parser.add_argument("--motions", type=int, default=24, help="mouths made of each still portrait")
    parser.add_argument("--limit", type=int, help="films")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    output, generator = Path(args.output), np.random.default_rng(0)
    if args.prepared:
        for clip in tqdm(grid_clips(args.data, "val_speaker"), desc="val", unit="clip"):
            make_val(clip, args.prepared, output)
        motions = []
        for clip in tqdm(grid_clips(args.data, "train")[: args.limit], desc="films", unit="clip"):
            motions.append(make_film(clip, args, output, generator))
        for path in tqdm(sorted(Path(args.data, "portraits").glob("*.jpg"))[:TRAINABLE], desc="stills"):
            make_still(path, np.concatenate(motions), args.motions, output, generator)
    for path in tqdm(sorted(Path(args.heads).glob("*.npz")) if args.heads else [], desc="heads"):
        make_head(path, args.targets, output, generator)


def make_val(clip, prepared: str, output: Path):
    """The protocol's view of a clip: its first frame moved to every other."""
    record = load_record(record_path(prepared, clip.name))
    frames = list(read_frames(clip.video, record["fps"]))
    targets = [(i, i + 1) for i in range(0, len(frames) - 1, 2)]
    save_pairs(output / "val" / f"{clip.name}.safetensors", film_pairs(frames, record["landmarks"], [0], targets))


def make_film(clip, args, output: Path, generator: np.random.Generator) -> np.ndarray:
    """Two portraits of a clip, its first frame and another, and some targets; returns its lip motion."""
    record = load_record(record_path(args.prepared, clip.name))
    path = output / "films" / f"{clip.name}.safetensors"
    if not path.exists():
        frames = list(read_frames(clip.video, record["fps"]))
        last = min(len(frames), len(record["landmarks"])) - 1
        starts = generator.choice(np.arange(FAR, last), args.targets, replace=False)
        source = int(generator.integers(FAR, last))
        save_pairs(path, film_pairs(frames, record["landmarks"], [0, source], [(i, i + 1) for i in starts]))
    return (record["lips"] - neutral_shape(record["lips"]))[::15]


def make_still(path: Path, motions: np.ndarray, count: int, output: Path, generator: np.random.Generator):
    portrait = load_image(path)
    landmarks = FaceLandmarker.from_builtin().locate(portrait)
    scaled = motions[generator.choice(len(motions), count)] * generator.uniform(0.8, 1.6, (count, 1, 1))
    save_pairs(output / "stills" / f"{path.stem}.safetensors", portrait_pairs(portrait, landmarks, scaled))


def make_head(path: Path, targets: int, output: Path, generator: np.random.Generator):
    """Two mouths of a rendered head serve as portraits, others as targets; a target has no neighbour in time."""
    with np.load(path) as head:
        images, landmarks = head["images"], head["landmarks"]
    order = generator.permutation(len(images))
    wanted = [(i, i) for i in order[2 : 2 + targets]]
    pairs = film_pairs(images, landmarks, order[:2], wanted, apart=1)
    save_pairs(output / "heads" / f"{path.stem}.safetensors", pairs)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
