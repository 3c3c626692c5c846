"""`examples/benchmarks/pseudo_audio.py`."""

from pathlib import Path

import numpy as np
import pytest
import torch

from text2lip.text.visemes import PHONE_TO_ID
from text2lip.training import NetworkOutput


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples/benchmarks"))
    import pseudo_audio

    return pseudo_audio


def test_every_letter_has_a_kind(script):
    kinds = {letter: script.kind_of(index) for letter, index in PHONE_TO_ID.items()}
    assert set(kinds.values()) == set(script.KINDS)
    letters = {"": "silence", "m": "bilabial", "f": "labiodental", "t": "other stop", "s": "fricative", "ŋ": "nasal"}
    letters |= {"w": "approximant", "u": "rounded vowel", "ɑ": "open vowel", "i": "other vowel", "h": "fricative"}
    assert {letter: kinds[letter] for letter in letters} == letters


class Echo:
    """Networks whose pseudo-audio is the real sound, but for silence, of which they make the mean."""

    def __init__(self, mean):
        self.mean = torch.from_numpy(mean)

    def __call__(self, batch, dropped):
        assert dropped.all()
        silent = batch["audio"].mean(-1, keepdim=True) < -0.55
        return NetworkOutput(None, torch.where(silent, self.mean, batch["audio"]), None)


def test_a_perfect_copy_and_the_mean(script, clips):
    mean = np.concatenate([clip.mel for clip in clips]).mean(0) + np.linspace(0, 0.01, 320, dtype=np.float32)
    rows = script.measure(Echo(mean), clips, mean)
    assert rows["all"]["frames"] == sum(len(clip.lips) for clip in clips)
    assert rows["all"]["frames"] == sum(row["frames"] for kind, row in rows.items() if kind != "all")
    vowel = rows["other vowel"]
    assert vowel["l1"] < vowel["l1 of mean"] and vowel["cosine"] > vowel["cosine of mean"]
    assert rows["all"]["l1"] <= rows["all"]["l1 of mean"]
