"""The loop of every training run: exact resume, finite losses, checkpoints, validation, best weights, log, upload."""

import json
import math
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from torch import nn
from tqdm import tqdm

from text2lip import Text2LipPipeline
from text2lip.files import replaced_file, replaced_folder
from text2lip.training.ema import EMA
from text2lip.training.precision import choose_precision
from text2lip.training.publish import note_training
from text2lip.training.schedules import learning_rate
from text2lip.training.settings import errors_in_one_line, parse_settings
from text2lip.training.state import find_checkpoint, load_checkpoint, read_log, save_checkpoint, seed_step


@dataclass
class TrainerConfig:
    """Settings of every run. A script's own class adds to them, and may give them other defaults."""

    output: str = "outputs/run"  # folder for checkpoints, weights and log
    data: str = "Not stated."  # what the model cards say of the data
    licence: str | None = None  # of the weights, an SPDX identifier; null: not stated
    max_steps: int = 10000  # steps of the optimiser, over which the schedules run
    batch_size: int = 8  # examples, on each process
    learning_rate: float = 1e-3  # its peak, after the warm-up
    warmup_steps: int = 100  # steps in which the learning rate rises
    weight_decay: float = 0.01  # of AdamW
    max_grad_norm: float = 1.0  # longer gradients are shortened to this norm
    ema_decay: float = 0.998  # of the averaged weights, which are those validated and kept
    validate_every: int = 500  # steps; the best weights are kept then
    save_every: int = 500  # steps between checkpoints
    keep_checkpoints: int = 2  # older ones are deleted
    mixed_precision: str = "auto"  # no, bf16, fp16, or auto: bf16 where the processor has it
    tracker: str | None = None  # such as tensorboard
    resume: str | None = None  # latest, or a checkpoint
    stop_after: int | None = None  # steps; ends the run early, schedules unchanged
    seed: int = 0  # of all draws
    cpu: bool = False  # true: train on the processor even if there is a GPU


