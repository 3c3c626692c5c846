"""Voices of the user's own: functions, objects, and what they give."""

from functools import partial

import numpy as np
import pytest

from text2lip.speech import Speech, get_synthesizer, load_audio, synthesize
from text2lip.speech.audio import to_int16
from text2lip.text import Timeline
from text2lip.text.timing import Segment


TEXT = "Bob met my uncle on the farm."


@pytest.fixture(scope="module")
def spoken():
    return get_synthesizer("espeak")(TEXT)


def test_a_function_is_timed_by_alignment(spoken):
    def mine(text):
        assert text == TEXT
        return np.stack([to_int16(spoken.audio), to_int16(spoken.audio)]), spoken.sampling_rate  # int16, stereo

    speech = synthesize(TEXT, mine)
    assert speech.audio.dtype == np.float32 and speech.audio.shape == spoken.audio.shape
    assert [word.label for word in speech.timeline.words] == TEXT.split()
    assert speech.timeline.phones[-1].end == speech.duration == spoken.duration
    differences = [a.start - b.start for a, b in zip(speech.timeline.words, spoken.timeline.words)]
    assert np.abs(differences).mean() < 0.05
    as_transformers_do = {"audio": spoken.audio[None], "sampling_rate": spoken.sampling_rate}
    assert synthesize(TEXT, lambda text: as_transformers_do).timeline == speech.timeline
    german = synthesize("Guten Morgen.", lambda text: (spoken.audio[:20_000], spoken.sampling_rate), "de")
    assert [word.label for word in german.timeline.words] == ["Guten", "Morgen."]


def test_a_function_is_given_what_it_takes(spoken):
    seen = []

    def slowly(text, speaking_rate):
        seen.append(speaking_rate)
        return spoken

    def foreign(text, **options):
        seen.append(options)
        return spoken

    assert synthesize(TEXT, slowly, speaking_rate=0.5).timeline == spoken.timeline
    synthesize(TEXT, foreign, "de", 1.5)
    synthesize(TEXT, partial(foreign, pitch=2), "en-gb")
    assert seen == [
        0.5,
        {"language": "de", "speaking_rate": 1.5},
        {"language": "en-gb", "speaking_rate": 1.0, "pitch": 2},
    ]
    with pytest.raises(ValueError, match="speaking_rate: 1.5, but voice '<lambda>' knows none"):
        synthesize(TEXT, lambda text: spoken, speaking_rate=1.5)


def test_times_of_tuples_and_missing_words(spoken):
    rows, words = ([tuple(segment) for segment in part] for part in (spoken.timeline.phones, spoken.timeline.words))
    speech = synthesize(TEXT, lambda text: Speech(spoken.audio, spoken.sampling_rate, Timeline(rows, words, 0.0)))
    assert speech.timeline == spoken.timeline and isinstance(speech.timeline.words[0], Segment)
    wordless = Speech(spoken.audio, spoken.sampling_rate, Timeline(rows, [], spoken.duration))
    found = synthesize(TEXT, lambda text: wordless).timeline.words
    assert [word.label for word in found] == TEXT.split()
    timeless = Speech(spoken.audio, spoken.sampling_rate, Timeline([], [], 0.0))
    assert len(synthesize(TEXT, lambda text: timeless).timeline.words) == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "'mine' gave NoneType; wants .audio, sampling rate."),
        (Speech(None, None, Timeline([], [], 0.0)), "'mine' gave no sound"),
        ((np.zeros(0, np.float32), 16_000), "sound of 'mine' got shape"),
        ((np.full(800, np.nan), 8_000), "sound of 'mine' holds NaN"),
        ((np.full(800, 900.0), 8_000), "sound of 'mine' samples reach 900; wants floats"),
        ((np.zeros(800), None), "sound of 'mine' sampling_rate: missing"),
        ((np.zeros((800, 2)), 8_000), "800 channels; .* transpose"),
        ((np.zeros(8_000), 8_000), "sound of 'mine' is silent"),
        ((8_000, np.zeros(800)), r"gave a tuple of int, ndarray; wants .audio, sampling rate."),
        ({"sound": 1}, "gave dict; wants"),
        ("/no/such.wav", "sound of 'mine' .*such.wav"),
        (Speech(np.ones(800), 8_000, Timeline([("a", 0, 5)], [], 5)), "times of 'mine' .* after the end of the clip"),
        (Speech(np.ones(800), 8_000, Timeline([("a", 0)], [], 1)), "times of 'mine' can't be used"),
    ],
)
def test_what_a_voice_gives_is_checked(given, message):
    def mine(text):
        return given

    with pytest.raises(ValueError, match="voice: .*" + message):
        synthesize("Hello.", mine)


class Partial:
    name, languages = "partial", ["fr", "de"]

    def __call__(self, text, *, language, speaking_rate):
        return np.zeros(8_000, np.float32), 8_000


def test_what_a_voice_lacks_is_named():
    class Nameless(Partial):
        name = property()

    class Hasty(Partial):
        def __call__(self, text, *, language):
            return None

    class Vague(Partial):
        languages = "fr"

    class Mute:
        name, languages = "mute", None

    for voice, message in (
        (Partial, r"the class Partial; give one of its objects: Partial\(\)"),
        (Nameless(), "Nameless has no name; a Synthesizer has name, languages"),
        (Hasty(), "Hasty has no speaking_rate; .*speaking_rate"),
        (Vague(), "languages of 'partial' is 'fr'; wants a list of codes"),
        (Mute(), "got Mute; wants a name .*, a function of the text"),
    ):
        with pytest.raises(ValueError, match="voice: .*" + message):
            get_synthesizer(voice)
    with pytest.raises(ValueError, match="language: voice 'partial' doesn't speak 'es', only de, fr"):
        synthesize("Hola.", Partial(), "es")


def test_a_function_speaks_in_a_film(pipe, portrait, spoken, tmp_path):
    result = pipe(TEXT, portrait, voice=lambda text: (spoken.audio, spoken.sampling_rate), num_frames=40)
    assert [word.label for word in result.words[0]][:3] == ["Bob", "met", "my"]
    result.save(tmp_path / "a.mp4")
    assert load_audio(tmp_path / "a.mp4")[1] == spoken.sampling_rate
