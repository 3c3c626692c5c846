"""Closing the eyes of a picture: lid skin is drawn down over an eyeball that stays where it is."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from text2lip.faces import topology
from text2lip.media.color import to_luma
from text2lip.renderers.warp import smoothstep


# Upper lid, lower lid, and the brow: the skin that a lid unfolds from ends below it.
RIGHT = topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER, topology.RIGHT_BROW_LOWER
LEFT = topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER, topology.LEFT_BROW_LOWER
# By eye; units are distances of the outer eye corners.
SHUT_EYE, WINKING_EYE = 0.17, 0.11  # height over width of a contour that is shut already; beside an open eye
NARROW_EYE = 0.1  # units wide, of one seen from aside
EYE_INSIDE, CHEEK, RIM_HEIGHT = (0.1, 0.9), 0.3, 0.02  # of an eye's width; reaches below it; units along its upper rim
FREE_SKIN = (0.15, 0.4)  # reaches above a lid from which skin is looked at; what of it there is at least
SEEN = 0.25  # contrast inside an eye, of the skin's brightness; less of it is a dark lens
BEYOND = 0.28  # of an eye's width: how far outside of the outer corner the skin still folds
CORNER = BEYOND / (1 + BEYOND)
FOLD, FOLD_INSIDE = 0.3, 0.4  # how far the fold outside of the corner comes down, eye heights; where it ends, widths
UPPER_LID, LOWER_LID = 0.96, 0.12  # ways, of the eye's height; the lids overlap, for landmarks are not exact
BROW = 0.5  # of the height of the lid's margin, that is taken from the brow's to have the skin between them
LID_SKIN = (1.2, 2.4)  # least and most skin above a lid, eye heights
EYE_RIM = 0.72  # brightness, beside the lid's, of what is no skin
LID_COLUMNS, LID_LIGHT = 24, 0.4  # where a lid's colour is looked up along it; share of the lightest skin there
CHEEK_SKIN, CHEEK_LIGHT = (0.4, 1.0), 0.8  # eye heights below it, where a cheek's skin is; share of the lightest there
LIKE_CHEEK = 0.45, 0.85  # how far a lid is from the colour of its crease to that of its edge: above, and at the edge
CHEEK_HUE = 0.85  # how much of the cheek's hue a crease in shade has
ABOVE_LIGHT, CHEEK_SHADE = (
    (0.5, 1.15),
    0.85,
)  # of the cheek's light: least and most of the skin above an eye; of the edge
SHADED = (0.05, 0.4)  # how much darker than the cheek the skin above an eye is, that takes from it
SHADE_HUE = 0.8  # power of the hue, that grows with the shade: skin in shade is redder
GRAIN, GRAIN_SIZE = 0.7, 0.02  # of the cheek's texture; up to that size, units
UNFOLDED = (-0.85, -0.35)  # reaches above the margin: skin below takes the lid's colour, for it is stretched and has
UNFOLDED_SHARE, UNFOLDED_TIME = 0.93, 0.5  # lashes; how much of it, and the closure from which on it does so wholly
UNFOLDED_ENDS = ((-0.1, 0.12), 0.8)  # along the eye, where that sets in; from where on it ends
LIFTED = 0.06, (0.5, 0.9), (0.1, 0.6)  # lashes that stand before the skin above: up to that thick, units; of the
# free skin, where they end; closures in which they go down
LIFTED_ENDS = (0.0, 0.12), (0.7, 0.92)  # along the eye, where they begin and end
BROW_END = (-0.5, 0.1)  # falls of the lid below its open margin: above, a brow may be, and keeps its colour
LASHES, LASHES_DARK = 0.014, 0.75  # half the thickness of the dark line where the lids meet, units; its strength
LASH_BOW, LASH_WAY, LASH_TIME = (0.35, 2.6), 0.02, (0.3, 1.0)  # thickness at the corners, and more between; when dark
LID_SHADE = (0.35, 0.03)  # on the ball: strength, and how far it falls, units


@dataclass(frozen=True)
class Eye:
    """One eye's lids, in the eye's own axes: x from the outer (0) to the inner corner (1), y down, pixels.

    Attributes:
        corner, along, down: outer corner, pixel indices; vector to the inner corner; unit vector across it.
        upper, lower: `(3,)` coefficients of the margins' height, x (1 - x) (c0 + c1 x + c2 x^2).
        reach: pixels above the upper margin up to which skin moves; `(2,)`: at the outer and the inner corner.
        unit: pixels, of the face.
    """

    corner: np.ndarray
    along: np.ndarray
    down: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    reach: np.ndarray
    unit: float

    def margins(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Heights of the upper and lower margin at `x`, and how far up skin moves, each of the shape of `x`."""
        x = np.clip(x, 0, 1)
        bow = x * (1 - x)
        upper, lower = (bow * (a + x * (b + x * c)) for a, b, c in (self.upper, self.lower))
        return upper, np.maximum(lower, upper), self.reach[0] + (self.reach[1] - self.reach[0]) * x

    def travel(self, x: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far, in pixels, the upper margin comes down and the lower one rises, at `x`, until the eye is shut.

        Outside of the outer corner the upper lid comes down a little over the lower one.
        """
        height = float(_powers(np.float32(0.6)) @ (self.lower - self.upper))
        fold = smoothstep(x, 0, CORNER) * smoothstep(-x, -CORNER - FOLD_INSIDE, -CORNER)
        return UPPER_LID * (lower - upper) + FOLD * height * fold, LOWER_LID * (lower - upper)

    def axes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel indices `(..., 2)` to the eye's x and y, each `(...,)`."""
        offset = points - self.corner
        return offset @ self.along / (self.along @ self.along), offset @ self.down

    def move(self, points: np.ndarray, closure: float) -> np.ndarray:
        """Where pixel positions `(N, 2)` of the lids go when the eye closes by `closure` (0 to 1)."""
        x, y = self.axes(points)
        upper, lower, reach = self.margins(x)
        above = smoothstep((y - upper) / reach, -1, 0)
        below = smoothstep((lower - y) / reach, -1, 0)
        fall, rise = self.travel(x, upper, lower)
        shift = closure * np.where(y < 0.5 * (upper + lower), fall * above, -rise * below)
        return points + shift[:, None] * self.down


def _powers(x: np.ndarray) -> np.ndarray:
    """What the coefficients of a margin are multiplied by: `(..., 3)` float32, nil at both corners."""
    bow = x * (1 - x)
    return np.stack([bow, bow * x, bow * x * x], -1).astype(np.float32)


def find_eyes(points: np.ndarray, unit: float) -> list[Eye]:
    """The eyes that are open by their landmarks; beside an open one, an eye that squints is open too.

    Args:
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
        unit (`float`): distance of the outer eye corners, pixels.
    """
    for least in (SHUT_EYE, WINKING_EYE):
        eyes = [_eye(points, contours, unit, least) for contours in (RIGHT, LEFT)]
        if not any(eyes):
            break
    return [eye for eye in eyes if eye is not None]


def _eye(points: np.ndarray, contours: tuple, unit: float, least: float) -> Eye | None:
    lids, brow = contours[:2], contours[2]
    outer, inner = points[lids[0][0]], points[lids[0][-1]]
    outer = outer + BEYOND * (outer - inner)
    along = inner - outer
    width = float(np.hypot(*along))
    if width < NARROW_EYE * unit:
        return None
    middles = [points[list(lid)].mean(0) for lid in lids]
    down = np.array([-along[1], along[0]], np.float32) / width
    down = down if (middles[1] - middles[0]) @ down > 0 else -down
    curves = []
    for lid in lids:
        offset = points[list(lid)] - outer
        x, y = offset @ along / width**2, offset @ down
        curves.append(np.linalg.lstsq(_powers(x), y.astype(np.float32), rcond=None)[0])
    height = float((_powers(np.linspace(0.4, 0.7, 5)) @ (curves[1] - curves[0])).mean())
    if height < least * width:
        return None
    brow = (points[list(brow)] - outer) @ -down
    lid = float(_powers(np.float32(0.5)) @ -curves[0])
    reach = np.float32([brow[:2].mean() - BROW * lid, brow[-2:].mean() - BROW * lid])
    reach = np.clip(reach, LID_SKIN[0] * height, LID_SKIN[1] * height)
    return Eye(outer, along.astype(np.float32), down, *curves, reach, float(unit))


def _unfold(target: np.ndarray, fall: np.ndarray) -> np.ndarray:
    """Heights, of the open lid, of the skin that a closing lid brings to heights `target`.

    Heights are from the margin, in reaches, negative above it; skin at s goes to s + fall * smoothstep(s, -1, 0).
    """
    low, high = target - fall, target
    for _ in range(12):
        middle = 0.5 * (low + high)
        beyond = middle + fall * smoothstep(middle, -1, 0) > target
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Eyelids:
    """An eye and its pixels: what a blink needs that does not change from frame to frame.

    Attributes:
        eye: the lids.
        box: x0, y0, x1, y1 of what can move, pixels.
        x, y: `(rows, columns)` of the box in the eye's axes.
        lashes: `(3,)` colour of the line where the lids meet.
        skin: `(rows, columns, 3)` of the box, the shut lid.
        bare: `(rows, columns, 3)` of the box, what the skin above the eye has more of without lashes before it.
    """

    eye: Eye
    box: tuple[int, int, int, int]
    x: np.ndarray
    y: np.ndarray
    lashes: np.ndarray
    skin: np.ndarray
    bare: np.ndarray

    def close(self, frame: np.ndarray, closure: float) -> None:
        """Close the eye in `frame`, `(height, width, 3)` uint8, in place; `closure` from 0 (as it is) to 1 (shut)."""
        eye, (x0, y0, x1, y1) = self.eye, self.box
        upper, lower, reach = eye.margins(self.x)
        fall, rise = (closure * way for way in eye.travel(self.x, upper, lower))
        view = frame[y0:y1, x0:x1]
        ball = view.astype(np.float32)
        view[:] = np.rint(ball + self.bare * smoothstep(np.float32(closure), *LIFTED[2])).clip(0, 255)

        target = (self.y - upper) / reach
        s = _unfold(target, fall / reach)
        lid = self._sample(frame, (s - target) * reach)
        share = UNFOLDED_SHARE * min(closure / UNFOLDED_TIME, 1.0) * smoothstep(s, *UNFOLDED)
        share = share * smoothstep(self.x, *UNFOLDED_ENDS[0]) * smoothstep(-self.x, -1, -UNFOLDED_ENDS[1])
        share = share * smoothstep((self.y - upper) / np.maximum(fall, 1), *BROW_END)
        lid += (self.skin - lid) * share[..., None]
        below = self._sample(frame, rise * smoothstep((lower - self.y) / reach, -1, 0))

        soft = 0.5 + 0.004 * eye.unit
        edge = self.y - (upper + fall)
        shade = 1 - LID_SHADE[0] * closure * np.exp(-np.maximum(edge, 0) / (LID_SHADE[1] * eye.unit))
        covered = smoothstep(edge, -soft, soft)[..., None]
        under = smoothstep(self.y - (lower - rise), -soft, soft)[..., None]
        ball *= shade[..., None]
        ball += (below - ball) * under
        lid += (ball - lid) * covered
        x = np.clip(self.x, 0, 1)
        thick = (LASHES * eye.unit + 0.3) * (LASH_BOW[0] + LASH_BOW[1] * x * (1 - x))
        line = (
            np.exp(-((edge / thick) ** 2))
            * np.minimum(fall / (LASH_WAY * eye.unit), 1)
            * smoothstep(closure, *LASH_TIME)
            * smoothstep(x, 0, CORNER)
        )
        lid += (self.lashes - lid) * (LASHES_DARK * line)[..., None]
        view[:] = np.rint(lid).clip(0, 255)

    def _sample(self, frame: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Pixels of the box, each taken from `shift` pixels further down the eye: float32, 0..255."""
        x = np.arange(self.box[0], self.box[2], dtype=np.float32) + shift * self.eye.down[0]
        y = np.arange(self.box[1], self.box[3], dtype=np.float32)[:, None] + shift * self.eye.down[1]
        maps = x.astype(np.float32), y.astype(np.float32)
        return cv2.remap(frame, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)


def prepare_eyelids(frame: np.ndarray, eye: Eye) -> Eyelids | None:
    """Find an eye's pixels; None if the frame does not show the eye, as under a dark lens.

    Args:
        frame (`np.ndarray`): `(height, width, 3)` uint8 RGB, eyes open.
        eye (`Eye`): from [`find_eyes`] for this frame.
    """
    x = np.linspace(0, 1, 17, dtype=np.float32)
    upper, lower, reach = eye.margins(x)
    heights = np.concatenate([upper - reach - 2, lower + reach + 2])
    outline = eye.corner + np.tile(x, 2)[:, None] * eye.along + heights[:, None] * eye.down
    height, width = frame.shape[:2]
    x0, y0 = np.clip(np.floor(outline.min(0)), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(outline.max(0)) + 1, 0, [width, height]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    points = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
    x, y = (values.astype(np.float32) for values in eye.axes(points))
    upper, lower, reach = eye.margins(x)
    colours = frame[y0:y1, x0:x1].astype(np.float32)
    luma = to_luma(colours)
    within = (x > EYE_INSIDE[0]) & (x < EYE_INSIDE[1])
    inside = within & (y > upper) & (y < lower)
    skin = within & (y > lower + CHEEK * reach)
    edge = within & (np.abs(y - upper) < RIM_HEIGHT * eye.unit + 1)
    if not (inside.any() and skin.any() and edge.any()):
        return None
    low, high = np.percentile(luma[inside], (5, 95))
    if high - low < SEEN * np.median(luma[skin]):
        return None
    eye = replace(eye, reach=_free_skin(frame, eye) * eye.reach)
    bare = _without_lashes(colours, eye, x, y)  # below a low brow or a rim
    dark = edge & (luma <= np.percentile(luma[edge], 30))
    box, skin = (int(x0), int(y0), int(x1), int(y1)), _lid_skin(frame, eye, x, y)
    return Eyelids(eye, box, x, y, colours[dark].mean(0), skin, bare)


def _without_lashes(colours: np.ndarray, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What the skin above an eye, `(rows, columns, 3)` at `x`, `y`, has more of without thin dark lines: lashes that
    stand before it, the crease. As [`Eyelids`]'s `bare`."""
    upper, _, reach = eye.margins(x)
    most, end, _ = LIFTED
    side = 2 * max(1, round(0.5 * most * eye.unit)) + 1
    closed = cv2.morphologyEx(colours, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    soft = cv2.GaussianBlur(closed, (0, 0), 0.25 * side)
    above = smoothstep((upper - y) / reach, 0, 0.05) * (1 - smoothstep((upper - y) / reach, *end))
    above = above * smoothstep(x, *LIFTED_ENDS[0]) * (1 - smoothstep(x, *LIFTED_ENDS[1]))
    return np.maximum(soft - colours, 0) * above[..., None]


def _lid_skin(frame: np.ndarray, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The skin of a shut lid at `x`, `y` of the eye: `(..., 3)` float32.

    Its light goes from that of the skin above the eye to the cheek's, its texture is the cheek's.
    """
    across = np.linspace(CORNER, 0.95, LID_COLUMNS, dtype=np.float32)
    upper, lower, reach = eye.margins(across)
    tall = np.full_like(across, (lower - upper).max())
    spans = [
        (upper[None] - np.linspace(FREE_SKIN[0], 1, 16, dtype=np.float32)[:, None] * reach, LID_LIGHT),
        (lower[None] + np.linspace(*CHEEK_SKIN, 16, dtype=np.float32)[:, None] * tall, CHEEK_LIGHT),
    ]
    above, cheek = (_lightest(_look(frame, eye, across, heights), share) for heights, share in spans)
    bright = to_luma(cheek)[:, None]
    lit = np.clip(to_luma(above)[:, None], ABOVE_LIGHT[0] * bright, ABOVE_LIGHT[1] * bright)
    above *= lit / np.maximum(to_luma(above)[:, None], 1)
    shade = np.maximum(1 - lit / np.maximum(bright, 1), 0)
    shaded, hue = smoothstep(shade, *SHADED), (cheek / np.maximum(bright, 1)) ** (1 + SHADE_HUE * shade)
    crease = above + shaded * CHEEK_HUE * (hue * lit - above)
    edge = above + shaded * (hue * np.maximum(lit, CHEEK_SHADE * bright) - above)
    crease, edge = (
        np.stack([np.interp(x, across, channel) for channel in side.T], -1).astype(np.float32)
        for side in (crease, edge)
    )
    upper, lower, _ = eye.margins(x)
    depth = np.clip((y - upper) / tall[0], 0, 1)
    skin = crease + (edge - crease) * (LIKE_CHEEK[0] + (LIKE_CHEEK[1] - LIKE_CHEEK[0]) * depth)[..., None]
    mirrored = _look(frame, eye, x, lower + CHEEK_SKIN[0] * tall[0] + np.maximum(lower - y, 0))
    return skin + GRAIN * (mirrored - cv2.GaussianBlur(mirrored, (0, 0), max(GRAIN_SIZE * eye.unit, 0.5)))


def _look(frame: np.ndarray, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Colours at `x`, `y` of the eye: `(..., 3)` float32."""
    spots = eye.corner + x[..., None] * eye.along + y[..., None] * eye.down
    return cv2.remap(frame, spots.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )


def _lightest(colours: np.ndarray, share: float) -> np.ndarray:
    """The mean of the lightest of each column of `(heights, columns, 3)`, smooth along the columns: `(columns, 3)`."""
    order = np.argsort(-to_luma(colours), 0)[: max(1, round(share * len(colours)))]
    light = np.take_along_axis(colours, order[..., None], 0).mean(0)
    return cv2.GaussianBlur(light[None], (0, 0), LID_COLUMNS / 8, borderType=cv2.BORDER_REPLICATE)[0]


def _free_skin(frame: np.ndarray, eye: Eye) -> np.ndarray:
    """How far up, in reaches, there is skin, not a low brow or the rim of glasses: over the outer and inner half."""
    heights = np.linspace(FREE_SKIN[0], 1, 35, dtype=np.float32)[:, None]
    free = []
    for ends in ((CORNER, 0.5), (0.5, 0.85)):
        x = np.linspace(*ends, 24, dtype=np.float32)
        upper, _, reach = eye.margins(x)
        profile = to_luma(_look(frame, eye, x, upper - heights * reach)).mean(1)
        dark = profile < EYE_RIM * np.maximum.accumulate(profile)
        free.append(heights[dark.argmax(), 0] - 0.1 if dark.any() else 1.0)
    return np.clip(np.float32(free), FREE_SKIN[1], 1)
