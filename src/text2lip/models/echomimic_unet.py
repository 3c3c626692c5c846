"""The denoiser of EchoMimic V1 (arXiv 2407.08136), pose branch: the paper's renderer, weight for weight."""

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.controlnets.controlnet import zero_module
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D, UNetMotionModel, UNetMotionOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.echomimic_parts import ReferenceAttention, arguments_of


class FrameGroupNorm(nn.GroupNorm):
    """Group norm of each frame by itself, as EchoMimic was trained; diffusers' motion modules pass all frames at once.

    Input and output: float (batch, channels, frames, height, width).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch = x.shape[0]
        x = super().forward(x.transpose(1, 2).flatten(0, 1))
        return x.unflatten(0, (batch, -1)).transpose(1, 2)


class LandmarkConv(nn.Conv2d):
    """The first convolution, which adds the landmark features that follow the sample's channels, if there are any."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sample, features = x[:, : self.in_channels], x[:, self.in_channels :]
        return super().forward(sample) + features if features.shape[1] else super().forward(sample)


class EchoMimicUNet(ModelCardMixin, ReferenceAttention, UNetMotionModel, CacheMixin):
    """EchoMimic V1's denoising UNet: Stable Diffusion 1.x with AnimateDiff's motion modules on every level.

    A `UNetMotionModel` of diffusers with four differences: landmark features are added after the first convolution;
    the keys and values of spatial self-attention come from own and reference tokens; cross-attention is to the sound
    of each frame; motion modules normalise each frame by itself. EchoMimic's constant factor 3.0 on the sound is
    folded into the weights by `utils/convert_echomimic_to_diffusers.py`. The blocks that read a reference differ by
    its name: `compile_repeated_blocks(recompile_limit=64)`.

    Takes all arguments of `UNetMotionModel`, by keyword; the defaults are EchoMimic's, 1,303,145,604 parameters.

    Args:
        num_inference_steps (`int`): how many steps a sampler should take with these weights, unless told: 30, or 6
            for EchoMimic's accelerated weights.
        guidance_scale (`float`): likewise; 2.5, or 1.0 (off) for the accelerated weights.
    """

    _repeated_blocks = ["BasicTransformerBlock"]

    @arguments_of(UNetMotionModel, cross_attention_dim=384, num_inference_steps=30, guidance_scale=2.5)
    def __init__(self, num_inference_steps, guidance_scale, **kwargs):
        super().__init__(**kwargs)
        self.register_to_config(num_inference_steps=num_inference_steps, guidance_scale=guidance_scale)
        conv = self.conv_in
        self.conv_in = LandmarkConv(conv.in_channels, conv.out_channels, conv.kernel_size, padding=conv.padding)
        for module in self.modules():
            if isinstance(module, AnimateDiffTransformer3D):
                module.norm = FrameGroupNorm(module.norm.num_groups, module.norm.num_channels, module.norm.eps)
                zero_module(module.proj_out)  # training starts from still frames, as AnimateDiff's does
        self.set_default_attn_processor()

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float | int,
        encoder_hidden_states: torch.Tensor | None = None,
        landmark_features: torch.Tensor | None = None,
        reference_states: dict[str, torch.Tensor] | None = None,
        return_dict: bool = True,
    ) -> UNetMotionOutput | tuple[torch.Tensor]:
        """Predict v (the velocity of arXiv 2202.00512) of a window of frames.

        For classifier-free guidance stack the rows `[unconditional, conditional]` along the batch, with zeros as
        sound and landmark features of the unconditional rows, and give `reference_states` of the conditional rows
        only: the last rows of the batch attend to the reference, those before them to themselves.

        Args:
            sample (`torch.Tensor`): noisy latents, float (batch, in_channels, frames, height, width); at most
                `motion_max_seq_length` frames.
            timestep (`torch.Tensor`, `float` or `int`): one, or (batch,).
            encoder_hidden_states (`torch.Tensor`, *optional*): the sound, float (batch, frames, 50,
                cross_attention_dim): 5 states of Whisper-tiny at 10 steps around each frame. `None` equals zeros, the
                "no sound" that guidance is trained on.
            landmark_features (`torch.Tensor`, *optional*): from [`LandmarkEncoder`], float (batch,
                block_out_channels[0], frames, height, width). `None` equals zeros.
            reference_states (`dict`, *optional*): from [`EchoMimicReferenceUNet`], each (conditional rows, tokens,
                channels), at the size of the sample. `None`: every row attends to itself alone.
            return_dict (`bool`): a [`UNetMotionOutput`] or a tuple.

        Returns:
            [`UNetMotionOutput`] with `sample`, float (batch, out_channels, frames, height, width).

        Raises:
            ValueError: a shape that does not fit `sample`, or too many frames.
        """
        batch, _, frames, height, width = sample.shape
        if encoder_hidden_states is None:  # one token of zeros gives what fifty give
            encoder_hidden_states = sample.new_zeros(batch, frames, 1, self.config.cross_attention_dim)
        self._check(sample, encoder_hidden_states, landmark_features, reference_states)
        if landmark_features is not None:
            sample = torch.cat([sample, landmark_features.to(sample.dtype)], 1)
        kwargs = {"reference_states": reference_states, "num_frames": frames}
        return super().forward(
            sample,
            timestep,
            encoder_hidden_states.flatten(0, 1).to(sample.dtype),
            cross_attention_kwargs=kwargs if reference_states else None,
            return_dict=return_dict,
        )

    def _check(self, sample, sound, landmark_features, reference_states):
        """Raise `ValueError` where a condition does not fit the sample."""
        batch, _, frames, height, width = sample.shape
        limit, sound_dim = self.config.motion_max_seq_length, self.config.cross_attention_dim
        block = self.down_blocks[0].motion_modules[0].transformer_blocks[0]
        if frames > limit and isinstance(block, BasicTransformerBlock):  # FreeNoise puts blocks there that cut windows
            raise ValueError(f"`sample` has {frames} frames, the motion modules take {limit}: render in windows.")
        if sound.ndim != 4 or sound.shape[:2] != (batch, frames) or sound.shape[3] != sound_dim:
            raise ValueError(
                f"`encoder_hidden_states` must have shape ({batch}, {frames}, tokens, {sound_dim}), one set of sound "
                f"tokens for each frame, got {tuple(sound.shape)}."
            )
        wanted = (batch, self.config.block_out_channels[0], frames, height, width)
        if landmark_features is not None and landmark_features.shape != wanted:
            raise ValueError(f"`landmark_features` must have shape {wanted}, got {tuple(landmark_features.shape)}.")
        for name, state in (reference_states or {}).items():
            if len(state) > batch:
                raise ValueError(f"`reference_states[{name!r}]` has {len(state)} rows, `sample` only {batch}.")
