import inspect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, OUTER_LOWER
from text2lip.media.color import to_luma
from text2lip.renderers import EchoMimicRenderer, GeometricRenderer, LearnedRenderer, Renderer
from text2lip.renderers.geometric import prepare
from text2lip.renderers.warp import CUBIC_BELOW


def render(face, landmarks):
    landmarks = np.asarray(landmarks)
    landmarks = landmarks[None] if landmarks.ndim == 2 else landmarks
    return list(GeometricRenderer().render(face.portrait, landmarks, fps=25, source_landmarks=face.landmarks))


def between_lips(face, landmarks):
    """Pixel in the middle of the opening."""
    x, y = landmarks[[13, 14]].mean(0) * face.portrait.shape[1::-1]
    return int(y), int(x)


def opening(face, frame, landmarks):
    """The column of pixels between the middle inner lips, `(rows, 3)` int."""
    (x, top), (_, bottom) = landmarks[[13, 14]] * face.portrait.shape[1::-1]
    return frame[int(top) + 1 : int(bottom), int(x)].astype(int)


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_own_landmarks_give_the_portrait(paint_face, gap):
    face = paint_face(gap=gap)
    assert np.array_equal(render(face, face.landmarks)[0], face.portrait)


def test_a_hair_of_motion_hardly_changes_an_open_mouth(paint_face):
    face = paint_face(gap=0.1)
    nearly = render(face, face.landmarks + 0.1 * (face.with_gap(0.11) - face.landmarks))[0]
    assert np.abs(nearly.astype(int) - face.portrait).mean() < 0.5


def test_a_still_mouth_gives_the_same_bytes(painted):
    open_mouth = painted.with_gap(0.12)
    frames = render(painted, np.stack([open_mouth, painted.landmarks, open_mouth]))
    assert np.array_equal(frames[0], frames[2]) and not np.array_equal(frames[0], frames[1])


@pytest.mark.parametrize("roll", [0.0, 0.5])
@pytest.mark.parametrize("gap", [0.0, 0.25])
def test_nothing_outside_the_lower_face_changes(paint_face, roll, gap):
    face = paint_face(roll=roll)
    frame = render(face, face.with_gap(gap + 0.02))[0]
    down = np.array([-np.sin(roll), np.cos(roll)])
    rows, columns = np.indices(frame.shape[:2])
    depth = (np.stack([columns, rows], -1) + 0.5 - face.points[[33, 263]].mean(0)) @ down / face.unit
    lids = max((face.points[[145, 374]] - face.points[[33, 263]].mean(0)) @ down) / face.unit
    changed = (frame != face.portrait).any(-1)
    assert changed.any()
    assert depth[changed].min() > lids and depth[changed].max() < 1.9


def test_a_closed_mouth_opens_dark_and_red_lips_stay_red(painted):
    target = painted.with_gap(0.2)
    frame = render(painted, target)[0]
    inside = opening(painted, frame, target)
    assert inside.mean(1).min() < 0.35 * 255 and inside.mean(1).max() > 1.5 * inside.mean(1).min()
    below = target[[14, 17]].mean(0) * painted.portrait.shape[1::-1]
    lip = frame[int(below[1]), int(below[0])].astype(int)
    assert lip[0] - lip[1] > 60


def test_a_crease_at_the_corner_goes_with_it(paint_face):
    face = paint_face(unit=120.0, size=(520, 480), centre=(240.0, 200.0))
    portrait = face.portrait.copy()
    corners = face.points[[61, 291]].round().astype(int)
    for (x, y), out in zip(corners, (-1, 1)):
        portrait[y - 1 : y + 2, min(x, x + 10 * out) : max(x, x + 10 * out)] = (60, 30, 30)
    face = replace(face, portrait=portrait)
    frame = render(face, face.with_gap(0.25))[0]
    for (x, y), out in zip(corners, (-1, 1)):
        dark = [picture[y - 20 : y + 21, x + 2 * out, 0] < 110 for picture in (portrait, frame)]
        assert dark[1].sum() <= dark[0].sum() + 1 and dark[1][18:23].sum() == dark[1].sum()


@pytest.mark.parametrize("gap", [0.05, 0.12])
def test_a_smile_closes_and_no_tooth_is_left(paint_face, gap):
    face = paint_face(gap=gap)
    frame = render(face, face.with_gap(0.0))[0]
    x0, y0 = face.points[list(INNER_UPPER + INNER_LOWER)].min(0) - 3
    x1, y1 = face.points[list(INNER_UPPER + INNER_LOWER)].max(0) + 3
    window = (slice(int(y0), int(y1)), slice(int(x0), int(x1)))
    assert face.portrait[window].min(-1).max() > 220
    assert frame[window].min(-1).max() < 190


def test_a_smile_keeps_its_own_teeth_in_place(paint_face):
    face = paint_face(gap=0.09, unit=160, size=(700, 640), centre=(320, 250))
    target = face.with_gap(0.06)
    prepared = prepare(face.portrait, face.landmarks)
    row, column = between_lips(face, target)
    kept = prepared.frame(target)[row - 3, column].astype(int)
    assert np.abs(kept - face.portrait[row - 3, column]).max() < 12


