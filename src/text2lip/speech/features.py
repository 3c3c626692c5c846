"""Features of sound that need no weights: log-mel energies on the clock of the video's frames, and mel cepstra."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from text2lip.memory import Growing, room, walk


SAMPLING_RATE = 16_000
WINDOW, HOP = 400, 160  # samples: 25 ms, 10 ms
HOP_SECONDS = 0.01

# log-mel energies, as Whisper has them
MEL_BANDS = 80
MEL_STEPS_PER_FRAME = 4  # of the video
FLOOR = 1e-5

# levels
LEVEL = 0.1  # root mean square, -20 dB of full scale
LOUD_RANGE = 25.0  # dB below the loudest within which sound counts for the level
MOST_GAIN = 30.0  # dB; what is fainter than that is no speech to be made audible

# cepstra
FFT = 512
MELS, CEPSTRA = 26, 13
SPEECH_BAND = slice(6, 160)  # of the spectrum: 190 Hz to 5 kHz; rooms hum below
BAND_OF_WINDOW = slice(5, 125)  # the same of a spectrum of `WINDOW` samples
SPECTRA_AT_ONCE = 4096


def log_mel(audio: np.ndarray, num_frames: int, fps: float = 25) -> np.ndarray:
    """Log-mel energies of sound, four steps for every video frame.

    The settings are those of Whisper (Radford et al. 2022, section 2.2: 25 ms windows, 10 ms hop, 80 bands); at 25 fps
    the steps are the 10 ms hops themselves, at other rates they are interpolated.

    Args:
        audio (`np.ndarray`): float (samples,) in [-1, 1] at 16 kHz; shorter than the picture counts as silence.
        num_frames (`int`): video frames.
        fps (`float`): frames per second.

    Returns:
        `np.ndarray`: float32 (num_frames, 320): 4 steps x 80 bands, log10 of energy, scaled to about [-1, 1].
    """
    wanted = int(np.ceil(num_frames / fps * SAMPLING_RATE)) + WINDOW
    padded = np.pad(audio[:wanted].astype(np.float32), (WINDOW // 2, max(0, wanted - len(audio)) + WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW + 1)[:-1].astype(np.float32))) ** 2
    energy = np.log10(np.maximum(power @ mel_bands(), FLOOR)) / 2.5 + 1  # hop i is centred on i * 10 ms
    steps = (np.arange(num_frames * MEL_STEPS_PER_FRAME) + 0.5) / (fps * MEL_STEPS_PER_FRAME) * (SAMPLING_RATE / HOP)
    low = np.minimum(steps.astype(int), len(energy) - 2)
    share = (steps - low)[:, None].clip(0, 1)
    mixed = energy[low] * (1 - share) + energy[low + 1] * share
    return mixed.reshape(num_frames, -1).astype(np.float32)


def levelled(audio: np.ndarray) -> np.ndarray:
    """Sound as loud as the audio-driven lip decoder wants it, however it was recorded: give this to [`log_mel`].

    What lies within `LOUD_RANGE` dB of the loudest (99 % of windows of 25 ms are quieter) gets the root mean square
    `LEVEL` between 190 Hz and 5 kHz, by one gain of at most `MOST_GAIN` dB for the whole recording.

    Args:
        audio (`np.ndarray`): float (samples,) in [-1, 1] at 16 kHz.

    Returns:
        `np.ndarray`: float32 (samples,), not clipped.
    """
    audio, power = np.asarray(audio, np.float32), []  # mean square in the band of speech
    for piece in walk(audio, SPECTRA_AT_ONCE * WINDOW):
        windows = np.pad(piece, (0, -len(piece) % WINDOW)).reshape(-1, WINDOW)
        spectrum = np.abs(np.fft.rfft(windows)[:, BAND_OF_WINDOW]) ** 2
        power.append((2 * spectrum.sum(1) / WINDOW**2).astype(np.float64))
    power = np.concatenate(power)
    loud = power >= np.quantile(power, 0.99) * 10 ** (-LOUD_RANGE / 10)
    gain = LEVEL / np.sqrt(max(power[loud].mean(), 1e-12))
    level = room(audio.shape)
    for made, piece in zip(walk(level), walk(audio)):
        np.multiply(piece, np.float32(min(gain, 10 ** (MOST_GAIN / 20))), out=made)
    return level


@lru_cache
def mel_bands() -> np.ndarray:
    """[`mel_filters`] from 0 to 8 kHz on Slaney's scale, as Whisper has them: float32 (201, 80)."""
    return np.ascontiguousarray(mel_filters(MEL_BANDS, WINDOW, slaney=True).T, np.float32)


