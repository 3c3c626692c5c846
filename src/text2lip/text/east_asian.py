"""Japanese kana and Mandarin to IPA, in the choice of phones that Kokoro was taught (by misaki, Apache-2.0)."""

import re

from text2lip.text.phonemes import PhonemeWord, bare, get_g2p
from text2lip.text.readers import SpelledWord, spelled_words
from text2lip.text.scripts import UNSPACED, check_script


# consonant -> its kana with a i u e o; what is changed before i and before small ya yu yo follows below
_ROWS = {
    "k": "カキクケコ", "ɡ": "ガギグゲゴ", "s": "サシスセソ", "dz": "ザジズゼゾ", "t": "タチツテト", "d": "ダヂヅデド",
    "n": "ナニヌネノ", "h": "ハヒフヘホ", "b": "バビブベボ", "p": "パピプペポ", "m": "マミムメモ", "ɾ": "ラリルレロ",
    "w": "ワ    ", "j": "ヤ ユ ヨ", "": "アイウエオ", "v": "  ヴ  ",
}  # fmt: skip
_PALATAL = {"s": "ɕ", "dz": "dʑ", "t": "tɕ", "d": "dʑ", "n": "ɲ", "h": "ç", "": ""}
_BEFORE_U = {"s": ("s", "ɨ"), "dz": ("z", "ɨ"), "t": ("ts", "ɨ"), "d": ("z", "ɨ"), "h": ("ɸ", "ɯ")}
_SMALL = {"ャ": "a", "ュ": "ɨ", "ョ": "o", "ァ": "a", "ィ": "i", "ゥ": "ɯ", "ェ": "e", "ォ": "o", "ヮ": "a"}
_MORAS = {"ヲ": ["o"], "ヰ": ["i"], "ヱ": ["e"], "ッ": ["ʔ"], "ン": ["ɴ"]}
_NASALS = {"m": "mpb", "ŋ": "kɡ", "ɲ": "ɲ", "n": "ntdɾz"}

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "tɕ", "q": "tɕʰ", "x": "ɕ", "zh": "tʂ", "ch": "tʂʰ", "sh": "ʂ", "r": "ɻ", "z": "ts", "c": "tsʰ", "s": "s",
    "": "",
}  # fmt: skip
_FINALS = {
    "a": "a", "ai": "ai", "an": "a n", "ang": "a ŋ", "ao": "au", "e": "ɤ", "ei": "ei", "en": "ə n", "eng": "ə ŋ",
    "er": "ɚ", "i": "i", "ia": "j a", "ian": "j ɛ n", "iang": "j a ŋ", "iao": "j au", "ie": "j e", "in": "i n",
    "iou": "j ou", "ing": "i ŋ", "iong": "j ʊ ŋ", "ong": "ʊ ŋ", "ou": "ou", "u": "u", "uei": "w ei", "ua": "w a",
    "uai": "w ai", "uan": "w a n", "uen": "w ə n", "uang": "w a ŋ", "ueng": "w ə ŋ", "uo": "w o", "o": "w o",
    "v": "y", "ve": "ɥ e", "van": "ɥ ɛ n", "vn": "y n", "ê": "ɛ",
}  # fmt: skip
_TONES = {"1": "˥", "2": "˧˥", "3": "˧˩˧", "4": "˥˩"}


def japanese_words(text: str) -> list[PhonemeWord]:
    """Phones of Japanese as the reader of [`readers`] spells it, else of its kana; Latin letters by espeak-ng.

    Raises:
        ValueError: kanji that no reader knows.
    """
    words = spelled_words(text, "ja")
    if words is None:
        words = [SpelledWord(*found.span(), found.group()) for found in re.finditer(r"\S+", text)]
    read = []
    for start, end, spelling, _ in (bare(word, text) for word in words):
        check_script(spelling, "ja")
        phones = [phone for part in spelling.split() for phone in kana_phones(part) or _other(part)]
        if phones:
            read.append(PhonemeWord(text[start:end], phones, (start, end)))
    return read


