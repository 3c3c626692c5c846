from pathlib import Path

import numpy as np
import pytest

from text2lip.faces.person_matte import builtin_matte


@pytest.fixture(scope="module")
def picture():
    """The picture that `utils/golden_person_matte.py` gave MediaPipe."""
    with np.load(Path(__file__).with_name("golden_face_mesh.npz")) as stored:
        return np.pad(stored["crop"], ((0, 64), (32, 32), (0, 0)), mode="edge")


def test_equals_mediapipes(picture):
    with np.load(Path(__file__).with_name("golden_person_matte.npz")) as stored:
        expected = stored["mask"].astype(np.float32)
    assert np.abs(builtin_matte().segment(picture) - expected).max() < 5e-4  # they are stored as float16


def test_the_matte_has_the_pictures_size(picture):
    matte = builtin_matte().segment(picture[:200:2, ::3])
    assert matte.shape == picture[:200:2, ::3].shape[:2] and matte.dtype == np.float32
    assert matte.min() >= 0 and matte.max() <= 1
