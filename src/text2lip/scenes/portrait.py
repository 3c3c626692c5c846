"""A portrait that talks."""

import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from text2lip.ahead import map_ahead
from text2lip.faces.cache import FaceCache
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME_PERSON
from text2lip.faces.landmarker import FaceLandmarker, FaceNotFoundError
from text2lip.faces.mouth_trust import MouthWarning, judge_mouth
from text2lip.faces.person import Person
from text2lip.faces.topology import LIPS
from text2lip.media.images import load_image
from text2lip.motion.feelings import express_lips
from text2lip.motion.lips import LipMotion
from text2lip.motion.motion_plan import CHANNELS, MotionPlan
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers.base import Renderer, every_frame, tongue_argument
from text2lip.renderers.relief import CUT_NEEDS, MOVE_NEEDS, Relief
from text2lip.scenes.reference_set import ReferenceSet
from text2lip.text.timing import Timeline


class Portrait:
    """A picture of someone who says things, with the interface of [`Film`].

    Args:
        image: see [`load_image`].
        landmarker ([`FaceLandmarker`]): finds the face.
        fps (`float`, *optional*): frames per second of what is made of it, 25 by default.
        person (*optional*): who speaks, see [`Person.of`].
        faces ([`FaceCache`], *optional*): remembers whom the landmarker found.
        max_size (`int`): longest side allowed, pixels.
        transparent (`bool`): cut the person out, by the picture's own alpha if it has any.

    Attributes:
        picture (`np.ndarray`): uint8 (height, width, 3).
        face (`np.ndarray`): (478, 3) normalised landmarks.
        size (`tuple[int, int]`): height and width, pixels.
        trust ([`MouthTrust`]): how far the mouth is moved, and what is doubted of it.
        references ([`ReferenceSet`], *optional*): other pictures of the person, see [`refer_to`].

    Raises:
        FaceNotFoundError: no face, or not the person's.
        ValueError: a picture that can't be used.
    """

    moves = False

    def __init__(
        self,
        image: Any,
        landmarker: FaceLandmarker,
        *,
        fps: float | None = None,
        person: Any = None,
        faces: FaceCache | None = None,
        max_size: int = 4096,
        transparent: bool = False,
    ):
        self.picture, alpha = load_image(image, max_size=max_size, return_alpha=True)
        self.transparent = transparent
        self.alpha = None if not transparent or alpha is None or alpha.min() == 255 else alpha
        self.fps, self.size = float(fps or 25), self.picture.shape[:2]
        faces = faces or FaceCache()
        self.person = Person.of(person, landmarker).anew()
        if self.person.known:
            self.face = locate_person(self.picture, landmarker, self.person, faces)
        else:
            self.face = faces.locate(landmarker, self.picture, self.person.index)
        check_mouth(self.face)
        self.trust = judge_mouth(
            self.picture, self.face, lambda: faces.mirror_error(landmarker, self.picture, self.face)
        )
        self.references, self._mouths, self._relief = None, None, None
        if self.doubts:
            why = f"image: the mouth may look wrong: {'; '.join(self.doubts)}."
            remedy = "A face from the front, its lips in view and closed or smiling, moves best."
            warnings.warn(f"{why} {remedy}", MouthWarning, stacklevel=3)

    @property
    def doubts(self) -> list[str]:
        """Why the mouth may look wrong, and once it has been drawn with a plan, why its head moves less, in words;
        empty where nothing speaks for either."""
        less = [] if self._relief is None else self._relief.reasons
        return [*self.trust.doubts, *(f"head and face move less: {reason}" for reason in less)]

    @cached_property
    def looks(self) -> int:
        """A number of this picture, by which it moves otherwise than others do."""
        return zlib.crc32(self.picture.tobytes())

    def plan(self, motion: LipMotion) -> MotionPlan | None:
        """What head and face do beside the lips' `motion`."""
        return None if motion.plan_of is None else motion.plan_of(looks=self.looks)

    def refer_to(self, references: ReferenceSet) -> None:
        """Take teeth and tongue from other pictures of the person, in the portrait's light.

        Raises:
            ValueError: none of them can be used.
        """
        if not self.person.known:
            self.person.meet(self.picture, to_pixels(self.face, *self.size))
        chosen = references.showing(self.person).alike(self.face, self.size)
        if not len(chosen):
            raise references.unusable(self.person, "portrait")
        self.references, self._mouths = references, chosen.mouths(self.picture, self.face)

    def frames_for(self, timeline: Timeline) -> None:
        """See [`Film.frames_for`]: a portrait has no length of its own."""

    def before(self, num_frames: int) -> Iterator[np.ndarray]:
        """The picture, so many times; see [`Film.before`]."""
        return repeat(self.picture, num_frames)

    def draw(
        self,
        renderer: Renderer,
        motion: LipMotion,
        audio_features: Any = None,
        generator: Any = None,
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Landmarks and frames of the portrait that makes `motion`; see [`Film.draw`].

        Where the mouth isn't trusted it makes a part of the motion, see [`MouthTrust`].
        A plan of the motion moves first the lips' corners, then head and face. Frames of a `transparent` one are RGBA.
        """
        plan = self.plan(motion)
        if plan is not None:
            motion = replace(motion, displacement=express_lips(motion.displacement, plan, motion.rest))
        mouth = PortraitMouth(self.face, *self.size)
        mouth.rest = mouth.shape + self.trust.closing * (mouth.rest - mouth.shape)
        landmarks = mouth.retarget(self.trust.motion * motion.displacement, motion.reference_width)
        frames = renderer.render(
            self.picture,
            landmarks,
            source_landmarks=self.face[:, :2],
            fps=motion.fps,
            audio_features=audio_features,
            references=self._mouths if renderer.takes_references else None,
            generator=generator,
            **tongue_argument(renderer, motion.tongue),
        )
        frames = every_frame(frames, len(landmarks), self.picture)
        lives = plan is not None and plan.values.any()
        if lives or self.transparent:
            relief = self._relief = self._relief or Relief(self.picture, self.face, self.alpha)
            still = np.zeros((len(landmarks), len(CHANNELS)), np.float32)
            rows = plan.values[: len(landmarks)].copy() if lives else still  # who has the plan may write to it
            landmarks = np.stack([relief.landmarks(*pair) for pair in zip(landmarks, rows)])
            move, needs = (relief.cut, CUT_NEEDS) if self.transparent else (relief.move, MOVE_NEEDS)
            frames = map_ahead(move, frames, rows, nbytes=needs * self.picture.nbytes)
        return landmarks, frames


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
            f"differs by {person.nearest:.2f}, the same person's by less than {SAME_PERSON:.2f}."
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
