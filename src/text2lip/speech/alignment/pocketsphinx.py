"""Forced alignment by pocketsphinx, an acoustic model of the phones of English; those of other languages are taken for
the nearest of them."""

import difflib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from text2lip.speech.alignment import GIVE_THE_WORDS, AlignmentError
from text2lip.speech.alignment.loose_grammar import BEAMS, allow_gaps, heard_order
from text2lip.speech.alignment.silences import pauses, runs, trim_edges
from text2lip.speech.alignment.words import words_with_phones
from text2lip.speech.audio import SAMPLES_AT_ONCE, peak
from text2lip.speech.features import HOP_SECONDS, SAMPLING_RATE, mfcc
from text2lip.speech.resampling import Resampled
from text2lip.text.arpabet import ARPABET_TO_IPA, CHOICES, to_arpabet
from text2lip.text.sentences import in_short
from text2lip.text.timing import Segment, Timeline


WINDOW_DELAY = 0.008  # a frame of 25.6 ms is named by its start, but shows its centre
# Mean senone score of a spoken frame, 0 is perfect. Measured: GRID -10 to -25, GRID in noise of 10 dB -21 to -36,
# another sentence of the same grammar -26 to -57 (median -43), unrelated sentences -48 to -74.
LOWEST_SCORE = -40.0
WIDE_BEAMS = {"beam": 1e-120, "pbeam": 1e-120, "wbeam": 1e-100}  # slower; for sound far from the acoustic model
LONGEST_AT_ONCE = 60  # seconds
# Of the senone scores of words on GRID: said ones -10 to -50, others -65 to -200 where the text has one too many.
DOUBTED_SCORE, DOUBTED_BELOW_USUAL, SCORE_SLOPE = -60.0, -45.0, 10.0  # confidence 0.5, and how fast it falls
SURE = 0.75  # no word is given up of which the exact alignment is surer
EVIDENCE = 5  # frames of usual score that a word is given: "a" says little
LONGEST_UNIT, LONGEST_LEFT = 5, 25  # times the usual length of a sound; frames that sound without a word
LONGEST_OTHER = 15  # frames of speech that belong to no word
HEARD = 0.5  # of a text's phones, at least
SEARCHED, SEARCHED_TWICE = (
    18_000,
    1_500,
)  # frames of a long recording that are searched at once, and at its end once more
SEARCHED_WORDS = 900  # that nobody says faster in it
HOP_SAMPLES = round(HOP_SECONDS * SAMPLING_RATE)
KEY = "text2lip."


def align_pocketsphinx(
    samples: np.ndarray | Resampled, spoken: Timeline, text: str, duration: float, english: bool = True
) -> Timeline:
    """Two passes of pocketsphinx: words with optional pauses between them, then the states inside the words.

    Every word may be said as espeak says it or, in English, as the dictionary has it. `bestpath` stays off: its
    lattice pass moves word ends so far that the second pass fails on 7 % of clips.

    Args:
        samples (`np.ndarray` or [`Resampled`]): (samples,) float32 at 16 kHz.
        spoken (`Timeline`): the text said by espeak, for its words and phones.
        duration (`float`): seconds, of the timeline returned.
        english (`bool`): the text's language.

    Returns:
        `Timeline`: with the confidence in each word. A word that isn't heard at all has no length.
    """
    words = [_Word(word, phones, english) for word, phones in words_with_phones(spoken)]
    aligned = _search(words, _Pcm(samples)) if words else None
    if aligned is None:
        raise AlignmentError(f"audio: the sound doesn't fit the text {in_short(text)!r}; {GIVE_THE_WORDS}.")
    score = _score([unit for word in aligned for unit in word])
    if score < LOWEST_SCORE:
        raise AlignmentError(
            f"audio: something else seems to be said than the text {in_short(text)!r} (score {score:.1f}, wants "
            f"{LOWEST_SCORE:.0f} or more); {GIVE_THE_WORDS}."
        )
    timed_phones, timed_words = [], []
    for word, units in zip(words, aligned):
        timed = _label(word, units, duration)
        timed_phones += timed
        place = timed_phones[-1].end if timed_phones else 0.0
        timed_words.append(Segment(word.text, *((timed[0].start, timed[-1].end) if timed else (place, place))))
    timed_phones, timed_words = trim_edges(timed_phones, timed_words, samples)
    timeline = Timeline.from_phones(timed_phones, timed_words, duration)
    return replace(timeline, confidence=_confidences(aligned))


