import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_clips import PAIRS, mouth, write_mouth_pairs

from text2lip import Text2LipPipeline
from text2lip.faces.crop import CROP_SIZE
from text2lip.models.landmark_unet import LandmarkGuidedUNet, compose
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training import renderer_augment
from text2lip.training import renderer_losses as L
from text2lip.training.pairs import PAIR_MARGIN, PAIR_SIZE, PairMix
from text2lip.training.renderer_augment import REFERRED, deform, draw_batch, recolour, refer
from text2lip.training.renderer_validation import EVERY, draw_film, load_films, validate_renderer


def pair(seed=0, **values):
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (PAIR_SIZE // 8, PAIR_SIZE // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    made = {
        "source": picture,
        "target": np.stack([picture, picture[::-1]]),
        "warped": np.stack([picture, picture[:, ::-1]]),
        "source_points": mouth(0.0),
        "target_points": np.stack([mouth(6.0), mouth(8.0)]),
        "others": generator.integers(0, 256, (3, PAIR_SIZE, PAIR_SIZE, 3), np.uint8),
        "other_points": np.stack([mouth(gap) for gap in (0.0, 6.0, 12.0)]),
    }
    return {**made, **values}


def alone(made):
    """The same pair of a film without other pictures of the person."""
    return {**made, "others": made["others"][:0], "other_points": made["other_points"][:0]}


@pytest.fixture
def mix():
    return PairMix({"films": [pair(seed) for seed in range(3)]}, {"films": 1})


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
    assert batch["target"].shape == batch["warped"].shape == (3, 2, 3, CROP_SIZE, CROP_SIZE)
    assert batch["drawings"].shape == (3, 2, 8, CROP_SIZE, CROP_SIZE)
    assert batch["inside"].shape == (3, 2, 1, CROP_SIZE, CROP_SIZE) and 0 < batch["inside"].mean() < 0.2
    assert batch["target"].min() >= -1 and batch["target"].max() <= 1
    assert batch["reference"].shape == (3, 2, 4, CROP_SIZE, CROP_SIZE)
    assert batch["reference"].dtype == torch.float32 and batch["reference"].abs().max() <= 1


