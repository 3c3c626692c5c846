"""People's recordings: every codec, channel, track and rate; the film keeps them, the aligner hears them."""

import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from text2lip.media.video_writer import LAYOUTS, write_video
from text2lip.speech import align, load_audio, read_audio, resample, synthesize
from text2lip.speech.audio import to_float, to_int16, to_mono


TEXT = "Bob met my uncle and his five brothers."


@pytest.fixture(scope="module")
def speech():
    """(samples,) float32 at 16 kHz with 0.3 s of silence around: espeak."""
    spoken = synthesize(TEXT, "espeak")
    return np.pad(resample(spoken.audio, spoken.sampling_rate, 16_000), 4_800)


def write(path, samples, rate, codec="pcm_s16le", layout=None, bit_rate=None, options=(), tracks=1, default=None):
    """Sound (samples,) or (channels, samples) in [-1, 1] as a file; `tracks` arrays make as many tracks."""
    from av.stream import Disposition

    given = [samples] if tracks == 1 else samples
    layout = layout or LAYOUTS[np.atleast_2d(given[0]).shape[0] - 1]
    with av.open(str(path), "w", options=dict(options)) as container:
        streams = [container.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"}) for _ in given]
        for number, stream in enumerate(streams):
            if bit_rate:
                stream.bit_rate = bit_rate
            if default is not None:
                stream.disposition = Disposition.default if number == default else Disposition(0)
        for stream, sound in zip(streams, given):
            packed = np.ascontiguousarray(to_int16(np.atleast_2d(sound)).T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(packed, "s16", layout)
            frame.sample_rate, frame.pts = rate, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    return path


def lag(heard, rate, true):
    """Seconds by which `heard` comes after `true`, 16 kHz, and their correlation."""
    heard = resample(heard, rate, 16_000)
    size = 2 * (len(heard) + len(true))
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(true, size)))
    best = int(np.abs(product).argmax())
    strength = product[best] / np.linalg.norm(heard) / np.linalg.norm(true)
    return (best if best < size / 2 else best - size) / 16_000, strength


CODECS = [
    ("pcm_mulaw", "wav", 8_000), ("pcm_alaw", "au", 8_000), ("g723_1", "wav", 8_000), ("g722", "wav", 16_000),
    ("g726", "wav", 8_000), ("adpcm_ms", "wav", 16_000), ("adpcm_ima_wav", "wav", 16_000), ("mp2", "mp2", 16_000),
    ("mp2", "wav", 44_100), ("mp2", "mpg", 44_100), ("mp3", "mp3", 16_000), ("mp3", "mp3", 44_100),
    ("mp3", "wav", 44_100), ("mp3", "mkv", 44_100), ("mp3", "mp4", 44_100), ("mp3", "ts", 44_100),
    ("aac", "aac", 8_000), ("aac", "aac", 44_100), ("aac", "m4a", 16_000), ("aac", "m4a", 44_100),
    ("aac", "mkv", 44_100), ("aac", "ts", 44_100), ("aac", "flv", 44_100), ("aac", "avi", 44_100),
    ("libopus", "ogg", 16_000), ("libopus", "webm", 48_000), ("libopus", "mp4", 48_000), ("libopus", "ts", 48_000),
    ("vorbis", "ogg", 44_100), ("flac", "flac", 16_000), ("flac", "ogg", 44_100), ("alac", "m4a", 16_000),
    ("ac3", "ac3", 44_100), ("ac3", "mkv", 48_000), ("eac3", "eac3", 48_000), ("eac3", "mp4", 48_000),
    ("wmav1", "wma", 44_100), ("wmav2", "wma", 44_100), ("wavpack", "wv", 16_000), ("tta", "tta", 16_000),
    ("nellymoser", "flv", 22_050), ("real_144", "rm", 8_000), ("libopencore_amrnb", "amr", 8_000),
    ("pcm_s24le", "wav", 96_000), ("pcm_s32le", "wav", 48_000), ("pcm_u8", "wav", 16_000), ("pcm_f32le", "wav", 8_000),
    ("pcm_f64le", "wav", 16_000),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "rate"), CODECS)
