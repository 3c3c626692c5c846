"""Whether a portrait's mouth is where the mesh has it, and can be moved whole; what can't is moved less."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from text2lip.faces.canonical import lip_width
from text2lip.faces.geometry import to_pixels
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.pose import head_pose
from text2lip.faces.regions import pixels_within
from text2lip.faces.topology import (
    CHIN_TIP,
    DRIVEN,
    INNER_LIP_CONTOUR,
    INNER_LOWER,
    INNER_LOWER_PAIRED,
    INNER_UPPER,
    INNER_UPPER_PAIRED,
    LIPS,
    MIDFACE,
    OUTER_EYES,
    OUTER_LOWER,
    OUTER_UPPER,
    canonical_mesh,
    driven_index,
)
from text2lip.media.color import to_luma


# Thresholds by eye, on 75 synthetic people; units are distances of the outer eye corners.
MIRRORED_PART = 1.8  # sizes of a face: side of what is looked at again in a mirror
ELSEWHERE = 0.055  # units between lips and the mirror image's: of 115 synthetic portraits one has more, in profile
LOOKED_AGAIN, TURNED = 25.0, 38.0  # degrees to the side
WIDE_OPEN = 0.4  # of the lips' width that is their gap
OPEN = 0.2  # the same, of mouths in which a tongue may be
SMOOTH = 0.5, 1.1  # of a colour, the steepest change towards the lower lip of a tongue: of any colour, and of a lip's
LOWER_MIDDLE = (INNER_LOWER[5], OUTER_LOWER[5])
FLESH_LIGHT, FLESH_RED = (0.7, 1.15), -0.051  # of the lips' light, and redness beside theirs, in which teeth aren't,
REDDER = 0.04  # nor are they so much redder than skin, as a tongue is that the mesh takes for the lower lip
SIDES, ALONG = 0.5, 0.45  # steepest change of colour at both sides of one that hangs out; of that, the most along it;
# of 196 synthetic people with open and shut mouths none that shows no tongue is so, but for two wide open
DARK, UNRED = 0.7, -0.005  # of the skin's light, that hair is, and redness beside the skin's; of 173 people with
# their mouths in view, who may be trained on, two have such an upper lip
COLOURLESS = 0.05  # saturation below which redness says nothing
ASTRAY, HAIRY = 0.15, 0.6  # shares of motion of a closed mouth where the mesh is wrong, and of lips under hair;
TONGUE_SEEN, TONGUE_OUT = 0.3, 0.1  # and beside a tongue; over one that the mesh doesn't know more would draw a mouth


class MouthTrust(NamedTuple):
    """How far a mouth is trusted."""

    motion: float  # in [0, 1], the share of its motion that it makes
    closing: float  # in [0, 1], how far it is closed at rest, if it is open in the portrait
    doubts: tuple[str, ...]  # why, in words


class MouthWarning(UserWarning):
    """A portrait's mouth is hidden, turned away or otherwise hard to move; what can't be trusted moves less."""


def judge_mouth(picture: np.ndarray, landmarks: np.ndarray, mirror: Callable[[], float] | None = None) -> MouthTrust:
    """What makes a portrait's mouth doubtful: turn, hair, tongue, shout, or landmarks that a mirror moves.

    Args:
        picture (`np.ndarray`): uint8 (height, width, 3).
        landmarks (`np.ndarray`): (478, 3), normalised.
        mirror (`Callable`, *optional*): gives the [`mirror_error`], which takes as long as finding the face; asked for
            heads that are turned and mouths that are open.
    """
    points = to_pixels(landmarks, *picture.shape[:2]).astype(np.float64)
    axes, unit = head_pose(points)
    shape = (points[list(DRIVEN)] @ axes.T / unit)[:, :2]
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    opened = float((shape[lower] - shape[upper])[:, 1].max() / lip_width(shape))
    turn = float(np.degrees(np.arctan2(abs(axes[2, 0]), axes[2, 2])))
    skin, lips, upper_lip, inside = _colours(picture, points[:, :2])
    (light, red), (above, red_above) = (
        (to_luma(lip) / max(to_luma(skin), 1), _redness(lip) - _redness(skin)) for lip in (lips, upper_lip)
    )

    found = []  # share of motion, of closing, and why
    unusual = turn > LOOKED_AGAIN or opened > OPEN
    if mirror is not None and unusual and (error := mirror()) > ELSEWHERE:
        why = f"the mesh has its lips {error:.2f} eye distances from where a mirror shows them"
        why = why if np.isfinite(error) else "no face is found in the picture's mirror image"
        found.append((0 if opened > OPEN else ASTRAY, 0, why))
    if turn > TURNED:
        found.append((0.8, 1, f"the head is turned by {turn:.0f} degrees, more than {TURNED:.0f}"))
    if opened > OPEN:
        inner = to_luma(inside) / max(to_luma(lips), 1)
        lit = FLESH_LIGHT[0] < inner < FLESH_LIGHT[1]
        flesh, red = lit and _redness(inside) - _redness(lips) > FLESH_RED, _redness(inside) - _redness(skin) > REDDER
        if _edge_of_lower_lip(picture, points[:, :2]) < SMOOTH[int(flesh or lit and red)]:
            found.append(
                (TONGUE_SEEN if flesh or not lit else TONGUE_OUT, 0, "a tongue seems to lie on the lower lip")
            )
        elif opened > WIDE_OPEN:
            found.append((1, 1, "the mouth is wide open, so that closed lips have to be guessed"))
    if opened < WIDE_OPEN and _hangs_out(picture, points[:, :2]):
        found.append((TONGUE_OUT, 0, "a tongue seems to hang over the lower lip"))
    hidden = light < DARK and red < UNRED or above < DARK and red_above < UNRED
    if hidden and np.ptp(skin) > COLOURLESS * skin.max():
        found.append((HAIRY, 1, "its lips can't be told from the hair or the shade around them"))
    if not found:
        return MouthTrust(1.0, 1.0, ())
    motion, closing, doubts = zip(*found)
    return MouthTrust(float(min(motion)), float(min(closing)), doubts)


def mirror_error(landmarker: FaceLandmarker, picture: np.ndarray, landmarks: np.ndarray) -> float:
    """Mean distance between the lips of a face and those found in its mirror image, units; infinite without a face.

    Args:
        landmarker ([`FaceLandmarker`]): finds the face again.
        picture (`np.ndarray`): uint8 (height, width, 3).
        landmarks (`np.ndarray`): (478, 2 or 3), normalised.
    """
    height, width = picture.shape[:2]
    points = landmarks[:, :2] * (width, height)
    low, high = points.min(0), points.max(0)
    reach = 0.5 * MIRRORED_PART * (high - low).max()
    x0, y0 = np.clip(np.floor(0.5 * (low + high) - reach), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(0.5 * (low + high) + reach), (x0 + 1, y0 + 1), (width, height)).astype(int)
    mirrored = np.ascontiguousarray(picture[y0:y1, x0:x1][:, ::-1])
    vertices = canonical_mesh()[0]
    other_side = [np.linalg.norm(vertices - vertices[point] * (-1, 1, 1), axis=1).argmin() for point in LIPS]
    errors = []
    for face in landmarker.locate_all(mirrored):
        lips = (x1, y0) + face[other_side, :2] * (x1 - x0, y1 - y0) * (-1, 1)
        errors.append(float(np.linalg.norm(lips - points[list(LIPS)], axis=1).mean()))
    right, left = OUTER_EYES
    return min(errors, default=np.inf) / max(float(np.hypot(*(points[left] - points[right]))), 1.0)


def _colours(picture: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """Median colours (3,) of the skin, the lips, the upper one, and what is between them."""
    lips = [pixels_within(picture, points[[*outer, *inner[::-1]]]) for outer, inner in _LIP_SIDES]
    parts = (
        pixels_within(picture, points[list(MIDFACE)]),
        np.concatenate(lips),
        lips[1],
        pixels_within(picture, points[list(INNER_LIP_CONTOUR)]),
    )
    return [np.median(part, axis=0) for part in parts]


def _edge_of_lower_lip(picture: np.ndarray, points: np.ndarray) -> float:
    """Steepest change of colour on the way from the middle of the open mouth into the lower lip, a share of it."""
    upper, lower, outer = (points[list(chain)][3:8] for chain in (INNER_UPPER, INNER_LOWER, OUTER_LOWER))
    start, end = 0.55 * lower + 0.45 * upper, 0.4 * lower + 0.6 * outer
    way = (start[:, None] + np.linspace(0, 1, 41)[:, None] * (end - start)[:, None]).astype(np.float32)
    colours = cv2.remap(picture, way[..., 0] - 0.5, way[..., 1] - 0.5, cv2.INTER_LINEAR).astype(np.float32)
    steps = np.linalg.norm(colours[:, 8:] - colours[:, :-8], axis=-1).max(1)  # over a fifth of the way
    return float(np.median(steps / np.maximum(colours.mean((1, 2)), 20)))


def _hangs_out(picture: np.ndarray, points: np.ndarray) -> bool:
    """Whether from the middle of the lower lip on down there is no change of colour, but one to either side."""
    right = points[OUTER_EYES[1]] - points[OUTER_EYES[0]]
    lower, way = points[LOWER_MIDDLE[1]], points[CHIN_TIP] - points[LOWER_MIDDLE[1]]

    def colours(start: np.ndarray, end: np.ndarray, rows: int, reach: float, columns: int) -> np.ndarray:
        across = np.linspace(-reach, reach, columns)[:, None] * right
        places = start + np.linspace(0, 1, rows)[:, None, None] * (end - start) + across - 0.5
        return cv2.remap(picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    down = colours(points[list(LOWER_MIDDLE)].mean(0), lower + 0.45 * way, 33, 0.05, 5).mean(1, dtype=np.float32)
    down = cv2.GaussianBlur(down, (1, 3), 0)
    along = np.linalg.norm(down[6:] - down[:-6], axis=-1).max() / max(float(down.mean()), 20)
    across = np.log(colours(lower + 0.05 * way, lower + 0.45 * way, 9, 0.34, 41).astype(np.float32) + 8)
    across = cv2.GaussianBlur(across, (5, 1), 0)
    steps = np.linalg.norm(np.median(across[:, 4:] - across[:, :-4], 0), axis=-1)
    sides = min(steps[:17].max(), steps[20:].max())
    return bool(sides > SIDES and along < ALONG * sides)


_LIP_SIDES = ((OUTER_LOWER, INNER_LOWER), (OUTER_UPPER, INNER_UPPER))


def _redness(colour: np.ndarray) -> float:
    """How red a `colour` (3,) is, whatever its brightness."""
    return float((colour[0] - colour[1]) / (colour.sum() + 12))
