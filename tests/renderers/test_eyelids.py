import numpy as np
import pytest

from text2lip.media.color import to_luma
from text2lip.renderers.eyelids import LEFT, RIGHT, Eye, find_eyes, prepare_eyelids


@pytest.fixture
def eye():
    return Eye(
        np.float32([40, 60]),
        np.float32([80, 0]),
        np.float32([0, 1]),
        np.float32([-50, 0, 0]),
        np.float32([50, 0, 0]),
        np.float32([20, 20]),
        200.0,
    )


def test_a_lid_in_shade_has_the_hue_of_the_cheek_and_leaves_the_brow(eye):
    x, y = eye.axes(np.stack(np.meshgrid(np.arange(160), np.arange(120)), -1).astype(np.float32))
    upper, lower, _ = eye.margins(x)
    picture = np.full((120, 160, 3), (200, 140, 100), np.uint8)
    picture[y < upper] = 80, 80, 85  # a socket in shade
    picture[y < upper - 19] = 30, 30, 30  # the brow
    picture[(y > upper) & (y < lower) & (x > 0) & (x < 1)] = 230
    picture[(y > upper) & (y < lower) & (np.abs(x - 0.6) < 0.12)] = 20
    shut = picture.copy()
    prepare_eyelids(picture, eye).close(shut, 1.0)
    lid = shut[(np.abs(x - 0.6) < 0.1) & (y > upper + 10) & (y < lower - 8)].astype(np.float32).mean(0)
    assert 80 < to_luma(lid) < to_luma(np.float32([200, 140, 100]))
    assert lid[0] > 1.3 * lid[1] > 1.3 * 1.2 * lid[2]
    assert np.abs(shut[y < upper - 21].astype(int) - picture[y < upper - 21]).max() <= 12


def test_raised_lashes_are_not_drawn_out_over_a_shut_lid(eye):
    x, y = eye.axes(np.stack(np.meshgrid(np.arange(160), np.arange(120)), -1).astype(np.float32))
    upper, lower, _ = eye.margins(x)
    picture = np.full((120, 160, 3), (200, 140, 100), np.uint8)
    picture[(y > upper) & (y < lower) & (x > 0) & (x < 1)] = 230
    picture[(y > upper) & (y < lower) & (np.abs(x - 0.6) < 0.12)] = 20
    lashes = (y < upper + 1) & (y > upper - 7) & (np.arange(160) % 8 < 2) & (x > 0.15) & (x < 0.35)
    picture[lashes] = 20
    shut, open_again = picture.copy(), picture.copy()
    lids = prepare_eyelids(picture, eye)
    lids.close(shut, 1.0)
    lids.close(open_again, 0.0)
    lid = (np.abs(x - 0.25) < 0.1) & (y < lower - 8) & (y > upper - 12)
    assert to_luma(shut[lid].astype(np.float32)).min() > 0.75 * to_luma(np.float32([200, 140, 100]))
    assert np.array_equal(open_again[lashes], picture[lashes])


def eye_contours(heights):
    """Landmarks (478, 2) of two eyes, 40 pixels wide and as high as `heights`, the right one's first."""
    points = np.zeros((478, 2), np.float32)
    for (upper, lower, brow), outer, inwards, height in zip((RIGHT, LEFT), (50, 150), (1, -1), heights):
        for line, bow in ((upper, -0.5 * height), (lower, 0.5 * height), (brow, -25)):
            along = np.linspace(0, 1, len(line))
            rise = bow * np.sin(np.pi * along) if line is not brow else np.full_like(along, bow)
            points[list(line)] = np.stack([outer + inwards * 40 * along, 100 + rise], -1)
    return points


@pytest.mark.parametrize(
    "heights, open_eyes",
    [((16, 16), 2), ((16, 7.5), 2), ((7.5, 16), 2), ((7.5, 7.5), 0), ((16, 2), 1), ((2, 2), 0)],
    ids=["open", "left squints", "right squints", "both narrow", "a wink", "shut"],
)
def test_an_eye_that_squints_beside_an_open_one_is_open_too(heights, open_eyes):
    assert len(find_eyes(eye_contours(heights), 100.0)) == open_eyes
