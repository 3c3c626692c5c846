"""Times of what a voice has said, by whatever aligner finds them."""

import numpy as np

from text2lip.speech.alignment import AlignmentError
from text2lip.speech.alignment.pocketsphinx import align_pocketsphinx
from text2lip.speech.alignment.silences import QUIET_AFTER, QUIET_BEFORE
from text2lip.speech.alignment.time_warping import align_dtw
from text2lip.speech.audio import resample
from text2lip.speech.features import SAMPLING_RATE, mfcc
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Segment, Timeline


def best_times(audio: np.ndarray, sampling_rate: int, spoken: Speech, language: str) -> Timeline:
    """Times of a sentence that surely is said in `audio`: by pocketsphinx where it is English, else by time warping;
    where it defies both, those of `spoken` stretched over the sound.

    Args:
        audio (`np.ndarray`): (samples,) float32 in [-1, 1].
        sampling_rate (`int`): Hz.
        spoken (`Speech`): the sentence spoken by another voice, with its times.
        language (`str`): espeak-ng's code.
    """
    duration, samples = len(audio) / sampling_rate, resample(audio, sampling_rate, SAMPLING_RATE)
    if language.startswith("en"):
        try:
            return align_pocketsphinx(samples, spoken.timeline, "", duration)
        except AlignmentError:
            pass
    try:
        reference = mfcc(resample(spoken.audio, spoken.sampling_rate, SAMPLING_RATE))
        return align_dtw(lambda: [samples], reference, spoken.timeline, duration)
    except AlignmentError:
        return _stretched(spoken.timeline, duration)


def _stretched(timeline: Timeline, duration: float) -> Timeline:
    """The whole timeline, scaled to `duration` less lead and tail."""
    scale = max(duration - QUIET_BEFORE - QUIET_AFTER, duration / 2) / timeline.duration
    lead = (duration - scale * timeline.duration) / 2
    scaled = [[Segment(s.label, lead + s.start * scale, lead + s.end * scale) for s in part] for part in
             (timeline.phones, timeline.words)]  # fmt: skip
    return Timeline.from_phones(scaled[0], scaled[1], duration)
