"""Frames against real frames: SSIM, PSNR, PSNR inside the mouth, flicker.

Clips are (frames, height, width, 3) RGB, uint8 or float in [0, 1], numpy or torch, of equal length and size. The
`mouth_` figures are the same functions on the stabilised mouth crops. Learned measures: perceptual.py, frechet.py.
"""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from text2lip.media.color import to_luma
from text2lip.metrics.aggregate import Tally, mean_of, to_array
from text2lip.metrics.frame_arrays import frame_pair, levels


OPEN_GAP = 0.02
"""Frames whose real inner lip gap is over this, in outer-eye units, show the inside of the mouth."""

ROUNDING_MSE = 1 / 12
"""Mean squared error of rounding to 8 bits: the floor of the PSNR, which thus ends at 58.92 dB."""

_WINDOW = cv2.getGaussianKernel(11, 1.5, cv2.CV_64F)
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(ours: Any, real: Any) -> float:
    """Structural similarity of Wang, Bovik, Sheikh & Simoncelli 2004, Eq. 13, mean over pixels and frames.

    Their settings: on the luminance (BT.601, not rounded), 11 x 11 Gaussian window of sigma 1.5 that sums to 1,
    K1 = 0.01, K2 = 0.03, L = 255, covariances without Bessel's correction, only windows that lie wholly in the frame,
    no downsampling. Equal to scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255)` on that luminance.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3), uint8 or float in [0, 1].

    Returns:
        `float`: in [-1, 1], 1 for equal frames.

    Raises:
        ValueError: the shapes differ, the frames are smaller than 11 px, or their values are out of range.
    """
    ours, real = frame_pair(ours, real)
    if min(ours.shape[1:3]) < 11:
        raise ValueError(f"ours: is {ours.shape[2]} x {ours.shape[1]} px; SSIM wants sides of at least 11.")
    return float(np.mean([_ssim_frame(a, b) for a, b in zip(levels(ours), levels(real))]))


def psnr(ours: Any, real: Any) -> float:
    """Peak signal-to-noise ratio of each frame, 10 log10(255^2 / MSE) over pixels and channels, mean over frames.

    The mean squared error is floored at 1/12, that of rounding to 8 bits: frames that are equal (the first one of a
    repeated portrait) count as 58.92 dB rather than as infinity.

    Args and errors as in [`ssim`], but for sides that may be smaller.

    Returns:
        `float`: dB, at most 58.92.
    """
    ours, real = frame_pair(ours, real)
    return float(np.mean([decibels(((a - b) ** 2).mean()) for a, b in zip(levels(ours), levels(real))]))


def decibels(mse: float) -> float:
    """PSNR in dB of a mean squared error on the scale of 255, which is floored at 1/12."""
    return float(10 * np.log10(255**2 / max(float(mse), ROUNDING_MSE)))


def flicker(ours: Any, real: Any) -> Tally:
    """Mean absolute difference of neighbouring frames, ours over real: how lively the picture is, 0 for a still.

    Meant for the stabilised mouth crop, where the head's own motion does not count. 1 is no aim: most of a film's
    change is its own noise, while a constant mouth is to give constant frames. More than 1 is flicker.

    Args and errors as in [`ssim`], but for sides that may be smaller.

    Returns:
        `Tally`: our difference and the real one, in levels of 255; `.value` is their ratio, None where the real clip
        has one frame or does not change. A set's figure is [`~text2lip.metrics.pooled`] over its clips.
    """
    ours, real = frame_pair(ours, real)
    real_change = _change(real)
    return Tally(_change(ours), real_change) if real_change else Tally()


def inner_mouth_psnr(ours: Any, real: Any, inner_lips: Any, gap: Any) -> float | None:
    """PSNR of the pixels inside the real inner lips, over the frames whose real gap is over 0.02: teeth and tongue.

    The squared error is pooled over all such pixels of the clip before it is turned into dB (a frame that shows little
    of the mouth counts little).

    Args:
        ours, real: mouth crops, (frames, height, width, 3), uint8 or float in [0, 1].
        inner_lips (`np.ndarray`): (frames, corners, 2), x and y in pixels of the crop (the centre of the first pixel
            is 0, 0): the outline of the real inner lips in order, see [`inner_lip_polygon`].
        gap (`np.ndarray`): (frames,), the real gap |13 - 14| in outer-eye units.

    Returns:
        `float` or None: dB, at most 58.92; None where the mouth is never open.

    Raises:
        ValueError: shapes or lengths that do not fit.
    """
    ours, real = frame_pair(ours, real)
    inner_lips, gap = to_array(inner_lips, np.float64), to_array(gap, np.float64)
    if inner_lips.ndim != 3 or inner_lips.shape[::2] != (len(real), 2):
        raise ValueError(f"inner_lips: has shape {inner_lips.shape}; wants ({len(real)}, corners, 2).")
    if gap.shape != (len(real),):
        raise ValueError(f"gap: has shape {gap.shape}; wants ({len(real)},).")
    errors = []
    for a, b, outline, opened in zip(levels(ours), levels(real), inner_lips, gap > OPEN_GAP):
        if opened:
            errors.append(((a - b) ** 2)[inside_polygon(outline, *a.shape[:2])].ravel())
    error = np.concatenate(errors) if errors else np.empty(0)
    return decibels(error.mean()) if error.size else None


def inner_lip_polygon(lips: np.ndarray) -> np.ndarray:
    """The 20 inner lip points of driven points (..., 57, 2) as a closed outline (..., 20, 2), corner to corner."""
    inner = np.asarray(lips)[..., 20:40, :]  # 11 lower from corner to corner, then 9 upper, in the same direction
    return np.concatenate([inner[..., :11, :], inner[..., :10:-1, :]], axis=-2)


def inside_polygon(outline: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels whose centre lies inside `outline` (corners, 2) by the even-odd rule: bool (height, width)."""
    low = np.floor(outline.min(0)).clip(0, (width, height)).astype(int)
    high = np.ceil(outline.max(0) + 1).clip(0, (width, height)).astype(int)
    x, y = np.arange(low[0], high[0])[None, :, None], np.arange(low[1], high[1])[:, None, None]
    x0, y0 = outline.T
    x1, y1 = np.roll(outline, -1, axis=0).T
    spans = (y0 <= y) != (y1 <= y)  # (height, 1, corners)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        box = ((spans & (x < crossing)).sum(-1) % 2).astype(bool)
    inside = np.zeros((height, width), bool)
    inside[low[1] : high[1], low[0] : high[0]] = box
    return inside


def _ssim_frame(a: np.ndarray, b: np.ndarray) -> float:
    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.sepFilter2D(image, cv2.CV_64F, _WINDOW, _WINDOW)[5:-5, 5:-5]

    a, b = to_luma(a, np.float64), to_luma(b, np.float64)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    similar = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return float((similar / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean())


def _change(frames: np.ndarray) -> float:
    return mean_of(float(np.abs(after - before).mean()) for before, after in pairwise(levels(frames))) or 0.0
