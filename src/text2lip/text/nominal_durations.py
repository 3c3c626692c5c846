"""Nominal times for phones of a text that nobody has spoken: mean duration by class, pauses at punctuation.

Only a stand-in for a voice, an aligner or the duration predictor. Phone classes were fitted (least squares on the mean
lengths of 51 words, RMS 30 ms) to the word times of 31,792 GRID sentences by 32 talkers, then shortened by a fifth for
running speech, which is less careful than GRID's commands; pauses are those of espeak-ng at its normal rate.
"""

from collections.abc import Sequence
from functools import lru_cache

from text2lip.text.visemes import LETTER_CLASS, split_phone


PHONE_SECONDS = {
    "diphthong": 0.160,
    "long vowel": 0.150,
    "short vowel": 0.115,
    "reduced vowel": 0.065,
    "voiceless stop": 0.065,
    "voiced stop": 0.050,
    "tap": 0.035,
    "affricate": 0.090,
    "voiceless fricative": 0.090,
    "voiced fricative": 0.060,
    "nasal": 0.060,
    "approximant": 0.050,
    "glottal": 0.055,
    "click": 0.080,
}
FINAL_LENGTHENING = 1.4  # from the last vowel before a pause on (GRID: "now" 0.44 s against 0.27 s inside)
EDGE_SECONDS = (0.10, 0.20)  # silence before the first and after the last phone: the mouth opens from rest and returns
PAUSE_SECONDS = {"clause": 0.15, "break": 0.23, "sentence": 0.30, "paragraph": 0.53}
MIN_SECONDS = 0.02
_VOICED = frozenset("bdɡɖɟɢɓɗᶑʄɠʛvðzʒʐʑβɣʁʝɮ")
_SENTENCE = frozenset(".!?。！？｡．؟۔।॥։።။‽")


@lru_cache(maxsize=4096)
def phone_class(phone: str) -> str:
    """Duration class of a spoken IPA phone, a key of `PHONE_SECONDS`; the stress mark ˈ or ˌ in front of a vowel makes
    it long or short instead of reduced."""
    bare = phone.lstrip("ˈˌ")
    letters = [letter for letter, _ in split_phone(bare)]
    kind = LETTER_CLASS[letters[0]]
    voice = "voiced" if letters[0] in _VOICED else "voiceless"
    if kind == "vowel":
        if any(LETTER_CLASS[letter] == "vowel" for letter in letters[1:]):
            return "diphthong"
        if "ː" in bare or letters[0] in "ɚɝ":
            return "long vowel" if bare != "ɚ" else "reduced vowel"
        return "short vowel" if bare != phone else "reduced vowel"
    if len(letters) > 1 and kind == "stop":
        return "affricate" if LETTER_CLASS[letters[1]] == "fricative" else f"{voice} stop"
    if kind in ("stop", "fricative"):
        return f"{voice} {kind}"
    if letters[0] in ("ɾ", "ɽ", "ⱱ"):
        return "tap"
    return {"liquid": "approximant", "glide": "approximant", "trill": "approximant"}.get(kind, kind)


def pause_seconds(mark: str) -> float:
    """Seconds of the pause at what [`split_clauses`] found behind a clause, as espeak-ng pauses; 0 for nothing."""
    if not mark:
        return 0.0
    if mark.count("\n") > 1:
        return PAUSE_SECONDS["paragraph"]
    if any(c in _SENTENCE for c in mark):
        return PAUSE_SECONDS["sentence"]
    return PAUSE_SECONDS["clause" if any(c in ",،、，､፣၊" for c in mark) else "break"]


def nominal_durations(words: Sequence[Sequence[str]], final: bool = True, rate: float = 1.0) -> list[list[float]]:
    """Seconds of each phone of each of the `words` of one clause, phones with stress marks.

    With `final` a pause follows, and the end is lengthened; `rate` is the speaking rate, 2 is twice as fast.
    """
    classes = [[phone_class(phone) for phone in word] for word in words]
    seconds = [[PHONE_SECONDS[name] for name in word] for word in classes]
    if final and classes:
        vowels = [i for i, name in enumerate(classes[-1]) if "vowel" in name or name == "diphthong"]
        for i in range(vowels[-1] if vowels else 0, len(classes[-1])):
            seconds[-1][i] *= FINAL_LENGTHENING
    return [[max(s / rate, MIN_SECONDS) for s in word] for word in seconds]
