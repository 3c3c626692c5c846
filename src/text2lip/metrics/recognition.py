"""Is it still the same person? Similarity of face embeddings.

The caller brings the recogniser, and the figure is null without one: the built-in `FaceIdentity` decides who speaks in
films, so it should not judge them too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames


def identity(ours: Any, real: Any, embed: Callable[[np.ndarray], Any]) -> float:
    """Mean cosine similarity of the faces of each of our frames to the mean real face (CSIM).

    Args:
        ours (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3), uint8 or float in [0, 1].
        real (`np.ndarray` or `torch.Tensor`): (other frames, height, width, 3): the portrait or the real clip.
        embed (`Callable`): takes frames as above, gives embeddings (frames, dimensions).

    Returns:
        `float`: in [-1, 1].

    Raises:
        ValueError: bad frames, or embeddings of another shape.
    """
    vectors = []
    for name, frames in (("ours", as_frames(ours, "ours")), ("real", as_frames(real, "real"))):
        vector = to_array(embed(frames), np.float64)
        if vector.ndim != 2 or len(vector) != len(frames):
            raise ValueError(f"embed: gave shape {vector.shape} for {len(frames)} frames of {name}; wants one each.")
        vectors.append(vector / np.linalg.norm(vector, axis=-1, keepdims=True))
    person = vectors[1].mean(0)
    return float((vectors[0] @ (person / np.linalg.norm(person))).mean())
