"""Writing video files with sound."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from text2lip.files import replaced_file
from text2lip.memory import let_go, walk


AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float = 25,
    audio: np.ndarray | None = None,
    sampling_rate: int | None = None,
    crf: int = 18,
    metadata: dict[str, str] | None = None,
) -> int:
    """Write an H.264 + AAC file that browsers play; it appears under its name only when it is whole.

    Args:
        path (`str` or `Path`): ends in .mp4, .mov or .mkv; an existing file is replaced.
        frames (`Iterable[np.ndarray]`): uint8 (height, width, 3), RGB; taken one by one. An odd side gains one
            edge pixel in the file.
        fps (`float`): frames per second.
        audio (`np.ndarray`, *optional*): float (samples,) or (channels, samples) in [-1, 1], up to 8 channels.
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        crf (`int`): x264 quality, 0 (lossless) to 51.
        metadata (`dict[str, str]`, *optional*): of the file, such as "comment".

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
    if np.ndim(audio) == 2 and not 1 <= len(audio) <= 8:
        raise ValueError(f"audio: got {len(audio)} channels; wants (channels, samples) of 1 to 8: transpose it.")
    if audio is not None and not all(np.isfinite(piece).all() for piece in walk(np.atleast_1d(audio))):
        raise ValueError("audio: holds NaN or infinite samples; wants finite floats in [-1, 1].")
    rate = Fraction(float(fps)).limit_denominator(1001)
    with replaced_file(path) as temporary:
        options = {"movflags": "+faststart"} if Path(path).suffix.lower() != ".mkv" else {}
        with av.open(str(temporary), "w", options=options) as container:
            container.metadata.update(metadata or {})
            count, picture, sound = 0, None, None
            for frame in frames:
                frame = _even(frame)
                if picture is None:
                    picture = _video_stream(container, frame, rate, crf)
                    sound = None if audio is None or not np.size(audio) else _Sound(container, audio, sampling_rate)
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

        self.audio = np.atleast_2d(np.asarray(audio, np.float32))
        self.layout = LAYOUTS[len(self.audio) - 1]
        self.container, self.sampling_rate, self.done = container, sampling_rate, 0
        rate = next((rate for rate in AAC_RATES if rate >= sampling_rate), AAC_RATES[-1])
        self.stream = container.add_stream("aac", rate=rate)
        self.stream.layout = self.layout
        self.stream.bit_rate = max(128_000, 80_000 * len(self.audio))
        self.resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.stream.rate)

    def write_until(self, seconds: float):
        import av

        stop = min(self.audio.shape[1], round(seconds * self.sampling_rate))
        for start in range(self.done, stop, 65536):
            block = np.clip(self.audio[:, start : min(start + 65536, stop)], -1, 1)
            frame = av.AudioFrame.from_ndarray(block.T.reshape(1, -1), format="flt", layout=self.layout)
            frame.sample_rate, frame.pts, frame.time_base = self.sampling_rate, start, Fraction(1, self.sampling_rate)
            self._mux(frame)
        self.done = max(stop, self.done)
        let_go(self.audio)

    def close(self):
        self.write_until(self.audio.shape[1] / self.sampling_rate)
        self._mux(None)
        self.container.mux(self.stream.encode(None))

    def _mux(self, frame):
        for resampled in self.resampler.resample(frame):
            self.container.mux(self.stream.encode(resampled))