class Trainer:
    """Trains a network; writes config.json, log.jsonl, checkpoint-<step>, best and final to the run's folder.

    A script's subclass brings what is its own: [`batches`], [`loss`], [`evaluate`], [`write`], and the names below.
    Resumes as it is made, if `config.resume` says so: what checkpoints are to hold is prepared before.

    Args:
        config ([`TrainerConfig`]): settings; also `push_to_hub` where there is `published`.
        accelerator (`accelerate.Accelerator`): see [`build_accelerator`].
        network (`nn.Module`): what learns, prepared.
        optimizer (`torch.optim.Optimizer`): of the network, prepared; its learning rate is set at every step.
        ema ([`EMA`]): of the network.
        fixed (`dict`): settings that a run must share with the checkpoint that it goes on from, JSON values.

    Attributes:
        settings (`type`): the class of its `config`.
        script (`str`): file in `examples`, for model cards and trackers.
        meaning (`str`): what the figures of model cards are.
        published (`str`, *optional*): the folder, "best" or "final", that goes to `config.push_to_hub` in the end.
        fixed_before (`dict`): values of `fixed` that older checkpoints don't hold.
        step (`int`): steps done.
        best (`float`, *optional*): the least error of [`evaluate`] so far.
        spent (`float`): processor seconds of this program up to the last row of the log.

    Raises:
        ValueError: no such checkpoint, or one of another run.
    """

    settings: type[TrainerConfig] = TrainerConfig
    script: str = "train.py"
    meaning: str = ""
    published: str | None = None
    fixed_before: dict[str, Any] = {}

    def __init__(
        self,
        config: TrainerConfig,
        accelerator: Accelerator,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        ema: EMA,
        fixed: dict[str, Any],
    ):
        self.config, self.accelerator, self.output = config, accelerator, Path(config.output)
        self.network, self.optimizer, self.ema, self.fixed = network, optimizer, ema, fixed
        self.step, self.best, self.spent = 0, None, 0.0
        self._resume()
        if config.tracker:
            accelerator.init_trackers(Path(self.script).stem.removeprefix("train_"))

    @classmethod
    def main(cls, arguments: list[str] | None = None) -> "Trainer":
        """A whole run by `arguments`, see [`parse_settings`]; by those of the command line errors take one line."""
        with errors_in_one_line() if arguments is None else nullcontext():
            run = cls(parse_settings(cls.settings, sys.modules[cls.__module__].__doc__, arguments))
        run.fit()
        return run

    def batches(self, first: int, last: int) -> Iterable[Any]:
        """The batch of each step from `first` to `last`, not included; drawn from (seed, step, rank) alone."""
        raise NotImplementedError

    def loss(self, batch: Any, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, torch.Tensor | float]]:
        """What is to fall, a scalar, and what is logged beside it; `generator` is of the step's own draws."""
        raise NotImplementedError

    def evaluate(self, network: nn.Module) -> tuple[dict[str, float | None], float | None]:
        """Figures of the averaged weights, which `network` has, and their error; only a finite one makes a best."""
        raise NotImplementedError

    def write(self, network: nn.Module, folder: Path, figures: dict[str, float | None]) -> None:
        """Write the averaged weights, which `network` has, to an empty folder."""
        raise NotImplementedError

    def fit(self) -> None:
        """Train to `config.max_steps`, or to `config.stop_after`, then keep the final weights."""
        config, began = self.config, time.perf_counter()
        sizes = [sum(p.numel() for p in self.network.parameters() if p.requires_grad or every) for every in (0, 1)]
        learning = f"{sizes[0] / 1e6:.2f} M of {sizes[1] / 1e6:.2f} M parameters learn"
        say(f"{self.accelerator.num_processes} processes; {learning}")
        last = min(config.max_steps, config.stop_after or config.max_steps)
        quiet = not self.accelerator.is_main_process
        with tqdm(total=last, initial=self.step, unit="step", dynamic_ncols=True, disable=quiet) as bar:
            for batch in islice(self.batches(self.step, last), max(0, last - self.step)):
                figures = self.train_step(batch)
                self.step += 1
                bar.set_postfix({name: f"{value:.3g}" for name, value in figures.items()}, refresh=False)
                bar.update()
                self._after(figures, time.perf_counter() - began)
        if self.step >= config.max_steps:
            self.keep("final")
            if self.published and config.push_to_hub and self.accelerator.is_main_process:
                Text2LipPipeline.from_pretrained(self.output / self.published).push_to_hub(config.push_to_hub)
        self.accelerator.end_training()

    def train_step(self, batch: Any) -> dict[str, float]:
        """One step of the optimiser; returns its losses.

        Raises:
            RuntimeError: the loss is not finite.
        """
        config, accelerator = self.config, self.accelerator
        generator = seed_step(config.seed, self.step, accelerator.process_index)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, config.learning_rate, config.warmup_steps, config.max_steps)
        self.network.train()
        loss, parts = self.loss(batch, generator)
        if not loss.isfinite():
            values = {name: torch.as_tensor(value).item() for name, value in parts.items()}
            raise RuntimeError(
                f"the loss is {loss.item()} at step {self.step} ({values}); "
                "lower the learning rate and resume the last checkpoint."
            )
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(self.network.parameters(), config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update(accelerator.unwrap_model(self.network))
        figures = {"loss": loss, **parts, "gradient_norm": float(norm)}
        return {
            name: accelerator.reduce(value.detach(), "mean").item() if isinstance(value, torch.Tensor) else value
            for name, value in figures.items()
        }

    @torch.no_grad()
    def validate(self) -> None:
        """Log the figures of the averaged weights; keep the best. The work is the main process's."""
        if self.accelerator.is_main_process:
            network = self.accelerator.unwrap_model(self.network)
            with self.ema.applied(network):
                figures, error = self.evaluate(network)
            if figures:
                self.log({"step": self.step, **figures})
                figures = {name.removeprefix("val/"): value for name, value in figures.items()}
                shown = {name: round(value, 4) for name, value in figures.items() if value is not None}
                say(f"val at step {self.step}: {json.dumps(shown)}")
            if error is not None and math.isfinite(error) and (self.best is None or error < self.best):
                self.best = error
                self.keep("best", figures)
        self.accelerator.wait_for_everyone()

    @torch.no_grad()
    def keep(self, name: str, figures: dict[str, float | None] | None = None) -> None:
        """Write the averaged weights and their figures, if any, to the folder `name`, whole or not at all."""
        if self.accelerator.is_main_process:
            network, figures = self.accelerator.unwrap_model(self.network), figures or {}
            with replaced_folder(self.output / name) as folder, self.ema.applied(network):
                self.write(network, folder, figures)
                if figures or self.published:  # of a folder for the Hub at least the step
                    (folder / "figures.json").write_text(json.dumps({"step": self.step, **figures}, indent=2))

    def note(self, component: Any, figures: dict[str, float | None], start: str = "") -> None:
        """Note in a component's configuration how it was made, and with which weights it began, see [`began_with`]."""
        settings = asdict(self.config) | {"data": self.config.data + start}
        note_training(component, settings, figures, self.step, self.script, self.meaning)

    def log(self, figures: dict[str, Any]) -> None:
        """Add a row to log.jsonl and to the tracker; `figures` has "step". "row_processor_seconds": of all threads
        since the row before, or since the program began; other work on the machine bears less on them than on
        "seconds".
        """
        if self.accelerator.is_main_process:
            spent, self.spent = self.spent, time.process_time()
            figures = {**figures, "row_processor_seconds": round(self.spent - spent, 3)}
            with (self.output / "log.jsonl").open("a") as file:
                file.write(json.dumps(figures) + "\n")
            if self.config.tracker:
                self.accelerator.log({k: v for k, v in figures.items() if v is not None}, step=figures["step"])

    def _state(self) -> dict[str, Any]:
        """What a checkpoint says of its run."""
        return {"step": self.step, "best": self.best, **self.fixed, **self._changing()}

    def _changing(self) -> dict[str, Any]:
        """Settings that may change from checkpoint to checkpoint, with a warning."""
        return {"max_steps": self.config.max_steps, "mixed_precision": self.accelerator.mixed_precision}

    def _resume(self) -> None:
        """Go on from the checkpoint that is asked for, if any; write the settings beside the log."""
        config, found = self.config, find_checkpoint(self.output, self.config.resume)
        if found is None and config.resume is not None:
            say(f"no checkpoint in {self.output}, starting from step 0")
        if found is not None:
            run = load_checkpoint(self.accelerator, found, self.fixed, self.ema, self.fixed_before)
            self.step, self.best = run["step"], run.get("best")
            say(f"Resumed {found}")
            for name, value in self._changing().items():
                if run.get(name, value) != value:
                    change = f"{name} has changed from {run[name]} to {value}"
                    say(f"WARNING: {change}: the run is not what it would have been")
        if self.accelerator.is_main_process:
            self.output.mkdir(parents=True, exist_ok=True)
            log = self.output / "log.jsonl"
            if log.exists():  # what was done after the checkpoint is done again
                last = math.inf if found is None else self.step
                rows = [json.dumps(row) for row in read_log(log) if row["step"] <= last]
                with replaced_file(log) as temporary:
                    temporary.write_text("".join(f"{row}\n" for row in rows))
            (self.output / "config.json").write_text(json.dumps(asdict(config), indent=2))

    def _after(self, figures: dict[str, float], seconds: float) -> None:
        """Log the figures of a step, `seconds` after the start; validate and save when it is time."""
        config, step = self.config, self.step
        self.log({"step": step, **figures, "seconds": round(seconds, 1)})
        if step % 50 == 0:
            say(f"step {step} " + " ".join(f"{k} {v:.4f}" for k, v in figures.items()) + f" {seconds:.0f} s")
        if step % config.validate_every == 0 or step == config.max_steps:
            self.validate()
        if step % config.save_every == 0 or step == config.max_steps:
            save_checkpoint(self.accelerator, self.output, self._state(), self.ema, config.keep_checkpoints)


def build_accelerator(config: TrainerConfig, **more: Any) -> Accelerator:
    """The accelerator of a run, in the precision that [`choose_precision`] finds, which it says.

    Args:
        config ([`TrainerConfig`]): of the run.
        more: other arguments of `accelerate.Accelerator`.

    Raises:
        ValueError: an unknown precision.
    """
    chosen, why = choose_precision(config.mixed_precision, PartialState(cpu=config.cpu).device)
    say(f"mixed_precision: {chosen} ({why})")
    return Accelerator(
        cpu=config.cpu, mixed_precision=chosen, log_with=config.tracker, project_dir=config.output, **more
    )


def say(text: str) -> None:
    """Print above the progress bar, on the main process alone."""
    if PartialState().is_main_process:
        tqdm.write(text)
        sys.stdout.flush()
