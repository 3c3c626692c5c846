"""English read without espeak-ng: the reader of `hibari-tts` (Apache-2.0), in IPA."""

import functools
from collections.abc import Iterable


# letters of its alphabet (that of Kokoro's reader, misaki) -> IPA; all others are IPA, marks or punctuation
READER_TO_IPA = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "S": "ʃ", "T": "ɾ", "W": "aʊ", "Y": "ɔɪ", "ᵊ": "ə",
    "ʤ": "dʒ", "ʧ": "tʃ", "ʣ": "dz", "ʥ": "dʑ", "ʦ": "ts", "ʨ": "tɕ", "ꭧ": "tʂ",
    "↓": " ", "→": " ", "↗": " ", "↘": " ",
}  # fmt: skip
STRESS_MARKS = "ˈˌ"


@functools.lru_cache(maxsize=2)
def english_reader(british: bool):
    """The package's reader, a second's work to load; an ImportError where the package is missing."""
    try:
        from hibari.g2p import G2P
    except ImportError as error:
        raise ImportError("hibari-tts is missing: `pip install hibari-tts`.") from error
    return G2P(british=british)


def read_english(clause: str, language: str) -> tuple[tuple[str, ...], ...]:
    """IPA phones, stress marks on vowels, of each word as it is said ("5 km" is two), for a code of English."""
    from hibari.g2p.normalize import normalize

    reader = english_reader(not language.startswith("en-us"))
    words, symbols = [], ""
    for token in reader.phonemize_tokens(reader.tokenize(normalize(clause.replace("](", "] (")))):
        symbols += token.phonemes or ""
        if token.whitespace:
            words.append(_phones(symbols))
            symbols = ""
    return tuple(word for word in (*words, _phones(symbols)) if word)


def _phones(symbols: Iterable[str]) -> tuple[str, ...]:
    phones, stress = [], ""
    for symbol in symbols:
        if symbol in STRESS_MARKS:
            stress = symbol
        elif symbol == "ː" and phones:
            phones[-1] += symbol
        elif symbol.isalpha():
            phones.append(stress + READER_TO_IPA.get(symbol, symbol))
            stress = ""
    return tuple(phones)
