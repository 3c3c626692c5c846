"""Frames come out as players show them."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageOps

from text2lip.media.decoded import Shown, at_rate, deinterlace, fit, square, to_rgb, upright
from text2lip.media.video import read_frames, timed_frames


ONE, DEEP = 1 << 16, 1 << 30
TURNS = {  # display matrices, and what they do by PIL's hand
    (1, 0, 0, 1): None,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,  # a phone held upright
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


def ramp(height=64, width=96):
    """Red grows to the right, green downwards."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width)
    picture[..., 1] = np.linspace(0, 255, height)[:, None]
    return picture


def matrix(a, b, c, d):
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, DEEP]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_whole_display_matrix_is_obeyed(make_film, turn, name):
    film = make_film(name, [ramp()] * 2, matrix=matrix(*turn), options={"crf": "5"})
    picture = Image.fromarray(ramp())
    right = np.asarray(picture if TURNS[turn] is None else picture.transpose(TURNS[turn]))
    shown = next(read_frames(film))
    assert shown.shape == right.shape
    assert np.abs(shown.astype(int) - right).mean() < 3


def test_a_turn_beside_data_without_a_name(tmp_path):
    """A camera's pictures, one after another, each with its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = io.BytesIO()
    Image.fromarray(ramp()).save(picture, "JPEG", exif=exif, quality=95)
    (tmp_path / "a.mjpg").write_bytes(picture.getvalue() * 3)
    (shown, *_) = timed_frames(tmp_path / "a.mjpg")
    right = np.asarray(Image.fromarray(ramp()).transpose(Image.Transpose.ROTATE_270))
    assert np.abs(to_rgb(shown).astype(int) - right).mean() < 3


def test_a_crooked_matrix_is_taken_for_the_nearest():
    right = upright(ramp(), np.array(matrix(0, 1, -1, 0)))
    near = np.array([3000, ONE - 200, 0, -ONE + 200, 3000, 0, 0, 0, DEEP])
    assert (upright(ramp(), near) == right).all()
    assert (upright(ramp(), np.array(matrix(0, 0, 0, 0))) == ramp()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_portrait_is_turned_as_exif_says(tmp_path, orientation):
    from text2lip.media.images import load_image

    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.webp", "a.jpg"):
        Image.fromarray(ramp()).save(tmp_path / name, exif=exif, quality=100, lossless=True)
        picture = Image.fromarray(ramp())
        picture.getexif()[0x0112] = orientation
        right = np.asarray(ImageOps.exif_transpose(picture))
        assert np.abs(load_image(tmp_path / name).astype(int) - right).mean() < 2


@pytest.mark.parametrize(
    ("name", "codec", "ratio", "size"),
    [
        ("a.mp4", "libx264", Fraction(4, 3), (64, 128)),
        ("a.mkv", "libx264", Fraction(16, 15), (64, 102)),
        ("a.ts", "libx264", Fraction(12, 11), (64, 105)),
        ("a.mpg", "mpeg2video", Fraction(8, 9), (72, 96)),
        ("a.avi", "mpeg4", Fraction(4, 3), (64, 128)),
        ("a.mp4", "libx264", Fraction(1, 2), (128, 96)),
    ],
)
def test_pixels_become_square(make_film, name, codec, ratio, size):
    shown = next(read_frames(make_film(name, [ramp()] * 12, codec=codec, ratio=ratio)))
    assert shown.shape[:2] == size
    assert np.abs(shown[..., 0].mean(0) - np.linspace(0, 255, size[1])).max() < 25  # and the picture fills them


def test_ratio_and_turn_together(make_film):
    film = make_film("a.mp4", [ramp()] * 2, ratio=Fraction(4, 3), matrix=matrix(0, 1, -1, 0))
    assert next(read_frames(film)).shape == (128, 64, 3)


def test_absurd_pixels_are_refused(make_film):
    film = make_film("a.mp4", [ramp()] * 2, ratio=Fraction(40, 1))
    with pytest.raises(ValueError, match="40 times as wide as high; convert"):
        next(read_frames(film))


def test_square_pictures_are_not_touched():
    assert square(ramp(), Fraction(1)) is not None and (square(ramp(), Fraction(1)) == ramp()).all()
    picture = ramp()
    assert fit(picture, 64, 96) is picture


def test_another_size_is_laid_into_the_first():
    inside = fit(np.full((32, 32, 3), 200, np.uint8), 64, 96)
    assert inside.shape == (64, 96, 3)
    assert (inside[:, :16] == 0).all() and (inside[:, 16:80] == 200).all() and (inside[:, 80:] == 0).all()


@pytest.mark.parametrize(
    ("pixels", "codec", "name", "color"),
    [
        ("yuv420p", "libx264", "a.mp4", (5, 1, 5, 6)),  # BT.601
        ("yuv420p", "libx264", "a.mp4", (1, 1, 1, 1)),
        ("yuv420p", "libx264", "a.mp4", (1, 2, 1, 1)),  # full range
        ("yuvj420p", "mjpeg", "a.avi", None),
        ("yuv422p10le", "libx264", "a.mkv", (1, 1, 1, 1)),
        ("yuv444p", "libx264", "a.mkv", (1, 1, 1, 1)),
        ("yuv444p12le", "ffv1", "a.mkv", (1, 1, 1, 1)),
        ("gbrp12le", "ffv1", "a.mkv", None),
        ("rgb24", "png", "a.mov", None),
        ("bgra", "ffv1", "a.mkv", None),
        ("yuva420p", "libvpx-vp9", "a.webm", (1, 1, 1, 1)),
    ],
)
def test_colors_of_many_codecs(make_film, pixels, codec, name, color):
    picture = np.full((64, 96, 3), (190, 141, 121), np.uint8)
    picture[:, 48:] = 30, 60, 200
    film = make_film(name, [picture] * 2, codec=codec, pixels=pixels, color=color)
    shown = next(read_frames(film))
    assert np.abs(shown[8:56, 8:40].astype(int) - picture[0, 0]).max() <= 6
    assert np.abs(shown[8:56, 56:88].astype(int) - picture[0, -1]).max() <= 6


def test_grey_and_clear(make_film):
    grey = make_film("a.mkv", [np.full((32, 32, 3), 77, np.uint8)] * 2, codec="ffv1", pixels="gray")
    assert np.abs(next(read_frames(grey)).astype(int) - 77).max() <= 1
    clear = np.zeros((32, 32, 4), np.uint8)
    clear[:, :16] = 250, 20, 20, 255
    import av

    path = grey.with_name("clear.mov")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "rgba"
        for pts in range(2):
            frame = av.VideoFrame.from_ndarray(clear, "rgba")
            frame.pts, frame.time_base = pts, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    shown = next(read_frames(path))
    assert (shown[:, :16] == (250, 20, 20)).all() and (shown[:, 16:] == 128).all()  # as pictures: on grey


def test_high_definition_without_a_word_is_bt709(make_film):
    picture = np.full((720, 1280, 3), (190, 60, 40), np.uint8)
    film = make_film("a.mkv", [picture] * 2, color=(1, 1, 1, 1), options={"x264-params": "colormatrix=undef"})
    assert np.abs(next(read_frames(film))[300, 300].astype(int) - (190, 60, 40)).max() <= 4


def fields(shift):
    """A picture of smooth bars, whose second field shows them `shift` pixels further on."""
    x = np.arange(96)
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[0::2] = (128 + 100 * np.sin(x / 6))[:, None]
    picture[1::2] = (128 + 100 * np.sin((x - shift) / 6))[:, None]
    return picture


def comb(picture):
    rows = picture.astype(int)
    return np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean()


def test_fields_of_different_moments_become_one(make_film):
    assert comb(deinterlace(fields(6))) < 0.15 * comb(fields(6))
    assert (deinterlace(fields(0)) == fields(0)).all()
    assert (deinterlace(ramp(63)) == ramp(63)).all() and (deinterlace(ramp(1)) == ramp(1)).all()
    film = make_film("a.mkv", [fields(6)] * 3, options={"x264-params": "tff=1", "crf": "5"}, pixels="yuv444p")
    assert comb(next(read_frames(film))) < 0.2 * comb(fields(6))
    film = make_film("b.mkv", [fields(6)] * 3, options={"crf": "5"}, pixels="yuv444p")  # not said to be interlaced
    assert comb(next(read_frames(film))) > 0.8 * comb(fields(6))


@pytest.mark.parametrize(("lasts", "expected"), [(0.04, 255), (0.5, 266), (0, 504)])
def test_the_last_picture_lasts_as_long_as_it_says(lasts, expected):
    """Not as long as the one before it, unless it says nothing."""
    moments = [0, 0.04, 0.08, 0.12, 0.16, 10.16]
    film = [Shown(moment, 0.04, i) for i, moment in enumerate(moments[:-1])] + [Shown(moments[-1], lasts, 5)]
    shown = [one.frame for one in at_rate(film, 25)]
    assert (len(shown), shown.count(4)) == (expected, 250)


def test_the_last_picture_of_a_file_lasts_as_long_as_it_says(make_film):
    picture = np.zeros((32, 48, 3), np.uint8)
    film = make_film("a.mkv", [picture] * 6, times=[0, 0.04, 0.08, 0.12, 0.16, 10.16])
    assert len(list(read_frames(film, fps=25))) == 255
