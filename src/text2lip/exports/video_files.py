"""A clip as a video with its sound."""

from pathlib import Path

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.media.video_writer import write_video


def write_film(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write frames and sound of `clip` ; returns the number of frames. Errors as [`write_video`]."""
    return write_video(
        path,
        clip.frames,
        fps=clip.fps,
        audio=clip.audio,
        sampling_rate=clip.sampling_rate,
        crf=options.crf,
        codec=options.codec,
        metadata={"comment": clip.origin.statement} if options.mark else None,
    )
