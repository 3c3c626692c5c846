"""Sharpness and colour of drawn mouths, on mouths that are painted here."""

import cv2
import numpy as np
import pytest

from text2lip import metrics
from text2lip.metrics.mouth_detail import BOX_SIZE


SIZE = 144  # pixels a unit and a half, so 96 a unit
RED, SKIN, CAVITY = (180, 80, 80), (220, 180, 150), (40, 10, 10)


@pytest.fixture
def lips(mouth):
    """Three frames in crop pixels: shut, open, wide."""
    shapes = mouth.shapes(np.array([0.0, 0.1, 0.2]), np.full(3, 0.6))[:, :40]
    bow = 1 - np.linspace(-1, 1, 11) ** 2
    shapes[:, :11, 1] += 0.06 * bow  # thicker lips
    shapes[:, 11:20, 1] -= 0.06 * bow[1:-1]
    return (shapes - shapes.mean((0, 1))) * SIZE / 1.5 + SIZE / 2


def painted(lips, red=RED, stripes=0, blur=0.0):
    """Crops (frames, 144, 144, 3): skin, lips, and a cavity with teeth as `stripes` levels of contrast."""
    frames = []
    for points in lips:
        frame = np.full((SIZE, SIZE, 3), SKIN, np.float64)
        outer = np.concatenate([points[:11], points[19:10:-1]])
        cv2.fillPoly(frame, [outer.round().astype(np.int32)], red)
        inside = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillPoly(inside, [metrics.inner_lip_polygon(points).round().astype(np.int32)], 1)
        teeth = np.where(np.arange(SIZE) // 3 % 2, stripes, 0)[None, :, None] + np.array(CAVITY, np.float64)
        frame[inside == 1] = np.broadcast_to(teeth, frame.shape)[inside == 1]
        frames.append(cv2.GaussianBlur(frame, (0, 0), blur) if blur else frame)
    return np.stack(frames).round().clip(0, 255).astype(np.uint8)


def test_energy_inside_is_that_of_the_contrast_squared(lips):
    film = painted(lips, stripes=120)
    assert metrics.inner_sharpness(film, film, lips, lips) == pytest.approx(1)
    half = metrics.inner_sharpness(painted(lips, stripes=60), film, lips, lips)
    assert half == pytest.approx(0.25, abs=0.1)  # the rim of the opening adds to it
    assert metrics.inner_sharpness(painted(lips, stripes=120, blur=2), film, lips, lips) < 0.2
    assert metrics.inner_sharpness(film[:1], film, lips[:1], lips) is None  # never open


def test_lines_of_the_lips_smear_with_a_blur(lips):
    film, soft = painted(lips), painted(lips, blur=2)
    for metric in (metrics.lip_edge, metrics.lip_border):
        assert metric(film, film, lips, lips) == pytest.approx(1)
        assert 0.2 < metric(soft, film, lips, lips) < 0.8
    pale = painted(lips, red=(200, 130, 115))  # half way to skin
    assert metrics.lip_border(pale, film, lips, lips) == pytest.approx(0.5, abs=0.1)
    assert metrics.lip_edge(film[:1], film, lips[:1], lips) is None


def test_the_edge_is_found_beside_its_landmarks(lips):
    film = painted(lips)
    assert metrics.lip_border(film, film, lips + 1.5, lips) == pytest.approx(1, abs=0.15)
    assert metrics.lip_border(film, film, lips + (0, 30), lips) < 0.5


def test_colour_is_that_of_the_lips_alone(lips):
    film = painted(lips)
    assert metrics.lip_colour(film, film, lips, lips) == pytest.approx(0, abs=1e-9)
    assert metrics.lip_colour(painted(lips, stripes=200), film, lips, lips) < 1.5  # rims of the painted teeth
    lab = [cv2.cvtColor(np.float32([[c]]) / 255, cv2.COLOR_RGB2LAB)[0, 0] for c in (RED, (200, 130, 115))]
    pale = metrics.lip_colour(painted(lips, red=(200, 130, 115)), film, lips, lips)
    assert pale == pytest.approx(np.linalg.norm(lab[1] - lab[0]), abs=2)
    assert metrics.lip_colour(film[1:2], film[1:], lips[1:2], lips[1:]) < 1.5  # of fewer frames


def test_the_box_of_the_opening_is_enlarged(lips):
    seen = []

    class Model:
        shift = next(iter(metrics.LPIPSModel().buffers()))

        def __call__(self, ours, real):
            seen.append(ours.shape)
            return (ours - real).abs().mean((1, 2, 3))

    film, other = painted(lips), painted(lips, stripes=120)
    outside = film.copy()
    outside[:, :40] = 0
    assert metrics.inner_lpips(outside, film, lips, Model()) == 0
    assert metrics.inner_lpips(other, film, lips, Model()) > 0.05
    assert seen[0] == (2, 3, BOX_SIZE, BOX_SIZE)  # the shut frame is not looked at
    assert metrics.inner_lpips(film[:1], film[:1], lips[:1], Model()) is None


def test_wrong_shapes_are_named(lips):
    film = painted(lips)
    with pytest.raises(ValueError, match=r"our_lips: has shape \(2, 40, 2\); wants \(3, 40 or 57, 2\)"):
        metrics.lip_edge(film, film, lips[:2], lips)
    with pytest.raises(ValueError, match=r"ours: crops of \(96, 144\) px"):
        metrics.lip_colour(film[:, :96], film, lips, lips)
    for metric in (metrics.lip_border, metrics.lip_colour, metrics.inner_sharpness):
        with pytest.raises(ValueError, match="real_lips: isn't finite"):
            metric(film, film, lips, lips * np.nan)
