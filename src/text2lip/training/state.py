"""Exact resume: checkpoints that appear whole or not at all, logs, and draws that depend on the step alone."""

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from text2lip.files import put_folder


MADE = re.compile(r"checkpoint-(\d+)$")


def seed_step(seed: int, step: int, rank: int) -> torch.Generator:
    """Seed torch's global generator (dropout) and return another (draws), both from (seed, step, rank) alone.

    A run that goes on at `step` thus draws what an uninterrupted run would have drawn.
    """
    mixed = (seed * 1_000_003 + step) * 1_009 + rank
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed ^ 0x5DEECE66D)


def checkpoints(folder: str | Path) -> list[Path]:
    """Finished checkpoints of a run, oldest first."""
    found = [path.parent for path in Path(folder).glob("checkpoint-*/run.json") if MADE.search(path.parent.name)]
    return sorted(found, key=lambda path: int(MADE.search(path.name)[1]))


def find_checkpoint(folder: str | Path, which: str | None) -> Path | None:
    """The checkpoint that `--resume` means.

    Args:
        folder (`str` or `Path`): of the run.
        which (`str`, *optional*): "latest" (None where there is none yet), a name in `folder`, a path, or None.

    Raises:
        ValueError: no such checkpoint.
    """
    if which is None:
        return None
    if which == "latest":
        return next(iter(checkpoints(folder)[::-1]), None)
    for path in (Path(folder) / which, Path(which)):
        if (path / "run.json").exists():
            return path
    raise ValueError(f"resume: no checkpoint {which!r} in {str(folder)!r}; give 'latest', a name or a path.")


def save_checkpoint(accelerator: Any, folder: str | Path, run: dict[str, Any], ema: Any = None, keep: int = 2) -> Path:
    """Write `checkpoint-<step>`; to be called on all processes.

    Args:
        accelerator (`accelerate.Accelerator`): after `prepare`.
        folder (`str` or `Path`): of the run.
        run (`dict`): JSON values, "step" among them: steps done. Written as `run.json`.
        ema (`EMA`, *optional*): written beside.
        keep (`int`): how many checkpoints to leave.
    """
    folder = Path(folder)
    temporary, final = folder / f"tmp-{run['step']}", folder / f"checkpoint-{run['step']}"
    if accelerator.is_main_process:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(temporary), safe_serialization=True)
    if accelerator.is_main_process and ema is not None:
        ema.save(temporary / "ema.safetensors")
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        run = {**run, "num_processes": accelerator.num_processes}
        (temporary / "run.json").write_text(json.dumps(run, indent=2))
        put_folder(temporary, final)
        for old in checkpoints(folder)[:-keep]:
            (old / "run.json").unlink()  # no longer a checkpoint, even if it is not removed to the end
            shutil.rmtree(old, ignore_errors=True)
    accelerator.wait_for_everyone()
    return final


def load_checkpoint(
    accelerator: Any,
    path: str | Path,
    fixed: dict[str, Any],
    ema: Any = None,
    defaults: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Load what [`save_checkpoint`] wrote into everything prepared; returns its `run`.

    Args:
        accelerator (`accelerate.Accelerator`): after `prepare`.
        path (`str` or `Path`): of the checkpoint.
        fixed (`dict`): settings that `run` must hold with the same values for the resume to be exact.
        ema (`EMA`, *optional*): loaded too.
        defaults (`dict`, *optional*): values of settings that older checkpoints don't hold.

    Raises:
        ValueError: another number of processes or another setting.
    """
    path = Path(path)
    run = {**(defaults or {}), **json.loads((path / "run.json").read_text())}
    for name, value in {**fixed, "num_processes": accelerator.num_processes}.items():
        if run.get(name) != value:
            raise ValueError(
                f"resume: {path.name} was made with {name} {run.get(name)!r}, this run has {value!r}; "
                "use the same, or begin a new run."
            )
    accelerator.load_state(str(path))
    if ema is not None:
        ema.load(path / "ema.safetensors")
    return run


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a log.jsonl; one that a killed program left half written is none."""
    rows = []
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict) and "step" in row]
