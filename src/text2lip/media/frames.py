"""Frames between the ways that arrays, tensors and pictures hold them."""

from typing import Any

import numpy as np
import torch


def pack_frames(clips: list[list[np.ndarray]], output_type: str) -> Any:
    """Frames as diffusers gives them.

    Args:
        clips (`list[list[np.ndarray]]`): uint8 (height, width, 3) frames, or (height, width, 4), RGBA.
        output_type (`str`): "pil", "np" or "pt".

    Returns:
        "pil": list of lists of images; "np", "pt": float32 in [0, 1], (clips, frames, height, width, 3) or
        (clips, frames, 3, height, width), 4 for 3 where there is alpha; a list of them where the clips' shapes differ.
    """
    if output_type == "pil":
        from PIL import Image

        return [[Image.fromarray(frame) for frame in clip] for clip in clips]
    arrays = []
    for clip in clips:
        array = np.empty((len(clip), *clip[0].shape), np.float32)
        for row, frame in zip(array, clip):
            np.divide(frame, 255, out=row, dtype=np.float32)
        arrays.append(array if output_type == "np" else torch.from_numpy(array).permute(0, 3, 1, 2).contiguous())
    if len({array.shape for array in arrays}) > 1:
        return arrays
    return np.stack(arrays) if output_type == "np" else torch.stack(arrays)


def to_uint8(frame) -> np.ndarray:
    """One frame as PIL, float (height, width, 3) or float tensor (3, height, width) to uint8 (height, width, 3);
    RGBA has four channels."""
    if hasattr(frame, "detach"):
        frame = frame.detach().cpu().float().numpy().transpose(1, 2, 0)
    frame = np.asarray(frame)
    return frame if frame.dtype == np.uint8 else np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)
