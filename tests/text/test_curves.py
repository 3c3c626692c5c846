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


def test_frames_past_the_end_hold_the_last_viseme():
    weights = viseme_weights(SAID, LABELS, 25, num_frames=100)
    assert weights.shape == (100, 3) and (weights[25:, 0] == 1).all()


@pytest.mark.parametrize(
    "call, words", [(([], LABELS), "got none"), ((SAID, ("sil",)), "'PP' is not"), ((SAID, LABELS, 0), "over 0")]
)
def test_what_makes_no_curve_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        viseme_weights(*call)
