"""Sound from files and arrays: decoding with PyAV, what of it is heard, resampling."""

import math
import os
from fractions import Fraction

import numpy as np

from text2lip.files import local_path, open_media
from text2lip.memory import Growing, copied, in_file, room, walk
from text2lip.speech.utterance import Speech


MAX_AUDIO_MINUTES = 120
MAX_CHANNELS = 8
SAMPLING_RATES = (4_000, 384_000)
AUDIBLE = 1e-3  # peak; a quieter track is passed over for another one of its file
SHORTEST_GAP = 0.02  # seconds without a sample that are heard as silence; formats round their times to 1 ms
RESTART = 0.5  # seconds by which times go back where they start again
LOUDEST = 2.0  # decoded peak; lossy codecs overshoot full scale a little, players cut that off
CANCELS = 0.05  # power of the mean over the mean power of the channels; -0.8 times the other channel gives 0.01
PRIMING = {
    "aac": 1024, "ac3": 256, "amr_nb": 40, "amrnb": 40, "eac3": 256, "g722": 22, "g723_1": 60, "mp2": 481,
    "mp3": 1105, "nellymoser": 128, "opus": 312, "ra_144": 160, "real_144": 160, "wmav1": 2048, "wmav2": 2048,
}  # fmt: skip
"""Samples by which FFmpeg's encoder and decoder of a codec delay sound, measured by correlation."""
SAMPLES_AT_ONCE = 2**20
MOST_DELAY = 4096  # samples; more than any of them


