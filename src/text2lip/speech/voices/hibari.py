"""Hibari: a natural English voice of 14 MB, timed by its model's own durations, read without espeak-ng.

`pip install hibari-tts` (Apache-2.0; numpy and onnxruntime). It is Kokoro's `af_heart`, distilled; the package holds
the model and readers of American and British English.
"""

import difflib
import functools
import importlib.util
import json
import os
import re
import textwrap

import numpy as np

from text2lip.speech.alignment.silences import QUIET, QUIET_AFTER, QUIET_BEFORE, end_with_the_sound
from text2lip.speech.alignment.tokens import phones_from_tokens, words_from_tokens
from text2lip.speech.loudness import limited, without_clicks
from text2lip.speech.utterance import Speech, join, silence
from text2lip.speech.voices.protocol import SilentTextError, check_rate, clean_text
from text2lip.text.english_reader import READER_TO_IPA, english_reader
from text2lip.text.languages import ENGLISH_CODES, resolve_language
from text2lip.text.phonemes import parse_ipa
from text2lip.text.scripts import check_script
from text2lip.text.sentences import in_short, split_sentences
from text2lip.text.timing import Segment, Timeline
from text2lip.text.visemes import nearest_letter, split_phone


HIBARI_RATE = 24_000
UNIT = 600  # samples that a duration of 1 lasts
SYMBOL_LAG = 1.5  # duration steps that the sound is ahead of its symbols, by examples/benchmarks/voices.py
LONGEST_STRETCH = 1000  # characters that are read at once
LONGEST_PART = 400  # symbols; the package cuts there too
VOLUME_GAIN = 3.1  # -16 LUFS, by the same
PAUSE_WITHIN = 0.32  # seconds at speaking_rate 1 between sentences of one call
ENDS = "/CumSum_output_0"  # of the model's graph: where each symbol ends, in `UNIT`
SPECTRUM = ("lh", "theta", "ln", "lr", "phi", "f0")
LONG_WORD = re.compile(r"(\S{24})(?=\S)")  # its reader of unknown words hears no more letters
# IPA -> what the American voice was trained on
SYMBOLS = {
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "O", "aʊ": "W", "ɔɪ": "Y", "ɪə": "ɪɹ", "eə": "ɛɹ", "ʊə": "ʊɹ",
    "dʒ": "ʤ", "tʃ": "ʧ", "ɚ": "əɹ", "ɝ": "ɜɹ", "ɾ": "T", "ʔ": "t", "r": "ɹ", "g": "ɡ", "a": "æ", "e": "ɛ", "o": "O",
    "ɒ": "ɑ", "ɐ": "ə", "x": "k",
}  # fmt: skip
AMERICAN = "bdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒθᵻ"  # letters of its lexicon that stand for themselves
STRESSED_SYMBOLS = "AIOWYiuæɑɔəɛɜɪʊʌᵻ"  # before which its stress marks stand
# British symbols -> those of the American voice, to which the others are other vowels (its "clock" would be "cluck")
TO_AMERICAN = {"ɛː": "ɛɹ", "ɜː": "ɜɹ", "ʊə": "ʊɹ", "ɪə": "iə", "Q": "O", "ɒ": "ɑ", "a": "æ", "ː": "", "ɹɹ": "ɹ"}
# how "ɔː" is spelled in words in which an American says "ɔɹ" (its "horses" would be "hoses"), and in which not
NORTH, THOUGHT = re.compile(r"o[aou]?r|ar|4"), re.compile(r"au|aw")


