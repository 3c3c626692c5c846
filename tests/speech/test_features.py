import tracemalloc

import numpy as np
import pytest

from text2lip import memory
from text2lip.speech import features
from text2lip.speech.features import hertz_to_mel, levelled, log_mel, mel_bands, mel_filters, mel_to_hertz, mfcc


def tone(hertz, seconds=1.0):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(16000 * seconds)) / 16000)).astype(np.float32)


def test_mel_scale_is_its_own_inverse():
    for hertz in (50.0, 999.0, 1000.0, 4321.0):
        assert mel_to_hertz(np.array([hertz_to_mel(hertz)]))[0] == pytest.approx(hertz)


def test_filters_of_htk_rise_to_one_between_their_neighbours():
    filters, hertz = mel_filters(26, 512, 80, 7600), np.arange(257) * 16000 / 512
    assert filters.shape == (26, 257) and not filters[:, (hertz <= 80) | (hertz >= 7600)].any()
    middles = 2595 * np.log10(1 + (filters @ hertz) / filters.sum(1) / 700)
    assert np.diff(middles[5:]) == pytest.approx(np.diff(middles).mean(), rel=0.1)
    inside = (hertz > 400) & (hertz < 6500)
    assert filters.sum(0)[inside] == pytest.approx(1)
    assert np.all(mel_filters(26, 512, whole_bins=True).max(1) == 1)


@pytest.mark.parametrize("hertz", [200, 1000, 4000])
def test_a_tone_peaks_in_its_band(hertz):
    steps = log_mel(tone(hertz), 25).reshape(-1, 80)
    band = mel_bands()[int(round(hertz / 40))].argmax()
    assert abs(int(steps[50].argmax()) - band) <= 1


@pytest.mark.parametrize(("frames", "fps"), [(25, 25), (30, 30), (24, 24), (60, 60)])
def test_a_click_is_in_its_frame_at_any_rate(frames, fps):
    audio = np.zeros(16000, np.float32)
    audio[8000:8010] = 1
    energy = log_mel(audio, frames, fps).reshape(frames, -1).mean(1)
    assert abs(int(energy.argmax()) - frames // 2) <= 1


def test_silence_is_the_floor_and_short_sound_is_padded():
    features = log_mel(np.zeros(100, np.float32), 10)
    assert features.shape == (10, 320) and features.dtype == np.float32
    assert np.all(features == features[0, 0]) and features[0, 0] == pytest.approx(-1)


def test_long_recordings_take_little_memory():
    """Of what numpy holds: ten minutes, 38 MB; all windows and their spectra at once took 1 GB, copies 160 MB."""
    samples = np.random.default_rng(0).normal(0, 0.1, 600 * 16_000).astype(np.float32)
    tracemalloc.start()
    try:
        cepstra, energy = mfcc(samples)
        assert tracemalloc.get_traced_memory()[1] < 120e6
    finally:
        tracemalloc.stop()
    assert len(cepstra) == len(energy) == 60_000
    assert np.array_equal(mfcc(samples[5000 * 160 :]).energy[10:100], energy[5010:5100]), "as in pieces of its own"


def test_a_long_sound_is_levelled_in_a_file(monkeypatch):
    sound = np.random.default_rng(0).normal(0, 0.1, 50_001).astype(np.float32)
    wanted, cepstra = levelled(sound), mfcc(sound)
    monkeypatch.setattr(memory, "IN_MEMORY", 1_000)
    long = levelled(memory.copied(sound, len(sound)))
    assert memory.in_file(long) and np.array_equal(long, wanted)
    assert memory.in_file(mfcc(long).coefficients) and np.array_equal(mfcc(sound).coefficients, cepstra.coefficients)


def test_levelled_speech_is_as_loud_from_any_microphone_and_silence_stays_silent():
    rng = np.random.default_rng(0)
    speech = tone(440, 2.0) * np.repeat([0.0, 1.0, 0.3, 0.0], 8000).astype(np.float32)
    wanted = levelled(speech)
    assert np.sqrt(np.mean(wanted[8000:24000] ** 2)) == pytest.approx(0.1, rel=0.1)
    for decibel in (-30, -15, 0):
        assert levelled(speech * 10 ** (decibel / 20)) == pytest.approx(wanted, abs=1e-4)
    assert levelled(np.r_[speech, np.zeros(160_000, np.float32)])[: len(speech)] == pytest.approx(wanted, abs=0.02)
    hum = 0.5 * np.sin(2 * np.pi * 50 * np.arange(len(speech)) / 16000)
    gain = levelled(speech + hum).max() / (speech + hum).max()  # a hum as loud as the speech is hardly counted
    assert gain == pytest.approx(wanted.max() / speech.max(), rel=0.4)
    assert not levelled(np.zeros(100)).any()
    assert np.abs(levelled(1e-5 * rng.normal(size=16000))).max() < 2e-3


def test_cepstra_of_pieces_are_those_of_the_whole(monkeypatch):
    monkeypatch.setattr(features, "SPECTRA_AT_ONCE", 64)
    sound = np.random.default_rng(0).normal(0, 0.1, 33_333)
    whole, parts = mfcc(sound), mfcc(iter(np.array_split(sound, 7)))
    assert whole.coefficients.shape == (208, 13) and whole.energy.shape == (208,)
    assert np.array_equal(whole.coefficients, parts.coefficients) and np.array_equal(whole.energy, parts.energy)


def test_a_stretched_spectrum_is_that_of_a_longer_vocal_tract():
    times = np.arange(16_000) / 16_000
    low, high = (sum(np.sin(2 * np.pi * f * factor * times) for f in (500, 1500, 2500)) for factor in (1, 1.16))
    near, far = (mfcc(high, stretch).coefficients[10:90, 1:] for stretch in (1.16, 1.0))
    wanted = mfcc(low).coefficients[10:90, 1:]
    assert np.abs(near - wanted).mean() < 0.5 * np.abs(far - wanted).mean()
