"""Mouths that could fool a metric: each must score worse than the real one on the metric meant to notice it."""

import numpy as np
import pytest

from text2lip import metrics


@pytest.fixture(scope="module")
def good(phones, mouth):
    """The same words by the same mouth once more: what a perfect model would give, other detector noise."""
    return mouth.speak(phones, seed=1)


@pytest.fixture(scope="module")
def still(talk):
    return np.repeat(talk[:1], len(talk), 0)


@pytest.fixture(scope="module")
def flapping(talk, mouth):
    """Opens and shuts at speaking pace, with the real range, but at random."""
    generator = np.random.default_rng(5)
    knots = np.sort(generator.choice(len(talk), len(talk) // 4, replace=False))
    gap = np.interp(np.arange(len(talk)), knots, generator.uniform(0, 0.16, len(knots)))
    width = np.interp(np.arange(len(talk)), knots, generator.uniform(0.46, 0.6, len(knots)))
    return mouth.shapes(gap, width)


@pytest.fixture(scope="module")
def other_sentence(talk, mouth):
    lips = mouth.speak(mouth.phones("sobapesumibeasomapuseibimo", seed=9), seed=2)
    assert len(lips) >= len(talk)
    return lips[: len(talk)]


def test_a_good_copy_scores_well(good, talk, phones):
    assert metrics.lmd(good, talk) < 0.002
    assert metrics.gap_r(good, talk) > 0.99
    assert metrics.width_r(good, talk) > 0.99
    assert metrics.closure(good, phones, 25).value == metrics.closure(talk, phones, 25).value > 0.9
    assert metrics.stillness(good, phones, 25).value < 0.006
    assert 0.9 < metrics.jerk_ratio(good, talk).value < 1.1


def test_still_mouth(still, good, talk, phones):
    assert metrics.gap_r(still, talk) is None  # not 0, and no credit
    assert metrics.lmd_centred(still, talk) > 5 * metrics.lmd_centred(good, talk)
    assert metrics.jerk_ratio(still, talk).value < 0.01
    assert metrics.dtw(still, talk) > 5 * metrics.dtw(good, talk)


def test_open_still_mouth_never_closes(still, talk, phones, mouth):
    agape = np.repeat(mouth.shapes(np.array([0.05]), np.array([0.55])), len(talk), 0)
    assert metrics.closure(agape, phones, 25).value == 0


def test_shut_mouth_closes_always_and_so_says_nothing(talk, phones, mouth):
    shut = np.repeat(mouth.shapes(np.array([0.0]), np.array([0.55])), len(talk), 0)
    assert metrics.closure(shut, phones, 25).value == 1  # why it is shown beside the film's share and the motion
    assert metrics.gap_r(shut, talk) is None and metrics.jerk_ratio(shut, talk).value < 0.01


def test_flapping_mouth(flapping, good, talk, phones):
    assert metrics.gap_r(flapping, talk) < 0.5
    assert metrics.lmd(flapping, talk) > 5 * metrics.lmd(good, talk)
    assert metrics.closure(flapping, phones, 25).value < metrics.closure(talk, phones, 25).value - 0.2
    assert metrics.stillness(flapping, phones, 25).value > 3 * metrics.stillness(talk, phones, 25).value


@pytest.mark.parametrize("shift", [-3, 3])
def test_lips_shifted_by_three_frames(shift, good, talk, phones):
    shifted = np.roll(good, shift, axis=0)
    assert metrics.gap_r(shifted, talk) < metrics.gap_r(good, talk) - 0.3
    assert metrics.lmd(shifted, talk) > 3 * metrics.lmd(good, talk)
    assert metrics.closure(shifted, phones, 25).value < metrics.closure(good, phones, 25).value
    assert metrics.dtw(shifted, talk) < metrics.lmd(shifted, talk) / 2  # forgives timing, as it should


def test_jitter(good, talk, phones):
    jittery = good + np.random.default_rng(3).normal(0, 0.01, good.shape)
    assert metrics.jerk_ratio(jittery, talk).value > 1.25 * metrics.jerk_ratio(good, talk).value
    assert metrics.stillness(jittery, phones, 25).value > 3 * metrics.stillness(good, phones, 25).value
    assert metrics.lmd(jittery, talk) > 3 * metrics.lmd(good, talk)


def test_another_sentence(other_sentence, good, talk, phones):
    assert metrics.gap_r(other_sentence, talk) < metrics.gap_r(good, talk) - 0.3
    assert metrics.width_r(other_sentence, talk) < metrics.width_r(good, talk) - 0.3
    assert metrics.lmd_centred(other_sentence, talk) > 5 * metrics.lmd_centred(good, talk)
    assert metrics.dtw(other_sentence, talk) > 2 * metrics.dtw(good, talk)
    assert metrics.closure(other_sentence, phones, 25).value < metrics.closure(good, phones, 25).value


def test_oversmooth_lips(good, talk, phones):
    kernel = np.hanning(9) / np.hanning(9).sum()
    padded = np.pad(good, ((4, 4), (0, 0), (0, 0)), "edge")
    smooth = np.apply_along_axis(lambda curve: np.convolve(curve, kernel, "valid"), 0, padded)
    assert metrics.jerk_ratio(smooth, talk).value < 0.7
    assert metrics.closure(smooth, phones, 25).value < metrics.closure(talk, phones, 25).value


def test_mean_shape_beats_still_on_lmd_but_has_no_correlation(talk, still):
    mean = np.repeat(talk.mean(0, keepdims=True), len(talk), 0)
    assert metrics.lmd(mean, talk) < metrics.lmd(still, talk)
    assert metrics.gap_r(mean, talk) is None
