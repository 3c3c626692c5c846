"""`examples/benchmarks/pvar_table.py` on eight synthetic clips."""

import json
from pathlib import Path

import pytest


BENCHMARKS = Path(__file__).parents[2] / "examples/benchmarks"
TINY = """
networks:
  viseme_encoder: {hidden_dim: 16, feed_forward_dim: 16, num_phones: 128, num_features: 6}
  pseudo_audio: {hidden_dim: 16, feed_forward_dim: 16}
  lip_decoder: {hidden_dim: 16, token_dim: 16, feed_forward_dim: 16, num_layers: 1}
pvar: {kind: linear, end: 0.8}
"""


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import pvar_table

    return pvar_table


def figures(gap: float, error: float) -> dict:
    row = {"gap_r": gap, "width_r": 0.5, "lmd_centred": error, "jerk_ratio": 1.0, "motion_ratio": None}
    return {f"{kind}/{key}": value for kind in ("text", "audio") for key, value in row.items()}


def test_the_table_shows_means_spreads_and_gains(script):
    rows = {name: [] for name in (*script.SCHEDULES, script.SOUND_ONLY)}
    rows["p = 1"] = [figures(0.8, 0.009), figures(0.9, 0.009)]
    rows[script.SOUND_ONLY] = [figures(0.68, 0.010)]
    text = script.table(rows, 300, 16)
    assert "| p = 1 | 2 | 0.85 ± 0.07 | 0.5 ± 0 | 0.009 ± 0 | 1 ± 0 | – |" in text
    assert "| p = 1, without sound | +25.0 | +0.0 | +10.0 |" in text
    assert "| p = 0, with sound | – | – | – |" in text


def test_only_a_finished_run_has_figures(script, tmp_path):
    assert script.last_figures(tmp_path, 2) is None
    rows = [{"step": 1, "loss": 3.0}, {"step": 1, "val/pseudo_audio_l1": 1.0}, {"step": 2, "loss": 2.0}]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert script.last_figures(tmp_path, 2) is None
    assert script.last_figures(tmp_path, 1) == {"pseudo_audio_l1": 1.0}


@pytest.mark.slow
def test_runs_once_and_goes_on(script, prepared, tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.setattr(script, "SCHEDULES", {"shipped": None})
    command = ["--prepared", prepared, "--output", tmp_path / "table", "--config", tmp_path / "tiny.yaml"]
    command += ["--steps", "4", "--batch_size", "3", "--seeds", "5", "--cpu"]
    command = [str(part) for part in command]
    made = script.main(command)
    assert set(made) == {"shipped", script.SOUND_ONLY} and all(len(runs) == 1 for runs in made.values())
    report = json.loads((tmp_path / "table/table.json").read_text())
    assert report["steps"] == 4 and report["rows"] == made
    config = json.loads((tmp_path / "table/shipped-5/config.json").read_text())
    assert config["pvar"] == {"kind": "linear", "end": 0.8} and config["teacher_texts"] is None
    assert json.loads((tmp_path / "table/sound_alone-5/config.json").read_text())["use_visemes"] is False
    monkeypatch.setattr(script.subprocess, "run", lambda *a, **k: pytest.fail("trained again"))
    assert script.main(command) == made
