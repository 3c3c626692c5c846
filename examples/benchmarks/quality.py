"""Quality of the lips and of the pictures on real video, with baselines: one table, JSON beside it, a contact sheet.

    python examples/benchmarks/quality.py --split test --metrics all --json outputs/quality-test.json

Definitions are in docs/source/en/results.md. Clips are prepared first where that is not done yet. Every row gets the
first frame of the clip as its portrait, the clip's own phone times, and makes exactly the clip's number of frames;
the rows named "…_durations" have other times. The rows named "…_second_half" are judged over the second half of each
clip; one of them was given mouths of the first half. Quick, on people that GRID does not show (no words, so true
landmarks alone):

    python examples/benchmarks/quality.py --layout faces --split val --limit 3 --rows still true_landmarks_learned
"""

import argparse
import hashlib
import json
import os
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm


sys.path.insert(0, str(Path(__file__).parents[1]))

import face_films  # noqa: E402
import rows  # noqa: E402
from judges import JUDGES, Jury  # noqa: E402
from mouths import DETAIL, FilmMouth  # noqa: E402
from prepare_grid import LAYOUTS, prepare_all  # noqa: E402
from readers import READ, reading, reading_figures  # noqa: E402

from text2lip import FaceLandmarker, GeometricRenderer, Text2LipPipeline  # noqa: E402
from text2lip import metrics as M  # noqa: E402
from text2lip.data.clips import SourceClip  # noqa: E402
from text2lip.data.prepared import hold_out, is_prepared, load_record, record_path  # noqa: E402
from text2lip.faces.crop import CROP_SIZE, crop  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.models import LipDecoderModel  # noqa: E402
from text2lip.motion.durations import predict_timeline  # noqa: E402
from text2lip.speech import synthesize  # noqa: E402
from text2lip.training.settings import errors_in_one_line  # noqa: E402


