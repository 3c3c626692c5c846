"""A portrait or a film, by what is in the picture."""

from collections.abc import Callable
from typing import Any

from text2lip.faces.cache import FaceCache
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person
from text2lip.media.footage import is_footage
from text2lip.scenes.film import Film
from text2lip.scenes.portrait import Portrait


def open_scene(
    image: Any,
    landmarker: FaceLandmarker,
    person: Person,
    faces: FaceCache,
    *,
    fps: float | None = None,
    video_end: str = "loop",
    max_size: int = 4096,
    progress: Callable = iter,
) -> Portrait | Film:
    """The [`Film`] or [`Portrait`] that `image` is; see there for the arguments and errors."""
    shared = {"fps": fps, "person": person, "max_size": max_size}
    if is_footage(image):
        return Film(image, landmarker, video_end=video_end, progress=progress, **shared)
    return Portrait(image, landmarker, faces=faces, **shared)
