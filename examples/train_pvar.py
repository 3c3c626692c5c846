"""Train the Text2Lip networks by progressive viseme-audio replacement (PVAR) on prepared clips.

    python examples/prepare_grid.py --output outputs/grid
    accelerate launch examples/train_pvar.py --config examples/configs/pvar_grid.yaml --prepared outputs/grid
    accelerate launch examples/train_pvar.py --config examples/configs/pvar_grid.yaml --resume latest

Every setting of the YAML file can be given on the command line too, which wins. Two processes on CPUs: see
`accelerate launch --multi_gpu --num_processes 2` with `--cpu true`; the log's first line says how many there are.
Writes to the output folder: `config.json`, `log.jsonl` (losses and validation figures), `checkpoint-<step>` (resumes
exactly), `best` (averaged weights that did best on val without sound) and `final`: whole pipelines, which
`Text2LipPipeline.from_pretrained` and the benchmarks' `--pipeline` take.
"""

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs
from torch.utils.data import DataLoader

from text2lip import Text2LipPipeline
from text2lip.data.prepared import PreparedClip
from text2lip.licences import check_licence
from text2lip.text.tokenizer import VisemeTokenizer
from text2lip.training.ema import EMA
from text2lip.training.lip_networks import Text2LipNetworks
from text2lip.training.lip_samples import LipClips, collate, load_splits, to_sample
from text2lip.training.losses import amplitude_loss, duration_l1, masked_l1, motion_l1, point_weights, velocity_l1
from text2lip.training.publish import as_pipeline, note_training
from text2lip.training.pvar import PVARSchedule
from text2lip.training.run import TrainingRun
from text2lip.training.settings import errors_in_one_line, parse_settings
from text2lip.training.state import seed_step
from text2lip.training.teacher import read_texts, teacher_samples
from text2lip.training.validation import validate_lips, warnings_of


@dataclass
class TrainConfig:
    """Settings of a run; the file `config.json` beside its checkpoints holds them."""

    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py; without `val` every tenth clip is held out
    output: str = "outputs/pvar"  # folder for checkpoints, weights and log
    data: str = "Prepared clips, their `train` split."  # what the model cards say of them
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)  # keyword arguments for each network
    pvar: dict[str, Any] = field(default_factory=dict)  # of PVARSchedule; last_step is max_steps by default
    audio_features: str = "log_mel"  # or whisper:<folder or Hub id>
    viseme_set: str = "oculus"  # or azure, or a JSON file of your own: IPA phone -> label
    use_visemes: bool = True  # false: the baseline that hears sound only
    max_steps: int = 4000  # steps of the optimiser, over which the schedules run
    batch_size: int = 32  # clips, on each process
    learning_rate: float = 1e-3  # its peak, after the warm-up
    warmup_steps: int = 100  # steps in which the learning rate rises
    weight_decay: float = 0.01  # of AdamW
    max_grad_norm: float = 1.0  # longer gradients are shortened to this norm
    ema_decay: float = 0.998  # of the averaged weights, which are those validated and kept
    motion_weight: float = 1.0  # of this loss; motion and velocity are in units of 0.01 of the eyes' distance
    velocity_weight: float = 1.0  # of this loss
    pseudo_audio_weight: float = 1.0  # of this loss
    amplitude_weight: float = 0.0  # of this loss: as much motion and jerk as in real clips, over each batch
    duration_weight: float = 0.1  # of this loss
    teacher_texts: str | None = None  # file of `language<TAB>sentence`: the articulatory model says them too
    teacher_copies: int = 3  # of each sentence, at rates from 0.6 to 1.6
    teacher: str = "text2lip-grid"  # pipeline, or folder of one, whose articulatory model teaches
    time_stretch: float = 0.1  # clips are played up to this much slower or faster
    phone_dropout: float = 0.1  # share of clips that are given visemes and features alone
    validate_every: int = 200  # steps; the best weights are kept then
    save_every: int = 200  # steps between checkpoints
    keep_checkpoints: int = 2  # older ones are deleted
    limit_clips: int | None = None  # use only so many of each split, the first
    mixed_precision: str = "auto"  # no, bf16, fp16, or auto: bf16 where the processor has it
    tracker: str | None = None  # such as tensorboard
    resume: str | None = None  # latest, or a checkpoint
    stop_after: int | None = None  # steps; ends the run early, schedules unchanged
    push_to_hub: str | None = None  # user/name: the best networks go there in a whole pipeline
    licence: str | None = None  # of the weights, an SPDX identifier; wanted with push_to_hub
    seed: int = 0  # of all draws
    cpu: bool = False  # true: train on the processor even if there is a GPU


