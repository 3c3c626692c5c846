"""A portrait moved as a relief: head pose, face and breath of a motion plan, over a background that stays."""

from collections.abc import Mapping

import cv2
import numpy as np

from text2lip.faces.geometry import to_indices
from text2lip.motion.motion_plan import CHANNELS
from text2lip.renderers.cutout import cut_out
from text2lip.renderers.living_eyes import LivingEyes
from text2lip.renderers.relief_field import ReliefField
from text2lip.renderers.relief_guard import guard_relief
from text2lip.renderers.warp import CUBIC_BELOW, face_frame


class Relief:
    """What moves one portrait; made once, then a few products and one resampling for each frame.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8 RGB.
        landmarks (`np.ndarray`): (478, 3) normalised, z as [`FaceLandmarker`] gives it; of (478, 2) the depth is that
            of an average face.

    Attributes:
        strength (`float`): 0 to 1, how much of a head's motion the picture bears.
        reasons (`list[str]`): why less than all of it, in words.
    """

    def __init__(self, picture: np.ndarray, landmarks: np.ndarray):
        height, width = self.size = picture.shape[:2]
        self.points = to_indices(landmarks, height, width)
        self.face = face_frame(self.points)
        depth = landmarks[:, 2] * width if landmarks.shape[1] == 3 else None
        self.cutout = cut_out(picture, self.points, self.face)
        self.field = ReliefField(self.points, depth, self.face, self.size, self.cutout.matte)
        self.eyes = LivingEyes(picture, self.points, self.face)
        spatial = self.points if depth is None else np.column_stack([self.points, depth])
        self.guard = guard_relief(picture, spatial, self.face, self.cutout, self.field)
        self.strength, self.reasons = self.guard.strength, self.guard.reasons
        x0, y0, x1, y1 = self.field.box
        self._behind = np.ascontiguousarray(self.cutout.behind[y0:y1, x0:x1])
        self._empty = np.rint(255 * (1 - self.cutout.matte[y0:y1, x0:x1])).astype(np.uint8)
        # What of the background shows beside the person at rest
        self._through = cv2.multiply(self._behind, cv2.cvtColor(self._empty, cv2.COLOR_GRAY2RGB), scale=1 / 255)

    def move(self, frame: np.ndarray, row: Mapping[str, float] | np.ndarray) -> np.ndarray:
        """`frame`, the portrait with its mouth drawn, moved as `row` of a [`MotionPlan`] says.

        Args:
            frame (`np.ndarray`): (height, width, 3) uint8.
            row: channels by name, those left out are 0; or (29,) in the order of `CHANNELS`.

        Returns:
            `np.ndarray`: (height, width, 3) uint8, a new array; equal to `frame` where all channels are 0.
        """
        row, out = _named(row), frame.copy()
        self.eyes.draw(out, row)
        moved = self.field.displacement(row, self.guard.shares)
        if moved is None:
            return out
        x0, y0, x1, y1 = self.field.box
        maps = self.field.backward(moved)
        person = cv2.subtract(out[y0:y1, x0:x1], self._through)
        method = cv2.INTER_CUBIC if self.face.unit < CUBIC_BELOW else cv2.INTER_LINEAR
        person = cv2.remap(person, maps, None, method, borderMode=cv2.BORDER_REFLECT_101)
        empty = cv2.remap(self._empty, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        behind = cv2.multiply(self._behind, cv2.cvtColor(empty, cv2.COLOR_GRAY2RGB), scale=1 / 255)
        cv2.add(person, behind, dst=behind)
        out[y0:y1, x0:x1] = behind
        return out

    def landmarks(self, points: np.ndarray, row: Mapping[str, float] | np.ndarray) -> np.ndarray:
        """Where `points`, (478, 2) normalised landmarks of the frame, are after [`move`]: float32 (478, 2)."""
        row = _named(row)
        height, width = self.size
        pixels = before = to_indices(points, height, width)
        pixels = self.eyes.move(pixels, row)
        moved = self.field.displacement(row, self.guard.shares)
        if moved is not None:
            pixels = pixels + self.field.sample(moved, pixels)
        if np.array_equal(pixels, before):
            return np.asarray(points[:, :2], np.float32)
        return ((pixels + 0.5) / (width, height)).astype(np.float32)


def _named(row: Mapping[str, float] | np.ndarray) -> Mapping[str, float]:
    return row if isinstance(row, Mapping) else dict(zip(CHANNELS, np.asarray(row).tolist(), strict=True))
