"""People and their light in films: who speaks after a cut, and that a fade stays a fade."""

import cv2
import numpy as np
import pytest

from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import LIPS
from text2lip.faces.images import load_image


SIZE = 256


@pytest.fixture(scope="module")
def nobody():
    """The built-in portrait: uint8 (256, 256, 3)."""
    return cv2.resize(load_image(builtin_portrait()), (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def film_of(picture, count, seed=0):
    """A head that sways, with the noise of a camera: float32 (count, height, width, 3)."""
    height, width = picture.shape[:2]
    noise = np.random.default_rng(seed).normal(0, 1.5, (count, *picture.shape))
    frames = []
    for index in range(count):
        shift = np.float32([[1, 0, 2 * np.sin(index / 4)], [0, 1, np.cos(index / 5)]])
        frames.append(cv2.warpAffine(picture, shift, (width, height), borderMode=cv2.BORDER_REPLICATE))
    return np.float32(frames) + np.float32(noise)


def shown(frames):
    return list(np.rint(np.clip(frames, 0, 255)).astype(np.uint8))


# --- light -----------------------------------------------------------------------------------------------------------

COUNT = 18
RAMP = np.clip(np.arange(COUNT) / 10, 0.02, 1)[:, None, None, None]
LIGHTS = {  # and by how much the colour of the mouth may differ, grey levels
    "fade from black": (lambda film: film * RAMP, 2),
    "fade to black": (lambda film: film * RAMP[::-1], 2),
    "fade from white": (lambda film: film * RAMP + 235 * (1 - RAMP), 5),
    "light falls to a half": (lambda film: film * (1 - 0.5 * RAMP), 2),
    "warm light comes up": (lambda film: film * (1 - RAMP + RAMP * np.float32([1.1, 0.9, 0.55])), 2),
    "a flash": (lambda film: film * np.where(np.arange(COUNT) == 9, 1.8, 1)[:, None, None, None], 5),
    "light from one side": (lambda film: film * (1 - 0.7 * RAMP * np.linspace(0, 1, SIZE)[:, None]), 4),
}


@pytest.fixture(scope="module")
def steady_light(pipe, nobody):
    """A film in one light, dubbed, and where its lips are."""
    film = film_of(nobody, COUNT)
    stream = pipe.stream("Bob, my baby.", shown(film), num_frames=COUNT)
    return film, np.float32(list(stream)), stream.landmarks[:, list(LIPS)] * SIZE


@pytest.mark.parametrize("name", LIGHTS)
def test_the_mouth_has_the_light_of_the_film(pipe, steady_light, name):
    """Dubbed and then lit otherwise, or the other way round: it is the same."""
    (film, dubbed, lips), (lit, most) = steady_light, LIGHTS[name]
    made = list(pipe.stream("Bob, my baby.", shown(lit(film)), num_frames=COUNT))
    wanted = shown(lit(dubbed))
    for frame, right, points in zip(made, wanted, lips):
        (x0, y0), (x1, y1) = points.min(0).astype(int) - 4, points.max(0).astype(int) + 5
        ours, theirs = (picture[y0:y1, x0:x1].astype(int) for picture in (frame, right))
        assert np.abs(ours.mean((0, 1)) - theirs.mean((0, 1))).max() < most
        assert np.abs(ours - theirs).mean() < most + 2
