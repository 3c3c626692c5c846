"""The espeak-ng library that comes from PyPI: where it lies, and one private copy of it per thread."""

import atexit
import importlib.util
import os
import re
import shutil
import tempfile
import threading
from functools import lru_cache
from pathlib import Path

from text2lip.text.scripts import check_script


MAX_DATA_PATH = 159  # bytes; espeak-ng 1.52 calls exit(1) on a longer data path
DENIED_LANGUAGES = {
    "fo": "espeak-ng's data has no dictionary for it, so it would stay silent",
    "kaa": "espeak-ng's data has no dictionary for it, so it would stay silent",
    "xex": "espeak-ng's data has no dictionary for it, so it would stay silent",
    "kl": "espeak-ng crashes on some of its words",
}
# letters with a full stop each, as in "U.S.A."; espeak-ng 1.52 gathers them in a buffer whose end it does not watch
_DOTTED_RUN = re.compile(r"(?:[^\s.]\s*\.\s*){20}")
_local = threading.local()
_lock = threading.Lock()


def espeak_is_installed() -> bool:
    """Whether espeak-ng and what reads by it can be imported."""
    return all(importlib.util.find_spec(name) for name in ("phonemizer", "espeakng_loader"))


def espeak_library() -> tuple[str, str]:
    """Path of the espeak-ng shared library and of its data, safe to initialise it with.

    Both come from the package `espeakng-loader`, or from `PHONEMIZER_ESPEAK_LIBRARY` and `PHONEMIZER_ESPEAK_DATA_PATH`
    where the user has set both. A data path of 160 bytes or more, on which espeak-ng would end the process, is reached
    through a link in a temporary folder that lives as long as the process.

    Raises:
        ImportError: `espeakng-loader` is missing.
        ValueError: only one of the two variables is set, or one names nothing, or no short path could be made.
    """
    library = os.environ.get("PHONEMIZER_ESPEAK_LIBRARY")
    data = os.environ.get("PHONEMIZER_ESPEAK_DATA_PATH")
    if library is None and data is None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise ImportError("espeak-ng is missing: `pip install espeakng-loader phonemizer`.") from error
        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    elif library is None or data is None:
        raise ValueError(
            "PHONEMIZER_ESPEAK_LIBRARY and PHONEMIZER_ESPEAK_DATA_PATH: set both or neither; with one alone espeak-ng "
            "ends the process."
        )
    for name, path in (("library", library), ("data folder", data)):
        if not Path(path).exists():
            raise ValueError(f"espeak-ng: the {name} {str(path)!r} does not exist; reinstall espeakng-loader.")
    with _lock:
        return str(library), _short_path(str(data))


@lru_cache(maxsize=8)
def _short_path(path: str) -> str:
    if len(os.fsencode(path)) <= MAX_DATA_PATH:
        return path
    folder = Path(tempfile.mkdtemp(prefix="text2lip-"))
    link = folder / "espeak-ng-data"
    atexit.register(_remove, folder, os.getpid())
    if len(os.fsencode(link)) > MAX_DATA_PATH:
        raise ValueError(
            f"espeak-ng: its data path is longer than {MAX_DATA_PATH} bytes ({path!r}), so is the temporary folder; "
            "set TMPDIR to a short path or install into a shorter one."
        )
    try:
        link.symlink_to(path, target_is_directory=True)
    except OSError:  # Windows without the right to link
        shutil.copytree(path, link)
    return str(link)


def _remove(folder: Path, owner: int):
    if os.getpid() == owner:  # not in a forked child, whose parent still needs it
        shutil.rmtree(folder, ignore_errors=True)


def espeak_wrapper():
    """phonemizer's wrapper of espeak-ng, one per thread (a shared one mixes up the threads' results), on a copy of the
    library of its own: other users of phonemizer in the process are not affected. Errors as [`espeak_library`]."""
    if getattr(_local, "wrapper", None) is None:
        try:
            from phonemizer.backend.espeak.wrapper import EspeakWrapper
        except ImportError as error:
            raise ImportError("phonemizer is missing: `pip install phonemizer espeakng-loader`.") from error
        library_path, data = espeak_library()

        class Wrapper(EspeakWrapper):
            # the inherited property resolves links, which would undo the short path
            data_path = property(lambda self: data)

            @classmethod
            def library(cls):
                return library_path

        try:
            _local.wrapper = Wrapper()
        except (OSError, RuntimeError) as error:
            raise unloadable(error) from error
    return _local.wrapper


@lru_cache(maxsize=1)
def espeak_voices() -> dict[str, tuple[str, str]]:
    """Language code -> (name of the language, espeak voice identifier), the broken ones left out."""
    voices = {}
    for voice in espeak_wrapper().available_voices():
        if voice.language not in DENIED_LANGUAGES and not voice.identifier.startswith("mb"):
            voices.setdefault(voice.language, (voice.name.strip(), voice.identifier))
    return dict(sorted(voices.items()))


def unloadable(error: Exception) -> OSError:
    """The error where the private copy of the library, which lies in the temporary folder, can't be loaded."""
    return OSError(
        f"espeak-ng: its copy in the temporary folder {tempfile.gettempdir()!r} can't be loaded ({error}); if "
        "programs may not run there (noexec), set TMPDIR to a folder where they may."
    )


def readable_text(text: str, language: str) -> str:
    """A text of the same length that espeak-ng reads, and on which it does not end the process; `language` is a code
    of [`espeak_voices`], errors are those of [`check_script`]."""
    check_script(text, language)
    if "." not in text:
        return text
    return _DOTTED_RUN.sub(lambda found: " ".join(found.group().rsplit(".", 1)), text)


def espeak_phonemes(text: str, language: str) -> str:
    """espeak-ng's IPA for a text: phones joined by `_`, words by spaces, stress and language marks inside.

    The text holds no NUL and no lone surrogates (espeak would stop at the first, refuse the second); arguments and
    errors as [`readable_text`].
    """
    text = readable_text(text, language)
    wrapper = espeak_wrapper()
    if getattr(_local, "language", None) != language:
        wrapper.set_voice(language)
        _local.language = language
    return wrapper.text_to_phonemes(text)
