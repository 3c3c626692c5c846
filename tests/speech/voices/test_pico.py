"""SVOX Pico: six languages, times by alignment."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from text2lip.speech import align, get_synthesizer
from text2lip.speech.voices.protocol import SilentTextError


pytest.importorskip("py_nanotts")
SENTENCES = {
    "en": "Nobody has ever recorded this sentence.",
    "en-gb": "Good morning, and welcome to the show.",
    "de": "Guten Morgen, wie geht es dir heute?",
    "fr": "Le petit chat boit du lait dans la cuisine.",
    "es": "El perro corre por el parque.",
    "it": "Vorrei una tazza di caffè, per favore.",
}


@pytest.fixture(scope="module")
def pico():
    return get_synthesizer("pico")


@pytest.mark.parametrize("language", SENTENCES)
def test_speech_and_times(pico, language):
    text = SENTENCES[language]
    speech = pico(text, language=language)
    assert speech.sampling_rate == 16_000 and 0.2 < np.abs(speech.audio).max() < 1
    assert [word.label for word in speech.timeline.words] == text.split()
    assert speech.timeline.phones[-1].end == pytest.approx(speech.duration)
    starts = np.array([word.start for word in speech.timeline.words])
    assert (np.diff(starts) > 0).all()
    loud = np.flatnonzero(np.abs(speech.audio) > 0.02) / speech.sampling_rate
    assert speech.timeline.words[0].start == pytest.approx(loud[0], abs=0.08)
    assert speech.timeline.words[-1].end == pytest.approx(loud[-1], abs=0.15)


def test_two_aligners_agree(pico):
    speech = pico(SENTENCES["en"])
    warped = align(speech.audio, speech.sampling_rate, SENTENCES["en"], method="dtw")
    differences = [a.start - b.start for a, b in zip(warped.words, speech.timeline.words)]
    assert np.abs(differences).mean() < 0.05


def test_same_bytes_from_threads(pico):
    def digest(language):
        return language, hashlib.md5(pico(SENTENCES[language], language=language).audio.tobytes()).hexdigest()

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(digest, ["en", "de", "fr"] * 3))) == 3


def test_rate(pico):
    slow, fast = pico("Good morning everybody.", speaking_rate=0.7), pico("Good morning everybody.", speaking_rate=1.4)
    assert slow.duration == pytest.approx(2 * fast.duration, rel=0.2)


def test_numbers_that_the_engines_read_differently(pico):
    speech = pico("In 1999, about 25 people came.")
    assert [word.label for word in speech.timeline.words] == ["In", "1999,", "about", "25", "people", "came."]


def test_endless_words_and_long_sentences(pico):
    assert pico("a" * 500).duration > 1
    speech = pico("and so on " * 60)
    assert len(speech.timeline.words) == 180


def test_what_pico_cannot_say(pico):
    with pytest.raises(ValueError, match="'pico' doesn't speak 'ru'"):
        pico("Привет.", language="ru")
    with pytest.raises(SilentTextError):
        pico("?!")
