"""LPIPS: the distance of two pictures in the features of AlexNet, weighted as people judged.

Zhang, Isola, Efros, Shechtman & Wang 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
version 0.1, `alex`, with the true ImageNet backbone and the authors' linear layers.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from text2lip.metrics.frame_arrays import frame_pair
from text2lip.metrics.judge import Judge


class LPIPSModel(Judge):
    """AlexNet's five convolutions and one non-negative weight for each of their channels."""

    metric = "lpips"

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 11, stride=4, padding=2)
        self.conv2 = nn.Conv2d(64, 192, 5, padding=2)
        self.conv3 = nn.Conv2d(192, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 256, 3, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)
        for layer, channels in enumerate((64, 192, 384, 256, 256), 1):
            self.register_buffer(f"weight{layer}", torch.ones(channels))
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1), persistent=False)

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The five rectified layers of `images` (batch, 3, height, width) in [-1, 1], each of unit length."""
        x = (images - self.shift) / self.scale
        layers = []
        for layer in range(1, 6):
            if layer in (2, 3):
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(getattr(self, f"conv{layer}")(x))
            layers.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return layers

    def forward(self, ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Distances (batch,), >= 0, of pictures (batch, 3, height, width) in [-1, 1]; sides of at least 31 px."""
        distance = 0
        for layer, (a, b) in enumerate(zip(self.features(ours), self.features(real)), 1):
            weight = getattr(self, f"weight{layer}").view(1, -1, 1, 1)
            distance = distance + ((a - b).square() * weight).sum(1).mean((1, 2))
        return distance


@torch.no_grad()
def lpips(ours: Any, real: Any, model: LPIPSModel | None = None, batch_size: int = 8) -> float:
    """LPIPS (alex, version 0.1), mean over frames; 0 for equal frames, about 0.7 for unrelated ones.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3) RGB, uint8 or float in [0, 1]; sides of
            at least 31 px. The size is not changed.
        model (`LPIPSModel`, *optional*): defaults to the weights in the weights folder, read once.
        batch_size (`int`): frames at a time.

    Returns:
        `float`: >= 0.

    Raises:
        ValueError: the shapes differ, the frames are too small, or their values are out of range.
        MissingWeights: no model is given and the weights are not there.
    """
    ours, real = frame_pair(ours, real)
    if min(ours.shape[1:3]) < 31:
        raise ValueError(f"ours: is {ours.shape[2]} x {ours.shape[1]} px; LPIPS wants sides of at least 31.")
    model = model or LPIPSModel.published()
    distances = []
    for start in range(0, len(ours), batch_size):
        part = slice(start, start + batch_size)
        distances.append(model(to_signed(ours[part], model.shift), to_signed(real[part], model.shift)))
    return float(torch.cat(distances).cpu().double().mean())


def to_signed(frames: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """Frames (frames, height, width, 3), uint8 or [0, 1], to (frames, 3, height, width) in [-1, 1], as `like` is."""
    x = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).to(like.dtype).to(like.device)
    return x / 127.5 - 1 if frames.dtype == np.uint8 else x * 2 - 1
