"""`FaceLandmarker`: finds faces and places MediaPipe's 478 landmarks on them, in torch alone."""

import math
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput

from text2lip.cards import ModelCardMixin, recorded_facts
from text2lip.devices import execution_device
from text2lip.faces import detection
from text2lip.faces.detection import Face
from text2lip.faces.mediapipe_networks import AttentionMesh, BlazeFace, FaceMesh, blazeface_anchors
from text2lip.faces.person import Person
from text2lip.faces.regions import Region, cut
from text2lip.faces.topology import DETECTOR_KEYPOINTS, LEFT_EYE, OUTER_EYES, RIGHT_EYE
from text2lip.faces.tracking import follow


CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "text2lip-grid" / "face_landmarker"
DETECTOR_ANCHORS = blazeface_anchors()
# Presence (a probability) at the first look, below which no second one helps, and above which none is needed.
HOPELESS, CERTAIN = 0.1, 1 - 1e-6
# By eye.
SECOND_LOOK = 2.5  # sizes of the face: side of the window for a second look
RENEWALS = 6  # of a face's square, at most, until it stands:
STANDING = 0.003, 0.005  # shift, of its side, and turn, radians
WINDOWS_AT_ONCE = 16  # for the detector


class _Found(NamedTuple):
    """A face, its 468 points in pixels (float64), and the mesh's confidence."""

    face: Face
    points: np.ndarray
    presence: float


class FaceNotFoundError(ValueError):
    """No face, or not the one that was asked for, is in the picture."""


@dataclass
class FaceMeshOutput(BaseOutput):
    """What `FaceLandmarker.forward` returns.

    Args:
        points (`torch.Tensor` of shape `(batch, 468, 3)`, refined `(batch, 478, 3)`): pixels of the 192-pixel crop, z
            in the same unit.
        presence (`torch.Tensor` of shape `(batch,)`): probability that the crop shows a face.
    """

    points: torch.Tensor = None  # defaults, because accelerate rebuilds outputs from a dictionary
    presence: torch.Tensor = None


@dataclass
class FaceDetectorOutput(BaseOutput):
    """What `FaceLandmarker.forward` returns of its detector, see [`~text2lip.faces.mediapipe_networks.BlazeFace`].

    Args:
        logits (`torch.Tensor` of shape `(batch, 896)`): of each anchor.
        boxes (`torch.Tensor` of shape `(batch, 896, 8, 2)`): pixels of the 128-pixel window, relative to the anchors.
    """

    logits: torch.Tensor = None
    boxes: torch.Tensor = None