def parse_config(arguments: list[str] | None = None) -> TrainConfig:
    """Defaults, overridden by the YAML file, overridden by the command line."""
    return parse_settings(TrainConfig, __doc__, arguments)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth: a pure function of the step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
    return config.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * min(done, 1.0))) / 2)


def build_accelerator(config: TrainConfig, mixed_precision: str) -> Accelerator:
    return Accelerator(
        cpu=config.cpu,
        mixed_precision=mixed_precision,
        log_with=config.tracker,
        project_dir=config.output,
        dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=config.seed),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=not config.use_visemes)],
    )


def build_clips(config: TrainConfig, clips: list[PreparedClip], tokenizer: VisemeTokenizer) -> LipClips:
    if config.teacher_texts is None:
        return LipClips(clips)
    pipe = Text2LipPipeline.from_pretrained(config.teacher)
    rest = to_sample(clips[0])["rest"]
    texts = read_texts(config.teacher_texts) * config.teacher_copies
    channels = clips[0].mel.shape[-1]
    return LipClips(clips, teacher_samples(texts, tokenizer, pipe.articulation, rest, channels, seed=config.seed))


def build_networks(config: TrainConfig, clips: LipClips) -> Text2LipNetworks:
    torch.manual_seed(config.seed)
    audio_dim = {"audio_dim": clips[0]["audio"].shape[-1]}
    configs = {name: {**audio_dim, **config.networks.get(name, {})} for name in ("pseudo_audio", "lip_decoder")}
    configs = {**config.networks, **configs}
    configs["lip_decoder"] = {"reference_width": clips.rest_width, **configs["lip_decoder"]}
    return Text2LipNetworks.from_config(configs, config.use_visemes, VisemeTokenizer(config.viseme_set))


