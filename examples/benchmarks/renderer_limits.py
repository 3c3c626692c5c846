"""How good could a renderer be that gets one portrait? Pictures that no such renderer can make, by the same protocol.

    python examples/benchmarks/renderer_limits.py --split val_speaker

Portrait: the first frame; landmarks: the clip's true ones; figures in the mouth crop, over all frames; as the rows
`still` and `true_landmarks_geometric` of quality.py, which are here for comparison. The others cheat:

- `film_lips`, `film_face`: the film's own pixels laid over the geometric frame, softly, wherever the learned renderer
  may paint (the lips and 6 px around them; the face below the ears and 6 px around it). What is left is the rest of
  the crop, where nothing may change, and the film's noise there.
- `nearest_frame`: for every frame the one of the same film, six or more frames away, with the nearest lips (mean
  distance of the 40 points, canonical frame): real pictures of nearly the same mouth. `nearest_lips`: its lips alone
  over the geometric frame. `moved_lips`, `moved_face`: the lips, or the face below the ears, of all those other frames
  by [`MouthReferences`], which moves the likest one until its lips lie on the wanted ones: what other pictures of
  the person can give.
- `film_mp4`: the film through H.264 at the quality that the pipeline writes. `film_blur_S`: the film's crop after a
  Gaussian of S pixels; `film_denoised`: after a median of each pixel over three frames.
- `inside_mean`, `inside_clip_mean`: the film with the inside of every open mouth in that mouth's mean colour, or in
  the mean colour of the clip's: a mouth that is right in all but teeth and tongue.

`around` is the share of the geometric frame's squared error that lies where nothing may change.

Flicker. A film changes from frame to frame because the face moves, and by noise, compression and the trembling of the
landmarks by which the crop is cut. A renderer whose constant mouth gives constant frames has none of the second kind.
How much of it there is shows where lips rest: `change` is the mean absolute difference of neighbouring frames, levels,
inside and outside of the face below the ears, over all pairs of frames, over those whose lips move by less than 0.002
units (`still`: mean of the 40 points after the 5-tap filter of `jerk_ratio`, which takes off the detector's own
trembling), and over the others. So a renderer that is right in all that the lips determine would have a flicker of

- `all_but_rest`: the change of all pairs minus that of still ones, over the former. What motion adds if changes simply
  add up: they do less than that, so this is the lower estimate.
- `independent`: nothing while the lips are still; else what motion makes if noise does not depend on it: the root of
  the difference of the squares, moving pairs' less still ones', in areas of 7 x 7 pixels. The estimate to go by.
- `like_lips`: the film after every frame was averaged with all others whose lips are as near as 0.007 units, which is
  what the detector finds between a film and its mirror image. Real pictures, nearly a function of the lips; mouths
  that are like no other keep their noise: the upper estimate.

and of no more than that of `film_face` where the surround stands still, noise and all. A renderer can have more by
noise of its own or by too much motion.
"""

import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm


sys.path.insert(0, str(Path(__file__).parents[1]))

import rows  # noqa: E402
from quality import clip_parser, load, number, prepared_folder, write_sheet  # noqa: E402

from text2lip import GeometricRenderer  # noqa: E402
from text2lip import metrics as M
from text2lip.faces.crop import CROP_SIZE, crop  # noqa: E402
from text2lip.faces.geometry import transform_points  # noqa: E402
from text2lip.faces.topology import DRIVEN  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.media.video_writer import write_video  # noqa: E402
from text2lip.metrics.image import OPEN_GAP, inside_polygon  # noqa: E402
from text2lip.metrics.lip_metrics import SMOOTHING_TAPS  # noqa: E402
from text2lip.renderers.mouth_drawing import draw_mouth  # noqa: E402
from text2lip.renderers.mouth_references import MouthReferences  # noqa: E402
from text2lip.training.pairs import APART  # noqa: E402


