"""Who talks: chosen where first seen, and known again after a cut, among other people and in other pictures."""

import os
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image

from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME_PERSON, builtin_identity, face_chip
from text2lip.faces.pose import head_pose
from text2lip.media.images import load_image
from text2lip.media.pixels import ImageError


ANY = "any"  # face_index: the largest face of every shot, whoever it is
# When a face is looked at again, and what is concluded; by eye.
STRANGER = 0.6  # distance above which a face that was followed has become another one's; a blink or a shout is below
CHECKED = 12  # frames after which a face that is followed is looked at again
VIEWS = 5  # from which a person is known
JUDGED_TURN = 0.45  # sine of a head's turn to the side below which its identity is judged
SAME_TURN, SAME_SIZE = 0.3, 1.5  # change of that sine, factor of size, within which a head goes on after a gap
WAIT = 8  # frames, at most, until people among whom the person wasn't are looked at again
DIM = 100  # grey level of a face's highlights below which it is brightened before it is judged
BRIGHTENED = 1.6  # of that level, where its highlights are then


class StrangersWarning(UserWarning):
    """Parts of a film show other people than the one who speaks."""


class Person:
    """One person in a film. Knows what frames of the first shot, or pictures, show of the face.

    Args:
        index (`Face`, `int` or box, *optional*): which face where nothing is known yet, see [`FaceLandmarker.locate`].
        follow (`bool`): False if anybody will do: every shot then has a new choice.

    Attributes:
        others (`list[int]`): numbers of the frames that show other people only.
        nearest (`float`): least distance of those from the person.
    """

    def __init__(self, index: Any = None, follow: bool = True):
        self.index, self.follow = index, follow
        self.views: list[tuple[float, np.ndarray]] = []  # turn of the head, vector
        self.others, self.nearest = [], float("inf")
        self.last = None  # number of the frame in which the face was last followed, and its points
        self.met = None  # the start of the scene from which the person is known
        self.begin(0)

    @classmethod
    def of(cls, who: Any, landmarker, locate_all: Callable | None = None) -> "Person":
        """The person meant by a `face_index`: a number, a box, a [`Face`], a picture, "any", or a person already.

        `locate_all`, a picture's faces, takes the place of the landmarker's where it is given.

        Raises:
            ValueError: a picture that can't be read or shows no face.
        """
        if isinstance(who, cls):
            return who
        if isinstance(who, str) and who == ANY:
            return cls(follow=False)
        picture = isinstance(who, (str, os.PathLike, Image.Image)) or getattr(who, "ndim", 0) > 1
        if not picture:
            return cls(who)
        try:
            seen = load_image(who)
        except ImageError as error:
            raise ValueError(
                "`face_index` must be an index, a box (left, top, right, bottom), a picture of the person or "
                f"{ANY!r}: {str(error).removeprefix('`image`: ')}"
            ) from error
        faces = (locate_all or landmarker.locate_all)(seen)
        if not faces:
            raise ValueError("face_index: no face in that picture; give one that shows the person from the front.")
        person = cls()
        person.meet(seen, to_pixels(faces[0], *seen.shape[:2]))
        return person

    def anew(self) -> "Person":
        """The same person, known by the same views, in a film of which nothing was seen yet."""
        person = Person(self.index, self.follow)
        person.views = list(self.views)
        return person

    @property
    def known(self) -> bool:
        """Whether the person was seen."""
        return bool(self.views)

    def meet(self, image: np.ndarray, points: np.ndarray) -> None:
        """Take the face with `points` (468 or more, 3), pixels, in `image` for the person's."""
        self.views.append((turn_of(points), encode([face_chip(image, points)])[0]))

    def distance(self, vectors: np.ndarray) -> np.ndarray:
        """How unlike the person faces with `vectors` (n, 128) are, (n,); below `SAME_PERSON` it is the same."""
        facing = [vector for turn, vector in self.views if turn < JUDGED_TURN] or [vector for _, vector in self.views]
        return np.linalg.norm(vectors - np.mean(facing, 0), axis=-1)

    def begin(self, start: int) -> None:
        """A new scene whose first frame has number `start`."""
        self.start, self.chips, self.check, self.tries, self.again = start, [], 0, 0, 0

    def waits(self, number: int) -> bool:
        """Whether frame `number` of the scene needn't be searched: the frames before it showed only other people."""
        if number < self.again:
            self.others.append(self.start + number)
        return number < self.again

    def find(self, number: int, image: np.ndarray, faces: list[np.ndarray]) -> int | None:
        """Which of the `faces` (468, 3), pixels, in frame `number` of the scene is the person's; None if none is."""
        distances = self.distance(encode([face_chip(image, points) for points in faces]))
        best = int(distances.argmin())
        if distances[best] <= SAME_PERSON:
            self.tries, self.chips, self.check = 0, [], number + CHECKED
            return best
        if len(faces) == 1 and self._goes_on(number, faces[0]):
            self.tries, self.chips, self.check = 0, [face_chip(image, faces[0])], number
            return 0
        self.nearest = min(self.nearest, float(distances[best]))
        self.others.append(self.start + number)
        self.again, self.tries = number + min(2**self.tries, WAIT), self.tries + 1
        return None

    def _goes_on(self, number: int, points: np.ndarray) -> bool:
        """Whether the one face in a frame goes on from the one followed just before: both are turned too far to the
        same side to be judged, at one place and of one size."""
        if self.last is None or self.start + number - self.last[0] > CHECKED or turn_of(points) <= JUDGED_TURN:
            return False
        (side, middle, size), (before, where, large) = _pose(points), _pose(self.last[1])
        near = np.linalg.norm(middle - where) < large / 2 and 1 / SAME_SIZE < size / large < SAME_SIZE
        return bool(near and abs(side - before) < SAME_TURN)

    def left(self, number: int, image: np.ndarray, points: np.ndarray) -> int | None:
        """Look at the face that is followed, now and then.

        A dissolve, a cut between like pictures or a passer-by may have put another one in its place.

        Returns:
            `int`: the frame of the scene since which it is someone else; None while it is the person.
        """
        self.last = self.start + number, points
        self.chips = [*self.chips[-4 * CHECKED :], face_chip(image, points)]
        if not self.known:
            self.meet(image, points)
            self.met, self.check = self.start, number + CHECKED
        turn = turn_of(points)
        if number < self.check or turn > JUDGED_TURN:
            return None
        vector = encode(self.chips[-1:])
        far = self.distance(vector)[0] > STRANGER
        if far and any(seen < JUDGED_TURN for seen, _ in self.views):
            since = number - len(self.chips) + 1 + self._first_stranger()
            self.others += range(self.start + since, self.start + number)
            return since
        if len(self.views) < VIEWS and self.start == self.met:
            self.views.append((turn, vector[0]))
        self.check, self.chips = number + CHECKED, []
        return None

    def _first_stranger(self) -> int:
        """The first of the chips since the last look that shows someone else, by bisection."""
        before, after = -1, len(self.chips) - 1
        while after - before > 1:
            middle = (before + after) // 2
            if self.distance(encode([self.chips[middle]]))[0] > STRANGER:
                after = middle
            else:
                before = middle
        return after


