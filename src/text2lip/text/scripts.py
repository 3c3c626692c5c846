"""Which languages can read a script. espeak-ng would name its letters ("Chinese letter") instead of reading it."""

import re


UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""A letter of a script whose words have no spaces between them: Chinese and Japanese."""

# script, its letters, how many of them in a row can't be meant as single letters, who reads them, what to do instead
_TABLE = (
    ("Chinese", "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af", 1, "cmn yue", "zh"),
    ("Japanese kana", "\u3041-\u3096\u30a1-\u30fa", 1, "ja", "ja"),
    ("Cyrillic", "\u0400-\u052f", 2, "ba be bg bs cv hr ka kk ky lfn ltg lv mk nog ru sl sr tt uk uz", "ru"),
    ("Hebrew", "\u05d0-\u05ea", 2, "he", "he"),
    ("Arabic", "\u0620-\u064a\u066e-\u06d3", 2, "ar fa sd ug ur", "ar"),
    ("Thai", "\u0e01-\u0e33\u0e40-\u0e46", 1, "th", "th"),
    ("Ethiopic", "\u1200-\u135a", 1, "am ti", "am"),
    ("Burmese", "\u1000-\u1055", 1, "my shn", "my"),
    ("Tibetan", "\u0f40-\u0fbc", 1, "", ""),
    ("Khmer", "\u1780-\u17d3", 1, "", ""),
    ("Lao", "\u0e81-\u0edf", 1, "", ""),
)  # fmt: skip
_SCRIPTS = [
    (name, re.compile(f"[{letters}]{{{count},}}"), frozenset(readers.split()), remedy)
    for name, letters, count, readers, remedy in _TABLE
]


def check_script(text: str, language: str) -> None:
    """Refuse text in a script that the voice of `language`, a code of espeak-ng, does not read.

    Raises:
        ValueError: some of the text would be spelled as "Chinese letter" and the like; names a language that reads it.
    """
    if text.isascii():
        return
    base = language.lower().split("-")[0]
    for name, letters, readers, remedy in _SCRIPTS:
        found = None if base in readers else letters.search(text)
        if not found:
            continue
        if base == "ja" and name == "Chinese":
            todo = "pip install haqumei, which reads it, or write kanji in kana"
        elif remedy:
            todo = f"give language={remedy!r}, or mark it in SSML: <lang xml:lang={remedy!r}>…</lang>"
        else:
            todo = "no voice here reads it; write it in Latin letters"
        raise ValueError(f"text: {found.group()[:20]!r} is {name}, which {language!r} doesn't read; {todo}.")
