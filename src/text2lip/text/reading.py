"""Reading: what is spoken, as phones with times and the words that they belong to, from a text or from a timeline."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from text2lip.text.nominal_durations import EDGE_SECONDS, nominal_durations, pause_seconds
from text2lip.text.phonemes import PhonemeWord, get_g2p, parse_ipa
from text2lip.text.sentences import in_short, split_clauses
from text2lip.text.ssml import Piece, to_pieces
from text2lip.text.timing import Segment, Timeline, Word
from text2lip.text.traced import as_written


@dataclass
class Reading:
    """Phones and words of one clip.

    Attributes:
        phones (`list[Segment]`): gapless from 0 s, silence is "".
        words (`list[str]`): in spoken order.
        phone_spans (`list[tuple[int, int]]`): first and one-past-last phone of each word.
        char_spans (`list[tuple[int, int] | None]`): where each word stands in `text`, None where it does not.
        text (`str`, *optional*): as the user wrote it; None where there were phones alone.
    """

    phones: list[Segment] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    phone_spans: list[tuple[int, int]] = field(default_factory=list)
    char_spans: list[tuple[int, int] | None] = field(default_factory=list)
    text: str | None = None

    @classmethod
    def from_text(cls, text: str | Sequence[Piece], language: str, g2p: str = "espeak") -> "Reading":
        """Phones of a text, read by `g2p` (see [`get_g2p`]), with nominal times; arguments and errors as
        [`VisemeTokenizer.timeline`]."""
        pieces = to_pieces(text, language)
        reading = cls(text=text if isinstance(text, str) else " ".join(piece.text for piece in pieces if piece.text))
        clock = EDGE_SECONDS[0]
        for piece in pieces:
            if piece.text:
                clock = _append(reading, piece, clock, piece.language or language, g2p)
            clock += piece.pause
        if not reading.words:
            short = in_short(reading.text, 40)
            raise ValueError(f"text: nothing to say in {short!r}; wants at least one word or number.")
        duration = reading.phones[-1].end + EDGE_SECONDS[1]
        reading.phones = Timeline.from_phones(reading.phones, duration=duration).phones
        spoken = [i for i, phone in enumerate(reading.phones) if phone.label]  # silences have moved the indices
        reading.phone_spans = [(spoken[a], spoken[b - 1] + 1) for a, b in reading.phone_spans]
        return reading

    @classmethod
    def from_timeline(cls, timeline: Timeline, text: str | None = None) -> "Reading":
        """Phones as they are; a word owns the spoken phones whose middle lies within its time.

        Args:
            timeline (`Timeline`): phones and words.
            text (`str`, *optional*): where to look for the words.

        Raises:
            ValueError: there are no phones.
        """
        if not timeline.phones:
            raise ValueError("phones: the timeline holds no phones and has no length.")
        reading = cls(list(timeline.phones), text=text)
        middles = np.array([(phone.start + phone.end) / 2 for phone in timeline.phones])
        cursor = 0
        for word in timeline.words:
            first, last = np.searchsorted(middles, [word.start, word.end])
            while first < last and not timeline.phones[first].label:
                first += 1
            while first < last and not timeline.phones[last - 1].label:
                last -= 1
            place = text.find(word.label, cursor) if text is not None else -1
            cursor = place + len(word.label) if place >= 0 else cursor
            reading.words.append(word.label)
            reading.phone_spans.append((int(first), int(last)))
            span = getattr(word, "span", None)
            reading.char_spans.append(span or ((place, cursor) if place >= 0 else None))
        return reading

    def timeline(self) -> Timeline:
        """Its phones and words on one clock."""
        spans = zip(self.words, self.phone_spans)
        words = [
            Word(word, self.phones[a].start, self.phones[b - 1].end, span)
            for (word, (a, b)), span in zip(spans, self.char_spans)
        ]
        return Timeline(self.phones, words, self.phones[-1].end)


def _append(reading: Reading, piece: Piece, clock: float, language: str, g2p: str) -> float:
    """Append the words of a piece from `clock` on; returns when they and their pauses are over."""
    if piece.phonemes:
        words = [PhonemeWord(piece.text, parse_ipa(piece.phonemes), (0, len(piece.text)))]
        clauses = [(0, len(piece.text), "")]
    else:
        words = get_g2p(g2p, language, stress=True)(piece.text)
        clauses = split_clauses(piece.text)
    starts = [word.span[0] for word in words]
    placed = []  # words and their first and one-past-last phones
    for start, end, mark in clauses:
        inside = words[bisect_left(starts, start) : bisect_left(starts, end)]
        pause = pause_seconds(mark) / piece.rate
        final = pause > 0 or end == clauses[-1][1]
        for word, seconds in zip(inside, nominal_durations([w.phones for w in inside], final, piece.rate)):
            first = len(reading.phones)
            for phone, length in zip(word.phones, seconds):
                reading.phones.append(Segment(phone, clock, clock + length))
                clock += length
            placed.append(Word(word.word, first, len(reading.phones), word.span if not piece.written else None))
        clock += pause if inside else 0.0
    for word in as_written(placed, piece.text, piece.written):
        reading.words.append(word.label)
        reading.phone_spans.append((word.start, word.end))
        reading.char_spans.append(word.span)
    return clock
