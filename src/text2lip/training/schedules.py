"""What changes over the steps of a run: pure functions of the step, so that a run can go on anywhere."""

import math
from dataclasses import dataclass

import torch


KINDS = ("linear", "constant", "cosine", "step")


def learning_rate(step: int, peak: float, warmup: int, last: int) -> float:
    """Linear warm-up to `peak` over `warmup` steps, then half a cosine down to a fiftieth of it at step `last`."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min((step - warmup) / max(1, last - warmup), 1.0)
    return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)


def adversarial_share(step: int, start: int, ramp: int) -> float:
    """Share of the adversarial loss: 0 until `start`, 1 from `ramp` steps later on."""
    return min(max((step - start) / max(1, ramp), 0.0), 1.0)


@dataclass(frozen=True)
class PVARSchedule:
    """Progressive viseme-audio replacement (PVAR): the probability that pseudo-audio stands in for real audio.

    The paper (known second-hand) lets it rise linearly from 0 to 1 over training. It leaves open whether a whole clip
    or a part of it loses its sound; both are here.

    Args:
        last_step (`int`): where `end` is reached.
        kind (`str`): "linear", "cosine" (half a wave, flat at both ends), "step" (jumps half way), "constant" (`end`).
        start (`float`): probability up to `first_step`.
        end (`float`): probability from `last_step` on.
        first_step (`int`): where the rise begins.
        span_seconds (`float`, *optional*): draw for each span of so many seconds; for the whole clip by default.

    Raises:
        ValueError: an unknown kind, probabilities outside [0, 1], steps or a span that make no sense.
    """

    last_step: int
    kind: str = "linear"
    start: float = 0.0
    end: float = 1.0
    first_step: int = 0
    span_seconds: float | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r} is unknown; wants one of {', '.join(KINDS)}.")
        if not (0 <= self.start <= 1 and 0 <= self.end <= 1):
            raise ValueError(f"start, end: {self.start}, {self.end} are no probabilities; want 0 to 1.")
        if not 0 <= self.first_step < self.last_step:
            raise ValueError(f"first_step, last_step: {self.first_step}, {self.last_step}; want 0 <= first < last.")
        if self.span_seconds is not None and not self.span_seconds > 0:
            raise ValueError(f"span_seconds: {self.span_seconds} is not positive; give seconds, or None for clips.")

    def probability(self, step: int) -> float:
        """Probability at `step`, in [0, 1]."""
        if self.kind == "constant":
            return self.end
        done = min(max((step - self.first_step) / (self.last_step - self.first_step), 0.0), 1.0)
        if self.kind == "cosine":
            done = (1 - math.cos(math.pi * done)) / 2
        elif self.kind == "step":
            done = float(done >= 0.5)
        return self.start + (self.end - self.start) * done

    def draw(self, step: int, batch: int, frames: int, fps: float, generator: torch.Generator) -> torch.Tensor:
        """Which frames lose their sound: bool (batch, frames), on the CPU."""
        spans = 1 if self.span_seconds is None else math.ceil(frames / fps / self.span_seconds) + 1
        dropped = torch.rand(batch, spans, generator=generator) < self.probability(step)
        if self.span_seconds is None:
            return dropped.expand(-1, frames)
        shift = torch.rand(batch, 1, generator=generator) * self.span_seconds  # spans begin anywhere
        index = ((torch.arange(frames) + 0.5) / fps + shift) / self.span_seconds
        return dropped.gather(1, index.long().clamp(max=spans - 1))
