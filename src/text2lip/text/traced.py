"""A text that is rewritten step by step and still knows where each of its characters stood in the original."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from text2lip.text.scripts import UNSPACED
from text2lip.text.timing import Segment, Word


_SPOKEN = "@#%&*/\\"  # marks with a name


class Written(NamedTuple):
    """A word as its author wrote it: where it is said in the spoken text (`start`, `end`), its spelling, and its span
    in the original, None where that is unknown."""

    start: int
    end: int
    label: str
    span: tuple[int, int] | None


class TracedText:
    """`text`, and for each of its characters the span of the original (`starts`, `ends`) that it stands for."""

    def __init__(self, text: str, starts: np.ndarray | None = None, ends: np.ndarray | None = None):
        self.text = text
        self.starts = np.arange(len(text), dtype=np.int32) if starts is None else starts
        self.ends = self.starts + 1 if ends is None else ends

    def __getitem__(self, where: slice) -> "TracedText":
        return TracedText(self.text[where], self.starts[where], self.ends[where])

    @classmethod
    def join(cls, parts: "Sequence[TracedText]") -> "TracedText":
        """One after another."""
        parts = [*parts, TracedText("")]
        starts, ends = (np.concatenate([getattr(part, name) for part in parts]) for name in ("starts", "ends"))
        return cls("".join(part.text for part in parts), starts, ends)

    def replaced(self, text: str) -> "TracedText":
        """Another text in the place of all of it."""
        low, high = (self.starts[0], self.ends[-1]) if self.text else (0, 0)
        return TracedText(text, np.full(len(text), low, np.int32), np.full(len(text), high, np.int32))

    def sub(self, pattern: str | re.Pattern, replace: str | Callable[[re.Match], str | None]) -> "TracedText":
        """As `re.sub`; None from `replace` leaves a match as it is. What was written by a match's words stays theirs;
        what takes the place of other words stands for all of them."""
        texts, starts, ends, done = [], [], [], 0
        for found in re.finditer(pattern, self.text):
            old = found.group()
            new = replace(found) if callable(replace) else found.expand(replace)
            if new is None or new == old:
                continue
            first, last = found.span()
            texts += [self.text[done:first], new]
            starts.append(self.starts[done:first])
            ends.append(self.ends[done:first])
            for part, values in zip((starts, ends), self._origin(old, new, first, last)):
                part.append(values)
            done = last
        if not texts:
            return self
        starts.append(self.starts[done:])
        ends.append(self.ends[done:])
        return TracedText("".join([*texts, self.text[done:]]), np.concatenate(starts), np.concatenate(ends))

    def _origin(self, old: str, new: str, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        inside = old.find(new) if len(new) < len(old) else 0 if old.casefold() == new.casefold() else -1
        if inside >= 0 and len(new) <= len(old):
            where = slice(first + inside, first + inside + len(new))
            return self.starts[where], self.ends[where]
        head = _common_words(old, new)
        tail = _common_words(old[head:][::-1], new[head:][::-1])
        low, high = first + head, last - tail
        size = len(new) - head - tail
        if low < high:
            span = self.starts[low], self.ends[high - 1]
        else:  # put in between
            span = (self.ends[low - 1] if low else 0,) * 2
        middle = [np.full(size, value, np.int32) for value in span]
        return tuple(
            np.concatenate([edges[first:low], part, edges[high:last]])
            for edges, part in zip((self.starts, self.ends), middle)
        )

    def words(self, original: str, spelling: Callable[[str], str] = str) -> tuple[Written, ...]:
        """What is said, word for word as it was written: "five kilometers" is "5 km"; `spelling` makes labels of parts
        of the original."""
        words: list[list[int]] = []
        opening: list[int] = []  # where a mark begins that stands alone before its word
        for token in re.finditer(r"\S+", self.text):
            cuts = [] if token.group().isascii() else _cuts(token.group(), token.start())
            edges = [token.start(), *cuts, token.end()]
            for start, end in zip(edges, edges[1:]):
                low, high = int(self.starts[start:end].min()), int(self.ends[start:end].max())
                mark = all(unicodedata.category(c)[0] == "P" and c not in _SPOKEN for c in self.text[start:end])
                if mark and unicodedata.category(self.text[start]) in ("Ps", "Pi"):
                    opening = opening or [start, low]
                elif words and (mark or low < words[-1][3]):
                    words[-1][1], words[-1][3] = end, max(high, words[-1][3])
                else:
                    start, low = opening or [start, low]
                    words.append([start, end, low, high])
                    opening = []
        return tuple(
            Written(a, b, " ".join(spelling(original[c:d]).split()), (c, d))
            if c < d
            else Written(a, b, self.text[a:b], None)
            for a, b, c, d in words
        )


def _cuts(token: str, offset: int) -> list[int]:
    """Where words may start within a text of a script without spaces."""
    unspaced = [UNSPACED.match(char) is not None for char in token]
    return [offset + i for i in range(1, len(token)) if unspaced[i] or (unspaced[i - 1] and token[i].isalnum())]


def _common_words(old: str, new: str) -> int:
    """Length of what two texts start with alike, up to the last space in it."""
    size = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    return old[:size].rfind(" ") + 1


def as_written(words: Sequence[Segment], text: str, written: Sequence[Written]) -> list[Word]:
    """Words of a voice or reader, whose labels stand in `text` in this order, as they were written; those that were
    written as one ("5 km") become one, those that do not stand there stay as they are."""
    starts = [word.start for word in written]
    result: list[Word] = []
    cursor, done = 0, -1
    for word in words:
        place = text.find(word.label, cursor)
        if place < 0 or not written:  # a voice that says something else
            result.append(Word(*word))
            continue
        cursor = place + max(1, len(word.label))
        first = max(bisect_right(starts, place) - 1, done, 0)
        last = max(bisect_right(starts, cursor - 1) - 1, first)
        parts = [Word(part.label, word.start, word.end, part.span) for part in written[first : last + 1]]
        if result and first == done:
            parts[0] = result.pop()
        result.append(_joined(parts)._replace(end=word.end))
        done = last
    return result


def _joined(parts: list[Word]) -> Word:
    label = parts[0].label
    for before, word in zip(parts, parts[1:]):
        near = before.span and word.span and before.span[1] == word.span[0]
        label += ("" if near else " ") + word.label
    known = [word.span for word in parts if word.span]
    return parts[0]._replace(label=label, span=(known[0][0], known[-1][1]) if known else None)
