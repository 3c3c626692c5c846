"""Whether a picture is a photograph, which is what networks and fits have seen."""

import cv2
import numpy as np

from text2lip.media.color import to_luma
from text2lip.renderers.warp import smoothstep


FLAT = (0.20, 0.40)  # share of equal neighbours in the mouth crop: photographs have up to 0.18, cartoons 0.35 and more
INKED = (95.0, 122.0)  # 99th percentile of the Laplacian around the mouth, levels: photographs 20 to 80, pen lines 124


def photographic(source: np.ndarray) -> float:
    """How far a mouth crop `(size, size, 3)` uint8 looks like a photograph: 1 for one, 0 for flat areas and lines.

    The network has seen photographs only. In a drawing many pixels equal their neighbours, to half a grey level, or
    lines are thin and black.
    """
    grey = to_luma(source.astype(np.float32))
    steps = np.maximum(np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1])
    quarter = len(grey) // 4
    lines = np.abs(cv2.Laplacian(grey, cv2.CV_32F)[quarter:-quarter, quarter:-quarter])
    flat, inked = smoothstep((steps < 0.5).mean(), *FLAT), smoothstep(np.percentile(lines, 99), *INKED)
    return float((1 - flat) * (1 - inked))
