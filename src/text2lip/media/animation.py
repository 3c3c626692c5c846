"""Animated pictures (GIF, WebP, PNG, AVIF) as films."""

import os
import warnings
from collections.abc import Iterator

from text2lip.files import once_per_file
from text2lip.media.decoded import Shown


FORMATS = ("GIF", "WEBP", "PNG", "AVIF")  # the pages of others are no animation
UNSURE = ("MPEG", "TGA")  # films that are named but not read, and pictures that begin as other files may
SHORTEST, DEFAULT = 0.011, 0.1  # seconds; browsers show a shorter picture for the default time
# once for all, as filters belong to the whole process; by its words, as PIL is loaded late
warnings.filterwarnings("ignore", "Image size .* could be decompression bomb", RuntimeWarning)


@once_per_file
def pictures_in(path: str | os.PathLike) -> int | None:
    """How many pictures a picture file shows one after another, 1 for a still one; None if it is no picture."""
    from PIL import Image

    if not os.path.isfile(path):  # a pipe would be waited for
        return None
    try:
        with Image.open(path) as image:
            if image.format in UNSURE:
                return None
            return getattr(image, "n_frames", 1) if image.format in FORMATS else 1
    except Image.DecompressionBombError:
        return 1
    except (OSError, SyntaxError, ValueError):
        return None


def animation_frames(path: str | os.PathLike, name: str = "video") -> Iterator[Shown]:
    """Yield the pictures of an animation with their times; a ValueError, with the `name` of the argument, if it is
    damaged."""
    from PIL import Image

    seconds = 0.0
    try:
        with Image.open(path) as image:
            # PNG may hold a picture for programs that know no animation, before the first
            for number in range(int(getattr(image, "default_image", False)), image.n_frames):
                image.seek(number)
                image.load()
                lasts = float(image.info.get("duration") or 0) / 1000
                lasts = DEFAULT if lasts < SHORTEST else lasts
                yield Shown(seconds, lasts, image.copy())
                seconds += lasts
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(
            f"{name}: {os.fspath(path)!r} is damaged or cut short ({error}); give a whole file."
        ) from error
