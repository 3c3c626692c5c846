"""What the two UNets of EchoMimic V1 share: the attention that exchanges the reference, and inherited arguments."""

import functools
import inspect

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn


class ReferenceAttnProcessor:
    """Attention over the own tokens and, where it has a name, over those of a reference picture.

    EchoMimic's "mutual self-attention" (`src/models/mutual_self_attention.py` of antgroup/echomimic) without its
    hooks: the reference UNet writes what enters its self-attentions into a dict, the denoiser's self-attention of the
    same name reads it. Keys and values of the reference are projected once per clip, not once per frame.

    Args:
        name (`str`, *optional*): place of a self-attention in its UNet; `None` for every other attention.
    """

    _attention_backend = None
    _parallel_config = None

    def __init__(self, name: str | None = None):
        self.name = name

    def __call__(
        self,
        attn,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
        written_states: dict[str, torch.Tensor] | None = None,
        reference_states: dict[str, torch.Tensor] | None = None,
        num_frames: int = 1,
    ) -> torch.Tensor:
        """Attend.

        Args:
            attn (`Attention`): the module this is the processor of.
            hidden_states (`torch.Tensor`): (rows, tokens, channels); rows are frames of batch entries, batch first.
            encoder_hidden_states (`torch.Tensor`, *optional*): (rows, other tokens, channels) of a cross-attention.
            attention_mask, temb: of diffusers' interface, not used.
            written_states (`dict`, *optional*): gets `hidden_states` under this processor's name.
            reference_states (`dict`, *optional*): name to (conditional rows of the batch, tokens, channels). They are
                the last rows; rows before them attend to their own tokens alone.
            num_frames (`int`): frames of each batch entry.

        Returns:
            `torch.Tensor`: (rows, tokens, channels).
        """
        if self.name is not None and written_states is not None:
            written_states[self.name] = hidden_states
        query, key, value = project(attn, hidden_states, encoder_hidden_states)
        if self.name is None or reference_states is None:
            result = self.attend(query, key, value)
        else:
            reference = reference_states[self.name].to(hidden_states.dtype)
            first = len(query) - len(reference) * num_frames
            extended = [
                torch.cat([own[first:], heads(attn, to(reference)).repeat_interleave(num_frames, 0)], 1)
                for own, to in ((key, attn.to_k), (value, attn.to_v))
            ]
            result = self.attend(query[first:], *extended)
            if first:
                result = torch.cat([self.attend(query[:first], key[:first], value[:first]), result])
        return attn.to_out[1](attn.to_out[0](result.flatten(2).to(hidden_states.dtype)))

    def attend(self, query, key, value):
        return dispatch_attention_fn(
            query, key, value, backend=self._attention_backend, parallel_config=self._parallel_config
        )


class ReferenceAttention:
    """Of a UNet whose attentions exchange a reference: no other processors can take the place of those that do."""

    def set_default_attn_processor(self):
        """Go back to the processors that exchange the reference."""
        self.set_attn_processor(name_processors(self.attn_processors))

    def set_attn_processor(self, processor: dict[str, ReferenceAttnProcessor]):
        """Set the processors of all attentions, by the names of `attn_processors`.

        Raises:
            ValueError: one that knows of no reference, without which the portrait has no say.
        """
        given = processor if isinstance(processor, dict) else {"all": processor}
        if isinstance(processor, dict) and len(processor) != len(self.attn_processors):
            given = {}  # the parent says how many it wants
        for name, one in given.items():
            if not isinstance(processor, dict) or not isinstance(one, ReferenceAttnProcessor):
                raise ValueError(
                    f"processor: {type(one).__name__} for {name!r} knows of no reference, and the portrait would have "
                    "no say; choose kernels by set_attention_backend, or call set_default_attn_processor."
                )
        super().set_attn_processor(processor)

    def fuse_qkv_projections(self):
        """Not here: always a `ValueError`."""
        raise ValueError(
            "fuse_qkv_projections: diffusers' fused attention knows of no reference, and the portrait would have no "
            "say; leave it out, and choose faster kernels by set_attention_backend."
        )

    def unfuse_qkv_projections(self):
        """Nothing is ever fused."""


def heads(attn, x: torch.Tensor) -> torch.Tensor:
    """(rows, tokens, channels) to (rows, tokens, heads, channels of a head)."""
    return x.unflatten(-1, (attn.heads, -1))


def project(attn, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor | None) -> list[torch.Tensor]:
    """Query, key and value, each (rows, tokens, heads, channels of a head)."""
    source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
    return [heads(attn, x) for x in (attn.to_q(hidden_states), attn.to_k(source), attn.to_v(source))]


def name_processors(attn_processors: dict) -> dict[str, ReferenceAttnProcessor]:
    """A processor for each attention of a UNet; the spatial self-attentions get their place as name."""
    places = {key: key.removesuffix(".processor") for key in attn_processors}
    return {
        key: ReferenceAttnProcessor(place if ".attentions." in place and place.endswith("attn1") else None)
        for key, place in places.items()
    }


def arguments_of(parent: type, **defaults):
    """Decorate an `__init__(self, **kwargs)`: the arguments of the parent's, some with other defaults, and new ones.

    Diffusers reads from the signature which keys of a config belong to a class.
    """
    parameters = dict(inspect.signature(parent.__init__).parameters)
    for name, default in defaults.items():
        new = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        parameters[name] = parameters.get(name, new).replace(default=default)

    def decorate(init):
        @functools.wraps(init)
        def inner(self, **kwargs):
            init(self, **{**defaults, **kwargs})

        inner.__signature__ = inspect.Signature(list(parameters.values()))
        return inner

    return decorate
