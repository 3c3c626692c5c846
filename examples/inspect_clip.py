"""Look at one real clip as training sees it: its mouth crops with the phones, and the lip gap over time.

python examples/inspect_clip.py s1/bbaf2n --data $TEXT2LIP_DATA --output outputs/bbaf2n.png
python examples/inspect_clip.py my_film.mp4 --text "What is said in it." --output outputs/my_film.png
"""

import argparse
import io
import os
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from text2lip import FaceLandmarker, VisemeTokenizer
from text2lip.data import SourceClip, grid_clips, prepare_clip
from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.training.settings import errors_in_one_line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", help="name of a GRID clip, such as s1/bbaf2n, or a video file")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder that holds grid/")
    parser.add_argument("--text", help="what is said, for a video file")
    parser.add_argument("--language", default="en-us", help="of a video file")
    parser.add_argument("--output", default="clip.png")
    parser.add_argument("--every", type=int, default=2, help="show every so manyth frame")
    args = parser.parse_args()
    record = prepare_clip(find(args), FaceLandmarker.from_builtin(), VisemeTokenizer())
    draw(record, args.output, args.every)
    print(f"{record['name']}: {len(record['lips'])} frames at {record['fps']:g} fps, timed by {record['aligned_by']}")
    for word in record["words"]:
        print(f"  {word.start:6.2f} {word.end:6.2f}  {word.label}")
    print(f"Wrote {args.output}")


def find(args: argparse.Namespace) -> SourceClip:
    if Path(args.clip).is_file():
        if not args.text:
            raise SystemExit("inspect_clip: give --text, what is said in the film.")
        return SourceClip(Path(args.clip).stem, "", "", Path(args.clip), args.text, args.language)
    if not args.data:
        raise SystemExit("inspect_clip: give --data, or set TEXT2LIP_DATA to the folder that holds grid/.")
    found = [clip for clip in grid_clips(args.data) if clip.name == args.clip]
    if not found:
        raise SystemExit(f"inspect_clip: no clip {args.clip!r} below {args.data}.")
    return found[0]


def draw(record: dict, path: str, every: int):
    """A strip of mouth crops above the curves of lip gap and mouth width, phones between them."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    crops = [np.asarray(Image.open(io.BytesIO(png))) for png in record["crops"][::every]]
    seconds = len(record["lips"]) / record["fps"]
    times = (np.arange(len(record["lips"])) + 0.5) / record["fps"]
    rows = 2
    half = -(-len(crops) // rows)
    crops += [np.full_like(crops[0], 255)] * (rows * half - len(crops))
    strip = np.concatenate([np.concatenate(crops[i * half : (i + 1) * half], 1) for i in range(rows)])
    figure, (above, below) = plt.subplots(2, 1, figsize=(20, 7), height_ratios=(1, 2), layout="constrained")
    above.imshow(strip, aspect="equal")
    above.axis("off")
    above.set_title(f"{record['name']}: {record['text']} (every {every} frames, row by row)")
    below.plot(times, lip_gap(record["lips"]), label="lip gap |13 - 14|")
    below.plot(times, lip_width(record["lips"]) - lip_width(record["lips"][:1]), label="mouth width, from frame 0")
    top = below.get_ylim()[1]
    for phone in record["phones"]:
        below.axvline(phone.start, color="0.85", linewidth=0.7)
        colour = "red" if phone.label in ("p", "b", "m") else "black"
        below.text((phone.start + phone.end) / 2, top, phone.label, ha="center", color=colour)
    below.set(xlabel="seconds", ylabel="outer-eye distances", xlim=(0, seconds))
    below.legend(loc="upper right", fontsize=8)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
