import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.renderers.expression_shade import SKIN_FOLDS, SMILE_FOLD, ExpressionShade
from text2lip.renderers.warp import face_frame


def shade_of(picture, landmarks):
    points = to_indices(landmarks, *picture.shape[:2])
    return ExpressionShade(picture, points, face_frame(points)), points


@pytest.fixture(scope="module")
def face(paint_face):
    return paint_face().textured(1)


def test_a_face_at_rest_is_not_shaded(face):
    frame = face.portrait.copy()
    shade_of(frame, face.landmarks)[0].draw(frame, {"mouthSmileLeft": 0.0, "headYaw": 5.0})
    assert np.array_equal(frame, face.portrait)


def test_a_smile_folds_the_skin_beside_nose_and_mouth_on_its_side_alone(face):
    frame = face.portrait.copy()
    shade, points = shade_of(frame, face.landmarks)
    shade.draw(frame, {"mouthSmileLeft": 1.0})
    change = frame.astype(float).sum(-1) / np.maximum(face.portrait.astype(float).sum(-1), 1)
    around = {side: np.rint(points[list(path[2:4])].mean(0)).astype(int) for side, path in SMILE_FOLD.items()}
    near = {side: change[y - 4 : y + 5, x - 4 : x + 5] for side, (x, y) in around.items()}
    assert near["Left"].min() < 0.93 and np.allclose(near["Right"], 1, atol=0.01)


def test_every_fold_has_a_dark_line_and_a_bright_ridge_within_bounds(face):
    shade, _ = shade_of(face.portrait, face.landmarks)
    assert {name.removesuffix("Left").removesuffix("Right") for name in shade.maps} == set(SKIN_FOLDS)
    for light in shade.maps.values():
        assert -0.5 < light.min() < -0.03 and 0.005 < light.max() < 0.2


def test_drawings_get_no_folds_and_black_stays_black(paint_face, face):
    flat = np.full_like(face.portrait, 90)
    assert not any(np.abs(light).max() > 1e-6 for light in shade_of(flat, face.landmarks)[0].maps.values())
    black = np.zeros_like(face.portrait)
    shade_of(face.portrait, face.landmarks)[0].draw(black, {"noseSneerLeft": 1.0, "browDownLeft": 1.0})
    assert not black.any()
