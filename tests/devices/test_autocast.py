"""The type in which networks are asked, and that a caller's own choice is kept."""

import pytest
import torch

from text2lip.devices import inference_autocast


@pytest.mark.parametrize("able", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_float32_computes_in_bfloat16_where_that_is_quick(monkeypatch, able, dtype):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able, raising=False)
    layer = torch.nn.Linear(2, 2).to(dtype)
    with inference_autocast(layer):
        quick = able and dtype == torch.float32
        assert layer(torch.ones(1, 2, dtype=dtype)).dtype == (torch.bfloat16 if quick else dtype)


def test_autocast_of_the_caller_stays(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    layer = torch.nn.Linear(2, 2)
    with torch.autocast("cpu", torch.bfloat16), inference_autocast(layer):
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16


def test_any_device_may_be_asked():
    with inference_autocast(torch.nn.Linear(2, 2, device="meta")):
        pass
