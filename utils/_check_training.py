"""Rows of `check_accelerator.py` on training: loss curves beside the CPU's, exact resume, two processes."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from check_accelerator import LOSS, Bench, Skip, library
from synthetic_clips import (
    TINY_AUTOENCODER,
    TINY_ECHOMIMIC,
    TINY_NETWORKS,
    lip_clips,
    write_disc_films,
    write_faces,
    write_lip_clips,
)


EXAMPLES = Path(__file__).parents[1] / "examples"
RESUMED = {"cpu": 1e-6}  # relative difference of a resumed run's losses
RESUMED_ELSEWHERE = 1e-2  # sums of floats in any order


def data(bench: Bench) -> Path:
    """Synthetic data of all scripts, made once."""
    root = bench.folder / "training"
    if not root.exists():
        (root / "films").mkdir(parents=True)
        write_lip_clips(root / "lips", lip_clips(16))
        write_faces(root / "faces.safetensors")
        write_disc_films(root / "discs", root / "films")
    return root


def pvar(root: Path) -> dict[str, Any]:
    return {"prepared": root / "lips", "networks": TINY_NETWORKS, "batch_size": 8, "warmup_steps": 2}


def renderer(root: Path) -> dict[str, Any]:
    network = {"block_out_channels": [8, 8, 8]}
    adversary = {"adversarial_weight": 0.1, "adversarial_start": 4, "adversarial_ramp": 2}
    shared = {"faces": root / "faces.safetensors", "shares": {"grid": 1}, "network": network, "perceptual_weight": 0}
    return {**shared, **adversary, "batch_size": 2, "warmup_steps": 2, "mixed_precision": "no"}


def echomimic(root: Path, stage: str, **more: Any) -> dict[str, Any]:
    options = {"prepared": root / "discs", "videos": root / "films", "networks": TINY_ECHOMIMIC, "size": 64}
    options |= {"autoencoder": TINY_AUTOENCODER, "cache_clips": 2, "batch_size": 2, "learning_rate": 0.003}
    return {**options, "stage": stage, "warmup_steps": 1, "validate_batches": 1, "sample_steps": 2, **more}


def train(bench: Bench, script: str, output: str, cpu: bool, **settings: Any) -> tuple[str, list[float]]:
    """Run a training script in this process; the kind of device it ran on, and the loss of each step."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    folder = data(bench) / output
    steps = {"max_steps": bench.steps, "validate_every": 1000, "save_every": 1000, "cpu": cpu}
    options = [text for name, value in command({**steps, **settings}, folder).items() for text in (f"--{name}", value)]
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    try:
        used = import_module(script).main(options).accelerator.device.type
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
    return used, losses(folder)