LIPS = ("lmd", "lmd_centred", "gap_r", "width_r", "closure", "stillness", "jerk_ratio", "dtw")
LIPS += ("duration_error", "length_error")
IMAGE = ("ssim", "psnr", "lpips", "fvd", "fid", "cpbd", "identity")
IMAGE += ("mouth_ssim", "mouth_psnr", "mouth_lpips", "inner_mouth_psnr", "flicker")
IMAGE += DETAIL
JUDGED = (*READ, *JUDGES)
POOLED = ("closure", "stillness", "jerk_ratio", "duration_error", "flicker")
FVD_FRAMES, FVD_CLIPS = 16, 32
EVERY = 5  # full-frame SSIM, PSNR, LPIPS and CPBD on every fifth frame
EDGES = '<speak><break time="0.1s"/>{}<break time="0.2s"/></speak>'  # as much silence as round predicted times
TRAIN_CLIPS = 200  # for the linear map of the OpenFaceFX row


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--metrics", choices=("lips", "image", "judges", "all"), default="all")
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="only these rows of pictures, no second halves")
    parser.add_argument("--audio_only", help="lip_decoder folder of a run of configs/audio_only.yaml, as one more row")
    parser.add_argument("--json", help="file for the figures (default: outputs/quality-SPLIT.json)")
    args = parser.parse_args()
    prepared = prepared_folder(args)
    target = Path(args.json or f"outputs/quality-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    clips, failed = load(args, prepared)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    figures = defaultdict(lambda: defaultdict(list))
    if args.metrics in ("lips", "all") and spoken(clips):
        measure_lips(clips, lip_rows(pipe, args, prepared), figures)
        measure_times(pipe, clips, figures)
    if args.metrics != "lips":
        able = {metric for metric, reason in M.available_metrics().items() if reason is None}
        able = able & set(JUDGED) if args.metrics == "judges" else able
        measure_images(pipe, clips, figures, able, target.with_suffix(".png"), args.rows)
    report = {
        "split": args.split,
        "pipeline": args.pipeline,
        "clips": len(clips),
        "failed": [{"clip": name, "reason": reason} for name, reason in failed.items()],
        "rows": {name: summary(values) for name, values in figures.items()},
    }
    if args.only:
        report["only"] = " ".join(args.only)
    report["audio_only"] = bool(args.audio_only)
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print_table(report)
    print_reasons()
    print(f"Wrote {target}")


def clip_parser(description: str) -> argparse.ArgumentParser:
    """Which clips a benchmark looks at, and where they are prepared."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="what the clips are prepared from")
    parser.add_argument(
        "--layout", choices=(*LAYOUTS, "faces"), default="grid", help="of --data, as for prepare_grid.py; or faces"
    )
    parser.add_argument("--prepared", help="where clips are prepared (default: outputs/prepared-…, by --data)")
    parser.add_argument("--only", nargs="+", metavar="CLIP", help="only these clips, such as s4/lbax4n")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser


def prepared_folder(args: argparse.Namespace) -> Path:
    """Where the clips of `args.data` are prepared."""
    if not args.data:
        raise SystemExit("data: give --data, the films that the clips are prepared from, or set TEXT2LIP_DATA to it.")
    root = str(Path(args.data).resolve())
    return Path(args.prepared or f"outputs/prepared-{hashlib.sha1(root.encode()).hexdigest()[:8]}")


def split_clips(args: argparse.Namespace, prepared: Path, split: str) -> list[SourceClip]:
    """Clips of a split. Data without a split is `train`; without `val`, each tenth of that is held out as in training.

    Raises:
        ValueError: no clip is of that split.
    """
    splits = defaultdict(list)
    for clip in {**LAYOUTS, "faces": face_films.face_clips}[args.layout](args.data):
        splits[clip.split or "train"].append(clip)
    if "val" not in splits and len(splits["train"]) > 1:
        there = [clip for clip in splits["train"] if is_prepared(prepared, clip.name)]
        splits["train"], splits["val"] = hold_out(there if len(there) > 1 else splits["train"])
    if not splits[split]:
        raise ValueError(f"split: {split!r} is not among {sorted(name for name, some in splits.items() if some)}.")
    return splits[split]


def load(args: argparse.Namespace, prepared: Path) -> tuple[list[rows.BenchClip], dict[str, str]]:
    """The clips of a split, prepared; and those that can't be, with the reason."""
    wanted = [clip for clip in split_clips(args, prepared, args.split) if not args.only or clip.name in args.only]
    wanted = wanted[: args.limit]
    if args.layout == "faces":
        return face_films.load_films(wanted, prepared)
    failed = prepare_all(wanted, prepared, args.workers)
    made = [clip for clip in wanted if clip.name not in failed]
    if not made:
        raise SystemExit(f"quality: no clip of {args.split!r} can be used: {failed}")
    return [rows.BenchClip(c.name, c.video, load_record(record_path(prepared, c.name))) for c in made], failed


def lip_rows(pipe: Text2LipPipeline, args: argparse.Namespace, prepared: Path) -> dict:
    """Name -> function from a clip to canonical lips; a row whose part is not there is absent."""
    landmarker = FaceLandmarker.from_builtin()
    table = {
        "real": lambda clip: rows.mirrored(clip, landmarker),
        "still": lambda clip: rows.lips_of(clip, rows.still(clip)),
        "mean_shape": rows.mean_shape,
        "shut": rows.shut,
    }
    train = split_clips(args, prepared, "train")
    there = [clip for clip in train if is_prepared(prepared, clip.name)][:TRAIN_CLIPS]
    if there:
        train = [rows.BenchClip(c.name, c.video, load_record(record_path(prepared, c.name))) for c in there]
        table["openfacefx"] = rows.OpenFaceFX(train)
    articulatory = rows.text_driven(pipe, "articulatory")
    table["articulatory"] = lambda clip: rows.lips_of(clip, articulatory(clip))
    if pipe.lip_decoder is not None:
        networks, heard = rows.text_driven(pipe, "networks"), rows.text_driven(pipe, "networks", sound=True)
        alone = rows.unsealed(pipe)
        table["text_only_unsealed"] = lambda clip: rows.lips_of(clip, alone(clip))
        table["text_only"] = lambda clip: rows.lips_of(clip, networks(clip))
        table["audio_driven"] = lambda clip: rows.lips_of(clip, heard(clip))
    if args.audio_only:
        decoder = rows.sound_driven(LipDecoderModel.from_pretrained(args.audio_only).eval())
        table["audio_only"] = lambda clip: rows.lips_of(clip, decoder(clip))
    table["true_landmarks"] = lambda clip: rows.lips_of(clip, rows.true_landmarks(clip))
    return table


def measure_lips(clips: list[rows.BenchClip], table: dict, figures: dict):
    for clip in tqdm(clips, desc="lips", unit="clip"):
        for name, row in table.items():
            ours, real, values = row(clip), clip.lips, figures[name]
            for metric in ("lmd", "lmd_centred", "gap_r", "width_r", "jerk_ratio", "dtw"):
                values[metric].append(getattr(M, metric)(ours, real))
            values["closure"].append(M.closure(ours, clip.phones, clip.fps))
            values["stillness"].append(M.stillness(ours, clip.phones, clip.fps))
            values["read_landmarks"].append(reading("landmarks", ours, clip))
    values = figures["film"]  # the real clip by its own landmarks: what closure and stillness are to be compared with
    for clip in clips:
        values["closure"].append(M.closure(clip.lips, clip.phones, clip.fps))
        values["stillness"].append(M.stillness(clip.lips, clip.phones, clip.fps))
        values["read_landmarks"].append(reading("landmarks", clip.lips, clip))


def measure_times(pipe: Text2LipPipeline, clips: list[rows.BenchClip], figures: dict):
    """Text with times that are not the clip's own: those metrics that allow it."""
    if pipe.lip_decoder is None:
        return
    ways = {
        "predicted": partial(predict_timeline, pipe.viseme_encoder, pipe.tokenizer),
        "espeak": lambda text, language: synthesize(EDGES.format(text), "espeak", language).timeline,
    }
    for name, way in ways.items():
        row, values = rows.self_timed(pipe, way), figures[f"text_only_{name}_durations"]
        for clip in tqdm(clips, desc=f"{name} durations", unit="clip"):
            landmarks, timeline = row(clip)
            values["dtw"].append(M.dtw(rows.lips_of(clip, landmarks), clip.lips))
            values["duration_error"].append(M.duration_error(timeline.phones, clip.phones, matched_only=True))
            values["length_error"].append(abs(rows.spoken_seconds(timeline) - rows.spoken_seconds(clip.timeline)))


def spoken(clips: list[rows.BenchClip]) -> bool:
    """Whether it is known what is said in the clips."""
    return all("phones" in clip.record for clip in clips)


def image_rows(pipe: Text2LipPipeline, clips: list[rows.BenchClip], only: list[str] | None) -> dict:
    """Name -> function from a clip to landmarks, and the renderer's name.

    Raises:
        ValueError: a row of `only` is none.
    """
    learned = pipe.unet is not None
    table = {"still": (rows.still, None)}
    if spoken(clips):
        table["articulatory"] = (rows.text_driven(pipe, "articulatory"), "geometric")
        if pipe.lip_decoder is not None:
            table["text_only"] = (rows.text_driven(pipe, "networks"), "geometric")
            if learned:
                table["text_only_learned"] = (rows.text_driven(pipe, "networks"), "learned")
    table["true_landmarks_geometric"] = (rows.true_landmarks, "geometric")
    if learned:
        table["true_landmarks_learned"] = (rows.true_landmarks, "learned")
    if unknown := sorted(set(only or ()) - set(table)):
        raise ValueError(f"rows: {unknown[0]!r} is not among {list(table)}.")
    return {name: row for name, row in table.items() if not only or name in only}


def measure_images(
    pipe: Text2LipPipeline,
    clips: list[rows.BenchClip],
    figures: dict,
    able: set[str],
    sheet: Path,
    only: list[str] | None = None,
):
    """Draw each row's frames and compare them with the film, by the metrics that are `able`."""
    table = image_rows(pipe, clips, only)
    renderers = {"geometric": GeometricRenderer()}
    if pipe.unet is not None:
        renderers["learned"] = pipe.make_renderer("learned")
    windows = defaultdict(list)
    strips = []
    for index, clip in enumerate(tqdm(clips, desc="images", unit="clip")):
        film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        source = clip.record["landmarks"][0, :, :2]
        drawn, told = {}, {name: row(clip) for name, (row, _) in table.items()}
        for name, (_, renderer) in table.items():
            if renderer is None:
                drawn[name] = np.repeat(film[:1], len(film), 0)
            else:
                frames = renderers[renderer].render(film[0], told[name], fps=clip.fps, source_landmarks=source)
                drawn[name] = np.stack(list(frames))
        cropped = compare(clip, film, drawn, figures, able)
        detail(FilmMouth(clip, film), drawn, told, figures, able)
        told["film"], jury = clip.record["landmarks"][..., :2], Jury(clip, film, able)
        for name, frames in {"film": film, **drawn}.items():
            for metric, value in jury.figures(frames, cropped[name], told[name]).items():
                figures[name][metric].append(value)
        later, start = {} if only else second_half(clip, film, drawn, renderers), rows.middle(clip)
        told = {f"{name}_second_half": landmarks[start:] for name, landmarks in told.items()}
        told["true_landmarks_referred_second_half"] = rows.true_landmarks(clip)[start:]
        if later:
            detail(FilmMouth(clip, film, start), later, told, figures, able)
            later = compare(clip, film, later, figures, able, start)
        if "fvd" in able and len(clips) >= FVD_CLIPS:
            start = (len(film) - FVD_FRAMES) // 2
            for name, frames in {"film": film, **drawn}.items():
                windows[name].append(M.video_features([frames[start : start + FVD_FRAMES]])[0])
        if index < 4:
            strips.append((cropped, later))
    for name in table:
        if len(windows[name]) >= FVD_CLIPS:
            figures[name]["fvd"] = [M.frechet_distance(np.stack(windows[name]), np.stack(windows["film"]))]
    write_sheet([whole for whole, _ in strips], sheet)
    if not only:
        write_sheet([later for _, later in strips], sheet.with_stem(f"{sheet.stem}-second-half"))


def detail(mouth: FilmMouth, drawn: dict, told: dict, figures: dict, able: set[str]):
    """Sharpness and colour of the mouth in every row, `told` its landmarks."""
    for name, frames in drawn.items():
        for metric, value in mouth.figures(frames, told[name], able).items():
            figures[name][metric].append(value)


def second_half(clip: rows.BenchClip, film: np.ndarray, drawn: dict, renderers: dict) -> dict:
    """Frames from the middle of a clip on: those rows that know nothing of the first half, and one that was given
    mouths of it."""
    start = rows.middle(clip)
    later = {name: drawn[name][start:] for name in ("still", *(f"true_landmarks_{name}" for name in renderers))}
    if "learned" in renderers:
        given = {"source_landmarks": clip.record["landmarks"][0, :, :2], "references": rows.earlier_mouths(clip, film)}
        frames = renderers["learned"].render(film[0], rows.true_landmarks(clip)[start:], fps=clip.fps, **given)
        later["true_landmarks_referred"] = np.stack(list(frames))
    return {f"{name}_second_half": frames for name, frames in later.items()}


def compare(
    clip: rows.BenchClip, film: np.ndarray, drawn: dict, figures: dict, able: set[str], start: int = 0
) -> dict:
    """Image figures of one clip from frame `start` on, where the frames of `drawn` begin; returns the mouth crops of
    the film and of every row."""
    moving = rows.crop_transforms(clip)
    inner, gap = rows.inner_lips_in_crop(clip, moving)[start:], rows.real_gap(clip)[start:]
    film = film[start:]
    real = np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(film, moving[start:])])
    cropped = {"film": real}
    for name, frames in drawn.items():
        ours = np.stack([crop(frame, moving[0], CROP_SIZE) for frame in frames])
        cropped[name], values = ours, figures[name]
        if "psnr" not in able:
            continue
        few, few_real = frames[::EVERY], film[::EVERY]
        for metric in {"ssim", "psnr", "lpips"} & able:
            values[metric].append(getattr(M, metric)(few, few_real))
            values[f"mouth_{metric}"].append(getattr(M, metric)(ours, real))
        values["cpbd"].append(M.cpbd(few))
        values["inner_mouth_psnr"].append(M.inner_mouth_psnr(ours, real, inner, gap))
        values["flicker"].append(M.flicker(ours, real))
    for name, mouth in cropped.items() if start == 0 else ():
        figures[name]["read_crops"].append(reading("crops", mouth, clip))
    if start == 0 and "psnr" in able:
        figures["film"]["cpbd"].append(M.cpbd(film[::EVERY]))
    return cropped


