"""Checkpoints, and draws that depend on seed, step and rank."""

import json

import pytest
import torch

from text2lip.training import find_checkpoint, seed_step
from text2lip.training.state import checkpoints


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
