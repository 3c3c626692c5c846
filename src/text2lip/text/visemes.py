"""IPA phones to visemes and articulatory features, total on every Unicode string.

A phone string ("aɪ", "t͡ʃ", "onɡ5", "kʰ") is split into letters of the fixed `PHONE_INVENTORY`; each letter has
features that a mouth can be driven with and, in each `VisemeSet`, a label.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from text2lip.text.letters import LETTER_ALIASES, LETTER_ROWS


FEATURES = ("closure", "labiodental", "rounding", "jaw", "spread", "tongue")
OCULUS_LABELS = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
AZURE_DIPHTHONGS = {"aʊ": 9, "ɔɪ": 10, "aɪ": 11}

_ROWS = [row.split() for row in LETTER_ROWS.strip().splitlines()]
_ROWS[0][0] = ""
PHONE_INVENTORY: tuple[str, ...] = tuple(row[0] for row in _ROWS)
"""Base IPA letters in a fixed order, index 0 = "" (silence). Only ever appended to: weights depend on the order."""

PHONE_TO_ID: dict[str, int] = {letter: i for i, letter in enumerate(PHONE_INVENTORY)}
LETTER_CLASS: dict[str, str] = {row[0]: row[1] for row in _ROWS}
"""Letter -> silence, vowel, glide, liquid, stop, nasal, trill, fricative, glottal or click."""

TRANSPARENT = frozenset(letter for letter, kind in LETTER_CLASS.items() if kind == "glottal")
"""Sounds made behind the mouth (h, ʔ, ...): the lips are already at the following vowel."""

_FEATURE_TABLE = np.array([[int(x) / 100 for x in row[4:]] for row in _ROWS], dtype=np.float32)
_FEATURE_TABLE.setflags(write=False)
_MODIFIERS = {"ʷ": "w", "ᶣ": "ɥ", "˞": "ɹ", "ʲ": ""}  # ʲ moves the tongue alone; it counts only when it stands alone


def letter_features(letter: str) -> np.ndarray:
    """Articulatory features of one letter of `PHONE_INVENTORY`.

    Float32 (6,) in [0, 1], in the order of `FEATURES`, read-only; all zero for silence, "". Transparent sounds (h, ʔ)
    give their own resting values; `sequence_features` gives them their neighbour's.

    Raises:
        ValueError: `letter` is not in the inventory (split a phone with `split_phone` first).
    """
    if letter not in PHONE_TO_ID:
        raise ValueError(f"letter: {letter!r} is not in PHONE_INVENTORY; split the phone with split_phone first.")
    return _FEATURE_TABLE[PHONE_TO_ID[letter]]


def resolve_transparent(letters: Sequence[str], transparent: frozenset[str] = TRANSPARENT) -> list[str]:
    """Replace transparent sounds among `letters` of `PHONE_INVENTORY` by the letter whose mouth shape they borrow.

    h, ʔ and their like take the following vowel, else the vowel (or any sound) before, within the same stretch of
    speech; one that stands alone stays.
    """
    resolved = list(letters)
    for i in range(len(resolved) - 1, -1, -1):  # from the end, so that a run "hʔa" resolves to a
        if letters[i] in transparent and i + 1 < len(resolved) and LETTER_CLASS[resolved[i + 1]] in ("vowel", "glide"):
            resolved[i] = resolved[i + 1]
    for i in range(1, len(resolved)):
        if resolved[i] in transparent and resolved[i - 1]:
            resolved[i] = resolved[i - 1]
    return resolved


def sequence_features(letters: Sequence[str]) -> np.ndarray:
    """[`letter_features`] of a run of letters, float32 (letters, 6), h and ʔ taking their neighbour's mouth shape."""
    rows = [letter_features(letter) for letter in resolve_transparent(letters)]
    return np.stack(rows) if rows else np.zeros((0, len(FEATURES)), np.float32)


def _spell(char: str) -> str:
    """The inventory letters that one NFD character stands for; "" for marks, tones, digits, punctuation."""
    if char in PHONE_TO_ID:
        return char
    if char in LETTER_ALIASES:
        return LETTER_ALIASES[char]
    if unicodedata.category(char)[0] != "L" or unicodedata.category(char) == "Lm":
        return ""
    spelled = ""
    for part in unicodedata.normalize("NFKD", char).lower():
        if part in PHONE_TO_ID or part in LETTER_ALIASES:
            spelled += LETTER_ALIASES.get(part, part)
        elif unicodedata.category(part)[0] == "L" and unicodedata.category(part) != "Lm":
            spelled += "ə"  # an unknown letter is some voiced sound: mid-open
    return spelled


