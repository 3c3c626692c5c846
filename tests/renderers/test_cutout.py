import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import NOSE_ROOT
from text2lip.renderers import cutout
from text2lip.renderers.cutout import cut_out, shrink
from text2lip.renderers.warp import face_frame


@pytest.fixture(scope="module")
def cut(paint_face):
    """A picture, its pixel landmarks, their frame, and the cutout of it."""
    face = paint_face(size=(520, 700), centre=(300.0, 240.0), unit=60.0).textured(1)
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    return face.portrait, points, face_frame(points), cut_out(face.portrait, points, face_frame(points))


def test_a_large_face_is_cut_out_nearly_as_a_smaller_copy_of_it(cut, monkeypatch):
    picture, points, face, whole = cut
    monkeypatch.setattr(cutout, "MATTE_DETAIL", 20)
    coarse = cut_out(picture, points, face)
    assert not np.array_equal(coarse.matte, whole.matte)
    assert np.abs(coarse.matte - whole.matte).mean() < 0.03
    assert np.abs(coarse.behind.astype(int) - whole.behind).mean() < 3
    still = coarse.matte == 0
    assert still.mean() > 0.2 and np.array_equal(coarse.behind[still], picture[still])


def test_a_shrunk_face_lies_where_its_picture_does():
    spot = np.zeros((600, 800), np.float32)
    spot[200:300, 400:500] = 1
    points = np.zeros((478, 2), np.float32)
    points[33], points[263], points[NOSE_ROOT] = (100, 249.5), (900, 249.5), (449.5, 249.5)
    face = face_frame(points)
    less, (small,) = shrink(face, spot)
    assert face.unit == 800 and less.unit == pytest.approx(800 / 3, rel=0.01)
    rows, columns = np.indices(small.shape)
    middle = np.array([(columns * small).sum(), (rows * small).sum()]) / small.sum()
    assert np.abs(middle - less.origin).max() < 0.2
    assert shrink(less, small)[1][0] is small