def test_no_codec_delays_what_is_heard(tmp_path, speech, codec, suffix, rate):
    sound = resample(speech, 16_000, rate)
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    layout = "stereo" if codec == "vorbis" else "mono"
    given = np.stack([sound, sound]) if layout == "stereo" else sound
    bit_rate = {"g723_1": 6_300, "wmav1": 64_000, "wmav2": 64_000}.get(codec)
    path = write(tmp_path / f"a.{suffix}", given, rate, codec, layout, bit_rate)
    heard, found = load_audio(path)
    late, alike = lag(heard, found, speech)
    assert abs(late) <= 0.002 and alike > (0.7 if "amr" in codec else 0.9), f"{1000 * late:.1f} ms, {alike:.2f}"


@pytest.fixture(scope="module")
def true_words(speech):
    return align(speech, 16_000, TEXT).words


SAVED_AS = [
    ("aac", "aac", 16_000), ("pcm_mulaw", "wav", 8_000), ("aac", "m4a", 44_100), ("mp3", "mp3", 44_100),
    ("libopus", "ogg", 48_000), ("flac", "flac", 16_000), ("libopencore_amrnb", "amr", 8_000),
    ("pcm_s24le", "wav", 48_000), ("pcm_f32le", "wav", 44_100),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "rate"), SAVED_AS)
def test_words_of_a_coded_recording_come_when_the_wav_has_them(tmp_path, speech, true_words, codec, suffix, rate):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = write(tmp_path / f"a.{suffix}", resample(speech, 16_000, rate), rate, codec)
    found = align(*load_audio(path), TEXT).words
    late = np.array([(a.start - b.start, a.end - b.end) for a, b in zip(found, true_words)])
    assert abs(late.mean()) < 0.015 and np.abs(late).mean() < 0.02, late


def channels(sound, kind):
    silent = np.zeros_like(sound)
    hum = (0.05 * np.sin(np.arange(len(sound)) * 0.04)).astype(np.float32)
    return np.stack(
        {
            "left": [sound, silent],
            "right": [silent, sound],
            "inverted": [sound, -sound],
            "nearly inverted": [sound, -0.8 * sound],
            "centre": [hum, -hum, sound, silent, silent, silent],
            "7.1": [silent] * 7 + [sound],
            "quad": [silent, sound, silent, silent],
            "alike": [sound, sound],
        }[kind]
    )


