"""Where a head is turned, in space: its own axes from one set of landmarks."""

import numpy as np

from text2lip.faces.topology import OUTER_EYES, STABLE, canonical_mesh


def head_pose(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Turn of a head and the size of its eyes from one set of landmarks.

    Args:
        points (`np.ndarray`): (478, 3), pixels, z towards the back of the head in the same unit.

    Returns:
        `tuple`: rows of the head's own axes (right of the picture, down, back) as (3, 3), and the distance of the
        outer eye corners in space, pixels.
    """
    vertices = canonical_mesh()[0].astype(np.float64) * np.array([1, -1, -1])  # the mesh has y up, z to the viewer
    model = vertices[list(STABLE)]
    seen = points[list(STABLE)].astype(np.float64)
    left, _, right = np.linalg.svd((model - model.mean(0)).T @ (seen - seen.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(left @ right))])
    axes = left @ flip @ right  # Kabsch 1976: model @ axes ~ seen
    eyes = points[list(OUTER_EYES)].astype(np.float64)
    return axes, float(np.linalg.norm(eyes[1] - eyes[0]))
