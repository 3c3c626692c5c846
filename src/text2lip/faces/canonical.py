"""The canonical lip frame: landmarks with the head's motion taken out, measured in the width of the eyes.

Everything is in a frame that goes with the head: origin midway between the outer eye corners, x along the eye line to
the right of the picture, y down, and the distance of the outer eye corners (mesh points 33 and 263) as the unit.
"""

import numpy as np


LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)  # outer lower
LIPS += (185, 40, 39, 37, 0, 267, 269, 270, 409)  # outer upper
LIPS += (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)  # inner lower
LIPS += (191, 80, 81, 82, 13, 312, 311, 310, 415)  # inner upper
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
DRIVEN = LIPS + JAW
"""The K = 57 mesh points that lip motion moves: 40 of the lips, then 17 of the jaw from ear to ear."""

INNER_UPPER = (191, 80, 81, 82, 13, 312, 311, 310, 415)
INNER_LOWER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
"""Inner lip points above each other, from the right corner of the mouth to the left one."""

STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4)
OUTER_EYES = (33, 263)
MOUTH_CORNERS = (61, 291)


def driven_index(points: tuple[int, ...]) -> list[int]:
    """Positions of mesh `points` among the 57 driven ones."""
    return [DRIVEN.index(point) for point in points]


def to_pixels(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Normalised landmarks (..., 478, 2 or 3) to pixels, same shape; z, if there, scales with the width."""
    return landmarks * np.array([width, height, width], np.float32)[: landmarks.shape[-1]]


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift from `source` onto `target` (Umeyama 1991, in the plane).

    Args:
        source (`np.ndarray`): (..., points, 2).
        target (`np.ndarray`): (points, 2) or (..., points, 2).

    Returns:
        `np.ndarray`: (..., 2, 3) affine matrices; apply with [`transform`].
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


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply affine `matrix` (..., 2, 3) to `points` (..., points, 2)."""
    return points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]


def head_frame(points: np.ndarray) -> np.ndarray:
    """Matrices (frames, 2, 3) that take a clip's pixels to the canonical frame, one for each frame.

    The ten stable points of every frame are laid on their mean over the clip; the mean itself is put upright with
    its eye line level and of length 1. The unit is thus one number per clip, as the protocol of the figures wants.

    Args:
        points (`np.ndarray`): (frames, 478, 2), pixels, no NaN.
    """
    stable = np.asarray(points, np.float64)[:, STABLE]
    eyes = [STABLE.index(point) for point in OUTER_EYES]
    reference = transform(_upright(stable[0], eyes), stable[0])
    for _ in range(3):
        aligned = transform(fit_similarity(stable, reference), stable)
        mean = aligned.mean(0)
        reference = transform(_upright(mean, eyes), mean)
    return fit_similarity(stable, reference)


def _upright(points: np.ndarray, eyes: list[int]) -> np.ndarray:
    return fit_similarity(points[eyes], np.array([[-0.5, 0.0], [0.5, 0.0]]))


def canonical_lips(points: np.ndarray) -> np.ndarray:
    """Driven points of a clip in the canonical frame: float32 (frames, 57, 2), in units of the outer eyes' distance.

    Args:
        points (`np.ndarray`): (frames, 478, 2), pixels, no NaN.
    """
    points = np.asarray(points, np.float64)[..., :2]
    return transform(head_frame(points), points[:, DRIVEN]).astype(np.float32)


def lip_gap(shape: np.ndarray) -> np.ndarray:
    """Distance of the middle inner lip points |13 - 14| of `shape` (..., 57, 2): (...,)."""
    upper, lower = driven_index((13, 14))
    return np.linalg.norm(shape[..., upper, :] - shape[..., lower, :], axis=-1)


def lip_width(shape: np.ndarray) -> np.ndarray:
    """Distance of the mouth's corners |61 - 291| of `shape` (..., 57, 2): (...,)."""
    left, right = driven_index(MOUTH_CORNERS)
    return np.linalg.norm(shape[..., left, :] - shape[..., right, :], axis=-1)


def neutral_shape(shapes: np.ndarray, silent: np.ndarray | None = None) -> np.ndarray:
    """The talker's mouth at rest: the mean over the silent frames, or over the fifth with the smallest lip gap.

    Args:
        shapes (`np.ndarray`): (frames, 57, 2), canonical.
        silent (`np.ndarray`, *optional*): bool (frames,); fewer than three silent frames count as none.

    Returns:
        `np.ndarray`: (57, 2).
    """
    if silent is None or np.count_nonzero(silent) < 3:
        gap = lip_gap(shapes)
        silent = gap <= np.quantile(gap, 0.2)
    return shapes[silent].mean(0)
