import numpy as np
import pytest

from text2lip.faces.canonical import canonical_lips, canonical_transforms, lip_gap, lip_width, neutral_shape
from text2lip.faces.geometry import transform_points
from text2lip.faces.topology import DRIVEN, STABLE, driven_index


def turned(points, angle, scale, shift):
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ matrix.T + shift


@pytest.fixture
def face():
    points = np.random.default_rng(0).uniform(0, 100, (478, 2))
    points[33], points[263] = (20, 40), (80, 40)
    return points


def test_driven_points_are_57_and_distinct():
    assert len(DRIVEN) == len(set(DRIVEN)) == 57


def test_head_motion_is_removed_and_lip_motion_kept(face):
    rng = np.random.default_rng(1)
    still = np.repeat(face[None], 20, 0)
    still[:, 14, 1] += np.linspace(0, 6, 20)
    moved = np.stack([turned(f, rng.uniform(-0.2, 0.2), rng.uniform(0.9, 1.1), rng.uniform(-9, 9, 2)) for f in still])
    np.testing.assert_allclose(canonical_lips(moved), canonical_lips(still), atol=1e-5)
    lips = canonical_lips(still)[:, driven_index((14,))[0]]
    assert lips[-1, 1] - lips[0, 1] == pytest.approx(6 / 60, abs=1e-3)


def test_unit_is_the_distance_of_the_outer_eye_corners(face):
    points = transform_points(canonical_transforms(face[None]), face[None])[0]
    assert np.linalg.norm(points[263] - points[33]) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(points[[33, 263]], [[-0.5, 0], [0.5, 0]], atol=1e-6)
    assert 33 in STABLE and 263 in STABLE


def test_gap_and_width():
    shape = np.zeros((57, 2))
    shape[driven_index((13, 14))] = (0, 0), (0, 0.1)
    shape[driven_index((61, 291))] = (-0.3, 0), (0.3, 0)
    assert lip_gap(shape) == pytest.approx(0.1) and lip_width(shape) == pytest.approx(0.6)


def test_neutral_prefers_silence_else_the_most_closed():
    shapes = np.zeros((20, 57, 2))
    shapes[:, driven_index((14,))[0], 1] = np.linspace(0.2, 0, 20)
    silent = np.zeros(20, bool)
    silent[:4] = True
    assert lip_gap(neutral_shape(shapes, silent)) == pytest.approx(np.linspace(0.2, 0, 20)[:4].mean())
    assert lip_gap(neutral_shape(shapes)) == pytest.approx(np.linspace(0.2, 0, 20)[-4:].mean())
