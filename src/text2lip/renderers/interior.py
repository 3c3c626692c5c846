"""What is seen between the lips: a cavity, the tongue, two rows of teeth, and the shadow of the lips on them.

The upper teeth belong to the head and never move; the lower teeth and the tongue follow the jaw. All colours come from
the portrait, so a grey picture has a grey mouth and a dark one a dark mouth. How bright teeth, tongue and cavity are
beside the skin was measured on GRID: between parted lips 0.5 to 0.65 of the skin, teeth 0.75 to 0.95.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from text2lip.faces.topology import (
    EYE_HEXAGONS,
    INNER_LOWER,
    INNER_UPPER,
    MIDFACE,
    NOSE_BASE,
    NOSE_ROOT,
    OUTER_EYES,
    OUTER_LOWER,
    OUTER_UPPER,
)
from text2lip.media.color import to_luma
from text2lip.renderers.contour import blur
from text2lip.renderers.sprites import place, sprites, tooth_colour
from text2lip.renderers.warp import FaceFrame, smoothstep


LAYERS = ("tongue", "lower_teeth", "upper_teeth")  # from back to front
# Where they are; lengths in units (distances of the outer eye corners), by eye.
MAX_DENSITY = 320  # texels per unit; a mouth's inside needs no more
FULL_DETAIL = 160  # pixels per unit up to which the inside is painted pixel by pixel
TEXTURE_SIDE, TEXTURE_TOP, TEXTURE_BOTTOM = 0.45, -0.20, 0.30  # of the layers, from the middle of the biting edge
BITE = (0.5, 0.015)  # the biting edge below the nose: lengths of the nose, and units
SPLIT = (0.25, 0.75)  # where the middle of the teeth may be between the corners of the mouth, as the head turns
# Colours and light, by eye, towards what was measured on GRID.
EYE_WHITE = (90, 0.9, 1.3, 25)  # of the eyes: percentile of their luma; least and most of the skin's, and levels more
TEETH_LIGHT, TEETH_LEVEL, TEETH_TINT = 0.95, 235, 0.55  # of that white; the brightest; share of the skin's tint
FLESH, CAVITY_LIGHT = (0.8, 0.2), 0.42  # shares of the lips' colour and of the skin's; how light the depth is
COLOURED_LIPS = 0.3  # saturation of lips from which a picture is one in colour
WARMTH = 0.7  # how much redder the inside of the mouth is where it is dark
LOWER_LIGHT = 0.88  # of what the upper teeth get
CAVITY_ROUND, CAVITY_HALF = (0.8, 0.2), 0.30  # light at the sides of the depth, how much more amid; half its width
SHADOW_REACH, SHADOW_LEAST, SHADOW_FALL, SHADOW_WIDE = 0.22, 0.7, 0.6, 2.5  # of the gap; pixels; of the reach, twice
LIP_SHADOW, CORNER_SHADOW = (0.58, 0.42), (0.78, 0.22)  # light in the shadow, and how much more outside of it
LIP_COVER, CORNER_COVER = (0.0, 0.95), (0.1, 0.75)  # coverage by the opening from which, and up to which, light grows
NARROW, NARROW_GAP = (0.45, 0.55), (0.0, 0.05)  # light between lips that touch, how much more, from which gaps on


@dataclass(frozen=True)
class Palette:
    """The light that a portrait's mouth stands in.

    Attributes:
        teeth: colour of its upper incisors, RGB float32 in 0..255.
        cavity: colour of the depth of its mouth.
        saturation: 1 for a colour picture, 0 for a grey one.
    """

    teeth: np.ndarray
    cavity: np.ndarray
    saturation: float

    @property
    def warmth(self) -> np.ndarray:
        """Exponents of the light in red, green and blue: what little light is left has bounced off red flesh."""
        return 1 + WARMTH * (1 - self.cavity / max(float(self.cavity.max()), 1.0))

    def tint(self, layer: np.ndarray) -> np.ndarray:
        """Put a sprite, `(rows, columns, 4)` in [0, 1], into this light: colours to 0..255, coverage kept."""
        reference = mute(tooth_colour(), self.saturation)
        colours = mute(layer[..., :3], self.saturation) * (self.teeth / reference)
        return np.dstack([colours, layer[..., 3]]).astype(np.float32)


def mute(colours: np.ndarray, saturation: float) -> np.ndarray:
    """`colours` (..., 3) as grey as a portrait is: 1 leaves them, 0 takes all colour."""
    grey = to_luma(colours)[..., None]
    return grey + saturation * (colours - grey)


def palette(portrait: np.ndarray, points: np.ndarray) -> Palette:
    """Derive the interior's colours from the skin, the lips and the whites of the eyes.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
    """
    skin = np.median(_inside(portrait, points[list(MIDFACE)]), 0)
    lips = np.median(_inside(portrait, points[list(OUTER_LOWER + INNER_LOWER[::-1])]), 0)
    eyes = np.concatenate([_inside(portrait, points[list(contour)]) for contour in EYE_HEXAGONS])
    luma = max(float(to_luma(skin)), 1.0)
    percentile, least, most, more = EYE_WHITE
    white = float(np.clip(np.percentile(to_luma(eyes), percentile), least * luma, most * luma + more))
    teeth = min(TEETH_LIGHT * white, TEETH_LEVEL) * (1 + TEETH_TINT * (skin / luma - 1))
    flesh = FLESH[0] * lips + to_luma(FLESH[1] * lips) / luma * skin
    saturation = float(np.clip(np.ptp(lips) / max(lips.max(), 1) / COLOURED_LIPS, 0, 1))
    return Palette(teeth.astype(np.float32), (CAVITY_LIGHT * flesh).astype(np.float32), saturation)


def _inside(portrait: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Pixels `(N, 3)` float32 inside a polygon; at least one."""
    height, width = portrait.shape[:2]
    x0, y0 = np.clip(np.floor(polygon.min(0)), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(polygon.max(0)) + 1, [x0 + 1, y0 + 1], [width, height]).astype(int)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon - [x0, y0]).astype(np.int32)], 1)
    part = portrait[y0:y1, x0:x1]
    return (part[mask > 0] if mask.any() else part.reshape(-1, 3)).astype(np.float32)


