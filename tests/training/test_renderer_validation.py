import numpy as np
import pytest
import torch
from synthetic_clips import OPENING, write_faces

from text2lip.faces.crop import CROP_SIZE
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.training.pairs import PAIR_MARGIN, PAIR_SIZE
from text2lip.training.renderer_validation import draw_film, load_films, validate_renderer


def untrained():
    torch.manual_seed(0)
    return LandmarkGuidedUNet(block_out_channels=(8, 16, 16))


def test_validation_of_an_untrained_network_is_the_warp(faces_file):
    films = load_films(faces_file)
    assert films["grid/1"]["target"].shape == (OPENING, CROP_SIZE, CROP_SIZE, 3)
    assert films["grid/1"]["points"][0, :40].mean(0)[0] == pytest.approx(PAIR_SIZE / 2 - PAIR_MARGIN, abs=1)
    figures, sheet = validate_renderer(untrained(), films)
    for part in ("", "half/"):
        ours, warp = figures[f"{part}ours/mouth_psnr"], figures[f"{part}warp/mouth_psnr"]
        assert ours == pytest.approx(warp, abs=1e-3)
        assert figures[f"{part}warp/mouth_ssim"] < 1
    assert figures["half/warp/mouth_psnr"] != figures["warp/mouth_psnr"]
    assert sheet.shape == (4 * CROP_SIZE, 12 * CROP_SIZE, 3)  # film, warp, ours, and with references
    plain = validate_renderer(None, films)[0]
    assert "still/mouth_psnr" in plain and plain["half/warp/mouth_psnr"] == figures["half/warp/mouth_psnr"]


def test_validation_tells_what_references_do(faces_file, any_mouth):
    films, network = load_films(faces_file), untrained()
    figures, sheet = validate_renderer(network, films)
    assert np.isfinite(list(figures.values())).all()
    assert {name.rsplit("/", 1)[0] for name in figures} == {"warp", "ours", "half/warp", "half/ours", "half/referred"}
    assert figures["half/referred/mouth_psnr"] != figures["half/ours/mouth_psnr"]
    rows = sheet.reshape(4, CROP_SIZE, -1, 3)
    assert np.array_equal(rows[1], rows[2]) and not np.array_equal(rows[2], rows[3])
    films["grid/1"]["references"] = [(picture, 0.0) for picture, _ in films["grid/1"]["references"]]  # none is near
    assert np.array_equal(draw_film(network, films["grid/1"], refer=True), draw_film(network, films["grid/1"]))


def test_films_are_referred_to_their_first_half_alone(faces_file):
    film = load_films(faces_file)["grid/1"]
    near = np.array([near for _, near in film["references"]])
    assert len(near) == len(film["target"]) == OPENING
    same = [
        np.abs(picture.astype(int) - real).mean() for (picture, _), real in zip(film["references"], film["target"])
    ]
    assert min(same) < 2.5 and near[int(np.argmin(same))] == pytest.approx(1)  # resampled near its own place
    assert near[-1] == 0  # the mouth goes on opening


def test_no_films_of_val_are_no_films(tmp_path):
    write_faces(tmp_path / "faces.safetensors", ("train",))
    assert load_films(tmp_path / "faces.safetensors") == {}
    with pytest.raises(ValueError, match="prepare_pairs"):
        load_films(tmp_path / "other.safetensors")
