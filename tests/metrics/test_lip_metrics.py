import numpy as np
import pytest
import torch

from text2lip import metrics
from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.metrics.lip_metrics import SMOOTHING_TAPS
from text2lip.text.timing import Segment


def test_synthetic_mouth_has_the_gap_and_width_asked_for(mouth):
    shape = mouth.shapes(np.array([0.0, 0.1]), np.array([0.5, 0.6]))
    assert shape.shape == (2, 57, 2)
    np.testing.assert_allclose(lip_gap(shape), [0, 0.1], atol=1e-9)
    np.testing.assert_allclose(lip_width(shape), [0.5, 0.6], atol=1e-9)


def test_lmd_by_hand(talk):
    moved = talk.copy()
    moved[:, :20] += [0.03, 0.04]  # half of the lip points, by 0.05
    moved[:, 40:] += 9  # the jaw is not judged
    assert metrics.lmd(moved, talk) == pytest.approx(0.025)
    assert metrics.lmd(torch.tensor(moved, requires_grad=True), torch.tensor(talk)) == pytest.approx(0.025)
    assert metrics.lmd_centred(moved, talk) == pytest.approx(0, abs=1e-9)
    assert metrics.lmd(moved[:, :40], talk[:, :40]) == pytest.approx(0.025)


def test_lmd_centred_sees_motion_only(mouth):
    flat = mouth.shapes(np.full(4, 0.1), np.full(4, 0.5))
    ours = flat + np.array([0, 0.02, 0, 0.02])[:, None, None] * [1, 0]
    assert metrics.lmd_centred(ours, flat + 3) == pytest.approx(0.01)


def test_correlations_by_hand(mouth):
    width = np.array([0.5, 0.52, 0.54, 0.5])
    gap = np.array([0.0, 0.1, 0.05, 0.02])
    real = mouth.shapes(gap, width)
    assert metrics.gap_r(mouth.shapes(0.3 * gap + 0.2, width), real) == pytest.approx(1)
    assert metrics.width_r(mouth.shapes(gap, 1.1 - width), real) == pytest.approx(-1)
    other = np.array([0.03, 0.01, 0.0, 0.08])
    expected = np.corrcoef(other, gap)[0, 1]
    assert metrics.gap_r(mouth.shapes(other, width), real) == pytest.approx(expected)


def test_correlation_of_a_constant_is_none(talk, mouth):
    still = np.repeat(talk[:1], len(talk), 0)
    assert metrics.gap_r(still, talk) is None
    assert metrics.width_r(still, talk) is None
    assert metrics.gap_r(talk, still.astype(np.float32)) is None


def test_closure_counts_segments(mouth):
    gap = np.full(25, 0.1)
    gap[[2, 13]] = 0.012
    lips = mouth.shapes(gap, np.full(25, 0.5))
    at = [Segment("b", 0.04, 0.08), Segment("a", 0.08, 0.4), Segment("mː", 0.4, 0.52), Segment("pʰ", 0.6, 0.72)]
    # b touches frame 1 (+1 reaches 2); m touches 10-12 (+1 reaches 13); p touches 15-17: no closed frame in 14-18
    tally = metrics.closure(lips, at, 25)
    assert (tally.total, tally.count) == (2, 3)
    assert tally.value == pytest.approx(2 / 3)
    assert metrics.closure(lips, at, 25, closed_gap=0.11).value == 1
    assert metrics.closure(lips, at, 25, closed_gap=0.01).value == 0
    assert metrics.closure(lips, [Segment("a", 0, 1)], 25).value is None
    assert metrics.closure(lips, [Segment("p", 1.0, 1.1)], 25).count == 0  # past the end of the clip
    assert metrics.closure(lips, [Segment("b", 0.0, 0.01)], 25).value == 0  # frames 0 and 1 only


def test_stillness_looks_at_long_silences_only(mouth):
    lips = mouth.shapes(np.full(50, 0.0), np.full(50, 0.5))
    lips = lips + 0.01 * np.arange(50)[:, None, None] * [1, 0]  # every point moves 0.01 a frame
    lips[20:] += 5  # a jump during speech
    silences = [Segment("", 0, 0.3), Segment("", 0.3, 0.5), Segment("a", 0.5, 1), Segment("", 1, 1.2)]
    tally = metrics.stillness(lips, silences, 25)  # 0 to 0.5 s: frames 0-11, 11 pairs; 0.2 s is not longer than 0.2 s
    assert tally.count == 11
    assert tally.value == pytest.approx(0.01)
    assert metrics.stillness(lips, silences[2:], 25).value is None


