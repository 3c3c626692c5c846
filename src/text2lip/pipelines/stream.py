"""A clip whose frames are made one by one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from text2lip.text.timing import Segment


@dataclass(eq=False)
class Text2LipStream:
    """One clip while it is made: iterate over it for uint8 (height, width, 3) frames, one at a time.

    Attributes:
        num_frames (`int`): how many frames will come.
        fps (`float`): frames per second.
        audio (`np.ndarray`, *optional*): float32 in [-1, 1], (samples,), or (channels, samples) where the user's own
            sound has several; as long as the picture.
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        landmarks (`np.ndarray`): float32 (num_frames, 478, 2), normalised.
        visemes (`list[Segment]`): with times in seconds.
        phones (`list[Segment]`): IPA with times in seconds, "" is silence.
        words (`list[Segment]`): with times in seconds.
        size (`tuple[int, int]`): height and width of the frames, pixels.
        taken (`int`): how many frames were made so far.
    """

    frames: Iterator[np.ndarray]
    num_frames: int
    fps: float
    audio: np.ndarray | None
    sampling_rate: int | None
    landmarks: np.ndarray
    visemes: list[Segment]
    phones: list[Segment]
    words: list[Segment]
    size: tuple[int, int]
    taken: int = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    @torch.no_grad()
    def __next__(self) -> np.ndarray:
        frame = next(self.frames)
        self.taken += 1
        return frame

    def __len__(self) -> int:
        return self.num_frames

    def close(self) -> None:
        """Make no more frames; models that were offloaded go back. A stream that ends or fails does so by itself."""
        if hasattr(self.frames, "close"):
            self.frames.close()

    def save(self, path: str | Path, progress: Callable[[Iterable], Iterable] = iter) -> int:
        """Write the clip with its sound to a video file; returns the number of frames.

        Args:
            path (`str` or `Path`): .mp4, .mov or .mkv; an existing file is replaced when the new one is whole.
            progress (`Callable`): wraps the frames while they are made, such as a progress bar.

        Raises:
            ValueError: frames were taken before, or the file can't be written.
        """
        from text2lip.media.video_writer import write_video

        if self.taken:
            raise ValueError(f"stream: {self.taken} frames are gone already; save before iterating, or stream again.")
        try:
            sound = {"audio": self.audio, "sampling_rate": self.sampling_rate}
            return write_video(path, progress(self), fps=self.fps, **sound)
        finally:
            self.close()


def all_frames(
    streams: list[Text2LipStream], progress_bar: Callable, progress: Callable[[int, int], None] | None = None
) -> list[list[np.ndarray]]:
    """All frames of each clip.

    Args:
        streams (`list[Text2LipStream]`): of one call.
        progress_bar (`Callable`): of a diffusers pipeline, called with `total`.
        progress (`Callable`, *optional*): called with the number of frames made and that of all, after each.

    Raises:
        ValueError: they differ in frames per second.
    """
    rates = sorted({stream.fps for stream in streams})
    if len(rates) > 1:
        raise ValueError(f"fps: the clips of this call have {rates} frames per second; choose one for all.")
    frames, total, done = [], sum(len(stream) for stream in streams), 0
    with progress_bar(total=total) as bar:
        for stream in streams:
            made = []
            for frame in stream:
                made.append(frame)
                bar.update()
                done += 1
                if progress is not None:
                    progress(done, total)
            frames.append(made)
    return frames


def sound_of(streams: list[Text2LipStream]) -> tuple[list[np.ndarray | None] | None, int | None]:
    """The sound of each clip of a call, None for a silent one, and its rate in Hz: the highest of theirs.

    Both None where all are silent. Voices differ in their rate; a slower one is resampled.
    """
    rate = max((stream.sampling_rate for stream in streams if stream.audio is not None), default=None)
    if rate is None:
        return None, None
    from text2lip.pipelines.inputs import fit_audio
    from text2lip.speech.audio import resample

    def at_rate(stream: Text2LipStream) -> np.ndarray | None:
        if stream.audio is None or stream.sampling_rate == rate:
            return stream.audio
        return fit_audio(resample(stream.audio, stream.sampling_rate, rate), rate, len(stream), stream.fps)

    return [at_rate(stream) for stream in streams], rate
