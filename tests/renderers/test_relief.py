import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from text2lip.ahead import map_ahead
from text2lip.faces.topology import LEFT_EYE, LEFT_IRIS, NOSE_TIP, RIGHT_EYE, RIGHT_IRIS
from text2lip.motion.motion_plan import MotionPlan
from text2lip.renderers.relief import CUT_NEEDS, MOVE_NEEDS, Relief


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


@pytest.fixture(scope="module")
def looking(paint_looking_face):
    """A painted face with dark irises, and its relief."""
    face = paint_looking_face()
    return face, Relief(face.portrait, face.landmarks)


def dark_middle(frame, middle):
    """Mean place of what is dark within 9 pixels of `middle`, continuous pixels."""
    x, y = middle.astype(int) - 9
    dark = np.maximum(110.0 - frame[y : y + 19, x : x + 19].mean(-1), 0)
    rows, columns = np.indices(dark.shape)
    return np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum() + (x + 0.5, y + 0.5)


def test_the_irises_go_with_the_gaze_and_so_do_their_landmarks(looking):
    face, relief = looking
    size = face.portrait.shape[1::-1]
    row = {"gazeYaw": 10.0}
    moved = (relief.landmarks(face.landmarks, row) - face.landmarks) * size
    out = relief.move(face.portrait, row)
    assert len(relief.eyes.eyes) == 2
    for first in (RIGHT_IRIS, LEFT_IRIS):
        way = dark_middle(out, face.points[first]) - dark_middle(face.portrait, face.points[first])
        assert moved[first, 0] == pytest.approx(
            max(2.05 * 3, 2.05 * 0.04 * face.unit) * np.sin(np.deg2rad(10)), abs=0.1
        )
        assert np.abs(way - moved[first]).max() < 0.4
    changed = np.argwhere((out != face.portrait).any(-1))[:, ::-1]
    eyes = np.concatenate([face.points[list(RIGHT_EYE)], face.points[list(LEFT_EYE)]])
    assert (changed >= eyes.min(0) - 2).all() and (changed <= eyes.max(0) + 2).all()


def test_lids_that_widen_or_narrow_leave_the_iris_where_it_is(looking):
    face, relief = looking
    for row in ({"eyeWideLeft": 1.0}, {"eyeSquintLeft": 1.0}):
        out = relief.move(face.portrait, row)
        way = dark_middle(out, face.points[LEFT_IRIS]) - dark_middle(face.portrait, face.points[LEFT_IRIS])
        assert np.abs(way).max() < 0.5 and (out != face.portrait).any()


def with_a_lens(face, colour):
    """The portrait, its left eye and the skin around it of one colour."""
    portrait, eye = face.portrait.copy(), face.points[list(LEFT_EYE)]
    (x0, y0), (x1, y1) = ((way(eye, axis=0) + at).astype(int) for way, at in ((np.min, -6), (np.max, 6)))
    portrait[y0:y1, x0:x1] = colour
    return portrait


def test_where_a_lens_hides_one_eye_neither_moves(looking):
    face, both = looking
    one = Relief(with_a_lens(face, (25, 22, 20)), face.landmarks)
    assert len(both.eyes.eyes) == 2 and not one.eyes.eyes
    for side, point in (("Left", 386), ("Right", 159)):
        row = {f"eyeWide{side}": 1.0}
        goes, stays = (relief.landmarks(face.landmarks, row)[point] - face.landmarks[point] for relief in (both, one))
        assert goes[1] < -0.005 and not stays.any()
    shut = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    assert np.array_equal(one.move(one.picture, shut), one.picture)


def test_an_eye_shuts_alone(looking):
    face, relief = looking
    out = relief.move(face.portrait, {"eyeBlinkLeft": 1.0})
    for first, shut in ((LEFT_IRIS, True), (RIGHT_IRIS, False)):
        x, y = face.points[first].astype(int)
        assert (out[y, x].mean() > 80) == shut
    moved = relief.landmarks(face.landmarks, {"eyeBlinkLeft": 1.0}) - face.landmarks
    assert moved[386, 1] > 0 and abs(moved[159, 1]) < 1e-6


@pytest.mark.parametrize(
    "row, up, down, still",
    [
        ({"browInnerUp": 1.0}, (55, 285), (), (159, 386, 61, 291, 4)),
        ({"browOuterUpLeft": 1.0}, (300, 293), (), (70, 63, 386, 61)),
        ({"browDownRight": 1.0, "browDownLeft": 1.0}, (), (55, 285, 63, 293), (159, 386, 61)),
        ({"mouthSmileRight": 1.0}, (50,), (), (280, 13, 14)),
        ({"eyeWideRight": 1.0}, (159,), (), (386, 63, 4)),
        ({"eyeSquintLeft": 1.0}, (374,), (386,), (145, 159)),
    ],
)
def test_face_units_move_their_own_part(looking, row, up, down, still):
    face, relief = looking
    moved = ((relief.landmarks(face.landmarks, row) - face.landmarks) * face.portrait.shape[1::-1])[:, 1] / face.unit
    assert all(moved[point] < -0.007 for point in up) and all(moved[point] > 0.005 for point in down)
    assert np.abs(moved[list(still)]).max() < 0.004


