"""The stabilised mouth crop of the protocol: head motion removed, a fixed place and size for a whole clip.

Transforms are (2, 3) affine matrices from continuous picture pixels to continuous crop pixels: (0, 0) is the upper
left corner of the first pixel, whose centre is (0.5, 0.5). Subtract 0.5 from both sides for OpenCV's indices.
"""

import math

import cv2
import numpy as np

from text2lip.faces.canonical import canonical_transforms
from text2lip.faces.geometry import transform_points
from text2lip.faces.topology import MOUTH_CORNERS


CROP_SIZE = 96  # pixels
CROP_SIDE = 1.5  # of the crop, in outer eye distances
CROP_BELOW = 0.1  # of its centre below the mouth's, in outer eye distances


def mouth_crop_transform(
    points: np.ndarray,
    size: int = CROP_SIZE,
    *,
    side: float = CROP_SIDE,
    below: float = CROP_BELOW,
    anchor: np.ndarray | None = None,
) -> np.ndarray:
    """Transforms from a clip's pictures to its mouth crops.

    The head's motion is what ten points that speech does not move do (a similarity, [`canonical_transforms`]). The
    crop hangs on one anchor for the whole clip, the median middle of the mouth's corners: the mouth moves in a still
    crop.

    Args:
        points (`np.ndarray`): `(frames, 478, 2)` landmarks of a clip or `(478, 2)` of one picture, continuous pixels.
        size (`int`): of the crop, pixels.
        side (`float`): of the crop, in units of the outer eyes' distance (33-263).
        below (`float`): how far the crop's centre lies below the anchor, same units.
        anchor (`np.ndarray`, *optional*): `(2,)`, the middle of the mouth in the canonical frame, to share one crop
            between clips or between a portrait and its frames; [`mouth_anchor`] gives a clip's.

    Returns:
        `np.ndarray`: float64 `(frames, 2, 3)`, or `(2, 3)` for one picture.

    Raises:
        ValueError: another shape, NaN, or a size or side that is not positive.
    """
    points = _check_points(points)
    if size < 1 or side <= 0:
        raise ValueError(f"`size` and `side` must be positive, got {size} and {side}.")
    clip = points if points.ndim == 3 else points[None]
    head = canonical_transforms(clip)
    middle = _anchor(clip, head) if anchor is None else np.asarray(anchor, np.float64)
    scale = size / side
    shift = size / 2 - scale * (middle + (0, below))
    matrices = scale * head
    matrices[..., 2] += shift
    return matrices if points.ndim == 3 else matrices[0]


def mouth_anchor(points: np.ndarray) -> np.ndarray:
    """Median middle of the mouth's corners in the canonical frame, `(2,)` float64; `points` as for the transform."""
    points = _check_points(points)
    clip = points if points.ndim == 3 else points[None]
    return _anchor(clip, canonical_transforms(clip))


def _anchor(clip: np.ndarray, head: np.ndarray) -> np.ndarray:
    middle = clip[:, MOUTH_CORNERS].mean(1)  # (frames, 2)
    return np.median(np.einsum("fij,fj->fi", head[..., :2], middle) + head[..., 2], axis=0)


def _check_points(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.ndim not in (2, 3) or points.shape[-2] != 478 or points.shape[-1] < 2 or len(points) == 0:
        raise ValueError(f"`points` must be (478, 2) or (frames, 478, 2) pixel landmarks, got {points.shape}.")
    points = points[..., :2]
    if not np.isfinite(points).all():
        raise ValueError("`points` holds NaN or infinity; bridge frames where the face is lost first.")
    return points


def _indices(transform: np.ndarray) -> np.ndarray:
    """The same map between pixel indices, as OpenCV counts them: centres on integers."""
    matrix = np.array(transform, np.float64)
    matrix[:, 2] += 0.5 * matrix[:, :2].sum(1) - 0.5
    return matrix


def crop(image: np.ndarray, transform: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """Cut the mouth crop out of a picture.

    Bilinear; where the crop is smaller than what it shows, finer samples are averaged and nothing aliases. Outside
    of the picture its edge is repeated.

    Args:
        image (`np.ndarray`): `(height, width, channels)` or `(height, width)`, uint8 or float32.
        transform (`np.ndarray`): `(2, 3)`.
        size (`int`): pixels.

    Returns:
        `np.ndarray`: `(size, size, channels)` or `(size, size)`, the picture's dtype.
    """
    shrink = 1 / math.sqrt(max(abs(np.linalg.det(transform[:, :2])), 1e-12))
    over = min(max(math.ceil(shrink - 0.01), 1), 16)
    matrix = _indices(np.asarray(transform, np.float64) * over)
    side = size * over
    fine = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return fine if over == 1 else cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)


def paste_back(image: np.ndarray, patch: np.ndarray, transform: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lay a mouth crop back into the picture that it was cut from, at the picture's own resolution.

    Args:
        image (`np.ndarray`): `(height, width, 3)` uint8.
        patch (`np.ndarray`): `(size, size, 3)`, uint8 or float in 0..255.
        transform (`np.ndarray`): `(2, 3)`, what the crop was cut with.
        mask (`np.ndarray`): `(size, size)` float in [0, 1], how much of the patch shows; soft and 0 at the sides.

    Returns:
        `np.ndarray`: `(height, width, 3)` uint8, new. Where the mask is 0 the picture is the same to the bit.

    Raises:
        ValueError: patch and mask differ in size.
    """
    if patch.shape[:2] != mask.shape:
        raise ValueError(f"`mask` must be {patch.shape[:2]} like the patch, got {mask.shape}.")
    result = image.copy()
    height, width = image.shape[:2]
    rows, columns = mask.shape
    back = cv2.invertAffineTransform(np.asarray(transform, np.float64))
    corners = transform_points(back, np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]], np.float64))
    x0, y0 = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(0)), 0, [width, height]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return result
    back[:, 2] -= (x0, y0)
    matrix, size = _indices(back), (int(x1 - x0), int(y1 - y0))
    laid = cv2.warpAffine(
        patch.astype(np.float32), matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    alpha = cv2.warpAffine(mask.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    view = result[y0:y1, x0:x1]
    view[:] = np.rint(view + alpha * (laid - view)).clip(0, 255)
    return result
