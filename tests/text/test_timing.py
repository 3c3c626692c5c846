import numpy as np
import pytest

from text2lip.text import VisemeTokenizer
from text2lip.text.timing import Segment, Timeline, Word, share_times, with_spans


def test_words_without_length_share_the_time_of_the_word_beside_them():
    words = [Segment("it", 0.0, 0.4), Segment("is", 2.0, 2.0), Segment("very", 2.0, 3.0)]
    assert share_times(words) == [Segment("it", 0.0, 0.2), Segment("is", 0.2, 0.4), Segment("very", 2.0, 3.0)]
    assert share_times(words[1:]) == [Segment("is", 2.0, 2 + 2 / 6), Segment("very", 2 + 2 / 6, 3.0)]
    assert share_times([words[0], words[2]]) == [words[0], words[2]]
    assert share_times([words[1]]) == [words[1]] and share_times([]) == []


def test_silences_side_by_side_are_one():
    phones = [("", 0, 0.1), ("", 0.1, 0.2), ("ɑː", 0.2, 0.5), ("", 0.5, 0.65), ("", 0.65, 0.7), ("ɑː", 0.8, 1.0)]
    one = [("", 0, 0.2), ("ɑː", 0.2, 0.5), ("", 0.5, 0.8), ("ɑː", 0.8, 1.0), ("", 1.0, 1.5)]
    assert Timeline.from_phones([*phones, ("", 1.0, 1.2)], (), 1.5).phones == one
    assert Timeline.from_phones(one).phones == one


def test_the_lips_close_in_a_pause_given_in_parts():
    parts = [("ɑː", 0, 0.5), ("", 0.5, 0.65), ("", 0.65, 0.8), ("ɑː", 0.8, 1.3)]
    whole = [("ɑː", 0, 0.5), ("", 0.5, 0.8), ("ɑː", 0.8, 1.3)]
    given, wanted = (VisemeTokenizer()(phones=phones, return_tensors="np") for phones in (parts, whole))
    assert given.keys() == wanted.keys()
    for key in wanted:
        np.testing.assert_array_equal(given[key], wanted[key], err_msg=key)


@pytest.mark.parametrize("seconds", [1.4, 2.0])
def test_padding_makes_no_second_silence(seconds):
    line = Timeline.from_phones([("ɑː", 0, 1), ("", 1, 1.2)]).pad(seconds)
    assert line.phones == [("ɑː", 0, 1), ("", 1, seconds)]


def test_spans_are_taken_over_from_words_of_the_same_label():
    source = [Word("a", 0, 1, (0, 1)), Word("b", 1, 2, (2, 3)), Word("a", 2, 3, (4, 5))]
    words = with_spans([Segment("a", 0, 1), Segment("x", 1, 2), Segment("a", 2, 3)], source)
    assert [word.span for word in words] == [(0, 1), None, (4, 5)]
