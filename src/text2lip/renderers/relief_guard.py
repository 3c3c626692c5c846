"""How much motion a portrait bears, measured on the picture: each measure shrinks the channels that it concerns.

- The network's doubt: its unsure pixels around the head, over the length of the head's outline (units). A head
  before a wall has 0.02, curls 0.07, a straw hat 0.08, a feather headdress 0.23. All of the head moves less.
- What clings to the outline: how far the picture beside the head is from a smooth fill (0 to 255). A plain wall has
  1 to 5, a street out of focus 25, a knot of hair or a hat that the matte left out 50. What moves the outline, roll
  and shifts, shrinks.
- The picture's border: how far, in units, the person would come away from it at full motion.
- The turn of the head in the picture: what a turned head hides can't be shown.
- Glasses: edges of the skin's light across the cheeks below the eyes, and across the root of the nose; of both the
  geometric mean. Rims and bridge have 0.14 or more, skin and deep folds, which are below the eyes alone, up to 0.12.
  Brows, cheeks and wide eyes move less, so that rims stay straight.
- Eyes: where one of two is shut, behind a dark lens or out of view, none widens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from text2lip.faces.pose import head_pose
from text2lip.faces.topology import BETWEEN_EYES, LOWER_LIDS
from text2lip.media.color import to_luma
from text2lip.renderers.cutout import Cutout, shrink, smooth_fill
from text2lip.renderers.relief_field import ReliefField
from text2lip.renderers.warp import FaceFrame, smoothstep


FULL_MOTION = {"headYaw": 12.0, "headPitch": 8.0, "headRoll": 8.0, "headX": 0.06, "headY": 0.06}
DOUBT = (0.075, 0.2, 0.3)  # from, to, and what is left there
CLINGING = (14.0, 50.0, 0.25)
CLINGING_PITCH = 0.4  # of that, for what moves the outline little
TURNED_HEAD = (20.0, 45.0, 0.4)  # degrees
GLASSES = (0.12, 0.14)
RIM_CHANNELS = {
    "brow": 0.35,
    "cheekSquint": 0.15,
    "mouthSmile": 0.3,
    "eyeSquint": 0.3,
    "eyeWide": 0.15,
    "noseSneer": 0.4,
}
NOSE_BRIDGE = 0.16  # units above and below the root of the nose, where a bridge of glasses is looked for
COMES_AWAY = 0.1  # units that the person may come away from the picture's border
HEAD_AREA = (2.0, -2.4, 0.9)  # units aside, up and down of the face where its outline is looked at
BESIDE_OUTLINE = (0.06, 0.25, 0.3)  # units from the person: what is looked at, up to; filled from beyond
UNSURE_MATTE = (0.15, 0.85)
CHEEK_POINTS, INNER_CORNERS = (50, 280), (133, 362)
LESS = 0.85  # of the motion: less is told


@dataclass(frozen=True, eq=False)
class ReliefGuard:
    """What a picture bears.

    Attributes:
        shares: of the motion, 0 to 1, by channel; those left out move whole.
        reasons: why some of them shrink, in words.
    """

    shares: Mapping[str, float]
    reasons: list[str]

    @property
    def strength(self) -> float:
        """The mean share of yaw, pitch and roll."""
        return float(np.mean([self.shares[name] for name in ("headYaw", "headPitch", "headRoll")]))


def guard_relief(
    picture: np.ndarray, points: np.ndarray, face: FaceFrame, cutout: Cutout, field: ReliefField, eyes: int
) -> ReliefGuard:
    """Measure what a picture bears.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8.
        points (`np.ndarray`): (478, 2) or (478, 3) pixels.
        face (`FaceFrame`): of the points.
        cutout (`Cutout`): of the picture.
        field (`ReliefField`): its relief.
        eyes (`int`): how many open eyes it shows.

    Returns:
        [`ReliefGuard`].
    """
    doubt, clinging = outline_measures(picture, cutout, face)
    sure, clear = _left(doubt, DOUBT), _left(clinging, CLINGING)
    ahead = _left(head_turn(points), TURNED_HEAD) if points.shape[1] == 3 else 1.0
    shares, reasons = {}, []
    away = 1.0
    for name, most in FULL_MOTION.items():
        border = min(1.0, COMES_AWAY / max(field.comes_away({name: most}, cutout.matte), 1e-6))
        outline = 1 - CLINGING_PITCH * (1 - clear) if name in ("headYaw", "headPitch") else clear
        turned = ahead if name in ("headYaw", "headPitch") else 1.0
        shares[name] = sure * outline * turned * border
        away = min(away, border)
    rims = float(smoothstep(glasses(picture, points[:, :2], face), *GLASSES))
    for start, least in RIM_CHANNELS.items():
        for name in field.expression:
            if name.startswith(start):
                shares[name] = 1 - (1 - least) * rims
    if eyes < 2:
        shares |= {"eyeWideLeft": 0.0, "eyeWideRight": 0.0}
    told = (
        (sure, "the head's outline is unsure"),
        (clear, "hair, a hat or things cling to the head's outline"),
        (ahead, "the head is turned aside"),
        (away, "the head is cut off by the picture's border"),
        (1 - rims, "glasses"),
    )
    reasons = [reason for share, reason in told if share < LESS]
    return ReliefGuard(shares, reasons)


def _left(value: float, limits: tuple[float, float, float]) -> float:
    low, high, least = limits
    return 1 - (1 - least) * float(smoothstep(value, low, high))


def outline_measures(picture: np.ndarray, cutout: Cutout, face: FaceFrame) -> tuple[float, float]:
    """The network's doubt around a head, and what clings to its outline; see above."""
    face, (picture, sure) = shrink(face, picture, cutout.sure)
    height, width = sure.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    right, down = np.moveaxis(face.coordinates(grid), -1, 0)
    near = (np.abs(right) < HEAD_AREA[0]) & (down > HEAD_AREA[1]) & (down < HEAD_AREA[2])
    person = (sure > 0.5).astype(np.uint8)
    outline = np.count_nonzero(near & (cv2.dilate(person, np.ones((3, 3), np.uint8)) > person)) / face.unit
    unsure = np.count_nonzero(near & (sure > UNSURE_MATTE[0]) & (sure < UNSURE_MATTE[1])) / face.unit**2
    away = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) / face.unit
    least, most, beyond = BESIDE_OUTLINE
    beside = near & (away > least) & (away < most)
    if not beside.any():
        return unsure / max(outline, 1.0), 0.0
    differs = np.abs(picture[beside] - smooth_fill(picture, away > beyond)[beside])
    return unsure / max(outline, 1.0), float(differs.mean())


