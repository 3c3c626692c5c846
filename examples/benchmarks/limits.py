"""How well can lips be told from text at all? The talker against himself, and the landmark detector against itself.

    python examples/benchmarks/limits.py --prepared outputs/grid --split val

Every word of a held-out clip is replaced by another take of that word from `train`, phone by phone laid on the
held-out clip's own phone times, silences likewise. What two takes of a word do not share, no text can tell: if a film
is what the words determine plus something of its own, the correlation of the best possible guess with it is the square
root of that of two takes. Takes "in place" stand between the same phones as the word they replace, where there are
any; words farther off still differ, so the true limit lies somewhat higher. The row `detector` is the film against its
own mirror image, seen by the same face mesh. `text_only` is the built-in pipeline on the same clips. Beside the table:
how near the film's lips come to each other in p b m, in f v and in silence, which is where the constants of `closure`
and of the seal are from.
"""

import argparse
import json
import math
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm


sys.path.insert(0, str(Path(__file__).parents[1]))

import rows  # noqa: E402

from text2lip import FaceLandmarker, Text2LipPipeline  # noqa: E402
from text2lip import metrics as M  # noqa: E402
from text2lip.data import grid_clips  # noqa: E402
from text2lip.data.prepared import PreparedClip, load_prepared, load_record, record_path  # noqa: E402
from text2lip.faces.canonical import lip_gap  # noqa: E402
from text2lip.training.lip_samples import rest_shape  # noqa: E402


FADE = 0.04  # seconds over which one word's take gives way to the next
METRICS = ("gap_r", "width_r", "lmd_centred")
CLOSING = {"p": "p b m", "b": "p b m", "m": "p b m", "f": "f v", "v": "f v", "": "silence"}


class Span(NamedTuple):
    """A word, or a silence (label ""), of a clip: the edges of its phones, and the phones beside it."""

    label: tuple[str, ...]
    edges: np.ndarray  # (phones + 1,), seconds
    beside: tuple[str, str]

    @property
    def kind(self) -> tuple[str, ...]:
        """What takes must share: the phones; of silences, whether they begin the clip."""
        return self.label if any(self.label) else ("", "later" if self.edges[0] > 0 else "first")


class Takes:
    """All words of the train split, to be laid on other clips' times.

    Args:
        clips (`list[PreparedClip]`): of one talker.
    """

    def __init__(self, clips: list[PreparedClip]):
        self.known = defaultdict(list)
        for clip in clips:
            motion = clip.lips - rest_shape(clip)
            for span in spans(clip):
                self.known[span.kind].append((span, motion, clip.fps))

    def __call__(self, clip: PreparedClip, count: int, generator: np.random.Generator, beside: bool = False):
        """Motion of `clip` made of the mean of at most `count` takes of each word: (frames, 57, 2), or None where a
        word is unknown. `beside`: of takes between the same phones, where there are any."""
        times = (np.arange(len(clip.lips)) + 0.5) / clip.fps
        total, weights = np.zeros(clip.lips.shape), np.zeros((len(times), 1, 1))
        for span in spans(clip):
            takes = self.known.get(span.kind)
            if not takes:
                return None
            if beside:
                takes = [take for take in takes if take[0].beside == span.beside] or takes
            chosen = generator.permutation(len(takes))[:count]
            near = (times > span.edges[0] - FADE) & (times < span.edges[-1] + FADE)
            into = np.minimum(times[near] - span.edges[0], span.edges[-1] - times[near])
            weight = np.clip((into + FADE) / (2 * FADE), 1e-3, 1)[:, None, None]
            total[near] += weight * np.mean([laid(*takes[i], span, times[near]) for i in chosen], 0)
            weights[near] += weight
        return total / np.maximum(weights, 1e-3)


def spans(clip: PreparedClip) -> list[Span]:
    """Words and silences of a clip in their order."""
    groups, last = [], None
    for phone in clip.phones:
        middle = (phone.start + phone.end) / 2
        word = next((i for i, w in enumerate(clip.words) if w.start <= middle < w.end), None) if phone.label else None
        if not groups or word != last:
            groups.append([])
        groups[-1].append(phone)
        last = word
    labels = ["", *(phone.label for phone in clip.phones), ""]
    found, done = [], 0
    for group in groups:
        edges = np.array([group[0].start, *(phone.end for phone in group)])
        beside = (labels[done], labels[done + len(group) + 1])
        done += len(group)
        found.append(Span(tuple(phone.label for phone in group), edges, beside))
    return found


