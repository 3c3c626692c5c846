import subprocess
import sys

import pytest

from text2lip.speech import Synthesizer, get_synthesizer, list_voices, synthesize
from text2lip.speech.voices.registry import unload_voices
from text2lip.text.english_reader import english_reader


# English, by the pipeline and the command, where espeak-ng and all that leans on it can't be imported
FREE_OF_GPL = """
import sys
for name in ("phonemizer", "espeakng_loader", "piper", "py_nanotts"):
    sys.modules[name] = None  # importing it raises ImportError
from pathlib import Path
from PIL import Image
from text2lip import Text2LipPipeline, VisemeTokenizer
from text2lip.cli import main
from text2lip.faces.builtin import builtin_portrait
pipe = Text2LipPipeline.from_pretrained("text2lip-grid")
face = Image.open(builtin_portrait()).resize((128, 128))
ssml = "<speak>One <break time='50ms'/> <phoneme alphabet='ipa' ph='təˈmɑːtəʊ'>two</phoneme>.</speak>"
for text, language in (("Dr. Smith met Bob at noon.", "en"), (ssml, "en-GB"), ("Zorkmids?", "English")):
    speech = pipe.speak(text, language=language)
    result = pipe(text, face, language=language, num_frames=2)
    result.save("a.mp4", subtitles="a.srt")
    print([word.label for word in speech.timeline.words], result.sampling_rate, len(result.frames[0]))
own = pipe.speak("Zorkmids?", audio=speech.audio, sampling_rate=speech.sampling_rate)
silent = pipe.speak("Zorkmids?", voice=None)
print([len(s.timeline.words) for s in (own, silent)], len(VisemeTokenizer()("Bob.").labels[0]))
try:
    pipe.speak("?!")
except ValueError as error:
    print(error)
assert main(["Hi.", "--output", "b.mp4", "--subtitles", "b.vtt", "--quiet"]) == 0
print("Hi." in Path("b.vtt").read_text(), Path("b.mp4").stat().st_size > 1000)
"""


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


def test_what_is_unloaded_is_loaded_again():
    before = synthesize("Hello there.").audio
    assert english_reader.cache_info().currsize
    unload_voices()
    assert not english_reader.cache_info().currsize
    assert (synthesize("Hello there.").audio == before).all()


def test_the_default_is_the_best_voice_that_speaks_the_language():
    rates = {"en": 24_000, "ru": 22_050}
    texts = {"en": "Hello there.", "ru": "Привет, мир."}
    assert {code: synthesize(text, language=code).sampling_rate for code, text in texts.items()} == rates
    mixed = synthesize("<speak>Hello. <lang xml:lang='ru'>Привет.</lang></speak>")
    assert [word.label for word in mixed.timeline.words] == ["Hello.", "Привет."]
    assert synthesize("Hello.", language="en-gb").sampling_rate == 24_000
    assert synthesize("∑").sampling_rate == 22_050, "what Hibari has no name for"


def test_english_is_spoken_without_espeak(tmp_path):
    done = subprocess.run([sys.executable, "-c", FREE_OF_GPL], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "['Dr.', 'Smith', 'met', 'Bob', 'at', 'noon.'] 24000 2",
        "['One', 'two'] 24000 2",
        "['Zorkmids?'] 24000 2",
        "[1, 1] 5",
        "text: nothing in '?!' can be spoken; give at least one word.",
        "True True",
    ], done.stderr[-2000:]
