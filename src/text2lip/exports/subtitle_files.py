"""The words of a clip as SRT or WebVTT."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import replaced_file
from text2lip.speech.timings.subtitles import to_srt, to_vtt


def write_subtitles(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the words of `clip`; returns its number of frames. Errors as [`new_subtitles`]."""
    with new_subtitles(path, clip, "output"):
        return clip.num_frames


@contextmanager
def new_subtitles(path: str | Path, clip: Clip, argument: str = "subtitles") -> Iterator[None]:
    """An .srt or .vtt file of a clip's words that takes its name when what is done meanwhile has succeeded.

    Raises:
        ValueError: the place can't be written to.
    """
    text = to_srt if Path(path).suffix.lower() == ".srt" else to_vtt
    with replaced_file(path, argument) as temporary:
        temporary.write_text(text(clip.words, duration=clip.duration), encoding="utf-8")
        yield
