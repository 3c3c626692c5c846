"""Teeth and tongue: pictures of the mouth of a CC0 head, front view, made by a script in `utils`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np


FOLDER = Path(__file__).parents[1] / "assets" / "mouth"
MOUTH_WIDTH = 0.55  # of the sprites' head, in outer eye distances


@dataclass(frozen=True)
class Sprite:
    """One part of the mouth.

    Attributes:
        image: `(rows, columns, 4)` float32 in [0, 1], RGB times coverage and coverage; read only.
        origin: x, y in the image of the middle of the biting edge, or of the tongue's tip.
        density: pixels per outer eye distance.
        rest: how far the origin lies below the corners of the closed mouth, outer eye distances.
        share: of the jaw's way that the part goes along.
    """

    image: np.ndarray
    origin: tuple[float, float]
    density: float
    rest: float
    share: float


@cache
def sprites() -> dict[str, Sprite]:
    """The sprites by name: "upper_teeth", "lower_teeth" and "tongue"."""
    notes = json.loads((FOLDER / "mouth.json").read_text(encoding="utf-8"))
    density = notes["pixels_per_unit"] / MOUTH_WIDTH
    parts = {}
    for name, note in notes["sprites"].items():
        encoded = np.frombuffer((FOLDER / note["file"]).read_bytes(), np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]].astype(np.float32) / 255
        image[..., :3] *= image[..., 3:]
        image.setflags(write=False)
        rest = note["closed_position"][1] * MOUTH_WIDTH
        parts[name] = Sprite(image, tuple(note["origin_px"]), density, rest, note["jaw_share"])
    return parts


@cache
def tooth_colour() -> np.ndarray:
    """Mean colour of the upper incisors in their sprite, RGB float32 in [0, 1]."""
    upper = sprites()["upper_teeth"]
    x, y = (round(v) for v in upper.origin)
    patch = upper.image[y - 50 : y - 8, x - 55 : x + 55].reshape(-1, 4)
    patch = patch[patch[:, 3] > 0.98]
    return patch[:, :3].mean(0)


def place(sprite: Sprite, x: np.ndarray, y: np.ndarray, density: float) -> np.ndarray:
    """Resample a sprite on a grid.

    Args:
        sprite (`Sprite`): the part.
        x (`np.ndarray`): `(columns,)` distances to the right of its origin, outer eye distances.
        y (`np.ndarray`): `(rows,)` distances below its origin.
        density (`float`): grid points per outer eye distance, so that a smaller picture is averaged, not skipped over.

    Returns:
        `np.ndarray`: `(rows, columns, 4)` float32, colour times coverage and coverage.
    """
    image, scale = sprite.image, min(density / sprite.density, 1.0)
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    if scale < 1:
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    ratio = np.array(size) / (sprite.image.shape[1], sprite.image.shape[0])
    columns = ((x * sprite.density + sprite.origin[0]) * ratio[0] - 0.5).astype(np.float32)
    rows = ((y * sprite.density + sprite.origin[1]) * ratio[1] - 0.5).astype(np.float32)
    return cv2.remap(image, *np.meshgrid(columns, rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
