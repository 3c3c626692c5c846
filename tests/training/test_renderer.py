import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from text2lip.data.pairs import MARGIN, SIZE, PairMix, save_pairs
from text2lip.faces.crop import CROP_SIZE
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training import renderer_losses as L
from text2lip.training.renderer_augment import deform, draw_batch, recolour
from text2lip.training.renderer_validation import load_films, validate


def mouth(gap=6.0, centre=(SIZE / 2, 56.0)):
    """57 points of a mouth with its inner lips `gap` pixels apart, and a jaw around it."""
    from text2lip.renderers.mouth_drawing import _CHAINS

    points, bow = np.zeros((57, 2)), np.sin(np.linspace(0, np.pi, 11))
    x = np.linspace(-18, 18, 11)
    for name, rise in {
        "outer_upper": -7.0,
        "inner_upper": -gap / 2,
        "inner_lower": gap / 2,
        "outer_lower": 8.0,
    }.items():
        points[_CHAINS[name]] = np.stack([x, rise * bow], 1)
    turn = np.linspace(np.pi, 0, 17)
    points[_CHAINS["jaw"]] = np.stack([36 * np.cos(turn), 34 * np.sin(turn) - 12], 1)
    return (points + centre).astype(np.float32)


def pair(seed=0, **values):
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (SIZE // 8, SIZE // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    made = {
        "source": picture,
        "target": np.stack([picture, picture[::-1]]),
        "warped": np.stack([picture, picture[:, ::-1]]),
        "source_points": mouth(0.0),
        "target_points": np.stack([mouth(6.0), mouth(8.0)]),
    }
    return {**made, **values}


@pytest.fixture
def mix():
    return PairMix({"films": [pair(seed) for seed in range(3)]}, {"films": 1})


