"""The head of USC ICT-FaceKit (MIT), as `make_mouth_mesh.py` and `make_talking_head_mesh.py` read it."""

import gzip
from pathlib import Path

import numpy as np


def read_mesh(folder: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Vertices (V, 3) cm, triangles (T, 3) in the order of the file, and the material of each.

    Args:
        folder (`Path`): holds `generic_neutral_mesh.obj.gz`.
    """
    vertices, triangles, materials, material = [], [], [], ""
    with gzip.open(folder / "generic_neutral_mesh.obj.gz", "rt") as lines:
        for line in lines:
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in rest[:3]])
            elif kind == "usemtl":
                material = rest[0]
            elif kind == "f":
                face = [int(corner.split("/")[0]) - 1 for corner in rest]
                triangles += [(face[0], a, b) for a, b in zip(face[1:], face[2:])]
                materials += [material] * (len(face) - 2)
    return np.array(vertices), np.array(triangles), materials


def read_shapes(folder: Path) -> dict[str, np.ndarray]:
    """Name -> way (V, 3) cm of every vertex, of the shapes in `ict_facekit_light.npz`."""
    with np.load(folder / "ict_facekit_light.npz", allow_pickle=False) as stored:
        return dict(zip(stored["expression_names"].tolist(), stored["expression_delta"].astype(np.float64)))
