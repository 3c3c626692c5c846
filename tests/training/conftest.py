"""Synthetic prepared clips: lips that move with their visemes, small enough to train on in seconds."""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from synthetic_clips import PHONES, lip_clips, mouth_people, write_faces, write_lip_clips

from text2lip.text.visemes import PHONE_INVENTORY
from text2lip.training import Text2LipNetworks
from text2lip.training.pairs import PairMix


@pytest.fixture(autouse=True)
def _fresh_accelerator():
    """accelerate keeps the precision of the first run of a process."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


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


@pytest.fixture
def mix():
    return PairMix({"films": [mouth_people(seed) for seed in range(3)]}, {"films": 1})


@pytest.fixture
def faces_file(tmp_path):
    write_faces(tmp_path / "faces.safetensors")
    return tmp_path / "faces.safetensors"


@pytest.fixture
def untrained():
    """Small networks of which no motion comes yet."""
    torch.manual_seed(0)
    return Text2LipNetworks.from_config(
        {
            "viseme_encoder": {"hidden_dim": 32, "feed_forward_dim": 32, "num_phones": 128, "num_features": 6},
            "pseudo_audio": {"hidden_dim": 32, "feed_forward_dim": 32},
            "lip_decoder": {
                **{"hidden_dim": 32, "token_dim": 32, "feed_forward_dim": 32},
                **{"num_layers": 2, "dropout_rate": 0.0},
            },
        }
    )


@pytest.fixture
def networks(untrained):
    """The same, with motion."""
    torch.nn.init.normal_(untrained.lip_decoder.projection.weight)
    return untrained.eval()
