"""Video files by PyAV: frames in, frames out, with sound, at constant memory; no ffmpeg program is needed."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np


AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
SEEK_BEYOND, SEEK_MARGIN = 4.0, 1.0  # seconds; what comes sooner is decoded from the start


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself: `fps` in frames per second, `width` and `height` in pixels, and how many
    `seconds` it lasts, 0 if it doesn't say."""

    fps: float
    width: int
    height: int
    seconds: float


def video_info(path: str | Path, name: str = "video") -> VideoInfo:
    """Read rate, size and length of the first video stream; `name` is that of the argument, for errors.

    Raises:
        ValueError: `path` is missing, is no video, or has no picture.
    """
    with _open(path, name) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        size = stream.codec_context.width, stream.codec_context.height
        return VideoInfo(float(rate), *size, max(0, container.duration or 0) / 1e6)


def read_frames(path: str | Path) -> Iterator[np.ndarray]:
    """Yield the frames of a video file as uint8 (height, width, 3), RGB, in order.

    Raises:
        ValueError: `path` is missing, is no video, or has no picture.
    """
    for _, frame in timed_frames(path):
        yield to_rgb(frame)


def timed_frames(path: str | Path, start: float = 0.0, name: str = "video") -> Iterator[tuple[float, Any]]:
    """Decode a video file.

    Args:
        path (`str` or `Path`): the file.
        start (`float`): seconds after the first frame; the first frame that comes is shown then or earlier.
        name (`str`): of the argument, for errors.

    Yields:
        `tuple[float, av.VideoFrame]`: seconds after the file's first frame, and the frame for [`to_rgb`].

    Raises:
        ValueError: `path` is missing, is no video, has no picture, or is damaged.
    """
    import av

    with _open(path, name) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        origin = (stream.start_time or 0) if start > SEEK_BEYOND else None
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if origin is not None:
            # early by a margin: the first frames after a seek may lack what they refer to
            container.seek(origin + int((start - SEEK_MARGIN) / stream.time_base), stream=stream)
        count = 0
        try:
            for frame in container.decode(stream):
                if frame.pts is None:
                    seconds = count / float(rate)
                else:
                    origin = frame.pts if origin is None else origin
                    seconds = float((frame.pts - origin) * stream.time_base)
                if count == 0 and seconds > start:
                    break  # some containers can't seek exactly
                yield seconds, frame
                count += 1
        except av.error.FFmpegError as error:
            raise ValueError(
                f"{name}: {os.fspath(path)!r} is damaged or cut short ({error}); give a whole file."
            ) from error
        if count:
            return
    if start > 0:
        yield from timed_frames(path, 0.0, name)
    else:
        raise ValueError(f"{name}: {os.fspath(path)!r} holds no frame; give a video file.")


