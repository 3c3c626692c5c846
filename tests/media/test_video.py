import io
import os
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from text2lip.files import replaced_file
from text2lip.media.images import load_image
from text2lip.media.video import first_moment, is_film, packet_clock, read_frames, timed_frames, video_info
from text2lip.media.video_writer import write_video


def frames(count=10, height=64, width=48):
    return [np.full((height, width, 3), (20 * i % 256, 100, 200), np.uint8) for i in range(count)]


def test_round_trip_keeps_pictures_sound_and_rate(tmp_path):
    path = tmp_path / "a.mp4"
    sound = (0.5 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)).astype(np.float32)
    assert write_video(path, iter(frames(25)), fps=25, audio=sound, sampling_rate=16000) == 25
    assert video_info(path).fps == 25
    read = list(read_frames(path))
    assert len(read) == 25
    assert np.abs(read[7].astype(int) - frames(25)[7]).max() <= 4
    with av.open(str(path)) as container:
        heard = np.concatenate([block.to_ndarray().mean(0) for block in container.decode(audio=0)])
    assert abs(len(heard) - 16000) <= 2048
    assert 0.3 < np.sqrt(np.mean(heard[2000:14000] ** 2)) < 0.4


def test_ntsc_rate_is_exact(tmp_path):
    write_video(tmp_path / "a.mp4", frames(5), fps=30000 / 1001)
    assert video_info(tmp_path / "a.mp4").fps == pytest.approx(29.97003, abs=1e-5)


def test_odd_side_gains_one_edge_pixel(tmp_path):
    write_video(tmp_path / "a.mp4", frames(3, 51, 49))
    info = video_info(tmp_path / "a.mp4")
    assert (info.height, info.width) == (52, 50)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000, 12345])
def test_any_sampling_rate(tmp_path, rate):
    sound = np.full(rate, 0.1, np.float32)
    write_video(tmp_path / "a.mp4", frames(25), audio=sound, sampling_rate=rate)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.audio[0]
        assert abs(float(stream.duration * stream.time_base) - 1) < 0.1


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def broken():
        yield from frames(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, broken())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "match"), [("a.txt", "should end in"), ("missing/a.mp4", "choose another place"), (".mp4", "should end")]
)
def test_bad_output_is_refused(tmp_path, name, match):
    with pytest.raises(ValueError, match=match):
        write_video(tmp_path / name, frames(2))


