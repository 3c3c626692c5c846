from itertools import islice, repeat

import cv2
import numpy as np
import pytest

from text2lip.faces.geometry import fit_similarity, transform_points
from text2lip.faces.topology import LEFT_EYE, LEFT_EYE_UPPER, LIPS, RIGHT_EYE, RIGHT_EYE_UPPER
from text2lip.renderers.eyelids import find_eyes, prepare_eyelids
from text2lip.renderers.idle import BLINK, BLINK_PAUSE, IdleMotion, add_idle, idle_landmarks


DARK = (40, 25, 20)


@pytest.fixture
def face(paint_face):
    """A painted face with dark irises."""
    face = paint_face()
    for eye in (RIGHT_EYE, LEFT_EYE):
        x, y = face.points[list(eye)].mean(0).round().astype(int).tolist()
        cv2.circle(face.portrait, (x, y), 4, DARK, -1, cv2.LINE_AA)
    return face


def eye_pixel(face, eye):
    x, y = face.points[list(eye)].mean(0)
    return int(y), int(x)


def idle(face, count, **options):
    return list(islice(add_idle(repeat(face.portrait), face.landmarks, fps=25, **options), count))


def shut_frame(seed=0):
    """Index of the first frame with shut eyes."""
    return next(i for i, (_, closure) in enumerate(IdleMotion(25, 1.0, seed)) if closure > 0.99)


def test_blinks_are_timed_as_people_blink():
    closures = np.array([closure for _, closure in islice(IdleMotion(250, 1.0, 3), 250 * 60)])
    edges = np.flatnonzero(np.diff((closures > 0).astype(int)))
    lengths = np.diff(edges)[::2] / 250
    pauses = np.diff(edges)[1::2] / 250
    assert len(lengths) > 8
    assert lengths.min() > BLINK[0] - 0.02 and lengths.max() < BLINK[1] + 0.02
    assert pauses.min() > BLINK_PAUSE[0] - 0.02 and pauses.max() < BLINK_PAUSE[1] + 0.02
    assert len(set(pauses.round(2))) > 5


def test_every_blink_shuts_the_eyes_at_25_frames_per_second():
    closures = np.array([closure for _, closure in islice(IdleMotion(25, 1.0, 4), 25 * 120)])
    starts = np.flatnonzero(np.diff((closures > 0).astype(int)) == 1) + 1
    assert len(starts) > 15
    assert all(closures[start : start + 8].max() > 0.98 for start in starts)


def test_sway_is_slow_and_small():
    poses = np.array([pose for pose, _ in islice(IdleMotion(25, 1.0, 5), 25 * 60)])
    assert not poses[0].any()
    spectrum = np.abs(np.fft.rfft(poses * np.hanning(len(poses))[:, None], axis=0)) ** 2
    assert spectrum[np.fft.rfftfreq(len(poses), 1 / 25) > 0.6].sum() < 1e-3 * spectrum.sum()
    assert poses.std(0).min() > 0.002 and np.abs(poses).max() < 0.02


def test_the_first_frame_is_the_picture_and_the_border_never_moves(face):
    frames = np.array(idle(face, 100, strength=2.0))
    assert np.array_equal(frames[0], face.portrait)
    assert (frames[60] != face.portrait).any()
    for side in (frames[:, 0], frames[:, -1], frames[:, :, 0].swapaxes(1, 2), frames[:, :, -1].swapaxes(1, 2)):
        assert (side == side[0]).all()


