"""Forced alignment without a model: warp speech of known times (espeak's) onto the recording.

Both signals become mel cepstra; pauses are cut from both, the rest is matched by dynamic time warping inside a band
around the diagonal, and the times of the known phones are carried over. Works for every language espeak speaks.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from text2lip.memory import let_go, room, walk
from text2lip.speech.alignment import GIVE_THE_WORDS, AlignmentError
from text2lip.speech.alignment.silences import pauses
from text2lip.speech.alignment.words import phones_of_words
from text2lip.speech.features import CEPSTRA, HOP, HOP_SECONDS, Cepstra, mfcc
from text2lip.text.timing import Segment, Timeline


LIFTER = np.arange(1, CEPSTRA + 1) ** -0.5  # fine spectral detail is the voice's, not the phone's
# set by hand, but for the last four, which were measured on GRID
NARROWEST_BAND = 60  # frames to either side of the diagonal
WIDEST_BAND = 1_000
BAND = 0.12  # share of the longer signal
MAX_WARPED = 120  # minutes
LONGEST_FINE = 60_000  # frames; longer ones are warped roughly first
MATCHES_AT_ONCE = 10_000
QUARTERS = np.array([1, 4, 16, 64], np.uint8)
FRAMES_IN_ONE = 10  # frames that are one then
DOUBTED_DISTANCE, DOUBTED_ABOVE_USUAL, DISTANCE_SLOPE = 3.4, 1.0, 0.3  # confidence 0.5 in a word, how fast it falls
SQUEEZED = 0.4  # by which half a word's length is 0.28 further away
STRETCHES = 1.0, 0.86, 0.93, 1.08, 1.16  # of the spectrum, tried: no two vocal tracts are of one length
WORTHWHILE = 0.97  # of the cost; what gains less is chance
TRIED = 3_000  # frames by which a stretch is chosen, and by which a text is told from others
SHUFFLES, FEWEST_WORDS = 3, 4  # a text of fewer words is shuffled phone by phone
FEWEST_PHONES = 3  # of fewer there is no order to speak of
# measured on GRID and on voices of four languages: true texts 0.01 to 0.60 (0.84 in noise of 15 dB), others from 0.71
HIGHEST_MISFIT, DOUBTED_MISFIT, MISFIT_SLOPE = 0.78, 0.735, 0.0125  # confidence 0.5, how fast it falls
ROWS_AT_ONCE = 20_000
AT_ONCE, LOOKED_AHEAD = 20_000, 4_000  # frames of a long reference, warped before a path is settled


def align_dtw(
    sound: Callable[[], Iterable[np.ndarray]], reference: Cepstra, spoken: Timeline, duration: float
) -> Timeline:
    """Carry the times of `spoken` over to a recording of the same text that lasts `duration` seconds.

    Args:
        sound (`Callable`): gives the recording at 16 kHz, in pieces (samples,) from the start, as often as it's asked.
        reference ([`Cepstra`]): of the speech whose times are known.
        spoken (`Timeline`): those.
        duration (`float`): seconds of the recording.

    Returns:
        `Timeline`: with a rough confidence in each word: of words that aren't said half are doubted.

    Raises:
        AlignmentError: the recording holds no speech, or matches the text no better than its words in other orders.
    """
    theirs, their_frames = sounding_features(reference)
    ours, our_frames = _likest(sound, theirs)
    if max(len(ours), len(theirs)) * HOP_SECONDS > MAX_WARPED * 60:
        raise ValueError(f"audio: {duration / 60:.0f} minutes; at most {MAX_WARPED} are aligned at once: cut it up.")
    if len(ours) < 5 or len(ours) < len(theirs) / 4:
        raise AlignmentError(f"audio: only {len(ours) * HOP_SECONDS:.2f} s of sound, too little for the text.")
    if max(len(ours), len(theirs)) > LONGEST_FINE:
        rough, _ = warp(averaged(theirs), averaged(ours))
        path = warp_in_parts(theirs, ours, spread(rough, len(theirs)))
    else:
        path, _ = warp(theirs, ours)
    misfit = _misfit(theirs, ours, path, spoken, their_frames)
    if misfit > HIGHEST_MISFIT:
        raise AlignmentError(
            f"audio: the sound doesn't say the text (its words in another order fit as well: {misfit:.2f} of 1); "
            f"{GIVE_THE_WORDS}."
        )
    timeline = _carry_over(spoken, path, their_frames, our_frames, duration)
    distances = []
    for part in np.array_split(path, len(path) // MATCHES_AT_ONCE + 1):
        distances.append(np.linalg.norm(ours[part[:, 1]] - theirs[part[:, 0]], axis=1))
        let_go(ours, theirs)
    sure = _confidence(spoken, path, their_frames, np.concatenate(distances))
    return replace(timeline, confidence=tuple(float(one) for one in np.minimum(sure, _believed(misfit))))


def _believed(misfit: float) -> float:
    from scipy.special import expit

    return float(expit((DOUBTED_MISFIT - misfit) / MISFIT_SLOPE))


def _likest(sound: Callable[[], Iterable[np.ndarray]], theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[`sounding_features`] of a recording, its spectrum stretched so as to be nearest to the reference: vocal tract
    length normalisation (Lee & Rose 1996)."""
    heard = mfcc(sound())
    frames = np.flatnonzero(~pauses(heard.energy))
    if not len(frames) or not len(theirs):
        return sounding_features(heard, frames)
    some = frames[:TRIED]
    beginning = theirs[: max(1, round(len(some) / len(frames) * len(theirs)))]
    costs = []
    for stretch in STRETCHES:
        stretched = mfcc(_first(sound(), (some[-1] + 1) * HOP), stretch)
        costs.append(warp(beginning, sounding_features(stretched, some)[0], with_path=False)[1])
    costs[0] *= WORTHWHILE
    best = STRETCHES[int(np.argmin(costs))]
    if best != 1:
        del heard  # before the next is made
        heard = mfcc(sound(), best)
    return sounding_features(heard, frames)


