"""Loudness by BS.1770, one level for every voice, no clipping, no clicks."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from text2lip.speech import Speech, synthesize
from text2lip.speech.loudness import TRUE_PEAK, at_loudness, limited, loudness, without_clicks
from text2lip.text import Timeline


def tone(rate, seconds=3.0, hertz=997, peak=1.0):
    return (peak * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
def test_a_tone_of_full_scale(rate):
    assert loudness(tone(rate), rate) == pytest.approx(-3.01, abs=0.05)  # EBU Tech 3341
    assert loudness(tone(rate, peak=0.1), rate) == pytest.approx(-23.01, abs=0.05)
    pieces = np.array_split(tone(rate), [3, 3, rate // 7, 2 * rate])
    assert loudness(pieces, rate) == pytest.approx(loudness(tone(rate), rate), abs=1e-9)


def test_silence_is_left_out():
    sound = np.concatenate([tone(48_000, peak=0.1), np.zeros(480_000, np.float32), tone(48_000, peak=0.1)])
    assert loudness(sound, 48_000) == pytest.approx(-23.0, abs=0.3)
    assert loudness(np.zeros(48_000), 48_000) == -np.inf
    assert loudness(tone(48_000, 0.1), 48_000) == pytest.approx(-3.0, abs=0.1), "shorter than a block"


def test_pieces_are_levelled_together_and_peaks_turned_down():
    rng = np.random.default_rng(0)
    quiet, loud = tone(16_000, 1, peak=0.02), tone(16_000, 1, peak=0.1)
    loud[8_000:8_010] = rng.uniform(-1, 1, 10)
    one, two = at_loudness([quiet, loud], 16_000)
    assert loudness(np.concatenate([one, two]), 16_000) == pytest.approx(-16, abs=0.5)
    assert np.abs(two[:4_000]).max() / np.abs(one[:4_000]).max() == pytest.approx(5, rel=0.01)
    assert np.abs(resample_poly(two, 8, 1)).max() < TRUE_PEAK * 1.03 and two.dtype == np.float32
    assert not at_loudness([np.zeros(800, np.float32)], 8_000)[0].any()
    assert np.array_equal(limited(quiet, 16_000), quiet)


def test_edges_go_to_zero_and_the_rest_stays():
    sound = tone(8_000, 1) + 0.5
    faded = without_clicks(sound, 8_000)
    assert faded[0] == faded[-1] == 0 and np.array_equal(faded[40:-40], sound[40:-40])
    still = np.pad(tone(8_000, 1), 10)
    assert np.array_equal(without_clicks(still, 8_000), still)
    assert len(without_clicks(np.ones(3, np.float32), 8_000)) == 3


@pytest.mark.parametrize(
    ("voice", "language", "text"),
    [
        ("hibari", "en", "Good morning. Nobody knows! Is anybody there?"),
        ("espeak", "en", "Good morning. Nobody knows! Is anybody there?"),
        ("default", "de", "Guten Morgen."),
        ("default", "ru", "Привет, мир."),
    ],
)
def test_voices_are_equally_loud_and_true_to_their_times(voice, language, text):
    speech = synthesize(text, voice, language)
    in_a_film = np.pad(speech.audio, [round(seconds * speech.sampling_rate) for seconds in (0.2, 0.36)])
    assert loudness(in_a_film, speech.sampling_rate) == pytest.approx(-16, abs=1)
    assert np.abs(resample_poly(speech.audio, 4, 1)).max() < 0.92
    plain = synthesize(text, voice, language, loudness=None)
    assert plain.timeline == speech.timeline and len(plain.audio) == len(speech.audio)
    assert speech.timeline.duration == len(speech.audio) / speech.sampling_rate


def test_no_click_where_sentences_meet():
    def humming(text, language="en"):
        sound = 0.2 + 0.1 * tone(16_000, 0.5)
        return Speech(sound, 16_000, Timeline.from_phones([("m", 0, 0.5)], [(text, 0, 0.5)]))

    speech = synthesize("One. Two. Three", humming)
    assert np.abs(np.diff(speech.audio, prepend=0, append=0)).max() < 0.2
    assert [word.start for word in speech.timeline.words] == pytest.approx([0, 0.82, 1.64])


@pytest.mark.parametrize("wrong", [float("nan"), "loud", 3, -100])
def test_a_loudness_is_one_of_speech(wrong):
    with pytest.raises(ValueError, match="loudness: got .*; wants LUFS from -60 to 0"):
        synthesize("Hi.", "espeak", loudness=wrong)
