import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.renderers.head_view import HeadView, head_view


def view(face, edge=0.26):
    return head_view(to_indices(face.landmarks, *face.portrait.shape[:2]), edge)


@pytest.mark.parametrize("yaw, roll", [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.3), (0.0, 0.4)])
def test_turn_and_size_of_the_mesh_itself(paint_face, yaw, roll):
    seen = view(paint_face(yaw=yaw, roll=roll))
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    assert np.allclose(seen.turn, about_z @ about_y, atol=0.01)
    assert np.isclose(seen.scale, 80, rtol=0.01) and np.isclose(np.linalg.det(seen.turn), 1)


@pytest.mark.parametrize("yaw", [0.0, 0.5])
def test_the_edge_lies_below_the_nose(paint_face, yaw):
    face = paint_face(yaw=yaw)
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    high, low = view(face, 0.2), view(face, 0.3)
    assert np.allclose(low.origin - high.origin, [0, 8], atol=0.1)
    assert np.isclose(low.below(points[2], low.origin), 0.3, atol=0.01)
    corners = points[[61, 291], 0]
    assert corners[0] < low.origin[0] < corners[1]


def test_pixels_of_points(painted):
    seen = view(painted)
    points = seen.pixels(np.array([[0, 0, 0], [0.5, 0, 0.1]]))
    assert np.allclose(points[0, :2], seen.origin) and np.allclose(points[1] - points[0], [40, 0, 8], atol=0.5)


def test_what_lies_below_what_on_a_head_that_is_bent():
    """Teeth lie behind the nose: of a head bent forwards they are seen higher, and were placed too high."""
    bent = 0.4
    turn = np.array([[1, 0, 0], [0, np.cos(bent), np.sin(bent)], [0, -np.sin(bent), np.cos(bent)]])
    nose, edge = np.array([0, -0.26, 0.09]), np.zeros(3)
    seen = HeadView(np.float32([50, 60]), turn, 80.0)
    pixels = seen.pixels(np.stack([nose, edge]))[:, :2]
    assert np.isclose(seen.below(*pixels, nearer=-0.09), 0.26, atol=1e-3)
