"""Is the picture of a mouth as sharp, and are the lips of the same colour, as in the film?

All frames are mouth crops of the protocol, `CROP_SIDE` outer-eye units wide, cut at the film's own resolution where
that is over 96 px: see [`~text2lip.faces.crop.mouth_crop_transform`]. Lips are the 40 or 57 driven points in pixels of
the crop, the centre of the first pixel at 0, 0. Ours and the film's each have their own, so that a mouth that says
something else is judged as well. Ratios are ours over the film's: 1 is the film's own; less is softer.
"""

from typing import Any

import cv2
import numpy as np

from text2lip.faces.canonical import lip_gap
from text2lip.faces.crop import CROP_SIDE
from text2lip.media.color import to_luma
from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames, frame_pair, levels
from text2lip.metrics.image import inner_lip_polygon, inside_polygon
from text2lip.metrics.perceptual import LPIPSModel, lpips


DETAIL_GAP = 0.03  # outer-eye units: frames whose lips are parted by more show an inside to look at
BOX_SIZE = 96  # pixels that the box of the opening is enlarged to
EDGE_REACH, EDGE_NEAR, EDGE_STEPS = 0.03, 0.01, 3  # units to look for a line's edge: at most, at least; steps
LIP_LINES = ((range(11), range(20, 31)), ((0, *range(11, 20), 10), (20, *range(31, 40), 30)))
"""Of the lower and the upper lip: outer and inner line from corner to corner, as places among the lips' 40 points."""


def inner_lpips(ours: Any, real: Any, real_lips: Any, model: LPIPSModel | None = None) -> float | None:
    """[`lpips`] of the box around the film's opening, enlarged to 96 x 96 px, mean over frames with a gap over 0.03.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): mouth crops (frames, size, size, 3), uint8 or float in [0, 1].
        real_lips (`np.ndarray`): (frames, 40 or 57, 2), pixels of the crop: the film's lips, for ours too.
        model (`LPIPSModel`, *optional*): defaults to the weights in the weights folder.

    Returns:
        `float` or None: >= 0, lower is better; None where the mouth is never so far open.

    Raises:
        ValueError: shapes that do not fit, or lips with NaN.
        MissingWeights: no model is given and the weights are not there.
    """
    ours, real = frame_pair(ours, real)
    lips = _check_lips(real_lips, real, "real_lips")
    boxes = [_opening_box(points, real.shape[1]) for points in inner_lip_polygon(lips)]
    seen = [i for i in _opened(lips, real) if boxes[i] is not None]
    if not seen:
        return None
    enlarged = (
        np.stack([cv2.resize(x[i][boxes[i]], (BOX_SIZE,) * 2, None, 0, 0, cv2.INTER_LINEAR) for i in seen])
        for x in (ours, real)
    )
    return lpips(*enlarged, model)


def inner_sharpness(ours: Any, real: Any, our_lips: Any, real_lips: Any) -> float | None:
    """Mean gradient energy (squared length of the luminance's gradient) inside the opening, ours over the film's.

    Each side is looked at within its own inner lips, in its own frames with a gap over 0.03. Teeth and tongue that
    are painted as a soft band have less than the film's; stripes and noise have more.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): mouth crops (frames, size, size, 3), uint8 or float in [0, 1].
        our_lips, real_lips (`np.ndarray`): (frames, 40 or 57, 2), pixels of the crop.

    Returns:
        `float` or None: 1 is as sharp as the film; None where one side never opens so far or the film's is flat.

    Raises:
        ValueError: shapes that do not fit, or lips with NaN.
    """
    return _ratio(*(_inner_energy(*side) for side in _sides(ours, real, our_lips, real_lips)))


def lip_edge(ours: Any, real: Any, our_lips: Any, real_lips: Any) -> float | None:
    """Steepness of the luminance across the inner line of the lips, ours over the film's.

    At each of its 18 points the steepest change along the line's normal within 0.03 units, or half the lip's thickness
    where that is less; mean over points and over each side's frames with a gap over 0.03.

    Args, returns and errors as in [`inner_sharpness`].
    """
    return _ratio(*(_steepness(*side, 1, True) for side in _sides(ours, real, our_lips, real_lips)))


def lip_border(ours: Any, real: Any, our_lips: Any, real_lips: Any) -> float | None:
    """The same across the outer line, between lips and skin, in all frames: washed out lips have less than 1.

    Args, returns and errors as in [`inner_sharpness`].
    """
    return _ratio(*(_steepness(*side, 0, False) for side in _sides(ours, real, our_lips, real_lips)))


