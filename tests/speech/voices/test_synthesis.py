"""Whole texts: voices by name, pauses, SSML, long and bad input."""

import numpy as np
import pytest

from text2lip.speech import synthesize
from text2lip.speech.utterance import Speech
from text2lip.speech.voices.protocol import SilentTextError
from text2lip.text import Piece, Timeline


def words(speech):
    return [word.label for word in speech.timeline.words]


def test_sentences_are_joined_with_exact_silence():
    speech = synthesize("Good morning. nobody knows.", "espeak")
    timeline = speech.timeline
    assert words(speech) == ["Good", "morning.", "nobody", "knows."]
    (pause,) = [p for p in timeline.phones if not p.label and p.end < timeline.duration]
    assert 0.3 < pause.end - pause.start < 0.4
    inside = speech.audio[int((pause.start + 0.02) * 22_050) : int((pause.end - 0.02) * 22_050)]
    assert not inside.any()
    assert timeline.duration == pytest.approx(len(speech.audio) / speech.sampling_rate, abs=1e-9)


def test_ssml_pauses_rate_and_ipa():
    speech = synthesize(
        '<speak>One <break time="750ms"/> <phoneme alphabet="ipa" ph="təˈmɑːtəʊ">tomato</phoneme> '
        '<prosody rate="50%">slow</prosody></speak>',
        "espeak",
        "en-gb",
    )
    assert words(speech) == ["One", "tomato", "slow"]
    one, tomato, slow = speech.timeline.words
    assert tomato.start - one.end == pytest.approx(0.75, abs=0.06)
    assert "əʊ" in [phone.label for phone in speech.timeline.phones]
    assert slow.end - slow.start > 1.5 * (synthesize("slow", "espeak", "en-gb").timeline.words[0].end)


def test_languages_may_change_within_a_text():
    speech = synthesize([Piece("Good morning."), Piece("Bonjour.", language="fr"), Piece("", pause=0.5)], "default")
    assert words(speech) == ["Good", "morning.", "Bonjour."]
    assert speech.timeline.duration - speech.timeline.words[-1].end > 0.4


def test_a_break_alone_is_silence():
    speech = synthesize('<speak><break time="1s"/></speak>')
    assert speech.duration == 1.0 and not speech.audio.any() and words(speech) == []


def test_long_text_grows_linearly():
    speech = synthesize("This is one sentence. " * 60, "espeak")
    assert len(words(speech)) == 240
    assert speech.timeline.phones[-1].end == pytest.approx(len(speech.audio) / speech.sampling_rate, abs=1e-6)
    starts = [word.start for word in speech.timeline.words if word.label == "This"]
    assert np.ptp(np.diff(starts)) < 1e-3, "the same sentence takes the same time"


def test_one_megabyte_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="100,000.*[Ss]plit"):
        synthesize("word " * 200_000)


@pytest.mark.parametrize("text", ["", "  \n ", "?!...", [], "<speak></speak>", [Piece("...")]])
def test_nothing_to_say(text):
    with pytest.raises(SilentTextError):
        synthesize(text, "espeak")


@pytest.mark.parametrize(
    "text", ["a\0b c", "x\ud800y", "<b> & 5 < 6", "**bold** https://example.org/?a=b", "e" * 3000]
)
def test_odd_text_is_spoken(text):
    speech = synthesize(text, "espeak")
    assert words(speech) and np.isfinite(speech.audio).all()


def test_own_voice_object():
    class Beep:
        name, languages = "beep", None

        def __call__(self, text, *, language="en-us", speaking_rate=1.0):
            return Speech(
                np.full(800, 0.5, np.float32), 8_000, Timeline.from_phones([("a", 0, 0.1)], [(text, 0, 0.1)])
            )

    speech = synthesize("Hello. You.", Beep())
    assert words(speech) == ["Hello.", "You."] and speech.sampling_rate == 8_000


def test_a_voice_gives_sound():
    class Mute:
        name, languages = "mute", None

        def __call__(self, text, *, language="en-us", speaking_rate=1.0):
            return Speech(None, None, Timeline.from_phones([("a", 0, 0.1)]))

    assert Mute()("Hello.").duration == 0.1
    with pytest.raises(ValueError, match="'mute' gave no sound"):
        synthesize("Hello.", Mute())


def test_bad_rate_and_language():
    with pytest.raises(ValueError, match="speaking_rate"):
        synthesize("Hello.", "espeak", speaking_rate=100)
    with pytest.raises(ValueError, match="language"):
        synthesize("Hello.", "espeak", "xx-yy")
