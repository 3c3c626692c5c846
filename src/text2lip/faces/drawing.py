"""Landmarks as pictures: the drawing that EchoMimic was trained on, and an overlay to look at."""

import math

import cv2
import numpy as np

from text2lip.faces import topology
from text2lip.faces.geometry import to_pixels
from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER


CANVAS = 512
THICKNESS = 2
HALF_MARK = 3  # half the side of a square mark, pixels of the canvas

# Chains and their colours in the order of drawing; colours in the order of the channels as EchoMimic writes them.
EYES_AND_BROWS = (
    (topology.LEFT_EYE_LOWER, (180, 200, 10)),
    (topology.LEFT_EYE_UPPER, (180, 200, 10)),
    (topology.RIGHT_EYE_LOWER, (10, 200, 180)),
    (topology.RIGHT_EYE_UPPER, (10, 200, 180)),
    (topology.LEFT_BROW_LOWER, (180, 220, 10)),
    (topology.LEFT_BROW_UPPER, (180, 220, 10)),
    (topology.RIGHT_BROW_LOWER, (10, 220, 180)),
    (topology.RIGHT_BROW_UPPER, (10, 220, 180)),
)
HALF_LIPS = (
    (OUTER_LOWER[:6], (10, 180, 20)),
    (OUTER_LOWER[5:], (20, 10, 180)),
    (INNER_LOWER[:6], (100, 100, 30)),
    (INNER_LOWER[5:], (100, 150, 50)),
    (OUTER_UPPER[:6], (20, 80, 100)),
    (OUTER_UPPER[5:], (80, 100, 20)),
    (INNER_UPPER[:6], (120, 100, 200)),
    (INNER_UPPER[5:], (150, 120, 100)),
)
DRAWN = sorted({index for chain, _ in EYES_AND_BROWS + HALF_LIPS for index in chain})
MARKS = (
    (topology.RIGHT_IRIS, (10, 200, 250)),
    (topology.LEFT_IRIS, (250, 200, 10)),
    (topology.NOSE_TIP, (200, 200, 200)),
)


def draw_landmarks(landmarks: np.ndarray, height: int, width: int, *, lips: bool = True) -> np.ndarray:
    """Draw landmarks as EchoMimic V1 does for its pose branch (`src/utils/draw_utils.py` of antgroup/echomimic).

    Eyes, brows and lips as lines of thickness 2 on a black canvas of 512 x 512, then pupils and nose as squares of
    6 pixels, then a bilinear resize. Coordinates are cut to whole pixels, as MediaPipe's drawing does; what lies
    outside of the picture is left out. Upstream draws the lips only when asked to; here they are drawn by default,
    because they are what text moves.

    Args:
        landmarks (`np.ndarray`): `(478, 2)` or `(478, 3)`, x over width, y over height; z is not used.
        height (`int`): of the result, pixels.
        width (`int`): of the result, pixels.
        lips (`bool`): draw the eight lip chains.

    Returns:
        `np.ndarray`: `(height, width, 3)` uint8; divide by 255 for the landmark encoder.

    Raises:
        ValueError: another shape, or NaN.
    """
    landmarks = _check(landmarks)
    canvas = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    points = landmarks[:, :2].astype(np.float32).tolist()
    spots = {index: _pixel(*points[index]) for index in DRAWN}
    for chain, colour in EYES_AND_BROWS + (HALF_LIPS if lips else ()):
        for first, second in zip(chain[:-1], chain[1:]):
            if spots[first] and spots[second]:
                cv2.line(canvas, spots[first], spots[second], colour, THICKNESS)
    for index, colour in MARKS:
        x, y = landmarks[index, :2].astype(np.float32).tolist()
        column, row = int(CANVAS * x), int(CANVAS * y)
        # upstream's slices are empty nearer to the edge
        if 0 <= x < 1 and 0 <= y < 1 and min(column, row) >= HALF_MARK:
            canvas[row - HALF_MARK : row + HALF_MARK, column - HALF_MARK : column + HALF_MARK] = colour
    return cv2.resize(canvas, (width, height))


def _pixel(x: float, y: float) -> tuple[int, int] | None:
    """The canvas pixel of a normalised point, None outside of [0, 1] (MediaPipe's drawing rule)."""
    if not all(0 <= v <= 1 or math.isclose(v, 0) or math.isclose(v, 1) for v in (x, y)):
        return None
    return min(math.floor(x * CANVAS), CANVAS - 1), min(math.floor(y * CANVAS), CANVAS - 1)


def _check(landmarks: np.ndarray) -> np.ndarray:
    landmarks = np.asarray(landmarks)
    if landmarks.ndim != 2 or landmarks.shape[0] != 478 or landmarks.shape[1] not in (2, 3):
        raise ValueError(f"`landmarks` must have shape (478, 2) or (478, 3), got {landmarks.shape}.")
    if not np.isfinite(landmarks[:, :2]).all():
        raise ValueError("`landmarks` holds NaN or infinity.")
    return landmarks


def overlay_landmarks(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A copy of `image` with its landmarks on it, to look at: contours as thin lines, all points as dots.

    Args:
        image (`np.ndarray`): `(height, width, 3)` uint8.
        landmarks (`np.ndarray`): `(478, 2)` or `(478, 3)`, normalised.

    Returns:
        `np.ndarray`: `(height, width, 3)` uint8, new.
    """
    landmarks = _check(landmarks)
    result = np.ascontiguousarray(image).copy()
    height, width = result.shape[:2]
    points = np.round((to_pixels(landmarks[:, :2].astype(np.float64), height, width) - 0.5) * 16).astype(np.int32)
    contours = topology.RIGHT_EYE, topology.LEFT_EYE, topology.FACE_OVAL
    closed = [((*contour, contour[0]), (90, 200, 90)) for contour in contours]
    for chain, colour in (*closed, *HALF_LIPS):
        cv2.polylines(result, [points[list(chain)]], False, colour, 1, cv2.LINE_AA, shift=4)
    radius = max(1, round(0.004 * np.ptp(landmarks[: topology.RIGHT_IRIS, 0]) * width))
    for x, y in points[: topology.RIGHT_IRIS].tolist():
        cv2.circle(result, (x, y), radius * 8, (60, 230, 60), -1, cv2.LINE_AA, shift=4)
    return result
