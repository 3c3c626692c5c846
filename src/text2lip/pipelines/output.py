"""What [`Text2LipPipeline`] gives back: clips whose frames are made one by one, or were all made."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers.utils import BaseOutput

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.kept_inputs import check_inputs_kept, inputs_of
from text2lip.exports.notebook import NotebookVideo, notebook_video
from text2lip.exports.provenance import Origin
from text2lip.exports.subtitle_files import new_subtitles
from text2lip.exports.timeline_figure import timeline_figure
from text2lip.exports.writers import check_words_known, write_clip, writer_for
from text2lip.media.frames import pack_frames, to_uint8
from text2lip.memory import free_memory
from text2lip.motion.blendshapes import BlendShapes
from text2lip.motion.lips import LipMotion
from text2lip.motion.motion_plan import MotionPlan
from text2lip.pipelines.request import Text2LipRequest, clip_length
from text2lip.scenes import Ensemble
from text2lip.speech.audio import fit_audio
from text2lip.speech.resampling import resampled_whole
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Segment, Turn, cut_segments
from text2lip.text.tokenizer import VisemeTokenizer


if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(eq=False)
class Text2LipStream(Clip):
    """One clip while it is made: iterate over it for uint8 (height, width, 3) frames, one at a time; RGBA,
    (height, width, 4), where it is `transparent`.

    Attributes:
        num_frames (`int`): how many frames will come.
        fps (`float`): frames per second.
        audio (`np.ndarray`, *optional*): float32 in [-1, 1], (samples,), or (channels, samples) where the user's own
            sound has several; as long as the picture.
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        landmarks (`np.ndarray`): float32 (num_frames, 478, 2), normalised.
        visemes (`list[Segment]`): with times in seconds.
        phones (`list[Segment]`): IPA with times in seconds, "" is silence.
        words (`list[Segment]`): with times in seconds. Like the phones and visemes none where the lips follow a sound
            of which it isn't known what it says.
        times_from (`str`): what the times come from: "voice", "prediction", "timings", "alignment", "recognition" or
            "sound", see [`Speech`].
        turns (`list[Turn]`): who says what, of a dialogue or of subtitles that are spoken; else empty.
        confidence (`list[float]`): in each word of an aligned recording, from 0 to 1; else empty.
        doubts (`list[str]`): why a portrait's mouth may look wrong, see [`MouthTrust`], or its head moves less, in
            words; else empty.
        motion_plan ([`MotionPlan`], *optional*): of a portrait that does more than move its lips.
        size (`tuple[int, int]`): height and width of the frames, pixels.
        origin ([`Origin`]): what it is made of, for the mark of the files.
        before (`Callable`): gives that, as so many frames, uint8 (height, width, 3), for `save(compare=True)`.
        lip_motion ([`LipMotion`], *optional*): what the face is to do; `blendshapes` follows from it.
        num_done (`int`): how many frames were made so far.
        closed (`bool`): whether no more will be made.
    """

    turns: list[Turn] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    num_done: int = 0
    closed: bool = False

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    @torch.no_grad()
    def __next__(self) -> np.ndarray:
        if self.closed:
            raise StopIteration
        frame = next(self.frames)
        self.num_done += 1
        if self.closed:  # meanwhile, by another thread, which can't end what is running
            self.close()
        return frame

    def __len__(self) -> int:
        return self.num_frames

    def __enter__(self) -> "Text2LipStream":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Make no more frames, from any thread; models that were offloaded go back. A stream that ends or fails does
        so by itself."""
        self.closed = True
        with suppress(ValueError, AttributeError):  # another thread is making a frame, its last one
            self.frames.close()

    @classmethod
    def of(
        cls,
        scene: Any,
        speech: Speech,
        motion: LipMotion,
        landmarks: np.ndarray,
        frames: Iterator[np.ndarray],
        tokenizer: VisemeTokenizer,
        request: Text2LipRequest,
    ) -> "Text2LipStream":
        """What the four stages have made; times end with the frames, and so does the sound."""
        timeline = motion.timeline
        visemes = [] if motion.tokens is None else tokenizer.segments(motion.tokens, 0)
        num_frames, fps = len(landmarks), motion.fps
        if num_frames < clip_length(timeline.duration, fps):
            timeline = timeline.cut(num_frames / fps)
            visemes = cut_segments(visemes, timeline.duration)
        audio = speech.audio
        return cls(
            frames=frames,
            num_frames=num_frames,
            fps=fps,
            audio=None if audio is None else fit_audio(audio, speech.sampling_rate, num_frames, fps),
            sampling_rate=speech.sampling_rate,
            landmarks=landmarks,
            visemes=visemes,
            phones=list(timeline.phones),
            words=list(timeline.words),
            times_from=speech.times_from,
            turns=list(timeline.turns),
            confidence=list(timeline.confidence),
            doubts=list(scene.doubts),
            motion_plan=None if scene.moves or isinstance(scene, Ensemble) else scene.plan(motion),
            size=scene.size,
            origin=origin_of(scene, request),
            before=scene.before,
            lip_motion=motion,
        )

    def sound(self, sampling_rate: int) -> np.ndarray | None:
        """`audio` at that rate, Hz."""
        if self.audio is None or self.sampling_rate == sampling_rate:
            return self.audio
        audio = resampled_whole(self.audio, self.sampling_rate, sampling_rate)
        return fit_audio(audio, sampling_rate, len(self), self.fps)

    def save(
        self,
        path: str | Path,
        *,
        subtitles: str | Path | None = None,
        progress: Callable[[Iterable], Iterable] = iter,
        **options: Any,
    ) -> int:
        """Write the clip to a file while it is made; see [`Text2LipPipelineOutput.save`].

        Raises:
            ValueError: frames are needed and were taken before, or a file can't be written.
        """
        clip, asked = self.as_clip(self._whole(progress)), SaveOptions.of(**options)
        if "frames" not in writer_for(path).needs:
            return write_clip(path, clip, asked, subtitles)
        if self.num_done or self.closed:
            why = f"{self.num_done} frames are gone already" if self.num_done else "it was closed"
            raise ValueError(f"stream: {why}; save before iterating, or stream again.")
        try:
            return write_clip(path, clip, asked, subtitles)
        finally:
            if self.num_done:  # else it was refused, and may be saved elsewhere
                self.close()

    def as_clip(self, frames: Iterable[np.ndarray]) -> Clip:
        """All of this with those frames, for a writer."""
        return Clip(**{one.name: getattr(self, one.name) for one in fields(Clip)} | {"frames": frames})

    def _whole(self, progress: Callable[[Iterable], Iterable]) -> Iterator[np.ndarray]:
        """All frames, or an error."""
        yield from progress(self)
        if self.closed:  # by someone else, as a cancel button
            raise ValueError(f"stream: closed after {self.num_done} of {len(self)} frames; nothing was written.")


