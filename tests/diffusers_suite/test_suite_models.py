"""Every network of the package, tested as diffusers tests its own."""

import pytest
import torch
from diffusers_mixins import (
    AttentionTesterMixin,
    BaseModelTesterConfig,
    CPUOffloadTesterMixin,
    GroupOffloadTesterMixin,
    LayerwiseCastingTesterMixin,
    ModelTesterMixin,
    TrainingTesterMixin,
    needs_accelerator,
    torch_device,
)

import text2lip


TOKENS = torch.tensor([[0, 3, 5, 8], [1, 2, 3, 4]])
DURATIONS = torch.tensor([[0.2, 0.1, 0.2, 0.0], [0.3, 0.2, 0.1, 0.2]])
FRAMES, EYE = 9, 16
ECHO = {"block_out_channels": (32, 32), "layers_per_block": 1}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


class Plug(BaseModelTesterConfig):
    """A network, its settings and its input; `output_shape` leaves the batch out."""

    name: str
    config: dict = {}
    inputs: dict = {}

    @property
    def model_class(self):
        return getattr(text2lip, self.name)

    def get_init_dict(self):
        return dict(self.config)

    def get_dummy_inputs(self):
        return {k: v.clone().to(torch_device) if torch.is_tensor(v) else v for k, v in self.inputs.items()}


class Common(ModelTesterMixin, TrainingTesterMixin, LayerwiseCastingTesterMixin):
    pass


class Offloading(CPUOffloadTesterMixin, GroupOffloadTesterMixin):
    pass


class Articulatory(Plug):
    name, shaken_class, main_input_name = "ArticulatoryModel", text2lip.ArticulatoryModel, "durations"
    config = {"num_components": 3}
    inputs = {"phone_ids": TOKENS, "durations": DURATIONS, "num_frames": FRAMES}
    output_shape = (FRAMES, 57, 2)


class VisemeEncoder(Plug):
    name, shaken_class, main_input_name = "VisemeEncoderModel", text2lip.VisemeEncoderModel, "input_ids"
    config = {"hidden_dim": EYE, "feed_forward_dim": 32, "num_phones": 9, "num_features": 6, "dropout_rate": 0.0}
    inputs = {"input_ids": TOKENS, "attention_mask": DURATIONS > 0, "phone_ids": TOKENS, "features": noise(2, 4, 6)}
    output_shape = (4, EYE)


class PseudoAudio(Plug):
    name, shaken_class, main_input_name = "PseudoAudioModel", text2lip.PseudoAudioModel, "encoder_hidden_states"
    config = {"hidden_dim": EYE, "feed_forward_dim": 32, "audio_dim": 12}
    inputs = {"encoder_hidden_states": noise(2, 4, EYE), "durations": DURATIONS, "num_frames": FRAMES}
    output_shape = (FRAMES, 12)


class LipDecoder(Plug):
    name, shaken_class, main_input_name = "LipDecoderModel", text2lip.LipDecoderModel, "audio_features"
    config = {"hidden_dim": EYE, "token_dim": EYE, "feed_forward_dim": 32, "audio_dim": 12, "num_layers": 2}
    inputs = {
        "audio_features": noise(2, FRAMES, 12),
        "encoder_hidden_states": noise(2, 4, EYE),
        "durations": DURATIONS,
    }
    output_shape = (FRAMES, 57, 2)


class LandmarkGuided(Plug):
    name, shaken_class, main_input_name = "LandmarkGuidedUNet", text2lip.LandmarkGuidedUNet, "source"
    config = {"sample_size": 48, "block_out_channels": (8, 16, 16)}
    inputs = {"source": noise(2, 3, 48, 48), "warped": noise(2, 3, 48, 48), "drawings": noise(2, 8, 48, 48).abs()}
    output_shape = (2, 48, 48)


class Landmarker(Plug):
    name, main_input_name = "FaceLandmarker", "crops"
    inputs = {"crops": noise(1, 3, 192, 192).sigmoid()}
    output_shape = (468, 3)


class LandmarkPictures(Plug):
    name, shaken_class, main_input_name = "LandmarkEncoder", text2lip.LandmarkEncoder, "pictures"
    config = {"embedding_channels": 8, "block_out_channels": (4, 4, 4, 4)}
    inputs = {"pictures": noise(1, 3, 2, 32, 32).sigmoid()}
    output_shape = (8, 2, 4, 4)


class Denoiser(Plug):
    name, shaken_class, main_input_name = "EchoMimicUNet", text2lip.EchoMimicUNet, "sample"
    config = {
        **ECHO,
        "down_block_types": ("CrossAttnDownBlockMotion", "DownBlockMotion"),
        "up_block_types": ("UpBlockMotion", "CrossAttnUpBlockMotion"),
        "num_attention_heads": 2,
        "motion_num_attention_heads": 2,
        "cross_attention_dim": 12,
    }
    inputs = {
        "sample": noise(1, 4, 3, 8, 4),
        "timestep": 300,
        "encoder_hidden_states": noise(1, 3, 5, 12),
        "landmark_features": noise(1, 32, 3, 8, 4),
    }
    output_shape = (4, 3, 8, 4)


class Reference(Plug):
    """The mixins compare one tensor: here all states of the reference are one."""

    name, shaken_class, main_input_name = "EchoMimicReferenceUNet", text2lip.EchoMimicReferenceUNet, "sample"
    config = {
        **ECHO,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "attention_head_dim": 2,
    }
    inputs = {"sample": noise(1, 4, 8, 4)}
    output_shape = (104 * 32,)  # tokens of all states, and their channels

    @pytest.fixture(autouse=True, scope="class")
    def one_tensor(self):
        forward = text2lip.EchoMimicReferenceUNet.forward

        def joined(model, sample, timestep=0, return_dict=True):
            states = forward(model, sample, timestep, return_dict=False)[0]
            whole = torch.cat([state.flatten(1) for state in states.values()], 1)
            return {"states": whole} if return_dict else (whole,)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text2lip.EchoMimicReferenceUNet, "forward", joined)
            yield


class TestArticulatoryModel(Articulatory, Common):
    pass


class TestVisemeEncoderModel(VisemeEncoder, Common):
    pass


class TestPseudoAudioModel(PseudoAudio, Common):
    pass


class TestLipDecoderModel(LipDecoder, Common):
    pass


class TestLandmarkGuidedUNet(LandmarkGuided, Common):
    pass


class TestFaceLandmarker(Landmarker, Common):
    pass


class TestLandmarkEncoder(LandmarkPictures, Common):
    pass


class TestEchoMimicUNet(Denoiser, Common, AttentionTesterMixin):
    pass


class TestEchoMimicReferenceUNet(Reference, Common, AttentionTesterMixin):
    pass


PLUGS = (Articulatory, VisemeEncoder, PseudoAudio, LipDecoder, LandmarkGuided, Landmarker, LandmarkPictures)
for plug in (*PLUGS, Denoiser, Reference):
    globals()[f"Test{plug.name}Offloading"] = needs_accelerator(
        type(f"Test{plug.name}Offloading", (plug, Offloading), {})
    )
