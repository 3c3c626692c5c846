"""Dubbing on real films: does the mouth follow the new speech alone, and what does a film look like that says what it
says already?

    python examples/benchmarks/dubbing.py

One clip of each talker of `val_speaker` and `unseen_speaker`, or, with `--layout faces`, the `val` talkers of
`faces/talking`, by the learned renderer. The lips of the result are
found again by the landmarker; the opening is |13 - 14| in units of the outer eye distance. Figures are the lowest and
the highest of the clips, then their mean.

`speech`: another sentence, with the durations that the networks give it.

- `r_new`: correlation of the opening found with the one asked for; `r_old`: with that of the film as it was;
  `r_both`: of the one asked for with that of the film: what `r_old` is to be compared with.
- `gap_old`: how much of the opening of the film as it was is found again beside that asked for: least squares.
  `chin_new`, `chin_old`: how much of the chin's motion asked for, and of the film's, likewise.
- `flicker`: mean absolute frame difference in the mouth crop, the result's over the film's.
- `silent_gap`: the widest opening found when the film is dubbed with silence.
- `leak`: the share of frames with an opening of over 0.0225 then, KeySync's LipLeak (Bigata et al. 2025) in our units;
  `leak_film`: the same of the film as it was, where it is itself silent for 0.2 s and more.
- `lip_colour`, `lip_border`, `inner_sharpness`: as in quality.py, of the dubbed film beside the film as it was;
  `teeth_light`: luma of the brightest quarter of what is between the lips where these are over 0.03 apart, and no
  further than both have them somewhere, ours over the film's. These are told clip by clip too.

`own`: the second half of a clip dubbed with its own lips, compared with itself in the mouth crop, in frames that are
six or more away from the one that the mouth is drawn from (`flicker`: in all). Skin is the film's own, not in `held`:
that is the frame that the mouth is drawn from, repeated.

Rows: `one_frame` takes lips, teeth and tongue from one frame of the film. `frames` is what the pipeline does: other
frames of the shot as well. `first_half`, for `own` alone: other frames, but of the first half of the clip, its last
six left out; with `frames` the very mouth that is wanted would be among those offered.
"""

import argparse
import json
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm


sys.path.insert(0, str(Path(__file__).parents[1]))

import rows  # noqa: E402
from judges import sound_of  # noqa: E402
from mouths import FilmMouth  # noqa: E402
from quality import clip_parser, load, number, prepared_folder, write_sheet  # noqa: E402

from text2lip import Text2LipPipeline  # noqa: E402
from text2lip import metrics as M
from text2lip.data.preparation import track  # noqa: E402
from text2lip.faces.canonical import canonical_lips, lip_gap  # noqa: E402
from text2lip.faces.crop import CROP_SIZE, crop  # noqa: E402
from text2lip.faces.regions import pixels_within  # noqa: E402
from text2lip.faces.topology import INNER_LIP_CONTOUR, driven_index  # noqa: E402
from text2lip.media.color import to_luma  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.motion.durations import predict_timeline  # noqa: E402
from text2lip.motion.lips import LipMotion, animate  # noqa: E402
from text2lip.motion.retarget import PortraitMouth  # noqa: E402
from text2lip.renderers.learned import LearnedRenderer  # noqa: E402
from text2lip.scenes.film import DubbedShot, Film  # noqa: E402
from text2lip.scenes.reference_set import ReferenceSet  # noqa: E402
from text2lip.scenes.shots import find_shots  # noqa: E402
from text2lip.speech.features import log_mel  # noqa: E402
from text2lip.training.pairs import APART  # noqa: E402


SENTENCE = "Good morning, everybody. My name is Bob, and I like warm apples."
SPLITS = ("val_speaker", "unseen_speaker")
EXPRESSIVENESS = 1.25  # as the pipeline has it
SPEECH = ("r_new", "r_old", "r_both", "gap_old", "chin_new", "chin_old", "flicker", "silent_gap", "leak", "leak_film")
LOOKS = ("lip_colour", "lip_border", "inner_sharpness", "teeth_light")
SPEECH += LOOKS
LEAK_GAP = 0.0225  # units; the face mesh alone read less from nine of ten p, b, m of real films
QUIET, MARGIN = 30.0, 0.08  # dB under the loudest, and seconds beside, within which a film is not silent
OWN = ("mouth_ssim", "mouth_psnr", "mouth_lpips", "inner_mouth_psnr", "flicker")
CHIN = driven_index((152,))[0]
OPENED = 0.03  # units


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--text", default=SENTENCE)
    parser.add_argument("--json", default="outputs/dubbing.json", help="file for the figures; sheets lie beside it")
    args = parser.parse_args()
    prepared = prepared_folder(args)
    target = Path(args.json)
    target.parent.mkdir(parents=True, exist_ok=True)
    figures = {"speech": defaultdict(lambda: defaultdict(list)), "own": defaultdict(lambda: defaultdict(list))}
    sheets = {"speech": [], "own": []}
    clips = find_clips(args, prepared)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    for clip in tqdm(clips, desc="clips", unit="clip"):
        film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        sheets["speech"].append(measure_speech(pipe, clip, film, args.text, figures["speech"]))
        sheets["own"].append(measure_own(pipe, clip, film, figures["own"]))
    report = {"clips": [clip.name for clip in clips], "text": args.text, **figures}
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    for name, columns in (("speech", SPEECH), ("own", OWN)):
        print("\n" + "\n".join(table(name, columns, figures[name])) + "\n")
        write_sheet(sheets[name], target.with_name(f"{target.stem}-{name}.png"))
    print("\n".join(by_clip(report["clips"], figures["speech"]["frames"])) + "\n")
    print(f"Wrote {target}: {', '.join(report['clips'])}")


