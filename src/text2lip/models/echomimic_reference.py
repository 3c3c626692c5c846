"""EchoMimic's ReferenceNet: what a portrait looks like, at 16 places of the denoiser."""

from dataclasses import dataclass

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.echomimic_parts import ReferenceAttention, arguments_of


@dataclass
class EchoMimicReferenceUNetOutput(BaseOutput):
    """Output of [`EchoMimicReferenceUNet`].

    Attributes:
        reference_states (`dict`): place of a self-attention to what enters it, float (batch, tokens, channels).
    """

    reference_states: dict[str, torch.Tensor] = None

    def __post_init__(self):
        states = self.reference_states  # or, where accelerate rebuilds an output from a dictionary, all fields
        if states is not None:
            self["reference_states"] = states.get("reference_states", states)


class EchoMimicReferenceUNet(ModelCardMixin, ReferenceAttention, UNet2DConditionModel):
    """Stable Diffusion 1.x's UNet without text and without output; run once per clip.

    Takes all arguments of `UNet2DConditionModel`, by keyword; the defaults are EchoMimic's, 815.5 M parameters.
    """

    _skip_keys = ["cross_attention_kwargs"]  # holds the dict that states are written to; offloading must not copy it

    @arguments_of(UNet2DConditionModel, cross_attention_dim=1)
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for module in self.modules():
            if isinstance(module, BasicTransformerBlock):
                module.attn2 = module.norm2 = None
        self.conv_norm_out, self.conv_out = None, nn.Identity()
        self.set_default_attn_processor()

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor | float | int = 0, return_dict: bool = True
    ) -> EchoMimicReferenceUNetOutput | tuple[dict[str, torch.Tensor]]:
        """Look at a portrait.

        Args:
            sample (`torch.Tensor`): its clean latents (the mean of the VAE's distribution, scaled), float (batch,
                in_channels, height, width).
            timestep (`torch.Tensor`, `float` or `int`): 0, as EchoMimic calls it.
            return_dict (`bool`): an [`EchoMimicReferenceUNetOutput`] or a tuple.

        Returns:
            [`EchoMimicReferenceUNetOutput`]: 16 states in the full configuration, for [`EchoMimicUNet`].
        """
        states = {}
        super().forward(sample, timestep, None, cross_attention_kwargs={"written_states": states})
        return EchoMimicReferenceUNetOutput(states) if return_dict else (states,)
