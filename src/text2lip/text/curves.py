"""Visemes with times as curves, for avatars and other renderers: a weight for each viseme in each frame."""

from collections.abc import Sequence
from itertools import pairwise

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
        ValueError: no viseme, one that is not among the labels, a rate or width that is not over 0, or a number of
            frames that is no whole one over 0.
    """
    if not visemes:
        raise ValueError("visemes: got none; give `result.visemes[i]` or `stream.visemes`.")
    for name, value in (("fps", fps), ("smoothing", smoothing)):
        if not isinstance(value, (int, float, np.number)) or not 0 < value < np.inf:  # also true for NaN
            raise ValueError(f"{name}: {value!r}; wants a number over 0.")
    if num_frames is not None and (not isinstance(num_frames, (int, np.integer)) or num_frames < 1):
        raise ValueError(f"num_frames: {num_frames!r}; wants a whole number over 0, or None.")
    order = {label: column for column, label in enumerate(labels)}
    if unknown := next((part.label for part in visemes if part.label not in order), None):
        raise ValueError(f"visemes: {unknown!r} is not among the labels; give those of the tokenizer that made them.")
    count = max(1, int(visemes[-1].end * fps + 0.5)) if num_frames is None else num_frames
    middle = (np.arange(count) + 0.5) / fps
    half = max(smoothing, 0.5 / fps)
    changes = np.zeros((count + 1, len(order)))  # what each frame's weights are more than those of the frame before
    changes[0, order[visemes[0].label]] = 1
    for before, after in pairwise(visemes):
        first, last = np.searchsorted(middle, (after.start - half, after.start + half))  # frames that see the edge
        x = (middle[first:last] - after.start) / half
        passed = np.r_[0, 0.5 * (1 + x + np.sin(np.pi * x) / np.pi), 1]  # of the window, at each of these frames
        steps = np.diff(passed)
        changes[first : last + 1, order[after.label]] += steps
        changes[first : last + 1, order[before.label]] -= steps
    return np.clip(np.cumsum(changes[:count], axis=0), 0, 1).astype(np.float32)
