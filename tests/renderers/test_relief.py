import numpy as np
import pytest

from text2lip.faces.topology import NOSE_TIP
from text2lip.renderers.relief import Relief


POSES = {
    "yaw": {"headYaw": 10.0},
    "pitch": {"headPitch": -6.0},
    "roll": {"headRoll": 6.0},
    "all": {"headYaw": -8.0, "headPitch": 5.0, "headRoll": -5.0, "headX": 0.02, "headY": 0.01, "breath": 1.0},
}


@pytest.fixture(scope="module")
def face(paint_face):
    return paint_face().textured(1)


@pytest.fixture(scope="module")
def relief(face):
    return Relief(face.portrait, face.landmarks)


@pytest.mark.parametrize("row", [{}, {"headYaw": 0.0, "breath": 0.0, "gazeYaw": 0.0}])
def test_a_still_plan_returns_the_frame_to_the_bit(relief, face, row):
    out = relief.move(face.portrait, row)
    assert out is not face.portrait and np.array_equal(out, face.portrait)
    assert np.array_equal(relief.landmarks(face.landmarks, row), face.landmarks)


@pytest.mark.parametrize(
    "row, way", [({"headYaw": 10.0}, (1, 0)), ({"headPitch": 8.0}, (0, -1)), ({"headX": 0.05}, (1, 0))]
)
def test_the_nose_goes_where_the_row_says(relief, face, row, way):
    moved = (relief.landmarks(face.landmarks, row) - face.landmarks) * face.portrait.shape[1::-1]
    assert moved[NOSE_TIP] @ way > 0.05 * face.unit
    assert abs(moved[NOSE_TIP] @ way[::-1]) < 0.1 * face.unit


def test_roll_leans_the_top_of_the_head_to_the_right(relief, face):
    moved = relief.landmarks(face.landmarks, {"headRoll": 8.0}) - face.landmarks
    assert moved[10, 0] > moved[152, 0] > 0


@pytest.mark.parametrize("row", POSES.values(), ids=POSES)
def test_the_background_stays_to_the_bit(relief, face, row):
    out = relief.move(face.portrait, row)
    height, width = face.portrait.shape[:2]
    y, x = np.indices((height, width))
    right, down = np.moveaxis(relief.face.coordinates(np.stack([x, y], -1).astype(np.float32)), -1, 0)
    far = (np.abs(right) > 1.6) | (down < -1.9)
    assert far.any() and np.array_equal(out[far], face.portrait[far])
    assert not np.array_equal(out, face.portrait)


@pytest.mark.parametrize("row", POSES.values(), ids=POSES)
def test_landmarks_go_with_the_pixels(relief, face, row):
    size = face.portrait.shape[1::-1]
    spots = [NOSE_TIP, 50, 280, 151, 199]
    at = (face.landmarks[spots] * size).astype(int)
    marked = face.portrait.copy()
    for x, y in at:
        marked[y - 2 : y + 3, x - 2 : x + 3] -= 40
    points = face.landmarks.copy()
    points[spots] = (at + 0.5) / size  # the middles of the marks
    darker = (relief.move(face.portrait, row).astype(int) - relief.move(marked, row)).sum(-1)
    for expected in relief.landmarks(points, row)[spots] * size:
        x, y = expected.astype(int) - 8
        area = darker[y : y + 17, x : x + 17]
        rows, columns = np.indices(area.shape)
        found = np.array([(columns * area).sum(), (rows * area).sum()]) / area.sum() + (x + 0.5, y + 0.5)
        assert np.abs(found - expected).max() < 0.4
