"""A portrait moved as a relief: head pose, face and breath of a motion plan, over a background that stays."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import cv2
import numpy as np

from text2lip.faces.geometry import to_indices
from text2lip.motion.motion_plan import CHANNELS
from text2lip.renderers.cutout import cut_out, given_cutout, smooth_fill
from text2lip.renderers.expression_shade import ExpressionShade
from text2lip.renderers.living_eyes import LivingEyes
from text2lip.renderers.relief_field import ReliefField, Strip
from text2lip.renderers.relief_guard import guard_relief
from text2lip.renderers.warp import CUBIC_BELOW, face_frame, smoothstep


COLOUR_SEEN = (0.15, 0.9)  # of alpha: where a pixel tells nothing of the person's colour, and where enough
NEAR_SEEN = (0.03, 0.1)  # from what the network saw of the person: where else than at the head nothing is theirs
HAIR_SEEN = (0.15, 0.35)  # the same at the head
HEAD = (2.0, 2.5)  # from the middle of the face: how far hair goes
SOLID = 0.98  # of the matte: the person's own colours
FACE_ROOM, FACE_EDGE = 0.15, 0.15  # units around the face that is sampled finely, and along its edges where that fades

MOVE_NEEDS, CUT_NEEDS = 7, 22  # times the frame: the memory that a call takes, its result included


class Relief:
    """What moves one portrait; made once, then a few products and one resampling for each frame.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8 RGB.
        landmarks (`np.ndarray`): (478, 3) normalised, z as [`FaceLandmarker`] gives it; of (478, 2) the depth is that
            of an average face.
        alpha (`np.ndarray`, *optional*): (height, width) uint8, the picture's own; the person is cut out by it, rather
            than by what is seen.

    Attributes:
        strength (`float`): 0 to 1, how much of a head's motion the picture bears.
        reasons (`list[str]`): why less than all of it, in words.
    """

    def __init__(self, picture: np.ndarray, landmarks: np.ndarray, alpha: np.ndarray | None = None):
        height, width = self.size = picture.shape[:2]
        self.points = to_indices(landmarks, height, width)
        self.face = face_frame(self.points)
        depth = landmarks[:, 2] * width if landmarks.shape[1] == 3 else None
        self.picture, self.has_own = picture, alpha is not None
        self.cutout = cut_out(picture, self.points, self.face) if alpha is None else given_cutout(picture, alpha)
        self.field = ReliefField(self.points, depth, self.face, self.size, self.cutout.matte)
        self.eyes = LivingEyes(picture, self.points, self.face, self.field)
        self.shade = ExpressionShade(picture, self.points, self.face)
        spatial = self.points if depth is None else np.column_stack([self.points, depth])
        self.guard = guard_relief(picture, spatial, self.face, self.cutout, self.field, len(self.eyes.eyes))
        self.strength, self.reasons = self.guard.strength, self.guard.reasons
        x0, y0, x1, y1 = self.field.box
        self._box = slice(y0, y1), slice(x0, x1)
        self._behind = np.ascontiguousarray(self.cutout.behind[self._box])
        low, high = self.face.coordinates(self.points).min(0) - FACE_ROOM, self.face.coordinates(self.points).max(0)
        corners = self.face.pixels(
            np.array([(x, y) for x in (low[0], high[0] + FACE_ROOM) for y in (low[1], high[1])])
        )
        limits = (x1 - x0, y1 - y0)
        left, top = np.clip(np.floor(corners.min(0)) - (x0, y0), 0, limits).astype(int).tolist()
        right, bottom = np.clip(np.ceil(corners.max(0)) - (x0, y0), 0, limits).astype(int).tolist()
        self._face_box = left, top, right, bottom
        x, y = np.meshgrid(np.arange(right - left), np.arange(bottom - top))
        edge = np.minimum(np.minimum(x + 1, right - left - x), np.minimum(y + 1, bottom - top - y))
        self._fine = smoothstep(edge / (FACE_EDGE * self.face.unit), 0, 1).astype(np.float32)
        # Of the picture at rest what is no person: the background that shows, and their own share
        empty = np.rint(255 * (1 - self.cutout.matte[self._box])).astype(np.uint8)
        through = cv2.multiply(self._behind, cv2.cvtColor(empty, cv2.COLOR_GRAY2RGB), scale=1 / 255)
        self._beside = cv2.merge((*cv2.split(through), cv2.bitwise_not(empty)))

    def move(self, frame: np.ndarray, row: Mapping[str, float] | np.ndarray) -> np.ndarray:
        """`frame`, the portrait with its mouth drawn, moved as `row` of a [`MotionPlan`] says.

        Args:
            frame (`np.ndarray`): (height, width, 3) uint8.
            row: channels by name, those left out are 0; or (34,) in the order of `CHANNELS`.

        Returns:
            `np.ndarray`: (height, width, 3) uint8, a new array; equal to `frame` where all channels are 0.
        """
        drawn, moved = self._begun(frame, row)
        if moved is None:
            return drawn
        out = drawn.copy()
        view, before = (picture[self._box] for picture in (out, drawn))
        for (area, solid, _), person in self._moved(before, moved):
            rows, columns = slice(area[1], area[3]), slice(area[0], area[2])
            part, behind = view[rows, columns], self._behind[rows, columns]
            cv2.cvtColor(person, cv2.COLOR_RGBA2RGB, part)
            for beside in (slice(0, solid.start), slice(solid.stop, None)):
                if part[:, beside].size:
                    empty = cv2.cvtColor(cv2.extractChannel(person[:, beside], 3), cv2.COLOR_GRAY2RGB)
                    shown = cv2.multiply(behind[:, beside], empty, scale=1 / 255)
                    cv2.add(part[:, beside], shown, part[:, beside])
        return out

    def cut(self, frame: np.ndarray, row: Mapping[str, float] | np.ndarray) -> np.ndarray:
        """As [`move`], the person alone.

        Returns:
            `np.ndarray`: (height, width, 4) uint8 RGBA, clear where the background was. Colours are free of it, also
            under an edge that is half clear; where all is clear they go on from the person's.
        """
        out, moved = self._begun(frame, row)
        whole_empty, through, around, near = self._whole
        light, empty = cv2.subtract(out, through), whole_empty.copy()
        if moved is not None:
            for ((x0, y0, x1, y1), _, _), person in self._moved(out[self._box], moved):
                light[self._box][y0:y1, x0:x1], empty[self._box][y0:y1, x0:x1] = person[..., :3], person[..., 3]
        share = (255 - empty)[..., None].astype(np.float32) / 255
        sure = smoothstep(share, *COLOUR_SEEN)
        colour = around + sure * (np.minimum(light / np.maximum(share, 1 / 255), 255) - around)
        return np.rint(np.dstack([colour, 255 * share[..., 0] * near])).astype(np.uint8)

    def _begun(self, frame: np.ndarray, row: Mapping[str, float] | np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """A copy of `frame` with eyes and light as `row` says, and where the rest goes, see [`ReliefField`]."""
        borne, out = self._borne(row), frame.copy()
        self.eyes.draw(out, borne)
        self.shade.draw(out, borne)
        return out, self.field.displacement(borne)

    def _borne(self, row: Mapping[str, float] | np.ndarray) -> dict[str, float]:
        """What of `row` the picture bears."""
        return {name: amount * self.guard.shares.get(name, 1.0) for name, amount in _named(row).items()}

    @cached_property
    def _whole(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of the whole picture: emptiness, (height, width) uint8, the background that shows through the person,
        (height, width, 3) uint8, the person's colours, gone on around them, (height, width, 3) float32, and where the
        matte is believed, (height, width) float32 in 0..1: around the head, for its hair, and by what the network saw.
        """
        empty = np.rint(255 * (1 - self.cutout.matte)).astype(np.uint8)
        through = cv2.multiply(self.cutout.behind, cv2.cvtColor(empty, cv2.COLOR_GRAY2RGB), scale=1 / 255)
        around = smooth_fill(self.picture, self.cutout.matte > SOLID)
        away = cv2.distanceTransform((self.cutout.sure < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / self.face.unit
        y, x = np.indices(self.size, np.float32)
        from_face = np.linalg.norm(self.face.coordinates(np.stack([x, y], -1).reshape(-1, 2)), axis=1)
        head = 1 - smoothstep(from_face.reshape(self.size), *HEAD)
        near = np.maximum(1 - smoothstep(away, *NEAR_SEEN), head * (1 - smoothstep(away, *HAIR_SEEN)))
        if self.has_own:
            near = np.ones(self.size)
        return empty, through, around.astype(np.float32), near.astype(np.float32)

    def _moved(self, view: np.ndarray, moved: np.ndarray) -> Iterator[tuple[Strip, np.ndarray]]:
        """The person in the parts of the field's box that they may reach, (rows, columns, 4) uint8, light times share,
        and emptiness; `view` is the box at rest."""
        source = self.field.backward(moved)
        for strip in self.field.strips(source):
            x0, y0, x1, y1 = strip.whence
            layer = cv2.cvtColor(view[y0:y1, x0:x1], cv2.COLOR_RGB2RGBA)
            cv2.subtract(layer, self._beside[y0:y1, x0:x1], layer)
            maps = self.field.maps(source, strip.area, (x0, y0))
            person = cv2.remap(layer, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            if self.face.unit < CUBIC_BELOW:
                self._sharpen(person, layer, maps, strip.area)
            yield strip, person

    def _sharpen(self, person: np.ndarray, layer: np.ndarray, maps: np.ndarray, area: tuple) -> None:
        """Give the face in `person`, an `area` of the box, what linear sampling of `layer` lacks of the light of a
        cubic one, less towards the face's edges; colours hardly need it."""
        left, top, right, bottom = self._face_box
        x0, y0, x1, y1 = max(left, area[0]), max(top, area[1]), min(right, area[2]), min(bottom, area[3])
        if x0 >= x1 or y0 >= y1:
            return
        here = slice(y0 - area[1], y1 - area[1]), slice(x0 - area[0], x1 - area[0])
        share = self._fine[y0 - top : y1 - top, x0 - left : x1 - left]
        light = cv2.cvtColor(layer, cv2.COLOR_RGBA2GRAY).astype(np.float32)
        fine = cv2.remap(light, maps[here], None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        more = cv2.subtract(fine, cv2.cvtColor(person[here], cv2.COLOR_RGBA2GRAY), dtype=cv2.CV_32F)
        for change, sign in ((cv2.add, 1), (cv2.subtract, -1)):
            by = cv2.multiply(more, share, scale=sign, dtype=cv2.CV_8U)
            change(person[here], cv2.merge((by, by, by, np.zeros_like(by))), person[here])

    def landmarks(self, points: np.ndarray, row: Mapping[str, float] | np.ndarray) -> np.ndarray:
        """Where `points`, (478, 2) normalised landmarks of the frame, are after [`move`]: float32 (478, 2)."""
        row = self._borne(row)
        height, width = self.size
        before = to_indices(points, height, width)
        pixels = drawn = self.eyes.move(before, row)
        if (moved := self.field.displacement(row)) is not None:
            pixels = drawn + self.field.sample(moved, drawn)
            still = {name: amount for name, amount in row.items() if name not in self.field.expression}
            moved = self.field.displacement(still)
            for iris in self.eyes.irises:
                pixels[iris] = drawn[iris] + (0 if moved is None else self.field.sample(moved, drawn[iris]))
        if np.array_equal(pixels, before):
            return np.asarray(points[:, :2], np.float32)
        return ((pixels + 0.5) / (width, height)).astype(np.float32)


def _named(row: Mapping[str, float] | np.ndarray) -> Mapping[str, float]:
    return row if isinstance(row, Mapping) else dict(zip(CHANNELS, np.asarray(row).tolist(), strict=True))