class _Pcm:
    """What the decoder hears, int16 samples, made where they are wanted: `pcm[a:b]`."""

    def __init__(self, samples: np.ndarray | Resampled):
        pieces = (samples[start : start + SAMPLES_AT_ONCE] for start in range(0, len(samples), SAMPLES_AT_ONCE))
        self._samples, self._loudest = samples, np.float32(max(map(peak, pieces)))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, window: slice) -> np.ndarray:
        return (self._samples[window] / self._loudest * 16_000).astype("<i2")


class _Word(NamedTuple):
    """A word and its IPA phones."""

    text: str
    phones: list[str]
    english: bool

    def ways(self) -> list[list[tuple[str, int]]]:
        """The ways to hear the phones: ARPAbet symbols, each with the index of its phone."""
        choices = [None] if self.english else range(CHOICES)
        phones = list(enumerate(self.phones))
        return [[(symbol, i) for i, phone in phones for symbol in to_arpabet(phone, choice)] for choice in choices]


class _Unit(NamedTuple):
    """An ARPAbet phone: first frame, number of frames, summed senone score."""

    name: str
    start: int
    duration: int
    score: float


def _score(units: list[_Unit]) -> float:
    """Mean senone score of a frame."""
    return sum(unit.score for unit in units) / max(1, sum(unit.duration for unit in units))


def _confidences(aligned: list[list[_Unit]]) -> tuple[float, ...]:
    """That each word is said: voices differ in how well the model knows them, so a word is doubted that fits ill by
    itself and worse than the others."""
    scores = np.array([_score(units) for units in aligned])
    lengths = np.array([sum(unit.duration for unit in units) for units in aligned])
    heard = lengths > 0
    usual = np.median(scores[heard]) if heard.any() else 0.0
    scores = np.where(heard, (scores * lengths + usual * EVIDENCE) / (lengths + EVIDENCE), -np.inf)
    margins = np.maximum(scores - DOUBTED_SCORE, scores - usual - DOUBTED_BELOW_USUAL)
    return tuple(float(sure) for sure in expit(margins / SCORE_SLOPE))


def _search(words: list[_Word], pcm: np.ndarray | _Pcm) -> list[list[_Unit]] | None:
    """The units of each word, none for one that isn't heard; or None where no path goes through the words."""
    pcm = pcm[:] if len(pcm) <= LONGEST_AT_ONCE * SAMPLING_RATE else pcm
    exact = _search_in_beams(words, pcm, {}) or _search_in_beams(words, pcm, WIDE_BEAMS)
    if exact is not None and (len(pcm) > LONGEST_AT_ONCE * SAMPLING_RATE or not _is_doubtful(exact, pcm)):
        return exact  # a long one is made of parts, each looked at by itself
    pcm = pcm[:]
    loose, other = _search_loosely(words, pcm, BEAMS)
    if exact is None:
        return loose or _search_loosely(words, pcm, WIDE_BEAMS)[0]
    if loose and _score([unit for units in exact for unit in units]) < LOWEST_SCORE:
        return loose
    lost = [sure for sure, units in zip(_confidences(exact), loose or []) if not units]
    mended = loose and (lost or other > LONGEST_OTHER) and max(lost, default=0.0) < SURE
    return loose if mended else exact


def _is_doubtful(aligned: list[list[_Unit]], pcm: np.ndarray) -> bool:
    """Whether a word fits ill or is drawn out, or something sounds without a word."""
    lengths = [unit.duration for units in aligned for unit in units]
    if min(_confidences(aligned)) < SURE or max(lengths) > LONGEST_UNIT * np.median(lengths):
        return True
    loud = ~pauses(mfcc(pcm / 2**15).energy)
    for units in aligned:
        loud[units[0].start : units[-1].start + units[-1].duration] = False
    return any(end - start > LONGEST_LEFT for start, end in runs(loud))


