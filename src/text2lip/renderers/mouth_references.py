"""Other pictures of the person: one mouth that is near the wanted one, laid under its lips."""

from collections.abc import Iterable

import cv2
import numpy as np
import torch

from text2lip.faces.canonical import lip_gap
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop, mouth_anchor, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN, INNER_LOWER, INNER_UPPER, driven_index
from text2lip.renderers.base import check_landmarks, check_portrait
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.warp import CUBIC_BELOW, multiquadric, smoothstep


# How unlike mouths are: chosen for the least error of the mouth that is taken, on people who were not trained on.
HIGHER, WIDER = 0.5, 0.1  # of an upper lip that is higher; of openings e times as high, in the mean across the mouth
LEAST_OPEN = 0.02  # units that are added in that ratio
UNLIKE, MOST_UNLIKE = 0.035, 0.045  # how unlike a mouth may be to be taken, and to be kept

# By eye; units are distances of the outer eye corners.
MOST = 24  # pictures
LARGEST = 384  # pixels of a crop's side
SEEN_GAP = (0.005, 0.03)  # gaps between which another mouth begins to be seen
CHANGING = 0.03  # by how much a mouth must be unlike, in a frame in all, to be changed for another in open sight
LEAST_DRAWN = 1e-3  # of a picture that is drawn
CHANGE_TIME = 0.1  # seconds on either side of such a change
NODES = 36  # on each side, at which the warp is solved
WARP_SMOOTHING = 1e-3  # by which it may miss its points
MOUTHS_ALIKE = 0.004  # units: mouths that differ by less from one taken add nothing
GAIN = (0.4, 2.5)  # the most that a picture's light is changed by to be the portrait's
_UPPER, _LOWER = driven_index(INNER_UPPER), driven_index(INNER_LOWER)
_CELLS = np.stack(np.meshgrid(*2 * [(np.arange(NODES) + 0.5) / NODES]), -1).reshape(-1, 2)
_STILL = np.array([(x, y) for x in range(5) for y in range(5) if x in (0, 4) or y in (0, 4)]) / 4  # on the edge


