"""Timings that other programs made: Praat TextGrids, text-to-speech services, aligners.

The formats of services are read by the package `openfacefx` (MIT); this module finds out which format it is, turns
symbols into IPA and words into phones.
"""

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, partial
from itertools import accumulate, groupby, pairwise

from text2lip.files import decode_text
from text2lip.speech.alignment.tokens import phones_from_tokens
from text2lip.speech.timings.subtitles import is_subtitles, read_cues
from text2lip.text.arpabet import ARPABET_TO_IPA
from text2lip.text.nominal_durations import nominal_durations
from text2lip.text.normalize import speakable
from text2lip.text.phonemes import get_g2p
from text2lip.text.timing import Segment, Timeline, check_unit, share_times
from text2lip.text.traced import as_written
from text2lip.text.visemes import spelling_error


MAX_BYTES = 50_000_000
MOST_LETTERS = 4  # of a phone, rimes of Chinese; more is a word
SILENCES = frozenset(
    ["", "sil", "sp", "spn", "silence", "pau", "pause", "_", "#", "<eps>", "<unk>", "<sil>", "<s>", "</s>", "h#"]
)
_AZURE_IDS = "_ æ ɑ ɔ ɛ ɝ i u o aʊ ɔɪ aɪ h ɹ l s ʃ ð f d k p"  # id 0 is silence; one phone for each viseme
AZURE_IPA = ("", *_AZURE_IDS.split()[1:])
POLLY_IPA = {
    "sil": "", "p": "p", "t": "t", "S": "ʃ", "T": "θ", "f": "f", "k": "k", "i": "i", "r": "ɹ", "s": "s", "u": "u",
    "@": "ə", "a": "a", "e": "e", "E": "ɛ", "o": "o", "O": "ɔ", "B": "β", "J": "ɕ",
}  # fmt: skip
TIMING_FORMATS = {
    "list": "(phone, start s, end s) triples",
    "labels": "lines of start s, end s, label, as Audacity writes them",
    "subtitles": "SubRip or WebVTT (words share the time of their cue)",
    "textgrid": "Praat TextGrid: tier 'phones', else 'words'",
    "mbrola": "MBROLA .pho",
    "piper": "Piper: phonemes and sample counts",
    "cartesia": "Cartesia phoneme_timestamps",
    "azure": "Azure VisemeReceived events",
    "azure-words": "Azure WordBoundary events",
    "polly": "Amazon Polly speech marks (visemes)",
    "elevenlabs": "ElevenLabs with-timestamps alignment (words)",
    "kokoro": "Kokoro tokens with start_ts (words)",
    "whisperx": "WhisperX segments (words)",
    "whisper": "Whisper verbose_json (words)",
    "vosk": "Vosk results (words)",
    "gentle": "Gentle, phones of words",
    "words": "a JSON list of {text, start, end} (words)",
    "text2lip": "the times of a clip as text2lip writes them",
}
_KNOWN = "; ".join(TIMING_FORMATS.values())
UNSTATED = ("list", "labels", "words")  # whose times may be in any unit


def read_timings(source, format: str | None = None, language: str = "en-us") -> list[Segment]:
    """Read timed phones; see `read_timeline`, of which this is `.phones`."""
    return read_timeline(source, format, language).phones


def read_timeline(source, format: str | None = None, language: str = "en-us") -> Timeline:
    """Read the timings of an utterance.

    Args:
        source: a list of (phone, start s, end s); or a path, the text, or the parsed JSON of one of `TIMING_FORMATS`.
            Phones are IPA or ARPAbet (found out by their look); "sil", "sp", "_" and the like are silence.
        format (`str`, *optional*): a key of `TIMING_FORMATS`; found out if not given.
        language (`str`): language code, to find the phones of words where a format times words only; they share the
            word's time by their usual lengths.

    Returns:
        `Timeline`: IPA phones, gapless; words where the format has them.

    Raises:
        ValueError: unknown, malformed or empty input, times out of order, or in another unit than seconds.
        ImportError: a service's format, and `openfacefx` is missing.
    """
    if isinstance(source, Timeline):
        check_unit(source.phones, stated=True)
        return source
    if format is not None and format not in TIMING_FORMATS:
        raise ValueError(f"format: got {format!r}; wants one of {', '.join(TIMING_FORMATS)}.")
    name, text, data = _load(source)
    format = format or _detect(name, text, data)
    timeline = _read_format(format, text, data, language)
    if not any(phone.label for phone in timeline.phones):
        raise ValueError("timings: no phone has any length; wants end s after start s.")
    check_unit(timeline.phones, stated=format not in UNSTATED)
    return timeline


