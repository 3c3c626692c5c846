import json
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_clips import write_faces

from text2lip import Text2LipPipeline
from text2lip.faces.crop import CROP_SIZE
from text2lip.models.landmark_unet import LandmarkGuidedUNet, compose
from text2lip.training import renderer_augment
from text2lip.training.losses import weighted_sum
from text2lip.training.renderer_augment import draw_batch


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    import train_renderer

    return train_renderer


def train(script, faces, output, *more):
    return script.main(
        [
            *("--faces", str(faces), "--shares", "{grid: 1, smiles: 1}", "--output", str(output), "--cpu", "true"),
            *("--network", "{block_out_channels: [8, 8, 8]}", "--perceptual_weight", "0", "--batch_size", "2"),
            *("--max_steps", "4", "--warmup_steps", "1", "--validate_every", "4", "--save_every", "2", *more),
        ]
    )


def state(run):
    """All that a run has learnt: of the network, and of its adversary if there is one, with the optimisers'."""
    modules = [run.network] + ([run.adversary] if run.adversary else [])
    optimizers = [run.optimizer] + ([run.adversary_optimizer] if run.adversary else [])
    values = [value for module in modules for value in module.state_dict().values()]
    kept = [optimizer.state_dict()["state"][i] for optimizer in optimizers for i in optimizer.state_dict()["state"]]
    return values + [value for one in kept for value in one.values()]


ADVERSARY = ("--adversarial_weight", "0.1", "--adversarial_start", "2", "--adversarial_ramp", "1")


@pytest.mark.slow
def test_an_upload_wants_a_licence_before_any_work(script, faces_file, tmp_path):
    with pytest.raises(ValueError, match="licence: None; what goes to 'me/mouth' needs one that you state"):
        train(script, faces_file, tmp_path / "run", "--push_to_hub", "me/mouth")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [(), ADVERSARY], ids=["plain", "with an adversary"])
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(script, faces_file, tmp_path, more):
    whole = train(script, faces_file, tmp_path / "whole", *more)
    train(script, faces_file, tmp_path / "parts", "--stop_after", "2", *more)
    parts = train(script, faces_file, tmp_path / "parts", "--resume", "latest", *more)
    assert (whole.adversary is not None) == bool(more)
    assert len(state(whole)) == len(state(parts)) > 50
    for one, two in zip(state(whole), state(parts)):
        assert torch.equal(one, two)
    rows = [json.loads(row) for row in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "loss" in row]  # the adversary learns for a while before it has a say
    assert ["discriminator" in row for row in rows] == [False, *3 * [bool(more)]]
    assert ["adversarial" in row for row in rows] == [*3 * [False], bool(more)]
    with pytest.raises(ValueError, match="resume: .* was made with adversary"):
        train(script, faces_file, tmp_path / "parts", "--resume", "latest", *([] if more else ADVERSARY))
    made = Text2LipPipeline.from_pretrained(tmp_path / "parts" / "final").unet
    assert isinstance(made, LandmarkGuidedUNet)
    assert any(parameter.abs().max() > 0 for parameter in made.smooth.parameters())
    assert (tmp_path / "parts" / "sheet-4.png").exists()
    assert json.loads((tmp_path / "parts" / "best" / "figures.json").read_text())["step"] == 4
    steps = [json.loads(row)["step"] for row in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4, 4]


def test_a_run_begins_with_any_pipeline_or_network(script, tmp_path):
    builtin = Text2LipPipeline.from_pretrained("text2lip-grid").unet
    builtin.save_pretrained(tmp_path / "alone")
    builtin.save_pretrained(tmp_path / "pipeline/unet")
    for start in ("text2lip-grid", str(tmp_path / "alone"), str(tmp_path / "pipeline")):
        network = script.build_network(script.TrainConfig(start=start))
        for ours, theirs in zip(network.parameters(), builtin.parameters()):
            assert torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="start: 'text2lip-grit' is no folder and not built in"):
        script.build_network(script.TrainConfig(start="text2lip-grit"))


def test_without_films_of_val_nothing_is_validated(script, faces_file, tmp_path, capsys):
    write_faces(faces_file, ("train",))
    train(script, faces_file, tmp_path / "run", "--max_steps", "1")
    assert "nothing is validated" in capsys.readouterr().out
    assert (tmp_path / "run/final/model_index.json").exists() and not (tmp_path / "run/best").exists()


def losses(script, ours, batch, perceptual=None):
    """Each loss of crops, unweighted."""
    return weighted_sum(script.build_losses(script.TrainConfig(), perceptual), ours, batch)[1]


def test_a_step_without_references_is_what_it_was(script, mix, monkeypatch):
    monkeypatch.setattr(renderer_augment, "REFERRED", 0.0)
    batch = draw_batch(mix, 2, np.random.default_rng(0))
    assert not batch["reference"].any()
    torch.manual_seed(0)
    network = LandmarkGuidedUNet(block_out_channels=(8, 8, 8))
    torch.nn.init.normal_(network.fine.weight, std=0.1)
    seen, warped, moved = (batch["source"], batch["seen"], batch["drawings"]), batch["warped"], batch["moved"]
    ours = compose(warped, network(*seen, batch["reference"]), moved, batch["reference"])
    assert torch.equal(ours, compose(warped, network(*seen), moved)) and ours.shape == (2, 3, CROP_SIZE, CROP_SIZE)
    values = losses(script, ours, batch)
    sum(values.values()).backward()
    assert network.fine.weight.grad[:16].any() and not network.fine.weight.grad[16:].any()


def test_losses_are_zero_for_equal_pictures(script, mix):
    batch = draw_batch(mix, 2, np.random.default_rng(0))
    values = losses(script, batch["target"].clone(), batch)
    assert all(abs(float(value)) < 1e-5 for value in values.values())
    worse = losses(script, batch["warped"] + 0.1, batch, lambda a, b: (a - b).square().mean((1, 2, 3)))
    assert set(worse) == {"l1", "gradient", "ssim", "perceptual"}
    assert all(float(value) > 0 for value in worse.values())


def test_where_only_the_inside_of_a_mouth_is_known_nothing_else_is_asked_for(script, mix, monkeypatch):
    for people in mix.people[0]:
        people["inside_alone"] = True
    batch = draw_batch(mix, 2, np.random.default_rng(0))
    assert 0 < batch["judged"].mean() < 0.3 and (batch["judged"] >= batch["inside"]).all()
