"""Clips before preparation: a video, what is said in it, by whom; and any plain folder of them."""

import json
from dataclasses import dataclass
from pathlib import Path

from text2lip.files import inside


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
    root = Path(root)
    table = root / "metadata.jsonl"
    if not table.exists():
        raise ValueError(f"root: no metadata.jsonl in {str(root)!r}; wants lines of JSON with file_name and text.")
    clips = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, text = str(row["file_name"]), row["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"root: line {number} of {table} wants file_name and text ({error!r}).") from error
        video = inside(root, name, f"root: line {number} of {table}", links=True)
        if not video.exists():
            raise ValueError(f"root: line {number} of {table} names {name!r}, which is not there.")
        clip = SourceClip(
            name=str(Path(name).with_suffix("")),
            speaker=str(row.get("speaker", "")),
            split=str(row.get("split", "")),
            video=video,
            text=text,
            language=row.get("language", "en-us"),
        )
        if split in (None, clip.split):
            clips.append(clip)
    return clips
