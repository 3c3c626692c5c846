"""Forced alignment: when is each phone of a known text said in given sound?

By pocketsphinx, an acoustic model of English, which takes phones of other languages for the nearest that it knows.
What it refuses in another language is warped (dynamic time warping) onto timed espeak speech. Both give the phones of
espeak, so aligned and synthesised speech share one alphabet.
"""

import collections
import itertools
import warnings
from dataclasses import replace

from text2lip.speech.alignment import AlignmentError
from text2lip.speech.alignment.coverage import AlignmentWarning, doubts
from text2lip.speech.alignment.pocketsphinx import align_pocketsphinx
from text2lip.speech.alignment.time_warping import align_dtw
from text2lip.speech.audio import peak, read_sound
from text2lip.speech.features import SAMPLING_RATE, Cepstra, mfcc
from text2lip.speech.resampling import Resampled, resampled
from text2lip.speech.utterance import JoinedTimes
from text2lip.speech.voices.synthesis import speak_parts
from text2lip.text.espeak_library import espeak_is_installed
from text2lip.text.languages import resolve_language
from text2lip.text.sentences import in_short
from text2lip.text.timing import Timeline, with_spans


QUIETEST = 1e-3  # peak
METHODS = ("auto", "pocketsphinx", "dtw")


def align(audio, sampling_rate: int, text: str, language: str = "en-us", method: str = "auto") -> Timeline:
    """Find the times of the phones and words of `text` in `audio`.

    Args:
        audio (`np.ndarray`): (samples,) or (channels, samples) floats in [-1, 1].
        sampling_rate (`int`): Hz.
        text (`str`): what is said, word for word.
        language (`str`): language code.
        method (`str`): "pocketsphinx", "dtw", or "auto": pocketsphinx, and in other languages than English dtw where
            pocketsphinx refuses; what pocketsphinx doubts there, dtw may refuse.

    Returns:
        `Timeline`: IPA phones as espeak names them, words as written; `duration` is that of the sound.

    Raises:
        ValueError: bad audio, text, language or method.
        AlignmentError: the sound is silent, too short for the text, or says something else.

    Warns:
        AlignmentWarning: there is sound without a word, or words are stretched or crowded; see `coverage.doubts`.
    """
    language = resolve_language(language)
    if method not in METHODS:
        raise ValueError(f"method: got {method!r}; wants one of {', '.join(METHODS)}.")
    sound, rate = read_sound(audio, sampling_rate)
    # where espeak-ng is missing, Hibari's English does as well (GRID: 21 ms off in the mean by either)
    english, warped = language.startswith("en"), method == "dtw"
    voice = "espeak" if espeak_is_installed() or not english else "hibari"
    # of an hour the sound alone is kept: all else is made of parts of it, and of what the voice says
    spoken, reference = _reference(text, voice, language, warped)
    heard = Resampled(sound, rate, SAMPLING_RATE, mono=True)
    duration, loudest = sound.shape[-1] / rate, max(map(peak, heard.pieces()))
    if loudest < QUIETEST:
        raise AlignmentError(f"audio: silent (peak {loudest:.1e}), so it can't say {in_short(text)!r}.")
    phones = sum(1 for phone in spoken.phones if phone.label)
    if duration < 0.03 * phones:
        raise AlignmentError(
            f"audio: {duration:.2f} s is too short for the {phones} phones of {in_short(text)!r}; wrong recording?"
        )
    if not warped:
        try:
            timeline = align_pocketsphinx(heard, spoken, text, duration, english)
        except AlignmentError:
            if english or method == "pocketsphinx":
                raise
            warped, (_, reference) = True, _reference(text, voice, language, True)
    if warped:
        timeline = align_dtw(heard.pieces, reference, spoken, duration)
    timeline = replace(timeline, words=with_spans(timeline.words, spoken.words))
    reasons = doubts(mfcc(heard.pieces()).energy, timeline, spoken, warped)
    if reasons and method == "auto" and not english and not warped:  # a second judge, who may refuse it
        align_dtw(heard.pieces, _reference(text, voice, language, True)[1], spoken, duration)
    if reasons:
        listed = "; ".join(reasons)
        warnings.warn(
            f"audio: may not say {in_short(text)!r}: {listed}. Check the text.", AlignmentWarning, stacklevel=2
        )
    return timeline


def _reference(text: str, voice: str, language: str, heard: bool) -> tuple[Timeline, Cepstra | None]:
    """When a voice says what, and the cepstra of it if they are wanted; its sound is never there as a whole."""
    parts, times = speak_parts(text, voice, language), JoinedTimes()
    first = next(parts)
    pieces = times.sounds(itertools.chain([first], parts))
    cepstra = mfcc(resampled(pieces, first.sampling_rate, SAMPLING_RATE)) if heard else None
    collections.deque(pieces, maxlen=0)  # those that nobody has heard
    return times.timeline(), cepstra
