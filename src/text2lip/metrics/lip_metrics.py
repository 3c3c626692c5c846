"""Lip motion against real lip motion: distances, correlations, closures, stillness, smoothness and timing.

Lip shapes are those of [`~text2lip.faces.canonical.canonical_lips`]: (frames, 57, 2), x right, y down, in the head's
own frame, with the distance of the outer eye corners as the unit; the first 40 points are the lips (the 17 of the jaw
are not judged, and 40 points alone will do). Frame f is the picture at (f + 1/2) / fps and lasts from f / fps to
(f + 1) / fps. A metric that does not apply to a clip is None, never NaN and never 0.

Lip landmark distance: Chen et al. 2018, "Lip Movements Generation at a Glance" (there without an alignment of the
head; here after one). The other definitions are this project's own and stated with each function.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.faces.topology import LIPS
from text2lip.metrics.aggregate import Tally, to_array
from text2lip.metrics.semantics import edit_path
from text2lip.text.timing import Segment


CLOSED_GAP = 0.0125
"""An inner lip gap under this, in outer-eye units, is a closed mouth: so are nine in ten of the /p b m/ of real films,
smoothed over time as prepared clips are (`examples/benchmarks/limits.py` prints how small the gap gets in them)."""

CLOSING_PHONES = "pbm"
STILL_SILENCE = 0.2
SMOOTHING_TAPS = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
"""The 5-tap zero-phase filter (binomial) that both sides pass before their third differences are taken."""

_CONSTANT = 1e-6  # a curve whose standard deviation is under this, in outer-eye units, has no shape to correlate


def lmd(ours: Any, real: Any) -> float:
    """Lip landmark distance: mean Euclidean distance over frames and the 40 lip points.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): (frames, 57, 2), canonical, outer-eye units.

    Returns:
        `float`: outer-eye units, >= 0.

    Raises:
        ValueError: the shapes differ, or a value is not finite.
    """
    return _distance(*_pair(ours, real))


def lmd_centred(ours: Any, real: Any) -> float:
    """Mean distance of the 40 lip points, each clip's mean shape taken off: motion alone, not the looks of the mouth.

    Args and errors as in [`lmd`]. Outer-eye units.
    """
    ours, real = _pair(ours, real)
    return _distance(ours - ours.mean(0), real - real.mean(0))


def gap_r(ours: Any, real: Any) -> float | None:
    """Pearson's r of the inner lip gap |13 - 14| over the frames of one clip; None where one side is constant.

    Args and errors as in [`lmd`]. A set's figure is the mean over its clips ([`~text2lip.metrics.mean_of`]).
    """
    ours, real = _pair(ours, real)
    return pearson_r(np.asarray(lip_gap(ours)), np.asarray(lip_gap(real)))


def width_r(ours: Any, real: Any) -> float | None:
    """Pearson's r of the mouth's width |61 - 291| over the frames of one clip; None where one side is constant.

    Args and errors as in [`lmd`]. A set's figure is the mean over its clips ([`~text2lip.metrics.mean_of`]).
    """
    ours, real = _pair(ours, real)
    return pearson_r(np.asarray(lip_width(ours)), np.asarray(lip_width(real)))


def closure(lips: Any, phones: Sequence[Segment], fps: float, closed_gap: float = CLOSED_GAP) -> Tally:
    """Share of /p b m/ segments, widened by one frame on both sides, whose smallest gap |13 - 14| is under 0.0125.

    To be read beside the film's own share, and beside how much the mouth moves: a mouth that never opens closes on
    every one of them and has 1, as has any that the pipeline's seal ([`~text2lip.motion.seal.press_lips`]) went over.

    Args:
        lips (`np.ndarray` or `torch.Tensor`): (frames, 57, 2), canonical, outer-eye units.
        phones (`Sequence[Segment]`): IPA phones, seconds; a phone closes the lips if its label holds p, b or m.
        fps (`float`): frames per second.
        closed_gap (`float`): the gap under which a mouth is closed, outer-eye units. The default is where the real
            films' own share is about 0.9 by this project's mesh; another detector wants its own.

    Returns:
        `Tally`: closed segments and all segments; `.value` is in [0, 1], None without such a segment. Segments past
        the end of the clip are not counted. A set's figure is [`~text2lip.metrics.pooled`] over its clips.

    Raises:
        ValueError: `lips` has another shape or is not finite, or `fps` is not positive.
    """
    gap = np.asarray(lip_gap(_lips(lips, "lips")))
    _check_rate(fps)
    hits = total = 0
    for phone in phones:
        if not any(letter in phone.label for letter in CLOSING_PHONES):
            continue
        first = math.floor(phone.start * fps + 1e-6)  # the frames that it shares some time with
        last = max(first, math.ceil(phone.end * fps - 1e-6) - 1)
        window = gap[max(0, first - 1) : last + 2]
        if first < len(gap) and len(window):
            total += 1
            hits += bool(window.min() < closed_gap)
    return Tally(hits, total)


def stillness(lips: Any, phones: Sequence[Segment], fps: float) -> Tally:
    """Mean displacement of the 40 lip points from frame to frame inside silences longer than 0.2 s.

    Args and errors as in [`closure`]. Silences have the label "", neighbouring ones count as one.

    Returns:
        `Tally`: summed displacements and the number of frame pairs that lie wholly inside a silence; `.value` is in
        outer-eye units per frame, None without such a pair. A mouth that never moves has 0: compare it with the film's
        own (row `film` of `examples/benchmarks/quality.py`).
    """
    lips = _lips(lips, "lips")
    _check_rate(fps)
    steps = np.linalg.norm(np.diff(lips, axis=0), axis=-1).mean(-1)  # (frames - 1,)
    tally = Tally()
    for start, end in _silences(phones):
        if end - start <= STILL_SILENCE:
            continue
        first, last = math.ceil(start * fps - 1e-6), math.floor(end * fps + 1e-6) - 1  # frames that lie wholly in it
        inside = steps[max(0, first) : max(0, last)]
        tally += Tally(float(inside.sum()), len(inside))
    return tally


def jerk(lips: Any) -> float | None:
    """Mean length of the third differences of the 40 lip points after the 5-tap filter (1 4 6 4 1) / 16.

    The filter is symmetric, thus without phase, and is applied where it fits whole, so 4 frames are lost, and 3 more
    to the differences. `lips` as in [`closure`].

    Returns:
        `float` or None: outer-eye units per frame cubed; None for fewer than 8 frames.
    """
    lips = _lips(lips, "lips")
    if len(lips) < len(SMOOTHING_TAPS) + 3:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(lips, len(SMOOTHING_TAPS), axis=0)
    return float(np.linalg.norm(np.diff(windows @ SMOOTHING_TAPS, n=3, axis=0), axis=-1).mean())


def jerk_ratio(ours: Any, real: Any) -> Tally:
    """Third differences of the lips ([`jerk`]), ours over real: 1 is as smooth as real, more jittery, less sluggish.

    Args and errors as in [`lmd`].

    Returns:
        `Tally`: our jerk and the real one; `.value` is their ratio, None where the clip is shorter than 8 frames or
        the real lips do not move.
    """
    ours, real = _pair(ours, real)
    ours_jerk, real_jerk = jerk(ours), jerk(real)
    return Tally() if not real_jerk else Tally(ours_jerk, real_jerk)


def dtw(ours: Any, real: Any) -> float:
    """Dynamic time warping distance of the lips: cost of the cheapest path over the number of cells on it.

    A cell costs the mean distance of the 40 points of its two frames; steps (1, 0), (0, 1), (1, 1) have equal weight
    (Sakoe & Chiba 1978 without slope constraint). The two clips may differ in length: this is the one metric that
    forgives timing. Args and errors as in [`lmd`]. Outer-eye units, >= 0.
    """
    ours, real = _lips(ours, "ours"), _lips(real, "real")
    cells = np.linalg.norm(ours[:, None] - real[None], axis=-1).mean(-1)  # (frames, other frames)
    cost = np.full((len(ours) + 1, len(real) + 1), np.inf)
    length = np.zeros(cost.shape, np.int64)
    cost[0, 0] = 0
    for i, row in enumerate(cells, 1):
        for j, cell in enumerate(row, 1):
            steps = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
            step = min(steps, key=cost.__getitem__)
            cost[i, j] = cost[step] + cell
            length[i, j] = length[step] + 1
    return float(cost[-1, -1] / length[-1, -1])


def duration_error(ours: Sequence[Segment], real: Sequence[Segment], matched_only: bool = False) -> Tally:
    """Mean absolute difference of the durations of the spoken phones.

    Args:
        ours (`Sequence[Segment]`): predicted phones, seconds; silences (label "") are left out of the comparison.
        real (`Sequence[Segment]`): phones as spoken, seconds.
        matched_only (`bool`): where the two say different phones (another pronunciation), compare those that a
            smallest-edit alignment pairs with an equal one, instead of raising.

    Returns:
        `Tally`: summed differences in seconds and the number of phones; `.value` is seconds per phone, None without
        a phone.

    Raises:
        ValueError: the phones differ and `matched_only` is False.
    """
    ours = [phone for phone in ours if phone.label]
    real = [phone for phone in real if phone.label]
    our_labels, real_labels = [p.label for p in ours], [p.label for p in real]
    if our_labels == real_labels:
        pairs = list(zip(ours, real))
    elif matched_only:
        pairs = [(ours[i], real[j]) for i, j in edit_path(our_labels, real_labels) if our_labels[i] == real_labels[j]]
    else:
        raise ValueError(
            f"ours: phones {' '.join(our_labels)!r} are not those of real, {' '.join(real_labels)!r}; "
            "give both the same phones, or matched_only=True."
        )
    return Tally(sum(abs((a.end - a.start) - (b.end - b.start)) for a, b in pairs), len(pairs))


def pearson_r(ours: np.ndarray, real: np.ndarray) -> float | None:
    """Pearson's correlation of two curves (frames,), in [-1, 1]; None where one of them is constant."""
    ours, real = ours - ours.mean(), real - real.mean()
    if ours.std() < _CONSTANT or real.std() < _CONSTANT:
        return None
    return float(np.clip((ours @ real) / (np.linalg.norm(ours) * np.linalg.norm(real)), -1, 1))