@dataclass
class Text2LipPipelineOutput(BaseOutput):
    """Clips made by [`Text2LipPipeline`]; entry i of every list is clip i's, also for a single prompt.

    Attributes:
        frames (`list` or `np.ndarray` or `torch.Tensor`): "pil": list of lists of `PIL.Image`; "np": float32
            (clips, frames, height, width, 3) in [0, 1]; "pt": float32 (clips, frames, 3, height, width) in [0, 1]; a
            list of such arrays where clips differ in length or size. Of four channels, RGBA, where `transparent`.
        landmarks (`list[np.ndarray]`): float32 (frames, 478, 2), x by width and y by height.
        visemes (`list[list[Segment]]`): viseme labels with times in seconds.
        phones (`list[list[Segment]]`): IPA phones with times in seconds; "" is silence.
        words (`list[list[Segment]]`): words as they stand in the prompt, with times in seconds; `word.span` is their
            place in it, see [`Word`].
        fps (`float`): frames per second.
        audio (`list[np.ndarray | None]`, *optional*): float32 in [-1, 1], (samples,), or (channels, samples)
            where the user's own sound has several; None for a silent clip, and None whole where all are silent.
        sampling_rate (`int`, *optional*): of `audio`, Hz; the highest of its voices'.
        times_from (`list[str]`): what the times come from: "voice", "prediction", "timings", "alignment",
            "recognition", or "sound": then there are no words, phones and visemes. See [`Speech`].
        turns (`list[list[Turn]]`): who says what, of a dialogue or of subtitles that are spoken; else empty.
        confidence (`list[list[float]]`): in each word of an aligned recording, from 0 to 1; else empty.
        doubts (`list[list[str]]`): why a portrait's mouth may look wrong, see [`Text2LipStream`]; else empty.
        motion_plan (`list[MotionPlan | None]`): what each portrait did beside its lips, see [`Text2LipStream`].
        origin (`list[Origin]`): what each was made of, for the mark of the files.
        before (`list[Callable]`): what each was made of, see [`Text2LipStream`].
        lip_motion (`list[LipMotion]`): what each face was to do, of no face in particular.
    """

    frames: Any = None  # defaults, because accelerate rebuilds outputs from a dictionary
    landmarks: list[np.ndarray] = None
    visemes: list[list[Segment]] = None
    phones: list[list[Segment]] = None
    words: list[list[Segment]] = None
    fps: float = None
    audio: list[np.ndarray | None] | None = None
    sampling_rate: int | None = None
    times_from: list[str] = None
    turns: list[list[Turn]] = None
    confidence: list[list[float]] = None
    doubts: list[list[str]] = None
    motion_plan: "list[MotionPlan | None]" = None
    origin: list[Origin] = None
    before: list[Callable] = None
    lip_motion: list[LipMotion] = None

    @property
    def blendshapes(self) -> list[BlendShapes]:
        """Weights of ARKit's 52 shapes of each clip, see [`blendshapes_of`]."""
        return [self._clip(index).blendshapes for index in range(len(self.frames))]

    def __repr__(self) -> str:
        if self.frames is None:
            return f"{type(self).__name__}()"
        clips = f"{len(self.frames)} clip{'s' * (len(self.frames) != 1)}"
        counts = " and ".join(str(len(frames)) for frames in self.frames)
        sizes = dict.fromkeys("{1}x{0}".format(*to_uint8(frames[0]).shape) for frames in self.frames)
        facts = clips, f"{counts} frames", f"{self.fps:g} fps", *sizes, "silent" if self.audio is None else "sound"
        return f"{type(self).__name__}({', '.join(facts)})"

    def to_tuple(self) -> tuple:
        """All values in the order above, None too: places don't depend on whether there is sound."""
        return tuple(getattr(self, one.name) for one in fields(self))

    @classmethod
    def of(
        cls, streams: list["Text2LipStream"], frames: list[list[np.ndarray]], output_type: str
    ) -> "Text2LipPipelineOutput":
        """Clips whose `frames` were made, see [`all_frames`]; the sound of all has the highest of their rates."""
        rate = max((stream.sampling_rate for stream in streams if stream.audio is not None), default=None)
        return cls(
            frames=pack_frames(frames, output_type),
            landmarks=[stream.landmarks for stream in streams],
            visemes=[stream.visemes for stream in streams],
            phones=[stream.phones for stream in streams],
            words=[stream.words for stream in streams],
            fps=streams[0].fps,
            audio=None if rate is None else [stream.sound(rate) for stream in streams],
            sampling_rate=rate,
            times_from=[stream.times_from for stream in streams],
            turns=[stream.turns for stream in streams],
            confidence=[stream.confidence for stream in streams],
            doubts=[stream.doubts for stream in streams],
            motion_plan=[stream.motion_plan for stream in streams],
            origin=[stream.origin for stream in streams],
            before=[stream.before for stream in streams],
            lip_motion=[stream.lip_motion for stream in streams],
        )

    def save(
        self,
        path: str | Path,
        index: int | None = None,
        *,
        subtitles: str | Path | None = None,
        progress: Callable[[Iterable], Iterable] = iter,
        **options: Any,
    ) -> int:
        """Write clip `index` to a file of the kind that its suffix says, see [`~text2lip.exports.writers.WRITERS`].

        Args:
            path (`str` or `Path`): an existing file is replaced, and only when the new one is whole.
            index (`int`, *optional*): which clip; may be left out where one was made.
            subtitles (`str` or `Path`, *optional*): file for the words beside it, .srt or .vtt: both files or none.
            progress (`Callable`): what the frames pass through on their way, as `tqdm`.
            options: see [`SaveOptions`].

        Returns:
            `int`: number of frames.

        Raises:
            ValueError: `index` is out of range or missing, or a file can't be written or would replace an input.
        """
        return write_clip(path, self._clip(index, progress), SaveOptions.of(**options), subtitles)

    def save_subtitles(self, path: str | Path, index: int | None = None) -> None:
        """Write the words of clip `index` as SRT or WebVTT, by the suffix of `path`.

        Raises:
            ValueError: the suffix is neither .srt nor .vtt, or the place can't be written to.
        """
        clip = self._clip(index)
        writer_for(path, "subtitles", "subtitles")
        check_words_known(path, clip)
        check_inputs_kept(path, clip.origin.inputs, "subtitles")
        with new_subtitles(path, clip):
            pass

    def show(self, index: int | None = None, **options: Any) -> NotebookVideo:
        """Clip `index` for a notebook, which plays it; options and errors as those of [`save`], as an .mp4."""
        return notebook_video(self._clip(index), SaveOptions.of(**options))

    def plot(self, index: int | None = None) -> "Figure":
        """Waveform, words, visemes and lip gap of clip `index` on one time line, see [`timeline_figure`]."""
        return timeline_figure(self._clip(index))

    def _clip(self, index: int | None, progress: Callable[[Iterable], Iterable] = iter) -> Clip:
        """Clip `index` for a writer; the only one by default."""
        if index is None and len(self.frames) > 1:
            raise ValueError(f"index: None, but {len(self.frames)} clips were made; say which one, from 0.")
        index = 0 if index is None else index
        whole = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        if not whole or not -len(self.frames) <= index < len(self.frames):
            raise ValueError(f"index: {index!r}, but clips 0 to {len(self.frames) - 1} were made; choose one of them.")
        frames = self.frames[index]
        silent = self.audio is None or self.audio[index] is None
        of_clip = ["landmarks", "visemes", "phones", "words", "times_from", "motion_plan", "before", "lip_motion"]
        lists = {name: getattr(self, name) for name in of_clip}
        return Clip(
            frames=progress(to_uint8(frame) for frame in frames),
            num_frames=len(frames),
            fps=self.fps,
            size=to_uint8(frames[0]).shape[:2],
            audio=None if silent else self.audio[index],
            sampling_rate=None if silent else self.sampling_rate,
            origin=self.origin[index] if self.origin else Origin(),
            **{name: values[index] if values else None for name, values in lists.items()},
        )