def _search_loosely(words: list[_Word], pcm: np.ndarray, beams: dict) -> tuple[list[list[_Unit]] | None, int]:
    """As [`_search`], for a text of which words may be missing or too many, None where under half of it is heard; and
    for how many frames at most something else is said."""
    decoder = _decoder(beams, words[0].english)
    keys = [_add_word(decoder, word) for word in words]
    try:
        allow_gaps(decoder, keys)
        _decode(decoder, pcm)
        order = [] if decoder.hyp() is None else heard_order(decoder, keys)
        heard = {index for index, _ in order if index is not None}
        phones = [len(word.phones) for word in words]
        if sum(phones[index] for index in heard) < HEARD * sum(phones):
            return None, 0
        units = _states(decoder, [key for _, key in order], pcm)
    except RuntimeError:  # no path
        return None, 0
    if units is None:
        return None, 0
    found, other, longest = {}, 0, 0
    for (index, _), states in zip(order, units):
        other = other + sum(unit.duration for unit in states) if index is None else 0
        longest = max(longest, other)
        found[index] = states
    return [found.get(index, []) for index in range(len(words))], longest


def _decoder(beams: dict, english: bool):
    from pocketsphinx import Config, Decoder

    beams = beams if english else {**beams, "dict": None}
    return Decoder(Config(samprate=SAMPLING_RATE, lm=None, bestpath=False, loglevel="FATAL", **beams))


def _search_in_beams(words: list[_Word], pcm: np.ndarray, beams: dict) -> list[list[_Unit]] | None:
    decoder = _decoder(beams, words[0].english)
    try:
        if len(pcm) > LONGEST_AT_ONCE * SAMPLING_RATE:
            cuts = _long_cuts(words, pcm, beams)
            if len(cuts) > 1:
                return _search_parts(words, pcm, cuts)
        return _states(decoder, [_add_word(decoder, word) for word in words], pcm[:])
    except RuntimeError:  # a pass found no path
        return None


def _states(decoder, keys: list[str], pcm: np.ndarray) -> list[list[_Unit]] | None:
    """Align words of the decoder's dictionary: the units of each, or None where no path goes through all."""
    decoder.set_align_text(" ".join(keys))
    _decode(decoder, pcm)
    if decoder.hyp() is None:
        return None
    decoder.set_alignment()
    _decode(decoder, pcm)
    found = [[_Unit(u.name, u.start, u.duration, u.score) for u in word] for word in decoder.get_alignment()]
    spoken = [units for units in found if units[0].name in ARPABET_TO_IPA]
    return spoken if len(spoken) == len(keys) else None


def _long_cuts(words: list[_Word], pcm: np.ndarray, beams: dict) -> list[tuple[int, int]]:
    """Where to cut a long recording, see [`_cuts`]; empty where no path goes through it.

    Time and memory of a search grow faster than the recording's length, so it is looked through in windows, each of
    which begins at the last pause but `SEARCHED_TWICE` of the one before.
    """
    cuts, first, start = [], 0, 0
    while first < len(words):
        last = len(pcm) <= (start + SEARCHED) * HOP_SAMPLES
        ahead = words[first:] if last else words[first : first + SEARCHED_WORDS]
        decoder = _decoder(beams, words[0].english)
        decoder.set_align_text(" ".join(_add_word(decoder, word) for word in ahead))
        decoder.start_utt()
        decoder.process_raw(pcm[start * HOP_SAMPLES : (start + SEARCHED) * HOP_SAMPLES].tobytes(), full_utt=True)
        if last:
            decoder.end_utt()
        if decoder.hyp() is None:
            return []
        found = [
            (first + count, start + frame)
            for count, frame in _cuts(decoder)
            if last or frame < SEARCHED - SEARCHED_TWICE
        ]
        if not last:
            decoder.end_utt()
        if not found:
            return []
        cuts += found
        first, start = cuts[-1]
    return cuts


