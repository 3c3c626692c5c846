"""Reduce the head of USC ICT-FaceKit to the one that text2lip animates: ARKit's 52 shapes on some thousand vertices.

    python asset_rendering/make_talking_head_mesh.py --ict DIR --output src/text2lip/assets/talking_head.npz

`DIR` holds `generic_neutral_mesh.obj.gz` and `ict_facekit_light.npz`, the light version of USC ICT-FaceKit (MIT,
github.com/USC-ICT/ICT-FaceKit). 51 shapes are its own, those of two sides joined where ARKit has one; made here are
`tongueOut` and the turn of the eyeballs in the eight `eyeLook` shapes. Kept vertices are vertices of the source, so
its shapes hold for them as they are. Needs what text2lip needs, SciPy and `fast-simplification`.

Lengths are millimetres, x to the person's left, y up, z out of the face; the origin lies between the eyeballs.
"""

import argparse
import os
from pathlib import Path

import fast_simplification
import numpy as np
from _ict_head import read_mesh, read_shapes

from text2lip.faces.talking_head import ARKIT_SHAPES, EYE_TURN
from text2lip.faces.topology import (
    DRIVEN,
    INNER_LOWER,
    INNER_UPPER,
    JAW,
    OUTER_LOWER,
    OUTER_UPPER,
    canonical_mesh,
)


# Part -> materials of the source, and how many vertices are kept, about.
PARTS = {
    "skin": (("M_Face", "M_BackHead"), 5200),
    "tongue": (("M_GumsTongue",), 1000),
    "teeth": (("M_Teeth",), 1500),
    "eyes": (("M_ScleraLeft", "M_ScleraRight"), 1540),
}
# Vertices of the head at landmarks of the 68-point scheme, which the source publishes.
OUTER_EYES = (1507, 3721)  # right, left
OUTER_LIPS = (5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841)  # right corner, over the top
INNER_LIPS = (5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966)
CHIN = (1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443)
BROWS = ((268, 493, 1914, 2044, 1401), (3615, 4240, 4114, 2734, 2509))
FACE = 9409  # how many vertices are of its front
SOCKET = slice(11248, 13294)  # inside of the mouth, among the skin
EYEBALLS = {"Left": slice(21451, 23021), "Right": slice(23021, 24591)}
# z from root to tip, y of its middle, half its width and height, cm; read off sections of the source
TONGUE = (
    (6.0, -3.85, 1.95, 0.9),
    (7.5, -3.8, 1.8, 0.82),
    (8.5, -3.85, 1.55, 0.67),
    (9.0, -3.93, 1.25, 0.57),
    (9.5, -4.0, 0.72, 0.36),
    (9.78, -4.05, 0.3, 0.12),
)
TONGUE_SKIN = 0.06  # cm
TONGUE_OUT = (0.0, 1.2, 2.6)  # cm that its tip goes, over the lower teeth; by eye
OVERLAP = 0.06  # cm by which the lips of the mesh press into each other at rest
SEAM = 0.7  # cm above and below the line between the lips within which skin goes along when they are closed
MM = 10.0
# sRGB
SKIN, LIP, BROW = (205, 162, 138), (178, 96, 92), (92, 70, 56)
TEETH, TONGUE_PINK, INSIDE = (240, 232, 216), (216, 126, 126), (120, 48, 46)
EYE = (
    (0, (12, 12, 14)),
    (7, (12, 12, 14)),
    (9, (74, 96, 104)),
    (18, (96, 122, 130)),
    (21, (52, 62, 66)),
    (24, (238, 233, 228)),
    (63, (226, 214, 208)),
)  # degrees from the middle of the pupil -> colour
PALETTE = 64  # pixels
RAISED = 1.2  # cm for a whole width of the palette
SMALLEST = 0.02  # mm; what moves less doesn't move


