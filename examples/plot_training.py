"""Draw a training run: its losses and validation figures, and the lip gap that its networks make of held-out clips.

python examples/plot_training.py outputs/pvar --prepared outputs/grid --output training.png
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from text2lip.data.prepared import PreparedClip
from text2lip.faces.canonical import lip_gap
from text2lip.training import Text2LipNetworks, collate, to_sample
from text2lip.training.lip_samples import load_clips
from text2lip.training.settings import errors_in_one_line
from text2lip.training.state import read_log


LOSSES = {"motion": "motion", "velocity": "velocity", "pseudo_audio": "pseudo-audio", "amplitude": "amplitude"}
FIGURES = {"gap_r": "lip gap, r", "width_r": "mouth width, r", "jerk_ratio": "jerk, ours / real"}
SMOOTH = 15  # steps


def main(arguments: list[str] | None = None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="output folder of train_pvar.py")
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--clips", type=int, default=2, help="clips of val to draw")
    parser.add_argument("--output", type=Path, default=Path("training.png"))
    args = parser.parse_args(arguments)
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = read_log(args.run / "log.jsonl")
    figure = plt.figure(figsize=(10, 3.4 + 1.9 * args.clips), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3.2, 1.9 * args.clips])
    left, right = upper.subplots(1, 2)
    draw_losses(left, rows)
    draw_figures(right, rows)
    networks = Text2LipNetworks.from_pretrained(args.run / "best").eval()
    axes = np.atleast_1d(lower.subplots(args.clips, 1))
    for axis, clip in zip(axes, load_clips(args.prepared, "val", args.clips, tokenizer=networks.tokenizer)):
        draw_gap(axis, networks, clip)
    axes[0].legend(loc="upper right", fontsize=8)
    axes[-1].set_xlabel("seconds")
    figure.savefig(args.output, dpi=80)
    print(f"Wrote {args.output}")


def draw_losses(axis, rows: list[dict]):
    """Running means of the losses, on a log scale, and the share of clips without sound."""
    steps = [row["step"] for row in rows if "loss" in row]
    for key, label in LOSSES.items():
        values = np.array([row.get(key, np.nan) for row in rows if "loss" in row])
        width = min(SMOOTH, len(values))
        mean = np.convolve(values, np.ones(width) / width, "valid")
        axis.plot(steps[width - 1 :], mean, label=label)
    axis.plot(steps, [row["dropped"] for row in rows if "loss" in row], "k:", label="sound dropped, p")
    axis.set(yscale="log", ylim=(1e-3, 3), xlabel="step", title="losses on train")
    axis.legend(fontsize=8)


def draw_figures(axis, rows: list[dict]):
    """Validation without sound (full) and with it (dashed)."""
    done = [row for row in rows if "val/text/gap_r" in row]
    for color, (key, label) in zip(("C0", "C1", "C2"), FIGURES.items()):
        for kind, line in (("text", "o-"), ("audio", "o--")):
            values = [np.nan if row[f"val/{kind}/{key}"] is None else row[f"val/{kind}/{key}"] for row in done]
            shown = f"{label}, {'without sound' if kind == 'text' else 'with sound'}"
            axis.plot([row["step"] for row in done], values, line, color=color, label=shown, markersize=3)
    axis.set(xlabel="step", title="figures on val")
    axis.legend(fontsize=8)


@torch.no_grad()
def draw_gap(axis, networks: Text2LipNetworks, clip: PreparedClip):
    """The real lip gap and that of the networks, without and with sound, with the phones above."""
    batch = collate([to_sample(clip)])
    times = (np.arange(len(clip.lips)) + 0.5) / clip.fps
    axis.plot(times, lip_gap(clip.lips), "k", label="real")
    for label, dropped in (("without sound", True), ("with sound", False)):
        motion = networks(batch, torch.full_like(batch["frame_mask"], dropped)).motion[0]
        axis.plot(times, lip_gap((motion + batch["rest"][0]).float().numpy()), label=label)
    for phone in clip.phones:
        axis.axvline(phone.start, color="0.9", zorder=0)
        axis.annotate(phone.label, (phone.start, 0.97), xycoords=("data", "axes fraction"), fontsize=8, va="top")
    axis.set(ylabel="lip gap", ylim=(0, None), xlim=(0, times[-1]))
    axis.set_title(clip.text, fontsize=9, loc="left")


if __name__ == "__main__":
    with errors_in_one_line():
        main()
