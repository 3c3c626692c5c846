"""Every model of the package by itself: on a device, offloaded, and in half precision, as on the processor."""

import accelerate
import pytest
import torch
from diffusers import ModelMixin
from package import classes
from stand_in import StandIn

from text2lip import EchoMimicReferenceUNet
from text2lip.devices import compute_dtype, execution_device


TINY = {"block_out_channels": (32, 32, 64), "layers_per_block": 1}
TOKENS = torch.tensor([[0, 3, 5, 2]])
SECONDS = torch.tensor([[0.2, 0.1, 0.2, 0.3]])


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)))


CASES = {  # of each class: how a small one is made, and what it is given
    "ArticulatoryModel": ({}, {"phone_ids": TOKENS, "durations": SECONDS, "num_frames": 5}),
    "FaceLandmarker": ({}, {"crops": drawn(2, 3, 192, 192).sigmoid()}),
    "PersonMatte": ({}, {"images": drawn(1, 3, 256, 256).sigmoid()}),
    "SyncScorer": (
        {"channels": 16, "size": 8},
        {"pictures": drawn(1, 12, 2, 48, 48), "lips": drawn(1, 12, 160), "sound": drawn(1, 12, 320)},
    ),
    "FaceIdentity": ({}, {"chips": 255 * drawn(1, 3, 150, 150).sigmoid()}),
    "LipReader": ({"width": 16, "dilations": (1, 2)}, {"inputs": drawn(1, 9, 57, 2)}),
    "VisemeEncoderModel": (
        {"hidden_dim": 16, "num_phones": 9, "num_features": 6},
        {"input_ids": TOKENS, "phone_ids": TOKENS, "features": drawn(1, 4, 6)},
    ),
    "PseudoAudioModel": (
        {"hidden_dim": 16},
        {"encoder_hidden_states": drawn(1, 4, 16), "durations": SECONDS, "num_frames": 5},
    ),
    "LipDecoderModel": (
        {"hidden_dim": 16, "token_dim": 16, "audio_dim": 12},
        {"audio_features": drawn(1, 5, 12), "encoder_hidden_states": drawn(1, 4, 16), "durations": SECONDS},
    ),
    "LandmarkGuidedUNet": (
        {},
        {"source": drawn(2, 3, 96, 96), "warped": drawn(2, 3, 96, 96), "drawings": drawn(2, 8, 96, 96).sigmoid()},
    ),
    "LandmarkEncoder": ({"block_out_channels": (8, 16)}, {"pictures": drawn(1, 3, 2, 16, 16)}),
    "EchoMimicReferenceUNet": (
        TINY
        | {
            "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            "attention_head_dim": 2,
        },
        {"sample": drawn(1, 4, 8, 4)},
    ),
    "EchoMimicUNet": (
        TINY
        | {
            "down_block_types": ("CrossAttnDownBlockMotion", "CrossAttnDownBlockMotion", "DownBlockMotion"),
            "up_block_types": ("UpBlockMotion", "CrossAttnUpBlockMotion", "CrossAttnUpBlockMotion"),
            "num_attention_heads": 2,
            "motion_num_attention_heads": 2,
            "cross_attention_dim": 12,
        },
        {
            "sample": drawn(1, 4, 3, 8, 4),
            "timestep": 300,
            "encoder_hidden_states": drawn(1, 3, 5, 12),
            "landmark_features": drawn(1, 32, 3, 8, 4),
        },
    ),
}


MODELS = classes(ModelMixin)  # where one is missing above, its tests fail
WAYS = {
    "to": lambda model, device, folder: model.to(device),
    "model": lambda model, device, folder: accelerate.cpu_offload_with_hook(model, device),
    "sequential": lambda model, device, folder: accelerate.cpu_offload(model, device, offload_buffers=True),
    "leaf": lambda model, device, folder: model.enable_group_offload(device, offload_type="leaf_level"),
    "block": lambda model, device, folder: model.enable_group_offload(device, num_blocks_per_group=1),
    "disk": lambda model, device, folder: model.enable_group_offload(
        device, offload_type="leaf_level", offload_to_disk_path=str(folder)
    ),
}


def build(model_class: type) -> tuple[torch.nn.Module, dict]:
    """A model whose weights are all at work, and its input."""
    config, given = CASES[model_class.__name__]
    torch.manual_seed(0)
    model = model_class(**config).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    if model_class.__name__ == "EchoMimicUNet":
        given = given | {"reference_states": run(*build(EchoMimicReferenceUNet))}
    return model, given


@torch.no_grad()
def run(model, given: dict) -> dict[str, torch.Tensor]:
    """All that a model says, by name, float32 on the processor."""
    made = model(**given)
    made = made.get("reference_states", made) if isinstance(made, dict) else {"features": made}
    return {name: value.cpu().float() for name, value in made.items()}


def cast(value, dtype: torch.dtype):
    """Floating-point tensors of a dictionary of dictionaries in another type; times are always float32."""
    if isinstance(value, dict):
        return {name: x if name == "durations" else cast(x, dtype) for name, x in value.items()}
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def error(got: dict, want: dict) -> float:
    """Relative error of all outputs together."""
    assert got.keys() == want.keys()
    ours, theirs = (torch.cat([x.flatten() for x in made.values()]) for made in (got, want))
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model_class", MODELS, ids=lambda model: model.__name__)
def test_on_a_device_and_offloaded(model_class, way, tmp_path):
    model, given = build(model_class)
    want = run(model, given)
    with StandIn("cuda") as there:
        WAYS[way](model, there.device, tmp_path)
        given = accelerate.utils.send_to_device(given, there.device)
        assert execution_device(model) == there.device
        assert error(run(model, given), want) == 0 and there.calls > 5


@pytest.mark.parametrize("dtype, most", [(torch.float16, 0.02), (torch.bfloat16, 0.06)], ids=str)
@pytest.mark.parametrize("model_class", MODELS, ids=lambda model: model.__name__)
def test_half_precision(model_class, dtype, most):
    model, given = build(model_class)
    want = run(model, given)
    model.to(dtype)
    assert 0 < error(run(model, cast(given, dtype)), want) < most


@pytest.mark.parametrize("compute", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("storage, most", [(torch.float16, 0.06), (torch.float8_e4m3fn, 0.3)], ids=str)
@pytest.mark.parametrize("model_class", MODELS, ids=lambda model: model.__name__)
def test_layerwise_casting(model_class, storage, most, compute):
    model, given = build(model_class)
    want = run(model, given)
    model.to(compute).enable_layerwise_casting(storage, compute)
    assert compute_dtype(model) == compute
    assert error(run(model, cast(given, compute)), want) < most
