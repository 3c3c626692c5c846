"""Lip readers: judges that read sentences of a fixed grammar off a mouth, from its crops or from its landmarks.

After LipNet (Assael, Shillingford, Whiteson & de Freitas 2016, arXiv 1611.01599): features of space and time, then
recurrent layers both ways. In place of its connectionist decoding every place of the sentence looks at the clip by an
attention of its own and chooses one of its words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.devices import compute_dtype, execution_device
from text2lip.media.color import LUMA


ROWS, COLUMNS = slice(20, 68), slice(8, 88)  # of the mouth crop of 96 px, that are read
SIGHTS = ("crops", "landmarks")
MOTION_UNIT = 0.05  # outer-eye distances


@dataclass
class LipReaderOutput(BaseOutput):
    """Output of [`LipReader`].

    Attributes:
        logits (`torch.Tensor`): (batch, words), those of all places one after the other.
        attention (`torch.Tensor`): (batch, frames, places), where each place looks; sums to one over the frames.
        states (`torch.Tensor`): (batch, frames, width), what is known of each frame.
    """

    logits: torch.Tensor = None  # defaults, because accelerate rebuilds outputs from a dictionary
    attention: torch.Tensor = None
    states: torch.Tensor = None


class CropFeatures(nn.Module):
    """Grey crops (batch, frames, 48, 80) to features (batch, frames, `width`): each frame, at the clip's own
    brightness and contrast, and how it changes from one and from two frames before to as many after it."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        c = channels
        self.enter = nn.Conv2d(4 * 3, c, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(
            *(nn.GroupNorm(4, c), nn.SiLU(), nn.Conv2d(c, 2 * c, 3, stride=2, padding=1)),
            *(nn.GroupNorm(4, 2 * c), nn.SiLU(), nn.Conv2d(2 * c, 2 * c, 3, padding=1)),
            *(nn.GroupNorm(4, 2 * c), nn.SiLU(), nn.Conv2d(2 * c, 3 * c, 3, stride=2, padding=1)),
            *(nn.GroupNorm(4, 3 * c), nn.SiLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(3 * c * 3 * 5, width)),
        )

    def forward(self, crops: torch.Tensor, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        crops = crops.float()
        shown = mask[:, :, None, None]
        count = mask.sum(1).view(-1, 1, 1, 1) * crops[0, 0].numel()
        x = (crops - (crops * shown).sum((1, 2, 3), keepdim=True) / count) * shown
        x = x / ((x.square().sum((1, 2, 3), keepdim=True) / count).sqrt() + 1)
        near = F.pad(x, (0, 0, 0, 0, 2, 2))
        seen = torch.stack([x, near[:, 3:-1] - near[:, 1:-3], near[:, 4:] - near[:, :-4]], 2).flatten(0, 1)
        return self.blocks(self.enter(F.pixel_unshuffle(seen.to(dtype), 2))).unflatten(0, x.shape[:2])


class LandmarkFeatures(nn.Module):
    """Canonical lips (batch, frames, points, 2) to features (batch, frames, `width`); their mean over time is no part
    of them."""

    def __init__(self, points: int, width: int):
        super().__init__()
        self.enter = nn.Conv1d(2 * points, width, 5, padding=2)
        self.norm = nn.LayerNorm(width)

    def forward(self, lips: torch.Tensor, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        x, weight = lips.float().flatten(2), mask[..., None].float()
        mean = (x * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
        x = ((x - mean) * weight / MOTION_UNIT).to(dtype)
        return self.norm(self.enter(x.transpose(1, 2)).transpose(1, 2))


class TimeBlock(nn.Module):
    """x + a dilated convolution of x over time, (batch, frames, `width`); what is not `mask` is seen as zero."""

    def __init__(self, width: int, dilation: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.drop = nn.Dropout(dropout)
        self.mix = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        around = self.convolution((self.norm(x) * mask[..., None]).transpose(1, 2)).transpose(1, 2)
        return x + self.mix(self.drop(F.silu(around)))


class LipReader(ModelCardMixin, ModelMixin, ConfigMixin):
    """Reads what a mouth says, one word for each place of a sentence of a fixed grammar.

    Args:
        slots (`list[list[str]]`): the words that may stand at each place.
        sees (`str`): "crops" (stabilised mouth crops in grey) or "landmarks" (canonical lips).
        points (`int`): of the lips, where it sees landmarks.
        channels (`int`): of the first layer, where it sees crops.
        width (`int`): of the features of a frame.
        dilations (`list[int]`): of the convolutions over time, in frames.
        dropout (`float`): between layers, in training.
    """

    @register_to_config
    def __init__(
        self,
        slots: Sequence[Sequence[str]] = (("yes", "no"),),
        sees: str = "landmarks",
        points: int = 57,
        channels: int = 24,
        width: int = 128,
        dilations: Sequence[int] = (1, 2, 4, 1, 2, 4),
        dropout: float = 0.3,
    ):
        super().__init__()
        if sees not in SIGHTS:
            raise ValueError(f"sees: {sees!r}; choose 'crops' or 'landmarks'.")
        self.features = CropFeatures(channels, width) if sees == "crops" else LandmarkFeatures(points, width)
        self.drop = nn.Dropout(dropout)
        self.time = nn.ModuleList(TimeBlock(width, dilation, dropout) for dilation in dilations)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, len(slots))
        self.words = nn.ModuleList(nn.Linear(width, len(words)) for words in slots)

    def states(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What is known of each frame, (batch, frames, width); `inputs` and `mask` as for the call."""
        x = self.drop(F.silu(self.features(inputs, mask, compute_dtype(self))))
        for block in self.time:
            x = block(x, mask)
        return self.norm(x)

    def forward(
        self, inputs: torch.Tensor, mask: torch.Tensor | None = None, return_dict: bool = True
    ) -> LipReaderOutput | tuple:
        """Look at clips of one length, or padded to it.

        Args:
            inputs (`torch.Tensor`): (batch, frames, 48, 80) grey crops in 0 to 255, or (batch, frames, points, 2)
                canonical lips.
            mask (`torch.Tensor`, *optional*): bool (batch, frames), False for padding.
            return_dict (`bool`): False for a plain tuple.
        """
        mask = torch.ones(inputs.shape[:2], dtype=torch.bool, device=inputs.device) if mask is None else mask
        states = self.states(inputs, mask)
        attention = self.attention(states).masked_fill(~mask[..., None], float("-inf")).softmax(1)
        seen = self.drop(torch.einsum("bfs,bfc->bsc", attention, states))
        logits = torch.cat([head(part) for head, part in zip(self.words, seen.unbind(1))], 1)
        if not return_dict:
            return logits, attention, states
        return LipReaderOutput(logits, attention, states)

    def by_place(self, logits: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The `logits` (batch, words) of each place."""
        return logits.split([len(words) for words in self.config.slots], 1)

    def knows(self, text: str) -> bool:
        """Whether `text`, in lower case and without punctuation, is a sentence of its grammar."""
        words = text.split()
        return len(words) == len(self.config.slots) and all(w in s for w, s in zip(words, self.config.slots))

    @torch.no_grad()
    def read(self, clips: Sequence[np.ndarray]) -> list[str]:
        """The sentence of each clip.

        Args:
            clips (`Sequence[np.ndarray]`): mouth crops of the protocol ([`mouth_crop_transform`]), uint8 (frames, 96,
                96, 3), or canonical lips (frames, 57, 2) ([`canonical_lips`]).

        Raises:
            ValueError: a clip of another shape, without a frame, or with NaN.
        """
        sentences = []
        for clip in clips:
            inputs = torch.from_numpy(self.prepare(clip))[None].to(execution_device(self))
            choices = [int(logits.argmax(-1)) for logits in self.by_place(self(inputs).logits)]
            sentences.append(" ".join(words[index] for words, index in zip(self.config.slots, choices)))
        return sentences

    def prepare(self, clip: Any) -> np.ndarray:
        """What the network sees of a clip as [`read`] takes it: uint8 (frames, 48, 80) or float32 (frames, 57, 2)."""
        clip = np.asarray(clip)
        if self.config.sees == "crops":
            if clip.dtype != np.uint8 or clip.ndim != 4 or clip.shape[1:] != (96, 96, 3) or not len(clip):
                raise ValueError(f"clips: got {clip.dtype} {clip.shape}; wants uint8 (frames, 96, 96, 3) mouth crops.")
            return np.rint(clip[:, ROWS, COLUMNS] @ np.array(LUMA, np.float32)).astype(np.uint8)
        wanted = self.config.points, 2
        if clip.ndim != 3 or clip.shape[1:] != wanted or not len(clip) or not np.isfinite(clip).all():
            raise ValueError(
                f"clips: got {clip.shape}; wants finite canonical lips (frames, {self.config.points}, 2)."
            )
        return clip.astype(np.float32)


@cache
def builtin_reader(sees: str) -> LipReader:
    """The reader of GRID's sentences that comes with this package, of "crops" or of "landmarks"; read once.

    Raises:
        ValueError: there is none of what it should see.
    """
    if sees not in SIGHTS:
        raise ValueError(f"sees: {sees!r}; choose 'crops' or 'landmarks'.")
    folder = Path(__file__).parents[1] / "checkpoints" / f"lip_reader_{sees}"
    return LipReader.from_pretrained(str(folder), use_safetensors=True, torch_dtype=torch.float32).eval()
