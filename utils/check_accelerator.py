"""What works on this machine's accelerator, in one table: the pipeline, half precision, offloading, speed, training.

    python utils/check_accelerator.py                              # the accelerator that torch finds, about 8 minutes
    python utils/check_accelerator.py --device cpu                 # every row in a small form
    python utils/check_accelerator.py --only "pipeline|offload" --json accelerator.json

Needs what README's second command installs, no network and no data: weights are the built-in ones, EchoMimic's random.
Each row compares with the CPU, in float32. Prints a Markdown table and writes the same as JSON; exit status 1 if a row
failed. Rows that --minutes leaves no time for are skipped, and said to be.
"""

import argparse
import gc
import json
import os
import platform
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402


TEXT = "Bob met my mother on the farm."
LANDMARKS = 1e-3  # of the picture's width or height; largest difference to the CPU that float32 may have
FRAMES_DB = 45.0  # least PSNR of frames against the CPU's, float32
HALF_LANDMARKS, HALF_DB = 5e-3, 38.0  # the same for half precision
LOSS = 0.05  # relative difference of the mean of a loss curve's last fifth to the CPU's
ROWS: dict[str, Callable[["Bench"], str]] = {}


class Skip(Exception):
    """A row that does not apply here; its message says why."""


@dataclass
class Result:
    """One row of the table; `status` is PASS, FAIL or SKIP."""

    name: str
    status: str
    figures: str
    seconds: float


@dataclass
class Bench:
    """What the rows share.

    Attributes:
        device (`torch.device`): what is checked.
        small (`bool`): few frames, tiny networks.
        folder (`Path`): for files; goes afterwards.
    """

    device: torch.device
    small: bool
    folder: Path
    speeds: dict[str, float] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return 6 if self.small else 50

    @property
    def steps(self) -> int:
        """Of a training run."""
        return 6 if self.small else 50

    def portrait(self, size: int | None = None) -> np.ndarray:
        """The built-in portrait, uint8 (size, size, 3)."""
        from PIL import Image

        from text2lip.faces.builtin import builtin_portrait

        size = size or (192 if self.small else 512)
        with Image.open(builtin_portrait()) as picture:
            return np.asarray(picture.convert("RGB").resize((size, size)))

    def pipeline(self, **options: Any):
        """The built-in pipeline on the CPU, without progress bars."""
        from text2lip import Text2LipPipeline

        pipe = Text2LipPipeline.from_pretrained("text2lip-grid", **options)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def talk(self, pipe: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        """Frames, uint8 (frames, height, width, 3), and landmarks of a clip."""
        stream = pipe.stream(TEXT, self.portrait(), **{"voice": None, "num_frames": self.frames, **options})
        return np.stack(list(stream)), stream.landmarks

    @cached_property
    def on_the_cpu(self) -> tuple[np.ndarray, np.ndarray]:
        return self.talk(self.pipeline())

    def same_as_the_cpu(self, pipe: Any, landmarks: float = LANDMARKS, decibels: float = FRAMES_DB) -> str:
        """Figures of a clip of `pipe` beside the CPU's; AssertionError where they are too far apart."""
        frames, points = self.talk(pipe)
        wanted_frames, wanted_points = self.on_the_cpu
        away, close = float(np.abs(points - wanted_points).max()), psnr(frames, wanted_frames)
        figures = f"landmarks {away:.1e}, frames {close:.1f} dB"
        assert away <= landmarks and close >= decibels, f"{figures}; wants {landmarks:.0e}, {decibels:.0f} dB"
        return figures


def row(name: str):
    """Register a function `(bench) -> figures` as a row of the table. It fails by raising."""

    def register(function: Callable[[Bench], str]):
        ROWS[name] = function
        return function

    return register


def psnr(ours: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio of uint8 pictures, dB; 99 for equal ones."""
    error = np.square(ours.astype(np.float32) - other).mean()
    return min(99.0, float(10 * np.log10(255**2 / max(error, 1e-12))))


def library(device: torch.device):
    """torch's module for a kind of device, such as `torch.cuda`; None for a CPU."""
    return None if device.type == "cpu" else getattr(torch, device.type)


def wait(device: torch.device):
    """Until the device has done what it was given."""
    if library(device) is not None:
        library(device).synchronize()


def card(device: torch.device) -> str:
    """Name of the device."""
    if hasattr(library(device), "get_device_name"):
        return library(device).get_device_name(device)
    return f"{device.type}: {platform.processor() or platform.machine()}, {os.cpu_count()} processors"


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], str]]:
    """Inside, a function that says how much memory of the device torch has held at most since the beginning."""
    counts = library(device)
    known = hasattr(counts, "max_memory_allocated")
    if known:
        gc.collect()
        counts.empty_cache()
        counts.reset_peak_memory_stats()
    yield lambda: f"{counts.max_memory_allocated() / 2**30:.2f} GiB" if known else "memory unknown"


