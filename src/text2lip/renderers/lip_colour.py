"""The colour of lips: of one picture's beside what they have in others of the person."""

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import INNER_LIP_CONTOUR, LIPS, OUTER_LIP_CONTOUR
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.mouth_references import MouthReferences


# By eye; units are distances of the outer eye corners.
LIP_SOFTNESS, LOOKED_AT = 0.02, 0.15  # units: of the lips' edge, and around them what is looked at
LIP_GAINS = (0.75, 1.35)  # by which lips may be changed


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
