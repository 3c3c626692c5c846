"""Dubbing: a film keeps its head motion, blinks and background, and its mouth follows a new text or sound.

Two pictures make a frame. The film's own frame gives skin, chin and cheeks: warped from its own landmarks, so that the
jaw is where the new speech has it. The lips and what is between them come from one frame of the shot, drawn by the
renderer with the new motion: what the film's own mouth did leaves no trace. A renderer that knows how takes teeth and
tongue from a few other frames, whichever have their lips nearly as the new speech wants them.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

import cv2
import numpy as np

from text2lip.faces.canonical import lip_gap
from text2lip.faces.geometry import fit_affine, to_indices, transform_points
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person
from text2lip.faces.topology import ANCHORS, CARRIED, INNER_LOWER, INNER_UPPER, LIPS, LOWER_SIDE, UPPER_SIDE
from text2lip.media.footage import Footage, positions
from text2lip.motion.retarget import PortraitMouth, closing
from text2lip.renderers.geometric import prepare
from text2lip.renderers.light import light_of, spread_light
from text2lip.renderers.references import MouthReferences
from text2lip.renderers.warp import face_frame, smoothstep, warp_field
from text2lip.scenes.reference_set import FACING, Looks, nobody
from text2lip.scenes.shots import Shot, ShotMouths, find_shots, reference_frame


GROW, SOFT = 0.05, 0.035  # units: how far beyond the lips the drawn mouth reaches, and the softness of its edge
AROUND, SPREAD = 0.2, 0.25  # units: the ring in which colours are compared, and how far they are evened
MARGIN = 0.5  # units around the lips that are looked at
TURNED = (FACING, 0.55)  # radians between a head and the reference at which the drawn mouth fades, and is gone
LIT = 1.0  # powers of 2 by which the contrast of such a frame may differ from what is usual in the shot
KEPT = 4  # shots whose frame and mouths are held, as a film played back and forth comes back to them
NEARBY = 15.0  # seconds before and after the reference in which other frames of a shot are chosen


class Dub:
    """A film whose face says something else.

    Args:
        image: path of a video, list of pictures, or array (frames, height, width, 3); see [`Footage`].
        landmarker ([`FaceLandmarker`]): finds and follows the face.
        fps (`float`, *optional*): frames per second; the film's own by default.
        face_index (*optional*): who speaks, see [`find_shots`].
        video_end (`str`): "loop", "hold" or "cut": what follows the film's last frame, see [`positions`].
        max_size (`int`): longest side allowed, pixels.
        progress (`Callable`): wraps the frames that are searched, such as a progress bar.
        looks (`Callable` or `bool`): finds other pictures of the person, see [`look_through`]; True for other frames
            of the same shot, False for a renderer that takes none.

    Attributes:
        fps (`float`): frames per second.
        size (`tuple[int, int]`): height and width, pixels.

    Raises:
        ValueError: the film can't be read.
    """

    def __init__(
        self,
        image: Any,
        landmarker: FaceLandmarker,
        *,
        fps: float | None = None,
        face_index: Any = None,
        video_end: str = "loop",
        max_size: int = 4096,
        progress: Callable = iter,
        looks: Callable[[], Looks] | bool = False,
    ):
        self.film = Footage(image, fps, max_size)
        self.fps, self.size = self.film.fps, self.film.size
        self.landmarker, self.video_end, self.progress = landmarker, video_end, progress
        self.person, self.looks = Person.of(face_index, landmarker), looks

    def perform(
        self, motion: np.ndarray, reference_width: float, render: Callable
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Put lip motion on the film.

        Reads it once for the landmarks, once more while the frames are taken, and the chosen ones of each shot before.

        Args:
            motion (`np.ndarray`): (frames, 57, 2), displacement from the talker's rest in canonical units.
            reference_width (`float`): the talker's mouth width at rest, canonical units.
            render (`Callable`): `(portrait, landmarks, source_landmarks, part, references) -> iterator of frames`,
                where `part` is the slice of the clip that is drawn, and `references` are [`MouthReferences`] or None.

        Returns:
            `tuple`: landmarks, float32 (frames, 478, 2), NaN where there is no face; and the frames, uint8 (height,
            width, 3), made one by one. Fewer than in `motion` if the film ends sooner and `video_end` is "cut".

        Raises:
            FaceNotFoundError: the face is in no frame.
            ValueError: none of the pictures given for `looks` can be used in any shot.
        """
        if callable(self.looks):
            self.looks()  # what is wrong with them is told before a long search
        seen = self.progress(self.film.frames(0, len(motion)))
        shots, length = find_shots(seen, self.landmarker, self.fps, self.person)
        where = positions(len(motion), length, self.video_end)
        parts = [Part(shot, reference_width) for shot in shots]
        self._choose(parts)
        number = np.full(length, -1)
        for index, shot in enumerate(shots):
            number[shot.start : shot.stop] = index
        landmarks = np.full((len(where), 478, 2), np.nan, np.float32)
        for i, position in enumerate(where):
            if number[position] >= 0:
                landmarks[i] = parts[number[position]].place(position, motion[i])
        return landmarks, self._frames(where, number, parts, motion, landmarks, render)

    def _choose(self, parts: list["Part"]):
        """Which pictures show each part's mouth."""
        for part in parts if self.looks else ():
            looks = part.nearby(self.film) if self.looks is True else self.looks().showing(self.person)
            looks = looks.like(part.shot.face[part.reference - part.shot.start], part.shot.size)
            part.looks = looks if len(looks.numbers) else None
        if callable(self.looks) and not any(part.looks for part in parts):
            raise nobody(self.looks(), self.person, "film")

    def _frames(self, where, number, parts, motion, landmarks, render) -> Iterator[np.ndarray]:
        frames = self.film.play(where)

        @lru_cache(KEPT)
        def drawn_from(part: Part) -> tuple[np.ndarray, MouthReferences | None]:
            (portrait,) = self.film.frames(part.reference, part.reference + 1)
            return portrait, part.looks and part.looks.crops(portrait, part.source)

        begin = 0
        for index, group in groupby(number[where]):
            end = begin + len(list(group))
            if index < 0:
                yield from islice(frames, end - begin)
            else:
                part = parts[index]
                portrait, references = drawn_from(part)
                rest = part.on_reference(motion[begin:end])
                drawn = render(portrait, rest, part.source, slice(begin, end), references)
                for i, mouth in zip(range(begin, end), drawn):
                    yield part.frame(next(frames), where[i], landmarks[i], mouth, rest[i - begin])
            begin = end


