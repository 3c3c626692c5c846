"""Train the Text2Lip networks by progressive viseme-audio replacement (PVAR) on prepared clips.

    python examples/prepare_grid.py --output outputs/grid
    accelerate launch examples/train_pvar.py --config examples/configs/pvar_grid.yaml --prepared outputs/grid
    accelerate launch examples/train_pvar.py --config examples/configs/pvar_grid.yaml --resume latest

Every setting of the YAML file can be given on the command line too, which wins. Two processes on CPUs: see
`accelerate launch --multi_gpu --num_processes 2` with `--cpu true`; before the first step it says how many there are.
Writes to the output folder: `config.json`, `log.jsonl` (losses and validation figures), `checkpoint-<step>` (resumes
exactly), `best` (averaged weights that did best on val without sound) and `final`: whole pipelines, which
`Text2LipPipeline.from_pretrained` and the benchmarks' `--pipeline` take.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs
from torch.utils.data import DataLoader

from text2lip import Text2LipPipeline
from text2lip.data.prepared import PreparedClip, held_out
from text2lip.licences import check_licence
from text2lip.text.tokenizer import VisemeTokenizer
from text2lip.training import losses as L
from text2lip.training.ema import EMA
from text2lip.training.lip_networks import Text2LipNetworks
from text2lip.training.lip_samples import collate, load_splits, rest_width, to_sample, training_samples
from text2lip.training.publish import as_pipeline
from text2lip.training.schedules import PVARSchedule
from text2lip.training.teacher import read_texts, teacher_samples
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say
from text2lip.training.validation import validate_lips, warnings_of


Tensors = dict[str, torch.Tensor]


@dataclass
class TrainConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py; without `val` every tenth clip is held out
    output: str = "outputs/pvar"
    data: str = "Prepared clips, their `train` split."
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)  # keyword arguments for each network
    pvar: dict[str, Any] = field(default_factory=dict)  # of PVARSchedule; last_step is max_steps by default
    audio_features: str = "log_mel"  # or whisper:<folder or Hub id>
    viseme_set: str = "oculus"  # or azure, or a JSON file of your own: IPA phone -> label
    use_visemes: bool = True  # false: the baseline that hears sound only
    max_steps: int = 4000
    batch_size: int = 32  # clips, on each process
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
    validate_every: int = 200
    save_every: int = 200
    limit_clips: int | None = None  # use only so many of each split, evenly from all of it
    push_to_hub: str | None = None  # user/name: the best networks go there in a whole pipeline
    licence: str | None = None  # of the weights, an SPDX identifier; wanted with push_to_hub


def build_clips(config: TrainConfig, clips: list[PreparedClip], tokenizer: VisemeTokenizer) -> list[Tensors]:
    if config.teacher_texts is None:
        return training_samples(clips)
    pipe = Text2LipPipeline.from_pretrained(config.teacher)
    rest = to_sample(clips[0])["rest"]
    texts = read_texts(config.teacher_texts) * config.teacher_copies
    channels = clips[0].mel.shape[-1]
    lessons = teacher_samples(texts, tokenizer, pipe.articulation, rest, channels, seed=config.seed)
    return training_samples(clips, lessons)


def build_networks(config: TrainConfig, clips: list[Tensors]) -> Text2LipNetworks:
    torch.manual_seed(config.seed)
    audio_dim = {"audio_dim": clips[0]["audio"].shape[-1]}
    configs = {name: {**audio_dim, **config.networks.get(name, {})} for name in ("pseudo_audio", "lip_decoder")}
    configs = {**config.networks, **configs}
    configs["lip_decoder"] = {"reference_width": rest_width(clips), **configs["lip_decoder"]}
    return Text2LipNetworks.from_config(configs, config.use_visemes, VisemeTokenizer(config.viseme_set))


def leaves_parts_idle(config: TrainConfig) -> bool:
    """Whether some weights get no gradient: the baseline without text, and decoders without one of their stages."""
    return not config.use_visemes or "stages" in config.networks.get("lip_decoder", {})


def vary(batch: Tensors, config: TrainConfig, generator: torch.Generator) -> Tensors:
    """Play each clip slower or faster; take the phones' names from some, so that visemes alone must do."""
    batch = dict(batch)
    size, device = len(batch["fps"]), batch["fps"].device
    stretch = 1 + config.time_stretch * (2 * torch.rand(size, generator=generator) - 1).to(device)
    batch["durations"] = batch["durations"] * stretch[:, None]
    batch["fps"] = batch["fps"] / stretch
    unnamed = (torch.rand(size, generator=generator) < config.phone_dropout).to(device)
    batch["phone_ids"] = batch["phone_ids"].masked_fill(unnamed[:, None], 0)
    return batch


