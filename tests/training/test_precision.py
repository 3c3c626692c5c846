import pytest
import torch

from text2lip.training.precision import choose_precision, has_bf16


CPU = torch.device("cpu")


@pytest.fixture
def processor(monkeypatch):
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)

    def be(**able):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)

    return be


def test_bf16_only_where_the_processor_has_it(processor):
    processor(avx2=True, avx512_bf16=False)
    assert not has_bf16(CPU) and choose_precision("auto", CPU)[0] == "no"
    for name in ("avx512_bf16", "amx_bf16", "bf16"):
        processor(**{name: True})
        assert has_bf16(CPU) and choose_precision("auto", CPU)[0] == "bf16"


def test_what_is_set_wins_and_a_slow_choice_is_warned_of(processor, monkeypatch):
    processor(avx2=True)
    assert "WARNING" in choose_precision("bf16", CPU)[1]
    assert choose_precision("no", CPU) == ("no", "as set")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    assert choose_precision("auto", CPU) == ("fp16", "as `accelerate launch` says")
    assert choose_precision("no", CPU) == ("no", "as set, over accelerate's 'fp16'")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")  # what launch sets when nobody asked
    assert choose_precision("auto", CPU)[0] == "no"


def test_an_accelerator_is_asked_or_nothing_is_claimed_of_it(processor, monkeypatch):
    processor()
    for able, chosen in ((True, "bf16"), (False, "no")):
        monkeypatch.setattr(torch.xpu, "is_bf16_supported", lambda including_emulation, able=able: able)
        assert choose_precision("auto", torch.device("xpu"))[0] == chosen
        assert ("WARNING" in choose_precision("bf16", torch.device("xpu"))[1]) is not able
    for name in ("mps", "hpu"):  # no question there; no module at all
        assert choose_precision("auto", torch.device(name)) == ("no", f"torch can't tell whether this {name} has bf16")
        assert choose_precision("bf16", torch.device(name)) == ("bf16", "as set")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="mixed_precision: 'half'"):
        choose_precision("half", CPU)
