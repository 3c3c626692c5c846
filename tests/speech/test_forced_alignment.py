"""Forced alignment against speech of known times, and against what isn't the text."""

from dataclasses import replace

import numpy as np
import pytest

from text2lip import memory
from text2lip.speech import AlignmentError, AlignmentWarning, align, resample, synthesize
from text2lip.speech.alignment import time_warping
from text2lip.speech.alignment.pocketsphinx import align_pocketsphinx


TEXT = "Good morning, and welcome to the show."
GERMAN = "Guten Morgen, wie geht es dir heute?"
GRID_TEXT = {
    "b": "bin", "l": "lay", "p": "place", "s": "set",
}  # fmt: skip
COLOURS = {"b": "blue", "g": "green", "r": "red", "w": "white"}
PREPOSITIONS = {"a": "at", "b": "by", "i": "in", "w": "with"}
DIGITS = dict(zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]))
ADVERBS = {"a": "again", "n": "now", "p": "please", "s": "soon"}


@pytest.fixture(scope="module")
def english():
    return synthesize(TEXT, "espeak", "en-us")


@pytest.fixture(scope="module")
def german():
    return synthesize(GERMAN, "espeak+f3", "de", speaking_rate=0.8)


def errors(found, true):
    assert [word.label for word in found.words] == [word.label for word in true.words]
    return np.array([[a.start - b.start, a.end - b.end] for a, b in zip(found.words, true.words)])


def gapless(timeline, duration):
    phones = timeline.phones
    assert phones[0].start == 0 and phones[-1].end == timeline.duration == pytest.approx(duration)
    assert all(a.end == b.start for a, b in zip(phones, phones[1:]))


@pytest.mark.parametrize("method", ["pocketsphinx", "dtw"])
def test_what_lies_in_files_is_aligned_alike(english, monkeypatch, method):
    wanted = align(english.audio, english.sampling_rate, TEXT, method=method)
    monkeypatch.setattr(memory, "IN_MEMORY", 1_000)
    monkeypatch.setattr(time_warping, "ROWS_AT_ONCE", 50)
    sound = memory.copied(english.audio, len(english.audio))
    assert memory.in_file(sound) and align(sound, english.sampling_rate, TEXT, method=method) == wanted


@pytest.mark.parametrize("method", ["pocketsphinx", "dtw"])
def test_english_words_are_found(english, method):
    found = align(english.audio, english.sampling_rate, TEXT, "en-us", method)
    gapless(found, english.duration)
    assert np.abs(errors(found, english.timeline)).mean() < 0.03
    assert "ˈɔːɹ" in [phone.label for phone in found.phones], "phones are named as espeak names them"


@pytest.mark.parametrize("method", ["auto", "pocketsphinx", "dtw"])
def test_german_words_are_found(german, method):
    found = align(german.audio, german.sampling_rate, GERMAN, "de", method)
    gapless(found, german.duration)
    assert np.abs(errors(found, german.timeline)).mean() < 0.03
    ours, theirs = ([phone.label for phone in line.phones if phone.label] for line in (found, german.timeline))
    assert ours == theirs


def test_phones_without_words_are_refused_by_pocketsphinx(english):
    spoken = replace(english.timeline, words=[])
    sound = resample(english.audio, english.sampling_rate, 16_000)
    with pytest.raises(AlignmentError, match="doesn't fit the text"):
        align_pocketsphinx(sound, spoken, "", english.duration)


def test_what_pocketsphinx_refuses_in_another_language_is_warped(german, monkeypatch):
    def refused(*_):
        raise AlignmentError("audio: no")

    monkeypatch.setattr("text2lip.speech.forced_alignment.align_pocketsphinx", refused)
    given = german.audio, german.sampling_rate, GERMAN, "de"
    assert align(*given) == align(*given, "dtw")
    with pytest.raises(AlignmentError, match="no"):
        align(*given, "pocketsphinx")


def test_what_pocketsphinx_doubts_in_another_language_time_warping_may_refuse(german, monkeypatch):
    monkeypatch.setattr("text2lip.speech.forced_alignment.doubts", lambda *_: ["a doubt"])
    given = german.audio, german.sampling_rate, GERMAN, "de"
    with pytest.warns(AlignmentWarning, match="a doubt"):
        assert align(*given) == align(*given, "pocketsphinx")  # it has nothing against it

    def refused(*_):
        raise AlignmentError("audio: no")

    monkeypatch.setattr("text2lip.speech.forced_alignment.align_dtw", refused)
    with pytest.raises(AlignmentError, match="no"):
        align(*given)
    with pytest.warns(AlignmentWarning):
        align(*given, "pocketsphinx")


