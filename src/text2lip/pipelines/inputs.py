"""What the caller of the pipeline gave, checked and taken apart into single clips."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from text2lip.text.timing import Timeline


VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".m4v", ".gif")
MAX_FPS = 120
LEAD, TAIL = 0.2, 0.36  # seconds of silence around what a voice says: the mouth begins and ends closed


@dataclass(frozen=True)
class TimedSound:
    """Times with or without a sound: `audio` is float32 (samples,) in [-1, 1], or None."""

    timeline: Timeline
    audio: np.ndarray | None = None
    sampling_rate: int | None = None


@dataclass(frozen=True)
class Options:
    """How all clips of a call are made; see [`Text2LipPipeline.__call__`] for the fields."""

    motion: str | None
    renderer: str | None
    expressiveness: float
    face_index: Any
    generator: Any


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
    fps: float
    num_frames: int | None

    def speak(self) -> TimedSound:
        """Times and sound: the caller's timings, else alignment of the caller's audio, else the voice's events."""
        if self.audio is not None:
            from text2lip.speech import align, load_audio

            audio, rate = load_audio(self.audio, self.sampling_rate)
            seconds = len(audio) / rate
            if self.timings is None:
                return TimedSound(align(audio, rate, self.prompt, self.language), audio, rate)
            timeline = self._timed()
            if timeline.duration < seconds:
                timeline = Timeline.from_phones(timeline.phones, timeline.words, seconds)
            return TimedSound(timeline, audio, rate)
        if self.timings is not None:
            return TimedSound(self._timed())
        from text2lip.speech import synthesize
        from text2lip.speech.base import join, silence

        speech = synthesize(self.prompt, self.voice or "default", self.language, self.speaking_rate)
        speech = join([silence(LEAD, speech.sampling_rate), speech, silence(TAIL, speech.sampling_rate)])
        if self.voice is None:
            return TimedSound(speech.timeline)
        return TimedSound(speech.timeline, speech.audio, speech.sampling_rate)

    def _timed(self) -> Timeline:
        from text2lip.speech import read_timings

        return Timeline.from_phones(read_timings(self.timings))


@dataclass(frozen=True)
class Request:
    """All inputs of one call; `clips` checks them and pairs every prompt with its image, audio and timings."""

    prompt: Any
    image: Any
    voice: Any
    audio: Any
    sampling_rate: int | None
    timings: Any
    language: str
    speaking_rate: float
    fps: float
    num_frames: int | None

    def clips(self) -> list[Clip]:
        """One [`Clip`] for each prompt.

        Raises:
            ValueError: a value that can't be used, or lists of unequal length.
        """
        self._check_numbers()
        prompts = self.prompt if isinstance(self.prompt, (list, tuple)) else [self.prompt]
        many = isinstance(self.prompt, (list, tuple))
        if not prompts:
            raise ValueError("prompt: got an empty list; give at least one sentence.")
        images = _spread("image", self.image, len(prompts), isinstance(self.image, (list, tuple)))
        audios = _spread("audio", self.audio, len(prompts), isinstance(self.audio, list))
        batched = many and isinstance(self.timings, list) and len(self.timings) == len(prompts)
        timings = _spread("timings", self.timings, len(prompts), batched)
        clips = []
        for prompt, image, audio, times in zip(prompts, images, audios, timings):
            self._check_one(prompt, image, audio, times)
            clips.append(
                Clip(
                    prompt,
                    image,
                    self.voice,
                    audio,
                    self.sampling_rate,
                    times,
                    self.language,
                    self.speaking_rate,
                    self.fps,
                    self.num_frames,
                )
            )
        return clips

    def _check_numbers(self):
        if not is_number(self.fps) or not 1 <= self.fps <= MAX_FPS:
            raise ValueError(f"fps: {self.fps!r}; wants a number from 1 to {MAX_FPS}.")
        if self.num_frames is not None and (not isinstance(self.num_frames, int) or self.num_frames < 1):
            raise ValueError(f"num_frames: {self.num_frames!r}; wants a whole number of at least 1, or None.")

    def _check_one(self, prompt, image, audio, timings):
        if prompt is None and timings is None:
            raise ValueError("prompt: None, and no timings either; give the text that is to be said.")
        if prompt is not None and not isinstance(prompt, str):
            raise ValueError(f"prompt: got {type(prompt).__name__}; wants a string or a list of strings.")
        if prompt is not None and not prompt.strip() and timings is None:
            raise ValueError(f"prompt: {prompt!r} is empty; give the text that is to be said.")
        if image is None:
            raise ValueError("image: None; give a portrait: a path, a PIL image or a uint8 array.")
        if isinstance(image, (str, os.PathLike)) and Path(image).suffix.lower() in VIDEO_SUFFIXES:
            raise ValueError(f"image: {str(image)!r} is a video; give a still picture, such as one frame of it.")
        if self.speaking_rate != 1 and (audio is not None or timings is not None):
            raise ValueError(
                f"speaking_rate: {self.speaking_rate}, but the times come from audio or timings; leave it at 1."
            )


def _spread(name: str, value: Any, count: int, is_list: bool) -> list:
    if not is_list:
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name}: got {len(value)} for {count} prompts; give one, or one for each prompt.")
    return list(value)


def is_number(value: Any) -> bool:
    """True for a finite int, float or numpy number."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)


def clip_length(duration: float, fps: float) -> int:
    """Frames of a clip of `duration` seconds: floor(duration * fps + 0.5), at least 1."""
    return max(1, math.floor(duration * fps + 0.5))


def fit_audio(audio: np.ndarray, sampling_rate: int, num_frames: int, fps: float) -> np.ndarray:
    """Cut `audio` (samples,) or pad it with silence to round(num_frames / fps * sampling_rate) samples."""
    samples = round(num_frames / fps * sampling_rate)
    return np.pad(audio[:samples], (0, max(0, samples - len(audio)))).astype(np.float32)
