"""Sound from files and arrays: decoding with PyAV, mixing to mono, resampling."""

import os
from fractions import Fraction

import numpy as np


MAX_MINUTES = 120
SAMPLING_RATES = (4_000, 384_000)


def load_audio(source, sampling_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read sound as mono.

    Args:
        source (`str`, `os.PathLike` or array): a file with a sound track (audio or video), or samples of shape
            (samples,) or (channels, samples): floats in [-1, 1], or int16 / int32, which are scaled to it. Channels
            are averaged.
        sampling_rate (`int`, *optional*): Hz; needed for an array; a file brings its own.

    Returns:
        `tuple[np.ndarray, int]`: (samples,) float32 in [-1, 1], and the sampling rate in Hz.

    Raises:
        ValueError: no such file, no sound track, undecodable, empty, not finite, out of range, longer than
            `MAX_MINUTES`, a missing or wrong sampling rate.
    """
    if isinstance(source, (str, os.PathLike)):
        audio, rate = _decode(source)
        if sampling_rate is not None and int(sampling_rate) != rate:
            raise ValueError(f"sampling_rate: got {sampling_rate}, but {str(source)!r} has {rate} Hz; leave it out.")
        return check_audio(np.clip(audio, -1, 1), rate)  # lossy codecs overshoot a little
    if sampling_rate is None:
        raise ValueError("sampling_rate: missing; an audio array needs its sampling rate in Hz.")
    return check_audio(source, sampling_rate)


def check_audio(audio, sampling_rate: int) -> tuple[np.ndarray, int]:
    """Check samples and mix them to mono; arguments, result and errors as `load_audio` for arrays."""
    low, high = SAMPLING_RATES
    number = isinstance(sampling_rate, (int, float, np.integer, np.floating)) and not isinstance(sampling_rate, bool)
    if not number or not low <= sampling_rate <= high or sampling_rate % 1:
        raise ValueError(f"sampling_rate: got {sampling_rate!r}; wants a whole number of Hz from {low} to {high}.")
    samples = np.asarray(audio)
    if samples.dtype in (np.int16, np.int32):
        samples = samples / -float(np.iinfo(samples.dtype).min)
    if samples.dtype.kind != "f":
        raise ValueError(f"audio: got dtype {samples.dtype}; wants floats in [-1, 1] or int16.")
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise ValueError(f"audio: got shape {samples.shape}; wants (samples,) or (channels, samples), not empty.")
    if samples.ndim == 2:
        if samples.shape[0] > 32:
            raise ValueError(f"audio: got {samples.shape[0]} channels; wants (channels, samples): transpose it.")
        samples = samples.mean(axis=0, dtype=np.float64)
    if not np.isfinite(samples).all():
        raise ValueError("audio: holds NaN or infinite samples; wants finite floats in [-1, 1].")
    loudest = float(np.abs(samples).max())
    if loudest > 1.001:
        raise ValueError(f"audio: samples reach {loudest:.4g}; wants floats in [-1, 1]: divide by the full scale.")
    if len(samples) > MAX_MINUTES * 60 * sampling_rate:
        raise ValueError(f"audio: {len(samples) / sampling_rate / 60:.0f} minutes; at most {MAX_MINUTES}: cut it up.")
    return np.clip(samples, -1, 1).astype(np.float32), int(sampling_rate)


def resample(audio: np.ndarray, sampling_rate: int, target: int) -> np.ndarray:
    """Change the sampling rate by a zero-phase polyphase filter.

    Args:
        audio (`np.ndarray`): (samples,) floats.
        sampling_rate (`int`): its rate, Hz.
        target (`int`): the rate wanted, Hz.

    Returns:
        `np.ndarray`: (round(samples * target / sampling_rate),) float32; overshoot is clipped to [-1, 1].
    """
    from scipy.signal import resample_poly

    if sampling_rate == target:
        return np.asarray(audio, np.float32)
    ratio = Fraction(int(target), int(sampling_rate)).limit_denominator(2_000)
    changed = resample_poly(np.asarray(audio, np.float32), ratio.numerator, ratio.denominator)
    length = max(1, round(len(audio) * target / sampling_rate))
    changed = np.pad(changed, (0, max(0, length - len(changed))))[:length]
    return np.clip(changed, -1, 1).astype(np.float32)


def _decode(path) -> tuple[np.ndarray, int]:
    """(samples,) float32 and Hz of the first sound track of a file."""
    import av

    name = os.fspath(path)
    if not os.path.isfile(name):
        raise ValueError(f"audio: no file {name!r}.")
    try:
        with av.open(name) as container:
            if not container.streams.audio:
                raise ValueError(f"audio: {name!r} has no sound track.")
            stream = container.streams.audio[0]
            rate = stream.rate
            blocks, count = [], 0
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            for frame in container.decode(stream):
                if not blocks:
                    blocks.append(_late_start(frame, name, rate))
                for part in resampler.resample(frame):
                    blocks.append(part.to_ndarray().mean(axis=0))
                    count += part.samples
                if count > MAX_MINUTES * 60 * rate:
                    raise ValueError(f"audio: {name!r} is longer than {MAX_MINUTES} minutes; cut it up.")
            blocks += [part.to_ndarray().mean(axis=0) for part in resampler.resample(None)]
    except av.error.FFmpegError as error:
        raise ValueError(f"audio: {name!r} can't be decoded ({error}); wants a sound or video file.") from error
    if not count:
        raise ValueError(f"audio: {name!r} holds no sound.")
    return np.concatenate(blocks).astype(np.float32), rate


def _late_start(frame, path: str, rate: int) -> np.ndarray:
    """Silence for a sound track that starts later than the picture of its file."""
    from text2lip.video import LATEST_START, first_moment

    try:
        delay = (frame.time or 0) - first_moment(path, "audio")
    except ValueError:  # no picture
        return np.zeros(0, np.float32)
    return np.zeros(round(delay * rate) if 0 < delay < LATEST_START else 0, np.float32)
