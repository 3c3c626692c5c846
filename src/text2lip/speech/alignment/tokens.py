"""Durations of a neural voice's input tokens -> phones and words with times."""

import unicodedata
from collections.abc import Iterable

import numpy as np

from text2lip.text.timing import Segment, append_phone
from text2lip.text.visemes import split_phone


STRESS = frozenset("ˈˌ'")
SHORTEST_SILENCE = 0.03  # seconds, by hand; a shorter space or full stop goes to the sound after it


def phones_from_tokens(tokens: Iterable[tuple[str, float]]) -> list[Segment]:
    """Turn (token, seconds) into phones.

    A token is a character of IPA, a space, a punctuation mark or a pad. The token of a space holds the start of the
    next word (measured against an aligner: onsets are 62 ms late otherwise), so its time goes to the phone after it,
    as do stress marks'; length marks and diacritics join the phone before them; punctuation and pads are silence.

    Phones are gapless, stress marks kept in front of vowels.
    """
    phones: list[Segment] = []
    clock = 0.0
    waiting, stress = clock, ""  # time and stress mark that belong to the next phone
    for token, seconds in tokens:
        end = clock + seconds
        if token in STRESS:
            stress = token if token != "'" else "ˈ"
        elif token.isspace() or (seconds < SHORTEST_SILENCE and not _is_sound(token) and not _is_mark(token)):
            pass
        elif _is_mark(token) and phones and phones[-1].label and waiting == clock:
            phones[-1] = Segment(phones[-1].label + token, phones[-1].start, end)
            waiting = end
        elif _is_sound(token):
            phones.append(Segment(stress + token, waiting, end))
            waiting, stress = end, ""
        else:
            append_phone(phones, "", waiting, end)
            waiting = end
        clock = end
    if clock > waiting:
        append_phone(phones, "", waiting, clock)
    return [phone for phone in phones if phone.end > phone.start]


def words_from_tokens(
    items: Iterable[tuple[str, str]], lengths: Iterable[float], phones: list[Segment], lead: float
) -> list[Segment]:
    """Each word from its first phone's start to its last phone's end.

    Args:
        items (`Iterable[tuple[str, str]]`): (token, the word that starts with it, or "").
        lengths (`Iterable[float]`): seconds of each token.
        phones (`list[Segment]`): what [`phones_from_tokens`] made of them.
        lead (`float`): seconds before the first.
    """
    spans: list[list] = []
    clock = lead
    for (token, word), length in zip(items, lengths):
        if word:
            spans.append([word, clock, clock + length])
        elif spans and any(c.isalpha() for c in token):
            spans[-1][2] = clock + length
        clock += length
    starts = np.array([phone.start for phone in phones if phone.label])
    words = []
    for word, start, end in spans:  # a word's first phone has the space before it
        first = starts[max(0, np.searchsorted(starts, start + 1e-6, side="right") - 1)]
        words.append(Segment(word, float(first), end))
    return words


def _is_mark(token: str) -> bool:
    return len(token) == 1 and unicodedata.category(token) in ("Mn", "Lm", "Sk") and token not in STRESS


def _is_sound(token: str) -> bool:
    return any(c.isalpha() for c in token) and not _is_mark(token) and any(letter for letter, _ in split_phone(token))