def lip_colour(ours: Any, real: Any, our_lips: Any, real_lips: Any) -> float | None:
    """How far the lips' mean colour is from that in the film: CIE 1976 difference of colours, Delta E*ab.

    Means are taken in CIELAB (sRGB, D65) over all frames of a side and all pixels between outer and inner lips whose
    neighbours are lips too.

    Args and errors as in [`inner_sharpness`].

    Returns:
        `float` or None: >= 0, about 2 is just seen; None where no pixel lies so.
    """
    means = [_lip_lab(*side) for side in _sides(ours, real, our_lips, real_lips)]
    return None if any(mean is None for mean in means) else float(np.linalg.norm(means[0] - means[1]))


def _sides(ours: Any, real: Any, our_lips: Any, real_lips: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames and lips of both sides, checked; they may differ in length."""
    ours, real = as_frames(ours, "ours"), as_frames(real, "real")
    if ours.shape[1:] != real.shape[1:]:
        raise ValueError(f"ours: crops of {ours.shape[1:3]} px; the film's are {real.shape[1:3]}; wants equal ones.")
    return [(ours, _check_lips(our_lips, ours, "our_lips")), (real, _check_lips(real_lips, real, "real_lips"))]


def _check_lips(lips: Any, frames: np.ndarray, name: str) -> np.ndarray:
    lips = to_array(lips, np.float64)
    if lips.ndim != 3 or lips.shape[::2] != (len(frames), 2) or lips.shape[1] not in (40, 57):
        raise ValueError(f"{name}: has shape {lips.shape}; wants ({len(frames)}, 40 or 57, 2).")
    if not np.isfinite(lips).all():
        raise ValueError(f"{name}: isn't finite; leave out frames whose lips were not found.")
    return lips


def _ratio(ours: float | None, real: float | None) -> float | None:
    return ours / real if ours is not None and real else None


def _unit(frames: np.ndarray) -> float:
    """Pixels of a crop's outer-eye unit."""
    return frames.shape[2] / CROP_SIDE


def _opened(lips: np.ndarray, frames: np.ndarray) -> np.ndarray:
    return np.flatnonzero(lip_gap(lips) > DETAIL_GAP * _unit(frames))


def _opening_box(outline: np.ndarray, size: int) -> tuple[slice, slice] | None:
    """Rows and columns of the pixels that an outline (corners, 2) reaches; None under two pixels."""
    low, high = np.floor(outline.min(0)).astype(int), np.ceil(outline.max(0)).astype(int) + 1
    low, high = low.clip(0, size), high.clip(0, size)
    return None if (high - low < 2).any() else (slice(low[1], high[1]), slice(low[0], high[0]))


def _inner_energy(frames: np.ndarray, lips: np.ndarray) -> float | None:
    energy = []
    opened = _opened(lips, frames)
    for frame, outline in zip(levels(frames[opened]), inner_lip_polygon(lips[opened])):
        down, right = np.gradient(to_luma(frame, np.float64))
        energy.append((down**2 + right**2)[inside_polygon(outline, *frame.shape[:2])])
    energy = np.concatenate(energy) if energy else np.empty(0)
    return float(energy.mean()) if energy.size else None


def _steepness(frames: np.ndarray, lips: np.ndarray, line: int, opened: bool) -> float | None:
    """Levels a unit, mean over the points of the outer (0) or inner (1) line without their corners."""
    chosen = _opened(lips, frames) if opened else np.arange(len(frames))
    unit, steep = _unit(frames), []
    for frame, points in zip(levels(frames[chosen]), lips[chosen]):
        grey = to_luma(frame, np.float64).astype(np.float32)
        for lip in LIP_LINES:
            chain, other = points[list(lip[line])], points[list(lip[1 - line])]
            tangent = chain[2:] - chain[:-2]
            normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1)
            normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
            thick = np.linalg.norm(chain - other, axis=-1)[1:-1, None]  # the other line's edge is not to be found
            step = np.clip(thick / 2, EDGE_NEAR * unit, EDGE_REACH * unit) / EDGE_STEPS
            at = chain[1:-1, None] + (np.arange(-EDGE_STEPS, EDGE_STEPS + 1) * step)[..., None] * normal[:, None]
            profile = cv2.remap(grey, at.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            slope = np.abs(profile[:, 2:] - profile[:, :-2]) / (2 * step)
            steep.append(slope.max(1) * unit)
    return float(np.mean(steep)) if steep else None


def _lip_lab(frames: np.ndarray, lips: np.ndarray) -> np.ndarray | None:
    colours = []
    for frame, points in zip(levels(frames), lips):
        outer = np.concatenate([points[:11], points[19:10:-1]])
        red = inside_polygon(outer, *frame.shape[:2]) & ~inside_polygon(inner_lip_polygon(points), *frame.shape[:2])
        red = cv2.erode(red.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # rims are half skin, half teeth
        colours.append(cv2.cvtColor((frame / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[red])
    colours = np.concatenate(colours)
    return colours.mean(0, dtype=np.float64) if len(colours) else None
