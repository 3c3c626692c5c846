"""Pictures from anywhere, as uint8 RGB."""

import io
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from text2lip.files import is_address


if TYPE_CHECKING:
    import torch


NEUTRAL_GREY = (128, 128, 128)
MAX_SIZE = 4096
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the size is checked here


class ImageError(ValueError):
    """A picture that can't be read, or has a form that can't be used."""


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
        image (`str`, `os.PathLike`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            A file, a PIL image, or an array `(height, width)`, `(height, width, 1)`, `(height, width, 3)` RGB or
            `(height, width, 4)` RGBA: uint8 in [0, 255], uint16 in [0, 65535] or float in [0, 1]. A tensor as those of
            diffusers, `(3, height, width)` or `(1, 3, height, width)`, with 1 or 4 channels too: float in [0, 1] or
            uint8; one of uint8 may be `(height, width, 3)` as well.
        max_size (`int`, *optional*, defaults to 4096):
            Longest side allowed, pixels; None for any.
        background (`tuple[int, int, int]`, *optional*, defaults to a middle grey):
            RGB in [0, 255] that shows where the picture is transparent.
        return_alpha (`bool`, *optional*, defaults to `False`):
            Also return the opacity.

    Returns:
        `np.ndarray` of shape `(height, width, 3)`: uint8 RGB, contiguous and the caller's own. With `return_alpha`, a
        tuple of it and the opacity, `(height, width)` uint8 with 255 = opaque, or None where the picture has none.

    Raises:
        ImageError: no such file, not a picture, damaged, too large, or an array of another shape, type or range.
    """
    if is_tensor(image):
        pixels = _from_array(_channels_last(image), max_size)
    elif isinstance(image, np.ndarray):
        pixels = _from_array(image, max_size)
    elif isinstance(image, Image.Image):
        pixels = _from_pil(image, max_size, "the PIL image")
    elif isinstance(image, (str, os.PathLike)):
        pixels = _from_file(image, max_size)
    else:
        raise ImageError(
            "`image` must be a path, a PIL image or an array (height, width, 3), or a tensor (3, height, width), got "
            f"{type(image).__name__}"
        )
    colour, alpha = pixels[..., :3], pixels[..., 3] if pixels.shape[2] == 4 else None
    if alpha is not None:
        opacity = alpha[..., None].astype(np.float32) / 255
        colour = (colour * opacity + np.float32(background) * (1 - opacity) + 0.5).astype(np.uint8)
    colour = np.array(colour, order="C")
    return (colour, None if alpha is None else alpha.copy()) if return_alpha else colour


def check_file(path: str | os.PathLike, name: str = "`image`") -> str | bytes:
    """`path` as the system takes it, if it is a file; `name` is that of the argument, for errors.

    Raises:
        ImageError: there is none, or it is an address in the network.
    """
    path = os.fspath(path)
    if os.path.isfile(path):
        return path
    if is_address(os.fsdecode(path)):
        raise ImageError(f"{name}: {path!r} is an address; download it first and give the file.")
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
        return _from_pil(opened, max_size, repr(name))


def _from_film(path: str | bytes, max_size: int | None) -> np.ndarray:
    """The first frame of a video."""
    from text2lip.media.video import read_frames

    try:
        frame = next(read_frames(os.fsdecode(path)))
    except ValueError as error:
        with open(path, "rb") as file:
            start = file.read(12)
        what = "not a picture in a format known here, or damaged"
        if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1"):
            what = "a HEIC picture, which can't be read here"
        raise ImageError(f"`image`: {path!r} is {what}; convert it to PNG or JPEG") from error
    _check_size(frame.shape[1], frame.shape[0], max_size, repr(path))
    return frame


def _from_pil(image: Image.Image, max_size: int | None, what: str) -> np.ndarray:
    """`(height, width, 3 or 4)` uint8; `what` names the picture in errors."""
    _check_size(image.width, image.height, max_size, what)
    try:
        # exif_transpose decodes the picture; struct and index errors come from damaged files.
        image = ImageOps.exif_transpose(image)
        return _to_rgb(image, what)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"`image`: {what} is damaged or cut short: {error}") from error


def _to_rgb(image: Image.Image, what: str) -> np.ndarray:
    """Pixels of any PIL mode as RGB or RGBA."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        low, high = float(values.min()), float(values.max())
        if image.mode == "F":
            return _from_array(values, None)
        if low < 0 or high > 65535:
            raise ImageError(f"`image`: {what} has values from {low:.0f} to {high:.0f}; save it with 8 or 16 bits")
        return _from_array(values.astype(np.uint16), None)
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        image = _to_srgb(image, profile)
    return np.asarray(image.convert("RGB"))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of an embedded profile as sRGB; a profile that does not fit the pixels is passed over."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image


def is_tensor(image: Any) -> bool:
    """Whether `image` is a `torch.Tensor`; loads no torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def _channels_last(tensor: "torch.Tensor") -> np.ndarray:
    """`(height, width, channels)` of a tensor of one picture."""
    shape = tuple(tensor.shape)
    if tensor.ndim == 4 and len(tensor) == 1:
        tensor = tensor[0]
    if tensor.ndim != 3:
        hint = "; several pictures are a film, give it to the pipeline" if tensor.ndim == 4 else ""
        raise ImageError(f"`image` must be a tensor (3, height, width) or (1, 3, height, width), got {shape}{hint}")
    first, last = tensor.shape[0] in (1, 3, 4), tensor.shape[2] in (1, 3, 4)
    if tensor.is_floating_point():
        if not first:
            hint = "; channels come first: image.permute(2, 0, 1)" if last else ""
            raise ImageError(f"`image` must be a tensor (3, height, width), got {shape}{hint}")
        tensor = tensor.float()
    elif first and last:
        raise ImageError(f"`image` is a tensor {shape}: it can't be seen which side is the channels; give an array")
    tensor = tensor.detach().cpu()
    return (tensor.permute(1, 2, 0) if first else tensor).numpy()


def _from_array(array: np.ndarray, max_size: int | None) -> np.ndarray:
    """`(height, width, 3 or 4)` uint8."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = ""
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; channels come last: image.transpose(1, 2, 0)"
        elif array.ndim == 4:
            hint = "; give one picture, or a list of them"
        raise ImageError(
            f"`image` must be an array (height, width), (height, width, 3) or (height, width, 4), got shape "
            f"{array.shape}{hint}"
        )
    _check_size(array.shape[1], array.shape[0], max_size, "the array")
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # also true for NaN
            raise ImageError(
                f"`image`: a float array must lie in [0, 1], got values from {low:.4g} to {high:.4g}; for [0, 255] "
                "give image.astype(np.uint8), for [-1, 1] give (image + 1) / 2"
            )
        array = (array * 255 + 0.5).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise ImageError(f"`image` must be a uint8, uint16 or float array, got {array.dtype}")
    return np.repeat(array, 3, 2) if array.shape[2] == 1 else array


def _check_size(width: int, height: int, max_size: int | None, what: str) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"`image`: {what} has no pixels ({width}x{height})")
    if max_size is not None and max(width, height) > max_size:
        scale = max_size / max(width, height)
        raise ImageError(
            f"`image`: {what} has {width}x{height} pixels, its longer side may be {max_size} at most (`max_size`); "
            f"make it smaller, for example {int(width * scale)}x{int(height * scale)}, or cut out the face"
        )
