"""The light around a mouth that moves."""

import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import LIPS
from text2lip.renderers.geometric import GeometricRenderer, prepare
from text2lip.renderers.lip_shade import MOST_SHADE, LipShade, lip_shades
from text2lip.renderers.warp import face_frame, warp_field
from text2lip.training.reader_samples import mirrored_points


@pytest.fixture
def shade(painted, monkeypatch):
    monkeypatch.setattr("text2lip.renderers.lip_shade.photographic", lambda crop: 1.0)
    points = to_indices(painted.landmarks, *painted.portrait.shape[:2])
    face = face_frame(points)
    field = warp_field(points, face, *painted.portrait.shape[:2])
    return LipShade(painted.portrait, points, face, field), points


def test_a_mouth_at_rest_is_in_the_light_of_the_portrait(shade):
    made, points = shade
    np.testing.assert_array_equal(made.light(points), 1)


def test_light_changes_around_an_open_mouth_within_bounds_and_nowhere_else(shade, painted):
    made, points = shade
    light = made.light(to_indices(painted.with_gap(0.2), *painted.portrait.shape[:2]))
    assert np.abs(np.log(light)).max() > 0.02
    far = made.light(points + 40 * (np.arange(478) % 3 - 1)[:, None])
    assert np.abs(np.log(far)).max() <= MOST_SHADE + 1e-6
    edge = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    assert np.abs(edge - 1).max() < 0.01


def narrowed(points, by):
    moved, lips = points.copy(), list(LIPS)
    moved[lips, 0] -= by * (points[lips, 0] - points[lips, 0].mean())
    return moved


def test_pursed_lips_come_forward(shade, painted):
    """In the sound of "oo" nothing told that they do: light on the lower lip, shade below it and in the corners."""
    made, points = shade
    field = prepare(painted.portrait, painted.landmarks).field

    def bulge_at(pixel):
        column, row = ((pixel - field.box[:2]) // field.step).astype(int)
        return made.bulge[row - made.rows.start, column - made.columns.start]

    assert made.pursed(points) == 0 < made.pursed(narrowed(points, 0.1)) < made.pursed(narrowed(points, 0.18)) == 1
    assert made.pursed(narrowed(points, -0.1)) == 0
    down = points[17] - points[14]
    assert bulge_at(points[14] + 0.7 * down) > 0.08 and bulge_at(points[14] + 1.5 * down) < -0.05
    assert bulge_at(points[14] + 0.82 * (points[61] - points[14])) < -0.05


def test_parted_lips_are_not_pursed(shade, painted):
    made, _ = shade
    wide = to_indices(painted.with_gap(0.2), *painted.portrait.shape[:2])
    assert made.pursed(narrowed(wide, 0.18)) == 0


def test_a_drawing_is_not_shaded(painted):
    flat = (painted.portrait // 128 * 128).astype(np.uint8)
    prepared, moved = prepare(flat, painted.landmarks), painted.with_gap(0.2)
    frame = prepared.frame(moved)
    np.testing.assert_array_equal(prepared.shaded(frame.copy(), moved), frame)


def test_the_map_is_as_good_as_symmetrical():
    directions, shades = lip_shades()
    motion = np.random.default_rng(0).normal(size=(57, 2)).astype(np.float32)
    mirrored = motion[mirrored_points()] * np.float32([-1, 1])
    one, other = (np.tensordot(x.ravel() @ directions, shades, 1) for x in (motion, mirrored))
    assert np.abs(other - one[:, ::-1]).max() < 0.05 * np.abs(one).max()


def test_frames_are_drawn_in_that_light(painted, monkeypatch):
    moved = painted.with_gap(0.2)
    prepared = prepare(painted.portrait, painted.landmarks)
    monkeypatch.setattr(type(prepared), "shaded", lambda self, picture, landmarks: 0 * picture)
    drawn = GeometricRenderer().render(painted.portrait, moved[None], source_landmarks=painted.landmarks)
    assert not next(iter(drawn)).any()
