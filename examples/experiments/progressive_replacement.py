"""Does progressive replacement (PVAR) pay, how much hangs on its schedule, and does a high p let training collapse?

    python examples/experiments/progressive_replacement.py --prepared outputs/grid --jobs 2

Second experiment of the plan and second of its next checks. Beside the tables a figure of every schedule's course over
training, the mean of its seeds, and, for the first seed of the schedules named by `--drawn`, the quality benchmark's
figures of drawn video (FVD, SSIM, PSNR; needs the films, `--data`).
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from study import EXAMPLES, PAGES, QUICK, Study, finish, markdown, run_folder, run_study, study_parser, told

from text2lip.training.schedules import PVARSchedule
from text2lip.training.settings import errors_in_one_line
from text2lip.training.state import read_log


NAME = "progressive_replacement"
DRAWN = ("linear 0 to 1 (paper)", "p = 0", "p = 1")
PICTURES = ("ssim", "psnr", "lpips", "fvd", "mouth_ssim", "mouth_psnr", "sync_confidence", "wer_crops", "bleu1_crops")
PICTURES += ("bleu4_crops",)
COURSES = {"val/text/gap_r": "lip gap without sound, r", "val/text/motion_ratio": "motion without sound, ours / real"}
COURSES |= {"val/audio/gap_r": "lip gap with sound, r", "val/pseudo_audio_l1": "pseudo-audio, distance to real"}


def main(arguments: list[str] | None = None) -> dict:
    parser = study_parser(__doc__, NAME)
    parser.add_argument("--drawn", nargs="*", default=list(DRAWN), help="schedules whose video is drawn and judged")
    parser.add_argument(
        "--data", default=os.environ.get("TEXT2LIP_DATA"), help="the films; without them none is drawn"
    )
    args = parser.parse_args(arguments)
    study = Study.read(NAME)
    found = run_study(study, args)
    body = told(study, found, args)
    draw_courses(study, args, args.output / "courses.png")
    if args.write and not args.quick:
        draw_courses(study, args, PAGES / f"{NAME}.png")
    if args.drawn and args.data:
        body += "\n\n" + pictures_table({name: judge_pictures(name, args) for name in args.drawn})
    finish(NAME, body, args)
    return found


def judge_pictures(variant: str, args: argparse.Namespace) -> dict[str, dict[str, float | None]]:
    """What the quality benchmark says of the still portrait, the film and text-driven video of a run's first seed."""
    folder = run_folder(args.output, variant, QUICK["seeds"][0] if args.quick else args.seeds[0])
    target = folder / "pictures.json"
    if not target.exists():
        command = [sys.executable, EXAMPLES / "benchmarks/quality.py", "--split", args.splits[0]]
        command += ["--pipeline", folder / "final", "--prepared", args.prepared, "--data", args.data]
        command += ["--rows", "still", "text_only", "--metrics", "all", "--json", target]
        command += ["--limit", QUICK["limit"]] if args.quick else []
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return json.loads(target.read_text())["rows"]


def pictures_table(rows: dict[str, dict]) -> str:
    """Drawn by the geometric renderer from the clip's first frame; the first seed of each."""
    first = next(iter(rows.values()))
    shown = {"film": first["film"], "still portrait": first["still"]}
    shown |= {name: some["text_only"] for name, some in rows.items()}
    return "**Drawn, first seed**\n\n" + markdown(shown, PICTURES)


def draw_courses(study: Study, args: argparse.Namespace, target: Path):
    """Validation over training, a line for each schedule, and the schedules themselves."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    seeds = QUICK["seeds"] if args.quick else args.seeds
    figure, axes = plt.subplots(1, len(COURSES) + 1, figsize=(4 * (len(COURSES) + 1), 3.6), layout="constrained")
    for variant in study.variants:
        settings = study.settings_of(variant, 0, args)
        schedule = PVARSchedule(**{"last_step": settings["max_steps"], **settings["pvar"]})
        steps = np.arange(settings["max_steps"])
        axes[0].plot(steps, [schedule.probability(step) for step in steps], label=variant)
        logs = [read_log(run_folder(args.output, variant, seed) / "log.jsonl") for seed in seeds]
        logs = [[row for row in rows if "val/text/gap_r" in row] for rows in logs]
        for axis, key in zip(axes[1:], COURSES):
            values = np.array([[np.nan if row[key] is None else row[key] for row in rows] for rows in logs], float)
            axis.plot([row["step"] for row in logs[0]], values.mean(0), label=variant)
    for axis, title in zip(axes, ("probability that sound is replaced", *COURSES.values())):
        axis.set(title=title, xlabel="step")
    axes[0].legend(fontsize=6)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