@row("pipeline, float32")
def default_pipeline(bench: Bench) -> str:
    return bench.same_as_the_cpu(bench.pipeline().to(bench.device))


@row("pipeline, call with sound, references and life")
def whole_call(bench: Bench) -> str:
    timings = [("b", 0, 0.2), ("ɑ", 0.2, 0.5), ("m", 0.5, 0.7)]
    options = {"timings": timings, "audio": np.full((2, 8000), 0.1, np.float32), "sampling_rate": 8000}
    reference = list(bench.talk(bench.pipeline())[0])
    results = []
    for pipe in (bench.pipeline(), bench.pipeline().to(bench.device)):
        result = pipe(
            None, bench.portrait(), reference=reference, num_frames=bench.frames, output_type="np", **options
        )
        results.append(((result.frames[0] * 255).round().astype(np.uint8), result.landmarks[0], result.audio[0]))
    frames, landmarks, sound = zip(*results)
    away, close = float(np.abs(landmarks[0] - landmarks[1]).max()), psnr(*frames)
    figures = f"landmarks {away:.1e}, frames {close:.1f} dB"
    assert away <= LANDMARKS and close >= FRAMES_DB and np.array_equal(*sound), figures
    return figures


def _half(dtype: torch.dtype, cast: bool):
    def check(bench: Bench) -> str:
        pipe = bench.pipeline() if cast else bench.pipeline(torch_dtype=dtype)
        pipe = pipe.to(bench.device, dtype) if cast else pipe.to(bench.device)
        return bench.same_as_the_cpu(pipe, HALF_LANDMARKS, HALF_DB)

    return check


for _dtype in (torch.float16, torch.bfloat16):
    row(f"pipeline, loaded in {_dtype}".replace("torch.", ""))(_half(_dtype, False))
    row(f"pipeline, cast to {_dtype}".replace("torch.", ""))(_half(_dtype, True))


@row("offload: model")
def model_offload(bench: Bench) -> str:
    pipe = bench.pipeline()
    pipe.enable_model_cpu_offload(device=bench.device)
    figures = bench.same_as_the_cpu(pipe)
    again = bench.same_as_the_cpu(pipe)  # hooks were freed and work again
    assert figures == again, f"first {figures}, then {again}"
    return figures


@row("offload: sequential")
def sequential_offload(bench: Bench) -> str:
    import accelerate

    pipe = bench.pipeline()
    if library(bench.device) is not None:
        pipe.enable_sequential_cpu_offload(device=bench.device)
    else:  # which names it "cpu:0", and torch takes that for another device than "cpu"
        for name, part in pipe.components.items():
            if isinstance(part, torch.nn.Module) and name not in pipe._exclude_from_cpu_offload:
                accelerate.cpu_offload(part, bench.device)
    return bench.same_as_the_cpu(pipe)


def _group(kind: str, disk: bool):
    def check(bench: Bench) -> str:
        pipe = bench.pipeline()
        options: dict[str, Any] = {"offload_type": kind}
        options |= {"num_blocks_per_group": 1} if kind == "block_level" else {}
        options |= {"offload_to_disk_path": str(bench.folder / f"offload-{kind}")} if disk else {}
        pipe.enable_group_offload(bench.device, **options)
        return bench.same_as_the_cpu(pipe)

    return check


for _kind in ("block_level", "leaf_level"):
    row(f"offload: group, {_kind}")(_group(_kind, False))
    row(f"offload: group, {_kind}, to disk")(_group(_kind, True))


@row("layerwise casting, float8 storage")
def layerwise(bench: Bench) -> str:
    pipe = bench.pipeline().to(bench.device)
    for name in ("viseme_encoder", "pseudo_audio", "lip_decoder", "unet"):
        getattr(pipe, name).enable_layerwise_casting(torch.float8_e4m3fn, torch.float32)
    return bench.same_as_the_cpu(pipe, 10 * LANDMARKS, 30.0)  # float8 keeps three bits