def test_a_row_of_numbers_is_a_row_of_names(relief, face):
    plan = MotionPlan.still(1, 25)
    plan["headYaw"][:] = 5
    named = relief.move(face.portrait, {"headYaw": 5.0})
    assert np.array_equal(relief.move(face.portrait, plan.values[0]), named)


def test_a_pixel_of_a_raised_brow_comes_from_the_brow_where_skin_is_stretched_twofold(relief):
    field = relief.field
    rows, columns = field.nodes.shape[:2]
    down = np.arange(rows) - rows // 2  # nodes
    raised = 1.3 * np.clip(4 - down, 0, 5) * np.clip((down + 14) / 12, 0, 1)  # nodes; within 5 from all to nothing
    moved = np.zeros((rows, columns, 2), np.float32)
    moved[..., 1] = -field.step * raised[:, None]
    x0, y0, x1, y1 = field.box
    back = field.maps(field.backward(moved), (0, 0, x1 - x0, y1 - y0))
    y = np.arange(back.shape[0], dtype=np.float32)
    x = np.full_like(y, back.shape[1] // 2)
    there = back[:, back.shape[1] // 2] + field.box[:2]
    missed = there + field.sample(moved, there) - np.stack([x, y], -1) - field.box[:2]
    near = np.abs(y / field.step - rows // 2) < 8
    assert np.abs(missed[near]).max() < 0.6 * field.step


def test_what_a_border_cuts_off_stays_at_it(paint_face):
    face = paint_face().textured(1)
    height, width = face.portrait.shape[:2]
    top = int(face.landmarks[10, 1] * height) + 4  # through the forehead
    points = (face.landmarks * (1, height / (height - top)) - (0, top / (height - top))).astype(np.float32)
    relief = Relief(np.ascontiguousarray(face.portrait[top:]), points)
    down = {"headY": 0.1, "headPitch": -10.0}
    free, held = (relief.field.displacement(down, held=held)[..., 1] for held in (False, True))
    middle = (np.abs(relief.field.nodes[0, :, 0] - points[10, 0] * width)).argmin()
    assert free[0, middle] > 8 and abs(held[0, middle]) < 0.1 * free[0, middle]
    assert held[len(free) // 2 :, middle] == pytest.approx(free[len(free) // 2 :, middle], abs=1e-3)


@pytest.mark.parametrize("channel", ["mouthSmile", "mouthStretch", "cheekSquint"])
def test_the_skin_of_a_smile_leaves_the_width_of_the_lips_to_speech(relief, face, channel):
    smiling = relief.landmarks(face.landmarks, {channel + "Left": 1.0, channel + "Right": 1.0})
    moved = (smiling - face.landmarks)[[61, 291, 0, 17]] * face.portrait.shape[1::-1]
    assert np.abs(moved[:, 0]).max() < 2e-3 * face.unit


@pytest.mark.parametrize("name", ["move", "cut"])
def test_frames_of_three_threads_are_those_of_one(face, name):
    rows = [
        {"headYaw": yaw, "browDownLeft": 0.1 * yaw, "eyeBlinkLeft": 0.5, "gazeYaw": yaw} for yaw in range(-8, 8, 2)
    ]
    before, made = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            move = getattr(Relief(face.portrait, face.landmarks), name)
            made.append(list(map_ahead(move, [face.portrait] * len(rows), rows)))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*made) and not np.array_equal(made[0][0], made[0][-1])


@pytest.mark.parametrize("name, needs", [("move", MOVE_NEEDS), ("cut", CUT_NEEDS)])
def test_memory_of_a_frame(relief, face, name, needs):
    move, row = getattr(relief, name), {"headYaw": 8.0, "browDownLeft": 1.0}
    move(face.portrait, row)
    tracemalloc.start()
    move(face.portrait, row)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.7 * needs < peak / face.portrait.nbytes < needs


def test_what_the_guard_holds_back_has_no_folds(relief, face):
    row = dict.fromkeys(("browDownLeft", "browDownRight", "cheekSquintLeft", "cheekSquintRight"), 1.0)
    held = Relief(face.portrait, face.landmarks)
    held.guard = replace(held.guard, shares={**held.guard.shares, **dict.fromkeys(row, 0.0)})
    assert not np.array_equal(relief.move(face.portrait, row), face.portrait)
    assert np.array_equal(held.move(face.portrait, row), face.portrait)
    assert np.array_equal(held.cut(face.portrait, row), held.cut(face.portrait, {}))
