"""What the learned renderer's crops are judged by. Pictures are float32 (batch, 3, height, width) in [-1, 1]."""

import torch
import torch.nn.functional as F
from torch import nn


INSIDE = 8.0  # weight of a pixel between the true lips; others have 1
OPENING = 24  # pixels of an opening that is worth looking at
OPENING_AROUND = 2  # pixels around it that are seen with it
MOUTH_ROWS, MOUTH_COLUMNS = slice(18, 70), slice(16, 80)  # of the crop, that the adversary sees
DETAIL = 10.0  # by which detail is enlarged for it: detail spans a tenth of what pictures do


def weighted_l1(ours: torch.Tensor, real: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference in [0, 2]; `inside` (batch, 1, height, width) in [0, 1] counts `INSIDE` times more."""
    weight = 1 + INSIDE * inside
    return ((ours - real).abs() * weight).mean() / weight.mean()


def gradient_l1(ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbouring pixels' differences: edges where edges are."""
    difference = ours - real
    return difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()


def openings(pictures: torch.Tensor, inside: torch.Tensor, most: int = 6, size: int = 48) -> torch.Tensor:
    """The boxes around the widest open mouths, with a little of the lips, enlarged: (0 to `most`, 3, size, size).

    Args:
        pictures (`torch.Tensor`): (batch, 3, height, width).
        inside (`torch.Tensor`): (batch, 1, height, width) in [0, 1], what lies between the lips.
        most (`int`): so many at most.
        size (`int`): pixels.
    """
    open_ = inside[:, 0] > 0.5
    area = open_.sum((1, 2))
    chosen = area.argsort(descending=True, stable=True)[: min(most, int((area >= OPENING).sum()))]
    grids = []
    for mask in open_[chosen]:
        spans = []
        for axis in (0, 1):  # columns, rows
            found = mask.any(axis).nonzero()[:, 0]
            length = mask.shape[1 - axis]
            low, high = max(int(found[0]) - OPENING_AROUND, 0), min(int(found[-1]) + 1 + OPENING_AROUND, length)
            places = low + (torch.arange(size, device=mask.device) + 0.5) * (high - low) / size
            spans.append(2 * places / length - 1)
        grids.append(torch.stack([spans[0].expand(size, -1), spans[1][:, None].expand(-1, size)], -1))
    if not grids:
        return pictures[:0, :, :size, :size]
    return F.grid_sample(pictures[chosen].float(), torch.stack(grids), align_corners=False)


def ssim_loss(ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """1 - the structural similarity of the luminance (Wang et al. 2004, Eq. 13) with the metric's own window, mean."""
    luma = torch.tensor((0.299, 0.587, 0.114), device=ours.device).view(1, 3, 1, 1)
    a, b = ((x.float() * luma).sum(1, True) / 2 + 0.5 for x in (ours, real))
    line = torch.exp(-(torch.arange(-5, 6, device=ours.device) ** 2) / (2 * 1.5**2))
    line = line / line.sum()

    def blur(x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.conv2d(x, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))

    with torch.autocast(ours.device.type, enabled=False):  # variances are small differences
        mean_a, mean_b, square, cross = blur(torch.cat([a, b, a * a + b * b, a * b])).chunk(4)
    product, norms = mean_a * mean_b, mean_a**2 + mean_b**2
    similar = (2 * product + 0.01**2) * (2 * (cross - product) + 0.03**2)
    return 1 - (similar / ((norms + 0.01**2) * (square - norms + 0.03**2))).mean()


class MouthDiscriminator(nn.Module):
    """The adversary: scores of overlapping patches of 30 px around the mouth; positive for the film's.

    Sums of absolute differences are least for the mean of all mouths that could be: teeth become one soft band. A
    patch discriminator (Isola et al. 2017, arXiv 1611.07004) with the hinge loss (Lim and Ye 2017, arXiv 1705.02894)
    tells them apart by what such a mean lacks: fine detail, which it is shown apart and enlarged. Without that, or
    with spectral norms, it told nothing apart here.

    Args:
        conditions (`int`): channels of the drawings that it sees beside the picture.
        channels (`int`): of its first layer.
    """

    def __init__(self, conditions: int = 4, channels: int = 32):
        super().__init__()
        sizes = (6 + conditions, channels, 2 * channels, 4 * channels)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, stride, 1) for a, b, stride in zip(sizes, sizes[1:], (2, 2, 1)))
        self.score = nn.Conv2d(sizes[-1], 1, 3, padding=1)

    def forward(self, pictures: torch.Tensor, drawings: torch.Tensor) -> torch.Tensor:
        """(batch, 1, rows, columns) scores.

        Args:
            pictures (`torch.Tensor`): (batch, 3, 96, 96) in [-1, 1].
            drawings (`torch.Tensor`): (batch, 4, 96, 96) in [0, 1], of [`draw_mouth`] at the frame's landmarks.
        """
        detail = DETAIL * (pictures - F.avg_pool2d(pictures, 5, 1, 2))
        x = torch.cat([pictures, detail, drawings], 1)[..., MOUTH_ROWS, MOUTH_COLUMNS]
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.score(x)


def discriminator_loss(real: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """Hinge loss of the discriminator's scores: real ones above 1, drawn ones below -1."""
    return F.relu(1 - real).mean() + F.relu(1 + drawn).mean()
