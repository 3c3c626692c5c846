"""Whisper features on a small random encoder: which layers, which steps."""

import math

import numpy as np
import pytest
import torch


torch.set_num_threads(1)
WIDTH, LAYERS, POSITIONS = 16, 4, 60  # pieces of 1.2 s


@pytest.fixture(scope="module")
def whisper():
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    config = WhisperConfig(
        d_model=WIDTH,
        encoder_layers=LAYERS,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=POSITIONS,
        vocab_size=40,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
    )
    model = WhisperModel(config).eval()
    torch.nn.init.normal_(model.encoder.layer_norm.weight, 1, 0.5)  # before and after it must differ
    return model


@pytest.fixture(scope="module")
def audio():
    time = np.arange(16_000 * 3) / 16_000  # two whole pieces and 0.6 s
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * time) * time)).astype(np.float32)


def log_mel(audio):
    """`log_mel_spectrogram` of Whisper for a whole sound."""
    from text2lip.speech.features import mel_bands

    stft = torch.stft(torch.from_numpy(audio), 400, 160, window=torch.hann_window(400), return_complex=True)
    energy = (torch.from_numpy(mel_bands()).T @ stft[:, :-1].abs() ** 2).clamp(min=1e-10).log10()
    return (energy.maximum(energy.max() - 8) + 4) / 4


@torch.no_grad()
def slow_states(model, audio):
    """Layer by layer, piece by piece."""
    mel, encoder, rows = log_mel(audio), model.encoder, []
    for start in range(0, mel.shape[1], 2 * POSITIONS):
        piece = mel[:, start : start + 2 * POSITIONS]
        whole = torch.zeros(1, 80, 2 * POSITIONS)
        whole[0, :, : piece.shape[1]] = piece
        x = torch.nn.functional.gelu(encoder.conv1(whole))
        x = torch.nn.functional.gelu(encoder.conv2(x)).permute(0, 2, 1) + encoder.embed_positions.weight
        states = [x]
        for layer in encoder.layers:
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
            states.append(x)
        rows.append(torch.stack(states, 2)[0, : piece.shape[1] // 2])
    return torch.cat(rows)


def test_states_are_those_before_the_last_norm(whisper, audio):
    from text2lip.speech.whisper import whisper_states

    states = whisper_states(whisper, audio)
    assert states.shape == (150, LAYERS + 1, WIDTH) and states.dtype == torch.float32
    torch.testing.assert_close(states, slow_states(whisper, audio), rtol=0, atol=2e-4)
    normed = whisper.encoder.layer_norm(states[:, -1])
    assert (normed - states[:, -1]).abs().max() > 0.1
    assert not any(module._forward_pre_hooks for module in whisper.modules())


def test_an_odd_length_is_floored(whisper, audio):
    from text2lip.speech.whisper import whisper_states

    assert len(whisper_states(whisper, audio[: 160 * 33])) == 16
    assert len(whisper_states(whisper, audio[: 160 * 123 + 80])) == 60 + 1


@pytest.mark.parametrize("fps", [24, 25, 29.97, 60])
def test_windows_equal_a_plain_loop(fps):
    from text2lip.speech.whisper import whisper_windows

    states = torch.randn(120, 5, 8, generator=torch.Generator().manual_seed(1))
    frames = 25 + math.ceil(120 / 50 * fps)  # past the end of the sound
    windows = whisper_windows(states, frames, fps)
    assert windows.shape == (frames, 50, 8)
    for frame in range(frames):
        middle, tokens = int(frame * 50 / fps), []
        for step in range(middle - 2 * 2, middle + (2 + 1) * 2):
            tokens += list(states[min(max(step, 0), 119)])
        assert torch.equal(windows[frame], torch.stack(tokens)), frame


def test_frames_keep_their_own_steps_and_give_them_back():
    from text2lip.speech.whisper import frames_to_states, whisper_frames, whisper_windows

    states = torch.randn(100, 5, 8)
    frames = whisper_frames(states, 50)
    assert frames.shape == (50, 2 * 5 * 8)
    assert torch.equal(frames_to_states(frames), states)
    tokens = whisper_windows(frames_to_states(frames), 60, 30)
    assert torch.equal(tokens, whisper_windows(states, 60, 30))


def test_frames_at_another_rate_are_interpolated():
    from text2lip.speech.whisper import whisper_frames

    ramp = torch.arange(100.0)[:, None, None]
    steps = whisper_frames(ramp, 60, 30)
    torch.testing.assert_close(steps.flatten(), (torch.arange(120) * 50 / 60).clamp(max=99))


def test_half_precision_and_a_folder(whisper, audio, tmp_path):
    from text2lip.speech.whisper import load_whisper, whisper_states

    whisper.save_pretrained(tmp_path)
    again = load_whisper(tmp_path)
    want = whisper_states(whisper, audio)
    assert not again.training and torch.equal(whisper_states(again, audio), want)
    half = whisper_states(again.to(torch.bfloat16), audio)
    assert half.dtype == torch.bfloat16 and (half.float() - want).norm() < 0.05 * want.norm()


def test_bad_sound(whisper):
    from text2lip.speech.whisper import whisper_states

    for audio in (np.zeros((2, 1600), np.float32), np.zeros(100, np.float32)):
        with pytest.raises(ValueError, match="audio"):
            whisper_states(whisper, audio)
