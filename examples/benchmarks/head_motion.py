"""How do heads and lids of real talkers move, and those of our plans for the same sounds?

    python examples/benchmarks/head_motion.py --prepared outputs/grid --films outputs/films

Rows: GRID's talkers, who read commands of three seconds, and the people of `faces/talking` (made by a video model from
speech, at most four seconds of each). Beside each of them the plan (`life=1`) for the same sound, of GRID with its
words, of the others by sound alone; and plans of a text of a minute, spoken and listened to. Turns are in degrees, by
`head_view`; all are smoothed by the same parabola through five frames. A mesh follows the jaw a little, so the pitch
of films is in part the mouth's. Only sums are printed; nothing of the films is kept but landmarks in those folders.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import face_films
import numpy as np


sys.path.insert(0, str(Path(__file__).parents[1]))

from text2lip.data.preparation import smooth_landmarks  # noqa: E402
from text2lip.data.prepared import read_prepared, splits_of  # noqa: E402
from text2lip.faces.geometry import to_pixels  # noqa: E402
from text2lip.motion.liveliness import Planner  # noqa: E402
from text2lip.motion.phrasing import phrases_of  # noqa: E402
from text2lip.renderers.head_view import head_view  # noqa: E402
from text2lip.speech import synthesize  # noqa: E402
from text2lip.speech.audio import load_audio, resample, to_mono  # noqa: E402
from text2lip.speech.utterance import Speech, surround  # noqa: E402
from text2lip.text.timing import Timeline  # noqa: E402


EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))  # of the eye's aspect ratio, Soukupova 2016
BANDS = ((0.3, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0))  # Hz
SHUT = 0.6  # of the usual aspect ratio of eyes
LONGEST_BLINK = 0.6  # seconds
TEXT = (
    "Good morning, and welcome. Today we look at how people move while they talk. Did you ever notice it? Most of us "
    "nod on the words that matter, and turn a little when a new thought begins. What happens while we listen? We keep "
    "still, we blink, and we wait. It isn't much, but without it a face looks dead. So here is the plan: first we "
    "measure, then we compare, and at the end we look. Are you ready? Let us begin with the eyes. They close about "
    "every three seconds, mostly between phrases, and never in a rhythm. Then the head. It is hardly ever at rest."
)


class Motion(NamedTuple):
    """Yaw, pitch, roll (frames, 3), degrees; how far lids are open (frames,), 1 as usual; sound's level (frames,)."""

    turns: np.ndarray
    lids: np.ndarray
    level: np.ndarray
    fps: float


