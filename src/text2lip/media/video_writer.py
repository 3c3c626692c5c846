"""Writing video files with sound."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from text2lip.files import replaced_file
from text2lip.media.codecs import AAC_RATES, PRORES_PROFILES, SOUND, Codec, choose_codec
from text2lip.memory import let_go, walk


LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float = 25,
    audio: np.ndarray | None = None,
    sampling_rate: int | None = None,
    crf: int | None = None,
    codec: str | None = None,
    metadata: dict[str, str] | None = None,
) -> int:
    """Write a video file that browsers play; it appears under its name only when it is whole.

    Args:
        path (`str` or `Path`): ends in .mp4, .mov, .mkv or .webm; an existing file is replaced.
        frames (`Iterable[np.ndarray]`): uint8 (height, width, 3), RGB, or (height, width, 4), RGBA; taken one by one.
            An odd side gains one edge pixel in the file.
        fps (`float`): frames per second.
        audio (`np.ndarray`, *optional*): float (samples,) or (channels, samples) in [-1, 1], up to 8 channels.
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        crf (`int`, *optional*): quality, from 0 (best) to 51, or 63 of VP9 and AV1; by default one that looks like
            the frames.
        codec (`str`, *optional*): of [`CODECS`]; H.264 by default, in .webm VP9, of frames with alpha ProRes 4444
            (.mov) or VP9 (.webm, .mkv). Sound is AAC, in .webm Opus.
        metadata (`dict[str, str]`, *optional*): of the file, such as "comment".

    Returns:
        `int`: the number of frames written.

    Raises:
        ValueError: no frames, frames of unequal size or not uint8, an unknown suffix, a rate out of range, sound that
            is not finite, or a place that can't be written to.
    """
    import av

    if (suffix := Path(path).suffix.lower()) not in (".mp4", ".mov", ".mkv", ".webm"):
        raise ValueError(f"output: {os.fspath(path)!r} should end in .mp4, .mov, .mkv or .webm.")
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
        options = {"movflags": "+faststart"} if suffix in (".mp4", ".mov") else {}
        with av.open(str(temporary), "w", options=options) as container:
            container.metadata.update(metadata or {})
            count, picture, sound = 0, None, None
            for frame in frames:
                frame = _even(frame)
                if picture is None:
                    shape, chosen = frame.shape, choose_codec(codec, suffix, frame.shape[2] == 4, crf)
                    picture = _video_stream(container, frame, rate, chosen, crf)
                    silent = audio is None or not np.size(audio)
                    sound = None if silent else _Sound(container, audio, sampling_rate, suffix)
                elif frame.shape != shape:
                    raise ValueError(f"frames: frame {count} is {frame.shape}, the first was of another size.")
                pixels = "rgba" if shape[2] == 4 else "rgb24"
                packed = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=pixels)
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
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] not in (3, 4):
        got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise ValueError(f"frames: got {got}; wants uint8 arrays (height, width, 3).")
    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return frame


def _video_stream(container, frame: np.ndarray, rate: Fraction, codec: Codec, crf: int | None):
    options = dict(codec.options)
    pixels = codec.clear_pixels if frame.shape[2] == 4 else codec.pixels
    if codec.crf is not None:
        options["crf"] = str(codec.crf if crf is None else crf)
    if pixels in PRORES_PROFILES:
        options["profile"] = PRORES_PROFILES[pixels]
    if codec.encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # it would tell its settings
    stream = container.add_stream(codec.encoder, rate=rate, options=options)
    stream.height, stream.width = frame.shape[:2]
    stream.pix_fmt = pixels
    if codec.encoder == "libx265" and container.format.name != "matroska":
        stream.codec_context.codec_tag = "hvc1"  # which Apple's players know
    if codec.encoder == "libvpx-vp9" and frame.shape[2] == 4:
        stream.metadata["alpha_mode"] = "1"
    # untagged video is shown as BT.709 by some players and BT.601 by others: say what the RGB was turned into
    context = stream.codec_context
    context.colorspace, context.color_range = 5, 1
    context.color_primaries, context.color_trc = 1, 1
    return stream


class _Sound:
    """A stream of sound that is fed as the pictures go, so that the file plays while it loads."""

    def __init__(self, container, audio: np.ndarray, sampling_rate: int, suffix: str):
        import av

        self.audio = np.atleast_2d(np.asarray(audio, np.float32))
        self.layout = LAYOUTS[len(self.audio) - 1]
        self.container, self.sampling_rate, self.done = container, sampling_rate, 0
        encoder, rates = SOUND.get(suffix, ("aac", AAC_RATES))
        rate = next((rate for rate in rates if rate >= sampling_rate), rates[-1])
        self.stream = container.add_stream(encoder, rate=rate)
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