def test_jerk_by_hand(mouth):
    frames = np.arange(20.0)
    base = mouth.shapes(np.full(20, 0.1), np.full(20, 0.5))
    cubic = base + 0.001 * (frames**3)[:, None, None] * [1, 0]  # third difference of t^3 is 6
    assert metrics.jerk(cubic) == pytest.approx(0.006)
    parabola = base + 0.01 * (frames**2)[:, None, None] * [1, 0]
    assert metrics.jerk(parabola) == pytest.approx(0, abs=1e-9)
    assert metrics.jerk_ratio(parabola, cubic).value == pytest.approx(0, abs=1e-6)
    assert metrics.jerk_ratio(cubic, base).value is None
    assert metrics.jerk_ratio(cubic[:7], cubic[:7]).value is None


def test_jerk_filter_stops_the_fastest_jitter(mouth):
    assert SMOOTHING_TAPS.sum() == 1
    np.testing.assert_array_equal(SMOOTHING_TAPS, SMOOTHING_TAPS[::-1])  # no phase
    flip = mouth.shapes(np.full(20, 0.1), np.full(20, 0.5)) + ((-1) ** np.arange(20))[:, None, None]
    assert metrics.jerk(flip) == pytest.approx(0, abs=1e-9)


def test_dtw_by_hand(mouth):
    gaps = np.array([0.0, 0.1, 0.0])
    a = mouth.shapes(np.zeros(3), np.full(3, 0.5)) + gaps[:, None, None] * [1, 0]
    slow = np.repeat(a, 2, axis=0)
    assert metrics.dtw(a, slow) == pytest.approx(0, abs=1e-9)
    # all cells cost 0.1 for a constant offset: the diagonal, 3 cells
    assert metrics.dtw(a + [0, 0.1], a) == pytest.approx(0.1)
    b = a[[0, 0, 0]]  # costs 0 0.1 0 on the diagonal
    assert metrics.dtw(b, a) == pytest.approx(0.1 / 3)


def test_duration_error_by_hand():
    real = [Segment("", 0, 1), Segment("a", 1, 1.1), Segment("b", 1.1, 1.3)]
    ours = [Segment("a", 0, 0.15), Segment("", 0.15, 0.9), Segment("b", 0.9, 1.05)]
    tally = metrics.duration_error(ours, real)
    assert tally.count == 2
    assert tally.value == pytest.approx(0.05)
    assert metrics.duration_error([], []).value is None
    with pytest.raises(ValueError, match="ours: phones 'a' are not those of real"):
        metrics.duration_error(ours[:1], real)
    assert metrics.duration_error(ours[:1], real, matched_only=True).value == pytest.approx(0.05)
    swapped = [Segment("e", 0, 0.5), Segment("b", 0.5, 0.6)]  # only b is compared
    assert metrics.duration_error(swapped, real, matched_only=True).value == pytest.approx(0.1)


def test_aggregates():
    assert metrics.pooled([metrics.Tally(1, 4), metrics.Tally(2, 2), metrics.Tally()]) == 0.5
    assert metrics.pooled([]) is None
    assert metrics.mean_of([0.5, None, 1.0]) == 0.75
    assert metrics.mean_of([None]) is None


@pytest.mark.parametrize("name", ["lmd", "lmd_centred", "gap_r", "width_r", "jerk_ratio"])
def test_unequal_lengths_are_an_error(name, talk):
    with pytest.raises(ValueError, match="ours: has .* frames, real has .*; frames are compared at equal length"):
        getattr(metrics, name)(talk[:-1], talk)


def test_bad_input_is_named(talk):
    with pytest.raises(ValueError, match=r"real: has shape \(57, 2\); wants canonical lip shapes"):
        metrics.lmd(talk, talk[0])
    lost = talk.copy()
    lost[3] = np.nan
    with pytest.raises(ValueError, match="ours: holds NaN"):
        metrics.dtw(lost, talk)
    with pytest.raises(ValueError, match="fps: 0; wants a positive number"):
        metrics.closure(talk, [Segment("b", 0, 1)], 0)
