"""Cut teeth and gums out of the head of USC ICT-FaceKit, for the inside of the mouth that the renderers draw.

    python asset_rendering/make_mouth_mesh.py --ict DIR --output src/text2lip/assets/mouth_mesh.npz

`DIR` holds `generic_neutral_mesh.obj.gz` and `ict_facekit_light.npz`, the light version of USC ICT-FaceKit (MIT,
github.com/USC-ICT/ICT-FaceKit); the hinge of the jaw comes from its expression `jawOpen`. Kept is what shows between
the lips from some side. Needs what text2lip needs, and SciPy.

Lengths are in distances of the outer eye corners: x to the right of the picture, y down, z towards the viewer; the
origin is the middle of the upper incisors' edge.
"""

import argparse
import itertools
import os
from pathlib import Path

import cv2
import numpy as np
from _ict_head import read_mesh, read_shapes


RIGHT_EYE, LEFT_EYE, NOSE_BASE, UPPER_LIP = 1507, 3721, 1147, 5533  # vertices of the head
GUMS, TEETH, UPPER_TEETH = slice(14062, 17039), slice(17039, 21451), 2208  # and how many of the teeth are upper ones
FROM_TEETH = 0.35  # cm from the lower teeth, along the floor: what is further inwards is the tongue and goes
SIDES = tuple(itertools.product((-50, -25, 0, 25, 50), (-35, -10, 15, 40)))  # degrees from which the parts are seen
PIXELS = 40  # a cm, of those views


def read_head(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) cm with y down, triangles (T, 3) counter-clockwise from outside, and way of `jawOpen` (V, 3)."""
    vertices, triangles, _ = read_mesh(folder)
    up = np.array([1, -1, 1])
    return vertices * up, triangles, read_shapes(folder)["jawOpen"] * up


def hinge_of(vertices: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The axis (y, z) about which a rigid part turns when it goes that way."""
    before, after = vertices[:, 1:], (vertices + way)[:, 1:]
    a, b = before - before.mean(0), after - after.mean(0)
    angle = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.linalg.solve(np.eye(2) - turn, after.mean(0) - turn @ before.mean(0))


def seen(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which triangles (T,) show from one of `SIDES`."""
    shown = np.zeros(len(triangles), bool)
    for yaw, pitch in SIDES:
        a, b = np.radians([yaw, pitch])
        turn = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]) @ np.array(
            [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
        )
        points = (vertices - vertices.mean(0)) @ turn.T * PIXELS + (300, 300, 0)
        corners = points[triangles]
        edges = corners[:, 1:, :2] - corners[:, :1, :2]
        front = np.flatnonzero(edges[:, 0, 0] * edges[:, 1, 1] < edges[:, 0, 1] * edges[:, 1, 0])
        picture = np.full((600, 600), -1, np.int32)
        for index in front[np.argsort(corners[front, :, 2].mean(1))]:
            cv2.fillConvexPoly(picture, np.rint(corners[index, :, :2] * 16).astype(np.int32), int(index), 8, 4)
        shown[np.unique(picture[picture >= 0])] = True
    return shown


def teeth_of(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Number of each vertex' tooth (V,), from 0, by which vertices hang together; in the order of the vertices."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate([triangles[:, :2], triangles[:, 1:]])
    links = coo_matrix((np.ones(len(pairs)), pairs.T), shape=2 * (len(vertices),))
    return connected_components(links, directed=False)[1]


def cut(vertices: np.ndarray, triangles: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Only the vertices that the triangles use, with their `values`, and the triangles of these."""
    used, renumbered = np.unique(triangles, return_inverse=True)
    return vertices[used], renumbered.reshape(-1, 3), values[used]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ict", type=Path, required=True, help="folder of USC ICT-FaceKit's light version")
    parser.add_argument("--output", type=Path, default=Path("src/text2lip/assets/mouth_mesh.npz"))
    args = parser.parse_args()
    vertices, triangles, way = read_head(args.ict)
    unit = vertices[LEFT_EYE, 0] - vertices[RIGHT_EYE, 0]
    index = np.arange(len(vertices))
    is_tooth = (index >= TEETH.start) & (index < TEETH.stop)
    moves = np.linalg.norm(way, axis=1) > 1e-3
    teeth = teeth_of(vertices[TEETH], triangles[is_tooth[triangles].all(1)] - TEETH.start)
    upper = TEETH.start + np.flatnonzero(teeth == teeth[np.abs(vertices[TEETH][:UPPER_TEETH, 0]).argmin()])
    edge = vertices[upper][vertices[upper, 1].argmax()]
    origin = np.array([0.0, edge[1], vertices[upper, 2].max()])
    hinge = hinge_of(vertices[TEETH][UPPER_TEETH:], way[TEETH][UPPER_TEETH:])
    level_canines(vertices, teeth)
    # How far each point of a tooth is from its biting edge, cm; -1 on gums.
    height = np.full(len(vertices), -1.0)
    for number in range(teeth.max() + 1):
        tooth = TEETH.start + np.flatnonzero(teeth == number)
        down = 1 if tooth[0] < TEETH.start + UPPER_TEETH else -1
        height[tooth] = (down * vertices[tooth, 1]).max() - down * vertices[tooth, 1]
    lower = vertices[TEETH][UPPER_TEETH:]
    stored = {"hinge": ((hinge - origin[1:]) / unit).astype(np.float32)}
    for name, jaw in (("upper", False), ("lower", True)):
        mine = (is_tooth | ((index >= GUMS.start) & (index < GUMS.stop))) & (moves == jaw)
        if jaw:
            mine &= is_tooth | (distance_to(vertices, lower) < FROM_TEETH)
        else:
            mine &= is_tooth | (vertices[:, 1] < origin[1])  # not the wall of the throat
        part, faces, tall = cut(vertices, triangles[mine[triangles].all(1)], height)
        shown = seen(part, faces)
        part, faces, tall = cut(part, faces[shown], tall)
        stored[f"{name}_vertices"] = ((part - origin) / unit).astype(np.float16)
        stored[f"{name}_triangles"] = faces.astype(np.uint16)
        stored[f"{name}_height"] = np.where(tall < 0, -1, tall / unit).astype(np.float16)
        print(f"{name}: {len(part)} vertices, {len(faces)} triangles")
    nose, lip = ((vertices[k] - origin) / unit for k in (NOSE_BASE, UPPER_LIP))
    print("nose base", nose.round(4), "upper lip", lip.round(4), "hinge", stored["hinge"])
    part = args.output.with_suffix(".part.npz")
    np.savez_compressed(part, **stored)
    os.replace(part, args.output)


def level_canines(vertices: np.ndarray, teeth: np.ndarray) -> None:
    """Lower the lower canines, in place: longer than most people's, they alone would show above a lower lip."""
    lower = np.unique(teeth[UPPER_TEETH:])
    points = {number: TEETH.start + np.flatnonzero(teeth == number) for number in lower}
    front = sorted(lower, key=lambda number: -vertices[points[number], 2].max())
    edge = min(vertices[points[number], 1].min() for number in front[:4])  # of the incisors
    for number in front[4:6]:
        tooth = points[number]
        vertices[tooth, 1] += max(edge - vertices[tooth, 1].min(), 0)


def distance_to(vertices: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each vertex is from the nearest of others, seen from above."""
    from scipy.spatial import cKDTree

    return cKDTree(others[:, ::2]).query(vertices[:, ::2])[0]


if __name__ == "__main__":
    main()
