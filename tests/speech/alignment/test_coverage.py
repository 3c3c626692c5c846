"""A transcript that leaves much of the sound without words, or has more words than it, is doubted or refused."""

import re
import warnings

import numpy as np
import pytest

from text2lip.speech import AlignmentError, AlignmentWarning, align, resample, synthesize
from text2lip.speech.alignment.coverage import doubts
from text2lip.speech.features import mfcc
from text2lip.text.sentences import in_short
from text2lip.text.timing import Timeline


ENGLISH = "Bob met my uncle and his five brothers on the farm near Rome."
GERMAN = "Guten Morgen, wie geht es dir heute? Das Wetter bleibt leider schlecht."


def said(text, language, voice="espeak"):
    speech = synthesize(text, voice, language)
    return np.pad(resample(speech.audio, speech.sampling_rate, 16_000), 3_200)


def noticed(audio, text, language, method="auto") -> str:
    """What is said against the text, as an error or a warning."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            align(audio, 16_000, text, language, method)
        except AlignmentError as error:
            return str(error)
    return " ".join(str(warning.message) for warning in told if warning.category is AlignmentWarning)


@pytest.mark.parametrize(
    ("spoken", "text", "language"),
    [
        (ENGLISH, "Hi there.", "en-us"),
        (ENGLISH, "xyz", "en-us"),
        (ENGLISH, "Bob met my uncle.", "en-us"),
        (ENGLISH, "On the farm near Rome.", "en-us"),
        ("Bob met my uncle.", ENGLISH, "en-us"),
        (GERMAN, "Guten Morgen, wie geht es dir heute?", "de"),
        (GERMAN, "Das Wetter bleibt leider schlecht.", "de"),
        ("Guten Morgen, wie geht es dir heute?", GERMAN, "de"),
    ],
)
def test_more_or_less_than_was_said_is_noticed(spoken, text, language):
    message = noticed(said(spoken, language), text, language)
    assert message.startswith("audio: ") and (repr(in_short(text)) in message or "too" in message)
    assert re.search(r"\d s|score|doesn't", message), message


@pytest.mark.parametrize(
    ("text", "language", "voice"),
    [
        (ENGLISH, "en-us", "espeak"),
        (ENGLISH, "en-us", "default"),
        (GERMAN, "de", "espeak"),
        ("Yes.", "en-gb", "espeak"),
    ],
)
def test_right_texts_are_not_doubted(text, language, voice):
    assert noticed(said(text, language, voice), text, language) == ""


@pytest.mark.parametrize("decibels", [25, 15])
@pytest.mark.parametrize(("kind", "method"), [("white", "auto"), ("pink", "dtw"), ("white", "dtw")])
def test_noise_of_a_room_raises_no_doubt(kind, method, decibels):
    sound = np.pad(said(ENGLISH, "en-us", "pico"), 12_800)
    noisy = sound + room(kind, len(sound)) * np.sqrt((sound**2).mean() / 10 ** (decibels / 10))
    assert noticed(noisy, ENGLISH, "en-us", method) == ""
    assert noticed(noisy, "Bob met my uncle.", "en-us", method)


def room(kind, samples):
    noise = np.fft.rfft(np.random.default_rng(0).normal(size=samples))
    if kind == "pink":
        noise /= np.sqrt(np.maximum(1, np.arange(len(noise))))
    noise = np.fft.irfft(noise, samples)
    return (noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize(
    ("voice", "rate", "method"),
    [("pico", 0.5, "auto"), ("pico", 2.0, "auto"), ("espeak", 0.5, "auto"), ("espeak", 0.5, "dtw"),
     ("pico", 2.0, "dtw"), ("espeak", 2.5, "dtw")],
)  # fmt: skip
def test_slow_and_quick_talk_raises_no_doubt(voice, rate, method):
    speech = synthesize(ENGLISH, voice, "en-us", rate)
    sound = np.pad(resample(speech.audio, speech.sampling_rate, 16_000), 16_000)
    assert noticed(sound, ENGLISH, "en-us", method) == ""
    if rate < 2.5:  # time warping takes 5 s said in 2 for a third of it
        assert noticed(sound, "Bob met my uncle.", "en-us", method)


def test_noise_between_two_sentences_is_named_by_its_place():
    """And the words keep their times. (Tones there make the aligner refuse.)"""
    first, second = said("Good morning, and welcome.", "en-us"), said("Bob met my uncle.", "en-us")
    street = np.cumsum(np.random.default_rng(0).normal(size=160_000))
    street -= np.convolve(street, np.full(400, 1 / 400), "same")
    street *= 0.2 / np.abs(street).max()
    text = "Good morning, and welcome. Bob met my uncle."
    with pytest.warns(AlignmentWarning, match=r"no word of the text is at .* s") as told:
        line = align(np.concatenate([first, street.astype(np.float32), second]), 16_000, text)
    start, end = (float(number) for number in re.search(r"at ([\d.]+)-([\d.]+) s", str(told[0].message)).groups())
    assert start == pytest.approx(len(first) / 16_000, abs=0.5) and end - start == pytest.approx(10, abs=0.5)
    assert line.words[3].end < len(first) / 16_000 and line.words[4].start > len(first) / 16_000 + 10


def test_doubts_say_where():
    rng = np.random.default_rng(0)
    sound = np.r_[np.zeros(8_000), 0.1 * rng.normal(size=32_000), np.zeros(8_000)]  # loud from 0.5 to 2.5 s
    energy = mfcc(sound).energy
    spoken = Timeline.from_phones([("a", 0, 1.9)])
    assert doubts(energy, Timeline.from_phones([("a", 0.5 + 0.1 * i, 0.6 + 0.1 * i) for i in range(20)]), spoken) == []
    (gap,) = doubts(energy, Timeline.from_phones([("a", 0.5, 1.0), ("b", 1.0, 1.5)], (), 3), spoken)
    assert "1.5-2.5 s" in gap
    (long,) = doubts(energy, Timeline.from_phones([("a", 0.5, 1.0), ("b", 1.0, 2.5)], (), 3), spoken)
    assert "1.0-2.5 s" in long
    whole = Timeline.from_phones([("a", 0.5 + 0.5 * i, 1.0 + 0.5 * i) for i in range(4)], (), 3)
    assert "2.0 s of sound are long" in doubts(energy, whole, Timeline.from_phones([("a", 0, 1)]))[0]
    assert "2.0 s of sound are short" in doubts(energy, whole, Timeline.from_phones([("a", 0, 4)]))[0]


@pytest.mark.parametrize(("seconds", "many", "warped", "doubted"), [
    (0.7, 1, True, False), (0.7, 1, False, True), (0.7, 3, True, True), (1.3, 1, True, True),
])  # fmt: skip
def test_a_long_text_that_is_warped_may_have_a_drawn_out_sound(seconds, many, warped, doubted):
    lengths = np.full(600, 0.1)
    lengths[100 : 100 + many] = seconds
    ends = np.cumsum(lengths).tolist()
    line = Timeline.from_phones([("ab"[i % 2], start, end) for i, (start, end) in enumerate(zip([0.0, *ends], ends))])
    energy = mfcc(0.1 * np.random.default_rng(0).normal(size=int(ends[-1] * 16_000))).energy
    assert bool(doubts(energy, line, line, warped)) == doubted


def test_the_command_tells_it(portrait_file, tmp_path, capsys):
    import wave

    from text2lip.cli import main

    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((said(ENGLISH, "en-us") * 32_767).astype("<i2").tobytes())
    files = ["-a", str(tmp_path / "a.wav"), "-i", str(portrait_file), "-o", str(tmp_path / "a.mp4")]
    assert main(["Bob met my uncle.", *files, "-q", "--renderer", "geometric"]) == 0
    assert re.search(r"^text2lip: warning: --audio: ", capsys.readouterr().err, re.MULTILINE)


def test_real_recordings(data_root):
    from text2lip.data.grid import grid_clips, pronounced
    from text2lip.speech import load_audio

    for clip in [clip for clip in grid_clips(data_root) if clip.split == "val"][:4]:
        audio, rate = load_audio(clip.video)
        audio = resample(audio, rate, 16_000)
        text = pronounced(clip.text)
        assert noticed(audio, text, "en-gb") == ""
        assert noticed(audio, " ".join(text.split()[:2]), "en-gb")
