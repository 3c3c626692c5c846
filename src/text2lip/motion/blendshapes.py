"""The motion of a face as weights of ARKit's 52 shapes: lips fitted on a head's own shapes, the rest from the plan.

The fit is one of bounded least squares for each frame: the head's lips and chin, seen from the front, go where the
lip motion wants those of a mouth of the head's width. Gaps between the lips count most, so that shut lips stay shut.
What a view from the front doesn't tell is given by the phones, as the values that the weights are drawn to: lips
pushed out in rounded sounds, the lower lip under the teeth in /f v/, the tongue between them in /θ ð/.
Frames don't know of each other, but each problem is strictly convex: weights move as smoothly as lips and phones do.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from text2lip.arguments import is_number
from text2lip.faces.canonical import lip_width
from text2lip.faces.talking_head import ARKIT_SHAPES, EYE_TURN, TalkingHead, builtin_head
from text2lip.faces.topology import (
    DRIVEN,
    INNER_LOWER_PAIRED,
    INNER_UPPER,
    INNER_UPPER_PAIRED,
    JAW,
    MOUTH_CORNERS,
    driven_index,
)
from text2lip.motion.feelings import express_lips
from text2lip.motion.motion_plan import FACE_UNITS, MotionPlan
from text2lip.motion.retarget import SCALE_RANGE, part_lips
from text2lip.motion.tongue import POSES, tongue_poses
from text2lip.text.timing import Timeline
from text2lip.text.visemes import FEATURES, sequence_features, split_phone


if TYPE_CHECKING:
    from text2lip.motion.lips import LipMotion

COLUMN = {name: column for column, name in enumerate(ARKIT_SHAPES)}
# Set by hand: weights of the squares, beside 1 of the lips' points (outer-eye distances).
CHIN_WEIGHT, CORNER_WEIGHT = 0.15, 3.0  # of the chin; of the corners of the mouth
GAP_WEIGHT, SHUT_WEIGHT = 4.0, 600.0  # of each pair's gap; of one that is to be shut
PULL = 3e-4  # of a weight's way from what it is drawn to
# Times as much pull: of shapes that speech needs seldom, and, added, of what a phone draws all to 1.
SELDOM = {"mouthFrown": 5.0, "mouthPress": 3.0, "mouthStretch": 60.0, "mouthDimple": 5.0, "mouthRollUpper": 3.0}
FIRM = 1600.0
# Where a phone draws the one, the others stay as they are drawn: they would thin or bend pushed-out lips, or
# hide the tongue behind the upper teeth.
HELD_BACK = {
    "mouthPucker": ("mouthRoll", "mouthFrown", "mouthShrug"),
    "tongueOut": ("mouthShrug", "mouthUpperUp", "mouthPress"),
}
LEFT_TO_LIPS = ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight")  # of a plan: the lips that it moved tell how far
TUCKED_IN = 0.06  # outer-eye distances; how much nearer the lower lip comes when all rolled in, to lie at the teeth
SHUT_GAP = 0.02  # outer-eye distances; the less of it lips part, the more they are to be shut
# What phones draw weights to, by their features; both sides of a shape are meant where it has two.
PHONE_SHAPES = {
    "rounding": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    "labiodental": {"mouthRollLower": 0.5, "mouthUpperUp": 0.15},
    "closure": {"mouthPress": 0.15},
}
TONGUE_SHOWN = {"tongueOut": 0.7, "jawOpen": 0.25}  # in /θ ð/
COMING = 0.09  # seconds in which lips come to a phone's shape and leave it
MOST_IN_SPEECH = {"mouthShrugUpper": 0.4, "mouthShrugLower": 0.6, "jawForward": 0.3, "mouthRollUpper": 0.5}
LOOKS = tuple(f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("In", "Out", "Up", "Down"))
CORNER_POINTS = (*MOUTH_CORNERS, INNER_UPPER[0], INNER_UPPER[-1])
ONE_SIDED = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # speech is even
SWEEPS, CHANGE = 300, 2e-4  # of the solver: the most, and how little of a weight still changes at the end


@dataclass(frozen=True, eq=False)
class BlendShapes:
    """A face's motion for a rig with ARKit's shapes; all zeros is the face at rest.

    Attributes:
        weights (`np.ndarray`): float32 (frames, 52) in [0, 1], columns as `names`.
        head (`np.ndarray`): float32 (frames, 3), degrees of yaw (over 0: the nose goes to the viewer's right, the
            person's left), pitch (over 0: up) and roll (over 0: the top of the head goes to the viewer's right).
        gaze (`np.ndarray`): float32 (frames, 2), yaw and pitch of the eyes beside the head's; `eyeLook` weights show
            it too.
        shift (`np.ndarray`): float32 (frames, 2), of the head, in widths of the face: to the viewer's right, down.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.
    """

    weights: np.ndarray
    head: np.ndarray
    gaze: np.ndarray
    shift: np.ndarray
    fps: float
    names = ARKIT_SHAPES

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, name: str) -> np.ndarray:
        """Weights (frames,) of a shape, by ARKit's name.

        Raises:
            ValueError: there is no such shape.
        """
        if name not in COLUMN:
            raise ValueError(f"blendshapes: there is no shape {name!r}; there are {', '.join(ARKIT_SHAPES)}.")
        return self.weights[:, COLUMN[name]]

    def at_rate(self, fps: float) -> "BlendShapes":
        """The same motion at another number of frames per second, between frames by straight lines.

        Raises:
            ValueError: a rate that is no number from 1 to 1000.
        """
        if not is_number(fps) or not 1 <= fps <= 1000:
            raise ValueError(f"fps: {fps!r}; wants a number from 1 to 1000.")
        fps = float(fps)
        count = max(1, int(len(self) * fps / self.fps + 0.5))
        times, known = (np.arange(count) + 0.5) / fps, (np.arange(len(self)) + 0.5) / self.fps
        curves = [self.weights, self.head, self.gaze, self.shift]
        new = [np.stack([np.interp(times, known, c) for c in curve.T], 1).astype(np.float32) for curve in curves]
        return BlendShapes(*new, fps)


def blendshapes_of(motion: "LipMotion", num_frames: int | None = None, head: TalkingHead | None = None) -> BlendShapes:
    """Weights of a clip's motion.

    Args:
        motion ([`LipMotion`]): lips, phones and plan.
        num_frames (`int`, *optional*): only so many of its frames.
        head ([`TalkingHead`], *optional*): whose shapes the lips are fitted on; the built-in one by default.

    Returns:
        [`BlendShapes`].
    """
    frames = len(motion) if num_frames is None else min(num_frames, len(motion))
    plan = motion.plan
    plan = MotionPlan.still(frames, motion.fps) if plan is None else plan[:frames]
    firm = drawn_to(motion.timeline, frames, motion.fps)
    plan = MotionPlan(plan.values.copy(), plan.fps)
    for side in ("Left", "Right"):  # pushed-out lips aren't stretched
        plan[f"mouthStretch{side}"][:] *= 1 - firm[:, COLUMN["mouthPucker"]]
    drawn = firm.copy()
    for name in set(FACE_UNITS) - set(LEFT_TO_LIPS):
        np.maximum(drawn[:, COLUMN[name]], plan[name], out=drawn[:, COLUMN[name]])
    fitting = lip_fit(head)
    lips = express_lips(motion.displacement[:frames], plan, motion.rest[:frames])
    weights = fitting.fit(fitting.targets(lips, motion.reference_width), drawn, firm)
    weights[:, [COLUMN[name] for name in LOOKS]] = look(plan["gazeYaw"], plan["gazePitch"])
    turn, gaze, shift = (
        np.stack([plan[name] for name in names], 1)
        for names in (("headYaw", "headPitch", "headRoll"), ("gazeYaw", "gazePitch"), ("headX", "headY"))
    )
    return BlendShapes(weights, turn, gaze, shift, motion.fps)


def look(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Weights (frames, 8) of `LOOKS` of eyes turned by degrees (frames,): to the viewer's right, which is the person's
    left, and up."""
    left, right, up, down = (np.clip(turn / EYE_TURN, 0, 1) + 0.0 for turn in (yaw, -yaw, pitch, -pitch))
    return np.stack([right, left, up, down, left, right, up, down], 1)


