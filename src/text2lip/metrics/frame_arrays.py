"""Frames as the image metrics take them: numpy or torch, uint8 or float, brought to one scale."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from text2lip.metrics.aggregate import to_array


def as_frames(frames: Any, name: str = "frames") -> np.ndarray:
    """Check and return `frames` (frames, height, width, 3), uint8 as they are or float32 in [0, 1].

    Raises:
        ValueError: another shape, no frame, another integer type, or floats outside [0, 1].
    """
    frames = to_array(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or not frames.size:
        raise ValueError(f"{name}: has shape {frames.shape}; wants RGB frames (frames, height, width, 3).")
    if frames.dtype == np.uint8:
        return frames
    if not np.issubdtype(frames.dtype, np.floating):
        raise ValueError(f"{name}: is {frames.dtype}; wants uint8, or floats in [0, 1].")
    if not (frames.min() >= 0 and frames.max() <= 1):
        raise ValueError(f"{name}: floats from {frames.min():.3g} to {frames.max():.3g}; wants [0, 1], or uint8.")
    return frames


def frame_pair(ours: Any, real: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check two clips by [`as_frames`]; a ValueError too if they differ in length or size: nothing is cut to fit."""
    ours, real = as_frames(ours, "ours"), as_frames(real, "real")
    if ours.shape != real.shape:
        raise ValueError(
            f"ours: has shape {ours.shape}, real has {real.shape}; frames are compared at equal length and size."
        )
    return ours, real


def mesh_points(points: Any, frames: int) -> np.ndarray:
    """Check and return landmarks (frames, 468 or more, 2 or more); a ValueError for another shape, or NaN."""
    points = to_array(points)
    if points.ndim != 3 or len(points) != frames or points.shape[1] < 468 or points.shape[2] < 2:
        raise ValueError(f"points: has shape {points.shape}; wants ({frames}, 468 or more, 2 or more).")
    if not np.isfinite(points).all():
        raise ValueError("points: isn't finite; leave out frames whose face was not found.")
    return points


def levels(frames: np.ndarray) -> Iterator[np.ndarray]:
    """Each frame of [`as_frames`] as float64 (height, width, 3) in [0, 255]."""
    for frame in frames:
        yield frame.astype(np.float64) * (1.0 if frames.dtype == np.uint8 else 255.0)
