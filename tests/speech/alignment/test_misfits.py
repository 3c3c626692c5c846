"""A word that is missing in a transcript, or one too many, is told, and doesn't move the others."""

import warnings

import numpy as np
import pytest

from text2lip.speech import AlignmentWarning, align, resample, synthesize
from text2lip.speech.alignment.coverage import DOUBTED
from text2lip.text.timing import Segment, Timeline


TEXT = "Bob met my uncle and his five brothers on the farm near Rome."


@pytest.fixture(scope="module")
def said():
    speech = synthesize(TEXT, "pico")
    return np.pad(resample(speech.audio, speech.sampling_rate, 16_000), 3_200)


@pytest.fixture(scope="module")
def right(said):
    return align(said, 16_000, TEXT)


def aligned(said, text):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", AlignmentWarning)
        return align(said, 16_000, text), " ".join(str(warning.message) for warning in told)


def test_words_that_are_said_are_sure(right):
    assert len(right.confidence) == len(right.words) and min(right.confidence) > 0.5


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [("uncle and", "uncle certainly and", [4]), ("five", "yellow", [6]), ("near", "extremely yellow near", [11, 12])],
)
def test_words_that_are_not_said_are_told_and_the_others_stay(said, right, old, new, wrong):
    found, told = aligned(said, TEXT.replace(old, new))
    doubted = [i for i, sure in enumerate(found.confidence) if sure < DOUBTED]
    assert doubted == wrong
    for i in wrong:
        assert f"'{found.words[i].label}' at " in told
    kept = {word.label: word.start for word in found.words}
    away = {word.label: kept[word.label] - word.start for word in right.words if word.label in kept}
    assert len(away) >= len(right.words) - 1 and max(np.abs(list(away.values()))) < 0.05, away


def test_a_word_that_the_text_lacks_moves_no_other(said, right):
    found, _ = aligned(said, TEXT.replace("brothers ", ""))
    starts = {word.label: word.start for word in right.words}
    assert max(abs(word.start - starts[word.label]) for word in found.words) < 0.06


def test_the_least_sure_word_is_the_wrong_one_in_other_languages():
    text = "Guten Morgen, wie geht es dir heute? Das Wetter bleibt schlecht."
    speech = synthesize(text, "pico", "de")
    sure = align(speech.audio, speech.sampling_rate, text, "de").confidence
    assert len(sure) == 11 and min(sure) > DOUBTED
    found = align(speech.audio, speech.sampling_rate, text.replace("dir", "Rhabarberkuchen"), "de").confidence
    assert min(found) == found[5] < min(sure)


@pytest.mark.parametrize(
    ("language", "text", "old", "new"),
    [
        ("de", "Die Kinder spielen am Abend im Hof der alten Schule.", "spielen ", "spielen Kartoffel gewiss "),
        ("it", "I bambini giocano nel cortile della scuola.", "cortile ", "giallo "),
        ("fr", "Les enfants jouent dans ma cour de la vieille école.", "dans ", ""),
    ],
)
def test_a_wrong_word_moves_no_other_in_other_languages(language, text, old, new):
    speech = synthesize(text, "pico", language)
    sound = np.pad(resample(speech.audio, speech.sampling_rate, 16_000), 3_200)
    right = {word.label: word.start for word in align(sound, 16_000, text, language).words}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlignmentWarning)
        found = align(sound, 16_000, text.replace(old, new), language)
    away = [word.start - right[word.label] for word in found.words if word.label in right]
    assert len(away) >= len(right) - 1 and max(np.abs(away)) < 0.1


def test_confidence_stays_with_its_words():
    words = [Segment("a", 0, 1), Segment("b", 1, 2)]
    timeline = Timeline([Segment("a", 0.0, 1.0), Segment("b", 1.0, 2.0)], words, 2.0, confidence=(0.9, 0.1))
    assert timeline.pad(3).confidence == (0.9, 0.1) and timeline.cut(0.5).confidence == (0.9,)
