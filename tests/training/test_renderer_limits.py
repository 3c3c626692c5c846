"""`examples/benchmarks/renderer_limits.py` on pictures that are made up."""

import numpy as np
import pytest

from text2lip.metrics import inner_mouth_psnr, pooled


FRAMES, SIZE = 40, 32


@pytest.fixture
def script(benchmark_script):
    return benchmark_script("renderer_limits")


@pytest.fixture
def lips():
    """A mouth at rest for 20 frames, then one whose points go round in 20, float32 (40, 57, 2)."""
    turn = np.concatenate([np.zeros(20), np.linspace(0, 2 * np.pi, 20)])
    points = np.repeat(np.random.default_rng(0).normal(0, 0.2, (1, 57, 2)), FRAMES, 0)
    return (points + 0.1 * np.stack([1 - np.cos(turn), np.sin(turn)], -1)[:, None]).astype(np.float32)


@pytest.fixture
def film(lips):
    """What such a mouth determines of a picture, without noise, float32 (40, 32, 32, 3); half of it stands still."""
    slope = np.random.default_rng(1).uniform(-300, 300, (2, SIZE, SIZE, 3))
    slope[:, :, : SIZE // 2] = 0
    return (128 + np.tensordot(lips[:, 0] - lips[0, 0], slope, 1)).astype(np.float32)


def test_nearest_frames_are_like_and_far(script, lips):
    near = script.nearest_frames(lips, 6)
    assert (np.abs(near - np.arange(FRAMES)) >= 6).all()
    assert near[:20].max() < 20 and script.lip_distances(lips)[0, near[0]] == 0
    way = np.abs(np.arange(FRAMES)[:, None] - np.arange(FRAMES)) >= 6
    assert script.lip_distances(lips)[30, near[30]] == script.lip_distances(lips)[30][way[30]].min() > 0


def test_moved_mouths_are_taken_from_far_frames_alone(script):
    film = np.stack([np.full((SIZE, SIZE, 3), 10 * i, np.uint8) for i in range(12)])
    points = np.repeat(np.random.default_rng(0).uniform(8, 24, (1, 57, 2)), 12, 0)
    points[6:] += 4
    drawn = script.moved_mouths(film, points, points)
    assert drawn.shape == film.shape
    assert (drawn[0] == 60).all()  # the first of 6 to 11, all equally near
    assert (drawn[7] == 0).all()  # of 0 and 1


def test_errors_are_shared_out(script):
    real, mask = np.full((1, 4, 4, 3), 100, np.uint8), np.zeros((1, 4, 4, 1), np.float32)
    ours, mask[:, :2] = real.copy(), 1
    ours[:, 0], ours[:, 3] = 101, 98
    assert script.error_outside(ours, real, mask) == pytest.approx(0.8)


def test_what_is_laid_over_is_seen_there_alone(script):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[14:18, 14:18] = 255
    soft = script.near(mask, 6)
    assert soft[15, 15] == 1 and soft[16, 20] > 0
    rows, columns = np.nonzero(soft)
    assert min(rows.min(), columns.min()) == 14 - 6 and max(rows.max(), columns.max()) == 17 + 6
    over, under = np.full((2, SIZE, SIZE, 3), 200, np.uint8), np.full((2, SIZE, SIZE, 3), 100, np.uint8)
    made = script.laid(over, under, soft[None, ..., None])
    assert made.dtype == np.uint8 and made[0, 15, 15, 0] == 200 and made[1, 0, 0, 0] == 100
    assert 100 < made[0, 16, 20, 0] < 200


def test_painted_mouths_keep_their_mean(script):
    film = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    film[1, 10:20, 10:20] //= 4
    inner = np.repeat(np.array([[(9.5, 9.5), (19.5, 9.5), (19.5, 19.5), (9.5, 19.5)]]), 3, 0)
    gap = np.array([0.1, 0.1, 0.0])
    each, common = (script.painted(film, inner, gap, each=each) for each in (True, False))
    assert np.array_equal(each[2], film[2]) and np.array_equal(each[:, :10], film[:, :10])
    assert len(np.unique(each[0, 10:20, 10:20].reshape(-1, 3), axis=0)) == 1
    assert each[1, 12, 12] == pytest.approx(film[1, 10:20, 10:20].mean((0, 1)), abs=0.5)
    assert np.array_equal(common[0, 12, 12], common[1, 12, 12]) and not np.array_equal(
        each[0, 12, 12], each[1, 12, 12]
    )
    assert inner_mouth_psnr(each, film, inner, gap) > inner_mouth_psnr(common, film, inner, gap)


def test_a_median_takes_single_frames_out(script):
    film = np.full((5, 4, 4, 3), 100, np.uint8)
    film[2] = 200
    assert (script.median_of_three(film) == 100).all()
    film[3] = 200
    assert np.array_equal(script.median_of_three(film), film)


def test_still_lips_are_told_from_moving_ones(script, lips):
    steps = script.lip_steps(lips)
    assert steps.shape == (FRAMES - 1,) and steps[:17].max() < script.STILL < steps[22:].min()


def test_changes_are_split_by_place_and_by_motion(script, lips, film):
    face = np.zeros((FRAMES, SIZE, SIZE, 1), np.float32)
    face[:, :, SIZE // 2 :] = 1
    table = script.changes_of(film, face, script.lip_steps(lips))
    value = {(place, kind): tally.value for place, row in table.items() for kind, tally in row.items()}
    assert value["around", "all"] == value["around", "moving"] == 0 < value["crop", "all"] < value["face", "all"]
    assert value["face", "still"] < 0.2 < value["face", "moving"]
    assert value["pairs", "still"] + value["pairs", "moving"] == value["pairs", "all"] == 1
    assert pooled([table["face"]["still"], table["face"]["moving"]]) == pytest.approx(value["face", "all"])


def test_limits_of_a_film_without_noise(script, lips, film):
    limits = {name: tally.value for name, tally in script.flicker_limits(film, lips).items()}
    assert limits["independent"] > 0.97 and limits["all_but_rest"] > 0.95 and limits["like_lips"] > 0.95


def test_limits_of_a_film_with_noise(script, lips, film):
    noisy = film + np.random.default_rng(2).normal(0, 3, film.shape).astype(np.float32)
    limits = {name: tally.value for name, tally in script.flicker_limits(noisy, lips).items()}
    truth = script.differences(film).mean() / script.differences(noisy).mean()
    assert truth < 0.8 and limits["all_but_rest"] < truth < limits["like_lips"] < 1
    assert abs(limits["independent"] - truth) < 0.1
    assert limits["independent"] < 0.9


def test_lips_that_never_rest_give_no_estimate_from_rest(script, lips, film):
    moving = script.flicker_limits(film[20:], lips[20:])
    assert set(moving) == {"like_lips"}
