"""Timed labels: what every voice, aligner and timing file hands to the visemes."""

import statistics
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar


LONGEST_PHONE = 4.0  # seconds, in the median; more means that the times are not seconds
LONGEST_NOTE = 30.0  # seconds; the same where there are few phones, or where the times should be seconds
FEW = 5  # phones


class Segment(NamedTuple):
    """A label with its time. `label` is "" for silence among phones; `start` and `end` are seconds."""

    label: str
    start: float
    end: float


class Word(Segment):
    """A spoken word as its author wrote it, `(label, start, end)`, which may be several spoken ones ("5 km").

    Attributes:
        span (`tuple[int, int]`, *optional*): where it stands in the prompt: `prompt[span[0]:span[1]]`. It takes no
            part in comparisons, nor does:
        speaker (`str`): who says it, of a dialogue; "" elsewhere. Where turns are given one by one, `span` is a place
            in the text of the turn.
    """

    def __new__(
        cls, label: str, start: float, end: float, span: tuple[int, int] | None = None, speaker: str = ""
    ) -> "Word":
        word = super().__new__(cls, label, start, end)
        word.span, word.speaker = span, speaker
        return word

    def _replace(self, **changes) -> "Word":
        more = {name: changes.pop(name, getattr(self, name)) for name in ("span", "speaker")}
        return Word(*super()._replace(**changes), **more)

    def of(self, speaker: str, offset: int = 0) -> "Word":
        """The same word, said by `speaker`, its span that many letters further on."""
        span = self.span and (self.span[0] + offset, self.span[1] + offset)
        return self._replace(speaker=speaker, span=span)


class Turn(NamedTuple):
    """What one speaker says without a break.

    Attributes:
        speaker (`str`): name, "" where nobody is named.
        start, end (`float`): seconds.
        text (`str`): as written.
        pace (`float`): at which a voice says it, 1 is the voice's own; 1 where no voice does.
        cue (`int`, *optional*): number of the subtitle that it is of, from 1.
    """

    speaker: str
    start: float
    end: float
    text: str = ""
    pace: float = 1.0
    cue: int | None = None


Timed = TypeVar("Timed", Segment, Turn)


@dataclass(frozen=True)
class Timeline:
    """Phones and words of an utterance on one clock.

    Attributes:
        phones (`list[Segment]`): gapless; the first starts at 0, the last ends at `duration`, silences are "". Empty
            where it isn't known what is said.
        words (`list[Segment]`): spoken words in order as written in the text, see [`Word`]; gaps are pauses.
        duration (`float`): seconds.
        turns (`tuple[Turn, ...]`): who says what, in order; empty but for a script of several turns.
        confidence (`tuple[float, ...]`): that each word is said where it stands, from 0 to 1; empty but for a
            recording that was aligned.
    """

    phones: list[Segment]
    words: list[Segment]
    duration: float
    turns: tuple[Turn, ...] = ()
    confidence: tuple[float, ...] = ()

    @classmethod
    def from_phones(
        cls, phones: Iterable[tuple], words: Iterable[tuple] = (), duration: float | None = None
    ) -> "Timeline":
        """Check the times of `phones`, fill their gaps with silence, and pad or check against `duration`.

        Silences side by side become one: how long a pause is decides whether the lips close.

        Args:
            phones (`Iterable[tuple]`): (IPA phone, start s, end s), ordered; overlaps up to 1 ms are closed.
            words (`Iterable[tuple]`): (word, start s, end s), ordered.
            duration (`float`, *optional*): seconds; defaults to the end of the last phone or word.

        Raises:
            ValueError: a time that is not finite or negative, a segment that ends before it starts or before its
                neighbour ends, or a `duration` shorter than the last phone.
        """
        words = [_word(word) for word in words]
        filled: list[Segment] = []
        clock = 0.0
        for label, start, end in phones:
            start, end = float(start), float(end)
            if not (0 <= start <= end < float("inf")):
                raise ValueError(f"timings: {label!r} runs from {start} to {end} s; wants 0 <= start <= end.")
            if start < clock - 1e-3:
                raise ValueError(
                    f"timings: {label!r} starts at {start:.3f} s, before the phone before it ends ({clock:.3f} s); "
                    "sort the timings and remove overlaps."
                )
            if start > clock + 1e-3:
                append_phone(filled, "", clock, start)
                clock = start
            if end > clock:
                append_phone(filled, str(label), clock, end)
                clock = end
        last = max([clock, *(w.end for w in words)])
        if duration is None:
            duration = last
        elif duration < clock - 1e-3:
            raise ValueError(
                f"timings: the last phone ends at {clock:.3f} s, after the end of the clip ({duration} s)."
            )
        if duration > clock + 1e-9:
            append_phone(filled, "", clock, float(duration))
        elif filled:
            filled[-1] = filled[-1]._replace(end=float(duration))
        return cls(filled, words, float(duration))

    def cut(self, seconds: float) -> "Timeline":
        """The first `seconds` of it, a number over 0; itself where it is not longer. See [`cut_segments`]."""
        if seconds >= self.duration:
            return self
        if not self.phones:
            return replace(self, duration=seconds)
        cut = Timeline.from_phones(cut_segments(self.phones, seconds), cut_segments(self.words, seconds), seconds)
        confidence = self.confidence[: len(cut.words)]
        return replace(cut, turns=tuple(cut_segments(self.turns, seconds)), confidence=confidence)

    def with_turns(self, turns: Iterable[Turn]) -> "Timeline":
        """The same with these turns, and each word said by whose turn its middle is in."""
        turns = tuple(turns)
        speakers = _speakers(self.words, turns)
        words = [_word(word).of(speaker or "") for word, speaker in zip(self.words, speakers)]
        return replace(self, turns=turns, words=words)

    def part_of(self, speaker: str) -> "Timeline":
        """What `speaker` says, silence where others do; as long as all of it, and without turns."""
        theirs = (
            [one for one, found in zip(segments, _speakers(segments, self.turns)) if found == speaker]
            for segments in (self.phones, self.words)
        )
        return Timeline.from_phones(*theirs, self.duration)

    def pad(self, seconds: float) -> "Timeline":
        """The same with silence at its end, so that it lasts `seconds`; itself where it is not shorter."""
        if seconds <= self.duration:
            return self
        if not self.phones:
            return replace(self, duration=seconds)
        spoken = self.phones[:-1] if self.phones and not self.phones[-1].label else self.phones
        padded = Timeline.from_phones(spoken, self.words, seconds)
        return replace(padded, turns=self.turns, confidence=self.confidence)


