"""Lip motion for timed visemes: the paper's networks or articulation, then rest, seal and pressed lips."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from text2lip.devices import execution_device
from text2lip.models.lip_decoder import LipDecoderModel
from text2lip.models.pseudo_audio import PseudoAudioModel, PseudoAudioModelOutput
from text2lip.models.time import token_times
from text2lip.models.viseme_encoder import VisemeEncoderModel
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.motion.seal import press_lips, rest_weight, seal_lips, settle, widest_gap
from text2lip.text.timing import Timeline


AHEAD = 2.0  # seconds of what follows a clip's end that its motion is made with


@dataclass(frozen=True, eq=False)
class LipMotion:
    """The lip motion of one clip, of no face in particular.

    Attributes:
        displacement (`np.ndarray`): float32 (frames, 57, 2), of the driven points from the talker's rest, in units of
            the outer eye corners' distance.
        reference_width (`float`, *optional*): the talker's mouth width at rest, same unit; None for motion that is
            not scaled to a face.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.
        timeline ([`Timeline`], *optional*): phones and words that it shows.
        tokens ([`VisemeEncoding`], *optional*): their visemes, tensors of one row.
    """

    displacement: np.ndarray
    reference_width: float | None
    fps: float
    timeline: Timeline | None = None
    tokens: Any = None

    def __len__(self) -> int:
        return len(self.displacement)


@dataclass(frozen=True, eq=False)
class LipNetworks:
    """The paper's way from visemes to lips: ṽ by the VisemeEncoder, pseudo-audio (Eq. 7), LipDecoder.

    Attributes:
        viseme_encoder ([`VisemeEncoderModel`]): tokens to states.
        pseudo_audio ([`PseudoAudioModel`]): states to what they sound like.
        lip_decoder ([`LipDecoderModel`], *optional*): both to lips; not needed for [`hear`].
    """

    viseme_encoder: VisemeEncoderModel
    pseudo_audio: PseudoAudioModel
    lip_decoder: LipDecoderModel | None = None

    def hear(self, tokens: dict[str, torch.Tensor], num_frames: int, fps: float) -> PseudoAudioModelOutput:
        """What visemes sound like; each network works on its own device, `tokens` may be on any."""
        device = execution_device(self.viseme_encoder)
        names = ("input_ids", "attention_mask", "phone_ids", "features")
        states = self.viseme_encoder(*(tokens[name].to(device) for name in names)).last_hidden_state
        device = execution_device(self.pseudo_audio)
        durations, mask = (tokens[name].to(device) for name in ("durations", "attention_mask"))
        return self.pseudo_audio(states.to(device), durations, num_frames, fps, mask)

    def decode(
        self, tokens: dict[str, torch.Tensor], num_frames: int, fps: float, audio_features: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Displacement (batch, num_frames, 57, 2) for tokens, and for real sound if `audio_features` are given."""
        pseudo = self.hear(tokens, num_frames, fps)
        audio = pseudo.audio_features if audio_features is None else audio_features
        device = execution_device(self.lip_decoder)
        audio, enhanced, durations, mask = (
            part.to(device) for part in (audio, pseudo.enhanced, tokens["durations"], tokens["attention_mask"])
        )
        return self.lip_decoder(audio, enhanced, durations, fps, mask).motion


@torch.no_grad()
def animate(
    model: LipNetworks | ArticulatoryModel,
    tokens: Any,
    num_frames: int,
    fps: float = 25,
    audio_features: torch.Tensor | None = None,
) -> tuple[torch.Tensor, float]:
    """Lip motion for timed visemes, lips sealed on /p b m/ and in pauses, nearly so on /f v/.

    Args:
        model ([`LipNetworks`] or [`ArticulatoryModel`]): what moves the lips, see [`Text2LipPipeline.lip_model`].
        tokens ([`VisemeEncoding`]): with `return_tensors="pt"`.
        num_frames (`int`): frames to make; fewer than the tokens last are the beginning of the whole motion.
        fps (`float`): frames per second.
        audio_features (`torch.Tensor`, *optional*): float (batch, num_frames, 320), log-mel of real sound, see
            [`log_mel`]; takes the place of the pseudo-audio. For [`LipNetworks`] alone.

    Returns:
        `tuple`: float32 displacement (batch, num_frames, 57, 2) from rest in units of the outer eyes' distance, and
        the mouth width at rest that it belongs to.
    """
    wanted = num_frames
    if audio_features is None:  # what comes after the last frame moves it too
        spoken = math.ceil(float(tokens["durations"].sum(1).max()) * fps)
        num_frames = max(num_frames, min(spoken, num_frames + math.ceil(AHEAD * fps)))
    last = model.lip_decoder if isinstance(model, LipNetworks) else model
    device = execution_device(last)
    tokens = {name: value.to(device) for name, value in tokens.items() if isinstance(value, torch.Tensor)}
    durations, mask = tokens["durations"], tokens["attention_mask"]
    if last is model:
        displacement = model(tokens["phone_ids"], durations, num_frames, fps, attention_mask=mask).motion
    else:
        displacement = model.decode(tokens, num_frames, fps, audio_features)
    widest = widest_gap(tokens["features"]).masked_fill(~mask, float("inf"))
    silent = mask & (tokens["phone_ids"] == 0)
    start, end = token_times(durations)
    rest = rest_weight(silent, start, end, num_frames, fps)
    sealed = seal_lips(settle(displacement.to(device, torch.float32), rest), rest)
    return press_lips(sealed, widest, start, end, fps)[:, :wanted], last.config.reference_width
