"""The displacement of a head's pixels under a pose: its depth, how far each part goes along, and the map back."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np

from text2lip.faces.topology import CHIN_TIP, EARS, FACE_OVAL, canonical_mesh
from text2lip.renderers.expression_field import expression_field
from text2lip.renderers.warp import FaceFrame, smoothstep


# Units are distances of the outer eye corners; by eye.
RELIEF_CELLS = 20  # of the grid in a unit
RELIEF_REACH = ((-2.2, 2.2), (-3.2, 3.7))  # right and down of the face, what may move
ROOM = 0.4  # around the person, for it to move
BEHIND_EARS = 0.12  # the head turns about an axis that far behind the ears
NECK_AXIS = 0.55  # below the chin: the middle of what the head leans about
NECK_FADE = (-0.05, 0.95)  # below the chin, where the head's motion fades
BESIDE_HEAD, ABOVE_HEAD = (1.5, 2.2), (2.3, 3.1)  # beside and above the face, where it fades
DEPTH_BLUR = 0.06  # blur of the depth
SHOULDER_RISE, CHEST = 0.016, (0.5, 1.2, 1.5, 2.4)  # rise of the shoulders; below the chin: where it sets in and ends
BACKWARD_STEPS = (1, 0.5, 1, 0.6, 1)  # shares: whole ones alone run away where skin is stretched twofold
NOTHING = 1e-6
BOTTOM = 0.35  # units above the picture's lower side in which the head's motion fades
CUT_OFF, CUT_BESIDE = 0.5, 0.25  # units from a border that cuts the person off, in which they stay at it; and along it
STRIP = 2**16  # pixels that are moved at once, about: they stay in a processor's cache
OPAQUE = 1 - 0.5 / 255  # of the matte: from there on nothing shows through
GAZE_MOST = 11.0  # degrees up and down that lids follow
HEAD_CHANNELS = ("headYaw", "headPitch", "headRoll", "headX", "headY")


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3) of a head by degrees; axes right, down and towards the viewer."""
    yaw, pitch, roll = np.deg2rad([yaw, pitch, roll])
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    about_down = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_right = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    in_plane = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return in_plane @ about_right @ about_down


def expression_amount(row: Mapping[str, float], name: str) -> float:
    """How much of a channel of the expression moves skin: `row`'s, a gaze no further than lids follow it."""
    return min(max(row.get(name, 0.0), -GAZE_MOST), GAZE_MOST)


class Strip(NamedTuple):
    """A part of the field's box that the person may reach, pixels."""

    area: tuple[int, int, int, int]  # x0, y0, x1, y1
    solid: slice  # columns of the area that show nothing of the background
    whence: tuple[int, int, int, int]  # x0, y0, x1, y1 of what comes there