def test_a_wide_open_mouth_is_lit_below_its_upper_teeth(painted):
    """Films of ten talkers show lower teeth and a tongue there, at 0.55 to 0.8 of the skin's light."""
    wide = painted.with_gap(0.2)
    seen = to_luma(opening(painted, render(painted, wide)[0], wide))
    assert seen[len(seen) // 2 :].mean() > 85 and seen[len(seen) // 2 :].mean() < 0.6 * seen[: len(seen) // 2].mean()


def test_the_opening_follows_the_landmarks(painted):
    prepared = prepare(painted.portrait, painted.landmarks)
    areas = []
    for gap in (0.04, 0.08, 0.16, 0.24):
        frame = prepared.frame(painted.with_gap(gap)).astype(int)
        column = frame[:, int(painted.points[13, 0])]
        rows = slice(int(painted.points[0, 1]), int(painted.points[17, 1] + 0.3 * painted.unit))
        red = column[rows, 0] - column[rows, 1]
        lips = np.flatnonzero(red > 75)
        areas.append(lips.max() - lips.min())
    assert np.all(np.diff(areas) > 1)


def test_motion_is_smooth(painted):
    prepared = prepare(painted.portrait, painted.landmarks)
    frames = [prepared.frame(painted.with_gap(gap)).astype(float) for gap in np.linspace(0, 0.1, 41)]
    steps = [np.abs(b - a).mean() for a, b in zip(frames[:-1], frames[1:])]
    assert max(steps[1:]) < 4 * np.median(steps)


@pytest.mark.parametrize("where", [(0.0, 0.5), (1.0, 0.5), (0.5, 1.0), (0.1, 1.05)])
def test_a_face_cut_by_the_border(paint_face, where):
    face = paint_face()
    x, y = (face.points[13] - 0.5).astype(int)
    height, width = 300, 260
    top, left = y - int(where[1] * (height - 1)), x - int(where[0] * (width - 1))
    padded = np.pad(face.portrait, ((400, 400), (400, 400), (0, 0)), mode="edge")
    cut = padded[400 + top : 400 + top + height, 400 + left : 400 + left + width]
    landmarks = [(f * (360, 400) - (left, top)) / (width, height) for f in (face.landmarks, face.with_gap(0.15))]
    frames = list(GeometricRenderer().render(cut, np.stack(landmarks), source_landmarks=landmarks[0]))
    assert np.array_equal(frames[0], cut) and frames[1].shape == cut.shape
    assert not np.array_equal(frames[1], cut)


@pytest.mark.parametrize("unit", [6, 25, 400])
def test_tiny_and_large_faces(paint_face, unit):
    size = max(40, 4 * unit)
    face = paint_face(unit=unit, size=(size, size), centre=(size / 2, size / 3))
    frame = render(face, face.with_gap(0.2))[0]
    changed = (frame != face.portrait).any(-1)
    mouth = face.points[list(OUTER_LOWER)].mean(0)
    rows, columns = np.nonzero(changed)
    far = np.abs(np.stack([columns, rows], 1) - mouth).max(0) / unit
    assert frame.shape == face.portrait.shape and changed.sum() > 0.05 * unit**2 and far.max() < 1.5


@pytest.mark.parametrize("yaw", [-0.6, 0.6])
def test_a_turned_head(paint_face, yaw):
    face = paint_face(yaw=yaw)
    target = face.with_gap(0.2)
    inside = opening(face, render(face, target)[0], target)
    assert inside.mean(1).min() < 0.35 * 255


def test_a_grey_portrait_stays_grey(painted):
    painted.portrait = np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    frame = render(painted, painted.with_gap(0.2))[0].astype(int)
    assert np.ptp(frame, axis=-1).max() <= 1


def test_a_dark_portrait_has_a_dark_mouth(painted):
    target = painted.with_gap(0.1)
    row, column = between_lips(painted, target)
    bright = render(painted, target)[0][row, column].sum()
    painted.portrait = painted.portrait // 4
    dark = render(painted, target)[0][row, column].sum()
    assert dark < 0.4 * bright


def test_cost_depends_on_the_face_not_on_the_picture(painted):
    small = prepare(painted.portrait, painted.landmarks)
    wide = np.pad(painted.portrait, ((0, 1600), (0, 1600), (0, 0)))
    scale = np.array(painted.portrait.shape[1::-1]) / wide.shape[1::-1]
    large = prepare(wide, painted.landmarks * scale)
    assert large.field.box == small.field.box
    frame = large.frame((painted.with_gap(0.1) * scale).astype(np.float32))
    same = small.frame(painted.with_gap(0.1)).astype(int)
    assert np.abs(frame[: same.shape[0], : same.shape[1]] - same).max() <= 3


def test_threads_share_a_renderer(painted):
    targets = np.stack([painted.with_gap(gap) for gap in np.linspace(0, 0.2, 12)])
    alone = render(painted, targets)
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(lambda _: render(painted, targets), range(4)))
    assert all(np.array_equal(a, b) for frames in many for a, b in zip(alone, frames))