KINDS = ["left", "right", "inverted", "nearly inverted", "centre", "7.1", "quad", "alike"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("as_file", [True, False])
def test_speech_is_heard_wherever_it_is_and_channels_stay(tmp_path, speech, kind, as_file):
    sound = channels(speech, kind)
    given = (write(tmp_path / "a.wav", sound, 16_000),) if as_file else (sound, 16_000)
    kept, rate = read_audio(*given)
    assert rate == 16_000 and kept.shape == sound.shape and np.abs(kept - sound).max() < 1e-4
    mono, _ = load_audio(*given)
    late, alike = lag(mono, rate, speech)
    assert late == 0 and abs(alike) > 0.9
    np.testing.assert_allclose(
        [word.start for word in align(sound, 16_000, TEXT).words],
        [word.start for word in align(speech, 16_000, TEXT).words],
        atol=0.04,
    )


def test_channels_without_relation_are_averaged():
    noise = np.random.default_rng(0).normal(0, 0.1, (6, 16_000)).astype(np.float32)
    np.testing.assert_allclose(to_mono(noise), noise.mean(0), atol=1e-6)
    np.testing.assert_allclose(to_mono(np.zeros((2, 9), np.float32)), np.zeros(9))
    assert to_mono(noise[0]) is noise[0] or np.array_equal(to_mono(noise[0]), noise[0])


def test_the_default_track_is_heard_and_a_silent_one_passed_over(tmp_path, speech):
    other = np.random.default_rng(0).normal(0, 0.05, len(speech)).astype(np.float32)
    silent = np.zeros_like(speech)
    for name, tracks, default in [("a", [other, speech], 1), ("b", [speech, other], 0), ("c", [silent, speech], 0)]:
        path = write(tmp_path / f"{name}.mkv", tracks, 16_000, "flac", tracks=2, default=default)
        assert lag(load_audio(path)[0], 16_000, speech)[1] > 0.99, name


@pytest.mark.parametrize(
    ("kind", "rate"), [("left", 44_100), ("inverted", 48_000), ("centre", 48_000), ("quad", 22_050), ("7.1", 48_000)]
)
def test_the_film_keeps_channels_rate_and_level(pipe, portrait, tmp_path, speech, kind, rate):
    sound = channels(resample(speech, 16_000, rate), kind)
    stream = pipe.stream(TEXT, portrait, audio=sound, sampling_rate=rate, renderer="geometric", num_frames=30)
    count = round(1.2 * rate)
    assert stream.sampling_rate == rate and stream.audio.dtype == np.float32
    assert stream.audio.shape == (len(sound), count) and np.array_equal(stream.audio, sound[:, :count])
    stream.save(tmp_path / "a.mp4")
    written, found = read_audio(tmp_path / "a.mp4")
    assert found == rate and len(written) == len(sound)
    wanted = np.sqrt((sound[:, :count] ** 2).mean(1))
    got = np.sqrt((written[:, :count] ** 2).mean(1))
    loud = wanted > 0.01
    np.testing.assert_allclose(20 * np.log10(got[loud] / wanted[loud]), 0, atol=0.5)
    if kind != "quad":  # AAC knows no four corners of its own
        assert got[~loud].max(initial=0) < 0.01


def test_sound_of_one_channel_stays_flat(pipe, portrait, speech):
    for given in (speech, speech[None]):
        stream = pipe.stream(TEXT, portrait, audio=given, sampling_rate=16_000)
        assert stream.audio.ndim == 1
    batch = pipe.stream(TEXT, portrait, audio=(speech,), sampling_rate=16_000)
    assert np.array_equal(batch.audio, stream.audio), "a tuple is a list"


@pytest.mark.parametrize("audio", [("a.wav", "b.wav"), ["a.wav", "b.wav"]])
def test_more_recordings_than_sentences_are_refused(pipe, portrait, audio):
    with pytest.raises(ValueError, match=r"audio: got 2 for 1 prompt"):
        pipe.stream(TEXT, portrait, audio=audio)


def test_tensors_are_sound(speech):
    torch = pytest.importorskip("torch")
    for given in (torch.tensor(speech), torch.tensor(speech, requires_grad=True)):
        assert np.array_equal(load_audio(given, 16_000)[0], speech)
    assert load_audio(torch.zeros(2, 9, dtype=torch.bfloat16), 8_000)[0].shape == (9,)
    assert np.abs(load_audio(torch.tensor(to_int16(speech)), 16_000)[0] - speech).max() < 1e-4


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 88_200, 96_000, 192_000])
def test_rates_are_kept_where_aac_has_them(tmp_path, rate):
    tone = (0.5 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate)).astype(np.float32)
    frames = [np.zeros((16, 16, 3), np.uint8)] * 25
    write_video(tmp_path / "a.mp4", frames, audio=tone, sampling_rate=rate)
    heard, found = load_audio(tmp_path / "a.mp4")
    assert found == min(rate, 96_000)
    assert np.sqrt((heard**2).mean()) == pytest.approx(0.354, rel=0.1)


def test_floats_over_full_scale(tmp_path):
    tone = np.float32(np.sin(np.arange(8_000) * 0.2))
    for factor, message in [(1.5, None), (20_000, "full scale")]:
        with av.open(str(tmp_path / "a.wav"), "w") as container:
            stream = container.add_stream("pcm_f32le", rate=8_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone[None] * factor), "flt", "mono")
            frame.sample_rate = 8_000
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
        if message:
            with pytest.raises(ValueError, match=message):
                load_audio(tmp_path / "a.wav")
        else:
            assert load_audio(tmp_path / "a.wav")[0].max() == 1


def test_samples_that_are_no_numbers_are_refused(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=8_000, layout="mono")
        sound = np.full((1, 4_000), np.nan, np.float32)
        frame = av.AudioFrame.from_ndarray(sound, "flt", "mono")
        frame.sample_rate = 8_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(ValueError, match="NaN"):
        load_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("length", [0, 100, 2**31, 2**32 - 1])
