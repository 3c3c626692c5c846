"""Train the learned renderer, LandmarkGuidedUNet, on pairs of mouth pictures.

    python examples/prepare_pairs.py --output outputs/faces.safetensors
    accelerate launch examples/train_renderer.py --config examples/configs/renderer_faces.yaml
    accelerate launch examples/train_renderer.py --config examples/configs/renderer_faces.yaml --resume latest

Every setting of the YAML file can be given on the command line too, which wins. Writes to the output folder:
`config.json`, `log.jsonl` (losses and validation figures), `sheet-<step>.png` (film, warp, network on faces that are
not trained on), `checkpoint-<step>` (resumes exactly), `best` (averaged weights that did best there) and `final`: the
built-in pipeline with this renderer, which `Text2LipPipeline.from_pretrained` and the benchmarks' `--pipeline` take.
The perceptual loss wants LPIPS' VGG16 weights, `mouth_lpips` of validation, which is no loss, its AlexNet's:
python utils/convert_metric_weights.py --download
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn

from text2lip.licences import check_licence
from text2lip.models.landmark_unet import LandmarkGuidedUNet, compose
from text2lip.pipelines.hub import pipeline_source
from text2lip.training import renderer_losses as L
from text2lip.training.ema import EMA
from text2lip.training.face_pack import load_faces
from text2lip.training.losses import weighted_sum
from text2lip.training.pairs import PairMix, make_pairs
from text2lip.training.publish import as_pipeline, began_with
from text2lip.training.renderer_augment import draw_batch
from text2lip.training.renderer_validation import load_films, validate_renderer
from text2lip.training.schedules import adversarial_share
from text2lip.training.state import seed_step
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say


Tensors = dict[str, torch.Tensor]
SHARES = {"smiles": 0.3, "mouths": 0.1, "talking": 0.35, "grid": 0.2, "portraits": 0.05}


@dataclass
class TrainConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    faces: str = "outputs/faces.safetensors"  # file of examples/prepare_pairs.py
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))  # kind of people: share of draws
    output: str = "outputs/renderer"
    batch_size: int = 16  # pairs, on each process
    data: str = "Pairs of mouth pictures."
    network: dict[str, Any] = field(default_factory=lambda: {"paints": False})  # arguments of LandmarkGuidedUNet
    start: str | None = None  # pipeline or LandmarkGuidedUNet to begin with: built-in name, folder or Hub id
    l1_weight: float = 1.0  # of this loss
    gradient_weight: float = 0.5  # of this loss, on edges
    ssim_weight: float = 0.1  # of this loss
    perceptual_weight: float = 0.5  # of LPIPS in VGG16's features; 0: without
    perceptual_layers: int = 3  # of its five, the finest first
    adversarial_weight: float = 0.0  # of the adversary's verdict; 0: without
    adversarial_start: int = 3000  # steps until the adversary has a say; it begins to learn a ramp earlier
    adversarial_ramp: int = 1000  # steps until it has its full one
    vgg: str | None = None  # file or folder of the perceptual loss's weights; default: where the metrics look
    lpips: str | None = None  # of the AlexNet that validation judges by, likewise
    push_to_hub: str | None = None  # user/name: a pipeline with the final weights goes there
    licence: str | None = None  # of the weights, an SPDX identifier; wanted with push_to_hub
    threads: int | None = None  # of torch


def perceptual_model(config: TrainConfig):
    """LPIPS' VGG16, frozen; None where its weight is 0."""
    if not config.perceptual_weight:
        return None
    from text2lip.training.perceptual_loss import VGGPerceptualLoss

    return VGGPerceptualLoss.load(config.vgg, config.perceptual_layers)


def judge_model(config: TrainConfig):
    """LPIPS' AlexNet for validation alone; None where its weights are not."""
    from text2lip.metrics import LPIPSModel, MissingWeights

    try:
        return LPIPSModel.load(config.lpips)
    except MissingWeights as missing:
        say(f"no mouth_lpips in validation: {missing}")
        return None


def build_network(config: TrainConfig) -> LandmarkGuidedUNet:
    torch.manual_seed(config.seed)
    if config.start:
        source = pipeline_source(config.start, "start")
        try:
            return LandmarkGuidedUNet.from_pretrained(source, subfolder="unet", torch_dtype=torch.float32)
        except OSError:  # no pipeline: the network alone
            return LandmarkGuidedUNet.from_pretrained(source, torch_dtype=torch.float32)
    return LandmarkGuidedUNet(**config.network)


def build_losses(config: TrainConfig, perceptual: nn.Module | None) -> dict[str, tuple[float, Callable]]:
    """Name -> (weight, function of crops (batch, 3, 96, 96) and the batch)."""
    losses = {
        "l1": (config.l1_weight, lambda ours, x: L.weighted_l1(ours, x["target"], x["inside"])),
        "gradient": (config.gradient_weight, lambda ours, x: L.gradient_l1(ours, x["target"])),
        "ssim": (config.ssim_weight, lambda ours, x: L.ssim_loss(ours, x["target"])),
    }
    if perceptual is not None:
        losses["perceptual"] = (
            config.perceptual_weight,
            lambda ours, x: openings_distance(perceptual, ours, x),
        )
    return losses


