"""The head that is animated in three dimensions: ARKit's 52 shapes on a mesh, and where its lips are."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np


# Left eye, right eye, jaw and mouth, brows, cheeks, nose, tongue: the order of Live Link Face.
ARKIT_SHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
    "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""Names of `ARFaceAnchor.BlendShapeLocation`; "left" is the person's own."""
EYE_TURN = 30.0  # degrees that an `eyeLook` shape at 1 turns the eye


@dataclass(frozen=True, eq=False)
class TalkingHead:
    """A head with ARKit's shapes; lengths in millimetres, x to the person's left, y up, z out of the face.

    Attributes:
        vertices (`np.ndarray`): float32 (vertices, 3), the face at rest; the origin lies between the eyeballs.
        triangles (`np.ndarray`): uint16 (triangles, 3), counter-clockwise from outside.
        uv (`np.ndarray`): float32 (vertices, 2) in [0, 1], places in
        palette (`np.ndarray`): uint8 (height, width, 3), sRGB.
        moved (`np.ndarray`): int16 (52, vertices, 3), of which `scale` makes millimetres, see [`shapes`].
        scale (`np.ndarray`): float32 (52,).
        contour (`np.ndarray`): float32 (57, 3), the driven points of the mesh of 478 landmarks, at rest.
        contour_shapes (`np.ndarray`): float32 (52, 57, 3), ways of these points.
        outer_eyes (`np.ndarray`): float32 (2, 3), outer corners of the right and the left eye.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    palette: np.ndarray
    moved: np.ndarray
    scale: np.ndarray
    contour: np.ndarray
    contour_shapes: np.ndarray
    outer_eyes: np.ndarray

    @cached_property
    def shapes(self) -> np.ndarray:
        """Ways of the vertices in each of `ARKIT_SHAPES`, float32 (52, vertices, 3)."""
        return self.moved * self.scale[:, None, None]

    @property
    def unit(self) -> float:
        """Millimetres from one outer eye corner to the other."""
        return float(np.linalg.norm(self.outer_eyes[1] - self.outer_eyes[0]))


@lru_cache(maxsize=1)
def builtin_head() -> TalkingHead:
    """The head of USC ICT-FaceKit (MIT), reduced by `asset_rendering/make_talking_head_mesh.py`."""
    with np.load(Path(__file__).parents[1] / "assets/talking_head.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    exact = {name: array for name, array in arrays.items() if name in ("triangles", "palette", "moved")}
    return TalkingHead(**{name: array.astype(np.float32) for name, array in arrays.items()} | exact)
