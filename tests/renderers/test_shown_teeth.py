from dataclasses import replace

import numpy as np
import pytest

from text2lip.renderers.geometric import prepare


@pytest.fixture
def open_face(paint_face):
    return paint_face(gap=0.24)


def repainted(face, *parts):
    """The painted face with other colours in its white mouth: `(rows, columns, colour)`, shares of it."""
    picture, (rows, columns) = face.portrait.copy(), np.mgrid[[slice(side) for side in face.portrait.shape[:2]]]
    inside = (face.portrait.min(-1) > 225) & (rows > face.points[2, 1])  # not the eyes' white
    y, x = np.nonzero(inside)
    rows, columns = (rows - y.min()) / np.ptp(y), (columns - x.min()) / np.ptp(x)
    for (top, bottom), (left, right), colour in parts:
        where = inside & (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
        picture[where] = colour
    return replace(face, portrait=picture)


def shown(face):
    """Where teeth are kept, over the picture."""
    prepared = prepare(face.portrait, face.landmarks)
    picture, (x0, y0, x1, y1) = np.zeros(face.portrait.shape[:2]), prepared.field.box
    picture[y0:y1, x0:x1] = prepared.teeth
    return picture


ALL = (0, 1)


def test_dark_corners_and_a_tongue_are_not_kept_as_teeth(open_face):
    """They hung in the mouth as it closed: a black notch at its near corner, a red patch in the middle."""
    upper = int(open_face.points[13, 1])
    row, tongue = ((0, 0.35), (0.3, 0.7), (230, 225, 215)), ((0.4, 0.7), (0.3, 0.7), (150, 60, 60))
    face = repainted(open_face, (ALL, ALL, (35, 12, 12)), row, tongue)
    teeth, middle = shown(face), int(open_face.points[13, 0])
    assert teeth[upper + 2 : upper + 5, middle - 3 : middle + 4].min() > 0.5
    where = face.portrait.min(-1) < 100
    assert teeth[where & (np.abs(np.arange(where.shape[1]) - middle) > 14)].max() < 0.25
    assert teeth[upper + 10 : upper + 14, middle - 3 : middle + 4].max() < 0.1


def test_a_line_between_two_teeth_is_kept(open_face):
    face = repainted(open_face, (ALL, (0.49, 0.51), (110, 90, 85)))
    upper, middle = (int(v) for v in open_face.points[13, ::-1])
    assert shown(face)[upper + 3 : upper + 7, middle - 4 : middle + 5].min() > 0.8


def test_the_gum_between_two_necks_is_kept(open_face):
    face = repainted(open_face, (ALL, (0.45, 0.55), (170, 80, 80)))
    upper, middle = (int(v) for v in open_face.points[13, ::-1])
    assert shown(face)[upper + 3 : upper + 7, middle - 4 : middle + 5].min() > 0.8


def test_lower_teeth_do_not_stay_with_the_head(open_face):
    face = repainted(open_face, ((0.3, 0.55), ALL, (40, 15, 15)))
    upper, lower = (int(open_face.points[i, 1]) for i in (13, 14))
    teeth, middle = shown(face), int(open_face.points[13, 0])
    assert teeth[upper + 2 : upper + 4, middle].min() > 0.5 and teeth[lower - 7 : lower, middle].max() < 0.05
