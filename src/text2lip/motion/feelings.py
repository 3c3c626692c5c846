"""Feelings on a face: which channels of a plan they move, and what that does to the lips that speak.

After Ekman & Friesen's EMFACS, in whose action units `UNITS_OF` is: happy 6 + 12, with some 7 and a trace of 2;
sad 1 + 15, with some 4 and 7; angry 4 + 7 + 24, with some 9 and 15; surprised 1 + 2 + 5 + 26; afraid 1 + 5 + 15 + 20 +
26, with some 2, 4 and 7; disgusted 4 + 7 + 9 + 10, with some 6, 15 and 26; serious 4 + 7 + 24, with some 15.
"""

from collections.abc import Mapping

import numpy as np

from text2lip.faces.topology import (
    INNER_LOWER_PAIRED,
    INNER_UPPER_PAIRED,
    JAW,
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
    "happy": {"mouthSmile": 1.0, "cheekSquint": 0.9, "eyeSquint": 0.4, "browOuterUp": 0.1},
    "sad": {"browInnerUp": 1.0, "browDown": 0.2, "mouthFrown": 0.9, "eyeSquint": 0.2, "headPitch": -3.0,
            "gazePitch": -2.0},
    "angry": {"browDown": 1.0, "eyeSquint": 0.5, "mouthPress": 0.9, "noseSneer": 0.35, "mouthFrown": 0.25,
              "headPitch": -2.0},
    "surprised": {"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 1.0, "jawOpen": 1.0, "headPitch": 1.5},
    "afraid": {"browInnerUp": 1.0, "browOuterUp": 0.15, "browDown": 0.3, "eyeWide": 1.0, "eyeSquint": 0.1,
               "mouthStretch": 0.9, "mouthFrown": 0.7, "jawOpen": 1.0},
    "disgusted": {"noseSneer": 1.0, "mouthUpperUp": 1.0, "browDown": 0.75, "eyeSquint": 0.8, "mouthFrown": 0.3,
                  "cheekSquint": 0.5, "jawOpen": 0.35},
    "serious": {"browDown": 0.75, "mouthPress": 1.0, "eyeSquint": 0.45, "mouthFrown": 0.2, "headPitch": -2.0},
}  # fmt: skip
LIVELY = {"happy": 1.2, "sad": 0.6, "angry": 1.3, "surprised": 1.2, "afraid": 0.9, "disgusted": 0.9, "serious": 0.7}
"""Factors on the size of head motion (after Busso et al. 2007: large in joy and anger, small in sadness)."""
# outer-eye distances that a corner, or the lips' edges, go at 1: right and down
SMILING, FROWNING, STRETCHING = (0.085, -0.095), (-0.004, 0.07), (0.085, 0.04)
PRESS, RAISED = 0.014, (0.020, 0.045)  # both inner lips and the upper lip's edge, between corner and middle
SMILE_RANGE = 6.5  # of a smile that is lost for each outer-eye distance that lips are narrower by, or won
# of a gap: how far a smile raises it, a jaw and a raised lip widen it
OPENED_UP, JAW_OPENS, RAISED_OPEN = 0.22, 0.6, 0.35
# gaps in pauses of a dropped jaw, of which the upper lip makes some, and of a raised upper lip, outer-eye distances
JAW_PARTS, UPPER_PARTS, RAISED_PARTS = 0.22, 0.15, 0.05
CHIN_GOES, CORNERS_GO = 0.7, 0.2  # of what the lower lip is opened by: the chin down, the corners inwards


def feeling_channels(feeling: Mapping[str, float]) -> np.ndarray:
    """The face of a feeling, float32 (34,), a row of a [`MotionPlan`]; of a mix the sum, within the limits.

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


def express_lips(motion: np.ndarray, plan: MotionPlan, rest: np.ndarray | float = 0.0) -> np.ndarray:
    """Lip motion with the mouth of a plan: a smile widens and lifts its corners, in speech too, and is less where lips
    are narrow, more where they are wide; it lifts the opening, so that upper teeth show. A frown lowers corners,
    a stretch widens and lowers them; pressed lips are thinner; a raised upper lip is higher.

    Inner lips that face each other move alike, so lips that touch still touch; a gap grows in proportion, by a raised
    lip and by `jawOpen`, which parts the lips where nothing is said.

    Args:
        motion (`np.ndarray`): (frames, 57, 2), displacement from rest, canonical units (x right of the picture, down).
        plan ([`MotionPlan`]): with as many frames at least.
        rest (`np.ndarray` or `float`): (frames,) from 0 to 1, where the mouth is at rest, see [`LipMotion.rest`].

    Returns:
        `np.ndarray`: float32 (frames, 57, 2).

    Raises:
        ValueError: a plan of fewer frames.
    """
    if len(plan) < len(motion):
        raise ValueError(f"motion_plan: {len(plan)} frames for {len(motion)} of the lips; make it as long.")
    plan, moved = plan[: len(motion)], np.array(motion, np.float32)
    if not any(plan[name].any() for name in CHANNELS if name.startswith(("mouth", "jaw"))):
        return moved
    across = _across()
    corners = driven_index(MOUTH_CORNERS)
    narrower = (moved[:, corners[0], 0] - moved[:, corners[1], 0])[:, None]
    inner, outer = [
        [driven_index(edge) for edge in edges]
        for edges in ((INNER_UPPER_PAIRED, INNER_LOWER_PAIRED), (OUTER_UPPER_PAIRED, OUTER_LOWER_PAIRED))
    ]
    gap = np.maximum(moved[:, inner[1], 1] - moved[:, inner[0], 1], 0)
    pause = np.sqrt(1 - across[inner[0]] ** 2) * np.broadcast_to(rest, len(moved))[:, None]
    for sign, name in ((-1, "Right"), (1, "Left")):  # the person's right is on the picture's left
        theirs = np.where(across == 0, 0.5, np.sign(across) == sign)
        side, bow = across * theirs, theirs * np.abs(across) ** 1.7
        smile, frown, stretch, press, raised = (
            plan[f"mouth{kind}{name}"][:, None] for kind in ("Smile", "Frown", "Stretch", "Press", "UpperUp")
        )
        wider = smile * (1 - SMILE_RANGE * narrower)
        moved[:, : len(LIPS), 0] += side * (wider * SMILING[0] + frown * FROWNING[0] + stretch * STRETCHING[0])
        moved[:, : len(LIPS), 1] += bow * (smile * SMILING[1] + frown * FROWNING[1] + stretch * STRETCHING[1])
        half = theirs[inner[0]]
        arch = half * (1 - across[inner[0]] ** 4)
        up = half * (OPENED_UP * smile * gap) + arch * RAISED[0] * raised
        for edge in (*inner, *outer):
            moved[:, edge, 1] -= up
        moved[:, outer[0], 1] += half * PRESS * press - arch * (RAISED[1] - RAISED[0]) * raised
        moved[:, outer[1], 1] -= half * PRESS * press
        for edge in (inner[0], outer[0]):
            moved[:, edge, 1] -= half * raised * (RAISED_OPEN * gap + RAISED_PARTS * pause)
    jaw = plan["jawOpen"][:, None]
    for edge in (inner[0], outer[0]):
        moved[:, edge, 1] -= UPPER_PARTS * JAW_PARTS * jaw * pause
    opened = jaw * (JAW_OPENS * gap + (1 - UPPER_PARTS) * JAW_PARTS * pause)
    for edge in (inner[1], outer[1]):
        moved[:, edge, 1] += opened
    middle = opened[:, [len(inner[0]) // 2]]
    moved[:, : len(LIPS), 0] -= CORNERS_GO * middle * across
    moved[:, len(LIPS) :, 1] += CHIN_GOES * middle * _chin()
    return moved


def _chin() -> np.ndarray:
    """How much the jaw's points go along with the chin, (17,)."""
    vertices = canonical_mesh()[0]
    aside = np.abs(vertices[list(JAW), 0])
    return (1 - (aside / aside.max()) ** 2).astype(np.float32)


def _across() -> np.ndarray:
    """Where lip points lie between the corners, (40,) from -1 to 1, those of a pair at the same place."""
    vertices = canonical_mesh()[0]
    right, left = (vertices[point, 0] for point in MOUTH_CORNERS)
    across = 2 * (vertices[list(LIPS), 0] - (right + left) / 2) / (left - right)
    for upper, lower in ((INNER_UPPER_PAIRED, INNER_LOWER_PAIRED), (OUTER_UPPER_PAIRED, OUTER_LOWER_PAIRED)):
        one, other = driven_index(upper), driven_index(lower)
        across[one] = across[other] = (across[one] + across[other]) / 2
    return across.clip(-1, 1)