def origin_of(scene: Any, request: Text2LipRequest) -> Origin:
    """What a clip of `scene` is made of."""
    is_file = scene.moves and isinstance(request.image, (str, os.PathLike))
    film = Path(os.path.abspath(request.image)) if is_file else None
    return Origin(scene.moves, film, request.audio is not None, inputs_of(request))


def check_memory(num_bytes: int, output_type: str) -> None:
    """Refuse to keep more frames than fit into memory, before the first one is made.

    Args:
        num_bytes (`int`): size of all frames as uint8.
        output_type (`str`): "pil", "np" or "pt".

    Raises:
        ValueError: they don't fit.
    """
    needed = num_bytes * (2 if output_type == "pil" else 9)  # uint8, and a PIL copy or two of float32
    free = free_memory()
    if needed > free:
        raise ValueError(
            f"prompt: the frames need {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; call "
            "pipe.stream(...), which keeps none of them, or make the clip in parts."
        )


def within_memory(streams: Iterable[Any], output_type: str, channels: int = 3) -> list[Any]:
    """Collect the clips of a call, and refuse them as soon as their frames don't fit, see [`check_memory`].

    Args:
        streams (`Iterable[Text2LipStream]`): each is spoken when its turn comes.
        output_type (`str`): "pil", "np" or "pt".
        channels (`int`): of the frames, 4 of transparent ones.
    """
    clips, needed = [], 0
    for stream in streams:
        clips.append(stream)
        needed += len(stream) * math.prod(stream.size) * channels
        check_memory(needed, output_type)
    return clips


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
            of_clip = []
            for frame in stream:
                of_clip.append(frame)
                bar.update()
                done += 1
                if progress is not None:
                    progress(done, total)
            frames.append(of_clip)
    return frames
