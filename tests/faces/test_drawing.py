import zlib

import cv2
import numpy as np
import pytest

from text2lip.faces.drawing import EYES_AND_BROWS, HALF_LIPS, MARKS, draw_landmarks, overlay_landmarks


@pytest.fixture
def landmarks():
    """All points outside of the picture, so that nothing is drawn until a test moves some of them in."""
    return np.full((478, 2), -1, np.float32)


def test_nothing_inside_is_a_black_picture(landmarks):
    picture = draw_landmarks(landmarks, 512, 512)
    assert picture.shape == (512, 512, 3) and picture.dtype == np.uint8 and not picture.any()


def test_one_lip_line_pixel_by_pixel(landmarks):
    landmarks[61], landmarks[146] = (100.7 / 512, 200.9 / 512), (120.2 / 512, 200.1 / 512)
    expected = np.zeros((512, 512, 3), np.uint8)
    cv2.line(expected, (100, 200), (120, 200), (10, 180, 20), 2)
    picture = draw_landmarks(landmarks, 512, 512)
    assert np.array_equal(picture, expected)
    assert picture[200, 110].tolist() == [10, 180, 20] and np.flatnonzero(picture[:, 110, 0]).size in (2, 3)
    assert not draw_landmarks(landmarks, 512, 512, lips=False).any()


def test_marks_are_six_pixel_squares_over_the_lines_nose_last(landmarks):
    landmarks[[468, 4]] = (300 / 512, 100 / 512), (302 / 512, 100 / 512)
    picture = draw_landmarks(landmarks, 512, 512)
    assert (picture[97:103, 299:305] == (200, 200, 200)).all()
    assert (picture[97:103, 297:299] == (10, 200, 250)).all()
    assert np.count_nonzero(picture[..., 1]) == 6 * 8


def test_later_colours_cover_earlier_ones(landmarks):
    landmarks[[61, 146, 185]] = (100 / 512, 100 / 512), (140 / 512, 100 / 512), (140 / 512, 100 / 512)
    assert draw_landmarks(landmarks, 512, 512)[100, 120].tolist() == [20, 80, 100]


def test_the_drawing_is_made_on_512_and_resized(landmarks):
    rng = np.random.default_rng(0)
    landmarks[:] = rng.uniform(0.2, 0.8, (478, 2))
    full = draw_landmarks(landmarks, 512, 512)
    assert np.array_equal(draw_landmarks(landmarks, 100, 60), cv2.resize(full, (60, 100)))


@pytest.mark.parametrize(
    "size, lips, checksum",
    [(512, True, 4260197030), (256, True, 612689306), (512, False, 1970935242), (256, False, 1976010337)],
)
def test_equals_the_original(size, lips, checksum):
    """What `FaceMeshVisualizer(draw_iris=False, draw_mouse=lips)` of EchoMimic drew with mediapipe 0.10.21."""
    points = np.random.RandomState(0).uniform(-0.05, 1.05, (478, 2))
    assert zlib.crc32(draw_landmarks(points, size, size, lips=lips).tobytes()) == checksum


def test_edges_of_the_picture(landmarks):
    landmarks[61], landmarks[146] = (0, 0), (1, 0)  # both count as inside for lines
    landmarks[4] = (2 / 512, 0.5)  # a square that would cross the edge is not drawn
    picture = draw_landmarks(landmarks, 512, 512)
    assert picture[0].any(-1).all() and not picture[10:].any()


def test_groups_and_order():
    chains = [index for chain, _ in EYES_AND_BROWS + HALF_LIPS for index in chain]
    assert len(set(chains)) == 16 + 16 + 10 + 10 + 40
    assert [len(chain) for chain, _ in HALF_LIPS] == [6] * 8 and [index for index, _ in MARKS] == [468, 473, 4]


def test_third_coordinate_does_not_matter(landmarks):
    landmarks[:] = np.random.default_rng(1).uniform(0.1, 0.9, (478, 2))
    deep = np.column_stack([landmarks, np.arange(478)])
    assert np.array_equal(draw_landmarks(deep, 64, 64), draw_landmarks(landmarks, 64, 64))


def test_overlay_leaves_its_input_alone(landmarks):
    landmarks[:] = np.random.default_rng(2).uniform(0.1, 0.9, (478, 2))
    image = np.full((80, 90, 3), 128, np.uint8)
    drawn = overlay_landmarks(image, landmarks)
    assert drawn.shape == image.shape and (image == 128).all() and (drawn != 128).any()


@pytest.mark.parametrize("bad", [np.zeros((468, 2)), np.zeros((478, 4)), np.full((478, 2), np.nan)])
def test_bad_landmarks(bad):
    with pytest.raises(ValueError, match="landmarks"):
        draw_landmarks(bad, 64, 64)
