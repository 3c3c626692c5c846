"""Twenty languages: are all phones known, do visemes agree with a second reader, and what do the mouths look like?

    python examples/experiments/across_languages.py
    pip install epitran  # a second reader for more of them

First of the plan's next checks. Phones are those of espeak-ng, as the pipeline speaks. A phone is *known* if every
letter of it is one of the inventory, else it looks like its nearest; `classes` are the visemes of 15 that a
language's sentences show. The second reader is gruut where it has the language, else epitran; `agreement` is one minus
the edits between the two sequences of visemes for each viseme, `lips agree` the same of what a mouth is read by alone:
shut (p b m), tucked (f v), rounded. A figure shows the mouths of every language's first phones.
"""

import json
from collections.abc import Callable
from pathlib import Path
from unicodedata import category, normalize

import numpy as np
from study import EXAMPLES, PAGES, finish, markdown, parse, parser, pyplot, save
from viseme_extraction import visemes

from text2lip import Text2LipPipeline, synthesize
from text2lip.faces.canonical import canonical_lips
from text2lip.faces.topology import INNER_LIP_CONTOUR, OUTER_LIP_CONTOUR, canonical_mesh, driven_index
from text2lip.metrics import wer
from text2lip.motion.lips import animate
from text2lip.text.letters import LETTER_ALIASES
from text2lip.text.phonemes import GRUUT_LANGUAGES, get_g2p, parse_ipa
from text2lip.text.timing import Segment
from text2lip.text.visemes import PHONE_TO_ID, get_viseme_set, letter_features, split_phone
from text2lip.training.settings import errors_in_one_line
from text2lip.training.teacher import read_texts


NAME = "across_languages"
MORE = {  # beside those that the networks were taught by
    "cmn": "妈妈买了白色的苹果。我们一起去北京喝茶，你说好不好？",
    "id": "Ibu membeli buah pisang di pasar. Besok kami pergi ke rumah paman.",
    "hu": "A kisfiú piros almát evett a fa alatt. Szép jó napot kívánok!",
    "vi": "Mẹ tôi mua một bó hoa đẹp. Hôm nay trời mưa to quá.",
    "sw": "Mama alinunua ndizi sokoni. Watoto wanapenda kucheza mpira.",
    "da": "Min bror købte friske blommer på torvet. Vi ses i morgen.",
}
EPITRAN = {
    "cs": "ces-Latn", "de": "deu-Latn", "es": "spa-Latn", "fr": "fra-Latn", "hi": "hin-Deva", "hu": "hun-Latn",
    "id": "ind-Latn", "it": "ita-Latn", "nl": "nld-Latn", "pl": "pol-Latn", "pt-br": "por-Latn", "ru": "rus-Cyrl",
    "sv": "swe-Latn", "sw": "swa-Latn", "tr": "tur-Latn", "vi": "vie-Latn",
}  # fmt: skip
FPS = 25
SHOWN = 18  # mouths of each language
COLUMNS = ("phones", "different", "known", "classes", "second reader", "agreement", "lips agree", "lip range")


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME)
    options.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    args = parse(options, arguments)
    texts = sentences()
    if args.quick:
        texts = dict(list(texts.items())[:2])
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    mouths = {language: mouths_of(pipe, some, language) for language, some in texts.items()}
    rows = {language: {**spoken(some, language), **moved(mouths[language][1])} for language, some in texts.items()}
    target = PAGES if args.write and not args.quick else args.output
    draw_mouths(mouths, target / f"{NAME}.png")
    save(args.output / "figures.json", json.dumps(rows, indent=1) + "\n")
    finish(NAME, f"{len(rows)} languages.\n\n{markdown(rows, COLUMNS)}", args)
    return rows


def sentences() -> dict[str, str]:
    """Language -> text."""
    texts: dict[str, str] = {}
    for language, sentence in read_texts(EXAMPLES / "configs/teacher_texts.txt"):
        texts[language] = f"{texts.get(language, '')} {sentence}".strip()
    return {**texts, **MORE}


