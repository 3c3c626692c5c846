"""Files that a clip is made of, which none of its own files may replace."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from text2lip.exports.picture_files import PATTERN, where_pictures_go
from text2lip.files import is_folder_name


def files_among(values: Iterable[Any]) -> tuple[Path, ...]:
    """Those of `values` that are the path of an existing file, absolute."""
    paths = (value for value in values if isinstance(value, (str, os.PathLike)))
    return tuple(Path(os.path.abspath(path)) for path in paths if os.path.isfile(path))


def check_inputs_kept(path: str | Path, inputs: Iterable[Path], argument: str = "output") -> None:
    """Refuse to write over what a clip is made of; `argument` is what `path` was given as, for errors.

    Raises:
        ValueError: `path`, one of its numbered pictures or the sound beside a .glb is one of `inputs`.
    """
    for source in inputs:
        if any(os.path.exists(one) and os.path.samefile(one, source) for one in _written(path, source)):
            raise ValueError(
                f"{argument}: {os.fspath(path)!r} would replace the input {str(source)!r}; choose another name."
            )


def _written(path: str | Path, source: Path) -> Iterator[Path]:
    """What a file of that name replaces; of numbered pictures the one with the number in the name of `source`."""
    suffix = Path(path).suffix.lower()
    if not is_folder_name(path) and suffix != ".png":
        yield Path(path)
        if suffix == ".glb":
            yield Path(path).with_suffix(".wav")
        return
    folder, pattern = where_pictures_go(path)
    before, after = PATTERN.split(pattern)
    if number := re.fullmatch(f"{re.escape(before)}(\\d+){re.escape(after)}", source.name, re.ASCII):
        yield folder / (pattern % int(number[1]))
