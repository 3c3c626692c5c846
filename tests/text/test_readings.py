"""Are written forms read as a careful speaker of the language reads them? `readings.tsv` says how that is."""

import re
import time
from pathlib import Path

import pytest

from text2lip.text.normalize import normalize_text, speakable
from text2lip.text.ssml import parse_ssml, plain_pieces
from text2lip.text.timing import Segment, Word
from text2lip.text.traced import TracedText, as_written


LINES = (Path(__file__).parent / "readings.tsv").read_text(encoding="utf-8").splitlines()[1:]
ROWS = [(*line.split("\t"), "")[:4] for line in LINES]


def _sound(text: str) -> str:
    """Letters alone: case, marks and spaces within compounds are not heard."""
    return re.sub(r"[\W_]", "", text).casefold()


def test_the_list_is_long_enough():
    assert len(ROWS) >= 150 and len({row[0].split("-")[0] for row in ROWS}) >= 12
    assert sum(bool(wrong) for *_, wrong in ROWS) <= 6


@pytest.mark.parametrize(("language", "written", "spoken", "wrong"), ROWS, ids=[row[1] for row in ROWS])
def test_readings(language, written, spoken, wrong):
    right = _sound(normalize_text(written, language)) == _sound(spoken)
    assert right == (not wrong), normalize_text(written, language)


@pytest.mark.parametrize(
    "language", ["en-us", "de", "fr-fr", "es", "it", "pt", "nl", "pl", "ru", "sv", "tr", "cmn", "uk"]
)
def test_no_digit_is_left(language):
    for written in (
        "5 km",
        "3-4",
        "1985",
        "20%",
        "-5",
        "3.14",
        "12:30",
        "2024-01-02",
        "1 000 000",
        "$5.50",
        "3/7",
        "007",
    ):
        assert not re.search(r"\d", normalize_text(f"{written}.", language)), (
            written,
            normalize_text(written, language),
        )


@pytest.mark.parametrize("language", ["ja", "ar", "he", "German", "xx"])
def test_other_languages_leave_numbers_to_the_voice(language):
    if language == "xx":
        assert normalize_text("a 5", language) == "a 5"
    assert normalize_text("a 5", language) in ("a 5", "a fünf")
    assert normalize_text("٣٫٥ ۷", language) in ("3.5 7", "drei Komma fünf sieben")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is 5 km away.", ["It", "is", "5 km", "away."]),
        ("Born 12/03/1985, she paid $5.50!", ["Born", "12/03/1985,", "she", "paid", "$5.50!"]),
        ("DO NOT touch.", ["DO", "NOT", "touch."]),
        ("# A **bold** Ｗｏｒｄ cafe\u0301 😀 x", ["A", "bold", "Ｗｏｒｄ", "cafe\u0301", "x"]),
        ("Mail bob@example.com now", ["Mail", "bob@example.com", "now"]),
        ("3-4 weeks, 24/7", ["3-4", "weeks,", "24/7"]),
        ("  two\n lines ", ["two", "lines"]),
        ("zero\u200bwidth \u2066x\u2069 so\u00adft", ["zero\u200bwidth", "x", "so\u00adft"]),
        ("one — two « three » , four", ["one —", "two", "« three » ,", "four"]),
    ],
)
def test_words_keep_their_spelling_and_span(text, words):
    found = [word for piece in plain_pieces(text) for word in piece.written]
    assert [word.label for word in found] == words
    assert [" ".join(text[slice(*word.span)].split()) for word in found] == words


def test_words_of_ssml_have_spans_in_it():
    xml = (
        "<speak>Rock &amp; roll é, 5 km <sub alias='a b'>W3C</sub> "
        "<say-as interpret-as='digits'>12</say-as> <phoneme ph='a'>ah</phoneme></speak>"
    )
    found = [word for piece in parse_ssml(xml) for word in piece.written]
    assert [word.label for word in found] == ["Rock", "&", "roll", "é,", "5 km", "W3C", "12", "ah"]
    assert [xml[slice(*word.span)] for word in found] == ["Rock", "&amp;", "roll", "é,", "5 km", "W3C", "12", "ah"]


def test_what_a_voice_says_is_put_together_as_it_was_written():
    spoken = speakable("It is 5 km.")
    words = [Segment(label, i, i + 1) for i, label in enumerate(spoken.text.split())]
    found = as_written(words, spoken.text, spoken.words("It is 5 km."))
    assert found == [("It", 0, 1), ("is", 1, 2), ("5 km.", 2, 4)]
    assert [word.span for word in found] == [(0, 2), (3, 5), (6, 11)]
    assert as_written([Segment("what?", 0, 1)], "Hi.", plain_pieces("Hi.")[0].written) == [("what?", 0, 1)]


def test_a_word_is_a_segment_with_a_span():
    word = Word("a", 0.0, 1.0, (2, 3))
    label, start, end = word
    assert (label, start, end) == ("a", 0.0, 1.0) == word and word.span == (2, 3)
    assert word._replace(end=2.0) == ("a", 0.0, 2.0) and word._replace(end=2.0).span == (2, 3)


def test_substitutions_are_traced():
    text = TracedText("*a* 5 km b").sub(r"\*(\w)\*", r"\1").sub("5 km", "five kilometers")
    assert text.text == "a five kilometers b"
    assert [word.label for word in text.words("*a* 5 km b")] == ["a", "5 km", "b"]
    assert text.sub("z", "y") is text


@pytest.mark.parametrize(
    ("text", "language", "runs"),
    [
        ('He said "Привет, мир" here.', "en-us", [("He said", None), ('"Привет, мир"', "ru"), ("here.", None)]),
        ("To 東京タワー, too", "fr-fr", [("To", None), ("東京タワー,", "ja"), ("too", None)]),
        ("Київ and λόγος", "en-us", [("Київ", "uk"), ("and", None), ("λόγος", "el")]),
        ("Я люблю 东京", "ru", [("Я люблю", None), ("东京", "zh")]),
        ("Москва", "en-us", [("Москва", None)]),  # the wrong language: refused by the reader
        ("今日は学校です", "Japanese", [("今日は学校です", None)]),
        ("서울特別市", "ko", [("서울特別市", None)]),
        ("中文", "zh", [("中文", None)]),
        ("我喜欢SUV", "cmn", [("我喜欢SUV", None)]),  # Latin letters are read by every language
        ("π is ok", "en-us", [("π is ok", None)]),
    ],
)
def test_runs_of_another_script_are_read_in_its_language(text, language, runs):
    assert [(piece.text, piece.language) for piece in plain_pieces(text, language)] == runs


def test_a_long_text_is_read_in_two_seconds():
    text = ("It is 5 km away, and cost $5.50 on 12/03/1985 at 8:30. Dr. Smith told 3 of us. " * 2000)[:100_000]
    start = time.process_time()
    plain_pieces(text)
    assert time.process_time() - start < 2
