import numpy as np
import pytest

from text2lip.renderers.mouth_shapes import TONGUE_POSES, jaw_shape, rasterise, teeth, tongue_shape, turned


def test_teeth_are_an_arch_in_gums():
    upper, lower, hinge = teeth()
    for part in (upper, lower):
        tooth = part.height >= 0
        assert 0.2 < tooth.mean() < 0.8
        assert np.allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-3)
        assert abs(part.vertices[:, 0].min() + part.vertices[:, 0].max()) < 0.01  # left as right
    edge = upper.vertices[upper.height >= 0]
    assert np.isclose(edge[np.abs(edge[:, 0]) < 0.1, 1].max(), 0, atol=0.005) and hinge[1] < -0.8


def test_a_part_faces_the_viewer_from_outside():
    upper = teeth()[0]
    shown, weights = rasterise(upper.vertices * 200 + (100, 60, 0), upper.triangles, (200, 100))
    corners = upper.triangles[shown[shown >= 0]]
    assert len(corners) > 2000 and np.allclose(weights.sum(1), 1, atol=1e-5)
    assert (np.einsum("nc,nc->n", weights, upper.normals[corners, 2]) > -0.2).mean() > 0.97


def test_a_triangle_is_painted_where_it_is():
    points = np.array([[10, 10, 0], [10, 30, 0], [30, 10, 0], [0, 0, -1], [0, 40, -1], [40, 0, -1.0]])
    shown, weights = rasterise(points, np.array([[3, 4, 5], [0, 1, 2], [0, 2, 1]]), (45, 45))
    assert shown[12, 12] == 1 and shown[2, 2] == 0 and shown[44, 44] == -1 and not (shown == 2).any()
    rows, columns = np.nonzero(shown >= 0)
    one = np.flatnonzero((rows == 15) & (columns == 12))[0]
    assert np.allclose(weights[one], [0.65, 0.25, 0.1], atol=0.01)


def test_the_jaw_turns_about_its_hinge():
    lower = teeth()[1]
    open_jaw = jaw_shape(0.2)
    front = np.abs(lower.vertices[:, 0]) < 0.1
    way = (open_jaw.vertices - lower.vertices)[front].mean(0)
    assert 0.1 < way[1] < 0.3 and way[2] < 0 and way[0] == pytest.approx(0, abs=1e-6)
    assert np.allclose(turned(lower.vertices, 0.0), lower.vertices, atol=1e-5)


@pytest.mark.parametrize("pose", TONGUE_POSES)
def test_tongue(pose):
    upper, lower, _ = teeth()
    tongue = tongue_shape(pose, 0.2)
    tip = tongue.vertices[np.abs(tongue.vertices[:, 2] - tongue.vertices[:, 2].max()) < 1e-3].mean(0)
    jaw = jaw_shape(0.2).vertices[lower.height >= 0]
    edge = jaw[np.abs(jaw[:, 0]) < 0.1, 1].min()
    assert (tongue.height < 0).all()
    if pose == "between":
        assert tip[2] > 0 and 0 < tip[1] < edge
    elif pose == "up":
        assert tongue.vertices[:, 1].min() < -0.03 and tip[2] < 0
    else:
        assert tip[2] < -0.05 and tongue.vertices[:, 1].min() > -0.05