def laid(take: Span, motion: np.ndarray, fps: float, span: Span, times: np.ndarray) -> np.ndarray:
    """`motion` (frames, 57, 2) of a take at the moments that correspond to `times` of `span`: (len(times), 57, 2).

    Phones are stretched linearly; outside of the word, and in a silence from the end that touches speech, time runs
    as it does.
    """
    if any(span.label):
        inside = np.interp(times, span.edges, take.edges)
        source = inside + np.minimum(times - span.edges[0], 0) + np.maximum(times - span.edges[-1], 0)
    else:
        side = 0 if span.edges[0] > 0 else -1  # a silence that begins the clip is counted from its end
        source = times - span.edges[side] + take.edges[side]
    place = np.clip(source * fps - 0.5, 0, len(motion) - 1)
    low = np.minimum(place.astype(int), len(motion) - 2)
    share = (place - low)[:, None, None]
    return (1 - share) * motion[low] + share * motion[low + 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder that holds grid/, for films")
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--split", default="val")
    parser.add_argument("--takes", type=int, default=20, help="averaged in the rows of many takes")
    parser.add_argument("--draws", type=int, default=5, help="single takes for each clip")
    parser.add_argument("--json", help="file for the figures (default: outputs/limits-SPLIT.json)")
    args = parser.parse_args()
    clips = load_prepared(args.prepared, args.split)
    figures = measure_takes(clips, Takes(load_prepared(args.prepared, "train")), args)
    if args.data:
        figures |= measure_films(args)
    target = Path(args.json or f"outputs/limits-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    report = {name: {key: M.mean_of(values[key]) for key in METRICS} for name, values in figures.items()}
    for key in ("gap_r", "width_r"):
        report["one take in place"][f"{key} limit"] = report["one take in place"][key] ** 0.5
    gaps = closing_gaps(clips)
    report = {"split": args.split, "clips": len(clips), "rows": report, "gaps": gaps}
    target.write_text(json.dumps(report, indent=1) + "\n")
    print_table(args.split, len(clips), report["rows"])
    for name, row in gaps.items():
        print(
            f"smallest gap in {name}:", ", ".join(f"{share} of {name} under {gap:.4f}" for share, gap in row.items())
        )


def closing_gaps(clips: list[PreparedClip]) -> dict:
    """Percentiles of the smallest inner lip gap of each phone, a frame on both sides included, by kind of phone."""
    found = defaultdict(list)
    for clip in clips:
        gap = lip_gap(clip.lips)
        for phone in clip.phones:
            kind = CLOSING.get(phone.label and phone.label[-1])
            first, last = int(phone.start * clip.fps), math.ceil(phone.end * clip.fps)
            if kind and first < len(gap):
                found[kind].append(gap[max(0, first - 1) : last + 1].min())
    return {kind: {f"{q} %": float(np.percentile(found[kind], q)) for q in (10, 50, 90)} for kind in sorted(found)}


def print_table(split: str, clips: int, report: dict):
    print(f"\n{split}, {clips} clips\n\n| row | " + " | ".join(METRICS) + " |\n| --- |" + " --- |" * len(METRICS))
    for name, row in report.items():
        print(f"| {name} | " + " | ".join(f"{row[key]:.4f}" for key in METRICS) + " |")
    limits = [report["one take in place"][f"{key} limit"] for key in ("gap_r", "width_r")]
    print("| square root of one take in place: the limit of text | " + " | ".join(f"{r:.4f}" for r in limits) + " | |")


def measure_takes(clips: list[PreparedClip], takes: Takes, args: argparse.Namespace) -> dict:
    """Each clip against other takes of its words."""
    generator = np.random.default_rng(0)
    ways = {
        "one take": (1, args.draws, False),
        "one take in place": (1, args.draws, True),  # between the same phones
        f"mean of {args.takes} takes": (args.takes, 1, False),
        f"mean of {args.takes} takes in place": (args.takes, 1, True),
    }
    figures = {name: defaultdict(list) for name in ways}
    for clip in tqdm(clips, desc="takes", unit="clip"):
        for name, (count, draws, beside) in ways.items():
            for _ in range(draws):
                made = takes(clip, count, generator, beside)
                if made is not None:
                    add(figures[name], rest_shape(clip) + made, clip.lips)
    return figures


def measure_films(args: argparse.Namespace) -> dict:
    """The detector's own noise, and the pipeline."""
    pipe, landmarker = Text2LipPipeline.from_pretrained(args.pipeline), FaceLandmarker.from_builtin()
    text_only = rows.text_driven(pipe, pipe.config.motion)
    figures = {"text_only": defaultdict(list), "detector": defaultdict(list)}
    for clip in tqdm(grid_clips(args.data, args.split), desc="films", unit="clip"):
        bench = rows.BenchClip(clip.name, clip.video, load_record(record_path(args.prepared, clip.name)))
        add(figures["text_only"], rows.lips_of(bench, text_only(bench)), bench.lips)
        add(figures["detector"], rows.mirrored(bench, landmarker), bench.lips)
    return figures


def add(values: dict[str, list], ours: np.ndarray, real: np.ndarray):
    for name in METRICS:
        values[name].append(getattr(M, name)(ours, real))


if __name__ == "__main__":
    main()
