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


@pytest.fixture(scope="session")
def portrait():
    """A small photograph of one face: uint8 (256, 256, 3)."""
    from skimage.data import astronaut

    return astronaut()[:256, 96:352].copy()


@pytest.fixture(scope="session")
def portrait_file(portrait, tmp_path_factory) -> Path:
    """`portrait` as a PNG."""
    from PIL import Image

    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    Image.fromarray(portrait).save(path)
    return path


@pytest.fixture(scope="session")
def pipe(_one_thread):
    """The built-in pipeline."""
    from text2lip import Text2LipPipeline

    pipe = Text2LipPipeline.from_pretrained("text2lip-grid")
    pipe.set_progress_bar_config(disable=True)
    return pipe
