"""The three networks in a row."""

import pytest
import torch

from text2lip.training import Text2LipNetworks, collate, to_sample


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
