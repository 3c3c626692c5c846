"""A portrait that talks."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from text2lip.faces.cache import FaceCache
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME
from text2lip.faces.landmarker import FaceLandmarker, FaceNotFoundError
from text2lip.faces.person import Person
from text2lip.faces.topology import LIPS
from text2lip.media.images import load_image
from text2lip.motion.retarget import PortraitMouth
from text2lip.scenes.reference_set import Looks, nobody


class Still:
    """A portrait that says something, with the interface of [`Dub`].

    `looks` finds other pictures of the person, see [`look_through`]; `faces` remembers whom the landmarker found.
    """

    def __init__(
        self,
        image: Any,
        landmarker: FaceLandmarker,
        *,
        fps: float | None = None,
        face_index: Any = None,
        max_size: int = 4096,
        looks: Callable[[], Looks] | None = None,
        faces: FaceCache | None = None,
    ):
        self.portrait = load_image(image, max_size=max_size)
        faces = faces or FaceCache()
        person = Person.of(face_index, landmarker)
        if person.known:
            self.face = locate_person(self.portrait, landmarker, person, faces)
        else:
            self.face = faces.locate(landmarker, self.portrait, person.index)
        check_mouth(self.face)
        self.fps, self.size = float(fps or 25), self.portrait.shape[:2]
        self.references = None
        if looks is not None:
            if not person.known:
                person.meet(self.portrait, to_pixels(self.face, *self.size))
            chosen = looks().showing(person).like(self.face, self.size)
            if not len(chosen.numbers):
                raise nobody(looks(), person)
            self.references = chosen.crops(self.portrait, self.face)

    def perform(
        self, motion: np.ndarray, reference_width: float, render: Callable
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Landmarks and frames of the portrait that makes `motion`; see [`Dub.perform`]."""
        landmarks = PortraitMouth(self.face, *self.size).retarget(motion, reference_width)
        return landmarks, iter(render(self.portrait, landmarks, self.face[:, :2], slice(None), self.references))


def locate_person(portrait: np.ndarray, landmarker: FaceLandmarker, person: Person, cache: FaceCache) -> np.ndarray:
    """Landmarks (478, 3), normalised, of the face in `portrait` (height, width, 3) that is the person's.

    Raises:
        FaceNotFoundError: there is no such face.
    """
    faces = cache.locate_all(landmarker, portrait)
    if not faces:
        return landmarker.locate(portrait)  # which says why
    best = person.find(0, portrait, [to_pixels(face, *portrait.shape[:2]) for face in faces])
    if best is None:
        raise FaceNotFoundError(
            f"`face_index`: the person in that picture isn't in `image`, which shows {len(faces)} face(s); the likest "
            f"differs by {person.nearest:.2f}, the same person's by less than {SAME:.2f}."
        )
    return faces[best]


def check_mouth(landmarks: np.ndarray) -> None:
    """Refuse a portrait whose mouth is cut off: the mesh guesses points outside of the picture.

    Args:
        landmarks (`np.ndarray`): (478, 3), normalised.

    Raises:
        ValueError: a lip point lies outside of the picture.
    """
    lips = landmarks[list(LIPS), :2]
    if lips.min() < 0 or lips.max() > 1:
        raise ValueError("image: the mouth is cut off by the edge of the picture; give one that shows the whole face.")
