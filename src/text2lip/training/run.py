"""What every training run does beside its own step: resume, log, validate and save in time, keep weights whole."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import PartialState
from tqdm import tqdm

from text2lip.data.prepared import splits_of
from text2lip.files import replaced_file, replaced_folder
from text2lip.training.precision import choose_precision
from text2lip.training.state import find_checkpoint, load_checkpoint, save_checkpoint


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a log.jsonl; one that a killed program left half written is none."""
    rows = []
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict) and "step" in row]


class TrainingRun:
    """Base of the training scripts' runs. Writes config.json, log.jsonl and checkpoint-<step> to `output`.

    A script's `__init__` sets `config` (a dataclass with max_steps, resume, tracker, validate_every, save_every,
    keep_checkpoints), `output` (`Path`), `accelerator` (prepared), `ema`, `same` (settings that a resumed run must
    share, see [`load_checkpoint`]) and `run` (JSON values: "step", "max_steps", and those of `same`), then calls
    `resume`. It brings `validate` of its own, calls `begin` before the first step and `after` each. `defaults` are
    values of `same` that older checkpoints don't hold.
    """

    defaults: dict[str, Any] = {}

    def resume(self):
        """Go on from the checkpoint that `config.resume` names, if any; write the settings beside the log.

        Raises:
            ValueError: no such checkpoint, or one of another run.
        """
        path = find_checkpoint(self.output, self.config.resume)
        now = {"max_steps": self.config.max_steps, "mixed_precision": self.accelerator.mixed_precision}
        if path is None and self.config.resume is not None:
            self.say(f"no checkpoint in {self.output}, starting from step 0")
        if path is not None:
            self.run = load_checkpoint(self.accelerator, path, self.same, self.ema, self.defaults)
            self.say(f"Resumed {path}")
            for name in [name for name, value in now.items() if self.run.get(name, value) != value]:
                self.say(
                    f"WARNING: {name} has changed from {self.run[name]} to {now[name]}: the run is not what it would "
                    "have been"
                )
        self.run |= now
        if self.accelerator.is_main_process:
            self.output.mkdir(parents=True, exist_ok=True)
            rows = self.output / "log.jsonl"
            if rows.exists():  # what was done after the checkpoint is done again
                last = math.inf if path is None else self.run["step"]
                kept = [json.dumps(row) for row in read_log(rows) if row["step"] <= last]
                with replaced_file(rows) as temporary:
                    temporary.write_text("".join(f"{row}\n" for row in kept))
            (self.output / "config.json").write_text(json.dumps(asdict(self.config), indent=2))

    def precision(self) -> str:
        """What `config.mixed_precision` comes to, see [`choose_precision`]; said once, before the accelerator."""
        chosen, why = choose_precision(self.config.mixed_precision, PartialState(cpu=self.config.cpu).device)
        self.say(f"mixed_precision: {chosen} ({why})")
        return chosen

    def say_held_out(self, prepared: str, count: int):
        """Say so where `val` is not prepared and clips of `train` stand in for it."""
        if "val" not in splits_of(prepared):
            self.say(f"no split 'val' in {prepared}: {count} clips of 'train' are held out for validation")

    def begin(self) -> int:
        """Show a progress bar from the step that is done, on the main process; returns the last step to make."""
        last = min(self.config.max_steps, self.config.stop_after or self.config.max_steps)
        quiet = not self.accelerator.is_main_process
        self.bar = tqdm(total=last, initial=self.run["step"], unit="step", dynamic_ncols=True, disable=quiet)
        return last

    def after(self, figures: dict[str, float], seconds: float):
        """Log the figures of a step, `seconds` after the start; validate and save when it is time."""
        step, config = self.run["step"], self.config
        self.log({"step": step, **figures, "seconds": round(seconds, 1)})
        self.bar.set_postfix({name: f"{value:.3g}" for name, value in figures.items()}, refresh=False)
        self.bar.update()
        if step % 50 == 0:
            self.say(f"step {step} " + " ".join(f"{k} {v:.4f}" for k, v in figures.items()) + f" {seconds:.0f} s")
        if step % config.validate_every == 0 or step == config.max_steps:
            self.validate()
        if step % config.save_every == 0 or step == config.max_steps:
            save_checkpoint(self.accelerator, self.output, self.run, self.ema, config.keep_checkpoints)
        if step >= self.bar.total:
            self.bar.close()

    def validate(self):
        """Figures of the averaged weights; to be called on all processes."""
        raise NotImplementedError

    @contextmanager
    def kept(self, name: str) -> Iterator[Path]:
        """A folder to save weights to, which becomes `output / name` when all is written, whole or not at all."""
        with replaced_folder(self.output / name) as temporary:
            yield temporary

    def log(self, figures: dict[str, Any]):
        """Add a row to log.jsonl and to the tracker; `figures` has "step"."""
        if not self.accelerator.is_main_process:
            return
        with (self.output / "log.jsonl").open("a") as file:
            file.write(json.dumps(figures) + "\n")
        if self.config.tracker:
            self.accelerator.log({k: v for k, v in figures.items() if v is not None}, step=figures["step"])

    def say(self, text: str):
        """Print on the main process alone."""
        if PartialState().is_main_process:
            tqdm.write(text)
            sys.stdout.flush()
