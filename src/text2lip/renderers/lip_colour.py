"""The colour of lips: of one picture's beside what they have in others of the person."""

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import to_indices
from text2lip.faces.regions import pixels_within
from text2lip.faces.topology import (
    INNER_LIP_CONTOUR,
    INNER_LOWER_PAIRED,
    INNER_UPPER_PAIRED,
    LIPS,
    MIDFACE,
    OUTER_LIP_CONTOUR,
    OUTER_LOWER_PAIRED,
    OUTER_UPPER_PAIRED,
)
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.mouth_references import MouthReferences


# By eye; units are distances of the outer eye corners.
LIP_SOFTNESS, LOOKED_AT = 0.02, 0.15  # units: of the lips' edge, and around them what is looked at
LIP_GAINS = (0.75, 1.35)  # by which lips may be changed
ACROSS = np.linspace(0.3, 0.7, 5)[:, None, None]  # of a lip's thickness, from its inner line on
TONE_NOISE = 4.0  # grey levels that are added before colours are compared
_INNER, _OUTER = [*INNER_UPPER_PAIRED, *INNER_LOWER_PAIRED], [*OUTER_UPPER_PAIRED, *OUTER_LOWER_PAIRED]


def lip_tones(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Colours along both lips beside that of the skin above them: float32 (18, 3), logarithms of ratios.

    Args:
        picture (`np.ndarray`): uint8 (height, width, 3).
        points (`np.ndarray`): (468 or more, 2 or 3) landmarks, pixels.
    """
    points = points[:, :2]
    inner, outer = points[_INNER], points[_OUTER]
    places = np.float32(inner + (outer - inner) * ACROSS - 0.5)
    lips = cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    skin = np.median(pixels_within(picture, points[list(MIDFACE)]), 0)
    return np.log((lips.mean(0) + TONE_NOISE) / (skin + TONE_NOISE)).astype(np.float32)


def oddness(tones: np.ndarray) -> np.ndarray:
    """How far each frame's lips are from the usual in colour, (frames,): over the third of both lips that is furthest.

    Args:
        tones (`np.ndarray`): (frames, 18, 3), of [`lip_tones`]; NaN where they aren't known, which is odd.
    """
    known = np.isfinite(tones).all((1, 2))
    if not known.any():
        return np.zeros(len(tones))
    away = np.sort(np.linalg.norm(tones[known] - np.median(tones[known], 0), axis=-1), 1)
    odd = np.full(len(tones), np.inf)
    odd[known] = away[:, -(away.shape[1] // 3) :].mean(1)
    return odd


def usual_lips(references: MouthReferences) -> np.ndarray:
    """Mean colour (3,) of the lips in pictures of a person, each with the same light on its skin."""
    colours = []
    for picture, points in zip(references.pictures, references.points * (references.size / references.side)):
        lips = draw_mouth(points, references.size)[..., :2].max(-1) == 255
        if lips.any():
            colours.append(picture[lips].mean(0))
    return np.mean(colours, 0) if colours else np.full(3, np.nan)


def recolour_lips(picture: np.ndarray, landmarks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """A picture with the mean colour of its lips changed: lips that are pressed together are paler than others.

    Args:
        picture (`np.ndarray`): uint8 (height, width, 3).
        landmarks (`np.ndarray`): (478, 2), normalised.
        wanted (`np.ndarray`): (3,), grey levels; NaN changes nothing.

    Returns:
        `np.ndarray`: a new picture.
    """
    height, width = picture.shape[:2]
    points = to_indices(landmarks, height, width)
    unit = float(eye_distance(points))
    lips = points[list(LIPS)]
    x0, y0 = np.clip(np.floor(lips.min(0) - LOOKED_AT * unit), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(lips.max(0) + LOOKED_AT * unit), (x0 + 1, y0 + 1), (width, height)).astype(int)
    mask = np.zeros((y1 - y0, x1 - x0), np.float32)
    for contour, value in ((OUTER_LIP_CONTOUR, 1.0), (INNER_LIP_CONTOUR, 0.0)):
        outline = np.round((points[list(contour)] - (x0, y0)) * 16).astype(np.int32)
        cv2.fillPoly(mask, [outline], value, cv2.LINE_AA, shift=4)
    changed, view = picture.copy(), picture[y0:y1, x0:x1].astype(np.float32)
    if mask.sum() < 8 or not np.isfinite(wanted).all():
        return changed
    own = (view * mask[..., None]).sum((0, 1)) / mask.sum()
    gain = np.clip(wanted / np.maximum(own, 1), *LIP_GAINS).astype(np.float32)
    soft = np.minimum(cv2.GaussianBlur(mask, (0, 0), LIP_SOFTNESS * unit), 1)[..., None]
    changed[y0:y1, x0:x1] = np.rint(view * (1 + soft * (gain - 1))).clip(0, 255)
    return changed