def openings_distance(perceptual: nn.Module, ours: torch.Tensor, batch: Tensors) -> torch.Tensor:
    """Mean perceptual distance of the widest open mouths' insides; 0 where all are shut."""
    pictures = L.openings(torch.cat([ours, batch["target"]], 1), batch["inside"])
    drawn, real = pictures[:, :3], pictures[:, 3:]
    return perceptual(drawn, real).float().mean() if len(drawn) else drawn.sum()


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = TrainConfig
    script = "train_renderer.py"
    published = "final"

    def __init__(self, config: TrainConfig):
        config.licence = check_licence(config.licence, config.push_to_hub)
        if config.threads:
            torch.set_num_threads(config.threads)
            cv2.setNumThreads(config.threads)
        accelerator = build_accelerator(config)
        kinds = [kind for kind, share in config.shares.items() if share]
        people = load_faces(config.faces, kinds)
        self.pairs = PairMix(make_pairs(people, np.random.default_rng(0)), config.shares)
        self.films = load_films(config.faces)
        none = "" if self.films else "; no films of val: nothing is validated and no `best` is kept"
        say(f"{len(people)} people and clips, {len(self.pairs)} pairs{none}")
        self.perceptual = perceptual_model(config)
        if self.perceptual is not None:
            self.perceptual.to(accelerator.device)
        self.judge = judge_model(config) if self.films else None
        self.losses = build_losses(config, self.perceptual)
        network = build_network(config)
        self.start = began_with(config.start, network)
        ema = EMA(network, config.ema_decay)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
        network, optimizer = accelerator.prepare(network, optimizer)
        self.adversary = None
        if config.adversarial_weight:
            torch.manual_seed(config.seed)
            adversary = L.MouthDiscriminator()
            rate = config.learning_rate
            adversary_optimizer = torch.optim.AdamW(adversary.parameters(), lr=rate, betas=(0.5, 0.99), weight_decay=0)
            self.adversary, self.adversary_optimizer = accelerator.prepare(adversary, adversary_optimizer)
        fixed = {"seed": config.seed, "batch_size": config.batch_size, "shares": config.shares}
        fixed["adversary"] = True if config.adversarial_weight else None  # None: as it is in older checkpoints
        super().__init__(config, accelerator, network, optimizer, ema, fixed)

    def fit(self):
        """Log what the warp and the still reach, then train."""
        if self.step == 0 and self.films:
            self.log({"step": 0, **validate_renderer(None, self.films, self.judge)[0]})
        super().fit()

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Pairs at random, each a new person, see [`draw_batch`]."""
        for step in range(first, last):
            draws = seed_step(self.config.seed, step, self.accelerator.process_index)
            seed = int(torch.randint(2**62, (1,), generator=draws))
            batch = draw_batch(self.pairs, self.config.batch_size, np.random.default_rng(seed))
            yield {name: value.to(self.accelerator.device) for name, value in batch.items()}

    def loss(self, batch: Tensors, generator: torch.Generator):
        """The sum of all losses of a batch, and each of them; the adversary makes its step on the way."""
        config, step = self.config, self.step
        drawings, reference = batch["drawings"], batch["reference"]
        with self.accelerator.autocast():
            out = self.network(batch["source"], batch["seen"], drawings, reference)
            crops = compose(batch["warped"], out, batch["moved"], reference)
            crops = batch["target"] + batch["judged"] * (crops - batch["target"])
            total, parts = weighted_sum(self.losses, crops, batch)
        if self.adversary is not None and step >= config.adversarial_start - config.adversarial_ramp:
            points = drawings[:, 4:]
            parts["discriminator"] = self.adversary_step(crops.detach(), batch["target"], points)
            share = adversarial_share(step, config.adversarial_start, config.adversarial_ramp)
            if share:
                with self.accelerator.autocast():
                    parts["adversarial"] = -self.accelerator.unwrap_model(self.adversary)(crops, points).mean()
                total = total + share * config.adversarial_weight * parts["adversarial"]
        return total, parts

    def adversary_step(self, drawn: torch.Tensor, real: torch.Tensor, drawings: torch.Tensor) -> torch.Tensor:
        """One step of the adversary; returns its loss."""
        for group in self.adversary_optimizer.param_groups:
            group["lr"] = self.optimizer.param_groups[0]["lr"]
        with self.accelerator.autocast():
            scores = self.adversary(torch.cat([real, drawn]), drawings.repeat(2, 1, 1, 1)).float()
            loss = L.discriminator_loss(*scores.chunk(2))
        self.adversary_optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.adversary_optimizer.step()
        return loss

    def evaluate(self, network: LandmarkGuidedUNet) -> tuple[dict[str, float], float | None]:
        """Figures and a sheet of `val`."""
        if not self.films:
            return {}, None
        figures, sheet = validate_renderer(network, self.films, self.judge)
        Image.fromarray(sheet).save(self.output / f"sheet-{self.step}.png")
        return figures, figures.get("ours/mouth_lpips", -figures["ours/mouth_psnr"])

    def write(self, network: LandmarkGuidedUNet, folder: Path, figures: dict[str, float]):
        """The built-in pipeline with this renderer."""
        self.note(network, figures, self.start)
        as_pipeline("text2lip-grid", unet=network).save_pretrained(folder)


main = Run.main


if __name__ == "__main__":
    main()
