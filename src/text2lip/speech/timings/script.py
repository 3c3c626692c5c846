"""A script: who says what, and, where it comes from subtitles, when."""

import re
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from text2lip.speech.timings.subtitles import LINE_BREAK, TURN_DASH, spoken_lines, without_tags, written_cues
from text2lip.text.timing import Turn, Word


_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>\n]*)>|</v>", re.IGNORECASE)  # WebVTT: <v Ann>, <v.loud Ann>


class Line(NamedTuple):
    """What is said in one breath, and by whom; `speaker` is "" where nobody is named.

    `offset` is where `text` begins in a prompt that holds all lines, 0 where each is given by itself.
    """

    speaker: str
    text: str
    offset: int = 0


@dataclass(frozen=True)
class Passage:
    """Lines that follow each other: those of a subtitle, or of a whole dialogue without times.

    Attributes:
        lines (`list[Line]`): in order.
        start, end (`float`, *optional*): seconds, of a subtitle.
        cue (`int`, *optional*): the subtitle's number in its file, from 1.
    """

    lines: list[Line]
    start: float | None = None
    end: float | None = None
    cue: int | None = None


def read_script(timings: Any, speakers: Sequence[str] = ()) -> list[Passage] | None:
    """The script that subtitles are, in the order of their times; None for timings of another kind.

    A cue says who speaks by WebVTT's `<v Ann>`; and, where `speakers` are named, by lines that begin with `Ann:` or
    `[Ann]`, and by dashes: each is the turn of the next one of the speakers. Who is named goes on until another is.

    Args:
        timings: path or text of a SubRip or WebVTT file.
        speakers (`Sequence[str]`, *optional*): names that count at the beginning of a line, in any case.

    Raises:
        ValueError: a file that can't be read, a cue that ends before it starts, no cue that says anything, one of
            somebody who isn't among the `speakers`.
    """
    from text2lip.speech.timings.formats import subtitles_in  # which loads the readers of text

    text = subtitles_in(timings)
    if text is None:
        return None
    casting, script = _Casting(speakers), []
    for cue in sorted(written_cues(text), key=lambda cue: cue.start):
        if lines := casting.lines(cue.body):
            script.append(Passage(lines, cue.start, cue.end, cue.number))
    if not script:
        raise ValueError("timings: no subtitle in it says anything; give at least one word.")
    return script


def turns_in_cues(script: Iterable[Passage]) -> tuple[Turn, ...]:
    """Who speaks when, by the times of subtitles alone: the lines of one share its time by their length."""
    turns, clock = [], 0.0
    for passage in script:
        start, end = max(clock, passage.start), max(clock, passage.end)
        whole = sum(len(line.text) for line in passage.lines)
        for line in passage.lines:
            clock = start + (end - start) * len(line.text) / whole
            turns.append(Turn(line.speaker, start, clock, line.text))
            start = clock
    return tuple(turns)


def turns_of_words(lines: Sequence[Line], words: Iterable[Word]) -> tuple[list[Turn], list[Word]]:
    """Who speaks when, by the times of the words of all lines, in order; and the words, of their speakers.

    The words are those of the lines' texts with a line break between; their spans become those in the prompt.
    """

    def size(text: str) -> int:
        return sum(letter.isalnum() for letter in text)

    ends = list(accumulate(size(line.text) for line in lines))
    begins = [0, *accumulate(len(line.text) + 1 for line in lines)]
    said: list[list[Word]] = [[] for _ in lines]
    at = 0
    for word in words:
        middle, at = at + size(word.label) / 2, at + size(word.label)
        number = min(bisect(ends, middle), len(lines) - 1)
        said[number].append(word.of(lines[number].speaker, lines[number].offset - begins[number]))
    turns = [Turn(line.speaker, own[0].start, own[-1].end, line.text) for line, own in zip(lines, said) if own]
    return turns, [word for own in said for word in own]


class _Casting:
    """Finds out who says each line of a script; where `speakers` are named, whoever spoke last goes on."""

    def __init__(self, speakers: Sequence[str]):
        self.speakers = list(speakers)
        self.known = {name.casefold(): name for name in speakers}
        names = "|".join(re.escape(name) for name in sorted(speakers, key=len, reverse=True)) or "(?!)"
        aside = rf"(?:\[(?!(?:{names})\])[^\[\]\n]*\]|\([^()\n]*\))\s*"  # [laughs] Ann: …
        name = rf"(?:\[({names})\]\s*:?|({names})\s*:)"
        self.named = re.compile(rf"\s*[-‐–—]?\s*(?:{aside})*{name}", re.IGNORECASE)
        self.last = ""

    def lines(self, body: str) -> list[Line]:
        """The turns in the body of a cue; what one speaker says in several lines is one."""
        turns: list[Line] = []
        parts = _VOICE.split(body)  # text, name, text, name, ...; the name is None for </v>
        for name, text in zip(["", *parts[1::2]], parts[::2]):
            if name:
                name = " ".join(name.split())
                if self.speakers and name.casefold() not in self.known:
                    names = ", ".join(self.speakers)
                    raise ValueError(f"timings: {name!r} speaks, but speakers are {names}; add that one.")
                self.last = self.known.get(name.casefold(), name)
            elif not self.speakers:
                self.last = ""
            for line in LINE_BREAK.split(text):
                line, begins = self._cast(without_tags(line))
                said = " ".join(spoken_lines(line))
                if said and turns and turns[-1].speaker == self.last and not begins:
                    turns[-1] = Line(self.last, f"{turns[-1].text} {said}")
                elif said:
                    turns.append(Line(self.last, said))
        return turns

    def _cast(self, line: str) -> tuple[str, bool]:
        """Find out whose turn a line is: the line without the name, and whether a dash begins it."""
        dashed = TURN_DASH.match(line) is not None
        if found := self.named.match(line):
            self.last = self.known[(found[1] or found[2]).casefold()]
            line = line[found.end() :]
        elif dashed and self.speakers:
            after = self.speakers.index(self.last) + 1 if self.last in self.speakers else 0
            self.last = self.speakers[after % len(self.speakers)]
        elif self.speakers and not self.last:
            self.last = self.speakers[0]
        return line, dashed
