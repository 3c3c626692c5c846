"""What most people's lips do and those of the one talker that the models learnt from do less: purse, draw in, part.

GRID's s1 widens his mouth as he opens it and hardly purses it, and that is no error of the mesh: an independent
detector of 68 points sees it too, and an eye. Three of four other talkers narrow theirs as they open it and purse by
twice as much; a portrait is one of those others.
"""

import torch

from text2lip.faces.topology import INNER_MIDDLE, INNER_UPPER_PAIRED, LIPS, MOUTH_CORNERS, canonical_mesh
from text2lip.motion.seal import close_by, inner_gap, unit_smoothstep
from text2lip.motion.tongue import BETWEEN
from text2lip.text.visemes import FEATURES, LETTER_CLASS, PHONE_TO_ID


# Chosen on GRID's `val_speaker`, and small enough that s1 still knows himself on `val`.
PURSED = 0.015  # outer-eye distances; how much narrower a fully rounded sound is
DRAWN_IN = 0.05  # how much narrower an open mouth is, of its gap
DENTAL_GAP = 0.05  # outer-eye distances; the least gap of /θ ð/, through which one sees the tongue
VOWEL_GAP = 0.15  # the same of a vowel with the jaw all down
OPEN_JAW, OPEN_SECONDS = 0.8, 0.12  # from which jaw on; seconds that it takes
SHAPE_SECONDS = 0.1  # in which lips come to a phone's shape and leave it
_DENTAL = [PHONE_TO_ID[letter] for letter in BETWEEN]
_VOWELS = [PHONE_TO_ID[letter] for letter, kind in LETTER_CLASS.items() if kind == "vowel"]
_MIDDLE = INNER_UPPER_PAIRED.index(INNER_MIDDLE[0])
_ARCH = torch.sin(torch.linspace(0, torch.pi, len(INNER_UPPER_PAIRED) + 2))[1:-1]  # an opening, from corner to corner


def shape_lips(
    motion: torch.Tensor,
    phone_ids: torch.Tensor,
    features: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    fps: float,
) -> torch.Tensor:
    """Narrow the mouth of `motion` in rounded phones and as it opens; part the lips in /θ ð/ and in long low vowels.

    Args:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement from rest, canonical units.
        phone_ids (`torch.Tensor`): int64 (batch, tokens), indices in `PHONE_INVENTORY`.
        features (`torch.Tensor`): (batch, tokens, 6) in [0, 1], articulatory features, 0 in padding.
        start (`torch.Tensor`): (batch, tokens), seconds.
        end (`torch.Tensor`): (batch, tokens), seconds.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.

    Returns:
        `torch.Tensor`: (batch, frames, 57, 2).
    """
    times = (torch.arange(motion.shape[1], device=motion.device, dtype=motion.dtype) + 0.5) / fps
    rounded = spread_over(features[..., FEATURES.index("rounding")], start, end, times)
    shaped, gap = draw_in(motion, rounded), inner_gap(motion)
    jaw, length = features[..., FEATURES.index("jaw")], end - start
    dental, vowel = (torch.isin(phone_ids, phone_ids.new_tensor(ids)) for ids in (_DENTAL, _VOWELS))
    least = DENTAL_GAP * dental + VOWEL_GAP * jaw * (vowel & (jaw >= OPEN_JAW)) * (length / OPEN_SECONDS).clamp(max=1)
    least = spread_over(least, start + length / 4, end - length / 4, times)
    return close_by(shaped, -(least[..., None] * _ARCH.to(gap) - gap).clamp(min=0))


def draw_in(motion: torch.Tensor, rounded: torch.Tensor | float = 0.0, share: float = DRAWN_IN) -> torch.Tensor:
    """`motion` (batch, frames, 57, 2) with narrower mouths where they open, by `share` of their gap, and where they
    are `rounded` (batch, frames): lip points come nearer to the middle, each by its share, as strangers' lips do."""
    vertices = torch.from_numpy(canonical_mesh()[0]).to(motion)
    right, left = (vertices[point, 0] for point in MOUTH_CORNERS)
    across = vertices[list(LIPS), 0] / (left - right)
    by = PURSED * rounded + share * inner_gap(motion)[..., _MIDDLE]
    drawn = motion.clone()
    drawn[..., : len(LIPS), 0] -= by[..., None] * across
    return drawn


def spread_over(value: torch.Tensor, start: torch.Tensor, end: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Values of phones, (batch, tokens), over time: (batch, frames), the largest of all, less and less over
    `SHAPE_SECONDS` before a phone begins and after it ends."""
    spread = times.new_zeros(len(value), len(times))
    for clip, token in (value > 0).nonzero().tolist():
        first, last = start[clip, token], end[clip, token]
        near = (times > first - SHAPE_SECONDS) & (times < last + SHAPE_SECONDS)
        away = torch.maximum(first - times[near], times[near] - last).clamp(min=0)
        part = value[clip, token] * unit_smoothstep(1 - away / SHAPE_SECONDS)
        spread[clip, near] = torch.maximum(spread[clip, near], part)
    return spread
