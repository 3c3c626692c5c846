"""Eyes of a portrait that look elsewhere, widen and close: behind the lids there is an eyeball, which they uncover.

What a lid hides of the iris is what is opposite of its middle; the white goes on as the white beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from text2lip.faces.topology import LEFT_IRIS, RIGHT_IRIS
from text2lip.media.color import to_luma
from text2lip.renderers.cutout import smooth_fill
from text2lip.renderers.eyelids import Eye, Eyelids, find_eyes, prepare_eyelids
from text2lip.renderers.relief_field import ReliefField, expression_amount
from text2lip.renderers.warp import FaceFrame, smoothstep


EYEBALL = 2.05  # radius, of the iris's: 12 mm and 5.85 mm
IRIS_LEAST = 0.04  # units, of an iris's radius
IRIS_EDGE, WHITE_END = 1.15, 2.6  # radii from its middle: what moves as one; what moves at all
CATCH_LIGHT = 0.5  # of the iris's way, that the light on the cornea makes
CATCH_BRIGHT = 55  # above the iris, what is a catch light
BEHIND_LASHES = (0.010, 0.004)  # units below the upper lid, above the lower one, that stay: lashes, their shade
LASH_SHADE = (0.035, 0.012)  # units from either lid in which the ball is shaded by it, and goes on unshaded behind it
SHADE_MOST = 0.2  # of the eye's height, that this is at most
LEAST_SHADE, SHADE_ALONG = 0.35, 0.7  # of the light there; radii along the lid over which that is smooth
RIM_OF_IRIS = (0.92, 1.12)  # radii from its middle: where the iris ends and the white begins
ACROSS_BLUR = 0.5  # pixels, blur of that shade across the lid
AS_SEEN = 0.03  # units of motion over which the eye goes from the picture's own pixels to the rebuilt ball
UNCOVERED = 0.09  # units around what is seen, that lids may uncover
GAZE_LIMIT = (16.0, 11.0)  # degrees aside, up and down, that an eye turns here
STILL_PIXELS, STILL_CHANNEL = 1e-3, 1e-3  # less of a way, pixels, or of a channel, in its own units, moves nothing


@dataclass(frozen=True, eq=False)
class LivingEye:
    """One eye's pixels.

    Attributes:
        side: the person's own, "Left" or "Right".
        lids: what closes it.
        box: x0, y0, x1, y1 of what lies between the lids, pixels.
        iris: (2,) its middle, pixels.
        radius: of the iris, pixels.
        ball: float32 (rows + 2 edge, columns + 2 edge, 3), the ball without lids and catch lights.
        light: float32, of the same size, the catch lights alone.
        edge: pixels that these go beyond the box.
        shade: float32 (rows, columns, 1), what the lids leave of the ball's light.
        open_part: float32 (rows, columns, 1), 1 between the lids.
        carried: channel of a plan to where it moves the skin: float32 (rows, columns, 2) pixels at 1.
    """

    side: str
    lids: Eyelids
    box: tuple[int, int, int, int]
    iris: np.ndarray
    radius: float
    ball: np.ndarray
    light: np.ndarray
    edge: int
    shade: np.ndarray
    open_part: np.ndarray
    carried: Mapping[str, np.ndarray]

    def look(self, frame: np.ndarray, shift: np.ndarray, row: Mapping[str, float]) -> None:
        """Turn the eye in `frame`, in place, so that the iris goes by `shift` (2,) pixels, and hold the ball still
        where the skin will go as `row` says."""
        x0, y0, x1, y1 = self.box
        here = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
        there = here.copy()
        for name, way in self.carried.items():
            there += np.float32(expression_amount(row, name)) * way
        distance = np.linalg.norm(there - shift - self.iris, axis=-1) / self.radius
        source = there - shift * (1 - smoothstep(distance, IRIS_EDGE, WHITE_END))[..., None]
        corner, edge = np.float32([x0 - self.edge, y0 - self.edge]), self.edge
        ball, light = (
            cv2.remap(
                part, (places - corner).astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            for part, places in ((self.ball, source), (self.light, there - CATCH_LIGHT * shift))
        )
        view, inner = frame[y0:y1, x0:x1], slice(edge, -edge)
        missed = view - (self.ball[inner, inner] * self.shade + self.light[inner, inner])
        moved = np.linalg.norm(source - here, axis=-1) / (AS_SEEN * self.lids.eye.unit)
        drawn = ball * self.shade + light + missed * (1 - smoothstep(moved, 0, 1))[..., None]
        view[:] = np.rint(view + (drawn - view) * self.open_part).clip(0, 255)


class LivingEyes:
    """The eyes of a portrait that it shows open; none where a lens or hair hides one of two, for they move together.

    Args:
        picture (`np.ndarray`): (height, width, 3) uint8.
        points (`np.ndarray`): (478, 2) pixel landmarks.
        face (`FaceFrame`): of these landmarks.
        field ([`ReliefField`]): of the same picture, which moves the skin afterwards.
    """

    def __init__(self, picture: np.ndarray, points: np.ndarray, face: FaceFrame, field: ReliefField):
        self.face, self.eyes = face, []
        for eye in find_eyes(points, face.unit):
            lids = prepare_eyelids(picture, eye)
            side = "Left" if face.coordinates(eye.corner)[0] > 0 else "Right"
            self.eyes.append(None if lids is None else _living_eye(picture, points, side, lids, field))
        if not all(self.eyes):
            self.eyes = []

    def shift(self, eye: LivingEye, row: Mapping[str, float]) -> np.ndarray:
        """How far an iris goes: (2,) pixels."""
        angles = row.get("gazeYaw", 0.0), -row.get("gazePitch", 0.0)
        right, down = (np.sin(np.deg2rad(np.clip(a, -most, most))) for a, most in zip(angles, GAZE_LIMIT))
        return (EYEBALL * eye.radius * (right * self.face.right + down * self.face.down)).astype(np.float32)

    @property
    def irises(self) -> list[slice]:
        """Landmarks of the irises that are drawn here: lids that widen or narrow leave them where they are."""
        return [_iris(eye.side) for eye in self.eyes]

    def draw(self, frame: np.ndarray, row: Mapping[str, float]) -> None:
        """Turn and close the eyes in `frame`, in place."""
        for eye in self.eyes:
            shift = self.shift(eye, row)
            carried = max((abs(row.get(name, 0.0)) for name in eye.carried), default=0.0)
            if np.abs(shift).max() > STILL_PIXELS or carried > STILL_CHANNEL:
                eye.look(frame, shift, row)
            if (closure := row.get(f"eyeBlink{eye.side}", 0.0)) > STILL_CHANNEL:
                eye.lids.close(frame, closure)

    def move(self, points: np.ndarray, row: Mapping[str, float]) -> np.ndarray:
        """Pixel landmarks (478, 2) of the face after [`draw`]."""
        points = points.copy()
        for eye in self.eyes:
            if (closure := row.get(f"eyeBlink{eye.side}", 0.0)) > STILL_CHANNEL:
                points[:RIGHT_IRIS] = eye.lids.eye.move(points[:RIGHT_IRIS], closure)
            points[_iris(eye.side)] += self.shift(eye, row)
        return points


def _iris(side: str) -> slice:
    first = LEFT_IRIS if side == "Left" else RIGHT_IRIS
    return slice(first, first + 5)


def _living_eye(
    picture: np.ndarray, points: np.ndarray, side: str, lids: Eyelids, field: ReliefField
) -> LivingEye | None:
    eye, (x0, y0, x1, y1) = lids.eye, lids.box
    middle, *ring = points[_iris(side)].astype(np.float32)
    radius = max(float(np.linalg.norm(ring - middle, axis=-1).mean()), IRIS_LEAST * eye.unit)
    open_part = _between(eye, lids.x, lids.y, BEHIND_LASHES)
    rows, columns = np.flatnonzero(open_part.any(1)), np.flatnonzero(open_part.any(0))
    if not (len(rows) and len(columns)):
        return None
    open_part = open_part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x0, y0, x1, y1 = (int(v) for v in (x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1, y0 + rows[-1] + 1))
    view = np.ascontiguousarray(picture[y0:y1, x0:x1])
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
    in_iris = (np.linalg.norm(grid - middle, axis=-1) < 0.85 * radius) & (open_part > 0.5)
    dull = _without_lights(view, in_iris, eye.unit)
    edge = round(UNCOVERED * eye.unit) + 1
    ball = _whole_ball(dull, eye, middle, radius, (x0, y0), edge)
    light = np.pad(view.astype(np.float32) - dull, ((edge, edge), (edge, edge), (0, 0)))
    shade = _shade(ball[edge:-edge, edge:-edge], dull, eye, SHADE_ALONG * radius)
    carried = {name: field.sample(way * field.held, grid) for name, way in field.expression.items()}
    carried = {name: way for name, way in carried.items() if np.abs(way).max() > STILL_PIXELS}
    box, parts = (x0, y0, x1, y1), (part[..., None].astype(np.float32) for part in (shade, open_part))
    return LivingEye(side, lids, box, middle, radius, ball, light, edge, *parts, carried)


def _without_lights(view: np.ndarray, iris: np.ndarray, unit: float) -> np.ndarray:
    """`view` (rows, columns, 3) uint8 without catch lights on the `iris` (rows, columns)."""
    luma = to_luma(view.astype(np.float32))
    bright = iris & (luma > np.median(luma[iris]) + CATCH_BRIGHT) if iris.any() else iris
    if not bright.any() or bright.sum() >= 0.25 * iris.sum():
        return view
    spot = cv2.dilate(bright.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, round(0.008 * unit)))
    return cv2.inpaint(view, spot, 3, cv2.INPAINT_TELEA)


def _shade(ball: np.ndarray, seen: np.ndarray, eye: Eye, along: float) -> np.ndarray:
    """What the lids leave of the light of a `ball` (rows, columns, 3), as `seen`: (rows, columns), smooth over `along`
    pixels of the way between the eye's corners."""
    shade = np.clip(to_luma(seen.astype(np.float32)) / np.maximum(to_luma(ball), 1), LEAST_SHADE, 1)
    reach = np.arange(-round(3 * along), round(3 * along) + 1)
    spots = np.stack(np.meshgrid(reach, reach), -1)
    way = np.array([eye.down[1], -eye.down[0]])
    weights = np.exp(-0.5 * ((spots @ way / along) ** 2 + (spots @ eye.down / ACROSS_BLUR) ** 2))
    return cv2.filter2D(shade, -1, (weights / weights.sum()).astype(np.float32))


