"""Batches, networks in a row, checkpoints and validation."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from text2lip.faces.canonical import lip_gap
from text2lip.faces.topology import driven_index
from text2lip.text.timing import Segment
from text2lip.training import (
    Text2LipNetworks,
    collate,
    find_checkpoint,
    masked_l1,
    rest_shape,
    seed_step,
    to_sample,
    validate_lips,
    warnings_of,
)
from text2lip.training.lip_samples import LipClips
from text2lip.training.state import checkpoints


SIZES = {
    "viseme_encoder": {"hidden_dim": 32, "feed_forward_dim": 32, "num_phones": 128, "num_features": 6},
    "pseudo_audio": {"hidden_dim": 32, "feed_forward_dim": 32},
    "lip_decoder": {"hidden_dim": 32, "token_dim": 32, "feed_forward_dim": 32, "num_layers": 2, "dropout_rate": 0.0},
}


@pytest.fixture
def networks():
    torch.manual_seed(0)
    networks = Text2LipNetworks.from_config(SIZES)
    torch.nn.init.normal_(networks.lip_decoder.projection.weight)
    return networks.eval()


def test_samples_and_masks(clips):
    batch = collate([to_sample(clip) for clip in clips[:3]])
    lengths = [len(clip.lips) for clip in clips[:3]]
    assert len(set(lengths)) == 3 and batch["frame_mask"].sum(1).tolist() == lengths
    assert batch["motion"].shape == (3, max(lengths), 57, 2) and batch["audio"].shape[2] == 320
    assert (batch["input_ids"][~batch["attention_mask"]] == 15).all()
    assert not batch["durations"][~batch["attention_mask"]].any()
    lips = batch["motion"][0, : lengths[0]] + batch["rest"][0]
    torch.testing.assert_close(lips, torch.from_numpy(clips[0].lips))


def test_no_clips():
    with pytest.raises(ValueError, match="prepare"):
        LipClips([])


@pytest.mark.parametrize("drop", [True, False])
def test_a_clip_is_the_same_alone_and_in_a_batch(clips, networks, drop):
    def run(some):
        batch = collate([to_sample(clip) for clip in some])
        return networks(batch, torch.full_like(batch["frame_mask"], drop))

    batch, alone = run(clips[:3]), run(clips[:1])
    frames = alone.motion.shape[1]
    assert alone.motion.abs().max() > 0
    torch.testing.assert_close(batch.motion[:1, :frames], alone.motion, rtol=0, atol=1e-6)
    torch.testing.assert_close(batch.pseudo_audio[:1, :frames], alone.pseudo_audio, rtol=0, atol=1e-5)


def test_real_sound_matters_only_where_it_is_kept(clips, networks):
    batch = collate([to_sample(clip) for clip in clips[:1]])
    louder = {**batch, "audio": batch["audio"] + 1}
    every = torch.ones_like(batch["frame_mask"])
    assert torch.equal(networks(batch, every).motion, networks(louder, every).motion)
    assert not torch.allclose(networks(batch, ~every).motion, networks(louder, ~every).motion)


def test_save_and_load(clips, networks, tmp_path):
    networks.save_pretrained(tmp_path)
    again = Text2LipNetworks.from_pretrained(tmp_path)
    batch = collate([to_sample(clip) for clip in clips[:2]])
    assert torch.equal(again(batch, batch["frame_mask"]).motion, networks(batch, batch["frame_mask"]).motion)


def test_overfits_one_batch(clips):
    torch.manual_seed(0)
    networks = Text2LipNetworks.from_config(SIZES)
    batch = collate([to_sample(clip) for clip in clips[:4]])
    optimizer = torch.optim.Adam(networks.parameters(), 5e-3)
    first = masked_l1(torch.zeros_like(batch["motion"]), batch["motion"], batch["frame_mask"])
    for _ in range(150):
        out = networks(batch, batch["frame_mask"])
        loss = masked_l1(out.motion, batch["motion"], batch["frame_mask"])
        optimizer.zero_grad()
        (100 * loss + masked_l1(out.pseudo_audio, batch["audio"], batch["frame_mask"])).backward()
        optimizer.step()
    assert loss < 0.3 * first
    figures = validate_lips(networks, clips[:4])
    assert figures["text/gap_r"] > 0.95 and figures["pseudo_audio_l1"] < figures["mean_audio_l1"]
    assert networks.training
    assert not [text for text in warnings_of(figures) if "collapse" in text]


def test_warnings_name_what_is_wrong(clips, networks):
    torch.nn.init.normal_(networks.lip_decoder.projection.weight, std=1e-4)
    figures = validate_lips(networks, clips[:2])
    assert any("collapse" in text for text in warnings_of(figures))
    assert 0 <= figures["film/closure"] <= 1  # what ours are to be compared with
    (found,) = warnings_of({"text/motion_ratio": 0.1, "text/closure": 1.0})
    assert "its closure is that of a mouth that hardly opens" in found
    found = warnings_of({"text/lmd_centred": float("nan"), "text/motion_ratio": 1.0, "text/jerk_ratio": 9.0})
    assert len(found) == 2 and "jitter" in found[1]
    assert warnings_of({"text/motion_ratio": 0.9, "text/jerk_ratio": 1.0, "text/gap_r": None}) == []


def test_draws_depend_on_seed_step_and_rank_alone():
    def draws(*key):
        generator = seed_step(*key)
        return torch.cat([torch.rand(3), torch.rand(3, generator=generator)])

    seen = {key: draws(*key) for key in [(0, 1, 0), (0, 2, 0), (0, 1, 1), (1, 1, 0)]}
    torch.rand(5)
    assert all(torch.equal(draws(*key), value) for key, value in seen.items())
    assert len({tuple(value.tolist()) for value in seen.values()}) == 4


def test_find_checkpoint(tmp_path):
    assert find_checkpoint(tmp_path, None) is None and find_checkpoint(tmp_path, "latest") is None
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}/run.json").write_text(json.dumps({"step": step}))
    (tmp_path / "tmp-200").mkdir()  # died while it was written
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-9", "checkpoint-10", "checkpoint-100"]
    assert find_checkpoint(tmp_path, "latest").name == "checkpoint-100"
    assert find_checkpoint(tmp_path, "checkpoint-9").name == "checkpoint-9"
    with pytest.raises(ValueError, match="no checkpoint"):
        find_checkpoint(tmp_path, "checkpoint-11")


def test_rest_is_a_closed_mouth_not_one_about_to_speak(clips):
    lips = np.repeat(clips[0].lips[:1], 30, 0)
    lips[:15, driven_index((13,)), 1], lips[:15, driven_index((14,)), 1] = 0.60, 0.61
    lips[15:, driven_index((13,)), 1], lips[15:, driven_index((14,)), 1] = 0.58, 0.65
    clip = replace(clips[0], lips=lips, phones=[Segment("", 0.0, 1.2)])
    assert lip_gap(rest_shape(clip)) == pytest.approx(lip_gap(lips[0]))
    assert lip_gap(lips).mean() > lip_gap(rest_shape(clip)) + 0.01
