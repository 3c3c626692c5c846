"""The figure of a clip over time: what is drawn where."""

import io
from dataclasses import replace

import numpy as np
import pytest

from text2lip.exports.clip import Clip
from text2lip.exports.timeline_figure import lip_gaps, timeline_figure
from text2lip.text.timing import Segment


pytest.importorskip("matplotlib")


@pytest.fixture
def clip():
    """Half a second at 20 fps in a wide picture, lips 0.1 eye distances apart but in one frame."""
    landmarks = np.zeros((10, 478, 2), np.float32)
    landmarks[:, 33], landmarks[:, 263] = (0.25, 0.5), (0.75, 0.5)
    landmarks[:, 14, 1] = 0.1
    landmarks[4, 14, 1] = 0.0
    phones = [Segment("a", 0, 0.2), Segment("p", 0.2, 0.3), Segment("a", 0.3, 0.5)]
    visemes = [Segment("aa", 0, 0.2), Segment("PP", 0.2, 0.3), Segment("aa", 0.3, 0.5)]
    audio = np.sin(np.arange(8000) / 10).astype(np.float32)
    words = [Segment("appa", 0, 0.5)]
    return Clip([], 10, 20.0, (100, 200), audio, 16_000, landmarks, visemes, phones, words, "voice", None)


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_gaps_are_in_eye_distances(clip):
    expected = np.full(10, 0.1, np.float32)  # 10 of 100 pixels
    expected[4] = 0
    np.testing.assert_allclose(lip_gaps(clip), expected, rtol=1e-5)


def test_rows_share_one_time_line(clip):
    sound, words, visemes, lips = timeline_figure(clip).axes
    assert {axis.get_xlim() for axis in (sound, words, visemes, lips)} == {(0, 0.5)}
    assert (texts(words), texts(visemes)) == (["appa"], ["aa", "PP", "aa"])
    marked = [patch.get_x() for patch in lips.patches]  # where p is said
    assert marked == [0.2]
    colours = [patch.get_facecolor() for patch in visemes.patches]
    assert colours[0] == colours[2] != colours[1]
    times, gaps = lips.lines[0].get_data()
    assert times[np.argmin(gaps)] == pytest.approx(4.5 / 20)


def test_rows_of_what_there_isn_t_are_left_out(clip):
    silent = replace(clip, audio=None, sampling_rate=None)
    assert len(timeline_figure(silent).axes) == 3
    assert len(timeline_figure(replace(silent, words=[], visemes=[], phones=[])).axes) == 1
    stereo = replace(clip, audio=np.stack([clip.audio] * 2))
    assert len(timeline_figure(stereo).axes) == 4


def test_labels_without_room_are_left_out(clip):
    assert texts(timeline_figure(clip, width=0.3).axes[2]) == []


def test_it_is_written_as_svg(clip, tmp_path):
    timeline_figure(clip).savefig(tmp_path / "a.svg")
    assert "appa" in (tmp_path / "a.svg").read_text()


def test_words_are_no_formulas(clip):
    figure = timeline_figure(replace(clip, words=[Segment("$5%$6", 0, 0.5)]))
    figure.savefig(io.StringIO(), format="svg")
    assert texts(figure.axes[1]) == ["$5%$6"]