def find_clips(args: argparse.Namespace, prepared: Path) -> list[rows.BenchClip]:
    """The first clip of each talker, prepared."""
    clips = []
    for split in ("val",) if args.layout == "faces" else SPLITS:
        clips += load(argparse.Namespace(**{**vars(args), "split": split, "limit": None, "only": None}), prepared)[0]
    if args.only:
        return [clip for clip in clips if clip.name in args.only]
    talker = {clip.name: clip.record.get("speaker", clip.name) for clip in clips}
    first = {talker[clip.name]: clip for clip in reversed(clips)}
    return [clip for clip in clips if first[talker[clip.name]] is clip]


def measure_speech(pipe, clip: rows.BenchClip, film: np.ndarray, text: str, figures: dict) -> dict:
    """A film with other words, and with none: figures of each row, and mouth crops."""
    timeline = predict_timeline(pipe.viseme_encoder, pipe.tokenizer, text, "en-us")
    tokens = pipe.tokenizer(phones=timeline, return_tensors="pt")
    moved, width = animate(pipe.lip_model(), tokens, len(film), clip.fps)
    motion = EXPRESSIVENESS * moved[0].float().cpu().numpy()
    crops = partial(mouth_crops, matrices=rows.crop_transforms(clip))
    sheet, mouth = {"film": crops(film)}, FilmMouth(clip, film)
    motion = LipMotion(motion, width, clip.fps)
    for name, renderer in {"one_frame": OneFrame(pipe.unet), "frames": LearnedRenderer(pipe.unet)}.items():
        asked, frames = dubbed(pipe, clip.video, motion, renderer)
        found = canonical_lips(clip.points(track(frames, pipe.face_landmarker)))
        values = figures[name]
        for key, value in followed(found, canonical_lips(clip.points(asked)), clip.lips).items():
            values[key].append(value)
        sheet[name] = crops(frames)
        values["flicker"].append(M.flicker(sheet[name], sheet["film"]).value)
        for key, value in mouth.figures(np.stack(frames), asked[..., :2], set(LOOKS), mouth.moving).items():
            values[key].append(value)
        values["teeth_light"].append(teeth_light(np.stack(frames), asked[..., :2], film, clip))
    rest = LipMotion(0 * motion.displacement, width, clip.fps)
    _, frames = dubbed(pipe, clip.video, rest, LearnedRenderer(pipe.unet))
    silent = canonical_lips(clip.points(track(frames, pipe.face_landmarker)))
    figures["frames"]["silent_gap"].append(float(lip_gap(silent).max()))
    figures["frames"]["leak"].append(float((lip_gap(silent) > LEAK_GAP).mean()))
    sound = sound_of(clip)
    hushed = np.zeros(len(film), bool) if sound is None else silent_frames(sound, len(film), clip.fps)
    figures["frames"]["leak_film"].append(
        float((lip_gap(clip.lips)[hushed] > LEAK_GAP).mean()) if hushed.any() else None
    )
    sheet["silence"] = crops(frames)
    return sheet


