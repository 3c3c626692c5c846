"""Where phones put the tongue: between the teeth, up behind them, or back; what of it a mouth shows."""

import numpy as np

from text2lip.text.timing import Timeline


POSES = ("up", "between", "back")
# By the first letter of a phone, after the chart of the International Phonetic Association: dental fricatives; dental
# to retroflex consonants; velar and uvular consonants, back vowels and [w].
BETWEEN, UP, BACK = "θð", "tdnlɬɮɫɾrʈɖɳɭɽɗ", "kɡgŋxɣqɢχʁuʊoɔɑɒɤɯw"
PREFIXES = "ˈˌ ͡"
TRANSIT = 0.06  # seconds in which the tongue comes to its place, and leaves it
YIELDED = 0.6  # of other poses, to a tip between the teeth, which vowels beside a short /θ/ would hide


def tongue_poses(timeline: Timeline, num_frames: int, fps: float) -> np.ndarray:
    """How far the tongue is in each pose of `POSES`; at rest for what is left of 1.

    Args:
        timeline ([`Timeline`]): phones and their times.
        num_frames (`int`): frames.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.

    Returns:
        `np.ndarray`: float32 (num_frames, 3) in [0, 1], rows of a sum of at most 1.
    """
    shares = np.zeros((num_frames, len(POSES)), np.float32)
    for phone in timeline.phones:
        letter = phone.label.strip(PREFIXES)[:1]
        if not letter:
            continue
        pose = [letter in letters for letters in (UP, BETWEEN, BACK)]
        if not any(pose):
            continue
        first = max(int((phone.start - TRANSIT) * fps), 0)
        last = min(int((phone.end + TRANSIT) * fps) + 1, num_frames)
        times = (np.arange(first, last) + 0.5) / fps
        away = np.maximum(np.maximum(phone.start - times, times - phone.end), 0)
        column = shares[first:last, pose.index(True)]
        np.maximum(column, 1 - np.minimum(away / TRANSIT, 1), out=column)
    dental = shares[:, POSES.index("between")].copy()
    shares *= 1 - YIELDED * dental[:, None]
    shares[:, POSES.index("between")] = dental
    return shares / np.maximum(shares.sum(1, keepdims=True), 1)
