"""What people do with films, from end to end: see the section Films of the catalogue."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from text2lip.faces.builtin import builtin_portrait
from text2lip.media.footage import Footage
from text2lip.media.images import load_image
from text2lip.media.pixels import ImageError
from text2lip.media.video import read_frames, video_info
from text2lip.media.video_writer import write_video
from text2lip.speech.audio import load_audio


FLASH = 30  # frame number, 1.2 s


@pytest.fixture(scope="module")
def face():
    """A face of nobody: uint8 (256, 256, 3)."""
    return cv2.resize(load_image(builtin_portrait()), (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture
def clap(make_film):
    """Writes 3 s of darkness and silence with a flash of 2 frames and a tone at 1.2 s."""

    def make(name, sound_at=0.0, picture_at=0.0, **more):
        pictures = [np.full((32, 32, 3), 255 * (i in (FLASH, FLASH + 1)), np.uint8) for i in range(75)]
        tone = np.zeros(48000)
        tone[19200:20480] = 0.5 * np.sin(np.arange(1280) * 0.3)
        cut = {"sound": tone, "sound_at": sound_at, "picture_at": picture_at, "options": {"g": "10", "bf": "2"}}
        return make_film(name, pictures, **{**cut, **more})

    return make


def seen_and_heard(film):
    """When the flash is seen and the tone heard, in seconds of a dub."""
    footage = Footage(film)
    bright = [frame.mean() > 100 for frame in footage.frames()]
    audio, rate = load_audio(film)
    return bright.index(True) / footage.fps, int(np.argmax(np.abs(audio) > 0.1)) / rate


def cut_without_coding(source, target, start):
    """As `ffmpeg -ss start -i source -c copy target`: from the keyframe before, on a clock that is 0 at `start`."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = [new.add_stream_from_template(stream) for stream in old.streams]
        video = old.streams.video[0]
        packets = [packet for packet in old.demux() if packet.dts is not None]
        keys = [packet.pts for packet in packets if packet.stream is video and packet.is_keyframe]
        first = max((pts for pts in keys if pts * video.time_base <= start), default=keys[0])
        for packet in packets:
            seconds = float(packet.pts * packet.time_base)
            if (packet.pts >= first) if packet.stream is video else (seconds >= start - 0.05):
                packet.pts -= round(start / packet.time_base)
                packet.dts -= round(start / packet.time_base)
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
@pytest.mark.parametrize(("sound_at", "picture_at"), [(0, 0), (0, 0.5), (0.5, 0), (0.8, 0.3), (5.0, 5.4)])
def test_a_late_stream_keeps_its_time(clap, name, sound_at, picture_at):
    seen, heard = seen_and_heard(clap(name, sound_at, picture_at))
    assert seen - heard == pytest.approx(picture_at - sound_at, abs=0.041)


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "b.mov", "b.ts"])
@pytest.mark.parametrize("start", [0.0, 0.4, 0.7])
def test_a_cut_without_coding_keeps_times(clap, tmp_path, name, start):
    film = cut_without_coding(clap("a.mkv"), tmp_path / name, start)
    seen, heard = seen_and_heard(film)
    assert seen == pytest.approx(heard, abs=0.041)


def test_old_films_keep_times(clap):
    film = clap("a.avi", codec="mpeg4")
    assert np.diff(seen_and_heard(film)) == pytest.approx(0, abs=0.041)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_what_is_written_keeps_its_sound_with_its_picture(tmp_path, name, rate):
    pictures = [np.full((32, 32, 3), 255 * (i in (FLASH, FLASH + 1)), np.uint8) for i in range(75)]
    tone = np.zeros(3 * rate)
    tone[rate * 6 // 5 : rate * 13 // 10] = 0.5 * np.sin(np.arange(rate * 13 // 10 - rate * 6 // 5) * 0.3)
    write_video(tmp_path / name, pictures, audio=tone, sampling_rate=rate)
    assert np.diff(seen_and_heard(tmp_path / name)) == pytest.approx(0, abs=0.02)


def test_a_film_with_wide_pixels_is_dubbed_in_its_shape(pipe, make_film, face, tmp_path):
    narrow = cv2.resize(face, (192, 256), interpolation=cv2.INTER_AREA)
    film = make_film("talk.mp4", [narrow] * 8, ratio=Fraction(4, 3))
    stream = pipe.stream("Hi.", film, num_frames=8)
    assert stream.size == (256, 256)
    plain = pipe.stream("Hi.", make_film("plain.mp4", [face] * 8), num_frames=8)
    assert np.abs(stream.landmarks - plain.landmarks).max() < 0.015
    stream.save(tmp_path / "out.mp4")
    info = video_info(tmp_path / "out.mp4")
    assert (info.width, info.height) == (256, 256)


@pytest.mark.parametrize("name", ["still.gif", "one.mp4", "one", "wrong.png"])
def test_a_single_picture_is_a_portrait(pipe, make_film, face, tmp_path, name):
    if name == "still.gif":
        Image.fromarray(face).save(tmp_path / name)
    else:
        made = make_film("x.mp4", [face])
        made.rename(tmp_path / name)
    stream = pipe.stream("Hi.", tmp_path / name, life=0.5, num_frames=5)
    assert (stream.fps, len(stream), stream.size) == (25, 5, (256, 256))
    assert next(stream).shape == (256, 256, 3)


@pytest.mark.parametrize("name", ["film", "film.jpg", "a.webp", "a.png"])
def test_a_film_is_one_whatever_its_name(pipe, make_film, face, tmp_path, name):
    path = tmp_path / name
    if name.startswith("a."):
        other = np.roll(face, 2, 1)
        Image.fromarray(face).save(path, save_all=True, append_images=[Image.fromarray(other)] * 3, duration=100)
    else:
        make_film("x.mp4", [face] * 8).rename(path)
    stream = pipe.stream("Hi.", path, num_frames=5)
    assert (stream.fps, len(stream)) == (25, 5)
    with pytest.raises(ValueError, match="expression: the head and face of a video have their own life"):
        pipe.stream("Hi.", path, expression="happy")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"%PDF-1.4", "image: .*can't be opened"),
        (b"", "image: .*can't be opened"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "image: .*can't be opened"),
    ],
)
def test_what_is_no_film_is_refused(pipe, tmp_path, content, match):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=match):
        pipe("Hi.", tmp_path / "a.mp4")


def test_what_is_no_picture_is_refused(pipe, tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ImageError, match="HEIC picture.*convert it to PNG or JPEG"):
        pipe("Hi.", tmp_path / "a.heic")
    (tmp_path / "a.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(ImageError, match="not a picture in a format known here"):
        pipe("Hi.", tmp_path / "a.svg")


def test_a_film_a_frame_short_of_its_speech_stands_still(pipe, make_film, face):
    film = make_film("a.mp4", [np.roll(face, i, 1) for i in range(7)])
    held = list(pipe.stream("Hi.", film, num_frames=8, renderer="geometric"))
    corner = [frame[100:150, :40].astype(int) for frame in held]
    assert np.abs(corner[7] - corner[6]).mean() <= np.abs(corner[7] - corner[5]).mean() / 4


def test_tiny_films_are_read(make_film):
    for size in ((2, 2), (17, 31), (1, 1)):
        film = make_film(f"{size[0]}.mkv", [np.full((*size, 3), 90, np.uint8)] * 3, codec="ffv1", pixels="bgr0")
        assert next(read_frames(film)).shape == (*size, 3)
