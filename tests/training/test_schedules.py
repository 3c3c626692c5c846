import pytest
import torch

from text2lip.training import PVARSchedule, adversarial_share, learning_rate


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("linear", (0.0, 0.0, 0.25, 0.5, 1.0, 1.0)),
        ("cosine", (0.0, 0.0, 0.1464, 0.5, 1.0, 1.0)),
        ("step", (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)),
        ("constant", (1.0,) * 6),
    ],
)
def test_values(kind, values):
    schedule = PVARSchedule(last_step=500, first_step=100, kind=kind)
    assert [schedule.probability(step) for step in (0, 100, 200, 300, 500, 9000)] == pytest.approx(values, abs=1e-4)


def test_start_and_end():
    schedule = PVARSchedule(last_step=10, start=0.2, end=0.8)
    assert [schedule.probability(step) for step in (0, 5, 10)] == pytest.approx([0.2, 0.5, 0.8])


def draw(schedule, step=5, seed=0):
    return schedule.draw(step, 4000, 75, 25.0, torch.Generator().manual_seed(seed))


def test_a_clip_loses_all_its_sound_or_none():
    dropped = draw(PVARSchedule(last_step=10))
    assert (dropped.all(1) | ~dropped.any(1)).all()
    assert dropped.float().mean() == pytest.approx(0.5, abs=0.03)


def test_spans_are_as_long_as_asked_and_as_likely():
    dropped = draw(PVARSchedule(last_step=10, span_seconds=0.4))
    assert dropped.float().mean() == pytest.approx(0.5, abs=0.03)
    assert 0.4 < (dropped[:, 1:] != dropped[:, :-1]).float().sum(1).mean() / (3.0 / 0.4 / 2) < 1.2
    edges = dropped.diff(dim=1).nonzero()
    gaps = edges[1:, 1] - edges[:-1, 1]
    assert gaps[edges[1:, 0] == edges[:-1, 0]].min() >= 9  # 0.4 s are 10 frames, shifted by any fraction of one


def test_never_and_always():
    assert not draw(PVARSchedule(last_step=10), step=0).any()
    assert draw(PVARSchedule(last_step=10), step=10).all()


def test_same_seed_same_draw():
    schedule = PVARSchedule(last_step=10, span_seconds=0.5)
    assert torch.equal(draw(schedule, seed=1), draw(schedule, seed=1))
    assert not torch.equal(draw(schedule, seed=1), draw(schedule, seed=2))


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"kind": "up"}, "kind"),
        ({"end": 1.1}, "end"),
        ({"first_step": 10}, "first_step"),
        ({"span_seconds": 0}, "span"),
    ],
)
def test_bad_settings(bad, named):
    with pytest.raises(ValueError, match=named):
        PVARSchedule(**{"last_step": 10, **bad})


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(step, 2.0, 4, 20) for step in range(21)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0] and rates[12] == pytest.approx(1.02)
    assert rates[20] == learning_rate(99, 2.0, 4, 20) == pytest.approx(0.04) and rates[4:] == sorted(rates[4:])[::-1]


def test_the_share_is_a_pure_function_of_the_step():
    assert [adversarial_share(step, 100, 50) for step in (0, 99, 100, 110, 125, 150, 10**6)] == [
        *(0, 0, 0, 0.2, 0.5, 1, 1)
    ]
    assert [adversarial_share(step, 4, 0) for step in (3, 4, 5)] == [0, 0, 1]
    shares = [adversarial_share(step, 10, 7) for step in range(40)]
    assert shares == sorted(shares) == [adversarial_share(step, 10, 7) for step in reversed(range(40))][::-1]