def test_the_seed_chooses_the_motion(face):
    one, again, other = (idle(face, 60, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_no_strength_no_change(face):
    assert all(frame is face.portrait for frame in idle(face, 70, strength=0))
    landmarks = np.repeat(face.landmarks[None], 70, 0)
    size = face.portrait.shape[:2]
    assert np.array_equal(idle_landmarks(landmarks, face.landmarks, size=size, fps=25, strength=0), landmarks)


def test_a_blink_covers_the_irises_and_leaves_the_rest(face):
    height, width = face.portrait.shape[:2]
    points = face.points.astype(np.float32) - 0.5
    shut = face.portrait.copy()
    for eye in find_eyes(points, face.unit):
        prepare_eyelids(shut, eye).close(shut, 1.0)
    for eye in (RIGHT_EYE, LEFT_EYE):
        at = eye_pixel(face, eye)
        assert face.portrait[at].max() < 60
        skin = face.portrait[at[0] - 12, at[1]].astype(int)
        assert np.abs(shut[at] - skin).max() < 25
    changed = (shut != face.portrait).any(-1)
    low = face.points[list(RIGHT_EYE + LEFT_EYE), 1].max() + 0.25 * face.unit
    assert changed.any() and not changed[int(low) :].any()


def test_lids_close_in_step(face):
    shut_at = shut_frame()
    frames = np.array(idle(face, shut_at + 10))
    for eye in (RIGHT_EYE, LEFT_EYE):
        y, x = eye_pixel(face, eye)
        dark = (frames[:, y - 5 : y + 6, x - 6 : x + 7].max(-1) < 90).sum((1, 2))
        assert dark[:10].min() > 40 and dark[shut_at] < 0.3 * dark[0]


@pytest.mark.parametrize("hide", ["shut", "dark lens"])
def test_shut_and_hidden_eyes_do_not_blink(face, hide):
    points = face.points.copy()
    for eye in (RIGHT_EYE, LEFT_EYE):
        if hide == "shut":
            points[list(eye), 1] += 0.8 * (points[list(eye), 1].max() - points[list(eye), 1])
        else:
            cv2.circle(face.portrait, eye_pixel(face, eye)[::-1], 22, DARK, -1)
    eyes = find_eyes(points.astype(np.float32) - 0.5, face.unit)
    assert not any(prepare_eyelids(face.portrait, eye) for eye in eyes)


def test_the_mouth_rides_along_unharmed(face):
    rows = np.stack([face.with_gap(gap) for gap in np.linspace(0, 0.2, 80)])
    size = face.portrait.shape[:2]
    moved = idle_landmarks(rows, face.landmarks, size=size, fps=25, strength=2.0)
    before, after = (lips[:, list(LIPS)] * size[::-1] for lips in (rows, moved))
    assert np.abs(after - before).max() > 0.5
    assert np.abs(transform_points(fit_similarity(before, after), before) - after).max() < 0.02


def test_landmarks_tell_where_the_pixels_go(face):
    nose = face.points[4]
    cv2.circle(face.portrait, tuple(np.round(nose * 16 - 8).astype(int).tolist()), 48, (0, 0, 255), -1, shift=4)
    rows, columns = np.indices(face.portrait.shape[:2]) + 0.5

    def spot(frame):
        weight = (frame[..., 2].astype(float) - frame[..., 0]).clip(80, None) - 80
        weight *= np.hypot(rows - nose[1], columns - nose[0]) < 15
        return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()

    frames = idle(face, 100, strength=2.0)
    size = face.portrait.shape[:2]
    still = np.repeat(face.landmarks[None], 100, 0)
    moved = idle_landmarks(still, face.landmarks, size=size, fps=25, strength=2.0) * size[::-1]
    steps = np.array([spot(frame) for frame in frames]) - spot(face.portrait)
    assert np.abs(steps).max() > 0.5
    assert np.abs(steps - (moved[:, 4] - nose)).max() < 0.1


def test_lid_landmarks_follow_the_blink(face):
    shut_at = shut_frame()
    still = np.repeat(face.landmarks[None], shut_at + 1, 0)
    moved = idle_landmarks(still, face.landmarks, size=face.portrait.shape[:2], fps=25)
    heights = np.linalg.norm((moved[:, 159] - moved[:, 145]) * face.portrait.shape[1::-1], axis=-1)
    assert heights[shut_at] < 0.2 * heights[0]
    irises = moved[shut_at, 473] - moved[shut_at, 468], still[0, 473] - still[0, 468]
    assert np.allclose(*irises, atol=1e-3)


def test_frames_are_made_one_by_one(face):
    taken = []

    def source():
        for index in range(1000):
            taken.append(index)
            yield face.portrait

    next(add_idle(source(), face.landmarks, fps=25))
    assert len(taken) == 1


@pytest.mark.parametrize("option", [{"strength": 2.1}, {"strength": -1}, {"strength": None}, {"fps": 0}, {"seed": -1}])
def test_bad_arguments_are_named(face, option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}`"):
        add_idle([face.portrait], face.landmarks, **{"fps": 25} | option)
    with pytest.raises(ValueError, match="source_landmarks"):
        add_idle([face.portrait], face.landmarks[:400], fps=25)


def test_frames_of_another_size_are_refused(face):
    frames = add_idle([face.portrait, face.portrait[1:]], face.landmarks, fps=25)
    next(frames)
    with pytest.raises(ValueError, match="`frames`"):
        next(frames)


def test_lashes_are_not_drawn_out_over_the_shut_eye(paint_face):
    face = paint_face()
    for lid in (RIGHT_EYE_UPPER, LEFT_EYE_UPPER):
        margin = face.points[list(lid)] - (0, 1.5)
        cv2.polylines(face.portrait, [margin.round().astype(np.int32)], False, DARK, 3, cv2.LINE_AA)
    skin = face.portrait[tuple((face.points[50] - 0.5).astype(int)[::-1])].astype(int)
    points = np.float32(face.points) - 0.5
    for eye in find_eyes(points, face.unit):
        frame = face.portrait.copy()
        prepare_eyelids(frame, eye).close(frame, 1.0)
        x = np.full(5, 0.6, np.float32)
        upper, lower, _ = eye.margins(x)
        heights = upper + np.linspace(0.1, 0.6, 5) * (lower - upper)
        spots = eye.corner + x[:, None] * eye.along + heights[:, None] * eye.down
        colours = np.array([frame[y, x] for x, y in spots.round().astype(int)])
        assert np.abs(colours.mean(0) - skin).max() < 35
