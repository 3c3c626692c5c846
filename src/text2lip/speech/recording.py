"""The user's own recording: its sound, and when which of its words is said, if they are known."""

import warnings
from typing import Any

from text2lip.speech.alignment import AlignmentError
from text2lip.speech.alignment.coverage import AlignmentWarning
from text2lip.speech.audio import read_audio, to_mono
from text2lip.speech.forced_alignment import align
from text2lip.speech.recogniser import DETECTED, Recogniser, recognise
from text2lip.speech.timings.formats import read_timeline
from text2lip.speech.utterance import Speech
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short
from text2lip.text.timing import Timeline


def hear_recording(
    audio: Any,
    sampling_rate: int | None = None,
    *,
    text: str | None = None,
    timings: Any = None,
    language: str = DETECTED,
    recogniser: Recogniser = "auto",
) -> Speech:
    """Read a recording, and find the times of what is said in it.

    Times are those of `timings`, else those of `text` aligned to the sound, else of what the recogniser hears. Where
    none of them tells, the timeline has its length alone, and no phones.

    Args:
        audio: see [`read_audio`].
        sampling_rate (`int`, *optional*): of an array, Hz.
        text (`str`, *optional*): what is said, word for word.
        timings (*optional*): see [`read_timeline`].
        language (`str`): language code; without a text the default is looked for by the recogniser.
        recogniser: see [`find_recogniser`].

    Returns:
        `Speech`: the sound as it is, with its channels and rate; `times_from` says how its times were found.

    Raises:
        ValueError: see [`read_audio`], [`align`], [`read_timeline`] and [`find_recogniser`].
        ImportError: a recogniser is named that is not installed.

    Warns:
        AlignmentWarning: see [`align`]; or what was recognised doesn't fit the sound, and is not used.
    """
    sound, rate = read_audio(audio, sampling_rate)
    seconds = sound.shape[-1] / rate
    if timings is not None:
        return Speech(sound, rate, read_timeline(timings, language=language).pad(seconds), "timings")
    if text is not None:
        return Speech(sound, rate, align(sound, rate, text, language), "alignment")
    language = language if language == DETECTED else resolve_language(language)
    heard = recognise(to_mono(sound), rate, language, recogniser)
    if heard is not None and heard.text.strip():
        try:
            return Speech(sound, rate, align(sound, rate, heard.text, heard.language), "recognition")
        except (AlignmentError, ValueError) as error:
            warnings.warn(
                f"audio: {in_short(heard.text)!r} was recognised, but can't be aligned ({error}) The lips follow the "
                "sound alone; give the text.",
                AlignmentWarning,
                stacklevel=2,
            )
    return Speech(sound, rate, Timeline([], [], seconds), "sound")
