"""Files that a clip is made of, which none of its own files may replace."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from text2lip.exports.picture_files import PATTERN, where_pictures_go
from text2lip.files import is_folder_name


def inputs_of(asked: Any, *more: Any) -> tuple[Path, ...]:
    """The existing files, absolute, among what is asked of a clip.

    Args:
        asked: a [`~text2lip.pipelines.request.Text2LipRequest`] of one clip, or the command's options.
        more: other values that may be such a file.
    """
    faces = [speaker.face_index for speaker in dict(asked.speakers or {}).values()]
    values = [asked.image, asked.reference, asked.audio, asked.timings, asked.motion_plan, asked.face_index]
    listed = [one for value in values for one in (value if isinstance(value, (list, tuple)) else [value])]
    paths = (value for value in (*listed, *faces, *more) if isinstance(value, (str, os.PathLike)))
    return tuple(Path(os.path.abspath(path)) for path in paths if os.path.isfile(path))


def check_inputs_kept(path: str | Path, inputs: Iterable[Path], argument: str = "output") -> None:
    """Refuse to write over what a clip is made of; `argument` is what `path` was given as, for errors.

    Raises:
        ValueError: `path`, one of its numbered pictures or the sound beside a .glb is one of `inputs`.
    """
    pictures = where_pictures_go(path) if is_folder_name(path) or Path(path).suffix.lower() == ".png" else None
    files = [Path(path)] + [Path(path).with_suffix(".wav")] * (Path(path).suffix.lower() == ".glb")
    for source in inputs:
        written = _pictures_named(source, *pictures) if pictures else files
        if any(os.path.exists(one) and os.path.samefile(one, source) for one in written):
            raise ValueError(
                f"{argument}: {os.fspath(path)!r} would replace the input {str(source)!r}; choose another name."
            )


def _pictures_named(source: Path, folder: Path, pattern: str) -> list[Path]:
    """Of numbered pictures those with the number in the name of `source`, or of the file that it links to."""
    before, after = map(re.escape, PATTERN.split(pattern))
    names = (re.fullmatch(f"{before}(\\d+){after}", one.name, re.ASCII) for one in (source, source.resolve()))
    return [folder / (pattern % int(name[1])) for name in names if name]
