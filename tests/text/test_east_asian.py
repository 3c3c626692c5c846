import pytest

from text2lip.text import readers
from text2lip.text.east_asian import chinese_words, japanese_words, kana_phones
from text2lip.text.readers import SpelledWord
from text2lip.text.visemes import split_phone


@pytest.mark.parametrize(
    ("kana", "phones"),
    [
        ("キョーワ", "kʲ oː w a"),
        ("がっこう", "ɡ a ʔ k o ɯ"),
        ("サンポ", "s a m p o"),
        ("シンチャ", "ɕ i n tɕ a"),
        ("ギンコー", "ɡʲ i ŋ k oː"),
        ("ホンヲ", "h o ɴ o"),
        ("ファティフィ", "ɸ a t i ɸ i"),
        ("リュー、ツヅ ジュ", "ɾʲ ɨː ts ɨ z ɨ dʑ ɨ"),
        ("ウィ", "w i"),
        ("ーァ!", "a"),
        ("?!", ""),
    ],
)
def test_kana(kana, phones):
    assert kana_phones(kana) == phones.split()


def test_every_kana_has_phones_that_are_known():
    for code in [*range(0x30A1, 0x30F5), *range(0x3041, 0x3097)]:
        phones = kana_phones("ア" + chr(code))
        assert len(phones) > (chr(code) not in "ゕゖ") and all(split_phone(p) != [("", 1.0)] for p in phones), chr(
            code
        )


def test_kanji_without_a_reader_are_refused(monkeypatch):
    monkeypatch.setattr(readers, "_haqumei", lambda: None)
    assert [(w.word, w.span) for w in japanese_words("かな、 SUV です。")] == [
        ("かな", (0, 2)), ("SUV", (4, 7)), ("です", (8, 10)),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="pip install haqumei"):
        japanese_words("これは漢字")


def test_letters_inside_of_a_japanese_word_are_said(monkeypatch):
    monkeypatch.setattr("text2lip.text.east_asian.spelled_words", lambda text, language: [SpelledWord(0, 3, "ai ヲ")])
    phones = japanese_words("aiを")[0].phones
    assert len(phones) > 1 and phones[-1] == "o"


def test_mandarin():
    pytest.importorskip("pypinyin")
    words = chinese_words("银行行长，SUV 3岁儿子。")
    assert [w.word for w in words][:2] == ["银行", "行长"] and words[1].span == (2, 4)
    assert " ".join(words[0].phones + words[1].phones) == "i˧˥ n x a˧˥ ŋ x a˧˥ ŋ tʂ a˧˩˧ ŋ"
    assert "SUV" in [w.word.strip("， ") for w in words] and all(w.phones for w in words)
    assert words[-1].phones[-2:] == ["ts", "ɨ"]
