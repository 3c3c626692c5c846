"""`examples/benchmarks/limits.py` on synthetic clips."""

from dataclasses import replace

import numpy as np
import pytest

from text2lip.text.timing import Segment
from text2lip.training import rest_shape


@pytest.fixture
def script(benchmark_script):
    return benchmark_script("limits")


@pytest.fixture
def clip(clips):
    """One word of two phones between silences, 0.2 to 0.6 s; the mouth follows the clock."""
    phones = [Segment("", 0.0, 0.2), Segment("p", 0.2, 0.3), Segment("a", 0.3, 0.6), Segment("", 0.6, 0.96)]
    lips = np.repeat(clips[0].lips[:1], 24, 0) + np.linspace(0, 0.1, 24)[:, None, None].astype(np.float32)
    return replace(clips[0], lips=lips, phones=phones, words=[Segment("pa", 0.2, 0.6)])


def test_words_and_silences_with_what_stands_beside_them(script, clip):
    found = script.spans(clip)
    assert [span.label for span in found] == [("",), ("p", "a"), ("",)]
    assert found[1].edges == pytest.approx([0.2, 0.3, 0.6]) and found[1].beside == ("", "")
    assert found[0].beside == ("", "p") and found[2].beside == ("a", "")


def test_a_clip_laid_on_itself_is_itself(script, clip):
    made = script.Takes([clip])(clip, 1, np.random.default_rng(0))
    assert made == pytest.approx(clip.lips - rest_shape(clip), abs=1e-5)


def test_takes_follow_the_other_clips_times(script, clip):
    slower = replace(clip, phones=[Segment(p.label, 2 * p.start, 2 * p.end) for p in clip.phones])
    slower = replace(slower, words=[Segment("pa", 0.4, 1.2)], lips=np.repeat(clip.lips, 2, 0))
    made = script.Takes([clip])(slower, 1, np.random.default_rng(0))
    real = slower.lips - rest_shape(clip)
    assert np.abs(made - real)[12:28].max() < 0.004  # inside the word; silences run at their own pace


def test_unknown_words_are_no_guess(script, clip):
    other = replace(clip, phones=[clip.phones[0], Segment("u", 0.2, 0.6), clip.phones[3]])
    assert script.Takes([clip])(other, 1, np.random.default_rng(0)) is None
