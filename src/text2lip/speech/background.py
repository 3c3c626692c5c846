"""The old sound of a film under a new voice: lowered while that speaks, never in a jump, never over full scale."""

import os
from typing import Any

import numpy as np

from text2lip.memory import let_go, room
from text2lip.speech.audio import fit_samples, read_audio, to_mono
from text2lip.speech.resampling import Resampled
from text2lip.speech.utterance import Speech


# set by ear's rule of thumb: voice-over in reports
DUCKED = -18.0  # dB
RAMP = 0.3  # seconds in which the old sound falls before the voice begins, and rises after it
SHORTEST_RISE = 1.5  # seconds; in shorter pauses of the voice the old sound stays low
HIGHEST = 0.99  # peak of both together
PEAK_SECONDS = 0.01  # of a block whose peak is known
BLOCKS_AT_ONCE = 1000  # mixed


def keep_background(speech: Speech, film: str | os.PathLike, seconds: float) -> Speech:
    """What is said, over the old sound of a film.

    Args:
        speech ([`Speech`]): with sound; its phones say when the old sound is lowered, all the time where there are
            none.
        film (`str` or `os.PathLike`): with a sound track; it is read up to `seconds`, and is faded out where it ends.
        seconds (`float`): of the result.

    Returns:
        `Speech`: at the higher of the two rates; with the channels of the voice, or two if the film has them.

    Raises:
        ValueError: there is no new sound, or the film has no sound track.
    """
    if speech.audio is None:
        raise ValueError("background: 'keep', but there is no new sound that it could stand under; leave it out.")
    old, old_rate = _old_sound(film, seconds)
    rate = max(old_rate, speech.sampling_rate)
    voice = Resampled(np.atleast_2d(speech.audio), speech.sampling_rate, rate)
    mixed = np.atleast_2d(old)
    if len(mixed) > 2 or (voice.channels > 1 and len(mixed) != voice.channels):
        mixed = to_mono(mixed)[None]
    samples, block = round(seconds * rate), round(PEAK_SECONDS * rate)
    step = BLOCKS_AT_ONCE * block
    pieces = [slice(first, min(first + step, samples)) for first in range(0, samples, step)]
    mixed, heard = _fitted(mixed, old_rate, rate, samples, max(len(mixed), voice.channels))
    edge = min(round(RAMP * rate), heard)
    mixed[:, heard - edge : heard] *= np.linspace(1, 0, edge, dtype=np.float32) if heard < samples - 1 else 1
    for part in pieces:
        mixed[:, part] *= ducking(speech, np.arange(part.start, part.stop) / rate)
        let_go(mixed)
    loud = [
        np.concatenate([_peaks(fit_samples(sound(part), part.stop - part.start), block) for part in pieces])
        for sound in (voice.__getitem__, lambda part: mixed[:, part])
    ]
    gains = room_for(*loud)
    for part in pieces:
        gain = np.interp(np.arange(part.start, part.stop) / block, np.arange(len(gains)) + 0.5, gains)
        mixed[:, part] = np.clip(fit_samples(voice[part], part.stop - part.start) + gain * mixed[:, part], -1, 1)
        let_go(mixed)
    return Speech(mixed[0] if len(mixed) == 1 else mixed, rate, speech.timeline, speech.times_from)


def _fitted(old: np.ndarray, old_rate: int, rate: int, samples: int, channels: int) -> tuple[np.ndarray, int]:
    """`old` (channels, samples) at another rate, with so many samples and channels, itself where it is so already; and
    how many of the samples it has."""
    source = Resampled(old, old_rate, rate)
    heard = min(samples, len(source))
    if rate == old_rate and len(old) == channels and heard == samples:
        return old[:, :samples], heard
    return source.fill(room((channels, samples))), heard


def _old_sound(film: str | os.PathLike, seconds: float) -> tuple[np.ndarray, int]:
    try:
        return read_audio(film, seconds=seconds)
    except ValueError as error:
        raise ValueError(f"background: 'keep', but there is no old sound ({error}) Choose 'replace'.") from error


def ducking(speech: Speech, times: np.ndarray) -> np.ndarray:
    """Gain of the old sound at `times` (n,), seconds: `DUCKED` dB under the voice, 0 dB elsewhere, smooth between."""
    spoken = [(phone.start, phone.end) for phone in speech.timeline.phones if phone.label]
    spoken = spoken or [(0.0, speech.duration)]
    knots, depths = [0.0], [0.0]
    begin, end = spoken[0]
    for start, stop in [*spoken[1:], (np.inf, np.inf)]:
        if start - end >= SHORTEST_RISE:
            knots += [max(0.0, begin - RAMP), begin, end, end + RAMP]
            depths += [0.0 if begin > RAMP else 1.0, 1.0, 1.0, 0.0]
            begin = start
        end = stop
    depth = np.interp(times, np.maximum.accumulate(knots), depths)
    smooth = 0.5 - 0.5 * np.cos(np.pi * depth)
    return (10 ** (DUCKED / 20 * smooth)).astype(np.float32)


def room_for(voice: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Gain of the old sound that keeps the sum of two below `HIGHEST` without a jump, by the peaks of their blocks."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    gain = np.clip((HIGHEST - voice) / np.maximum(old, 1e-6), 0, 1)
    return uniform_filter1d(minimum_filter1d(gain, 9, mode="nearest"), 7, mode="nearest")


def _peaks(sound: np.ndarray, block: int) -> np.ndarray:
    """Magnitudes of each block of (channels, samples), (blocks,)."""
    loud = np.abs(sound).max(0)
    let_go(sound)
    return np.pad(loud, (0, -len(loud) % block)).reshape(-1, block).max(1)


def check_background(image: Any, voice: Any) -> None:
    """Refuse to keep the old sound of what has none.

    Raises:
        ValueError: `image` is no path of a film with a sound track, or a silent film is wanted.
    """
    if voice is None:
        raise ValueError("background: 'keep', but the film is to be silent; choose a voice or 'replace'.")
    from text2lip.media.footage import is_footage

    if not isinstance(image, (str, os.PathLike)) or not is_footage(image):
        raise ValueError("background: 'keep', but image is no film with a sound; give the path of one, or 'replace'.")
    _old_sound(image, PEAK_SECONDS)
