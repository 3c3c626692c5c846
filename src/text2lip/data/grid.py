"""The GRID audiovisual sentence corpus (Cooke, Barker, Cunningham, Shao 2006; CC BY 4.0)."""

import csv
from pathlib import Path

from text2lip.data.clips import SourceClip
from text2lip.text.timing import Segment


ALIGN_UNITS_PER_SECOND = 25000  # 1000 units are one frame of 25 fps
SLOTS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def sentence(code: str) -> str:
    """The six words that a GRID file name stands for: `bbaf2n` is "bin blue at f two now".

    Raises:
        ValueError: `code` is not six letters of the GRID grammar.
    """
    if len(code) != len(SLOTS) or any(letter not in slot for letter, slot in zip(code, SLOTS)):
        raise ValueError(f"code: {code!r} is no GRID file name; wants six letters such as 'bbaf2n'.")
    return " ".join(slot[letter] for letter, slot in zip(code, SLOTS))


def pronounced(text: str) -> str:
    """A GRID sentence as its talkers say it: letters by their names (not the article; espeak reads "ay" as aɪ)."""
    return " ".join("eigh" if word == "a" else word.upper() if len(word) == 1 else word for word in text.split())


def read_align(path: str | Path) -> list[Segment]:
    """Read the word times of a `.align` file, in seconds; `sil` and `sp` (pauses) are left out.

    Raises:
        ValueError: a line is not `start end word`.
    """
    words = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3 or not (fields[0].isdigit() and fields[1].isdigit()):
            raise ValueError(f"align: line {number} of {path} is {line!r}; wants 'start end word'.")
        if fields[2] not in ("sil", "sp"):
            words.append(
                Segment(fields[2], int(fields[0]) / ALIGN_UNITS_PER_SECOND, int(fields[1]) / ALIGN_UNITS_PER_SECOND)
            )
    return words


def grid_clips(root: str | Path, split: str | None = None) -> list[SourceClip]:
    """List the clips below `root/grid` (or `root` itself), in the order of `splits.tsv` where there is one.

    Without a `splits.tsv` (the corpus as published) every clip is listed with the split "".

    Args:
        root (`str` or `Path`): folder that holds `grid/` or the talkers' folders.
        split (`str`, *optional*): keep only this split.

    Raises:
        ValueError: no clip is found, or `split` is not among the splits.
    """
    root = Path(root)
    root = root / "grid" if (root / "grid").is_dir() else root
    videos = {}
    for path in sorted(root.glob("s*/video/**/*")):
        if path.suffix in (".mpg", ".mkv", ".mp4"):
            videos.setdefault(f"{path.relative_to(root).parts[0]}/{path.stem}", path)
    if not videos:
        raise ValueError(f"root: no GRID video below {str(root)!r}; wants s1/video/….mpg or .mkv.")
    splits = root / "splits.tsv"
    if splits.exists():
        with open(splits, newline="") as file:
            rows = [(row["clip"], row["split"]) for row in csv.DictReader(file, delimiter="\t")]
    else:
        rows = [(name, "") for name in videos]
    known = {name for _, name in rows}
    if split is not None and split not in known:
        raise ValueError(f"split: {split!r} is not among {sorted(known)}.")
    clips = []
    for name, part in rows:
        if name in videos and split in (None, part):
            speaker, code = name.split("/")
            talker = root / speaker
            places = [talker / "align" / f"{code}.align", root / "align" / f"{code}.align"]
            places.append(root / "align" / speaker / f"{code}.align")
            align = next((place for place in places if place.exists()), None)
            text = sentence(code.split("_")[0])
            clips.append(SourceClip(name, speaker, part, videos[name], text, "en-gb", pronounced(text), align))
    return clips
