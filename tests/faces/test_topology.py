"""The index sets and the canonical mesh."""

import numpy as np

from text2lip.faces import topology


def test_index_sets():
    assert len(topology.LIPS) == len(set(topology.LIPS)) == 40
    assert len(topology.JAW) == len(set(topology.JAW)) == 17
    assert topology.DRIVEN == topology.LIPS + topology.JAW and len(set(topology.DRIVEN)) == 57
    assert set(topology.JAW) <= set(topology.FACE_OVAL) and len(set(topology.FACE_OVAL)) == 36
    assert topology.LIPS[:3] == (61, 146, 91) and topology.JAW[8] == 152


def test_contours_follow_edges_of_the_mesh():
    triangles = topology.canonical_mesh()[1]
    edges = {tuple(sorted(edge)) for a, b, c in triangles.tolist() for edge in ((a, b), (b, c), (c, a))}
    for contour in (
        topology.OUTER_LIP_CONTOUR,
        topology.INNER_LIP_CONTOUR,
        topology.RIGHT_EYE,
        topology.LEFT_EYE,
        topology.FACE_OVAL,
    ):
        assert all(tuple(sorted(pair)) in edges for pair in zip(contour, contour[1:] + contour[:1]))
    assert all(tuple(sorted(pair)) in edges for pair in zip(topology.JAW, topology.JAW[1:]))


def test_canonical_mesh():
    vertices, triangles = topology.canonical_mesh()
    assert vertices.shape == (468, 3) and vertices.dtype == np.float32
    assert triangles.shape == (898, 3) and triangles.dtype == np.int64
    assert set(triangles.ravel().tolist()) == set(range(468))
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    assert (normals[:, 2] > 0).mean() > 0.9  # counter-clockwise seen from the camera
    # A face: left eye at larger x, chin below, nose nearest; symmetric about x = 0.
    assert vertices[263, 0] > 0 > vertices[33, 0] and vertices[152, 1] < vertices[10, 1]
    assert vertices[:, 2].argmax() in (1, 4)
    np.testing.assert_allclose(vertices[33] * (-1, 1, 1), vertices[263], atol=1e-4)
    assert vertices[:, 0].max() < 15  # centimetres


def test_arrays_are_the_callers_own():
    topology.canonical_mesh()[0][:] = 0
    assert np.abs(topology.canonical_mesh()[0]).max() > 1
