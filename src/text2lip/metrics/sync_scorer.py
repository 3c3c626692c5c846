"""Do lips and sound go together, and if not, by how much are they apart? `SyncScorer`, a small network of our own.

Two towers into one space as in SyncNet (Chung & Zisserman 2016, "Out of Time"), trained on one GRID talker: its
figures are no LSE-C and LSE-D, and only compare films with each other. Use the film's own as the ceiling.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.devices import execution_device
from text2lip.media.color import LUMA
from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames
from text2lip.speech.features import MEL_BANDS, MEL_STEPS_PER_FRAME, levelled, log_mel


SEEN_SIZE = 48  # pixels of a mouth as the network sees it
SEEN_MARGIN = 4  # pixels around it from which training cuts it anew
MAX_OFFSET = 15  # frames
LOST_FRAMES = 4  # at either end of a clip, whose surroundings the network does not see whole
SHORTEST_CLIP = 2 * (MAX_OFFSET + LOST_FRAMES) + 1  # frames; a shorter one can't be moved against its sound
LIP_SCALE = 0.02  # outer-eye units of lip motion that count as 1
_KERNELS = (5, 3, 3)  # frames: nine are seen at once, 0.36 s


class FrameNorm(nn.Module):
    """Layer normalisation over the channels of (batch, channels, frames): no frame knows of the others."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.norm(hidden.transpose(1, 2)).transpose(1, 2)


def _temporal(before: int, channels: int, size: int) -> nn.Sequential:
    """From what each frame shows to a vector for each frame but four at either end."""
    layers = []
    for kernel in _KERNELS:
        layers += [nn.Conv1d(before, channels, kernel), FrameNorm(channels), nn.SiLU(), nn.Dropout(0.1)]
        before = channels
    return nn.Sequential(*layers, nn.Conv1d(channels, size, 1))