class HibariSynthesizer:
    """Hibari by onnxruntime: American English, and British English by its British reader. Deterministic, thread-safe.

    Args:
        model (`str`, *optional*): path of another of the package's voices (`.onnx`); British ones have names that
            begin with "b". The default lies in the package.
    """

    languages = list(ENGLISH_CODES)

    def __init__(self, model: str | None = None):
        if not all(importlib.util.find_spec(name) for name in ("hibari", "onnxruntime")):
            raise ImportError("voice 'hibari' needs: pip install hibari-tts")
        if model is not None and not os.path.isfile(os.path.expanduser(model)):
            raise ValueError(f"voice: no file {model!r}; wants the .onnx of one of Hibari's voices.")
        self.name = f"hibari:{model}" if model else "hibari"
        self._path = os.path.expanduser(model or "")

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`, see [`Synthesizer`]; 24 kHz, phones are single sounds, vowels with stress marks."""
        code, rate, text = self._check(language), check_rate(speaking_rate), clean_text(text)
        check_script(text, code)
        model = _model(self._path)
        spoken = []
        for sentence in split_sentences(text):
            stretches = textwrap.wrap(sentence, LONGEST_STRETCH, break_long_words=False, break_on_hyphens=False)
            items = []
            for stretch in stretches:
                items += [*_items(stretch, not code.startswith("en-us"), model), (" ", "")]
            parts = [self._part(part, rate) for part in _parts(items)]
            if spoken and parts:
                spoken.append(silence(PAUSE_WITHIN / rate, HIBARI_RATE))
            spoken += parts
        if not spoken:
            raise SilentTextError(
                f"text: nothing in {in_short(text)!r} can be spoken in {code}; give at least one word."
            )
        return join(spoken)

    def speak_phones(self, phones: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak IPA (without words); arguments and errors as for text. What English lacks is said as what looks most
        like it."""
        self._check(language)
        rate = check_rate(speaking_rate)
        items = [(symbol, "") for symbol in _from_ipa(clean_text(phones))]
        return join([self._part(part, rate) for part in _parts(items)])

    def _check(self, language: str) -> str:
        code = resolve_language(language)
        if code not in self.languages:
            raise ValueError(
                f"language: voice {self.name!r} doesn't speak {code!r}, only {', '.join(self.languages)}."
            )
        return code

    def _part(self, items: list[tuple[str, str]], rate: float) -> Speech:
        """Items are (symbol; the word that starts with it, or "")."""
        audio, units = _model(self._path).run([symbol for symbol, _ in items], rate)
        lag = min(SYMBOL_LAG, units[0])
        units[0] -= lag
        units[-1] += lag
        seconds = (units * (UNIT / HIBARI_RATE)).tolist()
        tokens = [(READER_TO_IPA.get(symbol, symbol), label) for symbol, label in items]
        phones = phones_from_tokens(zip(["_", *(token for token, _ in tokens), "_"], seconds))
        words = words_from_tokens(tokens, seconds[1:-1], phones, seconds[0])
        timeline = Timeline.from_phones(phones, words, len(audio) / HIBARI_RATE)
        return end_with_the_sound(_trimmed(audio, timeline))


class _Model:
    """The session, with the ends of the symbols as one more output."""

    def __init__(self, path: str):
        import onnxruntime
        from hibari import dsp, tts

        with open(path or os.path.join(tts.ASSETS, "hibari.onnx"), "rb") as file:
            model = file.read()
        with open(os.path.join(tts.ASSETS, "vocab.json"), encoding="utf-8") as file:
            self.vocabulary: dict[str, int] = json.load(file)
        if ENDS.encode() not in model:
            raise ValueError(f"voice: {path!r} adds up no durations; wants the .onnx of one of Hibari's voices.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            _with_output(model, ENDS), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.to_wave = dsp.synth
        self.british = os.path.basename(path).startswith("b")

    def run(self, symbols: list[str], speed: float) -> tuple[np.ndarray, np.ndarray]:
        """(samples,) float32 sound, and (len(symbols) + 2,) durations in `UNIT` samples; the ends are pads."""
        ids = [0, *(self.vocabulary[symbol] for symbol in symbols), 0]
        values = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        *spectrum, ends = self.session.run([*SPECTRUM, ENDS], values)
        audio = self.to_wave(*(part[0] for part in spectrum), np.random.default_rng(0))
        return limited(audio, HIBARI_RATE, VOLUME_GAIN), np.diff(ends.ravel(), prepend=0).astype(np.float64)


def _with_output(model: bytes, name: str) -> bytes:
    """An ONNX file with one more output, of integers: protobuf joins parts of a message that follow each other."""

    def field(number: int, value: bytes) -> bytes:
        size, length = len(value), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + value

    integers = field(1, b"\x08\x07")
    return model + field(7, field(12, field(1, name.encode()) + field(2, integers)))


@functools.lru_cache(maxsize=2)
def _model(path: str) -> _Model:
    return _Model(path)


def _items(text: str, british: bool, model: _Model) -> list[tuple[str, str]]:
    """(symbol, the word it starts or ""): what the model reads, word by word."""
    from hibari.g2p.normalize import normalize

    british = british or model.british
    written = text.split()
    readable = LONG_WORD.sub(r"\1 ", text).replace("](", "] (")  # "[...](/.../)" would be phonemes
    read = normalize(readable)
    owners = _owners(written, read.split())
    reader = english_reader(british)
    items: list[tuple[str, str]] = []
    place, started, linking = 0, -1, False
    for token in reader.phonemize_tokens(reader.tokenize(read)):
        symbols = token.phonemes or ""
        if british and not model.british:
            symbols = _american(symbols, token.text.lower())
            if linking and symbols.lstrip("ˈˌ")[:1] in STRESSED_SYMBOLS:  # "hear it" has the r that "hear" lacks
                items.insert(-1, ("ɹ", ""))
            linking = bool(token.whitespace) and token.text.endswith(("r", "re")) and symbols[-1:] in STRESSED_SYMBOLS
        for symbol in symbols:
            if symbol not in model.vocabulary:
                continue
            owner = owners[min(place, len(owners) - 1)]
            first = owner != started and symbol.isalpha()  # a stress mark as well
            items.append((symbol, written[owner] if first else ""))
            started = owner if first else started
        if token.whitespace:
            place += 1
            items.append((" ", ""))
    return items if any(label for _, label in items) else []


def _american(symbols: str, word: str) -> str:
    """British symbols of a word in the American voice's."""
    if NORTH.search(word) and not THOUGHT.search(word):
        symbols = symbols.replace("ɔː", "ɔɹ")
    return functools.reduce(lambda text, pair: text.replace(*pair), TO_AMERICAN.items(), symbols)


def _owners(written: list[str], read: list[str]) -> list[int]:
    """For each word as read ("five", "kilometers") the index of the written one ("5", "km") that it stands for."""
    owners: list[int] = []
    for _, first, last, begin, end in difflib.SequenceMatcher(None, written, read, autojunk=False).get_opcodes():
        if first == last:  # put in by the reader: part of the word before
            owners += [max(0, first - 1)] * (end - begin)
            continue
        edges = np.cumsum([len(word) for word in written[first:last]])
        lengths = np.array([len(word) for word in read[begin:end]])
        if last - first == end - begin:
            owners += range(first, last)
        elif len(lengths):
            middles = (np.cumsum(lengths) - lengths / 2) / lengths.sum() * edges[-1]
            owners += (first + np.searchsorted(edges, middles)).tolist()
    return owners


def _sounds(symbol: str) -> bool:
    return symbol.isalpha() and symbol not in "ˈˌ"


def _parts(items: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Cut so that no part is too long for the model: after punctuation, else before a word, else anywhere."""
    parts = []
    while items and items[-1][0] == " ":
        items = items[:-1]
    while len(items) > LONGEST_PART:
        inside = range(LONGEST_PART // 2, LONGEST_PART)
        marks = [i + 1 for i in inside if items[i][0] in ",;:—.!?…"]
        words = [i for i in inside if items[i][1]]
        cut = (marks or words or [LONGEST_PART])[-1]
        parts.append(items[:cut])
        items = items[cut:]
    return [part for part in [*parts, items] if any(_sounds(symbol) for symbol, _ in part)]


def _from_ipa(phones: str) -> list[str]:
    """IPA, with stress marks and spaces, in symbols that the model was trained on."""
    parse_ipa(phones)  # raises where there is no sound at all
    symbols: list[str] = []
    for word in phones.split():
        for mark, part in re.findall(r"([ˈˌ']?)([^ˈˌ']*)", word):
            stress = {"": [], "ˌ": ["ˌ"]}.get(mark, ["ˈ"])
            heard = any(letter for letter, _ in split_phone(part))
            for symbol in "".join(map(_symbols, parse_ipa(part))) if heard else "":
                vowel = symbol in STRESSED_SYMBOLS
                symbols += [*stress, symbol] if vowel else [symbol]
                stress = [] if vowel else stress
        symbols.append(" ")
    return symbols[:-1]


def _symbols(phone: str) -> str:
    letters = [letter for letter, _ in split_phone(phone) if letter]
    bare = "".join(letters)
    if bare in SYMBOLS:
        return SYMBOLS[bare]
    return "".join(
        letter if letter in AMERICAN else SYMBOLS.get(letter) or nearest_letter(letter, AMERICAN) for letter in letters
    )


def _trimmed(audio: np.ndarray, timeline: Timeline) -> Speech:
    """With `QUIET_BEFORE` and `QUIET_AFTER` of the quiet at either end."""
    frame = HIBARI_RATE // 100
    power = np.mean(audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = np.flatnonzero(power > QUIET**2)
    if not len(loud):
        return Speech(audio, HIBARI_RATE, timeline)
    first = max(0, int(loud[0]) * frame - round(QUIET_BEFORE * HIBARI_RATE))
    last = min(len(audio), (int(loud[-1]) + 1) * frame + round(QUIET_AFTER * HIBARI_RATE))
    audio = without_clicks(audio[first:last], HIBARI_RATE)
    start, duration = first / HIBARI_RATE, len(audio) / HIBARI_RATE

    def moved(segments: list[Segment]) -> list[Segment]:
        times = [(s.label, *np.clip([s.start - start, s.end - start], 0, duration).tolist()) for s in segments]
        return [Segment(*segment) for segment in times if segment[2] > segment[1]]

    return Speech(audio, HIBARI_RATE, Timeline.from_phones(moved(timeline.phones), moved(timeline.words), duration))
