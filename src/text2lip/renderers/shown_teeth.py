"""Where an open portrait shows its own upper teeth, which stay with the head while the lips slide over them."""

import cv2
import numpy as np

from text2lip.faces.topology import INNER_LOWER, INNER_UPPER
from text2lip.media.color import to_luma
from text2lip.renderers.contour import blur, mouth_masks, smooth, uncross
from text2lip.renderers.warp import FaceFrame, smoothstep


# By eye; pairs are from none to all.
TEETH_FEATHER = 0.012  # softness of the portrait's own teeth, units
SHOWN_EDGE, SHOWN_FADE, SHOWN_GAP = 0.7, 0.35, (0.03, 0.08)  # share of the lips' edges, of the gap below, and the gap
TALLEST = 0.12  # units of a tooth; beyond it are lower ones
ROW_WHITE, ROW_LEAST = 90, 0.5  # percentile of what lies there that is as bright as teeth, and of the drawn ones' luma
ROW_LUMA, ROW_RED = (0.35, 0.6), (0.13, 0.2)  # of that; redness
ROW_LINES = 0.028  # units: half of what is between teeth, lines and the gum at their necks


def shown_teeth(
    portrait: np.ndarray,
    points: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray],
    face: FaceFrame,
    box: tuple[int, int, int, int],
    teeth: np.ndarray,
) -> np.ndarray:
    """What lies between the lips and is as bright and as pale as teeth, fading towards the lower lip.

    The rest, dark corners, a tongue and the depth behind, changes as a mouth opens and shuts: that is the scene's.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
        edges (`tuple`): of [`lip_edges`].
        face ([`FaceFrame`]): of the face.
        box (`tuple`): x0, y0, x1, y1 of what is looked at, pixels.
        teeth (`np.ndarray`): `(3,)`, what colour teeth are drawn in.

    Returns:
        `np.ndarray`: `(rows, columns)` float32 over the box, in [0, 1].
    """
    upper, lower = (points[list(lip)] + SHOWN_EDGE * edge for lip, edge in zip((INNER_UPPER, INNER_LOWER), edges))
    upper, lower = uncross(upper, lower, face.down)
    gap = (lower - upper) @ face.down
    highest = np.maximum((points[list(INNER_UPPER)] - upper) @ face.down, 0) + TALLEST * face.unit
    ends = upper + np.minimum((1 - SHOWN_FADE) * gap, highest)[:, None] * face.down
    inside = mouth_masks(smooth(upper), smooth(ends), face, box, TEETH_FEATHER * face.unit)[1]
    inside *= float(smoothstep(np.abs(gap).max() / face.unit, *SHOWN_GAP))
    x, y, width, height = cv2.boundingRect((inside > 0).astype(np.uint8))
    near = inside[y : y + height, x : x + width]
    if near.any():
        picture = portrait[box[1] + y : box[1] + y + height, box[0] + x : box[0] + x + width].astype(np.float32)
        luma = to_luma(picture)
        white = max(float(np.percentile(luma[near > near.max() / 2], ROW_WHITE)), ROW_LEAST * float(to_luma(teeth)))
        red = (picture[..., 0] - picture[..., 1]) / (picture.sum(-1) + 1)
        like = np.float32(smoothstep(luma / white, *ROW_LUMA) * (1 - smoothstep(red, *ROW_RED)))
        size = 2 * max(round(ROW_LINES * face.unit), 1) + 1
        like = cv2.morphologyEx(like, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        near *= blur(like, max(TEETH_FEATHER * face.unit / 2, 0.5))
    return inside
