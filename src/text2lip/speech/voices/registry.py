"""Voices by name."""

import contextlib
import re

from text2lip.speech.utterance import Speech
from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.hibari import HibariSynthesizer
from text2lip.speech.voices.kokoro import KokoroSynthesizer
from text2lip.speech.voices.pico import PicoError, PicoSynthesizer
from text2lip.speech.voices.piper import PiperSynthesizer
from text2lip.speech.voices.protocol import SilentTextError, Synthesizer
from text2lip.text.languages import resolve_language


BEFORE_ESPEAK = (PicoSynthesizer,)  # the default voice is the first of them that is installed and speaks the language


def get_synthesizer(voice="default") -> Synthesizer:
    """Return a voice.

    Args:
        voice (`str` or `Synthesizer`): a name from `list_voices()`, or an object that is a `Synthesizer`, which is
            returned as it is.

    Raises:
        ValueError: no such voice.
        ImportError: the voice's package is not installed; the message has the pip line.
    """
    names = ", ".join(list_voices())
    if not isinstance(voice, str):
        if callable(voice) and hasattr(voice, "languages"):
            return voice
        raise ValueError(f"voice: got {type(voice).__name__}; wants a name ({names}) or a Synthesizer.")
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
        "default": "pico where it speaks the language, else espeak",
        "espeak": "espeak-ng: every language, exact times, a machine's voice; variants: espeak+f3, espeak+m7, ...",
        "pico": "SVOX Pico: clear, small; en-us, en-gb, de, es, fr, it; times by alignment",
        "hibari": "Hibari: natural English, quick, exact times; hibari:<model.onnx>; needs pip install hibari-tts",
        "kokoro": "Kokoro-82M: the most natural; kokoro:<voice>; needs its model, see text2lip.speech.voices.kokoro",
        "piper:<model.onnx>": "a Piper voice, by the path of its model or an installed voice package's name",
    }


class DefaultSynthesizer:
    """Pico for the six languages it speaks, espeak for all others and for IPA.

    Of the voices that install everywhere in seconds, Pico is understood best (Whisper-base word error rate 9 % on 16
    sentences, espeak 35 %), is 5 MB and Apache-2.0; Kokoro (6 %) and Piper (10 %) cost 60 to 100 MB and run 30 times
    slower.
    """

    name = "default"
    languages = None

    def __init__(self):
        self._espeak = EspeakSynthesizer()
        self._better = []
        for voice in BEFORE_ESPEAK:
            with contextlib.suppress(ImportError):
                self._better.append(voice())

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`; see `Synthesizer`. What Pico can't read is read by espeak."""
        for voice in self._better:
            if resolve_language(language) in voice.languages:
                try:
                    return voice(text, language=language, speaking_rate=speaking_rate)
                except (SilentTextError, PicoError):
                    pass
        return self._espeak(text, language=language, speaking_rate=speaking_rate)

    def speak_phones(self, phones: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak IPA by espeak, or by a voice before it that can."""
        for voice in self._better:
            if hasattr(voice, "speak_phones") and resolve_language(language) in voice.languages:
                return voice.speak_phones(phones, language=language, speaking_rate=speaking_rate)
        return self._espeak.speak_phones(phones, language=language, speaking_rate=speaking_rate)