def _is_vowel(letter: str) -> bool:
    return LETTER_CLASS[letter] == "vowel"


def _letters(phone: str) -> list[str]:
    """The letters of a phone in order: marks dropped, leaks mapped, tones, aspiration and doublings removed."""
    letters: list[str] = []
    apart = unicodedata.normalize("NFD", phone)  # but letters that must not lose their mark: ç, Chinese apical vowels
    for char in apart.replace("c\u0327", "ç").replace("i\u032a", "ɿ").replace("i.", "ʅ"):
        if char == "˞" and letters and letters[-1] in "əɜ":  # "ə˞" is ɚ, "ɜ˞" is ɝ
            letters[-1] = "ɚ" if letters[-1] == "ə" else "ɝ"
        else:
            letters += _MODIFIERS[char] if char in _MODIFIERS else _spell(char)
    if not letters:
        return ["j"] if "ʲ" in phone else []
    if letters[-1] == "ɜ" and any(_is_vowel(letter) and letter != "ɜ" for letter in letters):
        letters.pop()  # espeak's name of the third tone
    if len(letters) > 1 and letters[-2:] == ["n", "ɡ"]:
        letters[-2:] = ["ŋ"]  # rimes of Chinese
    if len(letters) > 1 and letters[-1] in ("h", "ɦ") and not _is_vowel(letters[-2]):
        letters.pop()  # aspiration written as a letter: "kh"
    half = len(letters) // 2
    if letters[:half] == letters[half:]:  # a long consonant written twice: "t͡st͡s"
        letters = letters[:half]
    return [letter for i, letter in enumerate(letters) if i == 0 or letter != letters[i - 1]]


@lru_cache(maxsize=8192)
def _split(phone: str) -> tuple[tuple[str, float], ...]:
    letters = _letters(phone)
    if not letters:
        return (("", 1.0),)
    if len(letters) == 2:
        affricate = LETTER_CLASS[letters[0]] == "stop" and LETTER_CLASS[letters[1]] == "fricative"
        first = 0.4 if affricate else 0.6
        return ((letters[0], first), (letters[1], 1.0 - first))
    return tuple((letter, 1.0 / len(letters)) for letter in letters)


def split_phone(phone: str) -> list[tuple[str, float]]:
    """Split a phone into letters of `PHONE_INVENTORY` with their shares of its time; total on every string.

    Stress, length, tones, ties, aspiration and all combining marks are dropped; ʷ and rhoticity become letters of
    their own. Two letters share 60/40 (stop + fricative 40/60), longer rimes evenly. A letter of another script
    becomes ə; a string without any letter is silence.

    `phone` is an IPA phone as an espeak voice, an aligner or a file gives it; "" is silence.
    """
    return list(_split(phone))


def spelling_error(phone: str) -> str:
    """What keeps a user's `phone` from being one in IPA, X-SAMPA or ARPAbet, "" for nothing: [`split_phone`] finds a
    sound in any letter and question mark, which are ʔ in X-SAMPA."""
    for char in unicodedata.normalize("NFKC", phone):
        is_letter = unicodedata.category(char) in ("Ll", "Lu", "Lo")
        if is_letter and not unicodedata.name(char, "").startswith(("LATIN", "GREEK")):
            return f"holds {char!r}, which is no IPA letter"
    if split_phone(phone.replace("?", "") if "??" in phone else phone) == [("", 1.0)]:
        return "holds no IPA letter"
    return "holds '??', which is no sound" if "??" in phone else ""


@dataclass(frozen=True)
class VisemeSet:
    """A viseme alphabet: labels and which letter shows which.

    Attributes:
        name (`str`): "oculus", "azure" or the user's.
        labels (`tuple[str, ...]`): label of each id; id 0 is the resting mouth.
        letters (`dict[str, int]`): viseme id of every letter of `PHONE_INVENTORY`.
        phones (`dict[str, int]`): phones of several letters that have an id of their own (Azure: aɪ, aʊ, ɔɪ).
        transparent (`frozenset[str]`): letters that take their neighbour's viseme.
        source (`dict[str, str]`, *optional*): the user's table that it was made from.
    """

    name: str
    labels: tuple[str, ...]
    letters: dict[str, int]
    phones: dict[str, int] = field(default_factory=dict)
    transparent: frozenset[str] = TRANSPARENT
    source: dict[str, str] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def phones_of_each(self) -> list[str]:
        """For each id the letters of `PHONE_INVENTORY`, and the phones of several letters, that show it: "b m p"."""
        phones = {**self.letters, **self.phones}
        return [" ".join(p for p, viseme in phones.items() if p and viseme == i) for i in range(len(self))]

    def letter_ids(self, letters: Sequence[str]) -> list[int]:
        """Viseme ids of a run of letters ("" is silence), transparent ones taking their neighbour's."""
        return [self.letters[letter] for letter in resolve_transparent(letters, self.transparent)]

    def phone_id(self, letters: Sequence[str]) -> int | None:
        """Id of a whole phone of several letters, None where its letters are to be shown one after the other."""
        return self.phones.get("".join(letters)) if self.phones else None