def to_rgb(frame: Any) -> np.ndarray:
    """A decoded frame as uint8 (height, width, 3), upright: phones store their turn beside the picture."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))


@contextmanager
def _open(path: str | Path, name: str = "video"):
    import av

    try:
        container = av.open(os.fspath(path))
    except (OSError, av.error.FFmpegError) as error:
        raise ValueError(f"{name}: {os.fspath(path)!r} can't be opened ({error}); give a video file.") from error
    with container:
        if not container.streams.video:
            raise ValueError(f"{name}: {os.fspath(path)!r} holds no picture; give a file with a video stream.")
        yield container


@contextmanager
def replaced_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes the name `path`, on any error it is removed.

    Raises:
        ValueError: the folder of `path` does not exist or can't be written to, or `path` is a folder.
    """
    path = Path(path)
    if os.path.isdir(path):
        raise ValueError(f"output: {str(path)!r} is a folder; give the name of a file in it.")
    try:
        with suppress(FileNotFoundError):
            os.lstat(path)  # a name that no file can have: better now than when the work is done
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"output: can't write to {str(path)!r} ({reason}); choose another place.") from error
    os.close(handle)
    try:
        yield Path(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp makes files private
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float = 25,
    audio: np.ndarray | None = None,
    sampling_rate: int | None = None,
    crf: int = 18,
) -> int:
    """Write an H.264 + AAC file that browsers play; it appears under its name only when it is whole.

    Args:
        path (`str` or `Path`): ends in .mp4, .mov or .mkv; an existing file is replaced.
        frames (`Iterable[np.ndarray]`): uint8 (height, width, 3), RGB; taken one by one. An odd side gains one
            edge pixel in the file.
        fps (`float`): frames per second.
        audio (`np.ndarray`, *optional*): float (samples,) or (channels, samples) in [-1, 1].
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        crf (`int`): x264 quality, 0 (lossless) to 51.

    Returns:
        `int`: the number of frames written.

    Raises:
        ValueError: no frames, frames of unequal size or not uint8, an unknown suffix, a rate out of range, sound that
            is not finite, or a place that can't be written to.
    """
    import av

    if Path(path).suffix.lower() not in (".mp4", ".mov", ".mkv"):
        raise ValueError(f"output: {os.fspath(path)!r} should end in .mp4, .mov or .mkv.")
    if not 1 <= float(fps) <= 1000:  # also true for NaN
        raise ValueError(f"fps: {fps!r}; wants a number from 1 to 1000.")
    if audio is not None and not sampling_rate:
        raise ValueError(f"sampling_rate: {sampling_rate!r}; audio needs its rate in Hz.")
    if audio is not None and not np.isfinite(audio).all():
        raise ValueError("audio: holds NaN or infinite samples; wants finite floats in [-1, 1].")
    rate = Fraction(float(fps)).limit_denominator(1001)
    with replaced_file(path) as temporary:
        options = {"movflags": "+faststart"} if Path(path).suffix.lower() != ".mkv" else {}
        with av.open(str(temporary), "w", options=options) as container:
            count, picture, sound = 0, None, None
            for frame in frames:
                frame = _even(frame)
                if picture is None:
                    picture = _video_stream(container, frame, rate, crf)
                    sound = None if audio is None or not len(audio) else _Sound(container, audio, sampling_rate)
                elif frame.shape[:2] != (picture.height, picture.width):
                    raise ValueError(f"frames: frame {count} is {frame.shape}, the first was of another size.")
                packed = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
                packed.pts, packed.time_base = count, 1 / rate
                container.mux(picture.encode(packed))
                count += 1
                if sound is not None:
                    sound.write_until(count / rate)
            if picture is None:
                raise ValueError("frames: got none; a video wants at least one.")
            container.mux(picture.encode(None))
            if sound is not None:
                sound.close()
    return count


def _even(frame: np.ndarray) -> np.ndarray:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise ValueError(f"frames: got {got}; wants uint8 arrays (height, width, 3).")
    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return frame


def _video_stream(container, frame: np.ndarray, rate: Fraction, crf: int):
    stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
    stream.height, stream.width = frame.shape[:2]
    stream.pix_fmt = "yuv420p"
    # untagged video is shown as BT.709 by some players and BT.601 by others: say what the RGB was turned into
    context = stream.codec_context
    context.colorspace, context.color_range = 5, 1
    context.color_primaries, context.color_trc = 1, 1
    return stream


class _Sound:
    """An AAC stream that is fed as the pictures go, so that the file plays while it loads."""

    def __init__(self, container, audio: np.ndarray, sampling_rate: int):
        import av

        audio = np.asarray(audio, np.float32)
        self.mono = audio.mean(0) if audio.ndim == 2 else audio
        self.container, self.sampling_rate, self.done = container, sampling_rate, 0
        self.stream = container.add_stream("aac", rate=sampling_rate if sampling_rate in AAC_RATES else 48000)
        self.stream.layout = "mono"
        self.resampler = av.AudioResampler(format="fltp", layout="mono", rate=self.stream.rate)

    def write_until(self, seconds: float):
        import av

        stop = min(len(self.mono), round(seconds * self.sampling_rate))
        for start in range(self.done, stop, 65536):
            block = np.ascontiguousarray(np.clip(self.mono[None, start : min(start + 65536, stop)], -1, 1))
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = self.sampling_rate, start, Fraction(1, self.sampling_rate)
            self._mux(frame)
        self.done = max(stop, self.done)

    def close(self):
        self.write_until(len(self.mono) / self.sampling_rate)
        self._mux(None)
        self.container.mux(self.stream.encode(None))

    def _mux(self, frame):
        for resampled in self.resampler.resample(frame):
            self.container.mux(self.stream.encode(resampled))
