"""A line of text in a corner of every frame, for people who see a clip without its metadata."""

from collections.abc import Iterable, Iterator

import numpy as np


TEXT = "AI-generated"
HEIGHT, LEAST = 0.045, 11  # of the letters: in the picture's smaller side, and in pixels
SHADE = 0.55  # opacity of what is behind them


def labelled(frames: Iterable[np.ndarray], label: bool | str) -> Iterator[np.ndarray]:
    """`frames`, uint8 (height, width, 3 or 4), with `label`, or `TEXT` for True, at the lower left; new arrays."""
    drawn = None
    for frame in frames:
        if drawn is None:
            drawn = _drawn(TEXT if label is True else label, *frame.shape[:2])
        light, share = drawn
        height, width = share.shape[:2]
        frame = frame.copy()
        window = frame[frame.shape[0] - height :, :width]
        above = window[..., 3:] / 255 if frame.shape[2] == 4 else 1.0
        whole = share + above * (1 - share)
        window[..., :3] = np.rint((window[..., :3] * above * (1 - share) + light) / whole)
        if frame.shape[2] == 4:  # the label is seen beside the person too
            window[..., 3:] = np.rint(255 * whole)
        yield frame


def _drawn(text: str, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the label, for such frames: light in 0..255 times its share, and share in 0..1, both (rows, columns, 1)."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(LEAST, round(HEIGHT * min(height, width)))
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    room = round(size / 2)
    shape = min(height, bottom - top + 2 * room), min(width, right - left + 2 * room)
    letters = Image.new("L", shape[::-1])
    ImageDraw.Draw(letters).text((room - left, room - top), text, fill=255, font=font)
    ink = np.asarray(letters, np.float32)[..., None]
    return ink, SHADE + (1 - SHADE) * ink / 255
