"""Subtitles from word times, and what other people's subtitles say: SubRip (.srt) and WebVTT (.vtt)."""

import html
import re
from collections.abc import Iterable
from typing import NamedTuple

from text2lip.text.scripts import UNSPACED
from text2lip.text.sentences import ABBREVIATIONS
from text2lip.text.timing import Segment, Word


# set by hand
LINE_LENGTH = 42  # characters
LINES_AT_ONCE = 2
SHORTEST_CUE, LONGEST_CUE = 1.0, 7.0  # seconds on the screen
CUE_PAUSE = 0.7  # seconds of silence that end a subtitle
SENTENCE_PAUSES = 0.25  # seconds after the full stop of an abbreviation with which it ends a sentence too
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


class Cue(NamedTuple):
    """One subtitle: its lines, when it's shown (seconds), and the words in it, all of one speaker."""

    lines: list[str]
    start: float
    end: float
    words: list[Word]

    @property
    def speaker(self) -> str:
        """Who says it, "" where nobody is named."""
        return self.words[0].speaker


def group_words(words: Iterable[tuple], duration: float = float("inf")) -> list[Cue]:
    """Group words into subtitles of up to 2 lines of 42 characters, shown for 1 to 7 s.

    A subtitle ends with its sentence, before a pause of 0.7 s, where somebody else speaks, and where the next word
    would not fit. It's shown for
    at least 1 s unless the next one comes or the film ends earlier. A single word longer than a line stays whole.

    Words are (word, start s, end s), in order; a [`Word`] may say who speaks. `duration` is that of the film, in
    seconds.

    Raises:
        ValueError: words that are not in order or end before they start.
    """
    words = [
        Word(" ".join(str(word[0]).split()), float(word[1]), float(word[2]), None, getattr(word, "speaker", ""))
        for word in words
    ]
    for before, word in zip([Word("", 0.0, 0.0), *words], words):
        if not before.start <= word.start <= word.end < float("inf"):
            raise ValueError(f"words: {word.label!r} at {word.start}-{word.end} s is out of order; sort the words.")
    groups: list[list[Word]] = []
    for word in (word for word in words if word.label and word.start < duration - 1e-3):
        if groups and _fits(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    cues = []
    for index, group in enumerate(groups):
        following = groups[index + 1][0].start if index + 1 < len(groups) else float("inf")
        end = min(max(group[-1].end, group[0].start + SHORTEST_CUE), max(following, group[-1].end), duration)
        cues.append(Cue(_lines(group), group[0].start, end, group))
    return cues


def to_srt(words: Iterable[tuple], duration: float = float("inf")) -> str:
    """SubRip text of words; "" without words. Arguments and errors as `group_words`.

    Where a speaker is known a subtitle begins with the name: "Ann: Hello."
    """
    blocks = []
    for number, cue in enumerate(group_words(words, duration), 1):
        text = (f"{cue.speaker}: " if cue.speaker else "") + "\n".join(cue.lines)
        blocks.append(f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def to_vtt(words: Iterable[tuple], word_times: bool = False, duration: float = float("inf")) -> str:
    """WebVTT text of words. Where a speaker is known a subtitle begins with `<v Ann>`.

    Args:
        words (`Iterable[tuple]`): in order, see `group_words`.
        word_times (`bool`): put the start of each word into the text (`<00:00:01.000>`), for karaoke display.
        duration (`float`, *optional*): of the film, seconds; no subtitle is shown for longer.
    """
    blocks = ["WEBVTT\n"]
    for cue in group_words(words, duration):
        lines = [_escape(line) for line in cue.lines]
        if word_times:
            lines = [_with_times(cue)]
        if cue.speaker:
            lines[0] = f"<v {_escape(cue.speaker)}>{lines[0]}"
        blocks.append(f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n" + "\n".join(lines) + "\n")
    return "\n".join(blocks)


_CUE_TIMES = re.compile(
    r"^[ \t]*(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?[ \t]*-->"
    r"[ \t]*(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?(?:[ \t][^\n]*)?$",
    re.MULTILINE,
)

_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_TAGS = re.compile(r"</?[a-z][^<>\n]*>|<\d[\d:.]*>|\{(?:\\|[a-z]:)[^{}\n]*\}", re.IGNORECASE)
_ASIDES = re.compile(r"\[[^\[\]\n]*\]|[♩♪♫♬]|^\W*\([^()\n]*\)\W*$")
_WORD_TIME = re.compile(r"<\d[\d:.]+><c[.>]")  # of automatic captions
TURN_DASH = re.compile(r"^\s*[-‐–—]\s*(?=[^\W\d]|[\"'“‘«¿¡(…])|^\s*[-‐–—]\s+")  # no minus sign
LINE_BREAK = re.compile(r"\n|\\N")
_NEXT_NUMBER = re.compile(r"\s*\n[ \t]*\n\s*\d+\s*")  # of the cue that follows one without text
_NEXT_AT_ONCE = re.compile(r"(?<=\S)[ \t]*\n[ \t]*\d+[ \t]*\n\Z")  # without a blank line between


def is_subtitles(text: str) -> bool:
    """Whether a text is a SubRip or WebVTT file: it has a line of times such as 00:00:01,000 --> 00:00:02,500."""
    return "-->" in text and _CUE_TIMES.search(text.replace("\r", "\n")) is not None


class WrittenCue(NamedTuple):
    """One subtitle as it stands in a file: its number there, from 1, when it's shown (seconds), and its lines."""

    number: int
    start: float
    end: float
    body: str


def written_cues(text: str) -> list[WrittenCue]:
    """The subtitles of a SubRip or WebVTT file, in the file's order, their tags kept.

    Numbers count the cues, whatever the file numbers them; one without text counts, but is left out. In captions that
    roll up word by word (`<00:01.500><c> word</c>`) a line that the cue before shows already is left out.

    Raises:
        ValueError: a cue that ends before it starts.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = list(_CUE_TIMES.finditer(text))
    rolled, above = _WORD_TIME.search(text) is not None, set()
    cues = []
    for number, (times, following) in enumerate(zip(found, [*found[1:], None]), 1):
        body = text[times.end() : following.start() if following else len(text)]
        if following and _NEXT_NUMBER.fullmatch(body):
            continue
        body = _NEXT_AT_ONCE.sub("", body) if following else body
        body = _EMPTY_LINE.split(body.lstrip())[0].strip()
        if rolled:
            lines = body.split("\n")
            body = "\n".join(line for line in lines if plain_line(line) not in above)
            above = {plain_line(line) for line in lines}
        groups = times.groups(default="0")
        start, end = _seconds(*groups[:4]), _seconds(*groups[4:])
        if end < start:
            line = plain_line(body)[:40]
            raise ValueError(f"subtitles: the cue {line!r} ends at {end} s, before it starts ({start} s).")
        if body:
            cues.append(WrittenCue(number, start, end, body))
    return cues


def read_cues(text: str) -> list[Segment]:
    """What is said in a SubRip or WebVTT file, and when: (text, start s, end s) of each cue, see [`plain_line`].

    Raises:
        ValueError: a cue that ends before it starts.
    """
    cues = ((" ".join(spoken_lines(cue.body)), cue.start, cue.end) for cue in written_cues(text))
    return [Segment(*cue) for cue in cues if cue[0]]


def spoken_lines(body: str) -> list[str]:
    """The lines of a cue that say something, without their marks and without the dash that begins a turn."""
    lines = (TURN_DASH.sub("", plain_line(line)) for line in LINE_BREAK.split(body))
    return [line for line in lines if line]


def plain_line(line: str) -> str:
    """A line of a cue without tags (`<i>`, `<00:01.500>`, `{\\an8}`), note signs and noises: `[door]`, `(door)`."""
    return " ".join(html.unescape(_ASIDES.sub("", without_tags(line))).split())


def without_tags(line: str) -> str:
    """A line of a cue without what says how and where it's shown: `<i>`, `<00:01.500>`, `{\\an8}`."""
    return _TAGS.sub("", line)


def _seconds(hours: str, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _ends_sentence(label: str, pause: float) -> bool:
    """Whether a word before a pause of so many seconds is the last of its sentence; "Dr." is not."""
    short = label.endswith(".") and label.strip("\"'([“‘.").lower() in ABBREVIATIONS
    return _SENTENCE_END.search(label) is not None and not (short and pause < SENTENCE_PAUSES)


def _fits(group: list[Word], word: Word) -> bool:
    pause = word.start - group[-1].end
    if word.speaker != group[-1].speaker or _ends_sentence(group[-1].label, pause) or pause >= CUE_PAUSE:
        return False
    if word.end - group[0].start > LONGEST_CUE:
        return False
    lines = _lines([*group, word])
    return len(lines) <= LINES_AT_ONCE and all(len(line) <= LINE_LENGTH for line in lines)


def _join(labels: list[str]) -> str:
    """Words with spaces between, none where both sides are of a script without spaces."""
    text = ""
    for label in labels:
        spaced = text and not (UNSPACED.match(label) and (UNSPACED.match(text[-1]) or not text[-1].isalnum()))
        text += (" " if spaced else "") + label
    return text


def _lines(group: list[Segment]) -> list[str]:
    """One line if it fits, else the two lines of most equal length that fit, else greedy lines."""
    labels = [word.label for word in group]
    whole = _join(labels)
    if len(whole) <= LINE_LENGTH:
        return [whole]
    splits = [(_join(labels[:i]), _join(labels[i:])) for i in range(1, len(labels))]
    splits = [pair for pair in splits if max(map(len, pair)) <= LINE_LENGTH]
    if splits:
        return list(min(splits, key=lambda pair: abs(len(pair[0]) - len(pair[1]))))
    lines: list[list[str]] = [[]]
    for label in labels:
        if lines[-1] and len(_join([*lines[-1], label])) > LINE_LENGTH:
            lines.append([])
        lines[-1].append(label)
    return [_join(line) for line in lines]


def _with_times(cue: Cue) -> str:
    parts = [_escape(cue.words[0].label)]
    for word in cue.words[1:]:
        stamp = f"<{_stamp(word.start, '.')}>" if word.start > cue.start else ""
        parts.append(stamp + _escape(word.label))
    return " ".join(parts)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(seconds: float, point: str) -> str:
    """hh:mm:ss,mmm"""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"
