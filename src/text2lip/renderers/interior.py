"""What is seen between the lips: a dark cavity, the tongue, two rows of teeth, and the shadow of the lips on them.

The upper teeth belong to the head and never move; the lower teeth and the tongue follow the chin. All colours come
from the portrait, so a grey picture has a grey mouth and a dark one a dark mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .base import INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER
from .warp import FaceFrame, smoothstep


LUMA = np.float32([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Palette:
    """Colours of the inside of the mouth, RGB float32 in 0..255."""

    teeth: np.ndarray
    tongue: np.ndarray
    cavity: np.ndarray


def palette(portrait: np.ndarray, points: np.ndarray) -> Palette:
    """Derive the interior's colours from the skin, the lips and the whites of the eyes.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
    """
    skin = np.median(_inside(portrait, points[[50, 205, 206, 92, 164, 322, 426, 425, 280, 4]]), 0)
    lip_ring = np.concatenate([points[list(OUTER_LOWER)], points[list(INNER_LOWER)][::-1]])
    lips = np.median(_inside(portrait, lip_ring), 0)
    eyes = np.concatenate(
        [
            _inside(portrait, points[[33, 160, 158, 133, 153, 144]]),
            _inside(portrait, points[[362, 385, 387, 263, 373, 380]]),
        ]
    )
    skin_luma = float(skin @ LUMA)
    white = float(np.clip(np.percentile(eyes @ LUMA, 90), skin_luma, 1.5 * skin_luma + 30))
    tint = skin / max(skin_luma, 1)
    teeth = np.minimum(white * 0.92, 235) * (1 + 0.30 * (tint - 1))
    return Palette(*(np.float32(c) for c in (teeth, 0.62 * lips, 0.16 * lips)))


def _inside(portrait: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Pixels `(N, 3)` float32 inside a polygon; at least one."""
    height, width = portrait.shape[:2]
    x0, y0 = np.clip(np.floor(polygon.min(0)), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(polygon.max(0)) + 1, [x0 + 1, y0 + 1], [width, height]).astype(int)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon - [x0, y0]).astype(np.int32)], 1)
    part = portrait[y0:y1, x0:x1]
    return (part[mask > 0] if mask.any() else part.reshape(-1, 3)).astype(np.float32)


@dataclass(frozen=True)
class MouthInterior:
    """The interior of one portrait's mouth, drawn in face coordinates."""

    frame: FaceFrame
    colours: Palette
    centre: float  # middle of the teeth, face coordinate to the right
    halves: tuple[float, float]  # half widths of the dental arch, left and right
    edge: float  # incisal edge of the upper teeth, face coordinate down

    def draw(self, box: tuple[int, int, int, int], inside: np.ndarray, gap: float, chin: float) -> np.ndarray:
        """Paint the interior over the whole of `box`.

        Args:
            box (`tuple`): x0, y0, x1, y1, pixels.
            inside (`np.ndarray`): `(height, width)` coverage of the opening.
            gap (`float`): largest distance of the inner lips, in units.
            chin (`float`): how far the chin lies below its place in the portrait, in units.

        Returns:
            `np.ndarray`: `(height, width, 3)` float32, 0..255.
        """
        x, y = np.meshgrid(np.arange(box[0], box[2]), np.arange(box[1], box[3]))
        face = self.frame.coordinates(np.stack([x, y], -1).astype(np.float32))
        soft = max(0.006, 0.6 / self.frame.unit)
        across = face[..., 0] - self.centre
        across = np.where(across < 0, across / self.halves[0], across / self.halves[1])
        side = np.clip(1 - across**2, 0, 1)
        picture = np.broadcast_to(self.colours.cavity, (*x.shape, 3)) * (0.35 + 0.65 * side[..., None])

        jaw = self.edge + chin
        tongue = side * smoothstep(face[..., 1], jaw - 0.01 - 0.02 * side, jaw + 0.07)
        picture = _over(picture, self.colours.tongue, tongue * 0.75)
        lower = smoothstep(face[..., 1] + 0.012 * across**2, jaw + 0.02 - soft, jaw + 0.02 + soft) * _row(
            across * 1.15, 7
        )
        picture = _over(picture, self.colours.teeth * 0.72, lower * 0.9)
        edge = self.edge - 0.025 * across**2
        upper = smoothstep(-face[..., 1], -edge - soft, -edge + soft) * _row(across, 5)
        picture = _over(picture, self.colours.teeth, upper)
        return picture * self._shade(inside, gap, side)[..., None]

    def _shade(self, inside: np.ndarray, gap: float, side: np.ndarray) -> np.ndarray:
        """Shadow of the upper lip and of the corners; a narrow opening lets in little light."""
        unit = self.frame.unit
        reach = max(0.35 * gap * unit, 0.6)
        shift = 0.5 * reach * self.frame.down
        moved = cv2.warpAffine(inside, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), inside.shape[::-1])
        light = cv2.GaussianBlur(moved, (0, 0), reach)
        return np.clip(0.18 + 0.95 * light, 0, 1) * (0.35 + 0.65 * side) * (0.45 + 0.55 * smoothstep(gap, 0.0, 0.08))


def _over(picture: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return picture + (colour - picture) * alpha[..., None]


def _row(across: np.ndarray, teeth: int) -> np.ndarray:
    """Brightness of a row of teeth along the arch: foreshortened and darker to the sides, faint joints."""
    angle = np.arcsin(np.clip(across, -1, 1)) / (np.pi / 2)
    joint = np.abs(np.sin(np.pi * angle * teeth)) ** 0.5
    return np.clip(1 - np.abs(across) ** 3, 0, 1) * (0.86 + 0.14 * joint)


def mouth_interior(portrait: np.ndarray, points: np.ndarray, frame: FaceFrame) -> MouthInterior:
    """Place teeth and colours for a portrait with `(478, 2)` pixel landmarks."""
    face = frame.coordinates(points)
    corners = face[[OUTER_UPPER[0], OUTER_UPPER[-1]], 0]
    centre = float(face[[INNER_UPPER[5], OUTER_UPPER[5]], 0].mean())
    split = np.clip((centre - corners[0]) / (corners[1] - corners[0]), 0.2, 0.8)
    arch = 0.50 * float(face[263, 0] - face[33, 0])
    edge = face[2, 1] + 0.5 * (face[2, 1] - face[6, 1]) + 0.012
    return MouthInterior(frame, palette(portrait, points), centre, (arch * split, arch * (1 - split)), float(edge))
