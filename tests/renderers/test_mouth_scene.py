import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest

from text2lip.faces.geometry import fit_affine, to_indices
from text2lip.media.color import to_luma
from text2lip.renderers.geometric import prepare
from text2lip.renderers.head_view import RIGID
from text2lip.renderers.mouth_scene import LOWER_EDGE, MouthScene, Opening, jaw_angle, outer_light, tooth_tint
from text2lip.renderers.mouth_shapes import teeth, tongue_shape, turned
from text2lip.renderers.mouth_traits import MouthTraits, narrow_light
from text2lip.renderers.transplant import lay_mouth
from text2lip.renderers.warp import face_frame


TRAITS = MouthTraits(*(np.float32(c) for c in ((220, 210, 190), (170, 80, 80), (160, 70, 70), (40, 15, 15))))


def scene(face, traits=TRAITS):
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    return MouthScene(traits, points, face_frame(points))


def draw(scene, drop, gap=0.2, tongue=None, lower=None):
    x, y = scene.view.origin.astype(int)
    box = (x - 24, y - 16, x + 25, y + 34)
    lower = np.float32([x, y + (0.1 + gap) * scene.frame.unit if lower is None else lower])
    opening = Opening(box, np.ones((50, 49), np.float32), gap, drop, lower)
    return scene.lay_tip(scene.draw(opening, tongue), opening, 0 if tongue is None else tongue[1])


@pytest.fixture
def inside(painted):
    return scene(painted)


def test_upper_teeth_stay_and_lower_teeth_go_with_the_jaw(inside):
    shut, wide = draw(inside, 0.12), draw(inside, 0.24)
    assert np.abs(shut[4:13] - wide[4:13]).max() < 1  # to the bit, but for what is seen between two teeth
    assert np.abs(shut[18:40] - wide[18:40]).max() > 60


def test_the_upper_teeth_are_above_the_edge(inside):
    picture = draw(inside, 0.3, tongue=(0, 0, 1))
    column = picture[:, 27].mean(-1)
    assert column[8:14].min() > 120 and column[18:24].max() < 80


@pytest.mark.parametrize("drop", [0.05, 0.15, 0.25])
def test_the_lower_teeth_move_as_far_as_the_jaw(inside, drop):
    now, then = (inside.view.pixels(turned(LOWER_EDGE, jaw_angle(d)))[1] for d in (drop, drop + 0.08))
    assert np.isclose(then - now, 0.08 * 80, atol=0.1)
    assert np.isclose(jaw_angle(0.0), 0, atol=1e-3)


def test_the_tongue_shows_what_is_spoken(inside):
    rest, up, between = (draw(inside, 0.14, tongue=pose) for pose in (None, (1, 0, 0), (0, 1, 0)))
    red = [p[18:24, 20:29, 0].mean() for p in (rest, up, between)]
    assert red[2] > 1.2 * red[0]  # it lies between the teeth
    assert np.abs(up - rest)[17:26].max() > 20
    assert np.allclose(draw(inside, 0.14, tongue=(0, 0, 0)), rest)


def test_a_tongue_between_the_teeth_lies_before_them_and_in_the_open(inside):
    """The tip of "th" was hidden by the upper teeth, and as dark as a tongue inside."""
    rest, between = (draw(inside, 0.05, 0.05, pose) for pose in (None, (0, 1, 0)))
    edge = slice(15, 17), slice(20, 29)  # of the upper teeth
    assert np.ptp(rest[edge].mean((0, 1))) < 40 < 50 < np.ptp(between[edge].mean((0, 1)))
    assert 130 < between[18:21, 20:29, 0].mean() < TRAITS.teeth[0]
    assert np.allclose(rest[:13, 20:29], between[:13, 20:29], atol=1)  # its back hid the upper teeth


def test_a_tongue_between_the_teeth_is_seen_where_lips_hardly_part(inside):
    """It lay so low that the lower lip hid it on most faces."""
    x, y = inside.view.origin.astype(int)
    frame = [draw(inside, 0.03, 0.05, pose, lower=y) for pose in (None, (0, 1, 0))]
    opening = slice(16 - 4, 16), slice(20, 29)  # from the upper lip to the biting edge, where the lower lip is
    changed = np.abs(frame[1] - frame[0])[opening].max(-1) > 20
    assert 0.45 < changed.mean() < 0.9 and changed[-1].all() and not changed[0].any()


def test_a_tongue_between_the_teeth_is_as_light_as_flesh_and_has_no_bright_rim(inside, painted):
    """In a grey portrait it was a white disc, and everywhere its edge was brighter than itself."""
    grey = {
        name: np.full(3, to_luma(getattr(TRAITS, name)), np.float32) for name in ("teeth", "gums", "tongue", "cavity")
    }
    muted = scene(painted, replace(TRAITS, **grey, saturation=0.0))
    for one in (inside, muted):
        x, y = one.view.origin.astype(int)
        rest, tip = (draw(one, 0.03, 0.08, pose, lower=y + 3)[8:24, 24] for pose in (None, (0, 1, 0)))
        laid = to_luma(tip)[np.abs(tip - rest).max(-1) > 8]  # at both ends half of something else
        assert len(laid) > 4 and laid[1:-1].max() < 1.2 * to_luma(one.traits.gums)


