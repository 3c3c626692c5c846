"""Features of sound by a Whisper encoder: as EchoMimic takes them, and as frames for the networks.

EchoMimic V1 (arXiv 2407.08136; `src/models/whisper` of antgroup/echomimic) hears by Whisper-tiny: what enters the
first layer of the encoder and what leaves each of its four, 50 steps a second of 384 channels. A video frame is given
ten steps around its beginning: 10 steps x 5 states = 50 tokens.
"""

import os
from typing import Any

import numpy as np
import torch

from text2lip.devices import compute_dtype, execution_device
from text2lip.speech.features import SAMPLING_RATE


STEP_RATE = 50  # encoder steps in a second
BEFORE, AFTER = 4, 6  # a frame's window: this many steps before its own, and up to this many after, which is left out
WHISPER_STEPS_PER_FRAME = 2  # of `whisper_frames`


def load_whisper(name_or_path: str | os.PathLike) -> Any:
    """A `transformers.WhisperModel` in evaluation mode, from a folder or Hub id such as "openai/whisper-tiny".

    Raises:
        OSError: there is no such model, or it has no safetensors.
    """
    from transformers import WhisperModel

    return WhisperModel.from_pretrained(name_or_path, use_safetensors=True).eval()


@torch.no_grad()
def whisper_states(model: Any, audio: np.ndarray) -> torch.Tensor:
    """What enters and leaves the encoder's layers, before its last norm.

    As upstream the log-mel energies are those of the whole sound, cut in pieces of the encoder's length (30 s) and
    filled up with zeros.

    Args:
        model (`transformers.WhisperModel`): of any size; EchoMimic wants the tiny one.
        audio (`np.ndarray`): float (samples,) in [-1, 1] at 16 kHz, one step (20 ms) at least, or a ValueError.

    Returns:
        `torch.Tensor`: float (steps, layers + 1, width) on the model's device, 50 steps a second, floored.
    """
    from transformers import WhisperFeatureExtractor

    step = SAMPLING_RATE // STEP_RATE
    if np.ndim(audio) != 1 or len(audio) < step:
        raise ValueError(f"audio: has shape {np.shape(audio)}; wants (samples,), at least {step}.")
    encoder = model.get_encoder()
    extractor = WhisperFeatureExtractor(feature_size=encoder.config.num_mel_bins)
    mel = extractor(audio, sampling_rate=SAMPLING_RATE, padding=False, truncation=False, return_tensors="pt")
    pieces = mel.input_features.split(2 * encoder.config.max_source_positions, dim=-1)
    return torch.cat([_piece_states(model, piece) for piece in pieces])


def _piece_states(model: Any, mel: torch.Tensor) -> torch.Tensor:
    """States (steps, layers + 1, width) of one piece, log-mel (1, bands, up to 3000)."""
    states, encoder, device = [], model.get_encoder(), execution_device(model)
    readers = [*encoder.layers, encoder.layer_norm]  # what each of them is given
    hooks = [module.register_forward_pre_hook(lambda _, args: states.append(args[0])) for module in readers]
    missing = 2 * encoder.config.max_source_positions - mel.shape[-1]
    try:
        padded = torch.nn.functional.pad(mel, (0, missing)).to(device, compute_dtype(model))
        first = torch.full((1, 1), model.config.decoder_start_token_id, device=device)
        model(input_features=padded, decoder_input_ids=first)  # whole, for offloading's hooks are on the whole
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(states, 2)[0, : mel.shape[-1] // 2]


def whisper_windows(states: torch.Tensor, num_frames: int, fps: float = 25) -> torch.Tensor:
    """The tokens that EchoMimic gives each video frame: the steps from 4 before to 5 after `int(frame * 50 / fps)`.

    Args:
        states (`torch.Tensor`): (steps, layers + 1, width) of [`whisper_states`]; beyond its ends they are repeated.
        num_frames (`int`): video frames.
        fps (`float`): frames per second.

    Returns:
        `torch.Tensor`: (num_frames, 10 * (layers + 1), width), steps first; (num_frames, 50, 384) for Whisper-tiny.
    """
    middle = (torch.arange(num_frames, dtype=torch.float64) * STEP_RATE / fps).long()  # MPS has no float64
    steps = middle[:, None] + torch.arange(-BEFORE, AFTER)
    return states[steps.clamp(0, len(states) - 1).to(states.device)].flatten(1, 2)


def whisper_frames(states: torch.Tensor, num_frames: int, fps: float = 25) -> torch.Tensor:
    """Each frame's own two steps, for the Text2Lip networks (`audio_dim` 3840 with Whisper-tiny).

    At 25 fps these are the encoder's steps themselves, so that [`frames_to_states`] gets them back; at other rates
    they are interpolated. Arguments as [`whisper_windows`].

    Returns:
        `torch.Tensor`: (num_frames, 2 * (layers + 1) * width).
    """
    count = num_frames * WHISPER_STEPS_PER_FRAME
    # MPS has no float64
    steps = torch.arange(count, dtype=torch.float64) * STEP_RATE / (fps * WHISPER_STEPS_PER_FRAME)
    steps = steps.clamp(max=len(states) - 1)
    low = steps.long()
    share = (steps - low).to(states.dtype).to(states.device)[:, None, None]
    low = low.to(states.device)
    mixed = torch.lerp(states[low], states[(low + 1).clamp(max=len(states) - 1)], share)
    return mixed.reshape(num_frames, -1)


def frames_to_states(frames: torch.Tensor, num_states: int = 5) -> torch.Tensor:
    """The reverse of [`whisper_frames`]: (pseudo-)audio (frames, 2 * num_states * width) at 25 fps to states
    (2 * frames, num_states, width) at 50 steps a second, for [`whisper_windows`]. States are layers + 1."""
    return frames.reshape(len(frames) * WHISPER_STEPS_PER_FRAME, num_states, -1)
