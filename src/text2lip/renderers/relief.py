"""A portrait moved as a relief: head pose, face and breath of a motion plan, over a background that stays."""

from collections.abc import Mapping

import cv2
import numpy as np

from text2lip.faces.geometry import to_indices
from text2lip.renderers.cutout import cut_out
from text2lip.renderers.relief_field import ReliefField
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
        self.strength, self.reasons = 1.0, []
        matte = np.rint(255 * self.cutout.matte).astype(np.uint8)
        x0, y0, x1, y1 = self.field.box
        self._matte, self._behind = matte[y0:y1, x0:x1], self.cutout.behind[y0:y1, x0:x1]
        rest = (255 - self._matte[..., None].astype(np.uint16)) * self._behind
        self._through = ((rest + 127) // 255).astype(np.uint8)  # what of the background shows beside the person

    def move(self, frame: np.ndarray, row: Mapping[str, float]) -> np.ndarray:
        """`frame`, the portrait with its mouth drawn, moved as `row` says: a new (height, width, 3) uint8 array."""
        out = frame.copy()
        moved = self.field.displacement(row, self.strength)
        if moved is None:
            return out
        x0, y0, x1, y1 = self.field.box
        maps = self.field.backward(moved)
        person = cv2.subtract(frame[y0:y1, x0:x1], self._through)
        layer = cv2.merge([*cv2.split(person), self._matte])
        method = cv2.INTER_CUBIC if self.face.unit < CUBIC_BELOW else cv2.INTER_LINEAR
        layer = cv2.remap(layer, maps, None, method, borderMode=cv2.BORDER_REFLECT_101)
        red, green, blue, matte = cv2.split(layer)
        empty = 255 - matte
        behind = cv2.multiply(self._behind, cv2.merge([empty] * 3), scale=1 / 255)
        out[y0:y1, x0:x1] = cv2.add(cv2.merge([red, green, blue]), behind)
        return out

    def landmarks(self, points: np.ndarray, row: Mapping[str, float]) -> np.ndarray:
        """Where `points`, (478, 2) normalised landmarks of the frame, are after [`move`]: float32 (478, 2)."""
        height, width = self.size
        moved = self.field.displacement(row, self.strength)
        if moved is None:
            return np.asarray(points[:, :2], np.float32)
        pixels = to_indices(points, height, width)
        pixels = pixels + self.field.sample(moved, pixels)
        return ((pixels + 0.5) / (width, height)).astype(np.float32)
