import pytest
import torch
from torch import nn

from text2lip.training import EMA


def test_follows_by_the_formula():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(0.0)
    ema = EMA(layer, 0.5)
    layer.weight.data.fill_(1.0)
    ema.update(layer)
    assert ema.average["weight"].item() == pytest.approx(0.9)  # memory 1 / 10 at first
    for _ in range(20):
        ema.update(layer)
    before = ema.average["weight"].item()
    layer.weight.data.fill_(3.0)
    ema.update(layer)
    assert ema.average["weight"].item() == pytest.approx((before + 3) / 2)


def test_applied_and_taken_back():
    layer = nn.Linear(2, 2)
    ema = EMA(layer)
    average = layer.weight.detach().clone()
    layer.weight.data += 1
    with pytest.raises(KeyError), ema.applied(layer):
        assert torch.equal(layer.weight, average)
        raise KeyError
    assert torch.equal(layer.weight, average + 1)


def test_save_and_load(tmp_path):
    layer = nn.Linear(2, 2)
    ema, again = EMA(layer), EMA(nn.Linear(2, 2))
    ema.update(layer)
    ema.save(tmp_path / "ema.safetensors")
    again.load(tmp_path / "ema.safetensors")
    assert again.steps == 1 and torch.equal(again.average["weight"], ema.average["weight"])
    with pytest.raises(ValueError, match="another network"):
        EMA(nn.Linear(2, 2, bias=False)).load(tmp_path / "ema.safetensors")


def test_bad_decay():
    with pytest.raises(ValueError, match="decay"):
        EMA(nn.Linear(1, 1), 1.0)


def test_follows_a_module_that_is_moved_after_it_was_begun(tmp_path):
    layer = nn.Linear(2, 2)
    ema = EMA(layer)
    layer.to("meta")
    ema.update(layer)
    assert ema.average["weight"].device.type == "meta"
