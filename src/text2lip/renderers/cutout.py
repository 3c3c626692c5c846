"""A person cut out of a picture: a matte, and the picture behind, filled in where the person hides it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from text2lip.faces.person_matte import builtin_matte
from text2lip.faces.topology import FACE_OVAL
from text2lip.media.pixels import NEUTRAL_GREY
from text2lip.renderers.warp import FaceFrame, smoothstep


# Units are distances of the outer eye corners; by eye.
HEAD_CROP = ((-2.4, 2.4), (-2.6, 2.6))  # what the network looks at: right and down of the face
MATTE_DETAIL = 250  # pixels per unit up to which every pixel is looked at
STRIP_ROWS = 256  # of a large picture, that are put together at once
MATTE_EDGE = 0.035  # how far the matte's edge may be moved onto the picture's
ISLAND = 0.2  # of the matte; what is joined to the face by no more than this is left out
EDGE_CONTRAST = 1e-3  # variance of light, of white, that is an edge
CLEAR = (0.06, 0.94)  # of the matte, what is nobody and what is all a person
WISP_WIDTH, WISP = 0.02, 0.03  # how thin a wisp of hair is; how far around it goes along
WISPS = (0.35, 0.7)  # from the matte: wisps are found up to here; where their share ends
CLEAN = 0.05  # from the matte, where nothing has the person's colour, but wisps
PLAIN = (0.5, 1.6)  # from the matte, where there is background alone
WISP_CONTRAST = (2.5, 2.0, 5.0, 6.0)  # fine, of the background's and in 0..255: from which on it is hair, and surely
HAIR_RIM = (0.03, (0.05, 0.16), (1.5, 4.0))  # around the person, what may have their colour: surely; hardly, where the
# background is full of detail or plain, by its fine contrast
FILL_SIDES, FILL_STEPS = (12, 24, 48, 96), 40  # pixels of the copies that are filled; steps on each


@dataclass(frozen=True, eq=False)
class Cutout:
    """Person and background of a picture.

    Attributes:
        matte: (height, width) float32 in 0..1, how much of a pixel is person.
        behind: (height, width, 3) uint8, the picture without the person, equal to it where the matte is 0.
        sure: (height, width) float32 in 0..1, the matte as the network gave it.
    """

    matte: np.ndarray
    behind: np.ndarray
    sure: np.ndarray


def cut_out(picture: np.ndarray, points: np.ndarray, face: FaceFrame) -> Cutout:
    """Tell a person from what is behind.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8 RGB.
        points (`np.ndarray`): (478, 2) pixel landmarks.
        face (`FaceFrame`): of these landmarks.
    """
    network, size = builtin_matte(), picture.shape[:2]
    sure, head = network.segment(picture), _area(HEAD_CROP, face, size)
    sure[head] = 0.5 * (sure[head] + network.segment(picture[head]))
    return Cutout(*_apart(picture, sure, points, face), sure)


def _area(reach: tuple, face: FaceFrame, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a picture of `size` that lie right and down of a face as `reach` says, units."""
    height, width = size
    corners = face.pixels(np.array([(x, y) for x in reach[0] for y in reach[1]], np.float32))
    x0, y0 = np.clip(np.floor(corners.min(0)), 0, (width - 2, height - 2)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(corners.max(0)) + 1, (x0 + 2, y0 + 2), (width, height)).astype(int).tolist()
    return slice(y0, y1), slice(x0, x1)