def _first(pieces: Iterable[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    for piece in pieces:
        if samples > 0:
            yield piece[:samples]
        samples -= len(piece)
        if samples <= 0:
            return


def _misfit(theirs: np.ndarray, ours: np.ndarray, path: np.ndarray, spoken: Timeline, frames: np.ndarray) -> float:
    """How much of what order could gain is left: 0 is a path as cheap as if each frame could choose its partner, 1 one
    that costs as much as that of the text backwards or shuffled. Of a long one the median of three places."""
    starts = [word.start for word in spoken.words]
    starts = starts if len(starts) >= FEWEST_WORDS else [phone.start for phone in spoken.phones if phone.label]
    if len(starts) < FEWEST_PHONES:
        return 0.0
    unit = np.searchsorted(np.array(starts), frames * HOP_SECONDS + 1e-6, side="right")
    rng, found = np.random.default_rng(0), []
    count = max(1, min(3, len(theirs) // TRIED))
    for first in np.linspace(0, max(0, len(theirs) - TRIED), count).astype(int):
        last = min(first + TRIED, len(theirs)) - 1
        begin, end = path[np.searchsorted(path[:, 0], [first, last])][:, 1]
        mine, other, units = ours[begin : end + 1], theirs[first : last + 1], unit[first : last + 1]
        parts = np.split(other, np.flatnonzero(np.diff(units)) + 1)
        orders = [other[::-1]]
        for _ in range(SHUFFLES):
            orders.append(np.concatenate([parts[i] for i in rng.permutation(len(parts))]))
        cost, *shuffled = (warp(order, mine, with_path=False)[1] for order in (other, *orders))
        free = _nearest(other, mine)
        found.append((cost - free) / max(np.mean(shuffled) - free, 1e-6))
    return float(np.median(found))


def _nearest(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of a frame of either to the nearest of the other."""
    from scipy.spatial.distance import cdist

    rows, columns = [], np.full(len(other), np.inf)
    for start in range(0, len(one), 500):
        apart = cdist(one[start : start + 500], other)
        rows.append(apart.min(1))
        columns = np.minimum(columns, apart.min(0))
    return (np.concatenate(rows).mean() + columns.mean()) / 2


def _confidence(spoken: Timeline, path: np.ndarray, frames: np.ndarray, distances: np.ndarray) -> tuple[float, ...]:
    """That each word is said: by how far it is from the recording, and how much it was squeezed to fit."""
    from scipy.special import expit

    seconds, away, pace = frames[path[:, 0]] * HOP_SECONDS, [], []
    for word, inside in zip(spoken.words, phones_of_words(spoken)):
        if inside:
            part = slice(*np.searchsorted(seconds, [word.start, word.end]))
            rows, columns = (len(np.unique(path[part, side])) for side in (0, 1))
            away.append(distances[part].mean() if rows else np.inf)
            pace.append(columns / max(1, rows))
    away = away - SQUEEZED * np.log(np.clip(pace / np.median(pace), 0.2, 1))
    margins = np.maximum(DOUBTED_DISTANCE - away, np.median(away) + DOUBTED_ABOVE_USUAL - away)
    return tuple(float(sure) for sure in expit(margins / DISTANCE_SLOPE))


def sounding_features(sound: Cepstra, frames: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Normalised cepstra with first differences, float32 (sounding, 26), pauses left out, and their int frames
    (sounding,), which may be known."""
    from scipy.signal import savgol_filter

    frames = np.flatnonzero(~pauses(sound.energy)) if frames is None else frames
    features = room((len(frames), 2 * CEPSTRA))
    if not len(frames):
        return features, frames
    for wanted, made in zip(walk(frames, ROWS_AT_ONCE), walk(features.T, ROWS_AT_ONCE)):
        first = max(0, wanted[0] - 5)
        piece = sound.coefficients[first : wanted[-1] + 6]
        slope = savgol_filter(piece, 5, 1, deriv=1, axis=0) if len(piece) >= 5 else np.zeros_like(piece)
        made[:] = np.concatenate([piece, slope], 1)[wanted - first].T
        let_go(sound.coefficients)
    middle, deviation = np.zeros((2, 2 * CEPSTRA))
    for column in range(2 * CEPSTRA):
        one = np.concatenate([part[column].astype(np.float64) for part in walk(features.T, ROWS_AT_ONCE)])
        middle[column], deviation[column] = one.mean() if column < CEPSTRA else 0, one.std()
    for part in walk(features.T, ROWS_AT_ONCE):
        part[:] = ((part.T - middle) / (deviation + 1e-6) * np.tile(LIFTER, 2)).T
    return features, frames


def averaged(features: np.ndarray) -> np.ndarray:
    """Means of `FRAMES_IN_ONE` rows each (the last of more): a long recording at first glance."""
    count, means = max(1, len(features) // FRAMES_IN_ONE), []
    edges = np.append(np.arange(count) * FRAMES_IN_ONE, len(features))
    for some in np.array_split(np.arange(count), count * FRAMES_IN_ONE // ROWS_AT_ONCE + 1):
        first, last = some[0], some[-1] + 1
        sums = np.add.reduceat(features[edges[first] : edges[last]], edges[first:last] - edges[first])
        means.append(sums / np.diff(edges[first : last + 1])[:, None])
        let_go(features)
    return np.concatenate(means)


def spread(path: np.ndarray, rows: int) -> np.ndarray:
    """The columns of a path through averaged features, for each of so many rows of the features themselves."""
    columns = np.bincount(path[:, 0], path[:, 1]) / np.bincount(path[:, 0])
    middles = (np.arange(len(columns)) + 0.5) * FRAMES_IN_ONE
    return np.rint(np.interp(np.arange(rows), middles, (columns + 0.5) * FRAMES_IN_ONE)).astype(int)


def warp_in_parts(reference: np.ndarray, target: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The path of [`warp`] around a `centre`, found in parts, for each of which some of the next is looked at."""
    paths, row, column = [], 0, 0
    while row < len(reference):
        last = row + AT_ONCE + LOOKED_AHEAD
        end = len(target) if last >= len(reference) else max(column + 1, int(centre[last - 1]) + 1)
        path, _ = warp(reference[row:last], target[column:end], centre=centre[row:last] - column)
        path = path if last >= len(reference) else path[path[:, 0] < AT_ONCE]
        paths.append(path + [row, column])
        let_go(reference, target)
        row, column = paths[-1][-1] + [1, 0]
    return np.concatenate(paths)


def warp(
    reference: np.ndarray, target: np.ndarray, with_path: bool = True, centre: np.ndarray | None = None
) -> tuple[np.ndarray | None, float]:
    """Dynamic time warping (Sakoe & Chiba 1978, symmetric steps, band around the diagonal) of (n, channels) and (m,
    channels) floats: (steps, 2) int pairs of matched frames from (0, 0) to (n-1, m-1), and the mean distance along the
    path. Without `with_path` None for it, and no memory for the table of all steps. With a `centre`, int columns (n,),
    the band lies `WIDEST_BAND` / 2 around it: multi-level, as in FastDTW (Salvador & Chan 2007)."""
    n, m = len(reference), len(target)
    width = 2 * max(NARROWEST_BAND, min(WIDEST_BAND, int(BAND * max(n, m))), m // n + 2) + 1
    if centre is None:
        centre = np.rint(np.arange(n) * (m - 1) / max(1, n - 1)).astype(int)
    else:
        width = WIDEST_BAND + 1
    first = centre - width // 2
    columns = np.arange(width)
    total = np.full(width, np.inf)
    # 0 diagonal, 1 from the row above, 2 from the left; four of two bits in a byte
    steps = np.zeros((n if with_path else 0, -(-width // 4)), np.uint8)
    previous = first[0]
    for row in range(n):
        where = first[row] + columns
        inside = (where >= 0) & (where < m)
        local = np.linalg.norm(target[np.clip(where, 0, m - 1)] - reference[row], axis=1)
        if row == 0:
            above = np.where(where == 0, local, np.inf)
            step = np.zeros(width, np.int8)
        else:
            old = _shifted(total, first[row] - previous)
            diagonal = _shifted(total, first[row] - previous - 1)
            above = np.minimum(diagonal + 2 * local, old + local)
            step = (old + local < diagonal + 2 * local).astype(np.int8)
        above[~inside] = np.inf
        # a run along the row costs the sum of its local distances: a running minimum of (cost - prefix sum)
        prefix = np.cumsum(local)
        best = np.minimum.accumulate(above - prefix)
        total = np.where(inside, best + prefix, np.inf)
        if with_path:
            kinds = np.zeros(steps.shape[1] * 4, np.uint8)
            kinds[:width] = np.where(best < above - prefix - 1e-12, 2, step)
            steps[row] = kinds.reshape(-1, 4) @ QUARTERS
        previous = first[row]
    row, column = n - 1, m - 1 - first[n - 1]
    mean = float(total[column]) / (n + m)
    if not with_path:
        return None, mean
    path = np.empty((n + m, 2), int)
    path[-1] = row, m - 1
    length = 1
    while row or column + first[row]:
        kind = steps[row, column // 4] >> 2 * (column % 4) & 3
        absolute = column + first[row] - (kind != 1)
        row -= kind != 2
        column = absolute - first[row]
        length += 1
        path[-length] = row, absolute
    return path[-length:], mean


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """values[i + by], infinite outside."""
    shifted = np.full(len(values), np.inf)
    if by >= 0:
        shifted[: len(values) - by] = values[by:]
    else:
        shifted[-by:] = values[:by]
    return shifted


def _carry_over(
    timeline: Timeline, path: np.ndarray, theirs: np.ndarray, ours: np.ndarray, duration: float
) -> Timeline:
    """Times of the reference -> times of the recording, along the warping path."""
    seconds = np.r_[ours * HOP_SECONDS, ours[-1] * HOP_SECONDS + HOP_SECONDS]
    # the recording's sounding frame at which each of the reference's starts
    starts = np.bincount(path[:, 0], path[:, 1]) / np.bincount(path[:, 0])
    edges = np.r_[0.0, (starts[1:] + starts[:-1] + 1) / 2, len(ours)]

    def carried(time: float, end: bool) -> float:
        frame = time / HOP_SECONDS
        index = np.searchsorted(theirs, frame, side="right") - 1
        sounding = 0.0 if index < 0 else index + min(1.0, frame - theirs[index])
        position = np.interp(sounding, np.arange(len(edges)), edges)
        whole = int(np.ceil(position - 1e-9)) - 1 if end else int(position)
        whole = min(max(whole, 0), len(ours) - 1)
        return min(duration, seconds[whole] + (position - whole) * HOP_SECONDS)

    spoken = [phone for phone in timeline.phones if phone.label]
    phones: list[Segment] = []
    times = ours * HOP_SECONDS
    clock = 0.0
    for phone in spoken:
        start = max(clock, carried(phone.start, end=False))
        clock = max(start, carried(phone.end, end=True))
        phones.append(_out_of_pause(Segment(phone.label, start, clock), ours, times))
    words = [
        Segment(word.label, phones[inside[0]].start, phones[inside[-1]].end)
        for word, inside in zip(timeline.words, phones_of_words(timeline))
        if inside
    ]
    return Timeline.from_phones(phones, words, duration)


def _out_of_pause(phone: Segment, frames: np.ndarray, times: np.ndarray) -> Segment:
    """A phone beside a pause of the recording ends there, and one with a pause inside keeps its longer side; `frames`
    sound, at `times` in seconds."""
    inside = frames[slice(*np.searchsorted(times, [phone.start - HOP_SECONDS / 2, phone.end]))]
    if len(inside):
        start, end = inside[0] * HOP_SECONDS, (inside[-1] + 1) * HOP_SECONDS
        phone = phone._replace(start=max(phone.start, min(start, phone.end)), end=max(start, min(phone.end, end)))
    gaps = np.flatnonzero(np.diff(inside) > 1)
    if not len(gaps):
        return phone
    gap = gaps[np.argmax(np.diff(inside)[gaps])]
    before, after = (inside[gap] + 1) * HOP_SECONDS, inside[gap + 1] * HOP_SECONDS
    if before - phone.start >= phone.end - after:
        return phone._replace(end=max(phone.start, min(phone.end, before)))
    return phone._replace(start=min(phone.end, max(phone.start, after)))
