"""The renderer without weights: a smooth warp of lips, jaw and cheeks, and a drawn inside of the mouth."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from .base import INNER_LOWER, INNER_UPPER, check_landmarks, check_portrait, to_pixels
from .contour import mouth_masks, smooth, uncross
from .interior import MouthInterior, mouth_interior
from .warp import LOWER_SIDE, UPPER_SIDE, FaceFrame, WarpField, face_frame, smoothstep, warp_field


CHIN = (148, 152, 377)
BORDER = cv2.BORDER_REFLECT_101


@dataclass(frozen=True)
class PreparedPortrait:
    """Everything of a portrait that does not change from frame to frame; read only, so threads may share it."""

    portrait: np.ndarray
    points: np.ndarray
    frame_of_face: FaceFrame
    field: WarpField
    interior: MouthInterior

    def frame(self, landmarks: np.ndarray) -> np.ndarray:
        """The portrait with its lips and jaw at `landmarks`.

        Args:
            landmarks (`np.ndarray`): `(478, 2)` float32, normalised. Only the 57 driven points are used.

        Returns:
            `np.ndarray`: `(height, width, 3)` uint8, a new array. Equal landmarks give equal bytes, and the portrait's
            own landmarks give the portrait.
        """
        picture = self.portrait.copy()
        target = to_pixels(landmarks, *picture.shape[:2])
        shift = target - self.points
        if np.abs(shift[list(UPPER_SIDE + LOWER_SIDE)]).max() < 1e-3:
            return picture
        unit, down = self.frame_of_face.unit, self.frame_of_face.down
        upper, lower = uncross(target[list(INNER_UPPER)], target[list(INNER_LOWER)], down)
        shift[list(INNER_UPPER)] = upper - self.points[list(INNER_UPPER)]
        shift[list(INNER_LOWER)] = lower - self.points[list(INNER_LOWER)]
        back = [self.field.backward(i, shift[list(side)]) for i, side in enumerate((UPPER_SIDE, LOWER_SIDE))]

        box = self.field.box
        share = self._upper_share(0.5 * (upper + lower))[..., None]
        region = self._sample(self.field.upsample(back[1] + (back[0] - back[1]) * share, box), box)

        mouth = self._mouth_box(target)
        above, inside, below = mouth_masks(smooth(upper), smooth(lower), self.frame_of_face, mouth, 0.004 * unit)
        lips = [self._sample(self.field.upsample(b, mouth), mouth).astype(np.float32) for b in back]
        gap = float(((lower - upper) @ down).max()) / unit
        chin = float((shift[list(CHIN)] @ down).mean()) / unit
        drawn = self.interior.draw(mouth, inside, gap, chin)
        own = self._sample(self.field.upsample(0.5 * (back[0] + back[1]), mouth), mouth).astype(np.float32)
        move = float(np.abs(shift[list(INNER_UPPER + INNER_LOWER)]).max()) / unit
        drawn = own + (drawn - own) * smoothstep(move, 0.0, 0.03)
        mixed = lips[0] * above[..., None] + lips[1] * below[..., None] + drawn * inside[..., None]

        view = region[mouth[1] - box[1] : mouth[3] - box[1], mouth[0] - box[0] : mouth[2] - box[0]]
        view[:] = np.rint(view + (mixed - view) * self._mouth_window(target, mouth)[..., None]).clip(0, 255)
        picture[box[1] : box[3], box[0] : box[2]] = region
        return picture

    def _sample(self, back: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """Portrait pixels of `box`, each taken from `back` (height, width, 2) pixels away."""
        x = back[..., 0] + np.arange(box[0], box[2], dtype=np.float32)
        y = back[..., 1] + np.arange(box[1], box[3], dtype=np.float32)[:, None]
        return cv2.remap(self.portrait, x, y, cv2.INTER_CUBIC, borderMode=BORDER)

    def _upper_share(self, middle: np.ndarray) -> np.ndarray:
        """How much each grid node follows the upper lip: 1 above the mouth's middle line, 0 below it."""
        line = self.frame_of_face.coordinates(middle)
        x, y = self.field.face[..., 0], self.field.face[..., 1]
        beyond = np.maximum(np.maximum(line[0, 0] - x, x - line[-1, 0]), 0)
        soft = 0.03 + 0.5 * beyond
        return smoothstep(np.interp(x, line[:, 0], line[:, 1]) - y, -soft, soft).astype(np.float32)

    def _mouth_box(self, target: np.ndarray) -> tuple[int, int, int, int]:
        pad = 0.08 * self.frame_of_face.unit + 3
        inner = target[list(INNER_UPPER + INNER_LOWER)]
        x0, y0, x1, y1 = self.field.box
        low = np.clip(np.floor(inner.min(0) - pad), [x0, y0], [x1 - 1, y1 - 1]).astype(int)
        high = np.clip(np.ceil(inner.max(0) + pad) + 1, low + 1, [x1, y1]).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def _mouth_window(self, target: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """One between the corners of the mouth, zero at the sides of its box."""
        face, unit = self.frame_of_face, self.frame_of_face.unit
        ends = face.coordinates(target[[INNER_UPPER[0], INNER_UPPER[-1]]])[:, 0]
        x, y = np.meshgrid(np.arange(box[0], box[2]), np.arange(box[1], box[3]))
        across = face.coordinates(np.stack([x, y], -1).astype(np.float32))[..., 0]
        edge = 0.04 + 1 / unit
        return smoothstep(across, ends[0] - edge, ends[0]) * smoothstep(-across, -ends[1] - edge, -ends[1])


def prepare(portrait: np.ndarray, source_landmarks: np.ndarray) -> PreparedPortrait:
    """Do once what all frames of a portrait share.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8 RGB.
        source_landmarks (`np.ndarray`): `(478, 2)` normalised landmarks of the portrait.
    """
    portrait = check_portrait(portrait)
    points = to_pixels(check_landmarks(source_landmarks, "source_landmarks", 2), *portrait.shape[:2])
    frame = face_frame(points)
    field = warp_field(points, frame, *portrait.shape[:2])
    return PreparedPortrait(portrait, points, frame, field, mouth_interior(portrait, points, frame))


class GeometricRenderer:
    """Moves the lips, jaw and cheeks of any portrait by a smooth warp and draws the inside of the mouth.

    Needs no weights and no training. Nothing outside the lower face changes by a single grey level. The object holds
    no state: one instance may render in many threads.
    """

    def render(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        *,
        fps: float = 25,
        audio_features=None,
        generator=None,
        source_landmarks: np.ndarray,
    ) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `landmarks`; see [`Renderer`] for shapes.

        `fps`, `audio_features` and `generator` are accepted for the common interface and not used: each frame depends
        on its landmarks alone. Input is checked at the call, before the first frame is asked for.
        """
        landmarks = check_landmarks(landmarks, "landmarks", 3)
        prepared = prepare(portrait, source_landmarks)
        return (prepared.frame(row) for row in landmarks)
