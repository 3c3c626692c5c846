"""The three networks as one module, for training and validation."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from text2lip.models import LipDecoderModel, PseudoAudioModel, VisemeEncoderModel
from text2lip.text.tokenizer import VisemeTokenizer


LIP_NETWORKS = {"viseme_encoder": VisemeEncoderModel, "pseudo_audio": PseudoAudioModel, "lip_decoder": LipDecoderModel}


class NetworkOutput(NamedTuple):
    """Output of [`Text2LipNetworks`]: motion (batch, frames, 57, 2), pseudo-audio, log-seconds (batch, tokens)."""

    motion: torch.Tensor
    pseudo_audio: torch.Tensor
    log_durations: torch.Tensor


class Text2LipNetworks(nn.Module):
    """Viseme encoder, pseudo-audio and lip decoder in a row; real audio where it has not been dropped.

    Args:
        viseme_encoder, pseudo_audio, lip_decoder: the networks.
        use_visemes (`bool`): False makes the decoder hear sound only, the baseline without text.
        tokenizer ([`VisemeTokenizer`], *optional*): whose visemes they are for; saved and loaded with them.
    """

    def __init__(
        self,
        viseme_encoder: VisemeEncoderModel,
        pseudo_audio: PseudoAudioModel,
        lip_decoder: LipDecoderModel,
        use_visemes: bool = True,
        tokenizer: VisemeTokenizer | None = None,
    ):
        super().__init__()
        self.viseme_encoder, self.pseudo_audio, self.lip_decoder = viseme_encoder, pseudo_audio, lip_decoder
        self.use_visemes, self.tokenizer = use_visemes, tokenizer

    @classmethod
    def from_config(
        cls,
        configs: dict[str, dict[str, Any]],
        use_visemes: bool = True,
        tokenizer: VisemeTokenizer | None = None,
    ) -> "Text2LipNetworks":
        """New networks from keyword arguments for each part; a part that is not named has its defaults.

        Raises:
            ValueError: `num_visemes` is given and is not the tokenizer's.
        """
        configs = dict(configs)
        if tokenizer is not None:
            visemes = tokenizer.visemes
            labels = {"viseme_labels": list(visemes.labels), "viseme_phones": visemes.phones_of_each()}
            configs["viseme_encoder"] = {"num_visemes": len(visemes), **labels, **configs.get("viseme_encoder", {})}
        return cls(*(part(**configs.get(name, {})) for name, part in LIP_NETWORKS.items()), use_visemes, tokenizer)

    def forward(self, batch: dict[str, torch.Tensor], dropped: torch.Tensor) -> NetworkOutput:
        """Motion for a batch of `collate`.

        Args:
            batch (`dict`): of [`~text2lip.training.lip_samples.collate`].
            dropped (`torch.Tensor`): bool (batch, frames), where pseudo-audio stands in for the real one;
                everywhere in clips that are not `real`.
        """
        dropped = dropped | ~batch["real"][:, None]
        durations, mask, fps = batch["durations"], batch["attention_mask"], batch["fps"]
        states, log_durations = self.viseme_encoder(
            batch["input_ids"], mask, batch["phone_ids"], batch["features"], return_dict=False
        )
        frames = batch["frame_mask"].shape[1]
        pseudo, enhanced = self.pseudo_audio(states, durations, frames, fps, mask, return_dict=False)
        audio = torch.where(dropped[..., None], pseudo, batch["audio"].to(pseudo.dtype))
        tokens = (enhanced, durations, fps, mask) if self.use_visemes else (None, None, fps, None)
        motion = self.lip_decoder(audio, *tokens, frame_mask=batch["frame_mask"], return_dict=False)[0]
        return NetworkOutput(motion, pseudo, log_durations)

    @property
    def components(self) -> dict[str, Any]:
        """The networks, and the tokenizer where there is one, by their names in a pipeline."""
        parts = {name: getattr(self, name) for name in LIP_NETWORKS}
        return parts if self.tokenizer is None else {**parts, "tokenizer": self.tokenizer}

    def save_pretrained(self, folder: str | Path):
        """Write each network, and the tokenizer, to a folder of its own in `folder`, named as in a pipeline."""
        for name, part in self.components.items():
            part.save_pretrained(str(Path(folder) / name))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "Text2LipNetworks":
        """Read what [`save_pretrained`] wrote."""
        tokenizer = Path(folder) / "tokenizer"
        return cls(
            *(
                part.from_pretrained(str(Path(folder) / name), use_safetensors=True)
                for name, part in LIP_NETWORKS.items()
            ),
            tokenizer=VisemeTokenizer.from_pretrained(str(tokenizer)) if tokenizer.is_dir() else None,
        )
