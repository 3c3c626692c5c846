"""Which phones belong to which word."""

import bisect
import difflib
from collections.abc import Sequence

from text2lip.text.timing import Segment, Timeline
from text2lip.text.visemes import split_phone


def phones_of_words(timeline: Timeline) -> list[list[int]]:
    """For each word, the indices (among the phones that aren't silence) of the phones whose middle lies in it."""
    middles = [(phone.start + phone.end) / 2 for phone in timeline.phones if phone.label]
    edges = ([bisect.bisect_left(middles, time) for time in (start, end)] for _, start, end in timeline.words)
    return [list(range(first, last)) for first, last in edges]


def words_with_phones(timeline: Timeline) -> list[tuple[str, list[str]]]:
    """Each word of a timeline with the labels of its phones; words without phones are left out."""
    labels = [phone.label for phone in timeline.phones if phone.label]
    pairs = zip(timeline.words, phones_of_words(timeline))
    return [(word.label, [labels[i] for i in inside]) for word, inside in pairs if inside]


def words_from_reference(phones: Sequence[Segment], spoken: Timeline) -> list[Segment]:
    """Words of timed phones, found by comparing with the same text `spoken` by a voice that knows its words."""
    labels = [phone.label for phone in spoken.phones if phone.label]
    spans = enumerate(phones_of_words(spoken))
    known = [(letter, word) for word, span in spans for i in span for letter in _letters(labels[i])]
    timed = [(letter, i) for i, phone in enumerate(phones) for letter in _letters(phone.label)]
    owners: list[int | None] = [None] * len(phones)
    matcher = difflib.SequenceMatcher(None, [k for k, _ in known], [t for t, _ in timed], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        for offset in range(size):
            owners[timed[b + offset][1]] = known[a + offset][1]
    last = None
    times: dict[int, list[float]] = {}
    for phone, owner in zip(phones, owners):
        last = owner if owner is not None else last
        if last is None or not phone.label:
            continue
        span = times.setdefault(last, [phone.start, phone.end])
        span[1] = max(span[1], phone.end)
    return [Segment(spoken.words[index].label, *times[index]) for index in sorted(times)]


def _letters(phone: str) -> list[str]:
    return [letter for letter, _ in split_phone(phone) if letter]
