"""Phrases, stress, questions and feelings of what is said: what a head and a face go by."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from text2lip.speech.alignment.silences import pauses, runs
from text2lip.speech.audio import to_mono
from text2lip.speech.features import HOP_SECONDS, SAMPLING_RATE, levelled, mfcc
from text2lip.speech.resampling import resampled_whole
from text2lip.speech.utterance import Speech
from text2lip.speech.voices.protocol import clean_text
from text2lip.text.feeling_marks import FeelingMark, feeling_marks, guessed_feeling
from text2lip.text.ssml import is_ssml, without_prolog
from text2lip.text.timing import Segment, Timeline, Word
from text2lip.text.visemes import LETTER_CLASS


# set by hand
PHRASE_PAUSE = 0.2  # seconds of silence that end a phrase without a mark
LOUD, HIGH = 4.0, 3.0  # dB, semitones above the rest of the phrase that add 1 to a stress
PITCH_RANGE = (65.0, 400.0)  # Hz
SHOUTED = 1.0  # added to the stress of a word in capitals, or emphasised
SOUND_STRESS = 0.7  # seconds between stresses of a sound whose words nobody knows
_WH_WORDS = (
    "who what when where why how which whose whom wer was wann wo warum wie wieso weshalb welche welcher welches "
    "qui que quoi quand où pourquoi comment combien quel quelle quién qué cuándo dónde por cómo cuánto cuál chi che "
    "cosa quando dove perché come quanto quale quem o onde porque como кто что когда где почему как"
)
_FUNCTION_WORDS = (
    "a an the of to in on at by for from with and or but nor so as if than then that this these those it its is are "
    "was were be been am do does did has have had will would can could shall should may might must i you he she we "
    "they me him her us them my your his our their not no there"
)
_WH, _FUNCTION = frozenset(_WH_WORDS.split()), frozenset(_FUNCTION_WORDS.split())
_SHORT_NAMES = frozenset(("it", "us", "am"))  # which in capitals are something else
_CLOSERS = "\"'”’»›)]}*_~"
_SENTENCE_ENDS, _CLAUSE_ENDS = ".!?…。！？؟।", ",;:—–，、；：،"


class Stress(NamedTuple):
    """A stressed syllable: its vowel's middle, seconds; how strong it is, 1 is usual; whether the word is emphasised;
    and when the word ends."""

    time: float
    size: float
    emphatic: bool
    end: float


@dataclass(frozen=True)
class Phrase:
    """What is said in one go.

    Attributes:
        start, end (`float`): seconds.
        mark (`str`): what ends it: "." "?" "!" "," or "" where nothing is written.
        question (`str`): "yes-no" or "wh" in the last phrase of such a question, else "".
        opens (`bool`): whether a sentence begins with it.
        stresses (`tuple[Stress, ...]`): in order.
        feeling (`dict[str, float]`, *optional*): that the text asks for; None where it says nothing.
        speaker (`str`): who says it; "" elsewhere than in a dialogue.
    """

    start: float
    end: float
    mark: str = ""
    question: str = ""
    opens: bool = True
    stresses: tuple[Stress, ...] = ()
    feeling: dict[str, float] | None = None
    speaker: str = ""


@dataclass
class _Spoken:
    word: Word
    emphatic: bool = False
    feeling: dict[str, float] | None = field(default=None)

    @property
    def bare(self) -> str:
        return self.word.label.strip().strip(".,;:!?…()[]{}\"'“”‘’«»*_~").lower()

    @property
    def mark(self) -> str:
        last = self.word.label.rstrip().rstrip(_CLOSERS)[-1:]
        if last in "?？؟" and last:
            return "?"
        if last in "!！" and last:
            return "!"
        return "." if last and last in _SENTENCE_ENDS else "," if last and last in _CLAUSE_ENDS else ""


def phrases_of(speech: Speech, text: str | None = None, guess: bool = False) -> list[Phrase]:
    """The phrases of speech; of a sound whose words nobody knows, stretches without a pause.

    Args:
        speech ([`Speech`]): where it has sound, louder and higher syllables are stressed more.
        text (`str`, *optional*): in which the words' spans are; of a dialogue its turns' texts are read too.
        guess (`bool`): whether sentences without a feeling get the one that [`guessed_feeling`] finds.
    """
    timeline = speech.timeline
    if not timeline.words and speech.audio is not None:
        return _heard_phrases(speech)
    words = _marked(timeline, text)
    if not words:
        spoken = [phone for phone in timeline.phones if phone.label]
        words = [_Spoken(Word("", one.start, one.end)) for one in spoken]
    phrases = []
    for sentence in _cut(words, lambda one: one.mark in (".", "?", "!")):
        feeling = next((one.feeling for one in reversed(sentence) if one.feeling is not None), None)
        if feeling is None and guess:
            feeling = guessed_feeling(" ".join(one.word.label for one in sentence)) or None
        asks = sentence[-1].mark == "?"
        wh = any(one.bare in _WH for one in sentence[:2])
        parts = list(_cut(sentence, lambda one: one.mark == ",", PHRASE_PAUSE))
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            phrase = Phrase(
                part[0].word.start,
                max(part[-1].word.end, part[0].word.start),
                part[-1].mark,
                ("wh" if wh else "yes-no") if asks and last else "",
                number == 0,
                tuple(_stresses(part, timeline.phones)),
                next((one.feeling for one in part if one.feeling is not None), feeling),
                getattr(part[0].word, "speaker", ""),
            )
            phrases.append(phrase if speech.audio is None else _weighed(phrase, speech))
    return phrases


def _cut(words: Sequence[_Spoken], ends, pause: float = float("inf")) -> Iterator[list[_Spoken]]:
    part: list[_Spoken] = []
    for one in words:
        other = part and getattr(one.word, "speaker", "") != getattr(part[-1].word, "speaker", "")
        if part and (ends(part[-1]) or other or one.word.start - part[-1].word.end >= pause):
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def _marked(timeline: Timeline, text: str | None) -> list[_Spoken]:
    """The words, with emphasis and feelings of the texts that their spans are of."""
    words = [_Spoken(word) for word in timeline.words]
    if _within(words, text):
        _mark(words, text)
    else:
        for turn in timeline.turns:
            _mark([one for one in words if turn.start - 1e-3 <= one.word.start < turn.end], turn.text)
    for one in words:
        letters = re.sub(r"[\W\d_]", "", one.word.label)
        word = len(letters) >= 4 or (len(letters) > 1 and one.bare in _FUNCTION - _SHORT_NAMES)
        one.emphatic |= word and letters.isupper() and letters != letters.lower()
    shouting = sum(one.emphatic for one in words) > 0.6 * len(words)
    for one in words if shouting and len(words) > 3 else ():
        one.emphatic = False
    return words


def _within(words: Iterable[_Spoken], text: str | None) -> bool:
    """Whether the spans of words are places in `text`: most of them, for a word may hold markup."""
    spans = [(one.word.label, one.word.span) for one in words if getattr(one.word, "span", None)]
    return bool(text) and 2 * sum(text[a:b].split() == label.split() for label, (a, b) in spans) > len(spans)


def _mark(words: Sequence[_Spoken], text: str) -> None:
    known = [one for one in words if getattr(one.word, "span", None)]
    text, ssml = clean_text(text), is_ssml(text)
    for mark in feeling_marks(without_prolog(text) if ssml else text, ssml):
        for one in _of_mark(mark, known):
            if mark.feeling is None:
                one.emphatic = True
            else:
                one.feeling = mark.feeling


def _of_mark(mark: FeelingMark, words: list[_Spoken]) -> list[_Spoken]:
    if not mark.sentence:  # of who speaks first in it alone
        inside = [one for one in words if mark.start <= one.word.span[0] < mark.end]
        return list(takewhile(lambda one: one.word.speaker == inside[0].word.speaker, inside))
    before = sum(one.word.span[0] <= mark.start for one in words)
    done = 0
    for sentence in _cut(words, lambda one: one.mark in (".", "?", "!")):
        done += len(sentence)
        if done >= before:
            return sentence
    return []


def _stresses(words: Sequence[_Spoken], phones: Sequence[Segment]) -> Iterator[Stress]:
    """Stressed syllables of content words: of the primary stress marks, else of the longest vowel."""
    starts = [phone.start for phone in phones]
    spoken = [phone for phone in phones if words[0].word.start - 1e-3 <= phone.start < words[-1].word.end]
    marked = any("ˈ" in phone.label for phone in spoken)
    for one in words:
        if one.bare in _FUNCTION and not one.emphatic:
            continue
        first, last = np.searchsorted(starts, [one.word.start - 1e-3, one.word.end - 1e-3])
        vowels = [p for p in phones[first:last] if LETTER_CLASS.get(p.label.lstrip("ˈˌ")[:1]) == "vowel"]
        primary = [p for p in vowels if "ˈ" in p.label]
        if marked and not primary and not one.emphatic:
            continue
        vowel = primary[0] if primary else max(vowels, key=lambda p: p.end - p.start, default=None)
        if vowel is None and not one.emphatic:
            continue
        middle = (vowel.start + vowel.end) / 2 if vowel else (one.word.start + one.word.end) / 2
        yield Stress(middle, 1.0 + SHOUTED * one.emphatic, one.emphatic, one.word.end)


def _weighed(phrase: Phrase, speech: Speech) -> Phrase:
    """A phrase whose louder and higher syllables are stressed more than its others."""
    if len(phrase.stresses) < 2:
        return phrase
    heard = np.array([_loud_and_high(speech, stress.time) for stress in phrase.stresses])
    heard[:, ~np.isfinite(heard).any(0)] = 0  # a whisper has no pitch
    more = np.nan_to_num((heard - np.nanmedian(heard, 0)) / (LOUD, HIGH)).mean(1).clip(-0.5, 0.8)
    stresses = (stress._replace(size=float(stress.size + by)) for stress, by in zip(phrase.stresses, more))
    return replace(phrase, stresses=tuple(stresses))


def _loud_and_high(speech: Speech, time: float, around: float = 0.03) -> tuple[float, float]:
    """Level in dB and pitch in semitones at a time, NaN where there is none: by autocorrelation (Boersma 1993)."""
    rate = speech.sampling_rate
    part = speech.audio[..., max(0, round((time - around) * rate)) : round((time + around) * rate)]
    sound = np.atleast_2d(part).mean(0, dtype=np.float64)
    if len(sound) < around * rate or not sound.any():
        return np.nan, np.nan
    level = 10 * np.log10(np.mean(sound**2) + 1e-10)
    taper = np.hanning(len(sound))
    spectrum, window = (np.abs(np.fft.rfft(x, 2 * len(sound))) ** 2 for x in ((sound - sound.mean()) * taper, taper))
    lags = np.fft.irfft(spectrum)[: len(sound)] / np.maximum(np.fft.irfft(window)[: len(sound)], 1e-9)
    low, high = (int(rate / pitch) for pitch in PITCH_RANGE[::-1])
    high = min(high, round(0.8 * len(sound)))
    best = low + int(np.argmax(lags[low:high]))
    return level, 12 * np.log2(rate / best) if lags[best] > 0.45 * lags[0] else np.nan


def _heard_phrases(speech: Speech) -> list[Phrase]:
    """Stretches of sound between pauses, stressed where it is loudest."""
    energy = mfcc(levelled(resampled_whole(to_mono(speech.audio), speech.sampling_rate, SAMPLING_RATE))).energy
    phrases = []
    for first, last in runs(~pauses(energy)):
        level, every = energy[first:last], round(SOUND_STRESS / HOP_SECONDS)
        peaks = [i + int(np.argmax(level[i : i + every])) for i in range(0, len(level), every)]
        peaks = [peak for peak in peaks if level[peak] > np.median(level)]
        times = [(first + peak + 0.5) * HOP_SECONDS for peak in peaks]
        stresses = tuple(Stress(time, 1.0, False, time + 0.1) for time in times)
        phrases.append(Phrase(first * HOP_SECONDS, last * HOP_SECONDS, stresses=stresses))
    return phrases
