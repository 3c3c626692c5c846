"""What is seen between the lips: a small scene of teeth, gums, a tongue and the depth behind them.

The upper teeth belong to the head; the lower teeth turn with the jaw about its hinge, and so does the tongue, but for
its tip, which phones lift. All are shapes in space, seen as the portrait's head is turned. They are drawn once
for a portrait, the jaw and what it carries at a few openings; a frame moves these pictures to their exact place, so
that it costs a few small resamplings. Colours and light are those of [`MouthTraits`].
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import cv2
import numpy as np

from text2lip.media.color import to_luma
from text2lip.renderers.contour import blur, three
from text2lip.renderers.head_view import head_view
from text2lip.renderers.mouth_shapes import Shape, jaw_shape, rasterise, teeth, tongue_shape, turned
from text2lip.renderers.mouth_traits import MouthTraits, mute, narrow_light
from text2lip.renderers.warp import FaceFrame, smoothstep


# By eye; light, shadows and gloss then one by one for the least error inside the mouth on the clips of `val_speaker`
# and on talkers of the training split. Lengths in units, distances of the outer eye corners.
SIDE, ABOVE, BELOW = 0.40, 0.22, 0.42  # of the scene, from the middle of the biting edge
OPENINGS = (0.03, 0.10, 0.19, 0.32)  # ways of the lower incisors at which the jaw and the tongue are drawn
SUBPIXELS = 2  # samples of a pixel in each direction
DRAWN_SOFTNESS = 0.45  # pixels: standard deviation of the blur that drawing and moving the pictures makes
FULL_DETAIL = 320  # pixels per unit up to which every pixel is drawn
LOWER_EDGE = (0.0, -0.013, -0.025)  # of the lower incisors, jaw shut
DEPTH, DEPTH_POWER, DEPTH_LEAST = 0.20, 2.0, 0.06  # how light falls off behind the incisors
ARCH_MIDDLE, INNER_SIDE, INNER_LIGHT = -0.2, (-0.3, 0.3), 0.25  # of teeth: z; how far out a side looks, light inside
TONGUE_DEPTH, LOWER_DEPTH, LOWER_LEAST = 0.45, 0.50, 0.28  # of what the jaw carries; of teeth at most and at least,
LOWER_TURNED = 1.6  # the less the further a head is turned, whose cheek shades them: share for a sine of the turn
GLOSS, GLOSS_POWER = 0.20, 30  # of wet teeth and flesh
DISPLAY = 1 / 2.2  # from light to what a picture stores
TOOTH_NECK, NECK_TINT = 0.11, (1.0, 0.95, 0.84)  # a crown's height; how much yellower it is there
TOOTH_EDGE, EDGE_TINT = 0.012, (0.93, 0.95, 0.98)  # its translucent edge
LOWER_LIGHT = 0.92  # of what the upper teeth get
TONGUES = ("rest", "up", "between", "back")
LEAST_SHARE = 0.01  # of a pose or an opening that is drawn
SHADOW_REACH, SHADOW_MOST, SHADOW_LEAST = 0.15, 0.022, 0.7  # of the gap; units; pixels
SHADOW_SPREAD = 1.8  # of the picture's softness, by which lips' own dark spreads over what is between them
SHADOW_FALL, SHADOW_WIDE = 0.6, 2.5  # of the reach
LIP_SHADOW, CORNER_SHADOW = (0.72, 0.28), (0.70, 0.30)  # light in the shadow, and how much more outside of it
LIP_COVER, CORNER_COVER = (0.0, 0.95), (0.1, 0.75)  # coverage by the opening from which, and up to which, light grows
TIP_LIGHT = 6.2  # of a tongue between the teeth, in the open; that inside is 1
TIP_FROM = -0.015  # towards the viewer, where it is no longer behind the upper teeth
TIP_MOST, TIP_TURNED = 1.3, (0.25, 0.45)  # of the gums' luma; sines of a turn of the head with which it goes
TIP_SHADOW = 0.4  # power of the lips' shadow on it
TIP_FILLS, TIP_SEEN = 0.65, 0.3  # of the gap, that it fills from the lower lip upwards; the share where it is whole


@dataclass(frozen=True, eq=False)
class Layer:
    """A part of the scene, drawn.

    Attributes:
        picture: `(rows, columns, 4)` float32, colour in 0..255 times coverage, and coverage.
        place: pixels `(2,)` of the lower incisors' edge when it was drawn; what it is moved by.
    """

    picture: np.ndarray
    place: np.ndarray


class Opening(NamedTuple):
    """Where a frame's lips let one see inside."""

    box: tuple[int, int, int, int]  # x0, y0, x1, y1, pixels
    inside: np.ndarray  # (height, width) float32 coverage of that box
    gap: float  # largest distance of the inner lips, units
    drop: float  # how far the lower teeth are from biting, units
    lower: np.ndarray  # pixel (2,) of the lower lip's middle