class FaceLandmarker(ModelCardMixin, ModelMixin, ConfigMixin):
    """Face detector and 478-point face mesh.

    MediaPipe's BlazeFace (short range), face mesh and attention mesh with their published weights (Apache-2.0), see
    `mediapipe_networks.py`. The face mesh confirms and follows what the detector found, the attention mesh then places
    all points: lips that touch look parted to the face mesh, parted ones half shut, but the attention mesh sees faces
    in coins, hands and cats.
    Points are `(x / width, y / height, z / width)` of the picture, as in MediaPipe: multiply by the picture's size
    before measuring any distance or angle. x and y are continuous: the first pixel's centre is at (0.5, 0.5) pixels.

    Args:
        min_score (`float`, *optional*, defaults to 0.5):
            Detector confidence in [0, 1] below which there is no face.
        min_presence (`float`, *optional*, defaults to 0.9):
            Confidence of the mesh, in [0, 1], below which what the detector found is no face. Faces, painted ones too,
            have over 0.99; hands, cats, rockets and folds of cloth that fooled the detector had under 0.9.
        min_face_size (`float`, *optional*, defaults to 24.0):
            Pixels, longer side of the detector's box; smaller faces are refused: their lips are too few pixels.
        region_scale (`float`, *optional*, defaults to 1.5):
            Side of the square given to the mesh, relative to the face's box. The mesh was trained with 1.5.
        refine_landmarks (`bool`, *optional*, defaults to `False`):
            Whether there is an attention mesh, as in the built-in landmarker. Without one, as in checkpoints of
            before, all points are the face mesh's, and the five points of each iris, 468-472 and 473-477, take the
            centre of their eye's contour.
    """

    _keep_in_fp32_modules = ["detector", "mesh", "refiner"]

    @register_to_config
    def __init__(
        self,
        min_score: float = 0.5,
        min_presence: float = 0.9,
        min_face_size: float = 24.0,
        region_scale: float = 1.5,
        refine_landmarks: bool = False,
    ):
        super().__init__()
        self.detector = BlazeFace()
        self.mesh = FaceMesh()
        self.refiner = AttentionMesh() if refine_landmarks else None

    @classmethod
    def from_builtin(cls) -> "FaceLandmarker":
        """The landmarker that comes with this package."""
        return cls.from_pretrained(str(CHECKPOINT), use_safetensors=True)

    @wraps(ModelMixin.save_pretrained, assigned=())  # a pipeline passes on what it finds in the signature
    def save_pretrained(
        self, save_directory: str | os.PathLike, is_main_process: bool = True, *args, **kwargs
    ) -> None:
        """Save weights and configuration, and beside MediaPipe's weights their licence and origin.

        Weights are MediaPipe's if what is recorded of them says so ([`~text2lip.cards.record_training`]). Who trains
        them further and records facts of their own still has to hand on the notice, as the Apache License wants.
        The arguments are those of [`~diffusers.ModelMixin.save_pretrained`].
        """
        theirs = "MediaPipe" in recorded_facts(self).get("data", "")
        if theirs and is_main_process and not os.path.isfile(save_directory):
            os.makedirs(save_directory, exist_ok=True)
            _drop_dotless_licence(Path(save_directory))
            for name in ("LICENSE.txt", "NOTICE.md"):
                if not os.path.exists(os.path.join(save_directory, name)):
                    shutil.copyfile(CHECKPOINT / name, os.path.join(save_directory, name))
        super().save_pretrained(save_directory, is_main_process, *args, **kwargs)

    def forward(
        self, crops: torch.Tensor, return_dict: bool = True, detect: bool = False, refine: bool = False
    ) -> FaceMeshOutput | FaceDetectorOutput | tuple:
        """Place the mesh in square crops that show an upright face of 2/3 of the crop's side; or look for faces.

        Args:
            crops (`torch.Tensor` of shape `(batch, 3, 192, 192)`): RGB in [0, 1].
            return_dict (`bool`): return a tuple if False.
            detect (`bool`): run the detector instead, on windows `(batch, 3, 128, 128)`, RGB in [-1, 1]. Both go
                through here, so that hooks of offloading see them.
            refine (`bool`): run the attention mesh, if there is one.
        """
        if detect:
            logits, boxes = self.detector(crops.float())
            return FaceDetectorOutput(logits=logits, boxes=boxes) if return_dict else (logits, boxes)
        points, logits = (self.refiner if refine and self.refiner else self.mesh)(crops.float())
        presence = logits.sigmoid()
        return FaceMeshOutput(points=points, presence=presence) if return_dict else (points, presence)

    @torch.no_grad()
    def detect(self, image: np.ndarray) -> list[Face]:
        """Find faces, turned or upright, that the detector proposes and the mesh confirms.

        Args:
            image (`np.ndarray` of shape `(height, width, 3)`): RGB, uint8. ValueError for anything else.

        Returns:
            `list[Face]`: largest first, empty if there is none. Faces smaller than a tenth of the longer side are
            looked for only if no larger one is found.
        """
        return [found.face for found in self._search(image)]

    @torch.no_grad()
    def locate(self, image: np.ndarray, face_index: Face | int | tuple | None = None) -> np.ndarray:
        """Landmarks of one face.

        Args:
            image (`np.ndarray` of shape `(height, width, 3)`): RGB, uint8.
            face_index (`Face`, `int` or `(left, top, right, bottom)`, *optional*):
                Which one: an entry of `detect`, its index there (0 is the largest), or a box in pixels that holds its
                middle. The largest by default.

        Returns:
            `np.ndarray` of shape `(478, 3)`, float32: (x / width, y / height, z / width).

        Raises:
            FaceNotFoundError: nothing found, too small, not the one asked for, or no face by the mesh's own measure.
        """
        return self._landmarks(image, self._choose(image, face_index))

    @torch.no_grad()
    def locate_all(self, image: np.ndarray) -> list[np.ndarray]:
        """Landmarks of all faces that are large enough, as from `locate`; largest first, empty if there is none."""
        large = (found for found in self._search(image) if found.face.size >= self.config.min_face_size)
        return [self._landmarks(image, found) for found in large]

    @torch.no_grad()
    def track(
        self,
        frames: Iterable[np.ndarray],
        face_index: Face | int | tuple | None = None,
        person: Person | None = None,
        look: Callable | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks of one face through a clip.

        Each frame is searched where the frame before had the face, then placed once more in a square that is smoothed
        over time: free of delay, and steadier than `locate` frame by frame. Few frames are held at a time.

        Args:
            frames (iterable of `np.ndarray` of shape `(height, width, 3)`): RGB, uint8.
            face_index: which face of the first frame that shows any, as for `locate`.
            person ([`Person`], *optional*): is followed, whatever other faces there are; met here if not known yet.
            look (`Callable`, *optional*): is called once with the number of each frame that shows the face, the frame
                and the landmarks in it, (468 or more, 3) pixels.

        Returns:
            `(landmarks, scores)`: `(frames, 478, 3)` float32 as from `locate`, and the mesh's confidence `(frames,)`
            float32 in [0, 1]; where the face is lost the landmarks are NaN and the score is 0.

        Raises:
            FaceNotFoundError: `face_index` is not in the first frame that shows any face.
        """

        def checked():
            for image in frames:
                check_frame(image)
                yield image

        return follow(self, checked(), face_index, person, look)

    def _search(self, image: np.ndarray, thorough: bool = True) -> list["_Found"]:
        """All faces with their landmarks, largest first; small and lying ones only if `thorough`."""
        check_frame(image)
        height, width = image.shape[:2]
        quick = detection.QUICK_LEVELS
        searches = [[(level, 0.0) for level in quick]]
        for level in detection.THOROUGH_LEVELS:
            if max(height, width) / 2**level > 1.5 * self.config.min_face_size:  # smaller windows hold no larger face
                searches.append([(level, 0.0)])
        searches.append([(level, angle) for angle in detection.QUARTER_TURNS for level in quick])
        for search in searches if thorough else searches[:1]:
            seen = [self._look(image, detection.search_windows(height, width, *where)) for where in search]
            faces = [self._look_again(image, face) for face in detection.merge_candidates(sum(seen, []))]
            faces = detection.merge_candidates(faces)
            confirmed = [found for face in faces if (found := self._confirm(image, face)) is not None]
            if confirmed:
                return confirmed
        return []

    def _look(self, image: np.ndarray, windows: list[Region]) -> list[Face]:
        """Candidates for faces in the windows, all of one size, of a picture."""
        height, width = image.shape[:2]
        # Windows overlap: shrink the picture once for all of them.
        scale = min(1.0, 2 * self.detector.input_size / windows[0].size)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        faces = []
        for window, found in zip(windows, self._candidates(small, windows, scale)):
            faces += [face for face in found if not detection.cut_off(face, window, height, width)]
        return faces

    def _look_again(self, image: np.ndarray, face: Face) -> Face:
        """The same face in a window that suits its size and turn: a better box, if the detector still sees it."""
        window = self._region_of_face(face)
        window = window._replace(size=SECOND_LOOK * face.size)
        (found,) = self._candidates(image, [window])
        near = [other for other in found if math.dist(other.centre, face.centre) < face.size / 2]
        return max(detection.merge_candidates(near), key=lambda other: other.score, default=face)

    def _candidates(self, image: np.ndarray, windows: list[Region], scale: float = 1.0) -> list[list[Face]]:
        """What the detector sees in each window; `image` is the picture made smaller by `scale`."""
        size, anchors = self.detector.input_size, DETECTOR_ANCHORS.numpy()
        faces = []
        for start in range(0, len(windows), WINDOWS_AT_ONCE):
            batch = windows[start : start + WINDOWS_AT_ONCE]
            scaled = [Region(w.x * scale, w.y * scale, w.size * scale, w.angle) for w in batch]
            crops = np.stack([cut(image, window, size, cv2.BORDER_CONSTANT) for window in scaled])
            logits, boxes = self(self._tensor(crops) / 127.5 - 1, return_dict=False, detect=True)
            for window, logit, box in zip(batch, logits.cpu().numpy(), boxes.cpu().numpy()):
                faces.append(detection.read_candidates(logit, box, anchors, window, size, self.config.min_score))
        return faces

    def _place(
        self, images: list[np.ndarray], regions: list[Region], refine: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mesh points `(regions, 468 or 478, 3)` in pixels of their pictures, float64, and presence `(regions,)`."""
        size = self.mesh.input_size
        crops = np.stack([cut(image, region, size) for image, region in zip(images, regions)])
        output = self(self._tensor(crops) / 255, refine=refine)
        points = output.points.cpu().numpy().astype(np.float64)
        for index, region in enumerate(regions):
            points[index, :, :2] = region.to_picture(points[index, :, :2], size)
            points[index, :, 2] *= region.size / size
        return points, output.presence.cpu().numpy()

    def _confirm(self, image: np.ndarray, face: Face) -> "_Found | None":
        """The mesh of a detected face, None if the mesh sees no face there."""
        region = self._region_of_face(face)
        points, presence = self._place([image], [region])
        if presence[0] < HOPELESS:
            return None
        if presence[0] < CERTAIN:  # the detector takes some faces that stand on their head for upright ones
            turned = [region._replace(angle=region.angle + angle) for angle in detection.QUARTER_TURNS]
            more_points, more_presence = self._place([image] * len(turned), turned)
            points, presence = np.concatenate([points, more_points]), np.concatenate([presence, more_presence])
        points, presence = points[presence.argmax()], presence.max()
        # Squares from the mesh's own points are steadier than those from the detector's box: repeat until they stand.
        region = self._region_of_points(points)
        for _ in range(RENEWALS):
            points, presence = (value[0] for value in self._place([image], [region]))
            before, region = region, self._region_of_points(points)
            shift, turn = math.dist(region[:2], before[:2]), abs(region.angle - before.angle)
            if shift < STANDING[0] * region.size and turn < STANDING[1]:
                break
        if presence < self.config.min_presence:
            return None
        keypoints = np.array([points[list(group), :2].mean(0) for group in DETECTOR_KEYPOINTS], np.float32)
        return _Found(face._replace(keypoints=keypoints), points, float(presence))

    def _choose(self, image: np.ndarray, face: Face | int | tuple | None) -> "_Found":
        """The face that was asked for, or FaceNotFoundError."""
        check_frame(image)
        if isinstance(face, Face):
            return self._select(image, [], face)
        faces = self._search(image)
        if not faces:
            height, width = image.shape[:2]
            raise FaceNotFoundError(
                f"no face found in `image` ({width}x{height} pixels): looked for one of at least "
                f"{self.config.min_face_size:.0f} pixels, in any orientation, with a score of {self.config.min_score} "
                f"or more that the mesh confirms with {self.config.min_presence}. Give a picture that shows the face "
                "larger and from the front."
            )
        return self._select(image, faces, face)

    def _select(self, image: np.ndarray, faces: list["_Found"], face: Face | int | tuple | None) -> "_Found":
        """The one of `faces`, largest first, that was asked for, or FaceNotFoundError."""
        if isinstance(face, Face):
            found = self._confirm(image, face)
            if found is None:
                raise FaceNotFoundError(f"`face_index`: the mesh sees no face at {face.box} in `image`")
            return found
        if face is None:
            chosen = faces
        elif isinstance(face, (int, np.integer)):
            if not 0 <= face < len(faces):
                numbered = "one face, 0" if len(faces) == 1 else f"faces 0 (the largest) to {len(faces) - 1}"
                raise FaceNotFoundError(f"`face_index` is {face}, but `image` shows {numbered}")
            chosen = [faces[face]]
        else:
            try:
                left, top, right, bottom = box = [float(value) for value in face]
                if any(math.isnan(value) for value in box):
                    raise ValueError
            except (TypeError, ValueError):
                raise ValueError(
                    "`face_index` must be an index, a box (left, top, right, bottom), a picture of the person, 'any' "
                    f"or a Face, got {face!r}"
                ) from None
            centres = [found.face.centre for found in faces]
            chosen = [f for f, (x, y) in zip(faces, centres) if left <= x <= right and top <= y <= bottom]
            if not chosen:
                boxes = ", ".join(str(tuple(round(value) for value in found.face.box)) for found in faces)
                raise FaceNotFoundError(
                    f"`face_index` is the box {tuple(face)}, but the faces in `image` are at {boxes}"
                )
        smallest = self.config.min_face_size
        if chosen[0].face.size < smallest:
            raise FaceNotFoundError(
                f"the largest face in `image` is {chosen[0].face.size:.0f} pixels wide, at least {smallest:.0f} are "
                "needed. Give a larger picture of the face."
            )
        return chosen[0]

    def _region_of_face(self, face: Face) -> Region:
        """The mesh's square for a detected face, turned so that the eyes lie level."""
        x, y = (face.keypoints[1] - face.keypoints[0]).tolist()
        return Region(*face.centre, face.size * self.config.region_scale, math.atan2(y, x))

    def _region_of_points(self, points: np.ndarray) -> Region:
        """The mesh's square for a face whose points, in pixels, are known."""
        right, left = OUTER_EYES
        x, y = points[left, :2] - points[right, :2]
        axes = Region(0, 0, 1, math.atan2(y, x)).axes()
        turned = points[:, :2] @ axes.T
        low, high = turned.min(0), turned.max(0)
        centre = (low + high) / 2 @ axes
        return Region(
            float(centre[0]), float(centre[1]), float((high - low).max() * self.config.region_scale), math.atan2(y, x)
        )

    def _landmarks(self, image: np.ndarray, found: _Found) -> np.ndarray:
        """Landmarks `(478, 3)` of a face that was found, refined if there is an attention mesh."""
        points = found.points
        if self.refiner:
            points = self._place([image], [self._region_of_points(points)], refine=True)[0][0]
        return self._normalise(points, image)

    def _normalise(self, points: np.ndarray, image: np.ndarray) -> np.ndarray:
        """`(478, 3)` float32 relative to the picture, from pixels; adds the irises that the face mesh has not."""
        height, width = image.shape[:2]
        if len(points) == FaceMesh.num_points:
            irises = [np.repeat(points[list(eye)].mean(0, keepdims=True), 5, 0) for eye in (RIGHT_EYE, LEFT_EYE)]
            points = np.concatenate([points, *irises])
        return (points / (width, height, width)).astype(np.float32)

    def _tensor(self, crops: np.ndarray) -> torch.Tensor:
        """`(batch, size, size, 3)` uint8 to `(batch, 3, size, size)` float32 on the model's device."""
        return torch.from_numpy(crops).to(execution_device(self)).permute(0, 3, 1, 2).float()


def _drop_dotless_licence(folder: Path) -> None:
    """Remove the `LICENSE` that earlier versions wrote: diffusers reads a variant out of each name in a folder, behind
    its first dot."""
    old = folder / "LICENSE"
    if old.is_file() and old.read_bytes() == (CHECKPOINT / "LICENSE.txt").read_bytes():
        old.unlink()


def check_frame(image: np.ndarray) -> None:
    """ValueError unless `image` is uint8 `(height, width, 3)` with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(
            f"`image` must be a uint8 array (height, width, 3), got {got}; load_image turns anything else into one"
        )
    if image.size == 0:
        raise ValueError(f"`image` has no pixels: shape {image.shape}")
