"""What a renderer that listens hears of each frame: real or synthesised speech, or the networks' pseudo-audio."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from text2lip.models.echomimic_unet import EchoMimicUNet
from text2lip.motion.lips import LipMotion, LipNetworks
from text2lip.renderers.base import Renderer
from text2lip.speech.audio import fit_audio, resample, to_mono
from text2lip.speech.utterance import Speech
from text2lip.speech.whisper import SAMPLING_RATE, frames_to_states, whisper_states, whisper_windows


PSEUDO_FPS = 25  # two steps of Whisper a frame


def check_condition(condition: str, renderer: Renderer, networks: Mapping[str, Any]) -> None:
    """Refuse a sound that the networks can't make or the renderer can't hear.

    Args:
        condition (`str`): "none", "speech" or "pseudo".
        renderer ([`Renderer`]): it has to hear.
        networks (`Mapping`): a pipeline's components.

    Raises:
        ValueError: a renderer without ears, or a component is missing, of another space or for other visemes.
    """
    if condition == "none":
        return
    if not renderer.hears_sound:
        raise ValueError(f"audio_condition: {condition!r}, but this renderer hears nothing; leave it out.")
    if condition == "speech" and networks["audio_encoder"] is None:
        raise ValueError(
            "audio_condition: 'speech', but this pipeline has no audio_encoder; load it with "
            "audio_encoder=load_whisper('openai/whisper-tiny'), or choose 'none'."
        )
    if condition == "speech":
        return
    encoder, pseudo_audio = networks["viseme_encoder"], networks["pseudo_audio"]
    if not isinstance(networks["unet"], EchoMimicUNet):
        raise ValueError("audio_condition: 'pseudo' is for the sound that an EchoMimicUNet hears; choose 'speech'.")
    wanted = 2 * 5 * networks["unet"].config.cross_attention_dim  # of a frame: 2 steps x 5 states
    if pseudo_audio is None or encoder is None or pseudo_audio.config.audio_dim != wanted:
        raise ValueError(
            f"audio_condition: 'pseudo' wants viseme_encoder and pseudo_audio trained on Whisper's features, with "
            f"audio_dim {wanted} (examples/train_pvar.py --audio_features whisper:...); choose 'none'."
        )
    encoder.check_tokenizer(networks["tokenizer"])


@torch.no_grad()
def sound_features(
    condition: str, speech: Speech, motion: LipMotion, networks: Mapping[str, Any]
) -> torch.Tensor | None:
    """Tokens of sound for each frame, as [`EchoMimicRenderer`] takes them.

    Args:
        condition (`str`): "none", "speech" or "pseudo", see [`check_condition`].
        speech ([`Speech`]): what is heard.
        motion ([`LipMotion`]): the clip's frames and visemes.
        networks (`Mapping`): a pipeline's components.

    Returns:
        `torch.Tensor`: float (frames, 50, width), or None for "none".

    Raises:
        ValueError: "speech" without sound, "pseudo" without words.
    """
    if condition == "none":
        return None
    frames, fps = len(motion), motion.fps
    if condition == "speech":
        if speech.audio is None:
            raise ValueError("audio_condition: 'speech', but there is no sound; give a voice or audio, or 'none'.")
        audio = np.asarray(fit_audio(to_mono(speech.audio), speech.sampling_rate, frames, fps))
        audio = resample(audio, speech.sampling_rate, SAMPLING_RATE)
        return whisper_windows(whisper_states(networks["audio_encoder"], audio), frames, fps)
    if motion.tokens is None:
        raise ValueError(
            "audio_condition: 'pseudo', but it isn't known what is said; give the text, or choose 'speech'."
        )
    hearing = LipNetworks(networks["viseme_encoder"], networks["pseudo_audio"])
    pseudo = hearing.hear(motion.tokens, math.ceil(frames / fps * PSEUDO_FPS), PSEUDO_FPS).audio_features[0]
    return whisper_windows(frames_to_states(pseudo), frames, fps)
