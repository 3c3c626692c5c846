import numpy as np
import pytest

from text2lip import memory
from text2lip.speech import resampling
from text2lip.speech.audio import resample, to_mono
from text2lip.speech.resampling import Resampled, resampled, resampled_whole


@pytest.mark.parametrize(("rate", "target"), [(24_000, 16_000), (22_050, 16_000), (8_000, 16_000), (22_050, 44_100)])
@pytest.mark.parametrize("samples", [1, 300, 33_333])
def test_windows_are_those_of_the_whole(monkeypatch, rate, target, samples):
    monkeypatch.setattr(resampling, "SAMPLES_AT_ONCE", 5_000)
    sound = np.random.default_rng(0).normal(0, 0.1, (2, samples)).astype(np.float32)
    both, mono = Resampled(sound, rate, target), Resampled(sound, rate, target, mono=True)
    whole, mixed = resample(sound, rate, target), resample(to_mono(sound), rate, target)
    assert (len(both), both.channels, mono.channels) == (whole.shape[1], 2, 1)
    assert np.array_equal(np.concatenate(list(both.pieces()), 1), whole)
    assert np.array_equal(np.concatenate(list(mono.pieces())), mixed)
    assert np.array_equal(mono[samples // 3 : samples // 2], mixed[samples // 3 : samples // 2])
    assert np.array_equal(np.concatenate(list(resampled(np.array_split(to_mono(sound), 7), rate, target))), mixed)


def test_a_long_sound_is_resampled_in_a_file(monkeypatch):
    monkeypatch.setattr(resampling, "SAMPLES_AT_ONCE", 5_000)
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 33_333)).astype(np.float32)
    whole = resampled_whole(sound, 24_000, 16_000)
    monkeypatch.setattr(memory, "IN_MEMORY", 100_000)
    long = resampled_whole(memory.copied(sound, 33_333), 24_000, 16_000)
    assert memory.in_file(long) and not memory.in_file(whole) and np.array_equal(long, whole)


def test_channels_that_cancel_are_heard():
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 4_000)).astype(np.float32)
    sound[1] = -sound[0]
    assert np.array_equal(Resampled(sound, 16_000, 16_000, mono=True)[:], sound[0])
