"""Lip motion of one talker put on another face: closed at rest, in proportion, turned with the head."""

import numpy as np

from text2lip.faces.canonical import lip_width
from text2lip.faces.geometry import to_pixels
from text2lip.faces.pose import head_pose
from text2lip.faces.topology import (
    DRIVEN,
    INNER_LOWER_PAIRED,
    INNER_MIDDLE,
    INNER_UPPER_PAIRED,
    JAW,
    OUTER_EYES,
    OUTER_LOWER_PAIRED,
    OUTER_UPPER_PAIRED,
    driven_index,
)


# By eye, on portraits that smile.
UPPER_SHARE = 0.35  # of an open mouth's gap that the upper lip closes; the lower lip and the jaw do the rest
OUTER_SHARE = 0.8  # of an inner lip point's way that the outer edge goes along: a relaxed lip is fuller
WIDE = (0.25, 0.6)  # an open mouth's gap over its width: of a broad smile, and of a shout, which drops the jaw
JAW_SHARE = (0.35, 0.8)  # of the lower lip's way that the chin goes when such a mouth is closed
SCALE_RANGE = (0.75, 1.35)  # of a face's mouth width over the talker's, within which motion is scaled


class PortraitMouth:
    """The mouth of one portrait: its head's turn and size, and its lips at rest.

    Args:
        landmarks (`np.ndarray`): (478, 3) normalised, as [`FaceLandmarker`] gives them.
        height (`int`): of the portrait, pixels.
        width (`int`): of the portrait, pixels.

    Attributes:
        rest (`np.ndarray`): (57, 2) canonical shape of the driven points with the lips closed.
    """

    def __init__(self, landmarks: np.ndarray, height: int, width: int):
        self.landmarks = np.asarray(landmarks, np.float64)
        self.size = np.array([width, height], np.float64)
        points = to_pixels(self.landmarks, height, width)
        self.axes, self.unit = head_pose(points)
        origin = points[list(OUTER_EYES)].mean(0)
        self.shape = ((points[list(DRIVEN)] - origin) @ self.axes.T / self.unit)[:, :2]
        self.rest = self.shape + closing(self.shape)

    def retarget(self, motion: np.ndarray, reference_width: float | None = None) -> np.ndarray:
        """Landmarks of the portrait that makes `motion`; all points but the driven ones stay.

        Args:
            motion (`np.ndarray`): (frames, 57, 2), displacement from the talker's rest in canonical units.
            reference_width (`float`, *optional*): the talker's mouth width at rest, canonical units; the motion is
                scaled to the portrait's own. Without it motion is taken as it is.

        Returns:
            `np.ndarray`: float32 (frames, 478, 2), normalised.
        """
        scale = 1.0
        if reference_width:
            scale = float(np.clip(lip_width(self.rest) / reference_width, *SCALE_RANGE))
        return self.place(part_lips(self.rest + scale * np.asarray(motion, np.float64)))

    def place(self, shapes: np.ndarray) -> np.ndarray:
        """Landmarks for canonical `shapes` (frames, 57, 2): float32 (frames, 478, 2), normalised."""
        shift = (np.asarray(shapes, np.float64) - self.shape) * self.unit @ self.axes[:2, :2]
        landmarks = np.repeat(self.landmarks[None, :, :2], len(shift), 0)
        landmarks[:, list(DRIVEN)] += shift / self.size
        return landmarks.astype(np.float32)


def closing(shape: np.ndarray) -> np.ndarray:
    """Displacement (57, 2) that closes the lips of canonical `shape` (57, 2); the chin follows the lower lip."""
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    gap = shape[lower] - shape[upper]
    gap[:, 0] = 0
    move = np.zeros_like(shape)
    move[upper] = UPPER_SHARE * gap
    move[lower] = (UPPER_SHARE - 1) * gap
    move[driven_index(OUTER_UPPER_PAIRED)] = OUTER_SHARE * move[upper]
    move[driven_index(OUTER_LOWER_PAIRED)] = OUTER_SHARE * move[lower]
    middle = move[driven_index(INNER_MIDDLE)[1]]
    ear_to_ear = np.sin(np.linspace(0, np.pi, len(JAW)))[:, None] ** 1.5
    move[driven_index(JAW)] = np.interp(np.abs(gap).max() / lip_width(shape), WIDE, JAW_SHARE) * ear_to_ear * middle
    return move


def part_lips(shapes: np.ndarray) -> np.ndarray:
    """Canonical `shapes` (..., 57, 2) with no inner lower lip point above its upper one: such pairs meet midway."""
    shapes = np.array(shapes, np.float64)
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    overlap = np.maximum(shapes[..., upper, 1] - shapes[..., lower, 1], 0)
    shapes[..., upper, 1] -= overlap / 2
    shapes[..., lower, 1] += overlap / 2
    return shapes
