"""How a picture shows a head: its turn and size, by the landmarks' places on the picture alone."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from text2lip.faces.topology import ANCHORS, FACE_OVAL, INNER_UPPER, NOSE_BASE, OUTER_EYES, OUTER_UPPER, canonical_mesh


# Where the canonical mesh has them, its nose and lips beside the middle of the upper incisors' edge: right, down,
# towards the viewer, units; of the head whose teeth are used.
ANCHORED = {NOSE_BASE: (0.0, -0.2614, 0.0868), OUTER_UPPER[5]: (0.0, -0.1174, 0.1177), INNER_UPPER[5]: (0, 0, 0.0549)}
RIGID = tuple(dict.fromkeys((*ANCHORS, *FACE_OVAL[:8], *FACE_OVAL[-8:])))  # speech hardly moves them


@dataclass(frozen=True, eq=False)
class HeadView:
    """A head seen from far: a point `p` (right, down, towards the viewer; units) from the upper incisors' edge lies at
    pixel `origin + scale * (turn @ p)[:2]`.

    Attributes:
        origin: `(2,)`, pixel indices.
        turn: `(3, 3)`, a rotation.
        scale: pixels of a unit, the distance of the outer eye corners in space.
    """

    origin: np.ndarray
    turn: np.ndarray
    scale: float

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Points `(..., 3)` of the head in the picture: x, y and, towards the viewer, z, all in pixels."""
        seen = np.asarray(points, np.float32) @ np.float32(self.turn.T * self.scale)
        seen[..., :2] += self.origin
        return seen

    def below(self, first: np.ndarray, second: np.ndarray, nearer: float = 0.0) -> float:
        """How far what is seen at pixel `second` lies below what is seen at pixel `first`, units of the head; it is
        `nearer` to the front, units, than that."""
        down = self.turn[:2, 1]
        seen = (second - first) / self.scale - nearer * self.turn[:2, 2]
        return float(seen @ down) / max(float(down @ down), 0.25)


@cache
def _model() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rigid points (n, 3) of the canonical mesh, units, about their middle; what solves for an affine view of them."""
    mesh = canonical_mesh()[0].astype(np.float64) * (1, -1, 1)
    right_eye, left_eye = OUTER_EYES
    mesh /= mesh[left_eye, 0] - mesh[right_eye, 0]
    middle = mesh[list(RIGID)].mean(0)
    points = mesh[list(RIGID)] - middle
    return points, np.linalg.pinv(points), mesh[NOSE_BASE] - middle


def head_view(points: np.ndarray, edge: float) -> HeadView:
    """Turn and size of a head by the nearest rotation to the affine view of MediaPipe's average face.

    On 117 pictures, up to 45 degrees, it is within 1.5 degrees of that by landmarks in space, in the mean.

    Args:
        points (`np.ndarray`): `(478, 2)` pixel indices.
        edge (`float`): how far below the base of the nose the upper incisors end, units.
    """
    _, solve, _ = _model()
    seen = points[list(RIGID)].astype(np.float64)
    affine = (solve @ (seen - seen.mean(0))).T  # (2, 3)
    left, size, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    turn = np.stack([*rows, np.cross(*rows)])
    scale = float(size.mean())
    nose = np.array(ANCHORED[NOSE_BASE])
    lift = np.array([0, -edge - nose[1], 0])  # of the origin, from where the average head has it
    origin = points[NOSE_BASE] - scale * (turn @ (nose + lift))[:2]
    aside = [(points[k] - origin - scale * (turn @ (place + lift))[:2]) @ turn[:2, 0] for k, place in ANCHORED.items()]
    origin = origin + np.mean(aside) * turn[:2, 0] / max(float(turn[:2, 0] @ turn[:2, 0]), 0.1)
    return HeadView(origin.astype(np.float32), turn, scale)
