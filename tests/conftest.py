"""Fixtures and settings shared by all tests: one thread, offline, no cache outside the test run."""

import os
from pathlib import Path

import pytest


os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The real data (`$TEXT2LIP_DATA`); the test is skipped where it is not set."""
    root = os.environ.get("TEXT2LIP_DATA")
    if not root:
        pytest.skip("TEXT2LIP_DATA is not set")
    return Path(root)
