"""Let pairs of portraits talk with each other: a sheet of what it looks like, and how still the one who listens is.

python examples/dialogue_sheet.py $TEXT2LIP_DATA/portraits/portrait_0[0-7].jpg --output dialogue.jpg

Two pictures after each other are put side by side. Both speak in turn; columns are moments of these turns. Gaps are
measured on the rendered frames by the face mesh: the widest distance of the inner lips, in distances of the outer eye
corners, in a face's own turn and in the other's. Changes are those from one frame to the next in the listener's half,
the largest of any pixel, in grey levels. From 0.5 s after a turn to 0.7 s before the next one a face should be still.
"""

import argparse

import cv2
import numpy as np
from contact_sheet import label_font
from PIL import Image, ImageDraw

from text2lip import Speaker, Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import canonical_lips, lip_gap
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.training.settings import errors_in_one_line


DIALOGUE = (("Ann", "Wow, my baby. Are you all right?"), ("Bob", "Far out, Mom. I am all right."))
AFTER, BEFORE = 0.5, 0.7  # seconds in which a mouth closes, and opens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", default=[str(builtin_portrait())] * 2, help="two for each dialogue")
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--output", default="dialogue.jpg")
    parser.add_argument("--voices", nargs=2, default=["espeak", "espeak+m3"])
    parser.add_argument("--renderer", default="auto", choices=("auto", "geometric", "learned", "echomimic"))
    parser.add_argument("--life", type=float, default=0.0)
    parser.add_argument("--columns", type=int, default=6, help="moments of a row, evenly spread over the turns")
    parser.add_argument("--size", type=int, default=512, help="pixels of the height that pictures are brought to")
    args = parser.parse_args()
    if len(args.images) % 2:
        raise ValueError(f"images: got {len(args.images)}; give two for each dialogue.")
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    print("| pair | gap, own turn | gap, listening | change, own turn | change, listening |\n" + "| --- " * 5 + "|")
    rows = [make_row(pipe, args, number) for number in range(len(args.images) // 2)]
    sheet = Image.fromarray(np.concatenate(rows, 0))
    sheet.save(args.output, quality=85, optimize=True)
    print(f"Wrote {args.output}: {sheet.width} x {sheet.height}.")


def make_row(pipe: Text2LipPipeline, args: argparse.Namespace, number: int) -> np.ndarray:
    """One dialogue: a line of the table, and a row of the sheet."""
    halves = [load_image(path) for path in args.images[2 * number : 2 * number + 2]]
    halves[1] = halves[1][:, ::-1]  # they turn to each other, and one picture given twice is two
    widths = [round(half.shape[1] * args.size / half.shape[0]) for half in halves]
    halves = [
        cv2.resize(half, (width, args.size), interpolation=cv2.INTER_AREA) for half, width in zip(halves, widths)
    ]
    parts = [slice(0, widths[0]), slice(widths[0], sum(widths))]
    names = [name for name, _ in DIALOGUE]
    speakers = {
        name: Speaker(voice, (part.start, 0, part.stop, args.size))
        for name, voice, part in zip(names, args.voices, parts)
    }
    source = np.concatenate(halves, 1)
    stream = pipe.stream(DIALOGUE, source, speakers=speakers, renderer=args.renderer, life=args.life)
    frames = np.stack(list(stream))
    own, others, moved, still = [], [], [], []
    for turn, part in zip(stream.turns, parts):
        times = (np.arange(len(frames)) + 0.5) / stream.fps
        gaps = measured_gaps(pipe, frames[:, :, part])
        speaks = (times > turn.start) & (times < turn.end)
        listens = (times > turn.end + AFTER) | (times < turn.start - BEFORE)
        change = np.abs(np.diff(frames[:, :, part].astype(np.int16), axis=0)).max((1, 2, 3))
        own.append(gaps[speaks].max())
        others.append(gaps[listens].max())
        moved.append(change[speaks[1:]].max())
        still.append(change[listens[1:] & listens[:-1]].max())
    figures = [f"{min(own):.3f}", f"{max(others):.3f}", f"{min(moved)}", f"{max(still)}"]
    print(f"| {number + 1} | " + " | ".join(figures) + " |", flush=True)
    turns = np.linspace(stream.turns[0].start, stream.turns[-1].end, args.columns) * stream.fps
    return np.concatenate([labelled(source, "source")] + [labelled(frames[int(i)], who(stream, i)) for i in turns], 1)


def measured_gaps(pipe: Text2LipPipeline, frames: np.ndarray) -> np.ndarray:
    """Lip gaps (frames,) that the face mesh sees in frames with one face."""
    seen, _ = pipe.face_landmarker.track([np.ascontiguousarray(frame) for frame in frames])
    return lip_gap(canonical_lips(np.stack([to_pixels(face, *frames.shape[1:3]) for face in seen])))


def who(stream, frame: float) -> str:
    time = frame / stream.fps
    return next((turn.speaker for turn in stream.turns if turn.start <= time <= turn.end), "-")


def labelled(frame: np.ndarray, text: str, width: int = 320) -> np.ndarray:
    picture = Image.fromarray(frame)
    picture = picture.resize((width, round(width * picture.height / picture.width)), Image.LANCZOS)
    cell = Image.new("RGB", (width, picture.height + 14), "white")
    cell.paste(picture, (0, 0))
    ImageDraw.Draw(cell).text((4, picture.height), text, fill="black", font=label_font())
    return np.asarray(cell)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
