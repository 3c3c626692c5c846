"""Speed on this machine: frames per second from a prepared portrait to frames and to an mp4, and what else takes time.

python examples/benchmarks/speed.py --frames 250 --repeat 3
python examples/benchmarks/speed.py --frames 60 --repeat 3 --busy 2  # on a machine that has other things to do
python examples/benchmarks/speed.py --frames 100 --threads 1 --only "to frames"  # the renderers alone
python examples/benchmarks/speed.py --threads 2 --only "whole call" --size 1024  # from text and picture to all frames
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn

from text2lip import FaceLandmarker, GeometricRenderer, Text2LipPipeline
from text2lip.ahead import map_ahead
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import canonical_lips
from text2lip.media.images import load_image
from text2lip.media.video_writer import write_video
from text2lip.motion.lips import animate
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers import MouthReferences, choose_references
from text2lip.renderers.relief import Relief


SENTENCE = "Good morning. Nobody has ever recorded this sentence."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many runs is printed")
    parser.add_argument("--size", type=int, default=512, help="pixels of the square portrait")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1], help="one table for each")
    parser.add_argument("--only", nargs="+", default=[""], help="rows whose names hold one of these")
    parser.add_argument("--busy", type=int, default=0, help="so many processes compute beside the renderers meanwhile")
    args = parser.parse_args()
    portrait = np.asarray(Image.fromarray(load_image(builtin_portrait())).resize((args.size, args.size)))
    landmarker = FaceLandmarker.from_builtin()
    face = landmarker.locate(portrait)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    landmarks = talking(pipe, PortraitMouth(face, *portrait.shape[:2]), args.frames)
    still = [portrait] * args.frames
    renderers = {"geometric": GeometricRenderer()}
    if pipe.unet is not None:
        renderers["learned"] = pipe.make_renderer("learned")
    frames = {name: partial(render, made, portrait, face, landmarks) for name, made in renderers.items()}
    drawn = list(frames["geometric"]())
    if pipe.unet is not None:
        others = other_mouths(drawn, portrait, face, landmarks)
        frames["learned (24 references)"] = partial(frames["learned"], references=others)
    relief, rows = Relief(portrait, face), lively(pipe, args.frames)
    for name in renderers:
        frames[f"{name} (life)"] = partial(alive, relief, frames[name], rows)
    runs = {
        **{f"{name} renderer, to frames": partial(count, made) for name, made in frames.items()},
        **{f"{name} renderer, to mp4": lambda made=made: encode(made()) for name, made in frames.items()},
        "encode alone, talking frames": lambda: encode(iter(drawn)),
        "encode alone, a still": lambda: encode(iter(still)),
        "a network of Wav2Lip's size, random weights": partial(large_network, args.frames),
        "landmarks of a video": lambda: landmarker.track(drawn),
        "lip motion": lambda: talking(pipe, PortraitMouth(face, *portrait.shape[:2]), args.frames),
    }
    chosen = {name: run for name, run in runs.items() if any(part in name for part in args.only)}
    beside = f", {args.busy} busy processes beside" if args.busy else ""
    for threads in args.threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        if not chosen:
            continue
        print(
            f"\n{args.size} x {args.size}, {args.frames} frames, {threads} threads, median of {args.repeat}{beside}\n"
        )
        print("| what | frames per second | ms per frame | processor ms per frame |\n| --- | --- | --- | --- |")
        for name, run in chosen.items():
            with busy(args.busy):
                times = [timed(run) for _ in range(args.repeat)]
            seconds, work = (statistics.median(t) for t in zip(*times))
            row = (f"{args.frames / seconds:.0f}", *(f"{1000 * t / args.frames:.2f}" for t in (seconds, work)))
            print(f"| {name} | {' | '.join(row)} |")
    once = {
        "import text2lip": lambda: python("import text2lip"),
        "load the pipeline in a new process": lambda: python(
            f"from text2lip import Text2LipPipeline as T; T.from_pretrained({args.pipeline!r})"
        ),
        "face and landmarks of a portrait": lambda: landmarker.locate(portrait),
        "relief of a portrait, for its life": lambda: Relief(portrait, face),
        "voice: espeak": lambda: speak("espeak"),
        "voice: default": lambda: speak("default"),
        **{
            f"a whole call, {name}, life={life}": partial(pipe, SENTENCE, portrait, renderer=name, life=life)
            for name in renderers
            for life in (0, 1)
        },
    }
    once = {name: run for name, run in once.items() if any(part in name for part in args.only)}
    if once:
        print(f"\n{args.size} x {args.size}, {threads} threads, median of {args.repeat}{beside}\n")
        print("| once | seconds | processor seconds |\n| --- | --- | --- |")
    for name, run in once.items():
        with busy(args.busy):
            seconds, work = (statistics.median(t) for t in zip(*(timed(run) for _ in range(args.repeat))))
        print(f"| {name} | {seconds:.3f} | {work:.3f} |")


def talking(pipe: Text2LipPipeline, mouth: PortraitMouth, frames: int) -> np.ndarray:
    tokens = pipe.tokenizer(SENTENCE * (1 + frames // 60), return_tensors="pt")
    motion, width = animate(pipe.lip_model(), tokens, frames)
    return mouth.retarget(motion[0].cpu().numpy(), width)


def render(renderer, portrait: np.ndarray, face: np.ndarray, landmarks: np.ndarray, **extra):
    return renderer.render(portrait, landmarks, fps=25, source_landmarks=face[:, :2], **extra)


def lively(pipe: Text2LipPipeline, frames: int) -> np.ndarray:
    """The motion plan of the sentence at `life=1`: (frames, channels)."""
    text = SENTENCE * (1 + frames // 60)
    return pipe.move(pipe.speak(text, voice=None), num_frames=frames, text=text).plan.values[:frames]


def alive(relief: Relief, frames: Callable, rows: np.ndarray):
    """Frames whose head moves too, as a portrait draws them."""
    return map_ahead(relief.move, frames(), rows, nbytes=int(np.prod(relief.size)) * 3)


def other_mouths(drawn: list, portrait: np.ndarray, face: np.ndarray, landmarks: np.ndarray) -> MouthReferences:
    """24 frames of a film of the portrait, whose mouths differ most."""
    height, width = portrait.shape[:2]
    chosen = choose_references(canonical_lips(landmarks * (width, height)))
    return MouthReferences.from_frames([drawn[i] for i in chosen], landmarks[chosen], portrait, face[:, :2])


def count(frames: Callable):
    return sum(1 for _ in frames())


@torch.inference_mode()
def large_network(frames: int):
    """A chain of convolutions with Wav2Lip's number of parameters and operations on a crop of 96 px, eight at once."""
    network, x = wav2lip_sized(), torch.rand(8, 6, 96, 96)
    for _ in range(-(-frames // 8)):
        network(x)


@lru_cache
def wav2lip_sized() -> nn.Sequential:
    """36 M parameters and 7.9 GFLOP per frame (Prajwal et al. 2020 by their published code); nothing is learned."""
    sides = (
        96,
        *(48,) * 2,
        *(24,) * 2,
        *(12,) * 2,
        *(6,) * 3,
        *(3,) * 5,
        *(6,) * 6,
        12,
        12,
        24,
        24,
        48,
        48,
        96,
        96,
        96,
    )
    widths = (16, 32, 32, 64, 64, 128, 128, *(512,) * 14, 384, 384, 192, 192, 128, 112, 92, 46, 3)
    layers, channels, before = [], 6, 96
    for side, width in zip(sides, widths):
        layers += [nn.Upsample(scale_factor=2)] if side > before else []
        layers += [nn.Conv2d(channels, width, 3, stride=max(before // side, 1), padding=1), nn.ReLU()]
        channels, before = width, side
    return nn.Sequential(*layers).eval()


def encode(frames):
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "a.mp4", frames)


def speak(voice: str):
    from text2lip import synthesize

    synthesize(SENTENCE, voice)


def python(code: str):
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@contextmanager
def busy(count: int):
    """Inside, `count` processes compute without end."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def timed(run: Callable) -> tuple[float, float]:
    """Seconds that passed, and seconds that all processors worked: on a busy machine the second is the steadier."""
    start, work = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - work


if __name__ == "__main__":
    main()