def test_drawings_tell_lips_from_their_inside():
    drawing = draw_mouth(mouth(6.0), SIZE).astype(float) / 255
    areas = drawing.sum((0, 1))
    assert areas[2] == pytest.approx(6.0 * 36 * 2 / np.pi, rel=0.1)
    assert drawing[56, SIZE // 2].argmax() == 2 and drawing[61, SIZE // 2].argmax() == 1
    assert drawing[75, SIZE // 2].tolist() == [0, 0, 0, 1]
    assert draw_mouth(mouth(0.0), SIZE)[..., 2].max() < 128


def test_batches_have_their_shapes_and_ranges(mix):
    batch = draw_batch(mix, 3, np.random.default_rng(0))
    assert batch["source"].shape == (3, 3, CROP_SIZE, CROP_SIZE)
    assert batch["target"].shape == batch["warped"].shape == (3, 2, 3, CROP_SIZE, CROP_SIZE)
    assert batch["drawings"].shape == (3, 2, 8, CROP_SIZE, CROP_SIZE)
    assert batch["inside"].shape == (3, 2, 1, CROP_SIZE, CROP_SIZE) and 0 < batch["inside"].mean() < 0.2
    assert batch["target"].min() >= -1 and batch["target"].max() <= 1


def test_the_same_generator_gives_the_same_batch(mix):
    one, two, other = (draw_batch(mix, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["target"], other["target"])


def test_points_move_with_the_picture():
    """A bright spot painted at each of some points is found where the points went to."""
    for seed in range(4):
        made = pair()
        spots = made["target_points"][0][[0, 17, 44]]
        picture = np.zeros((SIZE, SIZE, 3), np.uint8)
        rows, columns = np.indices((SIZE, SIZE)) + 0.5
        for x, y in spots:
            picture[np.hypot(columns - x, rows - y) < 2.5] = 255
        made["target"] = np.stack([picture, picture])
        images, points = deform(made, np.random.default_rng(seed))
        for x, y in points[1][[0, 17, 44]]:
            if 3 < x < CROP_SIZE - 3 and 3 < y < CROP_SIZE - 3:
                assert images[1, int(y), int(x)].max() > 150


def test_all_pictures_of_a_pair_change_alike():
    made = pair()
    made["target"] = np.stack([made["source"]] * 2)
    images, _ = deform(made, np.random.default_rng(3))
    assert np.array_equal(images[0], images[1])
    coloured = recolour(torch.from_numpy(images).permute(0, 3, 1, 2)[None].float() / 255, np.random.default_rng(0))
    assert torch.equal(coloured[0, 0], coloured[0, 1])


def test_new_people_have_other_colours(mix):
    means = torch.stack(
        [draw_batch(mix, 1, np.random.default_rng(seed))["target"].mean((0, 1, 3, 4)) for seed in range(6)]
    )
    assert means.std(0).min() > 0.05


def test_losses_are_zero_for_equal_pictures(mix):
    batch = draw_batch(mix, 2, np.random.default_rng(0))
    values = L.renderer_losses(batch["target"].clone(), batch)
    assert all(abs(float(value)) < 1e-5 for value in values.values())
    worse = L.renderer_losses(batch["warped"] + 0.1, batch, lambda a, b: (a - b).square().mean((1, 2, 3)))
    assert set(worse) == {"l1", "gradient", "temporal", "ssim", "perceptual"}
    assert all(float(value) > 0 for value in worse.values())


def test_ssim_is_the_metrics(mix):
    from text2lip import metrics as M

    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 48, 48, 3), np.uint8)
    frames[1, :, 10:] = frames[0, :, 10:]
    a, b = (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in frames)
    assert float(L.ssim(a, b)) == pytest.approx(M.ssim(frames[0], frames[1]), abs=1e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert float(L.ssim(a, b)) == pytest.approx(float(L.ssim(a, b)), abs=1e-3)


def test_the_inside_of_the_mouth_weighs_more():
    real, inside = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    inside[..., :2, :] = 1
    upper, lower = real.clone(), real.clone()
    upper[..., :2, :], lower[..., -2:, :] = 1, 1
    assert L.weighted_l1(upper, real, inside) == pytest.approx(4 * float(L.weighted_l1(lower, real, inside)))


def test_flicker_alone_is_seen_by_the_temporal_loss():
    real = torch.rand(1, 1, 3, 8, 8).expand(1, 2, 3, 8, 8)
    assert float(L.temporal_l1(real + 0.2, real)) < 1e-6
    assert float(L.temporal_l1(real + torch.tensor([0.1, -0.1]).view(1, 2, 1, 1, 1), real)) == pytest.approx(
        0.2, abs=1e-4
    )


@pytest.fixture
def pairs_folder(tmp_path):
    def stored(first):
        points = np.stack([mouth(gap) for gap in np.linspace(0, 8, 6)]).reshape(1, 3, 2, 57, 2)
        frames = np.random.default_rng(first).integers(0, 256, (3, 2, SIZE, SIZE, 3), np.uint8)
        return {
            "source": frames[:1, 0],
            "source_points": points[:, 0, 0],
            "target": frames,
            "warped": (frames[None] // 2 + 60).astype(np.uint8),
            "target_points": points,
        }

    for name, first in (("films/a", 0), ("val/b", 1)):
        save_pairs(tmp_path / "pairs" / f"{name}.safetensors", stored(first))
    return tmp_path / "pairs"


def test_validation_of_an_untrained_network_is_the_warp(pairs_folder):
    films = load_films(pairs_folder / "val")
    assert films["b"]["target"].shape == (2, CROP_SIZE, CROP_SIZE, 3)  # one pair of three
    assert films["b"]["points"][0, :40].mean(0)[0] == pytest.approx(SIZE / 2 - MARGIN, abs=1)
    torch.manual_seed(0)
    figures, sheet = validate(LandmarkGuidedUNet(block_out_channels=(8, 16, 16)), films)
    assert figures["ours/mouth_psnr"] == pytest.approx(figures["warp/mouth_psnr"], abs=1e-3)
    assert figures["warp/mouth_ssim"] < 1 and sheet.shape == (3 * CROP_SIZE, 12 * CROP_SIZE, 3)
    assert "still/mouth_psnr" in validate(None, films)[0]


def test_no_films_is_named(tmp_path):
    with pytest.raises(ValueError, match="prepare_pairs"):
        load_films(tmp_path)


def train(folder, output, *more):
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    import train_renderer

    return train_renderer.main(
        [
            *("--pairs", str(folder), "--shares", "{films: 1}", "--output", str(output), "--cpu", "true"),
            *("--network", "{block_out_channels: [8, 8, 8]}", "--perceptual_weight", "0", "--batch_size", "2"),
            *("--max_steps", "4", "--warmup_steps", "1", "--validate_every", "4", "--save_every", "2", *more),
        ]
    )


@pytest.mark.slow
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(pairs_folder, tmp_path):
    whole = train(pairs_folder, tmp_path / "whole")
    train(pairs_folder, tmp_path / "parts", "--stop_after", "2")
    parts = train(pairs_folder, tmp_path / "parts", "--resume", "latest")
    for one, two in zip(whole.network.parameters(), parts.network.parameters()):
        assert torch.equal(one, two)
    made = LandmarkGuidedUNet.from_pretrained(tmp_path / "parts" / "final")
    assert any(parameter.abs().max() > 0 for parameter in made.smooth.parameters())
    assert (tmp_path / "parts" / "sheet-4.png").exists()
    assert json.loads((tmp_path / "parts" / "best" / "figures.json").read_text())["step"] == 4
    steps = [json.loads(row)["step"] for row in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4, 4]