class Part:
    """A shot, its talker's mouth at rest, and the frame from which the mouth is drawn."""

    def __init__(self, shot: Shot, reference_width: float):
        self.shot, self.width = shot, reference_width
        mouths = ShotMouths.of(shot)
        best = reference_frame(shot, mouths)
        self.reference = shot.start + best
        self.source = shot.face[best, :, :2]
        gap = lip_gap(mouths.shapes)
        closed = mouths.shapes[gap <= np.quantile(gap, 0.2)].mean(0)
        self.rest, self.back = closed + closing(closed), mouths.back
        self.mouth = PortraitMouth(shot.face[best], *shot.size)
        self.mouth.rest = self.rest
        self.skin = Skin(self.source, *shot.size)
        self.looks = None  # other pictures of the mouth

    def nearby(self, film: Footage) -> Looks:
        """The frames of the shot around the reference."""
        shot, reach = self.shot, round(NEARBY * film.fps)
        numbers = np.arange(max(shot.start, self.reference - reach), min(shot.stop, self.reference + reach + 1))
        numbers = numbers[np.abs(shot.exposure[numbers - shot.start]) < LIT]
        return Looks(film, numbers, shot.face[numbers - shot.start], np.full((len(numbers), 2), shot.size))

    def place(self, position: int, motion: np.ndarray) -> np.ndarray:
        """Landmarks (478, 2) of the film's frame `position` with the mouth of `motion` (57, 2)."""
        mouth = PortraitMouth(self.shot.head[position - self.shot.start], *self.shot.size)
        mouth.rest = self.rest
        return mouth.retarget(motion[None], self.width)[0]

    def on_reference(self, motion: np.ndarray) -> np.ndarray:
        """Landmarks (frames, 478, 2) of the reference frame that makes `motion` (frames, 57, 2)."""
        return self.mouth.retarget(motion, self.width)

    def frame(
        self, frame: np.ndarray, position: int, landmarks: np.ndarray, mouth: np.ndarray, drawn: np.ndarray
    ) -> np.ndarray:
        """A frame of the film with its mouth at `landmarks`, taken from the picture `mouth` that has it at `drawn`."""
        face = self.shot.face[position - self.shot.start]
        turn = np.linalg.norm(self.back[position - self.shot.start] - self.mouth.axes[2])
        weight = float(1 - smoothstep(turn, *TURNED))
        if weight == 1:
            base = self.skin.move(frame, face[:, :2], landmarks)
        else:
            base = prepare(frame, face[:, :2]).frame(landmarks)
        return lay_mouth(base, mouth, landmarks, drawn, weight)


