"""How arrays and tensors come in, and how the figures of single clips become the figure of a set."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


def to_array(values: Any, dtype: type | None = None) -> np.ndarray:
    """A numpy array of an array, a nested list or a torch tensor on any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if "bfloat16" in str(values.dtype) else values  # numpy has none
    return np.asarray(values, dtype)


@dataclass(frozen=True)
class Tally:
    """A share or a ratio of one clip, kept as its two parts so that clips can be pooled.

    Attributes:
        total (`float`): what was counted or summed (hits, distances, our differences).
        count (`float`): out of how much (segments, frames, the real differences); 0 where the metric does not apply.
    """

    total: float = 0.0
    count: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> float | None:
        """`total / count`, None where nothing was counted."""
        return float(self.total / self.count) if self.count > 0 else None


def pooled(tallies: Iterable[Tally]) -> float | None:
    """Sum of all totals over the sum of all counts: every segment or frame of a set has the same weight."""
    return sum(tallies, Tally()).value


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean over the clips where the metric applies; None where it applies to none."""
    known = [value for value in values if value is not None]
    return float(sum(known) / len(known)) if known else None
