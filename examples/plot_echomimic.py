"""Draw the losses of train_echomimic.py's stages, each with its validation.

python examples/plot_echomimic.py outputs/vae outputs/spatial outputs/motion --output echomimic.png
"""

import argparse
import json
from pathlib import Path

from text2lip.training.settings import errors_in_one_line
from text2lip.training.state import read_log


def main(arguments: list[str] | None = None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="output folders of train_echomimic.py")
    parser.add_argument("--output", type=Path, default=Path("echomimic.png"))
    args = parser.parse_args(arguments)
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(args.runs), figsize=(3.6 * len(args.runs), 3), squeeze=False)
    for axis, run in zip(axes[0], args.runs):
        rows = read_log(run / "log.jsonl")
        stage = json.loads((run / "config.json").read_text())["stage"]
        draw(axis, rows)
        axis.set(title=stage, xlabel="step", ylabel="L1 and KL" if stage == "vae" else "v loss", yscale="log")
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(args.output, dpi=80)
    print(f"Wrote {args.output}")


def draw(axis, rows: list[dict]):
    """The loss on training clips, on held-out ones, and there with the landmarks of other frames."""
    for key, style, label in (
        ("loss", "-", "train"),
        ("val/loss", "o-", "val"),
        ("val/other_landmarks", "s--", "val, landmarks of other frames"),
    ):
        points = [(row["step"], row[key]) for row in rows if key in row]
        if points:
            axis.plot(*zip(*points), style, label=label, markersize=3, linewidth=1)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
