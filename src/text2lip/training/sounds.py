"""Made-up sounds for training and judging lips that hear: noise, hum, music, babble, which no mouth makes; and song.

All are float32 (samples,) at 16 kHz, drawn from a `numpy.random.Generator`, with a root mean square of 0.1.
"""

from collections.abc import Sequence

import numpy as np

from text2lip.speech.features import LEVEL, SAMPLING_RATE
from text2lip.text.timing import Segment


COLOURS = {"white": 0.0, "pink": -1.0, "brown": -2.0}  # exponent of the power over frequency
SUNG_VOWELS = {  # IPA -> the first three formants of a man, Hz (Peterson & Barney 1952)
    "i": (270, 2290, 3010), "ɛ": (530, 1840, 2480), "ɑ": (730, 1090, 2440), "ɔ": (570, 840, 2410),
    "u": (300, 870, 2240), "ɜ": (490, 1350, 1690),
}  # fmt: skip
HUMMED = (250, 1100, 2200)  # of m
BANDWIDTHS = (80.0, 90.0, 150.0)  # Hz


def noise(rng: np.random.Generator, samples: int, colour: str = "white") -> np.ndarray:
    """Steady noise whose power falls with frequency as `COLOURS` says."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLING_RATE), 20.0)
    return _at_level(np.fft.irfft(spectrum * hertz ** (COLOURS[colour] / 2), samples))


def hum(rng: np.random.Generator, samples: int) -> np.ndarray:
    """What mains and machines sing: up to 20 harmonics of 50 or 60 Hz, or of a motor, on a little noise."""
    base = rng.choice([50.0, 60.0, rng.uniform(30, 300)])
    time = np.arange(samples) / SAMPLING_RATE
    wanted = np.arange(1, rng.integers(2, 21))
    tones = rng.exponential(1 / wanted)[:, None] * np.sin(2 * np.pi * base * wanted[:, None] * time)
    return _at_level(tones.sum(0) + 0.1 * rng.uniform() * noise(rng, samples, "pink") / LEVEL)


def music(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Chords, a melody and drums, each of them or not: tones of decaying or held harmonics, and bursts of noise."""
    beat = int(SAMPLING_RATE * rng.uniform(0.22, 0.7))
    scale = rng.integers(40, 52) + np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16])
    parts = rng.uniform(size=3) < 0.7
    parts[rng.integers(3)] = True
    sound = np.zeros(samples)
    decay, harmonics = rng.choice([0.15, 0.5, 3.0], 2), rng.integers(1, 13, 2)
    for start in range(0, samples, beat):
        if parts[0] and start % (4 * beat) == 0:
            for step in rng.integers(0, 4) + np.array([0, 2, 4]):
                _add(sound, start, 0.5 * _tone(scale[step], 4 * beat, decay[0], harmonics[0]))
        if parts[1] and rng.uniform() < 0.8:
            length = beat * rng.choice([1, 2])
            _add(sound, start, _tone(12 + scale[rng.integers(len(scale))], length, decay[1], harmonics[1]))
        if parts[2]:
            _add(sound, start, _drum(rng, ("kick", "hat", "snare", "hat")[start // beat % 4]))
    return _at_level(sound)


def babble(rng: np.random.Generator, samples: int, voices: Sequence[np.ndarray], count: int = 8) -> np.ndarray:
    """`count` of `voices` (samples,) at once, each from a random place on and repeated: a crowd, none of it near."""
    chosen = [voices[index] for index in rng.choice(len(voices), count)]
    return _at_level(sum(_at_level(np.resize(np.roll(v, -rng.integers(len(v))), samples)) for v in chosen))


def sung_vowels(rng: np.random.Generator, seconds: float) -> tuple[np.ndarray, list[Segment]]:
    """A song of held vowels, some begun with m, after and before a little silence.

    Returns:
        `tuple`: the sound, and its phones (IPA, "" for silence), seconds, without gaps.
    """
    sections, phones, time = [], [], 0.0
    tract, pitch = rng.uniform(0.9, 1.3), rng.uniform(90, 350)

    def put(label: str, length: float, sound: np.ndarray):
        nonlocal time
        sections.append(sound)
        phones.append(Segment(label, time, time + length))
        time += length

    def rest():
        count = int(rng.uniform(0.2, 0.6) * SAMPLING_RATE)
        put("", count / SAMPLING_RATE, np.zeros(count))

    rest()
    while time < seconds:
        note = pitch * 2 ** (rng.integers(-5, 8) / 12)
        if rng.uniform() < 0.3:
            put("m", 0.12, 0.3 * _sing(rng, int(0.12 * SAMPLING_RATE), note, HUMMED, tract))
        vowel = str(rng.choice(list(SUNG_VOWELS)))
        count = int(rng.uniform(0.3, 1.4) * SAMPLING_RATE)
        put(vowel, count / SAMPLING_RATE, _sing(rng, count, note, SUNG_VOWELS[vowel], tract))
        if rng.uniform() < 0.2:
            rest()
    rest()
    return _at_level(np.concatenate(sections)), phones


def _sing(rng, samples: int, pitch: float, formants: Sequence[float], tract: float) -> np.ndarray:
    """Pulses with vibrato through resonators, faded at both ends."""
    from scipy.signal import lfilter

    time = np.arange(samples) / SAMPLING_RATE
    cycles = np.cumsum(pitch * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * time))) / SAMPLING_RATE
    sound = lfilter([1], [1, -0.95], np.diff(np.floor(cycles), prepend=0.0)) + 0.01 * rng.normal(size=samples)
    for hertz, width in zip(formants, BANDWIDTHS):
        radius = np.exp(-np.pi * width / SAMPLING_RATE)
        angle = 2 * np.pi * hertz * tract / SAMPLING_RATE
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 0.03)
    return sound / max(np.sqrt(np.mean(sound**2)), 1e-9) * fade


def _tone(note: int, samples: int, decay: float, harmonics: int) -> np.ndarray:
    """A note of MIDI's numbers, begun in 10 ms and falling in `decay` seconds."""
    time = np.arange(samples) / SAMPLING_RATE
    hertz = 440 * 2 ** ((note - 69) / 12)
    waves = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, harmonics + 1) if hertz * k < 7500)
    return waves * np.minimum(1, time / 0.01) * np.exp(-time / decay) * np.minimum(1, time[::-1] / 0.03)


def _drum(rng, kind: str) -> np.ndarray:
    time = np.arange(int(0.25 * SAMPLING_RATE)) / SAMPLING_RATE
    if kind == "kick":
        return 2 * np.sin(2 * np.pi * (50 * time + 8 * np.exp(-time / 0.03))) * np.exp(-time / 0.08)
    hiss = rng.normal(size=len(time)) * np.exp(-time / (0.02 if kind == "hat" else 0.07))
    return 0.4 * np.diff(hiss, prepend=0.0) if kind == "hat" else 0.6 * hiss


def _add(sound: np.ndarray, start: int, part: np.ndarray):
    end = min(len(sound), start + len(part))
    sound[start:end] += part[: end - start]


def _at_level(sound: np.ndarray) -> np.ndarray:
    return (sound * (LEVEL / max(np.sqrt(np.mean(np.square(sound))), 1e-9))).astype(np.float32)
