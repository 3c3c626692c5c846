"""The smooth displacement field of the lower face: scattered landmarks in, a dense backward map out.

Two fields share the jaw and the corners of the mouth: one follows the upper lip, one the lower lip. Each is smooth
across the mouth, so that lips part and meet without folds; which of them a pixel obeys is decided by the contour.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from text2lip.faces.topology import (
    ABOVE_JAW,
    ANCHORS,
    CHIN_TIP,
    EARS,
    JAW,
    LOWER_LIDS,
    LOWER_SIDE,
    NOSE_BASE,
    NOSE_ROOT,
    OUTER_EYES,
    UPPER_SIDE,
    canonical_mesh,
)


# How the lower face moves, in units (distances of the outer eye corners); by eye.
CELLS_PER_UNIT = 40  # of the grid on which motion is known
KERNEL_WIDTH = 0.06  # of the multiquadric
SMOOTHING = 2e-4  # by which it may miss its control points
SURROUNDINGS = (0.13, 0.45)  # what is outside of the face goes along: at the ears, and below the chin
BESIDE, BELOW_LIDS, UNDER_LIDS = 0.25, 0.06, 0.1  # of what may move: left and right, from the lids on, at least
INSIDE_JAW = 0.05  # where all of the motion is
RING = 0.42  # how far around the jaw points stay, in its distances from the middle under the nose
NOSE_UNITS = 1.8  # lengths of the nose that a unit has at least
PARTIAL_STEPS = (1 / 4, 1, 1 / 3, 1, 1 / 2, 1, 2 / 3, 1)  # shares of steps that turn a forward field around
EXACT = 0.01  # pixels by which a node may miss its place before it goes through them
NODES_AT_ONCE = 30_000  # nodes, of which OpenCV takes fewer than 32,767
CUBIC_BELOW = 250  # pixels per unit: a larger face has detail to spare, bilinear sampling will do


@dataclass(frozen=True)
class FaceFrame:
    """An orthonormal frame on the face, in pixels: `origin` between the eyes, `unit` the outer eye distance."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray
    unit: float

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Pixels `(..., 2)` to face coordinates `(..., 2)` in units: (right, down)."""
        return (points - self.origin) @ (np.stack([self.right, self.down], -1) / np.float32(self.unit))

    def pixels(self, coordinates: np.ndarray) -> np.ndarray:
        """Face coordinates `(..., 2)` to pixels `(..., 2)`."""
        c = np.asarray(coordinates, np.float32) * self.unit
        return self.origin + c[..., :1] * self.right + c[..., 1:] * self.down


def face_frame(points: np.ndarray) -> FaceFrame:
    """Frame of a face from its `(478, 2)` pixel landmarks.

    The unit is the distance of the outer eye corners (33-263); on a turned head, where that is foreshortened, the
    length of the nose takes its place. Raises `ValueError` when the landmarks span less than a pixel.
    """
    right_eye, left_eye = OUTER_EYES
    across = points[left_eye] - points[right_eye]
    span = float(np.hypot(*across))
    if span < 1:
        raise ValueError(
            f"`source_landmarks` describe a face of {span:.2f} px between the eyes; it must span 1 px or more."
        )
    right = across / span
    down = np.array([-right[1], right[0]], np.float32)
    nose = float((points[NOSE_BASE] - points[NOSE_ROOT]) @ down)
    return FaceFrame(points[NOSE_ROOT], right, down, max(span, NOSE_UNITS * nose))


def smoothstep(x, low, high):
    """Cubic ramp from 0 at `low` to 1 at `high`."""
    t = (x - low) / (high - low)
    t = np.clip(t, 0, 1) if isinstance(t, np.ndarray) else min(max(t, 0), 1)  # of one number much faster
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class WarpField:
    """The part of a portrait that can move, and the two linear maps from landmark motion to displacement.

    Attributes:
        box: x0, y0, x1, y1 of the region in the portrait, pixels.
        step: size of a grid cell in pixels; node (i, j) is the centre of cell (i, j).
        shape: rows and columns of the grid.
        face: grid nodes in face coordinates, `(rows, columns, 2)`.
        basis: `(2, rows * columns, 39)`, displacement at the nodes per unit displacement of each control point.
        window: `(rows, columns)`, one on the lower face, falling to zero around it.
    """

    box: tuple[int, int, int, int]
    step: int
    shape: tuple[int, int]
    face: np.ndarray
    basis: np.ndarray
    window: np.ndarray

    @cached_property
    def grid(self) -> np.ndarray:
        """Columns and rows of the nodes, `(rows, columns, 2)` float32."""
        rows, columns = self.shape
        return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).astype(np.float32)

    def backward(self, side: int, displacement: np.ndarray) -> np.ndarray:
        """Where each grid node comes from, relative to itself.

        The forward field d moves x to x + d(x). Its inverse solves x = y - d(x), by fixed-point iteration. Where skin
        is stretched to more than twice its length, whole steps alone would part from it: shorter ones are between
        them, each exact at one stretch (Richardson's iteration). Nodes that two whole steps have brought to their
        place are spared them.

        Args:
            side (`int`): 0 for the upper lip's field, 1 for the lower lip's.
            displacement (`np.ndarray`): `(39, 2)` pixels, of `UPPER_SIDE` or `LOWER_SIDE`.

        Returns:
            `np.ndarray`: `(rows, columns, 2)` float32, pixels.
        """
        x, y = np.ascontiguousarray(displacement.T, np.float32)
        basis = self.basis[side]  # two thin products: one wide one would wake all threads of the BLAS
        forward = np.stack([basis @ x, basis @ y], -1).reshape(*self.shape, 2)
        back = -_at(forward, self.grid - forward / self.step)
        missed = back + _at(forward, self.grid + back / self.step)
        far = np.flatnonzero(cv2.magnitude(*cv2.split(missed)) > EXACT)
        for some in (far[first : first + NODES_AT_ONCE] for first in range(0, len(far), NODES_AT_ONCE)):
            grid, there = self.grid.reshape(-1, 1, 2)[some], -forward.reshape(-1, 1, 2)[some]
            for share in PARTIAL_STEPS:
                there -= share * (there + _at(forward, grid + there / self.step))
            back.reshape(-1, 1, 2)[some] = there
        return back

    def maps(self, nodes: np.ndarray, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel of `box` (x0, y0, x1, y1, inside the region) comes from, x and y, (height, width) float32.

        `nodes` are what [`backward`] gives, `(rows, columns, 2)`.
        """
        left, top = box[0] - self.box[0], box[1] - self.box[1]
        right, bottom = box[2] - self.box[0], box[3] - self.box[1]
        x0, y0 = max(left // self.step - 1, 0), max(top // self.step - 1, 0)
        part = nodes[y0 : bottom // self.step + 2, x0 : right // self.step + 2]
        size = (part.shape[1] * self.step, part.shape[0] * self.step)
        x0, y0 = x0 * self.step, y0 * self.step
        x, y = (
            cv2.resize(np.ascontiguousarray(part[..., i]), size, interpolation=cv2.INTER_LINEAR)[
                top - y0 : bottom - y0, left - x0 : right - x0
            ]
            for i in (0, 1)
        )
        x += np.arange(box[0], box[2], dtype=np.float32)
        y += np.arange(box[1], box[3], dtype=np.float32)[:, None]
        return x, y


def _at(values: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Grid `values` (rows, columns, 2) at the nodes (..., 2), (x, y), between others too."""
    return cv2.remap(values, nodes, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def warp_field(points: np.ndarray, frame: FaceFrame, height: int, width: int) -> WarpField:
    """Build the field of a portrait from its `(478, 2)` pixel landmarks; about 20 ms at 100 px between the eyes."""
    face = unfold(frame.coordinates(points))
    left, right, top, bottom = _limits(face)
    corners = frame.pixels(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
    x0, y0 = np.clip(np.floor(corners.min(0)), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(0)) + 1, [x0 + 1, y0 + 1], [width, height]).astype(int)
    step = max(1, round(frame.unit / CELLS_PER_UNIT))
    columns, rows = -(-(x1 - x0) // step), -(-(y1 - y0) // step)
    x = x0 + (np.arange(columns) + 0.5) * step - 0.5
    y = y0 + (np.arange(rows) + 0.5) * step - 0.5
    nodes = frame.coordinates(np.stack(np.meshgrid(x, y), -1)).astype(np.float32)
    window = _window(nodes, face).astype(np.float32)
    sides = (_basis(nodes.reshape(-1, 2), face, side) * window.reshape(-1, 1) for side in (UPPER_SIDE, LOWER_SIDE))
    box, basis = (int(x0), int(y0), int(x1), int(y1)), np.stack([*sides]).astype(np.float32)
    return WarpField(box, step, (rows, columns), nodes, basis, window)


def unfold(face: np.ndarray) -> np.ndarray:
    """Lay the hidden part of a turned head's outline beside what is seen of the face, as far outside as it is inside.

    Behind the mouth its points would hold the lips back that are seen there. On a face from the front little moves.

    Args:
        face (`np.ndarray`): `(478, 2)` face coordinates.

    Returns:
        `np.ndarray`: the same, a new array.
    """
    face = face.copy()
    mesh = face[: canonical_mesh()[0].shape[0]]
    triangles = canonical_mesh()[1]
    (a, b), (c, d) = (np.moveaxis(mesh[triangles[:, side]] - mesh[triangles[:, 0]], -1, 0) for side in (1, 2))
    towards = np.bincount(triangles.ravel(), np.repeat(b * c - a * d, 3), len(mesh))  # area that looks at the viewer
    outline = np.array([*JAW, *ABOVE_JAW])
    hidden = outline[towards[outline] < 0]
    seen = cv2.convexHull(mesh.astype(np.float32))[:, 0]
    face[hidden] += 2 * (_nearest(face[hidden], seen)[0] - face[hidden])
    return face


def _limits(face: np.ndarray) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of what may move, in face coordinates."""
    sides = face[[*EARS, *JAW], 0]
    top = face[LOWER_LIDS, 1].max() + BELOW_LIDS
    return sides.min() - BESIDE, sides.max() + BESIDE, top, face[CHIN_TIP, 1] + SURROUNDINGS[1]


def _window(nodes: np.ndarray, face: np.ndarray) -> np.ndarray:
    """One on lips, cheeks and chin, falling smoothly to exactly zero: below the chin, where the skin of the neck goes
    along, within half a unit, beside the jaw, where hair and collars are, sooner."""
    left, right, top, bottom = _limits(face)
    x, y = nodes[..., 0], nodes[..., 1]
    inner = face[list(JAW), 0]
    across = smoothstep(x, left, inner.min() + INSIDE_JAW) * smoothstep(-x, -right, -inner.max() + INSIDE_JAW)
    below = smoothstep(-y, -bottom, -face[CHIN_TIP, 1])
    distance, along = _outside(nodes.reshape(-1, 2), face)
    reach = SURROUNDINGS[0] + (SURROUNDINGS[1] - SURROUNDINGS[0]) * (1 - along)
    beside = 1 - smoothstep(distance / reach, 0.0, 1.0).reshape(x.shape)
    above = smoothstep(y, top, max(face[NOSE_BASE, 1], top + UNDER_LIDS))
    return np.minimum(np.minimum(across, below), beside) * above


def _outside(points: np.ndarray, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far `points` (n, 2) are outside of the face, units, 0 inside; and where the nearest point of its outline is:
    0 at the chin, 1 at the ears and above, (n,) each."""
    outline = face[[*JAW, *ABOVE_JAW]]
    share = np.abs(np.linspace(-1, 1, len(JAW)))
    share = np.concatenate([share, np.ones(len(ABOVE_JAW))])
    start, step = outline, np.roll(outline, -1, 0) - outline
    place, segment, part = _nearest(points, outline)
    gap = np.linalg.norm(points - place, axis=-1)
    # Inside, a ray to the right crosses the outline an odd number of times.
    (x, y), (x0, y0), (x1, y1) = points.T[..., None], start.T, (start + step).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crosses = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    outside = crosses.sum(1) % 2 == 0
    along = share[segment] + part * (np.roll(share, -1) - share)[segment]
    return gap * outside, along


def _nearest(points: np.ndarray, outline: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the closed `outline` (m, 2), what is nearest to `points` (n, 2): where, after which of its points, how far on
    to the next one."""
    step = np.roll(outline, -1, 0) - outline
    away = points[:, None] - outline  # (n, segments, 2)
    part = np.clip((away * step).sum(-1) / (step**2).sum(-1), 0, 1)
    gap = np.linalg.norm(away - part[..., None] * step, axis=-1)
    segment = gap.argmin(1)
    part = part[np.arange(len(points)), segment]
    return outline[segment] + part[:, None] * step[segment], segment, part


def _basis(nodes: np.ndarray, face: np.ndarray, side: tuple[int, ...]) -> np.ndarray:
    """Multiquadric interpolation: values at `nodes` (N, 2) per unit value at each point of `side`, zero at anchors."""
    jaw = face[[EARS[0], *JAW, EARS[1]]]
    ring = jaw + RING * (jaw - np.array([0.5 * (jaw[0, 0] + jaw[-1, 0]), face[NOSE_BASE, 1]]))
    centres = np.concatenate([face[list(side)], face[list(ANCHORS)], ring]).astype(np.float32)
    kernel = multiquadric(centres, centres) - SMOOTHING * np.eye(len(centres))
    weights = np.linalg.solve(kernel.astype(np.float64), np.eye(len(centres))[:, : len(side)])
    return multiquadric(nodes, centres) @ weights.astype(np.float32)


def multiquadric(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hardy's kernel (1971) between points `(N, 2)` and `(M, 2)` in units: `(N, M)`."""
    square = (a[:, None, 0] - b[None, :, 0]) ** 2 + (a[:, None, 1] - b[None, :, 1]) ** 2
    return np.sqrt(square + KERNEL_WIDTH**2)