def teeth_light(ours: np.ndarray, landmarks: np.ndarray, film: np.ndarray, clip: rows.BenchClip) -> float | None:
    """How bright what is brightest between the lips is, over the film's in equally wide openings; None without any."""
    light = []
    for frames, marks in ((ours, landmarks), (film, clip.record["landmarks"][..., :2])):
        points = clip.points(marks)
        gap, found = lip_gap(canonical_lips(points)), []
        for frame, row in zip(frames[gap > OPENED], points[gap > OPENED]):
            luma = np.sort(to_luma(pixels_within(frame, row[list(INNER_LIP_CONTOUR)])))
            found.append(luma[-max(len(luma) // 4, 1) :].mean())
        light.append((gap[gap > OPENED], np.array(found)))
    widest = min((gap.max() for gap, _ in light if len(gap)), default=0) if all(len(gap) for gap, _ in light) else 0
    means = [found[gap <= widest] for gap, found in light]
    return float(means[0].mean() / means[1].mean()) if all(map(len, means)) else None


def silent_frames(sound: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """bool (frames,): nothing is heard of `sound` (samples,), 16 kHz, nor 0.08 s before or after."""
    energy = log_mel(sound, frames, fps).max(-1)  # 2.5 times less than its logarithm to base 10
    loud = energy > np.quantile(energy, 0.95) - QUIET / 25
    reach = round(MARGIN * fps)
    return ~np.convolve(loud, np.ones(2 * reach + 1), "same").astype(bool)


def followed(found: np.ndarray, asked: np.ndarray, old: np.ndarray) -> dict[str, float]:
    """Whose motion found lips (frames, 57, 2), canonical, have: of those `asked` for, or of the `old` ones."""
    gaps = [lip_gap(lips) for lips in (found, asked, old)]
    chin_new, chin_old = shares(*(lips[:, CHIN, 1] for lips in (found, asked, old)))
    return {
        "r_new": correlation(gaps[0], gaps[1]),
        "r_old": correlation(gaps[0], gaps[2]),
        "r_both": correlation(gaps[1], gaps[2]),
        "gap_old": shares(*gaps)[1],
        "chin_new": chin_new,
        "chin_old": chin_old,
    }


def shares(found: np.ndarray, asked: np.ndarray, old: np.ndarray) -> list[float]:
    """The weights by which `asked` and `old` make up `found`, all (frames,), best, each about its mean."""
    found, asked, old = (values - values.mean() for values in (found, asked, old))
    return np.linalg.lstsq(np.stack([asked, old], -1), found, rcond=None)[0].tolist()


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def measure_own(pipe, clip: rows.BenchClip, film: np.ndarray, figures: dict) -> dict:
    """The second half of a film with its own lips: figures of each row, and mouth crops."""
    start = rows.middle(clip)
    earlier, later = list(film[: start - APART]), list(film[start:])
    (shot, *_), _ = find_shots(later, pipe.face_landmarker, clip.fps)
    part = DubbedShot(shot)
    motion = np.stack([PortraitMouth(face, *shot.size).shape for face in shot.face]) - part.rest
    matrices = rows.crop_transforms(clip)
    inner, gap = rows.inner_lips_in_crop(clip, matrices)[start:], rows.real_gap(clip)[start:]
    real = mouth_crops(later, matrices[start:])
    drawn = {"held": np.repeat(real[part.reference][None], len(real), 0)}
    motion, pictures = LipMotion(motion, None, clip.fps), ReferenceSet.read(earlier, pipe.face_landmarker)
    rows_of = {"one_frame": (OneFrame(pipe.unet), None), "first_half": (LearnedRenderer(pipe.unet), pictures)}
    for name, (renderer, references) in rows_of.items():
        _, frames = dubbed(pipe, later, motion, renderer, references)
        drawn[name] = mouth_crops(frames, matrices[start:])
    far = np.abs(np.arange(len(real)) - part.reference) >= APART
    perceptual = M.available_metrics()["lpips"] is None
    for name, frames in drawn.items():
        for metric in ("ssim", "psnr", "lpips") if perceptual else ("ssim", "psnr"):
            figures[name][f"mouth_{metric}"].append(getattr(M, metric)(frames[far], real[far]))
        figures[name]["inner_mouth_psnr"].append(M.inner_mouth_psnr(frames[far], real[far], inner[far], gap[far]))
        figures[name]["flicker"].append(M.flicker(frames, real).value)
    return {"film": real, **drawn}


class OneFrame(LearnedRenderer):
    """Without references."""

    takes_references = False


def dubbed(
    pipe, film, motion: LipMotion, renderer: LearnedRenderer, references: ReferenceSet | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Landmarks and frames of a film with other lip motion."""
    scene = Film(film, pipe.face_landmarker, fps=motion.fps, video_end="cut")
    if references is not None:
        scene.refer_to(references)
    landmarks, frames = scene.draw(renderer, motion)
    return landmarks, list(frames)


def mouth_crops(frames, matrices: np.ndarray) -> np.ndarray:
    """Crops of pictures, each by its own transform: uint8 (frames, 96, 96, 3)."""
    return np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(frames, matrices)])


def table(title: str, columns: tuple[str, ...], lines: dict[str, dict[str, list]]) -> list[str]:
    """Lowest to highest, and the mean, of each row's figures, as Markdown."""
    made = [f"| {title} | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for name, values in lines.items():
        made.append("| " + " | ".join([name, *(span(values.get(key, [])) for key in columns)]) + " |")
    return made


def by_clip(names: list[str], values: dict[str, list]) -> list[str]:
    """What a dub of each film looks like, a row each, as Markdown."""
    columns = (*LOOKS, "leak", "leak_film")
    made = ["| clip | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for index, name in enumerate(names):
        figures = (values[column][index] for column in columns)
        made.append(f"| {name} | " + " | ".join("–" if one is None else number(one) for one in figures) + " |")
    return made


def span(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{number(min(known))} to {number(max(known))}, {number(M.mean_of(known))}" if known else "–"


if __name__ == "__main__":
    main()
