"""Two rows of teeth as small textures, front view; the unit is the distance of the outer eye corners."""

from functools import cache

import cv2
import numpy as np


RESOLUTION = 400  # pixels per unit; a unit is about 90 mm on an adult
HALF_WIDTH, HEIGHT = 0.36, 0.16  # of the texture, units
MILLIMETRE = 1 / 90
# From the midline outwards, mm: width, height of the crown, how much the biting edge stands back from the middle ones.
UPPER_TEETH = ((8.5, 10.5, 0.0), (6.5, 9.0, 0.6), (7.5, 10.0, 0.2), (7.0, 8.5, 0.9), (6.8, 8.0, 1.4), (9.5, 7.5, 1.8))
LOWER_TEETH = ((5.0, 8.8, 0.0), (5.5, 9.2, 0.1), (7.0, 10.0, 0.0), (7.0, 8.5, 0.7), (7.1, 8.0, 1.2), (10.5, 7.5, 1.6))
UPPER_ARCH = (28.0, 42.0)  # half width and depth of the dental arch, mm
LOWER_ARCH = (25.5, 38.0)


@cache
def teeth_row(lower: bool) -> np.ndarray:
    """A row of teeth seen from the front.

    Args:
        lower (`bool`): the lower row, biting edge at the top; otherwise the upper row, biting edge at the bottom.

    Returns:
        `np.ndarray`: `(HEIGHT, 2 * HALF_WIDTH, 3)` times `RESOLUTION`, float32 in [0, 1], read only: brightness,
        coverage by teeth, coverage by gum. The biting edge of the middle teeth lies on the first row (lower) or the
        last one (upper).
    """
    over = 2
    height, width = round(HEIGHT * RESOLUTION), 2 * round(HALF_WIDTH * RESOLUTION)
    x = ((np.arange(width * over) + 0.5) / (over * RESOLUTION) - HALF_WIDTH) / MILLIMETRE
    y = (np.arange(height * over) + 0.5) / (over * RESOLUTION) / MILLIMETRE
    teeth, arch = (LOWER_TEETH, LOWER_ARCH) if lower else (UPPER_TEETH, UPPER_ARCH)
    row = np.zeros((len(y), len(x), 3), np.float32)
    for tooth, turns in zip(teeth, _turns(teeth, arch), strict=True):
        _draw_tooth(row, np.abs(x), y[:, None], tooth, turns, arch)
    row = cv2.resize(row, (width, height), interpolation=cv2.INTER_AREA)
    row = np.ascontiguousarray(row if lower else row[::-1])
    row.setflags(write=False)
    return row


def _turns(teeth: tuple, arch: tuple[float, float]) -> np.ndarray:
    """Angles on the elliptic arch of both ends and the middle of each tooth: `(teeth, 3)`, radians."""
    angle = np.linspace(0, np.pi / 2, 2000)
    steps = np.hypot(np.diff(arch[0] * np.sin(angle)), np.diff(arch[1] * np.cos(angle)))
    length = np.concatenate([[0], np.cumsum(steps)])
    ends = np.cumsum([0, *(tooth[0] for tooth in teeth)])
    return np.interp(np.stack([ends[:-1], (ends[:-1] + ends[1:]) / 2, ends[1:]], -1), length, angle)


def _draw_tooth(row: np.ndarray, x: np.ndarray, y: np.ndarray, tooth: tuple, turns: np.ndarray, arch: tuple) -> None:
    _, crown, back = tooth
    left, _, right = arch[0] * np.sin(turns)
    across = (2 * x - left - right) / (right - left)
    columns = np.abs(across) <= 1
    across = across[columns]
    down = y - back - 0.9 * np.abs(across) ** 6
    side = np.cos(turns[1]) ** 0.4 * np.exp(-arch[1] * (1 - np.cos(turns[1])) / 45)  # turned away, and further inside
    joint = 1 - 0.28 * np.abs(across) ** 6
    thin_edge = 0.88 + 0.12 * np.clip(down / 2.5, 0, 1)  # where the dark behind shines through
    neck = 1 - 0.12 * np.clip((down - 0.5 * crown) / (0.5 * crown), 0, 1)
    gum = np.clip((down - crown + 1.2 * across**2) / 0.6, 0, 1)
    row[:, columns, 0] = side * joint * thin_edge * neck
    row[:, columns, 1] = (down >= 0) * (1 - gum)
    row[:, columns, 2] = (down >= 0) * gum
