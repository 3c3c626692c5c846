"""Points in a picture, and the maps that are fitted to them.

Pixels are continuous: (0, 0) is the upper left corner of the picture, the centre of its first pixel is (0.5, 0.5).
Pixel indices, as arrays and OpenCV count, have that centre at (0, 0). [`to_pixels`] and [`to_indices`] give either.
"""

import numpy as np


def to_pixels(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Normalised landmarks (..., 2 or 3) to continuous pixels, same shape and dtype; z, if there, scales with the
    width."""
    return landmarks * np.array([width, height, width], np.float32)[: landmarks.shape[-1]]


def to_indices(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Normalised landmarks (..., 2 or 3) to pixel indices, float32 (..., 2)."""
    return to_pixels(landmarks[..., :2].astype(np.float32), height, width) - np.float32(0.5)


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift from `source` onto `target` (Umeyama 1991, in the plane).

    Args:
        source (`np.ndarray`): (..., points, 2).
        target (`np.ndarray`): (points, 2) or (..., points, 2).

    Returns:
        `np.ndarray`: (..., 2, 3) affine matrices; apply with [`transform_points`].
    """
    source = np.asarray(source, np.float64)
    target = np.asarray(target, np.float64)
    z = source[..., 0] + 1j * source[..., 1]
    w = target[..., 0] + 1j * target[..., 1]
    z_mean, w_mean = z.mean(-1, keepdims=True), w.mean(-1, keepdims=True)
    turn = (np.conj(z - z_mean) * (w - w_mean)).sum(-1) / (np.abs(z - z_mean) ** 2).sum(-1)
    shift = w_mean[..., 0] - turn * z_mean[..., 0]
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.stack([np.stack([np.broadcast_to(v, turn.shape) for v in row], -1) for row in rows], -2)


def fit_affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares affine matrix (2, 3) from `source` (points, 2) onto `target` (points, 2)."""
    known = np.column_stack([source, np.ones(len(source))]).astype(np.float64)
    return np.linalg.lstsq(known, target, rcond=None)[0].T


def transform_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply affine `matrix` (..., 2, 3) to `points` (..., points, 2)."""
    return points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
