"""Sound files and arrays: what comes in, what is refused."""

import av
import numpy as np
import pytest

from text2lip import memory
from text2lip.speech.audio import load_audio, read_audio, resample


def tone(rate, seconds=0.5, hertz=440.0, channels=1):
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[None], channels, 0).astype(np.float32)


def write(path, samples, rate, codec):
    layout = "stereo" if samples.shape[0] == 2 else "mono"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray((samples * 32767).astype(np.int16).T.reshape(1, -1)), "s16", layout
        )
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (22_050, 2), (96_000, 2)])
def test_wav(tmp_path, rate, channels):
    path = write(tmp_path / "a.wav", tone(rate, channels=channels), rate, "pcm_s16le")
    audio, sampling_rate = load_audio(path)
    assert sampling_rate == rate and audio.dtype == np.float32
    np.testing.assert_allclose(audio, tone(rate)[0], atol=1e-4)


def test_lossy_sound_track_of_a_video_file(tmp_path):
    audio, rate = load_audio(write(tmp_path / "a.mp4", tone(44_100), 44_100, "aac"))
    assert rate == 44_100 and abs(len(audio) / rate - 0.5) < 0.1
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("suffix", "codec"), [("wav", "pcm_s16le"), ("mp4", "aac"), ("mp3", "mp3")])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_sound_lies_in_a_file_and_is_the_same(tmp_path, monkeypatch, suffix, codec, channels):
    sound = tone(44_100, channels=channels) * np.linspace(0.5, 2.1, channels)[:, None]  # some of it is clipped
    path = write(tmp_path / f"a.{suffix}", sound.clip(-1, 1), 44_100, codec)
    short, mono = read_audio(path)[0], load_audio(path)[0]
    monkeypatch.setattr(memory, "IN_MEMORY", 20_000)
    long = read_audio(path)[0]
    assert memory.in_file(long) and not memory.in_file(short)
    assert np.array_equal(long, short) and np.array_equal(load_audio(path)[0], mono) and np.abs(long).max() <= 1
    again = read_audio(long, 44_100)[0]
    assert memory.in_file(again) and np.array_equal(again, short) and not np.shares_memory(again, long)


def test_array_is_mixed_to_mono():
    left, right = tone(16_000)[0], -tone(16_000)[0] / 2
    audio, rate = load_audio(np.stack([left, right]), 16_000)
    np.testing.assert_allclose(audio, left / 4, atol=1e-6)
    scaled, _ = load_audio((left * 32767).astype(np.int16), 16_000)
    np.testing.assert_allclose(scaled, left, atol=1e-4)


def test_one_sample_is_sound():
    audio, rate = load_audio(np.zeros(1, np.float32), 16_000)
    assert audio.shape == (1,)


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (np.zeros(0), 16_000, "empty"),
        (np.zeros((2, 3, 4)), 16_000, "shape"),
        (np.zeros((16_000, 2)), 16_000, "transpose"),
        (np.array([0.0, np.nan]), 16_000, "NaN"),
        (np.array([0.0, np.inf]), 16_000, "NaN or infinite"),
        (np.array([0.0, 3000.0]), 16_000, "full scale"),
        (np.array(["a"]), 16_000, "dtype"),
        (np.zeros(10), None, "sampling_rate"),
        (np.zeros(10), 0, "sampling_rate"),
        (np.zeros(10), 16_000.5, "sampling_rate"),
        (np.zeros(10), float("nan"), "sampling_rate"),
        (np.zeros(10), "16k", "sampling_rate"),
    ],
)
def test_bad_arrays(audio, rate, message):
    with pytest.raises(ValueError, match=message):
        load_audio(audio, rate)


def test_bad_files(tmp_path):
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    good = write(tmp_path / "good.wav", tone(8_000), 8_000, "pcm_s16le")
    for path, message in [
        ("none.wav", "no file"),
        ("text.wav", "decoded"),
        ("empty.wav", "decoded"),
        (".", "is a folder; give a file"),
    ]:
        with pytest.raises(ValueError, match=message):
            load_audio(tmp_path / path)
    with pytest.raises(ValueError, match="leave it out"):
        load_audio(good, 16_000)


def test_picture_without_sound(tmp_path):
    from PIL import Image

    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="no sound track"):
        load_audio(tmp_path / "a.png")


@pytest.mark.parametrize(("rate", "target"), [(8_000, 16_000), (44_100, 16_000), (96_000, 16_000), (22_050, 44_100)])
def test_resample_keeps_the_tone(rate, target):
    wanted = tone(target)[0]
    got = resample(tone(rate)[0], rate, target)
    assert len(got) == round(len(tone(rate)[0]) * target / rate) and got.dtype == np.float32
    middle = slice(len(got) // 4, len(got) // 2)
    np.testing.assert_allclose(got[middle], wanted[middle], atol=5e-3)


def test_samples_say_what_it_got():
    with pytest.raises(ValueError, match=r"\(0,\)"):
        load_audio(np.zeros(0), 8_000)


def test_what_a_voice_gave_is_sound():
    from text2lip.speech.utterance import Speech
    from text2lip.text import Timeline

    sound = np.linspace(-0.5, 0.5, 8000, dtype=np.float32)
    audio, rate = load_audio(Speech(sound, 16000, Timeline.from_phones([("a", 0, 0.5)])))
    assert rate == 16000 and np.array_equal(audio, sound)
    with pytest.raises(ValueError, match="times alone"):
        load_audio(Speech(None, None, Timeline.from_phones([("a", 0, 0.5)])))
