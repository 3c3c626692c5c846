"""Sound as strangers record it: other voices, rooms, microphones, noise around, and levels that are too high."""

from collections.abc import Sequence

import numpy as np

from text2lip.speech.features import LEVEL, MEL_BANDS, SAMPLING_RATE, hertz_to_mel, levelled, mel_to_hertz


SPEED_RANGE = 0.2  # a voice is played up to this share slower and lower, or faster and higher
ROOMY, BAND_LIMITED, NOISY, CLIPPED = 0.3, 0.5, 0.7, 0.15  # how often
SIGNAL_TO_NOISE = (3.0, 35.0)  # dB
GAIN_RANGE = 6.0  # dB beyond what levelling leaves
LONGEST_ECHO = 0.7  # seconds
OTHER_TRACT, TRACT_RANGE = 0.6, 0.15  # how often, and by which share at most, formants lie higher or lower


def as_recorded_elsewhere(
    sound: np.ndarray, backgrounds: Sequence[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Sound that was changed in random ways, and how much faster it is played.

    In this order: played faster and higher, or slower and lower; a room; a background behind it; what a telephone or a
    poor microphone takes off above and below, and a tilt; clipping; the level.

    Args:
        sound (`np.ndarray`): float (samples,) at 16 kHz.
        backgrounds (`Sequence[np.ndarray]`): of which one is heard behind it, float (samples,) with a root mean square
            of 0.1; repeated where it is shorter.
        rng (`np.random.Generator`): of all draws.

    Returns:
        `tuple`: float32 (samples,) as [`levelled`] gives it, up to 6 dB off; and the speed: what was at t seconds is
        now at t / speed.
    """
    speed = 1 + SPEED_RANGE * rng.uniform(-1, 1)
    positions = np.arange(int(len(sound) / speed)) * speed
    sound = levelled(np.interp(positions, np.arange(len(sound)), sound))
    if rng.uniform() < ROOMY:
        sound = in_a_room(sound, rng)
    if len(backgrounds) and rng.uniform() < NOISY:
        behind = backgrounds[rng.integers(len(backgrounds))]
        behind = np.resize(np.roll(behind, rng.integers(len(behind))), len(sound))
        sound = sound + behind * np.float32(10 ** (-rng.uniform(*SIGNAL_TO_NOISE) / 20))
    if rng.uniform() < BAND_LIMITED:
        sound = through_a_microphone(sound, rng)
    if rng.uniform() < CLIPPED:
        limit = LEVEL * rng.uniform(0.8, 3)
        sound = np.clip(sound, -limit, limit)
    return levelled(sound) * np.float32(10 ** (GAIN_RANGE * rng.uniform(-1, 1) / 20)), speed


def in_a_room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sound (samples,) with an echo that dies away: noise falling by 60 dB in 0.1 to 0.7 s, 0 to 15 dB below it."""
    from scipy.signal import fftconvolve

    seconds = LONGEST_ECHO * rng.uniform(1 / 7, 1)
    time = np.arange(int(seconds * SAMPLING_RATE), dtype=np.float32) / SAMPLING_RATE
    echo = rng.standard_normal(len(time), np.float32) * np.exp(-6.9 * time / np.float32(seconds))
    echo[: int(rng.uniform(0, 0.01) * SAMPLING_RATE)] = 0
    echo *= 10 ** (-rng.uniform(0, 15) / 20) / np.sqrt(np.sum(echo**2))
    return sound + fftconvolve(sound.astype(np.float32), echo)[: len(sound)]


def through_a_microphone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sound (samples,) without what lies under 50 to 400 Hz and over 2.5 to 8 kHz, tilted by up to 4 dB an octave."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(sound), real=True)
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLING_RATE).astype(np.float32), 10)
    low, high = np.exp(rng.uniform(np.log([50, 2500]), np.log([400, 8000]))).astype(np.float32)
    slope = np.float32(4 * rng.uniform(-1, 1) / 6.02)
    response = (hertz / 1000) ** slope / np.sqrt((1 + (low / hertz) ** 8) * (1 + (hertz / high) ** 12))
    return irfft(rfft(sound.astype(np.float32), size) * response, size)[: len(sound)]


def through_another_tract(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Features of [`log_mel`] as a longer or shorter vocal tract makes them, at the same pitch and pace, or unchanged.

    All frequencies are scaled by one number (Jaitly & Hinton 2013), by interpolation between the bands.

    Args:
        features (`np.ndarray`): (frames, 320).
        rng (`np.random.Generator`): of all draws.
    """
    if rng.uniform() >= OTHER_TRACT:
        return features
    bands = mel_to_hertz(np.linspace(0, hertz_to_mel(SAMPLING_RATE / 2), MEL_BANDS + 2)[1:-1])  # their middles
    heard = np.interp(bands * (1 + TRACT_RANGE * rng.uniform(-1, 1)), bands, np.arange(MEL_BANDS))
    low = np.minimum(heard.astype(int), MEL_BANDS - 2)
    share = (heard - low).astype(np.float32)
    steps = features.reshape(-1, MEL_BANDS)
    return (steps[:, low] * (1 - share) + steps[:, low + 1] * share).reshape(features.shape)
