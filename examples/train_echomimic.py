"""Train EchoMimic's networks on prepared clips: from nothing, or from its published weights.

    python examples/prepare_grid.py --output outputs/grid
    python examples/train_echomimic.py --config examples/configs/echomimic_tiny.yaml --stage vae --output outputs/vae
    python examples/train_echomimic.py --config examples/configs/echomimic_tiny.yaml --stage spatial \\
        --vae outputs/vae/final/vae --output outputs/spatial
    python examples/train_echomimic.py --config examples/configs/echomimic_tiny.yaml --stage motion --frames 8 \\
        --start outputs/spatial/final --output outputs/motion

The stages are EchoMimic's: "spatial" on single frames, all but the motion modules; then "motion" on windows, the
motion modules alone. `--start` takes the folder of any pipeline with an EchoMimicUNet, such as
`utils/convert_echomimic_to_diffusers.py` makes; `--lora_rank 16` then learns low-rank matrices alone, for
`pipe.unet.load_lora_adapter(folder, prefix=None, weight_name="pytorch_lora_weights.safetensors")`. "vae" trains a
small autoencoder for those who have none; `--vae` takes any other. Every setting of the YAML file can be given on the
command line, which wins; `accelerate launch` runs it on several devices. Writes to the output folder: `config.json`,
`log.jsonl`, `sheet-<step>.png` (portrait, landmarks, film, sample), `checkpoint-<step>` (`--resume latest` goes on
exactly) and `final`: a pipeline of the averaged weights, or the matrices alone.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DistributedDataParallelKwargs
from diffusers import AutoencoderKL, DDIMScheduler
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from text2lip.cards import metadata_lines, signed, stated_licence, training_section, write_card
from text2lip.data.prepared import held_out, splits_of
from text2lip.licences import NOT_STATED, check_licence, hub_metadata
from text2lip.training.echomimic_networks import (
    SCHEDULE,
    EchoMimicNetworks,
    VAETraining,
    decode_latents,
    encode_pictures,
    sample,
    velocity_loss,
)
from text2lip.training.ema import EMA
from text2lip.training.face_windows import FaceBatches, FaceClips
from text2lip.training.publish import as_pipeline, began_with
from text2lip.training.state import seed_step
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say


Tensors = dict[str, torch.Tensor]
LORA_CARD = """---
{metadata}
---

# Low-rank matrices for an EchoMimicUNet

```python
pipe.unet.load_lora_adapter(folder, prefix=None, weight_name="pytorch_lora_weights.safetensors")
```

Licence: {licence}.

## Training

