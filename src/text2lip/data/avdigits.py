"""AV Digits (Petridis, Shen, Cetin, Pantic 2018): digits and phrases, said aloud, whispered and silently.

The corpus is given out on request (https://ibug-avs.eu/), and no public source states its file layout; so its clips
are listed by a table that whoever has the corpus writes, instead of by names guessed here.
"""

import csv
from pathlib import Path

from text2lip.data.clips import SourceClip
from text2lip.files import inside


COLUMNS = ("clip", "speaker", "mode", "view", "text", "path")
MODES = ("normal", "whisper", "silent")


def avdigits_clips(
    table: str | Path, *, modes: tuple[str, ...] = ("normal",), views: tuple[str, ...] = ("frontal",)
) -> list[SourceClip]:
    """Clips of AV Digits from a CSV table with the columns clip, speaker, mode, view, text, path.

    Args:
        table (`str` or `Path`): the CSV; `path` is relative to its folder. Optional columns: split, language.
        modes (`tuple[str, ...]`): of "normal", "whisper", "silent", those that are wanted.
        views (`tuple[str, ...]`): values of `view` that are wanted, such as "frontal".

    Raises:
        ValueError: a missing column, an unknown mode, a file that is not there or not below its folder, or no clip of
            those modes and views.
    """
    table = Path(table)
    with open(table, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"table: {table} has no column {missing[0]!r}; wants {', '.join(COLUMNS)}.")
        rows = list(reader)
    clips = []
    for number, row in enumerate(rows, 2):
        if row["mode"] not in MODES:
            raise ValueError(f"table: line {number} of {table} has mode {row['mode']!r}; choose one of {MODES}.")
        video = inside(table.parent, row["path"], f"table: line {number} of {table}", links=True)
        if not video.exists():
            raise ValueError(f"table: line {number} of {table} names {row['path']!r}, which is not there.")
        if row["mode"] in modes and row["view"] in views:
            clips.append(
                SourceClip(
                    name=row["clip"],
                    speaker=row["speaker"],
                    split=row.get("split") or "",
                    video=video,
                    text=row["text"],
                    language=row.get("language") or "en-us",
                )
            )
    if not clips:
        raise ValueError(f"table: {table} has no clip of the modes {modes} and views {views}.")
    return clips
