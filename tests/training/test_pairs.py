import cv2
import numpy as np
import pytest
from synthetic_clips import mouth_film, mouth_people

from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import canonical_lips
from text2lip.faces.crop import CROP_SIZE
from text2lip.faces.geometry import to_pixels
from text2lip.faces.topology import DRIVEN
from text2lip.media.images import load_image
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers import LearnedRenderer
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training.pairs import APART, PAIR_MARGIN, PAIR_SIZE, PairMix, film_pairs, make_pairs, still_pairs


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
    return film_pairs([portrait] * 4, film, [0, 2], [0, 1, 3], [0, 4, 9, 12])


def test_shapes(pairs):
    assert pairs["source"].shape == (2, PAIR_SIZE, PAIR_SIZE, 3) and pairs["source"].dtype == np.uint8
    assert pairs["target"].shape == (3, PAIR_SIZE, PAIR_SIZE, 3)
    assert pairs["warped"].shape == (2, 3, PAIR_SIZE, PAIR_SIZE, 3) and pairs["warped"].dtype == np.uint8
    assert pairs["source_points"].shape == (2, 57, 2) and pairs["target_points"].shape == (2, 3, 57, 2)
    assert pairs["own_points"].shape == (3, 57, 2) and pairs["own_points"].dtype == np.float32
    assert pairs["others"].shape == (3, 3) and pairs["others"].dtype == bool


