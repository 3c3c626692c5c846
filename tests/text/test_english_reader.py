"""English read without espeak-ng."""

import pytest

from text2lip.text import VisemeTokenizer
from text2lip.text.phonemes import get_g2p


def test_words_are_read_with_stress_and_matched_to_the_text():
    text = "Dr. Smith ran 5 km, didn't he?"
    words = get_g2p("hibari", "en", stress=True)(text)
    assert [text[slice(*word.span)] for word in words] == ["Dr", "Smith", "ran", "5", "km", "didn't", "he"]
    assert words[1].phones == ["s", "m", "ˈɪ", "θ"] and "".join(words[0].phones).startswith("dˈɑktəɹ")
    assert words[4].phones[:3] == ["k", "ə", "l"], "kilometers"
    assert get_g2p("hibari", "en")("Smith")[0].phones == ["s", "m", "ɪ", "θ"]


def test_british_and_other_languages():
    assert get_g2p("hibari", "en-gb")("bath")[0].phones == ["b", "ɑː", "θ"]
    assert VisemeTokenizer(g2p="hibari")("Bob.").labels[0][1] == "PP"
    with pytest.raises(ValueError, match="g2p 'hibari' reads English, not 'de'"):
        get_g2p("hibari", "de")


def test_english_falls_to_it_where_espeak_is_not_installed(monkeypatch):
    monkeypatch.setattr("text2lip.text.phonemes.espeak_is_installed", lambda: False)
    assert get_g2p("espeak", "en-us")("Bob")[0].phones == ["b", "ɑ", "b"]
    assert get_g2p("espeak", "de")("Bob")[0].phones[0] == "b"
