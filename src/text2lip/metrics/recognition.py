"""Is it still the same person? Similarity of face embeddings.

The recogniser is the built-in `FaceIdentity`, dlib's network (public domain), or one that the caller brings. Nothing
here learns from it; where several people are in a film it chooses whose mouth speaks, and judges that choice badly.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from text2lip.faces.identity import CHIP_SIZE, builtin_identity
from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames


def identity(ours: Any, real: Any, embed: Callable[[np.ndarray], Any] | None = None) -> float:
    """Mean cosine similarity of the faces of each of our frames to the mean real face (CSIM).

    Args:
        ours (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3), uint8 or float in [0, 1].
        real (`np.ndarray` or `torch.Tensor`): (other frames, height, width, 3): the portrait or the real clip.
        embed (`Callable`, *optional*): takes frames as above, gives embeddings (frames, dimensions). Without it frames
            are uint8 chips of 150 px, see [`~text2lip.faces.identity.face_chip`], and embeddings `FaceIdentity`'s.

    Returns:
        `float`: in [-1, 1].

    Raises:
        ValueError: bad frames, frames that are no chips where `embed` is missing, or embeddings of another shape.
    """
    vectors = []
    for name, frames in (("ours", as_frames(ours, "ours")), ("real", as_frames(real, "real"))):
        vector = to_array((embed or _embed_chips)(frames), np.float64)
        if vector.ndim != 2 or len(vector) != len(frames):
            raise ValueError(f"embed: gave shape {vector.shape} for {len(frames)} frames of {name}; wants one each.")
        vectors.append(vector / np.linalg.norm(vector, axis=-1, keepdims=True))
    person = vectors[1].mean(0)
    return float((vectors[0] @ (person / np.linalg.norm(person))).mean())


def _embed_chips(frames: np.ndarray) -> np.ndarray:
    if frames.dtype != np.uint8 or frames.shape[1:3] != (CHIP_SIZE, CHIP_SIZE):
        raise ValueError(
            f"embed: missing, and frames of {frames.dtype} {frames.shape} are no uint8 chips of {CHIP_SIZE} px: cut "
            "them by text2lip.faces.identity.face_chip, or give a recogniser."
        )
    return builtin_identity().encode(frames)
