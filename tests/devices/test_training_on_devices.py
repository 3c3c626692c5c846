"""Each training script on a device, from its first step to its last weights: the losses of the processor."""

import json
from importlib import import_module
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState, PartialState
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from stand_in import StandIn
from synthetic_clips import (
    TINY_AUTOENCODER,
    TINY_ECHOMIMIC,
    TINY_NETWORKS,
    lip_clips,
    write_disc_films,
    write_faces,
    write_lip_clips,
    write_mouth_films,
)

from text2lip.metrics import LPIPSModel
from text2lip.training.perceptual_loss import VGGPerceptualLoss


EXAMPLES = Path(__file__).parents[2] / "examples"
SHARED = {"max_steps": 3, "warmup_steps": 1, "validate_every": 3, "save_every": 2, "batch_size": 2}
SHARED |= {"mixed_precision": "no"}
ECHOMIMIC = {"prepared": "discs", "videos": "films", "size": 64, "cache_clips": 2, "vae": "vae", "sample_steps": 1}
ECHOMIMIC |= {"validate_batches": 1, "autoencoder": TINY_AUTOENCODER, "networks": TINY_ECHOMIMIC}
RUNS = {
    "pvar": ("train_pvar", {"prepared": "lips", "networks": TINY_NETWORKS, "amplitude_weight": 0.1}),
    "pvar, spans": ("train_pvar", {"prepared": "lips", "networks": TINY_NETWORKS, "pvar": {"span_seconds": 0.2}}),
    "audio lips": (
        "train_audio_lips",
        {"prepared": "lips", "spoken": "lips", "lip_decoder": {**TINY_NETWORKS["lip_decoder"], "listening_layers": 1}}
        | {"shares": {"real": 1, "spoken": 1}},
    ),
    "renderer": (
        "train_renderer",
        {"faces": "faces.safetensors", "shares": {"grid": 1}, "network": {"block_out_channels": [8, 8, 8]}}
        | {
            "vgg": "vgg.safetensors",
            "lpips": "lpips.safetensors",
            "adversarial_weight": 0.1,
            "adversarial_start": 1,
            "adversarial_ramp": 1,
        },
    ),
    "sync scorer": ("train_sync_scorer", {"prepared": "mouths", "network": {"channels": 16, "size": 8}, "frames": 24}),
    "lip reader": (
        "train_lip_reader",
        {"prepared": "mouths", "sees": "crops", "reader": {"channels": 4, "width": 8, "dilations": [1]}},
    ),
    "echomimic": ("train_echomimic", ECHOMIMIC),
    "echomimic, vae": ("train_echomimic", ECHOMIMIC | {"stage": "vae"}),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    (root / "films").mkdir()
    write_lip_clips(root / "lips", lip_clips(6), 2)
    write_mouth_films(root / "mouths")
    write_faces(root / "faces.safetensors")
    write_disc_films(root / "discs", root / "films")
    torch.manual_seed(0)
    AutoencoderKL(**TINY_AUTOENCODER).save_pretrained(root / "vae")
    save_file(VGGPerceptualLoss().state_dict(), root / "vgg.safetensors")
    save_file(LPIPSModel().state_dict(), root / "lpips.safetensors")
    return root


def train(script, settings: dict, data: Path, output: Path, **more) -> list[dict]:
    """Run a script; the rows of its log."""
    AcceleratorState._reset_state(reset_partial_state=True)
    settings = SHARED | settings | {"output": output} | more
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, default=str) for name, value in settings.items()
    }
    texts |= {
        name: str(data / settings[name])
        for name in ("prepared", "spoken", "videos", "faces", "vae", "vgg", "lpips")
        if name in settings
    }
    try:
        script.main([text for name, value in texts.items() for text in (f"--{name}", value)])
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
    return [json.loads(row) for row in (output / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_losses_are_the_processors(run, data, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    name, settings = RUNS[run]
    script = import_module(name)
    want = train(script, settings, data, tmp_path / "cpu", cpu=True)
    with StandIn("cuda") as there:
        monkeypatch.setattr(PartialState, "default_device", there.device)
        train(script, settings, data, tmp_path / "gpu", stop_after=2)
        calls = there.calls
        got = train(script, settings, data, tmp_path / "gpu", resume="latest")
    assert calls > 100 and there.calls > 1.2 * calls
    assert [row.keys() for row in got] == [row.keys() for row in want]
    for ours, theirs in zip(got, want):
        assert all(ours[key] == theirs[key] for key in ours if not key.endswith("seconds"))
    made = sorted(path.relative_to(tmp_path / "cpu") for path in (tmp_path / "cpu/final").rglob("*.safetensors"))
    assert made and all((tmp_path / "cpu" / x).read_bytes() == (tmp_path / "gpu" / x).read_bytes() for x in made)


def test_every_training_script_is_among_them():
    scripts = {path.stem for path in EXAMPLES.glob("train_*.py")}
    assert scripts - {"train_durations"} == {name for name, _ in RUNS.values()}  # that one learns on the processor
