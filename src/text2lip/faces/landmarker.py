"""`FaceLandmarker`: finds faces and places MediaPipe's 478 landmarks on them, in torch alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput

from . import detection
from .detection import Face
from .mesh_topology import LEFT_EYE, RIGHT_EYE
from .networks import BlazeFace, FaceMesh, blazeface_anchors
from .regions import Region, cut


BUILT_IN = Path(__file__).parents[1] / "checkpoints" / "text2lip-grid" / "face_landmarker"
RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263


class FaceNotFoundError(ValueError):
    """No face, or not the one that was asked for, is in the picture."""


@dataclass
class FaceMeshOutput(BaseOutput):
    """What `FaceLandmarker.forward` returns.

    Args:
        points (`torch.Tensor` of shape `(batch, 468, 3)`): pixels of the 192-pixel crop, z in the same unit.
        presence (`torch.Tensor` of shape `(batch,)`): probability that the crop shows a face.
    """

    points: torch.Tensor
    presence: torch.Tensor


class FaceLandmarker(ModelMixin, ConfigMixin):
    """Face detector and 478-point face mesh.

    MediaPipe's BlazeFace (short range) and face mesh with their published weights (Apache-2.0), see `networks.py`. The
    five points of each iris, 468-472 and 473-477, are not predicted: all take the centre of their eye's contour.
    Points are `(x / width, y / height, z / width)` of the picture, as in MediaPipe: multiply by the picture's size
    before measuring any distance or angle. x and y are continuous: the first pixel's centre is at (0.5, 0.5) pixels.

    Args:
        min_score (`float`, *optional*, defaults to 0.5):
            Detector confidence in [0, 1] below which there is no face.
        min_presence (`float`, *optional*, defaults to 0.5):
            Confidence of the mesh, in [0, 1], below which what the detector found is no face.
        min_face_size (`float`, *optional*, defaults to 24.0):
            Pixels, longer side of the detector's box; smaller faces are refused: their lips are too few pixels.
        region_scale (`float`, *optional*, defaults to 1.5):
            Side of the square given to the mesh, relative to the face's box. The mesh was trained with 1.5.
    """

    _keep_in_fp32_modules = ["detector", "mesh"]

    @register_to_config
    def __init__(
        self,
        min_score: float = 0.5,
        min_presence: float = 0.5,
        min_face_size: float = 24.0,
        region_scale: float = 1.5,
    ):
        super().__init__()
        self.detector = BlazeFace()
        self.mesh = FaceMesh()
        self.register_buffer("anchors", blazeface_anchors(), persistent=False)

    @classmethod
    def from_builtin(cls) -> "FaceLandmarker":
        """The landmarker that comes with this package."""
        return cls.from_pretrained(str(BUILT_IN), use_safetensors=True)

    def forward(self, crops: torch.Tensor, return_dict: bool = True) -> FaceMeshOutput | tuple:
        """Place the mesh in square crops that show an upright face of 2/3 of the crop's side.

        Args:
            crops (`torch.Tensor` of shape `(batch, 3, 192, 192)`): RGB in [0, 1].
            return_dict (`bool`): return a tuple if False.
        """
        points, logits = self.mesh(crops.float())
        presence = logits.sigmoid()
        return FaceMeshOutput(points=points, presence=presence) if return_dict else (points, presence)

    @torch.inference_mode()
    def detect(self, image: np.ndarray) -> list[Face]:
        """Find faces, upright or turned by up to about 45 degrees, else by quarter turns.

        Args:
            image (`np.ndarray` of shape `(height, width, 3)`): RGB, uint8. ValueError for anything else.

        Returns:
            `list[Face]`: largest first, empty if there is none. Faces smaller than a tenth of the longer side are
            looked for only if no larger one is found.
        """
        check_frame(image)
        height, width = image.shape[:2]
        searches = [
            [window for level in detection.QUICK_LEVELS for window in detection.search_windows(height, width, level)],
            *([*detection.search_windows(height, width, level)] for level in detection.THOROUGH_LEVELS),
            [
                window
                for angle in detection.QUARTER_TURNS
                for level in detection.QUICK_LEVELS
                for window in detection.search_windows(height, width, level, angle)
            ],
        ]
        for windows in searches:
            faces = detection.merge_candidates(self._look(image, windows))
            if faces:
                return faces
        return []

    @torch.inference_mode()
    def locate(self, image: np.ndarray, face: Face | int | tuple | None = None) -> np.ndarray:
        """Landmarks of one face.

        Args:
            image (`np.ndarray` of shape `(height, width, 3)`): RGB, uint8.
            face (`Face`, `int` or `(left, top, right, bottom)`, *optional*):
                Which one: an entry of `detect`, its index there (0 is the largest), or a box in pixels that holds it.
                The largest by default.

        Returns:
            `np.ndarray` of shape `(478, 3)`, float32: (x / width, y / height, z / width).

        Raises:
            FaceNotFoundError: nothing found, too small, or not a face by the mesh's own measure.
        """
        check_frame(image)
        points, _, _ = self._locate(image, self._choose(image, face))
        return self._normalise(points, image)

    @torch.inference_mode()
    def track(self, frames: Iterable[np.ndarray], face: Face | int | tuple | None = None):
        """Landmarks of one face through a clip; each frame's crop follows the face of the frame before.

        Args:
            frames (iterable of `np.ndarray` of shape `(height, width, 3)`): RGB, uint8, all of one size.
            face: which face of the first frame that has one, as for `locate`.

        Returns:
            `(landmarks, scores)`: `(frames, 478, 3)` float32 as from `locate`, and the mesh's confidence `(frames,)`
            float32 in [0, 1]; where the face is lost the landmarks are NaN and the score is 0.
        """
        landmarks, scores, region = [], [], None
        for image in frames:
            check_frame(image)
            try:
                if region is None:
                    points, score, region = self._locate(image, self._choose(image, face))
                else:
                    points, score = self._place(image, [region])
                    points, score = points[0], float(score[0])
                    if score < self.config.min_presence:
                        points, score, region = self._locate(image, self._choose(image, None))
                region = self._region_of_points(points)
                landmarks.append(self._normalise(points, image))
                scores.append(score)
            except FaceNotFoundError:
                region = None
                landmarks.append(np.full((478, 3), np.nan, np.float32))
                scores.append(0.0)
        if not landmarks:
            return np.empty((0, 478, 3), np.float32), np.empty(0, np.float32)
        return np.stack(landmarks), np.array(scores, np.float32)

    def _look(self, image: np.ndarray, windows: list[Region]) -> list[Face]:
        """Candidates for faces in all windows of one picture."""
        height, width = image.shape[:2]
        size = self.detector.input_size
        faces = []
        for start in range(0, len(windows), 16):
            batch = windows[start : start + 16]
            crops = np.stack([cut(image, window, size, cv2.BORDER_CONSTANT) for window in batch])
            logits, boxes = self.detector(self._tensor(crops) / 127.5 - 1)
            for window, logit, box in zip(batch, logits.cpu().numpy(), boxes.cpu().numpy()):
                found = detection.read_candidates(
                    logit, box, self.anchors.cpu().numpy(), window, size, self.config.min_score
                )
                faces += [face for face in found if not detection.cut_off(face, window, height, width)]
        return faces

    def _place(self, image: np.ndarray, regions: list[Region]) -> tuple[np.ndarray, np.ndarray]:
        """Mesh points `(regions, 468, 3)` in pixels of the picture, float64, and presence `(regions,)`."""
        size = self.mesh.input_size
        crops = np.stack([cut(image, region, size) for region in regions])
        output = self(self._tensor(crops) / 255)
        points = output.points.cpu().numpy().astype(np.float64)
        for index, region in enumerate(regions):
            points[index, :, :2] = region.to_picture(points[index, :, :2], size)
            points[index, :, 2] *= region.size / size
        return points, output.presence.cpu().numpy()

    def _locate(self, image: np.ndarray, faces: list[Face]) -> tuple[np.ndarray, float, Region]:
        """Points in pixels, score and region of the first of `faces` that the mesh agrees to be one."""
        best = 0.0
        for face in faces:
            region = self._region_of_face(face)
            for _ in range(3):  # the mesh's own points give a steadier square than the detector's box
                points, presence = self._place(image, [region])
                if presence[0] < self.config.min_presence:
                    break
                region = self._region_of_points(points[0])
            else:
                return points[0], float(presence[0]), region
            best = max(best, float(presence[0]))
        raise FaceNotFoundError(
            f"the detector found {len(faces)} face(s) in `image`, but none is one by the mesh's own measure: presence "
            f"{best:.2f}, at least {self.config.min_presence} is needed (`min_presence`). Is the face covered, or "
            "turned away?"
        )

    def _choose(self, image: np.ndarray, face: Face | int | tuple | None) -> list[Face]:
        """The faces to try, in order."""
        if isinstance(face, Face):
            return [face]
        height, width = image.shape[:2]
        faces = self.detect(image)
        smallest = self.config.min_face_size
        if not faces:
            raise FaceNotFoundError(
                f"no face found in `image` ({width}x{height} pixels): looked for one of at least {smallest:.0f} "
                f"pixels with a score of {self.config.min_score} or more, in any "
                "orientation. Give a picture that shows the face larger and from the front."
            )
        if face is None:
            large = [found for found in faces if found.size >= smallest]
            if not large:
                raise FaceNotFoundError(
                    f"the largest face in `image` is {faces[0].size:.0f} pixels wide, at least {smallest:.0f} are "
                    "needed (`min_face_size`). Give a larger picture of the face."
                )
            return large
        if isinstance(face, int):
            if not 0 <= face < len(faces):
                raise FaceNotFoundError(
                    f"`face` is {face}, but `image` shows {len(faces)} face(s): 0 (the largest) to {len(faces) - 1}"
                )
            return [faces[face]]
        left, top, right, bottom = face
        inside = [found for found in faces if left <= found.centre[0] <= right and top <= found.centre[1] <= bottom]
        if not inside:
            boxes = ", ".join(str(tuple(round(v) for v in found.box)) for found in faces)
            raise FaceNotFoundError(f"`face` is the box {tuple(face)}, but the faces in `image` are at {boxes}")
        return inside

    def _region_of_face(self, face: Face) -> Region:
        """The mesh's square for a detected face, turned so that the eyes lie level."""
        x, y = (face.keypoints[1] - face.keypoints[0]).tolist()
        return Region(*face.centre, face.size * self.config.region_scale, math.atan2(y, x))

    def _region_of_points(self, points: np.ndarray) -> Region:
        """The mesh's square for a face whose 468 points, in pixels, are known."""
        x, y = points[LEFT_EYE_CORNER, :2] - points[RIGHT_EYE_CORNER, :2]
        axes = Region(0, 0, 1, math.atan2(y, x)).axes()
        turned = points[:, :2] @ axes.T
        low, high = turned.min(0), turned.max(0)
        centre = (low + high) / 2 @ axes
        return Region(
            float(centre[0]), float(centre[1]), float((high - low).max() * self.config.region_scale), math.atan2(y, x)
        )

    def _normalise(self, points: np.ndarray, image: np.ndarray) -> np.ndarray:
        """`(478, 3)` float32 relative to the picture, from `(468, 3)` in pixels: adds the irises."""
        height, width = image.shape[:2]
        irises = [np.repeat(points[list(eye)].mean(0, keepdims=True), 5, 0) for eye in (RIGHT_EYE, LEFT_EYE)]
        return (np.concatenate([points, *irises]) / (width, height, width)).astype(np.float32)

    def _tensor(self, crops: np.ndarray) -> torch.Tensor:
        """`(batch, size, size, 3)` uint8 to `(batch, 3, size, size)` float32 on the model's device."""
        return torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()


def check_frame(image: np.ndarray) -> None:
    """ValueError unless `image` is uint8 `(height, width, 3)` with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(
            f"`image` must be a uint8 array (height, width, 3), got {got}; load_image turns anything else into one"
        )
    if image.size == 0:
        raise ValueError(f"`image` has no pixels: shape {image.shape}")
