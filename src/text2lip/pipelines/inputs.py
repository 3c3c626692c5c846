"""What the caller of the pipeline gave, checked and taken apart into single clips."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from text2lip.speech.audio import fit_samples
from text2lip.speech.utterance import Speech
from text2lip.speech.voices.protocol import Synthesizer
from text2lip.text.timing import Timeline


Picture = str | os.PathLike | Image.Image | np.ndarray | torch.Tensor  # one, or all of a film
Sound = str | os.PathLike | np.ndarray | torch.Tensor | Speech
Voice = str | Synthesizer | None

MAX_FPS = 120
MAX_MINUTES = 120  # of one clip; all of its landmarks stay in memory
LEAD, TAIL = 0.2, 0.36  # seconds of silence around what a voice says: the mouth begins and ends closed


@dataclass(frozen=True)
class TimedSound:
    """Times with or without a sound: `audio` is float32 (samples,) or (channels, samples) in [-1, 1], or None."""

    timeline: Timeline
    audio: np.ndarray | None = None
    sampling_rate: int | None = None


@dataclass(frozen=True)
class Options:
    """How all clips of a call are made; see [`Text2LipPipeline.__call__`] for the fields."""

    motion: str | None
    renderer: str | None
    expressiveness: float
    face_index: Any = None
    idle: bool | float = False
    video_end: str = "loop"
    audio_condition: str = "none"
    sampler: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Clip:
    """The inputs of one clip; see [`Text2LipPipeline.__call__`] for the fields."""

    prompt: str | None
    image: Any
    voice: Any
    audio: Any
    sampling_rate: int | None
    timings: Any
    language: str
    speaking_rate: float
    fps: float | None
    num_frames: int | None
    generator: Any = None
    reference: Any = None

    def speak(self, predict: Callable[..., Timeline] | None = None) -> TimedSound:
        """Times and sound: the caller's timings, else alignment of the caller's audio, else the voice's events;
        where no voice is wanted, those of `predict` ([`predict_timeline`] with its models) if there is one."""
        if self.audio is not None:
            from text2lip.speech import align, read_audio

            audio, rate = read_audio(self.audio, self.sampling_rate)
            seconds = audio.shape[-1] / rate
            if self.timings is None:
                timeline = align(audio, rate, self.prompt, self.language)
            else:
                timeline = self._timed().pad(seconds)
            return TimedSound(timeline) if self.voice is None else TimedSound(timeline, audio, rate)
        if self.timings is not None:
            return TimedSound(self._timed())
        from text2lip.speech import synthesize
        from text2lip.speech.utterance import join, silence
        from text2lip.speech.voices.protocol import check_rate, clean_text

        if self.voice is None and predict is not None:
            pace = check_rate(self.speaking_rate)
            return TimedSound(predict(clean_text(self.prompt), self.language, pace, lead=LEAD, tail=TAIL))
        voice = "default" if self.voice is None else self.voice
        speech = synthesize(self.prompt, voice, self.language, self.speaking_rate)
        speech = join([silence(LEAD, speech.sampling_rate), speech, silence(TAIL, speech.sampling_rate)])
        if self.voice is None:
            return TimedSound(speech.timeline)
        return TimedSound(speech.timeline, speech.audio, speech.sampling_rate)

    def _timed(self) -> Timeline:
        from text2lip.speech.timings.formats import read_timeline

        return read_timeline(self.timings, language=self.language)


@dataclass(frozen=True)
class Request(Clip):
    """All inputs of one call, where all but rates, pace and length may be lists, one entry for each prompt."""

    def clips(self) -> list[Clip]:
        """The inputs checked, and every prompt paired with its own image, voice, audio and so on.

        Raises:
            ValueError: a value that can't be used, or lists of unequal length.
        """
        self._check_call()
        many = isinstance(self.prompt, (list, tuple))
        prompts = list(self.prompt) if many else [self.prompt]
        if not prompts:
            raise ValueError("prompt: got an empty list; give at least one sentence.")
        count = len(prompts)

        def one_each(pictures):  # else the frames of a film
            return isinstance(pictures, (list, tuple)) and (many or len(pictures) == 1)

        images = _spread("image", self.image, count, one_each(self.image))
        references = _spread("reference", self.reference, count, one_each(self.reference))
        audios = _spread("audio", self.audio, count, isinstance(self.audio, (list, tuple)))
        timings = _spread("timings", self.timings, count, many and _is_list_of_timings(self.timings))
        generators = _spread("generator", self.generator, count, isinstance(self.generator, (list, tuple)))
        voices = _spread("voice", self.voice, count, many and isinstance(self.voice, (list, tuple)))
        languages = _spread("language", self.language, count, many and isinstance(self.language, (list, tuple)))
        shared = {**vars(self), "fps": None if self.fps is None else float(self.fps)}
        clips = []
        for own in zip(prompts, images, audios, timings, languages, voices, generators, references):
            self._check_one(*own[:6])
            names = ("prompt", "image", "audio", "timings", "language", "voice", "generator", "reference")
            clips.append(Clip(**{**shared, **dict(zip(names, own))}))
        return clips

    def _check_call(self):
        if self.fps is not None and (not is_number(self.fps) or not 1 <= self.fps <= MAX_FPS):
            raise ValueError(f"fps: {self.fps!r}; wants a number from 1 to {MAX_FPS}, or None.")
        if self.num_frames is not None:
            whole = isinstance(self.num_frames, (int, np.integer)) and not isinstance(self.num_frames, bool)
            most = math.floor(MAX_MINUTES * 60 * (self.fps or 25))
            if not whole or not 1 <= self.num_frames <= most:
                raise ValueError(
                    f"num_frames: {self.num_frames!r}; wants a whole number from 1 to {most} ({MAX_MINUTES} minutes), "
                    "or None."
                )
        if not is_number(self.speaking_rate):
            raise ValueError(f"speaking_rate: {self.speaking_rate!r}; wants a number, 1.0 is the voice's own pace.")
        if isinstance(self.audio, (list, tuple)) and self.audio and is_number(self.audio[0]):
            raise ValueError("audio: got a list of numbers; give np.array(audio, np.float32).")
        if self.sampling_rate is not None and self.audio is None:
            raise ValueError(f"sampling_rate: {self.sampling_rate!r}, but there is no audio; leave it out.")

    def _check_one(self, prompt, image, audio, timings, language, voice):
        if not isinstance(language, str) or not language.strip():
            raise ValueError(f"language: {language!r}; wants a code such as 'en-us' or 'fr'.")
        if prompt is None and timings is None:
            raise ValueError("prompt: None, and no timings either; give the text that is said.")
        if prompt is not None and not isinstance(prompt, str):
            raise ValueError(f"prompt: got {type(prompt).__name__}; wants a string or a list of strings.")
        if prompt is not None and not prompt.strip() and timings is None:
            raise ValueError(f"prompt: {prompt!r} is empty; give the text that is said.")
        if image is None:
            raise ValueError(
                "image: None; give a portrait: a path, a PIL image, a uint8 array or a tensor; or a video."
            )
        if audio is None and timings is None:
            return
        if self.speaking_rate != 1:
            raise ValueError(
                f"speaking_rate: {self.speaking_rate}, but the times come from audio or timings; leave it at 1."
            )
        if voice is not None and voice != "default":
            remedy = "leave voice out" if audio is not None else "give audio too, or leave voice out"
            raise ValueError(f"voice: {voice!r}, but a voice can't keep to given audio or timings; {remedy}.")


def _spread(name: str, value: Any, count: int, is_list: bool) -> list:
    if not is_list:
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name}: got {len(value)} for {count} prompt(s); give one, or one for each prompt.")
    return list(value)


def _is_list_of_timings(timings: Any) -> bool:
    """Whether `timings` lists sources for several clips rather than the (phone, start, end) of one."""
    if not isinstance(timings, (list, tuple)) or not timings:
        return False
    nested = (list, tuple, Mapping)
    return all(
        item is None
        or isinstance(item, (str, os.PathLike, Timeline))
        or (isinstance(item, (list, tuple)) and len(item) > 0 and isinstance(item[0], nested))
        for item in timings
    )


def is_number(value: Any) -> bool:
    """True for a finite int, float or numpy number."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)


def clip_length(duration: float, fps: float) -> int:
    """Frames of a clip of `duration` seconds: floor(duration * fps + 0.5), at least 1.

    Raises:
        ValueError: longer than `MAX_MINUTES`.
    """
    if duration > MAX_MINUTES * 60:
        raise ValueError(
            f"duration: the clip would last {duration / 60:.0f} minutes, at most {MAX_MINUTES} are made in one call; "
            "make it in parts."
        )
    return max(1, math.floor(duration * fps + 0.5))


def fit_audio(audio: np.ndarray, sampling_rate: int, num_frames: int, fps: float) -> np.ndarray:
    """Cut `audio` (samples,) or (channels, samples) or pad it with silence to round(num_frames / fps * sampling_rate)
    samples."""
    return fit_samples(audio, round(num_frames / fps * sampling_rate)).astype(np.float32)
