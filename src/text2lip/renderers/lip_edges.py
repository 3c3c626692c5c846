"""Where the red of the lips really ends in an open portrait; the mesh tends to draw an open mouth too narrow."""

import cv2
import numpy as np
from scipy.ndimage import median_filter

from text2lip.faces.canonical import eye_distance
from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER
from text2lip.renderers.contour import SUBDIVISION, smooth
from text2lip.renderers.warp import smoothstep


# By eye; pairs are from where an edge is not believed to where it is.
SAMPLES, FARTHEST = 24, 0.9  # colours from the inner contour on; the last, of a lip's thickness
OUTER_HALF = slice(12, -3)
MIDDLE = slice(2 * SUBDIVISION, -2 * SUBDIVISION)
EDGE_BLUR = 0.6  # pixels over which a photograph's edge between teeth and lip spreads
PALE = 0.82  # share of a lip's redness below which it is no lip
DEEPEST = 0.65  # share of a lip's thickness that may turn out to be teeth
COLOURS_APART = (1.2, 2.4)  # distance of the two colours, standard deviations
PALER = (0.10, 0.30)  # of a lip's redness, what the inside lacks
RED = (0.03, 0.08)  # redness of a lip
# Light plays on shut lips: of lips that are hardly parted, units, no edge is further away than their gap by this.
HARDLY_PARTED, FURTHEST_EDGE = (0.034, 0.05), 0.9
CORNERS = np.minimum(1.5 * np.sin(np.linspace(0, np.pi, 11)), 1)  # what an edge may be there, where lips are thin
NEARER_LIPS, SPREAD_LEAST = (0.6, 0.4), 2e-4  # the threshold's shares of both colours; added to their variances


def lip_edges(portrait: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the inside of the mouth reaches into what the landmarks call lip.

    The colours between the inner contours are told from those of the outer halves of the lips by Fisher's linear
    discriminant, where they are less red than lips, and by their lack of red alone; every inner point is then moved
    outwards, along its lip's thickness, to where lip colour begins. On a closed mouth or a grey picture nothing moves.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.

    Returns:
        two `(11, 2)` float32 arrays, pixels: from the upper and lower inner points to the true edges.
    """
    sides = ((INNER_UPPER, OUTER_UPPER), (INNER_LOWER, OUTER_LOWER))
    inner = [smooth(points[list(i)]) for i, _ in sides]
    thickness = [smooth(points[list(o)] - points[list(i)]) for i, o in sides]
    away = np.linspace(0, FARTHEST, SAMPLES, dtype=np.float32)
    profiles = [_sample(portrait, i[:, None] + away[:, None] * t[:, None]) for i, t in zip(inner, thickness)]
    across = np.linspace(0.2, 0.8, 8, dtype=np.float32)[:, None]
    inside = _sample(portrait, inner[0][2:-2, None] * (1 - across) + inner[1][2:-2, None] * across).reshape(-1, 3)
    lips = np.concatenate([p[MIDDLE, OUTER_HALF].reshape(-1, 3) for p in profiles])
    direction, threshold, distance = _discriminant(lips, inside)
    red = float(np.median(_redness(lips)))
    pale = 1 - float(np.median(_redness(inside))) / max(red, 0.02)
    sure = float(smoothstep(distance, *COLOURS_APART) * smoothstep(pale, *PALER))
    gap = float(np.linalg.norm(points[list(INNER_LOWER)] - points[list(INNER_UPPER)], axis=-1).max())
    most = FURTHEST_EDGE * gap + eye_distance(points) * smoothstep(gap / eye_distance(points), *HARDLY_PARTED)
    edges = []
    for profile, across in zip(profiles, thickness):
        lip = float(np.median(_redness(profile[MIDDLE, OUTER_HALF])))
        blur = EDGE_BLUR / np.maximum(np.linalg.norm(across, axis=-1), 1)
        teeth = _edge(PALE * lip - _redness(profile), away, blur) * float(smoothstep(lip, *RED))
        edge = np.maximum(sure * _edge(profile @ direction - threshold, away, blur), teeth)
        edge = edge[:, None] * across[::SUBDIVISION]
        length = np.linalg.norm(edge, axis=-1, keepdims=True)
        edges.append((edge * np.minimum(most / np.maximum(length, 1e-6), 1)).astype(np.float32))
    return edges[0], edges[1]


def _sample(portrait: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Colours in 0..1 at pixel `positions` (rows, columns, 2): `(rows, columns, 3)` float32."""
    maps = np.ascontiguousarray(positions[..., 0], np.float32), np.ascontiguousarray(positions[..., 1], np.float32)
    return cv2.remap(portrait, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32) / 255


def _redness(colours: np.ndarray) -> np.ndarray:
    """How red colours `(..., 3)` are, whatever their brightness; about 0 for teeth, 0.1 to 0.3 for lips."""
    return (colours[..., 0] - colours[..., 1]) / (colours.sum(-1) + 0.05)


def _discriminant(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Direction, threshold and distance in standard deviations of Fisher's discriminant between two colour sets."""
    spread = 0.5 * (np.cov(first.T) + np.cov(second.T)) + SPREAD_LEAST * np.eye(3)
    step = second.mean(0) - first.mean(0)
    direction = np.linalg.solve(spread, step)
    distance = float(np.sqrt(max(step @ direction, 1e-12)))
    direction = direction / distance
    return direction, float((NEARER_LIPS[0] * first.mean(0) + NEARER_LIPS[1] * second.mean(0)) @ direction), distance


def _edge(score: np.ndarray, away: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Share of the lip's thickness, per point, that scores as inside.

    Args:
        score (`np.ndarray`): `(61, samples)`, positive inside the mouth.
        away (`np.ndarray`): `(samples,)` shares of the thickness.
        blur (`np.ndarray`): `(61,)` share by which an edge that was found is moved on.

    Returns:
        `np.ndarray`: `(11,)`: the deepest edge near each inner point, less in the corners, without spikes.
    """
    score = cv2.GaussianBlur(score.astype(np.float32), (5, 1), 0)
    lip = score < 0
    first = np.where(lip.any(1), lip.argmax(1), 0)
    edge = np.minimum(away[first] + blur * (first > 0), DEEPEST)
    near = cv2.dilate(edge[:, None].astype(np.float32), np.ones((SUBDIVISION - 1, 1), np.uint8))[::SUBDIVISION, 0]
    return np.minimum(near, np.convolve(median_filter(near, 3), (0.25, 0.5, 0.25), "same")) * CORNERS
