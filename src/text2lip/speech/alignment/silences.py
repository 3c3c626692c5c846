"""Where a recording is silent, and phones that end where their sound does."""

import bisect
from dataclasses import replace

import numpy as np

from text2lip.speech.features import HOP_SECONDS, SAMPLING_RATE
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Segment, Timeline


# set by hand
NOISE_MARGIN = 3.0  # dB by which a room's noise stays within its own floor
SHORTEST_PAUSE = 0.15  # seconds; shorter silences are stop closures
LONGEST_EDGE = 0.25  # seconds; a longer phone beside a pause is looked at again
STOP_CLOSURE = 0.07  # seconds of silence before a stop's burst that belong to the stop
LONGEST_STOP = 0.15
STOPS = tuple("pbtdkɡ")
FRAMES_AT_ONCE = 4096
QUIET = 0.003  # root mean square of 10 ms
SHORTEST_QUIET = 0.08  # seconds
QUIET_BEFORE, QUIET_AFTER = 0.04, 0.06  # seconds that voices leave around their sound


def pauses(energy: np.ndarray) -> np.ndarray:
    """(frames,) bool: frames in a silence of `SHORTEST_PAUSE` or more, or at either end. `energy` in dB."""
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(energy, 5, mode="nearest")
    loud, floor = np.percentile(smooth, [95, 5])
    quiet = smooth < np.clip(floor + 0.3 * (loud - floor), loud - 45, max(loud - 20, floor + NOISE_MARGIN))
    silent = np.zeros(len(energy), bool)
    for start, end in runs(quiet):
        if end - start >= SHORTEST_PAUSE / HOP_SECONDS or start == 0 or end == len(energy):
            silent[start:end] = True
    return silent


def runs(inside: np.ndarray) -> np.ndarray:
    """(n, 2) int: first frame and the one after the last of each stretch where `inside` (frames,) is True."""
    return np.flatnonzero(np.diff(np.r_[False, inside, False].astype(int))).reshape(-1, 2)


def trim_edges(
    phones: list[Segment], words: list[Segment], samples: np.ndarray
) -> tuple[list[Segment], list[Segment]]:
    """Give back to silence what the aligner put into a phone beside it: a stop may swallow a whole pause unheard.

    Phones are the spoken ones, in order, with gaps where it is silent; `samples` (samples,) are at 16 kHz. A phone
    over `LONGEST_EDGE` s beside a gap begins (ends) where the sound does, a stop `STOP_CLOSURE` s before its burst
    and at most `LONGEST_STOP` s before its end.
    """
    hop = int(SAMPLING_RATE * HOP_SECONDS)
    level = np.empty(len(samples) // hop)
    for first in range(0, len(level), FRAMES_AT_ONCE):
        part = level[first : first + FRAMES_AT_ONCE]
        before = samples[first * hop - 1 : first * hop] if first else [0.0]
        piece = samples[first * hop : (first + len(part)) * hop].astype(np.float64)
        sharp = np.diff(piece, prepend=before)  # differences: a hum is no speech
        part[:] = np.sqrt(np.mean(sharp.reshape(-1, hop) ** 2, 1))
    loud = level > 0.1 * np.quantile(level, 0.95)
    phones = list(phones)
    new_times = {}
    for i, (label, start, end) in enumerate(phones):
        sounding = np.flatnonzero(loud[int(start / HOP_SECONDS) : int(end / HOP_SECONDS)])
        if end - start <= LONGEST_EDGE or not len(sounding):
            continue
        first = start + sounding[0] * HOP_SECONDS
        if label.strip("ˈˌ")[:1] in STOPS:
            first = max(first - STOP_CLOSURE, end - LONGEST_STOP)
        last = start + (sounding[-1] + 1) * HOP_SECONDS
        after_gap = i == 0 or phones[i - 1].end < start - HOP_SECONDS / 2
        before_gap = i == len(phones) - 1 or phones[i + 1].start > end + HOP_SECONDS / 2
        phones[i] = Segment(label, max(start, first) if after_gap else start, min(end, last) if before_gap else end)
        new_times |= {start: phones[i].start, end: phones[i].end}
    return phones, [Segment(word, new_times.get(start, start), new_times.get(end, end)) for word, start, end in words]


def end_with_the_sound(speech: Speech) -> Speech:
    """End a phone where its sound ends, and let silence follow.

    Models and aligners stretch the last phone before a pause over the quiet after it, which would hold the mouth open.
    A phone with `SHORTEST_QUIET` or more below -50 dB at its end is cut there (closures of stops are shorter); so is
    the last one before a pause where all of it is quiet, such as the vowel that Japanese drops ("desu").
    """
    frame = speech.sampling_rate // 100
    count = len(speech.audio) // frame
    power = np.mean(speech.audio[: count * frame].reshape(count, frame) ** 2, axis=1, dtype=np.float64)
    loud = np.flatnonzero(power > QUIET**2)
    phones: list[Segment] = []
    following = [*speech.timeline.phones[1:], Segment("", 0.0, 0.0)]
    for phone, after in zip(speech.timeline.phones, following):
        if phone.label:
            first, last = np.searchsorted(loud, [int(phone.start * 100), int(np.ceil(phone.end * 100))])
            unheard = phone.end if after.label else phone.start
            end = min(phone.end, (loud[last - 1] + 1) / 100) if last > first else unheard
            if phone.end - end >= SHORTEST_QUIET:
                phone = phone._replace(end=max(end, phone.start + 0.02))
            phones.append(phone)
    ends = [phone.end for phone in phones]
    starts = [phone.start for phone in phones]
    words = []
    for word in speech.timeline.words:
        index = bisect.bisect_left(starts, word.end - 1e-6) - 1
        words.append(word._replace(end=max(word.start, min(word.end, ends[index]))) if index >= 0 else word)
    return replace(speech, timeline=Timeline.from_phones(phones, words, speech.timeline.duration))