def test_a_black_portrait_has_a_black_mouth(painted):
    black = scene(painted, MouthTraits(*np.zeros((4, 3), np.float32)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(draw(black, 0.1, tongue=(0, 1, 0)), np.zeros((50, 49, 3)))


def test_a_narrow_gap_is_darker(inside):
    assert draw(inside, 0.1, gap=0.01).mean() < 0.8 * draw(inside, 0.1, gap=0.15).mean()
    assert 0 < narrow_light(0) < narrow_light(0.03) < narrow_light(0.3) == 1


def test_openings_in_between_are_steady(inside):
    pictures = [draw(inside, drop) for drop in np.arange(0.02, 0.3, 0.005)]
    steps = [np.abs(b - a).mean() for a, b in zip(pictures, pictures[1:])]
    assert max(steps) < 4 * np.median(steps)


def test_teeth_of_a_grey_portrait_are_grey(painted):
    grey = {
        name: np.full(3, getattr(TRAITS, name).mean(), np.float32) for name in ("teeth", "gums", "tongue", "cavity")
    }
    picture = draw(scene(painted, replace(TRAITS, **grey, saturation=0.0)), 0.2)
    assert np.ptp(picture, -1).max() < 1.5


def test_sides_of_teeth_that_look_at_the_tongue_are_dark_and_nothing_is_darker_than_the_depth(paint_face):
    """Molars of turned heads stood black before a lighter depth, or their inner sides as grey as their fronts."""
    upper = teeth()[0]
    light, back = outer_light(upper), np.argmin(upper.vertices[:, 2] + (upper.height < 0))
    assert light.max() == 1 and light.min() < 0.3 and light[np.argmax(upper.vertices[:, 2])] > 0.9
    assert (outer_light(tongue_shape("rest", 0.0)) == 1).all() and upper.vertices[back, 2] < -0.3
    for turn in (-0.6, 0.6):
        turned_away = scene(paint_face(yaw=turn, gap=0.1))
        for layer in (turned_away.upper, turned_away._jaw(2)):
            whole = layer.picture[layer.picture[..., 3] == 1]
            assert (whole[:, :3] > TRAITS.cavity - 1).all()


def test_teeth_turn_with_the_head(paint_face):
    left, right = (draw(scene(paint_face(yaw=yaw)), 0.2)[6:14].mean((0, 2)) for yaw in (-0.5, 0.5))
    assert np.corrcoef(left, right[::-1])[0, 1] > 0.8 > np.corrcoef(left, right)[0, 1]


def test_large_faces_cost_no_more_than_their_detail(paint_face):
    large = scene(paint_face(unit=700, size=(2400, 2000), centre=(1000, 800)))
    assert large.coarse == 3 and max(large.size) < 240


def test_colours_of_a_tooth():
    edge, middle, neck = tooth_tint(np.array([0.0, 0.03, 0.12]))
    assert np.allclose(middle, 1) and edge[2] > edge[0] and neck[2] < 0.9


def test_two_clips_of_a_portrait_show_the_same_teeth(painted):
    """And over a clip they stay where they are on the head: the renderer moves lips alone."""
    frames = [prepare(painted.portrait, painted.landmarks).frame(painted.with_gap(gap)) for gap in (0.2, 0.24)]
    again = prepare(painted.portrait, painted.landmarks).frame(painted.with_gap(0.24))
    assert np.array_equal(frames[1], again)
    x, y = scene(painted).view.origin.astype(int)
    rows = [frame[y - 6 : y + 8, x - 12 : x + 13].astype(float).mean(-1) for frame in frames]
    edges = [np.abs(np.diff(row, axis=0)).argmax(0) for row in rows]
    assert np.abs(np.mean(edges[0]) - np.mean(edges[1])) < 0.5


@pytest.mark.parametrize("pose", [{"centre": (187.3, 145.4)}, {"roll": 0.03}, {"unit": 86.0}])
def test_the_upper_teeth_move_with_the_head_of_a_film(painted, paint_face, pose):
    """A mouth is drawn for one frame of a film and laid over the others, whose landmarks tremble."""
    moved, rng = paint_face(**pose), np.random.default_rng(0)
    size = painted.portrait.shape[1::-1]
    head = fit_affine(painted.points[list(RIGID)] - 0.5, moved.points[list(RIGID)] - 0.5)
    x, y = scene(painted).view.origin.astype(int)
    teeth = slice(y - 7, y + 7), slice(x - 13, x + 14)
    for gap in (0.2, 0.24, 0.28):
        mouth = prepare(painted.portrait, painted.landmarks).frame(painted.with_gap(gap))
        landmarks = moved.with_gap(gap) + rng.normal(0, 0.5, (478, 2)) / size
        frame = lay_mouth(moved.portrait.copy(), mouth, landmarks, painted.with_gap(gap))
        back = cv2.warpAffine(frame, head, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        here, there = (picture[teeth].astype(float).mean(-1) for picture in (mouth, back))
        slopes = np.stack([*np.gradient(here), here, np.ones_like(here)], -1).reshape(-1, 4)
        shift = np.linalg.lstsq(slopes, (here - there).ravel(), rcond=None)[0][:2]  # and a change of light
        assert np.hypot(*shift) < 0.5


def test_the_inside_is_as_soft_as_the_portrait(painted):
    sharp, soft = (draw(scene(painted, replace(TRAITS, softness=value)), 0.2) for value in (0.4, 1.5))
    steps = [np.square(np.diff(picture, axis=0)).mean() for picture in (sharp, soft)]
    assert steps[1] < 0.7 * steps[0] and np.allclose(sharp.mean(), soft.mean(), rtol=0.05)
