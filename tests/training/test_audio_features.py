"""Training on Whisper's features instead of log-mel energies, with a small random encoder."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from text2lip.data.prepared import parquet_path
from text2lip.training import Text2LipNetworks
from text2lip.training.lip_samples import load_clips, to_sample


EXAMPLES = Path(__file__).parents[2] / "examples"
NETWORKS = (
    "{viseme_encoder: {hidden_dim: 16, feed_forward_dim: 16, num_phones: 128, num_features: 6}, "
    "pseudo_audio: {hidden_dim: 16, feed_forward_dim: 16}, "
    "lip_decoder: {hidden_dim: 16, token_dim: 16, feed_forward_dim: 16, num_layers: 1}}"
)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    sizes = {f"{side}_{key}": value for side in ("encoder", "decoder") for key, value in SMALL.items()}
    tokens = {"vocab_size": 9, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3}
    model = WhisperModel(WhisperConfig(d_model=8, max_source_positions=75, **sizes, **tokens))
    folder = tmp_path_factory.mktemp("whisper")
    model.save_pretrained(folder)
    return folder


SMALL = {"layers": 2, "attention_heads": 2, "ffn_dim": 16}


@pytest.fixture(scope="module")
def sounding(prepared, tmp_path_factory):
    """The prepared folder with a sweep in every clip."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    folder = tmp_path_factory.mktemp("sounding")
    time = np.arange(16_000) / 16_000
    audio = pa.array((9000 * np.sin(2000 * time * time)).astype(np.int16))
    for split in ("train", "val"):
        table = parquet.read_table(parquet_path(prepared, split))
        for name, value in (("audio", audio), ("audio_shape", pa.array([len(audio)]))):
            column = table.column_names.index(name)
            kind = table.schema.field(column).type
            table = table.set_column(column, name, pa.array([value.to_pylist()] * table.num_rows, kind))
        path = parquet_path(folder, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, path)
    return folder


@pytest.fixture
def script():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import train_pvar
    finally:
        sys.path.remove(str(EXAMPLES))
    return train_pvar


def test_each_frame_has_its_own_steps(sounding, whisper):
    from text2lip.speech.whisper import load_whisper, whisper_states

    clips = load_clips(sounding, "train", 2, f"whisper:{whisper}")
    audio = (9000 * np.sin(2000 * (np.arange(16_000) / 16_000) ** 2)).astype(np.int16) / np.float32(2**15)
    states = whisper_states(load_whisper(whisper), audio)
    frames = len(clips[0].lips)
    sample = to_sample(clips[0])["audio"]
    assert len(clips) == 2 and sample.shape == (frames, 2 * 3 * 8) and sample.dtype == torch.float32
    torch.testing.assert_close(sample, states[: 2 * frames].reshape(frames, -1), rtol=1e-3, atol=1e-3)


def test_what_whisper_heard_is_kept(sounding, whisper, tmp_path, monkeypatch):
    from text2lip.speech import whisper as speech_whisper

    folder, wanted = tmp_path / "copy", f"whisper:{whisper}"
    shutil.copytree(sounding, folder, ignore=shutil.ignore_patterns("whisper"))
    heard, hear = [], speech_whisper.whisper_states
    monkeypatch.setattr(speech_whisper, "whisper_states", lambda *args: heard.append(1) or hear(*args))
    first = load_clips(folder, "train", 2, wanted)
    assert len(heard) == 2  # of eight clips
    again = {clip.name: clip for clip in load_clips(folder, "train", 4, wanted)}
    assert len(heard) == 4 and all((again[clip.name].mel == clip.mel).all() for clip in first)
    data = bytearray((whisper / "model.safetensors").read_bytes())
    data[-1] ^= 1  # other weights hear anew
    other = tmp_path / "other"
    shutil.copytree(whisper, other)
    (other / "model.safetensors").write_bytes(data)
    load_clips(folder, "train", 2, f"whisper:{other}")
    assert len(heard) == 6


def test_unknown_features(prepared):
    for name in ("mfcc", "whisper", "whisper:"):
        with pytest.raises(ValueError, match="audio_features"):
            load_clips(prepared, "train", audio=name)


def test_training_and_tokens_of_pseudo_audio(script, sounding, whisper, tmp_path):
    from text2lip.speech.whisper import frames_to_states, whisper_windows

    (tmp_path / "texts.txt").write_text("Hello there\n")
    given = {"prepared": sounding, "output": tmp_path / "run", "audio_features": f"whisper:{whisper}", "cpu": "true"}
    given |= {"networks": NETWORKS, "max_steps": 2, "batch_size": 3, "teacher_texts": tmp_path / "texts.txt"}
    script.main([text for name, value in given.items() for text in (f"--{name}", str(value))])
    networks = Text2LipNetworks.from_pretrained(tmp_path / "run" / "final").eval()
    assert networks.pseudo_audio.config.audio_dim == networks.lip_decoder.config.audio_dim == 48
    ids, durations = torch.tensor([[0, 3]]), torch.tensor([[0.2, 0.4]])
    with torch.no_grad():
        encoded = networks.viseme_encoder(ids, durations > 0, ids, torch.zeros(1, 2, 6))
        pseudo = networks.pseudo_audio(encoded.last_hidden_state, durations, 15).audio_features[0]
    tokens = whisper_windows(frames_to_states(pseudo, 3), 15)
    assert tokens.shape == (15, 10 * 3, 8) and tokens.isfinite().all()