class SyncScorer(ModelCardMixin, ModelMixin, ConfigMixin):
    """Vectors of mouths, of lip motion, and of sound: near to each other where they belong to one moment.

    Args:
        channels (`int`): of the towers.
        size (`int`): of the vectors.
    """

    @register_to_config
    def __init__(self, channels: int = 128, size: int = 64):
        super().__init__()
        widths = (2, 16, 32, 64, 96)
        self.pictures = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.SiLU())
                for a, b in zip(widths, widths[1:])
            ),
            nn.Flatten(),
            nn.Linear(widths[-1] * 9, channels),
        )
        self.of_pictures = _temporal(channels, channels, size)
        self.of_lips = _temporal(160, channels, size)
        steps = MEL_STEPS_PER_FRAME * MEL_BANDS
        self.of_sound = _temporal(steps, channels, size)
        self.sharpness = nn.Parameter(torch.tensor(2.0))  # of the loss: log of the inverse temperature

    def forward(self, pictures: torch.Tensor, lips: torch.Tensor, sound: torch.Tensor) -> torch.Tensor:
        """[`see`], [`feel`] and [`hear`] of the same moments: (3, batch, frames - 8, size)."""
        return torch.stack([self.see(pictures), self.feel(lips), self.hear(sound)])

    def see(self, pictures: torch.Tensor) -> torch.Tensor:
        """Unit vectors (batch, frames - 8, size) of `pictures` (batch, frames, 2, 48, 48), see [`seen_mouths`]."""
        batch, frames = pictures.shape[:2]
        hidden = self.pictures(pictures.flatten(0, 1)).unflatten(0, (batch, frames))
        return self._unit(self.of_pictures, hidden)

    def feel(self, lips: torch.Tensor) -> torch.Tensor:
        """The same of lip motion (batch, frames, 160), see [`moved_lips`]."""
        return self._unit(self.of_lips, lips)

    def hear(self, sound: torch.Tensor) -> torch.Tensor:
        """The same of sound (batch, frames, 320), see [`heard_sound`]."""
        return self._unit(self.of_sound, sound)

    @staticmethod
    def _unit(tower: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        return F.normalize(tower(hidden.transpose(1, 2)).transpose(1, 2).float(), dim=-1)


@cache
def builtin_sync_scorer() -> SyncScorer:
    """The network that comes with this package, on the CPU; read once."""
    folder = Path(__file__).parents[1] / "checkpoints" / "sync_scorer"
    return SyncScorer.from_pretrained(str(folder), use_safetensors=True, torch_dtype=torch.float32).eval()


def grey_mouths(crops: Any, size: int = SEEN_SIZE + 2 * SEEN_MARGIN) -> np.ndarray:
    """The middle of mouth crops of the protocol, grey: uint8 (frames, size, size), 0.0156 outer-eye units a pixel
    whatever the crops' own size."""
    crops = as_frames(crops, "crops")
    scale = 1.5 * crops.shape[1] / 96  # crop pixels for one of ours
    corner = crops.shape[1] / 2 - scale * size / 2
    matrix = np.array([[scale, 0, corner + scale / 2 - 0.5], [0, scale, corner + scale / 2 - 0.5]])
    small = []
    for crop in crops:
        grey = (crop.astype(np.float32) * (1 if crops.dtype == np.uint8 else 255)) @ np.float32(LUMA)
        grey = cv2.GaussianBlur(grey, (0, 0), scale / 3)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        small.append(cv2.warpAffine(grey, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(small).round().astype(np.uint8)


def seen_mouths(grey: torch.Tensor) -> torch.Tensor:
    """What the network sees of grey mouths (..., frames, size, size): how they differ from the clip's mean, and from
    the frames around, in units of the clip's own spread: (..., frames, 2, size, size)."""
    grey = grey.float()
    motion = grey - grey.mean(-3, keepdim=True)
    change = torch.zeros_like(motion)
    change[..., 1:-1, :, :] = grey[..., 2:, :, :] - grey[..., :-2, :, :]
    spread = motion.square().mean((-3, -2, -1), keepdim=True).sqrt() + 1
    return torch.stack([motion / spread, change / spread], -3)


def moved_lips(lips: torch.Tensor) -> torch.Tensor:
    """What the network feels of lips (..., frames, 40 or 57, 2), canonical: (..., frames, 160), places about the
    clip's mean shape, and changes."""
    lips = lips.float()[..., :40, :]
    motion = ((lips - lips.mean(-3, keepdim=True)) / LIP_SCALE).flatten(-2)
    change = torch.zeros_like(motion)
    change[..., 1:-1, :] = motion[..., 2:, :] - motion[..., :-2, :]
    return torch.cat([motion, change], -1)


def heard_sound(mel: torch.Tensor) -> torch.Tensor:
    """What the network hears of log-mel energies (..., frames, 320): without the mean of every band over the clip."""
    bands = mel.float().unflatten(-1, (MEL_STEPS_PER_FRAME, MEL_BANDS))
    return 4 * (bands - bands.mean((-3, -2), keepdim=True)).flatten(-2)


class SyncFigures(NamedTuple):
    """How well they go together, higher is better; and the frames by which the sound comes too early."""

    confidence: float
    offset: int


def agreement(seen: torch.Tensor, heard: torch.Tensor, max_offset: int = MAX_OFFSET) -> SyncFigures:
    """Cosines of vectors (windows, size) at every shift of up to `max_offset` frames, mean over those that overlap.

    The confidence is the highest of those means less their median, the offset where it is found. A
    ValueError unless there are more windows than twice `max_offset`.
    """
    if len(seen) <= 2 * max_offset:
        raise ValueError(f"seen: {len(seen)} windows; wants more than {2 * max_offset}.")
    cosines = seen @ heard.T
    means = torch.stack([cosines.diagonal(-shift).mean() for shift in range(-max_offset, max_offset + 1)])
    best = int(means.argmax())
    return SyncFigures(float(means[best] - means.median()), best - max_offset)


@torch.no_grad()
def sync_of_pictures(crops: Any, audio: Any, *, fps: float, model: SyncScorer | None = None) -> SyncFigures:
    """Offset and confidence of mouths and sound, by [`SyncScorer`].

    Args:
        crops (`np.ndarray` or `torch.Tensor`): mouth crops of the protocol, (frames, size, size, 3), uint8 or float in
            [0, 1]; 39 frames at least.
        audio (`np.ndarray`): (samples,), mono, 16 kHz, in [-1, 1]: the sound that goes with them.
        fps (`float`): frames per second, near 25.
        model (`SyncScorer`, *optional*): defaults to the built-in one.

    Raises:
        ValueError: too few frames, another shape, sound or lips that aren't finite, or no frame rate.
    """
    model, crops = model or builtin_sync_scorer(), as_frames(crops, "crops")
    _check_length(len(crops), "crops")
    edge = slice(SEEN_MARGIN, SEEN_MARGIN + SEEN_SIZE)
    grey = torch.from_numpy(grey_mouths(crops)[:, edge, edge]).to(execution_device(model))
    seen = model.see(seen_mouths(grey)[None])[0]
    return agreement(seen, _heard(audio, len(grey), fps, model))


@torch.no_grad()
def sync_of_lips(lips: Any, audio: Any, *, fps: float, model: SyncScorer | None = None) -> SyncFigures:
    """The same of lip motion (frames, 40 or 57, 2), canonical; args and errors as in [`sync_of_pictures`]."""
    model = model or builtin_sync_scorer()
    lips = to_array(lips, np.float32)
    if lips.ndim != 3 or lips.shape[1] not in (40, 57) or lips.shape[2] != 2 or not np.isfinite(lips).all():
        raise ValueError(f"lips: has shape {lips.shape}; wants finite ones (frames, 40 or 57, 2).")
    _check_length(len(lips), "lips")
    felt = model.feel(moved_lips(torch.from_numpy(lips).to(execution_device(model)))[None])[0]
    return agreement(felt, _heard(audio, len(lips), fps, model))


def _check_length(frames: int, name: str):
    if frames < SHORTEST_CLIP:
        raise ValueError(f"{name}: {frames} frames; wants {SHORTEST_CLIP} or more, over 1.5 s.")


def _heard(audio: Any, frames: int, fps: float, model: SyncScorer) -> torch.Tensor:
    audio = to_array(audio, np.float32)
    if audio.ndim != 1 or not len(audio) or not np.isfinite(audio).all():
        raise ValueError(f"audio: has shape {audio.shape}; wants mono, finite (samples,).")
    if not fps > 0:
        raise ValueError(f"fps: {fps}; wants frames per second, near 25.")
    mel = torch.from_numpy(log_mel(levelled(audio), frames, fps)).to(execution_device(model))
    return model.hear(heard_sound(mel)[None])[0]
