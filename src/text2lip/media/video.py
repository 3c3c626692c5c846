"""Video files by PyAV: frames in, frames out, with sound, at constant memory; no ffmpeg program is needed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from text2lip.files import local_path, once_per_file, open_media
from text2lip.media.animation import animation_frames, pictures_in
from text2lip.media.decoded import Shown, at_rate, fit, to_rgb


SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".m4v", ".gif", ".ts", ".mts", ".m2ts", ".3gp")
SUFFIXES += (".ogv", ".flv", ".wmv")
PICTURE_BRANDS = ("heic", "heix", "heim", "heis", "mif1")  # whose tiles would be taken for films
INDEXED = ("mov", "avi", "flv", "asf")
MISSING = 0.5  # seconds that may be missing at the end of a film
MAX_RATIO = 16
BELIEVED_FPS = 240  # frames per second that are believed of an average; DV says 60000
LATEST_START = 10.0  # seconds by which the picture may start after the sound
SEEK_BEYOND, SEEK_MARGIN = 4.0, 1.0  # seconds; what comes sooner is decoded from the start
MOVING = "moving"  # a clock, as nearly all of them do


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself: `fps` in frames per second, `width` and `height` in pixels as they are stored,
    and how many `seconds` it lasts, 0 if it doesn't say."""

    fps: float
    width: int
    height: int
    seconds: float


@once_per_file
def video_info(path: str | Path, name: str = "video") -> VideoInfo:
    """Read rate, size and length of a film; `name` is that of the argument, for errors.

    Raises:
        ValueError: `path` is missing, is no video, or has no picture.
    """
    if (pictures_in(path) or 1) > 1:
        for number, shown in enumerate(animation_frames(path, name)):
            count, seconds, size = number + 1, shown.seconds + shown.lasts, shown.frame.size
        return VideoInfo(count / seconds, *size, seconds)
    with _open(path, name) as (container, stream):
        size = stream.codec_context.width, stream.codec_context.height
        return VideoInfo(_rate(stream), *size, max(0, container.duration or 0) / 1e6)


def is_film(path: str | Path) -> bool:
    """Whether a file holds pictures that follow one another, by its content; by its suffix if it can't be read."""
    if os.path.isfile(path):
        if pictures := pictures_in(path):
            return pictures > 1
        with suppress(ValueError):
            return _moves(path)
    return Path(path).suffix.lower() in SUFFIXES


@once_per_file
def _moves(path: str | Path) -> bool:
    return len(list(islice(timed_frames(path), 2))) > 1


def read_frames(path: str | Path, fps: float | None = None) -> Iterator[np.ndarray]:
    """Yield the frames of a video file as uint8 (height, width, 3), RGB: upright, with square pixels, HDR toned down,
    and all of the first one's size.

    Args:
        path (`str` or `Path`): the file.
        fps (`float`, *optional*): frames per second; frame i is then what is shown at (i + 1/2) / fps seconds of the
            file's own sound. All frames in order by default.

    Raises:
        ValueError: `path` is missing, is no video, or has no picture.
    """
    size = None
    shown = timed_frames(path)
    for one in shown if fps is None else at_rate(shown, fps):
        frame = to_rgb(one)
        size = size or frame.shape[:2]
        yield fit(frame, *size)


@once_per_file
def first_moment(path: str | Path, name: str = "video") -> float:
    """When a player starts: the earlier of the first picture and the first sound, seconds on the file's own clock.

    A sound that starts more than `LATEST_START` before the picture is passed over. Errors as [`timed_frames`].
    """
    import av

    if (pictures_in(path) or 1) > 1:
        return 0.0
    with _open(path, name) as (container, stream):
        picture = next((frame.time for frame in container.decode(stream)), None) or 0.0
        if not container.streams.audio:
            return picture
    sound = None
    with _open(path, name) as (container, stream), suppress(av.error.FFmpegError):
        voice = container.streams.best("audio")
        for packet in container.demux(stream, voice):
            # decoded, as what the codec puts before the sound belongs to no time
            samples = packet.decode() if packet.stream is voice else []
            late = packet.stream is stream and packet.pts and packet.pts * stream.time_base > picture + LATEST_START
            if samples or late:
                sound = samples[0].time if samples else None
                break
    return picture if sound is None or sound < picture - LATEST_START else min(sound, picture)


@once_per_file
def packet_clock(path: str | Path, name: str = "video") -> tuple[float, bool]:
    """How long a film's picture lasts, and whether its clock starts again within it: then nothing is found by time.

    It does where films were joined end to end, and so does one that stands still. All packets are read, and none
    decoded; of a format with an index none. Errors as [`video_info`].
    """
    import av

    if (pictures_in(path) or 1) > 1:
        return video_info(path, name).seconds, False
    again, shift, last, end, timeless = False, 0.0, None, 0.0, 0
    first, standing = None, 0  # packets of one and the same moment
    with _open(path, name) as (container, stream), suppress(av.error.FFmpegError):
        if container.format.name.startswith(INDEXED) and (container.duration or 0) > 0:
            return container.duration / 1e6, False
        for packet in container.demux(stream):
            if packet.pts is None:
                timeless += packet.size > 0
                continue
            moment = float(packet.pts * packet.time_base)
            if last is None or (packet.is_keyframe and moment < last):  # all that comes before it is shown before it
                again, shift, last = again or last is not None, end - moment, moment
            first = moment if first is None else first
            standing += 1 if moment == first else -np.inf
            last = max(last, moment)
            end = max(end, moment + shift + float((packet.duration or 0) * packet.time_base))
        end = end or timeless / _rate(stream)
        if standing > 1:
            return standing / _rate(stream), True
    return end, again


