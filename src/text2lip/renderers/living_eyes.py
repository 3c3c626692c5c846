"""Eyes of a portrait that look elsewhere and close: the iris moves within the lids, which follow it."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from text2lip.faces.topology import LEFT_IRIS, RIGHT_IRIS
from text2lip.media.color import to_luma
from text2lip.renderers.eyelids import Eyelids, find_eyes, prepare_eyelids
from text2lip.renderers.warp import FaceFrame, smoothstep


EYEBALL = 2.05  # radius, of the iris's: 12 mm and 5.85 mm
IRIS_LEAST = 0.04  # units, of an iris's radius
IRIS_EDGE, WHITE_END = 1.15, 2.6  # radii from its middle: what moves as one; what moves at all
CATCH_LIGHT = 0.5  # of the iris's way, that the light on the cornea makes
CATCH_BRIGHT = 55  # above the iris, what is a catch light
BEHIND_LASHES = (0.010, 0.004)  # units below the upper lid, above the lower one, that stay: lashes, their shade
GAZE_LIMIT = (16.0, 11.0)  # degrees aside, up and down, that an eye turns here
STILL_EYE = 1e-3


@dataclass(frozen=True, eq=False)
class LivingEye:
    """One eye's pixels.

    Attributes:
        side: the person's own, "Left" or "Right".
        lids: what closes it.
        box: x0, y0, x1, y1 of what lies between the lids, pixels.
        iris: (2,) its middle, pixels.
        radius: of the iris, pixels.
        ball: uint8, the box without catch lights.
        light: float32, the catch lights alone.
        open_part: float32 (rows, columns), 1 between the lids.
    """

    side: str
    lids: Eyelids
    box: tuple[int, int, int, int]
    iris: np.ndarray
    radius: float
    ball: np.ndarray
    light: np.ndarray
    open_part: np.ndarray

    def look(self, frame: np.ndarray, shift: np.ndarray) -> None:
        """Turn the eye in `frame`, in place, so that the iris goes by `shift` (2,) pixels."""
        eye, (x0, y0, x1, y1) = self.lids.eye, self.box
        grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
        distance = np.linalg.norm(grid - shift - self.iris, axis=-1) / self.radius
        source = grid - shift * (1 - smoothstep(distance, IRIS_EDGE, WHITE_END))[..., None]
        x, y = eye.axes(source)
        upper, lower, _ = eye.margins(x)
        low, high = (share * eye.unit for share in BEHIND_LASHES)
        y = np.clip(y, upper + low, np.maximum(lower - high, upper + low))
        source = eye.corner + x[..., None] * eye.along + y[..., None] * eye.down - (x0, y0)
        ball = cv2.remap(self.ball, source.astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        x, y = CATCH_LIGHT * shift
        moved = cv2.warpAffine(self.light, np.float32([[1, 0, x], [0, 1, y]]), self.light.shape[1::-1])
        view = frame[y0:y1, x0:x1]
        ball = ball + moved - view
        view[:] = np.rint(view + ball * self.open_part[..., None]).clip(0, 255)


class LivingEyes:
    """The eyes of a portrait that it shows open.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8.
        points (`np.ndarray`): (478, 2) pixel landmarks.
        face (`FaceFrame`): of these landmarks.
    """

    def __init__(self, picture: np.ndarray, points: np.ndarray, face: FaceFrame):
        self.face, self.eyes = face, []
        for eye in find_eyes(points, face.unit):
            lids = prepare_eyelids(picture, eye)
            if lids is not None:
                side = "Left" if face.coordinates(eye.corner)[0] > 0 else "Right"
                self.eyes.append(_living_eye(picture, points, side, lids))
        self.eyes = [eye for eye in self.eyes if eye is not None]

    def shift(self, eye: LivingEye, row: Mapping[str, float]) -> np.ndarray:
        """How far an iris goes: (2,) pixels."""
        angles = row.get("gazeYaw", 0.0), -row.get("gazePitch", 0.0)
        right, down = (np.sin(np.deg2rad(np.clip(a, -most, most))) for a, most in zip(angles, GAZE_LIMIT))
        return (EYEBALL * eye.radius * (right * self.face.right + down * self.face.down)).astype(np.float32)

    def draw(self, frame: np.ndarray, row: Mapping[str, float]) -> None:
        """Turn and close the eyes in `frame`, in place."""
        for eye in self.eyes:
            shift = self.shift(eye, row)
            if np.abs(shift).max() > STILL_EYE:
                eye.look(frame, shift)
            if (closure := row.get(f"eyeBlink{eye.side}", 0.0)) > STILL_EYE:
                eye.lids.close(frame, closure)

    def move(self, points: np.ndarray, row: Mapping[str, float]) -> np.ndarray:
        """Pixel landmarks (478, 2) of the face after [`draw`]."""
        points = points.copy()
        for eye in self.eyes:
            iris = LEFT_IRIS if eye.side == "Left" else RIGHT_IRIS
            if (closure := row.get(f"eyeBlink{eye.side}", 0.0)) > STILL_EYE:
                points[:RIGHT_IRIS] = eye.lids.eye.move(points[:RIGHT_IRIS], closure)
            points[iris : iris + 5] += self.shift(eye, row)
        return points


def _living_eye(picture: np.ndarray, points: np.ndarray, side: str, lids: Eyelids) -> LivingEye | None:
    eye, (x0, y0, x1, y1) = lids.eye, lids.box
    first = LEFT_IRIS if side == "Left" else RIGHT_IRIS
    middle, ring = points[first], points[first + 1 : first + 5]
    radius = max(float(np.linalg.norm(ring - middle, axis=-1).mean()), IRIS_LEAST * eye.unit)
    upper, lower, _ = eye.margins(lids.x)
    low, high = (share * eye.unit for share in BEHIND_LASHES)
    soft = 0.6 + 0.008 * eye.unit
    open_part = smoothstep(lids.y - upper - low, 0, soft) * smoothstep(lower - high - lids.y, 0, soft)
    rows, columns = np.flatnonzero(open_part.any(1)), np.flatnonzero(open_part.any(0))
    if not (len(rows) and len(columns)):
        return None
    open_part = open_part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x0, y0, x1, y1 = (int(v) for v in (x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1, y0 + rows[-1] + 1))
    view = np.ascontiguousarray(picture[y0:y1, x0:x1])
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
    iris = (np.linalg.norm(grid - middle, axis=-1) < 0.85 * radius) & (open_part > 0.5)
    luma = to_luma(view.astype(np.float32))
    bright = iris & (luma > np.median(luma[iris]) + CATCH_BRIGHT) if iris.any() else iris
    ball = view
    if bright.any() and bright.sum() < 0.25 * iris.sum():
        around = max(1, round(0.008 * eye.unit))
        spot = cv2.dilate(bright.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=around)
        ball = cv2.inpaint(view, spot, 3, cv2.INPAINT_TELEA)
    light = view.astype(np.float32) - ball
    box = x0, y0, x1, y1
    return LivingEye(side, lids, box, middle.astype(np.float32), radius, ball, light, open_part.astype(np.float32))
