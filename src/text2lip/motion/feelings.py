"""Feelings on a face: which channels of a plan they move, and what that does to the lips that speak.

By the action units of Ekman & Friesen's EMFACS: happy 6 + 12, sad 1 + 4 + 15, angry 4 + 5 + 7 + 23, surprised 1 + 2 +
5, afraid 1 + 2 + 4 + 5 + 20, disgusted 9 + 15, serious a light 4 + 24.
"""

from collections.abc import Mapping

import numpy as np

from text2lip.faces.topology import (
    INNER_LOWER_PAIRED,
    INNER_UPPER_PAIRED,
    LIPS,
    MOUTH_CORNERS,
    OUTER_LOWER_PAIRED,
    OUTER_UPPER_PAIRED,
    canonical_mesh,
    driven_index,
)
from text2lip.motion.motion_plan import CHANNELS, LIMITS, MotionPlan, channel_column


# set by hand; "brow" and so on stand for both sides
UNITS_OF = {
    "happy": {"mouthSmile": 0.85, "cheekSquint": 0.7, "eyeSquint": 0.3, "browOuterUp": 0.15},
    "sad": {"browInnerUp": 0.95, "browDown": 0.2, "mouthFrown": 0.85, "headPitch": -3.0, "gazePitch": -2.0},
    "angry": {"browDown": 1.0, "eyeSquint": 0.5, "mouthPress": 0.6, "noseSneer": 0.3, "headPitch": -2.0},
    "surprised": {"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.9, "headPitch": 1.5},
    "afraid": {"browInnerUp": 1.0, "browOuterUp": 0.4, "browDown": 0.25, "eyeWide": 0.9, "mouthFrown": 0.4},
    "disgusted": {"noseSneer": 1.0, "browDown": 0.6, "eyeSquint": 0.6, "mouthFrown": 0.55, "cheekSquint": 0.4},
    "serious": {"browDown": 0.4, "mouthPress": 0.4, "eyeSquint": 0.1},
}
LIVELY = {"happy": 1.2, "sad": 0.6, "angry": 1.3, "surprised": 1.2, "afraid": 0.9, "disgusted": 0.9, "serious": 0.7}
"""Factors on the size of head motion (after Busso et al. 2007: large in joy and anger, small in sadness)."""
# outer-eye distances that a corner, or the lips' edges, go at 1
SMILING, FROWNING = (0.055, -0.055), (-0.004, 0.045)
PRESS = 0.012
PURSED_LESS = 0.6  # of a smile's width that is lost where the lips are pursed by
PURSED_BY = 0.08  # outer-eye distances


def feeling_channels(feeling: Mapping[str, float]) -> np.ndarray:
    """The face of a feeling, float32 (29,), a row of a [`MotionPlan`]; of a mix the sum, within the limits.

    Args:
        feeling (`Mapping[str, float]`): as [`~text2lip.text.feeling_marks.read_feeling`] gives it.
    """
    row = np.zeros(len(CHANNELS), np.float32)
    for name, strength in feeling.items():
        for channel, value in UNITS_OF[name].items():
            both = [channel] if channel in CHANNELS else [channel + "Left", channel + "Right"]
            row[[channel_column(one) for one in both]] += strength * value
    low, high = np.float32([LIMITS[name] for name in CHANNELS]).T
    return row.clip(low, high)


def liveliness(feeling: Mapping[str, float]) -> float:
    """Factor on the size of head motion of a feeling."""
    return float(np.clip(1 + sum(strength * (LIVELY[name] - 1) for name, strength in feeling.items()), 0.3, 1.6))


def express_lips(motion: np.ndarray, plan: MotionPlan) -> np.ndarray:
    """Lip motion with the mouth corners of a plan: a smile widens and lifts them, in speech too, and leaves pursed
    lips narrower; a frown lowers them; pressed lips are thinner.

    Inner lips that face each other move alike, so lips that touch still touch, and no gap changes.

    Args:
        motion (`np.ndarray`): (frames, 57, 2), displacement from rest, canonical units (x right of the picture, down).
        plan ([`MotionPlan`]): with as many frames at least.

    Returns:
        `np.ndarray`: float32 (frames, 57, 2).

    Raises:
        ValueError: a plan of fewer frames.
    """
    if len(plan) < len(motion):
        raise ValueError(f"motion_plan: {len(plan)} frames for {len(motion)} of the lips; make it as long.")
    plan, moved = plan[: len(motion)], np.array(motion, np.float32)
    if not any(plan[name].any() for name in CHANNELS if name.startswith("mouth")):
        return moved
    across = _across()
    sides = np.stack([across.clip(max=0), across.clip(min=0)])  # the person's right is on the picture's left
    corners = driven_index(MOUTH_CORNERS)
    narrower = (moved[:, corners[0], 0] - moved[:, corners[1], 0]).clip(0, PURSED_BY) / PURSED_BY
    for side, name in zip(sides, ("Right", "Left")):
        away, bow = side[None], np.abs(side[None]) ** 1.7
        smile, frown = (plan[f"mouth{kind}{name}"][:, None] for kind in ("Smile", "Frown"))
        wider = smile * (1 - PURSED_LESS * narrower[:, None])
        moved[:, : len(LIPS), 0] += away * (wider * SMILING[0] + frown * FROWNING[0])
        moved[:, : len(LIPS), 1] += bow * (smile * SMILING[1] + frown * FROWNING[1])
        pressed = PRESS * plan[f"mouthPress{name}"][:, None]
        for edge, sign in ((OUTER_UPPER_PAIRED, 1), (OUTER_LOWER_PAIRED, -1)):
            points = driven_index(edge)
            theirs = (side[points] != 0) + 0.5 * (across[points] == 0)
            moved[:, points, 1] += sign * pressed * theirs
    return moved


def _across() -> np.ndarray:
    """Where lip points lie between the corners, (40,) from -1 to 1, those of a pair at the same place."""
    vertices = canonical_mesh()[0]
    right, left = (vertices[point, 0] for point in MOUTH_CORNERS)
    across = 2 * (vertices[list(LIPS), 0] - (right + left) / 2) / (left - right)
    for upper, lower in ((INNER_UPPER_PAIRED, INNER_LOWER_PAIRED), (OUTER_UPPER_PAIRED, OUTER_LOWER_PAIRED)):
        one, other = driven_index(upper), driven_index(lower)
        across[one] = across[other] = (across[one] + across[other]) / 2
    return across.clip(-1, 1)
