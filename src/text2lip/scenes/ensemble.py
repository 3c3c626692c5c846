"""Several people in one picture or film: each has lips of their own, and who does not speak listens."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from text2lip.faces.topology import OUTER_EYES
from text2lip.motion.lips import LipMotion
from text2lip.renderers.base import Renderer
from text2lip.renderers.warp import smoothstep
from text2lip.scenes.film import Film
from text2lip.scenes.portrait import Portrait
from text2lip.scenes.reference_set import ReferenceSet
from text2lip.text.timing import Timeline, Turn


# By eye; units are distances of a face's outer eye corners.
HALF_BORDER = 0.25  # half the width, in units, in which one face's part of the picture turns into another's
AROUND_FACE = (2.6, 3.2)  # units around a face in which what is drawn for it fades into the rest
ONE_FACE = 0.5  # units between two faces below which they are the same
NOSE = 1  # its tip
COARSE = 4  # pixels of the picture to one of the map of whose part is where


class Ensemble:
    """People in one picture who speak in turn, with the interface of [`Film`].

    Every person is drawn as if alone in the picture; each frame is then put together from the surroundings of every
    face, which meet halfway between two of them. So nobody's motion changes another's face.

    Args:
        scenes (`list[Portrait | Film]`): the same picture or film, each with another person.
        casts (`list[list[str]]`): for each of them the names of who speaks with that face.

    Attributes:
        fps, size, moves, references: those of the scenes.
    """

    def __init__(self, scenes: Sequence[Portrait | Film], casts: Sequence[Sequence[str]]):
        self.scenes, self.casts = list(scenes), [list(cast) for cast in casts]
        self.fps, self.size, self.moves = scenes[0].fps, scenes[0].size, scenes[0].moves
        for scene in scenes:
            scene.alone = False  # strangers to one of them are known to another

    @property
    def references(self) -> ReferenceSet | None:
        return self.scenes[0].references

    @property
    def doubts(self) -> list[str]:
        """Of each mouth, see [`Portrait`]."""
        return [doubt for scene in self.scenes for doubt in scene.doubts]

    def refer_to(self, references: ReferenceSet) -> None:
        """Take teeth and tongue from pictures that show each of the people; see [`Film.refer_to`]."""
        for scene in self.scenes:
            scene.refer_to(references)

    def frames_for(self, timeline: Timeline) -> int | None:
        """See [`Film.frames_for`]."""
        return self.scenes[0].frames_for(timeline)

    def before(self, num_frames: int) -> Iterator[np.ndarray]:
        """See [`Film.before`]."""
        return self.scenes[0].before(num_frames)

    def draw(
        self,
        renderer: Renderer,
        motion: LipMotion,
        audio_features: Any = None,
        generator: Any = None,
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Everybody with their own lips; see [`Film.draw`].

        Returns:
            `tuple`: landmarks, float32 (frames, 478, 2), of who speaks, and in a pause of who spoke last; and frames.

        Raises:
            ValueError: two speakers have the same face, `motion` that isn't of a dialogue, or `audio_features`, which
                are of one face.
        """
        if audio_features is not None:
            raise ValueError("audio_condition: sound is heard for one face; leave it at 'none' for several.")
        if motion.roles is None:
            raise ValueError("lip_motion: it isn't said who speaks; move a timeline with turns, as of a dialogue.")
        drawn = [
            scene.draw(renderer, motion.of_speakers(cast, number), None, generator)
            for number, (scene, cast) in enumerate(zip(self.scenes, self.casts))
        ]
        faces = np.stack([landmarks for landmarks, _ in drawn])
        heads = (
            faces if self.moves else np.stack([np.broadcast_to(s.face[:, :2], faces.shape[1:]) for s in self.scenes])
        )
        self._check_apart(heads)
        speaking = self._speaking(motion.timeline.turns, faces.shape[1])
        together = put_together([frames for _, frames in drawn], heads, self.size)
        return faces[speaking, np.arange(faces.shape[1])], together

    def _speaking(self, turns: Sequence[Turn], count: int) -> np.ndarray:
        """Which face speaks in each of `count` frames, (count,) int: the last one that began to."""
        face_of = {name: number for number, cast in enumerate(self.casts) for name in cast}
        speaking, last = np.zeros(count, int), None
        for turn in turns:
            if turn.speaker in face_of:
                begin = 0 if last is None else round(turn.start * self.fps)
                speaking[begin:] = last = face_of[turn.speaker]
        return speaking

    def _check_apart(self, faces: np.ndarray) -> None:
        """Refuse two people who are one: `faces` (people, frames, 478, 2), NaN where they aren't seen."""
        middles, units = where_heads_are(faces, self.size)
        for one in range(len(faces)):
            for other in range(one):
                apart = np.linalg.norm(middles[one] - middles[other], axis=-1) / units[one]
                apart = apart[np.isfinite(apart)]
                if len(apart) and np.median(apart) < ONE_FACE:
                    names = " and ".join(repr(self.casts[number][0]) for number in (other, one))
                    raise ValueError(
                        f"speakers: {names} have the same face; give each another face_index: a number (0 is the "
                        "largest face), a box (left, top, right, bottom) or a picture of the person."
                    )


