"""The canonical lip frame: landmarks with the head's motion taken out, measured in the width of the eyes.

Everything is in a frame that goes with the head: origin midway between the outer eye corners, x along the eye line to
the right of the picture, y down, and the distance of the outer eye corners (mesh points 33 and 263) as the unit.
"""

import numpy as np

from text2lip.faces.geometry import fit_similarity, transform_points
from text2lip.faces.topology import DRIVEN, INNER_MIDDLE, MOUTH_CORNERS, OUTER_EYES, STABLE, driven_index


def eye_distance(points: np.ndarray) -> np.floating:
    """Distance of the outer eye corners of `points` (478, 2): the unit of faces, in that of `points`."""
    right, left = OUTER_EYES
    return np.hypot(*(points[left] - points[right]))


def canonical_transforms(points: np.ndarray) -> np.ndarray:
    """Matrices (frames, 2, 3) that take a clip's pixels to the canonical frame, one for each frame.

    The ten stable points of every frame are laid on their mean over the clip; the mean itself is put upright with
    its eye line level and of length 1. The unit is thus one number per clip, as the protocol of the figures wants.

    Args:
        points (`np.ndarray`): (frames, 478, 2), pixels, no NaN.
    """
    stable = np.asarray(points, np.float64)[:, STABLE]
    eyes = [STABLE.index(point) for point in OUTER_EYES]
    reference = transform_points(_upright(stable[0], eyes), stable[0])
    for _ in range(3):
        aligned = transform_points(fit_similarity(stable, reference), stable)
        mean = aligned.mean(0)
        reference = transform_points(_upright(mean, eyes), mean)
    return fit_similarity(stable, reference)


def _upright(points: np.ndarray, eyes: list[int]) -> np.ndarray:
    return fit_similarity(points[eyes], np.array([[-0.5, 0.0], [0.5, 0.0]]))


def canonical_lips(points: np.ndarray) -> np.ndarray:
    """Driven points of a clip in the canonical frame: float32 (frames, 57, 2), in units of the outer eyes' distance.

    Args:
        points (`np.ndarray`): (frames, 478, 2), pixels, no NaN.
    """
    points = np.asarray(points, np.float64)[..., :2]
    return transform_points(canonical_transforms(points), points[:, DRIVEN]).astype(np.float32)


def lip_gap(shape: np.ndarray) -> np.ndarray:
    """Distance of the middle inner lip points |13 - 14| of `shape` (..., 57, 2): (...,)."""
    upper, lower = driven_index(INNER_MIDDLE)
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
