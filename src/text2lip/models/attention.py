"""Attention by time: queries see only what is near them in seconds, and nearness is all they know of position.

The paper leaves positions open. Here every query has a time and every key a start and an end; the logit of each head
falls linearly with the time between them, like the dominance functions of co-articulation. A clip is then treated the
same wherever it begins, however long it is and at any frame rate, and time and memory grow linearly with its length.
"""

import torch
import torch.nn.functional as F
from torch import nn


BLOCK = 128  # queries made at once; keys out of their reach are left out
DECAYS = (0.02, 0.05, 0.1, 0.2, 0.4)  # seconds


class TimedAttention(nn.Module):
    """Multi-head attention whose logits fall with the time from the query to the key, nothing beyond `reach`.

    Per head, logit = q k / sqrt(d) - attack * (start - t)+ - release * (t - end)+ with t the query's time plus a
    shift; attack, release and shift are learned. A key's weight is also multiplied by 1 - distance / reach, so that
    nothing jumps where a key goes out of reach.

    Args:
        query_dim (`int`): channels of the queries and of the result.
        context_dim (`int`): channels of keys and values before their projection.
        num_heads (`int`): heads; divides `query_dim`.
        reach (`float`): how far a query sees, in the unit of the times given to `forward`.
    """

    def __init__(self, query_dim: int, context_dim: int, num_heads: int, reach: float):
        super().__init__()
        if query_dim % num_heads:
            raise ValueError(f"num_heads: {num_heads} does not divide the width {query_dim}.")
        self.num_heads, self.reach = num_heads, reach
        self.to_query = nn.Linear(query_dim, query_dim)
        self.to_key = nn.Linear(context_dim, query_dim)
        self.to_value = nn.Linear(context_dim, query_dim)
        self.to_out = nn.Linear(query_dim, query_dim)
        slopes = torch.linspace(1.4, 3.4, num_heads, dtype=torch.float32) - torch.tensor(reach).log()
        self.log_attack = nn.Parameter(slopes.clone())
        self.log_release = nn.Parameter(slopes.clone())
        self.shift = nn.Parameter(torch.linspace(-0.1, 0.1, num_heads, dtype=torch.float32) * reach)

    def forward(
        self,
        x: torch.Tensor,
        context: torch.Tensor,
        times: torch.Tensor,
        start: torch.Tensor,
        end: torch.Tensor,
        mask: torch.Tensor,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend from `x` to `context`.

        Args:
            x (`torch.Tensor`): (batch, queries, query_dim).
            context (`torch.Tensor`): (batch, keys, context_dim).
            times (`torch.Tensor`): (batch, queries), rising.
            start, end (`torch.Tensor`): (batch, keys), rising; equal for keys that are moments.
            mask (`torch.Tensor`): bool (batch, keys), False for padding.
            output_attentions (`bool`): also return the weights.

        Returns:
            `tuple`: (batch, queries, query_dim), and weights (batch, heads, queries, keys) or None. A query without a
            key in reach gets 0.
        """
        query, key, value = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.to_query(x), self.to_key(context), self.to_value(context))
        )
        outs, maps = [], []
        for first in range(0, x.shape[1], BLOCK):
            rows = slice(first, first + BLOCK)
            cols = self.columns(times[:, rows], start, end, mask) if x.shape[1] > BLOCK else slice(None)
            bias, seen = self.bias(times[:, rows], start[:, cols], end[:, cols], mask[:, cols])
            parts = (query[:, :, rows], key[:, :, cols], value[:, :, cols])
            out, weights = attend(*parts, bias, output_attentions)
            outs.append(out * seen.to(out.dtype))
            if output_attentions:
                whole = weights.new_zeros(*weights.shape[:3], context.shape[1])
                whole[..., cols] = weights * seen
                maps.append(whole)
        out = torch.cat(outs, 2).transpose(1, 2).flatten(2)
        return self.to_out(out), torch.cat(maps, 2) if output_attentions else None

    def columns(self, times, start, end, mask) -> slice:
        """The run of keys that some query of a block can see, at least one."""
        near = mask & (end >= times[:, :1] - self.reach) & (start <= times[:, -1:] + self.reach)
        found = near.any(0).nonzero()[:, 0]
        return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 1)

    def bias(self, times, start, end, mask) -> tuple[torch.Tensor, torch.Tensor]:
        """What is added to the logits, float32 (batch, heads, queries, keys), and who sees a key (..., queries, 1)."""
        times, start, end = times[:, None, :, None].float(), start[:, None, None].float(), end[:, None, None].float()
        share = 1 - torch.maximum(start - times, times - end).clamp(min=0) / self.reach
        hidden = (share <= 0) | ~mask[:, None, None]
        moved = times + self.shift[:, None, None]
        before, after = (start - moved).clamp(min=0), (moved - end).clamp(min=0)
        bias = -self.log_attack.exp()[:, None, None] * before - self.log_release.exp()[:, None, None] * after
        bias = bias + share.clamp(min=1e-6).log()
        return bias.masked_fill(hidden, -1e9), ~hidden.all(-1, keepdim=True)


def attend(query, key, value, bias, output_weights: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Scaled dot-product attention with `bias` on the logits, by torch's kernel unless the weights are wanted."""
    if not output_weights:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype)), None
    logits = query.float() @ key.float().mT / query.shape[-1] ** 0.5 + bias
    weights = logits.softmax(-1)
    return weights.to(value.dtype) @ value, weights


