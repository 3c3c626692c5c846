import pytest

from text2lip.speech import Synthesizer, get_synthesizer, list_voices


@pytest.mark.parametrize(
    "voice", ["nobody", "espeak+", "espeak:f3", "pico+f3", "piper", "piper:", "", 5, "kokoro:", "default+f3"]
)
def test_unknown_voice_lists_the_voices(voice):
    with pytest.raises(ValueError, match="voice.*espeak"):
        get_synthesizer(voice)


def test_voices_are_synthesizers():
    for name in ("default", "espeak", "espeak+f3"):
        voice = get_synthesizer(name)
        assert isinstance(voice, Synthesizer) and voice.name == name
        assert get_synthesizer(voice) is voice
    assert {"default", "espeak", "pico"} <= set(list_voices())
