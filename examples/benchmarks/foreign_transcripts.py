"""Who notices a transcript in another language that isn't what was said, and what does a wrong word do to the others?
Sentences said by voices, aligned as `align` does by itself, or by time warping alone.

    python examples/benchmarks/foreign_transcripts.py --voices kokoro pico espeak+f3 --languages de fr es it --limit 4

The first table has for each kind of text how many were refused (`AlignmentError`) or doubted (`AlignmentWarning`). The
second has how far the onsets of words are from the voice's own times (Pico has none), and in texts with one or two
wrong words those of the other words from where the right text has them. Voices that don't speak a language are passed
over.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from transcripts import aligned, texts_with_wrong_words

from text2lip import synthesize
from text2lip.speech.forced_alignment import METHODS


SENTENCES = json.loads((Path(__file__).parent / "sentences.json").read_text(encoding="utf-8"))
WRONG = {
    "de": ("gelb", "gewiss", "Kartoffel"), "fr": ("jaune", "certainement", "pomme"),
    "es": ("amarillo", "ciertamente", "patata"), "it": ("giallo", "certamente", "patata"),
    "pt-br": ("amarelo", "certamente", "batata"),
}  # fmt: skip
NOISE = 15  # dB below the voice


def texts_of(texts: list[str], number: int):
    """Yield (kind, text, whether it is said under noise) for the sentence of that number."""
    words = texts[number].split()
    yield "right", texts[number], False
    yield f"right, noise at {NOISE} dB", texts[number], True
    yield "its first half", " ".join(words[: len(words) // 2]), False
    yield "its words in another order", " ".join(np.random.default_rng(number).permutation(words)), False
    for further in (1, 3):
        yield "another sentence", texts[(number + further) % len(texts)], False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["pico", "espeak+f3"], help="see text2lip --list-voices")
    parser.add_argument("--languages", nargs="+", default=list(WRONG), choices=list(WRONG))
    parser.add_argument("--methods", nargs="+", default=["auto", "dtw"], choices=METHODS)
    parser.add_argument("--limit", type=int, default=4, help="sentences of each language")
    args = parser.parse_args()
    whole, places_off = defaultdict(lambda: [0, 0, 0]), defaultdict(lambda: ([], [], []))
    for language in args.languages:
        for voice in args.voices:
            for number in range(args.limit):
                try:
                    speech = synthesize(SENTENCES[language][number], voice, language)
                except ValueError:
                    continue
                for method in args.methods:
                    try_texts(whole, places_off, speech, language, voice, number, method)
    print("| text | voice | method | texts | refused | doubted |\n| --- | --- | --- | --- | --- | --- |")
    for key, row in whole.items():
        print(f"| {' | '.join(key)} | {' | '.join(map(str, row))} |")
    print("\n| text | voice | method | texts | refused | doubted | mean, ms | 90 %, ms | over 100 ms, % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for key, (off, refused, told) in places_off.items():
        figures = "– | – | –"  # where every text was refused
        if off:
            figures = f"{np.mean(off):.0f} | {np.quantile(off, 0.9):.0f} | {100 * np.mean(np.array(off) > 100):.0f}"
        print(f"| {' | '.join(key)} | {len(told)} | {sum(refused)} | {sum(told)} | {figures} |")


def try_texts(whole: dict, places_off: dict, speech, language: str, voice: str, number: int, method: str):
    """Fill the tables' rows with what becomes of the texts of one recording."""
    audio, rate, texts = speech.audio, speech.sampling_rate, SENTENCES[language]
    noise = np.random.default_rng(0).normal(0, np.sqrt(np.mean(audio**2)), len(audio)) * 10 ** (-NOISE / 20)
    for kind, text, noisy in texts_of(texts, number):
        timeline, doubted = aligned(np.clip(audio + noise * noisy, -1, 1), rate, text, language, method)
        row = whole[kind, voice, method]
        row[0], row[1], row[2] = row[0] + 1, row[1] + (timeline is None), row[2] + doubted
    right, doubted = aligned(audio, rate, texts[number], language, method)
    words, own = texts[number].split(), speech.timeline.words
    if right and voice != "pico" and len(own) == len(right.words):
        off, refused, told = places_off["right", voice, method]
        off += [1000 * abs(word.start - true.start) for word, true in zip(right.words, own)]
        refused.append(False)
        told.append(doubted)
    for kind, text, places in texts_with_wrong_words(words, WRONG[language]) if right else ():
        found, doubted = aligned(audio, rate, " ".join(text), language, method)
        off, refused, told = places_off[kind, voice, method]
        refused.append(found is None)
        told.append(doubted)
        if found and len(found.words) == len(text):
            pairs = zip(found.words, places)
            off += [1000 * abs(word.start - right.words[at].start) for word, at in pairs if at is not None]


if __name__ == "__main__":
    main()
