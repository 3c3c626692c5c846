import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from text2lip.text.espeak_library import espeak_phonemes
from text2lip.text.languages import available_languages
from text2lip.text.phonemes import get_g2p, parse_ipa
from text2lip.text.visemes import split_phone


def test_every_language_speaks_and_every_phone_has_a_letter():
    languages = available_languages()
    assert len(languages) >= 130
    for code in languages:
        words = get_g2p(language=code)("Hello 123 papa. Mama")
        assert words, code
        for word in words:
            assert word.phones and all(split_phone(p) != [("", 1.0)] for p in word.phones), (code, word)


def test_words_point_into_the_text():
    text = "“Hello,” said Dr. Smith's dog — in the park at 12:30, of the 3.14!"
    words = get_g2p()(text)
    assert all(text[a:b] == word for word, _, (a, b) in words)
    assert [w.word for w in words] == [
        "Hello", "said", "Dr", "Smith's", "dog", "in", "the", "park", "at", "12:30", "of", "the", "3.14",
    ]  # fmt: skip
    phones = {w.word: "".join(w.phones) for w in words}
    assert phones["in"] == "ɪn" and phones["the"] == "ðə" and phones["of"] == "ʌv"  # espeak runs these together
    assert phones["12:30"].startswith("twɛlv") and phones["12:30"].endswith("i")
    assert phones["Dr"].startswith("d") and phones["Dr"].endswith("ɚ")


def test_no_phone_is_lost_when_words_are_parted():
    text = "out of the rock-and-roll's AT&T 50% #1 + 2 = 3"
    parted = "".join(p for w in get_g2p()(text) for p in w.phones)
    line = espeak_phonemes(text, "en-us")
    assert parted == "".join(c for c in line if c not in "_- ˈˌ")


def test_stress_is_kept_on_request():
    assert get_g2p(stress=True)("hello")[0].phones == ["h", "ə", "l", "ˈoʊ"]
    assert get_g2p()("hello")[0].phones == ["h", "ə", "l", "oʊ"]


def test_language_switches_leave_no_flag():
    assert "".join(get_g2p(language="fr")("le weekend")[1].phones) == "wiːkɛnd"


def test_chinese_is_read_by_character():
    words = get_g2p(language="zh")("你好，世界。")
    assert [w.word for w in words] == ["你", "好", "世", "界"]
    assert [w.span for w in words] == [(0, 1), (1, 2), (3, 4), (4, 5)]


@pytest.mark.parametrize("text", ["", " ", "?!…", "\0", "\ud800", "\n\n", "— — —", "[[]]"])
def test_nothing_to_say(text):
    assert get_g2p()(text) == []


def test_nul_and_surrogates_count_as_spaces():
    assert [w.word for w in get_g2p()("one\0two\ud800three")] == ["one", "two", "three"]


def read_or_refuse(engine, text):
    try:
        return engine(text)
    except ValueError as error:
        assert "doesn't read; " in str(error), error
        return []


def test_random_unicode_is_read_or_its_script_refused():
    rng = random.Random(1)
    engines = [get_g2p(language=code) for code in ("en", "fr", "zh", "ar", "ja", "hi")]
    found = 0
    for _ in range(40):
        text = "".join(chr(rng.randrange(1, 0x11000 if rng.random() < 0.8 else 0x110000)) for _ in range(40))
        latin = "".join(c for c in text if ord(c) < 0x400)
        assert get_g2p()("a" + latin)
        for engine in engines:
            for word, phones, (a, b) in read_or_refuse(engine, text):
                assert a < b and phones and word
                found += 1
    assert found > 100


def test_long_text_without_punctuation():
    words = get_g2p()("banana " * 3000)
    assert len(words) == 3000 and {"".join(w.phones) for w in words} <= {"bənænə", "bɐnænə"}


def test_threads_do_not_mix_up_results():
    texts = [f"sentence number {i} in the park" for i in range(40)]
    jobs = [(code, text) for text in texts for code in ("en-us", "de", "fr-fr")]

    def read(job):
        return [w.phones for w in get_g2p(language=job[0])(job[1])]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(read, jobs))
    from text2lip.text.phonemes import _espeak_words

    _espeak_words.cache_clear()
    assert together == [read(job) for job in jobs]


def test_gruut_without_the_data_of_a_language_says_so(monkeypatch):
    pytest.importorskip("gruut")
    monkeypatch.setattr("text2lip.text.phonemes.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install gruut\[fr\]"):  # gruut itself would read nothing
        get_g2p("gruut", "fr")


def test_gruut_reads_the_same_sounds():
    pytest.importorskip("gruut")
    words = get_g2p("gruut", "en")("Put the bin in the park.")
    assert [w.word for w in words] == ["Put", "the", "bin", "in", "the", "park"]
    assert "".join(words[0].phones) == "pʊt" and words[5].phones[0] == "p"
    with pytest.raises(ValueError, match="gruut"):
        get_g2p("gruut", "ja")


def test_unknown_engine():
    with pytest.raises(ValueError, match="espeak"):
        get_g2p("festival")


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("təˈmɑːtəʊ", ["t", "ə", "m", "ɑː", "t", "əʊ"]),
        ("t͡ʃeɪndʒ kʰæt", ["tʃ", "eɪ", "n", "dʒ", "kʰ", "æ", "t"]),
        ("/ˈpi.kɑn/", ["p", "i", "k", "ɑ", "n"]),
        ("a.ɪ", ["a", "ɪ"]),
    ],
)
def test_parse_ipa(ipa, phones):
    assert parse_ipa(ipa) == phones


def test_parse_ipa_without_letters():
    with pytest.raises(ValueError, match="IPA"):
        parse_ipa("ˈ...5")
