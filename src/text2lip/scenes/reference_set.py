"""Other pictures of the person who talks: read a few at a time, and those chosen that show how the mouth looks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME_PERSON, face_chip
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person, encode
from text2lip.faces.topology import LIPS
from text2lip.media.footage import Footage, is_footage
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers.mouth_references import MouthReferences, choose_references


# Chosen by eye.
MOST_PICTURES = 96  # that are searched, spread evenly over a longer reference
MAX_TURN = 0.3  # radians by which a head may be turned from the portrait's
MIN_SIZE = 0.5  # of the largest face's size, or the portrait's if that is smaller: smaller ones would blur the mouth


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """Pictures of people that can be read at any time, and the faces in them.

    Attributes:
        film ([`Footage`]): holds the pictures.
        numbers (`np.ndarray`): int (faces,), in which of them each face is, ascending.
        faces (`np.ndarray`): (faces, 478, 3), normalised.
        sizes (`np.ndarray`): int (faces, 2), heights and widths of the pictures, pixels.
        chips (`list[np.ndarray]`, *optional*): each face upright, see [`face_chip`]; a picture of several faces has
            several entries, largest first. None where all are the same person's.
    """

    film: Footage
    numbers: np.ndarray
    faces: np.ndarray
    sizes: np.ndarray
    chips: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def read(
        cls, reference: Any, landmarker: FaceLandmarker, max_size: int = 4096, progress: Callable = iter
    ) -> "ReferenceSet":
        """Find the faces in each of at most 96 pictures.

        Args:
            reference: path of a video, a list of pictures, an array (frames, height, width, 3), a tensor (frames, 3,
                height, width), or one picture.
            landmarker ([`FaceLandmarker`]): finds the faces.
            max_size (`int`): longest side allowed, pixels.
            progress (`Callable`): wraps the pictures that are searched, such as a progress bar.

        Raises:
            ValueError: a picture can't be read, or none shows a face.
        """
        film = Footage(reference if is_footage(reference) else [reference], None, max_size, "reference")
        if film.is_file:
            rate = min(film.fps, MOST_PICTURES / film.seconds) if film.seconds else film.fps
            film, numbers = Footage(reference, rate, max_size, "reference"), np.arange(MOST_PICTURES)
        else:
            count = len(film.image)
            numbers = np.unique(np.linspace(0, count - 1, min(count, MOST_PICTURES)).round().astype(int))
        pictures, found = 0, []
        for picture, number in zip(progress(film.pick(numbers)), numbers):
            pictures, size = pictures + 1, picture.shape[:2]
            for face in landmarker.locate_all(picture):
                found.append((number, face, size, face_chip(picture, to_pixels(face, *size))))
        if not found:
            raise ValueError(
                f"reference: no face in any of {pictures} picture(s); give some that show the person's mouth."
            )
        numbers, faces, sizes, chips = zip(*found)
        return cls(film, np.array(numbers), np.array(faces), np.array(sizes), list(chips))

    @cached_property
    def vectors(self) -> np.ndarray:
        """Identity vectors (faces, 128) of the chips."""
        return encode(self.chips)

    def showing(self, person: Person) -> "ReferenceSet":
        """The person's face in each picture, if it is there; the largest if anybody will do."""
        if self.chips is None:
            return self
        distance = person.distance(self.vectors) if person.known and person.follow else np.zeros(len(self))
        order = np.lexsort((np.arange(len(distance)), distance, self.numbers))
        first = order[np.unique(self.numbers[order], return_index=True)[1]]
        return self._part(first[distance[first] <= SAME_PERSON])

    def alike(self, face: np.ndarray, size: tuple[int, int]) -> "ReferenceSet":
        """At most 24 pictures whose mouths differ most, of those with the whole mouth on a head turned like `face`.

        None that shows the face much smaller than the others do.

        Args:
            face (`np.ndarray`): (478, 3), normalised, the portrait's.
            size (`tuple[int, int]`): height and width of the portrait, pixels.
        """
        wanted = PortraitMouth(face, *size)
        mouths = [PortraitMouth(one, *size) for one, size in zip(self.faces, self.sizes)]
        turn = np.array([np.linalg.norm(mouth.axes[2] - wanted.axes[2]) for mouth in mouths])
        unit = np.array([mouth.unit for mouth in mouths])
        lips = self.faces[:, list(LIPS), :2]
        index = np.flatnonzero((lips.min((1, 2)) >= 0) & (lips.max((1, 2)) <= 1) & (turn < MAX_TURN))
        if len(index):
            index = index[unit[index] >= MIN_SIZE * min(unit[index].max(), wanted.unit)]
            points = self.faces[index, :, :2] * self.sizes[index, None, ::-1]
            index = index[choose_references(canonical_lips(points))]
        return self._part(index)

    def mouths(self, portrait: np.ndarray, face: np.ndarray) -> MouthReferences:
        """Read the pictures, one after another, for a portrait (height, width, 3) with landmarks (478, 2 or 3)."""
        return MouthReferences.from_frames(self.film.pick(self.numbers), self.faces, portrait, face[:, :2])

    def unusable(self, person: Person, what: str) -> ValueError:
        """What is wrong when none of the pictures can be used for `what`, a "portrait" or a "film", of the person."""
        if not len(self.showing(person)):
            return ValueError(
                f"reference: {len(self)} face(s), but none is the {what}'s person; the likest differs by "
                f"{person.distance(self.vectors).min():.2f}, the same person's by less than {SAME_PERSON:.2f}; "
                "give pictures of the same person."
            )
        return ValueError(
            f"reference: {len(self)} picture(s) with a face, but none shows a whole mouth on a head turned like "
            f"the {what}'s (within {np.degrees(MAX_TURN):.0f} degrees); give some that were taken from the same side."
        )

    def _part(self, index: np.ndarray) -> "ReferenceSet":
        return ReferenceSet(self.film, self.numbers[index], self.faces[index], self.sizes[index])
