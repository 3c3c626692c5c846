"""Lips and jaw as soft masks: what a network is shown of landmarks."""

import cv2
import numpy as np

from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, JAW, OUTER_LOWER, OUTER_UPPER, driven_index
from text2lip.renderers.contour import smooth


DRAWN_PARTS = ("upper lip", "lower lip", "inside", "lower face")
FINE = 4  # sub-pixels in each direction
_CHAINS = {
    name: driven_index(chain)
    for name, chain in zip(
        ("outer_upper", "inner_upper", "inner_lower", "outer_lower", "jaw"),
        (OUTER_UPPER, INNER_UPPER, INNER_LOWER, OUTER_LOWER, JAW),
    )
}


def draw_mouth(points: np.ndarray, size: int) -> np.ndarray:
    """Coverage of each pixel by the upper lip, the lower lip, what lies between them, and the face below the ears.

    Args:
        points (`np.ndarray`): `(57, 2)`, the driven points in continuous pixels of the crop: the centre of its first
            pixel is (0.5, 0.5).
        size (`int`): of the crop, pixels.

    Returns:
        `np.ndarray`: `(size, size, 4)` uint8, 0..255, in the order of `DRAWN_PARTS`. Lips that touch leave no inside,
        but the line where they meet is still the border of the first two.
    """
    chains = {name: points[index] for name, index in _CHAINS.items()}
    curves = {name: smooth(chain) for name, chain in chains.items() if name != "jaw"}
    upper, lower = curves["inner_upper"], curves["inner_lower"]
    polygons = (
        (curves["outer_upper"], upper[::-1]),
        (curves["outer_lower"], lower[::-1]),
        (upper, lower[::-1]),
        (chains["jaw"],),
    )
    side = size * FINE
    drawing = np.empty((size, size, len(DRAWN_PARTS)), np.uint8)
    for channel, parts in enumerate(polygons):
        outline = np.round((np.concatenate(parts) * FINE - 0.5) * 16).astype(np.int32)
        mask = np.zeros((side, side), np.uint8)
        cv2.fillPoly(mask, [outline], 255, shift=4)
        drawing[..., channel] = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    return drawing
