"""A perceptual loss for renderers: the distance of two pictures in the features of VGG16.

LPIPS (Zhang, Isola, Efros, Shechtman & Wang 2018), version 0.1, `vgg`, with the ImageNet backbone and the authors'
linear layers. The bench judges by LPIPS in AlexNet's features ([`~text2lip.metrics.LPIPSModel`]): a network that was
trained on those would please the judge and nobody else.
"""

from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import nn

from text2lip.metrics.judge import Judge


BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of VGG16's convolutions; each block but the last is followed by a halving, and gives one layer."""


class VGGPerceptualLoss(Judge):
    """VGG16's thirteen convolutions, five weighted layers.

    Args:
        layers (`int`): how many of the five to look at, from the finest on. At 96 px three take two
            thirds of the time of all.
    """

    metric = "vgg"

    def __init__(self, layers: int = len(BLOCKS)):
        super().__init__()
        self.layers = layers
        sizes = [3, *(channels for block in BLOCKS for channels in block)]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(sizes, sizes[1:]))
        for layer, block in enumerate(BLOCKS, 1):
            self.register_buffer(f"weight{layer}", torch.ones(block[-1]))
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1), persistent=False)

    @classmethod
    def load(cls, path: str | Path | None = None, layers: int = len(BLOCKS)) -> Self:
        """Read the weights, see [`Judge.load`]; a ValueError if `layers` is not 1 to 5."""
        if not 1 <= layers <= len(BLOCKS):
            raise ValueError(f"layers: {layers}; VGG16 has 1 to {len(BLOCKS)}.")
        model = super().load(path)
        model.layers = layers
        return model

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The first layers of `images` (batch, 3, height, width) in [-1, 1], rectified, each of unit length."""
        x = (images - self.shift) / self.scale
        convolutions, found = iter(self.convolutions), []
        for block in BLOCKS[: self.layers]:
            x = F.max_pool2d(x, 2) if found else x
            for _ in block:
                x = F.relu(next(convolutions)(x))
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def forward(self, ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Distances (batch,), >= 0, of pictures (batch, 3, height, width) in [-1, 1]; `real` gets no gradient."""
        with torch.no_grad():
            wanted = self.features(real)
        distance = 0
        for layer, (a, b) in enumerate(zip(self.features(ours), wanted), 1):
            weight = getattr(self, f"weight{layer}").view(1, -1, 1, 1)
            distance = distance + ((a - b).square() * weight).sum(1).mean((1, 2))
        return distance
