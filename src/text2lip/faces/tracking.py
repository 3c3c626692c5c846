"""Following one face through a clip."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from text2lip.faces.regions import Region


if TYPE_CHECKING:
    from text2lip.faces.landmarker import FaceLandmarker
    from text2lip.faces.person import Person

# Measured on silent GRID frames: with the mesh's square smoothed over time, lips that rest move 9 % less from frame to
# frame than with each frame's own square. More than this gains nothing, a fixed square is worse than none.
SMOOTHING_SIGMA = 3.0  # frames
NEIGHBOURS = 9  # frames on each side that matter
LEFT_BEHIND = 0.1  # of the square's side, by eye: points that lie so far from the first ones are placed once more
BATCH = 8  # frames given to the mesh at once
SEARCHED_EVERY = 25  # frames, by eye: how often a lost face is looked for thoroughly


def smooth_regions(regions: list[Region], sigma: float = SMOOTHING_SIGMA) -> list[Region]:
    """Gaussian smoothing over time, without delay, of where a face's square lies; `sigma` in frames."""
    values = np.array(regions)
    values[:, 3] = np.unwrap(values[:, 3])
    smoothed = gaussian_filter1d(values, sigma, axis=0, mode="nearest", radius=NEIGHBOURS)
    return [Region(*(float(value) for value in row)) for row in smoothed]


class Run:
    """Consecutive frames that show the face. Each is placed twice: at once, to know where the face goes, and again
    in a square smoothed over its neighbours. Holds the frames that wait for theirs: at most `NEIGHBOURS + BATCH`.

    Args:
        place: `(images, regions) -> points (n, 468 or more, 3) in pixels`.
    """

    def __init__(self, place: Callable):
        self.place = place
        self.regions: list[Region] = []
        self.waiting: list[tuple[np.ndarray, np.ndarray, float]] = []

    def add(self, image: np.ndarray, points: np.ndarray, presence: float, region: Region) -> None:
        """A frame with its first points and the square that they span."""
        self.waiting.append((image, points, presence))
        self.regions.append(region)

    def ready(self, finished: bool) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """`(image, points, presence)` of frames whose neighbours are known; of all that wait when `finished`."""
        while self.waiting and (finished or len(self.waiting) >= NEIGHBOURS + BATCH):
            count = min(BATCH, len(self.waiting))
            smoothed = smooth_regions(self.regions)
            start = len(self.regions) - len(self.waiting)
            images = [image for image, _, _ in self.waiting[:count]]
            points = self.place(images, smoothed[start : start + count])
            for index, (image, first_points, presence) in enumerate(self.waiting[:count]):
                own = self.regions[start + index]
                shift = (points[index, : len(first_points)] - first_points)[:, :2]
                # A sudden movement can leave the smoothed square behind.
                if np.hypot(*shift.T).mean() > LEFT_BEHIND * own.size:
                    points[index] = self.place([image], [own])[0]
                yield image, points[index], presence
            del self.waiting[:count]
            del self.regions[: max(0, start + count - NEIGHBOURS)]
        if finished:
            self.regions.clear()


def follow(
    landmarker: "FaceLandmarker",
    frames: Iterable[np.ndarray],
    face_index: Any,
    person: "Person | None",
    look: Callable | None,
):
    """What [`FaceLandmarker.track`] returns, for frames that were checked."""
    landmarks, scores, strangers = [], [], []
    run, last, lost = Run(lambda *where: landmarker._place(*where, refine=True)[0]), None, 0

    def collect(finished: bool) -> None:
        for image, points, presence in run.ready(finished):
            if look is not None:
                look(len(landmarks), image, points)
            landmarks.append(landmarker._normalise(points, image))
            scores.append(presence)

    for number, image in enumerate(frames):
        found = None
        if last is not None and (lost == 0 or person is None):  # a single spoilt frame hides no face from the mesh
            points, presence = landmarker._place([image], [last])
            if presence[0] >= landmarker.config.min_presence:
                found = points[0], float(presence[0])
            if found and person and (since := person.left(number, image, found[0])) is not None:
                strangers.append(slice(since, number))
                found = None
        if found is None:
            collect(finished=True)
            faces = []
            if person is None or not person.waits(number):
                faces = landmarker._search(image, thorough=lost % SEARCHED_EVERY == 0)
            if faces:
                found = _taken_up(landmarker, number, image, faces, face_index, last, person)
        if found is None:
            lost += 1
            landmarks.append(np.full((478, 3), np.nan, np.float32))
            scores.append(0.0)
        else:
            lost, last = 0, landmarker._region_of_points(found[0])
            run.add(image, *found, last)
            collect(finished=False)
    collect(finished=True)
    landmarks, scores = np.array(landmarks, np.float32).reshape(-1, 478, 3), np.array(scores, np.float32)
    for part in strangers:
        landmarks[part], scores[part] = np.nan, 0
    return landmarks, scores


def _taken_up(landmarker, number, image, faces, face_index, last, person) -> tuple[np.ndarray, float] | None:
    """Points and presence of the one of `faces` that is followed from frame `number` on."""
    if person is not None and person.known:
        index = person.find(number, image, [found.points for found in faces])
        chosen = None if index is None else faces[index]
    elif last is not None:
        chosen = faces[nearest([found.face.centre for found in faces], last)]
    else:
        chosen = landmarker._select(image, faces, face_index)
        if person is not None:
            person.left(number, image, chosen.points)
    return chosen and (chosen.points, chosen.presence)


def nearest(centres: list[tuple[float, float]], last: Region) -> int:
    """Index of the face that continues one last seen at `last`: the nearest within reach, else the first (largest)."""
    distances = [math.dist(centre, (last.x, last.y)) for centre in centres]
    best = int(np.argmin(distances))
    return best if distances[best] < last.size / 2 else 0


def place_again(landmarker: "FaceLandmarker", frames: list[np.ndarray], near: np.ndarray) -> np.ndarray:
    """Landmarks of a face whose place is known, as [`FaceLandmarker.track`] gives them, without its search.

    Args:
        landmarker ([`FaceLandmarker`]): places them.
        frames (`list[np.ndarray]`): uint8 (height, width, 3).
        near (`np.ndarray`): (frames, 478, 3) pixels, about where the landmarks are.

    Returns:
        `np.ndarray`: (frames, 478, 3) float32, pixels.
    """
    import torch

    regions = smooth_regions([landmarker._region_of_points(points[:468]) for points in near])
    parts = [slice(start, start + BATCH) for start in range(0, len(frames), BATCH)]
    with torch.no_grad():
        points = [landmarker._place(frames[part], regions[part], refine=True)[0] for part in parts]
    return np.concatenate(points).astype(np.float32)
