"""Landmarks as pictures: the drawing that EchoMimic was trained on, and an overlay to look at."""

import math

import cv2
import numpy as np

from text2lip.faces.topology import FACE_OVAL, LEFT_EYE, RIGHT_EYE


CANVAS = 512
THICKNESS = 2
MARK = 3  # half the side of a square mark, pixels of the canvas

# Chains and their colours in the order of drawing; colours in the order of the channels as EchoMimic writes them.
EYES_AND_BROWS = (
    ((263, 249, 390, 373, 374, 380, 381, 382, 362), (180, 200, 10)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (180, 200, 10)),
    ((33, 7, 163, 144, 145, 153, 154, 155, 133), (10, 200, 180)),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (10, 200, 180)),
    ((276, 283, 282, 295, 285), (180, 220, 10)),
    ((300, 293, 334, 296, 336), (180, 220, 10)),
    ((46, 53, 52, 65, 55), (10, 220, 180)),
    ((70, 63, 105, 66, 107), (10, 220, 180)),
)
LIPS = (
    ((61, 146, 91, 181, 84, 17), (10, 180, 20)),
    ((17, 314, 405, 321, 375, 291), (20, 10, 180)),
    ((78, 95, 88, 178, 87, 14), (100, 100, 30)),
    ((14, 317, 402, 318, 324, 308), (100, 150, 50)),
    ((61, 185, 40, 39, 37, 0), (20, 80, 100)),
    ((0, 267, 269, 270, 409, 291), (80, 100, 20)),
    ((78, 191, 80, 81, 82, 13), (120, 100, 200)),
    ((13, 312, 311, 310, 415, 308), (150, 120, 100)),
)
DRAWN = sorted({index for chain, _ in EYES_AND_BROWS + LIPS for index in chain})
MARKS = ((468, (10, 200, 250)), (473, (250, 200, 10)), (4, (200, 200, 200)))  # pupils, then the tip of the nose


def draw_landmarks(
    landmarks: np.ndarray, height: int, width: int, *, lips: bool = True, style: str = "echomimic"
) -> np.ndarray:
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
        style (`str`): only "echomimic".

    Returns:
        `np.ndarray`: `(height, width, 3)` uint8; divide by 255 for the landmark encoder.

    Raises:
        ValueError: another shape, NaN, or an unknown style.
    """
    if style != "echomimic":
        raise ValueError(f'`style` must be "echomimic", got {style!r}.')
    landmarks = _check(landmarks)
    canvas = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    points = landmarks[:, :2].astype(np.float32).tolist()
    spots = {index: _pixel(*points[index]) for index in DRAWN}
    for chain, colour in EYES_AND_BROWS + (LIPS if lips else ()):
        for first, second in zip(chain[:-1], chain[1:]):
            if spots[first] and spots[second]:
                cv2.line(canvas, spots[first], spots[second], colour, THICKNESS)
    for index, colour in MARKS:
        x, y = landmarks[index, :2].astype(np.float32).tolist()
        column, row = int(CANVAS * x), int(CANVAS * y)
        if 0 <= x < 1 and 0 <= y < 1 and min(column, row) >= MARK:  # upstream's slices are empty nearer to the edge
            canvas[row - MARK : row + MARK, column - MARK : column + MARK] = colour
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
    points = np.round((landmarks[:, :2] * (width, height) - 0.5) * 16).astype(np.int32)
    closed = [((*contour, contour[0]), (90, 200, 90)) for contour in (RIGHT_EYE, LEFT_EYE, FACE_OVAL)]
    for chain, colour in (*closed, *LIPS):
        cv2.polylines(result, [points[list(chain)]], False, colour, 1, cv2.LINE_AA, shift=4)
    radius = max(1, round(0.004 * np.ptp(landmarks[:468, 0]) * width))
    for x, y in points[:468].tolist():
        cv2.circle(result, (x, y), radius * 8, (60, 230, 60), -1, cv2.LINE_AA, shift=4)
    return result
