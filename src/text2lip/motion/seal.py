"""Lips that close where the speech says so: in a frame of every /p b m/, nearly in all of /f v/, and in pauses."""

import numpy as np
import torch

from text2lip.faces.topology import (
    INNER_LOWER_PAIRED,
    INNER_UPPER_PAIRED,
    OUTER_LOWER_PAIRED,
    OUTER_UPPER_PAIRED,
    driven_index,
)
from text2lip.motion.retarget import OUTER_SHARE, UPPER_SHARE
from text2lip.speech.alignment.silences import pauses, runs
from text2lip.speech.features import HOP_SECONDS, SAMPLING_RATE, mfcc
from text2lip.text.visemes import FEATURES


# By eye on rendered clips; BREATH was seen on GRID's talker, see `rest_weight`.
EASE = 0.06  # seconds over which pressed lips come together and part again
TUCKED = 0.03  # outer-eye distances; the gap that /f v/ leave over the lower lip
HELD = 0.2  # seconds; of longer closed phones the middle half stays shut
PAUSE = 0.2  # seconds; in shorter silences the lips need not close
SETTLE = 0.9  # share of the motion that goes in a pause
CLOSE = 0.12  # seconds that lips take to close after speech
INAUDIBLE = -20.0  # dB as [`mfcc`] has them, of levelled sound; some 40 below speech
BREATH = 0.7  # seconds ahead of speech at which a mouth begins to open, at most
_INNER_UPPER, _INNER_LOWER = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
_OUTER_UPPER, _OUTER_LOWER = driven_index(OUTER_UPPER_PAIRED), driven_index(OUTER_LOWER_PAIRED)


def widest_gap(features: torch.Tensor) -> torch.Tensor:
    """How far apart the lips may be in the middle of a phone: (batch, tokens), canonical units, infinite for most.

    Args:
        features (`torch.Tensor`): (batch, tokens, 6) in [0, 1], articulatory features; over 1/2 counts.
    """
    closure, labiodental = (features[..., FEATURES.index(name)] > 0.5 for name in ("closure", "labiodental"))
    gap = torch.full_like(features[..., 0], float("inf"))
    return gap.masked_fill(labiodental, TUCKED).masked_fill(closure, 0.0)


def press_lips(
    motion: torch.Tensor, widest: torch.Tensor, start: torch.Tensor, end: torch.Tensor, fps: float
) -> torch.Tensor:
    """Bring the lips of `motion` together in at least one frame of every phone that asks for it; in /f v/ in all.

    What their gap is too wide is taken away, and less and less of it in the frames around: of /p b m/ where the
    phone's own motion has the lips nearest to each other, of /f v/, whose lip lies at the teeth, over the whole phone.
    Lips that are near enough stay as they are, and so does the time at which they meet. A phone that begins after the
    last frame changes nothing.

    Args:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement from rest, canonical units.
        widest (`torch.Tensor`): (batch, tokens), of [`widest_gap`]; infinite in padding.
        start (`torch.Tensor`): (batch, tokens), seconds.
        end (`torch.Tensor`): (batch, tokens), seconds.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.

    Returns:
        `torch.Tensor`: (batch, frames, 57, 2).
    """
    frames = motion.shape[1]
    times = (torch.arange(frames, device=motion.device, dtype=motion.dtype) + 0.5) / fps
    gap = inner_gap(motion)
    closed_by = torch.zeros_like(gap)
    for clip, token in widest.isfinite().nonzero().tolist():
        excess = (gap[clip] - widest[clip, token]).clamp(min=0)
        first, last = float(start[clip, token]), float(end[clip, token])
        begin = int(first * fps + 1e-4)
        if begin >= frames:
            continue
        inside = slice(begin, max(begin + 1, min(frames, int(last * fps + 0.5))))
        held = torch.arange(inside.start, inside.stop, device=motion.device)
        if not widest[clip, token]:  # a closure is short, but a lip at the teeth stays there
            nearest = inside.start + gap[clip, inside].amax(-1).argmin()
            part = (last - first) / 4 if last - first > HELD else 0.0
            held = held[((times[held] - (first + last) / 2).abs() < part) | (held == nearest)]
        reach = int(EASE * fps) + 1
        span = torch.arange(max(0, int(held[0]) - reach), min(frames, int(held[-1]) + reach + 1), device=motion.device)
        at = span.clamp(held[0], held[-1])
        eased = 0.5 + 0.5 * torch.cos(torch.pi * ((times[span] - times[at]).abs() / EASE).clamp(max=1))
        closed_by[clip, span] = torch.maximum(closed_by[clip, span], eased[:, None] * excess[at])
    return close_by(motion, torch.minimum(closed_by, gap))


