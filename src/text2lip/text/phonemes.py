"""Text to IPA phones, word by word, behind one small interface (G2P: grapheme to phoneme)."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import NamedTuple

from text2lip.text.english_reader import read_english
from text2lip.text.espeak_library import espeak_is_installed, espeak_phonemes
from text2lip.text.languages import ENGLISH_CODES, resolve_language
from text2lip.text.readers import SpelledWord, spelled_words
from text2lip.text.sentences import split_clauses
from text2lip.text.visemes import LETTER_CLASS, spelling_error, split_phone


MAX_CLAUSE = 300  # characters; longer stretches without punctuation are cut at a space
_SILENT = ".,;:!?…\"'“”‘’«»‹›„‚()[]{}<>—–-¡¿·。、，！？；：「」『』（）《》|~_*`\\/"
_TOKEN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\s\u3400-\u9fff\U00020000-\U0003ffff]+")
_LANGUAGE_FLAG = re.compile(r"\([a-z]{2,}[0-9]*(?:-[A-Za-z0-9]+)*\)")
_DIGRAPHS = {
    "tʃ", "dʒ", "ts", "dz", "tɕ", "dʑ", "tʂ", "dʐ", "aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "əʊ", "ɪə", "eə", "ʊə", "ɔʏ", "ɔø",
}  # fmt: skip
_STRESS = "ˈˌ'"
GRUUT_LANGUAGES = {
    "en": "en-us", "de": "de-de", "es": "es-es", "fr": "fr-fr", "it": "it-it", "nl": "nl", "pt": "pt",
    "ru": "ru-ru", "sv": "sv-se", "sw": "sw", "cs": "cs-cz", "ar": "ar", "fa": "fa", "lb": "lb",
}  # fmt: skip


class PhonemeWord(NamedTuple):
    """A spoken word: as written, its IPA phones, and where it stands in the text: `text[span[0]:span[1]]`."""

    word: str
    phones: list[str]
    span: tuple[int, int]


class G2P:
    """Text to phones by an engine, whose words are matched to the text here.

    Args:
        language (`str`): the engine's code.
        read (`Callable`): gives phones of each word, in order and with stress marks, for a clause and a language.
        stress (`bool`): keep the stress marks ˈ ˌ before vowels.
        spell (`Callable`): gives the words of a text in a spelling that `read` knows, or None where it needs none.
    """

    def __init__(
        self,
        language: str,
        read: Callable[[str, str], Sequence[Sequence[str]]],
        stress: bool,
        spell: Callable[[str, str], list[SpelledWord] | None] = lambda text, language: None,
    ):
        self.language, self.read, self.stress, self.spell = language, read, stress, spell

    def _read(self, clause: str) -> list[list[str]]:
        return [list(word) for word in self.read(clause, self.language)]

    def __call__(self, text: str) -> list[PhonemeWord]:
        """Phones of a text in the order spoken.

        Args:
            text (`str`): any text; NUL, control characters and lone surrogates count as spaces.

        Returns:
            `list[PhonemeWord]`: words that have a sound. Every phone belongs to exactly one word; where the engine
            runs words together ("in the" -> ɪnðə) they are parted by comparing with the words said alone.

        Raises:
            ValueError: `text` is not a string.
        """
        if not isinstance(text, str):
            raise ValueError(f"text: wants a string, got {type(text).__name__}.")
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in text)
        spelled = self.spell(text, self.language)
        words = []
        for clause in split_clauses(text):
            if spelled is not None:
                inside = [bare(word, text) for word in spelled if clause.start <= word.start < clause.end]
                words += self._words(text, inside, " ".join(word.spelling for word in inside))
                continue
            for start, end in _pieces(text, clause.start, clause.end):
                tokens = [SpelledWord(a, b, text[a:b]) for a, b in _tokens(text, start, end)]
                words += self._words(text, tokens, text[start:end].strip())
        return words

    def _words(self, text: str, words: list[SpelledWord], clause: str) -> list[PhonemeWord]:
        if any(word.phones for word in words):
            parted = [parse_ipa(word.phones) if word.phones else _flat(self._read(word.spelling)) for word in words]
        else:
            spoken = [phones for phones in self._read(clause) if phones]
            if not words or not spoken:
                return []
            spellings = [word.spelling for word in words]
            parted = _match(spoken, [_flat(self._read(spelling)) for spelling in spellings], spellings)
        return [
            PhonemeWord(text[a:b], phones if self.stress else [p.lstrip(_STRESS) for p in phones], (a, b))
            for (a, b, *_), phones in zip(words, parted)
            if phones
        ]


def get_g2p(name: str = "espeak", language: str = "en-us", stress: bool = False) -> G2P:
    """Make a G2P engine, thread-safe.

    Args:
        name (`str`): "espeak" (by phonemizer, about 140 languages; GPL-3 at run time), "hibari" (Apache-2.0, English),
            which also reads English in the place of "espeak" where that is not installed, or "gruut" (MIT, few
            languages, of which all but English are extras of its package).
        language (`str`): code, alias or English name.
        stress (`bool`): keep the stress marks ˈ ˌ before vowels.

    Raises:
        ValueError: unknown engine, a language that it lacks or whose data is not installed.
        ImportError: the engine's package is missing.
    """
    if name in ("espeak", "hibari"):
        code = resolve_language(language)
        if code in ENGLISH_CODES and (name == "hibari" or not espeak_is_installed()):
            return G2P(code, _english_words, stress)
        if name == "hibari":
            raise ValueError(f"language: g2p 'hibari' reads English, not {language!r}; use g2p='espeak'.")
        return G2P(code, _espeak_words, stress, spelled_words)
    if name == "gruut":
        return G2P(_gruut_language(language), _gruut_words, stress)
    raise ValueError(f"g2p: {name!r} is unknown; wants one of ['espeak', 'hibari', 'gruut'].")


def parse_ipa(ipa: str) -> list[str]:
    """Cut a string of IPA ("həˈloʊ t͡ʃ") into phones; letters keep the marks behind them, diphthongs stay whole.

    Spaces, dots, hyphens and stress marks may stand between phones, and are left out. A ValueError for no sound.
    """
    phones: list[str] = []
    glue, fresh = False, True
    for char in unicodedata.normalize("NFC", ipa):
        if char in "͜͡":
            glue = True
            continue
        if char.isspace() or char in ".-|_/[]‿" + _STRESS:
            fresh = True
        elif unicodedata.category(char) in ("Mn", "Lm", "Sk", "Nd", "No") and phones and not fresh:
            phones[-1] += char
        elif split_phone(char) != [("", 1.0)]:
            if glue or (not fresh and phones[-1] + char in _DIGRAPHS):
                phones[-1] += char
            else:
                phones.append(char)
            fresh = False
        glue = False
    if error := spelling_error(ipa):
        raise ValueError(f"phonemes: {ipa!r} {error}.")
    return phones


_english_words = lru_cache(maxsize=4096)(read_english)


@lru_cache(maxsize=4096)
def _espeak_words(clause: str, language: str) -> tuple[tuple[str, ...], ...]:
    line = _LANGUAGE_FLAG.sub("_", espeak_phonemes(clause, language).replace("\n", " "))
    return tuple(_whole(re.split(r"[_-]+", word)) for word in line.split())


def _gruut_language(language: str) -> str:
    try:
        import gruut
    except ImportError as error:
        raise ImportError("gruut is missing: `pip install gruut`.") from error
    code = language.replace("_", "-").lower()
    known = {"en-gb": "en-gb"}.get(code) or GRUUT_LANGUAGES.get(code.split("-")[0])
    if known is None:
        raise ValueError(f"language: gruut lacks {language!r}; it has {sorted(GRUUT_LANGUAGES)}. Use g2p='espeak'.")
    if not gruut.is_language_supported(known) or find_spec(f"gruut_lang_{known[:2]}") is None:
        raise ValueError(f"language: gruut's data for {known!r} is missing: `pip install gruut[{known[:2]}]`.")
    return known


@lru_cache(maxsize=4096)
def _gruut_words(clause: str, language: str) -> tuple[tuple[str, ...], ...]:
    from gruut import sentences

    found = sentences(clause, lang=language)
    return tuple(_whole([p for p in word.phonemes or () if p not in "|‖"]) for s in found for word in s)


def _whole(phones: list[str]) -> tuple[str, ...]:
    """Join tone digits and lone marks to the phone before them, drop what has no sound."""
    joined: list[str] = []
    for phone in phones:
        bare = phone.lstrip(_STRESS)
        if bare == "ʲ" or split_phone(bare) == [("", 1.0)]:
            if joined:
                joined[-1] += bare
        else:
            joined.append(phone)
    return tuple(joined)


def _pieces(text: str, start: int, end: int):
    """Cut a clause without punctuation at spaces into pieces of at most MAX_CLAUSE characters."""
    while end - start > MAX_CLAUSE:
        cut = text.rfind(" ", start, start + MAX_CLAUSE)
        cut = start + MAX_CLAUSE if cut <= start else cut
        yield start, cut
        start = cut
    yield start, end


def _tokens(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the written words: runs without spaces (each Han character alone), outer punctuation left off."""
    spans = []
    for found in _TOKEN.finditer(text, start, end):
        token = found.group()
        left = len(token) - len(token.lstrip(_SILENT))
        bare = token.strip(_SILENT)
        if bare:
            spans.append((found.start() + left, found.start() + left + len(bare)))
    return spans