@row("compiled learned renderer")
def compiled(bench: Bench) -> str:
    pipe = bench.pipeline().to(bench.device)
    pipe.unet.compile(backend="aot_eager" if bench.small else "inductor", dynamic=True)  # the first needs no compiler
    bench.talk(pipe)
    began = time.perf_counter()
    figures = bench.same_as_the_cpu(pipe, LANDMARKS, HALF_DB)
    return f"{figures}, {bench.frames / (time.perf_counter() - began):.0f} fps with all else"


def _speed(size: int):
    def check(bench: Bench) -> str:
        from text2lip.media.video_writer import write_video

        count = 8 if bench.small else 200
        pipe, portrait = bench.pipeline().to(bench.device), bench.portrait(size)
        rates = []
        with peak_memory(bench.device) as peak:
            for finish in (lambda frames: [None for _ in frames], lambda f: write_video(bench.folder / "a.mp4", f)):
                for warm in (True, False):
                    options = {"voice": None, "num_frames": min(count, 8) if warm else count}
                    stream = pipe.stream(TEXT * (1 + count // 60), portrait, **options)
                    wait(bench.device)
                    began = time.perf_counter()
                    finish(iter(stream))
                    wait(bench.device)
                rates.append(count / (time.perf_counter() - began))
            memory = peak()
        return f"{rates[0]:.0f} fps to frames, {rates[1]:.0f} fps to mp4, {memory}"

    return check


for _size in (512, 1024):
    row(f"speed, learned renderer, {_size} px")(_speed(_size))


def main(arguments: list[str] | None = None) -> list[Result]:
    import _check_echomimic
    import _check_training

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="such as cuda, mps, xpu, cpu; the accelerator that torch finds by default")
    parser.add_argument("--small", action="store_true", help="few frames and tiny networks; always so with cpu")
    parser.add_argument("--only", default="", help="regular expression: names of rows")
    parser.add_argument("--minutes", type=float, default=8.0, help="no row begins later")
    parser.add_argument("--json", help="file for the results")
    parser.add_argument("--complete", action="store_true", help="a row that time was left out for is a failure")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    args = parser.parse_args(arguments)
    for name, check in (_check_echomimic.ROWS | _check_training.ROWS).items():
        row(name)(check)
    if args.list:
        print("\n".join(ROWS))
        return []
    if args.device is None and not torch.accelerator.is_available():
        parser.error("torch finds no accelerator here; give --device cpu for every row in a small form.")
    device = torch.device(args.device or torch.accelerator.current_accelerator())
    quiet()
    began, results = time.perf_counter(), []
    about = {"device": card(device), "torch": torch.__version__, "python": platform.python_version()}
    print(f"{about['device']}; torch {about['torch']}, Python {about['python']}\n")
    print("| row | | figures | seconds |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(device, args.small or device.type == "cpu", Path(folder))
        for name, check in ROWS.items():
            if re.search(args.only, name):
                late = time.perf_counter() - began > 60 * args.minutes
                cut = Result(name, "FAIL" if args.complete else "SKIP", "no time left", 0.0)
                results.append(cut if late else run(name, check, bench))
                one = results[-1]
                print(f"| {one.name} | {one.status} | {one.figures} | {one.seconds:.1f} |", flush=True)
    counts = {status: sum(one.status == status for one in results) for status in ("PASS", "FAIL", "SKIP")}
    print(f"\n{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    if args.json:
        Path(args.json).write_text(json.dumps({**about, "rows": [asdict(one) for one in results]}, indent=2))
    return results


def quiet():
    """No words of diffusers between the rows."""
    from diffusers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def run(name: str, check: Callable[[Bench], str], bench: Bench) -> Result:
    """One row; whatever it raises is its failure, told on standard error in full."""
    began = time.perf_counter()
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            figures, status = check(bench), "PASS"
    except Skip as reason:
        figures, status = str(reason), "SKIP"
    except Exception as error:
        traceback.print_exc()
        message = next(iter(str(error).splitlines()), "").replace("|", "/")
        figures, status = f"{type(error).__name__}: {message[:200]}", "FAIL"
    gc.collect()
    return Result(name, status, figures, round(time.perf_counter() - began, 1))


if __name__ == "__main__":
    sys.modules["check_accelerator"] = sys.modules["__main__"]  # one module, whoever imports it
    sys.exit(any(one.status == "FAIL" for one in main()))