class MouthReferences:
    """Mouth crops of one person and where their lips are; read only.

    What an open mouth looks like can't be known from a closed one. Teeth and tongue of another picture of the person,
    moved until its lips lie on the wanted ones, are the best that there is, if its mouth is nearly as wide open. It is
    one picture, as an average of several is milky; which one changes seldom, in shut mouths or by a short fade.

    Args:
        pictures (`np.ndarray`): uint8 (count, size, size, 3), stabilised mouth crops of any size.
        points (`np.ndarray`): (count, 57, 2), their driven points in continuous pixels of the crop.
        side (`float`): of the crops, units of the outer eye distance.

    Raises:
        ValueError: no picture, not as many rows of points as pictures, another shape or dtype, or NaN.
    """

    def __init__(self, pictures: np.ndarray, points: np.ndarray, side: float = CROP_SIDE):
        if len(pictures) == 0 or len(pictures) != len(points):
            raise ValueError(f"references: {len(pictures)} pictures and {len(points)} rows of points; give one each.")
        self.pictures = np.asarray(pictures)
        count, self.size = (*self.pictures.shape, 0)[:2]
        square = self.size > 0 and self.pictures.shape == (count, self.size, self.size, 3)
        if self.pictures.dtype != np.uint8 or not square:
            raise ValueError(
                "`pictures` must be square crops of one size, uint8 (count, size, size, 3), got "
                f"{self.pictures.dtype} {self.pictures.shape}."
            )
        self.side, self.points = side, _checked(points, (count, len(DRIVEN), 2)) * side / self.size  # units

    @classmethod
    def from_frames(
        cls, frames: Iterable[np.ndarray], landmarks: np.ndarray, portrait: np.ndarray, source_landmarks: np.ndarray
    ) -> "MouthReferences":
        """Crops of pictures of the person in a portrait, in the portrait's light.

        Args:
            frames (iterable of `np.ndarray`): uint8 (height, width, 3), of any size; see [`choose_references`].
            landmarks (`np.ndarray`): (frames, 478, 2), normalised.
            portrait (`np.ndarray`): uint8 (height, width, 3).
            source_landmarks (`np.ndarray`): (478, 2), the portrait's, normalised.

        Raises:
            ValueError: no frame, not as many as rows of landmarks, another shape or dtype, or NaN.
        """
        row = to_pixels(check_landmarks(source_landmarks, "source_landmarks", 2), *portrait.shape[:2])
        anchor, matrix = mouth_anchor(row), mouth_crop_transform(row)
        light = _light(crop(portrait, matrix, CROP_SIZE), transform_points(matrix, row[list(DRIVEN)]))
        zoom = 1 / np.sqrt(np.linalg.det(matrix[:, :2]))  # pixels of the portrait for one of the crop
        size = int(np.clip(np.ceil(CROP_SIZE * zoom), CROP_SIZE, LARGEST))
        pictures, points = [], []
        landmarks = check_landmarks(landmarks, "landmarks", 3)
        frames = iter(frames)
        for row, frame in zip(landmarks, frames):
            frame = check_portrait(frame)
            row = to_pixels(row, *frame.shape[:2])
            matrix = mouth_crop_transform(row, size, anchor=anchor)
            picture, driven = crop(frame, matrix, size), transform_points(matrix, row[list(DRIVEN)])
            small = cv2.resize(picture, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA)
            gain = np.clip(light / np.maximum(_light(small, driven * CROP_SIZE / size), 1), *GAIN)
            pictures.append(np.rint(picture * gain).clip(0, 255).astype(np.uint8))
            points.append(driven)
        more = sum(1 for _ in frames)
        if more or len(pictures) != len(landmarks):
            raise ValueError(
                f"`frames` are {len(pictures) + more}, `landmarks` {len(landmarks)}; give one row for each."
            )
        return cls(np.array(pictures), np.array(points))

    def unlikeness(self, points: np.ndarray, size: int) -> np.ndarray:
        """How unlike each wanted mouth and each picture's are, (frames, count), units.

        The mean distance of the inner lips but for their place, and what makes other teeth show: a higher upper lip,
        and other openings on the way from one corner to the other.

        Args:
            points (`np.ndarray`): (frames, 57, 2), the driven points of the wanted mouths in continuous pixels of such
                a crop.
            size (`int`): its side, pixels.

        Raises:
            ValueError: another shape, or NaN.
        """
        wanted = _checked(points, (len(points), len(DRIVEN), 2)) * self.side / size
        opening, found = _openings(wanted), []
        for own in self.points:
            apart = own[_UPPER + _LOWER] - wanted[:, _UPPER + _LOWER]
            shape = np.linalg.norm(apart - apart.mean(1, keepdims=True), axis=-1).mean(-1)
            higher = np.abs(apart[:, : len(_UPPER), 1].mean(-1))
            wider = np.abs(np.log((_openings(own) + LEAST_OPEN) / (opening + LEAST_OPEN))).mean(-1)
            found.append(shape + HIGHER * higher + WIDER * wider)
        return np.stack(found, 1)

    def choose(self, points: np.ndarray, size: int, fps: float = 25) -> np.ndarray:
        """How much every picture shows in every frame, (frames, count) in [0, 1]: at most 1 in all of them.

        One picture for each frame, or none that is like enough: the cheapest way through all of them where each change
        has a price. Changes are faded.

        Args:
            points (`np.ndarray`): (frames, 57, 2), as [`unlikeness`] takes them.
            size (`int`): of the crop, pixels.
            fps (`float`): frames per second.
        """
        unlike = self.unlikeness(points, size)
        seen = smoothstep(lip_gap(np.asarray(points)) * self.side / size, *SEEN_GAP)
        unlike = np.where(unlike > MOST_UNLIKE, 1, unlike)
        price = np.pad(unlike, ((0, 0), (0, 1)), constant_values=UNLIKE) * (seen[:, None] + 1e-3)  # the last: none
        total, before = price[0], np.zeros(price.shape, int)
        for i in range(1, len(price)):
            best, changing = int(total.argmin()), CHANGING * min(seen[i - 1], seen[i]) + 1e-6
            before[i] = np.where(total <= total[best] + changing, np.arange(len(total)), best)
            total = np.minimum(total, total[best] + changing) + price[i]
        way = np.full(len(price), int(total.argmin()))
        for i in range(len(price) - 1, 0, -1):
            way[i - 1] = before[i, way[i]]
        shares = np.eye(len(total))[way, :-1]
        reach = round(CHANGE_TIME * fps)
        weights = np.convolve(*2 * [np.ones(reach + 1) / (reach + 1)])
        padded = np.pad(shares, ((reach, reach), (0, 0)), "edge")
        return sum(weight * padded[i : i + len(shares)] for i, weight in enumerate(weights))

    def draw(self, points: np.ndarray, size: int, shares: np.ndarray | None = None) -> tuple[np.ndarray, float]:
        """The chosen mouth with its lips moved onto others.

        Args:
            points (`np.ndarray`): (57, 2), the driven points of the wanted mouth in continuous pixels of such a crop.
            size (`int`): its side, pixels.
            shares (`np.ndarray`, *optional*): (count,), a row of [`choose`]; that of a frame alone by default.

        Returns:
            `tuple`: uint8 (side, side, 3) of the references' own size, and how near the mouth is, in [0, 1]: how much
            of it shows. Black where that is nothing.

        Raises:
            ValueError: another shape, or NaN.
        """
        points = _checked(points, (len(DRIVEN), 2))
        shares = self.choose(points[None], size)[0] if shares is None else shares
        wanted, near = points * self.side / size, np.flatnonzero(shares > LEAST_DRAWN)
        drawn = np.zeros((self.size, self.size, 3), np.float32)
        if not len(near):
            return drawn.astype(np.uint8), 0.0
        shifts = _spread(wanted, self.points[near] - wanted, self.side) * (self.size / self.side)
        sharp = cv2.INTER_CUBIC if self.size / self.side < CUBIC_BELOW else cv2.INTER_LINEAR
        line = np.arange(self.size, dtype=np.float32)
        for index, shift in zip(near, shifts.astype(np.float32)):
            shift = cv2.resize(shift, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
            x, y = shift[..., 0] + line, shift[..., 1] + line[:, None]
            warped = cv2.remap(self.pictures[index], x, y, sharp, borderMode=cv2.BORDER_REPLICATE)
            cv2.accumulateWeighted(warped, drawn, float(shares[index] / shares[near[near <= index]].sum()))
        return np.rint(drawn).astype(np.uint8), min(float(shares[near].sum()), 1.0)


def _checked(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.shape != shape or not np.isfinite(points).all():
        what = "NaN or infinity" if points.shape == shape else f"{points.shape}"
        raise ValueError(f"`points` must be {shape}, the finite driven points of each mouth, got {what}.")
    return points


def _openings(points: np.ndarray) -> np.ndarray:
    """How far the inner lips are apart from corner to corner: of points (..., 57, 2), (..., 9), 0 or more."""
    return np.maximum((points[..., _LOWER, 1] - points[..., _UPPER, 1])[..., 1:-1], 0)


def _spread(points: np.ndarray, shifts: np.ndarray, side: float) -> np.ndarray:
    """Multiquadric interpolation of `shifts` (n, 57, 2) at `points` (57, 2), zero at the edge: (n, 36, 36, 2)."""
    centres = np.concatenate([points, side * _STILL])
    kernel = multiquadric(centres, centres) - WARP_SMOOTHING * np.eye(len(centres))
    known = np.zeros((len(centres), 2 * len(shifts)))
    known[: len(points)] = shifts.transpose(1, 0, 2).reshape(len(points), -1)
    known = torch.linalg.solve(torch.from_numpy(kernel), torch.from_numpy(known))  # wakes no threads of a BLAS
    spread = (torch.from_numpy(multiquadric(side * _CELLS, centres)) @ known).numpy()
    return spread.reshape(NODES, NODES, len(shifts), 2).transpose(2, 0, 1, 3)


def _light(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mean colour (3,) of the skin below the ears in a crop of 96 px, lips left out."""
    lips, skin = np.split(draw_mouth(points, CROP_SIZE), [3], -1)
    weight = skin[..., 0] * (lips.sum(-1) == 0) + 1e-3
    return (picture * weight[..., None]).sum((0, 1)) / weight.sum()


def choose_references(lips: np.ndarray, count: int = MOST) -> np.ndarray:
    """Frames whose mouths differ most: the next one is the furthest from those taken (Gonzalez 1985).

    Args:
        lips (`np.ndarray`): (frames, 57, 2), canonical.
        count (`int`): the most that are taken.

    Returns:
        `np.ndarray`: int (at most count,), ascending; the one nearest to the mean mouth is among them.

    Raises:
        ValueError: no frame, NaN, or a count below 1.
    """
    if len(lips) == 0 or count < 1 or not np.isfinite(lips).all():
        raise ValueError(
            f"`lips` must be finite, of 1 frame or more, got {lips.shape}; `count` 1 or more, got {count}."
        )

    def distances(mouth: np.ndarray) -> np.ndarray:
        return np.linalg.norm(lips - mouth, axis=-1).mean(-1)

    chosen = [int(distances(lips.mean(0)).argmin())]
    nearest = distances(lips[chosen[0]])
    while len(chosen) < min(count, len(lips)) and nearest.max() > MOUTHS_ALIKE:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances(lips[chosen[-1]]))
    return np.sort(chosen)
