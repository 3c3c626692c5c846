import cv2
import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, JAW, LIPS, LOWER_SIDE, UPPER_SIDE
from text2lip.renderers.contour import mouth_masks, smooth, uncross
from text2lip.renderers.lip_edges import lip_edges
from text2lip.renderers.warp import WarpField, face_frame, unfold, warp_field


@pytest.fixture
def field(painted):
    points = to_indices(painted.landmarks, *painted.portrait.shape[:2])
    return points, face_frame(points), warp_field(points, face_frame(points), *painted.portrait.shape[:2])


def at(field, nodes, points):
    """Grid values at pixel indices."""
    where = (points - np.float32(field.box[:2]) + 0.5) / field.step - 0.5
    where = np.float32(where[:, None])
    return cv2.remap(nodes, where[..., 0], where[..., 1], cv2.INTER_LINEAR)[:, 0]


@pytest.mark.parametrize(("side", "rows"), [(0, UPPER_SIDE), (1, LOWER_SIDE)])
def test_lips_and_jaw_go_where_they_are_sent(painted, field, side, rows):
    points, frame, field = field
    shift = to_indices(painted.with_gap(0.2), *painted.portrait.shape[:2]) - points
    back = field.backward(side, shift[list(rows)])
    target = points + shift
    lips = [i for i in rows if i not in JAW]
    error = np.linalg.norm(at(field, back, target[lips]) + shift[lips], axis=1) / frame.unit
    beside_corners = np.isin(lips, (146, 375, 95, 324))
    assert error[~beside_corners].max() < 0.025 and np.median(error) < 0.004
    chin = np.linalg.norm(at(field, back, target[[152]]) + shift[[152]]) / frame.unit
    assert chin < 0.01


def test_the_field_is_zero_at_its_sides_and_small_at_the_nose(painted, field):
    points, frame, field = field
    shift = to_indices(painted.with_gap(0.25), *painted.portrait.shape[:2]) - points
    back = field.backward(1, shift[list(LOWER_SIDE)])
    sides = np.concatenate([back[0], back[-1], back[:, 0], back[:, -1]])
    assert not sides.any()
    assert np.abs(at(field, back, points[[4, 1, 98, 327]])).max() < 0.01 * frame.unit


def test_the_field_does_not_fold_below_the_lower_lip(painted, field):
    points, frame, field = field
    shift = to_indices(painted.with_gap(0.3), *painted.portrait.shape[:2]) - points
    back = field.backward(1, shift[list(LOWER_SIDE)])
    rows = field.face[..., 1] > frame.coordinates(points[[14]])[0, 1] + 0.3
    source_y = back[..., 1] / field.step + np.arange(field.shape[0])[:, None]
    assert (np.diff(source_y, axis=0)[rows[1:]] > 0).all()


def test_skin_that_is_stretched_comes_from_one_place(painted, field):
    points, frame, field = field
    shift = (to_indices(painted.with_gap(0.15), *painted.portrait.shape[:2]) - points)[list(LOWER_SIDE)]
    back = field.backward(1, shift)
    forward = np.float32(field.basis[1] @ shift).reshape(back.shape)
    assert np.gradient(forward[..., 1], axis=0).max() > field.step  # to more than twice its length, above the lip
    rows, columns = field.shape
    here = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).astype(np.float32)
    missed = back + cv2.remap(forward, here + back / field.step, None, cv2.INTER_LINEAR)
    assert np.abs(missed).max() < 0.002 * frame.unit


