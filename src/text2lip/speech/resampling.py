"""Sound at another rate, window by window: of an hour nothing is kept but the sound itself."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from text2lip.memory import in_file, let_go, room
from text2lip.speech.audio import SAMPLES_AT_ONCE, channel_signs, fit_samples, mixed, resample


class Resampled:
    """Sound at another rate; windows of it, `sound[a:b]`, are computed where they are asked for, and are what
    [`resample`] would make of the whole.

    Args:
        audio (`np.ndarray`): (samples,) or (channels, samples) floats; it is kept, not copied.
        sampling_rate, target (`int`): its rate and the one wanted, Hz.
        mono (`bool`): one channel, see [`to_mono`].
    """

    def __init__(self, audio: np.ndarray, sampling_rate: int, target: int, mono: bool = False):
        self._audio, self._signs = audio, channel_signs(audio) if mono and audio.ndim == 2 else None
        self.channels = 1 if mono or audio.ndim == 1 else len(audio)
        self._rates = sampling_rate, target
        self._length = max(1, round(audio.shape[-1] * target / sampling_rate))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, window: slice) -> np.ndarray:
        begin, end, _ = window.indices(self._length)
        first, last = _around(begin, end, *self._rates)
        piece = self._audio[..., first:last]
        piece = piece if self._signs is None else mixed(piece, self._signs)
        window = _window(piece, first, slice(begin, end), *self._rates)
        let_go(self._audio)
        return window

    def pieces(self) -> Iterator[np.ndarray]:
        """All of it in order."""
        for start in range(0, self._length, SAMPLES_AT_ONCE):
            yield self[start : start + SAMPLES_AT_ONCE]

    def fill(self, array: np.ndarray) -> np.ndarray:
        """Write as much of it as there is place for into `array` (..., samples), and return that."""
        for start in range(0, min(self._length, array.shape[-1]), SAMPLES_AT_ONCE):
            stop = min(start + SAMPLES_AT_ONCE, array.shape[-1])
            piece = self[start:stop]
            array[..., start : start + piece.shape[-1]] = piece
            let_go(array)
        return array


def resampled_whole(audio: np.ndarray, sampling_rate: int, target: int) -> np.ndarray:
    """[`resample`], of a sound in a file without memory for it."""
    if not in_file(audio):
        return resample(audio, sampling_rate, target)
    source = Resampled(audio, sampling_rate, target)
    return source.fill(room((*audio.shape[:-1], len(source))))


def resampled(pieces: Iterable[np.ndarray], sampling_rate: int, target: int) -> Iterator[np.ndarray]:
    """[`resample`] of sound (..., samples) that comes in pieces, as it comes."""
    held, first, done = None, 0, 0
    for piece in pieces:
        held = piece if held is None else np.concatenate([held, piece], -1)
        if held.shape[-1] < SAMPLES_AT_ONCE:
            continue
        ready = max(done, (first + held.shape[-1]) * target // sampling_rate - 2 * _margin(sampling_rate, target))
        yield _window(held, first, slice(done, ready), sampling_rate, target)
        start, done = max(first, _around(ready, ready, sampling_rate, target)[0]), ready
        held, first = held[..., start - first :].copy(), start
    if held is not None:
        end = max(1, round((first + held.shape[-1]) * target / sampling_rate))
        yield _window(held, first, slice(done, end), sampling_rate, target)


def _margin(sampling_rate: int, target: int) -> int:
    """Samples of either rate that the filter reaches to, and a few more."""
    return 10 * math.ceil(max(sampling_rate / target, target / sampling_rate)) + 10


def _around(begin: int, end: int, sampling_rate: int, target: int) -> tuple[int, int]:
    """Samples of the source that a window needs; the first is in step with one of the target."""
    down = Fraction(target, sampling_rate).denominator
    margin = _margin(sampling_rate, target)
    first = max(0, begin * sampling_rate // target - margin)
    return first // down * down, end * sampling_rate // target + margin


def _window(piece: np.ndarray, first: int, wanted: slice, sampling_rate: int, target: int) -> np.ndarray:
    """The wanted samples, of a piece of the source that starts at its sample `first`."""
    changed = resample(piece, sampling_rate, target)
    offset = first * target // sampling_rate
    return fit_samples(changed[..., wanted.start - offset :], wanted.stop - wanted.start)
