"""Durations of a neural voice's input tokens -> phones and words with times."""

import bisect
import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from text2lip.speech.base import Speech
from text2lip.text.timing import Segment, Timeline
from text2lip.text.visemes import split_phone


STRESS = frozenset("ˈˌ'")
QUIET = 0.003  # root mean square of 10 ms
SHORTEST_QUIET = 0.08  # seconds
SHORTEST_SILENCE = 0.03  # seconds; a shorter space or full stop goes to the sound after it


def phones_from_tokens(tokens: Iterable[tuple[str, float]]) -> list[Segment]:
    """Turn (token, seconds) into phones.

    A token is a character of IPA, a space, a punctuation mark or a pad. The token of a space holds the start of the
    next word (measured against an aligner: onsets are 62 ms late otherwise), so its time goes to the phone after it,
    as do stress marks'; length marks and diacritics join the phone before them; punctuation and pads are silence.

    Args:
        tokens (`Iterable[tuple[str, float]]`): in order, durations in seconds, not negative.

    Returns:
        `list[Segment]`: gapless phones, stress marks kept in front of vowels, silence is "".
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
            _silence(phones, waiting, end)
            waiting = end
        clock = end
    if clock > waiting:
        _silence(phones, waiting, clock)
    return [phone for phone in phones if phone.end > phone.start]


def _silence(phones: list[Segment], start: float, end: float) -> None:
    if phones and not phones[-1].label:
        phones[-1] = phones[-1]._replace(end=end)
    else:
        phones.append(Segment("", start, end))


def _is_mark(token: str) -> bool:
    return len(token) == 1 and unicodedata.category(token) in ("Mn", "Lm", "Sk") and token not in STRESS


def _is_sound(token: str) -> bool:
    return any(c.isalpha() for c in token) and not _is_mark(token) and any(letter for letter, _ in split_phone(token))


def end_with_the_sound(speech: Speech) -> Speech:
    """End a phone where its sound ends, and let silence follow.

    Models and aligners stretch the last phone before a pause over the quiet after it, which would hold the mouth open.
    A phone with `SHORTEST_QUIET` or more below -50 dB at its end is cut there (closures of stops are shorter).
    """
    frame = speech.sampling_rate // 100
    count = len(speech.audio) // frame
    power = np.mean(speech.audio[: count * frame].reshape(count, frame) ** 2, axis=1, dtype=np.float64)
    loud = np.flatnonzero(power > QUIET**2)
    phones: list[Segment] = []
    for phone in speech.timeline.phones:
        if phone.label:
            first, last = np.searchsorted(loud, [int(phone.start * 100), int(np.ceil(phone.end * 100))])
            end = min(phone.end, (loud[last - 1] + 1) / 100) if last > first else phone.end
            if phone.end - end >= SHORTEST_QUIET:
                phone = phone._replace(end=max(end, phone.start + 0.02))
            phones.append(phone)
    ends = [phone.end for phone in phones]
    starts = [phone.start for phone in phones]
    words = []
    for word in speech.timeline.words:
        index = bisect.bisect_left(starts, word.end - 1e-6) - 1
        words.append(word._replace(end=max(word.start, min(word.end, ends[index]))) if index >= 0 else word)
    return replace(speech, timeline=Timeline.from_phones(phones, words, speech.timeline.duration))


def words_from_reference(phones: Sequence[Segment], spoken: Timeline) -> list[Segment]:
    """Words of timed phones, found by comparing with the same text spoken by a voice that knows its words.

    Args:
        phones (`Sequence[Segment]`): timed phones of the text.
        spoken (`Timeline`): the text with other times; gives the spelling of each word.
    """
    from text2lip.speech.alignment import phones_of_words

    known = [
        (letter, index) for index, letters in _letters_of_words(spoken, phones_of_words(spoken)) for letter in letters
    ]
    found = [(letter, i) for i, phone in enumerate(phones) for letter, _ in split_phone(phone.label) if letter]
    owners: list[int | None] = [None] * len(phones)
    matcher = difflib.SequenceMatcher(None, [k for k, _ in known], [f for f, _ in found], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        for offset in range(size):
            owners[found[b + offset][1]] = known[a + offset][1]
    last = None
    spans: dict[int, list[float]] = {}
    for phone, owner in zip(phones, owners):
        last = owner if owner is not None else last
        if last is None or not phone.label:
            continue
        span = spans.setdefault(last, [phone.start, phone.end])
        span[1] = max(span[1], phone.end)
    return [Segment(spoken.words[index].label, *spans[index]) for index in sorted(spans)]


def _letters_of_words(spoken: Timeline, phones_of_words: list[list[int]]) -> list[tuple[int, list[str]]]:
    labels = [phone.label for phone in spoken.phones if phone.label]
    return [
        (index, [letter for i in inside for letter, _ in split_phone(labels[i]) if letter])
        for index, inside in enumerate(phones_of_words)
    ]