def command(settings: dict[str, Any], output: Path) -> dict[str, str]:
    """Settings as a command line writes them: YAML."""
    settings = {**settings, "output": output}
    return {name: v if isinstance(v, str) else json.dumps(v, default=str).strip('"') for name, v in settings.items()}


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def _curve(script: str, name: str, settings):
    def check(bench: Bench) -> str:
        options = settings(data(bench))
        used, ours = train(bench, script, f"{name}-device", bench.device.type == "cpu", **options)
        assert used == bench.device.type, f"ran on {used}"
        _, wanted = train(bench, script, f"{name}-cpu", True, **options)
        last = max(1, len(wanted) // 5)
        ends = [np.mean(curve[-last:]) for curve in (ours, wanted)]
        away = abs(ends[0] - ends[1]) / abs(ends[1])
        figures = f"loss {wanted[0]:.3f} to {ends[0]:.3f}, on the CPU {ends[1]:.3f}"
        assert len(ours) == len(wanted) == bench.steps, f"{len(ours)} and {len(wanted)} steps"
        assert away < LOSS, f"{figures}; wants within {LOSS:.0%}"
        return figures

    return check


def _resume(script: str, name: str, settings):
    def check(bench: Bench) -> str:
        options, cpu = settings(data(bench)), bench.device.type == "cpu"
        half = bench.steps // 2
        _, whole = train(bench, script, f"{name}-whole", cpu, **options)
        options["save_every"] = half
        train(bench, script, f"{name}-parts", cpu, **options, stop_after=half)
        _, parts = train(bench, script, f"{name}-parts", cpu, **options, resume="latest")
        away = float(np.abs(np.array(parts) / whole - 1).max()) if len(parts) == len(whole) else np.inf
        most = RESUMED.get(bench.device.type, RESUMED_ELSEWHERE)
        assert away <= most, f"losses differ by {away:.1e} of them; wants {most:.0e}"
        return f"losses of {half} steps and those after differ by {away:.1e} at most"

    return check


def motion_stage(bench: Bench) -> str:
    """Last of EchoMimic's three stages, from a pipeline that the second wrote."""
    root, cpu = data(bench), bench.device.type == "cpu"
    for stage in ("vae", "spatial"):
        if not (root / f"motion-{stage}/final").exists():
            vae = {} if stage == "vae" else {"vae": root / "motion-vae/final/vae"}
            train(bench, "train_echomimic", f"motion-{stage}", cpu, **echomimic(root, stage, **vae), max_steps=4)
    start = root / "motion-spatial/final"
    return _curve("train_echomimic", "motion", lambda root: echomimic(root, "motion", start=start, frames=3))(bench)


def spatial_stage(bench: Bench) -> str:
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    folder = data(bench) / "vae"
    AutoencoderKL(**TINY_AUTOENCODER).save_pretrained(folder)
    return _curve("train_echomimic", "spatial", lambda root: echomimic(root, "spatial", vae=folder))(bench)


def durations(bench: Bench) -> str:
    """The head of the durations on the device, beside the CPU's."""
    from text2lip.text import Timeline
    from text2lip.training.duration_head import EncodedLessons, fit_head, lesson

    phones = [("b", 0.1, 0.2), ("l", 0.2, 0.3), ("uː", 0.3, 0.4), ("aɪ", 0.4, 0.7)]
    sentence, ends = Timeline.from_phones(phones, [("blue", 0.1, 0.4), ("eye", 0.4, 0.7)], duration=1.0), []
    for device in ("cpu", bench.device):
        pipe = bench.pipeline()
        encoder = pipe.viseme_encoder.float().to(device)
        pool = EncodedLessons(encoder, [lesson(pipe.tokenizer, sentence, whole_words=True)])
        head = fit_head(encoder, [(pool, 1)], steps=20 * bench.steps, learning_rate=3e-3)
        ends.append(head(pool.states.float())[:, 0].exp().sum().item())
    assert abs(ends[0] - ends[1]) < 0.02, f"{ends[1]:.3f} s, on the CPU {ends[0]:.3f} s"
    return f"a sentence of 1.0 s: {ends[1]:.3f} s, on the CPU {ends[0]:.3f} s"


def two_processes(bench: Bench) -> str:
    known = library(bench.device)
    count = 2 if known is None else known.device_count()
    if count < 2:
        raise Skip("there is one device")
    root = data(bench)
    settings = {**pvar(root), "max_steps": bench.steps, "validate_every": 1000, "save_every": 1000}
    options = command({**settings, "cpu": known is None}, root / "two")
    call = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    call += ["--num_machines", "1", "--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]
    call += [
        str(EXAMPLES / "train_pvar.py"),
        *(word for key, value in options.items() for word in (f"--{key}", value)),
    ]
    done = subprocess.run(call, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1:]
    assert "2 processes" in done.stdout, done.stdout[:200]
    curve = losses(root / "two")
    assert len(curve) == bench.steps and np.isfinite(curve).all(), curve
    return f"loss {curve[0]:.3f} to {curve[-1]:.3f}"


def vae_stage(root: Path) -> dict[str, Any]:
    return echomimic(root, "vae")


ROWS = {
    "train_pvar.py": _curve("train_pvar", "pvar", pvar),
    "train_renderer.py with an adversary": _curve("train_renderer", "renderer", renderer),
    "train_echomimic.py, vae": _curve("train_echomimic", "vae", vae_stage),
    "train_echomimic.py, spatial": spatial_stage,
    "train_echomimic.py, motion": motion_stage,
    "train_durations.py, its head": durations,
    "resume of train_pvar.py": _resume("train_pvar", "pvar", pvar),
    "resume of train_renderer.py": _resume("train_renderer", "renderer", renderer),
    "resume of train_echomimic.py": _resume("train_echomimic", "echomimic", vae_stage),
    "two processes of train_pvar.py": two_processes,
}
