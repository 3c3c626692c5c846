from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("utils/convert_whisper_to_transformers.py")


@pytest.fixture(scope="module")
def whisper():
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    sizes = {"d_model": 16, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "vocab_size": 50300, "num_mel_bins": 8}
    sizes |= {f"{side}_{part}": 2 for side in ("encoder", "decoder") for part in ("layers", "attention_heads")}
    torch.manual_seed(0)
    config = WhisperConfig(**sizes, max_source_positions=20, max_target_positions=8)
    return WhisperForConditionalGeneration(config).eval()


def stored(model, folder: Path, quantization: str | None) -> Path:
    """A model.bin as CTranslate2's own converter writes it."""
    pytest.importorskip("ctranslate2")
    from ctranslate2.converters.transformers import WhisperLoader
    from ctranslate2.specs.model_spec import LayerSpec, ModelSpec

    spec = WhisperLoader().get_model_spec(model)
    LayerSpec.validate(spec)
    spec.optimize(quantization=quantization)
    folder.mkdir()
    ModelSpec._serialize(spec, str(folder / "model.bin"))
    return folder / "model.bin"


@pytest.mark.parametrize(("quantization", "near"), [(None, 0), ("float16", 2e-3)])
def test_a_model_comes_back_as_it_was(script, whisper, tmp_path, quantization, near):
    made = script.convert(script.read_variables(stored(whisper, tmp_path / "ct2", quantization)))
    mel, first = torch.randn(1, 8, 40), torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        wanted, found = (one(input_features=mel, decoder_input_ids=first) for one in (whisper.model, made))
    for name in ("encoder_last_hidden_state", "last_hidden_state"):
        assert torch.allclose(wanted[name], found[name], atol=near or 1e-6), name
    made.save_pretrained(str(tmp_path / "hf"))
    from text2lip.speech.whisper import load_whisper, whisper_states

    states = whisper_states(load_whisper(tmp_path / "hf"), np.zeros(16000 // 10, np.float32))
    assert states.shape == (5, 3, 16)


def test_what_cannot_be_read_is_told(script, whisper, tmp_path):
    with pytest.raises(ValueError, match="folder that holds a model.bin"):
        script.read_variables(tmp_path / "model.bin")
    with pytest.raises(ValueError, match="quantised"):
        script.read_variables(stored(whisper, tmp_path / "small", "int8"))
    (tmp_path / "old.bin").write_bytes(b"\x05\0\0\0\x0c\0WhisperSpec\0")
    with pytest.raises(ValueError, match="version 5"):
        script.read_variables(tmp_path / "old.bin")
