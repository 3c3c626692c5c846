import numpy as np
import pytest
from synthetic_clips import OPENING, mouth_film

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import to_pixels
from text2lip.training.face_pack import FINEST, load_faces, pack_person, save_faces


def test_what_is_packed_is_read_again(tmp_path):
    people = [mouth_film(0, "train"), mouth_film(1, "train", "smiles"), mouth_film(2, "val")]
    save_faces(tmp_path / "more/faces.safetensors", people)
    first, second = load_faces(tmp_path / "more/faces.safetensors")
    assert (first.name, first.kind, first.split, first.moments) == ("grid/0", "grid", "train", tuple(range(OPENING)))
    assert first.pictures == people[0].pictures and second.pictures == people[1].pictures
    assert np.abs(first.landmarks[..., :2] - people[0].landmarks[..., :2]).max() < 1e-4
    assert np.abs(first.landmarks[..., 2] - people[0].landmarks[..., 2]).max() < 1e-3
    assert [one.name for one in load_faces(tmp_path / "more/faces.safetensors", ["smiles"])] == ["smiles/1"]
    assert [one.name for one in load_faces(tmp_path / "more/faces.safetensors", split="val")] == ["grid/2"]


def test_landmarks_stay_on_the_face_when_it_is_cut_out():
    picture = np.full((600, 800, 3), 90, np.uint8)
    landmarks = np.random.default_rng(0).uniform(0.3, 0.5, (1, 478, 3)).astype(np.float32)
    landmarks[0, [33, 263], :2] = (0.3, 0.4), (0.5, 0.4)  # 160 px apart
    x, y = (landmarks[0, 4, :2] * (800, 600)).astype(int)
    picture[y - 4 : y + 5, x - 4 : x + 5] = 250
    packed = pack_person("a", "b", "train", [picture], landmarks, [0])
    read = packed.read()[0]
    height, width = read.shape[:2]
    points = to_pixels(packed.landmarks[0], height, width)
    assert height < 600 and width < 800 and eye_distance(points[:, :2]) == pytest.approx(FINEST, rel=0.02)
    x, y = points[4, :2].astype(int)
    assert read[y, x].min() > 200 and read[y - 12, x].max() < 130
    assert np.ptp(points[:, 2]) == pytest.approx(FINEST / 160 * 800 * np.ptp(landmarks[..., 2]), rel=0.03)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="faces: no file .*prepare_pairs"):
        load_faces(tmp_path / "faces.safetensors")
