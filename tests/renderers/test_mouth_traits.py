from dataclasses import replace

import cv2
import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import FACE_OVAL
from text2lip.media.color import to_luma
from text2lip.renderers.lip_edges import lip_edges
from text2lip.renderers.mouth_traits import mouth_traits, mute, softness, visible_teeth
from text2lip.renderers.warp import face_frame


def traits(face, portrait=None):
    portrait = face.portrait if portrait is None else portrait
    points = to_indices(face.landmarks, *portrait.shape[:2])
    return mouth_traits(portrait, points, face_frame(points), lip_edges(portrait, points))


def test_colours_follow_the_light(painted):
    day = traits(painted)
    warm = traits(painted, (painted.portrait * np.array([1.0, 0.8, 0.6])).astype(np.uint8))
    night = traits(painted, painted.portrait // 3)
    grey = traits(painted, np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1))
    assert day.teeth.min() > day.cavity.max() and day.saturation == 1
    assert warm.teeth[2] / warm.teeth[0] < 0.93 * day.teeth[2] / day.teeth[0]
    assert night.teeth.mean() < 0.65 * day.teeth.mean()
    assert grey.saturation == 0 and max(np.ptp(c) for c in (grey.teeth, grey.gums, grey.tongue, grey.cavity)) < 1


def test_teeth_are_brighter_than_dark_skin_and_hardly_than_light_skin(painted):
    light = traits(painted)
    skin = np.abs(painted.portrait.astype(int) - (205, 160, 140)).max(-1, keepdims=True) < 20
    brown = np.where(skin, painted.portrait * 0.4, painted.portrait).astype(
        np.uint8
    )  # the eyes stay as white as they are
    luma = to_luma(np.float32([205, 160, 140]))
    assert 1.0 < to_luma(light.teeth) / luma < 1.4 < to_luma(traits(painted, brown).teeth) / (0.4 * luma) < 2.5


def test_teeth_are_less_red_than_the_light_on_skin_and_in_the_eyes(painted):
    """Those of people who smile are; drawn, they looked like flesh. In a soft film lips' red spreads over them."""
    warm = (painted.portrait * np.array([1.0, 0.85, 0.75])).astype(np.uint8)
    sharp = traits(painted, warm).teeth
    soft = traits(painted, cv2.GaussianBlur(warm, (0, 0), 1.2)).teeth
    assert sharp[0] / sharp[1] < 0.95 * soft[0] / soft[1]


def test_teeth_are_no_redder_than_peoples(painted):
    ruddy = traits(painted, (painted.portrait * np.array([1.0, 0.72, 0.6])).astype(np.uint8)).teeth
    assert 1.15 < ruddy[0] / ruddy[1] < 1.21


def test_own_teeth_are_believed(paint_face):
    face = paint_face(gap=0.12)
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    colour, lowest, high = visible_teeth(face.portrait, points, face_frame(points), lip_edges(face.portrait, points))
    assert colour.min() > 225 and abs(lowest[1] - points[14, 1]) < 3 and 0.07 < high < 0.15
    assert abs(traits(face).edge - (points[14, 1] - points[2, 1]) / face.unit) < 0.04
    yellow = replace(
        face, portrait=np.where(face.portrait.min(-1, keepdims=True) > 225, (240, 215, 160), face.portrait)
    )
    assert traits(replace(yellow, portrait=yellow.portrait.astype(np.uint8))).teeth[2] < 0.75 * traits(face).teeth[2]


def seen_teeth(portrait, landmarks):
    points = to_indices(landmarks, *portrait.shape[:2])
    return visible_teeth(portrait, points, face_frame(points), lip_edges(portrait, points)), points


