"""VisemeEncoder, the first network of the paper: viseme ids to contextual features ṽ, and how long each viseme is."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.attention import TimedAttention, feed_forward
from text2lip.text.tokenizer import VisemeTokenizer
from text2lip.text.visemes import OCULUS_LABELS, get_viseme_set


@dataclass
class VisemeEncoderModelOutput(BaseOutput):
    """Output of [`VisemeEncoderModel`].

    Attributes:
        last_hidden_state (`torch.Tensor`): ṽ, float (batch, tokens, hidden_dim); 0 in padding.
        log_durations (`torch.Tensor`): float (batch, tokens), natural logarithm of seconds; 0 in padding.
    """

    last_hidden_state: torch.Tensor = None  # defaults, because accelerate rebuilds outputs from a dictionary
    log_durations: torch.Tensor = None

    def durations(self, attention_mask: torch.Tensor, speaking_rate: float = 1.0) -> torch.Tensor:
        """Predicted seconds (batch, tokens), 0 in padding; half as long at `speaking_rate` 2."""
        seconds = self.log_durations.float().exp() / speaking_rate
        return seconds * attention_mask.to(seconds.device)


class VisemeEncoderLayer(nn.Module):
    """Self-attention over near tokens and a feed-forward net, each after a LayerNorm."""

    def __init__(self, width: int, num_heads: int, hidden: int, reach: float, dropout: float):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = TimedAttention(width, width, num_heads, reach)
        self.feed_forward = feed_forward(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, places, mask):
        inner = self.norm1(x)
        x = x + self.dropout(self.attention(inner, inner, places, places, places, mask)[0])
        return x + self.dropout(self.feed_forward(self.norm2(x)))


class VisemeEncoderModel(ModelCardMixin, ModelMixin, ConfigMixin):
    """ṽ = VisemeEncoder(V): a Transformer encoder of two layers and four heads, as in the paper (known second-hand).

    Width and feed-forward size are half of its authors' usual ones. Its positions are said to be sinusoidal; here they
    are relative by default, since text may be hundreds of times longer than what was trained on. The built-in encoder
    is not the paper's in one more way: it sees which phone each token is and six articulatory features of it beside
    the viseme (`num_phones=128`, `num_features=6`).

    Args:
        num_visemes (`int`): ids of the viseme set; the id `num_visemes` is padding.
        hidden_dim (`int`): width D of ṽ.
        num_layers (`int`): layers.
        num_heads (`int`): heads.
        feed_forward_dim (`int`): width between the two linear maps of a feed-forward net.
        num_phones (`int`): size of `PHONE_INVENTORY` to tell phones of one viseme apart by an embedding that starts
            at zero; 0, the paper's form, for visemes alone.
        num_features (`int`): articulatory features given for each token; 0 for none.
        position_type (`str`): "relative", or "sinusoidal", which adds the code of Vaswani et al. to the embeddings and
            keeps the learned decay with distance and `token_reach`: not a plain Transformer either way.
        token_reach (`int`): tokens farther apart than this don't see each other in a layer.
        dropout_rate (`float`): in training.
        viseme_labels (`list[str]`, *optional*): label of each id that it is trained for.
        viseme_phones (`list[str]`, *optional*): IPA phones of each id that it is trained for, as "b m p".

    Raises:
        ValueError: an unknown `position_type`, or more or fewer labels than visemes.
    """

    @register_to_config
    def __init__(
        self,
        num_visemes: int = 15,
        hidden_dim: int = 256,
        num_layers: int = 2,
        num_heads: int = 4,
        feed_forward_dim: int = 1024,
        num_phones: int = 0,
        num_features: int = 0,
        position_type: str = "relative",
        token_reach: int = 12,
        dropout_rate: float = 0.1,
        viseme_labels: list[str] | None = None,
        viseme_phones: list[str] | None = None,
    ):
        super().__init__()
        if viseme_labels is not None and len(viseme_labels) != num_visemes:
            raise ValueError(
                f"num_visemes: {num_visemes}, but there are {len(viseme_labels)} viseme_labels; leave num_visemes out "
                "of the settings, or give the labels' number."
            )
        if position_type not in ("relative", "sinusoidal"):
            raise ValueError(f"position_type: {position_type!r} is unknown; wants 'relative' or 'sinusoidal'.")
        self.viseme_embedding = nn.Embedding(num_visemes + 1, hidden_dim)
        nn.init.normal_(self.viseme_embedding.weight, std=0.5)
        if num_phones:
            self.phone_embedding = nn.Embedding(num_phones, hidden_dim)
            nn.init.zeros_(self.phone_embedding.weight)  # a phone that training never saw is its viseme
        if num_features:
            self.feature_projection = nn.Linear(num_features, hidden_dim)
        sizes = (hidden_dim, num_heads, feed_forward_dim, float(token_reach), dropout_rate)
        self.layers = nn.ModuleList([VisemeEncoderLayer(*sizes) for _ in range(num_layers)])
        self.norm = nn.LayerNorm(hidden_dim)
        self.duration_head = nn.Sequential(nn.Linear(hidden_dim, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, 1))
        nn.init.constant_(self.duration_head[-1].bias, -2.5)  # 0.08 s

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        phone_ids: torch.Tensor | None = None,
        features: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> VisemeEncoderModelOutput | tuple[torch.Tensor, ...]:
        """Encode visemes.

        Args:
            input_ids (`torch.Tensor`): int64 (batch, tokens), viseme ids; `num_visemes` is padding.
            attention_mask (`torch.Tensor`, *optional*): bool (batch, tokens), False for padding; from the ids by
                default.
            phone_ids (`torch.Tensor`): int64 (batch, tokens), indices in `PHONE_INVENTORY`; wanted with `num_phones`.
            features (`torch.Tensor`): float (batch, tokens, num_features) in [0, 1]; wanted with `num_features`.
            return_dict (`bool`): False for a tuple of the output's values.

        Raises:
            ValueError: phones or features are missing.
        """
        mask = input_ids < self.config.num_visemes if attention_mask is None else attention_mask.bool()
        x = self.embed(input_ids, phone_ids, features)
        places = torch.arange(x.shape[1], device=x.device, dtype=torch.float32).expand(len(x), -1)
        if self.config.position_type == "sinusoidal":
            x = x + sinusoids(places, x.shape[-1]).to(x.dtype)
        for layer in self.layers:
            x = layer(x, places, mask)
        x = self.norm(x) * mask[..., None]
        log_durations = self.duration_head(x.detach())[..., 0] * mask
        return VisemeEncoderModelOutput(x, log_durations) if return_dict else (x, log_durations)

    def check_tokenizer(self, tokenizer: VisemeTokenizer) -> None:
        """Raise `ValueError` for a tokenizer whose visemes are not those that this network was trained for."""
        fault = self.misfit(tokenizer)
        if fault:
            raise ValueError(
                f"tokenizer: its viseme set {tokenizer.config.viseme_set!r} is not the one that viseme_encoder was "
                f"trained for: {fault}. Choose motion='articulatory', which takes any table, or train networks for it "
                "(examples/train_pvar.py --viseme_set azure, or a table.json)."
            )

    def misfit(self, tokenizer: VisemeTokenizer) -> str | None:
        """What does not fit of a tokenizer's labels, their order and their phones, in words; None where all does.

        Weights that name none, of earlier versions, were trained for Oculus visemes if they have as many.
        """
        own, labels, phones = tokenizer.visemes, self.config.viseme_labels, self.config.viseme_phones
        if labels is None and self.config.num_visemes == len(OCULUS_LABELS):
            labels, phones = OCULUS_LABELS, get_viseme_set("oculus").phones_of_each()
        if len(own) != self.config.num_visemes:
            return f"it has {len(own)} labels, wanted are {self.config.num_visemes}"
        if labels is not None and list(own.labels) != list(labels):
            return f"its labels are {_shown(own.labels)}, wanted are {_shown(labels)}"
        shown = {phone: i for i, row in enumerate(own.phones_of_each()) for phone in row.split()}
        for wanted, row in enumerate(phones or ()):
            for phone in row.split():
                if shown.get(phone, wanted) != wanted:
                    return f"it shows {phone!r} as {labels[shown[phone]]!r}, wanted is {labels[wanted]!r}"
        return None

    def embed(self, input_ids, phone_ids, features) -> torch.Tensor:
        """Embeddings of visemes, phones and features, summed."""
        x = self.viseme_embedding(input_ids)
        if self.config.num_phones:
            if phone_ids is None:
                raise ValueError("phone_ids: is None, but this encoder tells phones apart; give the tokenizer's.")
            x = x + self.phone_embedding(phone_ids)
        if self.config.num_features:
            if features is None:
                raise ValueError("features: is None, but this encoder uses them; give the tokenizer's.")
            x = x + self.feature_projection(features.to(x.dtype))
        return x


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) < 8 else ", ".join(labels[:6]) + ", ..."


def sinusoids(places: torch.Tensor, width: int) -> torch.Tensor:
    """Positional encoding of Vaswani et al. 2017, section 3.5: (batch, tokens) to float32 (batch, tokens, width)."""
    exponents = torch.arange(0, width, 2, device=places.device, dtype=torch.float32) / width
    angles = places[..., None] / 10_000**exponents
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