def drawn_to(timeline: Timeline | None, num_frames: int, fps: float) -> np.ndarray:
    """What phones draw the weights to, float32 (num_frames, 52): what a mouth does that isn't seen from the front.

    Args:
        timeline ([`Timeline`], *optional*): phones with their times; nothing is drawn without.
        num_frames (`int`): frames.
        fps (`float`): frames per second.
    """
    drawn = np.zeros((num_frames, len(ARKIT_SHAPES)), np.float32)
    if timeline is None:
        return drawn
    for phone in timeline.phones:
        letters, shares = zip(*split_phone(phone.label))
        starts = phone.start + (phone.end - phone.start) * np.cumsum((0, *shares))
        for row, start, end in zip(sequence_features(letters), starts, starts[1:]):
            first, last = max(int((start - COMING) * fps), 0), min(int((end + COMING) * fps) + 1, num_frames)
            times = (np.arange(first, last) + 0.5) / fps
            away = np.maximum(np.maximum(start - times, times - end), 0) / COMING
            there = np.clip(1 - away, 0, 1) ** 2 * (1 + 2 * np.clip(away, 0, 1))
            for feature, shapes in PHONE_SHAPES.items():
                for name, weight in shapes.items():
                    for one in (name, f"{name}Left", f"{name}Right"):
                        if one in COLUMN:
                            part = drawn[first:last, COLUMN[one]]
                            np.maximum(part, weight * row[FEATURES.index(feature)] * there, out=part)
    between = tongue_poses(timeline, num_frames, fps)[:, POSES.index("between")]
    for name, weight in TONGUE_SHOWN.items():
        drawn[:, COLUMN[name]] = weight * between
    return drawn


