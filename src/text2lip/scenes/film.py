"""Dubbing: a film keeps its head motion, blinks and background, and its mouth follows a new text or sound.

Two pictures make a frame. The film's own frame gives skin, chin and cheeks: warped from its own landmarks, so that the
jaw is where the new speech has it. The lips and what is between them come from one frame of the shot, drawn by the
renderer with the new motion: what the film's own mouth did leaves no trace. A renderer that knows how takes teeth and
tongue from a few other frames, whichever have their lips nearly as the new speech wants them.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import groupby, islice
from typing import Any

import numpy as np

from text2lip.faces.canonical import lip_gap
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person
from text2lip.media.footage import Footage, positions
from text2lip.motion.lips import LipMotion
from text2lip.motion.retarget import PortraitMouth, closing
from text2lip.renderers.base import Renderer, every_frame, tongue_argument
from text2lip.renderers.geometric import prepare
from text2lip.renderers.lip_colour import recolour_lips, usual_lips
from text2lip.renderers.mouth_references import MouthReferences
from text2lip.renderers.skin import Skin
from text2lip.renderers.transplant import lay_mouth
from text2lip.renderers.warp import smoothstep
from text2lip.scenes.reference_set import MAX_TURN, ReferenceSet
from text2lip.scenes.shots import Shot, ShotMouths, find_shots, reference_frame
from text2lip.text.timing import Timeline


# Chosen by eye.
FADED_TURN = (MAX_TURN, 0.55)  # radians between a head and the reference at which the drawn mouth fades, and is gone
MAX_EXPOSURE = 0.4  # powers of 2 by which the contrast of a reference may differ from what is usual in the shot
SHOTS_HELD = 4  # whose frame and mouths stay in memory, as a film played back and forth comes back to them
LONGEST = 120 * 60 * 120  # frames that are searched of a film whose end isn't known: two hours at the highest rate
NEARBY = 15.0  # seconds before and after the reference in which other frames of a shot are chosen


class Film:
    """A film whose face says something else.

    Args:
        image: path of a video, list of pictures, or array (frames, height, width, 3); see [`Footage`].
        landmarker ([`FaceLandmarker`]): finds and follows the face.
        fps (`float`, *optional*): frames per second; the film's own by default.
        person (*optional*): who speaks, see [`find_shots`].
        video_end (`str`): "loop", "hold" or "cut": what follows the film's last frame, see [`positions`].
        max_size (`int`): longest side allowed, pixels.
        progress (`Callable`): wraps the frames that are searched, such as a progress bar.

    Attributes:
        fps (`float`): frames per second.
        size (`tuple[int, int]`): height and width, pixels.
        references ([`ReferenceSet`], *optional*): other pictures of the person, see [`refer_to`].
        alone (`bool`): whether other people say nothing, which a [`StrangersWarning`] then tells; True.

    Raises:
        ValueError: the film can't be read.
    """

    moves = True
    doubts = ()  # of the mouth, see [`Portrait`]

    def __init__(
        self,
        image: Any,
        landmarker: FaceLandmarker,
        *,
        fps: float | None = None,
        person: Any = None,
        video_end: str = "loop",
        max_size: int = 4096,
        progress: Callable = iter,
    ):
        self.footage = Footage(image, fps, max_size)
        self.fps, self.size = self.footage.fps, self.footage.size
        self.landmarker, self.video_end, self.progress = landmarker, video_end, progress
        self.person, self.references, self.alone = Person.of(person, landmarker), None, True
        self._searched = 0, None  # frames, and what was found in them

    def refer_to(self, references: ReferenceSet) -> None:
        """Take teeth and tongue from these pictures of the person, in place of other frames of the same shot."""
        self.references = references

    def search(self, num_frames: int) -> tuple[list["DubbedShot"], int, Person]:
        """Shots in the film's first `num_frames`, how many frames there are, and the person.

        Searched once for clips that follow each other and are of one length, or longer than the film; a clip is the
        same whatever was made before it.

        Raises:
            FaceNotFoundError: the face is in no frame.
        """
        searched, found = self._searched
        whole = found is not None and found[1] < searched  # the film ended
        if searched != num_frames and not (whole and num_frames >= found[1]):
            person = self.person.anew()
            frames = self.progress(self.footage.frames(0, num_frames))
            shots, length = find_shots(frames, self.landmarker, self.fps, person, self.alone)
            self._searched = num_frames, ([DubbedShot(shot) for shot in shots], length, person)
        return self._searched[1]

    def frames_for(self, timeline: Timeline) -> int | None:
        """How many frames a clip has that says what subtitles of the film do: all of the film, or more if what is said
        lasts longer. None for any other `timeline`, which says itself how long it is."""
        if not any(turn.cue for turn in timeline.turns):
            return None
        return max(self.search(LONGEST)[1], math.floor(timeline.duration * self.fps + 0.5))

    def before(self, num_frames: int) -> Iterator[np.ndarray]:
        """The film's own frames beside those of a clip of so many: uint8 (height, width, 3)."""
        return self.footage.play(positions(num_frames, self.search(num_frames)[1], self.video_end))

    def draw(
        self,
        renderer: Renderer,
        motion: LipMotion,
        audio_features: Any = None,
        generator: Any = None,
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Put lip motion on the film.

        Reads it once for the landmarks, once more while the frames are taken, and the chosen ones of each shot before.

        Args:
            renderer ([`Renderer`]): draws the mouths.
            motion ([`LipMotion`]): at the film's frames per second.
            audio_features (`torch.Tensor`, *optional*): (frames, tokens, width), for a renderer that hears.
            generator (`torch.Generator`, *optional*): for a renderer that samples.

        Returns:
            `tuple`: landmarks, float32 (frames, 478, 2), NaN where there is no face; and the frames, uint8 (height,
            width, 3), made one by one. Fewer than in `motion` if the film ends sooner and `video_end` is "cut".

        Raises:
            FaceNotFoundError: the face is in no frame.
            ValueError: none of the reference set's pictures can be used in any shot.
        """
        shots, length, person = self.search(len(motion))
        where = positions(len(motion), length, self.video_end)
        references = self._choose_references(shots, person) if renderer.takes_references else {}
        shown = [None] * length
        for shot in shots:
            shown[shot.start : shot.stop] = [shot] * (shot.stop - shot.start)
        landmarks = np.full((len(where), 478, 2), np.nan, np.float32)
        for i, position in enumerate(where):
            if shown[position]:
                landmarks[i] = shown[position].place(position, motion.displacement[i : i + 1], motion.reference_width)
        render = partial(renderer.render, fps=motion.fps, generator=generator)
        rows = {"audio_features": audio_features, **tongue_argument(renderer, motion.tongue)}
        frames = self._frames(where, shown, landmarks, motion, render, rows, references)
        return landmarks, frames

    def _choose_references(self, shots: list["DubbedShot"], person: Person) -> dict["DubbedShot", ReferenceSet]:
        """Which pictures show each shot's mouth."""
        chosen = {}
        for shot in shots:
            pictures = shot.nearby(self.footage) if self.references is None else self.references.showing(person)
            chosen[shot] = pictures.alike(shot.reference_face, shot.size)
        if self.references is not None and not any(chosen.values()):
            raise self.references.unusable(person, "film")
        return chosen

    def _frames(
        self,
        where: np.ndarray,
        shown: list,
        landmarks: np.ndarray,
        motion: LipMotion,
        render: Callable,
        rows: dict[str, Any],
        references: dict["DubbedShot", ReferenceSet],
    ) -> Iterator[np.ndarray]:
        """The film's frames `where`; those of a shot, see `shown`, with the mouth at `landmarks`, by `rows`."""

        @lru_cache(SHOTS_HELD)
        def reference_of(shot: DubbedShot) -> tuple[np.ndarray, MouthReferences | None]:
            (portrait,) = self.footage.frames(shot.reference, shot.reference + 1)
            if not references.get(shot):
                return portrait, None
            mouths = references[shot].mouths(portrait, shot.source)
            return recolour_lips(portrait, shot.source, usual_lips(mouths)), mouths

        frames, begin = self.footage.play(where), 0
        for shot, group in groupby(shown[position] for position in where):
            end = begin + len(list(group))
            if shot is None:
                yield from islice(frames, end - begin)
            else:
                portrait, mouth_references = reference_of(shot)
                drawn_at = shot.mouth.retarget(motion.displacement[begin:end], motion.reference_width)
                given = {name: None if values is None else values[begin:end] for name, values in rows.items()}
                mouths = render(portrait, drawn_at, source_landmarks=shot.source, references=mouth_references, **given)
                for i, mouth in zip(range(begin, end), every_frame(mouths, end - begin, portrait)):
                    yield shot.frame(next(frames), where[i], landmarks[i], mouth, drawn_at[i - begin])
            begin = end


class DubbedShot:
    """A shot, its talker's mouth at rest, and the frame from which the mouth is drawn.

    Args:
        shot ([`Shot`]): what was found in the film.
    """

    def __init__(self, shot: Shot):
        self.shot, self.start, self.stop, self.size = shot, shot.start, shot.stop, shot.size
        mouths = ShotMouths.of(shot)
        best = reference_frame(shot, mouths)
        self.reference, self.reference_face = shot.start + best, shot.face[best]
        self.source = self.reference_face[:, :2]
        lit = mouths.shapes[np.abs(shot.exposure) < MAX_EXPOSURE]  # the darker, the less do landmarks tell
        gap = lip_gap(lit)
        closed = lit[gap <= np.quantile(gap, 0.2)].mean(0)
        self.rest, self.back = closed + closing(closed), mouths.back
        self.mouth = PortraitMouth(self.reference_face, *shot.size)
        self.mouth.rest = self.rest
        self.skin = Skin(self.source, *shot.size)

    def nearby(self, footage: Footage) -> ReferenceSet:
        """The frames of the shot around the reference."""
        shot, reach = self.shot, round(NEARBY * footage.fps)
        numbers = np.arange(max(shot.start, self.reference - reach), min(shot.stop, self.reference + reach + 1))
        numbers = numbers[np.abs(shot.exposure[numbers - shot.start]) < MAX_EXPOSURE]
        return ReferenceSet(footage, numbers, shot.face[numbers - shot.start], np.full((len(numbers), 2), shot.size))

    def place(self, position: int, displacement: np.ndarray, reference_width: float) -> np.ndarray:
        """Landmarks (478, 2) of the film's frame `position` with the mouth of `displacement` (1, 57, 2)."""
        mouth = PortraitMouth(self.shot.head[position - self.start], *self.size)
        mouth.rest = self.rest
        return mouth.retarget(displacement, reference_width)[0]

    def frame(
        self, frame: np.ndarray, position: int, landmarks: np.ndarray, mouth: np.ndarray, drawn_at: np.ndarray
    ) -> np.ndarray:
        """A frame of the film with its mouth at `landmarks`, from the picture `mouth` that has it at `drawn_at`."""
        face = self.shot.face[position - self.shot.start]
        turn = np.linalg.norm(self.back[position - self.shot.start] - self.mouth.axes[2])
        weight = float(1 - smoothstep(turn, *FADED_TURN))
        if weight == 1:
            base = self.skin.move(frame, face[:, :2], landmarks)
        else:
            base = prepare(frame, face[:, :2]).frame(landmarks)
        return lay_mouth(base, mouth, landmarks, drawn_at, weight)