def mel_filters(
    bands: int,
    size: int,
    low: float = 0,
    high: float = 8_000,
    slaney: bool = False,
    whole_bins: bool = False,
    stretch: float = 1.0,
) -> np.ndarray:
    """Triangular filters, evenly spaced in mel, for spectra of sound at 16 kHz.

    Args:
        bands (`int`): how many.
        size (`int`): samples of the Fourier transform.
        low, high (`float`): Hz at which the first begins and the last ends.
        slaney (`bool`): Slaney's scale, each filter of area 1 (Auditory Toolbox 1998); else that of HTK, each 1 at its
            peak.
        whole_bins (`bool`): edges rounded down to bins of the spectrum, as in python_speech_features.
        stretch (`float`): factor of all edges, for a vocal tract that is shorter (over 1) or longer.

    Returns:
        `np.ndarray`: float64 (bands, size / 2 + 1).
    """
    if slaney:
        edges = mel_to_hertz(np.linspace(hertz_to_mel(low), hertz_to_mel(high), bands + 2))
    else:
        low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (low, high))
        edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    edges, bins = edges * stretch, np.fft.rfftfreq(size, 1 / SAMPLING_RATE)
    if whole_bins:
        edges, bins = np.floor((size + 1) * edges / SAMPLING_RATE), np.arange(size // 2 + 1)
    width = np.diff(edges)[:, None]
    rising = (bins - edges[:-2, None]) / width[:-1]
    falling = (edges[2:, None] - bins) / width[1:]
    filters = np.maximum(0, np.minimum(rising, falling))
    return filters * 2 / (edges[2:] - edges[:-2])[:, None] if slaney else filters


def hertz_to_mel(hertz: float) -> float:
    """Slaney's mel scale (Auditory Toolbox 1998): linear below 1 kHz, logarithmic above."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) * 27 / np.log(6.4)


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Inverse of [`hertz_to_mel`], for arrays."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


class Cepstra(NamedTuple):
    """Of frames 10 ms apart: (frames, 13) mel-frequency cepstra, and (frames,) energy of the speech band in dB."""

    coefficients: np.ndarray
    energy: np.ndarray


def mfcc(sound: np.ndarray | Iterable[np.ndarray], stretch: float = 1.0) -> Cepstra:
    """Mel-frequency cepstra, after Davis & Mermelstein (1980).

    Args:
        sound (`np.ndarray` or `Iterable[np.ndarray]`): (samples,) at 16 kHz, or pieces of it in order, of which none
            is kept.
        stretch (`float`): see [`mel_filters`].

    Returns:
        [`Cepstra`]: float32 coefficients.
    """
    from scipy.fft import dct

    taper, filters = np.hamming(WINDOW), mel_filters(MELS, FFT, 80, 7600, stretch=stretch).T
    coefficients, energy, samples = Growing(CEPSTRA), [], 0
    around = (WINDOW - HOP) // 2  # samples of a window beyond its frame
    rest = np.zeros(around + 1)  # from one before the first window of the next frame

    def frames(last: bool):
        nonlocal rest
        if last:
            missing = max(1, samples // HOP) - sum(map(len, energy))
            rest = np.pad(rest, (0, max(0, missing * HOP + 2 * around + 1 - len(rest))))
        while (count := min(SPECTRA_AT_ONCE, missing if last else (len(rest) - 2 * around - 1) // HOP)) > 0:
            piece = rest[: count * HOP + 2 * around + 1]
            windows = np.lib.stride_tricks.sliding_window_view(piece[1:] - 0.97 * piece[:-1], WINDOW)[::HOP]
            power = np.abs(np.fft.rfft(windows * taper, FFT)) ** 2
            mel = np.log(power @ filters + 1e-8)
            coefficients.append(dct(mel, type=2, norm="ortho", axis=1)[:, :CEPSTRA].astype(np.float32))
            energy.append(10 * np.log10(power[:, SPEECH_BAND].sum(1) + 1e-8))
            rest, missing = rest[count * HOP :], missing - count if last else 0

    for piece in [sound] if isinstance(sound, np.ndarray) else sound:
        for start in range(0, len(piece), SPECTRA_AT_ONCE * HOP):
            part = piece[start : start + SPECTRA_AT_ONCE * HOP]
            samples += len(part)
            rest = np.concatenate([rest, part])
            if len(rest) >= SPECTRA_AT_ONCE * HOP:
                frames(last=False)
    frames(last=True)
    return Cepstra(coefficients.array(), np.concatenate(energy))
