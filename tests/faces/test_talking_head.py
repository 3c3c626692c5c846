"""The head that is animated: its shapes are ARKit's, and move what their names say."""

import numpy as np
import pytest

from text2lip.faces.talking_head import ARKIT_SHAPES, EYE_TURN, builtin_head
from text2lip.faces.topology import INNER_LOWER_PAIRED, INNER_MIDDLE, INNER_UPPER_PAIRED, MOUTH_CORNERS, driven_index


@pytest.fixture(scope="module")
def head():
    return builtin_head()


def test_52_shapes_that_all_move_something(head):
    assert len(set(ARKIT_SHAPES)) == 52 == len(head.shapes) == len(head.contour_shapes)
    assert np.linalg.norm(head.shapes, axis=2).max(1).min() > 1  # mm
    assert head.triangles.max() == len(head.vertices) - 1 and len(head.vertices) < 10_000
    assert 80 < head.unit < 100 and np.abs(head.vertices[:, 0].mean()) < 1


def test_lips_touch_at_rest_and_part_with_the_jaw(head):
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    gap = head.contour[upper, 1] - head.contour[lower, 1]
    assert np.abs(gap).max() < 0.3
    middle = driven_index(INNER_MIDDLE)
    opened, closed = (head.contour_shapes[ARKIT_SHAPES.index(name)][middle, 1] for name in ("jawOpen", "mouthClose"))
    assert opened[0] - opened[1] > 20
    assert opened[0] - opened[1] + closed[0] - closed[1] < 0.2  # together they are shut


def test_sides_are_the_person_s_own(head):
    right, left = driven_index(MOUTH_CORNERS)
    for name, near, far in (("mouthSmileLeft", left, right), ("mouthSmileRight", right, left)):
        way = head.contour_shapes[ARKIT_SHAPES.index(name)]
        assert way[near, 1] > 3 and np.abs(way[far]).max() < 1
    for name, side in (("eyeBlinkLeft", 1), ("eyeBlinkRight", -1)):
        moved = np.linalg.norm(head.shapes[ARKIT_SHAPES.index(name)], axis=1) > 5
        assert (side * head.vertices[moved, 0] > 0).all()


@pytest.mark.parametrize(
    "name, axis, sign", [("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1), ("eyeLookUpLeft", 1, 1)]
)
def test_eyes_turn_by_30_degrees(head, name, axis, sign):
    way = head.shapes[ARKIT_SHAPES.index(name)]
    front = np.flatnonzero((head.vertices[:, 0] > 15) & (head.uv[:, 1] > 0.6))  # the left eyeball
    pupil = front[head.vertices[front, 2].argmax()]
    radius = np.ptp(head.vertices[front, 0]) / 2
    assert sign * way[pupil, axis] == pytest.approx(radius * np.sin(np.radians(EYE_TURN)), rel=0.2)
