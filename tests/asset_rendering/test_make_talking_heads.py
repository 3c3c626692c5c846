"""The parts of the talking heads' maker that need no renderer."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def heads(load_script):
    return load_script("asset_rendering/make_talking_heads.py")


def test_person_is_a_function_of_seed_and_number(heads):
    one = heads.person(3, 7)
    assert json.loads(json.dumps(one)) == one
    assert heads.person(3, 7) == one
    assert heads.person(3, 8)["skin"] != one["skin"]
    assert heads.person(4, 7)["skin"] != one["skin"]


def test_people_differ_and_stay_within_bounds(heads):
    people = [heads.person(0, number) for number in range(60)]
    light = np.array([np.mean(p["skin"]) for p in people])
    assert light.min() < 90 and light.max() > 190
    assert {"male" in name.split("-") for p in people for name in p["shape"] if "universal" in name} == {True, False}
    for p in people:
        shares = [w for name, w in p["shape"].items() if "macrodetails/universal" in name]
        assert 0.9 < sum(shares) < 1.01  # shares under 1 % are left out
        assert abs(p["camera"]["yaw"]) <= 20 and 0.9 <= p["camera"]["fill"] <= 1
        assert all(0 <= c <= 255 for key in ("skin", "lips", "jumper", "cavity") for c in p[key])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_even_six_people_have_light_and_dark_skin(heads, seed):
    light = [np.mean(heads.person(seed, number)["skin"]) for number in range(6)]
    assert min(light) < 110 and max(light) > 175


def test_mouth_shapes_name_arkit_units_and_begin_closed(heads):
    shapes = heads.person(0, 0)["mouths"]
    assert [s["name"] for s in shapes] == list(heads.MOUTHS)
    assert shapes[0]["units"] == {} and shapes[0]["tongue"] == 0
    opened = {s["name"]: s["units"].get("jawOpen", 0) for s in shapes}
    assert opened["wide"] > opened["ajar"] > 0.1
    smile = shapes[list(heads.MOUTHS).index("teeth")]["units"]
    assert {"mouthSmileLeft", "mouthSmileRight"} < set(smile) and max(smile.values()) <= 1
    assert shapes[-1]["tongue"] > 0.7 and "tongue" not in shapes[-1]["units"]


def test_background_and_compose(heads):
    wall = heads.background({"corners": [[0, 0, 0], [90, 0, 0], [0, 0, 0], [90, 0, 0]], "blobs": 0, "seed": 1}, 16)
    assert wall.shape == (16, 16, 3) and wall[0, 0, 0] == 0 and wall[5, -1, 0] == 90
    images = np.zeros((2, 16, 16, 4), np.uint8)
    images[:, :8] = (200, 100, 50, 255)
    images[1, :8, :, 3] = 51
    out = heads.compose(images, wall)
    assert out.dtype == np.uint8 and out[0, 0, 3].tolist() == [200, 100, 50]
    assert out[0, 12, 15].tolist() == [90, 0, 0] and out[1, 0, 15].tolist() == [112, 20, 10]


def test_mismatch_ignores_a_common_offset_and_finds_one_bad_mouth(heads):
    draw = np.random.default_rng(0)
    landmarks = draw.uniform(50, 150, (8, 478, 2))
    landmarks[:, heads.EYE_INDEX] = [(50, 60), (150, 60)]
    lips = landmarks[:, heads.LIP_INDEX] + (3.0, -5.0)
    assert heads.mismatch(landmarks, lips).max() < 1e-6
    lips[2, 1, 1] += 12
    assert heads.mismatch(landmarks, lips).argmax() == 2
    assert heads.mismatch(landmarks, lips)[2] == pytest.approx(0.12)


def test_save_round_trip_without_pickle(heads, tmp_path):
    path = tmp_path / "head-0-0000.npz"
    heads.save(path, images=np.ones((1, 2, 2, 3), np.uint8))
    with np.load(path, allow_pickle=False) as made:
        assert made["images"].shape == (1, 2, 2, 3)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
