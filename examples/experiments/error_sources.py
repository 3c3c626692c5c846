"""Where does the error come from? Durations, lips and renderer, true ones and ours, in turn.

    python examples/experiments/error_sources.py --prepared outputs/grid

Every row is read by the built-in lip readers: by landmarks before anything is drawn, by mouth crops after. Pictures
are compared with the film where the times are its own. `dtw` is the distance of the lips whatever their times.
"""

import json
from functools import partial

import numpy as np
from bench_films import film_options, films, measured, reading, reading_figures, rows
from study import MINUTES, finish, markdown, parse, parser, save

from text2lip import GeometricRenderer, Text2LipPipeline
from text2lip import metrics as M
from text2lip.faces.crop import CROP_SIZE, crop
from text2lip.media.video import read_frames
from text2lip.motion.durations import predict_timeline
from text2lip.training.settings import errors_in_one_line


NAME = "error_sources"
COLUMNS = ("dtw", "gap_r", "wer_landmarks", "bleu4_landmarks", "wer_crops", "bleu4_crops", "mouth_ssim", "mouth_psnr")
LIPS = {  # lips, durations
    "film's lips": "true",
    "our lips, film's durations": "text",
    "our lips, our durations": "timed",
}
RENDERERS = ("geometric", "learned")


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, "split")
    options.add_argument("--pipeline", default="text2lip-grid")
    film_options(options)
    args = parse(options, arguments)
    clips = films(args, args.split)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    renderers = {"geometric": GeometricRenderer(), "learned": pipe.make_renderer("learned")}
    found, minutes = measured(args.output / args.split, clips, lambda clip: of_clip(pipe, renderers, clip))
    report = {"clips": len(clips), "rows": {name: summary(values) for name, values in found.items()}}
    save(args.output / "figures.json", json.dumps(report, indent=1) + "\n")
    told = f"{len(clips)} clips of `{args.split}`, {minutes:.0f} {MINUTES}."
    finish(NAME, f"{told}\n\n{markdown(report['rows'], COLUMNS)}", args, minutes)
    return report


def of_clip(pipe: Text2LipPipeline, renderers: dict, clip: rows.BenchClip) -> dict[str, dict]:
    """Row -> what was measured of a clip; of readings what was read and said."""
    film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
    times = partial(predict_timeline, pipe.viseme_encoder, pipe.tokenizer)
    told = {"true": rows.true_landmarks(clip), "text": rows.text_driven(pipe, "networks")(clip)}
    told["timed"] = rows.self_timed(pipe, times)(clip)[0]
    transforms, found = rows.crop_transforms(clip), {}
    real = np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(film, transforms)])
    found["film"] = {"landmarks": reading("landmarks", clip.lips, clip), "crops": reading("crops", real, clip)}
    for title, kind in LIPS.items():
        lips, same = rows.lips_of(clip, told[kind]), kind != "timed"
        seen = {"landmarks": reading("landmarks", lips, clip), "dtw": M.dtw(lips, clip.lips)}
        seen["gap_r"] = M.gap_r(lips, clip.lips) if same else None
        for renderer in RENDERERS:
            source = clip.record["landmarks"][0, :, :2]
            frames = renderers[renderer].render(film[0], told[kind], fps=clip.fps, source_landmarks=source)
            crops = np.stack([crop(frame, transforms[0], CROP_SIZE) for frame in frames])
            row = {**seen, "crops": reading("crops", crops, clip)}
            row |= {f"mouth_{m}": getattr(M, m)(crops, real) if same else None for m in ("ssim", "psnr")}
            found[f"{title}, {renderer}"] = row
    return found


def summary(values: dict[str, list]) -> dict[str, float | None]:
    figures = {name: M.mean_of(some) for name, some in values.items() if name not in ("landmarks", "crops")}
    for sees in ("landmarks", "crops"):
        figures |= {f"{name}_{sees}": value for name, value in reading_figures(values[sees]).items()}
    return figures


if __name__ == "__main__":
    with errors_in_one_line():
        main()
