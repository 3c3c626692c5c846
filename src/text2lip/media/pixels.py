"""Pictures in memory, of any kind, as uint8 RGB."""

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms, ImageOps


if TYPE_CHECKING:
    import torch


NEUTRAL_GREY = (128, 128, 128)


class ImageError(ValueError):
    """A picture that can't be read, or has a form that can't be used."""


def as_pixels(image: Any, max_size: int | None = None) -> np.ndarray:
    """`(height, width, 3 or 4)` uint8 of a PIL image, an array or a tensor; forms and errors as [`load_image`]."""
    if is_tensor(image):
        return _from_array(_channels_last(image), max_size)
    if isinstance(image, np.ndarray):
        return _from_array(image, max_size)
    if isinstance(image, Image.Image):
        return from_pil(image, max_size, "the PIL image")
    raise ImageError(
        "`image` must be a path, a PIL image or an array (height, width, 3), or a tensor (3, height, width), got "
        f"{type(image).__name__}"
    )


def flatten(
    pixels: np.ndarray, background: tuple[int, int, int] = NEUTRAL_GREY
) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour `(height, width, 3)` of `(height, width, 3 or 4)` uint8 over a background of RGB in [0, 255], contiguous
    and new, and opacity `(height, width)` or None."""
    colour, alpha = pixels[..., :3], pixels[..., 3] if pixels.shape[2] == 4 else None
    if alpha is not None:
        opacity = alpha[..., None].astype(np.float32) / 255
        colour = (colour * opacity + np.float32(background) * (1 - opacity) + 0.5).astype(np.uint8)
    return np.array(colour, order="C"), None if alpha is None else alpha.copy()


def from_pil(image: Image.Image, max_size: int | None, what: str) -> np.ndarray:
    """`(height, width, 3 or 4)` uint8; `what` names the picture in errors."""
    check_size(image.width, image.height, max_size, what)
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
    check_size(array.shape[1], array.shape[0], max_size, "the array")
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


def check_size(width: int, height: int, max_size: int | None, what: str) -> None:
    """Refuse a picture without pixels, or whose longer side is over `max_size`; `what` names it in the ImageError."""
    if width < 1 or height < 1:
        raise ImageError(f"`image`: {what} has no pixels ({width}x{height})")
    if max_size is not None and max(width, height) > max_size:
        scale = max_size / max(width, height)
        raise ImageError(
            f"`image`: {what} has {width}x{height} pixels, its longer side may be {max_size} at most (`max_size`); "
            f"make it smaller, for example {int(width * scale)}x{int(height * scale)}, or cut out the face"
        )
