"""EchoMimic's networks: equal to the original's numbers, sizes, and what each condition does."""

import convert_echomimic_to_diffusers
import make_echomimic_golden
import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D

from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder
from text2lip.models.echomimic_unet import FrameGroupNorm


TINY = {
    "block_out_channels": (32, 32, 64),
    "down_block_types": ("CrossAttnDownBlockMotion", "CrossAttnDownBlockMotion", "DownBlockMotion"),
    "up_block_types": ("UpBlockMotion", "CrossAttnUpBlockMotion", "CrossAttnUpBlockMotion"),
    "layers_per_block": 1,
    "num_attention_heads": 2,
    "motion_num_attention_heads": 2,
    "cross_attention_dim": 12,
}
REFERENCE = {
    "down_block_types": ("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2,
    "block_out_channels": (32, 32, 64),
    "layers_per_block": 1,
    "attention_head_dim": 2,
}
BATCH, FRAMES, HEIGHT, WIDTH = 2, 3, 8, 4


@pytest.fixture(scope="module")
def make_golden():
    return make_echomimic_golden


@pytest.fixture(scope="module")
def golden(make_golden):
    return dict(np.load(make_golden.GOLDEN))


@pytest.fixture(scope="module")
def converted(make_golden, golden, tmp_path_factory):
    """The tiny original's files through the converter, and from there saved and loaded by the tests."""
    folder = tmp_path_factory.mktemp("echomimic")
    make_golden.write_checkpoint(golden, folder)
    convert_echomimic_to_diffusers.convert("pose", folder, folder / "sd-vae-ft-mse", folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    unet = EchoMimicUNet(**TINY).eval()
    for name, parameter in unet.named_parameters():  # as if trained: they start at zero
        if "motion_modules" in name and "proj_out" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return unet


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    return {
        "sample": torch.randn(BATCH, 4, FRAMES, HEIGHT, WIDTH, generator=generator),
        "timestep": 300,
        "encoder_hidden_states": torch.randn(BATCH, FRAMES, 5, 12, generator=generator),
        "landmark_features": torch.randn(BATCH, 32, FRAMES, HEIGHT, WIDTH, generator=generator),
        "reference_states": reference_states(BATCH),
    }


def reference_states(rows: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    with torch.no_grad():
        model = EchoMimicReferenceUNet(**REFERENCE).eval()
        return model(torch.randn(rows, 4, HEIGHT, WIDTH)).reference_states


def run(unet, **inputs) -> torch.Tensor:
    with torch.no_grad():
        return unet(**inputs).sample


def test_equals_the_original(make_golden, golden, converted):
    found = make_golden.differences(golden, converted)
    assert set(found) == {"landmark_features", "reference", "plain", "guided"}
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_a_whole_clip_is_sampled_as_by_the_original(make_golden, golden, converted):
    """Noise, two windows that wander, averaging, guidance, steps: latents of the original's two pipelines."""
    found = make_golden.sampler_differences(golden, converted)
    assert set(found) == {"accelerated", "sampled"} and max(found.values()) < 1e-4, found  # of 3 steps, with scale 2.5
    assert min(golden[name].std() for name in found) > 0.5


def test_the_golden_numbers_say_something(golden):
    plain, guided = golden["plain"], golden["guided"]
    assert plain.shape == (1, 4, 5, 16, 8) and guided.shape == (2, 4, 5, 16, 8)
    assert np.abs(plain - guided[1:]).max() < 1e-5  # guidance doesn't touch the conditional row
    assert np.abs(guided[0] - guided[1]).mean() > 0.05
    assert np.abs(golden["landmark_features"]).mean() > 0.05 and plain.std() > 0.3


def test_group_norm_over_all_frames_is_another_model(make_golden, golden, converted):
    """What diffusers' own motion modules do must fail the very test that ours passes."""
    unet = EchoMimicUNet.from_pretrained(converted, subfolder="unet")
    for module in unet.modules():
        if isinstance(module, AnimateDiffTransformer3D):
            stock = torch.nn.GroupNorm(module.norm.num_groups, module.norm.num_channels, module.norm.eps)
            stock.load_state_dict(module.norm.state_dict())
            module.norm = stock
    given = {name: torch.from_numpy(value) for name, value in make_golden.inputs().items()}
    with torch.no_grad():
        features = LandmarkEncoder.from_pretrained(converted, subfolder="landmark_encoder")(given["pictures"])
        reference = EchoMimicReferenceUNet.from_pretrained(converted, subfolder="reference_unet")
        states = reference(given["portrait"]).reference_states
        found = make_golden.denoiser_differences(unet, given, features, states, golden)
    assert min(found.values()) > 0.01, found


def test_full_configuration_is_the_published_size():
    with torch.device("meta"):
        unet, reference, encoder = EchoMimicUNet(), EchoMimicReferenceUNet(), LandmarkEncoder()
    counts = {name: parameter.numel() for name, parameter in unet.named_parameters()}
    motion = sum(count for name, count in counts.items() if "motion_modules" in name)
    assert sum(counts.values()) == 1_303_145_604 and motion == 453_209_280
    tables = 2 * sum(buffer.numel() for buffer in unet.buffers())  # the original keeps one for each attention
    published = {  # float32, of BadToBest/EchoMimic
        "denoising_unet_pose.pth": (sum(counts.values()) - motion, 3.40e9),
        "motion_module_pose.pth": (motion + tables, 1.82e9),
        "reference_unet_pose.pth": (sum(p.numel() for p in reference.parameters()), 3.26e9),
        "face_locator_pose.pth": (sum(p.numel() for p in encoder.parameters()), 4.35e6),
    }
    for name, (numbers, size) in published.items():
        assert 4 * numbers == pytest.approx(size, rel=0.01), name


def test_landmark_encoder_halves_three_times_frame_by_frame():
    torch.manual_seed(0)
    encoder = LandmarkEncoder(32).eval()
    assert not encoder(torch.rand(1, 3, 1, 16, 16)).any()  # zero until trained
    torch.nn.init.normal_(encoder.conv_out.weight)
    pictures = torch.rand(2, 3, 3, 32, 16)
    with torch.no_grad():
        features = encoder(pictures)
        assert features.shape == (2, 32, 3, 4, 2)
        torch.testing.assert_close(encoder(pictures[1:, :, 2:]), features[1:, :, 2:], atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match=r"`pictures` must have shape \(batch, 3, frames"):
        encoder(pictures[:, :, 0])


def test_frame_group_norm_is_the_norm_of_each_frame():
    torch.manual_seed(0)
    norm = FrameGroupNorm(2, 4)
    x = torch.randn(2, 4, 3, 5, 6) * torch.arange(1, 4)[:, None, None]
    each = torch.stack([torch.nn.GroupNorm.forward(norm, x[:, :, i]) for i in range(3)], 2)
    torch.testing.assert_close(norm(x), each)


@pytest.mark.parametrize("condition", ["encoder_hidden_states", "landmark_features", "reference_states"])
def test_every_condition_matters(unet, inputs, condition):
    changed = run(unet, **{**inputs, condition: None}) - run(unet, **inputs)
    assert changed.abs().mean() > 1e-3


@pytest.mark.parametrize("condition", ["encoder_hidden_states", "landmark_features"])
def test_none_is_zeros(unet, inputs, condition):
    zeros = run(unet, **{**inputs, condition: torch.zeros_like(inputs[condition])})
    torch.testing.assert_close(run(unet, **{**inputs, condition: None}), zeros, atol=1e-5, rtol=1e-4)


def test_sound_belongs_to_its_frame_and_motion_modules_pass_it_on(unet, inputs):
    louder = inputs["encoder_hidden_states"].clone()
    louder[:, 1] += 1
    torch.manual_seed(0)
    untrained = EchoMimicUNet(**TINY).eval()  # its motion modules do nothing yet
    for model in (untrained, unet):
        change = run(model, **{**inputs, "encoder_hidden_states": louder}) - run(model, **inputs)
        change = change.abs().mean((0, 1, 3, 4))
        assert change[1] > 1e-3 and (change[[0, 2]] > 1e-4).all() == (model is unet)
        assert model is unet or change[[0, 2]].max() < 1e-6


def test_last_rows_read_the_reference(unet, inputs):
    both, none = run(unet, **inputs), run(unet, **{**inputs, "reference_states": None})
    second = {name: state[1:] for name, state in inputs["reference_states"].items()}
    mixed = run(unet, **{**inputs, "reference_states": second})
    torch.testing.assert_close(mixed[0], none[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(mixed[1], both[1], atol=1e-5, rtol=1e-4)


def test_a_row_is_the_same_alone_and_in_a_batch(unet, inputs):
    alone = {k: v[:1] if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
    alone["reference_states"] = {name: state[:1] for name, state in inputs["reference_states"].items()}
    torch.testing.assert_close(run(unet, **alone), run(unet, **inputs)[:1], atol=1e-5, rtol=1e-4)


def test_reference_states_have_the_names_of_the_denoiser(unet):
    states = reference_states(1)
    readers = {p.name for p in unet.attn_processors.values() if p.name}
    assert set(states) == readers and len(states) == 2 * 1 + 1 + 2 * 2
    assert states["down_blocks.0.attentions.0.transformer_blocks.0.attn1"].shape == (1, HEIGHT * WIDTH, 32)


def test_config_and_weights_survive(inputs, tmp_path):
    torch.manual_seed(0)
    unet = EchoMimicUNet(**TINY, num_inference_steps=6, guidance_scale=1.0).eval()
    unet.save_pretrained(tmp_path)
    again, info = EchoMimicUNet.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert again.config.num_inference_steps == 6 and again.config.guidance_scale == 1.0
    _, unused, _ = EchoMimicUNet.extract_init_dict(EchoMimicUNet.load_config(tmp_path))
    assert not unused  # diffusers would warn of them
    assert torch.equal(run(again, **inputs), run(unet, **inputs))


@pytest.mark.parametrize("model", [EchoMimicUNet, EchoMimicReferenceUNet, LandmarkEncoder])
def test_no_config_argument_shadows_a_module(model):
    with torch.device("meta"):
        model = model()
    own = {name.split(".")[0] for name, _ in [*model.named_modules(), *model.named_parameters()]}
    assert not own & set(model.config) - {""}


def test_default_processors_keep_the_reference(unet, inputs):
    before = run(unet, **inputs)
    unet.set_default_attn_processor()
    assert torch.equal(run(unet, **inputs), before)


def test_gradients_reach_every_part_with_and_without_checkpointing(inputs):
    torch.manual_seed(0)
    unet, found = EchoMimicUNet(**TINY), []
    for checkpointing in (False, True):
        unet.zero_grad()
        if checkpointing:
            unet.enable_gradient_checkpointing()
        unet(**inputs).sample.square().mean().backward()
        found.append({name: p.grad.clone() for name, p in unet.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, atol=1e-6, rtol=1e-3)
    assert any(g.any() for n, g in found[0].items() if "motion_modules" in n)


def test_half_precision_keeps_its_dtype(inputs):
    torch.manual_seed(0)
    unet = EchoMimicUNet(**TINY).to(torch.bfloat16).eval()
    sample = inputs["sample"].to(torch.bfloat16)  # the conditions stay float32
    result = run(unet, **{**inputs, "sample": sample})
    torch.manual_seed(0)
    full = run(EchoMimicUNet(**TINY).eval(), **inputs)
    assert result.dtype == torch.bfloat16 and (result - full).norm() < 0.1 * full.norm()


def test_attention_backend_can_be_chosen(unet, inputs):
    from diffusers.models.attention_dispatch import attention_backend

    default = run(unet, **inputs)
    with attention_backend("_native_math"):
        torch.testing.assert_close(run(unet, **inputs), default, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_repeated_blocks_compile_whole(inputs):
    torch.manual_seed(0)
    unet = EchoMimicUNet(**TINY).eval()
    before = run(unet, **inputs)
    unet.compile_repeated_blocks(fullgraph=True, backend="eager", recompile_limit=64)
    torch.testing.assert_close(run(unet, **inputs), before)
    torch.compiler.reset()


def test_pyramid_attention_broadcast(inputs):
    """Attention is computed on every second step of the range that is cached, and not in between."""
    from diffusers import PyramidAttentionBroadcastConfig

    torch.manual_seed(0)
    unet = EchoMimicUNet(**TINY).eval()
    calls = []
    for name, module in unet.named_modules():
        if name.endswith((".attn1", ".attn2")):
            module.to_q.register_forward_hook(lambda *_: calls.append(1))
    ranges = {f"{kind}_attention_block_skip_range": 2 for kind in ("spatial", "temporal", "cross")}
    identifiers = {
        "spatial_attention_block_identifiers": ("attentions",),
        "temporal_attention_block_identifiers": ("motion_modules",),
        "cross_attention_block_identifiers": ("attentions",),
    }
    unet.enable_cache(PyramidAttentionBroadcastConfig(**ranges, **identifiers, current_timestep_callback=lambda: 500))
    run(unet, **inputs)
    first = len(calls)
    run(unet, **inputs)
    assert first > 0 and len(calls) == first
    unet.disable_cache()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"encoder_hidden_states": torch.zeros(BATCH, 5, 12)}, r"`encoder_hidden_states` must have shape \(2, 3, tok"),
        ({"encoder_hidden_states": torch.zeros(BATCH, FRAMES, 5, 8)}, r"tokens, 12\).*got \(2, 3, 5, 8\)"),
        ({"landmark_features": torch.zeros(BATCH, 32, FRAMES, WIDTH, HEIGHT)}, r"`landmark_features` must have shape"),
        ({"sample": torch.zeros(1, 4, FRAMES, HEIGHT, WIDTH), "encoder_hidden_states": None}, "`landmark_features`"),
        ({"reference_states": {"x": torch.zeros(3, 1, 32)}}, r"`reference_states\['x'\]` has 3 rows, `sample` only 2"),
    ],
)
def test_bad_input(unet, inputs, changes, message):
    with pytest.raises(ValueError, match=message):
        run(unet, **{**inputs, **changes})


def test_too_many_frames(unet):
    with pytest.raises(ValueError, match="33 frames, the motion modules take 32"):
        run(unet, sample=torch.zeros(1, 4, 33, 4, 4), timestep=0)


@pytest.mark.parametrize("change", ["fuse", "one for all", "some"])
def test_no_attention_that_knows_of_no_reference_takes_its_place(unet, inputs, change):
    from diffusers.models.attention_processor import AttnProcessor2_0

    reference = EchoMimicReferenceUNet(**REFERENCE).eval()
    before = run(unet, **inputs)
    for model in (unet, reference):
        weights, processors = set(model.state_dict()), model.attn_processors
        other = {**processors, next(iter(processors)): AttnProcessor2_0()} if change == "some" else AttnProcessor2_0()
        with pytest.raises(ValueError, match="knows of no reference"):
            model.fuse_qkv_projections() if change == "fuse" else model.set_attn_processor(other)
        model.unfuse_qkv_projections()
        assert set(model.state_dict()) == weights and model.attn_processors == processors
        model.set_attn_processor(processors)
    assert torch.equal(run(unet, **inputs), before)
    assert reference(torch.randn(1, 4, HEIGHT, WIDTH)).reference_states
