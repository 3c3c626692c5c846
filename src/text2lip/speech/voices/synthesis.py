"""Speak a text of any length, sentence by sentence, with exact pauses."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from text2lip.speech.audio import resample
from text2lip.speech.loudness import SPEECH_LOUDNESS, at_loudness, check_loudness, without_clicks
from text2lip.speech.utterance import Speech, join, silence
from text2lip.speech.voices.own import speech_of
from text2lip.speech.voices.protocol import SilentTextError, Synthesizer, check_language, check_rate, clean_text
from text2lip.speech.voices.registry import get_synthesizer
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short
from text2lip.text.ssml import to_pieces
from text2lip.text.timing import Segment
from text2lip.text.traced import as_written


# set by hand
SENTENCE_PAUSE = 0.32  # seconds at speaking_rate 1, after . ! ? …
CLAUSE_PAUSE = 0.15  # after , ; : and dashes
_CLOSING_MARKS = "\"'”’»)]}"
_FULL_STOPS = frozenset(".!?…。！？؟।۔")
_COMMAS = frozenset(",;:—–，、；：،؛")


def synthesize(
    text,
    voice="default",
    language: str = "en-us",
    speaking_rate: float = 1.0,
    loudness: float | None = SPEECH_LOUDNESS,
) -> Speech:
    """Speak a text of up to `protocol.MAX_CHARACTERS` characters.

    Every sentence is synthesised on its own, so memory and time grow linearly and the same sentence always sounds
    the same; between them lies exact silence, shorter when the pace is faster.

    Args:
        text (`str` or `list[Piece]`): plain text, SSML (starts with `<speak`), or pieces from `text2lip.text.ssml`.
        voice (`str`, `Synthesizer` or `Callable`): see `get_synthesizer`.
        language (`str`): language code; pieces with a language of their own keep it.
        speaking_rate (`float`): pace in [0.5, 2.5].
        loudness (`float`, *optional*): LUFS, from -60 to 0, of what is said in each language, all of it
            together; None for that of the voice.

    Returns:
        `Speech`: float32 mono with phones and words; words are as the user wrote them, with their span in `text` (see
            [`Word`]): "5 km" is one of them.

    Raises:
        ValueError: unknown voice or language, one that the voice doesn't speak, text empty or too long, a rate or
            loudness out of range; `SilentTextError` when there is nothing to say and no pause to keep.
    """
    synthesizer = get_synthesizer(voice)
    rate = check_rate(speaking_rate)
    loudness = loudness if loudness is None else check_loudness(loudness)
    parts = _parts(synthesizer, text, language, rate)
    if loudness is not None:
        lead, *spoken = parts
        parts = [lead, *_levelled(spoken, loudness)]
    return join(_with_pauses(parts, text))


def speak_parts(text: str, voice="default", language: str = "en-us") -> Iterator[Speech]:
    """What [`synthesize`] joins, sentences and the silences between them, one by one and as loud as the voice is."""
    return _with_pauses(_parts(get_synthesizer(voice), text, language, 1.0), text)


def _parts(synthesizer: Synthesizer, text, language: str, rate: float) -> Iterable["_Part"]:
    if isinstance(text, str):
        clean_text(text)  # refuses one that is too long
    return _speak_all(synthesizer, to_pieces(text, language), language, rate)


class _Part(NamedTuple):
    """What is said, in which language, and the seconds of silence after it: negative ones are those of punctuation.
    Without speech it's the silence before all."""

    speech: Speech | None
    language: str
    pause: float


def _speak_all(synthesizer: Synthesizer, pieces: list, language: str, rate: float) -> Iterator[_Part]:
    """The silence before all, then each part that sounds, as soon as the pause after it is known."""
    part = _Part(None, language, 0.0)
    for piece in pieces:
        if piece.pause:
            part = part._replace(pause=max(0.0, part.pause) + piece.pause)
            continue
        try:
            spoken = _speak(synthesizer, piece, language, check_rate(rate * piece.rate))
        except SilentTextError:
            continue
        yield part
        pause = -_natural_pause(piece.text) / (rate * piece.rate)
        part = _Part(_as_written(spoken, piece), piece.language or language, pause)
    yield part._replace(pause=max(0.0, part.pause))


def _with_pauses(parts: Iterable[_Part], text) -> Iterator[Speech]:
    """Sound and silence in turn, all at the rate of the first: another language's voice may have another."""
    sampling_rate = None
    for speech, _, pause in parts:
        if speech is None:
            lead = pause
            continue
        if sampling_rate is None:
            sampling_rate = speech.sampling_rate
            if lead:
                yield silence(lead, sampling_rate)
        audio = without_clicks(resample(speech.audio, speech.sampling_rate, sampling_rate), sampling_rate)
        yield Speech(audio, sampling_rate, speech.timeline)
        if pause:
            yield silence(abs(pause), sampling_rate)
    if sampling_rate is None:
        if not lead:
            raise SilentTextError(f"text: nothing in {in_short(str(text))!r} can be spoken; give at least one word.")
        yield silence(lead, 22_050)


def _levelled(parts: list[_Part], loudness: float) -> list[_Part]:
    """One gain for each language and sampling rate, which another voice may speak."""
    kinds = [(language, speech.sampling_rate) for speech, language, _ in parts]
    loud = list(parts)
    for kind in dict.fromkeys(kinds):
        which = [i for i, other in enumerate(kinds) if other == kind]
        pieces = [
            piece for i in which for piece in (parts[i].speech.audio, silence(abs(parts[i].pause), kind[1]).audio)
        ]
        for i, audio in zip(which, at_loudness(pieces, kind[1], loudness)[::2]):
            loud[i] = parts[i]._replace(speech=replace(parts[i].speech, audio=audio))
    return loud


def _natural_pause(text: str) -> float:
    """Seconds of silence that the punctuation at the end of `text` asks for."""
    last = text.rstrip().rstrip(_CLOSING_MARKS)[-1:]
    return SENTENCE_PAUSE if last in _FULL_STOPS else CLAUSE_PAUSE if last in _COMMAS else 0.0


def _speak(synthesizer: Synthesizer, piece, language: str, speaking_rate: float) -> Speech:
    language = piece.language or language
    _check_speaks(synthesizer, language)
    asked = {"language": language, "speaking_rate": speaking_rate}
    if piece.phonemes and hasattr(synthesizer, "speak_phones"):
        speech = speech_of(synthesizer.speak_phones(piece.phonemes, **asked), synthesizer.name, piece.text, language)
        sounding = [phone for phone in speech.timeline.phones if phone.label]
        # IPA carries no spelling: all of it is one word, as written
        words = [Segment(piece.text.strip() or piece.phonemes, sounding[0].start, sounding[-1].end)]
        return replace(speech, timeline=replace(speech.timeline, words=words))
    return speech_of(synthesizer(piece.text, **asked), synthesizer.name, piece.text, language)


def _check_speaks(synthesizer: Synthesizer, language: str) -> None:
    """Refuse another language than those of the voice; their first parts count, it may know better itself."""
    if synthesizer.languages is not None:
        code = resolve_language(language)
        if code.split("-")[0] not in {resolve_language(known).split("-")[0] for known in synthesizer.languages}:
            check_language(synthesizer.name, language, sorted(synthesizer.languages))


def _as_written(speech: Speech, piece) -> Speech:
    """With the words as the user wrote them."""
    words = as_written(speech.timeline.words, piece.text, piece.written)
    return replace(speech, timeline=replace(speech.timeline, words=words))
