"""ARKit weights as the CSV that Epic's app Live Link Face records."""

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import replaced_file


if TYPE_CHECKING:
    from text2lip.motion.blendshapes import BlendShapes


ROTATIONS = ("HeadYaw", "HeadPitch", "HeadRoll")
ROTATIONS += tuple(f"{eye}Eye{turn}" for eye in ("Left", "Right") for turn in ("Yaw", "Pitch", "Roll"))


def write_live_link(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the motion of `clip` as .csv; returns the number of frames.

    A row a frame: `Timecode` (hours:minutes:seconds:frame.thousandths of a frame, from 0), `BlendShapeCount` (61),
    the 52 weights, and nine turns in radians: yaw over 0 to the person's right, pitch over 0 down, roll over 0 to the
    person's left. Eyes so go with their weights in published recordings of the app, heads as in Unreal's plug-in.

    Raises:
        ValueError: the place can't be written to.
    """
    motion = clip.blendshapes
    with replaced_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        shapes = [name[0].upper() + name[1:] for name in motion.names]
        rows.writerow(["Timecode", "BlendShapeCount", *shapes, *ROTATIONS])
        values = np.concatenate([motion.weights, rotations(motion)], 1)
        for frame, row in enumerate(values.tolist()):
            told = (f"{round(value, 8) + 0.0:.8f}" for value in row)  # no -0
            rows.writerow([timecode(frame, motion.fps), len(row), *told])
    return clip.num_frames


def rotations(motion: "BlendShapes") -> np.ndarray:
    """Turns (frames, 9) of `ROTATIONS`, radians, with the signs of the app."""
    head = np.radians(motion.head) * (-1, -1, 1)
    eye = np.pad(-np.radians(motion.gaze), ((0, 0), (0, 1)))
    return np.concatenate([head, eye, eye], 1)


def timecode(frame: int, fps: float) -> str:
    """When a frame begins: "00:00:01:04.000" is the fifth picture of the second second.

    Where a second has no whole number of frames they drift within it, and the thousandths tell by how much.
    """
    seconds, rest = divmod(frame / fps + 1e-9, 1)
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    within = max(rest * fps, 0)
    whole = math.floor(within + 5e-4)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{whole:02}.{max(round((within - whole) * 1000), 0):03}"
