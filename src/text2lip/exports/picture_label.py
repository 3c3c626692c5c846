"""A line of text in a corner of every frame, for people who see a clip without its metadata."""

import math
import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np


if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

TEXT = "AI-generated"
HEIGHT, LEAST = 0.045, 11  # of the letters: in the picture's smaller side, and in pixels
LEGIBLE = 6  # pixels that can just be read, for a text that doesn't fit otherwise
SHADE = 0.55  # opacity of what is behind them


def labelled(frames: Iterable[np.ndarray], label: bool | str, scale: float = 1.0) -> Iterator[np.ndarray]:
    """`frames`, uint8 (height, width, 3 or 4), with `label`, or `TEXT` for True, at the lower left; new arrays.

    The letters are so large that they can be read once the frames have been resized by `scale`, and smaller where the
    text would not fit.

    Raises:
        ValueError: a text that is too long for the frames, or as [`letters_of`].
    """
    drawn = None
    for frame in frames:
        if drawn is None:
            size = max(math.ceil(LEAST / scale), round(HEIGHT * min(frame.shape[:2])))
            text = TEXT if label is True else " ".join(label.split())  # fonts lack the letters of other spaces
            drawn = _drawn(text, *frame.shape[:2], size)
            if isinstance(label, str) and drawn[2] * scale < LEGIBLE:
                raise ValueError(f"label: {label!r} is too long for pictures {frame.shape[1]} wide; shorten it.")
        light, share, _ = drawn
        height, width = share.shape[:2]
        frame = frame.copy()
        window = frame[frame.shape[0] - height :, :width]
        above = window[..., 3:] / 255 if frame.shape[2] == 4 else 1.0
        whole = share + above * (1 - share)
        window[..., :3] = np.rint((window[..., :3] * above * (1 - share) + light) / whole)
        if frame.shape[2] == 4:  # the label is seen beside the person too
            window[..., 3:] = np.rint(255 * whole)
        yield frame


def letters_of(text: str, size: int) -> "FreeTypeFont":
    """A font that has all letters of `text`: Pillow's own, of English alone, or the one that comes with matplotlib.

    Raises:
        ValueError: neither has them.
    """
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if lacking := _lacking(font, text):
        with suppress(ImportError):
            from matplotlib import get_data_path

            font = ImageFont.truetype(os.path.join(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)
            lacking = _lacking(font, text)
    if lacking:
        raise ValueError(
            f"label: there are no letters here for {lacking!r}; write it in English letters, or install matplotlib, "
            "whose font has those of most of Europe."
        )
    return font


def _lacking(font: "FreeTypeFont", text: str) -> str:
    """Those of `text` that the font draws as it does what is no character."""
    nothing = bytes(font.getmask("\uffff"))
    letters = (letter for letter in text if unicodedata.category(letter) != "Zs")  # spaces of all kinds
    return "".join(one for one in letters if not one.isprintable() or bytes(font.getmask(one)) == nothing)


def _drawn(text: str, height: int, width: int, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Of the label, for such frames: light in 0..255 times its share, and share in 0..1, both (rows, columns, 1), and
    the size of its letters, `size` or what there is room for."""
    from PIL import Image, ImageDraw

    while True:
        font, room = letters_of(text, size), round(size / 2)
        left, top, right, bottom = font.getbbox(text)
        if size == 1 or right - left + 2 * room <= width:
            break
        size = max(1, min(size - 1, int(size * width / (right - left + 2 * room))))
    shape = min(height, bottom - top + 2 * room), min(width, right - left + 2 * room)
    letters = Image.new("L", shape[::-1])
    ImageDraw.Draw(letters).text((room - left, room - top), text, fill=255, font=font)
    ink = np.asarray(letters, np.float32)[..., None]
    return ink, SHADE + (1 - SHADE) * ink / 255, size