def bare(word: SpelledWord, text: str) -> SpelledWord:
    """A word of a text without its outer punctuation."""
    written = text[word.start : word.end]
    left = len(written) - len(written.lstrip(_SILENT))
    end = word.start + left + len(written.strip(_SILENT))
    return SpelledWord(word.start + left, end, word.spelling.strip(_SILENT), word.phones)


def _flat(words: list[list[str]]) -> list[str]:
    return [phone for word in words for phone in word]


def _match(spoken: list[list[str]], alone: list[list[str]], tokens: list[str]) -> list[list[str]]:
    """Deal the phones of a clause out to its written words, given each word's phones when said alone."""
    plain = all(token.replace("'", "").replace("’", "").isalpha() for token in tokens)
    if plain and len(spoken) == len(tokens) and all(_alike(a, b) for a, b in zip(spoken, alone)):
        return spoken
    context = _flat(spoken)
    owners = [k for k, phones in enumerate(alone) for _ in phones]
    if not owners:
        return [context] + [[] for _ in tokens[1:]]
    parted: list[list[str]] = [[] for _ in tokens]
    for phone, i in zip(context, _align(context, _flat(alone))):
        parted[owners[i]].append(phone)
    return parted


def _alike(a: list[str], b: list[str]) -> bool:
    return abs(len(a) - len(b)) <= 1 and bool({_key(p) for p in a} & {_key(p) for p in b})


