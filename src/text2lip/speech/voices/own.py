"""A voice of the user's own: a plain function or an object, and what it gives made into speech with exact times."""

import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from text2lip.speech.alignment.best_effort import best_times
from text2lip.speech.alignment.silences import end_with_the_sound
from text2lip.speech.alignment.words import words_from_reference
from text2lip.speech.audio import read_audio, to_mono
from text2lip.speech.utterance import Speech
from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.hibari import HibariSynthesizer
from text2lip.speech.voices.protocol import Synthesizer, check_rate
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short
from text2lip.text.timing import Timeline, check_unit, share_times


OPTIONS = ("language", "speaking_rate")


class FunctionSynthesizer:
    """A function `f(text)` or `f(text, language=..., speaking_rate=...)`, either of them or both, as a voice.

    It returns (audio, sampling rate), or a dictionary of both as a pipeline of transformers does, or the path of a
    sound file, whose times are found by forced alignment; or a [`Speech`]. Without a parameter `language` it is taken
    to speak the language that is asked for.
    """

    languages = None

    def __init__(self, function: Callable):
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self._missing = _missing_options(function)

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Any:
        """What the function gives for `text`, see [`speech_of`].

        Raises:
            ValueError: a rate other than 1 for a function that knows none.
        """
        if check_rate(speaking_rate) != 1 and "speaking_rate" in self._missing:
            raise ValueError(
                f"speaking_rate: {speaking_rate}, but voice {self.name!r} knows none; give its function a parameter "
                "`speaking_rate`, or leave it at 1."
            )
        asked = {"language": language, "speaking_rate": speaking_rate}
        return self.function(text, **{name: asked[name] for name in OPTIONS if name not in self._missing})


def own_voice(voice: Any, names: str) -> Synthesizer:
    """An object as a voice: itself if it has all that a [`Synthesizer`] has, a function wrapped.

    Raises:
        ValueError: it can't be called, or lacks some of it; `names` are the voices that there are.
    """
    kind = type(voice).__name__
    if isinstance(voice, type):
        raise ValueError(f"voice: got the class {voice.__name__}; give one of its objects: {voice.__name__}().")
    if not callable(voice):
        raise ValueError(
            f"voice: got {kind}; wants a name ({names}), a function of the text that returns (audio, sampling rate), "
            "or a Synthesizer."
        )
    missing = [member for member in ("name", "languages") if not hasattr(voice, member)]
    if len(missing) == 2:
        return FunctionSynthesizer(voice)
    missing += _missing_options(voice)
    if missing:
        raise ValueError(
            f"voice: {kind} has no {', '.join(missing)}; a Synthesizer has name, languages and a call with (text, *, "
            "language, speaking_rate), a plain function needs none of them."
        )
    languages = voice.languages
    listed = isinstance(languages, (list, tuple, set, frozenset)) and languages
    if languages is not None and not (listed and all(isinstance(code, str) for code in languages)):
        raise ValueError(f"voice: languages of {voice.name!r} is {languages!r}; wants a list of codes, None for all.")
    return voice


def _missing_options(function: Callable) -> list[str]:
    """Which of `OPTIONS` can't be given to it by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C
        return list(OPTIONS)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return []
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    known = {parameter.name for parameter in parameters if parameter.kind in by_name}
    return [name for name in OPTIONS if name not in known]


def speech_of(given: Any, name: str, text: str, language: str) -> Speech:
    """What a voice of that name gave for a text, as float32 mono with times that end with the sound.

    Sound as [`read_audio`] takes it becomes mono; (phone, start, end) tuples become segments; missing words are found
    by the phones, missing phones by forced alignment.

    Raises:
        ValueError: no sound, silence or sound that can't be used, or times that are none, or longer than the sound.
    """
    timeline = None
    if isinstance(given, Speech) and given.audio is not None:
        audio, rate, timeline = given.audio, given.sampling_rate, given.timeline
    elif isinstance(given, dict) and {"audio", "sampling_rate"} <= set(given):
        audio, rate = given["audio"], given["sampling_rate"]
    elif isinstance(given, (str, os.PathLike)):
        audio, rate = given, None
    elif isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]):
        audio, rate = given
    else:
        found = "no sound" if isinstance(given, Speech) else type(given).__name__
        found = f"a tuple of {', '.join(type(item).__name__ for item in given)}" if found == "tuple" else found
        raise ValueError(f"voice: {name!r} gave {found}; wants (audio, sampling rate), or a Speech with sound.")
    try:
        audio, rate = read_audio(audio, rate)
    except ValueError as error:
        raise ValueError(f"voice: the sound of {name!r} {str(error).removeprefix('audio: ')}") from error
    audio = to_mono(audio)
    try:
        if timeline is not None:
            timeline = Timeline.from_phones(timeline.phones, timeline.words, len(audio) / rate)
            check_unit(timeline.phones, stated=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"voice: the times of {name!r} can't be used: {error}") from error
    if timeline is not None and any(phone.label for phone in timeline.phones):
        if timeline.words:
            return Speech(audio, rate, timeline)
        words = words_from_reference(timeline.phones, timed_speech(text, language).timeline)
        return Speech(audio, rate, replace(timeline, words=words))
    spoken = timed_speech(text, language)
    if not audio.any():
        raise ValueError(f"voice: the sound of {name!r} is silent, where it should say {in_short(text, 40)!r}.")
    speech = end_with_the_sound(Speech(audio, rate, best_times(audio, rate, spoken, resolve_language(language))))
    return replace(speech, timeline=replace(speech.timeline, words=share_times(speech.timeline.words)))


def timed_speech(text: str, language: str) -> Speech:
    """A text said by a voice that knows its times, by Hibari where it is English."""
    if resolve_language(language) in HibariSynthesizer.languages:
        return HibariSynthesizer()(text, language=language)
    return EspeakSynthesizer()(text, language=language)
