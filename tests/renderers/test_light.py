"""Light that falls on a face in one picture, given to another picture of it."""

import cv2
import numpy as np
import pytest

from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.media.images import load_image
from text2lip.renderers.light import light_of, spread_light


@pytest.fixture(scope="module")
def face():
    """The built-in portrait, float32 (256, 256, 3), and its landmarks, pixels."""
    picture = cv2.resize(load_image(builtin_portrait()), (256, 256), interpolation=cv2.INTER_AREA)
    return picture.astype(np.float32), FaceLandmarker.from_builtin().locate(picture)[:, :2] * 256


@pytest.mark.parametrize(
    ("factor", "added"),
    [((1, 1, 1), 0), ((0.1, 0.1, 0.1), 0), ((0.4, 0.5, 0.6), 0), ((1.2, 1, 0.6), 0), ((0.3, 0.3, 0.3), 150)],
)
def test_light_that_was_multiplied_and_added_is_found_on_a_head_that_moved(face, factor, added):
    picture, points = face
    turn = cv2.getRotationMatrix2D((128, 128), 8, 0.9)
    moved = cv2.warpAffine(picture, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    lit = np.rint(moved * np.float32(factor) + added).astype(np.uint8)
    found = light_of(lit, points @ turn[:, :2].T + turn[:, 2], np.rint(picture).astype(np.uint8), points)
    x0, y0 = points.min(0).astype(int)
    x1, y1 = points.max(0).astype(int)
    skin = np.quantile(picture[y0:y1, x0:x1], [0.2, 0.8], (0, 1))
    assert np.abs(skin * found[0] + found[1] - (skin * factor + added)).max() < 6


def test_a_face_that_moves_in_itself_stands_in_no_fog(face):
    picture, points = face
    x, y = np.meshgrid(*2 * [np.arange(256, dtype=np.float32)])
    mixed = cv2.remap(picture, x + 20 * np.sin(y / 9), y + 20 * np.sin(x / 8), cv2.INTER_LINEAR)
    factor, added = light_of(np.rint(mixed).astype(np.uint8), points, np.rint(picture).astype(np.uint8), points)
    assert np.abs(factor - 1).max() < 0.2 and np.abs(added).max() < 20


def test_uneven_light_is_followed_and_noise_in_the_dark_is_not():
    rng = np.random.default_rng(0)
    carried = rng.uniform(60, 200, (80, 80, 3)).astype(np.float32)
    light = np.linspace(0.6, 1.3, 80, dtype=np.float32)[:, None]
    factor = spread_light(carried * light, carried, np.ones((80, 80), np.float32), 8.0)
    assert np.abs(factor - light)[:, 24:-24].max() < 0.06
    dark = spread_light(np.float32(carried > 130), np.float32(carried > 150), np.ones((80, 80), np.float32), 8.0)
    assert np.abs(dark - 1).max() < 0.2
