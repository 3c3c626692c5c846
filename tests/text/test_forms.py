"""Written forms in words, letter for letter: `test_readings.py` hears no spaces."""

import time

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


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-us", "1.5x as fast", "one point five x as fast"),
        ("en-us", "60fps", "sixty fps"),
        ("pl", "5x", "pięć x"),
        ("ru", "1,5x", "одна целая пять десятых x"),
        ("ko", "5개", "오개"),
        ("zh", "5公里", "五公里"),
        ("en-us", "-3.5e-4", "minus three point five times ten to the power of minus four"),
        ("en-us", "3.0E+8 m", "three point zero times ten to the power of eight m"),
        ("de", "-3,5e-4", "minus drei Komma fünf e minus vier"),
        ("en-us", "6.02x10^23", "six point zero two times ten to the power of twenty-three"),
        ("en-us", "3x4, 5 x 3 m, 0x1F", "three times four, five times three meters, zero x one F"),
        ("en-us", ".5 of $.50", "zero point five of fifty cents"),
        ("en-us", "p < .05, -.5", "p less than zero point zero five, minus zero point five"),
        ("en-us", "$-5 and €−3.20", "minus five dollars and minus three euros twenty cents"),
        ("en-us", "v2.3.1", "v two point three point one"),
        ("de", "Version 2.3.1", "Version zwei Punkt drei Punkt eins"),
        ("en-us", "3RD, 11TH, 1ST", "third, eleventh, first"),
        ("en-us", "1-1/2 cups", "one and a half cups"),
        ("en-us", "5−3", "five minus three"),
        ("en-us", "St. Mary's St. is here.", "Saint Mary's Street is here."),
        ("en-us", "on Mon., Jan. 5, or Thurs. The end", "on Monday, January fifth, or Thursday. The end"),
        (
            "en-us",
            "at $1.99/lb. It is 5 ft. 10 in. tall",
            "at one dollar ninety-nine cents per pound. It is five feet ten inches tall",
        ),
        ("en-us", "It took 10 hrs. Then 3 lbs. of it", "It took ten hours. Then three pounds of it"),
        ("en-us", "vol. II, c. 1500, ext. 5", "Volume two, circa fifteen hundred, extension five"),
        ("en-us", "She called 911", "She called nine one one"),
        ("en-us", "4111 1111 1111 1111", ", ".join(["four one one one", *["one one one one"] * 3])),
        ("en-us", "123-45-6789", "one two three, four five, six seven eight nine"),
        (
            "en-us",
            "5-10-15 and 1990-1995-2000",
            "five-ten-fifteen and nineteen ninety-nineteen ninety-five-two thousand",
        ),
        ("de", "(02) 1234 5678", "null zwei, eins zwei drei vier, fünf sechs sieben acht"),
        ("en-us", "18+, grade A+, C++", "eighteen plus, grade A plus, C plus plus"),
        ("en-gb", "at 3.30pm", "at three thirty P.M."),
        ("en-us", "F-16s and MP3s", "F sixteens and MP threes"),
        ("en-us", "₹1,00,000 or Rs 500", "one hundred thousand rupees or five hundred rupees"),
        ("en-us", "May 5th-7th, Dec. 2020", "May fifth to seventh, December twenty twenty"),
        ("en-us", "√2 < ∞", "the square root of two less than infinity"),
        ("en-us", "hundreds, 100s of people, 1000s", "hundreds, hundreds of people, thousands"),
        ("en-us", "100s and 10s", "one hundred seconds and ten seconds"),
        ("en-us", "1st-2nd, the 18th–19th century", "first to second, the eighteenth to nineteenth century"),
        ("ko", "2020-06-01", "이천이십년 유월 일일"),
        ("ko", "5월 10월", "오월 시월"),
        ("zh", "1½", "一又二分之一"),
        ("de", "1½ Liter", "eineinhalb Liter"),
        ("fr", "1½", "un et demi"),
        ("es", "3 1/2", "tres y medio"),
        ("de", "5 h", "fünf Stunden"),
        ("de", "um 15 h", "um fünfzehn Uhr"),
        ("de", "um 5:30 h", "um fünf Uhr dreißig"),
        ("ru", "в 2024г. он", "в две тысячи двадцать четвертом году он"),
    ],
)
def test_numbers_letter_for_letter(language, written, spoken):
    assert normalize_text(written, language) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("٣٫٥", "three point five"),
        ("١٬٢٣٤", "one thousand two hundred thirty-four"),
        ("١٢٪", "twelve percent"),
        ("5\u20448 and 1\u22152", "five eighths and one half"),
        ("5\u20113 well\u2011known", "five to three well-known"),
    ],
)
def test_signs_that_look_otherwise_are_the_ordinary_ones(written, spoken):
    assert normalize_text(written) == spoken


def test_items_of_numbered_lists_end_like_sentences():
    assert normalize_text("1. First\n2. Second!\n3. Third") == "one. First. two. Second! three. Third"
    assert normalize_text("We met at number\n30. The house was\nold.") == "We met at number thirty. The house was old."


@pytest.mark.parametrize("text", ["12," * 10_000, "123." * 10_000])
def test_long_chains_of_numbers_take_no_longer_than_others(text):
    start = time.process_time()
    normalize_text(text)
    assert time.process_time() - start < 1.5
