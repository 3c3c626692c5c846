"""Features of sound that need no weights: log-mel energies on the clock of the video's frames."""

from functools import lru_cache

import numpy as np


SAMPLING_RATE = 16_000
MEL_BANDS = 80
STEPS_PER_FRAME = 4
WINDOW, HOP = 400, 160  # samples: 25 ms, 10 ms
FRAME = 0.01  # seconds of a hop
FFT = 512  # of the cepstra
SPEECH_BAND = slice(6, 160)  # of their spectrum: 190 Hz to 5 kHz; rooms hum below
BLOCK = 4096  # frames whose spectra are held at once
MELS, CEPSTRA = 26, 13
FLOOR = 1e-5


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
    steps = (np.arange(num_frames * STEPS_PER_FRAME) + 0.5) / (fps * STEPS_PER_FRAME) * (SAMPLING_RATE / HOP)
    low = np.minimum(steps.astype(int), len(energy) - 2)
    share = (steps - low)[:, None].clip(0, 1)
    mixed = energy[low] * (1 - share) + energy[low + 1] * share
    return mixed.reshape(num_frames, -1).astype(np.float32)


@lru_cache
def mel_bands() -> np.ndarray:
    """Triangular mel bands from 0 to 8 kHz on Slaney's scale, as Whisper has them: float32 (201, 80)."""
    frequencies = np.linspace(0, SAMPLING_RATE / 2, WINDOW // 2 + 1)
    edges = mel_to_hertz(np.linspace(0, hertz_to_mel(SAMPLING_RATE / 2), MEL_BANDS + 2))
    rising = (frequencies[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequencies[:, None]) / np.diff(edges)[1:]
    return (np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])).astype(np.float32)


def hertz_to_mel(hertz: float) -> float:
    """Slaney's mel scale (Auditory Toolbox 1998): linear below 1 kHz, logarithmic above."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) * 27 / np.log(6.4)


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Inverse of [`hertz_to_mel`], for arrays."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mfcc(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mel-frequency cepstra, after Davis & Mermelstein (1980).

    Args:
        samples (`np.ndarray`): (samples,) float at 16 kHz.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: (frames, 13) cepstra of frames 10 ms apart, and (frames,) energy in dB.
    """
    from scipy.fft import dct
    from scipy.signal import lfilter

    count = max(1, len(samples) // HOP)
    padded = np.pad(np.asarray(samples, np.float64), (WINDOW // 2, WINDOW + HOP))
    emphasised = lfilter([1, -0.97], [1], padded)
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[HOP // 2 :: HOP][:count]
    taper, filters = np.hamming(WINDOW), _mel_filters().T
    mel, energy = np.empty((count, MELS)), np.empty(count)
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        power = np.abs(np.fft.rfft(windows[part] * taper, FFT)) ** 2
        mel[part] = np.log(power @ filters + 1e-8)
        energy[part] = 10 * np.log10(power[:, SPEECH_BAND].sum(1) + 1e-8)
    return dct(mel, type=2, norm="ortho", axis=1)[:, :CEPSTRA], energy


def _mel_filters() -> np.ndarray:
    """(MELS, FFT / 2 + 1) triangles, even on the mel scale from 80 Hz to 7.6 kHz."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (80, 7600))
    hertz = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLING_RATE)
    rise = (bins - hertz[:-2, None]) / (hertz[1:-1] - hertz[:-2])[:, None]
    fall = (hertz[2:, None] - bins) / (hertz[2:] - hertz[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, 1)
