"""The losses of lip training: means of absolute differences over what is not padding; and how losses are summed."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, MOUTH_CORNERS, driven_index
from text2lip.metrics.lip_metrics import SMOOTHING_TAPS


def weighted_sum(
    losses: Mapping[str, tuple[float, Callable[..., torch.Tensor]]], *inputs: Any
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The sum of weighted losses, a scalar, and each of them without its weight.

    Args:
        losses (`Mapping`): name -> (weight, function of `inputs`).
        inputs: of all functions.
    """
    values = {name: function(*inputs) for name, (_, function) in losses.items()}
    return sum(losses[name][0] * value for name, value in values.items()), values


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
    weights[driven_index((*INNER_UPPER, *INNER_LOWER))] = inner
    return weights / weights.mean()


def motion_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """L1 on displacements (batch, frames, 57, 2), eye units, points weighted by `weights` (57, 1)."""
    return masked_l1(ours * weights, real * weights, mask)


def velocity_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """[`motion_l1`] on the differences of neighbouring frames, both of which must be there."""
    return motion_l1(ours.diff(dim=1), real.diff(dim=1), mask[:, 1:] & mask[:, :-1], weights)


def width_l1(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L1 on how much wider than at rest the mouth is, for displacements (batch, frames, 57, 2), eye units."""
    left, right = driven_index(MOUTH_CORNERS)
    return masked_l1(*(motion[..., right, 0] - motion[..., left, 0] for motion in (ours, real)), mask)


def amplitude_loss(ours: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Squared log ratio of how much the lips of a batch move, and of their jerk, ours over real: a scalar.

    What text can't foretell, the other losses answer with the mean, which moves less and more slowly than any real
    mouth. This one asks for as much motion over all clips together, at no frame in particular. Jerk is that of the
    benchmark: third differences after a 5-tap filter.

    Args:
        ours, real (`torch.Tensor`): motion (batch, frames, 57, 2). `real` gets no gradient.
        mask (`torch.Tensor`): bool (batch, frames); clips are whole from their first frame on.

    Returns:
        `torch.Tensor`: 0 where nothing is left of the mask, or the real lips do not move.
    """
    loss = ours.new_zeros((), dtype=torch.float32)
    for measure in (mean_excursion, mean_jerk):
        ours_size, real_size = measure(ours.float(), mask), measure(real.detach().float(), mask)
        if real_size > 0:
            loss = loss + (ours_size.clamp(min=1e-3 * real_size) / real_size).log().square()
    return loss


def mean_excursion(motion: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean distance of points from their mean over the clip, for `motion` (batch, frames, 57, 2): a scalar."""
    share = mask / mask.sum(1, keepdim=True).clamp(min=1)
    centre = (motion * share[..., None, None]).sum(1, keepdim=True)
    return masked_l1(length(motion - centre), torch.zeros_like(motion[..., 0]), mask)


def mean_jerk(motion: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean length of the filtered third differences, see [`~text2lip.metrics.jerk`]; 0 for clips under 8 frames."""
    if motion.shape[1] < 8:
        return motion.new_zeros(())
    smooth = sum(tap * motion[:, k : motion.shape[1] - 4 + k] for k, tap in enumerate(SMOOTHING_TAPS.tolist()))
    third = length(smooth.diff(n=3, dim=1))
    return masked_l1(third, torch.zeros_like(third), mask[:, 7:])


def length(vectors: torch.Tensor) -> torch.Tensor:
    """Euclidean length over the last axis, with a gradient at 0."""
    return (vectors.square().sum(-1) + 1e-12).sqrt()


def duration_l1(log_durations: torch.Tensor, durations: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L1 on log-seconds (batch, tokens) against real `durations`, seconds; 0.1 is ten per cent."""
    return masked_l1(log_durations, durations.clamp(min=1e-3).log(), mask)