def test_a_wav_with_a_wrong_length(tmp_path, speech, length):
    """Programs that write to a pipe don't know it; 100 bytes is what such a file says it holds."""
    path = write(tmp_path / "a.wav", speech, 16_000)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"data") + 4
    raw[at : at + 4] = length.to_bytes(4, "little")
    path.write_bytes(raw)
    if length == 100:
        assert len(load_audio(path)[0]) == 50
    else:
        assert abs(len(load_audio(path)[0]) - len(speech)) < 100


def test_a_cut_off_mp3_and_one_with_a_cover(tmp_path, speech):
    path = write(tmp_path / "a.mp3", speech, 16_000, "mp3")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2 + 7])
    heard, rate = load_audio(path)
    assert 0.3 < len(heard) / len(speech) < 0.7 and lag(heard, rate, speech)[0] == 0
    from io import BytesIO

    from PIL import Image

    cover = BytesIO()
    Image.new("RGB", (32, 32), "red").save(cover, "JPEG")
    image = b"\0image/jpeg\0\3\0" + cover.getvalue()
    body = b"APIC" + len(image).to_bytes(4, "big") + b"\0\0" + image
    size = len(body)
    tag = b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + body
    (tmp_path / "cover.mp3").write_bytes(tag + raw)
    heard, rate = load_audio(tmp_path / "cover.mp3")
    assert lag(heard, rate, speech)[0] == pytest.approx(0, abs=2e-3)


def test_wave_files_of_the_standard_library(tmp_path, speech):
    for width, count in [(1, 1), (2, 4), (3, 2), (4, 1)]:
        with wave.open(str(tmp_path / "a.wav"), "wb") as file:
            file.setparams((count, width, 16_000, 0, "NONE", ""))
            whole = np.rint(speech.astype(np.float64) * (2 ** (8 * width - 1) - 1)).astype(np.int64)
            whole = whole + 128 if width == 1 else whole
            raw = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width]
            file.writeframes(np.repeat(raw[:, None], count, 1).tobytes())
        kept, _ = read_audio(tmp_path / "a.wav")
        assert kept.shape == ((count, len(speech)) if count > 1 else (len(speech),))
        written = speech * (1 - 2.0 ** (1 - 8 * width))
        np.testing.assert_allclose(np.atleast_2d(kept)[0], written, atol=0.004 if width == 1 else 1e-4)


def test_an_offset_clipping_and_long_silence_do_not_matter(speech):
    true = align(speech, 16_000, TEXT).words
    sounds = {
        "offset": (speech * 0.5 + 0.3, 0),
        "clipped": (np.clip(speech * 4, -1, 1), 0),
        "faint": (speech * 0.01, 0),
        "late": (np.r_[np.zeros(160_000, np.float32), speech], 10),
    }
    for kind, (sound, late) in sounds.items():
        found = align(sound, 16_000, TEXT).words
        away = np.array([a.start - b.start - late for a, b in zip(found, true)])
        assert np.abs(away).mean() < 0.03, (kind, away)


def test_whole_numbers_have_one_scale():
    values = np.array([-32768, -1, 0, 1, 32767], np.int16)
    assert np.array_equal(to_int16(to_float(values)), values) and to_float(values).dtype == np.float32
    assert to_float(values)[0] == -1 and np.array_equal(to_int16(np.array([-2.0, 2.0])), [-32768, 32767])
    assert to_float(np.array([-(2**31)], np.int32))[0] == -1


def result_of(path):
    from text2lip.pipelines.output import Text2LipPipelineOutput

    words = [[("Hi.", 0.0, 0.2)]]
    frames = [[np.zeros((16, 16, 3), np.uint8)] * 5]
    return Text2LipPipelineOutput(frames, [np.zeros((5, 478, 2))], [[]], [[]], words, 25)


