"""Figures of the networks on held-out clips, and what they are warned of."""

import torch

from text2lip.training import (
    collate,
    masked_l1,
    to_sample,
    validate_lips,
    warnings_of,
)


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


def test_overfits_one_batch(clips, untrained):
    networks = untrained
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
