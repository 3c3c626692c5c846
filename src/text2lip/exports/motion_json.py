"""The motion of a clip as JSON: weights under the names that NVIDIA's Audio2Face gives them, and what is said when."""

import json
from pathlib import Path

from text2lip.exports.clip import Clip, SaveOptions, mark_of
from text2lip.files import replaced_file


TURNS = ("yaw", "pitch", "roll")


def write_motion_json(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the motion of `clip` as .json; returns the number of frames.

    `exportFps`, `numFrames`, `numPoses`, `facsNames` (52, of ARKit) and `weightMat` (a row a frame) are those of
    Audio2Face's files. Beside them: `head` and `gaze` (degrees, as [`BlendShapes`]), a list a turn; and `words`,
    `phones` and `visemes`, lists of [label, start, end] in seconds.

    Raises:
        ValueError: the place can't be written to.
    """
    motion = clip.blendshapes
    head, gaze = ([[round(float(v), 3) for v in turn] for turn in turns.T] for turns in (motion.head, motion.gaze))
    told = {
        "exportFps": motion.fps,
        "numFrames": len(motion),
        "numPoses": len(motion.names),
        "facsNames": list(motion.names),
        "head": dict(zip(TURNS, head)),
        "gaze": dict(zip(TURNS, gaze)),
    }
    for name in ("words", "phones", "visemes"):
        told[name] = [[one[0], round(one[1], 4), round(one[2], 4)] for one in getattr(clip, name) or ()]
    told |= mark_of(clip, options)
    rows = ",\n".join(json.dumps([round(float(weight), 5) for weight in row]) for row in motion.weights)
    text = json.dumps(told, ensure_ascii=False)[:-1] + f', "weightMat": [\n{rows}\n]}}\n'
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return clip.num_frames
