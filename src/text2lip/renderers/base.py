"""What every renderer shares: the interface, and the checks of its input."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np


class Renderer(Protocol):
    """Portrait and landmarks in, frames out; and what more it can use.

    Attributes:
        takes_references (`bool`): other pictures of the person, `references`.
        hears_sound (`bool`): `audio_features`.
        samples (`bool`): it goes through the steps of a sampler, whose noise comes from `generator`.

    Only one that has `shows_tongue = True` is given `tongue`, where phones are known; an object of a user needn't know
    either.
    """

    takes_references: bool
    hears_sound: bool
    samples: bool

    def render(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        *,
        source_landmarks: np.ndarray,
        fps: float = 25,
        audio_features: Any = None,
        references: Any = None,
        generator: Any = None,
        tongue: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield one frame per row of `landmarks`. What a renderer can't use it is given as None, or it lets it be.

        Args:
            portrait (`np.ndarray`): `(height, width, 3)` uint8, RGB.
            landmarks (`np.ndarray`): `(frames, 478, 2)` float32, x over width, y over height.
            source_landmarks (`np.ndarray`): `(478, 2)` float32, the portrait's own landmarks, normalised likewise.
            fps (`float`): frames per second.
            audio_features (`torch.Tensor` or `np.ndarray`, *optional*): float (frames, tokens, width).
            references ([`MouthReferences`], *optional*): other pictures of the person's mouth.
            generator (`torch.Generator`, *optional*): source of randomness.
            tongue (`np.ndarray`, *optional*): float32 (frames, 3), see [`~text2lip.motion.tongue.tongue_poses`].

        Yields:
            `np.ndarray`: `(height, width, 3)` uint8, RGB; the caller owns it.
        """
        ...


def check_portrait(portrait: np.ndarray) -> np.ndarray:
    """Return `portrait` as a contiguous `(height, width, 3)` uint8 array, or raise `ValueError`."""
    portrait = np.asarray(portrait)
    if portrait.dtype != np.uint8 or portrait.ndim != 3 or portrait.shape[2] != 3 or 0 in portrait.shape:
        raise ValueError(
            f"`portrait` must be a uint8 RGB array of shape (height, width, 3), got {portrait.dtype} of shape "
            f"{portrait.shape}; load pictures with `text2lip.media.load_image`."
        )
    return np.ascontiguousarray(portrait)


def check_landmarks(landmarks: np.ndarray, name: str, ndim: int) -> np.ndarray:
    """Return normalised landmarks as float32 `(478, 2)` (`ndim=2`) or `(frames, 478, 2)` (`ndim=3`), or raise.

    A third coordinate (MediaPipe's z) is dropped. `ValueError` names the argument and what it got.
    """
    landmarks = np.asarray(landmarks)
    if landmarks.ndim != ndim or landmarks.shape[-2] != 478 or landmarks.shape[-1] not in (2, 3):
        wanted = "(478, 2)" if ndim == 2 else "(frames, 478, 2)"
        raise ValueError(
            f"`{name}` must have shape {wanted} (MediaPipe face mesh, normalised), got {landmarks.shape}."
        )
    landmarks = landmarks[..., :2].astype(np.float32)
    if not np.isfinite(landmarks).all():
        raise ValueError(
            f"`{name}` holds NaN or infinity; give finite landmarks (bridge frames where the face is lost)."
        )
    return landmarks


def tongue_argument(renderer: Renderer, tongue: np.ndarray | None) -> dict[str, np.ndarray | None]:
    """What a renderer is given of the tongue's poses: nothing that it doesn't know."""
    return {"tongue": tongue} if getattr(renderer, "shows_tongue", False) else {}


def check_tongue(tongue: np.ndarray | None, frames: int) -> list[np.ndarray | None]:
    """The tongue's poses, (3,) or None, for each of `frames`, or `ValueError`."""
    if tongue is None:
        return [None] * frames
    tongue = np.asarray(tongue, np.float32)
    if tongue.shape != (frames, 3) or not np.isfinite(tongue).all():
        found = tongue.shape if np.isfinite(tongue).all() else f"{tongue.shape} with values that are not finite"
        raise ValueError(f"`tongue` must be ({frames}, 3), finite, a row for each of landmarks, got {found}.")
    return list(tongue)


def every_frame(frames: Iterable[np.ndarray], count: int, like: np.ndarray) -> Iterator[np.ndarray]:
    """The frames of a renderer, if they are `count` pictures of the shape and type of `like`.

    Raises:
        ValueError: they aren't.
    """
    number, last = 0, None
    for number, frame in enumerate(frames, 1):
        if frame is last:
            raise ValueError(f"renderer: frame {number} is the array of the one before; give a new one each time.")
        last = frame
        if number > count or getattr(frame, "shape", None) != like.shape or frame.dtype != like.dtype:
            got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
            raise ValueError(f"renderer: frame {number} of {count} is {got}; wants {like.dtype} {like.shape}.")
        yield frame
    if number < count:
        raise ValueError(f"renderer: made {number} of {count} frames; one for each row of landmarks is wanted.")
