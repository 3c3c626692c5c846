"""A film taken apart: cuts found, one face followed through every shot, its landmarks steadied and gaps bridged."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.faces.geometry import to_pixels
from text2lip.faces.identity import SAME_PERSON
from text2lip.faces.landmarker import FaceLandmarker, FaceNotFoundError
from text2lip.faces.person import Person, StrangersWarning, stretches
from text2lip.faces.topology import BETWEEN_EYES, LIPS, OUTER_EYES, driven_index
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers.lip_colour import lip_tones, oddness


# Chosen by eye on films with cuts, fades, flashes and dissolves.
CUT = 0.45  # share of the colours that change from one frame to the next at a cut
SAME_PICTURE = 0.85  # correlation of two frames below which it is a cut too, if they differ by so many grey levels:
OTHER_PICTURE = 10.0
OUTER_MIDDLE = driven_index((0, 17))  # of the upper and of the lower lip
JUMP = 0.6  # outer eye distances that a face can't move from one frame to the next
BRIDGE = 0.4  # seconds without a face that are bridged
HEAD_SIGMA = 0.05  # seconds: steadies the head against the detector's jitter
LIP_SIGMA = 0.02  # seconds: the film's own lips and jaw, which move faster
THUMBNAIL = (64, 48)
THUMBNAIL_BLUR = 2.0  # pixels
USUAL = 0.75  # quantile of a shot's contrast: fades have less, flashes more
UNKNOWN_TONES = np.full((18, 3), np.nan, np.float32)


@dataclass(frozen=True)
class Shot:
    """A stretch of a film in which one face is seen without a break.

    Attributes:
        start (`int`): number of its first frame.
        head (`np.ndarray`): float32 (frames, 478, 3), normalised; smooth, for where the head is.
        face (`np.ndarray`): float32 (frames, 478, 3), normalised; for where lips and jaw are in the picture.
        size (`tuple[int, int]`): height and width of the frames, pixels.
        contrast (`np.ndarray`): float32 (frames,), standard deviation of each frame's colours, grey levels.
        tones (`np.ndarray`): float32 (frames, 18, 3), of [`lip_tones`]; NaN where a gap is bridged.
    """

    start: int
    head: np.ndarray
    face: np.ndarray
    size: tuple[int, int]
    contrast: np.ndarray
    tones: np.ndarray

    @property
    def stop(self) -> int:
        return self.start + len(self.head)

    @property
    def exposure(self) -> np.ndarray:
        """How much more contrast each frame has than is usual in the shot, in powers of 2, (frames,): below 0 in a
        fade to black or white, above 0 in a flash."""
        return np.log2((self.contrast + 1) / (np.quantile(self.contrast, USUAL) + 1))


@dataclass(frozen=True)
class ShotMouths:
    """The mouths of a shot, frame by frame, without the landmarks that they were found by.

    Attributes:
        shapes (`np.ndarray`): (frames, 57, 2), canonical.
        back (`np.ndarray`): (frames, 3), the direction of the back of the head.
        units (`np.ndarray`): (frames,), distance of the outer eye corners in space, pixels.
    """

    shapes: np.ndarray
    back: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, shot: Shot) -> "ShotMouths":
        mouths = (PortraitMouth(face, *shot.size) for face in shot.face)
        return cls(*map(np.array, zip(*((mouth.shape, mouth.axes[2].copy(), mouth.unit) for mouth in mouths))))


def find_shots(
    frames: Iterable[np.ndarray], landmarker: FaceLandmarker, fps: float, person: Any = None, alone: bool = True
) -> tuple[list[Shot], int]:
    """Follow a person through a film, in one pass that keeps landmarks alone.

    The person is chosen in the first shot that shows the face asked for, and known again after every cut. Where others
    are seen, or nobody for more than `BRIDGE` seconds, or where the mouth is outside of the picture, there is no shot;
    a [`StrangersWarning`] says where others are seen.

    Args:
        frames (iterable of `np.ndarray`): (height, width, 3) uint8.
        landmarker ([`FaceLandmarker`]): finds and follows the face.
        fps (`float`): frames per second.
        person (*optional*): the largest by default; an `int` or box as for [`FaceLandmarker.locate`], a picture of
            the person (path, `PIL.Image`, array), a [`Person`], or "any" for the largest face of every shot.
        alone (`bool`): whether it's told where others are seen.

    Returns:
        `tuple[list[Shot], int]`: shots in order, and how many frames there were.

    Raises:
        FaceNotFoundError: the face is in no frame.
        ValueError: a picture for `face_index` that can't be read or shows no face.
    """
    shots, count, problem, size = [], 0, None, None
    person = Person.of(person, landmarker)
    for scene in scenes(frames):
        seen = _Counted(scene)
        person.begin(count)
        try:
            landmarks, _ = landmarker.track(seen, person.index, person if person.follow else None, seen.look)
            pieces = list(_pieces(landmarks, seen.size, fps, np.array(person.others, int) - count))
        except FaceNotFoundError as error:
            problem, pieces = problem or error, []
            for _ in seen:
                pass
        size = size or seen.size
        for start, marks in pieces:
            contrast = np.array(seen.contrast[start : start + len(marks)], np.float32)
            tones = np.stack([seen.tones.get(start + i, UNKNOWN_TONES) for i in range(len(marks))])
            shots.append(Shot(count + start, *steady(marks, fps), seen.size, contrast, tones))
        count += seen.count
    if not shots and count and person.others:
        raise FaceNotFoundError(
            f"`face_index`: the person is in none of {count} frames; the likest face differs by {person.nearest:.2f}, "
            f"the same person's by less than {SAME_PERSON:.2f}. Give another picture of the person, a number or a box."
        )
    if alone:
        _tell(stretches(person.others, fps, BRIDGE / 2, BRIDGE))
    if not shots and count:
        raise problem or FaceNotFoundError(
            f"`image`: no face in any of {count} frames ({size[1]}x{size[0]} pixels) that is large enough and shows "
            "its whole mouth; give a video that shows the face larger and from the front."
        )
    return shots, count


def _tell(parts: list[tuple[float, float]]) -> None:
    """Say once where other people are seen, (from, to) in seconds."""
    if parts:
        times = ", ".join(f"{start:.2f} to {stop:.2f} s" for start, stop in parts[:5]) + ", …" * (len(parts) > 5)
        message = f"image: at {times} other people than the one who speaks are seen; these frames stay as they are. "
        message += "`face_index` says who speaks: a number, a box, a picture, or 'any' for each shot's largest face."
        warnings.warn(message, StrangersWarning, stacklevel=3)


class _Counted:
    """Frames that are counted while they pass, the contrast of each, and the tones of its lips."""

    def __init__(self, frames: Iterator[np.ndarray]):
        self.frames, self.contrast, self.tones, self.size = frames, [], {}, None

    def __iter__(self):
        for frame in self.frames:
            self.size = frame.shape[:2]
            self.contrast.append(float(frame[::4, ::4].std()))
            yield frame

    def look(self, number: int, frame: np.ndarray, points: np.ndarray) -> None:
        self.tones[number] = lip_tones(frame, points)

    @property
    def count(self) -> int:
        return len(self.contrast)


def scenes(frames: Iterable[np.ndarray]) -> Iterator[Iterator[np.ndarray]]:
    """Split frames at cuts: an iterator for each scene, to be taken up before the next one is asked for."""
    frames = iter(frames)
    waiting = [next(frames, None)]

    def scene():
        frame, before = waiting.pop(), None
        while frame is not None:
            seen = _colours(frame), _coarse(frame)
            if before is not None and _differ(before, seen):
                waiting.append(frame)
                return
            before = seen
            yield frame
            frame = next(frames, None)

    while waiting and waiting[0] is not None:
        yield scene()


def _colours(frame: np.ndarray) -> np.ndarray:
    """Shares of 6 x 6 x 6 colours in a frame, softened so that a change of light moves few: (6, 6, 6), sum 1."""
    small = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
    counts = cv2.calcHist([small], [0, 1, 2], None, [6] * 3, [0, 256] * 3)
    for axis in range(3):
        counts = gaussian_filter1d(counts, 0.7, axis=axis, mode="nearest")
    return counts / counts.sum()


def _coarse(frame: np.ndarray) -> np.ndarray:
    """What is light and dark in a frame, without detail: (48, 64)."""
    small = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA).mean(-1)
    return gaussian_filter1d(gaussian_filter1d(small, THUMBNAIL_BLUR, axis=0), THUMBNAIL_BLUR, axis=1)


def _differ(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether there is a cut between two frames: other colours, or the same ones in other places."""
    if 0.5 * np.abs(after[0] - before[0]).sum() > CUT:
        return True
    one, other = (coarse - coarse.mean() for coarse in (before[1], after[1]))
    alike = (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-6)
    return bool(alike < SAME_PICTURE and np.abs(one - other).mean() > OTHER_PICTURE)