def where_heads_are(faces: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Middles (..., 2) and units (...), pixels, of normalised `faces` (..., 478, 2) in a picture of `size`.

    Both by the eyes and the nose, which no speech moves.
    """
    points = faces[..., [*OUTER_EYES, NOSE], :] * np.array(size[::-1], np.float32)
    return points.mean(-2), np.linalg.norm(points[..., 0, :] - points[..., 1, :], axis=-1)


def put_together(
    drawn: Sequence[Iterator[np.ndarray]], faces: np.ndarray, size: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Frames in which each face is as it was drawn, and all else as it was for the first one.

    Args:
        drawn (`Sequence[Iterator]`): for each person frames, uint8 (height, width, 3), of one picture or film.
        faces (`np.ndarray`): float32 (people, frames, 478, 2), normalised; NaN where a face isn't seen.
        size (`tuple[int, int]`): height and width, pixels.
    """
    middles, units = where_heads_are(faces, size)

    @lru_cache(len(drawn))
    def weights_of(person: int, where: bytes) -> tuple[tuple[slice, slice], np.ndarray]:
        seen = np.frombuffer(where, np.float32).reshape(-1, 3)
        return part_of_picture(person, seen[:, :2], seen[:, 2], size)

    for number, pictures in enumerate(zip(*drawn)):
        frame = pictures[0].copy()  # of a film it may be the user's own
        where = np.concatenate([middles[:, number], units[:, number, None]], -1).astype(np.float32)
        for person in range(1, len(pictures)):
            if not np.isfinite(where[person]).all():
                continue
            window, weight = weights_of(person, where.tobytes())
            below, above = frame[window].astype(np.float32), pictures[person][window]
            frame[window] = np.rint(below + weight * (above - below)).astype(np.uint8)
        yield frame


def part_of_picture(
    person: int, middles: np.ndarray, units: np.ndarray, size: tuple[int, int]
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Rows and columns around a face, and how much of each pixel there is its own, float32 (rows, columns, 1), 0 to 1.

    Args:
        person (`int`): number of the face.
        middles (`np.ndarray`): (people, 2), pixels; NaN for a face that isn't seen, likewise in:
        units (`np.ndarray`): (people,), pixels.
        size (`tuple[int, int]`): height and width of the picture, pixels.
    """
    reach = AROUND_FACE[1] * units[person]
    x0, y0 = np.clip(np.floor(middles[person] - reach), 0, size[::-1]).astype(int)
    x1, y1 = np.clip(np.ceil(middles[person] + reach) + 1, 0, size[::-1]).astype(int)
    x, y = (np.arange(first, last + COARSE, COARSE, np.float32) for first, last in ((x0, x1), (y0, y1)))
    points = np.stack(np.meshgrid(x, y), -1)
    away = [np.linalg.norm(points - middle, axis=-1) / unit for middle, unit in zip(middles, units)]
    weight = 1 - smoothstep(away[person], *AROUND_FACE)
    for other, distance in enumerate(away):
        if other != person and np.isfinite(units[other]):
            weight = weight * smoothstep(distance - away[person], -HALF_BORDER, HALF_BORDER)
    rows, columns = y1 - y0, x1 - x0
    grid = np.meshgrid(np.arange(columns, dtype=np.float32) / COARSE, np.arange(rows, dtype=np.float32) / COARSE)
    fine = cv2.remap(weight.astype(np.float32), *grid, cv2.INTER_LINEAR)
    return (slice(y0, y1), slice(x0, x1)), fine[..., None]