def feed_forward(width: int, hidden: int, dropout: float) -> nn.Sequential:
    """Linear, GELU, dropout, linear."""
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width))


class LocalTime(nn.Module):
    """Where in its token a frame lies: time since the token began and until it ends, projected to `width` channels.

    Both enter as exp(-seconds / decay) for five decays, so a long silence looks like silence of any length.
    """

    def __init__(self, width: int):
        super().__init__()
        self.projection = nn.Linear(2 * len(DECAYS), width)

    def forward(self, times, start, end, index, dtype: torch.dtype) -> torch.Tensor:
        """`dtype` (batch, frames, width) for `times` (batch, frames) in tokens `index` (batch, frames)."""
        since = times - start.gather(1, index)
        until = end.gather(1, index) - times
        decays = times.new_tensor(DECAYS)
        parts = [(-x.clamp(min=0)[..., None] / decays).exp() for x in (since, until)]
        return self.projection(torch.cat(parts, -1).to(dtype))


def frame_times(num_frames: int, fps: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Middles of frames, (f + 1/2) / fps: float32 (batch, num_frames), seconds, on the device of `like` (batch, ...).

    `fps` is one number or (batch,).
    """
    frames = torch.arange(num_frames, device=like.device, dtype=torch.float32) + 0.5
    rate = torch.as_tensor(fps, device=like.device, dtype=torch.float32).expand(len(like))
    return frames[None] / rate[:, None]


def token_at(times: torch.Tensor, end: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The token sounding at each time (the length regulator of FastSpeech, in seconds): int64 (batch, frames).

    `times` (batch, frames) and `end` (batch, tokens), of [`token_times`], are seconds, `mask` (batch, tokens) is False
    for padding. Times past the end belong to the last token.
    """
    index = torch.searchsorted(end.contiguous(), times.contiguous(), right=True)
    return torch.minimum(index, (mask.sum(1, keepdim=True) - 1).clamp(min=0))


def check_tokens(durations: torch.Tensor, attention_mask: torch.Tensor | None, tokens: tuple[int, int]):
    """The mask of tokens, from `durations` where none is given; a ValueError for other shapes than `tokens`."""
    if tuple(durations.shape) != tokens:
        raise ValueError(f"durations: has shape {tuple(durations.shape)}; wants {tokens}, one for each viseme.")
    mask = durations > 0 if attention_mask is None else attention_mask.bool()
    if tuple(mask.shape) != tokens:
        raise ValueError(f"attention_mask: has shape {tuple(mask.shape)}; wants {tokens}.")
    return mask