{training}
"""


@dataclass
class TrainConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    stage: str = "spatial"  # vae, spatial or motion
    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py; without `val` every tenth clip is held out
    videos: str = field(default_factory=lambda: os.environ.get("TEXT2LIP_DATA", "data"))  # what it was prepared from
    output: str = "outputs/echomimic"  # folder for checkpoints, weights, sheets and log
    data: str = "Prepared clips, their `train` split."
    start: str | None = None  # pipeline whose networks and VAE to begin with
    vae: str | None = None  # folder of an AutoencoderKL, in place of that of `start`
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)  # keyword arguments of new networks
    autoencoder: dict[str, Any] = field(default_factory=dict)  # keyword arguments of a new AutoencoderKL
    lora_rank: int = 0  # over 0: learn matrices of this rank on the denoiser's attentions alone
    whisper: str | None = None  # folder or Hub id of Whisper-tiny; without it there is no sound
    size: int = 512  # of the pictures, pixels
    frames: int = 1  # in a window
    limit_clips: int | None = None  # use only so many of each split, evenly from all of it
    cache_clips: int = 0  # kept in memory, so that their films are read once
    max_steps: int = 30000
    batch_size: int = 4  # windows, on each process
    learning_rate: float = 1e-5
    ema_decay: float = 0.999
    condition_dropout: float = 0.1  # share of windows without any condition, for guidance
    kl_weight: float = 1e-6  # of a VAE's latents
    sample_steps: int = 30  # steps of the sampler, for the sheets and in the pipeline's config
    guidance_scale: float = 2.5  # of the sampler, for the sheets and in the pipeline's config
    validate_every: int = 500  # steps
    validate_batches: int = 4  # of `val`, each time
    gradient_checkpointing: bool = False  # true: less memory, a third slower
    mixed_precision: str = "no"  # bf16, fp16, or auto: bf16 where the processor has it
    workers: int = 0  # processes that read films
    threads: int | None = None  # of torch


def build_vae(config: TrainConfig) -> AutoencoderKL:
    if config.stage == "vae" and config.vae is None:
        return AutoencoderKL(**config.autoencoder)
    if config.vae is None and config.start is None:
        raise ValueError("vae: None; give a folder of an AutoencoderKL, or train one with `--stage vae` first.")
    subfolder = None if config.vae else "vae"
    return AutoencoderKL.from_pretrained(config.vae or config.start, subfolder=subfolder).float()


def build_networks(config: TrainConfig, vae_scale: int) -> EchoMimicNetworks:
    if config.start is None and (config.stage == "motion" or config.lora_rank):
        raise ValueError("start: None; the motion stage and LoRA begin with the networks of a pipeline's folder.")
    if config.start:
        networks = EchoMimicNetworks.from_pretrained(config.start)
    else:
        networks = EchoMimicNetworks.from_config(config.networks)
    networks.unet.register_to_config(
        sample_size=config.size // vae_scale,
        num_inference_steps=config.sample_steps,
        guidance_scale=config.guidance_scale,
    )
    if config.lora_rank:
        networks.add_lora(config.lora_rank)
    else:
        networks.set_stage(config.stage)
    if config.gradient_checkpointing:
        networks.unet.enable_gradient_checkpointing()
        networks.reference_unet.enable_gradient_checkpointing()
    return networks


def build_clips(config: TrainConfig, split: str) -> FaceClips:
    whisper = None
    if config.whisper and config.stage != "vae":
        from text2lip.speech.whisper import load_whisper

        whisper = load_whisper(config.whisper)
    return FaceClips(
        config.prepared, config.videos, split, config.size, whisper, limit=config.limit_clips, cache=config.cache_clips
    )


def lora_card(unet: torch.nn.Module) -> str:
    """Markdown on low-rank matrices, from what [`note_training`] noted of the network that they are for."""
    licence = stated_licence(unet)
    values = {"metadata": metadata_lines(hub_metadata([licence])), "licence": licence or NOT_STATED}
    return signed(LORA_CARD.format(**values, training=training_section(unet)))


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = TrainConfig
    script = "train_echomimic.py"

    def __init__(self, config: TrainConfig):
        config.licence = check_licence(config.licence, None)
        if config.threads:
            torch.set_num_threads(config.threads)
        handlers = [DistributedDataParallelKwargs(find_unused_parameters=True)]
        accelerator = build_accelerator(config, kwargs_handlers=handlers)
        torch.manual_seed(config.seed)
        self.scheduler = DDIMScheduler(**SCHEDULE)
        self.vae = build_vae(config).to(accelerator.device)
        self.vae_scale = 2 ** (len(self.vae.config.block_out_channels) - 1)
        model = VAETraining(self.vae) if config.stage == "vae" else build_networks(config, self.vae_scale)
        start = config.vae if config.stage == "vae" else config.start
        self.starts = {type(part): began_with(start, part) for part in model.children()}
        if config.stage != "vae":
            self.vae.requires_grad_(False).eval()
        self.train = build_clips(config, "train")
        self.val = build_clips(config, "val") if "val" in splits_of(config.prepared) else self.train.hold_out()
        say(f"{len(self.train)} clips to learn from{held_out(config.prepared, self.val)}")
        ema = EMA(model, config.ema_decay)
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(learning, lr=0.0, weight_decay=config.weight_decay)
        model, optimizer = accelerator.prepare(model, optimizer)
        names = ("stage", "seed", "batch_size", "frames", "size")
        fixed = {name: getattr(config, name) for name in names}
        super().__init__(config, accelerator, model, optimizer, ema, fixed)

    def fit(self):
        """Validate what has learnt nothing yet, then train."""
        if self.step == 0:
            self.validate()
        super().fit()

    def batches(self, first: int, last: int) -> DataLoader:
        """Windows at random."""
        config, rank = self.config, self.accelerator.process_index
        windows = FaceBatches(self.train, config.batch_size, config.frames, config.seed, rank, range(first, last))
        return DataLoader(windows, batch_size=None, num_workers=config.workers)

    def loss(self, batch: Tensors, generator: torch.Generator):
        """The stage's loss, with some windows that have no conditions."""
        return self.stage_loss(batch, generator, self.config.condition_dropout), {}

    def stage_loss(self, batch: Tensors, generator: torch.Generator, drop: float) -> torch.Tensor:
        """Of a VAE what comes back, of the networks the error of v; `drop` is the share without conditions."""
        batch = {name: value.to(self.accelerator.device) for name, value in batch.items()}
        with self.accelerator.autocast():
            if self.config.stage == "vae":
                images = batch["images"].transpose(1, 2).flatten(0, 1)
                sides = [side // self.vae_scale for side in images.shape[-2:]]
                noise = torch.randn(len(images), self.vae.config.latent_channels, *sides, generator=generator)
                return self.network(images, noise.to(images), self.config.kl_weight)
            latents, conditions = self.conditions(batch)
            return velocity_loss(self.network, self.scheduler, latents, conditions, generator, drop)

    @torch.no_grad()
    def conditions(self, batch: Tensors) -> tuple[torch.Tensor, Tensors]:
        """Latents of a batch, and what the networks are told of it."""
        conditions = {"portrait": encode_pictures(self.vae, batch["portrait"]), "pictures": batch["pictures"]}
        return encode_pictures(self.vae, batch["images"]), conditions | {"sound": batch.get("sound")}

    def evaluate(self, network: nn.Module) -> tuple[dict[str, float], None]:
        """Loss on `val`, the same with the landmarks of another window, and a sheet of samples; no best is kept."""
        config = self.config
        network.eval()
        windows = FaceBatches(self.val, config.batch_size, config.frames, 0, 0, range(config.validate_batches))
        figures = {"val/loss": 0.0} | ({} if config.stage == "vae" else {"val/other_landmarks": 0.0})
        for index, batch in enumerate(DataLoader(windows, batch_size=None, num_workers=config.workers)):
            others = {**batch, "pictures": batch["pictures"].roll(1, 0)}
            for name, some in zip(figures, (batch, others)):
                loss = self.stage_loss(some, seed_step(1, index, 0), drop=0.0)
                figures[name] += loss.item() / config.validate_batches
        self.sheet(network, windows[0])
        return figures, None

    def sheet(self, network: nn.Module, batch: Tensors):
        """A picture: portrait, landmarks, film, and what is made of the first two; for a VAE film and copy."""
        config = self.config
        batch = {name: value[:6].to(self.accelerator.device) for name, value in batch.items()}
        latents, conditions = self.conditions(batch)
        film = batch["images"][:, :, -1]
        if config.stage == "vae":
            rows = [film, decode_latents(self.vae, latents[:, :, -1])]
        else:
            generator, steps = torch.Generator().manual_seed(0), config.sample_steps
            scale = config.guidance_scale
            drawn = sample(network, self.scheduler, latents.shape, conditions, generator, steps, scale)
            landmarks = 2 * batch["pictures"][:, :, -1] - 1
            rows = [batch["portrait"], landmarks, film, decode_latents(self.vae, drawn[:, :, -1])]
        pixels = ((torch.stack(rows) + 1) * 127.5).round().clamp(0, 255).to("cpu", torch.uint8)
        pixels = pixels.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)  # rows * height, pictures * width, 3
        Image.fromarray(pixels.numpy()).save(self.output / f"sheet-{self.step}.png")

    def write(self, network: nn.Module, folder: Path, figures: dict[str, float]):
        """The VAE, or the low-rank matrices, or the built-in pipeline with the networks for a renderer."""
        for part in network.children():
            if any(parameter.requires_grad for parameter in part.parameters()):  # the others are what they were
                self.note(part, figures, self.starts[type(part)])
        if self.config.stage == "vae":
            batch = FaceBatches(self.train, 8, self.config.frames, 0, 0, range(1))[0]
            latents = encode_pictures(self.vae, batch["images"].to(self.accelerator.device))
            self.vae.register_to_config(scaling_factor=self.vae.config.scaling_factor / latents.std().item())
            self.vae.save_pretrained(folder / "vae")
        elif self.config.lora_rank:
            network.unet.save_lora_adapter(folder)
            write_card(folder, lora_card(network.unet))
        else:
            parts = dict(network.named_children())
            as_pipeline("text2lip-grid", vae=self.vae, scheduler=self.scheduler, **parts).save_pretrained(folder)


main = Run.main


if __name__ == "__main__":
    main()
