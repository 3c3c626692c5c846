"""`examples/benchmarks/audio_lips.py`: what counts as an open mouth, and what is compared with what."""

import numpy as np
import pytest
import torch

from text2lip.faces.topology import driven_index
from text2lip.models import LipDecoderModel


@pytest.fixture
def bench(benchmark_script, monkeypatch):
    script = benchmark_script("audio_lips")
    monkeypatch.setattr(script, "SECONDS", 2)
    monkeypatch.setattr(script, "PIECES", 1)
    return script


@pytest.fixture
def gaping():
    """Lips that are open whatever they hear, but in silence."""
    model = LipDecoderModel(hidden_dim=16, token_dim=4, num_layers=1, feed_forward_dim=16).eval()
    shape = torch.zeros(57, 2)
    shape[driven_index((95, 88, 178, 87, 14, 317, 402, 318, 324)), 1] = 5.0
    torch.nn.init.zeros_(model.projection.weight)
    model.projection.bias.data = shape.flatten()
    return model


def test_open_lips_are_counted_where_nobody_speaks(bench, gaping):
    shut = LipDecoderModel(hidden_dim=16, token_dim=4, num_layers=1, feed_forward_dim=16).eval()
    table = bench.at_rest({"gaping": gaping, "shut": shut}, [np.random.default_rng(0).normal(size=9000)])
    assert table["silence"] == {"gaping": 0, "shut": 0}
    assert table["white noise"]["gaping"] > 0.9 and all(row["shut"] == 0 for row in table.values())


def test_agreement_is_with_the_motion_that_is_given(bench, gaping):
    audio = np.random.default_rng(0).normal(size=32_000).astype(np.float32) * np.repeat([0, 0.1], 16_000)
    ours = bench.animate_sound(gaping, audio, 16_000, 50)[0].numpy()
    assert bench.agreement({"sound": gaping}, [(audio, 16_000, ours)])["sound, gap_r"] == pytest.approx(1)
    assert bench.agreement({"sound": gaping}, [(audio, 16_000, -ours)])["sound, motion"] == pytest.approx(1)


def test_changed_sound_keeps_its_length_and_stays_within_full_scale(bench):
    sound = 0.2 * np.sin(np.arange(16_000) / 5).astype(np.float32)
    ways = bench.changed(sound, np.random.default_rng(0))
    assert {len(way) for way in ways.values()} == {16_000} and len(ways) == 5
    assert np.abs(ways["+15 dB, clipped"]).max() == 1