def shrink(face: FaceFrame, *pictures: np.ndarray) -> tuple[FaceFrame, list[np.ndarray]]:
    """A face, and pictures of it (height, width, ...), with hardly more than 250 pixels for a unit."""
    coarse = round(face.unit / MATTE_DETAIL)
    if coarse < 2:
        return face, list(pictures)
    height, width = pictures[0].shape[:2]
    size = -(-width // coarse), -(-height // coarse)
    scale = np.float32([size[0] / width, size[1] / height])
    face = replace(face, origin=(face.origin + 0.5) * scale - 0.5, unit=face.unit * float(scale.mean()))
    return face, [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]


def _apart(picture: np.ndarray, sure: np.ndarray, points: np.ndarray, face: FaceFrame) -> tuple:
    """Matte and background of a picture, see [`cut_out`]; of large faces found on a smaller copy."""
    height, width = picture.shape[:2]
    face, (small, sure) = shrink(face, picture, sure)
    scale = np.float32([small.shape[1] / width, small.shape[0] / height])
    matte, share, filled = _found(small, sure, (points + 0.5) * scale - 0.5, face)
    if small is not picture:
        matte, share, filled = (cv2.resize(part, (width, height)) for part in (matte, share, filled))
    behind = np.empty_like(picture)
    for first in range(0, height, STRIP_ROWS):
        rows = slice(first, first + STRIP_ROWS)
        part = picture[rows] + share[rows, :, None] * (filled[rows] - picture[rows])
        behind[rows] = np.rint(part)
        matte[rows] = np.maximum(matte[rows], _least(picture[rows], behind[rows]))
    matte[share == 0] = 0
    return matte, behind


def _found(picture: np.ndarray, sure: np.ndarray, points: np.ndarray, face: FaceFrame) -> tuple:
    """A matte (height, width), what share of the background is filled (height, width), and what it is filled with."""
    oval = np.zeros(sure.shape, np.uint8)
    cv2.fillPoly(oval, [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 255)
    matte = np.maximum(sure, cv2.GaussianBlur(oval, (0, 0), 0.02 * face.unit + 0.5).astype(np.float32) / 255)
    _, parts = cv2.connectedComponents((matte > ISLAND).astype(np.uint8))
    matte[(parts > 0) & ~np.isin(parts, parts[oval > 0])] = 0
    matte = smoothstep(_guided(picture, matte, MATTE_EDGE * face.unit), *CLEAR)
    away = _away(matte, face.unit)
    filled = smooth_fill(picture, away > CLEAN)
    wisps, contrast = _wisps(np.where(away[..., None] > CLEAN / 2, picture, filled), matte, face.unit)
    matte = np.maximum(matte, wisps)
    sure_rim, (least, most), (plain, busy) = HAIR_RIM
    away, rim = _away(matte, face.unit), most + (least - most) * smoothstep(contrast, plain, busy)
    share = 1 - smoothstep(away, sure_rim, rim)
    return matte.astype(np.float32), share.astype(np.float32), smooth_fill(picture, away > CLEAN)


def given_cutout(picture: np.ndarray, alpha: np.ndarray) -> Cutout:
    """That of a picture, (height, width, 3) uint8, with its own alpha, (height, width) uint8, already laid over
    `NEUTRAL_GREY`."""
    matte = alpha.astype(np.float32) / 255
    return Cutout(matte, np.full_like(picture, NEUTRAL_GREY), matte)


def _away(matte: np.ndarray, unit: float) -> np.ndarray:
    """How far each pixel is from the person, units."""
    return cv2.distanceTransform((matte < 0.1).astype(np.uint8), cv2.DIST_L2, 5) / unit


def _guided(picture: np.ndarray, matte: np.ndarray, radius: float) -> np.ndarray:
    """The matte with its edges on those of the picture's light: He et al. 2013, *Guided Image Filtering*."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    side = (2 * max(1, round(radius)) + 1,) * 2
    mean, mean_matte = cv2.blur(light, side), cv2.blur(matte, side)
    slope = (cv2.blur(light * matte, side) - mean * mean_matte) / (
        cv2.blur(light * light, side) - mean**2 + EDGE_CONTRAST
    )
    shift = mean_matte - slope * mean
    return cv2.blur(slope, side) * light + cv2.blur(shift, side)


def _wisps(picture: np.ndarray, matte: np.ndarray, unit: float) -> tuple[np.ndarray, float]:
    """Hair that the network didn't see: fine contrast beside the person where the background has none."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(light - cv2.GaussianBlur(light, (0, 0), max(1.0, WISP_WIDTH * unit)))
    fine = cv2.GaussianBlur(fine, (0, 0), max(1.0, WISP * unit))
    away = cv2.distanceTransform((matte < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / unit
    plain = fine[(away > PLAIN[0]) & (away < PLAIN[1])]
    level = float(np.percentile(plain, 90)) if plain.size else 255.0
    low, more, high, most = WISP_CONTRAST
    wisps = smoothstep(fine, low * level + more, high * level + most) * (1 - smoothstep(away, *WISPS))
    near = _away(matte, unit) < 2 * CLEAN
    _, labels = cv2.connectedComponents(((wisps > 0.05) | near).astype(np.uint8))
    return np.where(np.isin(labels, np.unique(labels[near])), wisps, 0), level


def smooth_fill(picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The picture with what isn't `seen` (height, width) filled as smoothly as can be, coarse to fine."""
    height, width = seen.shape
    filled, weight = None, seen.astype(np.float32)
    colours = picture * weight[..., None]
    for side in FILL_SIDES:
        scale = min(1.0, side / max(height, width))
        size = max(2, round(width * scale)), max(2, round(height * scale))
        part = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)[..., None]
        known = cv2.resize(colours, size, interpolation=cv2.INTER_AREA) / np.maximum(part, 1e-6)
        if filled is None:
            filled = np.full_like(known, (known * part).sum((0, 1)) / max(float(part.sum()), 1e-6))
        filled = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR)
        for _ in range(FILL_STEPS):
            filled = np.where(part > 0.5, known, cv2.blur(filled, (3, 3)))
    return cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def _least(picture: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """The least share of person that explains each pixel with a colour between black and white."""
    seen, back = picture.astype(np.float32), behind.astype(np.float32)
    dark = 1 - seen / np.maximum(back, 1)
    light = (seen - back) / np.maximum(255 - back, 1)
    return np.maximum(dark, light).max(-1).clip(0, 1)
