"""The crop of a mouth."""

import cv2
import numpy as np
import pytest

from text2lip.faces.crop import crop
from text2lip.faces.geometry import to_indices, transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.renderers.mouth_correction import MouthCrop


def test_a_crop_knows_its_place_in_the_portrait(painted):
    height, width = painted.portrait.shape[:2]
    mouth = MouthCrop(painted.landmarks, height, width, 96)
    points = to_indices(painted.landmarks, height, width)[list(DRIVEN)]
    rows, columns = mouth.box
    inside = points - (columns.start, rows.start)
    np.testing.assert_allclose(
        transform_points(mouth.to_crop, inside) + 0.5, mouth.driven(painted.landmarks), atol=1e-3
    )
    portrait, laid = np.float32(painted.portrait[mouth.box]), mouth.lay(mouth.cut(painted.portrait))
    assert laid.shape == portrait.shape and np.abs(cv2.blur(laid - portrait, (9, 9)))[12:-12, 12:-12].mean() < 3


@pytest.mark.parametrize("unit", [200.0, 400.0])
def test_a_large_face_is_seen_and_shaded_as_a_small_one(paint_face, unit):
    face = paint_face(unit=unit, size=(int(4.4 * unit), int(4 * unit)), centre=(2 * unit + 3, 1.6 * unit))
    mouth = MouthCrop(face.landmarks, *face.portrait.shape[:2], 96)
    seen, plain = mouth.cut(face.portrait), crop(face.portrait, mouth.matrix, 96)
    assert np.abs(seen.astype(int) - plain).mean() < 0.8
    light = cv2.GaussianBlur(np.random.default_rng(0).uniform(-20, 20, (96, 96, 3)).astype(np.float32), (0, 0), 4)
    assert np.abs(mouth.enlarge(light, 2) - mouth.enlarge(light)).max() < 0.6
