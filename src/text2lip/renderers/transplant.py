"""The mouth of one picture laid over that of another: in its place, size, turn and light."""

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import fit_affine
from text2lip.faces.topology import CARRIED, LIPS
from text2lip.renderers.light import light_of, spread_light


GROW, SOFT = 0.05, 0.035  # units: how far beyond the lips the drawn mouth reaches, and the softness of its edge
AROUND, SPREAD = 0.2, 0.25  # units: the ring in which colours are compared, and how far they are evened
SHARPEN = 0.35  # of what a blur of a pixel takes, put on: two warps lost it, by the border of lips in films
MARGIN = 0.5  # units around the lips that are looked at


def lay_mouth(
    frame: np.ndarray, mouth: np.ndarray, landmarks: np.ndarray, drawn: np.ndarray, weight: float = 1.0
) -> np.ndarray:
    """Lay the lips of one picture over those of another: in its place, size and turn, with its light, softly edged.

    Args:
        frame (`np.ndarray`): (height, width, 3) uint8, taken over and changed.
        mouth (`np.ndarray`): (height, width, 3) uint8, the picture with the lips.
        landmarks (`np.ndarray`): (478, 2) normalised, of `frame`.
        drawn (`np.ndarray`): (478, 2) normalised, of `mouth`.
        weight (`float`): in [0, 1], how much of them shows.

    Returns:
        `np.ndarray`: `frame`.
    """
    height, width = frame.shape[:2]
    points, source = landmarks * (width, height), drawn * mouth.shape[1::-1]
    unit = float(eye_distance(points))
    lips = points[list(LIPS)]
    x0, y0 = np.clip(np.floor(lips.min(0) - MARGIN * unit), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(lips.max(0) + MARGIN * unit), (x0 + 1, y0 + 1), (width, height)).astype(int)
    if weight <= 0:
        return frame
    matrix = fit_affine(source[list(CARRIED)] - 0.5, points[list(CARRIED)] - 0.5 - (x0, y0))  # pixel indices
    box = int(x1 - x0), int(y1 - y0)
    carried = cv2.warpAffine(mouth, matrix, box, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    view = frame[y0:y1, x0:x1]
    own, carried = view.astype(np.float32), carried.astype(np.float32)
    if np.abs(matrix - np.float64([[1, 0, -x0], [0, 1, -y0]])).max() > 0.02:  # pixels lie between others
        carried += SHARPEN * (carried - cv2.GaussianBlur(carried, (0, 0), 1.0))
    inner = _grown(lips - (x0, y0), box, GROW * unit, SOFT * unit)
    ring = np.clip(_grown(lips - (x0, y0), box, AROUND * unit, SOFT * unit) - inner, 1e-4, 1)
    factor, added = light_of(frame, points, mouth, source)
    carried = np.maximum(carried * factor + added, 0)
    carried *= spread_light(own, carried, ring, SPREAD * unit)
    view[:] = np.rint(own + weight * inner[..., None] * (carried - own)).clip(0, 255)
    return frame


def _grown(points: np.ndarray, box: tuple[int, int], grow: float, soft: float) -> np.ndarray:
    """The hull of `points` (n, 2), pixels, grown and softened: float32 (height, width) in [0, 1]."""
    mask = np.zeros(box[::-1], np.uint8)
    hull = cv2.convexHull(np.rint(points * 16).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, shift=4)
    cv2.polylines(mask, [hull], True, 255, max(1, round(2 * grow)), cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), soft)
