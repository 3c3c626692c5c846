"""Train the learned renderer, LandmarkGuidedUNet, on pairs of mouth pictures.

    python examples/prepare_grid.py --output outputs/grid
    python examples/prepare_pairs.py --prepared outputs/grid --output outputs/pairs
    accelerate launch examples/train_renderer.py --config examples/configs/renderer_grid.yaml
    accelerate launch examples/train_renderer.py --config examples/configs/renderer_grid.yaml --resume latest
    accelerate launch examples/train_renderer.py --config examples/configs/renderer_grid_second.yaml

Every setting of the YAML file can be given on the command line too, which wins. Writes to the output folder:
`config.json`, `log.jsonl` (losses and validation figures), `sheet-<step>.png` (film, warp, network on faces that are
not trained on), `checkpoint-<step>` (resumes exactly), `best` (averaged weights that did best there) and `final`: the
built-in pipeline with this renderer, which `Text2LipPipeline.from_pretrained` and the benchmarks' `--pipeline` take.
The perceptual loss wants LPIPS' AlexNet weights: python utils/convert_metric_weights.py --download
"""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import Accelerator

from text2lip import Text2LipPipeline
from text2lip.licences import check_licence
from text2lip.models.landmark_unet import LandmarkGuidedUNet, compose
from text2lip.pipelines.hub import pipeline_source
from text2lip.training.ema import EMA
from text2lip.training.pairs import PairFolder, PairMix
from text2lip.training.publish import as_pipeline, began_with, note_training
from text2lip.training.renderer_adversary import MouthDiscriminator, adversarial_share, discriminator_loss
from text2lip.training.renderer_augment import draw_batch
from text2lip.training.renderer_losses import learning_rate, renderer_losses
from text2lip.training.renderer_validation import load_films, validate_renderer
from text2lip.training.run import TrainingRun
from text2lip.training.settings import errors_in_one_line, parse_settings
from text2lip.training.state import seed_step


@dataclass
class TrainConfig:
    """Settings of a run; the file `config.json` beside its checkpoints holds them."""

    pairs: str = "outputs/pairs"  # films/, stills/, heads/, val/ of examples/prepare_pairs.py; val/ may be missing
    shares: dict[str, float] = field(default_factory=lambda: {"films": 0.85, "stills": 0.15})  # folder: share of draws
    output: str = "outputs/renderer"  # folder for checkpoints, weights and log
    network: dict[str, Any] = field(default_factory=dict)  # keyword arguments of LandmarkGuidedUNet
    start: str | None = None  # pipeline or LandmarkGuidedUNet to begin with: built-in name, folder or Hub id
    max_steps: int = 10000  # steps of the optimiser, over which the schedules run
    batch_size: int = 8  # pairs of two frames, on each process
    learning_rate: float = 1e-3  # its peak, after the warm-up
    warmup_steps: int = 100  # steps in which the learning rate rises
    weight_decay: float = 0.01  # of AdamW
    max_grad_norm: float = 1.0  # longer gradients are shortened to this norm
    ema_decay: float = 0.998  # of the averaged weights, which are those validated and kept
    l1_weight: float = 1.0  # of this loss
    gradient_weight: float = 0.5  # of this loss, on edges
    temporal_weight: float = 0.5  # of this loss, on differences of neighbouring frames
    ssim_weight: float = 0.1  # of this loss
    perceptual_weight: float = 0.5  # of LPIPS; 0: without
    adversarial_weight: float = 0.0  # of the adversary's verdict; 0: without
    adversarial_start: int = 3000  # steps until the adversary has a say; it begins to learn a ramp earlier
    adversarial_ramp: int = 1000  # steps until it has its full one
    lpips: str | None = None  # file or folder of the weights; default: where the metric looks
    validate_every: int = 500  # steps; the best weights are kept then
    save_every: int = 500  # steps between checkpoints
    keep_checkpoints: int = 2  # older ones are deleted
    mixed_precision: str = "auto"  # no, bf16, fp16, or auto: bf16 where the processor has it
    tracker: str | None = None  # such as tensorboard
    push_to_hub: str | None = None  # user/name: a pipeline with the final weights goes there
    data: str = "Pairs of mouth pictures."  # what the model card says of them
    licence: str | None = None  # of the weights, an SPDX identifier; wanted with push_to_hub
    resume: str | None = None  # latest, or a checkpoint
    stop_after: int | None = None  # steps; ends the run early, schedules unchanged
    seed: int = 0  # of all draws
    threads: int | None = None  # of torch
    cpu: bool = False  # true: train on the processor even if there is a GPU


