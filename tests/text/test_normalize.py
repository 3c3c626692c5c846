import time

import pytest

from text2lip.text.normalize import normalize_text, spell_out
from text2lip.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("$5.50", "5 dollars 50 cents"),
        ("€20 and £3", "20 euros and 3 pounds"),
        ("$1, $1.01, $0.50.", "1 dollar, 1 dollar 1 cent, 50 cents."),
        ("$1,234.56", "1234 dollars 56 cents"),
        ("$3 million or $2.5bn", "3 million dollars or 2.5 billion dollars"),
        ("20 € for 1.234,50 €", "20 euros for 1234 euros 50 cents"),
        ("3.14 at 12:30, 50%", "3.14 at 12:30, 50%"),
        ("See https://www.example.com/a-b?x=1.", "See example dot com slash a dash b."),
        ("(bob.smith@example.co.uk)", "(bob dot smith at example dot co dot uk)"),
        ("# Title\n\n- **bold** item\n* _it_", "Title.\n\nbold item. it."),
        ("[a link](http://x.y/z) and ![alt](i.png) `code`", "a link and alt code"),
        ("2 * 3 * 4 and snake_case", "2 * 3 * 4 and snake case"),
        ("a < b & c > d", "a < b & c > d"),
        ("Hi 😀👍🏽 👨‍👩‍👧 🇩🇪 3️⃣ ❤️!", "Hi 3!"),
        ("e\u0301 x\0y \ud800 so\u00adft \u200bz\x07", "é x y soft z"),
        ("don’t", "don't"),
        ("2024-01-02", "January 2, 2024"),
        ("a\r\nb\n\n\n c", "a b\n\nc"),
        ("", ""),
        ("…", "…"),
        ("*two lines\nof emphasis.*", "two lines of emphasis."),
        ("**bold _it_** and ***all***, ~~*gone*~~", "bold it and all, gone"),
        ("*one\n\ntwo*", "*one\n\ntwo*"),
        ("Ｈｅｌｌｏ　ｗｏｒｌｄ！３．１４", "Hello world！3.14"),
        ("10⁶ 10⁻³ word¹ n⁰ Acme™ 1º 2ª", "10⁶ 10⁻³ word¹ n⁰ Acme™ 1º 2ª"),
        ("𝐇𝐞𝐥𝐥𝐨 ﬁne x² ½ x⁴ H₂O Ⅷ № ㎏ ｶﾞ ㅋㅋ", "Hello fine x² ½ x⁴ H2O VIII № kg ガ ㅋㅋ"),
        ("Card 1234567890123456, 123456789012345.", "Card 1 2 3 4, 5 6 7 8, 9 0 1 2, 3 4 5 6, 123456789012345."),
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
        ("de", "5,50 € auf www.beispiel.de", "5 Euro 50 auf beispiel Punkt de"),
        ("fr-fr", "5,50 €", "5 euros 50"),
        ("es", "$2", "2 dólares"),
        ("ru", "$5", "5 $"),
        ("fa", "می\u200cخواهم", "می\u200cخواهم"),
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
    assert [spell_out(n, "ordinal") for n in ("1", "2", "11", "23")] == ["1st", "2nd", "11th", "23rd"]
    with pytest.raises(ValueError, match="interpret-as"):
        spell_out("x", "nonsense")
