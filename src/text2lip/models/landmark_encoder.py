"""EchoMimic's FaceLocator: the drawing of a frame's landmarks as features of the denoiser's size."""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from text2lip.cards import ModelCardMixin


class LandmarkEncoder(ModelCardMixin, ControlNetConditioningEmbedding, ModelMixin, ConfigMixin):
    """ControlNet's stack of convolutions (arXiv 2302.05543), zero at the start of training.

    Args:
        embedding_channels (`int`): of the result; the denoiser's `block_out_channels[0]`.
        conditioning_channels (`int`): of the picture.
        block_out_channels (`tuple` of `int`): widths; each after the first halves height and width.
    """

    @register_to_config
    def __init__(
        self,
        embedding_channels: int = 320,
        conditioning_channels: int = 3,
        block_out_channels: tuple[int, ...] = (16, 32, 96, 256),
    ):
        super().__init__(embedding_channels, conditioning_channels, tuple(block_out_channels))
        for conv in (self.conv_in, *self.blocks):  # torch's own start lets thin lines fade out on the way
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")

    def forward(self, pictures: torch.Tensor, return_dict: bool = True) -> torch.Tensor | tuple[torch.Tensor]:
        """Encode landmark pictures.

        Args:
            pictures (`torch.Tensor`): float (batch, conditioning_channels, frames, height, width) in [0, 1]:
                `text2lip.faces.draw_landmarks` over 255.
            return_dict (`bool`): False for a tuple of the result.

        Returns:
            `torch.Tensor`: float (batch, embedding_channels, frames, height / 8, width / 8).

        Raises:
            ValueError: another number of dimensions or channels.
        """
        if pictures.ndim != 5 or pictures.shape[1] != self.config.conditioning_channels:
            raise ValueError(
                f"`pictures` must have shape (batch, {self.config.conditioning_channels}, frames, height, width), "
                f"got {tuple(pictures.shape)}."
            )
        features = super().forward(pictures.transpose(1, 2).flatten(0, 1))
        features = features.unflatten(0, (len(pictures), -1)).transpose(1, 2)
        return features if return_dict else (features,)
