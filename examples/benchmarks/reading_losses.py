"""Where in a drawn mouth is speech lost? A lip reader reads films with drawn parts, and drawn mouths with the film's.

    python examples/benchmarks/reading_losses.py --split test
    python examples/benchmarks/reading_losses.py --split test --limit 12 --gains 1.1 1.2 1.3

Drawn are the film's own lips on its first frame, by the learned renderer; all is done in the mouth crops that readers
see. Rows: changes that take no speech from a film, which tell how brittle the reader is; parts of the film, or its
light (both blurred), in the drawn mouth, and drawn parts in the film; with `--gains`, lips drawn with so many times
the motion up and down, or sideways. Columns: word error rate, and `nats`, mean of -log p of the words that were said,
which is finer.

A second table compares drawn and film over time, mean over clips: brightness of the opening and of its halves, its
area that is darker than 0.35 and brighter than 0.75 of the skin, in frames with a gap over 0.03; how far chin and
cheeks go up and down, by optical flow (Farneback) from the first frame. `r` is a correlation; `spread`, a standard
deviation over time, and `level`, a mean, are those of drawn frames over the film's.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import rows
import torch
from quality import clip_parser, load, number, prepared_folder
from renderer_limits import encoded, laid, near
from tqdm import tqdm

from text2lip import Text2LipPipeline
from text2lip import metrics as M
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop
from text2lip.faces.geometry import transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.media.color import to_luma
from text2lip.media.video import read_frames
from text2lip.metrics.mouth_detail import DETAIL_GAP
from text2lip.renderers.mouth_drawing import DRAWN_PARTS, draw_mouth
from text2lip.training.settings import errors_in_one_line


DARK = 4.0  # levels added before brightness is compared, lest noise in the dark counts
LIGHTS = (2, 4, 8)  # pixels of the blurs that leave light
INSIDE, LIPS = DRAWN_PARTS.index("inside"), slice(0, 3)
DARKER, BRIGHTER = 0.35, 0.75  # of the skin's median luma
CHIN, CHEEK = (0.12, 0.3, 0.0, 0.25), (-0.15, 0.15, 0.4, 0.6)  # units: below the lips' middle, and to either side
FLOW_EVERY = 3  # frames
FLOW = {"pyr_scale": 0.5, "levels": 2, "winsize": 13, "iterations": 3, "poly_n": 5, "poly_sigma": 1.1, "flags": 0}
COLUMNS = {"read": ("wer", "nats"), "seen": ("r", "spread", "level")}


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--gains", nargs="*", type=float, default=(), help="of the lips' motion: more rows")
    parser.add_argument("--json", help="file for the figures (default: outputs/reading-losses-SPLIT.json)")
    args = parser.parse_args()
    target = Path(args.json or f"outputs/reading-losses-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    clips, failed = load(args, prepared_folder(args))
    renderer = Text2LipPipeline.from_pretrained(args.pipeline).make_renderer("learned")
    values = {part: defaultdict(list) for part in COLUMNS}
    for clip in tqdm(clips, unit="clip"):
        pair = MouthPair(clip, renderer)
        for name, crops in (*harmless(pair), *mixed(pair), *moved_more(pair, args.gains)):
            values["read"][name].append(missed(crops, clip))
        for name, (drawn, film) in (*opening_over_time(pair), *motion_of_skin(pair)):
            if len(film):
                values["seen"][name].append(compared(drawn, film))
    report = {"split": args.split, "clips": len(clips), "failed": failed}
    for part, columns in COLUMNS.items():
        means = {name: [M.mean_of(column) for column in zip(*some)] for name, some in values[part].items()}
        report[part] = {name: dict(zip(columns, mean)) for name, mean in means.items()}
        print(f"\n| {part} | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
        print("\n".join("| " + " | ".join([n, *map(number, row.values())]) + " |" for n, row in report[part].items()))
    target.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    print(f"Wrote {target}")


class MouthPair:
    """Mouth crops of a film and of its lips drawn on its first frame, uint8 (frames, 96, 96, 3), and masks of either's
    parts, float32 (frames, 96, 96, 1).

    Args:
        clip (`BenchClip`): the film.
        renderer ([`LearnedRenderer`]): draws the lips.
    """

    def __init__(self, clip: rows.BenchClip, renderer):
        self.clip, self.renderer, self.moving = clip, renderer, rows.crop_transforms(clip)
        self.frames = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        self.film, asked = self.cut(self.frames, self.moving), rows.true_landmarks(clip)
        self.drawn = self.draw(asked)
        self.points = transform_points(self.moving, clip.points()[:, DRIVEN, :2])
        wanted = transform_points(self.moving[0], clip.points(asked)[:, DRIVEN])
        both = [np.stack([draw_mouth(points, CROP_SIZE) for points in pair]) for pair in zip(self.points, wanted)]
        self.both = np.stack([pair.min(0)[..., INSIDE] > 127 for pair in both])
        drawings = [pair.max(0) for pair in both]
        self.inside = np.stack([near(d[..., INSIDE], 2) for d in drawings])[..., None]
        self.lips = np.stack([near(d[..., LIPS].max(-1), 2) for d in drawings])[..., None]
        self.around = np.stack([near(d[..., LIPS].max(-1), 12) for d in drawings])[..., None]

    def cut(self, frames: np.ndarray, transforms: np.ndarray) -> np.ndarray:
        return np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(frames, transforms)])

    def draw(self, landmarks: np.ndarray) -> np.ndarray:
        source = self.clip.record["landmarks"][0, :, :2]
        frames = self.renderer.render(self.frames[0], landmarks, fps=self.clip.fps, source_landmarks=source)
        return self.cut(list(frames), np.repeat(self.moving[:1], len(landmarks), 0))


def harmless(pair: MouthPair) -> Iterator[tuple[str, np.ndarray]]:
    """Films that say as much as the film does."""
    film, noise = pair.film, np.random.default_rng(0).normal(0, 3, pair.film.shape)
    yield "film", film
    yield "film, in H.264", pair.cut(encoded(pair.frames, pair.clip.fps), pair.moving)
    yield "film, cut as drawn frames are", pair.cut(pair.frames, np.repeat(pair.moving[:1], len(film), 0))
    yield "film, half a pixel aside", np.stack([shifted(frame, 0.5) for frame in film])
    yield "film, two pixels aside", np.stack([shifted(frame, 2) for frame in film])
    yield "film, two frames late", film[np.maximum(np.arange(len(film)) - 2, 0)]
    yield "film, blurred by 1 px", levels(blurred(film, 1))
    yield "film, noise of 3 levels", levels(film + noise)
    yield "film, redder", levels(film * np.float32([1.1, 1, 0.85]))
    yield "film, 0.8 of the contrast", levels(128 + 0.8 * (film - 128.0))


def mixed(pair: MouthPair) -> Iterator[tuple[str, np.ndarray]]:
    """Parts of one in the other."""
    film, drawn, inside, lips = pair.film, pair.drawn, pair.inside, pair.lips
    parts = {"opening": inside, "lips": lips * (1 - inside), "opening and lips": lips, "mouth and 6 px": pair.around}
    yield "drawn", drawn
    for name, mask in parts.items():
        yield f"drawn, the film's {name}", laid(film, drawn, mask)
        yield f"film, the drawn {name}", laid(drawn, film, mask)
    yield "film, still but for the mouth and 6 px", laid(film, film[:1].repeat(len(film), 0), pair.around)
    bright = brightness(film, inside)
    lit = drawn * ((bright + DARK) / (brightness(drawn, inside) + DARK))[:, None, None, None]
    yield "drawn, the opening as bright as the film's", laid(levels(lit), drawn, inside)
    colour = (film * inside).sum((0, 1, 2)) / np.maximum(inside.sum(), 1e-3)
    flats = (("its brightness alone", bright), ("one brightness", bright.mean(keepdims=True)))
    for name, luma in flats if inside.any() else ():
        flat = luma[:, None, None, None] / to_luma(colour) * colour
        yield f"film, the opening of {name}", laid(levels(np.broadcast_to(flat, film.shape)), film, inside)
    for size in LIGHTS:
        light = drawn * (blurred(film, size) + DARK) / (blurred(drawn, size) + DARK)
        yield f"drawn, the film's light of {size} px", levels(light)
        if size == 4:
            yield f"drawn, the film's light of {size} px around the lips", laid(levels(light), drawn, 1 - lips)
    yield "drawn, sharper", levels(drawn + 0.5 * (drawn - blurred(drawn, 1)))
    yield "drawn, noise of 2 levels", levels(drawn + np.random.default_rng(0).normal(0, 2, drawn.shape))


def moved_more(pair: MouthPair, gains: list[float]) -> Iterator[tuple[str, np.ndarray]]:
    """The lips drawn with more of their motion."""
    mouth, moved = pair.clip.mouth(), pair.clip.lips - pair.clip.lips[0]
    for gain in gains:
        for name, way in (("up and down", (1, gain)), ("sideways", (gain, 1))):
            yield (
                f"drawn, {gain:g} of the motion {name}",
                pair.draw(mouth.place(mouth.shape + moved * np.float32(way))),
            )


def missed(crops: np.ndarray, clip: rows.BenchClip) -> tuple[float, float]:
    """Share of a clip's words that are misread, and mean -log p of those that were said."""
    reader = M.builtin_reader("crops")
    with torch.no_grad():
        places = reader.by_place(reader(torch.from_numpy(reader.prepare(crops))[None]).logits)
    said = [list(words).index(word) for words, word in zip(reader.config.slots, clip.record["text"].lower().split())]
    found = [
        (int(place.argmax()) != word, -float(place.log_softmax(-1)[0, word])) for place, word in zip(places, said)
    ]
    return tuple(np.mean(found, 0).tolist())