def build_losses(config: TrainConfig, weights: torch.Tensor) -> dict[str, tuple[float, Callable]]:
    """Name -> (weight, function of the networks' output and the batch)."""
    return {
        "motion": (
            config.motion_weight,
            lambda out, x: 100 * L.motion_l1(out.motion, x["motion"], x["frame_mask"], weights),
        ),
        "velocity": (
            config.velocity_weight,
            lambda out, x: 100 * L.velocity_l1(out.motion, x["motion"], x["frame_mask"], weights),
        ),
        "amplitude": (
            config.amplitude_weight,
            lambda out, x: L.amplitude_loss(out.motion, x["motion"], x["real_frames"]),
        ),
        "pseudo_audio": (
            config.pseudo_audio_weight,
            lambda out, x: L.masked_l1(out.pseudo_audio, x["audio"], x["real_frames"]),
        ),
        "duration": (
            config.duration_weight,
            lambda out, x: L.duration_l1(out.log_durations, x["durations"], x["real_tokens"]),
        ),
    }


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = TrainConfig
    script = "train_pvar.py"
    meaning = "Figures are of the networks by themselves on `val`, before the pipeline seals lips and stills pauses."
    published = "best"
    fixed_before = {"viseme_set": "oculus"}  # earlier runs knew no other

    def __init__(self, config: TrainConfig):
        if config.push_to_hub and not config.use_visemes:
            raise ValueError(
                f"push_to_hub: {config.push_to_hub!r}; networks that hear sound alone (`use_visemes: false`) make no "
                "pipeline; leave one of the two out."
            )
        config.licence = check_licence(config.licence, config.push_to_hub)
        accelerator = build_accelerator(
            config,
            dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=config.seed),
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=leaves_parts_idle(config))],
        )
        tokenizer = VisemeTokenizer(config.viseme_set)
        clips, self.val = load_splits(config.prepared, config.limit_clips, config.audio_features, tokenizer)
        self.train = build_clips(config, clips, tokenizer)
        say(f"{len(self.train)} clips to learn from{held_out(config.prepared, self.val)}")
        networks = build_networks(config, self.train)
        ema = EMA(networks, config.ema_decay)
        optimizer = torch.optim.AdamW(networks.parameters(), lr=0.0, weight_decay=config.weight_decay)
        pad_id = networks.viseme_encoder.config.num_visemes
        loader = DataLoader(
            self.train,
            config.batch_size,
            shuffle=True,
            drop_last=len(self.train) >= config.batch_size * accelerator.num_processes,
            collate_fn=lambda samples: collate(samples, pad_id),
        )
        networks, optimizer, self.loader = accelerator.prepare(networks, optimizer, loader)
        self.schedule = PVARSchedule(**{"last_step": config.max_steps, **config.pvar})
        self.losses = build_losses(config, L.point_weights().to(accelerator.device))
        fixed = {"seed": config.seed, "batch_size": config.batch_size, "viseme_set": config.viseme_set}
        super().__init__(config, accelerator, networks, optimizer, ema, fixed)

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Epoch after epoch, each in an order that depends on its number alone."""
        epoch, done = divmod(first, len(self.loader))
        for number in count(epoch):
            self.loader.set_epoch(number)
            yield from self.accelerator.skip_first_batches(self.loader, done) if done else self.loader
            done = 0

    def loss(self, batch: Tensors, generator: torch.Generator):
        """The sum of all losses of a batch, each of them, and how probably a clip lost its sound."""
        batch = vary(batch, self.config, generator)
        frames, fps = batch["frame_mask"].shape, float(batch["fps"].mean())
        dropped = self.schedule.draw(self.step, *frames, fps, generator)
        with self.accelerator.autocast():
            out = self.network(batch, dropped.to(self.accelerator.device))
        real = batch["real"][:, None]  # the teacher's clips have no sound, and times that are made up
        real = {"real_frames": batch["frame_mask"] & real, "real_tokens": batch["attention_mask"] & real}
        total, parts = L.weighted_sum(self.losses, out, batch | real)
        return total, {**parts, "dropped": self.schedule.probability(self.step)}

    def evaluate(self, network: Text2LipNetworks) -> tuple[dict[str, float | None], float]:
        """Figures of `val`; the best networks are those with the best correlations without sound."""
        figures = validate_lips(network, self.val)
        for warning in warnings_of(figures):
            say(f"WARNING: {warning}")
        error = -sum(figures[f"text/{name}"] or 0.0 for name in ("gap_r", "width_r"))
        return {f"val/{name}": value for name, value in figures.items()}, error

    def write(self, network: Text2LipNetworks, folder: Path, figures: dict[str, float | None]):
        """A whole pipeline; of networks that hear sound alone, themselves."""
        for part in network.children():
            self.note(part, figures)
        if self.config.use_visemes:
            network = as_pipeline(self.config.teacher, motion="networks", **network.components)
        network.save_pretrained(folder)


main = Run.main


if __name__ == "__main__":
    main()
