"""Where is speech lost on the way from lips to pictures? Lip readers read every stage of it.

    python examples/benchmarks/readings.py --split test --json outputs/readings-test.json
    python examples/benchmarks/readings.py --split test --renderers --readers outputs/lip_reader/best

Rows: the `film` and its first frame, `still`. Lip motion that text makes (`text_motion`, of no face in particular),
put on the first frame (`text_placed`) and the same without the seal (`text_unsealed`); the film's own lips put there
(`true_placed`). Then frames drawn with each of these and seen again by the same mesh (`text_learned`, …), their crops
cut by what it saw. Columns: word error rate and BLEU by landmarks and by crops; `seen_motion`, the share of the motion
asked for that the mesh sees in drawn frames, and `seen_r`, how the two correlate.

The second command draws nothing: the film, the motion, and a reader of one's own in the place of a built-in one. With
`--keep` drawn mouths are kept in a folder and read from there the next time: a folder for each state of what draws.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import rows
from quality import clip_parser, load, number, prepared_folder
from readers import READ, chosen_readers, reading, reading_figures
from sync_offsets import mouths
from tqdm import tqdm

from text2lip import FaceLandmarker, GeometricRenderer, Text2LipPipeline
from text2lip import metrics as M
from text2lip.data.preparation import smooth_landmarks
from text2lip.faces.crop import CROP_SIZE, crop, mouth_crop_transform
from text2lip.faces.tracking import place_again
from text2lip.files import inside, replaced_file
from text2lip.media.video import read_frames
from text2lip.motion.lips import animate
from text2lip.training.settings import errors_in_one_line


COLUMNS = (*READ, "seen_motion", "seen_r")


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--renderers", nargs="*", choices=("geometric", "learned"), default=("learned",))
    parser.add_argument("--readers", nargs="*", default=(), metavar="FOLDER", help="in the place of built-in ones")
    parser.add_argument("--keep", metavar="FOLDER", help="for drawn mouths, as they were seen again")
    parser.add_argument("--json", help="file for the figures (default: outputs/readings-SPLIT.json)")
    args = parser.parse_args()
    target = Path(args.json or f"outputs/readings-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    clips, failed = load(args, prepared_folder(args))
    pipe, readers = Text2LipPipeline.from_pretrained(args.pipeline), chosen_readers(args.readers)
    renderers = {"geometric": GeometricRenderer(), "learned": pipe.make_renderer("learned")}
    renderers = {kind: renderers[kind] for kind in args.renderers}
    motions = {"text": rows.text_driven(pipe, "networks"), "true": rows.true_landmarks}
    unsealed, figures = rows.unsealed(pipe), defaultdict(lambda: defaultdict(list))
    redraw = Redraw(FaceLandmarker.from_builtin(), args.keep)
    for clip in tqdm(clips, unit="clip"):
        crops = {"film": mouths(clip)}
        crops["still"] = crops["film"][:1].repeat(len(clip.lips), 0)
        lips = {"film": clip.lips, "still": clip.lips[:1].repeat(len(clip.lips), 0)}
        lips["text_motion"] = motion_of_text(pipe, clip)
        lips["text_unsealed"] = rows.lips_of(clip, unsealed(clip))
        for name, motion in motions.items():
            asked = motion(clip)
            lips[f"{name}_placed"] = placed = rows.lips_of(clip, asked)
            for kind, renderer in renderers.items():
                drawn = f"{name}_{kind}"
                lips[drawn], crops[drawn] = redraw(clip, asked, renderer, drawn)
                figures[drawn]["seen"].append(seen_share(lips[drawn], placed))
        for sees, seen in (("landmarks", lips), ("crops", crops)):
            for name, mouth in seen.items():
                figures[name][sees].append(reading(sees, mouth, clip, readers[sees]))
    made = {name: summary(figures[name]) for name in figures}
    report = {"split": args.split, "clips": len(clips), "failed": failed, "rows": made}
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print("\n".join(table_lines(report)))
    print(f"Wrote {target}")


def motion_of_text(pipe: Text2LipPipeline, clip: rows.BenchClip) -> np.ndarray:
    """What the networks and the seal make of a clip's phones, before it is put on a face: (frames, 57, 2)."""
    tokens = pipe.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
    return animate(pipe.lip_model("networks"), tokens, len(clip.lips), clip.fps)[0][0].float().cpu().numpy()


class Redraw:
    """Draws a clip's first frame with other lips and sees them again by the mesh, as the films were seen.

    Args:
        landmarker ([`FaceLandmarker`]): the mesh.
        keep (`str`, *optional*): folder for what was seen.
    """

    def __init__(self, landmarker: FaceLandmarker, keep: str | None = None):
        self.landmarker, self.keep = landmarker, keep and Path(keep)

    def __call__(self, clip: rows.BenchClip, asked: np.ndarray, renderer, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Canonical lips (frames, 57, 2) and mouth crops uint8 (frames, 96, 96, 3) of the frames that `renderer`
        draws by landmarks `asked` for, (frames, 478, 2) normalised; `name` is that of the row."""
        path = self.keep and inside(self.keep, f"{clip.name}-{name}.npz", "clip")
        if path and path.exists():
            with np.load(path) as kept:
                return kept["lips"], kept["crops"]
        source = clip.record["landmarks"][0]
        portrait = next(iter(read_frames(clip.video)))
        frames = list(renderer.render(portrait, asked, fps=clip.fps, source_landmarks=source[:, :2]))
        depth = source[None, :, 2:].repeat(len(asked), 0)
        near = clip.points(np.concatenate([asked, depth], -1))
        points = smooth_landmarks(place_again(self.landmarker, frames, near))[..., :2]
        seen = rows.canonical_lips(points)
        crops = np.stack([crop(frame, m, CROP_SIZE) for frame, m in zip(frames, mouth_crop_transform(points))])
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced_file(path) as temporary:
                np.savez(temporary, lips=seen, crops=crops)
        return seen, crops


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
