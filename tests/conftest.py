"""Fixtures and settings shared by all tests: one thread, offline, no cache outside the test run.

The whole suite is spread over the processors, and leaves out what is marked slow unless `-m` says otherwise; a part of
it, named on the command line, runs whole and in one process.
"""

import contextlib
import importlib.util
import os
from pathlib import Path

import pytest


os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


MAX_WORKERS = 4  # processes; each holds torch and the built-in networks, about 1 GB


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """As `-n` by the number of processors and `-m "not slow"`, where these were not chosen and no test was named."""
    option, everything = config.option, config.args_source == pytest.Config.ArgsSource.TESTPATHS
    unset = getattr(option, "numprocesses", 0) is None and not option.usepdb  # 0: pytest-xdist is not installed
    if unset and everything and not option.collectonly and not hasattr(config, "workerinput"):
        option.numprocesses = min(MAX_WORKERS, os.cpu_count() or 1)
        option.dist = "worksteal" if option.dist == "no" else option.dist
    if everything and not option.markexpr:  # in the workers too
        option.markexpr = "not slow"


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _own_settings(tmp_path_factory):
    """A folder of settings apart from the user's, in which the local certificate is there already."""
    import warnings

    from text2lip.exports.certificates import signing_identity

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("TEXT2LIP_CONFIG", str(tmp_path_factory.mktemp("settings")))
        patch.delenv("TEXT2LIP_CERTIFICATE", raising=False)
        warnings.simplefilter("ignore")
        with contextlib.suppress(ImportError):  # marks are unsigned then
            signing_identity()
        yield


@pytest.fixture(scope="session")
def load_script():
    """Import a script, given by its path in the repository, as a module."""

    def load(path: str):
        place = Path(__file__).parents[1] / path
        spec = importlib.util.spec_from_file_location(place.stem, place)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


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


@pytest.fixture
def make_film(tmp_path):
    """Writes films that `write_video` doesn't: any codec, pixel format, ratio, matrix, times, and a second stream."""
    from fractions import Fraction

    import av
    import numpy as np

    def make(name, pictures, *, codec="libx264", pixels="yuv420p", rate=25, times=None, ratio=None, matrix=None,
             color=None, options=None, sound=None, sound_at=0.0, picture_at=0.0, file_options=None):  # fmt: skip
        """`pictures`: uint8 or uint16 RGB; `times`: seconds of each; `color`: (matrix, range, primaries, transfer);
        `sound`: float (samples,) at 16 kHz; `sound_at`, `picture_at`: seconds at which they begin."""
        path, base = tmp_path / name, Fraction(1, 90000)
        times = [i / rate for i in range(len(pictures))] if times is None else times
        with av.open(str(path), "w", options=file_options or {}) as container:
            stream = container.add_stream(codec, rate=rate, options=options or {})
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pixels
            stream.codec_context.time_base = base if codec.startswith("libx26") else Fraction(1, rate)
            if ratio is not None:
                stream.sample_aspect_ratio = ratio
            if matrix is not None:
                stream.set_display_matrix(matrix)
            if color is not None:
                context = stream.codec_context
                context.colorspace, context.color_range, context.color_primaries, context.color_trc = color
            voice = container.add_stream("aac", rate=16000, layout="mono") if sound is not None else None
            for picture, seconds in zip(pictures, times):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24" if picture.dtype == np.uint8 else "rgb48le")
                if color is not None:
                    frame = frame.reformat(format=pixels, dst_colorspace=color[0], dst_color_range=color[1])
                frame.time_base = base
                frame.pts = round((seconds + picture_at) / base)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if voice is not None:
                for start in range(0, len(sound), 1024):
                    block = av.AudioFrame.from_ndarray(np.float32(sound[None, start : start + 1024]), "fltp", "mono")
                    block.rate, block.time_base = 16000, Fraction(1, 16000)
                    block.pts = start + round(sound_at * 16000)
                    container.mux(voice.encode(block))
                container.mux(voice.encode(None))
        return path

    return make


@pytest.fixture
def any_mouth(monkeypatch):
    """However unlike a reference's mouth is, it is taken."""
    from text2lip.renderers import mouth_references

    monkeypatch.setattr(mouth_references, "UNLIKE", 9.0)
    monkeypatch.setattr(mouth_references, "MOST_UNLIKE", 9.0)
