import time

import pytest

from text2lip.text.normalize import normalize_text, spell_out
from text2lip.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("$5.50", "five dollars fifty cents"),
        ("€20 and £3", "twenty euros and three pounds"),
        ("$1, $1.01, $0.50.", "one dollar, one dollar one cent, fifty cents."),
        ("$1,234.56", "one thousand two hundred thirty-four dollars fifty-six cents"),
        ("$3 million or $2.5bn", "three million dollars or two point five billion dollars"),
        ("20 € for 1.234,50 €", "twenty euros for one thousand two hundred thirty-four euros fifty cents"),
        ("3.14 at 12:30, 50%", "three point one four at twelve thirty, fifty percent"),
        ("See https://www.example.com/a-b?x=1.", "See example dot com slash a dash b."),
        ("(bob.smith@example.co.uk)", "(bob dot smith at example dot co dot uk)"),
        ("# Title\n\n- **bold** item\n* _it_", "Title.\n\nbold item. it."),
        ("[a link](http://x.y/z) and ![alt](i.png) `code`", "a link and alt code"),
        ("2 * 3 * 4 and snake_case", "two times three times four and snake case"),
        ("a < b & c > d", "a less than b and c greater than d"),
        ("Hi 😀👍🏽 👨‍👩‍👧 🇩🇪 3️⃣ ❤️!", "Hi three!"),
        ("e\u0301 x\0y \ud800 so\u00adft \u200bz\x07", "é x y soft z"),
        ("don’t", "don't"),
        ("2024-01-02", "January second, twenty twenty-four"),
        ("a\r\nb\n\n\n c", "a b\n\nc"),
        ("", ""),
        ("…", "…"),
        ("*two lines\nof emphasis.*", "two lines of emphasis."),
        ("**bold _it_** and ***all***, ~~*gone*~~", "bold it and all, gone"),
        ("*one\n\ntwo*", "*one\n\ntwo*"),
        ("Ｈｅｌｌｏ　ｗｏｒｌｄ！３．１４", "Hello world！three point one four"),
        ("10⁶ 10⁻³ word¹ Acme™ 1º", "ten to the power of six ten to the power of minus three word¹ Acme™ first"),
        (
            "𝐇𝐞𝐥𝐥𝐨 ﬁne x² ½ x³ H₂O Ⅷ № ㎏ ｶﾞ ㅋㅋ",
            "Hello fine x squared one half x cubed H two O VIII number kg ガ ㅋㅋ",
        ),
        (
            "Card 1234567890123456.",
            "Card one two three four, five six seven eight, nine zero one two, three four five six.",
        ),
        ("DO NOT TOUCH THE TV, IT IS A TRAP. NASA, ESA", "do not touch the TV, it is a trap. NASA, ESA"),
        ("IT IS A, B, C OF SPELLING", "it is A, B, C of spelling"),
    ],
)
def test_normalize(text, spoken):
    assert normalize_text(text) == spoken
    assert normalize_text(spoken) == spoken


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("de", "5,50 € auf www.beispiel.de", "fünf Euro fünfzig auf beispiel Punkt de"),
        ("fr-fr", "5,50 €", "cinq euros cinquante"),
        ("es", "$2", "dos dólares"),
        ("ru", "$5", "пять долларов"),
        ("fa", "می\u200cخواهم", "می\u200cخواهم"),
        ("ar", "مـــرحـبا", "مرحبا"),
    ],
)
def test_normalize_in_other_languages(language, text, spoken):
    assert normalize_text(text, language) == spoken


def test_normalize_wants_a_string():
    with pytest.raises(ValueError, match="text"):
        normalize_text(b"x")


@pytest.mark.parametrize(
    "text",
    ["ab" * 200000, "a@" * 100000, "*a " * 30000, " " * 300000 + "x", "[" * 100000, "1" * 300000, "a-a." * 50000],
)
def test_hostile_text_takes_linear_time(text):
    start = time.process_time()
    split_sentences(normalize_text(text))
    assert time.process_time() - start < 5


def test_spell_out():
    assert spell_out("abc", "characters").split() == ["A,", "B,", "C"]
    assert spell_out("0123", "digits").split() == list("0123")
    assert [spell_out(n, "ordinal") for n in ("1", "2", "11", "23")] == ["first", "second", "eleventh", "twenty-third"]
    assert spell_out("3", "ordinal", "de") == "dritte" and spell_out("3", "ordinal", "ja") == "3"
    with pytest.raises(ValueError, match="interpret-as"):
        spell_out("x", "nonsense")
    assert spell_out("²", "ordinal") == "²"
    assert spell_out("+1 (555) 12", "telephone").split() == list("+155512")


def test_letters_inside_of_a_script_without_case_are_not_shouted():
    assert normalize_text("彼は、これはAIです、と言いました。", "ja") == "彼は、これはAIです、と言いました。"