@pytest.mark.parametrize("method", ["pocketsphinx", "dtw"])
def test_pauses_of_the_speaker_become_silence(english, method):
    rate, word = english.sampling_rate, english.timeline.words[3]
    cut = round(word.start * rate)
    audio = np.concatenate([np.zeros(rate), english.audio[:cut], np.zeros(rate), english.audio[cut:], np.zeros(rate)])
    found = align(audio.astype(np.float32), rate, TEXT, "en-us", method)
    gapless(found, english.duration + 3)
    assert found.words[3].start - found.words[2].end > 0.8
    assert found.words[0].start == pytest.approx(1 + english.timeline.words[0].start, abs=0.06)
    silences = [phone.end - phone.start for phone in found.phones if not phone.label]
    assert sum(duration > 0.8 for duration in silences) == 3


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (96_000, 2)])
def test_any_sampling_rate_and_stereo(german, rate, channels):
    audio = np.repeat(resample(german.audio, german.sampling_rate, rate)[None], channels, 0)
    found = align(audio, rate, GERMAN, "de")
    assert np.abs(errors(found, german.timeline)).mean() < 0.04


def test_a_minute_of_speech(english):
    audio, text = np.tile(english.audio, 30), " ".join([TEXT] * 30)
    found = align(audio, english.sampling_rate, text, "en-us", "dtw")
    assert found.duration > 60 and len(found.words) == 30 * 7
    starts = [word.start for word in found.words if word.label == "Good"]
    np.testing.assert_allclose(starts, np.arange(30) * english.duration, atol=0.15)


def test_unknown_words_and_names_get_our_phones():
    text = "Please ask Zxorblatt about the grommets."
    spoken = synthesize(text, "espeak", "en-us")
    found = align(spoken.audio, spoken.sampling_rate, text, "en-us", "pocketsphinx")
    assert np.abs(errors(found, spoken.timeline)).mean() < 0.05


@pytest.mark.parametrize(
    ("text", "language"),
    [("She sells sea shells by the shore.", "en-us"), ("Das Wetter bleibt leider schlecht.", "de")],
)
def test_another_sentence_is_refused(english, german, text, language):
    speech = english if language == "en-us" else german
    with pytest.raises(AlignmentError, match="doesn't"):
        align(speech.audio, speech.sampling_rate, text, language)


@pytest.mark.parametrize("language", ["en-us", "de"])
@pytest.mark.parametrize("kind", ["noise", "sine", "clicks", "silence", "faint", "one sample", "short"])
def test_what_is_no_speech_is_refused(kind, language):
    generator = np.random.default_rng(0)
    audio = {
        "noise": generator.normal(0, 0.1, 48_000),
        "sine": 0.5 * np.sin(np.arange(48_000) * 0.1),
        "clicks": (generator.random(48_000) > 0.999) * 0.9,
        "silence": np.zeros(48_000),
        "faint": generator.normal(0, 1e-5, 48_000),
        "one sample": np.ones(1),
        "short": generator.normal(0, 0.1, 1_600),
    }[kind].clip(-1, 1)
    with pytest.raises(AlignmentError, match="audio"):
        align(audio, 16_000, TEXT if language == "en-us" else GERMAN, language)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"audio": np.full(16_000, np.nan)}, "NaN"),
        ({"audio": np.zeros(0)}, "empty"),
        ({"text": ""}, "at least one word"),
        ({"text": "?!"}, "at least one word"),
        ({"language": "volapük"}, "language"),
        ({"method": "magic"}, "method"),
        ({"sampling_rate": -1}, "sampling_rate"),
    ],
)
def test_bad_arguments(kwargs, message):
    arguments = {"audio": np.zeros(16_000), "sampling_rate": 16_000, "text": TEXT} | kwargs
    with pytest.raises(ValueError, match=message):
        align(**arguments)


def test_real_speech(data_root):
    """GRID, British: word ends against the corpus' own times."""
    from text2lip.speech import load_audio

    rows = [line.split("\t") for line in (data_root / "grid" / "splits.tsv").read_text().splitlines()[1:]]
    differences = []
    for code in [clip.split("/")[1] for clip, _, split in rows if split == "val"][:4]:
        (path,) = (data_root / "grid" / "s1" / "video").glob(f"{code}.*")
        audio, rate = load_audio(path)
        text = " ".join(
            [GRID_TEXT[code[0]], COLOURS[code[1]], PREPOSITIONS[code[2]], code[3], DIGITS[code[4]], ADVERBS[code[5]]]
        )
        lines = [line.split() for line in (data_root / "grid" / "s1" / "align" / f"{code}.align").open()]
        ends = [int(end) / 25_000 for _, end, word in lines if word not in ("sil", "sp")]
        for method, limit in (("pocketsphinx", 0.04), ("dtw", 0.08), ("abroad", 0.05)):
            if method == "abroad":  # as if it were another language
                spoken = synthesize(text, "espeak", "en-gb").timeline
                samples = resample(audio, rate, 16_000)
                found = align_pocketsphinx(samples, spoken, text, len(audio) / rate, english=False)
            else:
                found = align(audio, rate, text, "en-gb", method)
            assert [word.label for word in found.words] == text.split()
            difference = np.abs([word.end - end for word, end in zip(found.words, ends)]).mean()
            differences.append(difference)
            assert difference < limit
        with pytest.raises(AlignmentError):
            align(audio, rate, "nobody has ever recorded this sentence", "en-gb")
    assert np.mean(differences[::3]) < 0.03
