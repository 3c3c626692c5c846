"""Turned squares of a picture, and the crops taken from them.

Coordinates are continuous: (0, 0) is the picture's upper left corner, the first pixel's centre is (0.5, 0.5).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np


class Region(NamedTuple):
    """A square in a picture: centre and side in pixels, clockwise turn in radians."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def axes(self) -> np.ndarray:
        """Unit vectors of the square's own x and y axes as rows, `(2, 2)` float64."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, sin], [-sin, cos]])

    def to_picture(self, points: np.ndarray, size: int) -> np.ndarray:
        """Points `(..., 2)` of the `size`-pixel crop, in pixels of the picture."""
        return (points - size / 2) * (self.size / size) @ self.axes() + (self.x, self.y)


def cut(image: np.ndarray, region: Region, size: int, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Resample a region to a square crop, bilinear, averaging where it shrinks so that fine detail can't alias.

    Args:
        image (`np.ndarray` of shape `(height, width, 3)`): uint8.
        region (`Region`): may reach outside of the picture.
        size (`int`): side of the crop, pixels.
        border (`int`): what lies outside: cv2.BORDER_REPLICATE or cv2.BORDER_CONSTANT (black).

    Returns:
        `np.ndarray` of shape `(size, size, 3)`, uint8.
    """
    shrink = region.size / size
    axes = region.axes()
    origin = np.array([region.x, region.y]) - axes.sum(0) * region.size / 2  # the crop's upper left corner
    steps = axes * shrink  # rows: what one pixel of the crop to the right, and one down, means in the picture
    if shrink > 2:
        image, origin, steps = _shrunk(image, region, origin, steps, math.floor(shrink))
    oversample = 2 if shrink > 1 else 1
    steps = steps / oversample
    offset = origin + steps.sum(0) / 2 - 0.5  # of the first pixel's centre, in cv2's coordinates (centres on integers)
    matrix = np.column_stack([steps.T, offset])
    side = size * oversample
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, matrix, (side, side), flags=flags, borderMode=border)
    return crop if oversample == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)


def pixels_within(image: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Pixels `(N, 3)` float32 of `image` (height, width, 3) inside a polygon `(corners, 2)`, pixels; at least one."""
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(polygon.min(0)), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(polygon.max(0)) + 1, [x0 + 1, y0 + 1], [width, height]).astype(int)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon - [x0, y0]).astype(np.int32)], 1)
    part = image[y0:y1, x0:x1]
    return (part[mask > 0] if mask.any() else part.reshape(-1, 3)).astype(np.float32)


def _shrunk(image, region, origin, steps, factor):
    """The part of `image` around `region`, `factor` times smaller, with `origin` and `steps` in its coordinates."""
    height, width = image.shape[:2]
    reach = region.size * 0.75  # half a diagonal and a margin
    left, right = np.clip([region.x - reach, region.x + reach], 0, width).astype(int)
    top, bottom = np.clip([region.y - reach, region.y + reach], 0, height).astype(int)
    left, top = min(left, width - 1), min(top, height - 1)
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    small = cv2.resize(
        part,
        (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor)),
        interpolation=cv2.INTER_AREA,
    )
    scale = np.array([small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]])
    return small, (origin - (left, top)) * scale, steps * scale
