"""Films are read in any order, at any rate, from files and lists, a few frames at a time."""

import numpy as np
import pytest
import torch
from PIL import Image

from text2lip.media import footage
from text2lip.media.footage import Footage, is_footage, positions, usual_rate
from text2lip.media.images import load_image
from text2lip.media.pixels import ImageError
from text2lip.media.video import read_frames
from text2lip.media.video_writer import write_video


COUNT = 230


def numbered(count):
    """Frames that show their number in eight black or white bars."""
    bits = (np.arange(count)[:, None] >> np.arange(8)) & 1
    bars = np.repeat(255 * bits.astype(np.uint8), 6, axis=1)  # (count, 48)
    return list(np.broadcast_to(bars[:, None, :, None], (count, 32, 48, 3)))


def number(frame):
    return int((frame[16, 3::6, 1] > 127) @ (1 << np.arange(8)))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, numbered(COUNT), fps=25, crf=0)
    return path


def test_what_is_a_film():
    for image in ("a.mp4", "a.MOV", [1], np.zeros((2, 4, 4, 3), np.uint8)):
        assert is_footage(image)
    for image in ("a.png", np.zeros((4, 4, 3), np.uint8), Image.new("RGB", (4, 4)), None):
        assert not is_footage(image)


@pytest.mark.parametrize(
    ("end", "length", "expected"),
    [
        ("loop", 3, [0, 1, 2, 1, 0, 1, 2]),
        ("loop", 1, [0] * 7),
        ("hold", 3, [0, 1, 2, 2, 2, 2, 2]),
        ("cut", 3, [0, 1, 2]),
        ("loop", 9, list(range(7))),
        ("cut", 9, list(range(7))),
        ("loop", 6, [0, 1, 2, 3, 4, 5, 5]),  # a frame short: nothing turns back for it
        ("loop", 5, [0, 1, 2, 3, 4, 3, 2]),
    ],
)
def test_what_follows_the_end(end, length, expected):
    assert positions(7, length, end).tolist() == expected


def test_a_file_is_read_from_anywhere(film):
    footage = Footage(film)
    assert (footage.fps, footage.size) == (25, (32, 48))
    assert [number(frame) for frame in footage.frames()] == list(range(COUNT))
    for start in (0, 5, 99, 120, 200, 229):
        assert [number(frame) for frame in footage.frames(start, start + 3)] == list(range(start, COUNT))[:3]
    assert list(footage.frames(COUNT)) == []


@pytest.mark.parametrize("end", ["loop", "hold"])
def test_a_film_is_played_back_and_forth_or_held(film, end):
    where = positions(2 * COUNT + 40, COUNT, end)
    assert [number(frame) for frame in Footage(film).play(where)] == where.tolist()


@pytest.mark.parametrize("near", [0.5, 100.0])
def test_single_frames_are_picked_in_few_passes(film, monkeypatch, near):
    opened, decoded, timed_frames = [], [], footage.timed_frames
    monkeypatch.setattr(footage, "NEAR", near)  # seconds
    clip = Footage(film)
    monkeypatch.setattr(footage, "timed_frames", lambda *where: opened.append(1) or timed_frames(*where))
    monkeypatch.setattr(footage, "to_rgb", lambda shown: decoded.append(1) or shown.frame.to_ndarray(format="rgb24"))
    wanted = np.array([3, 8, 9, 150, 161, 229, 240])  # 240 is beyond the end
    assert [number(frame) for frame in clip.pick(wanted)] == wanted[:-1].tolist()
    assert (len(opened), len(decoded)) == ((3, 7 + 12 + 1) if near < 1 else (1, 230 - 3))
    pictures = [np.zeros((4 + i, 4, 3), np.uint8) for i in range(3)]
    assert [frame.shape[0] for frame in Footage(pictures).pick(np.array([0, 2]))] == [4, 6]


def test_a_list_is_played_like_a_file():
    frames = numbered(5)
    for image in (frames, np.stack(frames), [Image.fromarray(frame) for frame in frames]):
        film = Footage(image, fps=30)
        assert film.fps == 30
        assert [number(frame) for frame in film.play(positions(12, 5, "loop"))] == [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3]


@pytest.mark.parametrize(("fps", "expected"), [(50, [0, 0, 1, 1, 2, 2]), (10, [1, 3, 6, 8, 11, 13]), (25, range(6))])
def test_a_file_is_sampled_in_time(film, fps, expected):
    film = Footage(film, fps=fps)
    assert [number(frame) for frame in film.frames(0, 6)] == list(expected)
    assert len(list(film.frames())) == round(COUNT * fps / 25)


