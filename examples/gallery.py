"""Draw the gallery of the documentation: people who never were, each saying one sentence, at telling moments.

python examples/gallery.py $TEXT2LIP_DATA/portraits/portrait_{30,33,38}.jpg --output docs/source/en/imgs/gallery.jpg

python examples/gallery.py $TEXT2LIP_DATA/portraits/portrait_{30,33,38}.jpg --feelings --output feelings.jpg

The built-in portrait comes first. `--feelings` shows an open vowel with each of them. Give pictures of nobody
(rendered, or drawn by a model), or of people who agreed.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from contact_sheet import label_font
from PIL import Image, ImageDraw

from text2lip import Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.geometry import to_pixels
from text2lip.media.images import load_image
from text2lip.motion.feelings import UNITS_OF, feeling_channels
from text2lip.motion.motion_plan import CHANNELS
from text2lip.training.settings import errors_in_one_line


TEXT = "Is it *you*? [happy 0.5] My father found five new shoes!"
LABEL = 16  # pixels of the line of names


def phone(letters: str) -> Callable:
    """Finds the frame within a phone that begins with one of these letters, best in its middle and with open eyes."""

    def frame(result) -> int:
        blink = result.motion_plan[0]["eyeBlinkLeft"]
        costs = {}
        for part in result.phones[0]:
            if part.label.lstrip("ˈˌ")[:1] in tuple(letters):
                middle = (part.start + part.end) / 2 * result.fps
                for index in range(int(part.start * result.fps), min(int(part.end * result.fps) + 1, len(blink))):
                    costs[index] = 10 * blink[index] + abs(index + 0.5 - middle)
        return min(costs, key=costs.get)

    return frame


def most(*channels: str, but: str | None = "eyeBlinkLeft") -> Callable:
    """Finds the frame in which these channels of the motion plan are largest, of either sign, and `but` nearly 0."""

    def frame(result) -> int:
        plan = result.motion_plan[0]
        size = sum(np.abs(plan[name]) for name in channels)
        return int(np.argmax(size * (plan[but] < 0.1) if but else size))

    return frame


MOMENTS = {
    "/m/": phone("m"),
    "/ɑː/": phone("ɑ"),
    "/uː/": phone("u"),
    "/f/": phone("f"),
    "asks": most("browInnerUp", "browOuterUpLeft"),
    "turns": most("headYaw", "headRoll"),
    "blinks": most("eyeBlinkLeft", but=None),
    "smiles": most("mouthSmileLeft", "cheekSquintLeft"),
}
FEELINGS = ("neutral", *UNITS_OF)
VOWEL = [("", 0.0, 0.3), ("ɛ", 0.3, 0.9)]  # seconds
FIRST = 11  # frame of the vowel that has the first feeling


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", help="portraits to show below the built-in one")
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--text", default=TEXT, help="asks, and has m, ɑ, u and f in it")
    parser.add_argument("--language", default="en-us")
    parser.add_argument("--life", type=float, default=1.0)
    parser.add_argument("--feelings", action="store_true", help="show these instead of moments")
    parser.add_argument("--size", type=int, default=128, help="pixels of one face")
    parser.add_argument("--output", default="gallery.jpg")
    args = parser.parse_args()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    columns = FEELINGS if args.feelings else MOMENTS
    rows = [names(args.size, columns)]
    for path in (builtin_portrait(), *args.images):
        image = Image.fromarray(load_image(path))
        image.thumbnail((512, 512))  # twice what is shown
        rows.append(row(pipe, np.asarray(image), args))
        print(f"{Path(path).name}: done.", flush=True)
    sheet = Image.fromarray(np.concatenate(rows))
    sheet.save(args.output, quality=85)
    print(f"Wrote {args.output}: {len(rows) - 1} faces.")


def names(size: int, columns: Iterable[str]) -> np.ndarray:
    """The line above the faces: (LABEL, width, 3) uint8."""
    told = ("portrait", *columns)
    line = Image.new("RGB", (len(told) * size, LABEL), "white")
    for column, name in enumerate(told):
        ImageDraw.Draw(line).text((column * size + 4, 1), name, fill="black", font=label_font())
    return np.asarray(line)


def row(pipe: Text2LipPipeline, image: np.ndarray, args) -> np.ndarray:
    """The portrait and the moments of one person, cut to the head: (size, width, 3) uint8."""
    if args.feelings:
        plan = np.zeros((FIRST + len(FEELINGS) + 2, len(CHANNELS)), np.float32)
        plan[FIRST + 1 : -2] = [feeling_channels({name: 1.0}) for name in UNITS_OF]
        asked = {"timings": VOWEL, "voice": None, "num_frames": len(plan), "motion_plan": plan, "language": "en-us"}
        result = pipe(None, image, output_type="np", **asked)
        moments = range(FIRST, FIRST + len(FEELINGS))
    else:
        result = pipe(args.text, image, language=args.language, life=args.life, output_type="np")
        moments = [find(result) for find in MOMENTS.values()]
    points = to_pixels(result.landmarks[0][0], *image.shape[:2])
    low, high = points.min(0), points.max(0)
    side = min(1.75 * (high - low).max(), *image.shape[:2])
    left, top = np.clip((low + high) / 2 - side * np.array([0.5, 0.6]), 0, np.array(image.shape[1::-1]) - side)
    box = tuple(np.round([left, top, left + side, top + side]).astype(int))
    frames = [image, *((result.frames[0][moment] * 255).round().astype(np.uint8) for moment in moments)]
    faces = [Image.fromarray(frame).crop(box) for frame in frames]
    return np.concatenate([np.asarray(face.resize((args.size, args.size), Image.LANCZOS)) for face in faces], 1)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
