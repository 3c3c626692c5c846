"""The converter of EchoMimic's weights, on a tiny checkpoint of the published layout."""

import json
import shutil
from pathlib import Path

import convert_echomimic_to_diffusers as converter
import make_echomimic_golden as make_golden
import numpy as np
import pytest
import torch

import text2lip
from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder, Text2LipPipeline
from text2lip.cards import component_card, training_section


@pytest.fixture(scope="module")
def golden():
    return dict(np.load(make_golden.GOLDEN))


@pytest.fixture(params=["pose", "pose_acc"])
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def tiny(golden, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    make_golden.write_checkpoint(golden, folder)
    return folder


@pytest.fixture
def published(tiny, variant, tmp_path):
    """A folder of the published files that a test may spoil."""
    folder = shutil.copytree(tiny, tmp_path / "published")
    for name in ("denoising_unet", "motion_module"):
        (folder / f"{name}_pose.pth").rename(folder / f"{name}_{variant}.pth")
    return folder


def convert(variant: str, published: Path, dump: Path) -> Path:
    converter.convert(variant, published, published / "sd-vae-ft-mse", dump)
    return dump


def change(path: Path, edit) -> None:
    state = torch.load(path, weights_only=True)
    edit(state)
    torch.save(state, path)


def test_a_whole_pipeline_comes_out(variant, published, tmp_path):
    folder = convert(variant, published, tmp_path / "made" / "pipeline")
    assert (
        sorted(p.name for p in tmp_path.iterdir()) == ["made", "published"] and len(list(folder.parent.iterdir())) == 1
    )
    assert not [p for p in folder.rglob("*") if p.suffix in (".bin", ".pth", ".pt")]
    pipe = Text2LipPipeline.from_pretrained(folder, use_safetensors=True)
    assert isinstance(pipe.unet, EchoMimicUNet) and isinstance(pipe.reference_unet, EchoMimicReferenceUNet)
    assert isinstance(pipe.landmark_encoder, LandmarkEncoder) and pipe.vae.config.scaling_factor == 0.18215
    steps, scale = {"pose": (30, 2.5), "pose_acc": (6, 1.0)}[variant]
    assert (pipe.unet.config.num_inference_steps, pipe.unet.config.guidance_scale) == (steps, scale)
    assert pipe.unet.config.cross_attention_dim == 24 and pipe.unet.config.motion_max_seq_length == 32
    assert list(pipe.unet.config.block_out_channels) == [32, 64, 128, 128]
    for part in (pipe.unet, pipe.reference_unet, pipe.landmark_encoder):
        assert "2407.08136" in component_card(part, "me/echo") and f"--variant {variant}" in training_section(part)
    pipe.scheduler.set_timesteps(6)
    assert pipe.scheduler.timesteps.tolist() == [999, 832, 666, 499, 332, 166]
    assert pipe.scheduler.config.prediction_type == "v_prediction" and pipe.scheduler.alphas_cumprod[-1] == 0
    built_in = Path(text2lip.__file__).parent / "checkpoints/text2lip-grid"
    for name in ("tokenizer", "face_landmarker", "articulation", "viseme_encoder", "pseudo_audio", "lip_decoder"):
        for file in (built_in / name).iterdir():
            assert (folder / name / file.name).read_bytes() == file.read_bytes()


def test_every_published_tensor_of_full_size_has_its_place(golden):
    """On the meta device: the layout of the original in full size, through the same functions."""
    state = {}
    for file in ("motion_module", "denoising_unet"):
        tensors = {k: torch.empty(v, device="meta") for k, v in make_golden.layout(golden, "full", file).items()}
        tables = {k: torch.zeros(v.shape) for k, v in tensors.items() if k.endswith(".pe")}
        state |= converter.rename_motion({**tensors, **tables})
    assert sum(len(make_golden.layout(golden, "full", f)) for f in ("motion_module", "denoising_unet")) == 1274
    unet = converter.build(EchoMimicUNet, state, "test", block_out_channels=converter.widths(state))
    assert list(unet.config.block_out_channels) == [320, 640, 1280, 1280]
    for file, cls in (("reference_unet", EchoMimicReferenceUNet), ("face_locator", LandmarkEncoder)):
        tensors = {k: torch.empty(v, device="meta") for k, v in make_golden.layout(golden, "full", file).items()}
        converter.build(cls, tensors, "test")


@pytest.mark.parametrize("variant", ["pose"], indirect=True)
class TestRefusals:
    def refused(self, published, tmp_path, message):
        with pytest.raises(ValueError, match=message):
            convert("pose", published, tmp_path / "pipeline")
        assert [p.name for p in tmp_path.iterdir()] == ["published"]

    def test_missing_keys_are_named(self, published, tmp_path):
        change(published / "denoising_unet_pose.pth", lambda state: state.pop("conv_in.bias"))
        self.refused(
            published, tmp_path, "motion_module_pose.pth with denoising_unet_pose.pth: missing: conv_in.bias$"
        )

    def test_missing_motion_is_named(self, published, tmp_path):
        change(published / "motion_module_pose.pth", dict.clear)
        self.refused(published, tmp_path, "missing: down_blocks.0.motion_modules.0.*and .* more")

    def test_unexpected_keys_are_named(self, published, tmp_path):
        change(published / "reference_unet_pose.pth", lambda state: state.update(extra=torch.zeros(1)))
        self.refused(published, tmp_path, "reference_unet_pose.pth: unexpected: extra$")

    def test_other_shapes_are_named(self, published, tmp_path):
        change(published / "face_locator_pose.pth", lambda s: s.update({"conv_in.weight": torch.zeros(16, 1, 3, 3)}))
        self.refused(published, tmp_path, r"face_locator_pose.pth: of another shape: conv_in.weight \(16, 1, 3, 3\)")

    def test_a_wrapped_dict(self, published, tmp_path):
        path = published / "face_locator_pose.pth"
        torch.save({"state_dict": torch.load(path)}, path)
        self.refused(published, tmp_path, "holds more than tensors: state_dict")

    def test_code_in_a_pickle_is_not_run(self, published, tmp_path):
        torch.save({"a": Path("x")}, published / "face_locator_pose.pth")
        with pytest.raises(Exception, match="[Ww]eights.only"):
            convert("pose", published, tmp_path / "pipeline")

    def test_two_position_tables(self, published, tmp_path):
        key = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.pos_encoder.pe"
        change(published / "motion_module_pose.pth", lambda state: state[key].add_(1))
        self.refused(published, tmp_path, "mid_block.*differs from the table of the block's first attention")

    def test_missing_file(self, published, tmp_path):
        (published / "denoising_unet_pose.pth").unlink()
        self.refused(published, tmp_path, "denoising_unet_pose.pth is missing; --checkpoint_path takes")

    def test_missing_vae(self, published, tmp_path):
        (published / "sd-vae-ft-mse/config.json").unlink()
        self.refused(published, tmp_path, "--vae_path .* is no folder of Stable Diffusion's VAE")

    def test_what_is_there_is_not_overwritten(self, published, tmp_path):
        (tmp_path / "pipeline").mkdir()
        with pytest.raises(ValueError, match="--dump_path .* exists"):
            convert("pose", published, tmp_path / "pipeline")


def test_index_names_only_known_libraries(tiny, tmp_path):
    index = json.loads((convert("pose", tiny, tmp_path / "pipeline") / "model_index.json").read_text())
    libraries = {entry[0] for entry in index.values() if isinstance(entry, list)}
    assert libraries == {"text2lip", "diffusers", None} and index["audio_encoder"] == [None, None]
