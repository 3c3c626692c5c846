"""The renderer without weights: a smooth warp of lips, jaw and cheeks, and a drawn inside of the mouth."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from text2lip.ahead import map_ahead
from text2lip.faces.geometry import to_indices
from text2lip.faces.topology import CHIN, DRIVEN, INNER_LOWER, INNER_UPPER, LOWER_SIDE, MOUTH_CORNERS, UPPER_SIDE
from text2lip.renderers.base import check_landmarks, check_portrait, check_tongue
from text2lip.renderers.contour import blur, mouth_masks, smooth, three, uncross
from text2lip.renderers.lip_edges import lip_edges
from text2lip.renderers.lip_shade import LipShade
from text2lip.renderers.mouth_scene import TONGUES, MouthScene, Opening
from text2lip.renderers.mouth_traits import MouthTraits, mouth_traits, narrow_light
from text2lip.renderers.shown_teeth import shown_teeth
from text2lip.renderers.warp import CUBIC_BELOW, FaceFrame, WarpField, face_frame, smoothstep, warp_field


# How the mouth is drawn: lengths in units (distances of the outer eye corners), pairs from none to all; by eye, but
# for the way of the teeth, which was measured on the CC0 head.
LIP_FEATHER = 0.007  # softness of the lips' edges
INSET = 0.012  # how far an open portrait's lips are sampled away from its own teeth
CONTACT = 0.35  # darkness of the line where lips meet that were apart in the portrait
RIM, RIM_WIDTH, RIM_GAP = 0.4, 0.025, (0.0, 0.08)  # darkness of lips that are further apart than in the portrait
CHANGED = (0.0, 0.03)  # motion of the lips that fades the portrait's own mouth into the drawn one
CLOSED, LEAST_GAP = (0.0, 0.8), 0.005  # share of an open mouth's gap that is gone, which does so too
WAS_OPEN = (0.01, 0.04)  # gap of a portrait whose mouth is called open
ROUNDED, ROUNDED_SHADE, LEAST_WIDTH = (0.04, 0.14), 0.8, 0.56  # share of the width that is gone when lips are rounded,
ROUNDED_GAP = (0.05, 0.11)  # and the gap, beyond which it is an open vowel's
TEETH_WAY, LIP_WAY = 1.38, (0.6, 0.8)  # of the lower teeth: of the chin's way, at least and at most of the lip's
OPEN_CHIN = 0.4  # of the portrait's gap, that its chin is down already
CORNER_REACH, CORNER_WAY, CORNER_PARTED = 0.08, 1.1, (0.0, 0.03)  # what goes with a corner: at least, of the lips' way
FAR_FROM_CORNER = 2.6  # in those, beyond which a thousandth goes along
LINE_SOFTNESS, BEYOND_CORNERS = 0.03, 0.5  # softness of the line between the lips, and its growth beyond the corners
MOUTH_MARGIN, CORNER_FADE = 0.08, 0.04  # around the inner lips, what is drawn; beyond the corners, how it ends
SOURCE_MARGIN = 0.1  # around the field, units: what may come from there
ENLARGED = 3  # odd, so that the portrait's own pixels keep their values
AT_REST = 0.01  # pixels: what moves by less is not sampled anew
UPPER, LOWER, INNER = np.array(INNER_UPPER), np.array(INNER_LOWER), np.array(INNER_UPPER + INNER_LOWER)
_DRIVEN, _CHIN, _SIDES = np.array(DRIVEN), np.array(CHIN), (np.array(UPPER_SIDE), np.array(LOWER_SIDE))
BETWEEN_TEETH = TONGUES.index("between") - 1  # of a tongue's poses, without that at rest
INSET_SHAPE = np.float32(np.sin(np.linspace(0, np.pi, 11)) ** 0.5)[:, None]


@dataclass(frozen=True)
class PreparedPortrait:
    """Everything of a portrait that does not change from frame to frame; read only, so threads may share it.

    Attributes:
        portrait: `(height, width, 3)` uint8.
        points: `(478, 2)` its landmarks, pixel indices.
        face: the frame of its face.
        field: how the lower face moves.
        interior: what is seen between the lips.
        gap: distance of the inner lips in the portrait, units.
        edges: two `(11, 2)`, pixels: from the inner landmarks of either lip to its true edge.
        teeth: `(rows, columns)` over `field.box`: where the portrait shows its upper teeth, in [0, 1].
    """

    portrait: np.ndarray
    points: np.ndarray
    face: FaceFrame
    field: WarpField
    interior: MouthScene
    gap: float
    edges: tuple[np.ndarray, np.ndarray]
    teeth: np.ndarray

    @cached_property
    def shade(self) -> LipShade:
        """How the light around the mouth changes as it moves."""
        return LipShade(self.portrait, self.points, self.face, self.field)

    def shaded(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """A frame in the light that its lips make, changed in place and returned.

        Args:
            picture (`np.ndarray`): of [`frame`], or made of it.
            landmarks (`np.ndarray`): `(478, 2)` normalised, what it was drawn for.
        """
        light = self.shade.light(to_indices(landmarks, *picture.shape[:2]))
        (left, top, right, bottom), step = self.field.box, self.field.step
        rows, columns = self.shade.rows, self.shade.columns
        x0, y0 = left + columns.start * step, top + rows.start * step
        view = picture[y0 : min(top + rows.stop * step, bottom), x0 : min(left + columns.stop * step, right)]
        if view.size:
            size = (light.shape[1] * step, light.shape[0] * step)
            light = cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)[: view.shape[0], : view.shape[1]]
            view[:] = cv2.multiply(view, three(light), dtype=cv2.CV_8U)
        return picture

    def frame(self, landmarks: np.ndarray, tongue: np.ndarray | None = None) -> np.ndarray:
        """The portrait with its lips and jaw at `landmarks`.

        Args:
            landmarks (`np.ndarray`): `(478, 2)` float32, normalised. Only the 57 driven points are used.
            tongue (`np.ndarray`, *optional*): `(3,)`, its pose, see [`MouthScene.draw`]; at rest by default.

        Returns:
            `np.ndarray`: `(height, width, 3)` uint8, a new array. Equal landmarks give equal bytes, and the portrait's
            own landmarks give the portrait.
        """
        picture = self.portrait.copy()
        target = to_indices(landmarks, *picture.shape[:2])
        if np.abs((target - self.points)[_DRIVEN]).max() < 1e-3:
            return picture
        target[UPPER], target[LOWER] = uncross(target[UPPER], target[LOWER], self.face.down)
        shift = target - self.points
        gap = self._gap(target)
        change = self._change(shift, gap)
        shift[UPPER] -= change * self.edges[0]
        shift[LOWER] -= change * self.edges[1]
        back = [self.field.backward(i, shift[side]) for i, side in enumerate(_SIDES)]
        if parted := np.float32(smoothstep(gap - self.gap, *CORNER_PARTED)):
            self._carry_corners(back, target, shift, parted)
        share = self._upper_share(0.5 * (target[UPPER] + target[LOWER]))
        skin, mouth = back[1] + (back[0] - back[1]) * cv2.merge((share, share)), self._mouth_box(target)
        box = self._moved(skin, mouth)
        picture[_slices(box)] = self._sample(skin, box)
        view = picture[_slices(mouth)]
        mixed = (self._mouth(target, back, mouth, change, tongue) - view) * three(self._mouth_window(target, mouth))
        view[:] = cv2.add(view, mixed, dtype=cv2.CV_8U)
        return picture

    def _moved(self, back: np.ndarray, mouth: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """The box of all pixels that come from elsewhere, and of the mouth."""
        x0, y0, x1, y1 = self.field.box
        moved = cv2.magnitude(*cv2.split(back)) > AT_REST
        rows, columns = (np.flatnonzero(moved.any(axis)) * self.field.step for axis in (1, 0))
        if not len(rows):
            return mouth
        beside = 2 * self.field.step
        return (
            min(max(x0, int(x0 + columns[0] - beside)), mouth[0]),
            min(max(y0, int(y0 + rows[0] - beside)), mouth[1]),
            max(min(x1, int(x0 + columns[-1] + beside)), mouth[2]),
            max(min(y1, int(y0 + rows[-1] + beside)), mouth[3]),
        )

    def _mouth(
        self,
        target: np.ndarray,
        back: list,
        box: tuple[int, int, int, int],
        change: float,
        tongue: np.ndarray | None,
    ) -> np.ndarray:
        """Both lips and what lies between them: `(height, width, 3)` float32 over `box`."""
        curves = smooth(target[UPPER]), smooth(target[LOWER])
        above, inside, below = mouth_masks(*curves, self.face, box, LIP_FEATHER * self.face.unit)
        upper, lower = (self._sample(nodes, box).astype(np.float32) for nodes in back)

        gap = self._gap(target)
        contact = CONTACT * change * self._was_open * 4 * above * below
        parted = RIM * float(smoothstep(gap - self.gap, *RIM_GAP))
        rim = parted * blur(inside, RIM_WIDTH * self.face.unit)
        light = (1 - contact) * (1 - rim)
        lips = upper * three(above * light) + lower * three(below * light)

        opening = Opening(box, inside, gap, self._jaw_drop(target), target[INNER_LOWER[5]])
        drawn = self.interior.draw(opening, tongue)
        if self.teeth.any():
            light = narrow_light(min(gap, self.gap)) / narrow_light(self.gap)  # what has lit them in the portrait
            still = self.portrait[box[1] : box[3], box[0] : box[2]] * np.float32(light)
            drawn += (still - drawn) * three(self.teeth[_slices(box, self.field.box)])
        drawn += (self.interior.shadow - drawn) * self._rounding(target, gap)
        if tongue is not None:
            drawn = self.interior.lay_tip(drawn, opening, tongue[BETWEEN_TEETH])
        if change < 1:
            between = self._sample(0.5 * (back[0] + back[1]), box)
            drawn = between + (drawn - between) * change
        return lips + drawn * three(inside)

    def _gap(self, target: np.ndarray) -> float:
        """Largest distance of the inner lips, units."""
        return float(((target[LOWER] - target[UPPER]) @ self.face.down).max()) / self.face.unit

    def _change(self, shift: np.ndarray, gap: float) -> float:
        """0 where the lips are as in the portrait, 1 where they are not; its own mouth fades into the drawn one.

        One always when an open mouth has closed.
        """
        move = smoothstep(np.abs(shift[INNER]).max() / self.face.unit, *CHANGED)
        closing = smoothstep(1 - gap / max(self.gap, LEAST_GAP), *CLOSED)
        return float(max(move, closing))

    @property
    def _was_open(self) -> float:
        beyond = ((self.edges[1] - self.edges[0]) @ self.face.down).max() / self.face.unit
        return float(smoothstep(self.gap + beyond, *WAS_OPEN))

    def _carry_corners(self, back: list, target: np.ndarray, shift: np.ndarray, parted: np.float32):
        """Take what is near the corners of the mouth along with them, in both fields `back`, as far as lips part.

        Lips that move by more than the corners' surroundings are wide would tear a crease there apart.
        """
        for corner, out in zip(MOUTH_CORNERS, (-1, 1)):  # outwards is to the left of the picture, to the right
            lips = shift[INNER] - shift[corner]
            way = float(np.sqrt((lips * lips).sum(1).max())) / self.face.unit
            wide = max(CORNER_REACH, CORNER_WAY * way)
            node = (target[corner] - self.field.box[:2]) / self.field.step
            reach = FAR_FROM_CORNER * wide * self.face.unit / self.field.step
            (left, top), (right, bottom) = (np.maximum(node + side * reach, 0).astype(int) for side in (-1, 1))
            near = slice(top, bottom + 2), slice(left, right + 2)
            away = self.field.face[near] - self.face.coordinates(target[corner])
            if not away.size:  # a corner beside the picture
                continue
            x, y = away[..., 0], away[..., 1] / np.float32(wide)
            x = np.maximum(x * np.float32(out / wide), x * np.float32(-out / CORNER_REACH))
            share = parted * np.exp(-x * x - y * y)
            share = cv2.merge((share, share))
            for nodes in back:
                nodes[near] -= share * (shift[corner] + nodes[near])

    def _rounding(self, target: np.ndarray, gap: float) -> np.float32:
        """How deep in shadow the teeth are: rounded lips, narrower than at rest, come forward over them."""
        ends = [UPPER[0], UPPER[-1]]
        now, rest = (float(np.hypot(*(p[ends[1]] - p[ends[0]]))) for p in (target, self.points))
        narrower = 1 - now / min(rest, LEAST_WIDTH * self.face.unit)
        return np.float32(ROUNDED_SHADE * smoothstep(narrower, *ROUNDED) * (1 - smoothstep(gap, *ROUNDED_GAP)))

    def _jaw_drop(self, target: np.ndarray) -> float:
        """How far the lower teeth are from biting, in units.

        Being further from the hinge of the jaw they go further than the chin; landmarks of the chin are noisy, so the
        lower lip sets bounds.
        """
        face = self.face
        lip = max(float(face.coordinates(target[INNER_LOWER[5]])[1]) - self.interior.bite, 0.0)
        chin = float(((target - self.points)[_CHIN] @ face.down).mean()) / face.unit + OPEN_CHIN * self.gap
        return float(np.clip(TEETH_WAY * chin, LIP_WAY[0] * lip, LIP_WAY[1] * lip))

    @cached_property
    def _source(self) -> tuple[np.ndarray, int, tuple[int, int]]:
        """What is sampled: the portrait around the field with a fourth channel, how much it is enlarged, its corner.

        Linear sampling of a cubically enlarged picture is as sharp as cubic sampling and takes less time for each
        frame, and so do four channels beside three.
        """
        pad = int(SOURCE_MARGIN * self.face.unit) + 2
        (x0, y0, x1, y1), (height, width) = self.field.box, self.portrait.shape[:2]
        sides = [max(beyond, 0) for beyond in (pad - y0, y1 + pad - height, pad - x0, x1 + pad - width)]
        picture = self.portrait[max(y0 - pad, 0) : y1 + pad, max(x0 - pad, 0) : x1 + pad]
        picture = cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REFLECT_101)
        times = ENLARGED if self.face.unit < CUBIC_BELOW else 1
        if times > 1:
            picture = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
        return cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), times, (x0 - pad, y0 - pad)

    def _sample(self, back: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """Portrait pixels of `box`, each from where the nodes `back` (rows, columns, 2) say that it comes."""
        picture, times, corner = self._source
        x, y = (times * (places - low) + (times - 1) // 2 for places, low in zip(self.field.maps(back, box), corner))
        return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)[..., :3]

    def _upper_share(self, middle: np.ndarray) -> np.ndarray:
        """How much each grid node follows the upper lip: 1 above the mouth's middle line, 0 below it."""
        line = self.face.coordinates(middle)
        x, y = self.field.face[..., 0], self.field.face[..., 1]
        beyond = np.maximum(np.maximum(line[0, 0] - x, x - line[-1, 0]), 0)
        soft = LINE_SOFTNESS + BEYOND_CORNERS * beyond
        return smoothstep(np.interp(x, line[:, 0], line[:, 1]) - y, -soft, soft).astype(np.float32)

    def _mouth_box(self, target: np.ndarray) -> tuple[int, int, int, int]:
        pad = MOUTH_MARGIN * self.face.unit + 3
        inner = target[INNER]
        x0, y0, x1, y1 = self.field.box
        low = np.clip(np.floor(inner.min(0) - pad), [x0, y0], [x1 - 1, y1 - 1]).astype(int)
        high = np.clip(np.ceil(inner.max(0) + pad) + 1, low + 1, [x1, y1]).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def _mouth_window(self, target: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """One between the corners of the mouth, zero at the sides of its box."""
        face, unit = self.face, self.face.unit
        ends = face.coordinates(target[[INNER_UPPER[0], INNER_UPPER[-1]]])[:, 0]
        (right, down), origin = face.right / unit, float(face.origin @ face.right) / unit
        across = np.arange(box[0], box[2], dtype=np.float32) * right - origin
        across = across + np.arange(box[1], box[3], dtype=np.float32)[:, None] * down
        edge = CORNER_FADE + 1 / unit
        return smoothstep(across, ends[0] - edge, ends[0]) * smoothstep(-across, -ends[1] - edge, -ends[1])


def _slices(part: tuple[int, int, int, int], whole: tuple = (0, 0)) -> tuple[slice, slice]:
    """Rows and columns of the box `part` in an array over the box `whole`, or the whole picture."""
    return slice(part[1] - whole[1], part[3] - whole[1]), slice(part[0] - whole[0], part[2] - whole[0])


def prepare(portrait: np.ndarray, source_landmarks: np.ndarray, traits: MouthTraits | None = None) -> PreparedPortrait:
    """Do once what all frames of a portrait share.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8 RGB.
        source_landmarks (`np.ndarray`): `(478, 2)` normalised landmarks of the portrait.
        traits ([`MouthTraits`], *optional*): what its mouth looks like inside; estimated by default.
    """
    portrait = check_portrait(portrait).copy()
    points = to_indices(check_landmarks(source_landmarks, "source_landmarks", 2), *portrait.shape[:2])
    face = face_frame(points)
    field = warp_field(points, face, *portrait.shape[:2])
    gap = max(float((points[INNER_LOWER[5]] - points[INNER_UPPER[5]]) @ face.down) / face.unit, 0.0)
    edges = _edges(portrait, points, face, gap)
    traits = traits or mouth_traits(portrait, points, face, edges)
    teeth = shown_teeth(portrait, points, edges, face, field.box, traits.teeth)
    return PreparedPortrait(portrait, points, face, field, MouthScene(traits, points, face), gap, edges, teeth)


def _edges(portrait: np.ndarray, points: np.ndarray, face: FaceFrame, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """From the inner landmarks to the true lip edges; at least a little where open, so that no teeth stick to lips."""
    least = float(smoothstep(gap, *WAS_OPEN)) * INSET * face.unit * INSET_SHAPE
    upper, lower = lip_edges(portrait, points)
    upper += np.maximum(least - upper @ -face.down[:, None], 0) * -face.down
    lower += np.maximum(least - lower @ face.down[:, None], 0) * face.down
    return upper, lower


class GeometricRenderer:
    """Moves the lips, jaw and cheeks of any portrait by a smooth warp and draws the inside of the mouth.

    Needs no weights and no training. Nothing outside the lower face changes by a single grey level. The object holds
    no state: one instance may render in many threads.
    """

    takes_references = hears_sound = samples = False
    shows_tongue = True

    def render(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        *,
        source_landmarks: np.ndarray,
        fps: float = 25,
        audio_features: Any = None,
        references: Any = None,
        generator: Any = None,
        tongue: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `landmarks`; see [`Renderer`] for shapes.

        Each frame depends on its landmarks and `tongue` alone; what else the common interface has is not used. Input
        is checked at the call, before the first frame is asked for; then threads draw some frames ahead.
        """
        landmarks = check_landmarks(landmarks, "landmarks", 3)
        prepared = prepare(portrait, source_landmarks)

        def draw(row: np.ndarray, pose: np.ndarray | None) -> np.ndarray:
            return prepared.shaded(prepared.frame(row, pose), row)

        poses = check_tongue(tongue, len(landmarks))
        return map_ahead(draw, landmarks, poses, nbytes=prepared.portrait.nbytes)
