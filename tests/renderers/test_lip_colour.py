import cv2
import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import INNER_LOWER, OUTER_LIP_CONTOUR, OUTER_LOWER
from text2lip.renderers.lip_colour import lip_tones, oddness, recolour_lips, usual_lips


@pytest.fixture
def face(paint_face):
    """A painted face with shut lips of one colour, and where they are."""
    face = paint_face(unit=120.0, size=(520, 480), centre=(240.0, 200.0))
    picture = face.portrait.copy()
    outline = np.int32(np.round(to_indices(face.landmarks, *picture.shape[:2])[list(OUTER_LIP_CONTOUR)]))
    cv2.fillPoly(picture, [outline], (160, 100, 100))
    lips = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(lips, [outline], 1)
    return picture, face.landmarks, lips


def test_lips_get_the_colour_that_is_wanted_and_little_else_changes(face):
    picture, landmarks, lips = face
    changed = recolour_lips(picture, landmarks, np.array([176.0, 90.0, 95.0]))
    inner = cv2.erode(lips, np.ones((9, 9), np.uint8)) > 0
    assert np.abs(changed[inner].mean(0) - (176, 90, 95)).max() < 6
    far = cv2.dilate(lips, np.ones((25, 25), np.uint8)) == 0
    assert (changed[far] == picture[far]).all()


def test_no_colour_or_a_foreign_one_changes_nothing_or_little(face):
    picture, landmarks, _ = face
    assert (recolour_lips(picture, landmarks, np.full(3, np.nan)) == picture).all()
    wild = recolour_lips(picture, landmarks, np.array([0.0, 255.0, 0.0])).astype(int)
    assert (wild[..., 0] >= picture[..., 0] * 0.74 - 1).all() and (wild[..., 1] <= picture[..., 1] * 1.36 + 1).all()


def test_the_usual_colour_is_that_of_the_lips_in_the_references(face, paint_face, refer_to):
    picture, _, _ = face
    painted = paint_face(unit=120.0, size=(520, 480), centre=(240.0, 200.0))
    references = refer_to(painted, type(painted)(picture, painted.points, painted.unit))
    assert np.abs(usual_lips(references) - (160, 100, 100)).max() < 8


def test_lips_that_lost_half_of_their_colour_are_odd_in_any_light(face):
    picture, landmarks, _ = face
    points = landmarks * picture.shape[1::-1]
    half = picture.copy()
    part = np.int32(np.round(points[[*OUTER_LOWER[:6], *INNER_LOWER[5::-1]]]))
    cv2.fillPoly(half, [part], (205, 160, 140))  # as the skin
    frames = [picture, (0.6 * picture).astype(np.uint8), half, np.rint(picture * 0.8 + 8).astype(np.uint8)]
    tones = np.stack([lip_tones(frame, points) for frame in frames])
    odd = oddness(tones)
    assert tones.shape == (4, 18, 3) and odd[2] > 0.3 > 2 * odd[[0, 1, 3]].max()
    tones[1] = np.nan
    assert np.isinf(oddness(tones)).tolist() == [False, True, False, False]
    assert (oddness(np.full((3, 18, 3), np.nan)) == 0).all()