@dataclass(frozen=True)
class MouthInterior:
    """The inside of one portrait's mouth: layers in face coordinates, hung from the upper biting edge.

    Attributes:
        frame: face coordinates of the portrait.
        density: texels per unit.
        origin: face coordinates of the layers' first texel.
        cavity: `(rows, columns, 3)` float32, 0..255.
        layers: from back to front, `(rows, columns, 4)` float32, colour times coverage and coverage.
        shadow: `(3,)` float32, the colour of the depth of the mouth.
        warmth: `(3,)`, of [`Palette`].
        shares: of the jaw's way that each layer goes along.
    """

    frame: FaceFrame
    density: float
    origin: tuple[float, float]
    cavity: np.ndarray
    layers: tuple[np.ndarray, ...]
    shares: tuple[float, ...]
    shadow: np.ndarray
    warmth: np.ndarray

    @property
    def bite(self) -> float:
        """Face coordinate, down, of the upper biting edge."""
        return self.origin[1] - TEXTURE_TOP

    def draw(self, box: tuple[int, int, int, int], inside: np.ndarray, gap: float, drop: float) -> np.ndarray:
        """Paint the interior over the whole of `box`; on large faces at a lower resolution, then enlarged.

        Args:
            box (`tuple`): x0, y0, x1, y1, pixels.
            inside (`np.ndarray`): `(height, width)` coverage of the opening.
            gap (`float`): largest distance of the inner lips, units.
            drop (`float`): how far the jaw has opened, units.

        Returns:
            `np.ndarray`: `(height, width, 3)` float32, 0..255.
        """
        full = (box[2] - box[0], box[3] - box[1])
        coarse = max(1, int(self.frame.unit // FULL_DETAIL))
        size = (-(-full[0] // coarse), -(-full[1] // coarse))
        picture = self._place(self.cavity, box, size, 0.0, cv2.BORDER_REPLICATE)
        for layer, share in zip(self.layers, self.shares):
            layer = self._place(layer, box, size, share * drop, cv2.BORDER_CONSTANT)
            picture = picture * (1 - layer[..., 3:]) + layer[..., :3]
        if coarse > 1:
            inside = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
        picture *= self._light(inside, gap, self.frame.unit / coarse)[..., None] ** self.warmth
        return picture if coarse == 1 else cv2.resize(picture, full, interpolation=cv2.INTER_LINEAR)

    def _place(self, layer: np.ndarray, box: tuple, size: tuple[int, int], drop: float, border: int) -> np.ndarray:
        """Resample a layer, lowered by `drop` units, onto `size` (columns, rows) samples spread over `box`."""
        pitch = np.float32([(box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]])
        matrix = np.stack([self.frame.right, self.frame.down]) * (self.density / self.frame.unit)
        shift = matrix @ (np.float32(box[:2]) + 0.5 * pitch - 0.5 - self.frame.origin)
        shift -= np.float32([self.origin[0], self.origin[1] + drop]) * self.density
        affine = np.column_stack([matrix * pitch, shift])
        return cv2.warpAffine(layer, affine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)

    def _light(self, inside: np.ndarray, gap: float, unit: float) -> np.ndarray:
        """Shadow of the lips, deepest under the upper one and in the corners; a narrow gap lets in little light."""
        reach = max(SHADOW_REACH * gap * unit, SHADOW_LEAST)
        shift = SHADOW_FALL * reach * self.frame.down
        lowered = cv2.warpAffine(inside, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), inside.shape[::-1])
        near, wide = blur(lowered, reach), blur(inside, SHADOW_WIDE * reach)
        lips = LIP_SHADOW[0] + LIP_SHADOW[1] * smoothstep(near, *LIP_COVER)
        corners = CORNER_SHADOW[0] + CORNER_SHADOW[1] * smoothstep(wide, *CORNER_COVER)
        return lips * corners * narrow_light(gap)


def narrow_light(gap: float) -> float:
    """Share of the light that falls through lips `gap` units apart."""
    return NARROW[0] + NARROW[1] * float(smoothstep(gap, *NARROW_GAP))


def mouth_interior(portrait: np.ndarray, points: np.ndarray, frame: FaceFrame) -> MouthInterior:
    """Build the layers for a portrait with `(478, 2)` pixel landmarks.

    The upper biting edge lies half as far below the nose as the nose is long: where relaxed lips meet. The dental arch
    is scaled to the eyes and turned with the head as far as the lips show it.
    """
    face = frame.coordinates(points)
    corners = face[[OUTER_UPPER[0], OUTER_UPPER[-1]], 0]
    centre = float(face[[INNER_UPPER[5], OUTER_UPPER[5]], 0].mean())
    split = float(np.clip((centre - corners[0]) / (corners[1] - corners[0]), *SPLIT))
    nose, root = face[NOSE_BASE, 1], face[NOSE_ROOT, 1]
    edge = float(nose + BITE[0] * (nose - root) + BITE[1])
    right_eye, left_eye = OUTER_EYES
    span = float(face[left_eye, 0] - face[right_eye, 0])
    halves = np.array([2 * split, 2 - 2 * split]) * span
    density = min(float(frame.unit), MAX_DENSITY)
    x = np.arange(-TEXTURE_SIDE, TEXTURE_SIDE, 1 / density)
    y = np.arange(TEXTURE_TOP, TEXTURE_BOTTOM, 1 / density)
    across = np.where(x < 0, x / halves[0], x / halves[1])
    colours = palette(portrait, points)
    parts = [sprites()[name] for name in LAYERS]
    lift = sprites()["upper_teeth"].rest
    layers = [colours.tint(place(part, across, y + lift - part.rest, density)) for part in parts]
    layers[1][..., :3] *= LOWER_LIGHT
    side = np.sqrt(np.clip(1 - (across / CAVITY_HALF) ** 2, 0, 1))[None, :, None]
    cavity = (CAVITY_ROUND[0] + CAVITY_ROUND[1] * side) * np.broadcast_to(colours.cavity, (len(y), len(x), 3))
    return MouthInterior(
        frame=frame,
        density=density,
        origin=(centre + x[0], edge + y[0]),
        cavity=cavity.astype(np.float32),
        layers=tuple(layers),
        shares=tuple(part.share for part in parts),
        shadow=colours.cavity,
        warmth=colours.warmth,
    )
