"""`examples/train_sync_scorer.py` on a handful of made-up clips, and what changes in the clips it learns from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from synthetic_clips import MOUTH_FILM_FRAMES, write_mouth_films

from text2lip.metrics.sync_scorer import SEEN_SIZE, SyncScorer
from text2lip.training import sync_samples


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    import train_sync_scorer

    return train_sync_scorer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    write_mouth_films(folder)
    return folder


def train(script, prepared, output, *more):
    settings = {"prepared": prepared, "output": output, "network": "{channels: 16, size: 8}", "cpu": "true"}
    settings |= {"max_steps": 4, "batch_size": 2, "frames": 24, "warmup_steps": 1, "validate_every": 4}
    settings |= {"save_every": 2, "mixed_precision": "no"}
    return script.main([text for name, value in settings.items() for text in (f"--{name}", str(value))] + [*more])


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(script, prepared, tmp_path):
    whole = train(script, prepared, tmp_path / "whole")
    train(script, prepared, tmp_path / "parts", "--stop_after", "2")
    parts = train(script, prepared, tmp_path / "parts", "--resume", "latest")
    assert all(torch.equal(a, b) for a, b in zip(whole.network.parameters(), parts.network.parameters()))
    row = json.loads((tmp_path / "whole/log.jsonl").read_text().splitlines()[-1])
    assert {"val/same/within_one", "val/same/lips/confidence"} <= set(row)
    best = SyncScorer.from_pretrained(tmp_path / "whole/best")
    stored = load_file(tmp_path / "whole/best/diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16} and best.config.channels == 16
    assert best.config["_training"]["figures"]["same/within_one"] == row["val/same/within_one"]


def test_the_loss_is_least_where_lips_and_sound_belong_together(script):
    generator = torch.Generator().manual_seed(0)
    heard = torch.nn.functional.normalize(torch.randn(2, 12, 8, generator=generator), dim=-1)
    loud = torch.ones(2, 12, dtype=torch.bool)
    right = script.contrast(heard, heard, loud, torch.tensor(20.0))
    assert right < 0.5 < 5 < script.contrast(heard.roll(1, 1), heard, loud, torch.tensor(20.0))
    loud[:, 0] = False  # what is silent does not count
    changed = heard.clone()
    changed[:, 0] = -changed[:, 0]
    assert script.contrast(changed, changed, loud, torch.tensor(20.0)) < 0.5


def test_clips_are_changed_without_moving_in_time(prepared):
    clip = sync_samples.sync_clips(prepared, "train", limit=1)[0]
    assert (
        clip.grey.shape == (MOUTH_FILM_FRAMES, 56, 56)
        and clip.lips.shape == (MOUTH_FILM_FRAMES, 40, 2)
        and clip.mel.shape[1] == 320
    )
    rng = np.random.default_rng(0)
    for _ in range(3):
        face = sync_samples.other_face(clip.grey, rng)
        lips, voice = sync_samples.other_lips(clip.lips, rng), sync_samples.other_voice(clip.mel, rng)
        assert face.shape == (MOUTH_FILM_FRAMES, SEEN_SIZE, SEEN_SIZE) and -50 < face.min() < face.max() < 350
        assert lips.shape == clip.lips.shape and voice.shape == clip.mel.shape
        assert not np.allclose(voice, clip.mel, atol=0.05)
        opening, seen = clip.lips[:, 25, 1], 255 - face.mean((1, 2)).numpy()
        for found in (seen, lips[:, 25, 1].numpy(), voice.mean(-1).numpy()):
            shifts = [np.corrcoef(opening[2:-2], found[2 + s : len(found) - 2 + s])[0, 1] for s in range(-2, 3)]
            assert np.argmax(shifts) == 2
