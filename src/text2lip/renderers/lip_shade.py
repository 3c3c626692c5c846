"""How skin and lips darken and brighten as the mouth moves: folds of the cheeks, the hollow under the lower lip.

A linear map from lip motion to the logarithm of light over the mouth crop, the same for everybody. It multiplies, so
that texture stays and black stays black. `examples/fit_lip_shade.py` fits it. Lips that purse come forward, which no
motion in the picture tells: they get light where they bulge, and shade below and in the corners.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from text2lip.faces.crop import CROP_BELOW, CROP_SIDE, crop, mouth_crop_transform
from text2lip.faces.topology import DRIVEN, INNER_MIDDLE, MOUTH_CORNERS, OUTER_LOWER
from text2lip.renderers.photograph import photographic
from text2lip.renderers.warp import FaceFrame, WarpField, smoothstep


SHADES = Path(__file__).parents[1] / "assets" / "lip_shade.npz"
SHADE_CELLS = 16  # of the map, in each direction
SHADE_REACH = (0.56, 0.44)  # half axes of the ellipse that is shaded, units
SHADE_FADE = (0.94, 1.25)  # where it fades out, in its half axes
MOST_SHADE = 0.3  # of the logarithm of light, either way
LEAST_LIP = 0.03  # units: height of a lower lip
# Of pursed lips, by eye: narrower than at rest by these shares, and no further apart than these units, all to none;
PURSE, PURSE_GAP = (0.05, 0.16), (0.07, 0.13)
# light, its place across in half widths of the mouth and down in heights of the lower lip, and its reach in both: on
# the lower lip, in the fold below it, on the upper lip's edge, in the corners.
BULGE = (
    (0.15, 0, 0.68, 0.4, 0.32),
    (-0.14, 0, 1.55, 0.5, 0.28),
    (0.06, 0, -0.75, 0.3, 0.2),
    (-0.1, -0.82, 0.1, 0.1, 0.35),
    (-0.1, 0.82, 0.1, 0.1, 0.35),
)


@cache
def lip_shades() -> tuple[np.ndarray, np.ndarray]:
    """Directions of lip motion, float32 (114, shades), and the shade that each gives, (shades, 16, 16), logarithmic;
    of the 57 driven points' motion in units, x right, y down."""
    with np.load(SHADES) as stored:
        return stored["directions"].astype(np.float32), stored["shades"].astype(np.float32)


class LipShade:
    """The light that the lips' motion makes on the nodes of a portrait's warp; read only.

    Args:
        portrait (`np.ndarray`): (height, width, 3) uint8; a drawing is not shaded.
        points (`np.ndarray`): (478, 2) its landmarks, pixel indices.
        face ([`FaceFrame`]): the frame of its face.
        field ([`WarpField`]): how it moves; what does not is not shaded.
    """

    def __init__(self, portrait: np.ndarray, points: np.ndarray, face: FaceFrame, field: WarpField):
        self.directions, shades = lip_shades()
        self.turn = np.stack([face.right, face.down], -1) / np.float32(face.unit)
        self.points = points[list(DRIVEN)]
        middle = face.coordinates(points[list(MOUTH_CORNERS)]).mean(0) + (0, CROP_BELOW)
        away = field.face - middle
        share = photographic(crop(portrait, mouth_crop_transform(points + 0.5)))
        out = np.linalg.norm(away / SHADE_REACH, axis=-1)
        window = share * field.window * smoothstep(-out, -SHADE_FADE[1], -SHADE_FADE[0])
        self.shades = _sampled(shades, (away / CROP_SIDE + 0.5) * SHADE_CELLS - 0.5) * window.astype(np.float32)
        rows, columns = (np.flatnonzero(window.any(axis)) for axis in (1, 0))
        self.rows = slice(rows[0], rows[-1] + 1) if len(rows) else slice(0, 0)
        self.columns = slice(columns[0], columns[-1] + 1) if len(columns) else slice(0, 0)
        self.shades = np.ascontiguousarray(self.shades[:, self.rows, self.columns])
        self.width, _ = self._opening(points)
        self.bulge = (_bulge(field.face, face.coordinates(points)) * window)[self.rows, self.columns].astype(
            np.float32
        )

    def light(self, target: np.ndarray) -> np.ndarray:
        """What to multiply light by for landmarks at `target` (478, 2), pixel indices: float32, at the nodes of `rows`
        and `columns`; 1 around them and where the lips are as in the portrait."""
        moved = ((target[list(DRIVEN)] - self.points) @ self.turn).ravel().astype(np.float32)
        shade = np.tensordot(moved @ self.directions, self.shades, 1)
        if pursed := self.pursed(target):
            shade += np.float32(pursed) * self.bulge
        return np.exp(MOST_SHADE * np.tanh(shade / MOST_SHADE))

    def pursed(self, target: np.ndarray) -> float:
        """How much lips at `target` (478, 2), pixel indices, are pursed: narrower than in the portrait, hardly parted;
        in [0, 1]."""
        width, gap = self._opening(target)
        return float(smoothstep(1 - width / self.width, *PURSE) * (1 - smoothstep(gap, *PURSE_GAP)))

    def _opening(self, points: np.ndarray) -> tuple[float, float]:
        """Width and gap of a mouth, units."""
        ways = points[[MOUTH_CORNERS[1], INNER_MIDDLE[1]]] - points[[MOUTH_CORNERS[0], INNER_MIDDLE[0]]]
        across, open_by = np.hypot(*(ways @ self.turn).T)
        return max(float(across), 1e-3), float(open_by)


def _bulge(nodes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Logarithm of the light on pursed lips at nodes (rows, columns, 2), of points (478, 2), both face coordinates."""
    corners = points[list(MOUTH_CORNERS)]
    middle, half = points[INNER_MIDDLE[1]], np.float32([np.ptp(corners[:, 0]) / 2, 0])
    down = np.float32([0, max(float(points[OUTER_LOWER[5], 1] - middle[1]), LEAST_LIP)])
    shade = np.zeros(nodes.shape[:2], np.float32)
    for light, x, y, wide, high in BULGE:
        away = (nodes - middle - x * half - y * down) / (wide * half[0], high * down[1])
        shade += light * np.exp(-(away**2).sum(-1))
    return shade


def _sampled(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Maps (n, 16, 16) at places (rows, columns, 2), indices (x, y), bicubic: (n, rows, columns)."""
    x, y = np.moveaxis(places.astype(np.float32), -1, 0)
    return np.stack([cv2.remap(one, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE) for one in maps])
