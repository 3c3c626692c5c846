"""How long is a text that nobody has said? Predicted lengths against 2,100 sentences of GRID, and on open text.

    python examples/benchmarks/durations.py

Lengths run from the start of the first word to the end of the last. Errors are means of absolute differences; "own
pace" is the sentence error after all lengths of a row were scaled to the talker's mean, which no text can tell.
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text2lip import Text2LipPipeline, synthesize
from text2lip.data.alignments import AlignedSentence, read_alignments
from text2lip.data.grid import pronounced
from text2lip.motion.durations import predict_timeline
from text2lip.text import Timeline
from text2lip.text.visemes import LETTER_CLASS, split_phone


OPEN_TEXT = (
    ("en-us", "The quick brown fox jumps over the lazy dog, and nobody in the whole village seems to mind."),
    ("en-us", "Strengths and weaknesses: she asked, surprisingly, whether anyone had brought scissors!"),
    ("en-us", "Yes."),
    ("en-gb", "I would rather have stayed at home; instead we walked for hours through the pouring rain."),
    ("de", "Der Geschwindigkeitsmesser zeigte hundertzwanzig, doch niemand im Wagen sprach darüber."),
    ("fr", "Les anciens habitants du quartier se souviennent encore de la petite boulangerie."),
    ("es", "El perro de mi vecino ladra todas las noches, y nadie puede dormir tranquilo."),
    ("it", "Domani mattina partiremo presto per la montagna, se il tempo lo permette."),
    ("pt-br", "A menina comprou laranjas e bananas no mercado perto da estação de trem."),
    ("nl", "De schaatsers gleden urenlang over het bevroren meer zonder een woord te zeggen."),
    ("pl", "W Szczebrzeszynie chrząszcz brzmi w trzcinie, a dzieci słuchają go z uśmiechem."),
    ("ru", "Вчера вечером мы долго гуляли по набережной и разговаривали о будущем."),
    ("tr", "Dün akşam arkadaşlarımla birlikte deniz kenarında uzun uzun yürüdük."),
    ("fi", "Huomenna aamulla lähdemme järvelle kalastamaan, jos ilma on kaunis."),
    ("el", "Χθες το βράδυ περπατήσαμε για ώρες δίπλα στη θάλασσα."),
    ("hi", "कल शाम हम लोग नदी के किनारे बहुत देर तक टहलते रहे।"),
    ("ja", "きのうのよる、ともだちとうみのそばをながいあいだあるきました。"),
    ("cmn", "昨天晚上我们在海边走了很久，没有人说话。"),
    ("ar", "ذهبنا إلى السوق صباحا واشترينا الخبز والزيتون."),
    ("sw", "Jana jioni tulitembea kando ya bahari kwa muda mrefu."),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder with grid/alignments*.tsv.gz")
    parser.add_argument("--limit", type=int, help="only so many sentences of each talker")
    parser.add_argument("--voices", nargs="+", default=["espeak"], help="to compare with; pico takes minutes")
    parser.add_argument("--json", help="file for the figures")
    args = parser.parse_args()
    if not args.data:
        raise SystemExit("durations: give --data, or set TEXT2LIP_DATA to the folder that holds grid/.")
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    grid = Path(args.data) / "grid"
    rows = {
        "predicted": lambda s: words_of(predict(pipe, said(s), "en-gb")),
        **{voice: partial(voice_words, voice) for voice in args.voices},
        "nominal table": lambda s: words_of(pipe.tokenizer.timeline(said(s), "en-gb")),
        **means(read_alignments(grid / "alignments.tsv.gz")),
    }
    talkers = defaultdict(list)
    for sentence in read_alignments(grid / "alignments_heldout.tsv.gz"):
        talkers[sentence.speaker].append(sentence)
    report = {"grid": {talker: grid_errors(rows, of[: args.limit], talker) for talker, of in talkers.items()}}
    report["open text"] = open_text(pipe, args.voices)
    for talker, table in report["grid"].items():
        print_table(f"{talker}, {len(talkers[talker][: args.limit])} sentences", table)
    print_table(f"open text, {len(OPEN_TEXT)} sentences", report["open text"])
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=1) + "\n")


def said(sentence: AlignedSentence) -> str:
    return pronounced(" ".join(word.label for word in sentence.words))


def predict(pipe: Text2LipPipeline, text: str, language: str) -> Timeline:
    return predict_timeline(pipe.viseme_encoder, pipe.tokenizer, text, language)


def voice_timeline(voice: str, text: str, language: str) -> Timeline:
    return synthesize(text, voice, language).timeline


def voice_words(voice: str, sentence: AlignedSentence) -> list[float]:
    return words_of(voice_timeline(voice, said(sentence), "en-gb"))


def words_of(timeline: Timeline) -> list[float]:
    """Length of each word; pauses between words are not counted."""
    return [word.end - word.start for word in timeline.words]


def means(sentences: list[AlignedSentence]) -> dict[str, Callable]:
    """Baselines without any model: every word as long as the mean word, or as the mean of that word and place."""
    lengths = defaultdict(list)
    for sentence in sentences:
        for place, word in enumerate(sentence.words):
            lengths[place, word.label].append(word.end - word.start)
    table = {key: float(np.mean(values)) for key, values in lengths.items()}
    mean = float(np.mean([length for values in lengths.values() for length in values]))
    return {
        "mean word": lambda s: [mean for _ in s.words],
        "table of means": lambda s: [table[place, word.label] for place, word in enumerate(s.words)],
    }


def grid_errors(rows: dict[str, Callable], sentences: list[AlignedSentence], talker: str) -> dict[str, dict]:
    """Errors of each row on one talker's sentences."""
    table = {}
    for name, row in rows.items():
        ours = np.array([row(sentence) for sentence in tqdm(sentences, desc=f"{talker} {name}", unit="")])
        words = np.array([words_of(Timeline([], sentence.words, 0)) for sentence in sentences])
        length = np.array([sentence.length for sentence in sentences])
        ours_length = ours.sum(1)
        error = np.abs(ours_length - length)
        paced = np.abs(ours_length * length.mean() / ours_length.mean() - length)
        table[name] = {
            "sentence s": float(error.mean()),
            "sentence %": float(100 * (error / length).mean()),
            "bias s": float((ours_length - length).mean()),
            "own pace s": float(paced.mean()),
            "own pace %": float(100 * (paced / length).mean()),
            "word s": float(np.abs(ours - words).mean()),
            "word %": float(100 * np.abs(ours - words).sum() / words.sum()),
        }
    return table


