"""Visemes with times as curves, for avatars and other renderers: a weight for each viseme in each frame."""

from collections.abc import Sequence

import numpy as np

from text2lip.text.timing import Segment


def viseme_weights(
    visemes: Sequence[Segment],
    labels: Sequence[str],
    fps: float = 25.0,
    num_frames: int | None = None,
    smoothing: float = 0.06,
) -> np.ndarray:
    """How much of each viseme there is in each frame.

    The weight is the share of the viseme's time in a raised cosine (Hann window) around the middle of the frame,
    (f + 1/2) / fps: an exact integral, so that no viseme is lost between two frames, however short. Before the first
    viseme and after the last these two go on.

    Args:
        visemes (`list[Segment]`): label, start and end in seconds, in order, without gaps: `result.visemes[0]`.
        labels (`Sequence[str]`): the order of the columns: `pipe.tokenizer.labels`.
        fps (`float`): frames per second, any.
        num_frames (`int`, *optional*): frames; by default floor(end of the last viseme * fps + 0.5), at least 1.
        smoothing (`float`): half the width of the window, seconds, over 0; never less than half a frame.

    Returns:
        `np.ndarray`: float32 (frames, labels) in [0, 1]; every frame's weights sum to 1.

    Raises:
        ValueError: no viseme, one that is not among the labels, or a rate or width that is not over 0.
    """
    if not visemes:
        raise ValueError("visemes: got none; give `result.visemes[i]` or `stream.visemes`.")
    if not (fps > 0 and smoothing > 0):
        raise ValueError(f"fps: {fps!r}, smoothing: {smoothing!r}; both want a number over 0.")
    order = {label: column for column, label in enumerate(labels)}
    if unknown := next((part.label for part in visemes if part.label not in order), None):
        raise ValueError(f"visemes: {unknown!r} is not among the labels; give those of the tokenizer that made them.")
    count = max(1, int(visemes[-1].end * fps + 0.5)) if num_frames is None else num_frames
    middle = (np.arange(count) + 0.5) / fps
    edges = np.array([-np.inf, *(part.start for part in visemes[1:]), np.inf])
    x = np.clip((edges - middle[:, None]) / max(smoothing, 0.5 / fps), -1, 1)
    share = np.diff(0.5 * (1 + x + np.sin(np.pi * x) / np.pi), axis=1)  # (frames, visemes)
    weights = np.zeros((count, len(order)), np.float32)
    np.add.at(weights.T, [order[part.label] for part in visemes], share.T)
    return weights
