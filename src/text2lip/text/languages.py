"""Language codes: what users write, what espeak-ng calls it."""

import difflib
from functools import lru_cache

from text2lip.text.espeak_library import DENIED_LANGUAGES, espeak_voices


LANGUAGE_ALIASES = {
    "en": "en-us", "en-uk": "en-gb", "en-au": "en-gb", "en-nz": "en-gb", "en-ie": "en-gb", "en-in": "en-gb",
    "en-za": "en-gb", "en-sg": "en-gb", "en-sc": "en-gb-scotland", "eng": "en-us", "fr": "fr-fr", "fra": "fr-fr",
    "fre": "fr-fr", "zh": "cmn", "zho": "cmn", "chi": "cmn", "zh-yue": "yue", "zh-hk": "yue", "zh-mo": "yue",
    "no": "nb", "nn": "nb", "nor": "nb", "nob": "nb", "nno": "nb", "iw": "he", "heb": "he", "in": "id", "ind": "id",
    "deu": "de", "ger": "de", "gsw": "de", "spa": "es", "es-es": "es", "es-mx": "es-419",
    "es-ar": "es-419", "es-co": "es-419", "es-cl": "es-419", "es-pe": "es-419", "es-us": "es-419", "ita": "it",
    "por": "pt", "pt-pt": "pt", "rus": "ru", "jpn": "ja", "jp": "ja", "kor": "ko", "ara": "ar",
    "hin": "hi", "nld": "nl", "dut": "nl", "pol": "pl", "tur": "tr", "swe": "sv", "dan": "da", "dk": "da",
    "fin": "fi", "ces": "cs", "cze": "cs", "cz": "cs", "ell": "el", "gre": "el", "gr": "el", "ukr": "uk", "ua": "uk",
    "hun": "hu", "ron": "ro", "rum": "ro", "mo": "ro", "vie": "vi", "vn": "vi", "tha": "th", "sh": "hr", "cn": "cmn",
    "fas": "fa", "per": "fa", "lat": "la", "chr": "chr-US-Qaaa-x-west", "cym": "cy", "gle": "ga",
}  # fmt: skip


ENGLISH_CODES = (
    "en-us", "en-us-nyc", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029",
    "en-shaw",
)  # fmt: skip
"""espeak-ng's codes of English, known without it."""

_ENGLISH = {code: known for code, known in LANGUAGE_ALIASES.items() if known in ENGLISH_CODES} | dict(
    zip(ENGLISH_CODES, ENGLISH_CODES)
)


def available_languages() -> dict[str, str]:
    """Languages that espeak-ng speaks: code -> English name. Broken ones are left out.

    Raises:
        ImportError: `phonemizer` or `espeakng-loader` is missing.
    """
    return {code: name for code, (name, _) in espeak_voices().items()}


def resolve_language(code: str) -> str:
    """Turn a language code or name into espeak-ng's code.

    Accepted: espeak's own codes in any case, `_` for `-`, common aliases (en, fr, zh, no, eng, ...), codes with a
    region or script that espeak lacks ("de-AT" -> "de") and English names ("German").

    Args:
        code (`str`): such as "en", "pt_BR", "zh-Hans", "french".

    Returns:
        `str`: a key of `available_languages()`.

    Raises:
        ValueError: not a language, not one that espeak-ng speaks, or one whose data is broken.
    """
    if not isinstance(code, str) or not code.strip():
        raise ValueError(f"language: wants a code such as 'en-us' or 'fr', got {code!r}.")
    return _resolve(code)


@lru_cache(maxsize=256)
def _resolve(code: str) -> str:
    wanted = code.strip().split(".")[0].replace("_", "-").lower()
    parts = wanted.split("-")
    prefixes = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if parts[0] in ("en", "eng") or wanted == "english":  # without espeak-ng, which an English voice may not need
        return next((known for short in prefixes if (known := _ENGLISH.get(short))), "en-us")
    languages = available_languages()
    by_lower = {known.lower(): known for known in languages}
    for short in prefixes:
        if short in DENIED_LANGUAGES:
            raise ValueError(f"language: {code!r} is refused: {DENIED_LANGUAGES[short]}. Choose another language.")
        found = by_lower.get(short) or LANGUAGE_ALIASES.get(short)
        if found:
            return found
    names = {name.lower().split(" (")[0]: known for known, name in reversed(languages.items())}
    names |= {"french": "fr-fr", "spanish": "es", "portuguese": "pt", "chinese": "cmn"}
    names |= {"mandarin": "cmn", "cantonese": "yue", "norwegian": "nb"}
    if wanted in names:
        return names[wanted]
    close = difflib.get_close_matches(wanted, [*by_lower, *LANGUAGE_ALIASES, *names], n=4, cutoff=0.5)
    hint = f"did you mean {', '.join(map(repr, close))}? " if close else ""
    raise ValueError(
        f"language: {code!r} is not one of the {len(languages)} languages of espeak-ng; {hint}"
        "`text2lip --list-languages` lists them."
    )
