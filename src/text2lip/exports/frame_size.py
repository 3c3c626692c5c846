"""Frames in another size, and beside what they were made from."""

import re
from collections.abc import Iterable, Iterator

import numpy as np


LARGEST_SIDE = 8192  # pixels
SMALLEST_SIDE = 16


def read_size(size: int | str) -> int | tuple[int, int]:
    """The longest side, or (width, height), of a number, "512" or "1080x1920".

    Raises:
        ValueError: it is neither, or out of range.
    """
    found = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", str(size).strip().lower())
    sides = tuple(int(side) for side in found.groups() if side) if found and not isinstance(size, bool) else ()
    if not sides or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        raise ValueError(
            f"size: {size!r}; wants the longest side or WIDTHxHEIGHT, {SMALLEST_SIDE} to {LARGEST_SIDE} pixels."
        )
    return sides[0] if len(sides) == 1 else sides


def scale_into(size: int | tuple[int, int], height: int, width: int) -> float:
    """By how much frames of that height and width grow for `size`, see [`resized`]."""
    across, down = (size, size) if isinstance(size, int) else size
    return min(across / width, down / height)


def resized(frames: Iterable[np.ndarray], size: int | tuple[int, int]) -> Iterator[np.ndarray]:
    """`frames`, uint8 (height, width, 3 or 4), with that longest side, or fitted into (width, height): what is left of
    that is black, or clear where there is alpha."""
    for frame in frames:
        height, width = frame.shape[:2]
        room = (size, size) if isinstance(size, int) else size
        scale = scale_into(size, height, width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        scaled = _scaled(frame, inner, scale)
        if isinstance(size, int):
            yield scaled
            continue
        whole = np.zeros((room[1], room[0], frame.shape[2]), np.uint8)
        left, top = (room[0] - inner[0]) // 2, (room[1] - inner[1]) // 2
        whole[top : top + inner[1], left : left + inner[0]] = scaled
        yield whole


def _scaled(frame: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    import cv2

    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if frame.shape[2] == 3:
        return cv2.resize(frame, size, interpolation=how)
    share = frame[..., 3:].astype(np.float32) / 255  # of hidden colours nothing may come through
    light = cv2.resize(np.concatenate([frame[..., :3] * share, share], -1), size, interpolation=how)
    share = light[..., 3:].clip(1e-3, 1)
    plain = cv2.resize(frame[..., :3], size, interpolation=how)
    colour = np.where(light[..., 3:] > 1e-2, light[..., :3] / share, plain)
    return np.rint(np.concatenate([colour, 255 * light[..., 3:]], -1).clip(0, 255)).astype(np.uint8)


def side_by_side(before: Iterable[np.ndarray], after: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames, uint8 (height, 2 width, 3 or 4): each of `before`, (height, width, 3), left of that of `after`."""
    for left, right in zip(before, after):
        if right.shape[2] == 4:
            left = np.concatenate([left, np.full((*left.shape[:2], 1), 255, np.uint8)], -1)
        yield np.concatenate([left, right], 1)
