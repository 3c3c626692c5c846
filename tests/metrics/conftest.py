"""A synthetic mouth that speaks: lip shapes with the gap, width, closures, noise and rests of a real one."""

import numpy as np
import pytest

from text2lip.faces.topology import DRIVEN, LIPS
from text2lip.text.timing import Segment


FPS = 25
TOUCHING = 0.004  # gap that the mesh reads from lips that touch: median of p b m of `limits.py --split val`
OPENING = {"": 0.0, "p": 0.0, "b": 0.0, "m": 0.0, "a": 0.16, "e": 0.10, "i": 0.06, "o": 0.12, "u": 0.05, "s": 0.03}
WIDTH = {"": 0.55, "p": 0.54, "b": 0.54, "m": 0.54, "a": 0.56, "e": 0.58, "i": 0.60, "o": 0.50, "u": 0.46, "s": 0.57}


def phones_of(letters: str, lead: float = 0.4, seed: int = 0) -> list[Segment]:
    """Phones of uneven length, one for each letter, between two silences of `lead` seconds."""
    lengths = np.random.default_rng(seed).uniform(0.07, 0.16, len(letters))
    phones, clock = [Segment("", 0.0, lead)], lead
    for letter, length in zip(letters, lengths):
        phones.append(Segment(letter, clock, clock + length))
        clock += length
    return [*phones, Segment("", clock, clock + lead)]


def shapes(gap: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Canonical lip shapes (frames, 57, 2) with these inner gaps |13 - 14| and widths |61 - 291| (frames,)."""
    out = np.zeros((len(gap), len(DRIVEN), 2))
    rows = [(LIPS[:11], 0.05, 1.0), (LIPS[11:20], -0.05, 1.0), (LIPS[20:31], 0.0, 0.9), (LIPS[31:40], 0.0, 0.9)]
    first = 0
    for points, thickness, reach in rows:
        ends = len(points) == 11  # the lower rows hold the corners too
        x = np.linspace(-1, 1, 11)[slice(None) if ends else slice(1, -1)]
        bow = 1 - x**2
        side = 1 if ends else -1
        index = np.arange(first, first + len(points))
        out[:, index, 0] = reach * x * width[:, None] / 2
        out[:, index, 1] = 0.7 + thickness * bow + side * bow * gap[:, None] / 2
        first += len(points)
    out[:, first:, 0] = np.linspace(-0.6, 0.6, 17)
    out[:, first:, 1] = 0.9 + gap[:, None] / 2
    return out


def speak(phones: list[Segment], noise: float = 0.0005, seed: int = 0) -> np.ndarray:
    """Lip shapes (frames, 57, 2) of a mouth that says `phones`: targets, glided over, with a detector's noise."""
    frames = int(phones[-1].end * FPS + 0.5)
    times = (np.arange(frames * 8) + 0.5) / (FPS * 8)
    at = np.searchsorted([p.end for p in phones], times).clip(max=len(phones) - 1)
    kernel = np.hanning(15) / np.hanning(15).sum()
    curves = []
    for table in (OPENING, WIDTH):
        target = np.array([table[phones[i].label] for i in at])
        curves.append(np.convolve(np.pad(target, 7, "edge"), kernel, "valid")[4::8])
    curves[0] = curves[0] + TOUCHING
    generator = np.random.default_rng(seed)
    return shapes(*curves) + generator.normal(0, noise, (frames, len(DRIVEN), 2))


@pytest.fixture(scope="session")
def phones() -> list[Segment]:
    return phones_of("bipamesobuseapimobesuma")


@pytest.fixture(scope="session")
def talk(phones) -> np.ndarray:
    return speak(phones)


@pytest.fixture(scope="session")
def mouth():
    """The builders above, for tests that need other mouths."""

    class Mouth:
        fps = FPS
        phones = staticmethod(phones_of)
        shapes = staticmethod(shapes)
        speak = staticmethod(speak)

    return Mouth
