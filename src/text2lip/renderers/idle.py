"""Idle life for a still picture: now and then the eyes blink, and the head sways a little."""

from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import cv2
import numpy as np

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import RIGHT_IRIS
from text2lip.renderers.base import check_landmarks
from text2lip.renderers.eyelids import find_eyes, prepare_eyelids
from text2lip.renderers.warp import CUBIC_BELOW, FaceFrame, face_frame, smoothstep


# How a head lives that is a picture; units are distances of the outer eye corners; by eye.
BLINK_PAUSE = (2.0, 6.0)  # seconds between blinks
FIRST_BLINK = (0.4, 1.8)  # seconds until the first one, so that a short clip may have one
BLINK = (0.15, 0.30)  # seconds that a blink lasts
CLOSING, SHUT = 0.3, 0.3  # shares of a blink; the rest is the slower opening
SWAY = (0.006, 0.005, 0.0045)  # root mean square: units right, units down, radians
SWAY_BAND, WAVES = (0.07, 0.4), 5  # Hz; sines that fill it
START = 1.5  # seconds in which the sway sets in
SWAY_CELLS = 16  # of the sway's grid in a unit
HEAD = ((0.0, 0.05), (0.95, 1.3))  # centre and half axes, units, of what moves as one: head and hair
FADE = 0.85  # units around the head in which the motion fades
FADING_SIDES, STILL = 0.45, 0.1  # units along the picture's sides in which it fades; share of them that stands still
NECK = 1.9  # units below the eyes: what the head turns about
INVERSIONS = 4  # steps that turn the field of the frames around


class IdleMotion:
    """When the eyes close and where the head is, frame by frame; endless, and the same for the same seed.

    The sway is a sum of sines (band-limited noise with neither state nor end) for each of right, down and turn.
    Blinks come 2 to 6 s apart and last 0.15 to 0.3 s, closing faster than they open.

    Args:
        fps (`float`): frames per second.
        strength (`float`): factor on the sway; blinks are always whole ones.
        seed (`int`): of the random times and phases.
    """

    def __init__(self, fps: float, strength: float, seed: int):
        self.fps, self.strength = fps, strength
        self.seed = seed
        waves = np.random.default_rng((seed, 0))
        edges = np.geomspace(*SWAY_BAND, WAVES + 1)
        self._speeds = 2 * np.pi * waves.uniform(edges[:-1], edges[1:], (3, WAVES))
        self._phases = waves.uniform(0, 2 * np.pi, (3, WAVES))

    def __iter__(self) -> Iterator[tuple[np.ndarray, float]]:
        """Yield for each frame `(3,)` right and down in units and the turn in radians, and the closure, 0 to 1."""
        blinks = np.random.default_rng((self.seed, 1))
        start, length = blinks.uniform(*FIRST_BLINK), blinks.uniform(*BLINK)
        size = self.strength * np.array(SWAY) * np.sqrt(2 / WAVES)
        frame = 0
        while True:
            time = frame / self.fps
            while time > start + length:
                start, length = start + length + blinks.uniform(*BLINK_PAUSE), blinks.uniform(*BLINK)
            waves = np.sin(self._speeds * time + self._phases).sum(1)
            yield smoothstep(time, 0, START) * size * waves, _closure((time - start) / length)
            frame += 1


def _closure(phase: float) -> float:
    """How far an eye is shut at `phase` (0 to 1) of a blink."""
    return float(smoothstep(phase, 0, CLOSING) * smoothstep(-phase, -1, -CLOSING - SHUT))


def head_weight(points: np.ndarray, face: FaceFrame, height: int, width: int) -> np.ndarray:
    """How much pixel positions `(..., 2)` go along with the head: 1 on it, 0 on the background and at every border."""
    x, y = np.moveaxis(face.coordinates(points), -1, 0)
    (cx, cy), (rx, ry) = HEAD
    distance = np.hypot((x - cx) / rx, (y - cy) / ry)
    weight = 1 - smoothstep(distance, 1, 1 + FADE)
    margin = np.minimum(points, np.array([width - 1, height - 1]) - points) / (FADING_SIDES * face.unit)
    return weight * smoothstep(margin, STILL, 1).prod(-1)


