"""Following one face through a clip."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy.ndimage import gaussian_filter1d

from text2lip.faces.regions import Region


# Measured on silent GRID frames: with the mesh's square smoothed over time, lips that rest move 9 % less from frame to
# frame than with each frame's own square. More than this gains nothing, a fixed square is worse than none.
SIGMA = 3.0  # frames
REACH = 9  # frames on each side that matter
BATCH = 8  # frames given to the mesh at once


def smooth_regions(regions: list[Region], sigma: float = SIGMA) -> list[Region]:
    """Gaussian smoothing over time, without delay, of where a face's square lies; `sigma` in frames."""
    values = np.array(regions)
    values[:, 3] = np.unwrap(values[:, 3])
    smoothed = gaussian_filter1d(values, sigma, axis=0, mode="nearest", radius=REACH)
    return [Region(*(float(value) for value in row)) for row in smoothed]


class Run:
    """Consecutive frames that show the face. Each is placed twice: at once, to know where the face goes, and again
    in a square smoothed over its neighbours. Holds the frames that wait for theirs: at most `REACH + BATCH`.

    Args:
        place: `(images, regions) -> (points (n, 468, 3) in pixels, presence (n,))`.
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
        while self.waiting and (finished or len(self.waiting) >= REACH + BATCH):
            count = min(BATCH, len(self.waiting))
            smoothed = smooth_regions(self.regions)
            start = len(self.regions) - len(self.waiting)
            images = [image for image, _, _ in self.waiting[:count]]
            points, presence = self.place(images, smoothed[start : start + count])
            for index, (image, first_points, first_presence) in enumerate(self.waiting[:count]):
                # A sudden movement can leave the smoothed square behind.
                if presence[index] < 0.5 * first_presence:
                    yield image, first_points, first_presence
                else:
                    yield image, points[index], float(presence[index])
            del self.waiting[:count]
            del self.regions[: max(0, start + count - REACH)]
        if finished:
            self.regions.clear()


def nearest(centres: list[tuple[float, float]], last: Region) -> int:
    """Index of the face that continues one last seen at `last`: the nearest within reach, else the first (largest)."""
    distances = [math.dist(centre, (last.x, last.y)) for centre in centres]
    best = int(np.argmin(distances))
    return best if distances[best] < last.size / 2 else 0
