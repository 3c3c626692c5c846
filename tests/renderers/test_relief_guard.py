import cv2
import numpy as np
import pytest

from text2lip.faces.topology import LOWER_LIDS, canonical_mesh
from text2lip.renderers.cutout import Cutout
from text2lip.renderers.relief import Relief
from text2lip.renderers.relief_guard import GLASSES, RIM_CHANNELS, glasses, head_turn, outline_measures
from text2lip.renderers.warp import face_frame


@pytest.fixture(scope="module")
def face(paint_face):
    return paint_face()


@pytest.fixture(scope="module")
def head(face):
    """Frame of the face, and a disc as a matte."""
    height, width = face.portrait.shape[:2]
    matte = np.zeros((height, width), np.float32)
    cv2.circle(matte, tuple(face.points[6].astype(int).tolist()), int(1.2 * face.unit), 1.0, -1)
    return face_frame(np.float32(face.points) - 0.5), matte


def with_rims(face, bridge=True):
    portrait = face.portrait.copy()
    if bridge:
        (left, y), right = face.points[133].astype(int), int(face.points[362, 0])
        cv2.line(portrait, (int(left), int(y)), (right, int(y)), (30, 30, 30), 2)
    for lid in LOWER_LIDS:
        x, y = face.points[lid].astype(int).tolist()
        cv2.ellipse(portrait, (x, y), (int(0.3 * face.unit), int(0.2 * face.unit)), 0, 0, 360, (30, 30, 30), 2)
    return portrait


def test_rims_and_bridge_of_glasses_are_edges_that_folds_below_the_eyes_alone_are_not(face, head):
    points = np.float32(face.points) - 0.5
    assert glasses(face.portrait, points, head[0]) < 0.08
    assert glasses(with_rims(face), points, head[0]) > 0.15
    assert glasses(with_rims(face, bridge=False), points, head[0]) < GLASSES[0]


def test_behind_glasses_brows_and_cheeks_move_less(face):
    plain, glasses = (Relief(picture, face.landmarks).guard for picture in (face.portrait, with_rims(face)))
    assert all(plain.shares.get(f"{name}Left", 1) == 1 for name in RIM_CHANNELS if name not in ("brow", "eyeWide"))
    assert glasses.shares["cheekSquintLeft"] < 0.3 and glasses.shares["browDownRight"] < 0.5
    assert any("glasses" in reason for reason in glasses.reasons)


def test_what_clings_to_the_outline_is_measured(face, head):
    frame, matte = head
    plain = np.full_like(face.portrait, 120)
    feathers = plain.copy()
    feathers[::6] = 255
    assert outline_measures(plain, Cutout(matte, plain, matte), frame) == (0, pytest.approx(0, abs=1))
    assert outline_measures(feathers, Cutout(matte, feathers, matte), frame)[1] > 20
    unsure = cv2.GaussianBlur(matte, (0, 0), 0.15 * face.unit)
    assert outline_measures(plain, Cutout(matte, plain, unsure), frame)[0] > 0.1


def test_a_turned_head_is_turned():
    mesh = canonical_mesh()[0].astype(np.float64) * (10, -10, -10)
    mesh = np.concatenate([mesh, np.zeros((10, 3))])
    turn = np.deg2rad(30)
    about_down = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    assert head_turn(mesh) < 0.5 and head_turn(mesh @ about_down) == pytest.approx(30, abs=0.5)


def test_a_head_that_the_border_cuts_off_comes_away_less(face):
    height, width = face.portrait.shape[:2]
    top = int(face.points[151, 1])
    cut = face.portrait[top:]
    points = (face.points - (0, top)) / (width, height - top)
    whole, part = Relief(face.portrait, face.landmarks), Relief(cut, points.astype(np.float32))
    assert part.guard.shares["headRoll"] < 0.9 * whole.guard.shares["headRoll"]
    assert part.strength < 1 and any("border" in reason for reason in part.reasons)
