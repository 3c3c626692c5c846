"""Faces that were found before: a portrait is searched once for all that it says."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np

from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.mouth_trust import mirror_error


class FaceCache:
    """Landmarks of the last portraits, by what the pictures show: a file that changes is another portrait.

    Safe for threads. A copy, such as one that is sent to another process, begins empty.

    Args:
        size (`int`): answers to remember, 6 kB for each face; the pictures are not kept.
    """

    def __init__(self, size: int = 64):
        self.size, self.lock = size, Lock()
        self.landmarker, self.faces = None, OrderedDict()

    def __reduce__(self):
        return FaceCache, (self.size,)

    def locate(self, landmarker: FaceLandmarker, picture: np.ndarray, face_index: Any = None) -> np.ndarray:
        """What `landmarker.locate(picture, face_index)` gives, (478, 3): found, or remembered.

        Args:
            landmarker ([`FaceLandmarker`]): another one than the last forgets everything.
            picture (`np.ndarray`): uint8 (height, width, 3).
            face_index (*optional*): which face, see [`Text2LipPipeline.__call__`].
        """
        return self._remembered(landmarker, picture, face_index, lambda: landmarker.locate(picture, face_index))

    def locate_all(self, landmarker: FaceLandmarker, picture: np.ndarray) -> list[np.ndarray]:
        """What `landmarker.locate_all(picture)` gives: found, or remembered."""
        return list(self._remembered(landmarker, picture, "all", lambda: _stacked(landmarker.locate_all(picture))))

    def mirror_error(self, landmarker: FaceLandmarker, picture: np.ndarray, face: np.ndarray) -> float:
        """What [`mirror_error`] says of a face (478, 3) in the picture: found, or remembered."""
        found = self._remembered(
            landmarker,
            picture,
            ("mirror", blake2b(face.tobytes()).hexdigest()),
            lambda: np.array(mirror_error(landmarker, picture, face)),
        )
        return float(found)

    def _remembered(self, landmarker: Any, picture: np.ndarray, which: Any, find: Callable) -> np.ndarray:
        """What `find` gave or gives, by the picture and `which` of its faces."""
        key = blake2b(np.ascontiguousarray(picture)).digest(), picture.shape, str(which), str(landmarker.config)
        with self.lock:
            if self.landmarker is not landmarker:
                self.landmarker, self.faces = landmarker, OrderedDict()
            faces = self.faces
            if key in faces:
                faces.move_to_end(key)
                return faces[key].copy()
        found = find()  # not under the lock: two threads may search one portrait
        with self.lock:
            faces[key] = found.copy()
            while len(faces) > self.size:
                faces.popitem(last=False)
        return found


def _stacked(faces: list[np.ndarray]) -> np.ndarray:
    return np.array(faces, np.float32).reshape(-1, 478, 3)