def test_targets_far_enough_from_each_other_are_references(pairs):
    assert APART == 6 and pairs["others"].astype(int).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_own_points_lie_where_the_film_has_them(face):
    """In each film frame's own crop, whatever the head does; the portrait's do not."""
    portrait, landmarks = face
    moved = landmarks.copy()
    moved[:, :2] += (8 / portrait.shape[1], -4 / portrait.shape[0])
    film = [portrait, np.roll(portrait, (-4, 8), (0, 1))]
    lower = opened(moved, 0.02)
    made = film_pairs(film, np.stack([landmarks, lower]), [0], [0, 1])
    still, shown = made["own_points"]
    lip, nose = DRIVEN.index(14), slice(PAIR_SIZE // 8, PAIR_SIZE // 4)
    assert shown[lip, 1] - still[lip, 1] > 1 and np.abs((shown - still)[0]).max() < 0.1  # the corner stays
    assert np.array_equal(still, made["source_points"][0])
    assert np.abs(made["target"][1, nose].astype(int) - made["target"][0, nose]).mean() < 3


def test_a_frame_moved_to_itself_is_itself(pairs):
    assert np.array_equal(pairs["warped"][0, 0], pairs["source"][0])
    assert np.allclose(pairs["target_points"][0, 0], pairs["source_points"][0], atol=0.01)


def test_training_shows_the_network_what_rendering_does(face):
    """The geometric frame, before the light of the lips."""
    portrait, landmarks = face
    film, (height, width) = np.stack([landmarks, opened(landmarks, 0.05)]), portrait.shape[:2]
    mouth, lips = PortraitMouth(landmarks, height, width), canonical_lips(to_pixels(film, height, width)[..., :2])
    wanted = mouth.place((mouth.shape + lips[1] - lips[0])[None])
    shown, unet = [], LandmarkGuidedUNet(block_out_channels=(8, 16, 16), paints=False)
    unet.register_forward_pre_hook(lambda module, inputs: shown.append(inputs))
    list(LearnedRenderer(unet).render(portrait, wanted, source_landmarks=landmarks[:, :2]))
    made, inner = film_pairs([portrait] * 2, film, [0], [1]), slice(PAIR_MARGIN, PAIR_MARGIN + CROP_SIZE)
    for seen, trained in zip(shown[0], (made["source"][0], made["warped"][0, 0])):
        seen = (127.5 * (seen[0] + 1)).round().byte().permute(1, 2, 0).numpy()
        assert np.abs(seen.astype(int) - trained[inner, inner]).max() <= 1  # of 255: two crops round apart
    assert np.allclose(
        shown[0][2][0, 4:] * 255,
        draw_mouth(made["target_points"][0, 0] - PAIR_MARGIN, CROP_SIZE).transpose(2, 0, 1),
        atol=1,
    )


def test_the_warp_goes_where_the_landmarks_do(pairs):
    lip = DRIVEN.index(14)
    way = pairs["target_points"][0, 2, lip] - pairs["source_points"][0, lip]
    assert way[1] > 1 and abs(way[0]) < 0.5 * way[1]
    change = [np.abs(pairs["warped"][0, t].astype(int) - pairs["source"][0]).mean() for t in range(3)]
    assert change[0] == 0 and change[0] < change[1] < change[2]


def test_the_mouth_lies_in_the_middle(pairs):
    middle = pairs["source_points"][0, :40].mean(0)
    assert abs(middle[0] - PAIR_SIZE / 2) < 8 and PAIR_MARGIN < middle[1] < PAIR_SIZE / 2 + 8


def test_a_still_with_shut_lips_is_moved_back():
    from text2lip import FaceLandmarker

    portrait = load_image(builtin_portrait())
    landmarks = FaceLandmarker.from_builtin().locate(portrait)
    motions = np.zeros((2, 57, 2))
    motions[1, DRIVEN.index(14), 1] = 0.05
    made = still_pairs(portrait, landmarks, motions)
    assert made["source"].shape[0] == 2 and made["target"].shape[0] == 1
    unmoved = np.abs(made["source"].astype(int) - made["target"][0]).mean((1, 2, 3))
    back = np.abs(made["warped"][:, 0].astype(int) - made["target"][0]).mean((1, 2, 3))
    assert unmoved.min() > 0 and back[1] < 3
    assert "inside_alone" not in made and not made["others"].any()  # it is no reference for itself


def test_an_open_stills_mouth_is_hidden_and_all_else_is_its_own(face):
    portrait, landmarks = face
    wide = opened(landmarks, 0.06)
    picture = portrait.copy()
    x, y = (wide[[13, 14], :2].mean(0) * portrait.shape[1::-1]).astype(int)
    picture[y - 6 : y + 7, x - 10 : x + 11] = (0, 255, 0)  # teeth of a colour that no renderer would guess
    made = still_pairs(picture, wide, np.zeros((1, 57, 2)))
    inside = draw_mouth(made["own_points"][0], PAIR_SIZE)[..., 2]
    inside, around = inside > 250, cv2.dilate(inside, np.ones((13, 13), np.uint8)) == 0
    change = np.abs(made["warped"][0, 0].astype(int) - made["target"][0]).max(-1)
    assert made["inside_alone"] and change[inside].mean() > 40 and not change[around].any()
    assert np.array_equal(made["target_points"][0], made["own_points"])


def test_pairs_of_everybody_are_made_by_kind():
    film, still = mouth_film(0, "train"), mouth_film(1, "train", "smiles")
    made = make_pairs([still, film], np.random.default_rng(0))
    (grid,), (smile,) = made["grid"], made["smiles"]
    assert grid["warped"].shape[:2] == (4, len(film.pictures)) and smile["warped"].shape[:2] == (2, 1)
    gap = grid["source_points"][:3, DRIVEN.index(14), 1] - grid["source_points"][:3, DRIVEN.index(13), 1]
    assert gap.max() < 8  # portraits are those whose mouth is hardly open
    again = make_pairs([film, still], np.random.default_rng(0))
    assert np.array_equal(again["smiles"][0]["source"], smile["source"])
    with pytest.raises(ValueError, match="faces: stills alone"):
        make_pairs([still], np.random.default_rng(0))


def test_every_person_of_a_kind_is_drawn_as_often():
    few, many = mouth_people(0), mouth_people(1)
    few = {**few, "warped": few["warped"][:, :1], "others": few["others"][:1]}
    mix = PairMix({"a": [few, many], "b": [mouth_people(2)]}, {"a": 3, "b": 1, "c": 0})
    generator = np.random.default_rng(0)
    drawn = [mix.draw(generator) for _ in range(400)]
    assert len(mix) == 2 + 6 + 6
    for made, share in ((few, 0.375), (many, 0.375), (mouth_people(2), 0.25)):
        count = sum(any(np.array_equal(pair["source"], source) for source in made["source"]) for pair in drawn)
        assert abs(count / 400 - share) < 0.08
    pair = drawn[0]
    assert len(pair["others"]) == len(pair["other_points"]) == 2 and not pair["inside_alone"]


def test_a_share_of_nobody_is_named():
    with pytest.raises(ValueError, match=r"shares: nobody of \['b'\]"):
        PairMix({"a": [mouth_people()]}, {"a": 1, "b": 1})
