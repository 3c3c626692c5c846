"""How far a picture is taken for a photograph."""

import cv2
import numpy as np

from text2lip.faces.crop import crop, mouth_crop_transform
from text2lip.faces.geometry import to_pixels
from text2lip.renderers.photograph import photographic


def test_photographs_alone(portrait):
    from text2lip import FaceLandmarker

    landmarks = FaceLandmarker.from_builtin().locate(portrait)
    points = to_pixels(landmarks, *portrait.shape[:2])[:, :2]
    seen = crop(portrait, mouth_crop_transform(points))
    assert photographic(seen) == 1
    assert photographic((seen // 64 * 64).astype(np.uint8)) < 0.1
    inked = seen.copy()
    for row in range(30, 70, 8):
        cv2.line(inked, (20, row), (76, row), (0, 0, 0), 1)
    assert photographic(inked) < 0.1
