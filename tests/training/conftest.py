"""Synthetic prepared clips: lips that move with their visemes, small enough to train on in seconds."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from text2lip.data.prepared import PreparedClip, parquet_path, write_parquet
from text2lip.faces.canonical import JAW, LIPS, driven_index
from text2lip.text.timing import Segment
from text2lip.text.visemes import PHONE_INVENTORY, PHONE_TO_ID


PHONES = ("p", "a", "t", "u", "s", "i")


def make_clip(index: int, frames: int) -> PreparedClip:
    """A clip of random phones; the lower lip drops as far as the phone says."""
    rng = np.random.default_rng(index)
    durations = np.full(frames // 3, 3 / 25, np.float32)
    durations[-1] += frames / 25 - durations.sum()
    which = rng.integers(0, len(PHONES), len(durations))
    which[[0, -1]] = -1
    phones, clock = [], 0.0
    for phone, seconds in zip(which, durations):
        phones.append(Segment("" if phone < 0 else PHONES[phone], clock, clock + float(seconds)))
        clock += float(seconds)
    token = np.minimum(np.arange(frames) // 3, len(durations) - 1)
    opening = np.convolve((which[token] + 1) / len(PHONES), np.ones(3) / 3, "same")
    rest = np.stack([np.linspace(-0.3, 0.3, len(LIPS) + len(JAW)), np.full(57, 0.6)], 1)
    lips = np.repeat(rest[None], frames, 0).astype(np.float32)
    lips[:, driven_index((17, 14)), 1] += 0.1 * opening[:, None]
    lips[:, driven_index((61,)), 0] += 0.05 * opening[:, None]
    return PreparedClip(
        name=f"s/{index}",
        speaker="s",
        text="",
        fps=25.0,
        lips=lips + rng.normal(0, 1e-4, lips.shape).astype(np.float32),
        mel=np.repeat(opening[:, None], 320, 1).astype(np.float32) - 0.6,
        phone_ids=np.array([0 if i < 0 else PHONE_TO_ID[PHONES[i]] for i in which]),
        viseme_ids=np.array([i + 1 for i in which]),
        durations=durations,
        phones=phones,
        words=[],
    )


@pytest.fixture(scope="session")
def clips():
    assert all(phone in PHONE_INVENTORY for phone in PHONES)
    return [make_clip(index, 18 + 3 * (index % 3)) for index in range(8)]


@pytest.fixture(scope="session")
def prepared(clips, tmp_path_factory):
    """A folder as `examples/prepare_grid.py` makes it: eight clips to train on, three of them for val."""
    folder = tmp_path_factory.mktemp("prepared")
    for split, some in (("train", clips), ("val", clips[:3])):
        write_parquet(parquet_path(folder, split), [record(clip, split) for clip in some], len(some))
    return folder


def record(clip: PreparedClip, split: str) -> dict:
    frames = len(clip.lips)
    rest = {
        "split": split,
        "language": "en-us",
        "size": (8, 8),
        "landmarks": np.zeros((frames, 1, 3), np.float32),
        "head": np.zeros((frames, 2, 3), np.float32),
        "audio": np.zeros(8, np.int16),
        "crops": [b""] * frames,
        "aligned_by": "sound",
        "late_words": [],
    }
    return {**vars(clip), **rest}


@pytest.fixture
def benchmark_script(monkeypatch):
    """Imports a script of examples/benchmarks by its name."""
    folder = Path(__file__).parents[2] / "examples/benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.syspath_prepend(str(folder.parent))
    return import_module
