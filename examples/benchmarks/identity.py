"""How surely is a person told from another? Distances of identity vectors, within one person and between people.

    TEXT2LIP_DATA=... python examples/benchmarks/identity.py

reads `faces/` (stills, portraits and films of different people), `grid/` and `portraits/` below the data folder.
Of one person: frames of a film at least a third of it apart, clips of GRID's s1, and portraits against themselves as
a film may spoil them. Of different people: every pair of stills, and every film's person against every still.
Nothing was trained on any of them.
"""

import argparse
import csv
import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from text2lip import FaceLandmarker
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import builtin_identity, face_chip
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.media.images import load_image
from text2lip.media.video import read_frames
from text2lip.motion.retarget import PortraitMouth


PER_FILM = 9
TALKERS = ("s1", "s2", "s3", "s4", "s5", "s10", "s14", "s15")
SPOILT = {
    "half the light": lambda picture: picture * 0.5,
    "a tenth of it": lambda picture: picture * 0.1,
    "warm light": lambda picture: picture * (1.15, 0.95, 0.7),
    "grey": lambda picture: np.repeat(picture.mean(-1, keepdims=True), 3, -1),
    "mirrored": lambda picture: picture[:, ::-1],
    "24 px between the eyes": lambda picture: picture,
}


class Vectors:
    """Identity vectors of pictures; None where there is no face."""

    def __init__(self):
        self.landmarker, self.identity = FaceLandmarker.from_builtin(), builtin_identity()

    def look(self, picture: np.ndarray) -> tuple[np.ndarray, float] | None:
        """The vector (128,) of the largest face, and how far it is turned to the side, radians."""
        try:
            face = self.landmarker.locate(picture)
        except FaceNotFoundError:
            return None
        size = picture.shape[:2]
        backwards = PortraitMouth(face, *size).axes[2]
        return self.identity.encode([face_chip(picture, to_pixels(face, *size))])[0], abs(np.arcsin(backwards[0]))

    def spoilt(self, picture: np.ndarray, how: str) -> np.ndarray | None:
        """The vector of a picture that was changed."""
        changed = SPOILT[how](picture.astype(np.float32)).clip(0, 255).astype(np.uint8)
        if how.startswith("24"):
            points = to_pixels(self.landmarker.locate(picture), *picture.shape[:2])
            scale = 24 / np.linalg.norm(points[33, :2] - points[263, :2])
            changed = cv2.resize(changed, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self.look(np.ascontiguousarray(changed))
        return None if found is None else found[0]


def film_frames(path: Path, count: int = PER_FILM) -> Iterator[np.ndarray]:
    """`count` frames of a film, evenly spaced."""
    frames = list(read_frames(path))
    return (frames[round(i)] for i in np.linspace(0, len(frames) - 1, count))


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, m) distances of vectors (n, 128) and (m, 128)."""
    return np.linalg.norm(one[:, None] - other[None], axis=-1)


def same_person(films: dict[str, list], s1: np.ndarray) -> dict[str, np.ndarray]:
    """Distances within one person, by kind."""
    facing, turned = [], []
    for found in films.values():
        person = np.mean([vector for vector, turn in found[:3]], 0)
        for vector, turn in found[-3:]:
            (facing if turn < 0.3 else turned).append(np.linalg.norm(vector - person))
    first, second = np.array_split(s1, 2)
    return {
        "another moment of a film": np.array(facing),
        "the same, head turned by over 17°": np.array(turned),
        "another clip (GRID s1)": distances(first, second).ravel(),
    }


def collect(data: Path, every: int) -> dict:
    """All vectors that the tables need."""
    vectors = Vectors()
    with open(data / "faces/people.tsv", newline="") as file:
        people = list(csv.DictReader(file, delimiter="\t"))[::every]
    stills = [data / "faces" / row["file"] for row in people if row["kind"] != "film"]
    films = {row["person"]: data / "faces" / row["file"] for row in people if row["kind"] == "film"}
    clips = {talker: sorted((data / "grid" / talker / "video").iterdir()) for talker in TALKERS}
    films |= {talker: clips[talker][0] for talker in TALKERS[1:]}
    seen = {}
    for path in tqdm(stills, "stills"):
        if (found := vectors.look(load_image(path))) is not None:
            seen[path.stem] = found[0]
    moving = {}
    for name, path in tqdm(films.items(), "films"):
        moving[name] = [found for frame in film_frames(path) if (found := vectors.look(frame)) is not None]
    s1 = [vectors.look(next(film_frames(path, 1)))[0] for path in tqdm(clips["s1"][::20], "s1")]
    spoilt = {how: [] for how in SPOILT}
    for path in tqdm(sorted((data / "portraits").glob("*.jpg")), "portraits"):
        picture = load_image(path)
        own = vectors.look(picture)[0]
        for how in SPOILT:
            other = vectors.spoilt(picture, how)
            spoilt[how].append(np.inf if other is None else np.linalg.norm(other - own))
    return {"stills": seen, "films": moving, "s1": np.array(s1), "spoilt": spoilt}


def report(found: dict, thresholds: list[float]) -> list[str]:
    """Markdown: how many of one person's pictures are refused, how many of other people's are taken."""
    stills = np.array(list(found["stills"].values()))
    near = np.array([np.linalg.norm(a - b) for a, b in combinations(stills, 2)])
    persons = np.array([np.mean([vector for vector, _ in seen[:3]], 0) for seen in found["films"].values() if seen])
    lines = ["| same person, refused at | pairs | median | " + " | ".join(f"{t:.2f}" for t in thresholds) + " |"]
    lines.append("|---|---|---|" + "---|" * len(thresholds))
    same = same_person(found["films"], found["s1"])
    same |= {f"portrait, {how}": np.array(values) for how, values in found["spoilt"].items()}
    for name, values in same.items():
        shares = " | ".join(f"{(values > t).mean():.2%}" for t in thresholds)
        lines.append(f"| {name} | {len(values)} | {np.median(values):.2f} | {shares} |")
    lines += ["", lines[0].replace("same person, refused", "other person, taken"), lines[1]]
    for name, values in {"two stills": near, "a film's person, a still": distances(persons, stills).ravel()}.items():
        shares = " | ".join(f"{(values <= t).mean():.3%}" for t in thresholds)
        lines.append(f"| {name} | {len(values)} | {np.median(values):.2f} | {shares} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2LIP_DATA"), help="default: $TEXT2LIP_DATA")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.5, 0.55, 0.6])
    parser.add_argument("--every", type=int, default=1, help="2 takes every second picture, and so on")
    args = parser.parse_args()
    if args.data is None:
        parser.error("--data: give the folder of the data, or set TEXT2LIP_DATA.")
    print("\n".join(report(collect(args.data, args.every), args.thresholds)))


if __name__ == "__main__":
    main()
