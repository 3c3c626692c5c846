"""Who notices a transcript that isn't what was said? Right and wrong texts of GRID, aligned by both methods; right
ones under white noise too.

    python examples/benchmarks/transcripts.py --limit 5
    python examples/benchmarks/transcripts.py --limit 1 --words

Prints for each kind of text how many were refused (`AlignmentError`), how many were doubted (`AlignmentWarning`), and
their sum: false alarms for "right", hits for the others. With `--words` how far the onsets of words are from the
corpus' own times, and in texts of which a word or two are wrong those of the other words from where the right text has
them; and how many texts were refused or doubted. "abroad" is what `align` does in other languages, without
English.
"""

import argparse
import contextlib
import os
import warnings
from collections import defaultdict
from itertools import groupby
from unittest.mock import patch

import numpy as np
from tqdm import tqdm

from text2lip.data.grid import grid_clips, pronounced, read_align
from text2lip.speech import AlignmentError, AlignmentWarning, align, load_audio
from text2lip.speech.alignment.pocketsphinx import align_pocketsphinx


METHODS = ["pocketsphinx", "abroad", "dtw"]


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


def texts_with_wrong_words(words: list[str], wrong: tuple[str, str, str] = ("yellow", "certainly", "potato")):
    """Yield (kind, text, place of each of its words in `words`, None for one of the `wrong` ones)."""
    one, two, three = wrong
    places = list(range(len(words)))
    for k in places:
        yield "a word left out of the text", words[:k] + words[k + 1 :], places[:k] + places[k + 1 :]
    for k, more in [(0, [one]), (2, [one]), (4, [one]), (6, [one])]:
        yield "a word too many", words[:k] + more + words[k:], places[:k] + [None] + places[k:]
    for k in (1, 4):
        text = words[:k] + [two, one] + words[k:]
        yield "two words too many", text, places[:k] + [None, None] + places[k:]
    for k in (0, 1, 3, 5):
        yield "a word changed", words[:k] + [three] + words[k + 1 :], places[:k] + [None] + places[k + 1 :]


def aligned(audio: np.ndarray, rate: int, text: str, language: str, method: str):
    """(timeline or None where it was refused, whether it was doubted)."""
    name = "text2lip.speech.forced_alignment.align_pocketsphinx"
    text = pronounced(text) if language.startswith("en") else text
    with patch(name, lambda *given: align_pocketsphinx(*given[:4], english=given[4] and method != "abroad")):
        for way in ("pocketsphinx", "dtw") if method == "abroad" else (method,):
            with warnings.catch_warnings(record=True) as told, contextlib.suppress(AlignmentError):
                warnings.simplefilter("always", AlignmentWarning)
                timeline = align(audio, rate, text, language, way)
                return timeline, any(issubclass(warning.category, AlignmentWarning) for warning in told)
    return None, False


def print_wrong_words(clips: list, methods: list[str]):
    """The table of `--words`."""
    table = defaultdict(lambda: ([], [], []))
    for clip in tqdm(clips, unit="clip"):
        audio, rate = load_audio(clip.video)
        for method in methods:
            right, doubted = aligned(audio, rate, clip.text, clip.language, method)
            true = read_align(clip.align) if clip.align and right else ()
            away, refused, told = table["right", method]
            away += [1000 * abs(word.start - known.start) for word, known in zip(right.words if right else [], true)]
            refused.append(right is None)
            told.append(doubted)
            for kind, text, places in texts_with_wrong_words(clip.text.split()) if right else ():
                found, doubted = aligned(audio, rate, " ".join(text), clip.language, method)
                away, refused, told = table[kind, method]
                refused.append(found is None)
                told.append(doubted)
                for word, place in zip(found.words if found else [], places):
                    if place is not None:
                        away.append(1000 * abs(word.start - right.words[place].start))
    print("| text | method | texts | refused | doubted | mean, ms | 90 %, ms | over 100 ms, % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for (kind, method), (away, refused, told) in table.items():
        figures = f"{np.mean(away):.0f} | {np.quantile(away, 0.9):.0f} | {100 * np.mean(np.array(away) > 100):.0f}"
        print(f"| {kind} | {method} | {len(told)} | {sum(refused)} | {sum(told)} | {figures} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder with grid/")
    parser.add_argument("--limit", type=int, default=5, help="clips of each talker")
    parser.add_argument("--words", action="store_true", help="texts with single wrong words")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    args = parser.parse_args()
    clips = sorted(grid_clips(args.data), key=lambda clip: clip.speaker)
    chosen = []
    for _, own in groupby(clips, key=lambda clip: clip.speaker):
        own = list(own)
        chosen += own[:: max(1, len(own) // args.limit)][: args.limit]
    if args.words:
        return print_wrong_words(chosen, args.methods)
    table = defaultdict(lambda: [0, 0, 0])
    for clip in tqdm(chosen, unit="clip"):
        audio, rate = load_audio(clip.video)
        for kind, sound, text in versions(audio, clip.text):
            for method in args.methods:
                row = table[kind, method]
                row[0] += 1
                timeline, doubted = aligned(sound, rate, text, clip.language, method)
                row[1] += timeline is None
                row[2] += doubted
    print("| text | method | clips | refused | doubted | noticed, % |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, method), (count, refused, doubted) in table.items():
        print(f"| {kind} | {method} | {count} | {refused} | {doubted} | {100 * (refused + doubted) / count:.0f} |")


if __name__ == "__main__":
    main()
