"""Other pictures of the person who talks: read a few at a time, and those chosen that show how the mouth looks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME, face_chip
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person, encode
from text2lip.faces.topology import LIPS
from text2lip.media.footage import Footage, is_footage
from text2lip.motion.retarget import PortraitMouth
from text2lip.pipelines.inputs import Clip
from text2lip.renderers.references import MouthReferences, choose_references


LOOKED_AT = 96  # pictures of a reference, at most: spread evenly over a longer one
FACING = 0.3  # radians by which a head may be turned from the portrait's
SMALL = 0.5  # of the largest face's size, or the portrait's if that is smaller: smaller ones would blur the mouth


@dataclass(frozen=True)
class Looks:
    """Pictures of one person that can be read at any time, and the face in each.

    Attributes:
        film ([`Footage`]): holds the pictures.
        numbers (`np.ndarray`): int (pictures,), which of them, ascending.
        faces (`np.ndarray`): (pictures, 478, 3), normalised.
        sizes (`np.ndarray`): int (pictures, 2), heights and widths, pixels.
        chips (`list[np.ndarray]`, *optional*): the face of each, upright, see [`face_chip`]; a picture of several
            faces then has several entries, largest first. None where all are the same person's.
    """

    film: Footage
    numbers: np.ndarray
    faces: np.ndarray
    sizes: np.ndarray
    chips: list[np.ndarray] | None = None

    @cached_property
    def vectors(self) -> np.ndarray:
        """Identity vectors (pictures, 128) of the chips."""
        return encode(self.chips)

    def showing(self, person: Person) -> "Looks":
        """The person's face in each picture, if it is there; the largest if anybody will do."""
        if self.chips is None:
            return self
        distance = person.distance(self.vectors) if person.known and person.follow else np.zeros(len(self.numbers))
        order = np.lexsort((np.arange(len(distance)), distance, self.numbers))
        first = order[np.unique(self.numbers[order], return_index=True)[1]]
        kept = first[distance[first] <= SAME]
        return Looks(self.film, self.numbers[kept], self.faces[kept], self.sizes[kept])

    def like(self, face: np.ndarray, size: tuple[int, int]) -> "Looks":
        """At most 24 pictures whose mouths differ most, of those with the whole mouth on a head turned like `face`.

        None that shows the face much smaller than the others do.

        Args:
            face (`np.ndarray`): (478, 3), normalised, the portrait's.
            size (`tuple[int, int]`): height and width of the portrait, pixels.
        """
        own = PortraitMouth(face, *size)
        mouths = [PortraitMouth(one, *size) for one, size in zip(self.faces, self.sizes)]
        turn = np.array([np.linalg.norm(mouth.axes[2] - own.axes[2]) for mouth in mouths])
        unit = np.array([mouth.unit for mouth in mouths])
        lips = self.faces[:, list(LIPS), :2]
        kept = np.flatnonzero((lips.min((1, 2)) >= 0) & (lips.max((1, 2)) <= 1) & (turn < FACING))
        if len(kept):
            kept = kept[unit[kept] >= SMALL * min(unit[kept].max(), own.unit)]
            points = self.faces[kept, :, :2] * self.sizes[kept, None, ::-1]
            kept = kept[choose_references(canonical_lips(points))]
        return Looks(self.film, self.numbers[kept], self.faces[kept], self.sizes[kept])

    def crops(self, portrait: np.ndarray, face: np.ndarray) -> MouthReferences:
        """Read the pictures, one after another, for a portrait (height, width, 3) with landmarks (478, 2 or 3)."""
        return MouthReferences.from_frames(self.film.pick(self.numbers), self.faces, portrait, face[:, :2])


def look_through(reference: Any, landmarker: FaceLandmarker, max_size: int = 4096, progress: Callable = iter) -> Looks:
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
        rate = min(film.fps, LOOKED_AT / film.seconds) if film.seconds else film.fps
        film, numbers = Footage(reference, rate, max_size, "reference"), np.arange(LOOKED_AT)
    else:
        count = len(film.image)
        numbers = np.unique(np.linspace(0, count - 1, min(count, LOOKED_AT)).round().astype(int))
    seen, found = 0, []
    for picture, number in zip(progress(film.pick(numbers)), numbers):
        seen, size = seen + 1, picture.shape[:2]
        for face in landmarker.locate_all(picture):
            found.append((number, face, size, face_chip(picture, to_pixels(face, *size))))
    if not found:
        raise ValueError(f"reference: no face in any of {seen} picture(s); give some that show the person's mouth.")
    *known, chips = zip(*found)
    return Looks(film, *map(np.array, known), list(chips))


def references_of(clips: list[Clip], *args, **kwargs) -> list[Callable[[], Looks] | None]:
    """For each clip what looks through its reference when it is first called, once for one that several clips have.

    Args:
        clips (`list[Clip]`): of a call.
        args, kwargs: of [`look_through`].
    """
    given = {id(clip.reference): clip.reference for clip in clips if clip.reference is not None}
    looks = {key: cache(lambda value=value: look_through(value, *args, **kwargs)) for key, value in given.items()}
    return [looks.get(id(clip.reference)) for clip in clips]


def nobody(looks: Looks, person: Person, what: str = "portrait") -> ValueError:
    """What is wrong when no picture can be used for a portrait."""
    if not len(looks.showing(person).numbers):
        return ValueError(
            f"reference: {len(looks.numbers)} face(s), but none is the {what}'s person; the likest differs by "
            f"{person.distance(looks.vectors).min():.2f}, the same person's by less than {SAME:.2f}; give pictures of "
            "the same person."
        )
    return ValueError(
        f"reference: {len(looks.numbers)} picture(s) with a face, but none shows a whole mouth on a head turned like "
        f"the {what}'s (within {np.degrees(FACING):.0f} degrees); give some that were taken from the same side."
    )
