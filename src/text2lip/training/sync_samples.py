"""Clips from which [`SyncScorer`] learns, each changed as if another person said it elsewhere. Times stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from text2lip.data.prepared import read_prepared
from text2lip.metrics.sync_scorer import SEEN_MARGIN, SEEN_SIZE, grey_mouths
from text2lip.speech.audio import to_float
from text2lip.speech.features import MEL_BANDS, MEL_STEPS_PER_FRAME, levelled, log_mel


ZOOM, TURN, SHIFT, UNEVEN = 0.15, 0.1, 3.0, 0.15  # of pictures: share, radians, pixels, share of the height
VOICE = 0.18  # share by which the bands of a voice lie higher or lower
NOISE_LEVEL = (-3.0, 0.0)  # log10 of energy, beside the loudest of the clip's


@dataclass(frozen=True, eq=False)
class SyncClip:
    """uint8 (frames, 56, 56) grey mouths, float32 (frames, 40, 2) lips, float32 (frames, 320) log-mel of the sound."""

    name: str
    speaker: str
    grey: np.ndarray
    lips: np.ndarray
    mel: np.ndarray


def sync_clips(folder: str | Path, split: str, limit: int | None = None) -> list[SyncClip]:
    """Clips that examples/prepare_grid.py prepared in `folder`, `limit` of them evenly from all.

    Raises:
        ValueError: the split is not prepared.
    """
    return [*_read(folder, split, limit)]


def _read(folder: str | Path, split: str, limit: int | None) -> Iterator[SyncClip]:
    wanted = ["name", "speaker", "crops", "lips", "audio", "fps"]
    for row in read_prepared(folder, split, wanted, limit):
        crops = np.stack([np.asarray(Image.open(BytesIO(png)).convert("RGB")) for png in row["crops"]])
        mel = log_mel(levelled(to_float(row["audio"])), len(crops), row["fps"])
        yield SyncClip(row["name"], row["speaker"], grey_mouths(crops), row["lips"][:, :40].astype(np.float32), mel)


def plain_grey(grey: np.ndarray) -> torch.Tensor:
    """The part of `grey` (frames, 56, 56) that is looked at: (frames, 48, 48)."""
    edge = slice(SEEN_MARGIN, SEEN_MARGIN + SEEN_SIZE)
    return torch.from_numpy(np.ascontiguousarray(grey[:, edge, edge]))


def other_face(grey: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Grey mouths of a clip (frames, 56, 56) as another face in another light might show them: float (frames, 48, 48)
    in [0, 255]. Larger or smaller, turned, moved, mirrored, bent, of another contrast, dimming, blurred, noisy."""
    frames, size = grey.shape[:2]
    zoom, turn = 1 + ZOOM * rng.uniform(-1, 1), TURN * rng.uniform(-1, 1)
    across, down = zoom * (1 + UNEVEN * rng.uniform(-1, 1)) * rng.choice([-1, 1]), zoom
    cos, sin = np.cos(turn), np.sin(turn)
    theta = np.array([[cos * across, -sin * down, 0], [sin * across, cos * down, 0]]) * SEEN_SIZE / size
    theta[:, 2] = SHIFT / size * 2 * rng.uniform(-1, 1, 2)
    grid = F.affine_grid(torch.tensor(theta[None], dtype=torch.float32), (1, 1, SEEN_SIZE, SEEN_SIZE), False)
    bend = torch.from_numpy(rng.normal(0, 0.04, (1, 2, 4, 4)).astype(np.float32))
    grid = grid + F.interpolate(bend, (SEEN_SIZE, SEEN_SIZE), mode="bicubic", align_corners=True).movedim(1, -1)
    pictures = torch.from_numpy(grey)[None].float()
    seen = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)[0] / 255
    seen = seen.clamp(1e-3, 1) ** float(np.exp(rng.uniform(-0.5, 0.5)))
    light = 1 + 0.15 * rng.uniform(-1, 1) * torch.sin(torch.linspace(*rng.uniform(0, 6, 2).tolist(), frames))
    seen = seen * light[:, None, None]
    if rng.uniform() < 0.5:
        kernel = torch.tensor([1.0, 2.0, 1.0])
        kernel = (kernel[:, None] * kernel / 16)[None, None]
        for _ in range(rng.integers(1, 4)):
            seen = F.conv2d(F.pad(seen[:, None], (1, 1, 1, 1), mode="replicate"), kernel)[:, 0]
    noise = rng.uniform(0, 0.02) * rng.standard_normal(seen.shape, np.float32)
    return 255 * (seen + torch.from_numpy(noise))


def other_lips(lips: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Lip motion (frames, 40, 2) of a mouth that moves more or less, and that is found less surely."""
    mean = lips.mean(0, keepdims=True)
    gain = np.exp(rng.uniform(-0.4, 0.4)) * np.exp(rng.normal(0, 0.15, (1, 1, 2)))
    noise = rng.uniform(0, 0.004) * rng.standard_normal(lips.shape)
    return torch.from_numpy((mean + gain * (lips - mean) + noise).astype(np.float32))


def other_voice(mel: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Log-mel energies (frames, 320) of another voice, by another microphone, in noise: bands higher or lower, some
    louder than others, a steady noise behind, all at another level."""
    bands = mel.reshape(-1, MEL_BANDS)
    places = np.arange(MEL_BANDS) * np.exp(VOICE * rng.uniform(-1, 1))
    low = np.clip(places.astype(int), 0, MEL_BANDS - 2)
    share = np.clip(places - low, 0, 1).astype(np.float32)
    bands = bands[:, low] * (1 - share) + bands[:, low + 1] * share
    curve = np.interp(np.arange(MEL_BANDS), np.linspace(0, MEL_BANDS - 1, 6), rng.normal(0, 0.15, 6))
    if rng.uniform() < 0.6:
        colour = np.interp(np.arange(MEL_BANDS), np.linspace(0, MEL_BANDS - 1, 4), rng.normal(0, 0.3, 4))
        behind = np.quantile(bands, 0.99) + (rng.uniform(*NOISE_LEVEL) + colour) / 2.5
        noise = behind + 0.1 * rng.standard_normal(bands.shape)
        bands = np.log10(10 ** (2.5 * bands) + 10 ** (2.5 * noise)) / 2.5
    return torch.from_numpy((bands + curve).astype(np.float32).reshape(-1, MEL_STEPS_PER_FRAME * MEL_BANDS))
