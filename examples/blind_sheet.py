"""A blind test: two clips of each portrait, one below the other in an order that nobody knows; which is which?

    python examples/blind_sheet.py --images a.jpg b.jpg --output outputs/blind
    python examples/blind_sheet.py --output outputs/blind --answers 1 2

The first command writes a sheet of moments for each portrait, its rows called 1 and 2, both clips of each, padded to
one size, and `key.json` (elsewhere with `--key`), which isn't to be opened before the answers are given: one number a
sheet, of the row or clip with `life=0`. The second command counts the right ones. `--lives` takes two others: 0.5 1.
"""

import argparse
import json
import secrets
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from text2lip import Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.media.images import load_image
from text2lip.media.video_writer import write_video
from text2lip.training.settings import errors_in_one_line


TEXT = "Is it really you? I can hardly believe that you came back to see me. Well, come in, and tell me all about it."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--images", nargs="+", default=[str(builtin_portrait())])
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--voice", default=None, help="none by default: times are predicted")
    parser.add_argument("--lives", nargs=2, type=float, default=(0.0, 1.0), help="the first is to be found")
    parser.add_argument("--size", type=int, default=384, help="longer side of the pictures, pixels")
    parser.add_argument("--moments", type=int, default=10, help="frames in a row, evenly spread")
    parser.add_argument("--output", type=Path, default=Path("outputs/blind"))
    parser.add_argument("--key", type=Path, help="file of the key; key.json in `--output` by default")
    parser.add_argument("--answers", nargs="+", type=int, help="rows with the first of `--lives`, one a sheet")
    args = parser.parse_args()
    hidden = args.key or args.output / "key.json"
    if args.answers:
        print(judged(hidden, args.answers))
        return
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    for folder in (args.output, hidden.parent):
        folder.mkdir(parents=True, exist_ok=True)
    key = []
    for number, path in enumerate(args.images):
        image = load_image(path)
        scale = min(1.0, args.size / max(image.shape[:2]))
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        order = [0, 1] if secrets.randbelow(2) else [1, 0]
        rows, clips = [], [args.output / f"{number:02d}_{place}.mp4" for place in (1, 2)]
        for clip, which in zip(clips, order):
            stream = pipe.stream(args.text, image, voice=args.voice, life=args.lives[which], renderer="geometric")
            frames = list(stream)
            write_video(clip, frames, fps=stream.fps)
            rows.append([frames[k] for k in np.linspace(0, len(frames) - 1, args.moments).round().astype(int)])
        pad(clips)
        sheet(rows).save(args.output / f"{number:02d}.png")
        key.append({"image": Path(path).name, "row": order.index(0) + 1})
        hidden.write_text(json.dumps(key, indent=1))
    print(f"{len(key)} sheets in {args.output}; which row of each has life {args.lives[0]:g}?")


def sheet(rows: list[list[np.ndarray]]) -> Image.Image:
    """Rows of frames, numbered from 1."""
    picture = Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in rows]))
    for number, row in enumerate(rows, 1):
        ImageDraw.Draw(picture).text((4, (number - 1) * len(row[0]) + 4), str(number), "white", stroke_fill="black")
    return picture


def pad(paths: list[Path]) -> None:
    """Make mp4 files equally long, by a box that players skip (ISO 14496-12, "free"): still faces take less."""
    sizes = [path.stat().st_size for path in paths]
    for path, size in zip(paths, sizes):
        room = max(sizes) + 8 - size
        with path.open("ab") as file:
            file.write(room.to_bytes(4, "big") + b"free" + bytes(room - 8))


def judged(path: Path, answers: list[int]) -> str:
    """How many answers are right, and which are not.

    Raises:
        ValueError: no key, or another number of answers.
    """
    if not path.is_file():
        raise ValueError(f"--output: no key at {path}; make the sheets first.")
    key = json.loads(path.read_text())
    if len(answers) != len(key):
        raise ValueError(f"--answers: {len(answers)} for {len(key)} sheets; give one for each.")
    wrong = [one["image"] for one, answer in zip(key, answers) if one["row"] != answer]
    return f"{len(key) - len(wrong)} of {len(key)} are right" + (f"; not {', '.join(wrong)}" if wrong else "")


if __name__ == "__main__":
    with errors_in_one_line():
        main()