def test_brighter_lower_teeth_are_not_taken_for_upper_ones(paint_face):
    """In the sun a lower row, or a lip, outshone the upper teeth: their colour and edge were drawn, in two rows."""
    face = paint_face(gap=0.16)
    teeth, rows = face.portrait.min(-1) > 225, np.arange(len(face.portrait))[:, None]
    middle = 0.5 * (face.points[13, 1] + face.points[14, 1])
    two = face.portrait.copy()
    two[teeth & (rows < middle + 1)] = (185, 165, 127)
    two[teeth & (abs(rows - middle - 2) <= 1)] = (90, 50, 45)
    (colour, lowest, _), _ = seen_teeth(two, face.landmarks)
    assert np.allclose(colour, (185, 165, 127), atol=12) and lowest[1] < middle + 3


def test_of_a_grey_picture_only_the_brightest_is_taken_for_teeth(paint_face):
    """Where nothing is red, a lip's own shading passes for an upper row above it, and teeth are drawn as dark."""
    face = paint_face(gap=0.16)
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    rows, teeth = np.arange(len(face.portrait))[:, None], face.portrait.min(-1) > 225
    grey = np.repeat(to_luma(face.portrait)[..., None], 3, -1).astype(np.uint8)
    grey[teeth & (rows < points[13, 1] + 4)] = 130
    grey[teeth & (abs(rows - points[13, 1] - 4) < 2)] = 60
    grey[..., 0] += np.uint8(3) * ~teeth  # a scan's own tint: lips are hardly red
    found, _ = seen_teeth(grey, face.landmarks)
    assert found is not None and found[0].min() > 200


def test_lips_do_not_redden_teeth_that_are_seen_through_a_narrow_soft_gap(paint_face):
    face = paint_face(unit=160, size=(800, 720), centre=(360, 300), gap=0.05)
    (colour, *_), _ = seen_teeth(cv2.GaussianBlur(face.portrait, (0, 0), 1.6), face.landmarks)
    assert colour.min() > 225 and np.ptp(colour) < 12


def test_no_teeth_are_seen_between_closed_lips_or_in_a_dark_mouth(paint_face):
    for face in (paint_face(), paint_face(gap=0.12)):
        dark = np.where(face.portrait.min(-1, keepdims=True) > 225, (60, 20, 20), face.portrait).astype(np.uint8)
        points = to_indices(face.landmarks, *dark.shape[:2])
        assert visible_teeth(dark, points, face_frame(points), lip_edges(dark, points)) is None


@pytest.mark.parametrize("saturation", [0.0, 0.5, 1.0])
def test_mute(saturation):
    red = np.float32([200, 50, 50])
    assert np.isclose(to_luma(mute(red, saturation)), to_luma(red), atol=0.01)
    assert np.isclose(np.ptp(mute(red, saturation)), 150 * saturation, atol=0.01)


@pytest.mark.parametrize("blur", [0.8, 1.2, 2.0])
def test_softness_is_that_of_the_picture(blur):
    square = np.zeros((480, 480, 3), np.uint8)
    square[160:320, 160:320] = 200
    soft = cv2.GaussianBlur(cv2.resize(square, (480, 480)), (0, 0), blur)
    face = np.zeros((478, 2))
    face[list(FACE_OVAL)] = 240 + 200 * np.stack([f(np.linspace(0, 2 * np.pi, 36)) for f in (np.cos, np.sin)], -1)
    assert np.isclose(softness(soft, face), blur, rtol=0.2)
    assert softness(np.full_like(soft, 90), face) == 0


@pytest.mark.parametrize("gap, pink", [(0.05, False), (0.16, True)])
def test_teeth_keep_their_own_tint_where_lips_are_far_apart(paint_face, gap, pink):
    """Through narrow lips they are seen in the lips' red light."""
    face = paint_face(unit=160, size=(800, 720), centre=(360, 300), gap=gap)
    picture = face.portrait.copy()
    picture[picture.min(-1) > 225] = (230, 170, 160)
    teeth = traits(face, picture).teeth
    assert (teeth[0] / teeth[1] > 1.3) == pink
