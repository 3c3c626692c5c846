"""The 478 landmarks of MediaPipe's face mesh: which index is where, and the canonical mesh.

"Right" and "left" are the person's own; on a picture the right eye is on the left.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np


# Lips, 11 points each, from the right corner of the mouth to the left one.
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# The same without corners, 9 points each: those of one place in the four chains lie above each other.
OUTER_UPPER_PAIRED, OUTER_LOWER_PAIRED = OUTER_UPPER[1:-1], OUTER_LOWER[1:-1]
INNER_UPPER_PAIRED, INNER_LOWER_PAIRED = INNER_UPPER[1:-1], INNER_LOWER[1:-1]
MOUTH_CORNERS = (61, 291)
INNER_MIDDLE = (13, 14)  # of the upper and the lower lip: their distance is the mouth's gap
# 40 lip points in the order that the decoder predicts.
LIPS = OUTER_LOWER + OUTER_UPPER_PAIRED + INNER_LOWER + INNER_UPPER_PAIRED
# 17 points along the jaw, from below the right ear over the chin (152) to below the left ear.
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
# The K = 57 points that speech moves.
DRIVEN = LIPS + JAW

# Eyes and brows, from the outer end to the inner one.
RIGHT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_EYE_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_EYE_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)
RIGHT_BROW_UPPER, RIGHT_BROW_LOWER = (70, 63, 105, 66, 107), (46, 53, 52, 65, 55)
LEFT_BROW_UPPER, LEFT_BROW_LOWER = (300, 293, 334, 296, 336), (276, 283, 282, 295, 285)
OUTER_EYES = (33, 263)  # outer corners, right and left: their distance is the unit of faces
LOWER_LIDS = (145, 374)  # their middles
EYE_HEXAGONS = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))  # coarse contours
# Five points each, not predicted by the mesh: all take the centre of their eye's contour. The first of them:
RIGHT_IRIS, LEFT_IRIS = 468, 473

BETWEEN_EYES, NOSE_ROOT, NOSE_TIP, NOSE_BASE, CHIN_TIP = 168, 6, 4, 2, 152
EARS = (234, 454)
CHIN = (148, 152, 377)

# Closed contours; the last point joins the first.
RIGHT_EYE = RIGHT_EYE_LOWER + RIGHT_EYE_UPPER[-2:0:-1]
LEFT_EYE = LEFT_EYE_LOWER + LEFT_EYE_UPPER[-2:0:-1]
OUTER_LIP_CONTOUR = OUTER_LOWER + OUTER_UPPER_PAIRED[::-1]
INNER_LIP_CONTOUR = INNER_LOWER + INNER_UPPER_PAIRED[::-1]
# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on
ABOVE_JAW = (323, 454, 251, 10, 21, 234, 93)  # the rest of the face's outline, coarse, from the jaw's left end on
MIDFACE = (50, 205, 206, 92, 164, 322, 426, 425, 280, 4)  # skin between mouth, nose and cheeks

# The head's pose in a picture: eye corners and the bridge of the nose, which speech does not move.
STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4)
EYES_AND_NOSE = (33, 133, 362, 263, 2)  # outer and inner corners of the eyes, base of the nose
# The face detector's six keypoints in terms of the mesh: eyes, nose tip, mouth, ears.
DETECTOR_KEYPOINTS = (RIGHT_EYE, LEFT_EYE, (1,), INNER_MIDDLE, EARS[:1], EARS[1:])

# What moves the lower face above and below the line between the lips, and what stays: nose, lower lids, brows, upper
# cheeks, sides of the oval.
UPPER_SIDE = (*OUTER_UPPER, *INNER_UPPER, *JAW)
LOWER_SIDE = (*OUTER_LOWER, *INNER_LOWER, *JAW)
ANCHORS = (
    *(168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 49, 279, 64, 294, 236, 456),
    *(33, 145, 133, 362, 374, 263, 105, 334, 10),
    *(117, 118, 101, 346, 347, 330, 111, 340, 234, 454, 93, 323),
)
# What lays a drawn mouth on another picture: lips, base of the nose, chin, cheeks.
CARRIED = (*LIPS, 2, 98, 327, 164, 152, 148, 377, 207, 427, 50, 280)


def driven_index(points: tuple[int, ...]) -> list[int]:
    """Positions of mesh `points` among the 57 driven ones."""
    return [DRIVEN.index(point) for point in points]


@lru_cache(maxsize=1)
def _arrays() -> dict[str, np.ndarray]:
    path = Path(__file__).parents[1] / "assets" / "face_mesh.npz"
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def canonical_mesh() -> tuple[np.ndarray, np.ndarray]:
    """MediaPipe's average face (Apache-2.0, face geometry module of MediaPipe).

    Returns:
        `(vertices, triangles)`: `(468, 3)` float32 in centimetres, x to the person's left, y up, z towards the camera;
        `(898, 3)` int64 indices, counter-clockwise seen from outside.
    """
    stored = _arrays()
    return stored["vertices"].copy(), stored["triangles"].astype(np.int64)