def _read_format(format: str, text: str, data, language: str) -> Timeline:
    if format == "list":
        triples = _triples(data)
        for label, *_ in triples:
            if sum(unicodedata.category(sign) == "Ll" for sign in label) > MOST_LETTERS:
                raise ValueError(
                    f"timings: {label!r} is no phone; for words give [{{'text': {label!r}, 'start': …, 'end': …}}]."
                )
        return _from_phones(triples)
    if format == "labels":
        return _from_phones(_triples(_label_lines(text)))
    if format == "subtitles":
        return _from_words(read_cues(text), language, spread=True)
    if format == "textgrid":
        return _from_tiers(read_textgrid(text), language)
    if format == "text2lip":
        phones, words = (_entries(data, name) for name in ("phones", "words"))
        return _from_phones(_triples(phones), _triples(words))
    return _from_service(format, text if text else json.dumps(data), data, language)


def _entries(data, name: str) -> list[tuple]:
    """(text, start, end) of the entries of one list."""
    found = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(entry, (Mapping, list)) for entry in found):
        raise ValueError(f"timings: {name!r} should be a list of {{'text': …, 'start': …, 'end': …}}, or of lists.")
    keys = "text", "start", "end"
    return [tuple(map(entry.get, keys) if isinstance(entry, Mapping) else entry) for entry in found]


def read_textgrid(text: str) -> dict[str, list[Segment]]:
    """Interval tiers of a Praat TextGrid, long or short form, else a ValueError: tier name -> intervals."""
    body = text.lstrip("\ufeff \r\n")
    # strings, flags, and numbers that stand alone: "item [1]:" and other words of the long form say nothing
    tokens = re.findall(r'"(?:[^"]|"")*"|<\w+>|(?<![\w\[.-])-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w\]])', body)
    if len(tokens) < 6 or tokens[1] != '"TextGrid"':
        raise ValueError("timings: not a Praat TextGrid; wants a file that starts with 'File type = \"ooTextFile\"'.")
    tiers: dict[str, list[Segment]] = {}
    try:
        count, at = int(tokens[5]), 6
        for _ in range(count):
            kind, name, size = tokens[at], tokens[at + 1].strip('"'), int(tokens[at + 4])
            at += 5
            width = 3 if kind == '"IntervalTier"' else 2
            entries = [tokens[at + i * width : at + (i + 1) * width] for i in range(size)]
            at += size * width
            if width == 3:
                tiers[name] = [
                    Segment(label[1:-1].replace('""', '"').strip(), float(start), float(end))
                    for start, end, label in entries
                ]
    except (ValueError, IndexError) as error:
        raise ValueError("timings: the TextGrid is cut off or malformed; save it again in Praat.") from error
    return tiers


def subtitles_in(source) -> str | None:
    """The text of timings, a path or text, that are SubRip or WebVTT; None for any others."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    _, text, data = _load(source)
    return text if data is None and is_subtitles(text) else None


def _load(source) -> tuple[str, str, object]:
    """(file name, text, parsed JSON or list) of a source; what doesn't apply is empty."""
    if isinstance(source, (Mapping, Sequence)) and not isinstance(source, (str, bytes)):
        return "", "", source
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(f"timings: got {type(source).__name__}; wants a list of (phone, start, end), a path or text.")
    name = os.fspath(source)
    is_text = (re.search(r"[\r\n]", name) or name.lstrip()[:1] in ("{", "[")) and not os.path.isfile(name)
    name, text = ("", name) if is_text else (name, _read(name))
    try:
        return name, text, json.loads(text)
    except ValueError:
        return name, text, None


def _read(name: str) -> str:
    if not os.path.isfile(name):
        raise ValueError(f"timings: no file {name!r}.")
    if os.path.getsize(name) > MAX_BYTES:
        raise ValueError(f"timings: {name!r} is larger than {MAX_BYTES // 1_000_000} MB; is it a timing file?")
    with open(name, "rb") as file:
        raw = file.read()
    return decode_text(raw, f"timings: {name!r}")


def _label_lines(text: str) -> list[tuple[str, str, str]]:
    """(label, start, end) of lines of start, end and label."""
    lines = [line.split(None, 2) for line in text.splitlines() if line.strip()]
    return [(line[2].strip() if len(line) > 2 else "", line[0], line[1] if len(line) > 1 else "") for line in lines]