def _lips(lips: Any, name: str) -> np.ndarray:
    lips = to_array(lips, np.float64)
    if lips.ndim != 3 or lips.shape[1] < len(LIPS) or lips.shape[2] != 2 or not len(lips):
        raise ValueError(f"{name}: has shape {lips.shape}; wants canonical lip shapes (frames, 57, 2).")
    lips = lips[:, : len(LIPS)]
    if not np.isfinite(lips).all():
        raise ValueError(f"{name}: holds NaN or infinity; leave out or fill the frames where the face was lost.")
    return lips


def _pair(ours: Any, real: Any) -> tuple[np.ndarray, np.ndarray]:
    ours, real = _lips(ours, "ours"), _lips(real, "real")
    if len(ours) != len(real):
        raise ValueError(
            f"ours: has {len(ours)} frames, real has {len(real)}; frames are compared at equal length "
            "(make the clip with num_frames of the real one)."
        )
    return ours, real


def _distance(ours: np.ndarray, real: np.ndarray) -> float:
    return float(np.linalg.norm(ours - real, axis=-1).mean())


def _check_rate(fps: float):
    if not fps > 0:
        raise ValueError(f"fps: {fps!r}; wants a positive number.")


def _silences(phones: Sequence[Segment]) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for phone in phones:
        if phone.label:
            continue
        if spans and phone.start - spans[-1][1] < 1e-3:
            spans[-1] = (spans[-1][0], phone.end)
        else:
            spans.append((phone.start, phone.end))
    return spans