def test_the_same_generator_gives_the_same_batch(mix):
    one, two, other = (draw_batch(mix, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["target"], other["target"])


def test_points_move_with_the_picture():
    """A bright spot painted at each of some points is found where the points went to."""
    seen = 0
    for seed in range(4):
        made = pair()
        spots = made["target_points"][0][[0, 17, 44]]
        picture = np.zeros((PAIR_SIZE, PAIR_SIZE, 3), np.uint8)
        rows, columns = np.indices((PAIR_SIZE, PAIR_SIZE)) + 0.5
        for x, y in spots:
            picture[np.hypot(columns - x, rows - y) < 2.5] = 255
        made["target"] = made["reference"] = np.stack([picture, picture])
        images, points = deform(made, np.random.default_rng(seed))
        for x, y in points[1][[0, 17, 44]]:
            if 3 < x < CROP_SIZE - 3 and 3 < y < CROP_SIZE - 3:
                assert images[1, int(y), int(x)].max() > 150 and images[5, int(y), int(x)].max() > 150
                seen += 1
    assert seen >= 8  # of twelve spots


def test_all_pictures_of_a_pair_change_alike():
    made = pair()
    made["target"] = made["reference"] = np.stack([made["source"]] * 2)
    images, _ = deform(made, np.random.default_rng(3))
    assert len(images) == 7 and all(np.array_equal(images[0], images[i]) for i in (1, 2, 5, 6))
    coloured = recolour(torch.from_numpy(images).permute(0, 3, 1, 2)[None].float() / 255, np.random.default_rng(0))
    assert torch.equal(coloured[0, 0], coloured[0, 1])


def test_new_people_have_other_colours(mix):
    means = torch.stack(
        [draw_batch(mix, 1, np.random.default_rng(seed))["target"].mean((0, 1, 3, 4)) for seed in range(6)]
    )
    assert means.std(0).min() > 0.05


def test_pairs_come_with_references_by_their_share():
    generator, made = np.random.default_rng(0), pair()
    drawn = [refer(made, generator) for _ in range(100)]
    with_some = [pictures.any() for pictures, _ in drawn]
    assert abs(np.mean(with_some) - REFERRED) < 0.15
    for (pictures, familiar), some in zip(drawn, with_some):
        assert pictures.shape == (2, PAIR_SIZE, PAIR_SIZE, 3) and pictures.dtype == np.uint8
        assert familiar.shape == (2,) and familiar.dtype == np.float32
        assert ((familiar > 0) == some).all() and familiar.max() <= 1
    assert not any(refer(alone(made), generator)[0].any() for _ in range(20))


def test_references_hang_on_the_generator_alone(monkeypatch):
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    one, two = (refer(pair(), np.random.default_rng(5)) for _ in range(2))
    assert one[0].any() and np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    assert any(not np.array_equal(refer(pair(), np.random.default_rng(seed))[0], one[0]) for seed in range(6, 10))


def test_the_nearest_of_the_others_is_drawn(monkeypatch):
    """With true landmarks and a picture of the wanted mouth, that picture is the reference."""
    monkeypatch.setattr(renderer_augment, "JITTER", 0.0)
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    made, found = pair(), set()
    for seed in range(20):
        (first, _), (near, _) = refer(made, np.random.default_rng(seed))
        exact = np.array_equal(first, made["others"][1])
        assert exact == (near == pytest.approx(1))
        found.add(exact)
    assert found == {True, False}  # not all of the others are there each time


def test_pairs_without_references_are_all_zero(monkeypatch):
    monkeypatch.setattr(renderer_augment, "REFERRED", 1.0)
    batch = draw_batch(
        PairMix({"films": [pair()], "stills": [alone(pair(1))]}, {"films": 1, "stills": 1}),
        6,
        np.random.default_rng(0),
    )
    some = batch["reference"].flatten(1).any(1)
    assert 0 < some.sum() < 6
    familiar = batch["reference"][:, :, 3]
    assert torch.equal(familiar.amin((-1, -2)), familiar.amax((-1, -2)))
    assert ((familiar[some] > 0) & (familiar[some] <= 1)).all()
    assert batch["reference"][some][:, :, :3].std() > 0.1


def test_a_step_without_references_is_what_it_was(mix, monkeypatch):
    monkeypatch.setattr(renderer_augment, "REFERRED", 0.0)
    batch = draw_batch(mix, 2, np.random.default_rng(0))
    assert not batch["reference"].any()
    torch.manual_seed(0)
    network = LandmarkGuidedUNet(block_out_channels=(8, 8, 8))
    torch.nn.init.normal_(network.fine.weight, std=0.1)
    seen = batch["source"].repeat_interleave(2, 0), batch["seen"].flatten(0, 1), batch["drawings"].flatten(0, 1)
    warped, moved, reference = (
        batch["warped"].flatten(0, 1),
        batch["moved"].flatten(),
        batch["reference"].flatten(0, 1),
    )
    ours = compose(warped, network(*seen, reference), moved, reference)
    assert torch.equal(ours, compose(warped, network(*seen), moved)) and ours.shape == (4, 3, CROP_SIZE, CROP_SIZE)
    values = L.renderer_losses(ours.unflatten(0, (2, 2)), batch)
    sum(values.values()).backward()
    assert network.fine.weight.grad[:16].any() and not network.fine.weight.grad[16:].any()


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
    assert 1 - float(L.ssim_loss(a, b)) == pytest.approx(M.ssim(frames[0], frames[1]), abs=1e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert 1 - float(L.ssim_loss(a, b)) == pytest.approx(1 - float(L.ssim_loss(a, b)), abs=1e-3)


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
    write_mouth_pairs(tmp_path / "pairs")
    return tmp_path / "pairs"


def untrained():
    torch.manual_seed(0)
    return LandmarkGuidedUNet(block_out_channels=(8, 16, 16))


def test_validation_of_an_untrained_network_is_the_warp(pairs_folder):
    films = load_films(pairs_folder / "val")
    assert films["b"]["target"].shape == (2 * PAIRS // EVERY, CROP_SIZE, CROP_SIZE, 3)  # one pair of three
    assert films["b"]["points"][0, :40].mean(0)[0] == pytest.approx(PAIR_SIZE / 2 - PAIR_MARGIN, abs=1)
    figures, sheet = validate_renderer(untrained(), films)
    for part in ("", "half/"):
        ours, warp = figures[f"{part}ours/mouth_psnr"], figures[f"{part}warp/mouth_psnr"]
        assert ours == pytest.approx(warp, abs=1e-3)
        assert figures[f"{part}warp/mouth_ssim"] < 1
    assert figures["half/warp/mouth_psnr"] != figures["warp/mouth_psnr"]
    assert sheet.shape == (4 * CROP_SIZE, 12 * CROP_SIZE, 3)  # film, warp, ours, and with references
    plain = validate_renderer(None, films)[0]
    assert "still/mouth_psnr" in plain and plain["half/warp/mouth_psnr"] == figures["half/warp/mouth_psnr"]


def test_validation_tells_what_references_do(pairs_folder):
    films, network = load_films(pairs_folder / "val"), untrained()
    figures, sheet = validate_renderer(network, films)
    assert np.isfinite(list(figures.values())).all()
    assert {name.rsplit("/", 1)[0] for name in figures} == {"warp", "ours", "half/warp", "half/ours", "half/referred"}
    assert figures["half/referred/mouth_psnr"] != figures["half/ours/mouth_psnr"]
    rows = sheet.reshape(4, CROP_SIZE, -1, 3)
    assert np.array_equal(rows[1], rows[2]) and not np.array_equal(rows[2], rows[3])
    with torch.no_grad():
        network.fine.bias[16:] = -80.0
    assert np.array_equal(draw_film(network, films["b"], refer=True), draw_film(network, films["b"]))


def test_films_are_referred_to_their_first_half_alone(pairs_folder):
    film = load_films(pairs_folder / "val")["b"]
    familiar = np.array([familiar for _, familiar in film["references"]])
    assert len(familiar) == len(film["target"]) == 2 * PAIRS // EVERY
    assert np.array_equal(film["references"][0][0], film["target"][0]) and familiar[0] == pytest.approx(1)
    later = len(familiar) // 2
    assert familiar[later:].max() < 0.9 and (np.diff(familiar[later:]) < 0).all()  # the mouth goes on opening


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


def state(run):
    """All that a run has learnt: of the network, and of its adversary if there is one, with the optimisers'."""
    modules = [run.network] + ([run.adversary] if run.adversary else [])
    optimizers = [run.optimizer] + ([run.judge] if run.adversary else [])
    values = [value for module in modules for value in module.state_dict().values()]
    kept = [optimizer.state_dict()["state"][i] for optimizer in optimizers for i in optimizer.state_dict()["state"]]
    return values + [value for one in kept for value in one.values()]


ADVERSARY = ("--adversarial_weight", "0.1", "--adversarial_start", "2", "--adversarial_ramp", "1")


@pytest.mark.slow
def test_an_upload_wants_a_licence_before_any_work(pairs_folder, tmp_path):
    with pytest.raises(ValueError, match="licence: None; what goes to 'me/mouth' needs one that you state"):
        train(pairs_folder, tmp_path / "run", "--push_to_hub", "me/mouth")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [(), ADVERSARY], ids=["plain", "with an adversary"])
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(pairs_folder, tmp_path, more):
    whole = train(pairs_folder, tmp_path / "whole", *more)
    train(pairs_folder, tmp_path / "parts", "--stop_after", "2", *more)
    parts = train(pairs_folder, tmp_path / "parts", "--resume", "latest", *more)
    assert (whole.adversary is not None) == bool(more)
    assert len(state(whole)) == len(state(parts)) > 50
    for one, two in zip(state(whole), state(parts)):
        assert torch.equal(one, two)
    rows = [json.loads(row) for row in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "loss" in row]  # the adversary learns for a while before it has a say
    assert ["discriminator" in row for row in rows] == [False, *3 * [bool(more)]]
    assert ["adversarial" in row for row in rows] == [*3 * [False], bool(more)]
    with pytest.raises(ValueError, match="resume: .* was made with adversary"):
        train(pairs_folder, tmp_path / "parts", "--resume", "latest", *([] if more else ADVERSARY))
    made = Text2LipPipeline.from_pretrained(tmp_path / "parts" / "final").unet
    assert isinstance(made, LandmarkGuidedUNet)
    assert any(parameter.abs().max() > 0 for parameter in made.smooth.parameters())
    assert (tmp_path / "parts" / "sheet-4.png").exists()
    assert json.loads((tmp_path / "parts" / "best" / "figures.json").read_text())["step"] == 4
    steps = [json.loads(row)["step"] for row in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4, 4]


def test_a_run_begins_with_any_pipeline_or_network(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    import train_renderer

    builtin = Text2LipPipeline.from_pretrained("text2lip-grid").unet
    builtin.save_pretrained(tmp_path / "alone")
    builtin.save_pretrained(tmp_path / "pipeline/unet")
    for start in ("text2lip-grid", str(tmp_path / "alone"), str(tmp_path / "pipeline")):
        network = train_renderer.build_network(train_renderer.TrainConfig(start=start))
        for ours, theirs in zip(network.parameters(), builtin.parameters()):
            assert torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="start: 'text2lip-grit' is no folder and not built in"):
        train_renderer.build_network(train_renderer.TrainConfig(start="text2lip-grit"))


def test_without_films_of_val_nothing_is_validated(pairs_folder, tmp_path, capsys):
    shutil.rmtree(pairs_folder / "val")
    train(pairs_folder, tmp_path / "run", "--max_steps", "1")
    assert "nothing is validated" in capsys.readouterr().out
    assert (tmp_path / "run/final/model_index.json").exists() and not (tmp_path / "run/best").exists()
