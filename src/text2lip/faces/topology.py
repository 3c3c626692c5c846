"""The 478 landmarks of MediaPipe's face mesh: which index is where, and the canonical mesh.

"Right" and "left" are the person's own; on a picture the right eye is on the left.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np


# 40 lip points in the order that the decoder predicts: outer lower and upper, inner lower and upper, each from the
# right corner to the left one.
OUTER_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
OUTER_UPPER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
INNER_UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LIPS = OUTER_LOWER_LIP + OUTER_UPPER_LIP + INNER_LOWER_LIP + INNER_UPPER_LIP
# 17 points along the jaw, from below the right ear over the chin (152) to below the left ear.
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
# The 57 points that speech moves.
DRIVEN = LIPS + JAW

# Closed contours; the last point joins the first.
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on
OUTER_LIP_CONTOUR = OUTER_LOWER_LIP + OUTER_UPPER_LIP[::-1]
INNER_LIP_CONTOUR = INNER_LOWER_LIP + INNER_UPPER_LIP[::-1]

# Not predicted by the mesh: every point of an iris takes the centre of its eye's contour.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)

NUM_MESH_POINTS = 468
NUM_LANDMARKS = 478


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


def canonical_uv() -> np.ndarray:
    """Texture coordinates `(468, 2)` float32 in [0, 1] of the canonical mesh, v down."""
    return _arrays()["uv"].copy()


def procrustes_landmarks() -> tuple[np.ndarray, np.ndarray]:
    """Points that MediaPipe fits the head's pose to: `(33,)` int64 indices and `(33,)` float32 weights."""
    stored = _arrays()
    return stored["procrustes_indices"].astype(np.int64), stored["procrustes_weights"].copy()
