"""IPA to espeak's phoneme mnemonics, so that espeak can say what `<phoneme>` asks for."""

import re

from text2lip.text.phonemes import parse_ipa
from text2lip.text.visemes import LETTER_CLASS, nearest_letter, split_phone


# espeak's names of phonemes that most languages share; what each sounds like in a language is asked of espeak
_CONSONANT_NAMES = """
p b t d k g c J q f v T D s z S Z x Q C h m n N n^ l l^ r r- R r" * j w w# tS dZ ts dz tS; dZ; S; Z; B X ? L
"""
_VOWEL_NAMES = """
a A: a: aa A E e e: i: i I o o: O O: 0 u u: U y y: Y Y: W W: V 3: 3 @ @: I2 a# u" E: eI aI OI aU oU @U I@ e@ U@ i@
E~ A~ O~ W~ a~ e~ o~
"""
CONSONANTS, VOWELS = _CONSONANT_NAMES.split(), _VOWEL_NAMES.split()
RHOTICS = "ɹrɾʁʀɻɽɺ"
LONGEST_GROUP = 60  # espeak-ng 1.52 writes past the end of its buffer, and the process dies, from about 200 on


def probe() -> tuple[str, list[tuple[int, str]]]:
    """A text that says every mnemonic before a neutral neighbour (no final devoicing, no linking r), and (offset,
    mnemonic) of each word in it."""
    text, places = "", []
    for mnemonic in CONSONANTS + VOWELS:
        places.append((len(text), mnemonic))
        text += f"[[{mnemonic}|{'a' if mnemonic in CONSONANTS else 'm'}]], "
    return text, places


def mnemonics(ipa: str, table: dict[str, str]) -> list[str]:
    """Spell IPA in mnemonics, in groups that espeak can say at once.

    Groups are of up to `LONGEST_GROUP` mnemonics joined by `|`, which keeps "t" and "S" apart from "tS", and cut
    between words where there are spaces.

    Args:
        ipa (`str`): IPA; ˈ and ˌ stress the next vowel. Errors as [`parse_ipa`].
        table (`dict[str, str]`): IPA -> mnemonic in the voice that will speak.
    """
    parse_ipa(ipa)  # raises where there is no sound at all
    groups: list[list[str]] = [[]]
    for word in ipa.split():
        spelled = _spelled(word, table)
        for start in range(0, len(spelled), LONGEST_GROUP):
            part = spelled[start : start + LONGEST_GROUP]
            if len(groups[-1]) + len(part) > LONGEST_GROUP:
                groups.append([])
            groups[-1] += part
    return ["|".join(group) for group in groups]


def _spelled(word: str, table: dict[str, str]) -> list[str]:
    spelled: list[str] = []
    for mark, part in re.findall(r"([ˈˌ']?)([^ˈˌ']*)", word):
        stress = {"": "", "ˌ": ","}.get(mark, "'")
        for phone in _phones(part):
            for name, vowel in _names(phone, table):
                spelled.append(stress + name if vowel else name)
                stress = "" if vowel else stress
    return spelled


def _phones(part: str) -> list[str]:
    try:
        return parse_ipa(part)
    except ValueError:
        return []


def _names(phone: str, table: dict[str, str]) -> list[tuple[str, bool]]:
    """(mnemonic, is it a vowel) of a phone: itself, or without its marks, or its letters one by one."""
    letters = [letter for letter, _ in split_phone(phone) if letter]
    vowel = any(LETTER_CLASS[letter] == "vowel" for letter in letters)
    for label in (phone, "".join(letters), "".join(letters) + "ː"):
        if label in table:
            return [(table[label], vowel)]
    single = {label.rstrip("ː"): label for label in table if len(label.rstrip("ː")) == 1}
    known = {letter: name for letter, name in single.items() if letter in LETTER_CLASS}
    nearest = [_nearest(letter, known) for letter in letters]
    return [(table[known[letter]], LETTER_CLASS[letter] == "vowel") for letter in nearest]


def _nearest(letter: str, known: dict[str, str]) -> str:
    """The letter itself, else the one of its class that looks most like it, r for any r-like sound."""
    if letter in known:
        return letter
    if letter in RHOTICS:
        return next((r for r in RHOTICS if r in known), "l")
    alike = [other for other in known if LETTER_CLASS[other] == LETTER_CLASS[letter]]
    return nearest_letter(letter, alike or list(known))
