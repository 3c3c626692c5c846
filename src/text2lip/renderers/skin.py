"""The smooth motion of cheeks, chin and lips of a face that moves through a film by itself."""

import cv2
import numpy as np

from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import fit_affine, to_indices, transform_points
from text2lip.faces.topology import ANCHORS, INNER_LOWER, INNER_UPPER, LOWER_SIDE, UPPER_SIDE
from text2lip.renderers.geometric import BEYOND_CORNERS, LINE_SOFTNESS
from text2lip.renderers.warp import face_frame, smoothstep, warp_field


class Skin:
    """The smooth motion of cheeks, chin and lips in all frames of a shot: its field is made once, and goes along.

    Args:
        source (`np.ndarray`): (478, 2) normalised landmarks of the shot's reference frame.
        height, width (`int`): of the frames, pixels.
    """

    def __init__(self, source: np.ndarray, height: int, width: int):
        self.points = to_indices(source, height, width)
        self.field = warp_field(self.points, face_frame(self.points), height, width)
        x0, y0 = self.field.box[:2]
        step = self.field.step
        self.nodes = np.array([[step, 0, x0 + (step - 1) / 2], [0, step, y0 + (step - 1) / 2], [0, 0, 1]])
        x, y = np.meshgrid(*(np.arange(count) for count in self.field.shape[::-1]))
        self.grid = np.stack([x, y, np.ones_like(x)], -1) @ self.nodes[:2].T  # (rows, columns, 2) pixels

    def move(self, frame: np.ndarray, own: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """`frame` (height, width, 3) uint8 with its skin moved from `own` to `landmarks`, both (478, 2) normalised."""
        height, width = frame.shape[:2]
        own = to_indices(own, height, width)
        matrix = fit_affine(self.points[list(ANCHORS)], own[list(ANCHORS)])
        back = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))[:2]
        own, target = (transform_points(back, points) for points in (own, to_indices(landmarks, height, width)))
        upper, lower = (self._back(i, list(side), own, target) for i, side in enumerate((UPPER_SIDE, LOWER_SIDE)))
        back = (lower + (upper - lower) * self._upper_share(target)[..., None]) @ matrix[:, :2].T
        corners = np.array([[x, y, 1] for x in self.field.box[::2] for y in self.field.box[1::2]]) @ matrix.T
        x0, y0 = np.clip(np.floor(corners.min(0)), 0, (width - 1, height - 1)).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)) + 1, (x0 + 1, y0 + 1), (width, height)).astype(int)
        to_box = matrix @ self.nodes
        to_box[:, 2] -= x0, y0
        dense = cv2.warpAffine(back.astype(np.float32), to_box, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
        x = dense[..., 0] + np.arange(x0, x1, dtype=np.float32)
        y = dense[..., 1] + np.arange(y0, y1, dtype=np.float32)[:, None]
        moved = frame.copy()
        moved[y0:y1, x0:x1] = cv2.remap(frame, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return moved

    def _back(self, index: int, side: list[int], own: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Where each node comes from: back to the reference's face, and from there to the frame's own."""
        to_reference = self.field.backward(index, (target - self.points)[side])
        x, y = np.float32((own - self.points)[side]).T
        basis = self.field.basis[index]
        to_own = np.stack([basis @ x, basis @ y], -1).reshape(*self.field.shape, 2)
        rows, columns = self.field.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) + to_reference / self.field.step
        moved = cv2.remap(to_own, np.float32(grid), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return to_reference + moved

    def _upper_share(self, target: np.ndarray) -> np.ndarray:
        """How much each node follows the upper lip: 1 above the mouth's middle line, 0 below it: (rows, columns)."""
        points = target[[*INNER_UPPER, *INNER_LOWER]]
        line = points.reshape(2, -1, 2).mean(0)
        soft = LINE_SOFTNESS * eye_distance(self.points)
        beyond = np.maximum(np.maximum(line[0, 0] - self.grid[..., 0], self.grid[..., 0] - line[-1, 0]), 0)
        above = np.interp(self.grid[..., 0], line[:, 0], line[:, 1]) - self.grid[..., 1]
        return smoothstep(above, -soft - BEYOND_CORNERS * beyond, soft + BEYOND_CORNERS * beyond)
