"""The packaged pictures: sizes, layers, and that our own face finder sees the built-in portrait."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import text2lip


ASSETS = Path(text2lip.__file__).parent / "assets"


def sprite(name: str) -> np.ndarray:
    return np.asarray(Image.open(ASSETS / "mouth" / f"{name}.png")).astype(float)


@pytest.fixture(scope="module")
def mouth() -> dict:
    return json.loads((ASSETS / "mouth" / "mouth.json").read_text())


@pytest.mark.parametrize("name", ["upper_teeth", "lower_teeth", "tongue"])
def test_sprite_is_a_centred_cutout(mouth, name):
    pixels = sprite(name)
    assert pixels.shape[2] == 4
    alpha = pixels[..., 3] / 255
    assert 0.05 < alpha.mean() < 0.6
    assert alpha[:, 0].max() == alpha[:, -1].max() == 0  # nothing cut off at the sides
    middle = (alpha * np.arange(alpha.shape[1])).sum() / alpha.sum()
    assert abs(middle - mouth["sprites"][name]["origin_px"][0]) < 3


@pytest.mark.parametrize("name, sign", [("upper_teeth", -1), ("lower_teeth", 1)])
def test_teeth_end_at_the_biting_edge(mouth, name, sign):
    """The origin is the edge of the central incisors: tooth on one side of it, nothing on the other."""
    x, y = (int(v) for v in mouth["sprites"][name]["origin_px"])
    scale = mouth["pixels_per_unit"]
    alpha = sprite(name)[..., 3]
    near, far = int(0.03 * scale), int(0.08 * scale)
    column = x + int(0.05 * scale)
    assert alpha[y + sign * near, column] == 255
    assert alpha[y - sign * near, column] == 0
    color = sprite(name)[y + sign * far, column, :3]
    assert color.min() > 120 and color[0] >= color[1] >= color[2]  # bright, warm white


def test_teeth_fit_the_mouth(mouth):
    """The arch is a little wider than the lips, the eyes 1.25 mouth widths apart, the hinge behind and above."""
    columns = np.flatnonzero(sprite("upper_teeth")[..., 3].max(0) > 128)
    assert 1.1 < (columns[-1] - columns[0]) / mouth["pixels_per_unit"] < 1.3
    assert 1.1 < mouth["eye_distance"] < 1.4
    assert mouth["jaw"]["hinge"][1] < 0 and mouth["jaw"]["hinge"][2] < -1
    assert mouth["sprites"]["upper_teeth"]["jaw_share"] == 0 and mouth["sprites"]["lower_teeth"]["jaw_share"] == 1


def test_portrait_is_small_and_square():
    path = ASSETS / "portrait.jpg"
    assert path.stat().st_size < 200_000
    assert Image.open(path).size == (512, 512)


def test_portrait_has_one_face_with_closed_red_lips():
    from text2lip.faces.landmarker import FaceLandmarker

    folder = ASSETS.parent / "checkpoints" / "text2lip-grid" / "face_landmarker"
    landmarker = FaceLandmarker.from_pretrained(folder)
    image = np.asarray(Image.open(ASSETS / "portrait.jpg"))
    faces = landmarker.detect(image)
    assert len(faces) == 1 and faces[0].score > 0.7
    points = landmarker.locate(image)[:, :2] * image.shape[1::-1]
    width = np.linalg.norm(points[61] - points[291])
    assert 50 < width < 140
    assert np.linalg.norm(points[13] - points[14]) < 0.08 * width
    tilt = np.degrees(np.arctan2(*(points[263] - points[33])[::-1]))
    assert abs(tilt) < 2

    def color(point):
        x, y = point.round().astype(int)
        return image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).astype(float).mean(0)

    lip = color((points[14] + points[17]) / 2)
    chin = color(points[199])
    assert lip[0] / lip[1] > 1.2 * chin[0] / chin[1]
