"""Where is speech lost on the way from lips to pictures? The built-in lip readers read every stage of it.

    python examples/benchmarks/readings.py --split test --json outputs/readings-test.json

Rows: the `film` and its first frame, `still`. Lip motion that text makes (`text_motion`, of no face in particular),
put on the first frame (`text_placed`) and the same without the seal (`text_unsealed`); the film's own lips put there
(`true_placed`). Then frames drawn with each of these and seen again by the same mesh (`text_learned`, …), their crops
cut by what it saw. Columns: word error rate and BLEU by landmarks and by crops; `seen_motion`, the share of the motion
asked for that the mesh sees in drawn frames, and `seen_r`, how the two correlate.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import rows
from quality import clip_parser, load, number, prepared_folder
from readers import READ, reading, reading_figures
from tqdm import tqdm

from text2lip import FaceLandmarker, GeometricRenderer, Text2LipPipeline
from text2lip import metrics as M
from text2lip.data.preparation import track
from text2lip.faces.crop import CROP_SIZE, crop, mouth_crop_transform
from text2lip.media.video import read_frames
from text2lip.motion.lips import animate
from text2lip.training.settings import errors_in_one_line


COLUMNS = (*READ, "seen_motion", "seen_r")


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--renderers", nargs="*", choices=("geometric", "learned"), default=("geometric", "learned"))
    parser.add_argument("--json", help="file for the figures (default: outputs/readings-SPLIT.json)")
    args = parser.parse_args()
    target = Path(args.json or f"outputs/readings-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    clips, failed = load(args, prepared_folder(args))
    pipe, landmarker = Text2LipPipeline.from_pretrained(args.pipeline), FaceLandmarker.from_builtin()
    renderers = {"geometric": GeometricRenderer(), "learned": pipe.make_renderer("learned")}
    motions = {"text": rows.text_driven(pipe, "networks"), "true": rows.true_landmarks}
    unsealed, figures = rows.unsealed(pipe), defaultdict(lambda: defaultdict(list))
    for clip in tqdm(clips, unit="clip"):
        film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        shown = {"film": film, "still": film[:1].repeat(len(film), 0)}
        lips = {"film": clip.lips, "still": clip.lips[:1].repeat(len(film), 0)}
        lips["text_motion"] = motion_of_text(pipe, clip)
        lips["text_unsealed"] = rows.lips_of(clip, unsealed(clip))
        for name, motion in motions.items():
            asked = motion(clip)
            lips[f"{name}_placed"] = rows.lips_of(clip, asked)
            for kind in args.renderers:
                given = {"fps": clip.fps, "source_landmarks": clip.record["landmarks"][0, :, :2]}
                shown[f"{name}_{kind}"] = np.stack(list(renderers[kind].render(film[0], asked, **given)))
        for name, mouth in lips.items():
            figures[name]["landmarks"].append(reading("landmarks", mouth, clip))
        for name, frames in shown.items():
            points, values = clip.points(), figures[name]
            if name not in lips:
                found, told = track(list(frames), landmarker), lips[f"{name.split('_')[0]}_placed"]
                points, seen = clip.points(found), rows.lips_of(clip, found[..., :2])
                values["landmarks"].append(reading("landmarks", seen, clip))
                values["seen"].append(seen_share(seen, told))
            values["crops"].append(reading("crops", mouth_crops(frames, points, still=name == "still"), clip))
    made = {name: summary(figures[name]) for name in figures}
    report = {"split": args.split, "clips": len(clips), "failed": failed, "rows": made}
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print("\n".join(table_lines(report)))
    print(f"Wrote {target}")


def motion_of_text(pipe: Text2LipPipeline, clip: rows.BenchClip) -> np.ndarray:
    """What the networks and the seal make of a clip's phones, before it is put on a face: (frames, 57, 2)."""
    tokens = pipe.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
    return animate(pipe.lip_model("networks"), tokens, len(clip.lips), clip.fps)[0][0].float().cpu().numpy()


def mouth_crops(frames: np.ndarray, points: np.ndarray, still: bool = False) -> np.ndarray:
    """Stabilised mouth crops by landmarks (frames, 478, 2 or 3) in pixels; by the first alone of a `still` film."""
    transforms = mouth_crop_transform(points[..., :2])
    if still:
        transforms = transforms[:1].repeat(len(frames), 0)
    return np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(frames, transforms)])


def seen_share(seen: np.ndarray, asked: np.ndarray) -> tuple[float, float]:
    """Share of the motion `asked` for that lies in the motion `seen`, and their correlation; canonical lips."""
    seen, asked = seen - seen.mean(0), asked - asked.mean(0)
    return float((seen * asked).sum() / (asked**2).sum()), float(np.corrcoef(seen.ravel(), asked.ravel())[0, 1])


def summary(values: dict[str, list]) -> dict[str, float | None]:
    """The figures of one row over all clips."""
    made = {}
    for sees in ("landmarks", "crops"):
        made |= {f"{name}_{sees}": value for name, value in reading_figures(values.get(sees, [])).items()}
    shares = values.get("seen", [])
    return made | {name: M.mean_of([s[i] for s in shares]) for i, name in enumerate(COLUMNS[-2:])}


def table_lines(report: dict) -> list[str]:
    """The figures as a Markdown table."""
    lines = ["| row | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    return lines + [
        f"| {n} | " + " | ".join(number(row[c]) for c in COLUMNS) + " |" for n, row in report["rows"].items()
    ]


if __name__ == "__main__":
    with errors_in_one_line():
        main()
