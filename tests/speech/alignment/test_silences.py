import numpy as np
import pytest

from text2lip.speech.alignment.silences import LONGEST_STOP, STOP_CLOSURE, end_with_the_sound, pauses, trim_edges
from text2lip.speech.features import mfcc
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Segment, Timeline


@pytest.fixture
def sound():
    """Hum throughout, speech from 0.7 to 1.2 s."""
    times = np.arange(2 * 16000) / 16000
    hum = 0.05 * np.sin(2 * np.pi * 50 * times)
    speech = 0.3 * np.random.default_rng(0).normal(size=len(times)) * ((times > 0.7) & (times < 1.2))
    return (hum + speech).astype(np.float32)


def test_a_stop_that_swallowed_the_pause_before_speech_gives_it_back(sound):
    phones = [Segment("b", 0.01, 0.75), Segment("ɪ", 0.75, 1.0), Segment("n", 1.0, 1.2)]
    trimmed, words = trim_edges(phones, [Segment("bin", 0.01, 1.2)], sound)
    assert trimmed[0].start == pytest.approx(0.7 - STOP_CLOSURE, abs=0.02)
    assert trimmed[0].end == 0.75 and trimmed[1:] == phones[1:]
    assert words == [("bin", trimmed[0].start, 1.2)]


def test_a_stop_is_never_longer_than_a_stop(sound):
    trimmed, _ = trim_edges([Segment("b", 0.0, 1.0), Segment("ɪ", 1.0, 1.2)], [], sound)
    assert trimmed[0].start == pytest.approx(1.0 - LONGEST_STOP)


def test_a_last_phone_ends_with_its_sound(sound):
    phones = [Segment("n", 0.7, 0.9), Segment("aʊ", 0.9, 1.9)]
    trimmed, words = trim_edges(phones, [Segment("now", 0.7, 1.9)], sound)
    assert trimmed[1].end == pytest.approx(1.2, abs=0.02)
    assert words[0].end == trimmed[1].end


def test_short_phones_and_phones_inside_speech_stay(sound):
    phones = [Segment("s", 0.7, 0.8), Segment("uː", 0.8, 1.15), Segment("n", 1.15, 1.2)]
    assert trim_edges(phones, [], sound)[0] == phones


def test_pauses_are_found():
    rate = 16_000
    noise = np.random.default_rng(0).normal(0, 1, rate)
    audio = np.concatenate([noise * 1e-3, noise * 0.1, noise[:1_600] * 1e-3, noise * 0.1, noise[:8_000] * 1e-3])
    silent = pauses(mfcc(audio)[1])
    assert silent[:95].all() and silent[-45:].all()
    assert not silent[105:300].any(), "100 ms inside are a closure, no pause"


def test_a_phone_ends_with_its_sound():
    audio = np.zeros(16_000, np.float32)
    audio[1_600:8_000] = 0.1
    timeline = Timeline.from_phones([("", 0, 0.1), ("a", 0.1, 0.3), ("v", 0.3, 0.9)], [("have", 0.1, 0.9)], 1.0)
    found = end_with_the_sound(Speech(audio, 16_000, timeline)).timeline
    assert [phone.label for phone in found.phones] == ["", "a", "v", ""]
    assert found.phones[2].end == pytest.approx(0.5) and found.words == [("have", 0.1, found.phones[2].end)]
    assert found.phones[3].end == found.duration == 1.0


def test_a_last_vowel_that_is_not_heard_leaves_the_mouth_shut():
    audio = np.zeros(16_000, np.float32)
    audio[1_600:8_000] = 0.1
    phones = [("d", 0.1, 0.2), ("e", 0.2, 0.3), ("s", 0.3, 0.5), ("ɯ", 0.5, 0.9)]
    speech = Speech(audio, 16_000, Timeline.from_phones(phones, [("です", 0.1, 0.9)], duration=1.0))
    found = end_with_the_sound(speech).timeline
    assert found.phones[-2].label == "ɯ" and found.phones[-2].end == pytest.approx(0.52)
    assert found.words[-1].end == pytest.approx(0.52)
