"""`PersonMatte`: which part of a picture is people, hair included, and which is what lies behind them.

The network is MediaPipe's selfie segmentation (Apache-2.0, general model of 256 pixels), a MobileNetV3 (arXiv
1905.02244) with a decoder, rebuilt layer for layer so that the published weights fit. It computes in float32.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.devices import execution_device
from text2lip.faces.mediapipe_networks import SameConv2d


# Of each block: channels inside, kernel, stride, channels that its squeeze leaves (0: it has none), channels out.
MATTE_BLOCKS = (
    (16, 3, 2, 8, 16),
    (72, 3, 2, 0, 24),
    (88, 3, 1, 0, 24),
    (96, 5, 2, 24, 32),
    (128, 5, 1, 32, 32),
    (128, 5, 1, 32, 32),
    (96, 5, 1, 24, 32),
    (96, 5, 1, 24, 32),
)
HARD_FROM = 3  # blocks from this one on are activated by hard swish, those before by ReLU


class Squeeze(nn.Module):
    """How much of each channel passes, by the mean of all: (batch, channels, 1, 1) in 0..1."""

    def __init__(self, channels: int, inside: int):
        super().__init__()
        self.reduce, self.expand = SameConv2d(channels, inside, 1), SameConv2d(inside, channels, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.expand(F.relu(self.reduce(hidden.mean((2, 3), keepdim=True)))).sigmoid()


class InvertedBlock(nn.Module):
    """Pointwise wider, depthwise, squeezed, pointwise narrower, and a shortcut where the shape stays."""

    def __init__(self, before: int, inside: int, kernel: int, stride: int, squeezed: int, after: int, hard: bool):
        super().__init__()
        self.shortcut = stride == 1 and before == after
        self.act = F.hardswish if hard else F.relu
        self.expand = SameConv2d(before, inside, 1)
        self.depthwise = SameConv2d(inside, inside, kernel, stride, groups=inside)
        self.squeeze = Squeeze(inside, squeezed) if squeezed else None
        self.project = SameConv2d(inside, after, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        inside = self.act(self.depthwise(self.act(self.expand(hidden))))
        inside = inside * self.squeeze(inside) if self.squeeze else inside
        after = self.project(inside)
        return after + hidden if self.shortcut else after


class UpBlock(nn.Module):
    """Twice the size, joined with features of that size from before."""

    def __init__(self, before: int, channels: int):
        super().__init__()
        self.narrow = SameConv2d(before, channels, 1)
        self.squeeze = Squeeze(channels, channels)
        self.pointwise = SameConv2d(channels, channels, 1)
        self.depthwise = SameConv2d(channels, channels, 3, groups=channels)

    def forward(self, hidden: torch.Tensor, finer: torch.Tensor) -> torch.Tensor:
        up = self.narrow(F.interpolate(hidden, scale_factor=2, mode="bilinear", align_corners=False))
        joined = F.relu(self.pointwise(finer * self.squeeze(finer + up) + up))
        return joined + F.relu(self.depthwise(joined))


class Doubling(nn.ConvTranspose2d):
    """Transposed convolution of 2 x 2, stride 2, in float32."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 2, stride=2)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight.to(torch.float32, copy=True), self.bias.to(torch.float32, copy=True)
        return F.conv_transpose2d(hidden, weight, bias, stride=2)


class PersonMatte(ModelCardMixin, ModelMixin, ConfigMixin):
    """People against what lies behind them."""

    input_size = 256

    @register_to_config
    def __init__(self):
        super().__init__()
        self.stem = SameConv2d(3, 16, 3, stride=2)
        before = [16, *(block[-1] for block in MATTE_BLOCKS)]
        self.blocks = nn.ModuleList(
            InvertedBlock(width, *block, hard=index >= HARD_FROM)
            for index, (width, block) in enumerate(zip(before, MATTE_BLOCKS))
        )
        self.context, self.gate = SameConv2d(32, 128, 1), SameConv2d(32, 128, 1)
        self.up = nn.ModuleList(UpBlock(*widths) for widths in ((128, 24), (24, 16), (16, 16)))
        self.head = Doubling(16, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Probability that each pixel shows a person.

        Args:
            images (`torch.Tensor` of shape `(batch, 3, 256, 256)`): RGB in [0, 1].

        Returns:
            `torch.Tensor` of shape `(batch, 256, 256)`: float32 in [0, 1].
        """
        hidden = F.hardswish(self.stem(images.float()))
        levels = [hidden]
        for block in self.blocks:
            hidden = block(hidden)
            if hidden.shape[-1] == levels[-1].shape[-1]:
                levels[-1] = hidden
            else:
                levels.append(hidden)
        deep = levels.pop()
        hidden = F.relu(self.context(deep)) * self.gate(deep.mean((2, 3), keepdim=True)).sigmoid()
        for up, finer in zip(self.up, reversed(levels)):
            hidden = up(hidden, finer)
        return self.head(hidden).sigmoid()[:, 0]

    @torch.no_grad()
    def segment(self, image: np.ndarray) -> np.ndarray:
        """The same for a picture of any size and shape.

        Args:
            image (`np.ndarray`): (height, width, 3) uint8 RGB.

        Returns:
            `np.ndarray`: (height, width) float32 in 0..1; details are those of a picture of 256 pixels.
        """
        height, width = image.shape[:2]
        side = self.input_size
        shrunk = max(height, width) > side
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR)
        crop = torch.from_numpy(small).permute(2, 0, 1)[None].to(execution_device(self)) / 255
        return cv2.resize(self(crop)[0].cpu().numpy(), (width, height), interpolation=cv2.INTER_LINEAR)


@cache
def builtin_matte() -> PersonMatte:
    """The network that comes with this package, on the CPU; read once."""
    folder = Path(__file__).parents[1] / "checkpoints" / "person_matte"
    return PersonMatte.from_pretrained(str(folder), use_safetensors=True).eval()