@lru_cache(maxsize=4096)
def _key(phone: str) -> str:
    return "".join(letter for letter, _ in split_phone(phone.lstrip(_STRESS)))


def _align(context: list[str], alone: list[str]) -> list[int]:
    """Edit-distance alignment: for each phone of `context` the index of its partner in `alone` (monotone)."""
    a, b = [_key(p) for p in context], [_key(p) for p in alone]
    vowel_a, vowel_b = ([LETTER_CLASS[k[0]] == "vowel" for k in keys] for keys in (a, b))
    gap = 0.7
    rows = [[gap * j for j in range(len(b) + 1)]]
    for i, x in enumerate(a):
        above, row = rows[-1], [gap * (i + 1)]
        for j, y in enumerate(b):
            swap = 0.0 if x == y else (0.4 if vowel_a[i] == vowel_b[j] else 1.0)
            row.append(min(above[j] + swap, above[j + 1] + gap, row[j] + gap))
        rows.append(row)
    partner, i, j = [0] * len(a), len(a), len(b)
    while i > 0:
        if j > 0 and rows[i][j] == rows[i][j - 1] + gap:
            j -= 1
            continue
        i -= 1
        partner[i] = max(j - 1, 0)
        if j > 0 and rows[i + 1][j] != rows[i][j] + gap:
            j -= 1
    return partner
