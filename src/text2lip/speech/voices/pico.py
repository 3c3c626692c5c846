"""SVOX Pico: a small, clear voice for six languages, its phones timed by forced alignment.

Pico gives no times of its own. English is aligned by pocketsphinx, the others by time warping onto espeak; if a
sentence defies both (Pico may read "1999" as a year where espeak reads a number), espeak's times are stretched over
the sound. Each sentence runs in a fresh interpreter: within one process Pico's sound depends on what it said before,
and a word of thousands of letters never returns.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np

from text2lip.speech.alignment.best_effort import best_times
from text2lip.speech.alignment.silences import QUIET_AFTER, QUIET_BEFORE, end_with_the_sound
from text2lip.speech.audio import to_float
from text2lip.speech.features import SAMPLING_RATE
from text2lip.speech.utterance import Speech, join
from text2lip.speech.voices.espeak import EspeakSynthesizer
from text2lip.speech.voices.protocol import SilentTextError, check_language, check_rate, clean_text, silent_text
from text2lip.text.sentences import in_short
from text2lip.text.timing import share_times


VOICES = {
    "en-us": "en-US", "en-us-nyc": "en-US", "en-gb": "en-GB", "en-gb-scotland": "en-GB", "en-gb-x-rp": "en-GB",
    "en-gb-x-gbclan": "en-GB", "en-gb-x-gbcwmd": "en-GB", "en-029": "en-GB", "de": "de-DE", "es": "es-ES",
    "es-419": "es-ES", "fr-fr": "fr-FR", "fr-be": "fr-FR", "fr-ch": "fr-FR", "it": "it-IT",
}  # fmt: skip
VOLUME = 0.6  # at 1.0 one sample in a hundred is clipped
LONGEST_SENTENCE = 400  # characters; longer ones are spoken in parts
LONGEST_WORD = 100
_QUIET = 0.006  # root mean square of 10 ms; Pico ends with clicks of 0.003
_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from py_nanotts import NanoTTS
text = sys.stdin.buffer.read().decode("utf-8")
sound = NanoTTS().speak(text, voice=sys.argv[2], speed=float(sys.argv[3]), volume=float(sys.argv[4]))
sys.stdout.buffer.write(sound)
"""


class PicoError(ValueError):
    """Pico fails on a text, which another voice can read."""


class PicoSynthesizer:
    """SVOX Pico by the package `py-nanotts` (Apache-2.0): en-US, en-GB, de, es, fr, it. Deterministic, thread-safe."""

    name = "pico"
    languages = sorted(VOICES)

    def __init__(self):
        try:
            import py_nanotts
        except ImportError as error:
            raise ImportError("voice 'pico' needs py-nanotts: pip install py-nanotts") from error
        if getattr(sys, "frozen", False) or not sys.executable:
            raise ImportError(
                "voice 'pico' starts a Python interpreter, which a frozen application lacks; use 'espeak'."
            )
        self._package_folder = os.path.dirname(os.path.dirname(os.path.abspath(py_nanotts.__file__)))

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`, see [`Synthesizer`]; 16 kHz, angle brackets count as spaces. PicoError if Pico fails on it."""
        language, rate = check_language("pico", language, self.languages), check_rate(speaking_rate)
        parts = [self._part(part, language, rate) for part in _parts(clean_text(text))]
        parts = [part for part in parts if part is not None]
        if not parts:
            raise silent_text(text, language)
        return join(parts)

    def _part(self, text: str, language: str, rate: float) -> Speech | None:
        try:
            spoken = EspeakSynthesizer()(text, language=language)
        except SilentTextError:
            return None
        audio = _trim(self._sound(text, VOICES[language], rate))
        if audio is None:
            return None
        speech = end_with_the_sound(Speech(audio, SAMPLING_RATE, best_times(audio, SAMPLING_RATE, spoken, language)))
        return replace(speech, timeline=replace(speech.timeline, words=share_times(speech.timeline.words)))

    def _sound(self, text: str, voice: str, rate: float) -> np.ndarray:
        """(samples,) float32."""
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, self._package_folder, voice, str(rate), str(VOLUME)]
        try:
            done = subprocess.run(
                command,
                input=re.sub(rf"(\S{{{LONGEST_WORD}}})", r"\1 ", re.sub("[<>]", " ", text)).encode("utf-8"),
                capture_output=True,
                timeout=30 + len(text) / 20,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except subprocess.TimeoutExpired as error:
            raise PicoError(f"text: Pico can't read {in_short(text)!r}; use voice='espeak'.") from error
        if done.returncode:
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"code {done.returncode}"]
            raise PicoError(f"text: Pico can't read {in_short(text)!r} ({reason[0]}); use voice='espeak'.")
        return to_float(np.frombuffer(done.stdout, "<i2"))


def _parts(text: str) -> list[str]:
    """Text in parts of up to `LONGEST_SENTENCE` characters, cut after punctuation if there is any, else at spaces."""
    parts = []
    while len(text) > LONGEST_SENTENCE:
        head = text[:LONGEST_SENTENCE]
        ends = [m.end() for m in re.finditer(r"[.!?;:,]\s", head)] or [m.end() for m in re.finditer(r"\s", head)]
        cut = ends[-1] if ends else LONGEST_SENTENCE
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text]


def _trim(audio: np.ndarray) -> np.ndarray | None:
    """Cut the quiet before and after, whose length varies; None if there's no sound at all."""
    frame = SAMPLING_RATE // 100
    power = np.mean(audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = np.flatnonzero(power > _QUIET**2)
    if not len(loud):
        return None
    first = max(0, loud[0] * frame - round(QUIET_BEFORE * SAMPLING_RATE))
    return audio[first : (loud[-1] + 1) * frame + round(QUIET_AFTER * SAMPLING_RATE)].copy()