def summary(values: dict[str, list]) -> dict[str, float | None]:
    """One figure for each metric: pooled or mean over the clips, None where it does not apply."""
    figures = {
        metric: (M.pooled if metric in POOLED else M.mean_of)(values.get(metric, []))
        for metric in (*LIPS, *IMAGE, *JUDGED)
    }
    for sees in ("landmarks", "crops"):
        read = reading_figures(values.get(f"read_{sees}", []))
        figures |= {f"{name}_{sees}": value for name, value in read.items()}
    return figures


def print_table(report: dict):
    print(f"\n{report['pipeline']} on {report['split']}: {report['clips']} clips, {len(report['failed'])} failed")
    print("\n".join(table_lines(report)))
    for failure in report["failed"]:
        print(f"failed: {failure['clip']}: {failure['reason']}")


def table_lines(report: dict) -> list[str]:
    """The figures as Markdown, a table each for lips, pictures, judges; columns without any figure are left out."""
    lines = []
    for group in (LIPS, IMAGE, JUDGED):
        shown = [metric for metric in group if any(row[metric] is not None for row in report["rows"].values())]
        if shown:
            lines += ["", "| row | " + " | ".join(shown) + " |", "| --- |" + " --- |" * len(shown)]
        for name, row in report["rows"].items() if shown else ():
            if any(row[metric] is not None for metric in shown):
                lines.append(f"| {name} | " + " | ".join(number(row[metric]) for metric in shown) + " |")
    return lines


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}" if abs(value) < 100 else f"{value:.1f}"


def print_reasons():
    """Why a metric is null everywhere."""
    for metric, reason in M.available_metrics().items():
        if reason:
            print(f"null: {metric}: {reason}")


def write_sheet(strips: list[dict], path: Path):
    """Mouth crops, the film above each row."""
    from PIL import Image

    lines = []
    for cropped in strips:
        picks = np.linspace(0, len(cropped["film"]) - 1, 16).round().astype(int)
        lines += [np.concatenate(list(frames[picks]), 1) for frames in cropped.values()]
        lines.append(np.full((8, lines[-1].shape[1], 3), 255, np.uint8))
    Image.fromarray(np.concatenate(lines)).save(path)
    print(f"Wrote {path}: from above, of each clip: {', '.join(strips[0])}.")


if __name__ == "__main__":
    with errors_in_one_line():
        main()