def read_head(folder: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Vertices (V, 3), cm, and the triangles of each material."""
    vertices, triangles, materials = read_mesh(folder)
    return vertices, {name: triangles[np.equal(materials, name)] for name in dict.fromkeys(materials)}


def arkit_shapes(folder: Path, vertices: np.ndarray, parts: dict) -> np.ndarray:
    """Ways (52, V, 3), cm, of ARKit's shapes."""
    known = read_shapes(folder)
    ways = {name.replace("_L", "Left").replace("_R", "Right"): way for name, way in known.items()}
    for name in ("browInnerUp", "cheekPuff"):
        ways[name] = ways[f"{name}Left"] + ways[f"{name}Right"]
    ways["tongueOut"] = tongue_out(vertices, parts)
    for side, ball in EYEBALLS.items():
        outwards = 1 if side == "Left" else -1
        for name, yaw, pitch in (("In", -outwards, 0), ("Out", outwards, 0), ("Up", 0, 1), ("Down", 0, -1)):
            ways[f"eyeLook{name}{side}"] = way = ways[f"eyeLook{name}{side}"].copy()
            way[ball] = turned(vertices[ball], yaw * EYE_TURN, pitch * EYE_TURN) - vertices[ball]
    return np.stack([ways[name] for name in ARKIT_SHAPES])


def turned(ball: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """An eyeball (N, 3) turned by degrees: yaw over 0 to the person's left, pitch over 0 up."""
    a, b = np.radians([yaw, -pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    middle = (ball.min(0) + ball.max(0)) / 2
    return (ball - middle) @ turn.T + middle


def tongue_out(vertices: np.ndarray, parts: dict) -> np.ndarray:
    """The tongue's way out between the teeth: all of its tip, less and less of what is further back.

    The source has tongue, gums and palate in one piece; the tongue is what lies within the ellipses of `TONGUE`.
    """
    way, mine = np.zeros_like(vertices), np.unique(parts["M_GumsTongue"])
    x, y, z = vertices[mine].T
    places, middles, widths, heights = np.transpose(TONGUE)
    middle, width, height = (np.interp(z, places, values) for values in (middles, widths, heights))
    inside = np.hypot(x / (width + TONGUE_SKIN), (y - middle) / (height + TONGUE_SKIN)) < 1
    share = np.clip((z - places[0]) / (places[-1] - places[0]), 0, 1)
    way[mine] = (inside * (z < places[-1] + TONGUE_SKIN) * share**2 * (3 - 2 * share))[:, None] * TONGUE_OUT
    return way


def close_lips(vertices: np.ndarray, parts: dict, overlap: float = 0.0) -> np.ndarray:
    """The head with lips that touch at rest, or press into each other by `overlap`, cm, so that nothing shows between.

    In the source they are 0.8 mm apart. Each goes half of the way.
    """
    mesh = np.concatenate([parts["M_Face"], parts["M_BackHead"]])
    upper, lower = (
        vertices[edge_path(vertices, mesh, stops)] for stops in (INNER_LIPS[:5], (INNER_LIPS[0], *INNER_LIPS[:3:-1]))
    )
    x, y, z = vertices.T
    above, below = (np.interp(x, *chain[np.argsort(chain[:, 0])].T[:2]) for chain in (upper, lower))
    middle, gap = (above + below) / 2, np.maximum(above - below, 0)
    gap += overlap * np.clip((upper[:, 0].max() - np.abs(x)) / SEAM, 0, 1)
    there = (np.arange(len(vertices)) < FACE) & (np.abs(x) < upper[:, 0].max()) & (z > upper[:, 2].min() - 0.8)
    near = np.clip(1 - np.abs(y - middle) / SEAM, 0, 1) * there
    closed = vertices.copy()
    closed[:, 1] -= np.sign(y - middle) * gap / 2 * near**2 * (3 - 2 * near)
    return closed


def reduced(vertices: np.ndarray, triangles: np.ndarray, wanted: int, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which vertices of a part stay, and its triangles, by quadric edge collapse (Garland & Heckbert 1997).

    Of those that collapsed into one the nearest to it stays. Distances near the mouth count more; what is coloured is
    raised while edges collapse, so that the borders of colours stay too.
    """
    used, local = np.unique(triangles, return_inverse=True)
    points, local = vertices[used], local.reshape(-1, 3)
    if len(used) <= wanted:
        return used, local
    mouth = vertices[list(INNER_LIPS)].mean(0)
    apart = np.linalg.norm(points - mouth, axis=1, keepdims=True)
    seen = ((points - mouth) * (apart / 20 + 1e-6) ** -0.35).astype(np.float32)
    seen[:, 2] += RAISED * uv[used].sum(1)
    fewer = int(len(local) * wanted / len(used))
    _, _, collapses = fast_simplification.simplify(
        seen, local.astype(np.int32), target_count=fewer, return_collapses=True
    )
    new, faces, mapping = fast_simplification.replay_simplification(seen, local.astype(np.int32), collapses)
    distance = np.linalg.norm(seen - new[mapping], axis=1)
    order = np.lexsort((distance, mapping))
    first = order[np.unique(mapping[order], return_index=True)[1]]
    assert len(first) == len(new)
    return used[first], faces


def contour(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Weights (57, V) of the vertices at the driven points of MediaPipe's mesh: on the edges of the lips by the share
    of the way between two corners of the mouth, on the chin by the nearest of 17 points."""
    mesh = canonical_mesh()[0].astype(np.float64)
    points = np.zeros((len(DRIVEN), len(vertices)), np.float32)
    chains = {
        OUTER_UPPER: OUTER_LIPS[:7],
        OUTER_LOWER: (OUTER_LIPS[0], *OUTER_LIPS[:5:-1]),
        INNER_UPPER: INNER_LIPS[:5],
        INNER_LOWER: (INNER_LIPS[0], *INNER_LIPS[:3:-1]),
    }
    for chain, stops in chains.items():
        path = edge_path(vertices, triangles, stops)
        along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(vertices[path], axis=0), axis=1))]
        wanted = np.r_[0, np.cumsum(np.linalg.norm(np.diff(mesh[list(chain)], axis=0), axis=1))]
        for point, place in zip(chain, wanted / wanted[-1] * along[-1]):
            k = min(int(np.searchsorted(along, place, "right")) - 1, len(path) - 2)
            share = (place - along[k]) / (along[k + 1] - along[k])
            row = points[DRIVEN.index(point)]
            row[:] = 0
            row[path[k]], row[path[k + 1]] = 1 - share, share
    for point, vertex in zip(JAW, CHIN):
        points[DRIVEN.index(point), vertex] = 1
    return points


def edge_path(vertices: np.ndarray, triangles: np.ndarray, stops: tuple[int, ...]) -> list[int]:
    """The shortest way along the edges of the mesh through these vertices."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    pairs = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0
    )
    lengths = np.linalg.norm(np.diff(vertices[pairs], axis=1)[:, 0], axis=1)
    graph = coo_matrix((lengths, pairs.T), shape=2 * (len(vertices),)).tocsr()
    path = [stops[0]]
    for start, end in zip(stops, stops[1:]):
        before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)[1]
        way = [end]
        while way[-1] != start:
            way.append(int(before[way[-1]]))
        path += way[-2::-1]
    return path


def palette() -> np.ndarray:
    """Colours (64, 64, 3), see [`coloured`] for what is where: skin to lip across and to brow down at the upper left,
    parts of the mouth from light to dark on its right, an eye from its middle out below."""
    picture = np.zeros((PALETTE, PALETTE, 3))
    across, down = np.meshgrid(np.linspace(0, 1, 32), np.linspace(0, 1, 32))
    face = np.array(SKIN) + across[..., None] * np.subtract(LIP, SKIN)
    picture[:32, :32] = face + down[..., None] * (np.array(BROW) - face)
    for number, colour in enumerate((TEETH, TONGUE_PINK, INSIDE)):
        picture[:32, 32 + 10 * number : 42 + 10 * number] = np.linspace(1, 0.12, 32)[:, None, None] * colour
    ring, colours = zip(*EYE)
    picture[32:] = np.stack([np.interp(np.arange(PALETTE), ring, channel) for channel in zip(*colours)], 1)
    return np.rint(picture).astype(np.uint8)


def coloured(vertices: np.ndarray, parts: dict) -> np.ndarray:
    """Places (V, 2) of vertices in the palette, from 0 to 1, downwards."""
    import cv2

    x, y, z = vertices.T
    outline = vertices[list(OUTER_LIPS)][:, :2].astype(np.float32)
    inwards = np.array([cv2.pointPolygonTest(outline[:, None], (float(a), float(b)), True) for a, b in zip(x, y)])
    lip = (
        np.clip(inwards / 0.12 + 0.5, 0, 1)
        * (z > vertices[list(INNER_LIPS), 2].min() - 1.2)
        * (np.arange(len(vertices)) < FACE)
    )
    brow = np.zeros(len(vertices))
    for chain in BROWS:
        line = np.concatenate([np.linspace(vertices[a], vertices[b], 12) for a, b in zip(chain, chain[1:])])
        away = np.linalg.norm(vertices[:, None, :2] - line[None, :, :2], axis=2).min(1)
        brow = np.maximum(brow, np.clip((0.42 - away) / 0.25, 0, 1) * (z > 4))
    places = np.stack([31 * lip, 31 * brow], 1)
    deep = 31 * np.clip((vertices[list(INNER_LIPS), 2].max() - z) / 7.0, 0, 1)
    for column, mine in enumerate((np.unique(parts["M_Teeth"]), np.unique(parts["M_GumsTongue"]), SOCKET)):
        places[mine] = np.stack([np.full_like(deep, 37 + 10 * column), deep], 1)[mine]
    for ball in EYEBALLS.values():
        middle = (vertices[ball].min(0) + vertices[ball].max(0)) / 2
        way = vertices[ball] - middle
        angle = np.degrees(np.arccos(np.clip(way[:, 2] / np.linalg.norm(way, axis=1), -1, 1)))
        places[ball] = np.stack([np.minimum(angle, 63), np.full_like(angle, 48)], 1)
    return (places + 0.5) / PALETTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ict", type=Path, required=True, help="folder of USC ICT-FaceKit's light version")
    parser.add_argument("--output", type=Path, default=Path("src/text2lip/assets/talking_head.npz"))
    args = parser.parse_args()
    vertices, parts = read_head(args.ict)
    ways = MM * arkit_shapes(args.ict, vertices, parts)
    edges, vertices = close_lips(vertices, parts), close_lips(vertices, parts, OVERLAP)
    origin = np.mean([(vertices[ball].min(0) + vertices[ball].max(0)) / 2 for ball in EYEBALLS.values()], axis=0)
    lips = contour(vertices, np.concatenate([parts["M_Face"], parts["M_BackHead"]]))
    placed = MM * (vertices - origin)
    uv = coloured(vertices, parts)
    kept, faces = [], []
    for name, (materials, wanted) in PARTS.items():
        whole = np.concatenate([parts[material] for material in materials])
        stay, triangles = reduced(vertices, whole, wanted, uv)
        faces.append(triangles + sum(map(len, kept)))
        kept.append(stay)
        print(f"{name}: {len(stay)} of {len(np.unique(whole))} vertices, {len(triangles)} triangles")
    kept = np.concatenate(kept)
    shapes = ways[:, kept]
    shapes[np.linalg.norm(shapes, axis=2) < SMALLEST] = 0
    scale = np.abs(shapes).max((1, 2)) / 32767
    stored = {
        "vertices": placed[kept].astype(np.float32),
        "triangles": np.concatenate(faces).astype(np.uint16),
        "uv": uv[kept].astype(np.float16),
        "palette": palette(),
        "moved": np.rint(shapes / scale[:, None, None]).astype(np.int16),
        "scale": scale.astype(np.float32),
        "contour": (lips @ (MM * (edges - origin))).astype(np.float32),
        "contour_shapes": np.einsum("pv,svx->spx", lips, ways).astype(np.float32),
        "outer_eyes": placed[list(OUTER_EYES)].astype(np.float32),
    }
    temporary = args.output.with_suffix(".part.npz")
    np.savez_compressed(temporary, **stored)
    os.replace(temporary, args.output)
    print(f"{len(kept)} vertices, {len(stored['triangles'])} triangles, {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
