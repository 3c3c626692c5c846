"""Does PVAR pay? Schedules of dropping the sound, some seeds each, at one small budget, judged with and without sound.

    python examples/benchmarks/pvar_table.py --prepared outputs/grid --output outputs/pvar_table

Every run is `examples/train_pvar.py` from nothing with the networks of the config, on real clips alone (no teacher),
and differs from the others in schedule and seed only. Figures are those of the averaged weights after the last step
on `val`, none is picked. A table that was stopped goes on where it was when the same command is given again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from text2lip.training.state import read_log


EXAMPLES = Path(__file__).parents[1]
ALL_SOUND = {"kind": "constant", "end": 0.0}
SCHEDULES = {  # pvar settings; None: the config's own
    "p = 0": ALL_SOUND,
    "linear 0 to 1 (paper)": {"kind": "linear", "start": 0.0, "end": 1.0},
    "p = 1": {"kind": "constant", "end": 1.0},
    "shipped": None,
}
SOUND_ONLY = "sound alone"
METRICS = ("gap_r", "width_r", "lmd_centred", "jerk_ratio", "motion_ratio")
LOWER = ("lmd_centred",)


def main(arguments: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--output", type=Path, default=Path("outputs/pvar_table"))
    parser.add_argument("--config", default=str(EXAMPLES / "configs/pvar_grid.yaml"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cpu", action="store_true", help="leave accelerators alone")
    args, more = parser.parse_known_args(arguments)  # the rest goes to train_pvar.py
    figures = {name: [] for name in (*SCHEDULES, SOUND_ONLY)}
    for seed in args.seeds:
        for name in figures:
            figures[name].append(run(name, seed, args, more))
            report = {"steps": args.steps, "batch_size": args.batch_size, "seeds": args.seeds, "rows": figures}
            write(args.output / "table.json", json.dumps(report, indent=1) + "\n")
            write(args.output / "table.md", table(figures, args.steps, args.batch_size))
    print((args.output / "table.md").read_text())
    return figures


def run(name: str, seed: int, args: argparse.Namespace, more: list[str]) -> dict[str, float | None]:
    """Figures of one run; trains it, or what is left of it."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in name)
    folder = args.output / f"{slug}-{seed}"
    if last_figures(folder, args.steps) is None:
        print(f"{name}, seed {seed}", flush=True)
        settings = {
            "config": args.config,
            "prepared": args.prepared,
            "output": folder,
            "seed": seed,
            "max_steps": args.steps,
            "batch_size": args.batch_size,
            "warmup_steps": min(50, args.steps // 4),
            "validate_every": args.steps,
            "save_every": 100,
            "keep_checkpoints": 1,
            "teacher_texts": "null",
            "resume": "latest",
            "cpu": str(args.cpu).lower(),
        }
        schedule = SCHEDULES.get(name)
        if name == SOUND_ONLY:
            settings["use_visemes"], schedule = "false", ALL_SOUND
        if schedule is not None:
            settings["pvar"] = json.dumps(schedule)
        options = [text for key, value in settings.items() for text in (f"--{key}", str(value))]
        script = str(EXAMPLES / "train_pvar.py")
        subprocess.run([sys.executable, script, *options, *more], check=True, stdout=subprocess.DEVNULL)
    return last_figures(folder, args.steps)


def last_figures(folder: Path, steps: int) -> dict[str, float | None] | None:
    """What the validation after the last step wrote to the run's log; None where it is not done."""
    log = folder / "log.jsonl"
    rows = read_log(log) if log.exists() else []
    done = [row for row in rows if row["step"] == steps and "val/pseudo_audio_l1" in row]
    return {key.removeprefix("val/"): value for key, value in done[-1].items() if key != "step"} if done else None


def table(figures: dict[str, list[dict]], steps: int, batch_size: int) -> str:
    """Markdown: mean and spread over seeds, without sound and with it; then how far each is from sound alone."""
    lines = [f"{steps} steps of {batch_size} clips; mean ± standard deviation over seeds; `val`."]
    for title, kind in (("Without sound", "text"), ("With sound", "audio")):
        lines += ["", f"| {title} | seeds | " + " | ".join(METRICS) + " |", "| --- | --- |" + " --- |" * len(METRICS)]
        for name, runs in figures.items():
            if runs:
                cells = [spread([row[f"{kind}/{metric}"] for row in runs]) for metric in METRICS]
                lines.append(f"| {name} | {len(runs)} | " + " | ".join(cells) + " |")
    if figures[SOUND_ONLY]:
        lines += ["", "| Better than sound alone by, % | " + " | ".join(METRICS[:3]) + " |", "| --- |" + " --- |" * 3]
        for name in SCHEDULES:
            for title, kind in (("without sound", "text"), ("with sound", "audio")):
                cells = [gain(figures[name], figures[SOUND_ONLY], kind, metric) for metric in METRICS[:3]]
                lines.append(f"| {name}, {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def spread(values: list[float | None]) -> str:
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):.1g}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4g}{deviation}"


def gain(ours: list[dict], sound: list[dict], kind: str, metric: str) -> str:
    """By how many per cent the mean of `ours` is better than that of the decoder that hears sound alone."""
    a = [row[f"{kind}/{metric}"] for row in ours]
    b = [row[f"audio/{metric}"] for row in sound]
    if None in a or None in b or not a:
        return "–"
    more = 100 * (statistics.mean(a) / statistics.mean(b) - 1)
    return f"{-more if metric in LOWER else more:+.1f}"


def write(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
