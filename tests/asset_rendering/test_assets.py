"""The packaged pictures and shapes: sizes, and that our own face finder sees the built-in portrait."""

from pathlib import Path

import numpy as np
from PIL import Image

import text2lip


ASSETS = Path(text2lip.__file__).parent / "assets"


def test_mouth_mesh_is_small_and_says_whose_it_is():
    assert (ASSETS / "mouth_mesh.npz").stat().st_size < 100_000
    licence = (ASSETS / "LICENSE-ICT-FaceKit").read_text()
    assert "MIT License" in licence and "USC Institute for Creative Technologies" in licence
    with np.load(ASSETS / "mouth_mesh.npz", allow_pickle=False) as stored:
        for part in ("upper", "lower"):
            vertices, triangles, height = (stored[f"{part}_{what}"] for what in ("vertices", "triangles", "height"))
            assert triangles.max() == len(vertices) - 1 == len(height) - 1
            assert 0.6 < np.ptp(vertices[height >= 0, 0].astype(float)) < 0.8  # the arch beside the eyes' distance


def test_portrait_is_small_and_square():
    path = ASSETS / "portrait.jpg"
    assert path.stat().st_size < 200_000
    assert Image.open(path).size == (512, 512)


def test_people_to_choose_from_are_small_and_have_one_face_each():
    from text2lip.faces.landmarker import FaceLandmarker

    landmarker = FaceLandmarker.from_pretrained(ASSETS.parent / "checkpoints/text2lip-grid/face_landmarker")
    people = sorted((ASSETS / "people").glob("*.jpg"))
    assert people and sum(path.stat().st_size for path in people) < 100_000
    for path in people:
        (face,) = landmarker.detect(np.asarray(Image.open(path)))
        assert face.score > 0.7, path.name


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