class LipFit:
    """The fit of lip motion on one head's shapes.

    Args:
        head ([`TalkingHead`]): whose lips touch at rest.

    Attributes:
        rest (`np.ndarray`): (57, 2), its driven points at rest, canonical units (right, down).
        ways (`np.ndarray`): (52, 57, 2), of these points in each shape.
    """

    def __init__(self, head: TalkingHead):
        seen = np.array([1, -1]) / head.unit
        self.rest = (head.contour[:, :2] - head.outer_eyes[:, :2].mean(0)) * seen
        self.ways = head.contour_shapes[..., :2] * seen
        mouth = [name for name in ARKIT_SHAPES if name.startswith(("jaw", "mouth")) and name not in ONE_SIDED]
        self._columns = np.array([COLUMN[name] for name in mouth])
        self._most = np.array([MOST_IN_SPEECH.get(name, 1.0) for name in mouth])
        self._pull = PULL * np.array(
            [SELDOM.get(name.removesuffix("Left").removesuffix("Right"), 1) for name in mouth]
        )
        self._held = {by: np.array([name.startswith(others) for name in mouth]) for by, others in HELD_BACK.items()}
        self._basis = self.ways[self._columns]
        self._open, self._close = mouth.index("jawOpen"), mouth.index("mouthClose")
        self._basis[self._close] += self._basis[self._open]  # lips are closed only where a jaw is open, and as far

    def targets(self, motion: np.ndarray, reference_width: float | None = None) -> np.ndarray:
        """Where this head's driven points are to go, (frames, 57, 2) from rest, canonical units.

        Args:
            motion (`np.ndarray`): (frames, 57, 2), displacement from the talker's rest, canonical units.
            reference_width (`float`, *optional*): the talker's mouth width at rest; motion is scaled to this head's.
        """
        scale = float(np.clip(lip_width(self.rest) / reference_width, *SCALE_RANGE)) if reference_width else 1.0
        return part_lips(self.rest + scale * np.asarray(motion, np.float64)) - part_lips(self.rest)

    def moved(self, weights: np.ndarray) -> np.ndarray:
        """Where `weights` (frames, 52) take the driven points: (frames, 57, 2) from rest."""
        return np.tensordot(weights, self.ways, 1)

    def fit(self, targets: np.ndarray, drawn: np.ndarray, firm: np.ndarray | None = None) -> np.ndarray:
        """Weights, float32 (frames, 52) in [0, 1], for `targets` (frames, 57, 2), drawn to `drawn` (frames, 52), and
        firmly so as far as `firm` says, of the same shape and `drawn` by default."""
        weights = np.array(drawn, np.float64)
        start = weights[:, self._columns]
        start[:, self._open] = np.maximum(start[:, self._open] - start[:, self._close], 0)
        weights[:, self._columns] = 0
        left = targets - self.moved(weights)
        importance = np.ones((len(DRIVEN), 2))
        importance[driven_index(JAW)] = 0, CHIN_WEIGHT
        importance[driven_index(CORNER_POINTS)] = CORNER_WEIGHT, 1
        basis = self._basis.reshape(len(self._basis), -1)
        gaps, wanted_gaps = gaps_of(self._basis), gaps_of(left)
        wanted_gaps -= np.minimum(TUCKED_IN * drawn[:, COLUMN["mouthRollLower"], None], gaps_of(targets).clip(0))
        closed = np.clip(1 - gaps_of(targets).max(1, keepdims=True) / SHUT_GAP, 0, 1)
        shut = GAP_WEIGHT * (1 - closed) + SHUT_WEIGHT * closed
        firm = (drawn if firm is None else firm)[:, self._columns]
        for name, others in self._held.items():
            firm = np.maximum(firm, drawn[:, COLUMN[name], None] ** 3 * others)
        pull = self._pull * (1 + FIRM * firm)
        aim = (left.reshape(len(left), -1) * importance.ravel()) @ basis.T + shut * (wanted_gaps @ gaps.T)
        problem = (basis * importance.ravel()) @ basis.T, gaps @ gaps.T, shut, pull, aim + pull * start
        fitted = bounded_least_squares(*problem, self._most, start)
        fitted[:, self._open] = np.minimum(fitted[:, self._open] + fitted[:, self._close], 1)
        weights[:, self._columns] = fitted
        return (weights + 0.0).clip(0, 1).astype(np.float32)


