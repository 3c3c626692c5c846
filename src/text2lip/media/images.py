"""Pictures from anywhere, as uint8 RGB."""

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from text2lip.files import is_address
from text2lip.media.pixels import NEUTRAL_GREY, ImageError, as_pixels, check_size, flatten, from_pil
from text2lip.media.video import read_frames


if TYPE_CHECKING:
    import torch


MAX_SIZE = 4096
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the size is checked here


def load_image(
    image: "str | os.PathLike | Image.Image | np.ndarray | torch.Tensor",
    *,
    max_size: int | None = MAX_SIZE,
    background: tuple[int, int, int] = NEUTRAL_GREY,
    return_alpha: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray | None]:
    """Read a picture and bring it into one form; its size stays, odd sides included.

    Turned as its EXIF tag says, 16 bits reduced to 8, palettes, grey, CMYK and colour profiles converted to sRGB,
    transparency laid over `background`. Of an animation or a film, the first picture.

    Args:
        image: a file, a PIL image, or an array `(height, width)`, `(height, width, 1)`, `(height, width, 3)` RGB or
            `(height, width, 4)` RGBA: uint8 in [0, 255], uint16 in [0, 65535] or float in [0, 1]. A tensor as those of
            diffusers, `(3, height, width)` or `(1, 3, height, width)`, with 1 or 4 channels too: float in [0, 1] or
            uint8; one of uint8 may be `(height, width, 3)` as well.
        max_size (`int`, *optional*): longest side allowed, pixels; None for any.
        background (`tuple[int, int, int]`): RGB in [0, 255] that shows where the picture is transparent.
        return_alpha (`bool`): also return the opacity.

    Returns:
        `np.ndarray` of shape `(height, width, 3)`: uint8 RGB, contiguous and the caller's own. With `return_alpha`, a
        tuple of it and the opacity, `(height, width)` uint8 with 255 = opaque, or None where the picture has none.

    Raises:
        ImageError: no such file, not a picture, damaged, too large, or an array of another shape, type or range.
    """
    is_file = isinstance(image, (str, os.PathLike))
    pixels = _from_file(image, max_size) if is_file else as_pixels(image, max_size)
    colour, alpha = flatten(pixels, background)
    return (colour, alpha) if return_alpha else colour


def check_file(path: str | os.PathLike, name: str = "`image`") -> str | bytes:
    """`path` as the system takes it; an ImageError, with the `name` of the argument, if there is no file."""
    path = os.fspath(path)
    if os.path.isfile(path):
        return path
    if is_address(os.fsdecode(path)):
        raise ImageError(f"{name}: {path!r} is an address; download it first and give the file.")
    if os.path.isdir(path):
        raise ImageError(f"{name}: {path!r} is a folder; give a file.")
    raise ImageError(f"{name}: no file at {path!r}; check the name.")


def _from_file(path: str | os.PathLike, max_size: int | None) -> np.ndarray:
    name = check_file(path)
    try:
        opened = Image.open(name)
    except UnidentifiedImageError:
        return _from_film(name, max_size)
    except Image.DecompressionBombError as error:
        raise ImageError(f"`image`: {name!r} is too large: {error}") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"`image`: {name!r} can't be read: {error}") from error
    with opened:
        return from_pil(opened, max_size, repr(name))


def _from_film(path: str | bytes, max_size: int | None) -> np.ndarray:
    """The first frame of a video."""
    try:
        frame = next(read_frames(os.fsdecode(path)))
    except ValueError as error:
        with open(path, "rb") as file:
            start = file.read(12)
        what = "not a picture in a format known here, or damaged"
        if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1"):
            what = "a HEIC picture, which can't be read here"
        raise ImageError(f"`image`: {path!r} is {what}; convert it to PNG or JPEG") from error
    check_size(frame.shape[1], frame.shape[0], max_size, repr(path))
    return frame