def _detect(name: str, text: str, data) -> str:
    if data is None:
        if not text.strip("\ufeff\0 \t\r\n"):
            raise ValueError(f"timings: {name or text!r} is empty; give times, or leave it out.")
        first = next((line for line in text.splitlines() if line.strip()), "")
        if "ooTextFile" in first:
            return "textgrid"
        if name.lower().endswith(".pho"):
            return "mbrola"
        if first.lstrip().startswith("{") and '"type"' in first:
            return "polly"
        if is_subtitles(text):
            return "subtitles"
        if re.match(r"\s*-?\d+(?:\.\d+)?\s+-?\d+(?:\.\d+)?\s+\S", first):
            return "labels"
        raise ValueError(f"timings: {name or text[:40]!r} has no known format; wants one of {_KNOWN}.")
    if isinstance(data, Mapping):
        return _detect_object(data)
    if not len(data):
        raise ValueError("timings: empty; wants at least one (phone, start s, end s).")
    if not isinstance(data[0], Mapping):
        return "list"
    keys = {key.lower().replace("_", "") for key in data[0]}
    marks = {"visemeid": "azure", "boundarytype": "azure-words", "startts": "kokoro", "result": "vosk"}
    return next((marks[key] for key in marks if key in keys), "polly" if {"type", "time"} <= keys else "words")


def _detect_object(data: Mapping) -> str:
    for format, keys in (
        ("text2lip", ("phones",)),
        ("elevenlabs", ("normalized_alignment", "alignment", "characters")),
        ("cartesia", ("phoneme_timestamps",)),
        ("piper", ("phoneme_id_samples", "phoneme_alignments", "alignments")),
        ("whisperx", ("segments",)),
        ("vosk", ("result",)),
        ("kokoro", ("tokens",)),
        ("azure", ("visemes",)),
        ("azure-words", ("word_boundaries",)),
    ):
        if any(key in data for key in keys):
            return format
    words = data.get("words")
    if isinstance(words, list) and words and isinstance(words[0], Mapping):
        return "gentle" if "case" in words[0] else "words"
    raise ValueError(f"timings: JSON with {sorted(data)[:6]} has no known format; wants one of {_KNOWN}.")


def _from_service(format: str, text: str, data, language: str) -> Timeline:
    try:
        from openfacefx import anchors, timing
        from openfacefx.aligners import from_gentle_phones, from_whisper_json, from_whisperx
    except ImportError as error:
        raise ImportError(
            f"timings in the format {format!r} need openfacefx: pip install 'text2lip[timings]'"
        ) from error
    rate = data.get("sample_rate", 22_050) if isinstance(data, Mapping) else 22_050
    if format == "polly" and isinstance(data, Sequence):
        text = "\n".join(json.dumps(mark) for mark in data)
    words = {
        "azure-words": anchors.from_azure_word_boundaries, "elevenlabs": anchors.from_elevenlabs_alignment,
        "kokoro": anchors.from_kokoro_tokens, "whisperx": from_whisperx, "whisper": from_whisper_json,
        "vosk": anchors.from_vosk, "words": anchors.parse_word_anchors,
    }  # fmt: skip
    try:
        if format in words:
            found = [(anchor.text, anchor.start, anchor.end) for anchor in words[format](text)]
            return _from_words(found, language)
        if format == "gentle":
            return _from_phones([(s.phoneme, s.start, s.end) for s in from_gentle_phones(text)])
        parse = {
            "mbrola": timing.parse_pho, "cartesia": timing.parse_cartesia, "azure": timing.parse_azure_visemes,
            "polly": timing.parse_polly_marks, "piper": lambda t: timing.parse_piper_alignments(t, rate),
        }[format]  # fmt: skip
        events = [(event.symbol, event.start, event.end) for event in timing.resolve_ends(parse(text))]
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"timings: malformed {TIMING_FORMATS[format]}: {error}") from error
    if format == "piper":
        return _from_phones(phones_from_tokens((label, end - start) for label, start, end in events))
    if table := {"azure": AZURE_IPA, "polly": POLLY_IPA}.get(format):
        events = [(_lookup(table, label, format), start, end) for label, start, end in events]
    return _from_phones(events)


def _lookup(table, label: str, format: str) -> str:
    try:
        return table[int(label)] if isinstance(table, tuple) else table[label]
    except (LookupError, ValueError):
        raise ValueError(f"timings: {label!r} is no viseme of {format}.") from None