def nearest_letter(letter: str, candidates: Sequence[str]) -> str:
    """The candidate that looks most like `letter`: least distance of features, lip contact counting most."""
    weights = np.array([4, 4, 1, 1, 1, 1], np.float32)  # a mouth wrongly closed is seen at once

    def distance(candidate: str) -> float:
        apart = float(np.sum(weights * (letter_features(candidate) - letter_features(letter)) ** 2))
        return apart + 0.05 * (_is_vowel(candidate) != _is_vowel(letter))

    return min(candidates, key=distance)


def viseme_set_from_table(table: Mapping, name: str = "custom") -> VisemeSet:
    """Make a viseme set from a user's table; letters it leaves out look like their nearest neighbour in it.

    Args:
        table (`Mapping`): IPA phone -> label, both strings, such as `{"": "rest", "p": "MBP", "aɪ": "AI"}`. The
            phone "" names the resting mouth (default "sil", id 0). Other labels get ids in alphabetical order, so that
            ids don't depend on the order of a JSON file.
        name (`str`): name of the set.

    Raises:
        ValueError: the table is empty, or a key or label is not a string, or a phone has no IPA letter.
    """
    if not isinstance(table, Mapping) or not any(key != "" for key in table):
        raise ValueError(f"table: wants a mapping of IPA phone -> label with at least one phone, got {table!r}.")
    for phone, label in table.items():
        if not (isinstance(phone, str) and isinstance(label, str) and label):
            raise ValueError(f"table: {phone!r} -> {label!r}; wants IPA phone -> label, both non-empty strings.")
    rest = table.get("", "sil")
    labels = [rest, *sorted(set(table.values()) - {rest})]
    known, phones = {"": 0}, {}
    for phone, label in table.items():
        letters = [letter for letter, _ in split_phone(phone)]
        if letters == [""] and phone != "":
            raise ValueError(f"table: {phone!r} holds no IPA letter.")
        if len(letters) == 1:
            known[letters[0]] = labels.index(label)
        else:
            phones["".join(letters)] = labels.index(label)
    first_of = {letters[0]: i for letters, i in reversed(phones.items())}
    singles = [letter for letter in known if letter] or list(first_of)
    ids = {}
    for letter in PHONE_INVENTORY:
        look = letter if letter in known else nearest_letter(letter, singles)
        ids[letter] = known[look] if look in known else first_of[look]
    return VisemeSet(name, tuple(labels), ids, phones, TRANSPARENT - set(known), dict(table))


def _oculus() -> VisemeSet:
    ids = {row[0]: OCULUS_LABELS.index("kk" if row[2] == "~" else row[2]) for row in _ROWS}
    return VisemeSet("oculus", OCULUS_LABELS, ids)


def _azure() -> VisemeSet:
    labels = tuple(str(i) for i in range(22))
    return VisemeSet("azure", labels, {row[0]: int(row[3]) for row in _ROWS}, AZURE_DIPHTHONGS, frozenset())


VISEME_SETS = {"oculus": _oculus, "azure": _azure}


def get_viseme_set(viseme_set: str | Path | Mapping | VisemeSet = "oculus") -> VisemeSet:
    """Look up or build a viseme set.

    Args:
        viseme_set: "oculus" (15, the labels of MPEG-4 FBA), "azure" (22, also SAPI 5), a mapping of IPA phone ->
            label, the path of a JSON file that holds such a mapping (see `viseme_set_from_table`), or a set.

    Raises:
        ValueError: an unknown name, an unreadable file or a bad table.
    """
    if isinstance(viseme_set, VisemeSet):
        return viseme_set
    if isinstance(viseme_set, Mapping):
        return viseme_set_from_table(viseme_set)
    if viseme_set in VISEME_SETS:
        return VISEME_SETS[viseme_set]()
    path = Path(viseme_set)
    if path.suffix != ".json":
        raise ValueError(
            f"viseme_set: {str(viseme_set)!r} is unknown; wants one of {sorted(VISEME_SETS)}, a mapping of IPA phone "
            "-> label, or the path of a .json file with one."
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"viseme_set: cannot read the table {str(path)!r}: {error}") from error
    return viseme_set_from_table(table, name=path.stem)
