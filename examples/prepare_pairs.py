"""Pack the faces that examples/train_renderer.py learns from, and is judged on, into one file of some 40 MB.

    python examples/prepare_pairs.py --output outputs/faces.safetensors

From $TEXT2LIP_DATA: `faces/` by its people.tsv (stills of smiles and mouths, films of people talking), `portraits/` 00
to 29, and `grid/`: a few clips of the split `train`, and those of `val_speaker`, to be judged on. Of a film those
frames are kept whose mouths differ most. Splits stay as they are; what is to be looked at alone is left out.
"""

import argparse
import csv
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
from tqdm import tqdm

from text2lip import FaceLandmarker
from text2lip.data import grid_clips
from text2lip.data.preparation import track
from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.media.video import read_frames
from text2lip.renderers.mouth_references import choose_references
from text2lip.training.face_pack import PackedPerson, pack_person, save_faces
from text2lip.training.settings import errors_in_one_line


TRAINABLE = 30  # portraits; the others are never trained on
GRID_EVERY, GRID_FRAMES = 14, 8  # of the clips of one talker, and frames of each: he is one person among hundreds
VAL_EVERY = {"grid": 3, "talking": 8}  # of the frames of a clip to be judged on


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder that holds faces/ and grid/")
    parser.add_argument("--output", default="outputs/faces.safetensors")
    parser.add_argument("--frames", type=int, default=24, help="of each person talking")
    parser.add_argument("--limit", type=int, help="only so many of each kind")
    args = parser.parse_args()
    if not args.data:
        raise SystemExit("prepare_pairs: give --data, or set TEXT2LIP_DATA to the folder that holds faces/ and grid/.")
    cv2.setNumThreads(1)
    people = []
    for name, kind, split, path in (bar := tqdm(list(sources(Path(args.data), args.limit)), unit="face")):
        try:
            people.append(person(name, kind, split, path, args.frames))
        except ValueError as error:
            bar.write(f"left out: {name}: {error}")
    save_faces(args.output, people)
    pictures = sum(len(one.pictures) for one in people)
    print(f"Wrote {args.output}: {len(people)} people and clips, {pictures} pictures.")


def sources(data: Path, limit: int | None) -> Iterator[tuple[str, str, str, Path]]:
    """Name, kind, split and file of everybody."""
    kinds = {}
    with open(data / "faces/people.tsv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["split"] in ("train", "val"):
                kind = row["file"].split("/")[0]
                kinds.setdefault((kind, row["split"]), []).append((row["file"], data / "faces" / row["file"]))
    portraits = sorted((data / "portraits").glob("*.jpg"))[:TRAINABLE]
    kinds["portraits", "train"] = [(f"portraits/{path.stem}", path) for path in portraits]
    for split, part in (("train", grid_clips(data, "train")[::GRID_EVERY]), ("val", grid_clips(data, "val_speaker"))):
        kinds["grid", split] = [(f"grid/{clip.name}", clip.video) for clip in part]
    for (kind, split), found in kinds.items():
        for name, path in found[:limit]:
            yield name, kind, split, path


def person(name: str, kind: str, split: str, path: Path, count: int) -> PackedPerson:
    """One person's pictures: a still, or some frames of a film.

    Raises:
        ValueError: no face is found.
    """
    landmarker = FaceLandmarker.from_builtin()
    if kind not in ("talking", "grid"):
        picture = load_image(path)
        return pack_person(name, kind, split, [picture], landmarker.locate(picture)[None], [0])
    frames = list(read_frames(path))
    landmarks = track(frames, landmarker)
    chosen = range(0, len(frames), VAL_EVERY[kind])
    if split == "train":
        lips = canonical_lips(to_pixels(landmarks, *frames[0].shape[:2]))
        chosen = choose_references(lips, GRID_FRAMES if kind == "grid" else count)
    return pack_person(name, kind, split, frames, landmarks, chosen)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
