"""The watermark in the sound, with untrained weights, and with the true ones where they were converted."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from text2lip import synthesize
from text2lip.exports import Origin, SaveOptions, inspect_file, write_clip
from text2lip.exports.sound_mark import find_mark, load_watermark, mark_sound
from text2lip.models.sound_watermark import BANDS, SoundWatermark, published_names
from text2lip.motion.lips import LipMotion
from text2lip.speech.audio import load_audio


FRAMES = [np.zeros((32, 32, 3), np.uint8)] * 25


@pytest.fixture
def voice():
    """A second of something like a voice at 16 kHz: float32 (16000,)."""
    seconds = np.arange(16_000) / 16_000
    tones = sum(np.sin(2 * np.pi * 150 * n * seconds) / n for n in range(1, 20))
    return (0.1 * tones * (1 + np.sin(2 * np.pi * 3 * seconds))).astype(np.float32)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A network of small untrained weights, in the file that is looked for."""
    torch.manual_seed(0)
    network = SoundWatermark().requires_grad_(False)
    monkeypatch.setenv("TEXT2LIP_WATERMARK", str(tmp_path / "weights" / "perth.safetensors"))
    (tmp_path / "weights").mkdir()
    save_file(network.state_dict(), tmp_path / "weights" / "perth.safetensors")
    return network


def test_what_is_added_lies_below_2_kilohertz(weights, voice):
    change = mark_sound(voice, 16_000, load_watermark()) - voice
    power = np.abs(np.fft.rfft(change)) ** 2
    assert np.abs(change).max() > 1e-4 and power[2300:].sum() < 1e-2 * power.sum()
    assert BANDS == 128


def test_long_sounds_in_blocks_are_as_in_one(weights, voice, monkeypatch):
    whole = mark_sound(np.stack([voice, -voice]), 16_000, weights)
    monkeypatch.setattr("text2lip.exports.sound_mark.BLOCK_SECONDS", 0.4)
    np.testing.assert_allclose(mark_sound(np.stack([voice, -voice]), 16_000, weights), whole, atol=2e-3)
    assert np.array_equal(mark_sound(voice[:1000], 16_000, weights), voice[:1000])  # too short


def test_a_voice_is_marked_and_a_recording_is_not(tmp_path, weights, voice, clip):
    heard = {}
    for own in (False, True):
        made = clip(FRAMES, num_frames=25, audio=voice, sampling_rate=16_000, origin=Origin(own_sound=own))
        write_clip(tmp_path / "a.wav", made)
        heard[own] = load_audio(tmp_path / "a.wav")[0]
    assert np.abs(heard[True] - voice).max() < 1e-4 < 1e-3 < np.abs(heard[False] - voice).max()
    assert inspect_file(tmp_path / "a.wav").sound_mark is not None


@pytest.mark.parametrize("mark", (True, False))
def test_the_sound_beside_a_head_is_marked_too(tmp_path, weights, voice, clip, mark):
    lips = LipMotion(np.zeros((25, 57, 2), np.float32), None, 25.0)
    made = clip(FRAMES, num_frames=25, audio=voice, sampling_rate=16_000, lip_motion=lips)
    write_clip(tmp_path / "head.glb", made, SaveOptions(mark=mark))
    change = np.abs(load_audio(tmp_path / "head.wav")[0] - voice).max()
    manifest = inspect_file(tmp_path / "head.wav").manifest
    assert (change > 1e-3, bool(manifest)) == (mark, mark)


def test_without_weights(tmp_path, monkeypatch, voice, clip):
    monkeypatch.setenv("TEXT2LIP_WATERMARK", str(tmp_path / "none.safetensors"))
    write_clip(tmp_path / "a.wav", clip(FRAMES, num_frames=25, audio=voice, sampling_rate=16_000))
    found = inspect_file(tmp_path / "a.wav")
    assert load_watermark() is None and found.sound_mark is None and "wasn't searched" in str(found)


def test_the_true_weights_mark_and_find():
    network = load_watermark()
    if network is None:
        pytest.skip("the weights were not converted, see utils/convert_watermark.py")
    said = synthesize("Good morning, and welcome.", "espeak")
    voice, rate = said.audio, said.sampling_rate
    assert find_mark(voice, rate, network) < 0.2
    assert find_mark(mark_sound(voice, rate, network), rate, network) > 0.9


def test_published_names_are_found_again():
    ours = SoundWatermark().state_dict()
    published = {"ap.spectrogram.window": torch.zeros(2048)}
    for name, value in ours.items():
        *place, number, kind = name.split(".")
        place = ["encoder", "layers"] if place == ["encoder"] else place
        published[".".join([*place, str(int(number) // 2), "conv", kind])] = value
    assert published_names(published).keys() == ours.keys()


def test_another_file_is_not_converted(tmp_path, load_script):
    module = load_script("utils/convert_watermark.py")
    (tmp_path / "a.pth").write_bytes(b"other")
    with pytest.raises(SystemExit, match="has SHA-256"):
        module.main([str(tmp_path / "a.pth")])
