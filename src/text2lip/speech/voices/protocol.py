"""The interface of every voice: text in, sound and exact phone times out."""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from text2lip.speech.utterance import Speech
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short


MAX_CHARACTERS = 100_000
RATE_RANGE = (0.5, 2.5)


class SilentTextError(ValueError):
    """The text holds nothing that can be spoken (no letter, digit or symbol with a name)."""


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
        """Speak `text` (one sentence is best).

        Args:
            text (`str`): plain text; control characters count as spaces.
            language (`str`): language code, one of `languages` or an alias.
            speaking_rate (`float`): pace in [0.5, 2.5]; 1.0 is the voice's own.

        Returns:
            `Speech`: mono sound with the times of its phones (IPA) and words.

        Raises:
            ValueError: a language that the voice doesn't speak, a rate out of range, text that is too long;
                `SilentTextError` when there is nothing to say.
        """


def silent_text(text: str, language: str) -> SilentTextError:
    """The error of a voice that finds nothing to say in `text`."""
    return SilentTextError(f"text: nothing in {in_short(text)!r} can be spoken in {language}; give at least one word.")


def check_language(voice: str, language: str, languages: Sequence[str]) -> str:
    """espeak's code of a language; a `ValueError` if it isn't one of `languages`, those of the voice of that name."""
    code = resolve_language(language)
    if code not in languages:
        raise ValueError(
            f"language: voice {voice!r} doesn't speak {code!r}, only {', '.join(languages)}; "
            "use voice='espeak' or 'default'."
        )
    return code


def clean_text(text: str) -> str:
    """Replace NUL, other control characters (line breaks and tabs stay) and lone surrogates by a space, one for one; a
    ValueError for what is no string or longer than `MAX_CHARACTERS`."""
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
    """`speaking_rate` as a float; a ValueError if it is no number in `RATE_RANGE`."""
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
