"""Does the transcript fit its recording? What the aligner has accepted, looked at again."""

import numpy as np

from text2lip.speech.alignment.silences import pauses, runs
from text2lip.speech.alignment.words import phones_of_words
from text2lip.speech.features import HOP_SECONDS
from text2lip.text.timing import Timeline


# Measured by examples/benchmarks/transcripts.py on right and wrong transcripts of GRID.
LONGEST_GAP = 0.5  # seconds of unbroken sound without a word
STRETCHED_PHONE = 0.6  # seconds
MOST_LONG, MUCH_LONGER = 0.002, 2.0  # share of phones that warping makes longer in right texts; not so many times
PACE = (0.6, 1.8)  # seconds of sound over the seconds that espeak-ng talks
EVEN = 0.32  # spread of the words' paces, of their logarithms; below it the talker is slow or quick throughout
EVEN_PACE = (0.4, 2.5)  # that of such a talker
DOUBTED = 0.3  # confidence in a word
NAMED = 3  # places that are named
ENOUGH = 5  # words, from which slow talk is told from too short a text


class AlignmentWarning(UserWarning):
    """The sound was aligned, but may say more, less or something else than the text."""


def doubts(energy: np.ndarray, timeline: Timeline, spoken: Timeline, warped: bool = False) -> list[str]:
    """What in an alignment speaks against its text, most telling first, in sentences with places in seconds.

    Args:
        energy (`np.ndarray`): (frames,) dB, of `mfcc` of the recording.
        timeline (`Timeline`): the text aligned to it.
        spoken (`Timeline`): the same text said by espeak-ng.
        warped (`bool`): aligned by time warping, which is off here and there in a long text.
    """
    loud = ~pauses(energy)
    middles = (np.arange(len(loud)) + 0.5) * HOP_SECONDS
    phones = [phone for phone in timeline.phones if phone.label]
    starts, ends = (np.array([getattr(phone, name) for phone in phones]) for name in ("start", "end"))
    owner = np.searchsorted(starts, middles, side="right") - 1
    left = loud & ~((owner >= 0) & (middles < ends[owner]))
    reasons = []
    doubted = [word for word, sure in zip(timeline.words, timeline.confidence) if sure < DOUBTED]
    if doubted:
        named = ", ".join(f"{word.label!r} at {word.start:.1f} s" for word in doubted[:NAMED])
        reasons.append(f"{named}{_more(len(doubted))} can't be heard")
    places = [(start, end) for start, end in runs(left) * HOP_SECONDS if end - start >= LONGEST_GAP - 1e-9]
    if places:
        reasons.append(f"no word of the text is at {_list(places)}, where something sounds")
    sounding = loud.sum() * HOP_SECONDS
    expected = sum(phone.end - phone.start for phone in spoken.phones if phone.label)
    slowest, quickest = _paces(timeline, spoken)
    longest = STRETCHED_PHONE * max(1.0, min(sounding / expected, slowest) if slowest > PACE[1] else 1.0)
    long = [phone for phone in phones if phone.end - phone.start > longest]
    if warped and max((phone.end - phone.start for phone in long), default=0.0) <= MUCH_LONGER * longest:
        long = long if len(long) > MOST_LONG * len(phones) else []
    if long:
        reasons.append(f"a single sound is stretched over {_list([(p.start, p.end) for p in long])}")
    length = f"for a text that takes about {expected:.1f} s, aligned to {_list([(phones[0].start, phones[-1].end)])}"
    if sounding > slowest * expected:
        reasons.append(f"{sounding:.1f} s of sound are long {length}")
    if sounding < quickest * expected:
        reasons.append(f"{sounding:.1f} s of sound are short {length}")
    return reasons


def _paces(timeline: Timeline, spoken: Timeline) -> tuple[float, float]:
    """Seconds of sound for a second of espeak-ng's, at most and at least, by how alike the words' paces are."""
    with_phones = [word for word, phones in zip(spoken.words, phones_of_words(spoken)) if phones]
    if not with_phones or len(with_phones) != len(timeline.words):
        return PACE[1], PACE[0]
    ours, theirs = (np.array([w.end - w.start for w in words]) for words in (timeline.words, with_phones))
    if timeline.confidence:
        sure = np.array(timeline.confidence) >= DOUBTED
        ours, theirs = (ours[sure], theirs[sure]) if sure.any() else (ours, theirs)
    if np.log(np.maximum(ours, HOP_SECONDS / 2) / np.maximum(theirs, HOP_SECONDS / 2)).std() > EVEN:
        return PACE[1], PACE[0]
    return EVEN_PACE[1] if len(ours) >= ENOUGH else PACE[1], EVEN_PACE[0]


def _list(places: list[tuple[float, float]]) -> str:
    return ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in places[:NAMED]) + _more(len(places))


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""
