"""What does a portrait bear that moves as a relief, is it still the same person, and what does it cost?

    TEXT2LIP_DATA=... python examples/benchmarks/living_portraits.py --size 512

reads `faces/diverse`, `portraits` and `faces/talking` below the data folder. For each portrait the share of head
motion that its guard leaves, and why. Identity: cosines of the packaged network's vectors, of the portrait and itself
in each of `POSES`, beside those of two frames of one film, at least a third of it apart. Speed: milliseconds of one
thread's own time for a frame, so that other work on the machine counts less; and the processor's seconds for whole
calls with `life=0` and with `life=1`, happy, in turns, film saved (`--calls`, `--renderers`).
"""

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from text2lip import FaceLandmarker, Text2LipPipeline
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import builtin_identity, face_chip
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.media.images import load_image
from text2lip.media.video import read_frames
from text2lip.renderers.relief import Relief


PICTURES = ("036", "043", "073", "022", "004", "054", "052", "017", "024", "108")  # of faces/diverse
PORTRAITS = ("30", "33", "37", "38")
SMILE = {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "browInnerUp": 0.5}
POSES = {
    "yaw 6": {"headYaw": 6.0},
    "yaw 12": {"headYaw": 12.0},
    "yaw -12": {"headYaw": -12.0},
    "pitch 8": {"headPitch": 8.0},
    "pitch -8": {"headPitch": -8.0},
    "roll 8": {"headRoll": 8.0},
    "all, smiling": {"headYaw": 6.0, "headPitch": 4.0, "headRoll": -4.0, "gazeYaw": 5.0, "breath": 1.0, **SMILE},
}
TEXT = "Good morning, and welcome. Do you *really* think so? "


def resized(path: Path, size: int) -> np.ndarray:
    """A picture of at most `size` pixels, the head and shoulders of half-body portraits."""
    picture = load_image(path)
    if path.stem.startswith("portrait"):
        picture = picture[:620, 200:820]
    scale = size / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def vector(landmarker: FaceLandmarker, picture: np.ndarray) -> np.ndarray | None:
    """Who the largest face is, (128,); None without a face."""
    try:
        face = landmarker.locate(picture)
    except FaceNotFoundError:
        return None
    return builtin_identity().encode([face_chip(picture, to_pixels(face, *picture.shape[:2]))])[0]


def thread_ms(count: int, call, *arguments) -> float:
    """Median milliseconds of this thread's own time."""
    spent = []
    for _ in range(count):
        start = time.thread_time()
        call(*arguments)
        spent.append(time.thread_time() - start)
    return 1e3 * float(np.median(spent))


def films(landmarker: FaceLandmarker, data: Path, count: int) -> list[float]:
    """Cosines of two frames of one film."""
    found = []
    for path in sorted((data / "faces/talking").glob("*.mp4"))[:count]:
        frames = list(read_frames(path))
        vectors = [vector(landmarker, frames[round(at * (len(frames) - 1))]) for at in (0.1, 0.5, 0.9)]
        vectors = [known for known in vectors if known is not None]
        found += [cosine(vectors[0], other) for other in vectors[1:]]
    return found


def calls(pipe: Text2LipPipeline, paths: list[Path], size: int, repeats: int, renderer: str) -> None:
    """Seconds of the processor for whole calls whose film is saved, `life=0` and `life=1`, happy, in turns."""
    pipe.set_progress_bar_config(disable=True)
    for path in paths:
        picture, spent = Image.fromarray(resized(path, size)), {0.0: [], 1.0: []}
        feelings = {0.0: None, 1.0: "happy"}
        with TemporaryDirectory() as folder:
            for turn in range(repeats + 1):
                for life, measured in spent.items():
                    start = time.process_time()
                    asked = {"life": life, "expression": feelings[life], "renderer": renderer}
                    pipe.stream(3 * TEXT, picture, **asked).save(Path(folder) / "film.mp4")
                    if turn:  # the first one loads
                        measured.append(time.process_time() - start)
        still, alive = (float(np.median(measured)) for measured in spent.values())
        ratio = float(np.median(np.divide(spent[0.0], spent[1.0])))
        print(f"| {path.stem}, {renderer} | {still:.2f} | {alive:.2f} | {ratio:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2LIP_DATA"), help="default: $TEXT2LIP_DATA")
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--size", type=int, default=512, help="longer side, pixels")
    parser.add_argument("--films", type=int, default=8, help="films whose frames are compared")
    parser.add_argument("--calls", type=int, default=0, help="whole calls to time, of two portraits")
    parser.add_argument("--renderers", nargs="+", default=["geometric", "learned"], help="of these calls")
    args = parser.parse_args()
    if args.data is None:
        parser.error("--data: give the folder of the data, or set TEXT2LIP_DATA.")
    cv2.setNumThreads(1)
    landmarker = FaceLandmarker.from_builtin()
    paths = [Path(args.data) / f"faces/diverse/div_{name}.jpg" for name in PICTURES]
    paths += [Path(args.data) / f"portraits/portrait_{name}.jpg" for name in PORTRAITS]
    row = {**POSES["all, smiling"], "eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}
    cosines = {name: [] for name in POSES}
    print("| portrait | strength | why less | preparing, ms | a frame, ms | in a blink |\n|---|---|---|---|---|---|")
    for path in paths:
        picture = resized(path, args.size)
        face = landmarker.locate(picture)
        preparing = thread_ms(3, Relief, picture, face)
        relief = Relief(picture, face)
        spent = [thread_ms(20, relief.move, picture, pose) for pose in (POSES["all, smiling"], row)]
        why, cost = "; ".join(relief.reasons), " | ".join(f"{ms:.1f}" for ms in spent)
        print(f"| {path.stem} | {relief.strength:.2f} | {why} | {preparing:.0f} | {cost} |", flush=True)
        own = vector(landmarker, picture)
        for name, pose in POSES.items():
            moved = vector(landmarker, relief.move(picture, pose))
            cosines[name].append(np.nan if moved is None else cosine(own, moved))
    print("\n| identity, cosine | mean | least |\n|---|---|---|")
    real = films(landmarker, Path(args.data), args.films)
    for name, found in {"two frames of a film": real, **cosines}.items():
        print(f"| {name} | {np.nanmean(found):.3f} | {np.nanmin(found):.3f} |")
    if args.calls:
        print("\n| seconds of a call | life=0 | life=1 | speed, paired |\n|---|---|---|---|")
        pipe = Text2LipPipeline.from_pretrained(args.pipeline)
        for renderer in args.renderers:
            calls(pipe, paths[:1] + paths[-1:], args.size, args.calls, renderer)


if __name__ == "__main__":
    main()
