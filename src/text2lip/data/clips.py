"""Clips before preparation: a video, what is said in it, by whom; any plain folder of them, and AV Digits."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text2lip.files import inside


AVDIGITS_COLUMNS = ("clip", "speaker", "mode", "view", "text", "path")
AVDIGITS_MODES = ("normal", "whisper", "silent")


@dataclass(frozen=True)
class SourceClip:
    """One talking clip.

    Attributes:
        name (`str`): unique in its data set, without suffix; may hold "/".
        speaker (`str`): who talks.
        split (`str`): "train", "val", …, or "" where there are no splits.
        video (`Path`): the video file with its sound.
        text (`str`): what is said.
        language (`str`): language code of `text`.
        spoken (`str`, *optional*): the text as it is to be pronounced, word for word, where that differs.
        align (`Path`, *optional*): file with known word times (GRID's format).
    """

    name: str
    speaker: str
    split: str
    video: Path
    text: str
    language: str = "en-us"
    spoken: str | None = None
    align: Path | None = None


def folder_clips(root: str | Path, split: str | None = None) -> list[SourceClip]:
    """Clips of a plain folder with a `metadata.jsonl`, as `datasets` reads video folders.

    Every line is an object with `file_name` (relative to the folder) and `text`, and optionally `speaker`, `split`,
    `language`.

    Raises:
        ValueError: no `metadata.jsonl`, a line that can't be read, a field or a file that is missing, a file that
            is not below `root`.
    """
    table = Path(root) / "metadata.jsonl"
    if not table.exists():
        raise ValueError(f"root: no metadata.jsonl in {str(root)!r}; wants lines of JSON with file_name and text.")
    clips = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            file, _ = str(row["file_name"]), row["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"root: line {number} of {table} wants file_name and text ({error!r}).") from error
        clips.append(_listed(str(Path(file).with_suffix("")), file, row, table, f"root: line {number} of {table}"))
    return [clip for clip in clips if split in (None, clip.split)]


def avdigits_clips(
    table: str | Path, *, modes: tuple[str, ...] = ("normal",), views: tuple[str, ...] = ("frontal",)
) -> list[SourceClip]:
    """Clips of AV Digits (Petridis, Shen, Cetin, Pantic 2018): digits and phrases, said aloud, whispered, silently.

    The corpus is given out on request (https://ibug-avs.eu/), and no public source states its file layout; so its
    clips are listed by a table that whoever has the corpus writes, instead of by names guessed here.

    Args:
        table (`str` or `Path`): a CSV with the columns clip, speaker, mode, view, text, path, and optionally split,
            language; `path` is relative to its folder.
        modes (`tuple[str, ...]`): of "normal", "whisper", "silent", those that are wanted.
        views (`tuple[str, ...]`): values of `view` that are wanted, such as "frontal".

    Raises:
        ValueError: a missing column, an unknown mode, a file that is not there or not below its folder, or no clip of
            those modes and views.
    """
    table, clips = Path(table), []
    with open(table, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in AVDIGITS_COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            wanted = ", ".join(AVDIGITS_COLUMNS)
            raise ValueError(f"table: {table} has no column {missing[0]!r}; wants {wanted}.")
        for number, row in enumerate(reader, 2):
            where = f"table: line {number} of {table}"
            if row["mode"] not in AVDIGITS_MODES:
                raise ValueError(f"{where} has mode {row['mode']!r}; choose one of {AVDIGITS_MODES}.")
            clip = _listed(row["clip"], row["path"], row, table, where)
            if row["mode"] in modes and row["view"] in views:
                clips.append(clip)
    if not clips:
        raise ValueError(f"table: {table} has no clip of the modes {modes} and views {views}.")
    return clips


def _listed(name: str, file: str, row: Mapping[str, Any], table: Path, where: str) -> SourceClip:
    """The clip `name` of a row of `table`; its video `file` has to lie below the table's folder."""
    video = inside(table.parent, file, where, links=True)
    if not video.exists():
        raise ValueError(f"{where} names {file!r}, which is not there.")
    speaker, split = ("" if row.get(key) is None else str(row[key]) for key in ("speaker", "split"))
    return SourceClip(name, speaker, split, video, row["text"], row.get("language") or "en-us")
