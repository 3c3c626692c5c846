"""Every kind of picture becomes uint8 RGB, or a clear error."""

import numpy as np
import pytest
import torch
from PIL import Image

from text2lip.media.images import load_image
from text2lip.media.pixels import ImageError


@pytest.fixture
def pixels():
    """Smooth colours (height 31, width 47), so that JPEG keeps them."""
    y, x = np.mgrid[0:31, 0:47]
    return np.stack([x * 5, y * 8, 255 - x * 3], -1).astype(np.uint8)


def test_path_pil_and_array_agree(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(pixels), pixels, pixels / 255.0):
        loaded = load_image(source)
        assert loaded.dtype == np.uint8 and loaded.flags.c_contiguous
        np.testing.assert_array_equal(loaded, pixels)


def test_result_is_a_copy(pixels):
    load_image(pixels)[:] = 0
    assert pixels.max() > 0


@pytest.mark.parametrize("shape", [(31, 47), (31, 47, 1)])
def test_grey(shape):
    grey = np.arange(31 * 47).reshape(shape).astype(np.uint8)
    np.testing.assert_array_equal(load_image(grey), np.repeat(grey.reshape(31, 47, 1), 3, 2))


@pytest.mark.parametrize("mode, tolerance", [("L", 0), ("1", 0), ("P", 0), ("YCbCr", 4), ("HSV", 8), ("CMYK", 1)])
def test_pil_modes_match_their_rgb(pixels, mode, tolerance):
    source = Image.fromarray(pixels).convert("L") if mode in ("L", "1") else Image.fromarray(pixels)
    converted = source.convert(mode)
    expected = converted.convert("RGB") if mode in ("1", "P") else source.convert("RGB")
    assert np.abs(load_image(converted).astype(int) - np.asarray(expected)).max() <= tolerance


def test_16_bit_png(tmp_path, pixels):
    deep = pixels[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert Image.open(tmp_path / "deep.png").mode.startswith("I")
    np.testing.assert_array_equal(load_image(tmp_path / "deep.png")[..., 1], pixels[..., 0])
    np.testing.assert_array_equal(load_image(pixels.astype(np.uint16) * 257), pixels)


def test_cmyk_jpeg(tmp_path, pixels):
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    assert Image.open(tmp_path / "cmyk.jpg").mode == "CMYK"
    assert np.abs(load_image(tmp_path / "cmyk.jpg").astype(int) - pixels).mean() < 4


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_orientation(tmp_path, pixels, tag):
    upright = Image.fromarray(pixels)
    # What a camera stores for tag t is the inverse of what the viewer does.
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = tag
    (upright.transpose(stored[tag]) if tag > 1 else upright).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "turned.png"), pixels)


def test_alpha_is_laid_over_the_background(tmp_path, pixels):
    alpha = np.full((31, 47), 255, np.uint8)
    alpha[:10], alpha[10:20] = 0, 128
    rgba = np.dstack([pixels, alpha])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    for source in (tmp_path / "a.png", rgba, Image.fromarray(rgba)):
        colour, opacity = load_image(source, return_alpha=True, background=(10, 20, 30))
        np.testing.assert_array_equal(opacity, alpha)
        assert (colour[:10] == (10, 20, 30)).all()
        np.testing.assert_array_equal(colour[20:], pixels[20:])
        mixed = pixels[10:20] * (128 / 255) + np.array([10, 20, 30]) * (127 / 255)
        assert np.abs(colour[10:20] - mixed).max() <= 1
    assert load_image(pixels, return_alpha=True)[1] is None


def test_transparent_palette(tmp_path):
    picture = Image.new("P", (5, 4))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putpixel((2, 1), 1)
    picture.save(tmp_path / "p.gif", transparency=1)
    colour, opacity = load_image(tmp_path / "p.gif", return_alpha=True)
    assert opacity[1, 2] == 0 and opacity[0, 0] == 255
    assert tuple(colour[1, 2]) == (128, 128, 128) and tuple(colour[0, 0]) == (255, 0, 0)


@pytest.mark.parametrize("width, height", [(1, 1), (7, 3), (4096, 1)])
def test_sizes_are_kept(width, height):
    assert load_image(np.zeros((height, width, 3), np.uint8)).shape == (height, width, 3)


def test_too_large_says_what_to_do(tmp_path):
    Image.new("1", (12000, 6000)).save(tmp_path / "large.png")
    for source in (tmp_path / "large.png", np.broadcast_to(np.uint8(0), (6000, 12000, 3))):
        with pytest.raises(ImageError, match=r"12000x6000.*max_size.*4096x2048"):
            load_image(source)
    assert load_image(tmp_path / "large.png", max_size=None).shape == (6000, 12000, 3)


