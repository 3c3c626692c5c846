"""Turned crops: where they come from, and that shrinking does not alias."""

import math

import numpy as np
import pytest

from text2lip.faces.regions import Region, cut


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, math.pi])
@pytest.mark.parametrize("size", [6, 8, 15, 25, 37])
def test_crop_agrees_with_the_map_back(angle, size):
    """A pixel of the crop shows the place that `to_picture` names, for growing and shrinking crops."""
    y, x = np.mgrid[0:62, 0:62] + 0.5
    picture = np.stack([4 * x, 4 * y, 0 * x], -1).astype(np.uint8)  # four grey levels a pixel: shows a shift of half
    region = Region(29.3, 31.6, size, angle)
    crop = cut(picture, region, 8)
    y, x = np.mgrid[0:8, 0:8] + 0.5
    error = crop[..., :2] / 4 - region.to_picture(np.stack([x, y], -1), 8)  # pixels of the picture
    assert np.abs(error).max() < 0.3
    assert np.abs(error.mean((0, 1))).max() < 0.15


def test_whole_picture_is_unchanged():
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    np.testing.assert_array_equal(cut(picture, Region(24, 24, 48), 48), picture)


@pytest.mark.parametrize("factor", [1.5, 2, 3, 7])
def test_fine_detail_becomes_grey(factor):
    board = (np.indices((448, 448)).sum(0) % 2 * 255).astype(np.uint8)
    crop = cut(np.repeat(board[..., None], 3, 2), Region(224, 224, 48 * factor), 48)
    assert np.abs(crop[4:-4, 4:-4].astype(float) - 127.5).max() < 64


def test_far_outside_of_the_picture():
    picture = np.full((10, 20, 3), 7, np.uint8)
    for region in (Region(500, -300, 8), Region(10, 5, 4000, 1.0), Region(-900, 5, 900)):
        assert cut(picture, region, 16).shape == (16, 16, 3)
    assert (cut(picture, Region(500, -300, 8), 16) == 7).all()
