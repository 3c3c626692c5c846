"""Speed on this machine: frames per second from a prepared portrait to frames and to an mp4, and what else takes time.

python examples/benchmarks/speed.py --frames 250 --repeat 3
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from text2lip import FaceLandmarker, GeometricRenderer, Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.images import load_image
from text2lip.faces.retarget import PortraitMouth
from text2lip.video import write_video


SENTENCE = "Good morning. Nobody has ever recorded this sentence."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many runs is printed")
    parser.add_argument("--size", type=int, default=512, help="pixels of the square portrait")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    portrait = np.asarray(Image.fromarray(load_image(builtin_portrait())).resize((args.size, args.size)))
    landmarker = FaceLandmarker.from_builtin()
    face = landmarker.locate(portrait)
    pipe = Text2LipPipeline.from_pretrained("text2lip-grid")
    landmarks = talking(pipe, PortraitMouth(face, *portrait.shape[:2]), args.frames)
    still = [portrait] * args.frames
    drawn = list(render(portrait, face, landmarks))
    print(f"{args.size} x {args.size}, {args.frames} frames, {args.threads} threads, median of {args.repeat}")
    print("| what | frames per second | ms per frame |\n| --- | --- | --- |")
    for name, run in {
        "geometric renderer, to frames": lambda: sum(1 for _ in render(portrait, face, landmarks)),
        "geometric renderer, to mp4": lambda: encode(render(portrait, face, landmarks)),
        "encode alone, talking frames": lambda: encode(iter(drawn)),
        "encode alone, a still": lambda: encode(iter(still)),
        "landmarks of a video": lambda: landmarker.track(drawn),
        "lip motion": lambda: talking(pipe, PortraitMouth(face, *portrait.shape[:2]), args.frames),
    }.items():
        seconds = statistics.median(timed(run) for _ in range(args.repeat))
        print(f"| {name} | {args.frames / seconds:.0f} | {1000 * seconds / args.frames:.2f} |")
    print("\n| once | seconds |\n| --- | --- |")
    for name, run in {
        "import text2lip": lambda: python("import text2lip"),
        "load the pipeline in a new process": lambda: python(
            "from text2lip import Text2LipPipeline as T; T.from_pretrained('text2lip-grid')"
        ),
        "face and landmarks of a portrait": lambda: landmarker.locate(portrait),
        "voice: espeak": lambda: speak("espeak"),
        "voice: default": lambda: speak("default"),
    }.items():
        print(f"| {name} | {statistics.median(timed(run) for _ in range(args.repeat)):.3f} |")


def talking(pipe: Text2LipPipeline, mouth: PortraitMouth, frames: int) -> np.ndarray:
    tokens = pipe.tokenizer(SENTENCE * (1 + frames // 60), return_tensors="pt")
    motion, width = pipe.animate(tokens, frames)
    return mouth.retarget(motion[0].numpy(), width)


def render(portrait: np.ndarray, face: np.ndarray, landmarks: np.ndarray):
    return GeometricRenderer().render(portrait, landmarks, fps=25, source_landmarks=face[:, :2])


def encode(frames):
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "a.mp4", frames)


def speak(voice: str):
    from text2lip import synthesize

    synthesize(SENTENCE, voice)


def python(code: str):
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def timed(run: Callable) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
