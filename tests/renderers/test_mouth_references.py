import warnings

import cv2
import numpy as np
import pytest

from text2lip.faces.topology import INNER_LOWER_PAIRED, INNER_UPPER_PAIRED, LIPS, driven_index
from text2lip.renderers import MouthReferences, choose_references
from text2lip.renderers import mouth_references as module


@pytest.fixture
def references(paint_face, refer_to):
    """A closed mouth, a small opening and a wide one."""
    return refer_to(paint_face(), *(paint_face(gap=gap, seed=i) for i, gap in enumerate((0.0, 0.08, 0.2))))


def points_of(references):
    return references.points * references.size / references.side


WHOLE = np.ones(1)  # of one picture, however unlike


def difference(a, b):
    return np.abs(a.astype(int) - b)


def test_own_points_give_the_picture_back(references):
    for points, picture in zip(points_of(references), references.pictures):
        drawn, near = references.draw(points, references.size)
        assert drawn.dtype == np.uint8 and drawn.shape == picture.shape
        assert difference(drawn, picture)[2:-2, 2:-2].max() <= 2 and near == pytest.approx(1)


def test_equal_points_give_equal_bytes_and_nothing_is_written_to(references):
    before, points = references.pictures.copy(), points_of(references)
    wanted = 0.1 * points[0] + 0.9 * points[1]
    first, other, again = (references.draw(p, references.size) for p in (wanted, points[2], wanted.copy()))
    assert np.array_equal(first[0], again[0]) and first[1] == again[1] == pytest.approx(1)
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(before, references.pictures)


@pytest.mark.parametrize("gaps", [(0.01, 0.05), (0.05, 0.2), (0.1, 0.05)])
def test_the_lips_are_laid_on_the_wanted_ones(painted, gaps):
    """A picture whose colours say where a pixel comes from has, at each wanted point, that of the own point."""
    made = MouthReferences.from_frames(
        [painted.portrait] * 2, np.stack([painted.with_gap(gap) for gap in gaps]), painted.portrait, painted.landmarks
    )
    own, wanted = points_of(made) * 96 / made.size
    line = (np.arange(96) + 0.5) / 96 * 255
    where = np.stack([*np.meshgrid(line, line), np.zeros((96, 96))], -1).astype(np.uint8)
    drawn = MouthReferences(where[None], own[None]).draw(wanted, 96, WHOLE)[0].astype(np.float32)
    at = (wanted[driven_index(LIPS)] - 0.5).astype(np.float32)
    found = (cv2.remap(drawn, at[:, None], None, cv2.INTER_LINEAR)[:, 0, :2] + 0.5) / 255 * 96
    off = np.linalg.norm(found - own[driven_index(LIPS)], axis=1)
    assert np.linalg.norm(own - wanted, axis=1).max() > 2 and off.mean() < 0.5 and off.max() < 1.2


def test_the_edge_stays_where_it_is(references):
    points = points_of(references)[2]
    wanted = points.copy()
    wanted[driven_index(LIPS)] += (2, 4)
    drawn, _ = MouthReferences(references.pictures[2:], points[None]).draw(wanted, references.size, WHOLE)
    change = difference(drawn, references.pictures[2]).max(-1)
    for side in (change[0], change[-1], change[:, 0], change[:, -1]):
        assert side.max() <= 20
    assert change.max() > 60


def opening(references, gaps):
    """The mouths (frames, 57, 2) that open by shares of the way from the first reference to the last."""
    first, last = points_of(references)[[0, -1]]
    return first + np.asarray(gaps)[:, None, None] * (last - first)