def _pieces(
    landmarks: np.ndarray, size: tuple[int, int], fps: float, others: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Starts and landmarks of the stretches with a face: short gaps bridged, parted where the face jumps and at frames
    that show `others`, int (n,)."""
    lips = landmarks[:, list(LIPS), :2]
    with np.errstate(invalid="ignore"):
        good = np.flatnonzero((lips.min((1, 2)) >= 0) & (lips.max((1, 2)) <= 1))  # False for NaN
    if not len(good):
        return
    points = to_pixels(landmarks[good], *size)
    unit = np.median(np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=-1))
    away = np.linalg.norm(np.diff(points[:, BETWEEN_EYES, :2], axis=0), axis=-1)
    steps = np.diff(good)
    strange = np.isin(np.arange(len(landmarks)), others).cumsum()
    breaks = (steps > BRIDGE * fps) | (away > JUMP * unit * steps) | (np.diff(strange[good]) > 0)
    for part in np.split(np.arange(len(good)), 1 + np.flatnonzero(breaks)):
        start, stop = good[part[0]], good[part[-1]] + 1
        known, flat = good[part], landmarks[good[part]].reshape(len(part), -1)
        every = np.arange(start, stop)
        yield int(start), np.stack([np.interp(every, known, c) for c in flat.T], -1).reshape(-1, *landmarks.shape[1:])


def steady(landmarks: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """`landmarks` (frames, 478, 3) smoothed over time without delay, for the head and for lips and jaw; float32."""
    smooth = (gaussian_filter1d(landmarks, s * fps, axis=0, mode="nearest") for s in (HEAD_SIGMA, LIP_SIGMA))
    return tuple(marks.astype(np.float32) for marks in smooth)


def reference_frame(shot: Shot, mouths: ShotMouths | None = None) -> int:
    """The frame of a shot, counted from its start, that shows the mouth best: closed, the head still, lit, its lips as
    wide and of the colour that they usually have."""
    mouths = mouths or ShotMouths.of(shot)
    gap = lip_gap(mouths.shapes)
    turn = np.linalg.norm(mouths.back - np.median(mouths.back, 0), axis=-1)  # radians, nearly
    middle = shot.head[:, BETWEEN_EYES, :2] * shot.size[::-1]
    speed = np.linalg.norm(np.gradient(middle, axis=0), axis=-1) / mouths.units[0] if len(middle) > 1 else 0 * gap
    dim = np.abs(shot.exposure) / 0.3
    thick = np.linalg.norm(mouths.shapes[:, OUTER_MIDDLE[1]] - mouths.shapes[:, OUTER_MIDDLE[0]], axis=-1) - gap
    pressed = np.maximum(np.median(thick) - thick, 0) / 0.05  # such lips hide their red
    width = lip_width(mouths.shapes)
    pursed = np.maximum(np.median(width[gap <= np.quantile(gap, 1 / 3)]) - width, 0) / 0.1
    odd = oddness(shot.tones) / 0.4
    return int(np.argmin(np.maximum(gap - 0.01, 0) / 0.05 + turn / 0.2 + speed / 0.03 + dim + pressed + pursed + odd))