def _speakers(segments: Iterable[Segment], turns: Sequence[Turn]) -> Iterator[str | None]:
    """In whose turn the middle of each segment is; None for nobody's. Turns are in order."""
    starts = [turn.start for turn in turns]
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        turn = turns[bisect(starts, middle) - 1] if turns and middle >= starts[0] else None
        yield turn.speaker if turn and middle <= turn.end else None


def _word(word: tuple) -> Word:
    label, start, end = word
    return Word(str(label), float(start), float(end), getattr(word, "span", None), getattr(word, "speaker", ""))


def append_phone(phones: list[Segment], label: str, start: float, end: float) -> None:
    """Put a phone after the others; a silence after a silence makes that longer."""
    if not label and phones and not phones[-1].label:
        phones[-1] = phones[-1]._replace(end=end)
    else:
        phones.append(Segment(label, start, end))


def cut_segments(segments: Iterable[Timed], seconds: float) -> list[Timed]:
    """Those of the first `seconds`: one that is going on then ends there, those that begin later are left out."""
    return [one._replace(end=min(one.end, seconds)) for one in segments if one.start < seconds - 1e-9]


def share_times(words: Iterable[Segment]) -> list[Segment]:
    """Give words without length, which an aligner left no frame, a share of the word before (else after) them.

    Words are in order; neighbours share their time by the length of their spelling. Where none has any length, all are
    returned as they came.
    """
    groups: list[list[Segment]] = []
    for word in words:
        if not groups or (word.end > word.start and any(w.end > w.start for w in groups[-1])):
            groups.append([word])
        else:
            groups[-1].append(word)
    shared: list[Segment] = []
    for group in groups:
        _, start, end = next((word for word in group if word.end > word.start), group[0])
        edges = [0, *accumulate(len(word.label) or 1 for word in group)]
        times = [start + (end - start) * edge / edges[-1] for edge in edges]
        shared += [Segment(word.label, *span) for word, span in zip(group, pairwise(times))]
    return shared


def with_spans(words: Iterable[Segment], source: Iterable[Word]) -> list[Word]:
    """Words with the spans of those of `source`, in the same order, that have their labels."""
    source, result, done = list(source), [], 0
    for word in words:
        place = next((i for i in range(done, len(source)) if source[i].label == word.label), None)
        result.append(Word(*word, None if place is None else source[place].span))
        done = done if place is None else place + 1
    return result


def check_unit(phones: Iterable[Segment], stated: bool = False) -> None:
    """Refuse phones whose times can't be seconds.

    Args:
        phones (`Iterable[Segment]`): phones; silence ("") doesn't count.
        stated (`bool`): whether what they come from says that they are seconds, or times them in a unit of its own.

    Raises:
        ValueError: they last `LONGEST_PHONE` or more in the median (`LONGEST_NOTE` where they are fewer than `FEW` or
            `stated`); or, if not `stated`, all are timed in whole seconds, and they are `FEW` or more that last 2 s
            or more in the median, or twice as many that last 1 s.
    """
    phones = [phone for phone in phones if phone.label]
    usual = statistics.median([phone.end - phone.start for phone in phones]) if phones else 0
    many = not stated and len(phones) >= (FEW if usual >= 2 else 2 * FEW)
    whole = many and usual >= 1 and all(phone.start % 1 == phone.end % 1 == 0 for phone in phones)
    if usual < (LONGEST_NOTE if stated or len(phones) < FEW else LONGEST_PHONE) and not whole:
        return
    unit, remedy = next(
        (unit, remedy)
        for most, unit, remedy in (
            (12, "frames", "divide by the frames per second"),
            (500, "milliseconds", "divide by 1000"),
            (20_000, "samples", "divide by the sampling rate"),
            (float("inf"), "HTK's units of 100 ns", "divide by 10,000,000"),
        )
        if usual < most
    )
    raise ValueError(f"timings: a phone lasts {usual:g} s, so these are no seconds but probably {unit}; {remedy}.")
