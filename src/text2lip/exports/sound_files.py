"""The sound of a clip alone."""

import hashlib
import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.container_marks import read_marks
from text2lip.exports.gltf import extras_of
from text2lip.exports.provenance import Origin
from text2lip.files import replaced_file
from text2lip.media.video_writer import LAYOUTS


SOUND_DIGEST = "soundSHA256"  # in the extras of a .glb, of the sound that was written beside it


def write_sound(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the sound of `clip`, which has some, as 16-bit WAV at its own rate; returns the clip's number of frames.

    Raises:
        ValueError: the place can't be written to.
    """
    import av

    sound = np.atleast_2d(clip.audio)
    layout, rate = LAYOUTS[len(sound) - 1], clip.sampling_rate
    with replaced_file(path) as temporary, av.open(str(temporary), "w") as container:
        if options.mark:
            container.metadata["comment"] = clip.origin.statement
        stream = container.add_stream("pcm_s16le", rate=rate)
        stream.layout = layout
        for start in range(0, sound.shape[1], rate):
            block = np.rint(np.clip(sound[:, start : start + rate], -1, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block.T.reshape(1, -1), format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return clip.num_frames


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sound_beside(path: str | Path, argument: str = "output") -> Path:
    """Where the sound of the .glb `path` goes; `argument` is what that was given as, for errors.

    Raises:
        ValueError: a file lies there that doesn't say that this library made it, nor does the .glb say so:
            perhaps a recording.
    """
    sound = Path(path).with_suffix(".wav")
    if os.path.exists(sound):
        try:
            ours = Origin.is_stated(read_marks(sound).get("comment", ""))
            ours = ours or extras_of(path).get(SOUND_DIGEST) == digest_of(sound)
        except (OSError, ValueError):
            ours = False
        if not ours:
            raise ValueError(
                f"{argument}: the sound of {str(path)!r} would replace {sound.name!r}, which has no mark of text2lip; "
                "choose another name, or remove that file first."
            )
    return sound
