import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage

from text2lip import metrics
from text2lip.media.color import LUMA
from text2lip.metrics.image import inside_polygon
from text2lip.metrics.sharpness import sharp_share


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()[:192, 100:292]


@pytest.fixture(scope="module")
def clip(picture) -> np.ndarray:
    return np.stack([np.roll(picture, k, axis=1) for k in (0, 1, 3)])


def noisy(clip, sigma, seed=0):
    noise = np.random.default_rng(seed).normal(0, sigma, clip.shape)
    return (clip + noise).round().clip(0, 255).astype(np.uint8)


def test_ssim_is_that_of_scikit_image(clip):
    compare = pytest.importorskip("skimage.metrics").structural_similarity
    ours = noisy(clip, 20)
    expected = np.mean(
        [
            compare(a @ LUMA, b @ LUMA, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
            for a, b in zip(ours, clip)
        ]
    )
    assert metrics.ssim(ours, clip) == pytest.approx(expected, abs=1e-9)
    assert 0.2 < expected < 0.9
    assert metrics.ssim(clip, clip) == pytest.approx(1)


def test_ssim_of_constants_by_hand():
    a, b = np.full((1, 11, 11, 3), 100, np.uint8), np.full((1, 11, 11, 3), 120, np.uint8)
    c1 = 2.55**2
    assert metrics.ssim(a, b) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1))


def test_psnr_by_hand():
    real = np.full((2, 4, 4, 3), 100, np.uint8)
    ours = real.copy()
    ours[0] += 10
    ours[1, 0] += 4  # a quarter of the pixels: MSE 4
    expected = (10 * np.log10(255**2 / 100) + 10 * np.log10(255**2 / 4)) / 2
    assert metrics.psnr(ours, real) == pytest.approx(expected)
    assert metrics.psnr(real, real) == pytest.approx(58.92, abs=0.01)
    assert metrics.psnr(torch.tensor(ours) / 255, torch.tensor(real) / 255) == pytest.approx(expected, abs=1e-4)


def test_flicker_by_hand():
    real = np.zeros((3, 2, 2, 3), np.uint8)
    real[1] = 10
    ours = real * 3
    assert metrics.flicker(ours, real).value == pytest.approx(3)
    assert metrics.flicker(real * 0, real).value == 0  # a frozen picture is a true 0
    assert metrics.flicker(ours, real * 0).value is None
    assert metrics.flicker(ours[:1], real[:1]).value is None
    assert metrics.flicker(noisy(real // 10 + 100, 5), real // 10 + 100).value > 3


def test_inner_mouth_by_hand(mouth):
    lips = mouth.shapes(np.array([0.3, 0.0]), np.array([0.6, 0.6]))
    outline = metrics.inner_lip_polygon(lips)
    # shoelace: the outline is simple, and its area that of two parabolas over 0.54 with a summed height of 0.3
    x, y = outline[0].T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert area == pytest.approx(2 / 3 * 0.54 * 0.3, rel=0.02)
    pixels = (outline - outline.mean((0, 1))) * 60 + 20
    inside = inside_polygon(pixels[0], 40, 40)
    assert inside.sum() == pytest.approx(area * 60**2, rel=0.05)
    real = np.full((2, 40, 40, 3), 50, np.uint8)
    ours = real.copy()
    ours[0][inside] += 10
    ours[0][~inside] = 255  # outside the lips nothing counts
    ours[1] = 0  # nor does a shut mouth
    expected = 10 * np.log10(255**2 / 100)
    assert metrics.inner_mouth_psnr(ours, real, pixels, [0.3, 0.0]) == pytest.approx(expected)
    assert metrics.inner_mouth_psnr(ours, real, pixels, [0.02, 0.0]) is None


def test_inside_of_a_square():
    square = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]])
    expected = np.zeros((5, 5), bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(inside_polygon(square, 5, 5), expected)


@pytest.mark.parametrize(
    ("sigma", "expected"),
    # cpbd-py312 1.0.3 on the same grey values
    [(0, 0.435275080906), (1, 0.055641421947), (2, 0.002185792350), (4, 0.0)],
)
def test_cpbd_is_that_of_the_published_implementation(picture, sigma, expected):
    grey = ndimage.gaussian_filter(picture @ LUMA, sigma) if sigma else picture @ LUMA
    assert sharp_share(grey) == pytest.approx(expected, abs=1e-6)


def test_cpbd_falls_with_blur(clip):
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in clip])
    assert 0 <= metrics.cpbd(blurred) < metrics.cpbd(clip) - 0.2
    assert metrics.cpbd(np.full((1, 64, 64, 3), 7, np.uint8)) is None
    assert metrics.cpbd(clip[:, :63]) is None  # no whole block


def test_identity_by_hand():
    frames = np.zeros((2, 2, 2, 3), np.uint8)
    embedding = {2: np.array([[3.0, 0], [0, 5.0]]), 1: np.array([[2.0, 0]])}
    assert metrics.identity(frames, frames[:1], lambda f: embedding[len(f)]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="embed: gave shape"):
        metrics.identity(frames, frames[:1], lambda f: np.zeros(3))
    with pytest.raises(ValueError, match="embed: missing, and frames of .* are no uint8 chips of 150 px"):
        metrics.identity(frames, frames[:1])


@pytest.mark.parametrize("metric", [metrics.ssim, metrics.psnr, metrics.flicker])
def test_unequal_clips_are_an_error(metric, clip):
    with pytest.raises(ValueError, match="ours: has shape .*, real has .*; frames are compared at equal length"):
        metric(clip[:-1], clip)
    with pytest.raises(ValueError, match="ours: has shape .* wants RGB frames"):
        metric(clip[0], clip)
    with pytest.raises(ValueError, match=r"real: floats from .* wants \[0, 1\], or uint8"):
        metric(clip, clip.astype(np.float32))
    with pytest.raises(ValueError, match="real: is int64; wants uint8"):
        metric(clip, clip.astype(np.int64))


def test_fooling_a_still_portrait_and_shifted_frames(clip):
    good = noisy(clip, 3)
    for fooled in (np.repeat(good[:1], 3, 0), np.roll(good, 1, axis=0)):
        assert metrics.ssim(fooled, clip) < metrics.ssim(good, clip) - 0.1
        assert metrics.psnr(fooled, clip) < metrics.psnr(good, clip) - 3