def turns_of(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Yaw, pitch, roll as a [`MotionPlan`] has them, (frames, 3)."""
    views = np.stack([head_view(points, 0.1).turn for points in to_pixels(landmarks[..., :2], *size)])
    nose = views[:, :, 2]  # towards the viewer: right, down, near
    roll = np.arctan2(views[:, 1, 0], views[:, 0, 0])
    return np.degrees(np.stack([np.arctan2(nose[:, 0], nose[:, 2]), -np.arcsin(nose[:, 1]), roll], 1))


def filmed(landmarks: np.ndarray, size: tuple[int, int], fps: float, audio: np.ndarray, rate: int) -> Motion:
    points = to_pixels(landmarks[..., :2], *size)
    lids = []
    for a, b, c, d, e, f in EYES:
        height = np.linalg.norm(points[:, b] - points[:, f], axis=1) + np.linalg.norm(
            points[:, c] - points[:, e], axis=1
        )
        lids.append(height / np.linalg.norm(points[:, a] - points[:, d], axis=1))
    lids = np.mean(lids, 0)
    turns = smooth_landmarks(turns_of(landmarks, size))
    return Motion(turns, lids / np.median(lids), level_of(audio, rate, len(turns), fps), fps)


def planned(speech: Speech, frames: int, fps: float, seed: int) -> Motion:
    plan = Planner(phrases_of(speech), frames, fps, 1.0, seed=seed).plan()
    turns = smooth_landmarks(np.stack([plan["headYaw"], plan["headPitch"], plan["headRoll"]], 1))
    if speech.audio is None:
        level = np.full(frames, np.nan)
    else:
        level = level_of(to_mono(speech.audio), speech.sampling_rate, frames, fps)
    return Motion(turns, 1 - plan["eyeBlinkLeft"], level, fps)


def level_of(audio: np.ndarray, rate: int, frames: int, fps: float) -> np.ndarray:
    """dB of each frame's sound and its neighbours'."""
    edges = ((np.arange(frames)[:, None] + [-1, 2]) / fps * rate).round().astype(int).clip(0, len(audio))
    return np.array(
        [10 * np.log10(np.mean(audio[a:b].astype(np.float64) ** 2) + 1e-7) if a < b else -70 for a, b in edges]
    )


def blinks(motion: Motion) -> list[tuple[float, float]]:
    """Start and length, seconds, of stretches with the lids under `SHUT`."""
    shut = np.diff(np.r_[0, motion.lids < SHUT, 0].astype(int))
    spans = zip(np.flatnonzero(shut == 1), np.flatnonzero(shut == -1))
    return [(a / motion.fps, (b - a) / motion.fps) for a, b in spans if (b - a) / motion.fps <= LONGEST_BLINK]


def row(name: str, motions: list[Motion]) -> str:
    spread = np.median([m.turns.std(0) for m in motions], 0)
    reach = np.median([np.ptp(m.turns, 0) for m in motions], 0)
    speeds = [np.abs(np.gradient(m.turns, 1 / m.fps, axis=0)) for m in motions]
    speed = np.mean(np.concatenate(speeds), 0)
    power = np.zeros(len(BANDS))
    for m in motions:
        turns = (
            m.turns
            - np.polynomial.Polynomial.fit(np.arange(len(m.turns)), m.turns.mean(1), 1)(np.arange(len(m.turns)))[
                :, None
            ]
        )
        spectrum = (np.abs(np.fft.rfft((turns - turns.mean(0)) * np.hanning(len(turns))[:, None], axis=0)) ** 2).sum(1)
        hertz = np.fft.rfftfreq(len(turns), 1 / m.fps)
        bands = np.array([spectrum[(hertz >= a) & (hertz < b)].sum() for a, b in BANDS])
        power += bands / max(bands.sum(), 1e-9) / len(motions)
    heard = [
        (np.linalg.norm(s, axis=1), m.level)
        for s, m in zip(speeds, motions)
        if np.isfinite(m.level).all() and m.level.std() > 1
    ]
    follows = np.mean([best_correlation(a, b) for a, b in heard]) if heard else np.nan
    seconds, found = sum(len(m.lids) / m.fps for m in motions), [blinks(m) for m in motions]
    lengths = [length for clip in found for _, length in clip]
    waits = [b[0] - a[0] for clip in found for a, b in zip(clip, clip[1:])]
    quartiles = "–".join(f"{x:.1f}" for x in np.percentile(waits, (10, 50, 90))) if len(waits) > 4 else "·"
    return " | ".join(
        [
            f"| {name}",
            f"{len(motions)} ({seconds:.0f} s)",
            " ".join(f"{x:.2f}" for x in spread),
            " ".join(f"{x:.1f}" for x in reach),
            " ".join(f"{x:.1f}" for x in speed),
            " ".join(f"{100 * x:.0f}" for x in power),
            f"{follows:.2f}",
            f"{60 * len(lengths) / seconds:.0f}",
            f"{np.mean(lengths):.2f}" if lengths else "·",
            f"{quartiles} |",
        ]
    )


def best_correlation(one: np.ndarray, other: np.ndarray, most: int = 5) -> float:
    """Of two rows, the largest of those with one of them up to five frames later."""
    size = len(one) - most
    return max(
        max(np.corrcoef(one[k : k + size], other[:size])[0, 1], np.corrcoef(one[:size], other[k : k + size])[0, 1])
        for k in range(most + 1)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prepared", type=Path, help="made by examples/prepare_grid.py")
    parser.add_argument("--films", type=Path, help="where landmarks of faces/talking are or will be kept")
    parser.add_argument("--limit", type=int, help="so many clips of each row")
    args = parser.parse_args()
    print("| | clips | std ° (yaw pitch roll) | range ° | speed °/s | % of power .3–1, –2, –4, –8 Hz | r with level "
          "| blinks a minute | s | s between, 10 50 90 % |")  # fmt: skip
    print("| --- " * 10 + "|")
    if args.prepared:
        columns = ["name", "speaker", "fps", "size", "landmarks", "audio", "phones", "words"]
        clips = [
            r
            for s in ("val", "test", "val_speaker")
            if s in splits_of(args.prepared)
            for r in read_prepared(args.prepared, s, columns)
        ]
        for name, kept in (
            ("s1", [r for r in clips if r["speaker"] == "s1"]),
            ("s2 s3 s10 s14", [r for r in clips if r["speaker"] != "s1"]),
        ):
            kept = kept[: args.limit]
            real = [filmed(r["landmarks"], r["size"], r["fps"], r["audio"] / 32768, 16000) for r in kept]
            ours = []
            for seed, r in enumerate(kept):
                speech = Speech(
                    np.float32(r["audio"] / 32768), 16000, Timeline(r["phones"], r["words"], r["phones"][-1].end)
                )
                ours.append(planned(speech, len(r["landmarks"]), r["fps"], seed))
            print(row(f"GRID {name}, film", real)), print(row("plan", ours), flush=True)
    if args.films:
        films, failed = face_films.load_films(
            face_films.face_clips(os.environ["TEXT2LIP_DATA"])[: args.limit], args.films
        )
        real, ours = [], []
        for seed, film in enumerate(films):
            audio = resample(*load_audio(film.video), 16000)[: round(len(film.record["landmarks"]) / film.fps * 16000)]
            frames = len(film.record["landmarks"])
            real.append(filmed(film.record["landmarks"], film.record["size"], film.fps, audio, 16000))
            ours.append(planned(Speech(audio, 16000, Timeline([], [], len(audio) / 16000)), frames, film.fps, seed))
        print(row("faces/talking", real)), print(row("plan, by sound alone", ours), flush=True)
    speech = surround(synthesize(TEXT), 0.2, 0.36)
    frames = round(speech.duration * 25)
    print(row("plan of a text", [planned(speech, frames, 25, seed) for seed in range(8)]))
    silent = Speech(None, None, Timeline([], [], speech.duration))
    print(row("plan of listening", [planned(silent, frames, 25, seed) for seed in range(8)]))


if __name__ == "__main__":
    main()
