"""The espeak voice: exact times, every time."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.protocol import SilentTextError


SENTENCES = [
    ("Good morning, and welcome.", "en-us"),
    ("Le chat boit du lait dans la cuisine.", "fr"),
    ("Der schnelle braune Fuchs.", "de"),
    ("Пять дней.", "ru"),
    ("我爱北京天安门。", "zh"),
    ("สวัสดีครับ", "th"),
    ("नमस्ते दुनिया", "hi"),
]


@pytest.fixture(scope="module")
def espeak():
    return EspeakSynthesizer()


def labels(speech):
    return [phone.label.lstrip("ˈˌ") for phone in speech.timeline.phones if phone.label]


@pytest.mark.parametrize(("text", "language"), SENTENCES)
def test_phones_fill_the_sound_to_the_sample(espeak, text, language):
    speech = espeak(text, language=language)
    phones = speech.timeline.phones
    assert speech.audio.dtype == np.float32 and speech.audio.ndim == 1 and np.abs(speech.audio).max() <= 1
    assert phones[0].start == 0 and phones[-1].end == speech.timeline.duration == speech.duration
    assert all(a.end == b.start for a, b in zip(phones, phones[1:]))
    assert all(phone.end > phone.start for phone in phones)
    assert [word.label for word in speech.timeline.words][0][0] == text[0]
    assert "ʲ" not in [phone.label for phone in phones]


def test_words_are_written_as_in_the_text(espeak):
    text = "In the park, of the 12:30 twenty-one café 1234 don't."
    words = espeak(text).timeline.words
    assert [word.label for word in words] == text.split()
    assert all(a.end <= b.start for a, b in zip(words, words[1:]))
    assert words[2].label == "park," and words[3].start - words[2].end > 0.1  # the comma


def test_words_of_unspaced_scripts_are_cut_where_espeak_cuts(espeak):
    assert [word.label for word in espeak("我爱北京。", language="cmn").timeline.words] == ["我", "爱", "北", "京。"]


def test_a_plosive_starts_with_its_closure(espeak):
    speech = espeak("A happy puppy.")
    plosives = [phone for phone in speech.timeline.phones if phone.label == "p"]
    assert len(plosives) == 3
    for phone in plosives:
        first = int(phone.start * speech.sampling_rate)
        closure = speech.audio[first : first + int(0.03 * speech.sampling_rate)]
        assert phone.end - phone.start > 0.05
        assert np.abs(closure).max() < 0.001, "the lips are shut in the silence before the burst"


def test_same_bytes_from_many_threads(espeak):
    def digest(index):
        text, language = SENTENCES[index % len(SENTENCES)]
        speech = espeak(text, language=language)
        return index % len(SENTENCES), hashlib.md5(speech.audio.tobytes()).hexdigest(), tuple(speech.timeline.phones)

    with ThreadPoolExecutor(6) as pool:
        results = set(pool.map(digest, range(42)))
    assert len(results) == len(SENTENCES)


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.5])
def test_rate_changes_the_duration_and_times_stay_exact(espeak, rate):
    text = "The rain in Spain falls mainly on the plain."
    speech, normal = espeak(text, speaking_rate=rate), espeak(text)
    assert speech.duration == pytest.approx(normal.duration / rate, rel=0.25)
    assert speech.timeline.phones[-1].end == speech.duration


def test_variant_is_another_voice_with_the_same_phones(espeak):
    high = EspeakSynthesizer("f3")("Hello there.")
    normal = espeak("Hello there.")
    assert labels(high) == labels(normal)
    assert not np.array_equal(high.audio, normal.audio)


@pytest.mark.parametrize(
    ("ipa", "language", "heard"),
    [
        ("təˈmɑːtəʊ", "en-gb", ["t", "ə", "m", "ɑː", "t", "əʊ"]),
        ("ʃɑ̃.pi.ɲɔ̃", "fr", ["ʃ", "ɑ̃", "p", "i", "ɲ", "ɔ̃"]),
        ("haʊs", "de", ["h", "aʊ", "s"]),
        ("ʁaɓ", "es", ["r", "a", "p"]),  # what Spanish lacks is said as its nearest
    ],
)
def test_ipa_is_spoken(espeak, ipa, language, heard):
    assert labels(espeak.speak_phones(ipa, language=language)) == heard


def test_stress_goes_to_the_vowel_after_its_mark(espeak):
    spoken = espeak.speak_phones("ˌɪntəˈnæʃnəl", language="en-us")
    stressed = [phone.label for phone in spoken.timeline.phones if phone.label.startswith("ˈ")]
    assert stressed == ["ˈæ"]


@pytest.mark.parametrize("ipa", ["tə" * 110, "tə" * 1000, ("tə" * 20 + " ") * 10])
def test_ipa_of_any_length_is_spoken_whole(espeak, ipa):
    speech = espeak.speak_phones(ipa)
    assert sum(phone.label.lstrip("ˈˌ") in ("t", "ɾ", "ə") for phone in speech.timeline.phones) == 2 * ipa.count("tə")
    assert {phone.label.lstrip("ˈˌ") for phone in speech.timeline.phones} <= {"t", "ɾ", "ə", ""}


def test_a_change_of_language_is_no_phone(espeak):
    speech = espeak("我喜欢SUV", language="zh")
    assert not any("(" in phone.label for phone in speech.timeline.phones)
    assert labels(speech)[-6:] == ["ɛ", "s", "j", "uː", "v", "iː"]


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("漢字を書く", "ja", "'漢字' is Japanese kanji, which 'ja' doesn't read; pip install haqumei"),
        ("今日は東京。", "en-us", "'今日' is Japanese kanji, .* give language='ja'"),
        ("This is 我们.", "en-us", "'我们' is Chinese, .* give language='zh', or mark it in SSML"),
        ("Это так", "en-us", "'Это' is Cyrillic, .*language='ru'"),
        ("สวัสดี", "de", "is Thai, .*language='th'"),
        ("ខ្មែរ", "en-us", "is Khmer, .*no voice here reads it"),
    ],
)
def test_a_script_that_would_be_spelled_is_refused(espeak, text, language, message, monkeypatch):
    monkeypatch.setattr("text2lip.text.readers._haqumei", lambda: None)
    with pytest.raises(ValueError, match=message):
        espeak(text, language=language)


@pytest.mark.parametrize(("text", "language"), [("α and β", "en-us"), ("ひらがな カタカナ", "ja"), ("漢字", "yue")])
def test_a_script_that_is_read(espeak, text, language):
    assert labels(espeak(text, language=language))


def test_a_temporary_folder_that_forbids_programs_is_named(espeak, monkeypatch):
    def refuse(path):
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr("text2lip.speech.voices.espeak.C.CDLL", refuse)
    with pytest.raises(OSError, match="noexec.*set TMPDIR"):
        espeak("Hello.")


@pytest.mark.parametrize("text", ["", "   ", "?!...", "\0\0"])
def test_nothing_to_say(espeak, text):
    with pytest.raises(SilentTextError, match="at least one word"):
        espeak(text)


def test_controls_and_surrogates_count_as_spaces(espeak):
    assert labels(espeak("hel\0lo \ud800there\x07")) == labels(espeak("hel lo there"))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"language": "volapük"}, "language"),
        ({"language": "kl"}, "refused"),
        ({"language": ""}, "language"),
        ({"speaking_rate": 0}, "speaking_rate"),
        ({"speaking_rate": float("nan")}, "speaking_rate"),
        ({"speaking_rate": "fast"}, "speaking_rate"),
    ],
)
def test_bad_arguments(espeak, kwargs, message):
    with pytest.raises(ValueError, match=message):
        espeak("Hello.", **kwargs)


def test_bad_text_and_variant(espeak):
    with pytest.raises(ValueError, match="wants a string"):
        espeak(None)
    with pytest.raises(ValueError, match="no variant 'nobody'.*f3"):
        EspeakSynthesizer("nobody")
    with pytest.raises(ValueError, match="no IPA letter"):
        espeak.speak_phones("--", language="en-us")