def opening_over_time(pair: MouthPair) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Series (frames,) of the drawn opening and of the film's, where both have one."""
    opened = rows.real_gap(pair.clip) > DETAIL_GAP
    both, (drawn, film) = pair.both[opened], (to_luma(x[opened].astype(np.float32)) for x in (pair.drawn, pair.film))
    seen = both.any((1, 2))
    both, drawn, film = both[seen], drawn[seen], film[seen]
    down = np.arange(CROP_SIZE)[:, None]
    middle = ((both * down).sum((1, 2)) / both.sum((1, 2)))[:, None, None]
    for name, part in (
        ("", both),
        (", upper half", both & (down <= middle)),
        (", lower half", both & (down >= middle)),
    ):
        yield f"brightness{name}", tuple((x * part).sum((1, 2)) / part.sum((1, 2)) for x in (drawn, film))
    skin = np.median(to_luma(pair.film[0].astype(np.float32)))
    yield "dark area", tuple(((x < DARKER * skin) & both).sum((1, 2)) for x in (drawn, film))
    yield "bright area", tuple(((x > BRIGHTER * skin) & both).sum((1, 2)) for x in (drawn, film))


def motion_of_skin(pair: MouthPair) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """How far chin and cheeks go down, pixels, every third frame; nothing of a film of three frames or fewer."""
    if len(pair.film) <= FLOW_EVERY:
        return
    flows = [
        np.stack(
            [cv2.calcOpticalFlowFarneback(grey[0], x, None, **FLOW)[..., 1] for x in grey[FLOW_EVERY::FLOW_EVERY]]
        )
        for grey in (np.rint(to_luma(x.astype(np.float32))).astype(np.uint8) for x in (pair.drawn, pair.film))
    ]
    x, y = np.meshgrid(*[(np.arange(CROP_SIZE) + 0.5) / CROP_SIZE * CROP_SIDE] * 2)
    away = np.stack([x, y], -1) - pair.points[0, :40].mean(0) / CROP_SIZE * CROP_SIDE
    for name, (above, below, near_by, far) in (("chin", CHIN), ("cheeks", CHEEK)):
        aside = np.abs(away[..., 0])
        where = (away[..., 1] > above) & (away[..., 1] < below) & (aside >= near_by) & (aside < far)
        yield f"way of the {name}", tuple(flow[:, where].mean(1) for flow in flows)


def compared(drawn: np.ndarray, film: np.ndarray) -> tuple[float | None, ...]:
    """Correlation, and spread and level over the film's; None where the film's is nothing."""
    spread, wide = (float(np.std(x)) if len(x) else 0.0 for x in (drawn, film))
    r = float(np.corrcoef(drawn, film)[0, 1]) if spread and wide else None
    level = abs(float(np.mean(film))) if len(film) else 0.0
    return r, spread / wide if wide else None, float(np.mean(drawn)) / level if level else None


def brightness(crops: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean luma (frames,) under a mask (frames, height, width, 1)."""
    return (to_luma(crops.astype(np.float32)) * where[..., 0]).sum((1, 2)) / np.maximum(where.sum((1, 2, 3)), 1e-3)


def blurred(crops: np.ndarray, size: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(frame.astype(np.float32), (0, 0), size) for frame in crops])


def shifted(frame: np.ndarray, pixels: float) -> np.ndarray:
    matrix = np.float32([[1, 0, pixels], [0, 1, pixels]])
    return cv2.warpAffine(frame, matrix, frame.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def levels(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