class Skin:
    """The smooth motion of cheeks, chin and lips in all frames of a shot: its field is made once, and goes along.

    Args:
        source (`np.ndarray`): (478, 2) normalised landmarks of the shot's reference frame.
        height, width (`int`): of the frames, pixels.
    """

    def __init__(self, source: np.ndarray, height: int, width: int):
        self.points = to_indices(source, height, width)
        self.field = warp_field(self.points, face_frame(self.points), height, width)
        x0, y0 = self.field.box[:2]
        step = self.field.step
        self.nodes = np.array([[step, 0, x0 + (step - 1) / 2], [0, step, y0 + (step - 1) / 2], [0, 0, 1]])
        x, y = np.meshgrid(*(np.arange(count) for count in self.field.shape[::-1]))
        self.grid = np.stack([x, y, np.ones_like(x)], -1) @ self.nodes[:2].T  # (rows, columns, 2) pixels

    def move(self, frame: np.ndarray, own: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """`frame` (height, width, 3) uint8 with its skin moved from `own` to `landmarks`, both (478, 2) normalised."""
        height, width = frame.shape[:2]
        own = to_indices(own, height, width)
        matrix = fit_affine(self.points[list(ANCHORS)], own[list(ANCHORS)])
        back = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))[:2]
        own, target = (transform_points(back, points) for points in (own, to_indices(landmarks, height, width)))
        upper, lower = (self._back(i, list(side), own, target) for i, side in enumerate((UPPER_SIDE, LOWER_SIDE)))
        back = (lower + (upper - lower) * self._upper_share(target)[..., None]) @ matrix[:, :2].T
        corners = np.array([[x, y, 1] for x in self.field.box[::2] for y in self.field.box[1::2]]) @ matrix.T
        x0, y0 = np.clip(np.floor(corners.min(0)), 0, (width - 1, height - 1)).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)) + 1, (x0 + 1, y0 + 1), (width, height)).astype(int)
        to_box = matrix @ self.nodes
        to_box[:, 2] -= x0, y0
        dense = cv2.warpAffine(back.astype(np.float32), to_box, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
        x = dense[..., 0] + np.arange(x0, x1, dtype=np.float32)
        y = dense[..., 1] + np.arange(y0, y1, dtype=np.float32)[:, None]
        moved = frame.copy()
        moved[y0:y1, x0:x1] = cv2.remap(frame, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return moved

    def _back(self, index: int, side: list[int], own: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Where each node comes from: back to the reference's face, and from there to the frame's own."""
        to_reference = self.field.backward(index, (target - self.points)[side])
        x, y = np.float32((own - self.points)[side]).T
        basis = self.field.basis[index]
        to_own = np.stack([basis @ x, basis @ y], -1).reshape(*self.field.shape, 2)
        rows, columns = self.field.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) + to_reference / self.field.step
        moved = cv2.remap(to_own, np.float32(grid), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return to_reference + moved

    def _upper_share(self, target: np.ndarray) -> np.ndarray:
        """How much each node follows the upper lip: 1 above the mouth's middle line, 0 below it: (rows, columns)."""
        points = target[[*INNER_UPPER, *INNER_LOWER]]
        line = points.reshape(2, -1, 2).mean(0)
        soft = 0.03 * np.hypot(*(self.points[263] - self.points[33]))
        beyond = np.maximum(np.maximum(line[0, 0] - self.grid[..., 0], self.grid[..., 0] - line[-1, 0]), 0)
        above = np.interp(self.grid[..., 0], line[:, 0], line[:, 1]) - self.grid[..., 1]
        return smoothstep(above, -soft - 0.5 * beyond, soft + 0.5 * beyond)


def lay_mouth(
    frame: np.ndarray, mouth: np.ndarray, landmarks: np.ndarray, drawn: np.ndarray, weight: float = 1.0
) -> np.ndarray:
    """Lay the lips of one picture over those of another: in its place, size and turn, with its light, softly edged.

    Args:
        frame (`np.ndarray`): (height, width, 3) uint8, taken over and changed.
        mouth (`np.ndarray`): (height, width, 3) uint8, the picture with the lips.
        landmarks (`np.ndarray`): (478, 2) normalised, of `frame`.
        drawn (`np.ndarray`): (478, 2) normalised, of `mouth`.
        weight (`float`): in [0, 1], how much of them shows.

    Returns:
        `np.ndarray`: `frame`.
    """
    height, width = frame.shape[:2]
    points, source = landmarks * (width, height), drawn * mouth.shape[1::-1]
    unit = float(np.hypot(*(points[263] - points[33])))
    lips = points[list(LIPS)]
    x0, y0 = np.clip(np.floor(lips.min(0) - MARGIN * unit), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(lips.max(0) + MARGIN * unit), (x0 + 1, y0 + 1), (width, height)).astype(int)
    if weight <= 0:
        return frame
    matrix = fit_affine(source[list(CARRIED)] - 0.5, points[list(CARRIED)] - 0.5 - (x0, y0))  # pixel indices
    box = int(x1 - x0), int(y1 - y0)
    carried = cv2.warpAffine(mouth, matrix, box, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    view = frame[y0:y1, x0:x1]
    own, carried = view.astype(np.float32), carried.astype(np.float32)
    inner = _grown(lips - (x0, y0), box, GROW * unit, SOFT * unit)
    ring = np.clip(_grown(lips - (x0, y0), box, AROUND * unit, SOFT * unit) - inner, 1e-4, 1)
    factor, added = light_of(frame, points, mouth, source)
    carried = np.maximum(carried * factor + added, 0)
    carried *= spread_light(own, carried, ring, SPREAD * unit)
    view[:] = np.rint(own + weight * inner[..., None] * (carried - own)).clip(0, 255)
    return frame


def _grown(points: np.ndarray, box: tuple[int, int], grow: float, soft: float) -> np.ndarray:
    """The hull of `points` (n, 2), pixels, grown and softened: float32 (height, width) in [0, 1]."""
    mask = np.zeros(box[::-1], np.uint8)
    hull = cv2.convexHull(np.rint(points * 16).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, shift=4)
    cv2.polylines(mask, [hull], True, 255, max(1, round(2 * grow)), cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), soft)
