"""A film to dub: a video file or a list of pictures, read in any order at constant memory."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from text2lip.media.animation import pictures_in
from text2lip.media.decoded import Shown, at_rate, fit, to_rgb
from text2lip.media.images import check_file, load_image
from text2lip.media.pixels import ImageError, is_tensor
from text2lip.media.video import is_film, packet_clock, timed_frames, video_info


BACKWARD, BACKWARD_BYTES = 32, 1 << 28  # frames, and their size, held at once while a film is played backwards
ANIMATION_BYTES = 1 << 28  # of an animated picture that is held whole, as none can be read from its middle
LOWEST_FPS, HIGHEST_FPS = 10, 60  # frames per second of a file that its dub keeps
SLACK = 0.02  # by which a rate may lie beyond them: phones write 60.02, and times of animations are rounded
NEAR = 10.0  # seconds: a frame so much later is decoded to, one after that is sought


def is_footage(image: Any) -> bool:
    """Whether `image` is a film: a list of pictures, an array (frames, height, width, 3), a tensor (frames, 3, height,
    width) of more than one frame, or the path of a video or an animated picture. The content of a file decides; one
    with a single picture is a portrait."""
    if isinstance(image, (str, os.PathLike)):
        return is_film(image)
    if is_tensor(image):
        return image.ndim == 4 and len(image) > 1
    return isinstance(image, (list, tuple)) or (isinstance(image, np.ndarray) and image.ndim == 4)


def usual_rate(fps: float) -> float:
    """The rate of a dub, frames per second: the film's own `fps` from `LOWEST_FPS` to `HIGHEST_FPS`.

    Lips on a slower one, as a slide show, have 25; a faster one is thinned out evenly, 120 to 60.
    """
    return 25.0 if fps < LOWEST_FPS - SLACK else fps / math.ceil(fps / HIGHEST_FPS - SLACK)


class Footage:
    """The frames of a film at a constant rate.

    Args:
        image: path of a video; list of pictures as [`load_image`] takes them; array (frames, height, width, 3); tensor
            (frames, 3, height, width).
        fps (`float`, *optional*): frames per second wanted; [`usual_rate`] of a file, 25 for pictures, by default. A
            file is sampled in time, whatever its own rate; pictures are taken as they are.
        max_size (`int`): longest side allowed, pixels.
        name (`str`): of the argument, for errors.

    Attributes:
        fps (`float`): frames per second.
        size (`tuple[int, int]`): height and width, pixels.

    Raises:
        ValueError: a file that can't be read, no pictures, or too large ones.
    """

    def __init__(self, image: Any, fps: float | None = None, max_size: int = 4096, name: str = "image"):
        self.image, self.max_size, self.name = image, max_size, name
        self.is_file = isinstance(image, (str, os.PathLike))
        if self.is_file:
            check_file(image, name)
        elif len(image) == 0:
            raise ImageError(f"{name}: got no frames; give a list of pictures, or a video.")
        info = video_info(image, name) if self.is_file else None
        self.fps = float(fps or (usual_rate(info.fps) if info else 25))
        self.size = None
        self.size = self._load(next(self.frames(0, 1))).shape[:2]

    @property
    def seconds(self) -> float:
        """Length of a file; 0 for pictures."""
        return packet_clock(self.image, self.name)[0] if self.is_file else 0.0

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Yield uint8 (height, width, 3) frames from number `start` on, until before `stop` or the end."""
        if self.is_file:
            yield from islice(self._decoded(start), None if stop is None else stop - start)
            return
        for index, picture in enumerate(self.image[start:stop], start):
            frame = self._load(picture)
            if index and frame.shape[:2] != self.size:
                raise ImageError(
                    f"{self.name}: frame {index} is {frame.shape[:2]}, the first was {self.size}; make them equal."
                )
            yield frame

    @cached_property
    def _animation(self) -> list[Shown] | None:
        """All of an animated picture, if it isn't too large."""
        count, info = pictures_in(self.image) or 1, video_info(self.image, self.name)
        small = 4 * count * info.width * info.height <= ANIMATION_BYTES
        return list(timed_frames(self.image, name=self.name)) if count > 1 and small else None

    def _load(self, picture: Any) -> np.ndarray:
        with self._errors():
            return load_image(picture, max_size=self.max_size)

    @contextmanager
    def _errors(self):
        """Name the argument in those of [`load_image`]."""
        try:
            yield
        except ImageError as error:
            raise ImageError(str(error).replace("image", self.name, 1)) from error

    def _decoded(self, start: int) -> Iterator[np.ndarray]:
        """Frames of a file from number `start` on, as [`at_rate`] takes them."""
        shown = self._animation or timed_frames(self.image, (start + 0.5) / self.fps, self.name)
        for one in at_rate(shown, self.fps, start):
            with self._errors():
                frame = to_rgb(one)
            yield frame if self.size is None else fit(frame, *self.size)

    def pick(self, numbers: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the frames of those ascending `numbers`, (count,) int, as far as there are; pictures of any sizes."""
        if not self.is_file:
            yield from (self._load(self.image[number]) for number in numbers)
            return
        for part in np.split(numbers, 1 + np.flatnonzero(np.diff(numbers) > NEAR * self.fps)):
            wanted = set(part.tolist())
            frames = enumerate(self.frames(int(part[0]), int(part[-1]) + 1), int(part[0]))
            yield from (frame for number, frame in frames if number in wanted)

    def play(self, positions: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the frames of those numbers, `positions` (count,) int, each beside the one before it or the same."""
        for first, count, step in _runs(positions):
            if step > 0:
                yield from self.frames(first, first + count)
            elif step == 0:
                (frame,) = self.frames(first, first + 1)
                yield from (frame.copy() for _ in range(count))
            else:
                block = max(1, min(BACKWARD, BACKWARD_BYTES // (3 * math.prod(self.size))))
                for stop in range(first + 1, first + 1 - count, -block):
                    yield from reversed(list(self.frames(max(stop - block, first + 1 - count), stop)))


def _runs(positions: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Stretches of equal steps: first position, how many, step."""
    begin = 0
    while begin < len(positions):
        step = int(positions[begin + 1] - positions[begin]) if begin + 1 < len(positions) else 1
        end = begin + 1
        while end < len(positions) and positions[end] - positions[end - 1] == step:
            end += 1
        yield int(positions[begin]), end - begin, step
        begin = end


def positions(num_frames: int, length: int, video_end: str) -> np.ndarray:
    """Which of a film's `length` frames each of `num_frames` shows: (num_frames,) int, fewer for "cut".

    "loop" plays a film that is too short back and forth, "hold" stays at its last frame, "cut" ends with it. A film
    that lacks a single frame is held: the sound of a file seldom ends with its picture.
    """
    index = np.arange(num_frames)
    if video_end == "cut":
        return index[:length]
    if video_end == "hold" or length == 1 or num_frames - length < 2:
        return np.minimum(index, length - 1)
    return length - 1 - np.abs(index % (2 * length - 2) - (length - 1))