def sway(points: np.ndarray, face: FaceFrame, height: int, width: int) -> np.ndarray:
    """What moves pixel positions `(..., 2)`: `(3, ..., 2)` pixels per unit right, per unit down and per radian."""
    weight = head_weight(points, face, height, width)[..., None] * face.unit
    arm = (points - face.pixels(np.array([0, NECK], np.float32))) / face.unit
    turn = np.stack([-arm[..., 1], arm[..., 0]], -1)
    return np.stack([weight * face.right, weight * face.down, weight * turn]).astype(np.float32)


class HeadSway:
    """The sway's field for one picture: built once, a few products and one resampling for each frame.

    Args:
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
        height, width (`int`): of the picture.
    """

    def __init__(self, points: np.ndarray, height: int, width: int):
        self.face = face_frame(points)
        (cx, cy), half = HEAD
        reach = (1 + FADE) * np.hypot(*half) * self.face.unit
        middle = self.face.pixels(np.array([cx, cy], np.float32))
        x0, y0 = np.clip(np.floor(middle - reach), 0, [width, height]).astype(int)
        x1, y1 = np.clip(np.ceil(middle + reach) + 1, 0, [width, height]).astype(int)
        step = max(1, round(self.face.unit / SWAY_CELLS))
        weight = head_weight(_grid(x0, y0, x1, y1, step), self.face, height, width)
        rows, columns = np.flatnonzero(weight.any(1)), np.flatnonzero(weight.any(0))
        if len(rows) and len(columns):  # trim what does not move
            x0, x1 = x0 + columns[0] * step, min(x0 + (columns[-1] + 1) * step, x1)
            y0, y1 = y0 + rows[0] * step, min(y0 + (rows[-1] + 1) * step, y1)
        self.box = int(x0), int(y0), int(x1), int(y1)
        self.step = step
        self.fields = sway(_grid(*self.box, step), self.face, height, width)

    def apply(self, frame: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """`frame`, `(height, width, 3)` uint8, with the head at `pose` (right, down, turn): a new array."""
        x0, y0, x1, y1 = self.box
        out = frame.copy()
        if x1 - x0 < 1 or y1 - y0 < 1:
            return out
        nodes = np.tensordot(-pose.astype(np.float32), self.fields, 1)
        size = nodes.shape[1] * self.step, nodes.shape[0] * self.step
        maps = cv2.resize(nodes, size, interpolation=cv2.INTER_LINEAR)[: y1 - y0, : x1 - x0]
        maps[..., 0] += np.arange(x0, x1, dtype=np.float32)
        maps[..., 1] += np.arange(y0, y1, dtype=np.float32)[:, None]
        method = cv2.INTER_CUBIC if self.face.unit < CUBIC_BELOW else cv2.INTER_LINEAR
        out[y0:y1, x0:x1] = cv2.remap(frame, maps, None, method, borderMode=cv2.BORDER_REFLECT_101)
        return out


def _grid(x0: int, y0: int, x1: int, y1: int, step: int) -> np.ndarray:
    """Centres of the cells of `step` pixels that cover a box: `(rows, columns, 2)` float32, pixel indices."""
    x = x0 + (np.arange(-(-(x1 - x0) // step)) + 0.5) * step - 0.5
    y = y0 + (np.arange(-(-(y1 - y0) // step)) + 0.5) * step - 0.5
    return np.stack(np.meshgrid(x, y), -1).astype(np.float32)


def add_idle(
    frames: Iterable[np.ndarray],
    source_landmarks: np.ndarray,
    *,
    fps: float,
    strength: float = 1.0,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Let the head in rendered frames sway and blink, at the frames' own resolution and at constant memory.

    The head moves as one, so the mouth keeps its shape; the motion fades around the head and neck and is nil at the
    picture's border. Eyes that are shut (by the landmarks) or behind dark lenses (by the first frame) do not blink.

    Args:
        frames (iterable of `np.ndarray`): `(height, width, 3)` uint8, RGB, of a head that does not move otherwise.
        source_landmarks (`np.ndarray`): `(478, 2)` normalised landmarks of that head.
        fps (`float`): frames per second, positive.
        strength (`float`): factor on the sway, 0 to 2; 0 returns the frames as they are.
        seed (`int`): chooses the motion, 0 or more; equal seeds give equal frames.

    Yields:
        `np.ndarray`: `(height, width, 3)` uint8, RGB.

    Raises:
        ValueError: an argument out of range (at the call), or a frame of another shape or dtype (at that frame).
    """
    source = check_landmarks(source_landmarks, "source_landmarks", 2)
    motion = _motion(fps, strength, seed)
    return _idle(frames, source, motion) if strength else iter(frames)


def _idle(frames: Iterable[np.ndarray], source: np.ndarray, motion: IdleMotion) -> Iterator[np.ndarray]:
    head, shape = None, None
    for frame, (pose, closure) in zip(frames, motion):
        frame = np.asarray(frame)
        shape = shape or frame.shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.shape != shape:
            raise ValueError(
                "`frames` must be uint8 RGB arrays (height, width, 3) of one size, got "
                f"{frame.dtype} of shape {frame.shape}."
            )
        if head is None:
            points = to_indices(source, *shape[:2])
            head = HeadSway(points, *shape[:2])
            lids = [prepare_eyelids(frame, eye) for eye in find_eyes(points, head.face.unit)]
            lids = [lid for lid in lids if lid is not None]
        if closure and lids:
            frame = frame.copy()
            for lid in lids:
                lid.close(frame, closure)
        yield head.apply(frame, pose)


def idle_landmarks(
    landmarks: np.ndarray,
    source_landmarks: np.ndarray,
    *,
    size: tuple[int, int],
    fps: float,
    strength: float = 1.0,
    seed: int = 0,
) -> np.ndarray:
    """Landmarks after the motion that [`add_idle`] gives to frames with the same arguments.

    Args:
        landmarks (`np.ndarray`): `(frames, 478, 2)` normalised, of the frames before.
        source_landmarks (`np.ndarray`): `(478, 2)` normalised.
        size (`tuple`): height and width of the frames, pixels.
        fps, strength, seed: as for `add_idle`.

    Returns:
        `np.ndarray`: `(frames, 478, 2)` float32, normalised; lids follow the blinks, irises stay.
    """
    landmarks = check_landmarks(landmarks, "landmarks", 3)
    source = check_landmarks(source_landmarks, "source_landmarks", 2)
    motion = _motion(fps, strength, seed)
    height, width = (int(side) for side in size)
    if height < 1 or width < 1:
        raise ValueError(f"`size` must be the frames' (height, width) in pixels, got {size!r}.")
    if not strength:
        return landmarks
    points = to_indices(source, height, width)
    face = face_frame(points)
    eyes = find_eyes(points, face.unit)
    rows = []
    for row, (pose, closure) in zip(to_indices(landmarks, height, width), motion):
        for eye in eyes if closure else ():
            row[:RIGHT_IRIS] = eye.move(row[:RIGHT_IRIS], closure)
        target = row
        for _ in range(INVERSIONS):  # the frames' field tells where each pixel comes from: invert it
            target = row + np.tensordot(pose, sway(target, face, height, width), 1)
        rows.append((target + 0.5) / (width, height))
    return np.array(rows, np.float32).reshape(landmarks.shape)


def _motion(fps: float, strength: float, seed: int) -> IdleMotion:
    """The motion, or ValueError."""
    if not (isinstance(fps, Real) and 0 < fps < np.inf):
        raise ValueError(f"`fps` must be a positive number of frames per second, got {fps!r}.")
    if not (isinstance(strength, Real) and 0 <= strength <= 2):
        raise ValueError(f"`strength` must be between 0 (no motion) and 2, got {strength!r}.")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"`seed` must be an integer of 0 or more, got {seed!r}.")
    return IdleMotion(fps, strength, int(seed))


def check_idle(idle: bool | float, moves: bool) -> None:
    """Refuse idle life where the picture `moves` by itself, as in a film; ValueError."""
    if idle and moves:
        raise ValueError(f"idle: {idle!r}, but the head of a video has its own life; leave it out.")


def idle_seed(generator: Any = None) -> int:
    """A seed for [`add_idle`], drawn from a `torch.Generator`; 0 without one, so that every call gives the same."""
    if generator is None:
        return 0
    import torch

    return int(torch.randint(2**31, (), generator=generator, device=generator.device))
