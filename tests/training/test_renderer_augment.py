import numpy as np
import pytest
import torch
from synthetic_clips import mouth, mouth_pair, mouth_people

from text2lip.faces.crop import CROP_SIZE
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training import renderer_augment
from text2lip.training.pairs import PAIR_SIZE, PairMix
from text2lip.training.renderer_augment import REFERRED, deform, draw_batch, recolour, refer


def alone(made):
    """The same pair of a film without other pictures of the person."""
    return {**made, "others": made["others"][:0], "other_points": made["other_points"][:0]}


def test_drawings_tell_lips_from_their_inside():
    drawing = draw_mouth(mouth(6.0), PAIR_SIZE).astype(float) / 255
    areas = drawing.sum((0, 1))
    assert areas[2] == pytest.approx(6.0 * 36 * 2 / np.pi, rel=0.1)
    assert drawing[56, PAIR_SIZE // 2].argmax() == 2 and drawing[61, PAIR_SIZE // 2].argmax() == 1
    assert drawing[75, PAIR_SIZE // 2].tolist() == [0, 0, 0, 1]
    assert draw_mouth(mouth(0.0), PAIR_SIZE)[..., 2].max() < 128


def test_batches_have_their_shapes_and_ranges(mix):
    batch = draw_batch(mix, 3, np.random.default_rng(0))
    assert batch["source"].shape == (3, 3, CROP_SIZE, CROP_SIZE)
    assert batch["target"].shape == batch["warped"].shape == (3, 3, CROP_SIZE, CROP_SIZE)
    assert batch["drawings"].shape == (3, 8, CROP_SIZE, CROP_SIZE)
    assert batch["inside"].shape == (3, 1, CROP_SIZE, CROP_SIZE) and 0 < batch["inside"].mean() < 0.2
    assert batch["judged"].shape == (3, 1, CROP_SIZE, CROP_SIZE) and (batch["judged"] == 1).all()
    assert batch["target"].min() >= -1 and batch["target"].max() <= 1
    assert batch["reference"].shape == (3, 4, CROP_SIZE, CROP_SIZE)
    assert batch["reference"].dtype == torch.float32 and batch["reference"].abs().max() <= 1


def test_the_same_generator_gives_the_same_batch(mix):
    one, two, other = (draw_batch(mix, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["target"], other["target"])


def test_points_move_with_the_picture():
    """A bright spot painted at each of some points is found where the points went to."""
    seen = 0
    for seed in range(4):
        made = mouth_pair()
        spots = made["target_points"][[0, 17, 44]]
        picture = np.zeros((PAIR_SIZE, PAIR_SIZE, 3), np.uint8)
        rows, columns = np.indices((PAIR_SIZE, PAIR_SIZE)) + 0.5
        for x, y in spots:
            picture[np.hypot(columns - x, rows - y) < 2.5] = 255
        made["target"] = made["reference"] = picture
        images, points = deform(made, np.random.default_rng(seed))
        for x, y in points[1][[0, 17, 44]]:
            if 3 < x < CROP_SIZE - 3 and 3 < y < CROP_SIZE - 3:
                assert images[1, int(y), int(x)].max() > 150 and images[3, int(y), int(x)].max() > 150
                seen += 1
    assert seen >= 8  # of twelve spots


def test_all_pictures_of_a_pair_change_alike():
    made = mouth_pair()
    made["target"] = made["reference"] = made["source"]
    images, _ = deform(made, np.random.default_rng(3))
    assert len(images) == 4 and all(np.array_equal(images[0], images[i]) for i in (1, 3))
    coloured = recolour(torch.from_numpy(images).permute(0, 3, 1, 2)[None].float() / 255, np.random.default_rng(0))
    assert torch.equal(coloured[0, 0], coloured[0, 1])


def test_new_people_have_other_colours(mix):
    means = torch.stack(
        [draw_batch(mix, 1, np.random.default_rng(seed))["target"].mean((0, 2, 3)) for seed in range(6)]
    )
    assert means.std(0).min() > 0.05


def test_pairs_come_with_references_by_their_share(any_mouth):
    generator, made = np.random.default_rng(0), mouth_pair()
    drawn = [refer(made, generator) for _ in range(100)]
    with_some = [pictures.any() for pictures, _ in drawn]
    assert abs(np.mean(with_some) - REFERRED) < 0.15
    for (pictures, near), some in zip(drawn, with_some):
        assert pictures.shape == (PAIR_SIZE, PAIR_SIZE, 3) and pictures.dtype == np.uint8
        assert (near > 0) == some and near <= 1
    assert not any(refer(alone(made), generator)[0].any() for _ in range(20))


def test_references_hang_on_the_generator_alone(monkeypatch, any_mouth):
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    one, two = (refer(mouth_pair(), np.random.default_rng(5)) for _ in range(2))
    assert one[0].any() and np.array_equal(one[0], two[0]) and one[1] == two[1]
    assert any(
        not np.array_equal(refer(mouth_pair(), np.random.default_rng(seed))[0], one[0]) for seed in range(6, 10)
    )


def test_the_nearest_of_the_others_is_drawn(monkeypatch):
    """With true landmarks and a picture of the wanted mouth, that picture is the reference."""
    monkeypatch.setattr(renderer_augment, "JITTER", 0.0)
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    made, found = mouth_pair(), set()
    for seed in range(20):
        first, near = refer(made, np.random.default_rng(seed))
        exact = np.array_equal(first, made["others"][1])
        assert exact == (near == pytest.approx(1))
        found.add(exact)
    assert found == {True, False}  # not all of the others are there each time


def test_pairs_without_references_are_all_zero(monkeypatch, any_mouth):
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    still = {**mouth_people(1), "others": np.zeros((3, 3), bool)}
    batch = draw_batch(
        PairMix({"films": [mouth_people()], "stills": [still]}, {"films": 1, "stills": 1}),
        6,
        np.random.default_rng(0),
    )
    some = batch["reference"].flatten(1).any(1)
    assert 0 < some.sum() < 6
    near = batch["reference"][:, 3]
    assert torch.equal(near.amin((-1, -2)), near.amax((-1, -2)))
    assert ((near[some] > 0) & (near[some] <= 1)).all()
    assert batch["reference"][some][:, :3].std() > 0.1
