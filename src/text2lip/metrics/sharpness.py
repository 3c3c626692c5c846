"""CPBD: how much of the picture is sharp to the eye, without a reference.

Narvekar & Karam 2011, "A No-Reference Image Blur Metric Based on the Cumulative Probability of Blur Detection", with
the edge widths of Marziliano et al. 2002. Choices that the paper leaves open (Canny and Sobel thresholds, rounding)
follow its published Python implementation, so that the values agree with those in the literature.
"""

from typing import Any

import numpy as np
from scipy import ndimage

from text2lip.media.color import to_luma
from text2lip.metrics.aggregate import mean_of
from text2lip.metrics.frame_arrays import as_frames, levels


EDGE_BLOCK = 64
EDGE_SHARE = 0.002  # a block with a larger share of edge pixels is an edge block
BETA = 3.6
JUST_NOTICEABLE = (5.0, 3.0)  # widths in pixels, for a contrast up to 50 and above
DETECTABLE = 63  # per cent: probability at which blur is just noticed
LONGEST_SIDE = 100  # an edge is followed for at most so many pixels on each side


def cpbd(frames: Any) -> float | None:
    """Cumulative probability of blur detection of the luminance, mean over frames.

    Args:
        frames (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3), uint8 or float in [0, 1], RGB, or a
            ValueError. Sides under 64 px hold no block.

    Returns:
        `float` or None: in [0, 1], the share of edges that look sharp; None where no frame has an edge to judge.
    """
    return mean_of(sharp_share(to_luma(frame, np.float64)) for frame in levels(as_frames(frames)))


def sharp_share(grey: np.ndarray) -> float | None:
    """CPBD of one picture, float64 (height, width) in [0, 255]; None without an edge in an edge block."""
    edges = canny_edges(grey)
    widths = edge_widths(grey)
    sharp = total = 0
    for top in range(0, grey.shape[0] - EDGE_BLOCK + 1, EDGE_BLOCK):
        for left in range(0, grey.shape[1] - EDGE_BLOCK + 1, EDGE_BLOCK):
            block = np.s_[top : top + EDGE_BLOCK, left : left + EDGE_BLOCK]
            if np.count_nonzero(edges[block]) <= EDGE_SHARE * EDGE_BLOCK**2:
                continue
            width = widths[block][widths[block] > 0]
            noticeable = JUST_NOTICEABLE[int(np.ptp(grey[block])) > 50]
            blurred = 1 - np.exp(-((width / noticeable) ** BETA))
            sharp += np.count_nonzero(np.round(100 * blurred) <= DETECTABLE)
            total += width.size
    return sharp / total if total else None


def edge_widths(grey: np.ndarray) -> np.ndarray:
    """Width in pixels of each vertical edge, measured along the row (Marziliano et al. 2002); 0 elsewhere.

    An edge pixel's width is the run of strictly rising (or falling) pixels around it, at least 2.
    """
    gradient_y, gradient_x = np.gradient(grey)
    angle = np.where(gradient_x != 0, np.degrees(np.arctan2(gradient_y, gradient_x)), 0.0)
    angle = 45 * np.round(angle / 45)
    step = np.diff(grey, axis=1)
    widths = np.zeros(grey.shape)
    if not angle.any():
        return widths
    for wanted, monotone in ((angle == 0, step > 0), (np.abs(angle) == 180, step < 0)):
        left, right = _runs(monotone), _runs(monotone[:, ::-1])[:, ::-1]
        # step j is from pixel j to j + 1: left of pixel c the run ends with step c - 2, right it begins at c + 1
        total = np.zeros(grey.shape)
        total[:, 2:] += left[:, : grey.shape[1] - 2]
        total[:, :-2] += right[:, 1:]
        widths = np.where(wanted, total + 2, widths)
    widths[~sobel_edges(grey)] = 0
    widths[[0, -1]] = 0
    widths[:, [0, -1]] = 0
    return widths


def sobel_edges(grey: np.ndarray) -> np.ndarray:
    """Local maxima of the squared horizontal Sobel response above twice its root mean: bool (height, width)."""
    response = ndimage.convolve(grey, np.outer([1, 2, 1], [1, 0, -1]) / 8) ** 2
    response[response <= 2 * np.sqrt(response.mean())] = 0
    padded = np.pad(response, 1)
    x = (response > padded[1:-1, :-2]) & (response > padded[1:-1, 2:])
    y = (response > padded[:-2, 1:-1]) & (response > padded[2:, 1:-1])
    return x | y


def canny_edges(grey: np.ndarray, low: float = 0.1, high: float = 0.2) -> np.ndarray:
    """Canny 1986: ridges of the gradient after a Gaussian of sigma 1, with hysteresis; bool (height, width)."""
    smooth = ndimage.gaussian_filter(grey, 1.0)
    dy, dx = ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1)
    size = np.hypot(dx, dy)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.stack([dy, dx]) / np.maximum(np.abs(dx), np.abs(dy))
    grid = np.indices(grey.shape)
    unit = np.nan_to_num(unit)
    ahead, behind = (ndimage.map_coordinates(size, grid + side * unit, order=1) for side in (1, -1))
    ridge = (size >= ahead) & (size >= behind) & (size >= low)
    ridge[[0, -1]] = ridge[:, [0, -1]] = False
    label, count = ndimage.label(ridge, np.ones((3, 3)))
    strong = np.zeros(count + 1, bool)
    strong[np.unique(label[ridge & (size >= high)])] = True
    strong[0] = False
    return strong[label]


def _runs(mask: np.ndarray) -> np.ndarray:
    """Length of the run of True that ends at each place of the rows of `mask`, at most 100."""
    index = np.arange(mask.shape[1])
    last_false = np.maximum.accumulate(np.where(mask, -1, index), axis=1)
    return np.minimum(index - last_false, LONGEST_SIDE)
