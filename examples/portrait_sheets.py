"""Let every portrait of a folder say one sentence: sheets of what they look like, and a table of how far lips part.

python examples/portrait_sheets.py $TEXT2LIP_DATA/portraits/*.jpg --output docs/source/en/imgs

Each row is a portrait, each column a moment that is hard in its own way. The table's gaps are measured on the rendered
frames, by the face mesh: the distance of the inner lips, in distances of the outer eye corners.
"""

import argparse
from pathlib import Path

import numpy as np
from contact_sheet import label_font
from PIL import Image, ImageDraw

from text2lip import Text2LipPipeline
from text2lip.faces.canonical import canonical_lips, lip_gap, lip_width
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.training.settings import errors_in_one_line


TEXT = "Father Bob found my new shoes."
MOMENTS = {"silence": "", "open": "ɑa", "round": "u", "f": "f", "bilabial": "bmp"}  # first letters of their phones


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+")
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--output", default=".", help="folder of the sheets")
    parser.add_argument("--name", default="portraits", help="start of the sheets' file names")
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--renderer", default="auto", choices=("auto", "geometric", "learned", "echomimic"))
    parser.add_argument("--rows", type=int, default=10, help="portraits of a sheet")
    parser.add_argument("--side-by-side", type=int, default=1, help="portraits beside each other")
    parser.add_argument("--size", type=int, default=128, help="pixels of one face")
    parser.add_argument("--quality", type=int, default=80, help="of the JPEG")
    parser.add_argument("--mouth", action="store_true", help="show the mouth alone")
    args = parser.parse_args()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    rows = []
    print("| portrait | source | " + " | ".join(MOMENTS) + " |\n| --- " + "| --- " * (len(MOMENTS) + 1) + "|")
    for path in args.images:
        image = load_image(path)
        frames, points = moments(pipe, image, args)
        gaps = [measured_gap(pipe, frame) for frame in (image, *frames)]
        print(f"| {Path(path).stem} | " + " | ".join(f"{gap:.3f}" for gap in gaps) + " |", flush=True)
        rows.append(draw_row(Path(path).stem, [image, *frames], points, args))
    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    step = args.rows * args.side_by_side
    for number, start in enumerate(range(0, len(rows), step), 1):
        columns = [rows[i : i + args.rows] for i in range(start, min(start + step, len(rows)), args.rows)]
        path = folder / f"{args.name}_{number}.jpg"
        join(columns).save(path, quality=args.quality, optimize=True)
        print(f"Wrote {path.name}: {path.stat().st_size / 1000:.0f} kB.")


def moments(pipe, image: np.ndarray, args) -> tuple[list[np.ndarray], np.ndarray]:
    """The frames of one clip that show each of `MOMENTS`, and the portrait's landmarks, pixels."""
    stream = pipe.stream(args.text, image, renderer=args.renderer, life=0)
    points = to_pixels(stream.landmarks, *image.shape[:2])
    lips = canonical_lips(points)
    scores = {"silence": -lip_gap(lips), "open": lip_gap(lips), "round": -lip_width(lips), "f": -lip_gap(lips)}
    times = (np.arange(len(lips)) + 0.5) / stream.fps
    picks = []
    for name, letters in MOMENTS.items():
        spans = [(p.start, p.end) for p in stream.phones if p.label.lstrip("ˈˌ")[:1] in tuple(letters)]
        if not letters:
            spans = [(times[-1], times[-1] + 1)]
        inside = np.any([(times >= start) & (times < end) for start, end in spans], 0)
        picks.append(int(np.where(inside, scores.get(name, -lip_gap(lips)), -np.inf).argmax()))
    kept = {index: frame for index, frame in enumerate(stream) if index in picks}  # all are drawn, as in a film
    return [kept[index] for index in picks], points[0]


def measured_gap(pipe, frame: np.ndarray) -> float:
    points = to_pixels(pipe.face_landmarker.locate(frame)[None, :, :2], *frame.shape[:2])
    return float(lip_gap(canonical_lips(points))[0])


def draw_row(name: str, frames: list[np.ndarray], points: np.ndarray, args) -> Image.Image:
    part = points[[61, 291, 0, 17]] if args.mouth else points
    centre = (part.max(0) + part.min(0)) / 2
    side = (1.6 if args.mouth else 1.2) * (part.max(0) - part.min(0)).max()
    box = tuple(np.round([*(centre - side / 2), *(centre + side / 2)]).astype(int).tolist())
    row = Image.new("RGB", (len(frames) * args.size, args.size + 14), "white")
    draw, font = ImageDraw.Draw(row), label_font()
    for column, (frame, label) in enumerate(zip(frames, [name, *MOMENTS])):
        face = Image.fromarray(frame).crop(box).resize((args.size, args.size), Image.LANCZOS)
        row.paste(face, (column * args.size, 0))
        draw.text((column * args.size + 4, args.size), label, fill="black", font=font)
    return row


def join(columns: list[list[Image.Image]]) -> Image.Image:
    """Rows of pictures of one size below each other, and such columns side by side."""
    width, height = columns[0][0].size
    sheet = Image.new("RGB", (width * len(columns), height * max(map(len, columns))), "white")
    for left, rows in enumerate(columns):
        for top, row in enumerate(rows):
            sheet.paste(row, (left * width, top * height))
    return sheet


if __name__ == "__main__":
    with errors_in_one_line():
        main()
