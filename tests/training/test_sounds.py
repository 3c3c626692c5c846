"""Sounds that are made up for training, and sound as it is recorded elsewhere."""

import numpy as np
import pytest

from text2lip.speech.features import log_mel
from text2lip.training.sound_augment import (
    as_recorded_elsewhere,
    in_a_room,
    through_a_microphone,
    through_another_tract,
)
from text2lip.training.sounds import COLOURS, babble, hum, music, noise, sung_vowels


SAMPLES = 32_000


def spectrum(sound):
    return np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / 16_000)


@pytest.mark.parametrize("make", [noise, hum, music, lambda rng, n: babble(rng, n, [noise(rng, 9000)] * 3)])
def test_sounds_have_one_level_and_come_from_their_generator(make):
    sound, again, other = (make(np.random.default_rng(seed), SAMPLES) for seed in (1, 1, 2))
    assert sound.shape == (SAMPLES,) and sound.dtype == np.float32
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.1, rel=1e-3)
    assert np.array_equal(sound, again) and not np.allclose(sound, other, atol=0.01)


@pytest.mark.parametrize("colour", COLOURS)
def test_noise_falls_with_frequency_as_its_colour_says(colour):
    power, hertz = spectrum(noise(np.random.default_rng(0), SAMPLES, colour))
    octaves = [power[(hertz > low) & (hertz < 2 * low)].mean() for low in (500, 1000, 2000)]
    assert np.diff(np.log2(octaves)) == pytest.approx(COLOURS[colour], abs=0.35)


def test_a_song_sounds_where_its_phones_are_and_rests_at_both_ends():
    sound, phones = sung_vowels(np.random.default_rng(3), 3.0)
    assert phones[0].label == phones[-1].label == "" and phones[-1].end == pytest.approx(len(sound) / 16_000, abs=1e-3)
    assert all(first.end == second.start for first, second in zip(phones, phones[1:]))
    for phone in phones:
        level = np.sqrt(np.mean(sound[int(phone.start * 16_000) : int(phone.end * 16_000)] ** 2))
        assert (level > 0.01) == bool(phone.label)


def test_a_voice_recorded_elsewhere_keeps_its_times_and_level():
    clicks = np.zeros(SAMPLES, np.float32)
    clicks[4000:6000] = clicks[20_000:24_000] = np.random.default_rng(0).normal(size=6000)[:1]
    clicks *= np.random.default_rng(1).normal(size=SAMPLES).astype(np.float32)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        heard, speed = as_recorded_elsewhere(clicks, [music(rng, 8000)], rng)
        assert heard.dtype == np.float32 and np.isfinite(heard).all()
        assert 0.8 <= speed <= 1.2 and len(heard) == pytest.approx(SAMPLES / speed, abs=2)
        curves = [log_mel(x, 50, 25 * s).mean(1) for x, s in ((clicks, 1), (heard, speed))]
        assert np.corrcoef(curves)[0, 1] > 0.5


def test_rooms_ring_after_the_sound_and_microphones_cut_both_ends():
    click = np.zeros(SAMPLES, np.float32)
    click[8000] = 1
    rung = in_a_room(click, np.random.default_rng(0))
    assert not rung[:8000].any() or np.abs(rung[:8000]).max() < 1e-6
    assert np.sum(rung[8001:] ** 2) > 0.02 and rung[8000] == pytest.approx(1, abs=0.2)
    power, hertz = spectrum(through_a_microphone(click, np.random.default_rng(0)))
    assert power[hertz < 30].max() < 0.05 * power.max() and power[hertz == 1000][0] > 0.5


def test_another_tract_moves_all_frequencies_by_one_share_and_no_time():
    time = np.arange(SAMPLES) / 16_000
    tone, edge = np.sin(2 * np.pi * 2000 * time).astype(np.float32), SAMPLES // 2
    tone[:edge] = 0
    plain, shares = log_mel(tone, 50), []
    for seed in range(30):
        features = through_another_tract(plain, np.random.default_rng(seed))
        assert features.shape == plain.shape and features.dtype == np.float32
        heard = [log_mel(np.sin(2 * np.pi * 2000 * share * time) * (time >= 1), 50) for share in (1, 1.1, 0.9)]
        peaks = [x[30].reshape(4, 80)[0].argmax() for x in (features, *heard)]
        shares.append(int(peaks[0]) - int(peaks[1]))
        assert np.abs(features[:24] - plain[:24]).max() < 0.02
    assert 0 in shares and max(shares) > 3 and min(shares) < -3
