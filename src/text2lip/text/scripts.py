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


# scripts that espeak-ng itself reads in their language, whatever the text's; other voices do not
_OTHER_SCRIPTS = [
    (re.compile(f"[{letters}]{{{count},}}"), frozenset(readers.split()), readers.split()[0])
    for letters, count, readers in (
        ("\uac00-\ud7a3", 1, "ko"),
        ("\u0370-\u03ff\u1f00-\u1fff", 3, "el grc"),
        ("\u0900-\u097f", 2, "hi mr ne kok"),
        ("\u0980-\u09ff", 2, "bn as bpy"),
        ("\u0b80-\u0bff", 2, "ta"),
        ("\u0c00-\u0c7f", 2, "te"),
        ("\u10a0-\u10ff", 2, "ka"),
        ("\u0530-\u058f", 2, "hy hyw"),
    )
]
_KNOW_HAN = ("ja", "ko")  # languages with Chinese characters of their own, which are no Chinese
# letters that tell a language from the usual one of its script
_TELLING = (
    ("ru", "[іїєґІЇЄҐ]", "uk"), ("ru", "[ўЎ]", "be"), ("ru", "[ђћљњџЂЋЉЊЏ]", "sr"), ("ru", "[ѓќѕЃЌЅ]", "mk"),
    ("ar", "[پچژگ]", "fa"), ("ar", "[ٹڈڑے]", "ur"), ("zh", "[\u3041-\u30fa]", "ja"),
)  # fmt: skip


def language_runs(text: str, language: str) -> list[tuple[int, int, str | None]]:
    """Stretches of a text and the language of each, None where it is that of the text.

    A run of letters that `language`, a code of espeak-ng, does not read is said in the language of its script, with
    the marks around it. All is None where no letter is one of the text's own language: then that was probably given
    wrongly.
    """
    base = language.split("-")[0]
    runs: list[list] = []
    scripts = [script[1:] for script in _SCRIPTS if not (base in _KNOW_HAN and script[0] == "Chinese")]
    for letters, readers, code in [*scripts, *_OTHER_SCRIPTS] if not text.isascii() else ():
        if code and base not in readers:
            runs += [[*found.span(), code] for found in letters.finditer(text)]
    if not runs:
        return [(0, len(text), None)]
    joined: list[list] = []
    for start, end, code in sorted(runs):
        near = joined and not any(char.isalnum() for char in text[joined[-1][1] : start])
        if near and (joined[-1][2] == code or {joined[-1][2], code} == {"zh", "ja"}):
            joined[-1][1:] = [end, "ja" if "ja" in (joined[-1][2], code) else code]
        else:
            joined.append([start, end, code])
    own = "".join(text[a:b] for (_, a, _), (b, _, _) in zip([(0, 0, 0), *joined], [*joined, (len(text), 0, 0)]))
    if not any(char.isalpha() for char in own):
        return [(0, len(text), None)]
    parts, done = [], 0
    for start, end, code in joined:
        run = text[start:end]
        code = next((other for usual, telling, other in _TELLING if usual == code and re.search(telling, run)), code)
        while start > done and not (text[start - 1].isspace() or text[start - 1].isalnum()):
            start -= 1
        while end < len(text) and (text[end] == "ー" or not (text[end].isspace() or text[end].isalnum())):
            end += 1
        if text[done:start].strip():
            parts.append((done, start, None))
        parts.append((start, end, code))
        done = end
    return [*parts, (done, len(text), None)] if text[done:].strip() else parts


_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")


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
        if name == "Chinese" and (base == "ja" or _KANA.search(text)):
            name, remedy = "Japanese kanji", "ja"
        if base == "ja":
            todo = "pip install haqumei, which reads it, or write kanji in kana"
        elif remedy:
            todo = f"give language={remedy!r}, or mark it in SSML: <lang xml:lang={remedy!r}>…</lang>"
        else:
            todo = "no voice here reads it; write it in Latin letters"
        raise ValueError(f"text: {found.group()[:20]!r} is {name}, which {language!r} doesn't read; {todo}.")
