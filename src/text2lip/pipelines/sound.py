"""What a renderer that listens hears: nothing, real or synthesised speech, or the networks' pseudo-audio."""

import math
from typing import Any

import numpy as np
import torch

from text2lip.motion.lips import pseudo_sound
from text2lip.pipelines.inputs import fit_audio
from text2lip.speech.audio import resample, to_mono
from text2lip.speech.whisper import SAMPLING_RATE, frames_to_states, whisper_states, whisper_windows


CONDITIONS = ("none", "speech", "pseudo")
PSEUDO_FPS = 25  # two steps of Whisper a frame


def check_condition(pipe: Any, condition: str, kind: str) -> None:
    """Refuse a sound that this pipeline can't make or its renderer can't hear.

    Args:
        pipe ([`Text2LipPipeline`]): its components decide.
        condition (`str`): "none", "speech" or "pseudo".
        kind (`str`): of [`~text2lip.pipelines.rendering.renderer_kind`].

    Raises:
        ValueError: an unknown condition, a renderer without ears, or a component is missing, of another space or for
            other visemes.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"audio_condition: {condition!r}; choose one of {CONDITIONS}.")
    if condition == "none":
        return
    if kind != "echomimic":
        raise ValueError(f"audio_condition: {condition!r}, but this renderer hears nothing; leave it out.")
    if condition == "speech" and pipe.audio_encoder is None:
        raise ValueError(
            "audio_condition: 'speech', but this pipeline has no audio_encoder; load it with "
            "audio_encoder=load_whisper('openai/whisper-tiny'), or choose 'none'."
        )
    wanted = 2 * 5 * pipe.unet.config.cross_attention_dim  # of a frame: 2 steps x 5 states
    if condition == "pseudo" and (
        pipe.pseudo_audio is None or pipe.viseme_encoder is None or pipe.pseudo_audio.config.audio_dim != wanted
    ):
        raise ValueError(
            f"audio_condition: 'pseudo' wants viseme_encoder and pseudo_audio trained on Whisper's features, with "
            f"audio_dim {wanted} (examples/train_pvar.py --audio_features whisper:...); choose 'none'."
        )
    if condition == "pseudo":
        pipe.viseme_encoder.check_tokenizer(pipe.tokenizer)


@torch.no_grad()
def sound_tokens(
    pipe: Any, condition: str, tokens: Any, speech: Any, num_frames: int, fps: float
) -> torch.Tensor | None:
    """Tokens of sound for each frame, as [`EchoMimicRenderer`] takes them.

    Args:
        pipe ([`Text2LipPipeline`]): see [`check_condition`].
        condition (`str`): "none", "speech" or "pseudo".
        tokens ([`VisemeEncoding`]): timed visemes of one clip, tensors.
        speech ([`TimedSound`]): what is heard.
        num_frames (`int`): frames of the clip.
        fps (`float`): frames per second.

    Returns:
        `torch.Tensor`: float (num_frames, 50, width), or None for "none".

    Raises:
        ValueError: "speech" without sound.
    """
    if condition == "none":
        return None
    if condition == "speech":
        if speech.audio is None:
            raise ValueError("audio_condition: 'speech', but there is no sound; give a voice or audio, or 'none'.")
        audio = np.asarray(fit_audio(to_mono(speech.audio), speech.sampling_rate, num_frames, fps))
        states = whisper_states(pipe.audio_encoder, resample(audio, speech.sampling_rate, SAMPLING_RATE))
        return whisper_windows(states, num_frames, fps)
    frames = math.ceil(num_frames / fps * PSEUDO_FPS)
    pseudo = pseudo_sound(pipe, tokens, frames, PSEUDO_FPS).audio_features[0]
    return whisper_windows(frames_to_states(pseudo), num_frames, fps)
