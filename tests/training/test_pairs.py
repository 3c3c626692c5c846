import numpy as np
import pytest

from text2lip.faces.topology import DRIVEN
from text2lip.training.pairs import (
    APART,
    PAIR_MARGIN,
    PAIR_SIZE,
    PairFolder,
    PairMix,
    film_pairs,
    portrait_pairs,
    save_pairs,
)


@pytest.fixture(scope="module")
def face(portrait):
    from text2lip import FaceLandmarker

    return portrait, FaceLandmarker.from_builtin().locate(portrait)


def opened(landmarks, gap):
    """The lower lip and the chin `gap` further down, normalised."""
    moved = landmarks.copy()
    moved[[95, 88, 178, 87, 14, 317, 402, 318, 324, 17, 84, 314, 152], 1] += gap
    return moved


@pytest.fixture(scope="module")
def pairs(face):
    portrait, landmarks = face
    film = np.stack([opened(landmarks, 0.01 * i) for i in range(4)])
    return film_pairs([portrait] * 4, film, [0, 2], [(0, 1), (1, 2), (2, 3)], apart=2)


def test_shapes(pairs):
    assert pairs["source"].shape == (2, PAIR_SIZE, PAIR_SIZE, 3) and pairs["source"].dtype == np.uint8
    assert pairs["target"].shape == (3, 2, PAIR_SIZE, PAIR_SIZE, 3)
    assert pairs["warped"].shape == (2, 3, 2, PAIR_SIZE, PAIR_SIZE, 3) and pairs["warped"].dtype == np.uint8
    assert pairs["source_points"].shape == (2, 57, 2) and pairs["target_points"].shape == (2, 3, 2, 57, 2)
    assert pairs["own_points"].shape == (3, 2, 57, 2) and pairs["own_points"].dtype == np.float32
    assert pairs["others"].shape == (3, 3) and pairs["others"].dtype == np.uint8


def test_files_from_before_references_are_named(pairs, tmp_path):
    save_pairs(tmp_path / "old.safetensors", {name: value for name, value in pairs.items() if name != "others"})
    with pytest.raises(ValueError, match=r"folder: .*old.safetensors' has no `others`.*prepare_pairs"):
        PairFolder(tmp_path)


def test_targets_far_enough_from_each_other_are_references(pairs):
    assert pairs["others"].tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_frames_of_a_film_are_apart_by_default(face):
    portrait, landmarks = face
    made = film_pairs([portrait] * 8, np.repeat(landmarks[None], 8, 0), [0], [(i, i) for i in range(8)])
    first, second = np.nonzero(made["others"])
    assert sorted(zip(first, second)) == [(0, 6), (0, 7), (1, 7), (6, 0), (7, 0), (7, 1)] and APART == 6


def test_own_points_lie_where_the_film_has_them(face):
    """In each film frame's own crop, whatever the head does; the portrait's do not."""
    portrait, landmarks = face
    moved = landmarks.copy()
    moved[:, :2] += (8 / portrait.shape[1], -4 / portrait.shape[0])
    film = [portrait, np.roll(portrait, (-4, 8), (0, 1))]
    lower = opened(moved, 0.02)
    made = film_pairs(film, np.stack([landmarks, lower]), [0], [(0, 1)])
    still, shown = made["own_points"][0]
    lip, nose = DRIVEN.index(14), slice(PAIR_SIZE // 8, PAIR_SIZE // 4)
    assert shown[lip, 1] - still[lip, 1] > 1 and np.abs((shown - still)[0]).max() < 0.1  # the corner stays
    assert np.array_equal(still, made["source_points"][0])
    assert np.abs(made["target"][0, 1, nose].astype(int) - made["target"][0, 0, nose]).mean() < 3


def test_a_frame_moved_to_itself_is_itself(pairs):
    assert np.array_equal(pairs["warped"][0, 0, 0], pairs["source"][0])
    assert np.allclose(pairs["target_points"][0, 0, 0], pairs["source_points"][0], atol=0.01)


def test_the_warp_goes_where_the_landmarks_do(pairs):
    lip = DRIVEN.index(14)
    way = pairs["target_points"][0, 2, 1, lip] - pairs["source_points"][0, lip]
    assert way[1] > 1 and abs(way[0]) < 0.5 * way[1]
    change = [np.abs(pairs["warped"][0, t, 0].astype(int) - pairs["source"][0]).mean() for t in range(3)]
    assert change[0] == 0 and change[0] < change[1] < change[2]


def test_the_mouth_lies_in_the_middle(pairs):
    middle = pairs["source_points"][0, :40].mean(0)
    assert abs(middle[0] - PAIR_SIZE / 2) < 8 and PAIR_MARGIN < middle[1] < PAIR_SIZE / 2 + 8


def test_a_still_portrait_is_its_own_target(face):
    portrait, landmarks = face
    motions = np.zeros((2, 57, 2))
    motions[1, DRIVEN.index(14), 1] = 0.05
    made = portrait_pairs(portrait, landmarks, motions)
    assert made["source"].shape[0] == 2 and made["target"].shape[0] == 1
    assert np.array_equal(made["target"][0, 0], made["target"][0, 1])
    unmoved = np.abs(made["source"].astype(int) - made["target"][0, 0]).mean((1, 2, 3))
    back = np.abs(made["warped"][:, 0, 0].astype(int) - made["target"][0, 0]).mean((1, 2, 3))
    assert unmoved.min() > 0 and back[1] < 3
    assert made["others"].tolist() == [[0]]  # it is no reference for itself


def test_saved_pairs_are_read_one_by_one(pairs, tmp_path):
    save_pairs(tmp_path / "one" / "a.safetensors", pairs)
    save_pairs(tmp_path / "b.safetensors", pairs)
    folder = PairFolder(tmp_path)
    assert len(folder) == 12
    pair = folder[5]  # the second source, the third target of the first file
    assert np.array_equal(pair["source"], pairs["source"][1])
    assert np.array_equal(pair["target"], pairs["target"][2])
    assert np.array_equal(pair["warped"], pairs["warped"][1, 2])
    assert np.array_equal(pair["target_points"], pairs["target_points"][1, 2])
    assert np.array_equal(pair["others"], pairs["target"][:1, 0])
    assert np.array_equal(pair["other_points"], pairs["own_points"][:1, 0])
    assert len(folder[1]["others"]) == len(folder[1]["other_points"]) == 0  # the middle one is near to both


def test_all_that_are_far_enough_are_read(pairs, tmp_path):
    others = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]], np.uint8)
    save_pairs(tmp_path / "a.safetensors", {**pairs, "others": others})
    folder = PairFolder(tmp_path)
    for item in (0, 3):  # the first target of each source
        assert np.array_equal(folder[item]["others"], pairs["target"][1:, 0])
        assert np.array_equal(folder[item]["other_points"], pairs["own_points"][1:, 0])
    assert [len(folder[item]["others"]) for item in range(6)] == [2, 1, 0, 2, 1, 0]


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="prepare_pairs"):
        PairFolder(tmp_path)


def test_folders_have_their_share_of_the_draws():
    mix = PairMix({"a": ["a"] * 1000, "b": ["b"]}, {"a": 1, "b": 3})
    generator = np.random.default_rng(0)
    drawn = [mix.draw(generator) for _ in range(400)]
    assert len(mix) == 1001 and 0.68 < drawn.count("b") / 400 < 0.82
