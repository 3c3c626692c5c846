"""Where a text pauses: clauses and sentences in any script."""

import re
from typing import NamedTuple


_SHORT = (
    "mr mrs ms dr prof st sr jr vs etc e.g i.e eg ie cf no nr vol fig approx dept est gen gov col capt lt sgt rev hon "
    "mt ave blvd rd inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun "
    "bzw z.b ca usw d.h hr fr m mme mlle sra dra ud uds sig p.ex u.a am pm a.m p.m"
)
ABBREVIATIONS = frozenset(_SHORT.split())
_TITLES = frozenset(["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Gen", "Gov", "Col", "Capt", "Lt", "Sgt", "Rev", "Hon"])
_SENTENCE_MARKS = ".!?…。！？｡．؟۔।॥։።។။‽"
_CLOSERS = "\"'”’»›)\\]」』）》"
_BREAK = re.compile(
    rf"""(?<![.!?…‽])[.!?…‽]++[{_CLOSERS}]*+(?=\s|$)  # Latin, Cyrillic, ...: before a space alone (not 3.14)
      | [。！？｡．؟۔।॥։።។။]+[{_CLOSERS}]*        # scripts that write no space after it
      | [,;:][{_CLOSERS}]*(?=\s|$) | [、，；：､،؛፣၊]
      | \s[-–]+(?=\s) | —+ | […] | \n\s*\n\s*""",
    re.VERBOSE,
)


class Clause(NamedTuple):
    """A stretch of `text[start:end]` said without a pause; `mark` is the punctuation behind it ("" at the end)."""

    start: int
    end: int
    mark: str

    @property
    def ends_sentence(self) -> bool:
        return any(c in _SENTENCE_MARKS for c in self.mark) or "\n" in self.mark


def _is_abbreviation(text: str, start: int, dot: re.Match) -> bool:
    """Whether the full stop found belongs to "Dr." or to an initial such as the J of "J. R. Smith"."""
    if dot.group() != "." or dot.end() >= len(text):
        return False
    words = text[max(start, dot.start() - 40) : dot.start()].split()
    word = words[-1].strip("\"'([“‘") if words else ""
    following = text[dot.end() : dot.end() + 8].lstrip()[:1]
    if word.lower() in ABBREVIATIONS:
        # "etc. and", "Dr. Smith", "No. 5", but "He said no. Then" and "We met in May. It"
        return following.islower() or following.isdigit() or (word[0].isupper() and len(words) < 2) or word in _TITLES
    return len(word) == 1 and word.isupper() and word != "I" and following.isupper()


def split_clauses(text: str) -> list[Clause]:
    """Cut a text where a speaker pauses: at full stops, commas, dashes, blank lines, in any script.

    Decimal points, clock times, common abbreviations and initials don't count. Clauses without anything but spaces are
    left out (their marks are added to the clause before).
    """
    clauses: list[Clause] = []

    def add(start: int, end: int, mark: str):
        if text[start:end].strip():
            clauses.append(Clause(start, end, mark))
        elif clauses:
            clauses[-1] = clauses[-1]._replace(mark=clauses[-1].mark + mark)

    start = 0
    for found in _BREAK.finditer(text):
        if not _is_abbreviation(text, start, found):
            add(start, found.start(), found.group())
            start = found.end()
    add(start, len(text), "")
    return clauses


def in_short(text: str, most: int = 60) -> str:
    """The beginning of a text for a message: at most `most` characters of it, cut between words, and "…" for more."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    start = text[: most + 1]
    return (start.rsplit(" ", 1)[0] if " " in start else text[:most]) + "…"


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text start and end, their punctuation kept, in any script.

    A full stop ends a sentence also before a lower-case letter, where espeak-ng would read on without a pause. There
    are no spaces around sentences, and none where the text has nothing to say.
    """
    clauses = split_clauses(text)
    spans, start = [], clauses[0].start if clauses else 0
    for i, clause in enumerate(clauses):
        last = i + 1 == len(clauses)
        if last or clause.ends_sentence:
            end = len(text) if last else clauses[i + 1].start
            bare = text[start:end].strip()
            start += text[start:end].index(bare)
            if bare:
                spans.append((start, start + len(bare)))
            start = end
    return spans


def split_sentences(text: str) -> list[str]:
    """Cut a text into sentences, see [`sentence_spans`], with single spaces in them."""
    return [" ".join(text[start:end].split()) for start, end in sentence_spans(text)]
