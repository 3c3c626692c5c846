"""What is said: sound, and the times of its phones and words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from text2lip.memory import Growing, room
from text2lip.text.timing import Segment, Timed, Timeline, Turn, append_phone


@dataclass(frozen=True)
class Speech:
    """Sound and its times, or times alone: `Speech(None, None, timeline)`.

    Attributes:
        audio (`np.ndarray`, *optional*): float32 in [-1, 1], (samples,); a recording may have (channels, samples).
            What a voice says is mono and as long as its timeline.
        sampling_rate (`int`, *optional*): samples per second; None without sound.
        timeline (`Timeline`): phones (IPA, gapless, "" is silence) and words; no phones where nobody knows what is
            said.
        times_from (`str`): what the times come from: "voice", "prediction" (of a text that nobody speaks), "timings",
            "alignment" (a recording with its text), "recognition" (one without), or "sound": its length is all that
            is known.
    """

    audio: np.ndarray | None
    sampling_rate: int | None
    timeline: Timeline
    times_from: str = "voice"

    @property
    def duration(self) -> float:
        """Seconds of sound, else of the timeline."""
        return self.timeline.duration if self.audio is None else self.audio.shape[-1] / self.sampling_rate

    def without_sound(self) -> "Speech":
        """The times alone."""
        return replace(self, audio=None, sampling_rate=None)

    def part_of(self, speaker: str) -> "Speech":
        """What `speaker` says, silence where others do, see [`Timeline.part_of`]."""
        timeline, audio = self.timeline.part_of(speaker), self.audio
        if audio is not None:
            audio = room(audio.shape, audio.dtype)
            for turn in self.timeline.turns:
                if turn.speaker == speaker:
                    said = slice(round(turn.start * self.sampling_rate), round(turn.end * self.sampling_rate))
                    audio[..., said] = self.audio[..., said]
        return replace(self, audio=audio, timeline=timeline)


def silence(seconds: float, sampling_rate: int) -> Speech:
    """Exact silence, rounded to a sample."""
    samples = round(seconds * sampling_rate)
    duration = samples / sampling_rate
    return Speech(np.zeros(samples, np.float32), sampling_rate, Timeline.from_phones([("", 0.0, duration)]))


def surround(speech: Speech, lead: float, tail: float) -> Speech:
    """The same with so many seconds of silence before and after it."""
    return join([silence(lead, speech.sampling_rate), speech, silence(tail, speech.sampling_rate)])


def join(parts: Iterable[Speech]) -> Speech:
    """Put parts of one sampling rate, else a ValueError, after one another; neighbouring silences become one phone.

    Parts that come one by one are not kept.
    """
    sound, times = Growing(1), JoinedTimes()  # joining arrays at the end would need the memory twice
    for piece in times.sounds(parts):
        sound.append(piece)
    timeline = times.timeline()
    return Speech(sound.array()[:, 0], times.sampling_rate, timeline)


class JoinedTimes:
    """The times of parts of one sampling rate after one another, none of which is kept."""

    sampling_rate: int | None = None

    def __init__(self):
        self._phones: list[Segment] = []
        self._words: list[Segment] = []
        self._turns: list[Turn] = []
        self._samples = 0

    def sounds(self, parts: Iterable[Speech]) -> Iterator[np.ndarray]:
        """Pass their sound on, float32 (samples,) each, and take their times.

        Raises:
            ValueError: a part of another sampling rate.
        """
        for part in parts:
            rate = self.sampling_rate = self.sampling_rate or part.sampling_rate
            if part.sampling_rate != rate:
                raise ValueError(f"parts: got sampling rates {sorted({rate, part.sampling_rate})}; wants one rate.")
            start = self._samples / rate
            for phone in part.timeline.phones:
                append_phone(self._phones, phone.label, start + phone.start, start + phone.end)
            self._words += shifted(part.timeline.words, start)
            self._turns += shifted(part.timeline.turns, start)
            self._samples += len(part.audio)
            yield part.audio.astype(np.float32, copy=False)

    def timeline(self) -> Timeline:
        """Those of all that [`sounds`] has passed on.

        Raises:
            ValueError: there was none.
        """
        if not self.sampling_rate:
            raise ValueError("parts: got none; wants one or more parts of one sampling rate.")
        duration = self._samples / self.sampling_rate
        if self._phones:
            self._phones[-1] = self._phones[-1]._replace(end=duration)  # sums of seconds are off in the last bit
        return replace(Timeline.from_phones(self._phones, self._words, duration), turns=tuple(self._turns))


def trimmed(speech: Speech, margin: float) -> Speech:
    """From `margin` seconds before its first sounding phone to as much after its last one, as far as there is sound.

    What sounds nowhere is returned as it is.
    """
    timeline, rate = speech.timeline, speech.sampling_rate
    sounding = [phone for phone in timeline.phones if phone.label]
    if not sounding:
        return speech
    first, last = max(0.0, sounding[0].start - margin), min(timeline.duration, sounding[-1].end + margin)
    begin, end = round(first * rate), round(last * rate)
    start, duration = begin / rate, (end - begin) / rate
    phones, words = (
        [one._replace(start=max(0.0, one.start), end=min(one.end, duration)) for one in shifted(segments, -start)]
        for segments in (sounding, timeline.words)
    )
    return Speech(speech.audio[..., begin:end], rate, Timeline.from_phones(phones, words, duration))


def shifted(segments: Iterable[Timed], seconds: float) -> list[Timed]:
    """The same, that much later."""
    return [one._replace(start=one.start + seconds, end=one.end + seconds) for one in segments]
