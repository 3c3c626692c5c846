"""Fixtures and settings shared by all tests: one thread, offline, no cache outside the test run.

The whole suite is spread over the processors; a part of it, named on the command line, runs in one process.
"""

import os
from pathlib import Path

import pytest


os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


MAX_WORKERS = 4  # processes; each holds torch and the built-in networks, about 1 GB


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """As `-n` by the number of processors where nothing was chosen, nothing is debugged and no test was named."""
    option, everything = config.option, config.args_source == pytest.Config.ArgsSource.TESTPATHS
    unset = getattr(option, "numprocesses", 0) is None and not option.usepdb  # 0: pytest-xdist is not installed
    if unset and everything and not option.collectonly and not hasattr(config, "workerinput"):
        option.numprocesses = min(MAX_WORKERS, os.cpu_count() or 1)
        option.dist = "worksteal" if option.dist == "no" else option.dist


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
