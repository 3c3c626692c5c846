"""Who notices a transcript that isn't what was said? Right and wrong texts of GRID, aligned by both methods; right
ones under white noise too.

    python examples/benchmarks/transcripts.py --limit 5

Prints for each kind of text how many were refused (`AlignmentError`), how many were doubted (`AlignmentWarning`), and
their sum: false alarms for "right", hits for the others.
"""

import argparse
import os
import warnings
from collections import defaultdict
from itertools import groupby

import numpy as np
from tqdm import tqdm

from text2lip.data.grid import grid_clips, pronounced
from text2lip.speech import AlignmentError, AlignmentWarning, align, load_audio


def texts_of(sentence: str) -> dict[str, str]:
    """Texts for a recording of `sentence`, six words of GRID."""
    words = sentence.split()
    return {
        "right": sentence,
        "first four words": " ".join(words[:4]),
        "first three words": " ".join(words[:3]),
        "last three words": " ".join(words[3:]),
        "first two words": " ".join(words[:2]),
        "twice as long": f"{sentence} and then set white by Q nine please",
        "another sentence": "she sells sea shells here",
        "xyz": "xyz",
    }


def versions(audio: np.ndarray, sentence: str):
    """Yield (name, sound, text): the recording (samples,) as it is, and under noise of so many dB less."""
    yield from ((kind, audio, text) for kind, text in texts_of(sentence).items())
    noise = np.random.default_rng(0).normal(0, np.sqrt(np.mean(audio**2)), len(audio))
    for decibels in (25, 15):
        noisy = np.clip(audio + noise * 10 ** (-decibels / 20), -1, 1)
        yield f"right, noise at {decibels} dB", noisy, sentence
        yield f"first three words, noise at {decibels} dB", noisy, " ".join(sentence.split()[:3])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder with grid/")
    parser.add_argument("--limit", type=int, default=5, help="clips of each talker")
    args = parser.parse_args()
    clips = sorted(grid_clips(args.data), key=lambda clip: clip.speaker)
    chosen = []
    for _, own in groupby(clips, key=lambda clip: clip.speaker):
        own = list(own)
        chosen += own[:: max(1, len(own) // args.limit)][: args.limit]
    table = defaultdict(lambda: [0, 0, 0])
    for clip in tqdm(chosen, unit="clip"):
        audio, rate = load_audio(clip.video)
        for kind, sound, text in versions(audio, clip.text):
            for method in ("pocketsphinx", "dtw"):
                row = table[kind, method]
                row[0] += 1
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always", AlignmentWarning)
                    try:
                        align(sound, rate, pronounced(text), clip.language, method)
                    except AlignmentError:
                        row[1] += 1
                row[2] += any(issubclass(warning.category, AlignmentWarning) for warning in told)
    print("| text | method | clips | refused | doubted | noticed, % |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, method), (count, refused, doubted) in table.items():
        print(f"| {kind} | {method} | {count} | {refused} | {doubted} | {100 * (refused + doubted) / count:.0f} |")


if __name__ == "__main__":
    main()