def _between(eye: Eye, x: np.ndarray, y: np.ndarray, beyond: tuple[float, float]) -> np.ndarray:
    """1 between the lids of an eye, of whose axes `x` and `y` are; they reach so many units into it."""
    upper, lower, _ = eye.margins(x)
    soft = 0.6 + 0.008 * eye.unit
    above, below = (np.minimum(share * eye.unit, SHADE_MOST * (lower - upper)) for share in beyond)
    return smoothstep(y - upper - above, 0, soft) * smoothstep(lower - below - y, 0, soft)


def _whole_ball(
    dull: np.ndarray, eye: Eye, middle: np.ndarray, radius: float, corner: tuple[int, int], edge: int
) -> np.ndarray:
    """The eyeball of `dull` (rows, columns, 3), which begins at `corner`, without lids: float32, `edge` larger."""
    rows, columns = dull.shape[:2]
    x, y = (np.arange(at - edge, at + edge + count) for at, count in zip(corner, (columns, rows)))
    grid = np.stack(np.meshgrid(x, y), -1).astype(np.float32)

    def taken(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colours at places, and how far they lie between the lids."""
        maps = (places - corner).astype(np.float32)
        colours = cv2.remap(dull, maps, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return colours.astype(np.float32), _between(eye, *eye.axes(places), LASH_SHADE)[..., None]

    here, seen = taken(grid)
    away = grid - middle
    distance = np.linalg.norm(away, axis=-1)[..., None] / radius
    opposite, known = taken(grid - 2 * (away @ eye.down)[..., None] * eye.down)
    iris = here * (1 - known) + opposite * known
    in_iris = 1 - smoothstep(distance, *RIM_OF_IRIS)
    sure = ((seen > 0.5) & (distance > RIM_OF_IRIS[1] + 0.1))[..., 0]
    white = smooth_fill(here, sure) if sure.any() else here
    behind = white + (iris - white) * in_iris
    return (behind + (here - behind) * seen).astype(np.float32)