def spoken(text: str, language: str) -> dict[str, float | int | str | None]:
    """What is known of the phones of a text, and how a second reader agrees on its visemes."""
    phones = [phone for word in get_g2p("espeak", language)(text) for phone in word.phones]
    alphabet = get_viseme_set("oculus")
    shown = visemes(phones, alphabet)
    row = {"phones": len(phones), "different": len(set(phones)), "classes": len(set(shown))}
    row["known"] = float(np.mean([is_known(phone) for phone in phones]))
    name, read = second_reader(language)
    row |= {"second reader": name, "agreement": None, "lips agree": None}
    if read is not None:
        others = read(text)
        row["agreement"] = 1 - wer([" ".join(visemes(others, alphabet))], [" ".join(shown)])
        row["lips agree"] = 1 - wer([" ".join(lip_classes(others))], [" ".join(lip_classes(phones))])
    return row


def is_known(phone: str) -> bool:
    """Whether every letter of a phone, marks taken off, is one of the inventory or written otherwise there."""
    letters = [letter for letter in normalize("NFD", phone) if category(letter) in ("Ll", "Lo")]
    return bool(letters) and all(letter in PHONE_TO_ID or letter in LETTER_ALIASES for letter in letters)


def second_reader(language: str) -> tuple[str | None, Callable[[str], list[str]] | None]:
    """Another way from text to phones, and its name; None where no package has the language."""
    if language.split("-")[0] in GRUUT_LANGUAGES:
        try:
            g2p = get_g2p("gruut", language)
            return "gruut", lambda text: [phone for word in g2p(text) for phone in word.phones]
        except (ImportError, ValueError):
            pass
    if language in EPITRAN:
        try:
            from epitran import Epitran

            reader = Epitran(EPITRAN[language])
            return "epitran", lambda text: [p for word in text.split() for p in parse_ipa(reader.transliterate(word))]
        except ImportError:
            pass
    return None, None


def lip_classes(phones: list[str]) -> list[str]:
    """What a mouth is read by: shut, tucked, rounded; all else is left out."""
    found = []
    for phone in phones:
        for letter, _ in split_phone(phone):
            closure, labiodental, rounding = letter_features(letter)[:3]
            kinds = {"shut": closure > 0.9, "tucked": labiodental > 0.5, "rounded": rounding > 0.5}
            found += [kind for kind, there in kinds.items() if there][:1]
    return found


def mouths_of(pipe: Text2LipPipeline, text: str, language: str) -> tuple[list[Segment], np.ndarray]:
    """The phones of a text with their times, and how canonical lips move, (frames, 57, 2) at 25 fps."""
    speech = synthesize(text, "espeak", language)
    tokens = pipe.tokenizer(phones=speech.timeline, language=language, return_tensors="pt")
    motion = animate(pipe.lip_model("networks"), tokens, int(speech.duration * FPS))[0][0]
    return [phone for phone in speech.timeline.phones if phone.label.strip()], motion.numpy()


def moved(motion: np.ndarray) -> dict[str, float]:
    """How far the lips part and close again: the 5 to 95 per cent range of the gap, eye units."""
    gap = lip_opening(motion)
    return {"lip range": float(np.percentile(gap, 95) - np.percentile(gap, 5))}


def draw_mouths(mouths: dict[str, tuple[list[Segment], np.ndarray]], target: Path):
    """A row of mouths for each language, those of an average face in the middle of its first phones."""
    figure, axis = pyplot().subplots(figsize=(13, 0.55 * len(mouths) + 0.4), layout="constrained")
    face = canonical_lips(canonical_mesh()[0][None] * [1, -1, -1])[0]
    outer, inner = driven_index(OUTER_LIP_CONTOUR), driven_index(INNER_LIP_CONTOUR)
    for row, (language, (phones, motion)) in enumerate(mouths.items()):
        axis.text(-0.5, 0.62 * row, language, ha="right", va="center")
        for column, phone in enumerate(phones[:SHOWN]):
            lips = motion[min(int((phone.start + phone.end) / 2 * FPS), len(motion) - 1)]
            lips = face + lips - face[outer].mean(0) + [0.8 * column, 0.62 * row]
            axis.fill(*lips[outer].T, color="#c8707a")
            axis.fill(*lips[inner].T, color="#3a1418")
            axis.text(0.8 * column, 0.62 * row + 0.3, phone.label, ha="center", va="center", fontsize=8)
    axis.set(aspect="equal", xlim=(-1.2, 0.8 * SHOWN - 0.4), ylim=(0.62 * len(mouths) - 0.2, -0.3))
    axis.axis("off")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=70)


def lip_opening(motion: np.ndarray) -> np.ndarray:
    upper, lower = driven_index((13, 14))
    return motion[:, lower, 1] - motion[:, upper, 1]


if __name__ == "__main__":
    with errors_in_one_line():
        main()