def gaps_of(shapes: np.ndarray) -> np.ndarray:
    """How far the inner lips are apart at nine places, (..., 9), of canonical `shapes` (..., 57, 2)."""
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    return shapes[..., lower, 1] - shapes[..., upper, 1]


def bounded_least_squares(
    fixed: np.ndarray,
    varied: np.ndarray,
    share: np.ndarray,
    pull: np.ndarray,
    aim: np.ndarray,
    most: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """Rows w (frames, K) from 0 to `most` (K,) that make w (A + s B + diag(p)) w / 2 - w·a least.

    By coordinate descent for all rows at once, which comes to the only minimum (Luo & Tseng 1992).

    Args:
        fixed (`np.ndarray`): (K, K), A, positive semidefinite.
        varied (`np.ndarray`): (K, K), B, positive semidefinite.
        share (`np.ndarray`): (frames, 1), s of each row, not below 0.
        pull (`np.ndarray`): (frames, K), p, over 0.
        aim (`np.ndarray`): (frames, K), a.
        most (`np.ndarray`): (K,).
        start (`np.ndarray`): (frames, K), from where to begin.
    """
    weights = np.clip(start, 0, most)
    left = aim - weights @ fixed - share * (weights @ varied) - pull * weights
    for _ in range(SWEEPS):
        largest = 0.0
        for k, limit in enumerate(most):
            curve = fixed[k, k] + share[:, 0] * varied[k, k] + pull[:, k]
            change = np.clip(weights[:, k] + left[:, k] / curve, 0, limit) - weights[:, k]
            weights[:, k] += change
            left -= change[:, None] * (fixed[k] + share * varied[k])
            left[:, k] -= change * pull[:, k]
            largest = max(largest, np.abs(change).max(initial=0))
        if largest < CHANGE:
            break
    return weights


@lru_cache(maxsize=4)
def lip_fit(head: TalkingHead | None = None) -> LipFit:
    """The fit on a head, the built-in one by default, made once."""
    return LipFit(head or builtin_head())
