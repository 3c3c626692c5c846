"""Lips that close where the speech says so: in every /p b m/ for at least one frame, and in pauses."""

import torch

from text2lip.faces.canonical import INNER_LOWER, INNER_UPPER, driven_index
from text2lip.faces.retarget import OUTER_LOWER, OUTER_SHARE, OUTER_UPPER, UPPER_SHARE


EASE = 0.06  # seconds over which the lips come together and part again at a closed phone
PAUSE = 0.2  # seconds; in shorter silences the lips need not close
SETTLE = 0.35
CLOSE, PART = 0.15, 0.25  # seconds they take to close after speech, and ahead of speech to part again


def seal_weight(
    closure: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    num_frames: int,
    fps: float,
    silent: torch.Tensor | None = None,
) -> torch.Tensor:
    """How far every frame's lips must be closed.

    Args:
        closure (`torch.Tensor`): (batch, tokens) in [0, 1], the closure feature; over 1/2 counts as closed.
        start (`torch.Tensor`): (batch, tokens), seconds.
        end (`torch.Tensor`): (batch, tokens), seconds.
        num_frames (`int`): frames; frame f is the picture at (f + 1/2) / fps.
        fps (`float`): frames per second.
        silent (`torch.Tensor`, *optional*): bool (batch, tokens), True for silences.

    Returns:
        `torch.Tensor`: (batch, frames) in [0, 1]; 1 in at least one frame of every closed phone, and in the midst of
        every silence longer than `CLOSE` + `PART`.
    """
    times = (torch.arange(num_frames, device=start.device, dtype=start.dtype) + 0.5) / fps
    weight = start.new_zeros(len(start), num_frames)
    for clip, token in (closure > 0.5).nonzero().tolist():
        first, last = start[clip, token], end[clip, token]
        middle, half = (first + last) / 2, torch.clamp((last - first) / 4, min=0.5 / fps)
        reach = int(((half + EASE) * fps).ceil()) + 1
        centre = int(middle * fps)
        span = slice(max(0, centre - reach), max(0, centre + reach + 1))
        away = ((times[span] - middle).abs() - half).clamp(0, EASE) / EASE
        eased = 0.5 + 0.5 * torch.cos(torch.pi * away)
        weight[clip, span] = torch.maximum(weight[clip, span], eased)
    if silent is not None:
        weight = torch.maximum(weight, rest_weight(silent, start, end, num_frames, fps))
    return weight


def settle(motion: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Calm `motion` (batch, frames, 57, 2) in pauses: `SETTLE` of it goes where `rest` (batch, frames) is 1.

    Not all of it: real mouths keep a shape between words, and a GRID talker's width is told better so.
    """
    return motion * (1 - SETTLE * rest)[..., None, None]


def rest_weight(
    silent: torch.Tensor, start: torch.Tensor, end: torch.Tensor, num_frames: int, fps: float
) -> torch.Tensor:
    """How far the mouth is at rest in pauses; the first and the last token of a clip rest to its very ends.

    Args:
        silent (`torch.Tensor`): bool (batch, tokens), True for silences; those shorter than `PAUSE` don't count.
        start (`torch.Tensor`): (batch, tokens), seconds.
        end (`torch.Tensor`): (batch, tokens), seconds.
        num_frames (`int`): frames; frame f is the picture at (f + 1/2) / fps.
        fps (`float`): frames per second.

    Returns:
        `torch.Tensor`: (batch, frames) in [0, 1].
    """
    times = (torch.arange(num_frames, device=start.device, dtype=start.dtype) + 0.5) / fps
    pause = silent & (end - start >= PAUSE)
    weight = times.new_zeros(len(start), len(times))
    for clip, token in pause.nonzero().tolist():
        first, last = start[clip, token], end[clip, token]
        inside = (times >= first) & (times < last)
        closed = smoothstep((times - first) / CLOSE) if first > 0 else torch.ones_like(times)
        if last < end[clip, -1]:
            closed = closed * smoothstep((last - times) / PART)
        weight[clip] = torch.where(inside, closed, weight[clip])
    return weight


def smoothstep(x: torch.Tensor) -> torch.Tensor:
    """0 below 0, 1 above 1, 3 x^2 - 2 x^3 between."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def seal_lips(motion: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Bring the lips of `motion` together by `weight`: 0 leaves them, 1 closes them as the mouth at rest is closed.

    Args:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement from rest, canonical units.
        weight (`torch.Tensor`): (batch, frames) in [0, 1].

    Returns:
        `torch.Tensor`: (batch, frames, 57, 2).
    """
    upper, lower = driven_index(INNER_UPPER), driven_index(INNER_LOWER)
    gap = (motion[..., lower, 1] - motion[..., upper, 1]).clamp(min=0) * weight[..., None]
    sealed = motion.clone()
    sealed[..., upper, 1] += UPPER_SHARE * gap
    sealed[..., lower, 1] -= (1 - UPPER_SHARE) * gap
    sealed[..., driven_index(OUTER_UPPER), 1] += OUTER_SHARE * UPPER_SHARE * gap
    sealed[..., driven_index(OUTER_LOWER), 1] -= OUTER_SHARE * (1 - UPPER_SHARE) * gap
    return sealed
