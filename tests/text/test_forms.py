"""Written forms in words, letter for letter: `test_readings.py` hears no spaces."""

import pytest

from text2lip.text.normalize import normalize_text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Charles Xavier met Peter Ivanov.", "Charles Xavier met Peter Ivanov."),
        ("Part Xbox. Book It. Type Ia.", "Part Xbox. Book It. Type Ia."),
        ("Henry VIII's wife", "Henry the eighth's wife"),
        ("Chapter V's end, and 'Elizabeth II'", "Chapter five's end, and 'Elizabeth the second'"),
        ("George I'm sure I've told", "George I'm sure I've told"),
    ],
)
def test_roman_numerals_are_no_beginnings_of_words(written, spoken):
    assert normalize_text(written) == spoken


@pytest.mark.parametrize(
    ("language", "written"), [("de", "Karl Xaver und Peter Voss."), ("es", "Carlos Vives."), ("it", "Carlo Verdone.")]
)
def test_names_stay_names(language, written):
    assert normalize_text(written, language) == written


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-us", "Mr Smith came", "Mister Smith came"),
        ("en-us", "Chapter V of it", "Chapter five of it"),
        ("en-gb", "Dr Jones", "Doctor Jones"),
        ("fr", "Mme Dupont", "madame Dupont"),
    ],
)
def test_what_is_read_does_not_hang_on_a_full_stop_elsewhere(language, written, spoken):
    assert normalize_text(written, language) == spoken
    assert normalize_text(f"{written} today.", language) == f"{spoken} today."


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("cs", "nula čárka pět"),
        ("uk", "нуль кома п'ять"),
        ("fi", "nolla pilkku viisi"),
        ("lt", "nulis kablelis penki"),
        ("bg", "нула цяло и пет"),
    ],
)
def test_every_language_says_its_decimal_point(language, spoken):
    assert normalize_text("0,5", language) == spoken
