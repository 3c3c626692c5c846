"""What the learned renderer's crops are compared by. Pictures are float32 (batch, 3, height, width) in [-1, 1]."""

import math

import torch
import torch.nn.functional as F


INSIDE = 3.0  # weight of a pixel between the true lips; others have 1


def weighted_l1(ours: torch.Tensor, real: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference in [0, 2]; `inside` (batch, 1, height, width) in [0, 1] counts `INSIDE` times more."""
    weight = 1 + INSIDE * inside
    return ((ours - real).abs() * weight).mean() / weight.mean()


def gradient_l1(ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbouring pixels' differences: edges where edges are."""
    difference = ours - real
    return difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()


def temporal_l1(ours: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the changes between neighbouring frames, (batch, 2, 3, height, width)."""
    return ((ours[:, 1] - ours[:, 0]) - (real[:, 1] - real[:, 0])).abs().mean()


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


def renderer_losses(ours: torch.Tensor, batch: dict[str, torch.Tensor], perceptual=None) -> dict[str, torch.Tensor]:
    """All of them for crops `ours` (batch, 2, 3, height, width) of [`draw_batch`]'s `batch`.

    Args:
        ours (`torch.Tensor`): the network's crops of two neighbouring frames.
        batch (`dict`): with `target` and `inside`.
        perceptual (`nn.Module`, *optional*): such as [`LPIPSModel`]; two batches of pictures to distances; it sees
            one frame of two, to save half its time.
    """
    real, inside = batch["target"].flatten(0, 1), batch["inside"].flatten(0, 1)
    flat = ours.flatten(0, 1)
    values = {
        "l1": weighted_l1(flat, real, inside),
        "gradient": gradient_l1(flat, real),
        "temporal": temporal_l1(ours, batch["target"]),
        "ssim": ssim_loss(flat, real),
    }
    if perceptual is not None:
        values["perceptual"] = perceptual(ours[:, 0], batch["target"][:, 0]).float().mean()
    return values


def learning_rate(step: int, peak: float, warmup: int, last: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth: a pure function of the step."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min((step - warmup) / max(1, last - warmup), 1.0)
    return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