def load_audio(source, sampling_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read sound as mono, see [`to_mono`]; arguments and errors as [`read_audio`].

    Returns:
        `tuple[np.ndarray, int]`: (samples,) float32 in [-1, 1], and the sampling rate in Hz. An array that is so
        already is returned itself.
    """
    audio, rate = read_sound(source, sampling_rate)
    return to_mono(audio), rate


def read_audio(source, sampling_rate: int | None = None, *, seconds: float | None = None) -> tuple[np.ndarray, int]:
    """Read sound with its channels, rate and level.

    Of several tracks of a file it's the one that players choose: marked as default, not for the hard of hearing; or
    the loudest if that one is silent. What a codec puts before the sound is left out where the file tells how much,
    and for sound files of the codecs of `PRIMING` where it does not. Sound keeps its place on
    the file's clock: gaps in its times are silence.

    Args:
        source (`str`, `os.PathLike`, array, tensor or [`Speech`]): a file with a sound track (audio or video), what
            [`synthesize`] gave, or samples of shape (samples,) or (channels, samples), one to eight channels: floats
            in [-1, 1], or int16 / int32, which are scaled to it.
        sampling_rate (`int`, *optional*): Hz; needed for an array; a file brings its own.
        seconds (`float`, *optional*): of a file, after which no more is read.

    Returns:
        `tuple[np.ndarray, int]`: float32 in [-1, 1], (samples,) for one channel and (channels, samples) for more, and
        the sampling rate in Hz. More than 8 MiB lie in a temporary file (in TMPDIR), which goes with the array.

    Raises:
        ValueError: no such file, no sound track, undecodable, empty, not finite, out of range, longer than
            `MAX_AUDIO_MINUTES`, more than eight channels, a missing or wrong sampling rate.
    """
    audio, rate = read_sound(source, sampling_rate, seconds)
    is_file = isinstance(source, (str, os.PathLike))
    return audio if is_file else copied(audio, audio.shape[-1]), rate


def read_sound(source, sampling_rate: int | None = None, seconds: float | None = None) -> tuple[np.ndarray, int]:
    """As [`read_audio`], but a float32 array is returned itself, not a copy."""
    if isinstance(source, Speech):
        if source.audio is None:
            raise ValueError("audio: this Speech holds times alone; give them as timings, or speech that has sound.")
        source, sampling_rate = source.audio, sampling_rate or source.sampling_rate
    if isinstance(source, (str, os.PathLike)):
        audio, rate = _decode(source, seconds)
        if sampling_rate is not None and int(sampling_rate) != rate:
            raise ValueError(f"sampling_rate: got {sampling_rate}, but {str(source)!r} has {rate} Hz; leave it out.")
        loudest = peak(audio)
        if loudest > LOUDEST:
            raise ValueError(
                f"audio: {str(source)!r} reaches {loudest:.4g} times full scale; save it as floats in [-1, 1]."
            )
        for piece in walk(audio) if loudest > 1 else ():
            np.clip(piece, -1, 1, out=piece)
        return _checked(audio, rate)
    if sampling_rate is None:
        raise ValueError("sampling_rate: missing; an audio array needs its sampling rate in Hz.")
    return _checked(source, sampling_rate)


def to_mono(audio: np.ndarray) -> np.ndarray:
    """The mean of the channels of (samples,) or (channels, samples) floats: float32 (samples,).

    Where they cancel each other (a microphone wired the wrong way round), that of the loudest one and the others with
    their signs turned to it.
    """
    if audio.ndim == 1:
        return audio
    mono, signs = room(audio.shape[1:]), channel_signs(audio)
    for made, piece in zip(walk(mono), walk(audio)):
        made[:] = mixed(piece, signs)
    return mono


def channel_signs(audio: np.ndarray) -> np.ndarray:
    """By what (channels, samples) floats are multiplied before their mean is taken: (channels,), see [`to_mono`]."""
    of_mean, power = 0.0, np.zeros(len(audio))
    for piece in walk(audio):
        piece = piece.astype(np.float64)
        middle = piece.mean(0)
        of_mean, power = of_mean + middle @ middle, power + np.einsum("cs,cs->c", piece, piece)
    if of_mean < CANCELS * power.mean():
        return np.where(sum(piece @ piece[power.argmax()] for piece in walk(audio)) < 0, -1.0, 1.0)
    return np.ones(len(audio))


def mixed(audio: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The mean of (channels, samples) floats times their signs: float32 (samples,)."""
    return (signs @ audio / len(signs)).astype(np.float32)


def peak(audio: np.ndarray) -> float:
    """The greatest magnitude in `audio`, floats of any shape, without a copy; NaN where there is one, 0 of none."""
    return float(np.max([max(piece.max(), -piece.min()) for piece in walk(audio)])) if audio.size else 0.0


def to_float(audio: np.ndarray) -> np.ndarray:
    """int16 or int32 samples to float32 in [-1, 1), full scale is 2^15 or 2^31 as in sound files."""
    return np.divide(audio, -float(np.iinfo(audio.dtype).min), dtype=np.float32)


def to_int16(audio: np.ndarray) -> np.ndarray:
    """Floats in [-1, 1] to int16: the inverse of [`to_float`]."""
    return np.clip(np.rint(np.asarray(audio, np.float64) * 2**15), -(2**15), 2**15 - 1).astype(np.int16)


def _checked(audio, sampling_rate: int) -> tuple[np.ndarray, int]:
    low, high = SAMPLING_RATES
    number = isinstance(sampling_rate, (int, float, np.integer, np.floating)) and not isinstance(sampling_rate, bool)
    if not number or not low <= sampling_rate <= high or sampling_rate % 1:
        raise ValueError(f"sampling_rate: got {sampling_rate!r}; wants a whole number of Hz from {low} to {high}.")
    if hasattr(audio, "detach"):  # a tensor
        audio = audio.detach().cpu()
        audio = (audio.float() if audio.is_floating_point() else audio).numpy()
    samples = np.asarray(audio)
    if samples.dtype in (np.int16, np.int32):
        samples = to_float(samples)
    if samples.dtype.kind != "f":
        raise ValueError(f"audio: got dtype {samples.dtype}; wants floats in [-1, 1] or int16.")
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise ValueError(f"audio: got shape {samples.shape}; wants (samples,) or (channels, samples), not empty.")
    if samples.ndim == 2 and len(samples) > MAX_CHANNELS:
        raise ValueError(
            f"audio: got {len(samples)} channels; wants (channels, samples) with at most {MAX_CHANNELS}: transpose it."
        )
    loudest = peak(samples)
    if not math.isfinite(loudest):
        raise ValueError("audio: holds NaN or infinite samples; wants finite floats in [-1, 1].")
    if loudest > 1.001:
        raise ValueError(f"audio: samples reach {loudest:.4g}; wants floats in [-1, 1]: divide by the full scale.")
    seconds = samples.shape[-1] / sampling_rate
    if seconds > MAX_AUDIO_MINUTES * 60:
        raise ValueError(f"audio: {seconds / 60:.0f} minutes; at most {MAX_AUDIO_MINUTES}: cut it up.")
    samples = (np.clip(samples, -1, 1) if loudest > 1 else samples).astype(np.float32, copy=False)
    return samples[0] if samples.ndim == 2 and len(samples) == 1 else samples, int(sampling_rate)


def resample(audio: np.ndarray, sampling_rate: int, target: int) -> np.ndarray:
    """Change the sampling rate by a zero-phase polyphase filter.

    Args:
        audio (`np.ndarray`): (samples,) or (channels, samples) floats.
        sampling_rate, target (`int`): its rate and the one wanted, Hz.

    Returns:
        `np.ndarray`: float32, round(samples * target / sampling_rate) samples; overshoot is clipped to [-1, 1].
    """
    from scipy.signal import resample_poly

    if sampling_rate == target:
        return np.asarray(audio, np.float32)
    ratio = Fraction(int(target), int(sampling_rate)).limit_denominator(2_000)
    audio = np.asarray(audio, np.float32)
    changed = resample_poly(audio, ratio.numerator, ratio.denominator, axis=-1)
    changed = fit_samples(changed, max(1, round(audio.shape[-1] * target / sampling_rate)))
    return np.clip(changed, -1, 1, out=changed)


def fit_samples(audio: np.ndarray, samples: int) -> np.ndarray:
    """Cut `audio` (samples,) or (channels, samples) or pad it with silence to that many `samples`."""
    return audio[..., :samples] if audio.shape[-1] >= samples else copied(audio, samples)


def fit_audio(audio: np.ndarray, sampling_rate: int, num_frames: int, fps: float) -> np.ndarray:
    """`audio` (samples,) or (channels, samples) as long as `num_frames` pictures: cut, or padded with silence, to
    round(num_frames / fps * sampling_rate) samples; float32."""
    return fit_samples(audio, round(num_frames / fps * sampling_rate)).astype(np.float32, copy=False)


def _decode(path, seconds: float | None = None) -> tuple[np.ndarray, int]:
    """(channels, samples) float32 and Hz of the sound track of a file that players choose."""
    import av

    name = os.fsdecode(path)
    with _open(name) as container:
        if not container.streams.audio:
            raise ValueError(f"audio: {name!r} has no sound track.")
        first = container.streams.best("audio") or container.streams.audio[0]
        numbers = sorted((stream.index for stream in container.streams.audio), key=lambda i: i != first.index)
    best, loudest = None, 0.0
    try:
        for number in numbers:
            audio, rate = _track(name, number, seconds)
            found = peak(audio)
            if best is None or found > loudest:
                best, loudest = (audio, rate), found
            if not found < AUDIBLE:  # NaN is told later
                break
    except av.error.FFmpegError as error:
        raise _undecodable(name, error) from error
    if not best[0].size:
        raise ValueError(f"audio: {name!r} holds no sound.")
    return best


def _open(name: str):
    import av

    local_path(name, "audio")
    try:
        return open_media(name, "audio")
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise _undecodable(name, error) from error


def _undecodable(name: str, error: Exception) -> ValueError:
    reason = getattr(error, "strerror", None) or error
    return ValueError(f"audio: {name!r} can't be decoded ({reason}); wants a sound or video file.")


def _track(name: str, number: int, seconds: float | None) -> tuple[np.ndarray, int]:
    """(channels, samples) float32 and Hz of the stream of that number; gaps in its times are silence. Of its first
    `seconds` if they are given."""
    import av
    from av.stream import Disposition

    with _open(name) as container:
        stream = container.streams[number]
        rate, count = stream.rate, stream.layout.nb_channels
        if not rate or not 1 <= count <= MAX_CHANNELS:
            raise ValueError(f"audio: {name!r} has {count} channels of {rate} Hz; wants up to {MAX_CHANNELS}.")
        resampler = av.AudioResampler(format="flt", layout=stream.layout, rate=rate)
        sound, length, trimmed, damage, clock = Growing(count), 0, None, None, None
        enough = math.inf if seconds is None else seconds * rate + MOST_DELAY
        for packet in container.demux(stream):
            if length > enough:
                break
            trimmed = packet.has_sidedata("skip_samples") if trimmed is None else trimmed
            try:
                frames = packet.decode()
            except av.error.InvalidDataError as error:
                damage = damage or error
                continue
            if frames and damage:  # else the file is cut off in its last packet
                raise damage
            for frame in frames:
                gap, clock = _gap(frame, clock) if length else (_late_start(frame, name, stream), frame.time)
                length += round(gap * rate) + frame.samples
                if length > MAX_AUDIO_MINUTES * 60 * rate:
                    raise ValueError(f"audio: {name!r} is longer than {MAX_AUDIO_MINUTES} minutes; cut it up.")
                sound.append(np.zeros(count * round(gap * rate), np.float32))
                for part in resampler.resample(frame):
                    sound.append(part.to_ndarray())
                clock = None if clock is None else clock + frame.samples / frame.sample_rate
        if length:
            for part in resampler.resample(None):
                sound.append(part.to_ndarray())
        pictures = [video for video in container.streams.video if not video.disposition & Disposition.attached_pic]
        delay = 0 if trimmed or pictures else PRIMING.get(stream.codec_context.codec.canonical_name, 0)
    audio = sound.array().T[:, delay:]
    audio = audio if in_file(audio) else np.ascontiguousarray(audio)
    return audio if seconds is None else audio[:, : round(seconds * rate)], rate


def _gap(frame, clock: float | None) -> tuple[float, float | None]:
    """Seconds of silence before a frame that is due at `clock`, and the time from which it goes on.

    Where the times start again (files that were joined), or are missing, there is none.
    """
    if frame.time is None:
        return 0.0, clock
    if clock is None or frame.time < clock - RESTART:
        return 0.0, frame.time
    return (frame.time - clock, frame.time) if frame.time > clock + SHORTEST_GAP else (0.0, clock)


def _late_start(frame, path: str, stream) -> float:
    """Seconds of silence for a sound track that starts later than the picture of its file, or than it says itself."""
    from text2lip.media.video import first_moment

    try:
        start = first_moment(path, "audio")
    except ValueError:  # no picture
        start = float((stream.start_time or 0) * stream.time_base)
    return max(0.0, (frame.time or 0) - start)