def settle(motion: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Calm `motion` (batch, frames, 57, 2) in pauses: `SETTLE` of it goes where `rest` (batch, frames) is 1."""
    return motion * (1 - SETTLE * rest)[..., None, None]


def rest_weight(
    silent: torch.Tensor, start: torch.Tensor, end: torch.Tensor, num_frames: int, fps: float
) -> torch.Tensor:
    """How far the mouth is at rest in pauses; the first and the last token of a clip rest to its very ends.

    Real mouths open well before they speak: GRID's talker by a third of what he opens in speech. So rest fades over
    `BREATH` ahead of speech, in half of a shorter pause, or in all of the silence that a clip begins with.

    Args:
        silent (`torch.Tensor`): bool (batch, tokens), True for silences; those shorter than `PAUSE` don't count.
        start (`torch.Tensor`): (batch, tokens), seconds.
        end (`torch.Tensor`): (batch, tokens), seconds.
        num_frames (`int`): frames; frame f is the picture at (f + 1/2) / fps.
        fps (`float`): frames per second.

    Returns:
        `torch.Tensor`: (batch, frames) in [0, 1].
    """
    times = (torch.arange(num_frames, device=start.device, dtype=start.dtype) + 0.5) / fps
    pause = silent & (end - start >= PAUSE)
    weight = times.new_zeros(len(start), len(times))
    for clip, token in pause.nonzero().tolist():
        first, last = start[clip, token], end[clip, token]
        inside = (times >= first) & (times < last)
        closed = unit_smoothstep((times - first) / CLOSE) if first > 0 else torch.ones_like(times)
        if last < end[clip, -1]:
            part = torch.clamp((last - first) * (0.5 if first > 0 else 1.0), max=BREATH)
            closed = closed * unit_smoothstep((last - times) / part)
        weight[clip] = torch.where(inside, closed, weight[clip])
    return weight


def quiet_weight(audio: np.ndarray, num_frames: int, fps: float) -> torch.Tensor:
    """[`rest_weight`] of sound alone, where no phones tell of pauses: 1 where nothing is heard for `PAUSE` s or more.

    Args:
        audio (`np.ndarray`): float (samples,) at 16 kHz, [`~text2lip.speech.features.levelled`].
        num_frames (`int`): frames; frame f is the picture at (f + 1/2) / fps.
        fps (`float`): frames per second.

    Returns:
        `torch.Tensor`: float32 (1, frames) in [0, 1].
    """
    energy = mfcc(audio).energy
    quiet = pauses(energy) | (energy < INAUDIBLE)
    edges = torch.from_numpy(runs(quiet) * HOP_SECONDS).float()
    length = torch.tensor([[max(len(audio) / SAMPLING_RATE, num_frames / fps)]])  # a moment after all that is heard
    edges[edges[:, 1] >= len(quiet) * HOP_SECONDS - 1e-4, 1] = float(length)
    start, end = (torch.cat([edges[None, :, side], length], 1) for side in (0, 1))
    return rest_weight(torch.ones_like(start, dtype=torch.bool), start, end, num_frames, fps)


def unit_smoothstep(x: torch.Tensor) -> torch.Tensor:
    """0 below 0, 1 above 1, 3 x^2 - 2 x^3 between."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def seal_lips(motion: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Bring the lips of `motion` together by `weight`: 0 leaves them, 1 closes them as the mouth at rest is closed.

    Args:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement from rest, canonical units.
        weight (`torch.Tensor`): (batch, frames) in [0, 1].

    Returns:
        `torch.Tensor`: (batch, frames, 57, 2).
    """
    return close_by(motion, inner_gap(motion) * weight[..., None])


def inner_gap(motion: torch.Tensor) -> torch.Tensor:
    """How much farther apart than at rest each pair of inner lip points is, at least 0: (batch, frames, 9)."""
    return (motion[..., _INNER_LOWER, 1] - motion[..., _INNER_UPPER, 1]).clamp(min=0)


def close_by(motion: torch.Tensor, gap: torch.Tensor) -> torch.Tensor:
    """`motion` (batch, frames, 57, 2) with the inner lips nearer to each other by `gap` (batch, frames, 9)."""
    closed = motion.clone()
    closed[..., _INNER_UPPER, 1] += UPPER_SHARE * gap
    closed[..., _INNER_LOWER, 1] -= (1 - UPPER_SHARE) * gap
    closed[..., _OUTER_UPPER, 1] += OUTER_SHARE * UPPER_SHARE * gap
    closed[..., _OUTER_LOWER, 1] -= OUTER_SHARE * (1 - UPPER_SHARE) * gap
    return closed
