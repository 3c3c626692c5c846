"""How closely weights of ARKit's shapes make the lips that they were fitted to, on the built-in head.

    python examples/benchmarks/blendshapes.py                       # ten sentences, lips of the networks
    python examples/benchmarks/blendshapes.py --prepared DIR --split val    # lips of films, of prepare_grid.py

Distances are of the 40 points of the lips, seen from the front, of the fit to what was wanted: mm on this head, whose
mouth is 51 mm wide, and shares of that width. `shut` is the share of /p b m/ whose smallest gap is under 0.0225 of the
eyes' distance (2 mm), wanted and made. `jerk` is that of the made lips over that of the wanted ones.
"""

import argparse
from pathlib import Path

import numpy as np
from voices import SENTENCES

from text2lip import Text2LipPipeline
from text2lip.data.prepared import load_prepared
from text2lip.faces.canonical import lip_gap, lip_width, neutral_shape
from text2lip.faces.talking_head import builtin_head
from text2lip.faces.topology import LIPS
from text2lip.motion.blendshapes import blendshapes_of, lip_fit
from text2lip.motion.lips import LipMotion
from text2lip.text.timing import Timeline


SHUT = 0.0225  # outer-eye distances


def judge(motion: LipMotion) -> dict[str, float]:
    """Errors of one clip; its plan is left out."""
    motion = LipMotion(motion.displacement, motion.reference_width, motion.fps, motion.timeline)
    fit, head = lip_fit(), builtin_head()
    wanted = fit.rest + fit.targets(motion.displacement, motion.reference_width)
    made = fit.rest + fit.moved(blendshapes_of(motion).weights)
    lips = slice(len(LIPS))
    error = head.unit * np.linalg.norm(made - wanted, axis=2)[:, lips]
    gaps, widths = ([measure(shape) for shape in (wanted, made)] for measure in (lip_gap, lip_width))
    jerks = [np.abs(np.diff(shape[:, lips], 3, axis=0)).mean() for shape in (wanted, made)]
    row = {
        "mean mm": error.mean(),
        "95 % mm": np.quantile(error, 0.95),
        "of width %": 100 * error.mean() / (head.unit * lip_width(fit.rest)),
        "still mm": head.unit * np.linalg.norm(wanted - fit.rest, axis=2)[:, lips].mean(),
        "gap mm": head.unit * np.abs(gaps[0] - gaps[1]).mean(),
        "gap r": np.corrcoef(*gaps)[0, 1],
        "width mm": head.unit * np.abs(widths[0] - widths[1]).mean(),
        "width r": np.corrcoef(*widths)[0, 1],
        "jerk": jerks[1] / jerks[0],
    }
    spoken = [phone for phone in motion.timeline.phones if phone.label[:1] in ("p", "b", "m")]
    frames = [np.arange(int(p.start * motion.fps) - 1, int(p.end * motion.fps) + 2) for p in spoken]
    frames = [one[(one >= 0) & (one < len(made))] for one in frames]
    for name, gap in zip(("shut wanted", "shut made"), gaps):
        row[name] = np.mean([gap[one].min() < SHUT for one in frames]) if frames else np.nan
    return row


def spoken(pipeline: str, limit: int) -> list[LipMotion]:
    """Sentences, said by a pipeline's networks."""
    pipe = Text2LipPipeline.from_pretrained(pipeline)
    return [pipe.move(pipe.speak(sentence, voice=None), life=0) for sentence in SENTENCES[:limit]]


def filmed(folder: Path, split: str, limit: int) -> list[LipMotion]:
    """The lips of prepared clips, from each talker's rest."""
    motions = []
    for clip in load_prepared(folder, split)[:limit]:
        rest = neutral_shape(clip.lips, clip.silent)
        timeline = Timeline.from_phones(clip.phones)
        motions.append(LipMotion(clip.lips - rest, float(lip_width(rest)), clip.fps, timeline))
    return motions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--prepared", type=Path, help="folder of examples/prepare_grid.py, for the lips of films")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, default=10, help="clips")
    args = parser.parse_args()
    motions = filmed(args.prepared, args.split, args.limit) if args.prepared else spoken(args.pipeline, args.limit)
    rows = [judge(motion) for motion in motions]
    print(f"| {' | '.join(['clips', *rows[0]])} |\n|{' --- |' * (len(rows[0]) + 1)}")
    means = [np.nanmean([row[name] for row in rows]) for name in rows[0]]
    print(f"| {len(rows)} | " + " | ".join(f"{mean:.3g}" for mean in means) + " |")


if __name__ == "__main__":
    main()
