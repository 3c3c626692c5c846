from dataclasses import replace

import cv2
import numpy as np
import pytest

from text2lip.faces.topology import LEFT_EYE, LEFT_IRIS, RIGHT_EYE
from text2lip.renderers.living_eyes import GAZE_LIMIT, LivingEyes, _shade
from text2lip.renderers.relief import Relief
from text2lip.renderers.relief_field import GAZE_MOST, ReliefField
from text2lip.renderers.warp import face_frame


@pytest.fixture(scope="module")
def face(paint_looking_face):
    return paint_looking_face()


@pytest.fixture(scope="module")
def relief(face):
    return Relief(face.portrait, face.landmarks)


def dark_middle(frame, middle):
    """Mean place of what is dark within 9 pixels of `middle`, continuous pixels."""
    x, y = middle.astype(int) - 9
    dark = np.maximum(110.0 - frame[y : y + 19, x : x + 19].mean(-1), 0)
    rows, columns = np.indices(dark.shape)
    return np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum() + (x + 0.5, y + 0.5)


def eyes_of(picture, points):
    frame, size = face_frame(points), picture.shape[:2]
    field = ReliefField(points, None, frame, size, np.ones(size, np.float32))
    return LivingEyes(picture, points, frame, field), field


def test_an_eye_of_more_pixels_than_a_line_of_opencv_holds(face):
    times, top = 17, int(face.points[LEFT_IRIS, 1]) - 60
    band = np.ascontiguousarray(face.portrait[top : top + 120])
    picture = cv2.resize(band, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    eyes, _ = eyes_of(picture, (face.points - (0, top)) * times)
    assert len(eyes.eyes) == 2 and all(eye.open_part.size > 2**15 for eye in eyes.eyes)
    out = picture.copy()
    eyes.draw(out, {"eyeWideLeft": 1.0})
    assert (out != picture).any()


def test_lids_follow_no_gaze_beyond_the_field(face):
    eyes, _ = eyes_of(face.portrait, face.points)
    frames = []
    for most in (GAZE_MOST, 25.0):
        frames.append(face.portrait.copy())
        eyes.draw(frames[-1], {"gazePitch": -most})
    assert GAZE_LIMIT[1] == GAZE_MOST and np.array_equal(*frames)


def test_what_a_border_holds_back_carries_the_ball_no_further(face):
    top = int(face.points[list(RIGHT_EYE), 1].min()) - 6
    eyes, field = eyes_of(np.ascontiguousarray(face.portrait[top:]), face.points - (0, top))
    for eye in eyes.eyes:
        x0, y0, x1, y1 = eye.box
        grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
        way = field.sample(field.displacement({f"eyeWide{eye.side}": 1.0}), grid)
        assert np.abs(way - eye.carried[f"eyeWide{eye.side}"]).max() < 1e-3
    assert eyes.eyes and field.held.min() < 0.5


@pytest.mark.parametrize(
    "row", [{"eyeWideLeft": 1.0}, {"gazePitch": 8.0}, {"gazePitch": -8.0}, {"eyeSquintLeft": 1.0}]
)
def test_landmarks_of_an_iris_are_where_it_is_drawn(face, relief, row):
    moved = (relief.landmarks(face.landmarks, row) - face.landmarks) * face.portrait.shape[1::-1]
    way = relief.eyes.shift(relief.eyes.eyes[-1], row)
    assert moved[LEFT_IRIS : LEFT_IRIS + 5] == pytest.approx(np.tile(way, (5, 1)), abs=1e-3)
    drawn = dark_middle(relief.move(face.portrait, row), face.points[LEFT_IRIS])
    assert np.abs(drawn - dark_middle(face.portrait, face.points[LEFT_IRIS]) - moved[LEFT_IRIS]).max() < 0.5


def test_landmarks_of_an_iris_go_with_the_head(face, relief):
    row = {"headX": 0.05, "eyeWideLeft": 1.0}
    moved = (relief.landmarks(face.landmarks, row) - face.landmarks) * face.portrait.shape[1::-1]
    head = (relief.landmarks(face.landmarks, {"headX": 0.05}) - face.landmarks) * face.portrait.shape[1::-1]
    assert head[LEFT_IRIS, 0] > 1 and moved[LEFT_IRIS] == pytest.approx(head[LEFT_IRIS], abs=1e-3)


def test_an_eye_that_looks_down_a_little_is_drawn(face):
    eyes, _ = eyes_of(face.portrait, face.points)
    eyes.shift = lambda eye, row: np.zeros(2, np.float32)
    out = face.portrait.copy()
    eyes.draw(out, {"gazePitch": -8.0})
    assert (out != face.portrait).any()


@pytest.mark.parametrize(
    "row", [{"eyeSquintLeft": 0.002, "eyeSquintRight": 0.002}, {"gazeYaw": 0.02}, {"eyeWideLeft": 0.002}]
)
def test_a_trace_of_motion_is_no_jump(face, row):
    picture = face.portrait.copy()
    for eye in (LEFT_EYE, RIGHT_EYE):  # veins, a reflection at a lid: what no rebuilt ball has
        x, y = face.points[list(eye)].mean(0).astype(int)
        picture[y - 4 : y + 5 : 2, x - 9 : x + 10 : 3] = 200
    eyes, _ = eyes_of(picture, face.points)
    out = picture.copy()
    eyes.draw(out, row)
    assert len(eyes.eyes) == 2 and np.abs(out.astype(int) - picture).max() <= 3


@pytest.mark.parametrize("turn", [0, 35])
def test_the_shade_of_a_lid_is_smooth_along_the_lid(face, turn):
    angle = np.deg2rad(turn)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    eye = replace(eyes_of(face.portrait, face.points)[0].eyes[0].lids.eye, along=along, down=down)
    y, x = np.indices((81, 81)) - 40
    lid = x * down[0] + y * down[1] < 0
    seen = np.where(lid, 100, 200)[..., None].repeat(3, -1).astype(np.uint8)
    shade = _shade(np.full((81, 81, 3), 200.0, np.float32), seen, eye, 6.0)
    away = np.abs(x * down[0] + y * down[1])
    inside = (away > 3) & (np.hypot(x, y) < 20)
    assert np.abs(shade - np.where(lid, 0.5, 1))[inside].max() < 0.02
