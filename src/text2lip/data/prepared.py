"""Prepared clips: what training reads instead of video."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class PreparedClip:
    """One clip as `examples/prepare_grid.py` stores it.

    Attributes:
        name (`str`): talker/code.
        lips (`np.ndarray`): float32 (frames, 57, 2), canonical driven points.
        fps (`float`): frames per second.
        phone_ids (`np.ndarray`): int64 (tokens,), indices in `PHONE_INVENTORY`.
        durations (`np.ndarray`): float32 (tokens,), seconds, from time 0 without gap.
    """

    name: str
    lips: np.ndarray
    fps: float
    phone_ids: np.ndarray
    durations: np.ndarray

    @property
    def silent(self) -> np.ndarray:
        """bool (frames,): no phone is spoken, nor within 80 ms."""
        end = self.durations.cumsum()
        times = (np.arange(len(self.lips)) + 0.5) / self.fps
        voiced = np.zeros(len(times), bool)
        for phone, start, stop in zip(self.phone_ids, end - self.durations, end):
            if phone:
                voiced |= (times > start - 0.08) & (times < stop + 0.08)
        return ~voiced


def load_prepared(folder: str | Path, split: str) -> list[PreparedClip]:
    """Clips of one split below `folder`, in the order of their names.

    Raises:
        ValueError: there is no prepared clip of that split.
    """
    clips = []
    for path in sorted(Path(folder).rglob("*.npz")):
        with np.load(path) as stored:
            if str(stored["split"]) == split:
                clips.append(
                    PreparedClip(
                        str(stored["name"]),
                        stored["lips"],
                        float(stored["fps"]),
                        stored["phone_ids"],
                        stored["durations"],
                    )
                )
    if not clips:
        raise ValueError(f"folder: no prepared clip of the split {split!r} in {str(folder)!r}; run prepare_grid.py.")
    return clips