def test_no_frames_and_changing_size(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        write_video(tmp_path / "a.mp4", [])
    with pytest.raises(ValueError, match="another size"):
        write_video(tmp_path / "a.mp4", [*frames(1), *frames(1, 32, 32)])
    assert os.listdir(tmp_path) == []


def test_reading_what_is_no_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with pytest.raises(ValueError, match="can't be opened"):
        list(read_frames(tmp_path / "a.mp4"))
    with pytest.raises(ValueError, match="video: no file '.*missing.mp4'; check the name"):
        video_info(tmp_path / "missing.mp4")


def test_replaced_file_has_ordinary_permissions(tmp_path):
    with replaced_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"fps": float("nan")}, "fps: nan; wants"),
        ({"fps": 0}, "fps: 0; wants"),
        ({"audio": np.zeros(9)}, "sampling_rate: None"),
        ({"audio": np.full(9, np.nan), "sampling_rate": 8000}, "audio: holds NaN"),
        ({"frames": [np.zeros((8, 8, 3))]}, r"frames: got float64 \(8, 8, 3\); wants uint8"),
        ({"frames": [np.zeros((8, 8), np.uint8)]}, r"frames: got uint8 \(8, 8\)"),
        ({"frames": ["a.png"]}, "frames: got str"),
    ],
)
def test_what_no_video_can_hold(tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        write_video(tmp_path / "a.mp4", **{"frames": frames(2), **arguments})
    assert os.listdir(tmp_path) == []


def test_a_name_as_long_as_names_may_be(tmp_path):
    name = "n" * 251 + ".mp4"
    write_video(tmp_path / name, frames(2))
    assert os.listdir(tmp_path) == [name]


def test_sound_ends_within_a_frame_of_the_picture(tmp_path):
    for count in (1, 13, 40):
        write_video(tmp_path / "a.mp4", frames(count), fps=25, audio=np.zeros(count * 640), sampling_rate=16000)
        with av.open(str(tmp_path / "a.mp4")) as container:
            ends = [float(stream.duration * stream.time_base) for stream in container.streams]
        assert abs(ends[0] - ends[1]) < 0.065  # AAC comes in blocks of 1024 samples


@pytest.fixture
def opened(monkeypatch):
    """The films that are opened."""
    names, original = [], av.open
    monkeypatch.setattr(
        av, "open", lambda path, *more, **options: names.append(path) or original(path, *more, **options)
    )
    yield names


def seconds(path, *more):
    return [shown.seconds for shown in timed_frames(path, *more)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
@pytest.mark.parametrize(("picture_at", "sound_at"), [(0.0, 0.0), (0.48, 0.0), (0.0, 0.5)])
def test_times_count_from_what_a_player_starts_with(make_film, name, picture_at, sound_at):
    film = make_film(name, frames(30), sound=np.full(16000, 0.1), picture_at=picture_at, sound_at=sound_at)
    shown = seconds(film)
    assert len(shown) == 30
    assert shown == pytest.approx([picture_at + i / 25 for i in range(30)], abs=0.09 if name == "a.ts" else 2e-3)


def test_a_file_whose_clock_starts_late_starts_at_once(make_film):
    film = make_film("a.ts", frames(30), picture_at=7.0)
    assert first_moment(film) > 6
    assert seconds(film) == pytest.approx([i / 25 for i in range(30)], abs=1e-3)
    assert seconds(film, 0.5)[0] == 0


def test_a_late_picture_is_found_by_seeking(make_film):
    film = make_film("a.mkv", frames(250), sound=np.full(16000, 0.1), picture_at=0.4, options={"g": "25"})
    whole, later = seconds(film), seconds(film, 6.0)
    assert whole[0] == pytest.approx(0.4, abs=2e-3)
    assert 0 < len(later) < len(whole) and later[0] <= 6
    assert later == whole[-len(later) :]


def remux(source, target, *, skip=0, cover=None):
    """Copy packets, from the one of number `skip` on; optionally with a cover picture before or attached."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        if cover is not None and target.suffix == ".mkv":
            new.add_attachment("cover.jpg", "image/jpeg", cover)
        if cover is not None and target.suffix != ".mkv":
            front = new.add_stream("mjpeg", rate=1)
            front.height, front.width, front.pix_fmt = 32, 32, "yuvj420p"
            front.disposition = av.stream.Disposition.attached_pic
        streams = [new.add_stream_from_template(stream) for stream in old.streams]
        if cover is not None and target.suffix != ".mkv":
            frame = av.VideoFrame(32, 32, "yuvj420p")
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            new.mux(front.encode(frame))
            new.mux(front.encode(None))
        for number, packet in enumerate(packet for packet in old.demux() if packet.dts is not None):
            if number >= skip:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_a_cover_is_not_the_film(make_film, tmp_path, name):
    film = make_film("a.mp4", frames(5), sound=np.full(3200, 0.1))
    jpeg = io.BytesIO()
    Image.new("RGB", (32, 32)).save(jpeg, "JPEG")
    both = remux(film, tmp_path / name, cover=jpeg.getvalue())
    with av.open(str(both)) as container:
        assert len(container.streams.video) == 2
    assert [frame.shape for frame in read_frames(both)] == [(64, 48, 3)] * 5


def test_a_sound_with_a_cover_holds_no_picture(tmp_path):
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as container:
        voice = container.add_stream("libmp3lame", rate=16000, layout="mono")
        front = container.add_stream("mjpeg", rate=1)
        front.height, front.width, front.pix_fmt = 32, 32, "yuvj420p"
        front.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24").reformat(format="yuvj420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(front.encode(frame))
        container.mux(front.encode(None))
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        block.rate, block.pts = 16000, 0
        container.mux(voice.encode(block))
        container.mux(voice.encode(None))
    with pytest.raises(ValueError, match="holds no picture"):
        video_info(path)
    assert not is_film(path)


def test_the_default_stream_is_the_film(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for side, flag in ((64, 0), (32, av.stream.Disposition.default)):
            stream = container.add_stream("libx264", rate=25)
            stream.height, stream.width, stream.pix_fmt, stream.disposition = side, side, "yuv420p", flag
            streams.append(stream)
        for pts in range(5):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(np.zeros((stream.height, stream.width, 3), np.uint8), "rgb24")
                frame.pts = pts
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    assert video_info(path).width == 32
    assert next(read_frames(path)).shape == (32, 32, 3)


def noise(count):
    return list(np.random.default_rng(0).integers(0, 255, (count, 64, 48, 3)).astype(np.uint8))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.webm"])
def test_a_film_that_ends_too_soon_says_so(make_film, tmp_path, name):
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    film = make_film(name, noise(50), codec=codec, sound=None if codec != "libx264" else np.zeros(32000))
    assert len(list(read_frames(film))) == 50
    if name in ("a.mp4", "a.mov"):
        with (
            av.open(str(film)) as old,
            av.open(str(tmp_path / f"front-{name}"), "w", options={"movflags": "faststart"}) as new,
        ):
            streams = [new.add_stream_from_template(stream) for stream in old.streams]
            for packet in old.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    new.mux(packet)
        film = tmp_path / f"front-{name}"
    data = film.read_bytes()
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(data[: len(data) * 2 // 5])
    with pytest.raises(ValueError, match="damaged or cut short"):
        list(read_frames(cut))
    first = next(read_frames(cut))  # what is there can be used
    assert first.shape == (64, 48, 3)


def test_a_sound_that_goes_on_is_no_cut(make_film):
    for name in ("a.mp4", "a.mkv"):
        film = make_film(name, frames(25), sound=np.full(80000, 0.1))
        assert len(list(read_frames(film))) == 25


def test_a_clock_that_starts_again(make_film, tmp_path):
    """Recorders join files end to end."""
    film = make_film("a.ts", frames(25), picture_at=5.0)
    (tmp_path / "b.ts").write_bytes(film.read_bytes() * 2)
    shown = seconds(tmp_path / "b.ts")
    assert len(shown) >= 48
    assert (np.diff(shown) > 0).all() and shown[-1] == pytest.approx((len(shown) - 1) / 25, abs=0.05)


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "libx264"), ("a.mpg", "mpeg2video"), ("a.mkv", "libx264")])
def test_a_clock_that_starts_again_is_not_sought(make_film, tmp_path, name, codec):
    film = make_film(name, frames(130), codec=codec, options={"g": "25"})
    joined = tmp_path / f"joined-{name}"
    joined.write_bytes(film.read_bytes() * 2)
    whole = seconds(joined)
    assert len(whole) >= 258
    assert packet_clock(joined) == (pytest.approx(10.4, abs=0.1), True)
    assert not packet_clock(film)[1]
    for moment in (4.9, 5.1, 6.2, 8.5, 10.2):
        later = seconds(joined, moment)
        assert later[0] <= moment and later == whole[-len(later) :]


@pytest.mark.parametrize(("name", "options"), [("a.mkv", {"live": "1"}), ("a.h264", {})])
def test_the_length_of_a_film_that_does_not_say_it(make_film, name, options):
    film = make_film(name, frames(150), file_options=options)
    assert video_info(film).seconds == 0
    assert packet_clock(film) == (pytest.approx(6, abs=0.05), False)


@pytest.mark.parametrize(("sound", "times"), [(None, 1), (np.full(16000, 0.1), 2)])
def test_no_sound_is_looked_for_in_a_silent_film(make_film, opened, sound, times):
    film = make_film("a.mkv", frames(30), sound=sound)
    opened.clear()
    assert first_moment(film) == pytest.approx(0, abs=0.03)
    assert len(opened) == times


def test_what_a_film_says_is_looked_up_once(make_film, opened, monkeypatch):
    film, pictures, load = make_film("a.mkv", frames(30)), [], Image.open
    monkeypatch.setattr(Image, "open", lambda path: pictures.append(path) or load(path))
    opened.clear()
    for name in ("image", "video"):
        assert is_film(film) and video_info(film, name).width == 48 and first_moment(film, name) == 0
    assert (len(opened), len(pictures)) == (3, 1)
    make_film("b.mkv", frames(30, 32, 32)).replace(film)
    assert video_info(film).width == 32  # another file of that name


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.h264", "libx264"), ("a.obu", "libsvtav1"), ("a.m1v", "mpeg1video"), ("a.m2v", "mpeg2video")],
)
def test_films_without_a_container(make_film, name, codec):
    film = make_film(name, frames(25), codec=codec)
    assert is_film(film)
    shown = list(timed_frames(film))
    assert len(shown) == 25
    assert [one.seconds for one in shown] == pytest.approx([i / 25 for i in range(25)], abs=0.041)


def test_dv_films_have_the_rate_of_their_pictures(make_film):
    film = make_film("a.dv", [np.full((576, 720, 3), 99, np.uint8)] * 5, codec="dvvideo")
    assert video_info(film).fps == 25
    assert next(read_frames(film)).shape[:2] == (576, 768)


def test_a_targa_picture_is_a_portrait(tmp_path):
    """Its format has no signature: other files look like it."""
    Image.new("RGB", (16, 12), (9, 99, 199)).save(tmp_path / "a.tga")
    assert not is_film(tmp_path / "a.tga")
    assert load_image(tmp_path / "a.tga")[0, 0].tolist() == [9, 99, 199]


@pytest.mark.parametrize("name", ["b.ts", "b.mkv"])
def test_a_film_that_lacks_its_first_keyframe(make_film, tmp_path, name):
    film = make_film("a.ts", frames(50), options={"g": "10", "bf": "0"})
    cut = remux(film, tmp_path / name, skip=3)
    shown = seconds(cut)
    assert 35 <= len(shown) <= 50
    assert np.diff(shown) == pytest.approx(1 / 25, abs=2e-3)


def test_a_film_that_changes_its_size(make_film, tmp_path):
    parts = [make_film(f"{i}.ts", frames(12, *size)) for i, size in enumerate([(64, 48), (32, 64)])]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    shown = list(read_frames(tmp_path / "both.ts"))
    assert len(shown) >= 22 and {frame.shape for frame in shown} == {(64, 48, 3)}


def test_what_is_a_film_by_its_content(make_film, tmp_path):
    film, still = make_film("a.mp4", frames(5)), make_film("one.mp4", frames(1))
    for name in ("film", "film.jpg", "film.gif"):
        (tmp_path / name).write_bytes(film.read_bytes())
        assert is_film(tmp_path / name)
        assert len(list(read_frames(tmp_path / name))) == 5
    assert not is_film(still)
    assert is_film(tmp_path / "none.mp4") and not is_film(tmp_path / "none.png")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"%PDF-1.4 1 0 obj", b"PK\x03\x04" + bytes(60), b"<html><body>Not found</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile a.mp4\n", b"1\n00:00:00,000 --> 00:00:02,000\nHello\n", bytes(5000),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a", "a.txt", "a.ans"])
def test_what_is_no_film(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="video: .*a(.mp4|.txt|.ans)?' (can't be opened|holds no|is damaged)"):
        list(read_frames(tmp_path / name))


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", tmp_path, "/dev/zero"):
        with pytest.raises(ValueError, match="no regular file"):
            video_info(path)


def test_frames_at_a_rate_keep_to_the_clock(make_film):
    film = make_film("a.mkv", frames(20), sound=np.full(8000, 0.1), picture_at=0.2)
    assert [int(frame[9, 9, 0]) // 20 for frame in read_frames(film, 25)][:9] == pytest.approx(
        [0, 0, 0, 0, 0, 0, 1, 2, 3], abs=1
    )
    assert (len(list(read_frames(film))), len(list(read_frames(film, 25))), len(list(read_frames(film, 50)))) == (
        20,
        25,
        50,
    )


def test_a_tag_of_a_longer_film_is_no_cut(make_film, tmp_path):
    """What cut the film left the tag of the whole one."""
    film = make_film("a.mkv", frames(50))
    data = film.read_bytes()
    assert data.count(b"00:00:02.000000000") == 1
    film.write_bytes(data.replace(b"00:00:02.000000000", b"00:01:00.000000000"))
    assert len(list(read_frames(film))) == 50


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_pixels_that_change_their_ratio(make_film, tmp_path, codec):
    """A broadcast goes from 4:3 to 16:9: the later pictures are laid into the first one's shape."""
    white = [np.full((96, 96, 3), 255, np.uint8)] * 12
    parts = [
        make_film(f"{i}.ts", white, codec=codec, ratio=ratio)
        for i, ratio in enumerate([Fraction(4, 3), Fraction(16, 9)])
    ]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    shown = list(read_frames(tmp_path / "both.ts"))
    assert {frame.shape for frame in shown} == {(96, 128, 3)}
    assert shown[2].min() > 240
    assert shown[-2][:8].max() < 20 and shown[-2][20:76].min() > 240 and shown[-2][-8:].max() < 20


def test_a_film_whose_clock_stands_still_moves_all_the_same(tmp_path):
    """All times are 0, as a broken muxer writes them."""
    write_video(tmp_path / "a.mp4", frames(25), fps=25)
    with av.open(str(tmp_path / "a.mp4")) as given, av.open(str(tmp_path / "b.mkv"), "w") as broken:
        stream = broken.add_stream_from_template(given.streams.video[0])
        for packet in (packet for packet in given.demux(video=0) if packet.size):
            packet.pts = packet.dts = 0
            packet.stream = stream
            broken.mux(packet)
    shown = [frame.seconds for frame in timed_frames(tmp_path / "b.mkv")]
    np.testing.assert_allclose(shown, np.arange(25) / 25, atol=0.002)
    read = list(read_frames(tmp_path / "b.mkv", fps=25))
    assert is_film(tmp_path / "b.mkv") and len(read) == 25
    assert abs(int(read[7][0, 0, 0]) - 140) <= 6
    assert packet_clock(tmp_path / "b.mkv") == (pytest.approx(1, abs=0.05), True)
