"""A clip over time: its sound, its words and visemes, and how far the lips are apart."""

import math
from typing import TYPE_CHECKING

import numpy as np

from text2lip.exports.clip import Clip
from text2lip.faces.topology import OUTER_EYES
from text2lip.text.timing import Segment


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES_A_SECOND = 2.2  # at which visemes have room for their labels
WIDEST, NARROWEST = 60.0, 7.0  # inches
MAX_COLUMNS = 4000  # of the waveform at most, else a picture of an hour would be a film
LETTER = 0.075  # inches, of the small labels
_SOUND, _WORDS, _VISEMES, _LIPS, _SHUT = "#64748b", "#dbeafe", "#e2e8f0", "#1d4ed8", "#f59e0b"


def timeline_figure(clip: Clip, width: float | None = None) -> "Figure":
    """Draw what of a clip there is: waveform, words, visemes, the gap between the lips, one below the other.

    Where p, b and m are said, the lips should touch: these times are marked.

    Args:
        clip ([`Clip`]): its frames are left alone.
        width (`float`, *optional*): inches; by its duration by default, so that every viseme can be read.

    Returns:
        `matplotlib.figure.Figure`: save it with `figure.savefig("timeline.svg")`.

    Raises:
        ImportError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is missing: `pip install matplotlib`.") from error

    rows = {"sound": 1.0} if clip.audio is not None else {}
    rows |= {name: 0.4 for name in ("words", "visemes") if getattr(clip, name)} | {"lips": 1.3}
    width = width or min(max(INCHES_A_SECOND * clip.duration + 0.7, NARROWEST), WIDEST)
    figure = Figure((width, sum(rows.values()) + 0.8), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.02, hspace=0)
    axes = figure.subplots(len(rows), 1, sharex=True, height_ratios=list(rows.values()), squeeze=False)[:, 0]
    for name, axis in zip(rows, axes):
        last = axis is axes[-1]
        axis.set_xlim(0, clip.duration)
        axis.set_ylabel("lip gap" if last else name, rotation=0, ha="right", va="center")
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["bottom", "left"]].set_visible(last)
        axis.tick_params(bottom=last, left=last, labelleft=last, labelsize=8)
    inch = width / clip.duration
    for name, axis in zip(rows, axes):
        if name == "sound":
            _draw_sound(axis, clip)
        elif name == "lips":
            _draw_gap(axis, clip)
        else:
            _draw_labels(axis, getattr(clip, name), clip.phones if name == "visemes" else [], inch)
    axes[-1].set_xlabel("seconds")
    return figure


def lip_gaps(clip: Clip) -> np.ndarray:
    """How far the inner lips are apart in the middle: float32 (num_frames,), in distances of the outer eye corners."""
    height, width = clip.size
    points = clip.landmarks * np.asarray((width, height), np.float32)
    right, left = OUTER_EYES
    unit = np.median(np.linalg.norm(points[:, right] - points[:, left], axis=1))
    return np.linalg.norm(points[:, 13] - points[:, 14], axis=1) / unit


def _draw_sound(axis: "Axes", clip: Clip) -> None:
    """Least and greatest sample of each column."""
    sound = clip.audio if clip.audio.ndim == 1 else clip.audio.mean(0)
    step = math.ceil(len(sound) / MAX_COLUMNS)
    columns = np.pad(sound, (0, -len(sound) % step)).reshape(-1, step)
    seconds = np.arange(len(columns)) * step / clip.sampling_rate
    axis.fill_between(seconds, columns.min(1), columns.max(1), color=_SOUND, linewidth=0.4)
    loudest = max(float(np.abs(sound).max()), 1e-3)
    axis.set_ylim(-loudest, loudest)


def _draw_labels(axis: "Axes", segments: list[Segment], phones: list[Segment], inch: float) -> None:
    """A box for each, and its label where there is room; boxes of p, b and m in another colour."""
    shut = _closures(phones)
    plain = _VISEMES if phones else _WORDS
    for label, start, end in segments:
        if not label or label == "sil":
            continue
        closed = any(start < later and end > sooner for sooner, later in _shrunk(shut))
        axis.axvspan(start, end, facecolor=_SHUT if closed else plain, edgecolor="white")
        if len(label) * LETTER < (end - start) * inch:
            place = {"ha": "center", "va": "center", "clip_on": True}
            axis.text((start + end) / 2, 0.5, label, fontsize=7.5, parse_math=False, **place)  # "$5" is no formula
    axis.set_ylim(0, 1)


def _draw_gap(axis: "Axes", clip: Clip) -> None:
    """The curve, and where it should come down."""
    gaps = lip_gaps(clip)
    for start, end in _closures(clip.phones):
        axis.axvspan(start, end, facecolor=_SHUT, alpha=0.3, linewidth=0)
    axis.plot((np.arange(len(gaps)) + 0.5) / clip.fps, gaps, color=_LIPS, linewidth=1.5)
    axis.set_ylim(0, max(0.1, 1.1 * float(gaps.max())))
    axis.locator_params(axis="y", nbins=4)


def _closures(phones: list[Segment]) -> list[tuple[float, float]]:
    return [(start, end) for label, start, end in phones if label[:1] in ("p", "b", "m")]


def _shrunk(times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without their edges, which neighbours share."""
    return [(start + 0.2 * (end - start), end - 0.2 * (end - start)) for start, end in times]
