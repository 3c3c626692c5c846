"""Speech of one loudness (ITU-R BS.1770-4), without clipping and without clicks where pieces meet."""

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np


SPEECH_LOUDNESS = -16.0  # LUFS, as is usual for speech on the web
LOUDNESS_RANGE = (-60, 0)
TRUE_PEAK = 10 ** (-1 / 20)  # full scale is 1; lossy codecs overshoot by a decibel
OVERSAMPLING = 4
STEP = 0.1  # seconds
BLOCK_STEPS, STEPS_AT_ONCE = 4, 600
OFFSET = -0.691  # LUFS of a power of 1
SILENT = -70.0  # LUFS; quieter blocks don't count, nor those 10 below the mean of the rest
EDGE = 0.3  # seconds of silence around what is measured, as there is in a film; a word alone is else 2 LUFS louder
CLOSE_ENOUGH, GAINS_TRIED = 0.1, 5  # LUFS; the limiter takes some of what a gain gives
HIGHEST_GAIN = 100.0  # what is quieter still is noise
TURNING_DOWN = 0.01  # seconds before and after a peak
FADE_SECONDS = 0.005


def loudness(audio: np.ndarray | Iterable[np.ndarray], sampling_rate: int) -> float:
    """Integrated loudness of mono sound, (samples,) or pieces of it in order, in LUFS; -inf for silence."""
    pieces = [audio] if isinstance(audio, np.ndarray) else audio
    return integrated(block_powers(pieces, sampling_rate))


def check_loudness(lufs: float) -> float:
    """`lufs` as a float; a ValueError if it is no number in `LOUDNESS_RANGE`."""
    low, high = LOUDNESS_RANGE
    try:
        level = float(lufs)
    except (TypeError, ValueError):
        level = math.nan
    if not low <= level <= high:
        raise ValueError(f"loudness: got {lufs!r}; wants LUFS from {low} to {high}, or None for the voice's own.")
    return level


def block_powers(pieces: Iterable[np.ndarray], sampling_rate: int) -> np.ndarray:
    """K-weighted power of the sound in `pieces` in blocks of 0.4 s, 0.1 s apart; one block where it is shorter."""
    from scipy.signal import sosfilt

    step, state, energy, samples = round(STEP * sampling_rate), np.zeros((2, 2)), [], 0
    rest = np.zeros(0)  # weighted, of a step that has begun
    for piece in pieces:
        for start in range(0, len(piece), STEPS_AT_ONCE * step):
            part = piece[start : start + STEPS_AT_ONCE * step]
            weighted, state = sosfilt(_weighting(sampling_rate), part, zi=state)
            weighted, samples = np.concatenate([rest, weighted]), samples + len(part)
            whole = len(weighted) // step * step
            energy += (weighted[:whole].reshape(-1, step) ** 2).sum(1).tolist()
            rest = weighted[whole:]
    if len(energy) < BLOCK_STEPS:
        return np.array([(sum(energy) + (rest**2).sum()) / max(1, samples)])
    return np.convolve(energy, np.ones(BLOCK_STEPS), "valid") / (BLOCK_STEPS * step)


def integrated(powers: np.ndarray) -> float:
    """LUFS of blocks, those that don't count left out; -inf where none counts."""
    powers = powers[powers > _power(SILENT)]
    if not len(powers):
        return -math.inf
    return OFFSET + 10 * math.log10(powers[powers > 0.1 * powers.mean()].mean())


def _power(lufs: float) -> float:
    return 10 ** ((lufs - OFFSET) / 10)


@lru_cache(maxsize=8)
def _weighting(sampling_rate: int) -> np.ndarray:
    """The standard's shelf and high pass, whose coefficients it gives at 48 kHz, at any rate: (2, 6) sections."""
    shelf, root = 10 ** (3.999843853973347 / 20), 10 ** (3.999843853973347 / 20 * 0.4996667741545416)
    k, q = math.tan(math.pi * 1681.974450955533 / sampling_rate), 0.7071752369554196
    poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    zeros = np.array([shelf + root * k / q + k * k, 2 * (k * k - shelf), shelf - root * k / q + k * k])
    first = np.concatenate([zeros, poles]) / poles[0]
    k, q = math.tan(math.pi * 38.13547087602444 / sampling_rate), 0.5003270373238773
    poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]) / (1 + k / q + k * k)
    return np.stack([first, np.concatenate([[1.0, -2.0, 1.0], poles])])


def at_loudness(sounds: Iterable[np.ndarray], sampling_rate: int, lufs: float = SPEECH_LOUDNESS) -> list[np.ndarray]:
    """Pieces of speech by one voice, and its pauses, with one gain that brings them to `lufs` together.

    Args:
        sounds (`Iterable[np.ndarray]`): (samples,) floats of any size each.
        sampling_rate (`int`): Hz.
        lufs (`float`): their integrated loudness afterwards. Silence stays silence.

    Returns:
        `list[np.ndarray]`: float32, of the same lengths, true peak at most `TRUE_PEAK`.
    """
    sounds = list(sounds)
    edge = np.zeros(round(EDGE * sampling_rate), np.float32)
    gain, loud = 1.0, list(sounds)
    for _ in range(GAINS_TRIED):
        found = loudness([edge, *loud, edge], sampling_rate)
        if math.isinf(found) or abs(lufs - found) < CLOSE_ENOUGH:
            break
        gain = min(HIGHEST_GAIN, gain * 10 ** ((lufs - found) / 20))
        loud = [limited(sound, sampling_rate, gain) for sound in sounds]
    return loud


def limited(audio: np.ndarray, sampling_rate: int, gain: float = 1.0) -> np.ndarray:
    """(samples,) sound times `gain`, float32, its true peak at most `TRUE_PEAK`: turned down smoothly around peaks."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d
    from scipy.signal import resample_poly

    loud = np.asarray(audio, np.float32) * np.float32(gain)
    if np.abs(loud).max(initial=0.0) <= TRUE_PEAK / 2:  # between samples it is hardly higher
        return loud
    peaks = np.abs(resample_poly(loud, OVERSAMPLING, 1)).reshape(-1, OVERSAMPLING).max(1)
    width = 2 * round(TURNING_DOWN * sampling_rate / 2) + 1
    share = np.minimum(1.0, TRUE_PEAK / np.maximum(peaks, 1e-9))
    return loud * uniform_filter1d(minimum_filter1d(share, width), width).astype(np.float32)


def without_clicks(audio: np.ndarray, sampling_rate: int) -> np.ndarray:
    """(samples,) sound that begins and ends at zero: faded over 5 ms at an edge where it doesn't, else as it is."""
    audio = audio.copy()
    fade = np.linspace(0, 1, min(len(audio), round(FADE_SECONDS * sampling_rate)), dtype=audio.dtype)
    if len(audio) and audio[0]:
        audio[: len(fade)] *= fade
    if len(audio) and audio[-1]:
        audio[-len(fade) :] *= fade[::-1]
    return audio
