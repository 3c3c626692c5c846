"""The light on a face that feels: folds beside nose and mouth, furrows between and above the brows, pouches of lids.

Skin that is pushed together folds, and a fold has a dark line and a bright ridge beside it; at the size of a film they
tell a feeling better than the skin's motion does. The light multiplies, so that texture stays and black stays black.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from text2lip.faces.crop import crop, mouth_crop_transform
from text2lip.renderers.photograph import photographic
from text2lip.renderers.warp import FaceFrame, smoothstep


SHADE_GRID = 64  # nodes of a unit, the distance of the outer eye corners
FOLD_ENDS = (0.12, 0.45)  # of a fold's length, in which it fades: above, below
SKIN_SHADE = (0.72, 1.06, 1.2)  # powers of red, green, blue: shaded skin is redder
FOLD_REACH = 6.5  # of its width, around it
RIDGE = (2.3, 2.0)  # of a fold's width: how far beside it the ridge is, and how wide
SMILE_FOLD = {"Left": (279, 423, 426, 436), "Right": (49, 203, 206, 216)}  # from nose to mouth
SNEER_FOLD = {"Left": (355, 279, 423, 426, 436, 432), "Right": (126, 49, 203, 206, 216, 212)}
FROWN_FOLD = {"Left": (291, 273, 424), "Right": (61, 43, 204)}  # below the corner of the mouth
POUCH = {"Left": (453, 451, 450, 449, 448), "Right": (233, 231, 230, 229, 228)}  # below the lower lid
FURROW = {"Left": (285, 336), "Right": (55, 107)}  # at the inner end of a brow
INNER_LINES = {"Left": (66, 107, 9, 336, 296), "Right": (296, 336, 9, 107, 66)}  # from one brow to the other, by both
OUTER_LINES = {"Left": (336, 296, 334, 293), "Right": (107, 66, 105, 63)}  # over a brow
LINES_ABOVE = ((0.08, 0.026, 0.07), (0.15, 0.032, 0.12), (0.245, 0.028, 0.05))  # units above a brow; width; how dark
SNARL = {"Left": (122, 6, 351, 412), "Right": (351, 6, 122, 188)}  # across the root of the nose, from the other side
# Channel, without its side: path; shift (out, down) and half width, units; how dark and bright, logarithmic
SKIN_FOLDS = {
    "mouthSmile": ((SMILE_FOLD, (0.012, 0.000), 0.022, 0.18, 0.06),),
    "cheekSquint": ((POUCH, (0.000, 0.012), 0.022, 0.18, 0.06),),
    "noseSneer": (
        (SNEER_FOLD, (-0.006, 0.000), 0.042, 0.25, 0.06),
        (SNARL, (0.000, 0.000), 0.028, 0.05, 0.015),
        (SNARL, (0.000, 0.065), 0.028, 0.07, 0.02),
    ),
    "browDown": ((FURROW, (-0.040, 0.000), 0.022, 0.32, 0.05),),
    "mouthFrown": ((FROWN_FOLD, (0.024, 0.020), 0.034, 0.15, 0.03),),
    "browInnerUp": tuple((INNER_LINES, (0.000, -up), wide, 0.6 * dark, 0.2 * dark) for up, wide, dark in LINES_ABOVE),
    "browOuterUp": tuple((OUTER_LINES, (0.000, -up), wide, dark, 0.3 * dark) for up, wide, dark in LINES_ABOVE),
}


class ExpressionShade:
    """The shade of face units on one portrait.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8; a drawing gets none.
        points (`np.ndarray`): (478, 2) pixel landmarks.
        face (`FaceFrame`): of these landmarks.
    """

    def __init__(self, picture: np.ndarray, points: np.ndarray, face: FaceFrame):
        height, width = picture.shape[:2]
        self.step = max(1, round(face.unit / SHADE_GRID))
        low, high = np.floor(points[:468].min(0)), np.ceil(points[:468].max(0)) + 1
        x0, y0 = np.clip(low, 0, (width - 1, height - 1)).astype(int).tolist()
        x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height)).astype(int).tolist()
        self.box = x0, y0, x1, y1
        x, y = (np.arange(a, b, self.step) + 0.5 * (self.step - 1) for a, b in ((x0, x1), (y0, y1)))
        at = face.coordinates(np.stack(np.meshgrid(x, y), -1)).astype(np.float32)
        where, share = face.coordinates(points), photographic(crop(picture, mouth_crop_transform(points + 0.5)))
        self.maps: dict[str, np.ndarray] = {}
        for name, folds in SKIN_FOLDS.items():
            for side, outwards in (("Left", 1), ("Right", -1)):
                shade = np.zeros(at.shape[:2], np.float32)
                for paths, (out, down), wide, dark, bright in folds:
                    path = where[list(paths[side])] + (outwards * out, down)
                    near = (at > path.min(0) - FOLD_REACH * wide) & (at < path.max(0) + FOLD_REACH * wide)
                    rows, columns = (np.flatnonzero(near.all(-1).any(axis)) for axis in (1, 0))
                    if len(rows):  # else it lies outside of the picture
                        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                        shade[part] += share * _fold(at[part], path, outwards, wide, dark, bright)
                channel = name if name == "browInnerUp" else name + side
                self.maps[channel] = self.maps.get(channel, 0) + shade

    def draw(self, frame: np.ndarray, row: Mapping[str, float]) -> None:
        """Shade `frame`, in place, by a row of a [`MotionPlan`], channels by name."""
        amounts = {name: amount for name in self.maps if (amount := row.get(name, 0.0)) > 1e-3}
        if not amounts:
            return
        shade = sum(amount * self.maps[name] for name, amount in amounts.items())
        light = np.exp(shade[..., None] * np.float32(SKIN_SHADE))
        x0, y0, x1, y1 = self.box
        size = light.shape[1] * self.step, light.shape[0] * self.step
        light = cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)[: y1 - y0, : x1 - x0]
        view = frame[y0:y1, x0:x1]
        view[:] = cv2.multiply(view, light, dtype=cv2.CV_8U)


def _fold(at: np.ndarray, path: np.ndarray, outwards: int, wide: float, dark: float, bright: float) -> np.ndarray:
    """Logarithm of the light of a fold along `path` (n, 2) at places `at` (rows, columns, 2): a dark line, and a ridge
    on its outer side, above where the path runs across."""
    line = _curve(path)
    step = np.gradient(line, axis=0)
    step /= np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-6)
    away = at[:, :, None] - line
    nearest = (away**2).sum(-1).argmin(-1)
    away = np.take_along_axis(away, nearest[..., None, None], 2)[:, :, 0]
    along = (away * step[nearest]).sum(-1)
    beside = outwards * (away[..., 1] * -step[nearest][..., 0] + away[..., 0] * step[nearest][..., 1])
    place = nearest / (len(line) - 1)
    fade = smoothstep(place, 0, FOLD_ENDS[0]) * smoothstep(1 - place, 0, FOLD_ENDS[1])
    across = np.hypot(beside, np.where((nearest == 0) | (nearest == len(line) - 1), along, 0)) * np.sign(beside)
    ridge = np.exp(-(((across - RIDGE[0] * wide) / (RIDGE[1] * wide)) ** 2))
    return (fade * (bright * ridge - dark * np.exp(-((across / wide) ** 2)))).astype(np.float32)


def _curve(path: np.ndarray, count: int = 32) -> np.ndarray:
    """A smooth line of `count` points along a path (n, 2): corners are cut (Chaikin 1974)."""
    for _ in range(3):
        path = np.concatenate([path[:1], *np.stack([0.75 * path[:-1] + 0.25 * path[1:],
                                                    0.25 * path[:-1] + 0.75 * path[1:]], 1), path[-1:]])  # fmt: skip
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=-1))])
    places = np.linspace(0, length[-1], count)
    return np.stack([np.interp(places, length, path[:, axis]) for axis in (0, 1)], -1).astype(np.float32)
