"""The shapes inside a mouth: teeth and gums of a scanned head, a tongue in a few poses, and how a head sees them.

Teeth and gums are those of USC ICT-FaceKit (MIT), cut out by `asset_rendering/make_mouth_mesh.py`. Lengths are in
distances of the outer eye corners in space; x to the right of the picture, y down, z towards the viewer, from the
middle of the upper incisors' edge.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np


MESH = Path(__file__).parents[1] / "assets" / "mouth_mesh.npz"


@dataclass(frozen=True)
class Shape:
    """A triangle mesh.

    Attributes:
        vertices: `(V, 3)` float32.
        triangles: `(T, 3)` int32, counter-clockwise from outside on a picture whose y goes down.
        normals: `(V, 3)` float32, outwards, length 1.
        height: `(V,)` float32, of a tooth: how far from its biting edge; negative on gums.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    height: np.ndarray


@cache
def teeth() -> tuple[Shape, Shape, np.ndarray]:
    """Upper and lower teeth in their gums, and the axis (y, z) about which the jaw turns; read only."""
    with np.load(MESH, allow_pickle=False) as stored:
        parts = [
            shape(*(stored[f"{name}_{what}"] for what in ("vertices", "triangles", "height")))
            for name in ("upper", "lower")
        ]
        return (*parts, stored["hinge"])


def shape(vertices: np.ndarray, triangles: np.ndarray, height: np.ndarray | None = None) -> Shape:
    """A mesh with the normals of its vertices."""
    vertices, triangles = np.float32(vertices), np.int32(triangles)
    corners = vertices[triangles]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    height = np.full(len(vertices), -1) if height is None else height
    return Shape(vertices, triangles, normals, np.float32(height))


def rasterise(points: np.ndarray, triangles: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which triangle each pixel shows, and where in it, by painting from back to front.

    Args:
        points (`np.ndarray`): `(V, 3)` pixel indices x and y, and z towards the viewer.
        triangles (`np.ndarray`): `(T, 3)`.
        size (`tuple[int, int]`): width and height, pixels.

    Returns:
        `tuple`: int32 `(height, width)`, the triangle, -1 for none; float32 `(N, 3)`, the weights of its corners at
        the N pixels that show one.
    """
    corners = points[triangles]
    low, high = corners[..., :2].min(1), corners[..., :2].max(1)
    a, b = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    front = np.flatnonzero((area < 0) & (high > -1).all(1) & (low < size).all(1))
    front = front[np.argsort(corners[front, :, 2].mean(1))]
    picture = np.full(size[::-1], -1, np.int32)
    for index, outline in zip(front.tolist(), np.rint(corners[front, :, :2] * 16).astype(np.int32)):
        cv2.fillConvexPoly(picture, outline, index, 8, 4)
    rows, columns = np.nonzero(picture >= 0)
    shown = picture[rows, columns]
    offset = np.stack([columns, rows], -1) - corners[shown, 0, :2]
    second = (offset[:, 0] * b[shown, 1] - offset[:, 1] * b[shown, 0]) / area[shown]
    third = (a[shown, 0] * offset[:, 1] - a[shown, 1] * offset[:, 0]) / area[shown]
    weights = np.clip(np.stack([1 - second - third, second, third], -1), 0, 1)
    return picture, np.float32(weights / weights.sum(-1, keepdims=True))


# The tongue's middle line from tip to root (y, z) in each pose with the jaw shut, and how much of the jaw's turn each
# of its points goes along; by eye, after textbooks of phonetics.
TONGUE_POSES = {
    "rest": ([(0.055, -0.085), (0.025, -0.13), (0.0, -0.25), (0.02, -0.42), (0.14, -0.55)], (1, 1, 1, 0.9, 0.8)),
    "up": ([(-0.06, -0.075), (-0.03, -0.14), (-0.01, -0.27), (0.02, -0.42), (0.14, -0.55)], (0, 0.2, 0.7, 0.9, 0.8)),
    "between": (
        [(0.002, 0.06), (0.008, -0.03), (0.0, -0.22), (0.02, -0.42), (0.14, -0.55)],
        (0.5, 0.6, 0.9, 0.9, 0.8),
    ),
    "back": ([(0.085, -0.16), (0.05, -0.21), (-0.03, -0.33), (-0.02, -0.45), (0.14, -0.58)], (1, 1, 0.9, 0.8, 0.8)),
}
TONGUE_HALF_WIDTH, TONGUE_HALF_HEIGHT = (0.075, 0.135, 0.185, 0.2, 0.19), (0.022, 0.035, 0.055, 0.07, 0.07)
RINGS, SPOKES = 28, 28


def turned(points: np.ndarray, angle: float | np.ndarray) -> np.ndarray:
    """Points `(..., 3)` or `(..., 2)`, the last two axes y and z, that go along with a jaw opened by `angle` (...)."""
    hinge = teeth()[2]
    result = np.array(points, np.float32)
    y, z = result[..., -2] - hinge[0], result[..., -1] - hinge[1]
    cosine, sine = np.cos(angle), np.sin(angle)
    result[..., -2], result[..., -1] = hinge[0] + cosine * y + sine * z, hinge[1] + cosine * z - sine * y
    return result


@cache
def jaw_shape(angle: float) -> Shape:
    """The lower teeth in their gum with the jaw open by `angle`, radians."""
    lower, hinge = teeth()[1:]
    normals = turned(lower.normals + np.array([0, *hinge]), angle) - np.array([0, *hinge], np.float32)
    return Shape(turned(lower.vertices, angle), lower.triangles, normals, lower.height)


@cache
def tongue_shape(pose: str, angle: float) -> Shape:
    """The tongue in a pose of `TONGUE_POSES` with the jaw open by `angle`, radians."""
    line, shares = (np.array(part, np.float32) for part in TONGUE_POSES[pose])
    line = turned(line, shares * angle)
    knots = np.linspace(0, 1, len(line))
    along = np.linspace(0, 1, RINGS) ** 1.5  # denser at the tip
    tip = np.sqrt(np.clip(1 - (1 - np.minimum(along / 0.15, 1)) ** 2, 0, 1))
    middle = np.stack([_spline(knots, line[:, axis], along) for axis in range(2)], -1)
    across = np.gradient(middle, axis=0)
    across = np.stack([-across[:, 1], across[:, 0]], -1) / np.linalg.norm(across, axis=1, keepdims=True)
    wide = _spline(knots, np.array(TONGUE_HALF_WIDTH), along) * tip
    tall = _spline(knots, np.array(TONGUE_HALF_HEIGHT), along) * tip
    around = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    x = wide[:, None] * np.sign(np.cos(around)) * np.abs(np.cos(around)) ** 0.8
    groove = 0.25 * np.exp(-((x / 0.03) ** 2)) * (np.sin(around) > 0) * np.clip(along / 0.3, 0, 1)[:, None]
    away = tall[:, None] * (np.sin(around) - groove)
    yz = middle[:, None] + away[..., None] * across[:, None]
    vertices = np.concatenate([x[..., None], yz], -1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(RINGS - 1), np.arange(SPOKES), indexing="ij")
    a, b = row * SPOKES + column, row * SPOKES + (column + 1) % SPOKES
    faces = np.concatenate([np.stack([a, b, b + SPOKES], -1), np.stack([a, b + SPOKES, a + SPOKES], -1)])
    return shape(vertices, faces.reshape(-1, 3))


def _spline(knots: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(knots, values)(at)
