"""Synthetic prepared clips: lips that move with their visemes, small enough to train on in seconds."""

from importlib import import_module
from pathlib import Path

import pytest
from synthetic_clips import PHONES, lip_clips, write_lip_clips

from text2lip.text.visemes import PHONE_INVENTORY


@pytest.fixture(scope="session")
def clips():
    assert all(phone in PHONE_INVENTORY for phone in PHONES)
    return lip_clips()


@pytest.fixture(scope="session")
def prepared(clips, tmp_path_factory):
    """A folder as `examples/prepare_grid.py` makes it: eight clips to train on, three of them for val."""
    folder = tmp_path_factory.mktemp("prepared")
    write_lip_clips(folder, clips)
    return folder


@pytest.fixture
def benchmark_script(monkeypatch):
    """Imports a script of examples/benchmarks by its name."""
    folder = Path(__file__).parents[2] / "examples/benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.syspath_prepend(str(folder.parent))
    return import_module
