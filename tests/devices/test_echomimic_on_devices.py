"""EchoMimic's pipeline, with sound heard by Whisper, on a device and offloaded: the processor's frames."""

import accelerate
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from diffusers.hooks import apply_group_offloading
from stand_in import StandIn
from synthetic_clips import TINY_AUTOENCODER, TINY_ECHOMIMIC
from transformers import WhisperConfig, WhisperModel

from text2lip.speech.whisper import whisper_states
from text2lip.training.echomimic_networks import ECHOMIMIC_NETWORKS, SCHEDULE


WHISPER = {"encoder_layers": 4, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "max_source_positions": 30}
WHISPER |= {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "decoder_start_token_id": 3}
WHISPER |= {"vocab_size": 9, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "d_model": 8}
SOUND = {"audio": np.sin(np.arange(6400) / 5).astype(np.float32) / 2, "sampling_rate": 16000}
CALL = {"prompt": None, "timings": [("b", 0.0, 0.2), ("ɑ", 0.2, 0.4)], "num_frames": 2, "num_inference_steps": 2}
CALL |= {**SOUND, "audio_condition": "speech", "output_type": "np"}
GROUP = {"exclude_modules": ["vae"]}
WAYS = {
    "to": lambda pipe, device, folder: pipe.to(device),
    "model": lambda pipe, device, folder: pipe.enable_model_cpu_offload(device=device),
    "sequential": lambda pipe, device, folder: pipe.enable_sequential_cpu_offload(device=device),
    "leaf": lambda pipe, device, folder: pipe.enable_group_offload(device, offload_type="leaf_level", **GROUP),
    "block": lambda pipe, device, folder: pipe.enable_group_offload(device, num_blocks_per_group=1, **GROUP),
    "leaf, vae": lambda pipe, device, folder: pipe.enable_group_offload(device, offload_type="leaf_level"),
    "block, vae": lambda pipe, device, folder: pipe.enable_group_offload(device, num_blocks_per_group=1),
    "disk": lambda pipe, device, folder: pipe.enable_group_offload(
        device, offload_type="leaf_level", offload_to_disk_path=str(folder), **GROUP
    ),
}

HEARING = {
    "model": lambda model, device: accelerate.cpu_offload_with_hook(model, device),
    "sequential": lambda model, device: accelerate.cpu_offload(model, device),
    "leaf": lambda model, device: apply_group_offloading(model, device, offload_type="leaf_level"),
    "block": lambda model, device: apply_group_offloading(model, device, num_blocks_per_group=1),
}


@pytest.fixture
def painter(fresh):
    """Makes the built-in pipeline with small networks of EchoMimic and a small Whisper, always the same."""

    def make():
        pipe = fresh()
        torch.manual_seed(0)
        parts = {name: part(**TINY_ECHOMIMIC[name]).eval() for name, part in ECHOMIMIC_NETWORKS.items()}
        for parameter in (p for part in parts.values() for p in part.parameters()):
            if not parameter.any():  # as if trained
                torch.nn.init.normal_(parameter, std=0.1)
        parts["unet"].register_to_config(sample_size=8)
        vae, whisper = AutoencoderKL(**TINY_AUTOENCODER).eval(), WhisperModel(WhisperConfig(**WHISPER)).eval()
        pipe.register_modules(vae=vae, audio_encoder=whisper, scheduler=DDIMScheduler(**SCHEDULE), **parts)
        return pipe

    return make


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_frames_are_the_processors(painter, portrait, way, tmp_path):
    want = painter()(image=portrait, **CALL).frames
    with StandIn("cuda") as there:
        pipe = painter()
        WAYS[way](pipe, there.device, tmp_path)
        got = pipe(image=portrait, **CALL).frames
        assert np.array_equal(got, want) and there.calls > 1000
        if way == "model":
            models = {name: model for name, model in pipe.components.items() if isinstance(model, torch.nn.Module)}
            left = {name for name, model in models.items() if there.of(next(model.parameters())) == there.device}
            assert left == set(pipe._exclude_from_cpu_offload)


@pytest.mark.slow
def test_frames_of_mps_are_the_processors(painter, portrait):
    want = painter()(image=portrait, **CALL).frames
    with StandIn("mps") as there:
        assert np.array_equal(painter().to(there.device)(image=portrait, **CALL).frames, want)


@pytest.mark.parametrize("way", ["model", "sequential", "leaf", "block"])
def test_whisper_hears_on_the_device(gpu, way):
    torch.manual_seed(0)
    whisper = WhisperModel(WhisperConfig(**WHISPER)).eval()
    want = whisper_states(whisper, SOUND["audio"])
    HEARING[way](whisper, gpu.device)
    states = whisper_states(whisper, SOUND["audio"])
    assert gpu.of(states) == gpu.device and torch.equal(states.cpu(), want)
