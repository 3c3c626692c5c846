import cv2
import numpy as np
import pytest

from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.mouth_trust import MouthWarning, judge_mouth, mirror_error
from text2lip.faces.topology import INNER_LIP_CONTOUR, INNER_UPPER, LIPS, OUTER_LIP_CONTOUR, OUTER_UPPER
from text2lip.media.images import load_image
from text2lip.scenes.portrait import Portrait


@pytest.fixture(scope="module")
def seen(pipe):
    picture = load_image(builtin_portrait())
    return picture, pipe.face_landmarker.locate(picture)


def shifted(face, points, down):
    face = face.copy()
    face[list(points), 1] += down
    return face


def test_an_ordinary_portrait_is_trusted(seen, pipe, recwarn):
    picture, face = seen
    trust = judge_mouth(picture, face, lambda: mirror_error(pipe.face_landmarker, picture, face))
    assert trust == (1.0, 1.0, ())
    assert Portrait(picture, pipe.face_landmarker).doubts == []
    assert not [warning for warning in recwarn if issubclass(warning.category, MouthWarning)]


def test_the_mirror_sees_the_same_mouth_and_tells_a_wrong_one(seen, pipe):
    picture, face = seen
    assert mirror_error(pipe.face_landmarker, picture, face) < 0.02
    assert mirror_error(pipe.face_landmarker, picture, shifted(face, LIPS, 0.05)) > 0.055


def test_a_mirror_without_a_face_is_doubted(seen, pipe):
    picture, face = seen
    assert mirror_error(pipe.face_landmarker, np.full_like(picture, 120), face) == np.inf
    opened = shifted(face, [index for index in OUTER_LIP_CONTOUR if face[index, 1] > face[61, 1]], 0.05)
    opened = shifted(opened, [14, 87, 178, 88, 317, 402, 318], 0.05)
    trust = judge_mouth(picture, opened, lambda: np.inf)
    assert trust.motion < 0.2 and trust.closing == 0 and "mirror" in trust.doubts[0]


@pytest.mark.parametrize("hidden", [OUTER_LIP_CONTOUR, (*OUTER_UPPER, *INNER_UPPER[::-1])])
def test_lips_that_look_like_dark_hair_are_doubted(seen, hidden):
    """Both, or the upper one under a moustache."""
    picture, face = seen
    hairy = picture.copy()
    lips = np.int32(face[list(hidden), :2] * picture.shape[1::-1])
    cv2.fillPoly(hairy, [lips], (40, 42, 40))
    trust = judge_mouth(hairy, face)
    assert trust.motion < 1 and "hair" in trust.doubts[0]


@pytest.mark.parametrize(("tongue", "told"), [(True, True), (False, False)])
def test_a_tongue_on_the_lip_keeps_the_mouth_as_it_is(seen, tongue, told):
    picture, face = seen
    height, width = picture.shape[:2]
    lower = [14, 87, 178, 88, 95, 317, 402, 318, 324, 17, 84, 181, 91, 146, 314, 405, 321, 375]
    opened = shifted(face, lower, 0.035)
    picture = picture.copy()
    colour = (170, 80, 80) if tongue else (45, 20, 20)
    for contour, fill in ((OUTER_LIP_CONTOUR, (170, 80, 80)), (INNER_LIP_CONTOUR, colour)):
        cv2.fillPoly(picture, [np.int32(opened[list(contour), :2] * (width, height))], fill)
    trust = judge_mouth(picture, opened)
    assert (trust.closing == 0 and "tongue" in " ".join(trust.doubts)) == told


def test_a_tongue_that_the_mesh_takes_for_the_lower_lip_is_told_by_its_red(seen):
    picture, face = seen
    lower = [14, 87, 178, 88, 95, 317, 402, 318, 324, 17, 84, 181, 91, 146, 314, 405, 321, 375]
    opened, told = shifted(face, lower, 0.035), []
    for inside in ((165, 85, 85), (165, 140, 130)):  # a tongue beside redder lips, and teeth
        changed = picture.copy()
        for contour, fill in ((OUTER_LIP_CONTOUR, (215, 50, 60)), (INNER_LIP_CONTOUR, inside)):
            cv2.fillPoly(changed, [np.int32(opened[list(contour), :2] * picture.shape[1::-1])], fill)
        told.append("tongue" in " ".join(judge_mouth(changed, opened).doubts))
    assert told == [True, False]


@pytest.mark.parametrize(("colour", "told"), [((150, 60, 75), True), (None, False)])
def test_a_tongue_that_hangs_over_the_lower_lip_keeps_the_mouth_as_it_is(seen, colour, told):
    picture, face = seen
    hanging = picture.copy()
    if colour:
        points = face[:, :2] * picture.shape[1::-1]
        (x, y), chin = points[13], points[152]
        wide = 0.12 * np.linalg.norm(points[263] - points[33])
        corners = [(x - wide, y), (x + wide, y), (x + wide, chin[1]), (x - wide, chin[1])]
        cv2.fillPoly(hanging, [np.int32(corners)], colour)
    trust = judge_mouth(hanging, face)
    assert (trust.motion == 0.1 and trust.closing == 0 and "hang" in " ".join(trust.doubts)) == told


def test_a_turned_head_is_told_and_moves_less(seen, pipe):
    picture, face = seen
    points = face * (picture.shape[1], picture.shape[0], picture.shape[1])
    angle = np.radians(48)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned = ((points - points.mean(0)) @ turn.T + points.mean(0)) / (
        picture.shape[1],
        picture.shape[0],
        picture.shape[1],
    )
    trust = judge_mouth(picture, turned, lambda: 0.0)
    assert trust.motion == 0.8 and trust.closing == 1 and "degrees" in trust.doubts[0]


def test_what_is_doubted_warns_and_is_in_the_result(seen, pipe, monkeypatch):
    picture, face = seen
    calm = pipe("Bob.", picture, voice=None, num_frames=6, renderer="geometric", output_type="np")
    monkeypatch.setattr("text2lip.scenes.portrait.judge_mouth", lambda *_: type(judge_mouth(*seen))(0.3, 0.0, ("so",)))
    with pytest.warns(MouthWarning, match="so"):
        told = pipe("Bob.", picture, voice=None, num_frames=6, renderer="geometric", output_type="np")
    assert calm.doubts == [[]] and told.doubts == [["so"]]
    away = [np.abs(result.landmarks[0] - face[:, :2]).max() for result in (calm, told)]
    assert away[1] < 0.6 * away[0]
