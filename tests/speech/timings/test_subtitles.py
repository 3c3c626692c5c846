"""Subtitles: grouping rules and file syntax."""

import re

import pytest

from text2lip.speech.timings.subtitles import group_words, to_srt, to_vtt


def timed(text, word=0.3, gap=0.05):
    return [(label, i * (word + gap), i * (word + gap) + word) for i, label in enumerate(text.split())]


LONG = "Nobody has ever recorded this sentence, and in all likelihood nobody ever will, unless somebody does. Yes."


def test_lines_and_times():
    cues = group_words(timed(LONG * 3))
    assert all(len(line) <= 42 for cue in cues for line in cue.lines)
    assert all(1 <= len(cue.lines) <= 2 for cue in cues)
    assert all(cue.end - cue.start <= 7.0 for cue in cues)
    assert all(a.end <= b.start for a, b in zip(cues, cues[1:]))
    assert " ".join(line for cue in cues for line in cue.lines) == LONG * 3


def test_a_sentence_and_a_pause_end_a_subtitle():
    words = [("Hello.", 0, 0.4), ("My", 0.5, 0.7), ("friend", 2.0, 2.4)]
    assert [cue.lines for cue in group_words(words)] == [["Hello."], ["My"], ["friend"]]


def test_short_words_stay_a_second_unless_the_next_one_comes():
    cues = group_words([("Yes.", 0, 0.2), ("No.", 0.6, 0.8)])
    assert (cues[0].end, cues[1].end) == (pytest.approx(0.6), pytest.approx(1.6))


def test_srt_syntax():
    text = to_srt([("Grüß", 3661.5, 3661.75), ("Gott", 3661.75, 3662.9996)])
    assert text == "1\n01:01:01,500 --> 01:01:03,000\nGrüß Gott\n"


def test_vtt_syntax():
    text = to_vtt([("<a>", 0, 0.5), ("&", 0.5, 1.2)], word_times=True)
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.200\n&lt;a&gt; <00:00:00.500>&amp;\n"
    assert "<00:" not in to_vtt([("a", 0, 0.5), ("b", 0.5, 1.2)])


def test_unspaced_scripts_have_no_spaces():
    assert group_words([("我", 0, 0.2), ("爱", 0.2, 0.4), ("北", 0.4, 0.6), ("京。", 0.6, 1)])[0].lines == [
        "我爱北京。"
    ]


def test_long_word_stays_whole():
    word = "x" * 60
    assert group_words([("a", 0, 0.5), (word, 0.5, 1), ("b", 1, 1.5)])[1].lines[0] == word


def test_no_words():
    assert to_srt([]) == "" and to_vtt([]) == "WEBVTT\n"


@pytest.mark.parametrize(
    "words", [[("a", 1, 0)], [("a", 2, 3), ("b", 1, 4)], [("a", -1, 0)], [("a", 0, float("nan"))]]
)
def test_bad_times(words):
    with pytest.raises(ValueError, match="order"):
        to_srt(words)


def test_numbers_count_up():
    assert re.findall(r"^\d+$", to_srt(timed(LONG)), re.MULTILINE) == ["1", "2", "3"]


def test_an_abbreviation_does_not_end_a_subtitle():
    words = [
        ("Dr.", 0.0, 0.4),
        ("Smith", 0.4, 0.8),
        ("came", 0.8, 1.0),
        ("at", 1.0, 1.1),
        ("8", 1.1, 1.3),
        ("p.m.", 1.3, 1.7),
    ]
    assert [cue.lines for cue in group_words([*words, ("on", 1.8, 2.0), ("foot.", 2.0, 2.4)])] == [
        ["Dr. Smith came at 8 p.m. on foot."]
    ]
    assert len(group_words([*words, ("He", 2.05, 2.2), ("left.", 2.2, 2.4)])) == 2