REACH = 6  # pixels around lips and face that the learned renderer may paint
STILL = 0.002  # units per frame: lips that move less are at rest
LIKE = 0.007  # units: lips that are so near are the same to the detector
AREA = 7  # pixels: squares of changes are averaged so far around, or their chance would count as motion
BLURS = (0.5, 0.7)  # pixels of the crop
METRICS = ("mouth_ssim", "mouth_psnr", "mouth_lpips", "inner_mouth_psnr", "flicker")
LIMITS = ("all_but_rest", "independent", "like_lips")


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="val_speaker")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--json", help="file for the figures (default: outputs/renderer-limits-SPLIT.json)")
    args = parser.parse_args()
    prepared = prepared_folder(args)
    target = Path(args.json or f"outputs/renderer-limits-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    report = measure(load(args, prepared)[0], target.with_suffix(".png"))
    report = {"split": args.split, **({"only": " ".join(args.only)} if args.only else {}), **report}
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print_report(report)
    print(f"Wrote {target}")


def measure(clips: list[rows.BenchClip], sheet: Path) -> dict:
    """All figures of some clips, and a sheet of crops."""
    figures, changes = (defaultdict(lambda: defaultdict(list)) for _ in range(2))
    limits, around = defaultdict(list), []
    perceptual = M.available_metrics()["lpips"] is None
    strips = []
    for clip in tqdm(clips, desc="clips", unit="clip"):
        view = CropView(clip)
        drawn = pictures(clip, view)
        for name, frames in drawn.items():
            values = figures[name]
            for metric in ("ssim", "psnr", "lpips") if perceptual else ("ssim", "psnr"):
                values[f"mouth_{metric}"].append(getattr(M, metric)(frames, view.real))
            values["inner_mouth_psnr"].append(M.inner_mouth_psnr(frames, view.real, view.inner, view.gap))
            values["flicker"].append(M.flicker(frames, view.real))
        for place, row in changes_of(view.real, view.face, lip_steps(clip.lips)).items():
            for name, tally in row.items():
                changes[place][name].append(tally)
        for name, tally in flicker_limits(view.real, clip.lips).items():
            limits[name].append(tally)
        around.append(error_outside(view.warped, view.real, view.face))
        strips.append({"film": view.real, **drawn})
    write_sheet(strips[:4], sheet)
    return {
        "clips": len(clips),
        "around": M.mean_of(around),
        "rows": {name: {key: summary(values[key]) for key in METRICS} for name, values in figures.items()},
        "changes": {place: {name: M.pooled(v) for name, v in row.items()} for place, row in changes.items()},
        "flicker": {name: M.pooled(limits[name]) for name in LIMITS},
    }


class CropView:
    """The mouth crops of a clip: the film's, those of the geometric renderer, and where they may be painted.

    Attributes:
        real (`np.ndarray`): uint8 (frames, 96, 96, 3).
        warped (`np.ndarray`): the same of the geometric renderer on the true landmarks.
        points, wanted (`np.ndarray`): (frames, 57, 2), the driven points in the film's crops and in the renderer's.
        lips, face (`np.ndarray`): float32 (frames, 96, 96, 1), 1 where lips, or the face below the ears, may change.
        inner (`np.ndarray`): outline of the real inner lips, see [`rows.inner_lips_in_crop`].
        gap (`np.ndarray`): (frames,), of the real lips, units.
    """

    def __init__(self, clip: rows.BenchClip):
        self.film = np.stack(list(read_frames(clip.video)))
        self.moving = rows.crop_transforms(clip)
        landmarks = rows.true_landmarks(clip)
        source = clip.record["landmarks"][0, :, :2]
        frames = GeometricRenderer().render(self.film[0], landmarks, fps=clip.fps, source_landmarks=source)
        self.warped = np.stack([crop(frame, self.moving[0], CROP_SIZE) for frame in frames])
        self.real = self.crops(self.film)
        self.points = transform_points(self.moving, clip.points()[:, DRIVEN, :2])
        self.wanted = transform_points(self.moving[0], clip.points(landmarks)[:, DRIVEN])
        own = draw_mouth(self.points[0], CROP_SIZE)
        drawings = [np.maximum(own, draw_mouth(points, CROP_SIZE)) for points in self.wanted]
        self.lips = np.stack([near(drawing[..., :3].max(-1)) for drawing in drawings])[..., None]
        self.face = np.stack([near(drawing[..., 3]) for drawing in drawings])[..., None]
        self.inner, self.gap = rows.inner_lips_in_crop(clip, self.moving), rows.real_gap(clip)

    def crops(self, film) -> np.ndarray:
        """Mouth crops of the film, or of another version of it, head motion removed."""
        return np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(film, self.moving)])


def near(mask: np.ndarray, reach: int = REACH) -> np.ndarray:
    """`mask` (height, width) uint8 grown by `reach` / 2 pixels and softened by as much: float32 in [0, 1], 0 beyond
    `reach`; as [`LandmarkGuidedUNet`] has it."""
    wide = cv2.dilate(mask.astype(np.float32) / 255, np.ones((reach + 1, reach + 1)))
    return cv2.blur(wide, (reach + 1, reach + 1), borderType=cv2.BORDER_CONSTANT)


