"""The interface of every voice: text in, sound and exact phone times out."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from text2lip.text.timing import Segment, Timeline


MAX_CHARACTERS = 100_000
RATE_RANGE = (0.5, 2.5)


class SilentTextError(ValueError):
    """The text holds nothing that can be spoken (no letter, digit or symbol with a name)."""


@dataclass(frozen=True)
class Speech:
    """Sound and its times.

    Attributes:
        audio (`np.ndarray`): (samples,) float32 mono in [-1, 1].
        sampling_rate (`int`): samples per second.
        timeline (`Timeline`): phones (IPA, gapless, "" is silence) and words; `timeline.duration` is
            `len(audio) / sampling_rate`.
    """

    audio: np.ndarray
    sampling_rate: int
    timeline: Timeline

    @property
    def duration(self) -> float:
        """Seconds of sound."""
        return len(self.audio) / self.sampling_rate


@runtime_checkable
class Synthesizer(Protocol):
    """A voice. Any object with these members can be passed as `voice`.

    Attributes:
        name (`str`): the name `get_synthesizer` knows it by.
        languages (`list[str]` or `None`): espeak language codes it speaks; `None` means all.

    A voice may also have `speak_phones(phones, *, language, speaking_rate) -> Speech`, which speaks IPA; voices
    without it read the text of an SSML `<phoneme>` instead.
    """

    name: str
    languages: list[str] | None

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text` (one sentence is best) and return its sound with the times of its phones and words."""
        ...


def clean_text(text: str) -> str:
    """Replace NUL, other control characters (line breaks and tabs stay) and lone surrogates by a space, one for one.

    Raises:
        ValueError: `text` is not a string, or longer than `MAX_CHARACTERS`.
    """
    if not isinstance(text, str):
        raise ValueError(f"text: got {type(text).__name__}; wants a string.")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"text: {len(text):,} characters; at most {MAX_CHARACTERS:,} (about 1.5 hours of speech) are spoken in "
            "one call. Split the text, for example by chapter, and call once for each part."
        )
    return "".join(
        " " if (c < " " and c not in "\t\n\r") or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" else c
        for c in text
    )


def check_rate(speaking_rate: float) -> float:
    """Return `speaking_rate` as a float.

    Raises:
        ValueError: not a number in `RATE_RANGE`.
    """
    low, high = RATE_RANGE
    try:
        rate = float(speaking_rate)
    except (TypeError, ValueError):
        rate = math.nan
    if not low <= rate <= high:
        raise ValueError(
            f"speaking_rate: got {speaking_rate!r}; wants a number from {low} to {high} (1.0 is the voice's own pace)."
        )
    return rate


def silence(seconds: float, sampling_rate: int) -> Speech:
    """Exact silence, rounded to a sample."""
    samples = round(seconds * sampling_rate)
    duration = samples / sampling_rate
    return Speech(np.zeros(samples, np.float32), sampling_rate, Timeline.from_phones([("", 0.0, duration)]))


def join(parts: list[Speech]) -> Speech:
    """Put parts of one sampling rate after one another; neighbouring silences become one phone.

    Raises:
        ValueError: no parts, or parts with different sampling rates.
    """
    rates = {part.sampling_rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"parts: got sampling rates {sorted(rates)}; wants one or more parts of one rate.")
    rate = rates.pop()
    phones: list[Segment] = []
    words: list[Segment] = []
    sample = 0
    for part in parts:
        start = sample / rate
        for phone in part.timeline.phones:
            moved = Segment(phone.label, start + phone.start, start + phone.end)
            if phones and not moved.label and not phones[-1].label:
                phones[-1] = phones[-1]._replace(end=moved.end)
            else:
                phones.append(moved)
        words += [Segment(word.label, start + word.start, start + word.end) for word in part.timeline.words]
        sample += len(part.audio)
    duration = sample / rate
    if phones:
        phones[-1] = phones[-1]._replace(end=duration)  # sums of seconds are off in the last bit
    audio = np.concatenate([part.audio for part in parts]).astype(np.float32, copy=False)
    return Speech(audio, rate, Timeline.from_phones(phones, words, duration))