@pytest.mark.parametrize("fps", [25, 60])
def test_one_mouth_is_faded_into_another(references, fps):
    """One picture at a time, but for a short fade, and none where none is alike."""
    wanted = opening(references, np.repeat(np.linspace(0, 1, 80), fps // 25))
    shares = references.choose(wanted, references.size, fps)
    assert shares.shape == (len(wanted), 3) and shares.min() >= 0 and shares.sum(1).max() <= 1 + 1e-9
    assert np.abs(np.diff(shares, axis=0)).max() <= 1 / round(module.CHANGE_TIME * fps)
    assert shares.max(0).min() > 0.95 and shares[0].argmax() == 0 and shares[-1].argmax() == 2
    assert ((shares > 0).sum(1) > 1).mean() < 0.4 and shares.sum(1).min() < 0.01


def test_a_constant_mouth_keeps_its_picture(references):
    shares = references.choose(points_of(references)[[1] * 9], references.size)
    assert np.allclose(shares, [0, 1, 0])


def test_a_trembling_mouth_keeps_its_picture_and_a_shut_one_is_free_to_change_it(paint_face, refer_to):
    gaps = (0.1, 0.11)
    two = refer_to(paint_face(), *(paint_face(gap=gap, seed=i) for i, gap in enumerate(gaps)))
    points, middle = points_of(two), points_of(two).mean(0)
    trembling = middle + 0.3 * np.sin(np.arange(60))[:, None, None] * (points[1] - points[0])
    assert len(np.unique(two.choose(trembling, two.size).argmax(1))) == 1
    shut = points_of(refer_to(paint_face(), paint_face(gap=0.0)))
    row = np.concatenate([points[[0] * 12], shut[[0] * 12], points[[1] * 12]])
    shares = two.choose(row, two.size)
    assert np.allclose(shares[:10], (1, 0)) and np.allclose(shares[-10:], (0, 1))


@pytest.mark.parametrize("gap", [0.04, 0.3])
def test_a_mouth_far_from_all_pictures_gets_none(references, gap, paint_face, refer_to):
    other = points_of(refer_to(paint_face(), paint_face(gap=gap)))
    assert references.choose(other, references.size).max() == 0
    drawn, near = references.draw(other[0], references.size)
    assert near == 0 and drawn.max() == 0 and drawn.shape == references.pictures[0].shape


def test_far_mouths_have_no_part_and_equal_ones_change_nothing(references):
    points, size = points_of(references), references.size
    near = 0.1 * points[2] + 0.9 * points[1]
    alone, _ = MouthReferences(references.pictures[1:2], points[1:2]).draw(near, size)
    assert np.array_equal(references.draw(near, size)[0], alone)
    many = MouthReferences(references.pictures[[1] * 24], points[[1] * 24]).draw(near, size)[0]
    assert difference(many, alone).max() <= 1


def test_the_order_of_the_pictures_does_not_matter(references):
    points, size = points_of(references), references.size
    middle = 0.1 * points[0] + 0.9 * points[1]
    back = MouthReferences(references.pictures[::-1], points[::-1])
    assert difference(references.draw(middle, size)[0], back.draw(middle, size)[0]).max() <= 1


@pytest.mark.parametrize("size", [24, 96, 250])
def test_crops_of_several_sizes(paint_face, refer_to, size):
    made = refer_to(paint_face(), paint_face(gap=0.1))
    picture = cv2.resize(made.pictures[0], (size, size), interpolation=cv2.INTER_AREA)
    points = points_of(made)[0]
    other = MouthReferences(picture[None], points[None] * size / made.size)
    assert np.array_equal(other.draw(points, made.size)[0], picture)
    wanted = points + 3 * np.sin(points / 9)
    one, two = (other.draw(wanted * scale / made.size, scale, WHOLE) for scale in (96, 200))
    assert one[0].shape == (size, size, 3) and difference(one[0], two[0]).max() <= 1
    one, two = (other.unlikeness(wanted[None] * scale / made.size, scale) for scale in (96, 200))
    assert one > 0 and np.allclose(one, two) and np.allclose(one, made.unlikeness(wanted[None], made.size))


def test_likeness_is_measured_in_units_of_the_face(references):
    points, size = points_of(references)[1:2], references.size
    lower = points + (0, 0.1 * size)
    narrow, wide = (MouthReferences(references.pictures[1:2], points, side) for side in (1.5, 3.0))
    assert narrow.unlikeness(lower, size) == pytest.approx(module.HIGHER * 0.15)
    assert wide.unlikeness(lower, size) == pytest.approx(module.HIGHER * 0.30)
    assert wide.unlikeness(points, size) == pytest.approx(0)


def test_openings_tell_mouths_apart(references):
    unlike = references.unlikeness(points_of(references), references.size)
    assert np.allclose(np.diag(unlike), 0) and (unlike + np.eye(3)).min() > module.MOST_UNLIKE


def test_only_the_lips_say_how_near_a_mouth_is(references):
    points, size = points_of(references)[:1], references.size
    chin = points.copy()
    chin[:, driven_index((152,))] += 5
    assert references.unlikeness(chin, size)[0, 0] == pytest.approx(0)


@pytest.mark.parametrize("light", [(0.75, 0.75, 0.75), (0.9, 0.8, 0.7), (1.2, 1.1, 1.0)])
def test_another_light_becomes_the_portraits(paint_face, refer_to, light):
    portrait, face = paint_face(), paint_face(gap=0.1)
    plain = refer_to(portrait, face)
    face.portrait = np.rint(face.portrait * np.float64(light)).clip(0, 255).astype(np.uint8)
    lit = refer_to(portrait, face)
    chin = np.s_[:, int(0.7 * lit.size) : int(0.78 * lit.size), int(0.4 * lit.size) : int(0.6 * lit.size)]
    assert np.abs(lit.pictures[chin].mean((1, 2)) - plain.pictures[chin].mean((1, 2))).max() < 4


def test_there_is_a_limit_to_a_change_of_light(paint_face, refer_to):
    portrait, dark = paint_face(), paint_face(gap=0.1)
    plain = refer_to(portrait, dark).pictures.mean()
    dark.portrait = dark.portrait // 5
    assert refer_to(portrait, dark).pictures.mean() == pytest.approx(module.GAIN[1] / 5 * plain, rel=0.05)
    night = paint_face()
    night.portrait = night.portrait // 5
    assert refer_to(night, paint_face(gap=0.1)).pictures.mean() == pytest.approx(module.GAIN[0] * plain, rel=0.05)
    black = paint_face(gap=0.1)
    black.portrait[:] = 0
    assert refer_to(portrait, black).pictures.max() == 0


@pytest.mark.parametrize("other", [{"roll": 0.5}, {"unit": 50.0}, {"unit": 200.0, "size": (900, 800), "roll": -0.3}])
def test_pictures_of_other_sizes_and_turns_show_the_same_mouth(paint_face, refer_to, other):
    size = other.get("size", (400, 360))
    face = paint_face(gap=0.12, **{**other, "centre": (size[1] / 2, size[0] * 0.4)})
    straight, made = (refer_to(paint_face(), one) for one in (paint_face(gap=0.12), face))
    assert made.size == straight.size
    assert np.abs(points_of(made) - points_of(straight)).max() < 0.3
    assert difference(made.pictures, straight.pictures).mean() < 6


@pytest.mark.parametrize(("unit", "least", "most"), [(20.0, 96, 96), (100.0, 148, 154), (300.0, 384, 384)])
def test_crops_are_as_fine_as_the_portrait_within_limits(paint_face, refer_to, unit, least, most):
    shape = (int(5 * unit), int(4.5 * unit))
    face = paint_face(unit=unit, size=shape, centre=(2.25 * unit, 1.9 * unit))
    made = refer_to(face, paint_face(gap=0.1))
    assert least <= made.size <= most and made.pictures.shape == (1, made.size, made.size, 3)


def closed(points):
    made = points.copy()
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    made[upper] = made[lower] = points[lower].mean(0)
    return made


DEGENERATE = {
    "inner lips in one point": closed,
    "all in one point": lambda points: np.full_like(points, points.mean()),
    "all in the corner": np.zeros_like,
    "along the edge": lambda points: np.stack([np.zeros(57), np.linspace(0, 120, 57)], 1),
    "beyond the edge": lambda points: 3 * points - 150,
    "far away": lambda points: points + 1e6,
    "upside down": lambda points: points[::-1],
    "as float32": lambda points: points.astype(np.float32) + np.float32(0.1),
}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("count", [1, 24])
def test_degenerate_mouths_stay_finite(references, name, count):
    points = points_of(references)
    strange, some = DEGENERATE[name](points[1]), np.arange(count) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for known, wanted in ((points[some], strange), (np.stack([strange] * count), points[1])):
            made = MouthReferences(references.pictures[some], known)
            assert 0 <= made.draw(wanted, references.size)[1] <= 1
            drawn, near = made.draw(wanted, references.size, np.full(count, 1 / count))
            assert drawn.shape == references.pictures[0].shape and near == pytest.approx(1)
            assert drawn.max() > 0  # painted faces have no black


def test_a_face_cut_off_by_the_picture(paint_face, refer_to):
    cut = paint_face(gap=0.1, size=(215, 360))  # ends in the lower lip
    made = refer_to(paint_face(), cut)
    points = points_of(made)[0]
    assert np.isfinite(points).all() and made.draw(points, made.size)[1] == pytest.approx(1)
    assert np.ptp(made.pictures[0, -20:].astype(int), axis=0).max() == 0  # its last row, repeated


def test_bad_input_is_named(paint_face, references):
    face = paint_face()
    with pytest.raises(ValueError, match="references: 0 pictures"):
        MouthReferences(np.zeros((0, 96, 96, 3), np.uint8), np.zeros((0, 57, 2)))
    with pytest.raises(ValueError, match="references: 3 pictures and 2 rows"):
        MouthReferences(references.pictures, references.points[:2])
    own = face.portrait, face.landmarks
    with pytest.raises(ValueError, match="references: 0 pictures"):
        MouthReferences.from_frames([], np.zeros((0, 478, 2)), *own)
    with pytest.raises(ValueError, match="`landmarks`.*NaN"):
        MouthReferences.from_frames([face.portrait], np.full((1, 478, 2), np.nan), *own)
    with pytest.raises(ValueError, match="`landmarks`.*frames, 478"):
        MouthReferences.from_frames([face.portrait], face.landmarks, *own)
    with pytest.raises(ValueError, match="`source_landmarks`"):
        MouthReferences.from_frames([face.portrait], face.landmarks[None], face.portrait, face.landmarks[:68])
    with pytest.raises(ValueError, match="uint8 RGB"):
        MouthReferences.from_frames([face.portrait / 255.0], face.landmarks[None], *own)


def mouths(seed=0, count=60):
    return np.random.default_rng(seed).normal(0, 1, (count, 57, 2))


@pytest.mark.parametrize("count", [2, 8, 24])
def test_chosen_mouths_are_spread(count):
    """No mouth is further from the chosen ones than they are from each other."""
    lips = mouths().cumsum(0)
    chosen = choose_references(lips, count)
    apart = np.linalg.norm(lips[:, None] - lips[chosen], axis=-1).mean(-1)
    between = apart[chosen] + 1e9 * np.eye(count)
    assert len(chosen) == count and apart.min(1).max() <= between.min() + 1e-9
    assert chosen.dtype.kind == "i" and (np.diff(chosen) > 0).all()


def test_rare_mouths_are_found():
    lips = np.zeros((100, 57, 2))
    lips[37], lips[64] = 1, -1
    assert {37, 64} <= set(choose_references(lips, 3))


def test_the_usual_mouth_is_among_the_chosen():
    lips = mouths(1)
    lips[11] = lips.mean(0)
    assert choose_references(lips, 1).tolist() == [11] and 11 in choose_references(lips, 5)


def test_fewer_mouths_than_wanted():
    lips = np.repeat(mouths(2, 3), 5, 0)
    chosen = choose_references(lips, 24)
    assert sorted(chosen // 5) == [0, 1, 2]
    assert choose_references(lips[:1]).tolist() == [0]
    assert choose_references(np.zeros((7, 57, 2))).tolist() == [0]
    assert choose_references(mouths(3, 5), 24).tolist() == [0, 1, 2, 3, 4]


def test_mouths_that_are_alike_are_not_all_taken():
    """The trembling of a detector makes no new mouth."""
    lips = mouths(5, 1) + 0.001 * mouths(6)
    assert len(choose_references(lips)) == 1
    lips[30:] += 0.1
    assert len(choose_references(lips)) == 2


def test_other_numbers_of_points_can_be_chosen_by():
    lips = mouths(4)[:, : len(LIPS)]
    assert len(choose_references(lips)) == module.MOST == 24
    assert len(choose_references(lips[:, :11], 4)) == 4


def test_other_shapes_and_nan_are_named(paint_face, references):
    points, size = points_of(references), references.size
    wrong = (references.pictures[:, :50], references.pictures / 255.0, references.pictures[..., :1])
    for pictures in (*wrong, references.pictures[:, :0, :0], references.pictures[:, 0, 0, 0]):
        with pytest.raises(ValueError, match="`pictures`"):
            MouthReferences(pictures, points)
    for wrong in (points[:, :40], points * np.nan):
        with pytest.raises(ValueError, match="`points`"):
            MouthReferences(references.pictures, wrong)
        with pytest.raises(ValueError, match="`points`"):
            references.draw(wrong[0], size)
    face = paint_face()
    with pytest.raises(ValueError, match="`frames` are 1, `landmarks` 2"):
        MouthReferences.from_frames([face.portrait], face.landmarks[None].repeat(2, 0), face.portrait, face.landmarks)
    with pytest.raises(ValueError, match="`frames` are 3, `landmarks` 1"):
        MouthReferences.from_frames(iter([face.portrait] * 3), face.landmarks[None], face.portrait, face.landmarks)
    for lips, count in ((mouths()[:0], 3), (mouths() * np.nan, 3), (mouths(), 0)):
        with pytest.raises(ValueError, match="`lips`"):
            choose_references(lips, count)
