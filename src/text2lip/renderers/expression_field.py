"""How the skin of a face goes along with ARKit's face units: brows, lids, cheeks, beside the lips themselves."""

import numpy as np

from text2lip.faces.topology import (
    LEFT_BROW_LOWER,
    LEFT_BROW_UPPER,
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    RIGHT_BROW_LOWER,
    RIGHT_BROW_UPPER,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
)
from text2lip.renderers.warp import FaceFrame, smoothstep


# Units are distances of the outer eye corners; by eye, at a face unit of 1.
BROW_RAISE, BROW_LOWER, BROW_DRAW = 0.105, 0.075, 0.055  # up; down; towards the nose
BROW_ABOVE, BROW_BESIDE = 0.5, 0.22  # how far above a brow and beside its ends the skin goes along
LID_REACH = (0.2, 0.9)  # of the way from the brow down to the lid, where it ends
WIDE_EYE, LID_WIDE = 0.145, (0.03, 0.06)  # height of a wide eye; least and most that the upper lid goes up to there
LID_SQUINT, SQUINT_UPPER = 0.03, 0.016  # the lower lid up, the upper one down
LID_FOLLOWS = 0.0012  # the upper lid, for a degree that the eye looks up or down
CHEEKS = {"Left": (346, 280, 330), "Right": (117, 50, 101)}  # the apple of the cheek
FOLDS = {"Left": (425, 426, 436), "Right": (205, 206, 216)}  # the skin beside mouth and nose
WINGS = {"Left": (358, 279, 331), "Right": (129, 49, 102)}  # of the nose
BUMPS = {  # channel, without its side: around which points, how far (out, down), half axes
    "mouthSmile": ((CHEEKS, (0.018, -0.048), (0.20, 0.19)),),  # none at the corners: their width is the speech's
    "mouthFrown": ((FOLDS, (0.004, 0.020), (0.13, 0.16)),),
    "mouthPress": ((FOLDS, (0.008, 0.004), (0.11, 0.11)),),
    "cheekSquint": ((CHEEKS, (0.006, -0.036), (0.21, 0.16)),),
    "noseSneer": ((WINGS, (0.012, -0.052), (0.10, 0.13)), (FOLDS, (0.006, -0.036), (0.13, 0.13))),
}
SMILING_LIDS = {"mouthSmile": 0.35, "cheekSquint": 0.6}  # of a squint of the lower lid


def expression_field(points: np.ndarray, face: FaceFrame, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Where skin at each node goes at a face unit of 1.

    Args:
        points (`np.ndarray`): (478, 2) pixel landmarks.
        face (`FaceFrame`): of these landmarks.
        nodes (`np.ndarray`): (rows, columns, 2) pixels.

    Returns:
        `dict[str, np.ndarray]`: channel of a [`MotionPlan`] to (rows, columns, 2) pixels, right and down.
    """
    at, where = face.coordinates(nodes), face.coordinates(points)
    fields = {}
    brows = {"Left": (LEFT_BROW_UPPER, LEFT_BROW_LOWER), "Right": (RIGHT_BROW_UPPER, RIGHT_BROW_LOWER)}
    eyes = {"Left": (LEFT_EYE_UPPER, LEFT_EYE_LOWER), "Right": (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER)}
    inner_raise = 0
    for side, outwards in (("Left", 1), ("Right", -1)):
        along, reach = _brow(at, where, brows[side], eyes[side][0])
        outer, inner = smoothstep(along, -0.1, 0.75), 1 - smoothstep(along, 0.15, 0.85)
        fields[f"browOuterUp{side}"] = _vector(reach * outer, 0, -BROW_RAISE)
        fields[f"browDown{side}"] = _vector(reach * (0.35 + 0.65 * inner), -outwards * BROW_DRAW, BROW_LOWER)
        inner_raise = inner_raise + reach * inner
        upper, lower, height = _lids(at, where, eyes[side])
        wide = float(np.clip(WIDE_EYE - height, *LID_WIDE))
        fields[f"eyeWide{side}"] = _vector(upper, 0, -wide)
        fields[f"eyeSquint{side}"] = _vector(lower, 0, -LID_SQUINT) + _vector(upper, 0, SQUINT_UPPER)
        fields["gazePitch"] = fields.get("gazePitch", 0) + _vector(upper, 0, -LID_FOLLOWS)
        for name, bumps in BUMPS.items():
            field = _vector(SMILING_LIDS.get(name, 0) * lower, 0, -LID_SQUINT)
            for spots, (out, down), axes in bumps:
                distance = (at - where[list(spots[side])].mean(0)) / axes
                field = field + _vector(np.exp(-(distance**2).sum(-1)), outwards * out, down)
            fields[name + side] = field
    fields["browInnerUp"] = _vector(np.minimum(inner_raise, 1), 0, -0.8 * BROW_RAISE)
    scale = face.unit * np.stack([face.right, face.down])
    return {name: (field @ scale).astype(np.float32) for name, field in fields.items()}


def _vector(weight: np.ndarray, right: float, down: float) -> np.ndarray:
    return weight[..., None] * np.array([right, down], np.float32)


def _brow(at: np.ndarray, where: np.ndarray, brow: tuple, upper_lid: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Of each node, the place along a brow (0 at the inner end, 1 at the outer) and how much it goes along."""
    middle = 0.5 * (where[list(brow[0])] + where[list(brow[1])])  # outer to inner
    outer, inner = middle[0, 0], middle[-1, 0]
    along = (at[..., 0] - inner) / (outer - inner)
    order = np.argsort(middle[:, 0])
    line = np.interp(at[..., 0], middle[order, 0], middle[order, 1])
    lid = where[list(upper_lid)]
    order = np.argsort(lid[:, 0])
    under = np.maximum(np.interp(at[..., 0], lid[order, 0], lid[order, 1]), line + 0.08)
    below = (at[..., 1] - line) / (under - line)
    reach = (1 - smoothstep(below, *LID_REACH)) * (1 - smoothstep(line - at[..., 1], 0.05, BROW_ABOVE))
    beside = np.maximum(-along, along - 1) * np.abs(outer - inner)
    return along, reach * (1 - smoothstep(beside, 0, BROW_BESIDE))


def _lids(at: np.ndarray, where: np.ndarray, lids: tuple) -> tuple[np.ndarray, np.ndarray, float]:
    """How much each node goes along with the upper and with the lower lid's margin; the eye's height."""
    weights = []
    ends = where[[lids[0][0], lids[0][-1]], 0]
    middle, half = ends.mean(), 0.5 * abs(ends[1] - ends[0])
    across = np.clip(1 - ((at[..., 0] - middle) / (1.15 * half)) ** 2, 0, 1)
    height = float((where[list(lids[1])][2:-2, 1] - where[list(lids[0])][2:-2, 1]).mean())
    for lid, sign in zip(lids, (-1, 1)):
        line = where[list(lid)]
        order = np.argsort(line[:, 0])
        beyond = sign * (
            at[..., 1] - np.interp(at[..., 0], line[order, 0], line[order, 1])
        )  # over 0: away from the eye
        inside = smoothstep(beyond, -0.6 * max(height, 0.03), 0)
        weights.append(across * inside * (1 - smoothstep(beyond, 0.02, 0.16)))
    return weights[0], weights[1], height
