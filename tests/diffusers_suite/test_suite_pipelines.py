"""The pipeline, as it is built in and with tiny networks of EchoMimic, tested as diffusers tests its own."""

from functools import cache

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from diffusers_mixins import (
    BasePipelineTesterConfig,
    PipelineGroupOffloadTesterMixin,
    PipelineLayerwiseCastingTesterMixin,
    PipelineOffloadTesterMixin,
    PipelineTesterMixin,
    needs_accelerator,
)
from shaking import shake
from skimage.data import astronaut

from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder, Text2LipPipeline


PORTRAIT = astronaut()[:256, 96:352].copy()
WIDTHS = {"block_out_channels": (32, 32), "layers_per_block": 1, "sample_size": 4}


class Plug(BasePipelineTesterConfig):
    pipeline_class = Text2LipPipeline
    required_input_params_in_call_signature = frozenset(["prompt", "image"])
    optional_input_params = frozenset(["num_inference_steps", "generator", "output_type", "return_dict"])
    batch_input_params = frozenset(["prompt", "image"])
    output_shape = (2, 3, *PORTRAIT.shape[:2])
    motion = "networks"

    def get_dummy_components(self):
        return dict(Text2LipPipeline.from_pretrained("text2lip-grid").components)

    def get_dummy_inputs(self):
        return {
            "prompt": "Bob met my uncle Paul.",
            "image": PORTRAIT,
            "voice": None,
            "num_frames": 2,
            "motion": self.motion,
            "generator": self.get_generator(0),
            "output_type": "pt",
        }

    @pytest.fixture(autouse=True)
    def safetensors_alone(self, monkeypatch):
        """The mixins save pickles, which `from_pretrained` reads only if asked to."""
        save = Text2LipPipeline.save_pretrained
        monkeypatch.setattr(
            Text2LipPipeline,
            "save_pretrained",
            lambda pipe, folder, safe_serialization=True, **more: save(pipe, folder, **more),
        )

    def test_save_load_optional_components(self, tmp_path):
        self.motion = "articulatory"  # what a pipeline without networks does
        super().test_save_load_optional_components(tmp_path)

    def test_inference_batch_single_identical(self):
        shared = [name for name in ("num_inference_steps",) if name in self.get_dummy_inputs()]
        super().test_inference_batch_single_identical(additional_params_copy_to_batched_inputs=shared)


@cache
def echomimic() -> dict:
    torch.manual_seed(0)
    unet = EchoMimicUNet(
        **WIDTHS,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        num_attention_heads=2,
        motion_num_attention_heads=2,
        cross_attention_dim=12,
    )
    reference = EchoMimicReferenceUNet(
        **WIDTHS,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=2,
    )
    sides = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    vae = AutoencoderKL(**sides, block_out_channels=(8,) * 4, norm_num_groups=4, latent_channels=4)
    encoder = LandmarkEncoder(32, block_out_channels=(4, 4, 4, 4))
    for part in (unet, encoder):
        shake(part)
    parts = {"unet": unet, "reference_unet": reference, "landmark_encoder": encoder, "vae": vae}
    return {**parts, "scheduler": DDIMScheduler(prediction_type="v_prediction", clip_sample=False)}


class EchoPlug(Plug):
    def get_dummy_components(self):
        from copy import deepcopy

        return {**super().get_dummy_components(), **deepcopy(echomimic())}

    def get_dummy_inputs(self):
        return {**super().get_dummy_inputs(), "num_inference_steps": 2, "guidance_scale": 2.0}

    def test_save_load_optional_components(self, tmp_path):
        pytest.skip("its renderer is made of optional components")


class TestBuiltIn(Plug, PipelineTesterMixin, PipelineLayerwiseCastingTesterMixin):
    pass


class TestEchoMimic(EchoPlug, PipelineTesterMixin, PipelineLayerwiseCastingTesterMixin):
    pass


@needs_accelerator
class TestBuiltInOffloading(Plug, PipelineOffloadTesterMixin, PipelineGroupOffloadTesterMixin):
    test_save_load_optional_components = test_inference_batch_single_identical = None


@needs_accelerator
class TestEchoMimicOffloading(EchoPlug, PipelineOffloadTesterMixin, PipelineGroupOffloadTesterMixin):
    test_save_load_optional_components = test_inference_batch_single_identical = None
