"""The line between the lips: smooth inner contours and anti-aliased masks of what lies above, between and below."""

import cv2
import numpy as np

from text2lip.renderers.warp import FaceFrame


SUBDIVISION = 6


def _catmull_rom(points: int, subdivision: int) -> np.ndarray:
    """Matrix (samples, points) that refines a chain by a uniform Catmull-Rom spline; ends are doubled."""
    t = np.linspace(0, 1, subdivision, endpoint=False)
    weights = 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], -1
    )
    matrix = np.zeros(((points - 1) * subdivision + 1, points))
    for segment in range(points - 1):
        rows = slice(segment * subdivision, (segment + 1) * subdivision)
        for tap in range(4):
            matrix[rows, np.clip(segment - 1 + tap, 0, points - 1)] += weights[:, tap]
    matrix[-1, -1] = 1
    return matrix.astype(np.float32)


REFINE = _catmull_rom(11, SUBDIVISION)


def uncross(upper: np.ndarray, lower: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the lower chain lies above the upper one, let both run along their middle.

    Args:
        upper, lower (`np.ndarray`): `(11, 2)` inner contours, pixels, from left to right.
        down (`np.ndarray`): unit vector from upper to lower lip.
    """
    overlap = np.maximum(-((lower - upper) @ down), 0)[:, None] * down / 2
    return upper - overlap, lower + overlap


def smooth(chain: np.ndarray) -> np.ndarray:
    """Refine an `(11, 2)` chain into a smooth curve `(61, 2)` through the same points."""
    return REFINE @ chain


def mouth_masks(
    upper: np.ndarray, lower: np.ndarray, frame: FaceFrame, box: tuple[int, int, int, int], feather: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coverage of each pixel of `box` by what lies above, between and below the inner contours.

    Beyond the corners the contours run on, straight, along the line of the eyes.

    Args:
        upper, lower (`np.ndarray`): `(N, 2)` curves, pixel indices.
        box (`tuple`): x0, y0, x1, y1.
        feather (`float`): standard deviation of the soft edge, pixels.

    Returns:
        three `(height, width)` float32 arrays that sum to exactly 1.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    scale = 4 if width <= 160 else 2
    far = 2.0 * (width + height)
    above = _fill(_side(upper, frame.right, -frame.down, far), box, scale)
    below = _fill(_side(lower, frame.right, frame.down, far), box, scale)
    above, below = (cv2.resize(m, (width, height), interpolation=cv2.INTER_AREA) for m in (above, below))
    if feather > 0.2:
        above, below = (blur(m, feather) for m in (above, below))
    below = np.minimum(below, 1 - above)
    return above, np.maximum(1 - above - below, 0), below


def blur(mask: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of a `(height, width)` float32 mask; a wide one is made on a smaller copy."""
    coarse = int(sigma // 2)
    if coarse < 2:
        return cv2.GaussianBlur(mask, (0, 0), sigma)
    height, width = mask.shape
    small = cv2.resize(mask, (-(-width // coarse), -(-height // coarse)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / coarse), (width, height), interpolation=cv2.INTER_LINEAR)


def three(mask: np.ndarray) -> np.ndarray:
    """A `(height, width)` mask for each of three colours: arrays of one shape are multiplied much faster."""
    return cv2.merge((mask, mask, mask))


def _side(chain: np.ndarray, right: np.ndarray, away: np.ndarray, far: float) -> np.ndarray:
    left_end, right_end = chain[0] - far * right, chain[-1] + far * right
    return np.concatenate([[left_end], chain, [right_end, right_end + far * away, left_end + far * away]])


def _fill(polygon: np.ndarray, box: tuple[int, int, int, int], scale: int) -> np.ndarray:
    """Binary coverage (0 or 1, float32) of `box` at `scale` times its resolution."""
    width, height = box[2] - box[0], box[3] - box[1]
    points = (polygon - np.float32(box[:2]) + 0.5) * scale - 0.5
    mask = np.zeros((height * scale, width * scale), np.float32)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, shift=4)
    return mask