def test_frames_come_one_by_one_and_are_the_callers(painted):
    targets = np.stack([painted.with_gap(0.1)] * 3)
    frames = GeometricRenderer().render(painted.portrait, targets, source_landmarks=painted.landmarks)
    first = next(frames)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(next(frames), kept) and len(list(frames)) == 1


def test_the_callers_portrait_may_change_meanwhile(painted):
    frames = GeometricRenderer().render(
        painted.portrait, np.stack([painted.with_gap(0.1)] * 2), source_landmarks=painted.landmarks
    )
    first = next(frames)
    painted.portrait[:] = 0
    assert np.array_equal(next(frames), first)


def test_no_landmarks_no_frames(painted):
    assert render(painted, np.zeros((0, 478, 2), np.float32)) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("portrait", {"portrait": np.zeros((20, 20), np.uint8)}),
        ("portrait", {"portrait": np.zeros((20, 20, 3), np.float32)}),
        ("landmarks", {"landmarks": np.zeros((478, 2))}),
        ("landmarks", {"landmarks": np.full((1, 478, 2), np.nan)}),
        ("source_landmarks", {"source_landmarks": np.zeros((468, 2))}),
        ("source_landmarks", {"source_landmarks": np.zeros((478, 2))}),
    ],
)
def test_bad_input_is_named_at_the_call(painted, name, change):
    given = {
        "portrait": painted.portrait,
        "landmarks": painted.landmarks[None],
        "source_landmarks": painted.landmarks,
    } | change
    with pytest.raises(ValueError, match=f"`{name}`"):
        GeometricRenderer().render(given.pop("portrait"), given.pop("landmarks"), **given)


def test_all_renderers_are_called_the_same_way_and_say_what_they_can_use():
    wanted = inspect.signature(Renderer.render).parameters
    for kind, abilities in ((GeometricRenderer, (False, False)), (EchoMimicRenderer, (True, True))):
        given = inspect.signature(kind.render).parameters
        assert list(given) == list(wanted) and (kind.hears_sound, kind.samples) == abilities
        assert {n: p.default for n, p in given.items()} == {n: p.default for n, p in wanted.items()}
    assert list(inspect.signature(LearnedRenderer.render).parameters) == list(wanted)
    unet = SimpleNamespace(config=SimpleNamespace(sample_size=96))
    assert LearnedRenderer(unet).takes_references and not LearnedRenderer.hears_sound and not LearnedRenderer.samples
    assert not GeometricRenderer.takes_references and not EchoMimicRenderer.takes_references


def test_own_teeth_do_not_hide_a_tongue_between_them(paint_face):
    face = paint_face(gap=0.1)
    target = face.with_gap(0.07)
    prepared = prepare(face.portrait, face.landmarks)
    plain, between = (prepared.frame(target, pose) for pose in (None, np.float32([0, 1, 0])))
    rest, tongue = (opening(face, frame, target)[2:-1] for frame in (plain, between))
    assert np.ptp(rest, -1).mean() < 25 < 40 < np.ptp(tongue, -1).mean()


def test_teeth_lie_in_shadow_behind_rounded_lips_that_hardly_part(paint_face):
    """As in "oo": of a mouth that is no wider than most at rest, by a tenth narrower."""
    face = paint_face(unit=120, size=(600, 540), centre=(270, 220))
    wide = face.with_gap(0.05)
    middle = wide[13] * (1, 0)
    narrow = np.where(
        np.isin(np.arange(478), [*INNER_UPPER, *INNER_LOWER])[:, None], (wide - middle) * (0.9, 1) + middle, wide
    )
    lumas = [opening(face, render(face, np.float32(mouth))[0], mouth).mean() for mouth in (wide, narrow)]
    assert lumas[1] < 0.75 * lumas[0]


@pytest.mark.parametrize("height, cubic", [(512, True), (300, True), (1400, False)])
def test_a_portrait_is_sampled_as_sharply_as_its_size_asks(painted, height, cubic):
    """Also where the picture ends beside the mouth."""
    scale = max(height, 512) / len(painted.portrait)
    portrait = cv2.resize(painted.portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height]
    prepared = prepare(portrait, painted.landmarks * (1, scale * len(painted.portrait) / height))
    assert (prepared.face.unit < CUBIC_BELOW) == cubic
    box, back = prepared.field.box, np.full((*prepared.field.face.shape[:2], 2), 0.4, np.float32)
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    expected = cv2.remap(portrait, *prepared.field.maps(back, box), method, borderMode=cv2.BORDER_REFLECT_101)
    away = np.abs(prepared._sample(back, box).astype(int) - expected)
    assert away.mean() < 0.3 and away[-3:].mean() < 0.5 if cubic else away.max() == 0
