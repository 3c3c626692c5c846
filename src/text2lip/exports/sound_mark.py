"""The mark in the sound, an extra: put in where its weights are there, and looked for."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text2lip.memory import copied
from text2lip.speech.resampling import resample


if TYPE_CHECKING:
    from text2lip.models.sound_watermark import SoundWatermark

WATERMARK_NAME = "perth.safetensors"
WATERMARK_REMEDY = (
    'pip install -c constraints.txt ".[watermark]" && python utils/convert_watermark.py, in a clone of the repository'
)
BLOCK_SECONDS, AROUND_SECONDS = (
    20.0,
    0.3,
)  # seconds marked at a time; seen around them
SHORTEST_MARKED = 0.1  # seconds; shorter ones hold no mark
LOADED_WATERMARKS: dict[Path, "SoundWatermark"] = {}


def watermark_file() -> Path:
    """Where the weights lie: `$TEXT2LIP_WATERMARK`, or in the user's cache folder; need not exist."""
    if named := os.environ.get("TEXT2LIP_WATERMARK"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "text2lip" / "watermark" / WATERMARK_NAME


def load_watermark() -> "SoundWatermark | None":
    """The network, loaded once; None where its weights aren't there."""
    if not (path := watermark_file()).is_file():
        return None
    if path not in LOADED_WATERMARKS:
        from safetensors.torch import load_file

        from text2lip.models.sound_watermark import SoundWatermark

        network = SoundWatermark()
        network.load_state_dict(load_file(path))
        LOADED_WATERMARKS[path] = network.eval().requires_grad_(False)
    return LOADED_WATERMARKS[path]


def mark_sound(audio: np.ndarray, sampling_rate: int, network: "SoundWatermark") -> np.ndarray:
    """A copy of `audio`, float (samples,) or (channels, samples) in [-1, 1], with the mark in it; what it had above
    2 kHz stays as it is. In blocks, at flat memory."""
    import torch

    from text2lip.models.sound_watermark import RATE

    marked = copied(audio, audio.shape[-1])
    step, around = round(BLOCK_SECONDS * sampling_rate), round(AROUND_SECONDS * sampling_rate)
    if audio.shape[-1] < SHORTEST_MARKED * sampling_rate:
        return marked
    last = max(1, audio.shape[-1] - around)  # a rest that is shorter belongs to the block before it
    for start in range(0, last, step):
        stop = audio.shape[-1] if start + step >= last else start + step
        first, end = max(0, start - around), min(audio.shape[-1], stop + around)
        piece = np.atleast_2d(np.asarray(audio[..., first:end], np.float32))
        change = network(torch.from_numpy(resample(piece, sampling_rate, RATE))).numpy()
        change = resample(change, RATE, sampling_rate)[:, start - first :][:, : stop - start]
        marked[..., start : start + change.shape[1]] += change if audio.ndim == 2 else change[0]
    return marked


def find_mark(audio: np.ndarray, sampling_rate: int, network: "SoundWatermark") -> float:
    """How surely a sound, float (samples,) or (channels, samples), is marked: from 0 to 1; over 0.5 it is likely."""
    import torch

    from text2lip.models.sound_watermark import RATE

    mono = np.asarray(audio, np.float32)
    mono = mono if mono.ndim == 1 else mono.mean(0)
    step, found = round(BLOCK_SECONDS * sampling_rate), []
    for start in range(0, len(mono), step):
        piece = mono[start : start + step]
        if len(piece) >= SHORTEST_MARKED * sampling_rate and np.abs(piece).max() > 0:
            sound = torch.from_numpy(resample(piece, sampling_rate, RATE)[None])
            found.append((len(piece), float(network.detect(sound)[0])))
    return sum(length * sure for length, sure in found) / max(1, sum(length for length, _ in found))
