"""Many people's faces in one file: pictures as JPEG, and their landmarks. What a renderer's pairs are made from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from text2lip.data.mesh_stamp import MESH_KEY, check_mesh
from text2lip.faces.canonical import eye_distance
from text2lip.faces.geometry import to_pixels
from text2lip.faces.mesh_version import builtin_mesh_version


MARGIN_AROUND = 0.3  # outer eye distances kept around the landmarks of a face
FINEST = 128  # pixels of the outer eye distance; finer pictures are made smaller
QUALITY = 92  # of the JPEG
_STEPS = 65535  # of a landmark's x and y across a picture


@dataclass(frozen=True)
class PackedPerson:
    """Pictures of one person, all of one size, and where the face is.

    Attributes:
        name (`str`): of the person, unlike any other.
        kind (`str`): where they come from, such as "smiles".
        split (`str`): "train", "val", or another part that is kept apart.
        pictures (`tuple[bytes]`): JPEG.
        landmarks (`np.ndarray`): float32 (pictures, 478, 3), normalised within the pictures.
        moments (`tuple[int]`): the frame of the film that each picture is; its number for stills.
    """

    name: str
    kind: str
    split: str
    pictures: tuple[bytes, ...]
    landmarks: np.ndarray
    moments: tuple[int, ...]

    def read(self) -> np.ndarray:
        """All pictures, uint8 RGB (pictures, height, width, 3)."""
        decoded = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in self.pictures)
        return np.stack([picture[..., ::-1] for picture in decoded])


def pack_person(
    name: str, kind: str, split: str, frames: list[np.ndarray], landmarks: np.ndarray, moments: Iterable[int]
) -> PackedPerson:
    """Cut a face out of its pictures by one box, fine as they are or down to `FINEST`.

    Args:
        name, kind, split (`str`): see [`PackedPerson`].
        frames (`list[np.ndarray]`): uint8 (height, width, 3), of one size.
        landmarks (`np.ndarray`): (frames, 478, 3), normalised, no NaN.
        moments (`Iterable[int]`): the frames to be kept.
    """
    moments = tuple(int(moment) for moment in moments)
    height, width = frames[0].shape[:2]
    points = to_pixels(landmarks[list(moments)], height, width)
    unit = float(np.mean([eye_distance(one) for one in points[..., :2]]))
    flat = points[..., :2].reshape(-1, 2)
    low = np.clip(np.floor(flat.min(0) - MARGIN_AROUND * unit), 0, [width - 2, height - 2]).astype(int)
    high = np.clip(np.ceil(flat.max(0) + MARGIN_AROUND * unit), low + 2, [width, height]).astype(int)
    zoom = min(1.0, FINEST / unit)
    size = np.maximum(np.round((high - low) * zoom).astype(int), 1)
    packed = []
    for moment in moments:
        cut = frames[moment][low[1] : high[1], low[0] : high[0]]
        cut = cut if zoom == 1 else cv2.resize(cut, tuple(size.tolist()), interpolation=cv2.INTER_AREA)
        packed.append(cv2.imencode(".jpg", cut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
    points = (points - [*low, 0]) / [*(high - low), high[0] - low[0]]
    return PackedPerson(name, kind, split, tuple(packed), points.astype(np.float32), moments)


def save_faces(path: str | Path, people: list[PackedPerson]) -> None:
    """Write one safetensors file, which names the built-in mesh; it appears whole or not at all."""
    from safetensors.numpy import save

    from text2lip.files import replaced_file

    pictures = [picture for person in people for picture in person.pictures]
    points = np.concatenate([person.landmarks for person in people])
    rows = [[person.name, person.kind, person.split, person.moments] for person in people]
    tensors = {
        "jpeg": np.frombuffer(b"".join(pictures), np.uint8),
        "ends": np.cumsum([len(picture) for picture in pictures]),
        "places": np.rint(np.clip(points[..., :2], 0, 1) * _STEPS).astype(np.uint16),
        "depths": points[..., 2].astype(np.float16),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as temporary:
        temporary.write_bytes(save(tensors, {"people": json.dumps(rows), MESH_KEY: builtin_mesh_version()}))


def load_faces(path: str | Path, kinds: Iterable[str] | None = None, split: str = "train") -> list[PackedPerson]:
    """People of a file of [`save_faces`].

    Args:
        path (`str` or `Path`): of the file.
        kinds (`Iterable[str]`, *optional*): only these kinds.
        split (`str`): only this split.

    Raises:
        ValueError: no such file, or its landmarks are of another face mesh.
    """
    from safetensors import safe_open

    if not Path(path).is_file():
        raise ValueError(f"faces: no file {str(path)!r}; make it with examples/prepare_pairs.py.")
    check_mesh(path, "make it anew with examples/prepare_pairs.py", "faces")
    with safe_open(path, framework="np") as file:
        rows = json.loads(file.metadata()["people"])
        jpeg, ends, places, depths = (file.get_tensor(name) for name in ("jpeg", "ends", "places", "depths"))
    starts = np.concatenate([[0], ends[:-1]])
    people, first = [], 0
    for name, kind, part, moments in rows:
        last = first + len(moments)
        if part == split and (kinds is None or kind in kinds):
            pictures = tuple(jpeg[starts[i] : ends[i]].tobytes() for i in range(first, last))
            points = np.concatenate([np.float32(places[first:last]) / _STEPS, depths[first:last, :, None]], -1)
            people.append(PackedPerson(name, kind, part, pictures, points.astype(np.float32), tuple(moments)))
        first = last
    return people