def test_few_frames_are_decoded_at_once(film, monkeypatch):
    alive = []
    monkeypatch.setattr(footage, "to_rgb", lambda shown: alive.append(shown) or np.zeros((32, 48, 3), np.uint8))
    played = Footage(film).play(np.arange(COUNT))
    alive.clear()
    for _ in range(10):
        next(played)
    assert len(alive) == 10
    for size, held in ((1 << 28, footage.BACKWARD), (5 * 32 * 48 * 3, 5), (1, 1)):
        monkeypatch.setattr(footage, "BACKWARD_BYTES", size)
        backwards = Footage(film).play(np.arange(COUNT)[::-1])
        alive.clear()
        next(backwards)
        assert len(alive) == held


def test_a_phone_film_is_upright(tmp_path):
    """Phones store a film lying on its side with a matrix that turns it upright."""
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, 32:] = 255  # white on the right: below, when turned clockwise
    write_video(tmp_path / "flat.mp4", [picture] * 3, crf=0)
    data = (tmp_path / "flat.mp4").read_bytes()
    one, minus = (1 << 16).to_bytes(4, "big"), (-(1 << 16)).to_bytes(4, "big", signed=True)
    upright = one + bytes(12) + one + bytes(12) + (1 << 30).to_bytes(4, "big")
    turned = bytes(4) + one + bytes(4) + minus + bytes(16) + (1 << 30).to_bytes(4, "big")
    track = data.index(b"tkhd")
    at = data.index(upright, track)
    (tmp_path / "turned.mp4").write_bytes(data[:at] + turned + data[at + 36 :])
    film = Footage(tmp_path / "turned.mp4")
    assert film.size == (64, 32)
    (frame, *_) = read_frames(tmp_path / "turned.mp4")
    assert frame[:28].max() < 30 and frame[36:].min() > 220


@pytest.mark.parametrize(
    ("own", "rate"),
    [
        (1, 25),
        (2, 25),
        (9.9, 25),
        (10, 10),
        (24000 / 1001, 24000 / 1001),
        (60, 60),
        (100, 50),
        (120, 60),
        (1000, 1000 / 17),
        (60.02, 60.02),
        (60.0001, 60.0001),
        (120.05, 60.025),
        (59.94, 59.94),
        (62, 31),
        (9.9999, 9.9999),
    ],
)
def test_lips_have_a_usable_rate(own, rate):
    assert usual_rate(own) == pytest.approx(rate)


def test_a_slide_show_repeats_its_pictures(make_film):
    show = Footage(make_film("a.mp4", numbered(4), rate=1, options={"crf": "0"}))
    assert show.fps == 25
    assert [number(frame) for frame in show.frames()] == list(np.repeat(range(4), 25))


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("fragments.mp4", {"file_options": {"movflags": "frag_keyframe+empty_moov"}}),
        ("live.mkv", {"file_options": {"live": "1"}}),  # without a length, and without an index
        ("deep.mkv", {"options": {"crf": "0", "bf": "8", "g": "60"}}),
        ("a.ts", {}),
        ("a.h264", {}),
        ("a.webm", {"codec": "libvpx-vp9", "options": {"lossless": "1", "cpu-used": "8", "deadline": "realtime"}}),
        ("a.flv", {}),
        ("a.avi", {"codec": "mpeg4", "options": {"q": "1"}}),
        ("thousand.mp4", {"rate": 1000}),
    ],
)
def test_films_of_many_kinds_are_read_from_anywhere(make_film, name, more):
    film = make_film(name, numbered(200), **{"options": {"crf": "0", "g": "25"}, **more})
    film = Footage(film, fps=more.get("rate"))
    assert [number(frame) for frame in film.frames()] == list(range(200))
    for start in (3, 130, 199):
        assert [number(frame) for frame in film.frames(start, start + 2)] == list(range(start, 200))[:2]


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
def test_films_joined_end_to_end_are_read_from_anywhere(make_film, tmp_path, name):
    kind = {"codec": "mpeg2video", "options": {"q": "1"}} if name == "a.mpg" else {"options": {"crf": "0", "g": "25"}}
    parts = [make_film(f"{i}-{name}", numbered(250)[125 * i :][:125], **kind) for i in range(2)]
    (tmp_path / name).write_bytes(b"".join(part.read_bytes() for part in parts))
    film = Footage(tmp_path / name)
    assert [number(frame) for frame in film.frames()] == list(range(250))
    assert film.seconds == pytest.approx(10, abs=0.1)
    for start in (110, 130, 200, 249):
        assert [number(frame) for frame in film.frames(start, start + 1)] == [start]
    back = np.arange(249, 90, -1)
    assert [number(frame) for frame in film.play(back)] == back.tolist()


def test_a_changing_rate_is_sampled_in_time(make_film):
    times = [0, 0.04, 0.08, 0.12, 0.5, 0.9, 0.94]
    film = Footage(make_film("a.mkv", numbered(7), times=times, options={"crf": "0"}), fps=25)
    shown = [number(frame) for frame in film.frames()]
    assert shown[:24] == [0, 1, 2, *[3] * 9, *[4] * 10, 5, 6][:24]


