"""Pixels and their indices, and maps in the plane."""

import numpy as np

from text2lip.faces.geometry import fit_affine, fit_similarity, to_indices, to_pixels, transform_points


def test_to_pixels_scales_depth_with_width():
    points = to_pixels(np.array([[0.5, 0.5, 0.1]]), 100, 200)
    np.testing.assert_allclose(points, [[100, 50, 20]], rtol=1e-6)


def test_indices_are_half_a_pixel_less_and_know_no_depth():
    landmarks = np.random.default_rng(0).uniform(0, 1, (2, 478, 3))
    found = to_indices(landmarks, 100, 200)
    assert found.shape == (2, 478, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found, to_pixels(landmarks, 100, 200)[..., :2] - 0.5, atol=1e-4)
    np.testing.assert_array_equal(to_indices(np.array([[0.5 / 200, 0.5 / 100]]), 100, 200), [[0, 0]])


def test_fits_find_the_map():
    source = np.random.default_rng(0).uniform(0, 100, (478, 2))
    turn = 1.7 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    target = source @ turn.T + (5, -2)
    for fit in (fit_similarity, fit_affine):
        np.testing.assert_allclose(transform_points(fit(source, target), source), target, atol=1e-9)
    sheared = target @ np.array([[1, 0.2], [0, 1]])
    np.testing.assert_allclose(transform_points(fit_affine(source, sheared), source), sheared, atol=1e-9)
