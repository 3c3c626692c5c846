"""A clip as numbered PNG files, for programs that put pictures together."""

import os
import re
import tempfile
from pathlib import Path

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import check_place, is_folder_name


PATTERN = re.compile(r"%0?\d*d")
NUMBERED = "%04d.png"
COMPRESSION = 3  # of 9: twice as fast as the usual 6, and a twentieth larger


def write_pictures(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the frames of `clip` as PNG, numbered from 0: "out/face_%04d.png", or a folder, "out/", for 0000.png and
    so on; returns how many. They get their names when all are there.

    Raises:
        ValueError: the name has no place for a number, the folder isn't there, can't be written to, or holds a picture
            that would follow the last one as if it were of this clip.
    """
    from PIL import Image, PngImagePlugin

    folder, pattern = where_pictures_go(path)
    if os.path.exists(next_one := folder / (pattern % clip.num_frames)):
        raise ValueError(
            f"output: {str(next_one)!r} is there of a longer clip and would follow this one; remove the old pictures "
            "or choose another folder."
        )
    beside = folder if folder.is_dir() else folder.parent
    with tempfile.TemporaryDirectory(prefix=".text2lip-", dir=beside) as made:
        count = 0
        for frame in clip.frames:
            info = PngImagePlugin.PngInfo()
            if options.mark:
                info.add_text("Comment", clip.origin.statement)
                info.add_itxt("XML:com.adobe.xmp", clip.origin.xmp().decode())
            picture = Image.fromarray(frame)
            picture.save(os.path.join(made, pattern % count), pnginfo=info, compress_level=COMPRESSION)
            count += 1
        folder.mkdir(exist_ok=True)
        for number in range(count):
            os.replace(os.path.join(made, pattern % number), folder / (pattern % number))
    return count


def where_pictures_go(path: str | Path) -> tuple[Path, str]:
    """Folder and pattern of the names.

    Raises:
        ValueError: as [`write_pictures`].
    """
    if is_folder_name(path):
        folder, pattern = Path(path).resolve(), NUMBERED  # a link may lead to another disk
        inside = folder if os.path.exists(folder) else folder.parent
        if inside == folder and not folder.is_dir():
            raise ValueError(f"output: {os.fspath(path)!r} is a file; name a folder.")
    else:
        folder, pattern = Path(path).parent, Path(path).name
        inside = folder
        places = len(PATTERN.findall(pattern))
        if places != 1 or pattern.count("%") != 1:
            told = f"{places} places" if places > 1 else "no place" if places == 0 else "another % beside its place"
            raise ValueError(
                f"output: {str(path)!r} has {told} for a number; write e.g. 'face_%04d.png', or a folder: 'faces/'."
            )
    if not inside.is_dir():
        raise ValueError(
            f"output: no folder to write {os.fspath(path)!r} into; make it first or choose another place."
        )
    check_place(inside / ".text2lip-place")
    return folder, pattern
