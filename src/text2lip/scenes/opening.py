"""From what is asked to the scene that is drawn."""

from collections.abc import Callable
from typing import Any

from text2lip.faces.cache import FaceCache
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person
from text2lip.media.footage import is_footage
from text2lip.scenes.ensemble import Ensemble
from text2lip.scenes.film import Film
from text2lip.scenes.portrait import Portrait
from text2lip.scenes.reference_set import ReferenceSet
from text2lip.speech.speakers import of_speaker


def open_scene(
    request: Any,
    landmarker: FaceLandmarker,
    faces: FaceCache,
    progress: Callable,
    *,
    max_size: int,
    reference_sets: dict[int, ReferenceSet],
) -> Portrait | Film | Ensemble:
    """The portrait or film of a request, with the person who speaks in it, or all of them.

    Args:
        request ([`Text2LipRequest`]): of one clip.
        landmarker ([`FaceLandmarker`]): finds the face.
        faces ([`FaceCache`]): remembers whom it found in portraits.
        progress (`Callable`): wraps the frames of films that are searched, such as a progress bar.
        max_size (`int`): longest side allowed, pixels.
        reference_sets (`dict[int, ReferenceSet]`): those that were read, by the id of what they were read from; none
            of them is read again, and a new one is added.

    Raises:
        FaceNotFoundError: no face, or not the one asked for; of a film it shows when it is drawn.
        ValueError: a picture or film that can't be used.
    """

    def seen_with(face: Any) -> Portrait | Film:
        person = Person.of(face, landmarker, lambda seen: faces.locate_all(landmarker, seen))
        shared = {"fps": request.fps, "person": person, "max_size": max_size}
        if is_footage(request.image):
            if request.transparent:
                raise ValueError("transparent: the image is a video, of which nobody is cut out; give a portrait.")
            return Film(request.image, landmarker, video_end=request.video_end, progress=progress, **shared)
        return Portrait(request.image, landmarker, faces=faces, transparent=request.transparent, **shared)

    cast = request.cast()
    people = []
    for face, names in cast:
        with of_speaker(*names):
            people.append(seen_with(face))
    alone = len(cast) == 1 and len(cast[0][1]) == len(request.speakers or [""])
    if request.transparent and not alone:
        raise ValueError("transparent: only one person is cut out of a portrait; leave it out of a dialogue.")
    scene = people[0] if alone else Ensemble(people, [names for _, names in cast])
    if request.reference is not None:
        key = id(request.reference)
        if key not in reference_sets:
            reference_sets[key] = ReferenceSet.read(request.reference, landmarker, max_size, progress)
        scene.refer_to(reference_sets[key])
    return scene


def check_life(request: Any, scene: Portrait | Film | Ensemble) -> None:
    """Refuse what a film's head does by itself, and one plan for several faces; ValueError."""
    for name in ("expression", "motion_plan"):
        value = getattr(request, name)
        if value is not None and scene.moves:
            raise ValueError(f"{name}: the head and face of a video have their own life; leave it out.")
    if request.motion_plan is not None and isinstance(scene, Ensemble):
        raise ValueError("motion_plan: it is of one face, but there are several; leave it out.")