@pytest.mark.parametrize("subtitles", ["no/a.srt", "a.txt", "folder.srt"])
def test_a_place_for_subtitles_is_tried_before_the_film_is_written(tmp_path, subtitles):
    (tmp_path / "folder.srt").mkdir()
    with pytest.raises(ValueError, match=r"subtitles: "):
        result_of(tmp_path).save(tmp_path / "a.mp4", subtitles=tmp_path / subtitles)
    assert not (tmp_path / "a.mp4").exists() and len(list(tmp_path.iterdir())) == 1


def test_subtitles_are_not_written_without_their_film(tmp_path):
    with pytest.raises(ValueError, match=r"output: "):
        result_of(tmp_path).save(tmp_path / "no" / "a.mp4", subtitles=tmp_path / "a.srt")
    with pytest.raises(ValueError, match=r"output: .* should end in"):
        result_of(tmp_path).save(tmp_path / "a.txt", subtitles=tmp_path / "a.srt")
    assert not list(tmp_path.iterdir())
    result_of(tmp_path).save(tmp_path / "a.mp4", subtitles=tmp_path / "a.srt")
    assert (tmp_path / "a.srt").read_text().endswith("00:00:00,200\nHi.\n")


def on_the_clock(path, moments, rate=16_000, codec="pcm_s16le", picture=None):
    """A tone of 1 s at each of the `moments`, seconds; with a `picture` of 1 s that starts then."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=rate, layout="mono")
        if picture is not None:
            film = container.add_stream("mpeg4", rate=25)
            film.width = film.height = 32
            for number in range(25):
                frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
                frame.pts, frame.time_base = number + round(25 * picture), Fraction(1, 25)
                container.mux(film.encode(frame))
            container.mux(film.encode(None))
        tone = to_int16(0.5 * np.sin(np.arange(rate // 50) * 2 * np.pi * 400 / rate))
        for moment in moments:
            for block in range(50):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone[None]), "s16", "mono")
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = round(moment * rate) + block * len(tone)
                container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def loud_seconds(path):
    """Start and end of what sounds, seconds."""
    audio, rate = load_audio(path)
    blocks = np.abs(audio[: len(audio) // (rate // 100) * (rate // 100)]).reshape(-1, rate // 100).max(1) > 0.1
    return (np.flatnonzero(np.diff(np.r_[False, blocks, False].astype(int))) / 100).reshape(-1, 2)


@pytest.mark.parametrize("picture", [None, 0])
@pytest.mark.parametrize("suffix", ["mkv", "nut"])
def test_a_gap_in_the_times_of_a_sound_is_silence(tmp_path, suffix, picture):
    path = on_the_clock(tmp_path / f"a.{suffix}", [0, 1, 2, 6, 7.5], picture=picture)
    np.testing.assert_allclose(loud_seconds(path), [(0, 3), (6, 7), (7.5, 8.5)], atol=0.02)


@pytest.mark.parametrize("late", [0.5, 5, 12, 70])
def test_a_sound_that_starts_later_than_the_picture_keeps_its_place(tmp_path, late):
    path = on_the_clock(tmp_path / "a.mkv", [late, late + 2], picture=0)
    np.testing.assert_allclose(loud_seconds(path), [(late, late + 1), (late + 2, late + 3)], atol=0.03)


def test_a_clock_of_sound_that_starts_again_goes_on(tmp_path):
    parts = [on_the_clock(tmp_path / f"{i}.ts", [1.0, 3.0], 48_000, "mp2") for i in range(2)]
    (tmp_path / "a.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    seconds = loud_seconds(tmp_path / "a.ts")
    np.testing.assert_allclose(seconds, [(0, 1), (2, 3), (3, 4), (5, 6)], atol=0.05)


def test_a_gap_of_hours_is_refused(tmp_path):
    path = on_the_clock(tmp_path / "a.mkv", [0, 30_000])
    with pytest.raises(ValueError, match="longer than 120 minutes"):
        load_audio(path)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile 'other.wav'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    ],
)
@pytest.mark.parametrize("name", ["list.wav", "list.m3u8", "list"])
def test_a_list_of_other_files_is_no_sound(tmp_path, text, name):
    on_the_clock(tmp_path / "other.wav", [0])
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"^audio: .*list.*can't be (opened|decoded)"):
        load_audio(tmp_path / name)