def open_text(pipe: Text2LipPipeline, voices: list[str]) -> dict[str, dict]:
    """Range of phones and of pace on text far from GRID, by each way to time it."""
    ways = {
        "predicted": lambda text, language: predict(pipe, text, language),
        **{voice: partial(voice_timeline, voice) for voice in voices},
        "nominal table": lambda text, language: pipe.tokenizer.timeline(text, language),
    }
    table = {}
    for name, way in ways.items():
        phones, paces = [], []
        for language, text in OPEN_TEXT:
            spoken = [phone for phone in way(text, language).phones if phone.label]
            seconds = [phone.end - phone.start for phone in spoken]
            phones += seconds
            paces.append(sum(map(is_syllable, spoken)) / (spoken[-1].end - spoken[0].start))
        table[name] = {
            "phones < 20 ms": sum(length < 0.02 for length in phones),
            "phones > 400 ms": sum(length > 0.4 for length in phones),
            "shortest s": min(phones),
            "longest s": max(phones),
            "slowest syllables/s": min(paces),
            "mean syllables/s": float(np.mean(paces)),
            "fastest syllables/s": max(paces),
        }
    return table


def is_syllable(phone) -> bool:
    """Whether a phone is a vowel; syllabic consonants are not counted."""
    return any(LETTER_CLASS[letter] == "vowel" for letter, _ in split_phone(phone.label)[:1])


def print_table(title: str, table: dict[str, dict]):
    columns = list(next(iter(table.values())))
    print(f"\n{title}\n\n| row | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.3g}" for column in columns) + " |")


if __name__ == "__main__":
    main()
