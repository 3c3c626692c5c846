"""Does the transcript fit its recording? What the aligner has accepted, looked at again."""

import numpy as np

from text2lip.speech.dtw import mfcc, pauses
from text2lip.text.timing import Timeline


FRAME = 0.01  # seconds
# Measured by examples/benchmarks/transcripts.py on right and wrong transcripts of GRID.
LONGEST_GAP = 0.5  # seconds of unbroken sound without a word
LONGEST_PHONE = 0.6  # seconds
PACE = (0.6, 1.8)  # seconds of sound over the seconds that espeak-ng talks


class AlignmentWarning(UserWarning):
    """The sound was aligned, but may say more, less or something else than the text."""


def doubts(samples: np.ndarray, timeline: Timeline, spoken: Timeline) -> list[str]:
    """What in an alignment speaks against its text, most telling first; nothing if all is well.

    Args:
        samples (`np.ndarray`): (samples,) float at 16 kHz, the recording.
        timeline (`Timeline`): the text aligned to it.
        spoken (`Timeline`): the same text said by espeak-ng.

    Returns:
        `list[str]`: sentences without a full stop, with places in seconds.
    """
    loud = ~pauses(mfcc(samples)[1])
    middles = (np.arange(len(loud)) + 0.5) * FRAME
    phones = [phone for phone in timeline.phones if phone.label]
    starts, ends = (np.array([getattr(phone, name) for phone in phones]) for name in ("start", "end"))
    owner = np.searchsorted(starts, middles, side="right") - 1
    left = loud & ~((owner >= 0) & (middles < ends[owner]))
    found = []
    places = [(start, end) for start, end in _runs(left) if end - start >= LONGEST_GAP - 1e-9]
    if places:
        found.append(f"no word of the text is at {_list(places)}, where something sounds")
    long = [phone for phone in phones if phone.end - phone.start > LONGEST_PHONE]
    if long:
        found.append(f"a single sound is stretched over {_list([(p.start, p.end) for p in long])}")
    heard, said = loud.sum() * FRAME, sum(phone.end - phone.start for phone in spoken.phones if phone.label)
    where = _list([(phones[0].start, phones[-1].end)])
    if heard > PACE[1] * said:
        found.append(f"{heard:.1f} s of sound are long for a text that takes about {said:.1f} s, aligned to {where}")
    if heard < PACE[0] * said:
        found.append(f"{heard:.1f} s of sound are short for a text that takes about {said:.1f} s, aligned to {where}")
    return found


def _runs(inside: np.ndarray) -> list[tuple[float, float]]:
    """Start and end, seconds, of the stretches of frames where `inside` is True."""
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False].astype(int)))
    return [(start * FRAME, end * FRAME) for start, end in edges.reshape(-1, 2)]


def _list(places: list[tuple[float, float]], most: int = 3) -> str:
    text = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in places[:most])
    return text + (f" and {len(places) - most} more" if len(places) > most else "")
