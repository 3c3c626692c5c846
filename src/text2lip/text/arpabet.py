"""ARPAbet, the phones of the English acoustic model, to IPA and back."""

import functools

from text2lip.text.visemes import nearest_letter, split_phone


ARPABET_TO_IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",
    "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "dʒ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip

_GROUPS = {
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "tʃ": "CH", "dʒ": "JH", "ts": "T S",
    "dz": "D Z", "tɕ": "CH", "dʑ": "JH", "tʂ": "CH", "dʐ": "JH", "ai": "AY", "au": "AW", "ei": "EY", "ou": "OW",
    "ɪə": "IH AH", "iə": "IY AH", "eə": "EH", "ʊə": "UH AH", "aɪə": "AY AH", "aɪɚ": "AY ER", "aʊə": "AW AH",
    "oi": "OY", "ɔi": "OY", "ɑi": "AY", "ɑu": "AW", "ɜɹ": "ER",
}  # fmt: skip
_LETTERS = {ipa: arpabet for arpabet, ipa in ARPABET_TO_IPA.items() if len(ipa) == 1} | {
    "a": "AA", "ɐ": "AH", "ə": "AH", "ɜ": "ER", "ɚ": "ER", "ɒ": "AA", "e": "EH", "o": "AO", "ᵻ": "IH", "ɨ": "IH",
    "y": "UW", "ø": "ER", "œ": "ER", "ʔ": "T", "ɾ": "T", "r": "R", "ʁ": "R", "ʀ": "R", "ɬ": "L", "x": "K", "χ": "K",
    "ɣ": "G", "ç": "SH", "ɕ": "SH", "ʑ": "ZH", "ʂ": "SH", "ʐ": "ZH", "c": "K", "ɟ": "G", "ɲ": "N Y", "ʎ": "L Y",
    "β": "V", "ɸ": "F", "ʋ": "V", "ɫ": "L", "ɥ": "W", "ʍ": "W", "ħ": "HH", "ʕ": "HH", "ɦ": "HH", "q": "K",
}  # fmt: skip

# What phones of other languages are like to pocketsphinx, best first: by mean scores of its phones while Kokoro (not
# German) and Pico say ten sentences each of German, French, Spanish and Italian.
_ABROAD = {
    "a": "AH AE", "e": "IH EH", "o": "OW UH", "u": "UW UH", "i": "IY IH", "ɛ": "EH EY", "ɔ": "AO OW", "ɑ": "AA AH",
    "ɪ": "IH IY", "ʊ": "UH L", "y": "IY UW", "ø": "UH IH", "œ": "UH AH", "ə": "AH IH", "ɜ": "AH EH", "ʁ": "L AH",
    "r": "R D", "ɾ": "D T", "l": "L AH", "ʎ": "Y JH", "j": "Y IY", "x": "HH K", "ɣ": "G", "β": "B V",
    "v": "V B", "ð": "D DH", "θ": "S TH", "t": "T P", "b": "B D",
}  # fmt: skip
CHOICES = 2


@functools.cache
def to_arpabet(phone: str, choice: int | None = None) -> tuple[str, ...]:
    """ARPAbet symbols for one IPA phone; total: an unknown phone takes the articulatory nearest, silence gives ().

    Args:
        phone (`str`): IPA.
        choice (`int`, *optional*): of another language than English; which of the `CHOICES` ways to hear it.
    """
    letters = [letter for letter, _ in split_phone(phone) if letter]
    symbols: list[str] = []
    position = 0
    while position < len(letters):
        for size in (3, 2):
            group = _GROUPS.get("".join(letters[position : position + size]))
            if group and len(letters) - position >= size:
                symbols += group.split()
                position += size
                break
        else:
            letter = letters[position]
            known = letter if letter in _LETTERS else nearest_letter(letter, list(_LETTERS))
            abroad = [] if choice is None else _ABROAD.get(known, "").split()
            symbols += abroad[choice:][:1] or abroad[:1] or _LETTERS[known].split()
            position += 1
    return tuple(symbols)
