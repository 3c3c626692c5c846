"""Choose a voice; speak a text of any length, sentence by sentence, with exact pauses."""

import re
from collections.abc import Iterable

from ..text import ssml
from .base import SilentTextError, Speech, Synthesizer, check_rate, clean_text, join, silence


SENTENCE_PAUSE = 0.32  # seconds at speaking_rate 1, after . ! ? …
CLAUSE_PAUSE = 0.15  # after , ; : and dashes
_CLOSERS = "\"'”’»)]}"
_SENTENCE_END = frozenset(".!?…。！？؟।۔")
_CLAUSE_END = frozenset(",;:—–，、；：،؛")


def get_synthesizer(voice="default") -> Synthesizer:
    """Return a voice.

    Args:
        voice (`str` or `Synthesizer`): a name from `list_voices()`, or an object that is a `Synthesizer`, which is
            returned as it is.

    Raises:
        ValueError: no such voice.
        ImportError: the voice's package is not installed; the message has the pip line.
    """
    if not isinstance(voice, str):
        if callable(voice) and hasattr(voice, "languages"):
            return voice
        raise ValueError(f"voice: got {type(voice).__name__}; wants a name ({_names()}) or a Synthesizer.")
    family, separator, rest = re.match(r"([^+:-]*)([+:-]?)(.*)", voice, re.DOTALL).groups()
    if family in ("default", "espeak") and (not separator or (family == "espeak" and separator == "+" and rest)):
        from .espeak import EspeakSynthesizer

        return EspeakSynthesizer(variant=rest or None)
    raise ValueError(f"voice: no voice {voice!r}; choose one of: {_names()}.")


def list_voices() -> dict[str, str]:
    """Voice name -> what it is."""
    return {
        "default": "the best voice that is installed for the language",
        "espeak": "espeak-ng: every language, exact times, a machine's voice; variants: espeak+f3, espeak+m7, ...",
    }


def _names() -> str:
    return ", ".join(list_voices())


def synthesize(text, voice="default", language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
    """Speak a text of up to `base.MAX_CHARACTERS` characters.

    Every sentence is synthesised on its own, so memory and time grow linearly and the same sentence always sounds
    the same; between them lies exact silence, shorter when the pace is faster.

    Args:
        text (`str` or `list[Piece]`): plain text, SSML (starts with `<speak`), or pieces from `text2lip.text.ssml`.
        voice (`str` or `Synthesizer`): see `get_synthesizer`.
        language (`str`): language code; pieces with a language of their own keep it.
        speaking_rate (`float`): pace in [0.5, 2.5].

    Returns:
        `Speech`: float32 mono with phones and words; words are written as in the (normalised) text.

    Raises:
        ValueError: unknown voice or language, text empty or too long, a rate out of range; `SilentTextError` when
            there is nothing to say and no pause to keep.
    """
    synthesizer = get_synthesizer(voice)
    rate = check_rate(speaking_rate)
    pieces = _pieces(text, language)
    parts: list[Speech] = []
    pauses: list[float] = []  # pauses[i] follows parts[i]; the pause before the first part is lead
    lead = 0.0
    for piece in pieces:
        if piece.pause:
            if pauses:
                pauses[-1] = piece.pause if pauses[-1] < 0 else pauses[-1] + piece.pause
            else:
                lead += piece.pause
            continue
        try:
            spoken = _speak(synthesizer, piece, language, check_rate(rate * piece.rate))
        except SilentTextError:
            continue
        parts.append(spoken)
        pauses.append(-_natural_pause(piece.text) / (rate * piece.rate))
    if not parts:
        if lead:
            return silence(lead, 22_050)
        raise SilentTextError(f"text: nothing in {str(text)[:60]!r} can be spoken; give at least one word.")
    pauses[-1] = max(0.0, pauses[-1])
    sampling_rate = parts[0].sampling_rate
    pieces_and_gaps = [silence(lead, sampling_rate)] if lead else []
    for part, pause in zip(parts, pauses):
        pieces_and_gaps.append(_at_rate(part, sampling_rate))
        if pause:
            pieces_and_gaps.append(silence(abs(pause), sampling_rate))
    return join(pieces_and_gaps)


def _natural_pause(text: str) -> float:
    """Seconds of silence that the punctuation at the end of `text` asks for."""
    last = text.rstrip().rstrip(_CLOSERS)[-1:]
    return SENTENCE_PAUSE if last in _SENTENCE_END else CLAUSE_PAUSE if last in _CLAUSE_END else 0.0


def _speak(synthesizer: Synthesizer, piece, language: str, speaking_rate: float) -> Speech:
    language = piece.language or language
    if piece.phonemes and hasattr(synthesizer, "speak_phones"):
        return synthesizer.speak_phones(piece.phonemes, language=language, speaking_rate=speaking_rate)
    return synthesizer(piece.text, language=language, speaking_rate=speaking_rate)


def _at_rate(speech: Speech, sampling_rate: int) -> Speech:
    """A piece of another voice (the language changed), at the rate of the first."""
    if speech.sampling_rate == sampling_rate:
        return speech
    from .audio import resample

    audio = resample(speech.audio, speech.sampling_rate, sampling_rate)
    return Speech(audio, sampling_rate, speech.timeline)


def _pieces(text, language: str) -> Iterable:
    """Text, SSML or pieces -> pieces."""
    if not isinstance(text, str):
        return list(text)
    clean = clean_text(text)
    return ssml.parse_ssml(text, language) if ssml.is_ssml(text) else ssml.plain_pieces(clean, language)
