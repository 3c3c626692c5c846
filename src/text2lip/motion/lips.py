"""Lip motion for timed visemes: the half of the pipeline that knows no picture."""

import math
from typing import Any

import torch

from text2lip.devices import execution_device
from text2lip.models.pseudo_audio import PseudoAudioModelOutput
from text2lip.models.time import token_times
from text2lip.motion.seal import press_lips, rest_weight, seal_lips, settle, widest_gap


AHEAD = 2.0  # seconds of what follows a clip's end that its motion is made with


class LipMotion:
    """What [`Text2LipPipeline`] does between tokens and lips, with its own components."""

    @torch.no_grad()
    def animate(
        self,
        tokens: Any,
        num_frames: int,
        fps: float = 25,
        motion: str | None = None,
        audio_features: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, float]:
        """Lip motion for timed visemes, lips sealed on /p b m/ and in pauses, nearly so on /f v/.

        Args:
            tokens ([`VisemeEncoding`]): with `return_tensors="pt"`.
            num_frames (`int`): frames to make; fewer than the tokens last are the beginning of the whole motion.
            fps (`float`): frames per second.
            motion (`str`, *optional*): "articulatory" or "networks"; this pipeline's own choice by default.
            audio_features (`torch.Tensor`, *optional*): float (batch, num_frames, 320), log-mel of real sound, see
                [`log_mel`]; takes the place of the pseudo-audio. For "networks" alone.

        Returns:
            `tuple`: float32 motion (batch, num_frames, 57, 2), displacement from rest in units of the outer eyes'
            distance, and the mouth width at rest that it belongs to.

        Raises:
            ValueError: networks that were trained for other visemes than this pipeline's tokenizer has.
        """
        wanted = num_frames
        if audio_features is None:  # what comes after the last frame moves it too
            spoken = math.ceil(float(tokens["durations"].sum(1).max()) * fps)
            num_frames = max(num_frames, min(spoken, num_frames + math.ceil(AHEAD * fps)))
        model = self.lip_decoder if (motion or self.config.motion) == "networks" else self.articulation
        device = execution_device(model)
        tokens = {name: value.to(device) for name, value in tokens.items() if isinstance(value, torch.Tensor)}
        durations, mask = tokens["durations"], tokens["attention_mask"]
        if model is self.articulation:
            moved = model(tokens["phone_ids"], durations, num_frames, fps, attention_mask=mask).motion
        else:
            moved = self._decode_lips(tokens, num_frames, fps, audio_features)
        widest = widest_gap(tokens["features"]).masked_fill(~mask, float("inf"))
        silent = mask & (tokens["phone_ids"] == 0)
        start, end = token_times(durations)
        rest = rest_weight(silent, start, end, num_frames, fps)
        moved = seal_lips(settle(moved.to(device, torch.float32), rest), rest)
        return press_lips(moved, widest, start, end, fps)[:, :wanted], model.config.reference_width

    def _decode_lips(self, tokens: dict, num_frames: int, fps: float, audio_features) -> torch.Tensor:
        """The paper's way: visemes to ṽ, ṽ to pseudo-audio (Eq. 7), both to lips. (batch, num_frames, 57, 2)."""
        pseudo = pseudo_sound(self, tokens, num_frames, fps)
        audio = pseudo.audio_features if audio_features is None else audio_features
        mask, device = tokens["attention_mask"], execution_device(self.lip_decoder)
        given = (part.to(device) for part in (audio, pseudo.enhanced, tokens["durations"]))
        return self.lip_decoder(*given, fps, mask.to(device)).motion


def pseudo_sound(pipe: Any, tokens: dict[str, torch.Tensor], num_frames: int, fps: float) -> PseudoAudioModelOutput:
    """What visemes sound like, by a pipeline's VisemeEncoder and PseudoAudio, each on its own device.

    Args:
        pipe ([`Text2LipPipeline`]): with both networks.
        tokens (`dict[str, torch.Tensor]`): of a [`VisemeEncoding`], on any device.
        num_frames (`int`): frames to make.
        fps (`float`): frames per second.

    Raises:
        ValueError: networks that were trained for other visemes than the pipeline's tokenizer has.
    """
    pipe.viseme_encoder.check_tokenizer(pipe.tokenizer)
    device = execution_device(pipe.viseme_encoder)
    names = ("input_ids", "attention_mask", "phone_ids", "features")
    states = pipe.viseme_encoder(*(tokens[name].to(device) for name in names)).last_hidden_state
    device = execution_device(pipe.pseudo_audio)
    durations, mask = (tokens[name].to(device) for name in ("durations", "attention_mask"))
    return pipe.pseudo_audio(states.to(device), durations, num_frames, fps, mask)
