"""Identity vectors: dlib's own numbers, and chips cut alike whatever the picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from text2lip.faces.identity import CHIP, CHIP_SIZE, builtin_identity, face_chip


GOLDEN = np.load(
    Path(__file__).parent / "golden_identity.npz"
)  # by dlib 20.0.1, of pixels of the astronaut photograph


def test_vectors_are_dlibs():
    chip = np.ascontiguousarray(astronaut()[20:170, 150:300])
    (vector,) = builtin_identity().encode([chip])
    assert np.linalg.norm(vector - GOLDEN["vector"]) < 0.004  # stored in float16
    assert builtin_identity().encode([]).shape == (0, 128)
    assert next(builtin_identity().parameters()).dtype == torch.float32


@pytest.mark.parametrize(("turn", "scale"), [(0, 1), (25, 0.7), (-90, 1.4)])
def test_a_chip_is_upright_and_of_one_size(turn, scale):
    points = np.zeros((478, 2))
    points[[33, 133, 362, 263, 2]] = CHIP + (30, 20)
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (210, 210, 3), np.uint8), (0, 0), 3)
    matrix = cv2.getRotationMatrix2D((105, 105), turn, scale)
    moved = cv2.warpAffine(picture, matrix, (210, 210), flags=cv2.INTER_CUBIC)
    chip = face_chip(moved, points @ matrix[:, :2].T + matrix[:, 2])
    assert chip.shape == (CHIP_SIZE, CHIP_SIZE, 3)
    assert np.abs(chip[40:-40, 40:-40].astype(int) - picture[20:170, 30:180][40:-40, 40:-40]).mean() < 4
