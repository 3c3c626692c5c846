"""Times of a clip as JSON, and back."""

import json

import numpy as np
import pytest

from text2lip.exports.clip import Clip
from text2lip.exports.timing_files import write_timings
from text2lip.speech import read_timeline
from text2lip.text.timing import Segment


@pytest.fixture
def written(tmp_path):
    phones = [Segment("", 0, 0.1), Segment("h", 0.1, 0.2), Segment("aɪ", 0.2, 0.4), Segment("", 0.4, 0.5)]
    words, visemes = [Segment("Hi", 0.1, 0.4)], [Segment("sil", 0, 0.1), Segment("aa", 0.2, np.float32(0.4))]
    write_timings(tmp_path / "a.json", Clip([], 10, 20.0, (9, 9), None, None, None, visemes, phones, words, "", None))
    return tmp_path / "a.json", phones, words


def test_times_come_back_as_they_were(written):
    path, phones, words = written
    timeline = read_timeline(path)
    assert (list(timeline.phones), list(timeline.words)) == (phones, words)


def test_the_file_says_what_is_in_it(written):
    data = json.loads(written[0].read_text())
    assert (data["duration"], data["fps"], data["visemes"][1]) == (0.5, 20, {"text": "aa", "start": 0.2, "end": 0.4})


def test_a_broken_one_is_refused():
    with pytest.raises(ValueError, match="timings: 'words' should be a list"):
        read_timeline({"phones": [{"text": "a", "start": 0, "end": 1}], "words": 3})
    with pytest.raises(ValueError, match="timings: .* is no .phone"):
        read_timeline({"phones": [{"text": "a", "end": 1}], "words": []})