def vary(batch: dict[str, torch.Tensor], config: TrainConfig, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Play each clip slower or faster; take the phones' names from some, so that visemes alone must do."""
    batch = dict(batch)
    size, device = len(batch["fps"]), batch["fps"].device
    stretch = 1 + config.time_stretch * (2 * torch.rand(size, generator=generator) - 1).to(device)
    batch["durations"] = batch["durations"] * stretch[:, None]
    batch["fps"] = batch["fps"] / stretch
    unnamed = (torch.rand(size, generator=generator) < config.phone_dropout).to(device)
    batch["phone_ids"] = batch["phone_ids"].masked_fill(unnamed[:, None], 0)
    return batch


def losses(out, batch: dict[str, torch.Tensor], weights: torch.Tensor) -> dict[str, torch.Tensor]:
    frames, motion, real = batch["frame_mask"], batch["motion"], batch["real"][:, None]
    return {
        "motion": 100 * motion_l1(out.motion, motion, frames, weights),
        "velocity": 100 * velocity_l1(out.motion, motion, frames, weights),
        "amplitude": amplitude_loss(out.motion, motion, frames & real),
        "pseudo_audio": masked_l1(out.pseudo_audio, batch["audio"], frames & real),
        "duration": duration_l1(out.log_durations, batch["durations"], batch["attention_mask"] & real),
    }


class Run(TrainingRun):
    """Everything of one training run, and its loop."""

    defaults = {"viseme_set": "oculus"}  # earlier runs knew no other

    def __init__(self, config: TrainConfig):
        self.config, self.output = config, Path(config.output)
        if config.push_to_hub and not config.use_visemes:
            raise ValueError(
                f"push_to_hub: {config.push_to_hub!r}; networks that hear sound alone (`use_visemes: false`) make no "
                "pipeline; leave one of the two out."
            )
        config.licence = check_licence(config.licence, config.push_to_hub)
        self.accelerator = build_accelerator(config, self.precision())
        tokenizer = VisemeTokenizer(config.viseme_set)
        clips, self.val = load_splits(config.prepared, config.limit_clips, config.audio_features, tokenizer)
        self.say_held_out(config.prepared, len(self.val))
        self.train = build_clips(config, clips, tokenizer)
        networks = build_networks(config, self.train)
        self.ema = EMA(networks, config.ema_decay)
        optimizer = torch.optim.AdamW(networks.parameters(), lr=0.0, weight_decay=config.weight_decay)
        pad_id = networks.viseme_encoder.config.num_visemes
        loader = DataLoader(
            self.train,
            config.batch_size,
            shuffle=True,
            drop_last=len(self.train) >= config.batch_size * self.accelerator.num_processes,
            collate_fn=lambda samples: collate(samples, pad_id),
        )
        self.networks, self.optimizer, self.loader = self.accelerator.prepare(networks, optimizer, loader)
        self.schedule = PVARSchedule(**{"last_step": config.max_steps, **config.pvar})
        self.weights = point_weights().to(self.accelerator.device)
        self.same = {"seed": config.seed, "batch_size": config.batch_size, "viseme_set": config.viseme_set}
        self.run = {"step": 0, "best": None, **self.same, "max_steps": config.max_steps}
        self.resume()

    def fit(self):
        """Train to the last step; every draw depends on (seed, step, rank) alone."""
        config, began = self.config, time.perf_counter()
        size = sum(p.numel() for p in self.networks.parameters()) / 1e6
        self.say(f"{self.accelerator.num_processes} processes, {len(self.train)} clips, {size:.2f} M parameters")
        if config.tracker:
            self.accelerator.init_trackers("pvar")
        self.networks.train()
        last = self.begin()
        while self.run["step"] < last:
            epoch, done = divmod(self.run["step"], len(self.loader))
            self.loader.set_epoch(epoch)
            for batch in self.accelerator.skip_first_batches(self.loader, done) if done else self.loader:
                figures = self.step(batch)
                self.run["step"] += 1
                self.after(figures, time.perf_counter() - began)
                if self.run["step"] >= last:
                    break
        if self.run["step"] >= config.max_steps:
            self.keep("final")
            if config.push_to_hub and self.accelerator.is_main_process:
                Text2LipPipeline.from_pretrained(self.output / "best").push_to_hub(config.push_to_hub)
        self.accelerator.end_training()

    def step(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        """One step of the optimiser; returns its losses."""
        config, step = self.config, self.run["step"]
        generator = seed_step(config.seed, step, self.accelerator.process_index)
        batch = vary(batch, config, generator)
        dropped = self.schedule.draw(step, *batch["frame_mask"].shape, float(batch["fps"].mean()), generator)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        with self.accelerator.autocast():
            out = self.networks(batch, dropped.to(self.accelerator.device))
        parts = losses(out, batch, self.weights)
        total = sum(getattr(config, f"{name}_weight") * value for name, value in parts.items())
        if not total.isfinite():
            raise RuntimeError(
                f"the loss is {total.item()} at step {step} ({ {k: v.item() for k, v in parts.items()} }); "
                "lower the learning rate and resume the last checkpoint."
            )
        self.accelerator.backward(total)
        norm = self.accelerator.clip_grad_norm_(self.networks.parameters(), config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update(self.accelerator.unwrap_model(self.networks))
        figures = {"loss": total, **parts}
        figures = {k: self.accelerator.reduce(v.detach(), "mean").item() for k, v in figures.items()}
        return {**figures, "gradient": float(norm), "dropped": self.schedule.probability(step)}

    def validate(self):
        """Figures of the averaged weights; the best without sound are kept. On the main process alone."""
        if self.accelerator.is_main_process:
            networks = self.accelerator.unwrap_model(self.networks)
            with self.ema.applied(networks):
                figures = validate_lips(networks, self.val)
            self.log({"step": self.run["step"], **{f"val/{key}": value for key, value in figures.items()}})
            shown = {k: round(v, 4) for k, v in figures.items() if v is not None}
            self.say(f"val at step {self.run['step']}: {json.dumps(shown)}")
            for warning in warnings_of(figures):
                self.say(f"WARNING: {warning}")
            error = -sum(figures[f"text/{name}"] or 0.0 for name in ("gap_r", "width_r"))
            if self.run["best"] is None or error < self.run["best"]:
                self.run["best"] = error
                self.keep("best", figures)
        self.accelerator.wait_for_everyone()

    def keep(self, name: str, figures: dict[str, float] | None = None):
        """Write the averaged weights to `name`, whole or not at all."""
        if not self.accelerator.is_main_process:
            return
        config, networks = self.config, self.accelerator.unwrap_model(self.networks)
        note_training(networks.children(), asdict(config), figures, self.run["step"])
        with self.kept(name) as folder:
            with self.ema.applied(networks):
                if config.use_visemes:
                    as_pipeline(config.teacher, motion="networks", **networks.components).save_pretrained(folder)
                else:  # no pipeline's: it hears sound alone
                    networks.save_pretrained(folder)
            (folder / "figures.json").write_text(json.dumps({"step": self.run["step"], **(figures or {})}, indent=2))


def main(arguments: list[str] | None = None) -> Run:
    run = Run(parse_config(arguments))
    run.fit()
    return run


if __name__ == "__main__":
    with errors_in_one_line():
        begun = Run(parse_config())
    begun.fit()