def timed_frames(path: str | Path, start: float = 0.0, name: str = "video") -> Iterator[Shown]:
    """Decode a film.

    Args:
        path (`str` or `Path`): the file, a video or an animated picture.
        start (`float`): seconds after its beginning; the first frame that comes is shown then or earlier, or is the
            film's first.
        name (`str`): of the argument, for errors.

    Raises:
        ValueError: `path` is missing, is no video, has no picture, or is damaged or cut short.
    """
    if (pictures_in(path) or 1) > 1:
        yield from animation_frames(path, name)
        return
    origin = first_moment(path, name)
    sought = start > SEEK_BEYOND and not packet_clock(path, name)[1]
    frames = _decoded(path, name, origin, start if sought else None)
    first = next(frames, None)
    if sought and (first is None or first.seconds > start):  # some containers can't seek exactly
        frames = _decoded(path, name, origin, None)
        first = next(frames, None)
    if first is None:
        raise ValueError(f"{name}: {os.fspath(path)!r} holds no frame; give a video file.")
    yield first
    yield from frames


def _decoded(path: str | Path, name: str, origin: float, start: float | None) -> Iterator[Shown]:
    """The frames from a little before `start` on, none if they can't be found; None for all of them."""
    import av

    with _open(path, name) as (container, stream):
        stream.thread_type = "AUTO"
        rate, end = _rate(stream), _end(container, stream)
        given, coded = stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio
        if start is not None:
            # early by a margin: the first frames after a seek may lack what they refer to
            with suppress(av.error.FFmpegError):  # a film without a container can't
                container.seek(int((origin + start - SEEK_MARGIN) / stream.time_base), stream=stream)
        seconds, shift, lasts, stands = -1 / rate, -origin, None, None  # where the clock stands, until it moves
        for frame in container.decode(stream):
            if frame.time is None and start is not None:
                return  # nothing tells where it is
            before, seconds = seconds, seconds + 1 / rate
            if frame.time is not None:
                if stands not in (None, MOVING, frame.time):
                    stands, shift = MOVING, -origin
                if stands == frame.time or frame.time + shift < before:  # one that stands still, or starts again
                    shift = seconds - frame.time
                stands = frame.time if stands is None else stands
                seconds = frame.time + shift
            ratio = given if given != coded else stream.codec_context.sample_aspect_ratio
            lasts = float((frame.duration or 0) * (frame.time_base or 0))
            yield Shown(seconds, lasts, frame, _ratio(ratio, path, name))
        if None not in (end, lasts) and seconds + max(lasts, 1 / rate) < end - origin - MISSING:
            raise ValueError(
                f"{name}: {os.fspath(path)!r} is damaged or cut short: it breaks off after {seconds:.1f} of "
                f"{end - origin:.1f} s; give a whole file."
            )


def _rate(stream) -> float:
    average, guessed = stream.average_rate or stream.guessed_rate or 25, stream.guessed_rate or 25
    return float(average if average <= BELIEVED_FPS else min(average, guessed))


def _end(container, stream) -> float | None:
    """When the picture ends on the file's clock, as formats with an index tell; None if they don't."""
    duration = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", stream.metadata.get("DURATION", "").strip("\0"))
    if stream.duration and container.format.name.startswith(INDEXED):
        ticks = stream.duration
        if container.format.name == "avi":  # whose duration is that of what is left
            return float(((stream.start_time or 0) + max(ticks, stream.frames)) * stream.time_base)
        end = float(((stream.start_time or 0) + ticks) * stream.time_base)
    elif duration:
        hours, minutes, seconds = (float(part) for part in duration.groups())
        end = 3600 * hours + 60 * minutes + seconds
    else:
        return None
    # a tag may be that of the file from which the film was cut
    return min(end, ((container.start_time or 0) + container.duration) / 1e6) if container.duration else end


def _ratio(given, path: str | Path, name: str) -> Fraction:
    ratio = Fraction(given.numerator, given.denominator) if given else Fraction(1)
    if not 1 / MAX_RATIO <= ratio <= MAX_RATIO:
        raise ValueError(
            f"{name}: the pixels of {os.fspath(path)!r} are {float(ratio):.3g} times as wide as high; convert it to "
            "square pixels."
        )
    return ratio


@contextmanager
def _open(path: str | Path, name: str = "video"):
    """The container of a film and the stream of its picture."""
    import av

    shown = repr(os.fspath(path))
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"{name}: {shown} can't be opened (it is no regular file); give a video file.")
    local_path(path, name)
    try:
        container = open_media(path, name)
    except (OSError, ValueError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{name}: {shown} can't be opened ({reason}); give a video file.") from error
    with container:
        brand = container.metadata.get("major_brand", "")
        if brand in PICTURE_BRANDS:
            raise ValueError(f"{name}: {shown} can't be opened (it is a picture, {brand}); give a video file.")
        try:
            yield container, picture_stream(container, name, shown)
        except av.error.FFmpegError as error:
            raise ValueError(
                f"{name}: {shown} is damaged or cut short ({error.strerror}); give a whole file."
            ) from error


def picture_stream(container, name: str, shown: str):
    """The video stream that players show: the default one, or the first, never a cover; else a ValueError."""
    from av.stream import Disposition

    cover = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        raise ValueError(f"{name}: {shown} holds no picture; give a file with a video stream.")
    return next((stream for stream in streams if stream.disposition & Disposition.default), streams[0])
