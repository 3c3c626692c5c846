"""What the learned renderer's network sees of a mouth, and how its answer is laid on the frame."""

from typing import NamedTuple

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance, lip_gap
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.media.color import to_luma
from text2lip.renderers.contour import three
from text2lip.renderers.geometric import PreparedPortrait
from text2lip.renderers.mouth_drawing import DRAWN_PARTS, draw_mouth
from text2lip.renderers.mouth_references import MouthReferences
from text2lip.renderers.mouth_traits import mute
from text2lip.renderers.warp import CUBIC_BELOW, smoothstep


# Pairs are from where nothing is done to where all is; measured where figures are given, else by eye. Units are
# distances of the outer eye corners.
MOTION = (0.0, 0.02)  # units that the lips have moved: below nothing is corrected
REFERENCE_GAP = (0.005, 0.025)  # units between the lips, which a reference shows only where they are open
COLOURED = (0.5, 4.0)  # mean distance from grey, levels: a grey portrait is corrected in grey
STRANGE = (14.0, 30.0)  # mean correction of the face around the lips, levels, that is beyond belief
PAINTED = (2.0, 12.0)  # levels of change from which the paint's colours are kept to those of a mouth
LIGHT_SAMPLES = 0.5  # pixels of the crop at which its light is sampled, about
REPAINTED = (15.0, 60.0)  # levels by which the network changes what the warp's fine detail no longer fits


INSIDE_OF_FRAME = len(DRAWN_PARTS) + DRAWN_PARTS.index("inside")  # of a frame's drawings