class ReliefField:
    """Where the nodes of a grid over the picture go.

    Args:
        points (`np.ndarray`): (478, 2) pixels.
        depth (`np.ndarray`, *optional*): (478,) pixels, smaller is nearer.
        face (`FaceFrame`): of the points.
        size (`tuple[int, int]`): height and width of the picture.
        matte (`np.ndarray`): (height, width), 0 to 1.
    """

    def __init__(self, points, depth, face: FaceFrame, size, matte: np.ndarray):
        height, width = size
        self.face = face
        chin = float(face.coordinates(points[CHIN_TIP])[1])
        corners = face.pixels(np.array([(x, y) for x in RELIEF_REACH[0] for y in RELIEF_REACH[1]], np.float32))
        x0, y0 = np.clip(np.floor(corners.min(0)), 0, (width - 2, height - 2)).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)) + 1, (x0 + 2, y0 + 2), (width, height)).astype(int)
        person = matte[y0:y1, x0:x1] > 0
        rows, columns = np.flatnonzero(person.any(1)), np.flatnonzero(person.any(0))
        room = round(ROOM * face.unit)
        x0, x1 = max(x0, x0 + columns[0] - room), min(x1, x0 + columns[-1] + 1 + room)
        y0, y1 = max(y0, y0 + rows[0] - room), min(y1, y0 + rows[-1] + 1 + room)
        self.box = int(x0), int(y0), int(x1), int(y1)
        self.step = max(2, round(face.unit / RELIEF_CELLS))
        x = x0 + (np.arange(-(-(x1 - x0) // self.step)) + 0.5) * self.step - 0.5
        y = y0 + (np.arange(-(-(y1 - y0) // self.step)) + 0.5) * self.step - 0.5
        self.nodes = np.stack(np.meshgrid(x, y), -1).astype(np.float32)
        right, down = np.moveaxis(face.coordinates(self.nodes), -1, 0)
        self.head = (
            (1 - smoothstep(down - chin, *NECK_FADE))
            * (1 - smoothstep(np.abs(right), *BESIDE_HEAD))
            * (1 - smoothstep(-down, *ABOVE_HEAD))
        )
        self.head *= smoothstep((height - 1 - self.nodes[..., 1]) / (BOTTOM * face.unit), 0, 1)
        near = self._depth(points, depth, matte, chin)
        self.place = np.stack([right, down - chin - NECK_AXIS, near], -1).astype(np.float32)
        self.expression = expression_field(points, face, self.nodes)
        low, full, start, end = CHEST
        chest = smoothstep(down - chin, low, full) * (1 - smoothstep(down - chin, start, end))
        self.breath = (-SHOULDER_RISE * face.unit * chest * (1 - smoothstep(np.abs(right), 1.1, 2.1)))[
            ..., None
        ] * face.down

        width = float(np.hypot(*(points[EARS[1]] - points[EARS[0]])))
        axes = np.stack([face.right, face.down])
        turned = [self.head * near * face.unit for near in np.moveaxis(self.place, -1, 0)]
        fields = [part[..., None] * axis for axis in axes for part in turned]  # by the entries of a rotation
        fields += [self.head[..., None] * width * axis for axis in axes]
        fields += [self.breath, *self.expression.values()]
        self._basis = np.stack(fields).astype(np.float32).reshape(len(fields), -1)
        self.held = self._at_borders(matte)
        rows, columns = self.nodes.shape[:2]
        self._grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).astype(np.float32)
        at = np.meshgrid(np.arange(-1, columns + 1), np.arange(-1, rows + 1))
        self._places = ((np.stack(at, -1) + 0.5) * self.step - 0.5).astype(np.float32)  # in the box, and one around
        person = matte[y0:y1, x0:x1]
        self._person, self._thin = self._cells(person > 0), self._cells(person < OPAQUE)

    def _cells(self, where: np.ndarray) -> np.ndarray:
        """Cells of the grid in which `where` (height, width) is true anywhere: uint8 (rows, columns)."""
        rows, columns = self.nodes.shape[:2]
        beyond = rows * self.step - where.shape[0], columns * self.step - where.shape[1]
        cells = np.pad(where, ((0, beyond[0]), (0, beyond[1]))).reshape(rows, self.step, columns, self.step)
        return cells.any(1).any(-1).astype(np.uint8)

    def _at_borders(self, matte: np.ndarray) -> np.ndarray:
        """How far each node may leave its place, right and down, (rows, columns, 2) from 0 to 1: what a border cuts
        off stays at the border, where there is nothing to be seen beyond."""
        held = np.ones_like(self.nodes)
        for axis in (0, 1):
            last, side = matte.shape[1 - axis] - 1, np.moveaxis(matte, 1 - axis, 0)
            along = self.nodes[..., 1 - axis].astype(int).clip(0, matte.shape[axis] - 1)
            for edge, away in ((side[:3], self.nodes[..., axis]), (side[-3:], last - self.nodes[..., axis])):
                size = 2 * round(CUT_BESIDE * self.face.unit) + 1
                cut = cv2.blur(cv2.dilate(edge.max(0)[None], np.ones((1, size), np.uint8)), (size, 1))[0][along]
                held[..., axis] *= 1 - cut * (1 - smoothstep(away / (CUT_OFF * self.face.unit), 0, 1))
        return held

    def _depth(self, points, depth, matte, chin) -> np.ndarray:
        """How near each node is, from the axis of the head, units."""
        face, (x0, y0, x1, y1), step = self.face, self.box, self.step
        if depth is None:
            mesh = canonical_mesh()[0]
            scale = np.hypot(*(mesh[263] - mesh[33])[:2])
            z = -mesh[:, 2] / scale * face.unit
        else:
            z = depth[:468]
        near = (z[list(EARS)].mean() - z) / face.unit + BEHIND_EARS
        cells = (points[:468] - self.nodes[0, 0]) / step
        shape = self.nodes.shape[:2]
        # Splats as wide as the mesh is coarse
        grid = np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), -1).astype(np.float32)
        oval = np.zeros(shape, np.uint8)
        cv2.fillPoly(oval, [np.rint(cells[list(FACE_OVAL)]).astype(np.int32)], 1)
        inside = np.argwhere(oval)
        spots = grid[inside[:, 0], inside[:, 1]]
        distance = ((spots[:, None] - cells[None]) ** 2).sum(-1) / (0.07 * RELIEF_CELLS) ** 2
        share = np.exp(-distance) + 1e-9 / (1 + distance)
        known = (share @ near) / share.sum(1)
        value = np.zeros(shape, np.float32)
        value[inside[:, 0], inside[:, 1]] = known
        # The outline of the head lies where its axis is
        person = cv2.resize(matte[y0:y1, x0:x1], shape[::-1], interpolation=cv2.INTER_AREA)
        right, down = np.moveaxis(face.coordinates(self.nodes), -1, 0)
        outside = (cv2.dilate((person > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0) & (down < chin)
        fixed = (oval > 0) | outside
        start = np.where(outside, 0, value)
        value = cv2.blur(start, (9, 9))
        for size in (15, 9, 5, 3, 3):
            for _ in range(40):
                value = np.where(fixed, start, cv2.blur(value, (size, size)))
        blur = DEPTH_BLUR * RELIEF_CELLS
        return cv2.GaussianBlur(value, (0, 0), blur)

    def displacement(self, row: Mapping[str, float], held: bool = True) -> np.ndarray | None:
        """Where the nodes go: (rows, columns, 2) pixels; None where nothing moves. `held` at borders that cut the
        person off."""
        yaw, pitch, roll, right, down = (row.get(name, 0.0) for name in HEAD_CHANNELS)
        turn = (rotation(yaw, pitch, roll) - np.eye(3))[:2]
        units = [expression_amount(row, name) for name in self.expression]
        amounts = np.float32([*turn.ravel(), right, down, row.get("breath", 0.0), *units])
        moved = (amounts @ self._basis).reshape(self.nodes.shape)
        if held:
            moved *= self.held
        return moved if np.abs(moved).max() > NOTHING else None

    def comes_away(self, row: Mapping[str, float], matte: np.ndarray) -> float:
        """How far the person would come away from the picture's border under `row` or its opposite, units."""
        height, width = matte.shape
        moved = self.displacement(row, held=False)
        if moved is None:
            return 0.0
        nodes = np.clip(np.rint(self.nodes), 0, (width - 1, height - 1)).astype(int)
        person = matte[nodes[..., 1], nodes[..., 0]] > 0.3
        at_left, at_top = self.nodes[..., 0] < self.step, self.nodes[..., 1] < self.step
        at_right, at_bottom = self.nodes[..., 0] > width - 1 - self.step, self.nodes[..., 1] > height - 1 - self.step
        sides, most = ((at_left | at_right, 0), (at_top | at_bottom, 1)), 0.0
        for side, axis in sides:
            if (side & person).any():
                most = max(most, float(np.abs(moved[side & person][:, axis]).max()))
        return most / self.face.unit

    def sample(self, moved: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The displacement at pixels (N, 2), fewer than 32767, or (rows, columns, 2)."""
        where = ((points - self.nodes[0, 0]) / self.step).astype(np.float32)
        return _at(moved, where if where.ndim == 3 else where[None]).reshape(points.shape)

    def backward(self, moved: np.ndarray) -> np.ndarray:
        """Where each node, and one around all of them, comes from: (rows + 2, columns + 2, 2) float32, in the box."""
        source = -moved
        for share in BACKWARD_STEPS:
            there = _at(moved, cv2.scaleAdd(source, 1 / self.step, self._grid))
            source = cv2.addWeighted(source, 1 - share, there, -share, 0)
        return cv2.add(cv2.copyMakeBorder(source, 1, 1, 1, 1, cv2.BORDER_REPLICATE), self._places)

    def strips(self, source: np.ndarray) -> Iterator[Strip]:
        """The parts of the box that the person may reach, from above downwards; `source` is of [`backward`]."""
        rows, step = len(self.nodes), self.step
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        far = float(cv2.norm(source, self._places, cv2.NORM_INF))
        reach = np.ones((2 * (int(far / step) + 2) + 1,) * 2, np.uint8)
        near, thin = cv2.dilate(self._person, reach), cv2.dilate(self._thin, reach)
        count, axes = max(STRIP // (width * step), 1), tuple(zip(cv2.split(source), (width, height)))
        for top in range(0, rows, count):
            bottom = min(top + count, rows)
            reached = np.flatnonzero(near[top:bottom].any(0))
            if not len(reached):
                continue
            left, right = int(reached[0]), int(reached[-1]) + 1
            seams = np.concatenate([[-1], np.flatnonzero(thin[top:bottom, left:right].any(0)), [right - left]])
            widest = int(np.diff(seams).argmax())
            solid = slice((int(seams[widest]) + 1) * step, int(seams[widest + 1]) * step)
            (x0, x1), (y0, y1) = (
                (min(max(int(part.min()) - 1, 0), most - 1), min(max(int(part.max()) + 4, 1), most))
                for part, most in ((axis[top : bottom + 2, left : right + 2], most) for axis, most in axes)
            )
            area = left * step, top * step, min(right * step, width), min(bottom * step, height)
            yield Strip(area, solid, (x0, y0, x1, y1))

    def maps(self, source: np.ndarray, area: tuple, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Where each pixel of an area of the box, x0, y0, x1, y1, comes from: (height, width, 2) float32, in the box,
        from its pixel `origin`. `source` is of [`backward`]."""
        (x0, y0, x1, y1), step = area, self.step
        part = source[y0 // step : y1 // step + 3, x0 // step : x1 // step + 3] - np.float32(origin)
        maps = cv2.resize(part, (part.shape[1] * step, part.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        left, top = x0 % step + step, y0 % step + step
        return maps[top : top + y1 - y0, left : left + x1 - x0]


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
