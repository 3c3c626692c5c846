"""Hibari: English, exact times, read by its own reader."""

import json
from pathlib import Path

import numpy as np
import pytest

from text2lip.speech import align, get_synthesizer, synthesize
from text2lip.speech.alignment.tokens import phones_from_tokens
from text2lip.speech.voices import hibari
from text2lip.speech.voices.protocol import SilentTextError
from text2lip.text.english_reader import READER_TO_IPA
from text2lip.text.languages import ENGLISH_CODES, available_languages
from text2lip.text.visemes import PHONE_INVENTORY, split_phone


TEXT = "She sells sea shells by the shore, but nobody has recorded this sentence."


@pytest.fixture(scope="module")
def voice():
    return get_synthesizer("hibari")


@pytest.fixture(scope="module")
def speech(voice):
    return voice(TEXT)


def test_times_are_exact(speech):
    phones = speech.timeline.phones
    assert phones[0].start == 0 and phones[-1].end == len(speech.audio) / 24_000 == speech.duration
    assert all(a.end == b.start for a, b in zip(phones, phones[1:]))
    assert [word.label for word in speech.timeline.words] == TEXT.split()
    assert all(a.end <= b.start + 1e-9 for a, b in zip(speech.timeline.words, speech.timeline.words[1:]))


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.5])
def test_durations_add_up_to_the_samples(rate):
    audio, units = hibari._model("").run(list("həlˈO ðˈɛɹ, mI fɹˈɛnd."), rate)
    assert len(units) == 24 and units.sum() * hibari.UNIT == len(audio)


def test_times_agree_with_an_aligner(speech):
    found = align(speech.audio, speech.sampling_rate, TEXT)
    differences = np.array([a.start - b.start for a, b in zip(speech.timeline.words, found.words)])
    assert np.abs(differences).mean() < 0.035 and abs(np.median(differences)) < 0.025


def test_deterministic(voice, speech):
    again = voice(TEXT)
    assert np.array_equal(again.audio, speech.audio) and again.timeline == speech.timeline


def test_rate(voice, speech):
    assert voice(TEXT, speaking_rate=1.5).duration < 0.8 * speech.duration


def test_sound_is_not_clipped_and_joins_without_clicks(speech):
    assert 0.1 < np.abs(speech.audio).max() < 1 and speech.audio.dtype == np.float32
    assert speech.audio[0] == speech.audio[-1] == 0
    joined = synthesize("Good morning. Is anybody there? Yes!", "hibari")
    pauses = [phone for phone in joined.timeline.phones[1:-1] if not phone.label]
    assert len(pauses) == 2 and all(0.3 < pause.end - pause.start < 0.6 for pause in pauses)
    steps = np.abs(np.diff(joined.audio))
    for pause in pauses:
        first, last = round((pause.start + 0.02) * 24_000), round((pause.end - 0.02) * 24_000)
        assert steps[first:last].max() < 0.01


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr. Smith (Jr.) ran 5 km at 7:30 pm!", "Dr. Smith (Jr.) ran 5 km at 7:30 pm!"),
        ("On 3 May 2020 — finally — 50% of AT&T's team didn't re-enter.",
         "On 3 May 2020 finally 50% of AT&T's team didn't re-enter."),
        ("Chapter IV: Henry VIII", "Chapter IV: Henry VIII"),
        ("[Well](/həlˈO/), no.", "[Well](/həlˈO/), no."),
    ],
)  # fmt: skip
def test_words_are_spelled_as_written(voice, text, words):
    timeline = voice(text).timeline
    assert [word.label for word in timeline.words] == words.split()
    assert all(word.end > word.start for word in timeline.words)


def test_long_texts(voice):
    speech = voice("so on " * 180, speaking_rate=2.5)
    assert len(speech.timeline.words) == 360
    assert voice("One. Two.").timeline.words[1].start - voice("One.").duration > 0.3


def test_every_symbol_is_ipa():
    for symbol in hibari._model("").vocabulary:
        token = READER_TO_IPA.get(symbol, symbol)
        phones = [phone for phone in phones_from_tokens([("_", 0.1), (token, 0.1), ("a", 0.1)]) if phone.label]
        if symbol.isalpha() and symbol not in "ˈˌːʰʲᵝ":
            assert len(phones) == 2
            assert {letter for letter, _ in split_phone(phones[0].label)} <= set(PHONE_INVENTORY) - {""}
        else:
            assert len(phones) == 1, symbol


def test_speaks_every_letter_of_ipa(voice):
    letters = [letter for letter in PHONE_INVENTORY if letter]
    known = set(hibari._model("").vocabulary)
    assert all(set(hibari._from_ipa(letter)) <= known for letter in letters)
    assert hibari._from_ipa("təˈmɑːtəʊ t͡ʃɪə") == list("təmˈɑtO ʧɪɹ")
    speech = voice.speak_phones("həˈloʊ")
    assert [phone.label for phone in speech.timeline.phones if phone.label] == ["h", "ə", "l", "ˈoʊ"]
    ssml = '<speak>A <phoneme alphabet="ipa" ph="təˈmɑːtəʊ">tomato</phoneme>.</speak>'
    assert "tomato" in [word.label for word in synthesize(ssml, "hibari").timeline.words]


def test_british_reading(voice):
    def say(language):
        return "".join(phone.label for phone in voice("A bath in a car.", language=language).timeline.phones)

    assert hibari._american("hˈɔːsɪz", "horses") == "hˈɔɹsɪz" and hibari._american("θˈɔːt", "thought") == "θˈɔt"
    assert hibari._american("ɹˈɔːɹɪŋ", "roaring") == "ɹˈɔɹɪŋ" and hibari._american("ˈɔːθə", "author") == "ˈɔθə"
    assert "æθ" in say("en-us") and "ɑθ" in say("en-gb") == say("en-AU")
    linked = "".join(symbol for symbol, _ in hibari._items("Hear it. Hear them.", True, hibari._model("")))
    assert linked == "hˈiəɹ ɪt. hˈiə ðˌɛm."
    assert "ɹ" in say("en-us") and "ɹ" not in say("en-gb")


def test_another_model_by_its_path(tmp_path, speech):
    from hibari.tts import ASSETS

    (tmp_path / "bf_emma.onnx").symlink_to(Path(ASSETS) / "hibari.onnx")
    british = get_synthesizer(f"hibari:{tmp_path}/bf_emma.onnx")
    assert "ɒ" in "".join(phone.label for phone in british("Not now.").timeline.phones)
    assert json.loads(Path(ASSETS, "voices.json").read_text(encoding="utf-8"))["emma"]["file"].startswith("b")
    (tmp_path / "none.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match="adds up no durations"):
        get_synthesizer(f"hibari:{tmp_path}/none.onnx")("Hello.")
    with pytest.raises(ValueError, match="no file"):
        get_synthesizer("hibari:/no/such.onnx")


def test_nothing_to_say_and_wrong_language(voice):
    for text in ("?!", "", "—"):
        with pytest.raises(SilentTextError):
            voice(text)
    with pytest.raises(ValueError, match="language"):
        voice("Hallo.", language="de")
    with pytest.raises(ValueError, match="Cyrillic"):
        voice("Привет.")


def test_the_codes_of_english_are_espeaks():
    assert set(ENGLISH_CODES) == {code for code in available_languages() if code.startswith("en")}