class MouthCrop:
    """The crop around a portrait's mouth, and the way from its pixels to those of the portrait below it.

    Args:
        landmarks (`np.ndarray`): `(478, 2)` float32, normalised, the portrait's.
        height, width (`int`): of the portrait, pixels.
        size (`int`): of the crop, pixels.
    """

    def __init__(self, landmarks: np.ndarray, height: int, width: int, size: int):
        self.height, self.width, self.size = height, width, size
        points = to_pixels(landmarks, height, width).astype(np.float64)
        self.matrix = mouth_crop_transform(points, size, side=CROP_SIDE * size / CROP_SIZE)
        self.zoom = np.sqrt(np.linalg.det(self.matrix[:, :2]))  # pixels of the crop for one of the portrait
        back = cv2.invertAffineTransform(self.matrix)
        corners = transform_points(back, np.float64([[0, 0], [size, 0], [0, size], [size, size]]))
        x0, y0 = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)), 0, [width, height]).astype(int)
        self.box = slice(y0, y1), slice(x0, x1)  # of the portrait
        margin = int(4 / self.zoom)
        x, y = max(x0 - margin, 0), max(y0 - margin, 0)
        self.even = tuple(
            slice(low, low + (min(high + margin, most) - low) // 2 * 2)
            for low, high, most in ((y, y1, height), (x, x1, width))
        )
        self.columns, self.rows = np.arange(x1 - x0, dtype=np.float32), np.arange(y1 - y0, dtype=np.float32)[:, None]
        self.turn = back[:, :2].astype(np.float32)
        self.to_crop = self.matrix.copy()  # from pixel indices of the box
        self.to_crop[:, 2] += self.matrix[:, :2] @ (x0 + 0.5, y0 + 0.5) - 0.5
        self.method = cv2.INTER_CUBIC if eye_distance(points) < CUBIC_BELOW else cv2.INTER_LINEAR

    def driven(self, landmarks: np.ndarray) -> np.ndarray:
        """The driven points `(57, 2)`, pixels of the crop, of normalised landmarks `(478, 2)`."""
        points = to_pixels(landmarks, self.height, self.width).astype(np.float64)
        return transform_points(self.matrix, points[list(DRIVEN)])

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The crop `(size, size, 3)` of a picture of the portrait's size, uint8."""
        if self.zoom > 1 / 3:
            return crop(picture, self.matrix, self.size)
        half = cv2.resize(picture[self.even], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix = self.matrix * (2, 2, 1)
        matrix[:, 2] += self.matrix[:, :2] @ (self.even[1].start, self.even[0].start)
        return crop(half, matrix, self.size)

    def enlarge(self, values: np.ndarray, coarse: int = 1) -> np.ndarray:
        """Values `(size, size)` or `(size, size, 3)` of the crop at the pixels of the box, float32; zero outside of
        the crop. Smooth ones may be taken at each `coarse` of them and laid in between."""
        size = -(-len(self.columns) // coarse), -(-len(self.rows) // coarse)
        matrix = self.to_crop * (coarse, coarse, 1)
        matrix[:, 2] += self.to_crop[:, :2].sum(1) * (coarse - 1) / 2
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        large = cv2.warpAffine(values.astype(np.float32), matrix, size, flags=flags)
        if coarse > 1:
            large = cv2.resize(large, (size[0] * coarse, size[1] * coarse), interpolation=cv2.INTER_LINEAR)
        return large[: len(self.rows), : len(self.columns)]

    def touched(self, values: np.ndarray) -> tuple[slice, slice]:
        """Rows and columns of the box outside of which [`enlarge`] makes 0 of `values` (size, size, n)."""
        x, y, width, height = cv2.boundingRect(values.any(-1).astype(np.uint8))
        corners = [(column, row) for column in (x - 2, x + width + 2) for row in (y - 2, y + height + 2)]
        at = transform_points(cv2.invertAffineTransform(self.to_crop), np.float64(corners))
        beside = max(1, round(LIGHT_SAMPLES / self.zoom)) + 1
        x0, y0 = (max(int(low) - beside, 0) for low in at.min(0))
        x1, y1 = (max(int(high) + beside, 0) for high in at.max(0))
        return (slice(y0, y1), slice(x0, x1)) if width else (slice(0, 0), slice(0, 0))

    def lay(self, picture: np.ndarray) -> np.ndarray:
        """A crop of any size `(side, side, 3)` at the pixels of the box, float32."""
        zoom = self.size / len(picture)
        matrix = self.to_crop / zoom  # between pixel indices, whose centres are half a pixel off
        matrix[:, 2] += 0.5 / zoom - 0.5
        size, flags = (len(self.columns), len(self.rows)), self.method | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(picture, matrix, size, flags=flags).astype(np.float32)


class FrameMouth(NamedTuple):
    """What the network sees of a warped frame."""

    warped: np.ndarray  # (size, size, 3) uint8, its crop
    drawings: np.ndarray  # (size, size, 8) uint8, of the portrait's landmarks and of its own
    motion: float  # how far its lips have moved, 0 to 1
    reference: tuple | None  # of `MouthReferences.draw`; and where that may be used, (size, size) in [0, 1]


class Answer(NamedTuple):
    """What the network says of a frame, float32."""

    flow: np.ndarray  # (size, size, 2), pixels of the crop
    colour: np.ndarray  # (size, size, 3), grey levels
    mask: np.ndarray  # (size, size) in [0, 1], where the mouth was painted anew
    reference_share: np.ndarray  # (size, size) in [0, 1], how much of the reference shows
    light: np.ndarray | None = None  # (size, size, 3), logarithmic, of a network that does not paint


class MouthView:
    """What the network sees of one portrait; read only.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        landmarks (`np.ndarray`): `(478, 2)` float32, normalised, the portrait's.
        size (`int`): of the crop, pixels.
        references ([`MouthReferences`], *optional*): other pictures of the person.
    """

    def __init__(
        self, portrait: np.ndarray, landmarks: np.ndarray, size: int, references: MouthReferences | None = None
    ):
        self.crop, self.size, self.references = MouthCrop(landmarks, *portrait.shape[:2], size), size, references
        self.source, self.points = self.crop.cut(portrait), self.crop.driven(landmarks)
        self.drawing = draw_mouth(self.points, size)
        self.gap = lip_gap(self.points) * CROP_SIDE / CROP_SIZE  # units

    def choose(self, landmarks: np.ndarray, fps: float) -> list:
        """For each row of landmarks `(frames, 478, 2)` how much each reference shows, see [`MouthReferences`]."""
        if self.references is None or not len(landmarks):
            return [None] * len(landmarks)
        return list(self.references.choose(np.stack([self.crop.driven(row) for row in landmarks]), self.size, fps))

    def of(self, frame: np.ndarray, landmarks: np.ndarray, shares: np.ndarray | None = None) -> FrameMouth:
        """Of a warped frame. Shut lips are the portrait's: nearness can't tell them from hardly parted ones."""
        points = self.crop.driven(landmarks)
        drawings = np.concatenate([self.drawing, draw_mouth(points, self.size)], -1)
        reference = None
        if self.references is not None:
            lips = cv2.blur(np.maximum(drawings[..., :3], drawings[..., 4:7]).max(-1), (5, 5)) / np.float32(255)
            shut = 1 - np.float32(smoothstep(lip_gap(points) * CROP_SIDE / CROP_SIZE, *REFERENCE_GAP))
            reference = *self.references.draw(points, self.size, shares), 1 - shut * lips
        return FrameMouth(self.crop.cut(frame), drawings, float(motion_share(points, self.points)), reference)


class MouthCorrection:
    """Lays the network's answers on frames of a portrait, in its colours; read only.

    Args:
        prepared ([`PreparedPortrait`]): of the geometric renderer.
        view ([`MouthView`]): of the same portrait.
    """

    def __init__(self, prepared: PreparedPortrait, view: MouthView):
        self.crop = view.crop
        chroma = np.abs(view.source - to_luma(view.source)[..., None]).mean()
        self.saturation = np.float32(smoothstep(chroma, *COLOURED))
        colours = prepared.interior.traits
        self.teeth, self.warmth = colours.teeth, colours.warmth
        self.bluest = min(part[2] / max(part[1], 1.0) for part in (colours.teeth, colours.cavity))

    def apply(self, frame: np.ndarray, mouth: FrameMouth, answer: Answer, share: float):
        """Change `frame` in place by the network's answer, at the frame's own resolution.

        Args:
            frame (`np.ndarray`): `(height, width, 3)` uint8, the geometric renderer's.
            mouth ([`FrameMouth`]): what the network saw of it.
            answer ([`Answer`]): what it said.
            share (`float`): in [0, 1], of the change that is done.
        """
        (warped, drawings, _, reference), (flow, colour, mask, reference_share, light) = mouth, answer
        if light is None:  # what is inside is the scene's, of older networks nothing
            around = 1 - drawings[..., INSIDE_OF_FRAME, None] / np.float32(255)
            flow, colour, mask = flow * around, colour * around, mask * around[..., 0]
        if reference is not None:
            picture, _, where = reference
            reference_share = reference_share * where
            small = cv2.resize(picture, warped.shape[:2], interpolation=cv2.INTER_AREA)
            warped = warped + reference_share[..., None] * (small - warped.astype(np.float32))
        if light is None:
            box = _bounds(mask)
            painted = warped[box] + colour[box]
            colour[box] += mask[box][..., None] * (self._natural(painted, warped[box]) - painted)
            repainted = mask * smoothstep(np.abs(to_luma(colour)), *REPAINTED)
            colour, unpainted = self._muted(colour), mask[..., None] < 0.1
        else:
            brighter = np.expm1(self._muted(light))
            colour, repainted, unpainted = warped * brighter, mask, drawings[..., INSIDE_OF_FRAME, None] == 0
        share *= 1 - smoothstep(np.abs(colour).mean(where=unpainted), *STRANGE)
        whole, shade = frame[self.crop.box], np.float32(share) * (colour if light is None else brighter)
        moves = np.concatenate([flow @ self.crop.turn.T, repainted[..., None]], -1)
        near = self.crop.touched(np.concatenate([moves, shade, reference_share[..., None]], -1))
        view = whole[near]
        if share <= 0 or not view.size:  # a mouth may be beside the picture
            return
        x, y, blurred = cv2.split(self.crop.enlarge(np.float32(share) * moves)[near])
        x, y = x + self.crop.columns[near[1]], y + self.crop.rows[near[0]]
        result = cv2.remap(whole, x, y, self.crop.method, borderMode=cv2.BORDER_REPLICATE)
        sigma = 0.5 / self.crop.zoom  # of what the crop leaves of the portrait's detail
        box = _bounds(blurred)
        if sigma > 0.6 and light is None and blurred[box].size:
            fine = result[box].astype(np.float32)
            fine += (cv2.GaussianBlur(fine, (0, 0), sigma) - fine) * three(blurred[box])
            result[box] = np.rint(fine)
        shade = self.crop.enlarge(shade, max(1, round(LIGHT_SAMPLES / self.crop.zoom)))[near]
        if light is not None:
            result = result * (1 + shade)
        if reference is not None:
            laid = self._muted(self.crop.lay(picture)[near])
            result = result + (laid - result) * three(self.crop.enlarge(np.float32(share) * reference_share)[near])
        view[:] = cv2.add(np.float32(result), shade if light is None else 0, dtype=cv2.CV_8U)

    def _muted(self, colours: np.ndarray) -> np.ndarray:
        """`colours` (..., 3) as grey as the portrait is."""
        return colours if self.saturation == 1 else mute(colours, self.saturation)

    def _natural(self, painted: np.ndarray, warped: np.ndarray) -> np.ndarray:
        """`painted` (size, size, 3), levels, in colours that a mouth has: none between that of the teeth, darkening
        to red as light does in there, and that of the lips; the network has seen few cameras' teeth. What is hardly
        painted stays as it is."""
        light = np.clip(painted[..., :1] / max(self.teeth[0], 1.0), 0, 1)
        natural = np.minimum(painted, np.maximum(self.teeth * light**self.warmth, warped))
        natural[..., 2] = np.maximum(natural[..., 2], self.bluest * natural[..., 1])
        change = np.abs(painted - warped).max(-1, keepdims=True)
        return painted + smoothstep(change, *PAINTED) * (natural - painted)


def _bounds(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of an array (height, width) between which it is above 0."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    return slice(y, y + height), slice(x, x + width)


def motion_share(points: np.ndarray, source_points: np.ndarray) -> np.ndarray:
    """How much of its correction a frame gets: 0 where the mouth is as in the portrait, whose pixels know best.

    Args:
        points (`np.ndarray`): `(..., 57, 2)`, pixels of the crop.
        source_points (`np.ndarray`): the same of the portrait.

    Returns:
        `np.ndarray`: `(...)` in [0, 1].
    """
    return smoothstep(np.abs(points - source_points).max((-1, -2)) * CROP_SIDE / CROP_SIZE, *MOTION)
