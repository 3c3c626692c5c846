"""A script spoken: each subtitle at its start, at a pace that fits; turn after turn where there are no times."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from text2lip.memory import room
from text2lip.speech.audio import resample
from text2lip.speech.timings.script import Line, Passage
from text2lip.speech.utterance import Speech, shifted, trimmed
from text2lip.speech.voices.protocol import SilentTextError
from text2lip.text.timing import Timeline, Turn


# set by hand
SLOWEST, FASTEST = 0.8, 1.25  # paces that a subtitle is spoken at
FILLED = 0.98  # share of a subtitle's time that its speech aims at; voices don't keep a pace exactly
SAME_PACE = 0.01  # change of pace that isn't worth another try
TRIES = 2  # after the first, at the voice's own pace
LATE = 0.05  # seconds after its start at which a subtitle counts as late
TURN_PAUSE = 0.4  # seconds of silence between two turns, at a pace of 1
SPOKEN_MARGIN = 0.04  # seconds of a voice's sound that are kept before its first phone and after its last one
MAX_HOURS = 2  # of a script; all of its sound stays in memory

Spoken = list[tuple[Line, Speech]]


class LateCueWarning(UserWarning):
    """Subtitles are spoken later than they are shown."""


def speak_script(script: Sequence[Passage], say: Callable[[Line, float], Speech], pace: float = 1.0) -> Speech:
    """Speak all lines of a script.

    A subtitle's first phone is at its start. Its pace is the one from 0.8 to 1.25 at which it lasts as long as it's
    shown, or comes nearest to that. One that is still too long goes on, and what it would overlap begins when it has
    ended: a [`LateCueWarning`] says which, and when. Between them is exact silence.

    Args:
        script (`Sequence[Passage]`): in order; those without times follow each other.
        say (`Callable`): `(line, pace) -> Speech`, with mono sound; may raise `SilentTextError`.
        pace (`float`): of passages without times.

    Returns:
        `Speech`: mono, at the highest rate of its voices; with turns. It lasts until the last subtitle has been shown.

    Raises:
        ValueError: longer than `MAX_HOURS`; `SilentTextError` where nothing can be spoken.
    """
    shown = max((passage.end or 0.0 for passage in script), default=0.0)
    if shown > MAX_HOURS * 3600:
        raise ValueError(
            f"timings: subtitles until {shown / 3600:.1f} h; at most {MAX_HOURS} h are spoken in one call."
        )
    placed: list[tuple[float, Turn, Speech]] = []  # when the sound begins, seconds; whose turn it is; what is said
    clock, late = 0.0, []
    for passage in script:
        at = clock if passage.start is None else max(passage.start, clock)
        spoken, used = _fitted(passage, say, pace, at)
        if spoken and passage.start is not None and at > passage.start + LATE:
            late.append(f"cue {passage.cue} at {at:.2f} s instead of {passage.start:.2f} s")
        for line, speech in spoken:
            first, last = _net(speech)
            begin = max(0.0, at - first)
            end = begin + last
            placed.append(
                (begin, Turn(line.speaker, begin + first, end, line.text, round(used, 3), passage.cue), speech)
            )
            clock, at = end, end + TURN_PAUSE / used
        clock = at if passage.start is None else clock
    if not placed:
        raise SilentTextError("text: nothing in the script can be spoken; give at least one word.")
    if late:
        told = "; ".join(late[:5]) + f"; and {len(late) - 5} more" * (len(late) > 5)
        message = f"timings: even at a pace of {FASTEST} some subtitles are longer than the time until the next one"
        warnings.warn(f"{message}, which then begins later: {told}.", LateCueWarning, stacklevel=3)
    return _on_one_clock(placed, shown)


def _fitted(passage: Passage, say: Callable, pace: float, at: float) -> tuple[Spoken, float]:
    """The lines of a passage that begins at `at`, seconds, and their pace."""
    spoken = _spoken(passage, say, pace)
    if passage.start is None or not spoken:
        return spoken, pace
    room = FILLED * max(passage.end - at, 0.01)
    for _ in range(TRIES):
        length = sum(np.subtract(*_net(speech)[::-1]) for _, speech in spoken) + TURN_PAUSE / pace * (len(spoken) - 1)
        wanted = float(np.clip(pace * length / room, SLOWEST, FASTEST))
        if abs(wanted - pace) < SAME_PACE:
            break
        pace, spoken = wanted, _spoken(passage, say, wanted)
    return spoken, pace


def _spoken(passage: Passage, say: Callable, pace: float) -> Spoken:
    """What of a passage can be spoken."""
    spoken = []
    for line in passage.lines:
        try:
            speech = trimmed(say(line, pace), SPOKEN_MARGIN)
        except SilentTextError:
            continue
        if any(phone.label for phone in speech.timeline.phones):
            words = [word.of(line.speaker, line.offset) for word in speech.timeline.words]
            spoken.append((line, replace(speech, timeline=replace(speech.timeline, words=words))))
    return spoken


def _net(speech: Speech) -> tuple[float, float]:
    """When the first phone that sounds begins and the last one ends, seconds."""
    sounding = [phone for phone in speech.timeline.phones if phone.label]
    return sounding[0].start, sounding[-1].end


def _on_one_clock(placed: list[tuple[float, Turn, Speech]], shown: float) -> Speech:
    """All that is spoken, in a sound that lasts for `shown` seconds or until the last one ends."""
    rate = max(speech.sampling_rate for _, _, speech in placed)
    sounds = [resample(speech.audio, speech.sampling_rate, rate) for _, _, speech in placed]
    starts = [round(begin * rate) for begin, _, _ in placed]
    samples = max([round(shown * rate), *(start + len(sound) for start, sound in zip(starts, sounds))])
    audio = room((samples,))
    phones, words = [], []
    for start, sound, (_, _, speech) in zip(starts, sounds, placed):
        audio[start : start + len(sound)] += sound  # of two breaths that overlap both are heard
        phones += [phone for phone in shifted(speech.timeline.phones, start / rate) if phone.label]
        words += shifted(speech.timeline.words, start / rate)
    timeline = Timeline.from_phones(phones, words, samples / rate)
    return Speech(audio, rate, replace(timeline, turns=tuple(turn for _, turn, _ in placed)))
