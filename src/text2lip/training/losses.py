"""The losses of lip training: means of absolute differences over what is not padding."""

import torch

from text2lip.faces.canonical import INNER_LOWER, INNER_UPPER, driven_index


def masked_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean |ours - real| where `mask`: a scalar, 0 where nothing is left.

    Args:
        ours, real (`torch.Tensor`): (batch, length, ...). `real` gets no gradient.
        mask (`torch.Tensor`): bool (batch, length).
    """
    error = (ours.float() - real.detach().float()).abs()
    if error.ndim > 2:
        error = error.flatten(2).mean(-1)
    return (error * mask).sum() / mask.sum().clamp(min=1)


def point_weights(inner: float = 3.0) -> torch.Tensor:
    """Weight of each driven point, mean 1: float32 (57, 1). The `inner` lips carry the gap, which is what one sees."""
    weights = torch.ones(57, 1)
    weights[driven_index((78, 308, *INNER_UPPER, *INNER_LOWER))] = inner
    return weights / weights.mean()


def motion_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """L1 on displacements (batch, frames, 57, 2), eye units, points weighted by `weights` (57, 1)."""
    return masked_l1(ours * weights, real * weights, mask)


def velocity_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """[`motion_l1`] on the differences of neighbouring frames, both of which must be there."""
    return motion_l1(ours.diff(dim=1), real.diff(dim=1), mask[:, 1:] & mask[:, :-1], weights)


def duration_l1(log_durations: torch.Tensor, durations: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L1 on log-seconds (batch, tokens) against real `durations`, seconds; 0.1 is ten per cent."""
    return masked_l1(log_durations, durations.clamp(min=1e-3).log(), mask)