def _from_tiers(tiers: dict[str, list[Segment]], language: str) -> Timeline:
    """Phones and words of a TextGrid; its tiers may be named by speaker ("Anna - phones")."""

    def tier(*names: str) -> list[Segment] | None:
        return next((tiers[key] for key in tiers for name in names if re.search(rf"\b{name}s?\b", key.lower())), None)

    phones, words = tier("phone", "phoneme", "segment", "mau"), tier("word", "ort")
    if words is not None:
        words = [word for word in words if word.label.lower() not in SILENCES]
    if phones is not None:
        return _from_phones(phones, words or [])
    if not words:
        raise ValueError(f"timings: no tier 'phones' or 'words' in the TextGrid; it has {sorted(tiers)}.")
    return _from_words(words, language)


def _triples(data) -> list[tuple]:
    try:
        triples = [(label, float(start), float(end)) for label, start, end in data]
    except (TypeError, ValueError) as error:
        wrong = next((row for row in data if not _is_triple(row)), data) if isinstance(data, (list, tuple)) else data
        raise ValueError(f"timings: {wrong!r} is no (phone, start s, end s); give such triples.") from error
    if any(not isinstance(label, str) for label, _, _ in triples):
        raise ValueError("timings: the first member of each triple is a phone (a string).")
    return triples


def _is_triple(row) -> bool:
    try:
        _, start, end = row
        return float(start) <= float("inf") and float(end) <= float("inf")
    except (TypeError, ValueError):
        return False


def _from_phones(phones: Sequence[tuple], words: Sequence[tuple] = ()) -> Timeline:
    """IPA or ARPAbet phones -> Timeline."""
    bare = [("" if label.strip().lower() in SILENCES else label.strip(), start, end) for label, start, end in phones]
    symbols = {label.rstrip("0123456789") for label, _, _ in bare if label}
    if not symbols:
        raise ValueError("timings: no phone but silence in it.")
    for label, start, _ in bare:
        if label and (error := spelling_error(label)):
            raise ValueError(f"timings: {label!r} at {start:g} s {error}; wants IPA or ARPAbet, '' for silence.")
    if symbols <= set(ARPABET_TO_IPA) and not symbols <= {"B", "K"}:
        bare = [(ARPABET_TO_IPA.get(label.rstrip("0123456789"), ""), start, end) for label, start, end in bare]
    return Timeline.from_phones(bare, words)


def _apart(words: Sequence[tuple]) -> list[tuple]:
    """Words or cues that begin at one moment (two people talk) share the time of the longest one."""
    parted = []
    for start, together in groupby(words, key=lambda word: word[1]):
        group = list(together)
        if sum(end is not None and end > start for _, _, end in group) > 1:
            last = max(end for _, _, end in group if end is not None)
            first, *others = (label for label, _, _ in group)
            group = share_times([Segment(first, start, last), *(Segment(label, start, start) for label in others)])
        parted += group
    return parted


def _from_words(words: Sequence[tuple], language: str, spread: bool = False) -> Timeline:
    """Words with times -> phones: each word's own, sharing its time by their usual lengths.

    With `spread` each label is a phrase, and every word in it gets the time of its phones.
    """
    read, spoken_form = get_g2p("espeak", language, stress=True), cache(partial(speakable, language=language))
    words = _apart(words)
    starts = [start for _, start, _ in words[1:]] + [None]
    phones: list[Segment] = []
    spoken: list[Segment] = []
    clock = 0.0
    for (label, start, end), following in zip(words, starts):
        if end is None:
            end = following if following is not None else start + 0.08 * len(label)
        if following is not None and start < following < end:
            end = following  # services let words overlap a little
        if start < clock - 1e-3:
            raise ValueError(f"timings: the word {label!r} starts at {start} s, before the word before it; sort them.")
        said = spoken_form(label)
        parts = read(said.text)
        sounds = [phone for word in parts for phone in word.phones]
        clock = end
        if not sounds or end <= start:
            continue
        lengths = nominal_durations([sounds], final=False)[0]
        at, first, whole = start, len(phones), sum(lengths)
        for sound, length in zip(sounds, lengths):
            phones.append(Segment(sound, at, at + length * (end - start) / whole))
            at = phones[-1].end
        phones[-1] = phones[-1]._replace(end=end)  # sums are off in the last bit
        if not spread:
            spoken.append(Segment(label, start, end))
            continue
        edges = pairwise(accumulate((len(word.phones) for word in parts), initial=first))
        placed = [Segment(word.word, *span) for word, span in zip(parts, edges)]
        for word in as_written(placed, said.text, said.words(label)):
            spoken.append(Segment(word.label, phones[word.start].start, phones[word.end - 1].end))
    if not phones:
        raise ValueError("timings: no word in it can be spoken.")
    return Timeline.from_phones(phones, spoken)
