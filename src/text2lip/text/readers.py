"""Readers: texts that espeak-ng can't read alone, spelled so that it can, by packages that are used where installed.

Japanese becomes kana (`haqumei`, Apache-2.0), Arabic gets its vowel marks (`dengjen-tashkeel-py`, MIT or Apache-2.0),
Thai its phones (`pythainlp` and `thaiphon`, Apache-2.0, with the lexicon `thaiphon-data-volubilis`, CC BY-SA).
A word keeps its place in the text, so that times and subtitles carry the user's own spelling.
"""

import functools
import re
import threading
import unicodedata
import warnings
from collections.abc import Callable
from typing import NamedTuple


MARKED = 0.25  # vowel marks per letter from which on Arabic is read as written
PACKAGES = {"ja": "haqumei", "ar": "dengjen-tashkeel-py", "th": "thaiphon thaiphon-data-volubilis pythainlp"}
_ARABIC_LETTERS, _ARABIC_MARKS = re.compile("[\u0621-\u064a]"), re.compile("[\u064b-\u0652\u0670]")
_THAI = re.compile("[\u0e01-\u0e4e]+")
_HEBREW = re.compile("[\u05d0-\u05ea]{2}")
_INSIDE_NUMBER = re.compile(r"[\d.,]{2}")
_lock = threading.Lock()


class ReadingWarning(UserWarning):
    """A text is read badly, for want of a reader or of who says it."""


class SpelledWord(NamedTuple):
    """A word with its punctuation: `text[start:end]` of the user's text is read as `spelling`, or is said as the IPA
    `phones`."""

    start: int
    end: int
    spelling: str
    phones: str = ""


class Respelling(NamedTuple):
    """What is read in place of a text; the word at `tokens[i]`, (start, end), of it is at `places[i]` of the text."""

    text: str
    tokens: list[tuple[int, int]]
    places: list[tuple[int, int]]


def respell(text: str, language: str, spell_phones: Callable[[str], str] = str) -> Respelling | None:
    """The spelling of a text that espeak-ng reads right; None where it reads the text itself.

    Args:
        text (`str`): one sentence is best.
        language (`str`): espeak-ng's code.
        spell_phones (`Callable`): IPA -> what espeak-ng reads for it.

    Raises, warns: as [`spelled_words`].
    """
    words = spelled_words(text, language)
    if words is None:
        return None
    spoken, tokens = "", []
    for word in words:
        spelling = spell_phones(word.phones) if word.phones else word.spelling
        tokens.append((len(spoken), len(spoken) + len(spelling)))
        spoken += spelling + " "
    return Respelling(spoken, tokens, [(word.start, word.end) for word in words])


def spelled_words(text: str, language: str) -> list[SpelledWord] | None:
    """Every word of a text with its spelling, arguments as [`respell`]; None where it needs none.

    Warns:
        ReadingWarning: Arabic or Hebrew would be read without its vowels, or Thai by its letters.
    """
    if text.isascii():
        return None
    if language == "ja":
        reader = _haqumei()
        return _kana(text, reader) if reader else None
    if language == "ar":
        letters = len(_ARABIC_LETTERS.findall(text))
        if letters < 2 or len(_ARABIC_MARKS.findall(text)) >= MARKED * letters:
            return None
        reader = _tashkeel()
        if reader:
            return _vowelled(text, reader)
        what = "Arabic without vowel marks is read without most of its vowels; write them, or"
        warnings.warn(f"text: {what}: pip install {PACKAGES['ar']}", ReadingWarning, stacklevel=2)
    if language == "th" and _THAI.search(text):
        reader = _thaiphon()
        if reader:
            return _thai_words(text, *reader)
        what = "Thai is misread without a reader"
        warnings.warn(f"text: {what}: pip install {PACKAGES['th']}", ReadingWarning, stacklevel=2)
    if language == "he" and _HEBREW.search(text):
        what = "Hebrew is read without most of its vowels; no reader of it is known here."
        warnings.warn(f"text: {what}", ReadingWarning, stacklevel=2)
    return None


def _kana(text: str, reader) -> list[SpelledWord]:
    """Japanese by accent phrases, "今日は" as "キョー ワ"; unknown words stay as they are."""
    with _lock:
        items = reader.g2p_mapping_detailed(text)
    words: list[SpelledWord] = []
    opening = None  # where a bracket stands that belongs to the word after it
    for item in items:
        start, end = item.char_span
        written = text[start:end]
        read = re.search("[ァ-ヺ]", item.pron)  # else its reading is a pause
        unread = not read and item.is_unknown and any(c.isalnum() for c in written)
        if not read and not unread:
            if not written.strip():
                continue
            if unicodedata.category(written[0]) in ("Ps", "Pi"):
                opening = start if opening is None else opening
            elif words:
                words[-1] = SpelledWord(words[-1].start, end, words[-1].spelling + written)
            continue
        spelling = written if unread else item.pron.replace("’", "")
        joined = item.chain_flag == 1 or _INSIDE_NUMBER.fullmatch(text, max(0, start - 1), start + 1)
        if words and opening is None and joined and words[-1].end == start:
            words[-1] = SpelledWord(words[-1].start, end, f"{words[-1].spelling} {spelling}")
        else:
            words.append(SpelledWord(start if opening is None else opening, end, spelling))
        opening = None
    return words


def _vowelled(text: str, reader) -> list[SpelledWord] | None:
    with _lock:
        marked = reader(text).split()
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    if len(marked) != len(spans):
        return None
    return [SpelledWord(*span, word) for span, word in zip(spans, marked)]


def _thai_words(text: str, cut, read) -> list[SpelledWord]:
    words: list[SpelledWord] = []
    place = 0
    for written in cut(text):
        start, place = place, place + len(written)
        if written == "ๆ" and words:  # the word before it once more
            words.append(SpelledWord(start, place, written, words[-1].phones))
        elif _THAI.match(written):
            with _lock:
                syllables = read(written).best.syllables
            words.append(SpelledWord(start, place, written, "".join(map(_syllable_phones, syllables))))
        elif any(c.isalnum() for c in written):
            words.append(SpelledWord(start, place, written))
        elif words and written.strip():
            words[-1] = words[-1]._replace(end=place)
    return words


def _syllable_phones(syllable) -> str:
    parts = (syllable.onset, syllable.vowel, syllable.coda)
    onset, vowel, coda = ("".join(p.symbol for p in _phonemes(part)) for part in parts)
    return f"{onset}{vowel}{'ː' if syllable.vowel_length.name == 'LONG' else ''}{coda}"


def _phonemes(part) -> tuple:
    """The phonemes of an onset, a vowel or a coda: none, one, or the two of a cluster."""
    return () if part is None else (part,) if hasattr(part, "symbol") else (part.first, part.second)


@functools.lru_cache(maxsize=1)
def _haqumei():
    try:
        from haqumei import Haqumei
    except ImportError:
        return None
    return Haqumei()


@functools.lru_cache(maxsize=1)
def _tashkeel():
    try:
        from dengjen_tashkeel_py import tashkeel
    except (ImportError, RuntimeError):  # the second where it finds no onnxruntime
        return None
    return tashkeel


@functools.lru_cache(maxsize=1)
def _thaiphon():
    """What cuts Thai into words, and what reads one."""
    try:
        import thaiphon_data_volubilis  # noqa: F401  thaiphon finds it itself, and misreads many words without it
        from pythainlp.tokenize import word_tokenize
        from thaiphon import analyze
    except ImportError:
        return None
    return word_tokenize, analyze
