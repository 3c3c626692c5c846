"""What the experiments on training share: runs that differ in a few settings, some seeds each, judged alike.

A study is a YAML file beside its script: `settings` for every run, `variants` with what each changes of them, and
`against`, the variant that the others are compared with. Every run is `examples/train_pvar.py` from nothing; its
figures are of the averaged weights after the last step, none is picked, on clips that it wasn't trained on. What was
stopped goes on where it was when the same command is given again.
"""

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml


HERE = Path(__file__).parent
EXAMPLES = HERE.parent
PAGES = EXAMPLES.parent / "docs/source/en/experiments"
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "benchmarks")]

from text2lip import metrics as M  # noqa: E402
from text2lip.data.prepared import PreparedClip, read_prepared, splits_of  # noqa: E402
from text2lip.files import replaced_file  # noqa: E402
from text2lip.speech.audio import to_float  # noqa: E402
from text2lip.training.lip_networks import Text2LipNetworks  # noqa: E402
from text2lip.training.lip_samples import collate, load_clips, to_sample  # noqa: E402
from text2lip.training.state import read_log  # noqa: E402
from text2lip.training.validation import lip_figures  # noqa: E402


BLOCK = re.compile(r"(<!-- made by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
BETTER_LOW = ("lmd_centred", "wer")
FIGURES = ("gap_r", "width_r", "lmd_centred", "closure", "jerk_ratio", "motion_ratio", "wer", "bleu1", "bleu4", "sync")
OPTIONS = {
    "seeds": {"type": int, "nargs": "+", "default": [0, 1, 2]},
    "steps": {"type": int, "help": "of each run (default: the study's)"},
    "split": {"default": "test", "help": "whose clips are looked at"},
    "splits": {"nargs": "+", "default": ["test", "val_speaker"], "help": "that the runs are judged on"},
    "jobs": {"type": int, "default": 1, "help": "runs at the same time"},
    "cpu": {"action": "store_true", "help": "leave accelerators alone"},
    "finished": {"action": "store_true", "help": "train and draw nothing: tables of what is there"},
}
STUDY = ("seeds", "steps", "splits", "jobs", "cpu", "finished")  # the options of a study
ELSEWHERE = ("prepared", "output", "data", "faces", "runs", "quick", "write", "jobs", "cpu", "finished")
MINUTES = "minutes of processor time"
QUICK = {"seeds": [0], "steps": 2, "batch_size": 2, "limit": 2}
Figures = dict[str, float | None]


def parser(description: str, folder: str, *more: str) -> argparse.ArgumentParser:
    """The options that every experiment has, and of `OPTIONS` those named in `more`."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    made.add_argument("--output", type=Path, default=Path("outputs/experiments") / folder)
    made.add_argument("--quick", action="store_true", help="hardly any training, few clips: shows that all of it runs")
    made.add_argument("--write", action="store_true", help="put the tables into the docs")
    for name in more:
        made.add_argument(f"--{name}", **OPTIONS[name])
    return made


def parse(made: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """The options; in `asked` those that bear on figures and aren't as they are by default, as they would be typed."""
    args = made.parse_args(arguments)
    args.asked = ""
    for action in made._actions:
        value = getattr(args, action.dest, None)
        if value in (None, action.default) or action.dest in ELSEWHERE:
            continue
        values = [] if value is True else [action.metavar] if action.metavar else value
        words = [f"--{action.dest}", *map(str, values if isinstance(values, list) else [values])]
        args.asked += f" {shlex.join(words)}"
    return args


@dataclass(frozen=True)
class Study:
    """Runs that differ in a few settings.

    Attributes:
        name (`str`): of its YAML file.
        config (`str`): of `train_pvar.py`, that every run begins with.
        settings (`dict`): of every run.
        variants (`dict`): name -> what the variant changes.
        against (`str`): the variant that others are compared with.
    """

    name: str
    config: str
    settings: dict[str, Any]
    variants: dict[str, dict[str, Any]]
    against: str

    @classmethod
    def read(cls, name: str) -> "Study":
        """The study of `NAME.yaml` beside this file."""
        return cls(name, **yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8")))

    def settings_of(self, variant: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
        """All that `train_pvar.py` is told; networks are merged part by part."""
        settings = {**self.settings, **self.variants[variant]}
        config = yaml.safe_load((EXAMPLES / "configs" / self.config).read_text(encoding="utf-8"))
        networks = config.get("networks", {})
        for part, changes in (self.variants[variant].get("networks") or {}).items():
            networks = {**networks, part: {**networks.get(part, {}), **changes}}
        steps = args.steps or settings["max_steps"]
        if args.quick:
            steps = QUICK["steps"]
            settings |= {"batch_size": QUICK["batch_size"], "limit_clips": QUICK["limit"]}
        return settings | {
            "networks": networks,
            "prepared": args.prepared,
            "seed": seed,
            "max_steps": steps,
            "warmup_steps": min(50, steps // 4),
            "validate_every": max(steps // 6, 1),
            "save_every": max(min(100, steps), 1),
            "keep_checkpoints": 1,
            "resume": "latest",
            "cpu": args.cpu,
        }


def run_study(study: Study, args: argparse.Namespace) -> dict[str, list[dict]]:
    """Train and judge every variant with every seed; their figures by variant, a dictionary for each seed."""
    if args.quick:
        names = list(study.variants)
        kept = (names[0], study.against, names[-1])
        study = replace(study, variants={name: some for name, some in study.variants.items() if name in kept})
    seeds = QUICK["seeds"] if args.quick else args.seeds
    if args.finished:
        return finished(study, args.output, seeds)
    work = [(variant, seed) for seed in seeds for variant in study.variants]
    with ThreadPoolExecutor(args.jobs) as pool:
        for folder, _ in zip(pool.map(lambda item: train(study, *item, args), work), work):
            judge(folder, args)
    found = {
        variant: [json.loads((run_folder(args.output, variant, seed) / "judged.json").read_text()) for seed in seeds]
        for variant in study.variants
    }
    save(args.output / "figures.json", json.dumps(found, indent=1) + "\n")
    return found


def finished(study: Study, output: Path, seeds: list[int]) -> dict[str, list[dict]]:
    """Figures of the runs that are there.

    Raises:
        ValueError: none is.
    """
    found = {}
    for variant in study.variants:
        files = [run_folder(output, variant, seed) / "judged.json" for seed in seeds]
        if runs := [json.loads(path.read_text()) for path in files if path.exists()]:
            found[variant] = runs
    if not found:
        raise ValueError(f"output: no finished run is in {output}.")
    return found


def run_folder(output: Path, variant: str, seed: int) -> Path:
    return output / f"{slug(variant)}-{seed}"


def slug(name: str) -> str:
    """A name as that of a file."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def train(study: Study, variant: str, seed: int, args: argparse.Namespace) -> Path:
    """The folder of a finished run; what is missing of it is trained.

    Raises:
        ValueError: its folder holds a run of other settings.
    """
    folder, settings = run_folder(args.output, variant, seed), study.settings_of(variant, seed, args)
    told = folder / "study.json"
    if told.exists() and json.loads(told.read_text()) != json.loads(json.dumps(settings)):
        raise ValueError(f"output: {folder} holds a run of other settings; choose another --output or delete it.")
    if not (folder / "final").is_dir():
        save(told, json.dumps(settings, indent=1) + "\n")
        print(f"{variant}, seed {seed}", flush=True)
        options = [text for key, value in settings.items() for text in (f"--{key}", json.dumps(value))]
        command = [sys.executable, EXAMPLES / "train_pvar.py", "--config", EXAMPLES / "configs" / study.config]
        threads = str(max(1, (os.cpu_count() or 1) // args.jobs))
        environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)}
        command = [str(part) for part in (*command, "--output", folder, *options)]
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{variant}, seed {seed}:\n{done.stderr[-3000:]}")
    return folder


def judge(folder: Path, args: argparse.Namespace):
    """Write `judged.json` to a run's folder: its figures on every split, without sound and with it, and the processor
    seconds that training and judging took."""
    if (folder / "judged.json").exists():
        return
    begun = time.process_time()
    settings = json.loads((folder / "config.json").read_text())
    networks = load_networks(folder / "final", settings["use_visemes"])
    limit = QUICK["limit"] if args.quick else None
    made: dict[str, Any] = {}
    for split in [split for split in args.splits if split in splits_of(args.prepared)] or ["val"]:
        clips, sounds = split_of(args.prepared, split, limit, settings["audio_features"], networks.tokenizer)
        made[split] = {kind: judged(networks, clips, sounds, kind == "text") for kind in ("text", "audio")}
    made["processor_seconds"] = trained_for(read_log(folder / "log.jsonl")) + time.process_time() - begun
    save(folder / "judged.json", json.dumps(made, indent=1) + "\n")


def trained_for(rows: list[dict[str, Any]]) -> float:
    """Processor seconds of a run by its log, of all the parts that it was made in, but for steps that were made again
    after a stop: their first rows are gone."""
    return sum(row.get("row_processor_seconds", 0.0) for row in rows)


def load_networks(folder: Path, use_visemes: bool) -> Text2LipNetworks:
    networks = Text2LipNetworks.from_pretrained(folder).eval()
    networks.use_visemes = use_visemes
    return networks


def split_of(prepared, split: str, limit: int | None, features: str, tokenizer) -> tuple[list[PreparedClip], list]:
    """Clips of a split and their sounds at 16 kHz."""
    sounds = [to_float(row["audio"]) for row in read_prepared(prepared, split, ["audio"], limit)]
    return load_clips(prepared, split, limit, features, tokenizer), sounds


def judged(networks: Text2LipNetworks, clips: list[PreparedClip], sounds: list, silent: bool) -> Figures:
    """Figures of the networks by themselves, before the pipeline seals lips, at the clips' own phone times."""
    moved = [lips_of(networks, clip, silent) for clip in clips]
    return lips_judged(moved, clips, sounds)


@torch.no_grad()
def lips_of(networks: Text2LipNetworks, clip: PreparedClip, silent: bool):
    """Canonical lips (frames, 57, 2) for a clip, without its sound or with it."""
    batch = collate([to_sample(clip)], networks.viseme_encoder.config.num_visemes)
    out = networks(batch, torch.full_like(batch["frame_mask"], silent))
    return (out.motion.float() + batch["rest"][:, None])[0].numpy()


def lips_judged(moved: list, clips: list[PreparedClip], sounds: list) -> Figures:
    """Distances from the real lips; what a lip reader reads; whether lips and sound agree.

    Args:
        moved: canonical lips (frames, 57, 2) of each clip.
        clips: what is real.
        sounds: of the clips, float, 16 kHz.
    """
    figures = lip_figures(moved, clips)
    figures |= figures_of_reader([clip.text.lower() for clip in clips], moved)
    long = [(lips, sound, clip.fps) for lips, sound, clip in zip(moved, sounds, clips) if len(lips) >= 40]
    agree = [M.sync_of_lips(lips, sound, fps=fps) for lips, sound, fps in long]
    figures["sync"] = M.mean_of(confidence for confidence, _ in agree)
    figures["in_sync"] = M.mean_of(float(abs(offset) <= 1) for _, offset in agree)
    return figures


def figures_of_reader(said: list[str], moved: list) -> Figures:
    """WER, BLEU-1 and BLEU-4 of what the built-in reader of landmarks reads; None where it knows no such sentences."""
    reader = M.builtin_reader("landmarks")
    known = [(text, lips) for text, lips in zip(said, moved) if reader.knows(text)]
    if not known:
        return dict.fromkeys(("wer", "bleu1", "bleu4"))
    said, read = [text for text, _ in known], reader.read([lips for _, lips in known])
    return {"wer": M.wer(read, said), "bleu1": M.bleu(read, said, 1), "bleu4": M.bleu(read, said)}


def table(found: dict[str, list[dict]], split: str, kind: str, against: str, columns=FIGURES) -> str:
    """Markdown: mean ± standard deviation over seeds. `=` marks what differs from `against` by less than the larger of
    the two standard deviations; with one seed nothing is marked."""
    lines = ["| | seeds | " + " | ".join(columns) + " |", "| --- | --- |" + " --- |" * len(columns)]
    base = [run[split][kind] for run in found.get(against, [])]
    for name, runs in found.items():
        rows = [run[split][kind] for run in runs]
        cells = [cell([row[c] for row in rows], [row[c] for row in base] if name != against else []) for c in columns]
        lines.append(f"| {name} | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(values: list[float | None], base: list[float | None]) -> str:
    values, base = known(values), known(base)
    text = spread_of(values)
    if len(values) > 1 and len(base) > 1:
        spread = max(statistics.stdev(values), statistics.stdev(base))
        text += " =" if abs(statistics.mean(values) - statistics.mean(base)) < spread else ""
    return text


def spread_of(values: list[float | None]) -> str:
    """Mean ± standard deviation."""
    values = known(values)
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):.1g}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3g}{deviation}"


def known(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def told(study: Study, found: dict[str, list[dict]], args: argparse.Namespace) -> str:
    """The study's tables with what was run, on which clips, how long."""
    first = study.settings_of(next(iter(study.variants)), 0, args)
    runs = [run for rows in found.values() for run in rows]
    lines = [
        f"{len(runs)} runs of {first['max_steps']} steps of {first['batch_size']} clips, {minutes_of(found):.0f} "
        f"{MINUTES} in all. Mean ± standard deviation over seeds; = where the difference from "
        f"“{study.against}” lies within the larger of both deviations."
    ]
    for split in [key for key in runs[0] if not key.endswith("seconds")]:
        clips = count_of(args.prepared, split, QUICK["limit"] if args.quick else None)
        for title, kind in (("without sound", "text"), ("with the film's sound", "audio")):
            rows = {name: some for name, some in found.items() if kind == "audio" or name != "sound alone"}
            lines += ["", f"**{clips} clips of {split}, {title}**", "", table(rows, split, kind, study.against)]
    return "\n".join(lines)


def count_of(prepared: str, split: str, limit: int | None = None) -> int:
    """How many clips were prepared of a split, `limit` at most."""
    return sum(1 for _ in read_prepared(prepared, split, ["name"], limit))


def minutes_of(found: dict[str, list[dict]]) -> float:
    """Minutes of processor time that all runs took, by their own records; older records, of a clock, are none."""
    return sum(run.get("processor_seconds", 0.0) for runs in found.values() for run in runs) / 60


def write_page(name: str, body: str):
    """Put `body` where the page of an experiment has its place for what the command made.

    Raises:
        ValueError: the page has no such place, or several.
    """
    page = PAGES / f"{name}.md"
    text, count = BLOCK.subn(lambda match: f"{match[1]}\n{body}\n\n{match[2]}", page.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"page: {page} has {count} places for what the command made; wants one.")
    save(page, text)


def save(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def spread_table(found: dict[str, list[dict]], columns: tuple[str, ...]) -> str:
    """A table of figures with the spread of each row's seeds."""
    lines = ["| | seeds | " + " | ".join(columns) + " |", "| --- | --- |" + " --- |" * len(columns)]
    for name, runs in found.items():
        cells = [spread_of([run.get(column) for run in runs]) for column in columns]
        lines.append(f"| {name} | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(rows: dict[str, dict], columns: tuple[str, ...]) -> str:
    """A table of figures, a row for each name; – where there is none."""
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    return "\n".join(
        lines + [f"| {n} | " + " | ".join(number(row.get(c)) for c in columns) + " |" for n, row in rows.items()]
    )


def pyplot():
    """The plotting functions of matplotlib, for files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot

    return matplotlib.pyplot


def number(value: float | int | str | None) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def finish(name: str, body: str, args: argparse.Namespace, minutes: float | None = None):
    """Print the tables, keep them beside the runs, and put them into the docs where that is asked for.

    Args:
        name (`str`): of the experiment.
        body (`str`): what was run, and the tables; the command is set before it.
        args (`argparse.Namespace`): of [`parse`].
        minutes (`float`, *optional*): of processor time that all of it took, by the records of its parts; by default
            those of this program. `spent.json` keeps them.
    """
    minutes = time.process_time() / 60 if minutes is None else minutes
    body = f"`python examples/experiments/{name}.py{args.asked}`: {body}"
    print(body)
    save(args.output / "spent.json", json.dumps({"processor_minutes": round(minutes, 1)}) + "\n")
    save(args.output / "tables.md", body + "\n")
    if args.write and not args.quick:
        write_page(name, body)