class MouthScene:
    """The inside of one portrait's mouth; read only, what it draws is drawn once and kept.

    Args:
        traits ([`MouthTraits`]): the person's, in the portrait's light.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
        frame ([`FaceFrame`]): of the face.
    """

    def __init__(self, traits: MouthTraits, points: np.ndarray, frame: FaceFrame):
        self.traits, self.frame = traits, frame
        self.view = head_view(points, traits.edge)
        self.coarse = max(1, int(np.ceil(frame.unit / FULL_DETAIL)))
        right, down = frame.right, frame.down
        around = [(SIDE, ABOVE), (SIDE, -BELOW), (-SIDE, ABOVE), (-SIDE, -BELOW)]
        corners = self.view.origin + frame.unit * np.array([x * right - y * down for x, y in around])
        low, high = np.floor(corners.min(0)), np.ceil(corners.max(0))
        self.corner = low.astype(int)  # pixel of the portrait that the pictures begin at
        self.size = tuple(int(side) for side in np.ceil((high - low) / self.coarse))
        self._jaw = lru_cache(None)(partial(self._layer, jaw_shape))
        self._tongue, self._tip = lru_cache(None)(self._draw_tongue), lru_cache(None)(self._draw_tip)
        self._resting = lru_cache(None)(self._draw_resting)

    @property
    def shadow(self) -> np.ndarray:
        """`(3,)` float32, the colour of the depth of the mouth."""
        return self.traits.cavity

    @property
    def bite(self) -> float:
        """Face coordinate, down, of the upper biting edge."""
        return float(self.frame.coordinates(self.view.origin)[1])

    def draw(self, opening: Opening, tongue: np.ndarray | None = None) -> np.ndarray:
        """Paint the scene over the whole of the opening's box; on large faces at a lower resolution, then enlarged.

        Args:
            opening ([`Opening`]): of the mouth.
            tongue (`np.ndarray`, *optional*): `(3,)` shares in [0, 1] of the poses up, between the teeth and back; at
                rest for what is left of 1. What of it lies before the teeth is left to [`lay_tip`].

        Returns:
            `np.ndarray`: `(height, width, 3)` float32, 0..255.
        """
        full, size = opening.inside.shape[::-1], self._size(opening)
        picture = np.broadcast_to(self.traits.cavity, (*size[::-1], 3)).astype(np.float32)
        shares = np.zeros(4, np.float32)
        shares[1:] = 0 if tongue is None else tongue
        shares[0] = max(1 - shares[1:].sum(), 0)
        mixed = partial(self._mixed, opening=opening, edge=self._lower_edge(opening.drop))
        if shares[1:].max() <= LEAST_SHARE:
            picture = _over(picture, mixed(self._resting))
        else:
            poses = [share * mixed(partial(self._tongue, pose)) for pose, share in zip(TONGUES, shares) if share]
            picture = _over(picture, sum(poses))
            picture = _over(picture, mixed(self._jaw))
        picture = _over(picture, self._place(self.upper, opening.box, size, self.upper.place))
        picture *= self._light(opening, size)
        return picture if self.coarse == 1 else cv2.resize(picture, full, interpolation=cv2.INTER_LINEAR)

    def lay_tip(self, picture: np.ndarray, opening: Opening, share: float) -> np.ndarray:
        """Lay the tip of a tongue between the teeth before them.

        It fills most of the opening, from the lower lip upwards, as lips that hardly part hide where it is else; as
        its share goes, so does it behind the lip.

        Args:
            picture (`np.ndarray`): `(height, width, 3)` float32, of [`draw`].
            opening ([`Opening`]): of the mouth.
            share (`float`): of that pose, in [0, 1].

        Returns:
            `np.ndarray`: a new one, or `picture` where there is no such tongue.
        """
        share *= 1 - float(smoothstep(abs(float(self.view.turn[0, 2])), *TIP_TURNED))
        if share <= LEAST_SHARE:
            return picture
        down, unit, edge = self.frame.down, self.frame.unit, self._lower_edge(opening.drop)
        (low, part), (high, rest) = _between(opening.drop)
        top = edge @ down + part * self._tip(low)[1] + rest * self._tip(high)[1]
        lower, size = opening.lower @ down, self._size(opening)
        raised = top - lower + share * max(lower - top, TIP_FILLS * opening.gap * unit)
        tip = self._mixed(lambda key: self._tip(key)[0], opening, edge - raised * down)
        tip[..., :3] *= TIP_LIGHT * self._light(opening, size) ** TIP_SHADOW
        most = max(TIP_MOST * float(to_luma(self.traits.gums)), 1) * np.maximum(tip[..., 3:], 1e-3)  # as it is covered
        tip[..., :3] /= 1 + to_luma(tip[..., :3])[..., None] / most
        tip *= np.float32(smoothstep(share, 0.0, TIP_SEEN))
        if self.coarse > 1:
            tip = cv2.resize(tip, opening.inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return _over(picture, tip)

    def _size(self, opening: Opening) -> tuple[int, int]:
        """Columns and rows that are drawn for it."""
        height, width = opening.inside.shape
        return -(-width // self.coarse), -(-height // self.coarse)

    def _lower_edge(self, drop: float) -> np.ndarray:
        """Pixel `(2,)` of the lower incisors' edge."""
        return self.view.pixels(turned(LOWER_EDGE, jaw_angle(drop)))[:2]

    @cached_property
    def upper(self) -> Layer:
        """The upper teeth in their gums."""
        return Layer(self._shade(teeth()[0], self.traits.gums, 1.0, DEPTH), self.view.origin)

    def _mixed(self, layer_of: Callable[[int], Layer], opening: Opening, edge: np.ndarray):
        """What was drawn at the openings on either side of the wanted one, moved to where the lower incisors are."""
        (low, part), (high, rest) = _between(opening.drop)
        box, size = opening.box, self._size(opening)
        if rest < LEAST_SHARE or part < LEAST_SHARE:
            return self._place(layer_of(high if rest > part else low), box, size, edge)
        pictures = [self._place(layer_of(key), box, size, edge) for key in (low, high)]
        return cv2.addWeighted(pictures[0], part, pictures[1], rest, 0)

    def _draw_resting(self, key: int) -> Layer:
        """The tongue at rest behind the lower teeth: both go the same way."""
        jaw, tongue = self._jaw(key), self._tongue("rest", key)
        return Layer(jaw.picture + tongue.picture * (1 - jaw.picture[..., 3:]), jaw.place)

    def _layer(self, make, key: int) -> Layer:
        angle, place = jaw_angle(OPENINGS[key]), self._lower_edge(OPENINGS[key])
        depth = max(LOWER_DEPTH * (1 - LOWER_TURNED * abs(float(self.view.turn[0, 2]))), LOWER_LEAST)
        return Layer(self._shade(make(angle), self.traits.gums, LOWER_LIGHT, depth), place)

    def _draw_tongue(self, pose: str, key: int) -> Layer:
        angle, place = jaw_angle(OPENINGS[key]), self._lower_edge(OPENINGS[key])
        return Layer(self._shade(tongue_shape(pose, angle), self.traits.tongue, 1.0, TONGUE_DEPTH), place)

    def _draw_tip(self, key: int) -> tuple[Layer, float]:
        """What of a tongue between the teeth lies before them, and how far down its top is from the lower incisors'
        edge, pixels."""
        angle, place = jaw_angle(OPENINGS[key]), self._lower_edge(OPENINGS[key])
        tongue = tongue_shape("between", angle)
        before = tongue.vertices[tongue.triangles, 2].min(1) > TIP_FROM
        tip = replace(tongue, triangles=tongue.triangles[before])
        top = (self.view.pixels(tip.vertices[np.unique(tip.triangles)])[:, :2] - place) @ self.frame.down
        return Layer(self._shade(tip, self.traits.tongue, 1.0, TONGUE_DEPTH, GLOSS / TIP_LIGHT), place), float(
            top.min()
        )

    def _place(self, layer: Layer, box: tuple, size: tuple[int, int], place: np.ndarray) -> np.ndarray:
        """A layer moved to `place`, on `size` (columns, rows) samples spread over `box`."""
        pitch = np.float32([(box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]])
        first = np.float32(box[:2]) + 0.5 * pitch - 0.5 - (place - layer.place) - self.corner  # pixels of the portrait
        shift = (first + 0.5) / self.coarse - 0.5
        affine = np.float32([[pitch[0] / self.coarse, 0, shift[0]], [0, pitch[1] / self.coarse, shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(layer.picture, affine, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)

    def _shade(self, part: Shape, flesh: np.ndarray, light: float, depth: float, gloss: float = GLOSS) -> np.ndarray:
        """Draw a mesh, teeth before or behind the flesh around them as they are: `(rows, columns, 4)`."""
        traits, view = self.traits, self.view
        vertices = part.vertices * np.float32([traits.arch, traits.crown if part is teeth()[0] else 1, traits.arch])
        points = view.pixels(vertices)
        # of a turned head also the side that is turned away lies deep
        behind = -np.minimum(vertices[:, 2], points[:, 2] / view.scale)
        open_light = light * outer_light(part)
        points[:, :2] = ((points[:, :2] - self.corner + 0.5) / self.coarse) * SUBPIXELS - 0.5
        size = (self.size[0] * SUBPIXELS, self.size[1] * SUBPIXELS)
        is_tooth = part.height[part.triangles].min(1) >= 0
        picture = np.zeros((*size[::-1], 4), np.float32)
        nearest = np.full(size[::-1], -np.inf, np.float32)
        for triangles, tooth in ((part.triangles[is_tooth], True), (part.triangles[~is_tooth], False)):
            if not len(triangles):
                continue
            shown, weights = rasterise(points, triangles, size)
            rows, columns = np.nonzero(shown >= 0)
            corners = triangles[shown[rows, columns]]

            def at(values, corners=corners, weights=weights):
                return np.einsum("nc,nc...->n...", weights, values[corners])

            near = at(points[:, 2]) > nearest[rows, columns]
            far = np.exp(-((np.maximum(at(behind), 0) / depth) ** DEPTH_POWER))
            colour = self._colour(far, at(part.normals), at(part.height), flesh, tooth, gloss)
            colour = np.maximum(colour * at(open_light)[:, None], traits.cavity)  # nothing is darker than the depth
            rows, columns = rows[near], columns[near]
            nearest[rows, columns] = at(points[:, 2])[near]
            picture[rows, columns, :3] = colour[near]
            picture[rows, columns, 3] = 1
        picture = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        softness = (traits.softness / self.coarse) ** 2 - DRAWN_SOFTNESS**2
        return picture if softness <= 0 else cv2.GaussianBlur(picture, (0, 0), np.sqrt(softness))

    def _colour(
        self, far: np.ndarray, normals: np.ndarray, height: np.ndarray, flesh: np.ndarray, tooth: bool, gloss: float
    ):
        """Colours `(N, 3)` of points of a surface, 0..255; `far` (N,) is the light that reaches so deep."""
        traits = self.traits
        normals = normals @ np.float32(self.view.turn.T)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        sun = np.float32(traits.light)
        facing, half = normals @ sun, sun + (0, 0, 1)
        lit = (1 - traits.directed) * (0.7 + 0.3 * normals[:, 2]) + traits.directed * np.maximum(facing, 0)
        front = (1 - traits.directed) + traits.directed * max(float(sun[2]), 0.3)  # what a front tooth gets
        lit = lit / front * (DEPTH_LEAST + (1 - DEPTH_LEAST) * far)
        if tooth:
            colour = mute(traits.teeth * tooth_tint(height / traits.crown), traits.saturation)
        else:
            colour = np.broadcast_to(flesh, (len(far), 3))
        shine = gloss * far * np.maximum(normals @ (half / np.linalg.norm(half)), 0) ** GLOSS_POWER
        warm = (lit[:, None] ** DISPLAY) ** traits.warmth
        return np.float32(colour * warm + shine[:, None] * traits.teeth)

    def _light(self, opening: Opening, size: tuple[int, int]) -> np.ndarray:
        """What the lips leave of the light, `(rows, columns, 3)` float32 for `size`, columns and rows: least under the
        upper one and in the corners; a narrow gap lets in little."""
        inside, gap, unit = opening.inside, opening.gap, self.frame.unit / self.coarse
        if self.coarse > 1:
            inside = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
        reach = max(min(SHADOW_REACH * gap, SHADOW_MOST) * unit, SHADOW_LEAST)
        reach = float(np.hypot(reach, SHADOW_SPREAD * self.traits.softness / self.coarse))
        shift = SHADOW_FALL * reach * self.frame.down
        lowered = cv2.warpAffine(inside, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), inside.shape[::-1])
        near, wide = blur(lowered, reach), blur(inside, SHADOW_WIDE * reach)
        lips = LIP_SHADOW[0] + LIP_SHADOW[1] * smoothstep(near, *LIP_COVER)
        corners = CORNER_SHADOW[0] + CORNER_SHADOW[1] * smoothstep(wide, *CORNER_COVER)
        dark = cv2.log(lips * corners * narrow_light(gap))
        return cv2.exp(cv2.merge([dark * power for power in np.float32(self.traits.warmth)]))


def _between(drop: float) -> tuple[tuple[int, float], tuple[int, float]]:
    """The two of `OPENINGS` on either side of a way of the lower incisors, and the share of each."""
    high = int(np.clip(np.searchsorted(OPENINGS, drop), 1, len(OPENINGS) - 1))
    low = high - 1
    mix = float(np.clip((drop - OPENINGS[low]) / (OPENINGS[high] - OPENINGS[low]), 0, 1))
    return (low, 1 - mix), (high, mix)


def _over(picture: np.ndarray, layer) -> np.ndarray:
    """A layer `(rows, columns, 4)` laid over a picture; 0 is none."""
    return picture if isinstance(layer, int) else picture * three(1 - layer[..., 3]) + layer[..., :3]


def tooth_tint(height: np.ndarray) -> np.ndarray:
    """Colour `(N, 3)` of teeth beside their middle's, `height` (N,) units from the biting edge."""
    neck = smoothstep(height, 0.35 * TOOTH_NECK, TOOTH_NECK)[:, None]
    edge = 1 - smoothstep(height, 0.2 * TOOTH_EDGE, TOOTH_EDGE)[:, None]
    return (1 + neck * (np.array(NECK_TINT) - 1)) * (1 + edge * (np.array(EDGE_TINT) - 1))


def outer_light(part: Shape) -> np.ndarray:
    """Share `(V,)` of the light that reaches a side of teeth or gums: little on that which looks at the tongue."""
    if not (part.height >= 0).any():
        return np.ones(len(part.vertices), np.float32)
    away = part.vertices[:, [0, 2]] - np.float32([0, ARCH_MIDDLE])
    out = (part.normals[:, [0, 2]] * away).sum(1) / np.maximum(np.linalg.norm(away, axis=1), 1e-6)
    return np.float32(INNER_LIGHT + (1 - INNER_LIGHT) * smoothstep(out, *INNER_SIDE))


def jaw_angle(drop: float) -> float:
    """By how much the jaw has turned, radians, when the lower incisors have gone `drop` units down."""
    down, front = np.array(LOWER_EDGE[1:]) - teeth()[2]
    reach = np.hypot(down, front)
    return float(np.arcsin(np.clip((down + drop) / reach, -1, 0.95)) - np.arctan2(down, front))
