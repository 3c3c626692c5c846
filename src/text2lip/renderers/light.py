"""The light of one picture of a face given to another: it multiplies, and fog or a fade to white adds."""

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import fit_affine
from text2lip.faces.topology import FACE_OVAL, LEFT_EYE, LIPS, RIGHT_EYE


CELLS = 24  # pixels of the small pictures for one unit, the distance of the outer eye corners
ADDED = 20.0  # grey levels: how much added light is thought usual, beside `NOISE`
NOISE = 1.0
GAINS = (0.5, 2.0)  # by which light may differ from place to place, beyond the whole face's


def light_of(frame: np.ndarray, points: np.ndarray, other: np.ndarray, source: np.ndarray) -> np.ndarray:
    """How the light on a face differs between two pictures of it, by its skin, brows and nose.

    Args:
        frame (`np.ndarray`): (height, width, 3) uint8, whose light is wanted.
        points (`np.ndarray`): (478, 2) landmarks in it, pixels.
        other (`np.ndarray`): (height, width, 3) uint8, whose light is to be changed.
        source (`np.ndarray`): (478, 2) landmarks in it, pixels.

    Returns:
        `np.ndarray`: float32 (2, 3), a factor and an offset in grey levels for each colour: `other * factor + offset`
        has the light of `frame`.
    """
    wanted, where = _small(frame, points)
    given, whence = _small(other, source)
    height, width = wanted.shape[:2]
    matrix = fit_affine(whence[list(FACE_OVAL)], where[list(FACE_OVAL)])
    given = cv2.warpAffine(given, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((height, width), np.uint8)
    for group, value in ((FACE_OVAL, 1), (LIPS, 0), (LEFT_EYE, 0), (RIGHT_EYE, 0)):
        hull = cv2.convexHull(np.rint(where[list(group)]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, value)
        if not value:
            cv2.polylines(mask, [hull], True, 0, 3)
    if mask.sum() < 8:
        return np.float32([[1] * 3, [0] * 3])
    x, y = given[mask > 0].astype(np.float64), wanted[mask > 0].astype(np.float64)  # (pixels, 3)
    ridge = (NOISE / ADDED) ** 2
    # Least squares of y = a x + b, where b costs (NOISE / ADDED)^2 of its square. They take for fog what is only a
    # face that moves in itself: as far as the spreads of both pictures tell it, light is rather thought multiplied.
    mean_x, mean_y, xx, xy = x.mean(0), y.mean(0), (x * x).mean(0), (x * y).mean(0)
    below, ratio = np.maximum((1 + ridge) * xx - mean_x**2, 1e-3), mean_y / np.maximum(mean_x, 1)
    least = ((1 + ridge) * xy - mean_x * mean_y) / below
    most = (x.std(0) * y.std(0) + ridge * xy) / below
    factor = np.maximum(least, np.minimum(most, ratio))
    factor = np.clip(factor, 0, 4)
    return np.float32([factor, (mean_y - factor * mean_x) / (1 + ridge)])


def _small(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The face in a picture at `CELLS` pixels a unit, softened, and its landmarks there, pixel indices."""
    height, width = picture.shape[:2]
    low = np.clip(np.floor(points.min(0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(points.max(0)), low + 1, (width, height)).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, CELLS / max(float(eye_distance(points)), 1.0))
    size = tuple(max(1, round(side * scale)) for side in part.shape[1::-1])
    small = cv2.GaussianBlur(cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1)
    return small, (points - low) * (np.array(size) / part.shape[1::-1]) - 0.5


def spread_light(own: np.ndarray, carried: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """Factors that give one picture the light of another from place to place, computed at a small size.

    Args:
        own (`np.ndarray`): (height, width, 3) float32, whose light is wanted.
        carried (`np.ndarray`): (height, width, 3) float32, whose light is to be changed.
        where (`np.ndarray`): (height, width), how much each pixel counts.
        sigma (`float`): how far they are smoothed, pixels.

    Returns:
        `np.ndarray`: float32 (height, width, 3).
    """
    height, width = where.shape
    shrink = max(1, int(sigma / 6))
    small = (max(1, width // shrink), max(1, height // shrink))
    weighted = (part * where[..., None] for part in (own, carried, np.ones_like(own)))
    wanted, given, share = (
        cv2.GaussianBlur(cv2.resize(part, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / shrink)
        for part in weighted
    )
    factor = np.clip((wanted + 2 * share) / (given + 2 * share), *GAINS)  # two levels: in the dark there's only noise
    return cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR)
