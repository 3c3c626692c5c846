"""The old sound of a film under a new voice."""

import tracemalloc
from dataclasses import replace

import av
import numpy as np
import pytest

from text2lip import memory
from text2lip.media.video_writer import write_video
from text2lip.speech import background, read_audio, resample, synthesize
from text2lip.speech.background import DUCKED, RAMP, ducking, keep_background
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Timeline


RATE = 16_000
BLACK = np.zeros((16, 16, 3), np.uint8)


@pytest.fixture
def film(tmp_path):
    """Six seconds of two tones, 440 Hz left and 550 Hz right, 44.1 kHz."""
    times = np.arange(6 * 44_100) / 44_100
    sound = 0.3 * np.sin(2 * np.pi * np.array([[440.0], [550.0]]) * times).astype(np.float32)
    write_video(tmp_path / "a.mp4", [BLACK] * 150, audio=sound, sampling_rate=44_100)
    return tmp_path / "a.mp4"


def sound_in(path) -> bytes:
    """What a file holds of sound, encoded; on a busy machine the encoder of pictures isn't the same to the bit."""
    with av.open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


def speaking(parts, seconds, level=0.2):
    """Noise at (start, end), silence elsewhere."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    for start, end in parts:
        samples = slice(round(start * RATE), round(end * RATE))
        sound[samples] = np.random.default_rng(0).uniform(-level, level, samples.stop - samples.start)
    return Speech(sound, RATE, Timeline.from_phones([("a", *part) for part in parts], (), seconds))


def level(sound, start, end, rate):
    return 20 * np.log10(np.sqrt((sound[..., round(start * rate) : round(end * rate)] ** 2).mean(-1)))


def test_it_is_lowered_while_the_voice_speaks(film):
    kept = keep_background(speaking([(2, 2.8), (3.2, 4)], 6, level=0.0), film, 6.0)
    assert kept.sampling_rate == 44_100 and kept.audio.shape == (2, 6 * 44_100) and kept.audio.dtype == np.float32
    spans = (1, 1.6), (2, 2.8), (2.8, 3.2), (4.5, 5)
    before, during, pause, after = (level(kept.audio, *span, 44_100) for span in spans)
    np.testing.assert_allclose(before, level(0.3 * np.sin(np.arange(44_100)), 0, 1, 44_100), atol=0.5)
    np.testing.assert_allclose(during - before, DUCKED, atol=0.3)
    np.testing.assert_allclose(pause, during, atol=0.3)
    np.testing.assert_allclose(after, before, atol=0.3)


def test_gain_never_jumps():
    times = np.arange(6 * RATE) / RATE
    gain = ducking(speaking([(0.1, 0.5), (2, 2.8), (3.2, 4), (5.9, 6)], 6), times)
    assert gain.min() == pytest.approx(10 ** (DUCKED / 20), rel=1e-3) and gain.max() == 1
    assert np.abs(np.diff(20 * np.log10(gain))).max() < 2 * -DUCKED / (RAMP * RATE)
    unknown = Speech(np.zeros(RATE, np.float32), RATE, Timeline([], [], 1.0))
    assert np.allclose(ducking(unknown, times[:RATE]), gain.min()), "where no phones are known it stays low"


@pytest.mark.parametrize("loud", [0.5, 0.99, 1.0])
def test_both_together_stay_below_full_scale_and_the_voice_is_what_it_was(film, loud):
    speech = speaking([(0.5, 5.5)], 6, loud)
    mixed = keep_background(speech, film, 6.0).audio
    assert np.abs(mixed).max() <= 1
    voice = resample(speech.audio, RATE, 44_100)
    assert np.abs(mixed - voice).max() <= np.abs(read_audio(film)[0]).max() + 1e-5, "no more than the old sound"
    assert not ((np.abs(mixed) >= 1) & (np.abs(voice) < 0.995)).any()


def test_a_film_that_ends_sooner_fades_out(film):
    kept = keep_background(speaking([(0, 1)], 9), film, 9.0)
    assert kept.audio.shape == (2, 9 * 44_100) and not kept.audio[:, round(6.1 * 44_100) :].any()
    assert np.abs(np.diff(kept.audio[:, round(5 * 44_100) :])).max() < 0.05
    assert keep_background(speaking([(0, 1)], 1), film, 1.0).audio.shape == (2, 44_100)


def test_a_long_film_needs_little_more_memory_than_its_sound(monkeypatch):
    old = np.full((2, 240 * RATE), 0.1, np.float32)
    monkeypatch.setattr(background, "read_audio", lambda film, seconds: (old, RATE))
    speech = speaking([(second, second + 0.5) for second in range(0, 240, 3)], 240)
    tracemalloc.start()
    mixed = keep_background(speech, "film.mp4", 240.0).audio
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * mixed.nbytes


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_a_long_sound_in_a_file_becomes_the_same(film, tmp_path, monkeypatch, rate):
    speech = speaking([(0.5, 2.5)], 4)
    speech = replace(speech, audio=resample(speech.audio, RATE, rate), sampling_rate=rate)
    kept = keep_background(speech, film, 4.0)
    monkeypatch.setattr(memory, "IN_MEMORY", 100_000)
    long = keep_background(replace(speech, audio=memory.copied(speech.audio, len(speech.audio))), film, 4.0)
    assert memory.in_file(long.audio) and np.array_equal(long.audio, kept.audio)
    for name, one in (("short", kept), ("long", long)):
        write_video(tmp_path / f"{name}.mp4", [BLACK] * 100, audio=one.audio, sampling_rate=one.sampling_rate)
    assert sound_in(tmp_path / "short.mp4") == sound_in(tmp_path / "long.mp4") != b""


def test_no_more_is_read_than_is_wanted(film):
    whole, rate = read_audio(film)
    some, _ = read_audio(film, seconds=1.5)
    assert some.shape == (2, round(1.5 * rate)) and np.array_equal(some, whole[:, : some.shape[1]])


def test_what_has_no_sound_is_refused(film, tmp_path, pipe, portrait_file):
    write_video(tmp_path / "silent.mp4", [BLACK] * 9)
    for path in ("silent.mp4", "none.mp4"):
        with pytest.raises(ValueError, match="background: 'keep', but there is no old sound"):
            keep_background(speaking([(0, 1)], 1), tmp_path / path, 1.0)
    with pytest.raises(ValueError, match="there is no new sound"):
        keep_background(speaking([(0, 1)], 1).without_sound(), film, 1.0)
    for image, asked, message in [
        (portrait_file, {}, "but image is no film with a sound"),
        ([BLACK] * 5, {}, "but image is no film with a sound"),
        (film, {"voice": None}, "but the film is to be silent"),
        (tmp_path / "silent.mp4", {}, "but there is no old sound"),
    ]:
        with pytest.raises(ValueError, match=f"background: 'keep', {message}"):
            pipe.stream("Bob.", image, background="keep", **asked)
    with pytest.raises(ValueError, match="background: 'mix'; choose one of"):
        pipe.stream("Bob.", film, background="mix")


def test_a_dubbed_film_keeps_it(pipe, portrait, tmp_path):
    tone = (0.3 * np.sin(np.arange(2 * 48_000) * 0.05)).astype(np.float32)
    write_video(tmp_path / "a.mp4", [portrait] * 50, audio=np.stack([tone, tone]), sampling_rate=48_000)
    asked = {"image": tmp_path / "a.mp4", "num_frames": 25, "renderer": "geometric"}
    kept, replaced = (pipe.stream("Bob.", background=way, **asked) for way in ("keep", "replace"))
    assert kept.sampling_rate == 48_000 and kept.audio.shape == (2, 48_000) and kept.words == replaced.words
    voice = resample(replaced.audio, replaced.sampling_rate, 48_000)
    assert 0.01 < np.abs(kept.audio - voice).max() < 0.31


def test_speech_of_a_voice_is_heard_over_it(film):
    spoken = synthesize("Good morning.", "espeak")
    kept = keep_background(spoken, film, spoken.duration)
    own = resample(spoken.audio, spoken.sampling_rate, 44_100)
    assert np.corrcoef(kept.audio.mean(0)[: len(own)], own[: kept.audio.shape[1]])[0, 1] > 0.8