def head_turn(points: np.ndarray) -> float:
    """How far a head is turned aside, degrees; points (478, 3) pixels."""
    return float(abs(np.degrees(np.arcsin(np.clip(head_pose(points)[0][2, 0], -1, 1)))))


def glasses(picture: np.ndarray, points: np.ndarray, face: FaceFrame) -> float:
    """How sharp the rims of glasses and their bridge are, of the skin's light; see above."""
    where = face.coordinates(points)
    rim = max(
        _edge(picture, face, where[lid, 0], where[lid, 1] + 0.05, where[cheek, 1] + 0.02)
        for lid, cheek in zip(LOWER_LIDS, CHEEK_POINTS)
    )
    right, down = where[BETWEEN_EYES, 0], where[list(INNER_CORNERS), 1].mean()
    return float(np.sqrt(rim * _edge(picture, face, right, down - NOSE_BRIDGE, down + NOSE_BRIDGE)))


def _edge(picture: np.ndarray, face: FaceFrame, right: float, top: float, bottom: float) -> float:
    """The sharpest edge across the skin between two heights, of its light."""
    across, down = right + np.linspace(-0.05, 0.05, 9), np.linspace(top, bottom, 60)
    spots = face.pixels(np.stack(np.meshgrid(across, down), -1)).astype(np.float32)
    light = to_luma(cv2.remap(picture, spots, None, cv2.INTER_LINEAR).astype(np.float32)).mean(1)
    light = cv2.GaussianBlur(np.float32(light)[None], (0, 0), 1)[0]
    return float(np.abs(np.diff(light)).max() / max(float(np.median(light)), 1.0))
