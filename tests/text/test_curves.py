import tracemalloc

import numpy as np
import pytest

from text2lip.text import Segment, viseme_weights


LABELS = ("sil", "PP", "aa")
SAID = [Segment("sil", 0.0, 0.2), Segment("PP", 0.2, 0.21), Segment("aa", 0.21, 0.6), Segment("sil", 0.6, 0.8)]


@pytest.mark.parametrize("fps", [1, 10, 25, 60, 1000])
def test_weights_of_a_frame_sum_to_one_at_any_rate(fps):
    weights = viseme_weights(SAID, LABELS, fps)
    assert weights.dtype == np.float32 and weights.shape == (max(1, int(0.8 * fps + 0.5)), 3)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    seconds = weights.sum(0) / fps  # what is smoothed keeps its time, but for the ends
    if fps >= 10:
        np.testing.assert_allclose(seconds, [0.4, 0.01, 0.39], atol=0.01)


def test_a_viseme_shorter_than_a_frame_is_seen():
    weights = viseme_weights(SAID, LABELS, 25)
    assert (weights[:, 1] > 0.05).any() and weights[:, 1].argmax() in (4, 5)


def test_a_frame_far_from_every_edge_is_its_viseme_alone():
    weights = viseme_weights(SAID, LABELS, 25)
    np.testing.assert_allclose(weights[[0, 10, 19]], np.eye(3)[[0, 2, 0]], atol=1e-6)
    wide = viseme_weights(SAID, LABELS, 25, smoothing=0.3)
    assert wide[10, 2] < 0.95  # the smoothing is what it says
    centre = viseme_weights([Segment("sil", 0, 0.5), Segment("aa", 0.5, 1)], LABELS, 1)
    np.testing.assert_allclose(centre[0], [0.5, 0, 0.5], atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.01, 0.06, 0.5])
@pytest.mark.parametrize("fps", [3, 25, 60])
def test_weights_are_the_integral_of_the_window(fps, smoothing):
    weights = viseme_weights(SAID, LABELS, fps, num_frames=4 * fps, smoothing=smoothing)
    middle = (np.arange(len(weights)) + 0.5) / fps
    edges = np.array([-np.inf, *(part.start for part in SAID[1:]), np.inf])
    x = np.clip((edges - middle[:, None]) / max(smoothing, 0.5 / fps), -1, 1)
    share = np.diff(0.5 * (1 + x + np.sin(np.pi * x) / np.pi), axis=1)
    wanted = np.stack([share[:, [0, 3]].sum(1), share[:, 1], share[:, 2]], 1)
    np.testing.assert_allclose(weights, wanted, atol=1e-6)


def test_twenty_minutes_take_no_more_than_their_result():
    said = [Segment(LABELS[i % 3], 0.1 * i, 0.1 * (i + 1)) for i in range(12_000)]
    tracemalloc.start()
    weights = viseme_weights(said, LABELS, 60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(weights) == 72_000 and peak < 10 * weights.nbytes
    assert weights.min() >= 0 and np.abs(weights.sum(1) - 1).max() < 1e-5


def test_frames_past_the_end_hold_the_last_viseme():
    weights = viseme_weights(SAID, LABELS, 25, num_frames=100)
    assert weights.shape == (100, 3) and (weights[25:, 0] == 1).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (([], LABELS), "got none"),
        ((SAID, ("sil",)), "'PP' is not"),
        ((SAID, LABELS, 0), "fps: 0; .* over 0"),
        ((SAID, LABELS, None), "fps: None"),
        ((SAID, LABELS, "25"), "fps: '25'"),
        ((SAID, LABELS, float("nan")), "fps"),
        ((SAID, LABELS, 25, 2.5), "num_frames: 2.5"),
        ((SAID, LABELS, 25, -3), "num_frames: -3"),
        ((SAID, LABELS, 25, 0), "num_frames: 0"),
        ((SAID, LABELS, 25, None, None), "smoothing: None"),
    ],
)
def test_what_makes_no_curve_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        viseme_weights(*call)
