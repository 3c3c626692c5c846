"""A decoded frame as players show it: upright, with square pixels, in the colours of an ordinary screen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from text2lip.media.color import UNKNOWN, needs_conversion, to_standard
from text2lip.media.pixels import as_pixels, flatten


BT709 = 1  # matrix coefficients as ISO/IEC 23091-2 numbers them
COMB = 150  # product of the differences from both neighbours


@dataclass(frozen=True)
class Shown:
    """A frame of a film before it is turned into RGB.

    Attributes:
        seconds (`float`): when it is shown, after the film's beginning.
        lasts (`float`): how many seconds, 0 if the file doesn't say.
        frame: `av.VideoFrame` or `PIL.Image.Image`.
        ratio (`Fraction`): a pixel's width over its height.
    """

    seconds: float
    lasts: float
    frame: Any
    ratio: Fraction = Fraction(1)


def at_rate(frames: Iterable[Shown], fps: float, start: int = 0) -> Iterator[Shown]:
    """Which frame a film shows at (i + 1/2) / fps seconds, for every whole number i from `start` to its end.

    Frames are in order, the first shown at that moment or earlier; if it is the film's first, it also stands before
    its time.
    """
    number, shown, lasts = start, None, 1 / fps
    for after in frames:
        while shown is not None and (number + 0.5) / fps < after.seconds:
            yield shown
            number += 1
        lasts = lasts if shown is None else after.seconds - shown.seconds
        shown = after
    while shown is not None and (number + 0.5) / fps < shown.seconds + (shown.lasts or lasts):
        yield shown
        number += 1


def to_rgb(shown: Shown) -> np.ndarray:
    """The picture as uint8 (height, width, 3) RGB, contiguous."""
    if isinstance(shown.frame, Image.Image):
        return flatten(as_pixels(shown.frame))[0]
    picture = _colors(shown.frame)
    picture = square(deinterlace(picture) if shown.frame.interlaced_frame else picture, shown.ratio)
    try:
        matrix = shown.frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # beside a kind of data that this PyAV can't name, such as EXIF
        return np.ascontiguousarray(np.rot90(picture, round(shown.frame.rotation / 90)))
    return picture if matrix is None else upright(picture, np.frombuffer(bytes(matrix), np.int32))


def _colors(frame: Any) -> np.ndarray:
    transfer, primaries = int(frame.color_trc), int(frame.color_primaries)
    if int(frame.colorspace) in UNKNOWN and not frame.format.is_rgb and (frame.width >= 1280 or frame.height > 576):
        frame.colorspace = BT709  # what players take for high definition
    if any(component.is_alpha for component in frame.format.components):
        return flatten(as_pixels(frame.to_ndarray(format="rgba")))[0]
    if needs_conversion(transfer, primaries):
        return to_standard(frame.to_ndarray(format="rgb48le"), transfer, primaries)
    return frame.to_ndarray(format="rgb24")


def deinterlace(picture: np.ndarray) -> np.ndarray:
    """Replace what the second field of a picture (height, width, 3) shows elsewhere than the first.

    Where a line of it lies outside of its two neighbours, and not by a little, the picture has moved in between and
    shows a comb: the mean of the neighbours is put there. The rest keeps its full height.
    """
    import cv2

    if len(picture) < 2:
        return picture
    above, own = picture[0:-1:2].astype(np.int16), picture[1::2].astype(np.int16)
    below = np.concatenate([above[1:], picture[2::2][-1:] if len(picture) % 2 else above[-1:]])[: len(own)]
    comb = ((own - above) * (own - below).astype(np.int32) > COMB).any(-1).astype(np.uint8)
    comb = cv2.dilate(comb, np.ones((3, 5), np.uint8))[..., None]
    whole = picture.copy()
    whole[1::2] = np.where(comb, (above + below + 1) // 2, own)
    return whole


def square(picture: np.ndarray, ratio: Fraction) -> np.ndarray:
    """Resize a picture (height, width, 3) whose pixels have the width over height `ratio` to square ones; it grows."""
    import cv2

    height, width = picture.shape[:2]
    size = round(width * max(ratio, 1)), round(height / min(ratio, 1))
    return picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)


def upright(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turn and mirror a picture (height, width, 3) as a display matrix (9,) says: the nearest of the eight ways.

    ISO/IEC 14496-12 section 6.2.2: x' = a x + c y, y' = b x + d y with a, b, c, d at 0, 1, 3, 4.
    """
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def fit(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bring a picture into a size: as large as it goes, in the middle, black around; for films that change theirs."""
    import cv2

    if picture.shape[:2] == (height, width):
        return picture
    scale = min(height / picture.shape[0], width / picture.shape[1])
    rows, columns = (max(1, min(side, round(scale * own))) for side, own in zip((height, width), picture.shape))
    top, left = (height - rows) // 2, (width - columns) // 2
    whole = np.zeros((height, width, 3), np.uint8)
    resized = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    whole[top : top + rows, left : left + columns] = resized
    return whole