def pictures(clip: rows.BenchClip, view: CropView) -> dict[str, np.ndarray]:
    """Name -> uint8 (frames, 96, 96, 3): what there is to compare with the film."""
    nearest = view.real[nearest_frames(clip.lips)]
    moved = moved_mouths(view.real, view.points, view.wanted)
    return {
        "still": np.repeat(view.real[:1], len(view.real), 0),
        "geometric": view.warped,
        "film_lips": laid(view.real, view.warped, view.lips),
        "film_face": laid(view.real, view.warped, view.face),
        "nearest_frame": nearest,
        "nearest_lips": laid(nearest, view.warped, view.lips),
        "moved_lips": laid(moved, view.warped, view.lips),
        "moved_face": laid(moved, view.warped, view.face),
        "film_mp4": view.crops(encoded(view.film, clip.fps)),
        **{f"film_blur_{s}": np.stack([cv2.GaussianBlur(x, (0, 0), s) for x in view.real]) for s in BLURS},
        "film_denoised": median_of_three(view.real),
        "inside_mean": painted(view.real, view.inner, view.gap, each=True),
        "inside_clip_mean": painted(view.real, view.inner, view.gap, each=False),
    }


def laid(over: np.ndarray, under: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`over` where `mask` is 1, `under` where it is 0; uint8."""
    return np.rint(under + mask * (over.astype(np.float32) - under)).astype(np.uint8)


def lip_distances(lips: np.ndarray) -> np.ndarray:
    """Mean distance of the 40 lip points of any two frames of (frames, 57, 2): (frames, frames)."""
    return np.stack([np.linalg.norm(lips[:, :40] - frame[:40], axis=-1).mean(-1) for frame in lips])


def nearest_frames(lips: np.ndarray, apart: int = APART) -> np.ndarray:
    """For each frame the one with the nearest lips that is `apart` or more frames away: int (frames,)."""
    distance = lip_distances(lips)
    frames = np.arange(len(lips))
    distance[np.abs(frames[:, None] - frames) < apart] = np.inf
    return distance.argmin(1)


def moved_mouths(frames: np.ndarray, points: np.ndarray, wanted: np.ndarray, apart: int = APART) -> np.ndarray:
    """For each frame what [`MouthReferences`] draws of all others `apart` or more away: uint8, the shape of `frames`.

    `points` (frames, 57, 2) are the driven points of `frames`, `wanted` those to draw; pixels of the crop."""
    drawn = []
    for index, goal in enumerate(wanted):
        far = np.abs(np.arange(len(frames)) - index) >= apart
        others = MouthReferences(frames[far], points[far])
        unlike = others.unlikeness(goal[None], len(frames[0]))[0]
        drawn.append(others.draw(goal, len(frames[0]), np.eye(len(unlike))[unlike.argmin()])[0])
    return np.stack(drawn)


def error_outside(ours: np.ndarray, real: np.ndarray, mask: np.ndarray) -> float:
    """Share of the squared error of `ours` where `mask` is 0, each pixel as heavy as it is not in the mask."""
    square = (ours.astype(np.float64) - real) ** 2
    return float(((1 - mask) * square).sum() / square.sum())


def encoded(film: np.ndarray, fps: float) -> list[np.ndarray]:
    """A film as the pipeline would have written it, read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_video(path, film, fps=fps)
        return [frame[: film.shape[1], : film.shape[2]] for frame in read_frames(path)]


def median_of_three(frames: np.ndarray) -> np.ndarray:
    """Every pixel's median over the frame and its two neighbours; the ends stay."""
    return np.concatenate([frames[:1], np.median([frames[:-2], frames[1:-1], frames[2:]], 0), frames[-1:]]).astype(
        np.uint8
    )


def painted(frames: np.ndarray, inner: np.ndarray, gap: np.ndarray, each: bool) -> np.ndarray:
    """Frames whose open mouths have one colour inside: each mouth its own mean, or all of them the mean of all."""
    inside = [inside_polygon(outline, *frames.shape[1:3]) & bool(gap > OPEN_GAP) for outline, gap in zip(inner, gap)]
    made = frames.copy()
    seen = [frame[mask] for frame, mask in zip(frames, inside)]
    common = np.concatenate(seen)
    for frame, mask, pixels in zip(made, inside, seen):
        if len(pixels):
            frame[mask] = np.rint((pixels if each else common).mean(0))
    return made


def lip_steps(lips: np.ndarray) -> np.ndarray:
    """How far the 40 lip points move between neighbouring frames after the 5-tap filter of `jerk_ratio`, mean over the
    points: (frames - 1,), units; the filter's ends repeat the outermost frame."""
    padded = np.pad(lips[:, :40], ((2, 2), (0, 0), (0, 0)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, len(SMOOTHING_TAPS), axis=0) @ SMOOTHING_TAPS
    return np.linalg.norm(np.diff(smooth, axis=0), axis=-1).mean(-1)


def differences(frames: np.ndarray) -> np.ndarray:
    """Absolute differences of neighbouring frames, float32 (frames - 1, height, width, 3), levels."""
    return np.abs(np.diff(frames.astype(np.float32), axis=0))


def changes_of(frames: np.ndarray, face: np.ndarray, steps: np.ndarray) -> dict[str, dict[str, M.Tally]]:
    """Mean change of the crop, of the face below the ears and of what is around it: over all pairs of frames, over
    those whose lips are still, and over the others; sums with their counts. `pairs` is the share of all pairs."""
    change = differences(frames).mean(-1)
    inside = (face[..., 0] > 0).any(0)
    places = {"crop": np.ones_like(inside), "face": inside, "around": ~inside}
    still = steps < STILL
    kinds = {"all": np.ones_like(still), "still": still, "moving": ~still}
    table = {
        place: {kind: tally(change[pairs][:, mask]) for kind, pairs in kinds.items()} for place, mask in places.items()
    }
    table["pairs"] = {kind: M.Tally(float(pairs.sum()), len(pairs)) for kind, pairs in kinds.items()}
    return table


def tally(values: np.ndarray) -> M.Tally:
    return M.Tally(float(values.sum(dtype=np.float64)), values.size)


def flicker_limits(frames: np.ndarray, lips: np.ndarray) -> dict[str, M.Tally]:
    """The estimates of this file's head: changes, ours and the film's; `like_lips` alone if lips always rest or never.

    `frames` are uint8 (frames, height, width, 3), `lips` canonical, (frames, 57, 2)."""
    change, still = differences(frames), lip_steps(lips) < STILL
    film = float(change.mean(dtype=np.float64))
    limits = {"like_lips": M.Tally(float(differences(like_lips(frames, lips)).mean(dtype=np.float64)), film)}
    if not 0 < still.mean() < 1:
        return limits
    rest, moving = change[still], change[~still]
    square, noise = (cv2.blur((part**2).mean((0, -1)), (AREA, AREA)) for part in (moving, rest))
    share = np.sqrt(np.maximum(square - noise, 0)).sum() / np.sqrt(square).sum()
    limits["all_but_rest"] = M.Tally(film - float(rest.mean(dtype=np.float64)), film)
    limits["independent"] = M.Tally(float(share * moving.sum(dtype=np.float64) / change.size), film)
    return limits


def like_lips(frames: np.ndarray, lips: np.ndarray, width: float = LIKE) -> np.ndarray:
    """Every frame averaged with those whose lips are within `width` units: float32, the shape of `frames`."""
    weight = (lip_distances(lips) < width).astype(np.float32)
    weight /= weight.sum(1, keepdims=True)
    return (weight @ frames.reshape(len(frames), -1).astype(np.float32)).reshape(frames.shape)


def summary(values: list) -> float | None:
    return M.pooled(values) if values and isinstance(values[0], M.Tally) else M.mean_of(values)


def print_report(report: dict):
    print(f"\n{report['split']} {report.get('only', '')}: {report['clips']} clips\n")
    print("\n".join(table("row", METRICS, report["rows"])) + "\n")
    print("\n".join(table("change, levels", ("all", "still", "moving"), report["changes"])) + "\n")
    print("\n".join(table("limits of flicker", LIMITS, {"": report["flicker"]})))
    print(f"\nSquared error of the geometric frame where nothing may change: {report['around']:.0%}")


def table(title: str, columns: tuple[str, ...], lines: dict[str, dict]) -> list[str]:
    head = [f"| {title} | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    return head + [
        "| " + " | ".join([name, *(number(row[key]) for key in columns)]) + " |" for name, row in lines.items()
    ]


if __name__ == "__main__":
    main()
