"""How much of each viseme there is in each frame of a clip, as a table: Oculus' 15 or Azure's 22."""

import csv
import json
from pathlib import Path

import numpy as np

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import replaced_file
from text2lip.text.curves import viseme_weights
from text2lip.text.timing import Timeline


def viseme_table(
    clip: Clip, viseme_set: str = "oculus", fps: float | None = None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels of a viseme set and their weights in a clip, see [`viseme_weights`].

    Args:
        clip ([`Clip`]): its phones count.
        viseme_set (`str`): "oculus", "azure" or the user's, see [`VisemeTokenizer`].
        fps (`float`, *optional*): frames per second, the clip's by default.

    Returns:
        `tuple`: the labels, and float32 (frames, labels) in [0, 1]; every frame's weights sum to 1.
    """
    from text2lip.text.tokenizer import VisemeTokenizer

    fps = fps or clip.fps
    tokenizer = VisemeTokenizer(viseme_set=viseme_set)
    segments = tokenizer.segments(tokenizer(phones=Timeline.from_phones(clip.phones)))
    frames = max(1, int(clip.duration * fps + 0.5))
    return tuple(tokenizer.labels), viseme_weights(segments, tokenizer.labels, fps, frames)


def write_visemes(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write viseme weights of `clip`; returns the number of frames. The end of the name says which and how:
    .oculus.csv, .oculus.json, .azure.csv or .azure.json.

    CSV has a column `time`, the middle of the frame in seconds, and one for each label. JSON has `fps`, `labels` and
    `weights`, a row a frame.

    Raises:
        ValueError: the place can't be written to.
    """
    name, suffix = Path(path).name.lower().split(".")[-2:]
    labels, weights = viseme_table(clip, name)
    rows = [[round(float(weight), 5) for weight in row] for row in weights]
    with replaced_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        if suffix == "json":
            json.dump({"fps": clip.fps, "visemes": name, "labels": labels, "weights": rows}, file)
        else:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["time", *labels])
            table.writerows([f"{(frame + 0.5) / clip.fps:.4f}", *row] for frame, row in enumerate(rows))
    return clip.num_frames
