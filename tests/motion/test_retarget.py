import numpy as np
import pytest

from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.faces.topology import DRIVEN, INNER_LOWER_PAIRED, INNER_UPPER_PAIRED, canonical_mesh, driven_index
from text2lip.motion.retarget import PortraitMouth, part_lips


SIZE = (400, 300)


def portrait(yaw=0.0, gap=0.0, smile=0.0):
    """Landmarks of the canonical mesh seen with a turn, its mouth opened by `gap` in eye widths."""
    vertices = canonical_mesh()[0] * np.array([1, -1, -1])
    vertices = np.concatenate([vertices, np.zeros((10, 3))])
    eyes = np.linalg.norm(vertices[263] - vertices[33])
    lower = [14, 17, 178, 87, 317, 402, 181, 84, 314, 405, 95, 88, 318, 324]
    vertices[lower, 1] += gap * eyes
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    points = vertices @ turn.T * (100 / eyes) + np.array([150, 200, 0])
    return (points / np.array([SIZE[1], SIZE[0], SIZE[1]])).astype(np.float32)


def inner_gap(landmarks):
    points = landmarks[..., :2] * np.array([SIZE[1], SIZE[0]])
    return points[..., list(INNER_LOWER_PAIRED), 1] - points[..., list(INNER_UPPER_PAIRED), 1]


@pytest.mark.parametrize("gap", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("yaw", [0.0, 0.5])
def test_rest_is_closed_whatever_the_portrait_shows(gap, yaw):
    mouth = PortraitMouth(portrait(yaw, gap), *SIZE)
    landmarks = mouth.retarget(np.zeros((3, 57, 2)))
    assert np.abs(inner_gap(landmarks)).max() < 0.6  # pixels
    assert landmarks.dtype == np.float32 and landmarks.shape == (3, 478, 2)


def test_the_jaw_of_a_shout_closes_further_than_that_of_a_smile():
    def way(gap):
        mouth = PortraitMouth(portrait(gap=gap), *SIZE)
        chin, lip = ((mouth.rest - mouth.shape)[driven_index((point,))[0], 1] for point in (152, 14))
        return chin / lip

    assert way(0.08) == pytest.approx(0.35, abs=0.01)
    assert way(0.4) > 0.6


def test_only_driven_points_move():
    source = portrait(gap=0.1)
    landmarks = PortraitMouth(source, *SIZE).retarget(np.random.default_rng(0).normal(0, 0.02, (2, 57, 2)))
    others = np.setdiff1d(np.arange(478), DRIVEN)
    np.testing.assert_array_equal(landmarks[:, others], np.repeat(source[None, others, :2], 2, 0))


def test_placing_the_own_shape_gives_the_portrait_back():
    source = portrait(0.4, 0.1)
    mouth = PortraitMouth(source, *SIZE)
    np.testing.assert_allclose(mouth.place(mouth.shape[None])[0], source[:, :2], atol=1e-6)


def test_a_turned_head_shows_less_of_a_sideways_motion():
    motion = np.zeros((1, 57, 2))
    motion[:, driven_index((61,))[0], 0] = -0.1

    def shown(yaw):
        mouth = PortraitMouth(portrait(yaw), *SIZE)
        moved = (mouth.retarget(motion) - mouth.retarget(0 * motion))[0, 61] * np.array([SIZE[1], SIZE[0]])
        return moved

    assert shown(0.0)[0] == pytest.approx(-10, abs=0.5)
    assert shown(0.6)[0] == pytest.approx(-10 * np.cos(0.6), abs=0.7)


def test_motion_is_scaled_to_the_mouth():
    mouth = PortraitMouth(portrait(), *SIZE)
    motion = np.zeros((1, 57, 2))
    motion[:, driven_index((14, 17)), 1] = 0.1
    own = lip_width(mouth.rest)
    small = mouth.retarget(motion, own * 1.25) - mouth.retarget(0 * motion)
    same = mouth.retarget(motion, own) - mouth.retarget(0 * motion)
    assert small[0, 14, 1] / same[0, 14, 1] == pytest.approx(0.8, rel=1e-3)


def test_lips_never_cross():
    shape = np.zeros((57, 2))
    shape[driven_index(INNER_UPPER_PAIRED), 1] = 0.1
    parted = part_lips(shape)
    assert np.all(parted[driven_index(INNER_LOWER_PAIRED), 1] >= parted[driven_index(INNER_UPPER_PAIRED), 1])
    assert lip_gap(parted) == pytest.approx(0, abs=1e-12)