def kana_phones(kana: str) -> list[str]:
    """IPA of kana as spoken ("キョーワ"); other characters have no sound."""
    phones: list[str] = []
    for char in "".join(chr(ord(c) + 96) if "ぁ" <= c <= "ゖ" else c for c in kana):
        if char in _SMALL:
            _shrink(phones, _SMALL[char])
        elif char == "ー" and phones:
            phones[-1] += "ː"
        elif char in _MORAS:
            phones += _MORAS[char]
    for i, (phone, following) in enumerate(zip(phones, phones[1:])):
        if phone == "ɴ":
            phones[i] = next((nasal for nasal, letters in _NASALS.items() if following[0] in letters), "ɴ")
    return phones


def _shrink(phones: list[str], vowel: str) -> None:
    """Put a small kana's vowel in place of the one before it: "キ" and "ョ" are kʲo, "フ" and "ァ" ɸa."""
    if len(phones) > 1 and phones[-1] in "iɯɨeo" and phones[-2][0] not in "aiɯɨeoʔɴː":
        glide = phones[-1] in "iɨ" or vowel == "ɨ"
        phones[-1] = vowel if vowel != "ɨ" or glide else "ɯ"
    elif phones and phones[-1] in "ɯi":
        phones[-1:] = ["w" if phones[-1] == "ɯ" else "j", vowel]
    else:
        phones.append(vowel)


def _fill() -> None:
    for consonant, row in _ROWS.items():
        for kana, vowel in zip(row, ("a", "i", "ɯ", "e", "o")):
            if kana == " " or kana in _MORAS:
                continue
            sound = consonant
            if vowel == "i":
                sound = _PALATAL.get(consonant, consonant + "ʲ")
            elif vowel == "ɯ" and consonant in _BEFORE_U:
                sound, vowel = _BEFORE_U[consonant]
            _MORAS[kana] = [sound, vowel] if sound else [vowel]


_fill()


def chinese_words(text: str) -> list[PhonemeWord]:
    """Phones of Mandarin with tone letters behind the vowel, by `pypinyin` (MIT); letters and digits by espeak-ng.

    Raises:
        ImportError: `pypinyin` is missing.
    """
    try:
        from pypinyin import Style, lazy_pinyin
        from pypinyin.seg.mmseg import seg
    except ImportError as error:
        raise ImportError("Mandarin by this voice needs: pip install pypinyin") from error
    words, place = [], 0
    runs = re.findall(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+|.", text, re.DOTALL)
    for word in (word for run in runs for word in (seg.cut(run) if UNSPACED.match(run) else [run])):
        span = (place, place + len(word))
        place = span[1]
        initials = lazy_pinyin(word, style=Style.INITIALS, errors="ignore")
        finals = lazy_pinyin(word, style=Style.FINALS_TONE3, errors="ignore")
        phones = [phone for pair in zip(initials, finals) for phone in _syllable(*pair)] or _other(word, "cmn")
        if phones:
            words.append(PhonemeWord(word, phones, span))
    return words


def _other(word: str, language: str = "ja") -> list[str]:
    """Letters and digits as espeak-ng reads them."""
    if not any(c.isalnum() for c in word):
        return []
    return [phone for spoken in get_g2p("espeak", language)(word) for phone in spoken.phones]


def _syllable(initial: str, final: str) -> list[str]:
    bare, tone = final.rstrip("1234"), _TONES.get(final[-1:], "")
    if bare == "i" and initial in ("z", "c", "s", "zh", "ch", "sh", "r"):
        return [_INITIALS[initial], "ɨ" + tone]
    parts = _FINALS.get(bare, "").split()
    nucleus = next((i for i, part in enumerate(parts) if part[0] not in "jwɥ"), None)
    if nucleus is None:
        return []
    parts[nucleus] += tone
    return [part for part in (_INITIALS[initial], *parts) if part]
