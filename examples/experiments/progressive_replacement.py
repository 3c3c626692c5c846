"""Does progressive replacement (PVAR) pay, how much hangs on its schedule, and does a high p let training collapse?

    python examples/experiments/progressive_replacement.py --prepared outputs/grid --jobs 2

Second experiment of the plan and second of its next checks. Beside the tables a figure of every schedule's course over
training, the mean of its seeds, and, for the schedules named by `--drawn`, figures of video that the geometric
renderer draws from each clip's first frame (FVD, SSIM, PSNR, sync, reader).
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from bench_films import DRAWN, drawn_figures, film_and_still, film_options, films, moved_by, of_way, summary
from study import (
    MINUTES,
    PAGES,
    QUICK,
    STUDY,
    Study,
    finish,
    load_networks,
    minutes_of,
    parse,
    parser,
    pyplot,
    run_folder,
    run_study,
    spread_table,
    told,
)

from text2lip.training.schedules import PVARSchedule
from text2lip.training.settings import errors_in_one_line
from text2lip.training.state import read_log


NAME = "progressive_replacement"
CHOSEN = ("linear 0 to 1 (paper)", "p = 0", "p = 1")
COURSES = {"val/text/gap_r": "r of the lip gap, without sound", "val/audio/gap_r": "r of the lip gap, with sound"}
COURSES |= {"val/pseudo_audio_l1": "distance of pseudo-audio from real sound"}


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, *STUDY)
    film_options(options)
    options.add_argument("--drawn", nargs="*", default=list(CHOSEN), help="schedules whose video is drawn and judged")
    args = parse(options, arguments)
    study = Study.read(NAME)
    found = run_study(study, args)
    body = told(study, found, args)
    draw_courses(study, args, args.output / "courses.png")
    if args.write and not args.quick:
        draw_courses(study, args, PAGES / f"{NAME}.png")
    minutes = minutes_of(found)
    if args.drawn:
        drawn, spent = pictures(args)
        body, minutes = f"{body}\n\n{drawn}", minutes + spent
    finish(NAME, body, args, minutes)
    return found


def pictures(args: argparse.Namespace) -> tuple[str, float]:
    """A table of what is drawn by every seed of the schedules that `args` name, and the minutes that took."""
    split, seeds, fvd = args.splits[0], QUICK["seeds"] if args.quick else args.seeds, not args.quick
    clips = films(args, split)
    bounds, minutes = film_and_still(args.output / f"bounds-{split}", clips, fvd)
    found = {"film": [summary(bounds["film"], bounds["film"])]}
    for name in args.drawn:
        for folder in (run_folder(args.output, name, seed) for seed in seeds):
            kept = folder / f"text-{split}-drawn"
            drawn = len(list(kept.glob("*.json"))) >= len(clips)
            if not (folder / "final").is_dir() or (args.finished and not drawn):
                continue
            way = partial(moved_by, load_networks(folder / "final", True))
            values, spent = of_way(kept, clips, way, partial(drawn_figures, fvd=fvd))
            found.setdefault(name, []).append(summary(values, bounds["film"]))
            minutes += spent
    found["still portrait"] = [summary(bounds["still portrait"], bounds["film"])]
    told = f"**Drawn without sound, {len(clips)} clips of {split}, {minutes:.0f} {MINUTES}**"
    return f"{told}\n\n{spread_table(found, DRAWN)}", minutes


def draw_courses(study: Study, args: argparse.Namespace, target: Path):
    """Validation over training, a line for each schedule, and the schedules themselves."""
    plt = pyplot()
    seeds = QUICK["seeds"] if args.quick else args.seeds
    figure, grid = plt.subplots(2, 2, figsize=(12, 7), layout="constrained")
    first, *axes = grid.flat
    for number, variant in enumerate(study.variants):
        settings = study.settings_of(variant, 0, args)
        schedule = PVARSchedule(**{"last_step": settings["max_steps"], **settings["pvar"]})
        style = {"label": variant, "color": f"C{number % 10}", "ls": "-" if number < 10 else ":"}
        steps = np.arange(settings["max_steps"])
        first.plot(steps, [schedule.probability(step) for step in steps], **style)
        logs = [rows for seed in seeds if (rows := course(run_folder(args.output, variant, seed)))]
        for axis, key in zip(axes, COURSES if logs else ()):
            if settings.get("use_visemes", True) or "audio" in key:
                values = np.array([[np.nan if row[key] is None else row[key] for row in rows] for rows in logs], float)
                axis.plot([row["step"] for row in logs[0]], values.mean(0), **style)
    for axis, title in zip((first, *axes), ("probability that sound is replaced", *COURSES.values())):
        axis.set(title=title, xlabel="step of training")
        axis.grid(alpha=0.3)
        if "lip gap" in title:
            axis.set_ylim(bottom=0.82)
    figure.legend(*first.get_legend_handles_labels(), loc="outside right center", fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=75)
    plt.close(figure)


def course(folder: Path) -> list[dict]:
    """Every validation of a run that is finished."""
    if not (folder / "judged.json").exists():
        return []
    return [row for row in read_log(folder / "log.jsonl") if "val/text/gap_r" in row]


if __name__ == "__main__":
    with errors_in_one_line():
        main()