def _pose(points: np.ndarray) -> tuple[float, np.ndarray, float]:
    """A head's turn to the side (a sine with its sign), its middle and its size, both in the unit of `points`."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return float(head_pose(points)[0][2, 0]), (low + high) / 2, float((high - low).max())


def turn_of(points: np.ndarray) -> float:
    """How far a head with `points` (468 or more, 3), pixels, is turned to the side: a sine."""
    return float(abs(head_pose(points)[0][2, 0]))


def encode(chips: list[np.ndarray]) -> np.ndarray:
    """Identity vectors (n, 128) of chips; dark ones are brightened, so that a fade changes nobody."""
    lit = []
    for chip in chips:
        bright = float(np.quantile(chip, 0.95))
        lit.append(cv2.convertScaleAbs(chip, alpha=BRIGHTENED * DIM / max(bright, 4)) if bright < DIM else chip)
    return builtin_identity().encode(lit)


def stretches(numbers: list[int], fps: float, least: float, bridged: float) -> list[tuple[float, float]]:
    """Frame `numbers` as stretches (from, to), seconds: shorter ones than `least` are left out, gaps bridged."""
    if not numbers:
        return []
    ordered = np.unique(numbers)
    parts = np.split(ordered, 1 + np.flatnonzero(np.diff(ordered) > bridged * fps))
    return [(part[0] / fps, (part[-1] + 1) / fps) for part in parts if part[-1] + 1 - part[0] >= least * fps]