def test_more_nodes_are_turned_around_than_opencv_takes_at_once():
    rows, columns = np.mgrid[:200, :200]
    there = np.float32(np.stack([columns, rows]))
    bump = np.sin(there / 199 * np.pi).prod(0).reshape(-1, 1) + np.float32(0.1)
    nodes, basis = np.empty((200, 200, 2)), np.float32([bump, bump])
    field = WarpField((0, 0, 200, 200), 1, (200, 200), nodes, basis, np.ones((200, 200)))
    back = field.backward(0, np.float32([[30, 30]]))
    x, y = np.moveaxis(back, -1, 0) + there
    landed = x + 30 * cv2.remap(bump.reshape(200, 200), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(landed - columns)[40:, 40:].max() < 0.1


def test_the_cheeks_follow_part_of_the_way(painted, field):
    points, frame, field = field
    shift = to_indices(painted.with_gap(0.2), *painted.portrait.shape[:2]) - points
    back = field.backward(1, shift[list(LOWER_SIDE)])
    cheek = np.linalg.norm(at(field, back, points[[214, 434]]), axis=1)
    chin = np.linalg.norm(shift[152])
    assert (cheek > 0.05 * chin).all() and (cheek < chin).all()


def test_masks_cover_every_pixel_once(painted):
    points = to_indices(painted.with_gap(0.15), *painted.portrait.shape[:2])
    frame = face_frame(points)
    box = (110, 180, 250, 260)
    curves = [smooth(points[list(row)]) for row in (INNER_UPPER, INNER_LOWER)]
    above, inside, below = mouth_masks(*curves, frame, box, 0.5)
    assert np.array_equal(above + inside + below, np.ones_like(above)) or np.allclose(
        above + inside + below, 1, atol=1e-6
    )
    assert min(above.min(), inside.min(), below.min()) >= 0
    polygon = np.concatenate([curves[0], curves[1][::-1]])
    assert abs(inside.sum() / cv2.contourArea(polygon.astype(np.float32)) - 1) < 0.05
    assert above[0, 70] == 1 and below[-1, 70] == 1


def test_a_closed_mouth_has_no_inside(painted):
    points = to_indices(painted.landmarks, *painted.portrait.shape[:2])
    line = smooth(0.5 * (points[list(INNER_UPPER)] + points[list(INNER_LOWER)]))
    _, inside, _ = mouth_masks(line, line, face_frame(points), (110, 180, 250, 260), 0.5)
    assert inside.max() < 0.02


def test_crossed_lips_meet_in_their_middle():
    upper = np.stack([np.arange(11.0), np.full(11, 5.0)], -1)
    lower = upper + np.where(np.arange(11) < 5, -2.0, 3.0)[:, None] * (0, 1)
    up, low = uncross(upper, lower, np.array([0.0, 1.0]))
    assert np.allclose(up[:5], low[:5]) and np.allclose(up[:5, 1], 4) and np.allclose(up[5:], upper[5:])


def test_curves_pass_through_their_points():
    chain = np.random.default_rng(0).normal(size=(11, 2)).astype(np.float32)
    assert np.allclose(smooth(chain)[::6], chain, atol=1e-5)


def test_true_lip_edges_are_found_beyond_the_landmarks(paint_face):
    face = paint_face(gap=0.08, unit=240, size=(1000, 900), centre=(450, 350))
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    narrow = points.copy()  # a mesh that sees half of the opening
    middle = 0.5 * (points[list(INNER_UPPER)] + points[list(INNER_LOWER)])
    for row in (INNER_UPPER, INNER_LOWER):
        narrow[list(row)] = 0.5 * (narrow[list(row)] + middle)
    for side, row in zip(lip_edges(face.portrait, narrow), (INNER_UPPER, INNER_LOWER)):
        missing = (points - narrow)[list(row)]
        beyond = (np.abs(side) - np.abs(missing))[3:8, 1] / face.unit  # a little too far is on the safe side
        assert beyond.min() > -0.002 and beyond.max() < 0.015


def test_an_edge_found_at_a_single_point_is_not_believed(paint_face):
    face = paint_face(gap=0.1, unit=240, size=(1000, 900), centre=(450, 350))
    points = to_indices(face.landmarks, *face.portrait.shape[:2])
    portrait = face.portrait.copy()
    inner, outer = points[318], points[375]
    end = tuple(np.round(inner + 0.6 * (outer - inner)).astype(int).tolist())
    cv2.line(
        portrait, tuple(np.round(inner).astype(int).tolist()), end, (240, 235, 225), 7
    )  # a gleam on the lower lip
    plain, gleaming = lip_edges(face.portrait, points)[1], lip_edges(portrait, points)[1]
    assert np.abs(gleaming - plain).max() < 0.015 * face.unit


def test_the_jaw_behind_a_turned_mouth_does_not_hold_it_back(paint_face):
    def of(yaw):
        face = paint_face(yaw=yaw)
        points = to_indices(face.landmarks, *face.portrait.shape[:2])
        coordinates = face_frame(points).coordinates(points)
        return coordinates, unfold(coordinates)

    def distance(face):
        return np.linalg.norm(face[list(LIPS)][:, None] - face[[*JAW[:7], *JAW[-7:]]], axis=-1).min()

    turned, unfolded = of(0.8)
    assert distance(turned) < 0.1 < 0.2 < distance(unfolded)
    front, same = of(0.0)
    assert np.abs(front - same).max() < 0.05


@pytest.mark.parametrize("grey", [False, True])
def test_closed_lips_have_no_edges_to_find(painted, grey):
    portrait = painted.portrait
    if grey:
        portrait = np.repeat(portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    points = to_indices(painted.landmarks, *portrait.shape[:2])
    assert max(np.abs(edge).max() for edge in lip_edges(portrait, points)) < 0.02 * painted.unit


def test_what_is_beside_the_jaw_stays_and_nothing_folds(painted, field):
    """Hair ends and collars: a mouth that opens wide moves the skin below the chin, and nothing beside the neck."""
    points, frame, field = field
    shift = to_indices(painted.with_gap(0.3), *painted.portrait.shape[:2]) - points
    back = field.backward(1, shift[list(LOWER_SIDE)])
    jaw, inside = frame.coordinates(points)[list(JAW)], frame.coordinates(points)[1]
    away = (jaw - inside) / np.linalg.norm(jaw - inside, axis=-1, keepdims=True)
    beside = [0, 1, 2, 3, 4, -5, -4, -3, -2, -1]  # all but the chin
    where = frame.pixels((jaw + 0.34 * away)[beside])
    assert not at(field, back, where.astype(np.float32)).any()
    assert at(field, back, frame.pixels(jaw[[8]] + (0, 0.15)).astype(np.float32))[0, 1] < -0.03 * frame.unit
    source = back / field.step + np.stack(np.meshgrid(*(np.arange(n) for n in field.shape[::-1])), -1)
    (xx, xy), (yx, yy) = (
        np.moveaxis(np.diff(source, axis=axis)[: field.shape[0] - 1, : field.shape[1] - 1], -1, 0) for axis in (1, 0)
    )
    assert (xx * yy - xy * yx)[field.face[:-1, :-1, 1] > jaw[:, 1].max() - 0.3].min() > 0.05
