"""LipDecoder, the third network of the paper: lip motion from (pseudo-)audio, then from visemes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.attention import LocalTime, TimedAttention, check_tokens, feed_forward, frame_times, token_at
from text2lip.models.time import token_times


class LipAttention(NamedTuple):
    """Attention weights of one decoder layer, float32; None where it has no such stage or there were no visemes.

    Attributes:
        frames: (batch, heads, frames, frames).
        audio: (batch, heads, frames, frames).
        visemes: (batch, heads, frames, tokens).
    """

    frames: torch.Tensor
    audio: torch.Tensor | None
    visemes: torch.Tensor | None


@dataclass
class LipDecoderModelOutput(BaseOutput):
    """Output of [`LipDecoderModel`].

    Attributes:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement of the driven points from the mouth at rest, in
            units of the outer eye corners' distance, x right, y down; 0 in padded frames.
        attentions (`tuple[LipAttention]`, *optional*): one for each layer, where asked for.
    """

    motion: torch.Tensor = None  # a default, because accelerate rebuilds outputs from a dictionary
    attentions: tuple[LipAttention, ...] | None = None


DECODER_STAGES = ("audio", "visemes")


class LipDecoderLayer(nn.Module):
    """Self-attention, attention to audio and to visemes in the order of `stages`, feed-forward, pre-norm."""

    def __init__(
        self,
        width: int,
        token_dim: int,
        num_heads: int,
        hidden: int,
        reach: float,
        dropout: float,
        stages=DECODER_STAGES,
    ):
        super().__init__()
        self.stages = tuple(stages)
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(4)])
        self.frame_attention = TimedAttention(width, width, num_heads, reach)
        self.audio_attention = TimedAttention(width, width, num_heads, reach) if "audio" in stages else None
        self.viseme_attention = TimedAttention(width, token_dim, num_heads, reach) if "visemes" in stages else None
        self.feed_forward = feed_forward(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, audio, tokens, frame_clock, token_clock, maps: bool) -> tuple[torch.Tensor, LipAttention]:
        times = frame_clock[0]
        inner = self.norms[0](x)
        out, among_frames = self.frame_attention(inner, inner, times, *frame_clock, maps)
        x = x + self.dropout(out)
        to_audio = to_visemes = None
        for stage in self.stages:
            if stage == "audio":
                out, to_audio = self.audio_attention(self.norms[1](x), audio, times, *frame_clock, maps)
            elif tokens is not None:
                out, to_visemes = self.viseme_attention(self.norms[2](x), tokens, times, *token_clock, maps)
            else:
                continue
            x = x + self.dropout(out)
        x = x + self.dropout(self.feed_forward(self.norms[3](x)))
        return x, LipAttention(among_frames, to_audio, to_visemes)


class ListeningLayer(nn.Module):
    """Convolution over five frames and a feed-forward net, pre-norm, with residuals: what was heard around a frame."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        self.convolution = nn.Conv1d(width, width, 5, padding=2)
        self.feed_forward = feed_forward(width, hidden, dropout)

    def forward(self, audio: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        near = self.convolution((self.norms[0](audio) * mask[..., None]).mT).mT
        audio = audio + nn.functional.gelu(near)
        return audio + self.feed_forward(self.norms[1](audio))


class LipDecoderModel(ModelCardMixin, ModelMixin, ConfigMixin):
    """l = LipDecoder(a, ṽ_enh): all frames at once, two cross-attentions in the order of the paper (second-hand).

    The sound may be real or [`PseudoAudioModel`]'s; without visemes the model is a plain audio-to-lips decoder. With
    them it has their times from the start: where each frame lies between the begin and the end of its viseme is added
    to the query before the first attention, so timing does not come from sound alone. All attention is by time and
    reaches about a second, see `text2lip.models.attention`; the paper leaves that, the width and the number of layers
    open.

    Args:
        hidden_dim (`int`): width of the frame queries.
        token_dim (`int`): width D of ṽ_enh.
        audio_dim (`int`): channels A of the features of one video frame.
        num_layers (`int`): layers.
        num_heads (`int`): heads.
        feed_forward_dim (`int`): width between the two linear maps of a feed-forward net.
        num_points (`int`): driven landmarks.
        reach_seconds (`float`): how far a frame sees in a layer.
        dropout_rate (`float`): in training.
        motion_scale (`float`): motion of which the last linear map makes 1, eye units; keeps its weights near 1.
        reference_width (`float`): mouth width at rest of the talkers it was trained on, canonical units.
        listening_layers (`int`): layers that hear each frame with its neighbours before any attention, for a decoder
            that is told nothing but sound; the frame queries then begin with what they hear.
        stages (`list[str]`): the cross-attentions of a layer in their order: "audio" (real or pseudo), "visemes"; for
            ablations one of them alone. Without the stage "visemes" a frame still knows its place in its viseme.

    Raises:
        ValueError: `stages` holds no stage, one twice, or an unknown one.
    """

    @register_to_config
    def __init__(
        self,
        hidden_dim: int = 192,
        token_dim: int = 256,
        audio_dim: int = 320,
        num_layers: int = 3,
        num_heads: int = 4,
        feed_forward_dim: int = 768,
        num_points: int = 57,
        reach_seconds: float = 1.0,
        dropout_rate: float = 0.1,
        motion_scale: float = 0.02,
        reference_width: float = 0.6,
        listening_layers: int = 0,
        stages: list[str] | tuple[str, ...] = DECODER_STAGES,
    ):
        super().__init__()
        if not stages or len(set(stages)) != len(stages) or not set(stages) <= set(DECODER_STAGES):
            raise ValueError(f"stages: {stages!r}; wants 'audio', 'visemes' or both, each once.")
        self.audio_projection = nn.Linear(audio_dim, hidden_dim)
        self.audio_norm = nn.LayerNorm(hidden_dim)
        listening = (ListeningLayer(hidden_dim, feed_forward_dim, dropout_rate) for _ in range(listening_layers))
        self.listening = nn.ModuleList(listening)
        self.query = nn.Parameter(0.02 * torch.randn(hidden_dim))
        self.local_time = LocalTime(hidden_dim)
        sizes = (hidden_dim, token_dim, num_heads, feed_forward_dim, reach_seconds, dropout_rate, stages)
        self.layers = nn.ModuleList([LipDecoderLayer(*sizes) for _ in range(num_layers)])
        self.norm = nn.LayerNorm(hidden_dim)
        self.projection = nn.Linear(hidden_dim, 2 * num_points)
        nn.init.zeros_(self.projection.weight)  # an untrained decoder keeps the mouth at rest
        nn.init.zeros_(self.projection.bias)

    def forward(
        self,
        audio_features: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        durations: torch.Tensor | None = None,
        fps: float | torch.Tensor = 25.0,
        attention_mask: torch.Tensor | None = None,
        frame_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        return_dict: bool = True,
    ) -> LipDecoderModelOutput | tuple:
        """Motion for every frame of `audio_features`; frame f is the picture at (f + 1/2) / fps.

        Args:
            audio_features (`torch.Tensor`): real or pseudo, float (batch, frames, audio_dim).
            encoder_hidden_states (`torch.Tensor`, *optional*): ṽ_enh, float (batch, tokens, token_dim).
            durations (`torch.Tensor`): float (batch, tokens), seconds, 0 for padding; wanted with visemes.
            fps (`float` or `torch.Tensor`): frames per second, one number or (batch,).
            attention_mask (`torch.Tensor`, *optional*): bool (batch, tokens), False for padding.
            frame_mask (`torch.Tensor`, *optional*): bool (batch, frames), False for padding. By default the frames
                whose middle lies within the durations, all frames without visemes.
            output_attentions (`bool`): also return the attention weights.
            return_dict (`bool`): False for a tuple of the output's values.

        Raises:
            ValueError: visemes without durations, or masks or durations of another shape than what they are for.
        """
        times = frame_times(audio_features.shape[1], fps, audio_features)
        x = self.query.to(self.dtype).expand(*times.shape, -1)  # (batch, frames, hidden_dim)
        token_clock = None
        if encoder_hidden_states is not None:
            if durations is None:
                raise ValueError("durations: is None, but there are visemes; give their seconds.")
            encoder_hidden_states = encoder_hidden_states.to(x.dtype)
            mask = check_tokens(durations, attention_mask, tuple(encoder_hidden_states.shape[:2]))
            start, end = token_times(durations.float())
            token_clock = (start, end, mask)
            x = x + self.local_time(times, start, end, token_at(times, end, mask), x.dtype)
            if frame_mask is None:
                frame_mask = times <= end[:, -1:] + 1e-4
        if frame_mask is None:
            frame_mask = torch.ones_like(times, dtype=torch.bool)
        if frame_mask.shape != times.shape:
            raise ValueError(f"frame_mask: has shape {tuple(frame_mask.shape)}; wants {tuple(times.shape)}.")
        audio = self.audio_norm(self.audio_projection(audio_features.to(x.dtype)))
        for layer in self.listening:
            audio = layer(audio, frame_mask.bool())
        if len(self.listening):
            x = x + audio
        frame_clock, attentions = (times, times, frame_mask.bool()), []
        for layer in self.layers:
            x, maps = layer(x, audio, encoder_hidden_states, frame_clock, token_clock, output_attentions)
            attentions.append(maps)
        motion = self.projection(self.norm(x)).unflatten(-1, (-1, 2)) * self.config.motion_scale
        motion = motion * frame_mask[..., None, None]
        attentions = tuple(attentions) if output_attentions else None
        if not return_dict:
            return (motion,) if attentions is None else (motion, attentions)
        return LipDecoderModelOutput(motion, attentions)
