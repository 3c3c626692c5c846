"""The adversary of the learned renderer: which patches of a mouth are the film's, and which are drawn.

Sums of absolute differences are least for the mean of all mouths that could be: teeth become one soft band. A patch
discriminator (Isola et al. 2017, arXiv 1611.07004) with the hinge loss (Lim and Ye 2017, arXiv 1705.02894) tells them
apart by what such a mean lacks: fine detail, which it is shown apart and enlarged. Without that, or with spectral
norms, it told nothing apart here.
"""

import torch
import torch.nn.functional as F
from torch import nn


MOUTH_ROWS, MOUTH_COLUMNS = slice(18, 70), slice(16, 80)  # of the crop: the mouth
DETAIL = 10.0  # by which detail is enlarged: it spans a tenth of what pictures do


class MouthDiscriminator(nn.Module):
    """Scores of overlapping patches of 30 px around the mouth; positive for the film's.

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


def adversarial_share(step: int, start: int, ramp: int) -> float:
    """Share of the adversarial loss: 0 until `start`, 1 from `ramp` steps later on; a pure function of the step."""
    return min(max((step - start) / max(1, ramp), 0.0), 1.0)
