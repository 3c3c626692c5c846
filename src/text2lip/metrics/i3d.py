"""I3D, the network whose opinion of a video FVD compares.

Carreira & Zisserman 2017, "Quo Vadis, Action Recognition?": Inception v1 inflated to three dimensions, the RGB stream
trained on Kinetics-400. TensorFlow's "SAME" padding is kept (more on the right where it is odd). The batch
normalisation of the published weights is folded into the convolutions by utils/convert_metric_weights.py.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from text2lip.metrics.judge import Judge


I3D_SIZE = 224
I3D_MIN_FRAMES = 9  # fewer leave less than two steps for the last average
MIXED = {  # widths of the branches: 1x1 | 1x1, 3x3 | 1x1, 3x3 | pool, 1x1
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


def pad_same(x: torch.Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> torch.Tensor:
    """Zero-pad (batch, channels, frames, height, width) as TensorFlow's "SAME" does."""
    pads = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1]):
        total = max((math.ceil(size / s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads) if any(pads) else x


def max_pool(x: torch.Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> torch.Tensor:
    """Largest value with "SAME" padding; the zeros of the padding never win, as all that is pooled is rectified."""
    return F.max_pool3d(pad_same(x, kernel, stride), kernel, stride)


class Unit3D(nn.Module):
    """Convolution with "SAME" padding, then ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.conv(pad_same(x, self.conv.kernel_size, self.conv.stride)))


class Mixed(nn.Module):
    """An inception block: four branches side by side."""

    def __init__(self, inputs: int, widths: tuple[int, ...]):
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3 = widths
        self.b0 = Unit3D(inputs, b0)
        self.b1a, self.b1b = Unit3D(inputs, b1a), Unit3D(b1a, b1b, 3)
        self.b2a, self.b2b = Unit3D(inputs, b2a), Unit3D(b2a, b2b, 3)
        self.b3 = Unit3D(inputs, b3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = max_pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3(pooled)], dim=1)


class I3DModel(Judge):
    """Video (batch, 3, frames, 224, 224) in [-1, 1] to the logits (batch, 400) of Kinetics-400."""

    metric = "fvd"

    def __init__(self):
        super().__init__()
        self.conv_1a = Unit3D(3, 64, 7, 2)
        self.conv_2b = Unit3D(64, 64)
        self.conv_2c = Unit3D(64, 192, 3)
        channels = 192
        for name, widths in MIXED.items():
            self.add_module(f"mixed_{name}", Mixed(channels, widths))
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        self.logits = nn.Conv3d(channels, 400, 1)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        x = max_pool(self.conv_1a(video), (1, 3, 3), (1, 2, 2))  # (batch, 64, frames / 2, 56, 56)
        x = max_pool(self.conv_2c(self.conv_2b(x)), (1, 3, 3), (1, 2, 2))  # (batch, 192, frames / 2, 28, 28)
        for name in MIXED:
            if name == "4b":
                x = max_pool(x, (3, 3, 3), (2, 2, 2))
            elif name == "5b":
                x = max_pool(x, (2, 2, 2), (2, 2, 2))
            x = getattr(self, f"mixed_{name}")(x)
        x = F.avg_pool3d(x, (2, 7, 7), stride=1)  # (batch, 1024, frames / 8 - 1, 1, 1)
        return self.logits(x).mean((2, 3, 4))