def test_a_late_picture_waits_for_its_time(make_film):
    film = make_film("a.mkv", numbered(200), sound=np.zeros(16000), picture_at=0.4, options={"crf": "0", "g": "25"})
    film = Footage(film)
    assert [number(frame) for frame in film.frames(0, 16)] == [*[0] * 10, 0, 1, 2, 3, 4, 5]
    assert [number(frame) for frame in film.frames(150, 153)] == [140, 141, 142]  # sought


def test_an_animation_is_played_in_time(tmp_path):
    pictures = [Image.fromarray(frame) for frame in numbered(3)]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], duration=500, lossless=True)
    film = Footage(tmp_path / "a.webp")
    assert is_footage(tmp_path / "a.webp") and film.fps == 25
    shown = [number(frame) for frame in film.frames()]
    assert (len(shown), sorted(set(shown)), shown[13], shown[-1]) == (37, [0, 1, 2], 1, 2)


@pytest.mark.parametrize("held", [1 << 28, 1])
def test_an_animation_is_decoded_once_if_it_is_small(tmp_path, monkeypatch, held):
    pictures = [Image.fromarray(frame) for frame in numbered(80)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=40)
    monkeypatch.setattr(footage, "ANIMATION_BYTES", held)
    film, opened, original = Footage(tmp_path / "a.gif"), [], Image.open
    monkeypatch.setattr(Image, "open", lambda *args, **options: opened.append(1) or original(*args, **options))
    back = np.arange(79, -1, -1)
    assert [number(frame) for frame in film.play(back)] == back.tolist()
    assert [number(frame) for frame in film.frames(40, 42)] == [40, 41]
    assert bool(opened) == (held == 1)


@pytest.mark.parametrize("count", [3, 6, 7, 11, 24])
def test_an_animation_of_ten_pictures_a_second_keeps_its_rate(tmp_path, count):
    pictures = [Image.fromarray(frame) for frame in numbered(count)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    film = Footage(tmp_path / "a.gif")
    assert film.fps == pytest.approx(10) and [number(frame) for frame in film.frames()] == list(range(count))


def test_what_is_wrong_with_a_frame_names_the_argument(film, monkeypatch):
    footage_of = Footage(film, name="reference")

    def refused(shown):
        raise ImageError("`image`: the PIL image has no pixels (0x0)")

    monkeypatch.setattr(footage, "to_rgb", refused)
    with pytest.raises(ImageError, match="^`reference`: the PIL image"):
        next(footage_of.frames())


@pytest.mark.parametrize(
    "address", ["https://example.org/a.mp4", "rtsp://camera/1", "file:///a.png", "ftp://a.b/c.gif"]
)
def test_an_address_is_neither_film_nor_picture(address):
    with pytest.raises(ImageError, match=f"image: '{address}' is an address; download it first and give the file"):
        Footage(address)
    with pytest.raises(ImageError, match=f"`image`: '{address}' is an address; download it first and give the file"):
        load_image(address)
    with pytest.raises(ImageError, match="no file at 'a:/b.png'; check the name"):
        load_image("a:/b.png")


def test_pixels_are_square_before_a_face_is_looked_for(make_film):
    from fractions import Fraction

    film = make_film("a.mp4", numbered(4), ratio=Fraction(4, 3))
    assert Footage(film).size == (32, 64)
    with pytest.raises(ImageError, match="has 64x32 pixels"):
        Footage(film, max_size=60)


def test_bad_films(film, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("I am no film.")
    (tmp_path / "cut.mp4").write_bytes(film.read_bytes()[:900])
    for name in ("empty.mp4", "text.mp4", "cut.mp4"):
        with pytest.raises(ValueError, match="image: .*(can't be opened|damaged|holds no)"):
            Footage(tmp_path / name)
    with pytest.raises(ImageError, match="no file at"):
        Footage(tmp_path / "none.mp4")
    with pytest.raises(ImageError, match="got no frames"):
        Footage([])
    with pytest.raises(ImageError, match=r"frame 1 is \(8, 8\), the first was \(4, 4\)"):
        list(Footage([np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)]).frames())
    with pytest.raises(ImageError, match="its longer side may be 40"):
        Footage(film, max_size=40)


def test_a_film_that_breaks_off_says_so(film, tmp_path):
    data = bytearray(film.read_bytes())
    middle = len(data) // 2
    data[middle:] = bytes(len(data) - middle)
    (tmp_path / "broken.mp4").write_bytes(data)
    with pytest.raises(ValueError, match="damaged|cut short"):
        list(Footage(tmp_path / "broken.mp4").frames())


def test_tensors_of_more_than_one_frame_are_films():
    film = np.random.default_rng(0).integers(0, 256, (4, 6, 7, 3), np.uint8)
    tensor = torch.from_numpy(film)
    for form in (tensor, tensor.permute(0, 3, 1, 2), tensor.permute(0, 3, 1, 2) / 255, list(tensor)):
        assert is_footage(form)
        assert np.array_equal(np.stack(list(Footage(form).frames())), film)
    assert not is_footage(tensor[0]) and not is_footage(tensor[:1])
