"""PseudoAudio, the second network of the paper: what the sound's features would be, from visemes and their times."""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.attention import LocalTime, TimedAttention, check_tokens, feed_forward, frame_times, token_at
from text2lip.models.time import token_times


@dataclass
class PseudoAudioModelOutput(BaseOutput):
    """Output of [`PseudoAudioModel`].

    Attributes:
        audio_features (`torch.Tensor`): â_pseudo, float (batch, frames, audio_dim), in the space of real ones.
        enhanced (`torch.Tensor`): ṽ_enh, float (batch, tokens, hidden_dim); 0 in padding.
    """

    audio_features: torch.Tensor = None  # defaults, because accelerate rebuilds outputs from a dictionary
    enhanced: torch.Tensor = None


class PseudoAudioModel(ModelCardMixin, ModelMixin, ConfigMixin):
    """ṽ_enh = LayerNorm(ṽ + GLU(ṽ)), then Eq. 7 of the paper (known second-hand): MultiheadAttention(ã, ṽ_enh, ṽ_enh).

    The paper has ṽ_enh = GLU(ṽ) and leaves open what ã is when there is no sound. Here there is one query for each
    video frame: a learned vector, the place of the frame between begin and end of the viseme sounding then, and that
    viseme's ṽ_enh (the length regulator). The query is normalised before the attention, keys and values are not again;
    the result is added to the query, and a feed-forward net and a linear map read the features out of the sum.
    Nearness is in seconds, see `text2lip.models.attention`.

    Args:
        hidden_dim (`int`): width D of ṽ.
        audio_dim (`int`): channels A of the features of one video frame; 320 for 4 steps of 80 mel bands.
        num_heads (`int`): heads.
        feed_forward_dim (`int`): width of the net that reads the features out.
        reach_seconds (`float`): a frame sees the visemes that lie no farther away.
        dropout_rate (`float`): in training.
        gated (`bool`): False leaves the GLU out, for an ablation: ṽ_enh = LayerNorm(ṽ).
    """

    @register_to_config
    def __init__(
        self,
        hidden_dim: int = 256,
        audio_dim: int = 320,
        num_heads: int = 4,
        feed_forward_dim: int = 512,
        reach_seconds: float = 1.0,
        dropout_rate: float = 0.1,
        gated: bool = True,
    ):
        super().__init__()
        self.enhance = nn.Sequential(nn.Linear(hidden_dim, 2 * hidden_dim), nn.GLU(-1)) if gated else None
        self.enhance_norm = nn.LayerNorm(hidden_dim)
        self.query = nn.Parameter(0.02 * torch.randn(hidden_dim))
        self.local_time = LocalTime(hidden_dim)
        self.query_norm = nn.LayerNorm(hidden_dim)
        self.attention = TimedAttention(hidden_dim, hidden_dim, num_heads, reach_seconds)
        self.norm = nn.LayerNorm(hidden_dim)
        self.feed_forward = feed_forward(hidden_dim, feed_forward_dim, dropout_rate)
        self.projection = nn.Linear(hidden_dim, audio_dim)

    def forward(
        self,
        encoder_hidden_states: torch.Tensor,
        durations: torch.Tensor,
        num_frames: int,
        fps: float | torch.Tensor = 25.0,
        attention_mask: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> PseudoAudioModelOutput | tuple[torch.Tensor, ...]:
        """Features of sound for visemes that follow each other without gap from time 0.

        Args:
            encoder_hidden_states (`torch.Tensor`): ṽ, float (batch, tokens, hidden_dim).
            durations (`torch.Tensor`): float (batch, tokens), seconds; 0 for padding.
            num_frames (`int`): frames to make; frame f is the picture at (f + 1/2) / fps.
            fps (`float` or `torch.Tensor`): frames per second, one number or (batch,).
            attention_mask (`torch.Tensor`, *optional*): bool (batch, tokens), False for padding.
            return_dict (`bool`): False for a tuple of the output's values.

        Raises:
            ValueError: `durations` or `attention_mask` has another shape than the tokens.
        """
        mask = check_tokens(durations, attention_mask, tuple(encoder_hidden_states.shape[:2]))
        states = encoder_hidden_states.to(self.dtype)
        enhanced = states if self.enhance is None else states + self.enhance(states)
        enhanced = self.enhance_norm(enhanced) * mask[..., None]
        start, end = token_times(durations.float())
        times = frame_times(num_frames, fps, durations)
        index = token_at(times, end, mask)
        held = enhanced.gather(1, index[..., None].expand(-1, -1, enhanced.shape[-1]))
        x = held + self.query + self.local_time(times, start, end, index, held.dtype)  # ã (batch, frames, hidden_dim)
        x = x + self.attention(self.query_norm(x), enhanced, times, start, end, mask)[0]  # Eq. 7
        audio = self.projection(x + self.feed_forward(self.norm(x)))
        return PseudoAudioModelOutput(audio, enhanced) if return_dict else (audio, enhanced)
