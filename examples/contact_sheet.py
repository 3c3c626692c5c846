"""Look at what the pipeline makes: a sheet of face crops with the phone under each frame, and the lip gap over time.

python examples/contact_sheet.py "Bob met my uncle Paul." --images a.jpg b.jpg --output sheet.png --plot gap.png
python examples/contact_sheet.py "Bob met my uncle Paul." --images a.jpg --mouth --compare geometric outputs/new

`--compare` draws every face several times, a row each: "geometric", "learned", which is that of `--pipeline`, another
pipeline, whose network draws, or a folder that `--keep` has written. So a checkout of another version is compared as
it is, its faces, lips and light; give both the same text, `--columns`, `--size` and `--mouth`:

PYTHONPATH=../before/src python examples/contact_sheet.py "Bob met my uncle Paul." --images a.jpg --keep outputs/old
python examples/contact_sheet.py "Bob met my uncle Paul." --images a.jpg --compare geometric outputs/old learned
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text2lip import LearnedRenderer, Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import canonical_lips, lip_gap, lip_width
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.pipelines.request import Text2LipRequest
from text2lip.training.settings import errors_in_one_line


LABEL = 14  # pixels of the line under a row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("--images", nargs="+", default=[str(builtin_portrait())])
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--output", default="sheet.png")
    parser.add_argument("--plot", help="also plot the lip gap and mouth width of the first image over time")
    parser.add_argument("--columns", type=int, default=12, help="frames of a sheet, evenly spread over the clip")
    parser.add_argument("--language", default="en-us")
    parser.add_argument("--voice", default="default")
    parser.add_argument("--expressiveness", type=float, default=1.25)
    parser.add_argument("--size", type=int, default=160, help="pixels of one face")
    parser.add_argument("--mouth", action="store_true", help="show the mouth alone")
    parser.add_argument(
        "--compare", nargs="+", metavar="ROW", help="renderers, pipelines, folders of --keep: a row each"
    )
    parser.add_argument("--keep", metavar="FOLDER", help="also write each image's one row, for --compare")
    args = parser.parse_args()
    if args.keep and len(args.compare or []) > 1:
        raise ValueError(f"--keep: it keeps one row of each image, --compare names {len(args.compare)}; name one.")
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    named, rows = {name: renderer(name) for name in args.compare or ["auto"]}, []
    asked = {"language": args.language, "voice": args.voice, "expressiveness": args.expressiveness}
    if hasattr(Text2LipRequest, "life"):  # an older version, beside which this one is seen, has none
        asked["life"] = 0.0
    for path in args.images:
        image = load_image(path)
        for name, drawing in named.items():
            if isinstance(drawing, Path):
                row = kept_row(drawing, path)
            else:
                result = pipe(args.text, image, output_type="np", renderer=drawing, **asked)
                row = sheet_row(result, image, args)
            if args.keep:
                Path(args.keep).mkdir(parents=True, exist_ok=True)
                row.save(Path(args.keep) / f"{Path(path).stem}.png")
            title = f"{Path(path).stem} {Path(name).name}" if args.compare else "source"
            ImageDraw.Draw(row).text((4, row.height - LABEL), title, fill="black", font=label_font())
            rows.append(row)
        if args.plot and path == args.images[0]:
            plot(result, image, args.plot)
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    sheet.save(args.output)
    print(f"Wrote {args.output}: {len(args.images)} faces.")


def renderer(name: str):
    """A renderer's name, one that draws by the network of a pipeline, or the folder of kept rows."""
    if name in ("auto", "geometric", "learned"):
        return name
    if Path(name).is_dir() and not (Path(name) / "model_index.json").exists():
        return Path(name)
    return LearnedRenderer(Text2LipPipeline.from_pretrained(name).unet)


def kept_row(folder: Path, image: str) -> Image.Image:
    """The row that `--keep` has written of an image."""
    path = folder / f"{Path(image).stem}.png"
    if not path.exists():
        raise ValueError(f"--compare {folder}: no row of {image} there; write it with --keep {folder}.")
    return Image.open(path).convert("RGB")


def sheet_row(result, image: np.ndarray, args) -> Image.Image:
    """One face through the clip, the portrait itself first, with room for a title under it."""
    height, width = image.shape[:2]
    points = to_pixels(result.landmarks[0][0], height, width)
    part = points[[61, 291, 0, 17]] if args.mouth else points
    centre = (part.max(0) + part.min(0)) / 2
    side = (1.6 if args.mouth else 1.25) * (part.max(0) - part.min(0)).max()
    box = tuple(np.round([*(centre - side / 2), *(centre + side / 2)]).astype(int))
    count = len(result.frames[0])
    picks = np.linspace(0, count - 1, args.columns).round().astype(int)
    row = Image.new("RGB", ((args.columns + 1) * args.size, args.size + LABEL), "white")
    draw, font = ImageDraw.Draw(row), label_font()
    frames = [image] + [(result.frames[0][i] * 255).round().astype(np.uint8) for i in picks]
    labels = [""] + [label_at(result.phones[0], (i + 0.5) / result.fps) for i in picks]
    for column, (frame, label) in enumerate(zip(frames, labels)):
        face = Image.fromarray(frame).crop(box).resize((args.size, args.size), Image.LANCZOS)
        row.paste(face, (column * args.size, 0))
        draw.text((column * args.size + 4, args.size), label, fill="black", font=font)
    return row


def label_at(phones, time: float) -> str:
    return next((phone.label for phone in phones if phone.start <= time < phone.end), "") or "-"


def label_font():
    """A font with the letters of the IPA: the one that matplotlib ships."""
    from matplotlib import get_data_path

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), 11)


def plot(result, image: np.ndarray, path: str):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    lips = canonical_lips(to_pixels(result.landmarks[0], *image.shape[:2]))
    times = (np.arange(len(lips)) + 0.5) / result.fps
    figure, axes = plt.subplots(figsize=(max(8, 4 * times[-1]), 3.2), layout="constrained")
    axes.plot(times, lip_gap(lips), label="lip gap")
    axes.plot(times, lip_width(lips) - lip_width(lips[:1]), label="mouth width, from the first frame")
    top = axes.get_ylim()[1]
    for phone in result.phones[0]:
        axes.axvline(phone.start, color="0.85", linewidth=0.5)
        bilabial = phone.label in ("p", "b", "m")
        axes.text((phone.start + phone.end) / 2, top, phone.label, ha="center", color="red" if bilabial else "black")
    axes.set(xlabel="seconds", ylabel="outer-eye distances", xlim=(0, times[-1]))
    axes.legend(loc="lower right", fontsize=7)
    figure.savefig(path, dpi=110)
    print(f"Wrote {Path(path)}")


if __name__ == "__main__":
    with errors_in_one_line():
        main()