def parse_config(arguments: list[str] | None = None) -> TrainConfig:
    """Defaults, overridden by the YAML file, overridden by the command line."""
    return parse_settings(TrainConfig, __doc__, arguments)


def perceptual_model(config: TrainConfig):
    """LPIPS' AlexNet, frozen; None where its weight is 0."""
    if not config.perceptual_weight:
        return None
    from text2lip.metrics.perceptual import LPIPSModel

    return LPIPSModel.load(config.lpips)


def build_network(config: TrainConfig) -> LandmarkGuidedUNet:
    torch.manual_seed(config.seed)
    if config.start:
        source = pipeline_source(config.start, "start")
        try:
            return LandmarkGuidedUNet.from_pretrained(source, subfolder="unet", torch_dtype=torch.float32)
        except OSError:  # no pipeline: the network alone
            return LandmarkGuidedUNet.from_pretrained(source, torch_dtype=torch.float32)
    return LandmarkGuidedUNet(**config.network)


class Run(TrainingRun):
    """Everything of one training run, and its loop."""

    def __init__(self, config: TrainConfig):
        self.config, self.output = config, Path(config.output)
        config.licence = check_licence(config.licence, config.push_to_hub)
        if config.threads:
            torch.set_num_threads(config.threads)
            cv2.setNumThreads(config.threads)
        self.accelerator = Accelerator(
            cpu=config.cpu,
            mixed_precision=self.precision(),
            log_with=config.tracker,
            project_dir=config.output,
        )
        folders = {name: PairFolder(Path(config.pairs) / name) for name, share in config.shares.items() if share}
        self.pairs = PairMix(folders, config.shares)
        val = Path(config.pairs) / "val"
        self.films = load_films(val) if val.is_dir() else {}
        if not self.films:
            self.say(f"no films in {val}: nothing is validated and no `best` is kept")
        self.perceptual = perceptual_model(config)
        if self.perceptual is not None:
            self.perceptual.to(self.accelerator.device)
        network = build_network(config)
        self.began = began_with(config.start, network)
        self.ema = EMA(network, config.ema_decay)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        self.adversary = None
        if config.adversarial_weight:
            torch.manual_seed(config.seed)
            adversary = MouthDiscriminator()
            rate = config.learning_rate
            judge = torch.optim.AdamW(adversary.parameters(), lr=rate, betas=(0.5, 0.99), weight_decay=0)
            self.adversary, self.judge = self.accelerator.prepare(adversary, judge)
        self.same = {"seed": config.seed, "batch_size": config.batch_size, "shares": config.shares}
        self.same["adversary"] = True if config.adversarial_weight else None  # None: as it is in older checkpoints
        self.run = {"step": 0, "best": None, **self.same, "max_steps": config.max_steps}
        self.resume()

    def fit(self):
        """Train to the last step; every draw depends on (seed, step, rank) alone."""
        config, began = self.config, time.perf_counter()
        size = sum(p.numel() for p in self.network.parameters()) / 1e6
        self.say(f"{self.accelerator.num_processes} processes, {len(self.pairs)} pairs, {size:.2f} M parameters")
        if config.tracker:
            self.accelerator.init_trackers("renderer")
        if self.run["step"] == 0 and self.films:
            self.log({"step": 0, **validate_renderer(None, self.films, self.perceptual)[0]})
        self.network.train()
        last = self.begin()
        while self.run["step"] < last:
            figures = self.step()
            self.run["step"] += 1
            self.after(figures, time.perf_counter() - began)
        if self.run["step"] >= config.max_steps:
            self.keep("final")
            if config.push_to_hub and self.accelerator.is_main_process:
                Text2LipPipeline.from_pretrained(self.output / "final").push_to_hub(config.push_to_hub)
        self.accelerator.end_training()

    def step(self) -> dict[str, float]:
        """One step of the optimiser; returns its losses."""
        config, step, device = self.config, self.run["step"], self.accelerator.device
        seed = int(torch.randint(2**62, (1,), generator=seed_step(config.seed, step, self.accelerator.process_index)))
        batch = draw_batch(self.pairs, config.batch_size, np.random.default_rng(seed))
        batch = {name: value.to(device) for name, value in batch.items()}
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, config.learning_rate, config.warmup_steps, config.max_steps)
        warped, drawings, reference = (batch[name].flatten(0, 1) for name in ("warped", "drawings", "reference"))
        source = batch["source"].repeat_interleave(2, 0)
        with self.accelerator.autocast():
            out = self.network(source, batch["seen"].flatten(0, 1), drawings, reference)
            crops = compose(warped, out, batch["moved"].flatten(), reference)
            parts = renderer_losses(crops.unflatten(0, batch["warped"].shape[:2]), batch, self.perceptual)
        total = sum(getattr(config, f"{name}_weight") * value for name, value in parts.items())
        judged = {}
        if self.adversary is not None and step >= config.adversarial_start - config.adversarial_ramp:
            judged = self.judge_step(crops.detach(), batch["target"].flatten(0, 1), drawings[:, 4:])
        share = adversarial_share(step, config.adversarial_start, config.adversarial_ramp)
        if judged and share:
            with self.accelerator.autocast():
                judged["adversarial"] = -self.accelerator.unwrap_model(self.adversary)(crops, drawings[:, 4:]).mean()
            total = total + share * config.adversarial_weight * judged["adversarial"]
        if not total.isfinite():
            raise RuntimeError(
                f"the loss is {total.item()} at step {step} ({ {k: v.item() for k, v in parts.items()} }); "
                "lower the learning rate and resume the last checkpoint."
            )
        self.accelerator.backward(total)
        norm = self.accelerator.clip_grad_norm_(self.network.parameters(), config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update(self.accelerator.unwrap_model(self.network))
        figures = {"loss": total, **parts, **judged}
        figures = {k: self.accelerator.reduce(v.detach(), "mean").item() for k, v in figures.items()}
        return {**figures, "gradient_norm": float(norm)}

    def judge_step(self, drawn: torch.Tensor, real: torch.Tensor, drawings: torch.Tensor) -> dict[str, torch.Tensor]:
        """One step of the adversary; returns its loss."""
        for group in self.judge.param_groups:
            group["lr"] = self.optimizer.param_groups[0]["lr"]
        with self.accelerator.autocast():
            scores = self.adversary(torch.cat([real, drawn]), drawings.repeat(2, 1, 1, 1)).float()
            loss = discriminator_loss(*scores.chunk(2))
        self.judge.zero_grad()
        self.accelerator.backward(loss)
        self.judge.step()
        return {"discriminator": loss}

    def validate(self):
        """Figures and a sheet of the averaged weights; the best are kept. On the main process alone."""
        if self.accelerator.is_main_process and self.films:
            from PIL import Image

            network = self.accelerator.unwrap_model(self.network)
            with self.ema.applied(network):
                figures, sheet = validate_renderer(network, self.films, self.perceptual)
            Image.fromarray(sheet).save(self.output / f"sheet-{self.run['step']}.png")
            self.log({"step": self.run["step"], **figures})
            self.say(f"val at step {self.run['step']}: {json.dumps({k: round(v, 4) for k, v in figures.items()})}")
            error = figures.get("ours/mouth_lpips", -figures["ours/mouth_psnr"])
            if self.run["best"] is None or error < self.run["best"]:
                self.run["best"] = error
                self.keep("best", figures)
        self.accelerator.wait_for_everyone()

    def keep(self, name: str, figures: dict[str, float] | None = None):
        """Write the averaged weights to `name`, whole or not at all."""
        if not self.accelerator.is_main_process:
            return
        network = self.accelerator.unwrap_model(self.network)
        settings = asdict(self.config) | {"data": self.config.data + self.began}
        note_training([network], settings, figures, self.run["step"], "train_renderer.py", "")
        with self.kept(name) as folder:
            with self.ema.applied(network):
                as_pipeline("text2lip-grid", unet=network).save_pretrained(folder)
            (folder / "figures.json").write_text(json.dumps({"step": self.run["step"], **(figures or {})}, indent=2))


def main(arguments: list[str] | None = None) -> Run:
    run = Run(parse_config(arguments))
    run.fit()
    return run


if __name__ == "__main__":
    with errors_in_one_line():
        begun = Run(parse_config())
    begun.fit()