def test_decompression_bomb_is_an_image_error(tmp_path):
    Image.new("1", (20000, 20000)).save(tmp_path / "bomb.png")
    with pytest.raises(ImageError, match="too large"):
        load_image(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "array, words",
    [
        (np.zeros((3, 8, 9), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((2, 8, 9, 3), np.uint8), "list"),
        (np.zeros((8,), np.uint8), "shape"),
        (np.zeros((8, 9, 2), np.uint8), "shape"),
        (np.zeros((0, 9, 3), np.uint8), "no pixels"),
        (np.zeros((8, 9, 3), np.int64), "int64"),
        (np.zeros((8, 9, 3), bool), "bool"),
        (np.full((8, 9, 3), 200.0), r"\[0, 1\]"),
        (np.full((8, 9, 3), -0.5), r"\[0, 1\]"),
        (np.full((8, 9, 3), np.nan), r"\[0, 1\]"),
    ],
)
def test_bad_arrays(array, words):
    with pytest.raises(ImageError, match=words):
        load_image(array)


@pytest.mark.parametrize("source", [None, 3, b"bytes", [1, 2]])
def test_bad_types(source):
    with pytest.raises(ImageError, match="must be a path"):
        load_image(source)


@pytest.mark.parametrize("name", ["missing.png", "", "a\0b.png", "http://example.com/a.png"])
def test_no_such_file(name):
    with pytest.raises(ImageError, match="no file at|download"):
        load_image(name)


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "gif", "tiff", "bmp"])
def test_damaged_files(tmp_path, pixels, form):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / f"whole.{form}")
    data = (tmp_path / f"whole.{form}").read_bytes()
    for share in (0.02, 0.5):
        cut = tmp_path / f"cut.{form}"
        cut.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(ImageError, match="cut"):
            load_image(cut)
    (tmp_path / "text.png").write_text("this is not a picture")
    with pytest.raises(ImageError, match="not a picture"):
        load_image(tmp_path / "text.png")


class TestTensors:
    picture = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)

    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(self.picture).permute(2, 0, 1)

    @pytest.mark.parametrize(
        "form",
        [
            lambda t: t / 255,
            lambda t: t[None] / 255,
            lambda t: (t / 255).double().requires_grad_(),
            lambda t: t,
            lambda t: t[None],
            lambda t: t.permute(1, 2, 0),
            lambda t: t.permute(1, 2, 0)[None],
        ],
        ids=["float", "batch of one", "double", "uint8", "uint8 batch of one", "channels last", "batch, last"],
    )
    def test_the_same_pixels_as_the_picture(self, form):
        np.testing.assert_array_equal(load_image(form(self.tensor())), load_image(Image.fromarray(self.picture)))

    def test_half_precision_is_within_a_step(self):
        half = load_image((self.tensor() / 255).to(torch.bfloat16)).astype(int)
        assert np.abs(half - self.picture).max() <= 1

    def test_one_and_four_channels(self):
        grey = self.tensor()[:1] / 255
        np.testing.assert_array_equal(load_image(grey), np.repeat(self.picture[..., :1], 3, 2))
        opaque = torch.cat([self.tensor(), torch.full((1, 6, 7), 255, dtype=torch.uint8)])
        pixels, alpha = load_image(opaque, return_alpha=True)
        assert np.array_equal(pixels, self.picture) and (alpha == 255).all()

    @pytest.mark.parametrize(
        ("tensor", "message"),
        [
            (torch.rand(6, 7, 3), "channels come first: image.permute"),
            (torch.rand(2, 3, 6, 7), "several pictures are a film"),
            (torch.rand(6, 7), r"must be a tensor \(3, height, width\) .*got \(6, 7\)"),
            (torch.rand(1, 1, 3, 6, 7), "must be a tensor"),
            (torch.rand(5, 6, 7), r"must be a tensor \(3, height, width\), got \(5, 6, 7\)"),
            (torch.zeros(3, 6, 3, dtype=torch.uint8), "which side is the channels"),
            (2 * torch.rand(3, 6, 7) - 1.5, r"must lie in \[0, 1\]"),
            (torch.full((3, 6, 7), float("nan")), r"must lie in \[0, 1\]"),
            (torch.zeros(3, 6, 7, dtype=torch.int64), "uint8, uint16 or float"),
            (torch.rand(3, 0, 7), "no pixels"),
        ],
    )
    def test_others_are_refused(self, tensor, message):
        with pytest.raises(ImageError, match=message):
            load_image(tensor)