def _cuts(decoder) -> list[tuple[int, int]]:
    """What a decoder has heard, cut: (number of words so far, frame), each in a pause after further words, the end
    last."""
    cuts, words, last = [], 0, 0
    segments = list(decoder.seg())
    for segment in segments:
        if segment.word.startswith(KEY):
            words += 1
        elif words > (cuts[-1][0] if cuts else 0) and segment.end_frame - segment.start_frame >= 10:
            middle = (segment.start_frame + segment.end_frame) // 2
            if (middle - last) * HOP_SECONDS >= LONGEST_AT_ONCE / 3:
                cuts.append((words, middle))
                last = middle
    if cuts and cuts[-1][0] == words:
        cuts.pop()
    return [*cuts, (words, segments[-1].end_frame + 1)]


def _search_parts(words: list, pcm: np.ndarray, cuts: list[tuple[int, int]]) -> list[list[_Unit]] | None:
    aligned: list[list[_Unit]] = []
    first_word = first_frame = 0
    for last_word, last_frame in cuts:
        end = len(pcm) if last_word == len(words) else last_frame * HOP_SAMPLES
        part = _search(words[first_word:last_word], pcm[first_frame * HOP_SAMPLES : end])
        part = part or [[]] * (last_word - first_word)  # one that doesn't fit spoils no other
        aligned += [[unit._replace(start=unit.start + first_frame) for unit in units] for units in part]
        first_word, first_frame = last_word, last_frame
    heard = sum(len(word.phones) for word, units in zip(words, aligned) if units)
    return aligned if heard >= HEARD * sum(len(word.phones) for word in words) else None


def _add_word(decoder, word: _Word) -> str:
    """Teach the decoder a word under a key of its own; return the key."""
    plain = "".join(c for c in word.text.lower().replace("’", "'") if c.isalnum() or c == "'").strip("'")
    plain = plain if word.english else ""
    spellings = list(dict.fromkeys(" ".join(symbol for symbol, _ in way) for way in word.ways()))
    for variant in (plain, f"{plain}(2)", f"{plain}(3)"):
        found = decoder.lookup_word(variant) if plain else None
        if found and found not in spellings:
            spellings.append(found)
    if plain == "z":
        spellings.append("Z EH D")
    key = KEY + ".".join(spellings).replace(" ", "-")
    if decoder.lookup_word(key) is None:
        for index, spelling in enumerate(spellings):
            name = key if index == 0 else f"{key}({index + 1})"
            decoder.add_word(name, spelling, index == len(spellings) - 1)
    return key


def _decode(decoder, pcm: np.ndarray) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()


def _label(word: _Word, units: list[_Unit], duration: float) -> list[Segment]:
    """ARPAbet units with times -> IPA phones with times.

    Where the decoder said the word as espeak does, the phones are espeak's; where it chose a pronunciation of the
    dictionary, units that espeak has too keep espeak's label and the others get the IPA of their ARPAbet symbol.
    """
    names, owners = [unit.name for unit in units], [None] * len(units)
    ways = word.ways()
    symbols = next((way for way in ways if [symbol for symbol, _ in way] == names), ways[0])
    matcher = difflib.SequenceMatcher(None, [s for s, _ in symbols], names, autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            owners[block.b + offset] = symbols[block.a + offset][1]
    segments: list[Segment] = []
    previous = None
    for unit, owner in zip(units, owners):
        start = min(duration, unit.start * HOP_SECONDS + WINDOW_DELAY)
        end = min(duration, (unit.start + unit.duration) * HOP_SECONDS + WINDOW_DELAY)
        if owner is not None and owner == previous:
            segments[-1] = segments[-1]._replace(end=end)
        else:
            segments.append(Segment(ARPABET_TO_IPA[unit.name] if owner is None else word.phones[owner], start, end))
        previous = owner
    return segments
