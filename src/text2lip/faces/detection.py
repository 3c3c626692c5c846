"""From the detector's answers to faces: where it looks, what its numbers mean, which answers are the same face."""

import math
from typing import NamedTuple

import numpy as np

from text2lip.faces.regions import Region


# A face that fills less than about a sixth of its window is missed, so windows of half the side follow, and so on.
QUICK_LEVELS = (0, 1)
THOROUGH_LEVELS = (2, 3)
MARGIN_CUT = 0.1  # of a face's size, by eye: how far a window's edge may cut into its box
QUARTER_TURNS = (math.pi / 2, -math.pi / 2, math.pi)


class Face(NamedTuple):
    """A face as the detector sees it, in pixels of the picture.

    Attributes:
        box: (left, top, right, bottom); from the eyebrows to the chin, may reach outside of the picture.
        score: confidence in [0, 1].
        keypoints: `(6, 2)` float32: the person's right eye, left eye, nose tip, mouth, right ear, left ear.
    """

    box: tuple[float, float, float, float]
    score: float
    keypoints: np.ndarray

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box, pixels."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def size(self) -> float:
        """Longer side of the box, pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def search_windows(height: int, width: int, level: int, angle: float = 0.0) -> list[Region]:
    """Squares that cover the picture, side 2^-level of its longer side, each overlapping half of the next."""
    side = max(height, width) / 2**level

    def centres(length: int) -> np.ndarray:
        if length <= side:
            return np.array([length / 2])
        return np.linspace(side / 2, length - side / 2, math.ceil((length - side) / (side / 2)) + 1)

    return [Region(float(x), float(y), side, angle) for y in centres(height) for x in centres(width)]


def read_candidates(
    logits: np.ndarray, boxes: np.ndarray, anchors: np.ndarray, window: Region, input_size: int, min_score: float
) -> list[Face]:
    """Decode one window's answers.

    Args:
        logits (`np.ndarray` of shape `(896,)`): of `BlazeFace`.
        boxes (`np.ndarray` of shape `(896, 8, 2)`): of `BlazeFace`.
        anchors (`np.ndarray` of shape `(896, 2)`): of `blazeface_anchors`.
        window (`Region`): the part of the picture that was looked at.
        input_size (`int`): the detector's input side in pixels.
        min_score (`float`): candidates below are dropped.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    cos, sin = abs(math.cos(window.angle)), abs(math.sin(window.angle))
    faces = []
    for index in np.flatnonzero(scores >= min_score):
        extent = boxes[index, 1] * (window.size / input_size)
        half_width, half_height = (cos * extent[0] + sin * extent[1]) / 2, (sin * extent[0] + cos * extent[1]) / 2
        points = boxes[index][[0, 2, 3, 4, 5, 6, 7]] + anchors[index]
        (x, y), *keypoints = window.to_picture(points, input_size)
        box = (float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
        faces.append(Face(box, float(scores[index]), np.array(keypoints, np.float32)))
    return faces


def cut_off(face: Face, window: Region, height: int, width: int) -> bool:
    """Whether a window's edge cuts the face where the picture goes on: another window sees it whole."""
    left, top, right, bottom = face.box
    half = window.size / 2
    margin = MARGIN_CUT * face.size
    return (
        left + margin < max(window.x - half, 0)
        or top + margin < max(window.y - half, 0)
        or right - margin > min(window.x + half, width)
        or bottom - margin > min(window.y + half, height)
    ) and not (left + margin < 0 or top + margin < 0 or right - margin > width or bottom - margin > height)


def merge_candidates(faces: list[Face], overlap: float = 0.3, within: float = 0.5) -> list[Face]:
    """One face for each group of overlapping candidates: their mean weighted by score (BlazeFace, section 3.4).

    Args:
        faces (`list[Face]`): candidates.
        overlap (`float`): intersection over union from which two boxes are averaged as the same face.
        within (`float`): share of the smaller box that lies in the better one from which it is dropped.
    """
    rest = sorted(faces, key=lambda face: -face.score)
    merged = []
    while rest:
        boxes = np.array([face.box for face in rest])
        low, high = np.maximum(boxes[0, :2], boxes[:, :2]), np.minimum(boxes[0, 2:], boxes[:, 2:])
        common = np.clip(high - low, 0, None).prod(1)
        areas = np.clip(boxes[:, 2:] - boxes[:, :2], 1e-9, None).prod(1)
        group = common / (areas[0] + areas - common) > overlap
        group[0] = True
        weights = np.array([face.score for face in rest])[group]
        weights /= weights.sum()
        box = tuple(float(value) for value in weights @ boxes[group])
        keypoints = np.stack([face.keypoints for face, joined in zip(rest, group) if joined])
        merged.append(Face(box, rest[0].score, np.einsum("n,nkc->kc", weights, keypoints).astype(np.float32)))
        gone = group | (common / np.minimum(areas, areas[0]) > within)
        rest = [face for face, drop in zip(rest, gone) if not drop]
    return sorted(merged, key=lambda face: -face.size)
