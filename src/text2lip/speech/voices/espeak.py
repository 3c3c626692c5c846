"""espeak-ng as a timed voice: sound and phone times from one synthesis, in every espeak language.

The library is driven through ctypes. Each utterance loads its own copy of the shared library: one loaded copy keeps
pitch state between calls, so its times would differ from call to call, and it isn't thread-safe. A fresh copy costs
about 5 ms and gives the same bytes every time, from any thread.
"""

import bisect
import contextlib
import ctypes as C
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from text2lip.speech.audio import to_float
from text2lip.speech.utterance import Speech, join
from text2lip.speech.voices.protocol import check_rate, clean_text, silent_text
from text2lip.text.espeak_library import espeak_library, espeak_voices, readable_text, unloadable
from text2lip.text.languages import resolve_language
from text2lip.text.mnemonics import mnemonics, probe
from text2lip.text.readers import respell
from text2lip.text.scripts import UNSPACED
from text2lip.text.timing import Segment, Timeline


WORDS_PER_MINUTE = 175  # espeak's own default; its parameter runs from 80 to 450
MAX_WORDS_PER_MINUTE = 449  # from 450 on espeak post-processes the sound and its events no longer match
LONGEST_CLOSURE = 0.06  # seconds
PLOSIVES = frozenset("ptkcqʔbdɡʈɖɟɢ")

_SYNCHRONOUS, _EVENTS, _UTF8, _MNEMONICS = 2, 0x1 | 0x2 | 0x8000, 0x1, 0x100
_WORD, _PHONEME = 1, 7


class _Identity(C.Union):
    _fields_ = [("number", C.c_int), ("name", C.c_char_p), ("string", C.c_char * 8)]


class _Event(C.Structure):
    _fields_ = [
        ("type", C.c_int), ("unique_identifier", C.c_uint), ("text_position", C.c_int), ("length", C.c_int),
        ("audio_position", C.c_int), ("sample", C.c_int), ("user_data", C.c_void_p), ("id", _Identity),
    ]  # fmt: skip


_CALLBACK = C.CFUNCTYPE(C.c_int, C.POINTER(C.c_short), C.c_int, C.POINTER(_Event))


@dataclass
class _Raw:
    """What espeak said: int16 samples, and its events as (type, sample, text offset, name)."""

    sampling_rate: int
    blocks: list[np.ndarray] = field(default_factory=list)
    events: list[tuple[int, int, int, str]] = field(default_factory=list)


@contextlib.contextmanager
def _private_library() -> Iterator[tuple[C.CDLL, int]]:
    """A fresh copy of the library, initialised, and its sampling rate; unloaded at the end."""
    library, data = espeak_library()
    folder = tempfile.mkdtemp(prefix="text2lip-")
    handle = None
    try:
        try:
            handle = C.CDLL(shutil.copy(library, folder))
        except OSError as error:
            raise unloadable(error) from error
        if os.name != "nt":
            shutil.rmtree(folder, ignore_errors=True)  # it stays mapped, and a crash leaves nothing behind
        rate = handle.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _EVENTS)
        if rate <= 0:
            raise RuntimeError(f"espeak-ng can't read its data in {data}; reinstall with: pip install espeakng-loader")
        yield handle, rate
    finally:
        if handle is not None:
            handle.espeak_Terminate()
            _unload(handle)
        shutil.rmtree(folder, ignore_errors=True)


def _unload(library: C.CDLL) -> None:
    if os.name == "nt":
        free = C.windll.kernel32.FreeLibrary
        free.argtypes = [C.c_void_p]
        free(library._handle)
    else:
        import _ctypes

        _ctypes.dlclose(library._handle)


def _run(text: str, voice: str, words_per_minute: int, flags: int = 0) -> _Raw:
    with _private_library() as (library, sampling_rate):
        raw = _Raw(sampling_rate)

        def collect(samples, count, events) -> int:
            if samples and count > 0:
                raw.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
            index = 0
            while events[index].type:
                event = events[index]
                if event.type in (_WORD, _PHONEME):
                    name = ""
                    if event.type == _PHONEME:  # up to 8 bytes, not always ended by NUL
                        where = C.addressof(event) + _Event.id.offset
                        name = C.string_at(where, 8).split(b"\0")[0].decode("utf-8", "ignore")
                    raw.events.append((event.type, event.sample, event.text_position - 1, name))
                index += 1
            return 0

        callback = _CALLBACK(collect)  # keep a reference while espeak runs
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"voice: espeak-ng has no voice {voice!r}; list them with text2lip.speech.list_voices().")
        library.espeak_SetSynthCallback(callback)
        library.espeak_SetParameter(1, words_per_minute, 0)
        library.espeak_Synth.argtypes = [
            C.c_char_p, C.c_size_t, C.c_uint, C.c_int, C.c_uint, C.c_uint, C.c_void_p, C.c_void_p
        ]  # fmt: skip
        data = text.encode("utf-8") + b"\0"
        library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8 | flags, None, None)
    return raw


def _phones(raw: _Raw, samples: np.ndarray) -> tuple[list[list], list[int | None]]:
    """Phones as [label, start sample, end sample] and, for each, the text offset of its WORD event.

    The lead-in belongs to the first phone, phones without length are dropped, a palatalisation mark that comes as
    an event of its own joins the phone before it.
    """
    phones: list[list] = []
    owners: list[int | None] = []
    word = None
    for kind, sample, offset, name in raw.events:
        if kind == _WORD:
            word = offset
            continue
        if name.startswith("("):  # "(en)": the reader changes its language, which is no sound and takes no time
            continue
        if phones:
            phones[-1][2] = sample
        if name == "ʲ" and phones and phones[-1][0]:
            phones[-1][0] += name
            continue
        if not name and phones and not phones[-1][0]:
            phones[-1][2] = len(samples)
            continue
        phones.append([name, sample if phones else 0, len(samples)])
        owners.append(word if name else None)
    lasting = [i for i, (_, start, end) in enumerate(phones) if end > start]
    return [phones[i] for i in lasting], [owners[i] for i in lasting]


def _take_closures(phones: list[list], samples: np.ndarray, sampling_rate: int) -> None:
    """Start each plosive where its closure starts.

    espeak sends the event of a voiceless plosive at its burst and counts the 40 ms of silent closure before it to
    the phone before. The lips are shut in that time, so it's given back: the run of zero samples before the burst.
    """
    longest = round(LONGEST_CLOSURE * sampling_rate)
    for before, phone in zip(phones, phones[1:]):
        if not phone[0] or phone[0].lstrip("ˈˌ")[:1] not in PLOSIVES:
            continue
        earliest = max(phone[1] - longest, before[1] if not before[0] else (before[1] + phone[1]) // 2)
        loud = np.flatnonzero(np.abs(samples[earliest : phone[1]]) > 16)
        before[2] = phone[1] = earliest + int(loud[-1]) + 1 if len(loud) else earliest


def _tokens(text: str, offsets: set[int]) -> list[tuple[int, int]]:
    """(start, end) of the words of `text`: whitespace tokens, cut at WORD events in scripts without spaces."""
    tokens, ordered = [], sorted(offsets)
    for match in re.finditer(r"\S+", text):
        start, end = match.span()
        inside = ordered[bisect.bisect_right(ordered, start) : bisect.bisect_left(ordered, end)]
        cuts = [o for o in inside if UNSPACED.match(text[o])]
        edges = [start, *cuts, end]
        tokens += list(zip(edges, edges[1:]))
    return tokens


def _words(
    text: str, tokens: list[tuple[int, int]], phones: list[list], owners: list[int | None]
) -> list[tuple[int, int, int]]:
    """(index of the token, start, end) of the words that sound, in samples. A word that espeak ran into its neighbour
    ("the" of "in the") shares the neighbour's time by length."""
    ends = [end for _, end in tokens]
    spans: dict[int, list[int]] = {}
    for (_, start, end), offset in zip(phones, owners):
        if offset is None:
            continue
        index = min(bisect.bisect_right(ends, offset), len(tokens) - 1)
        span = spans.setdefault(index, [start, end])
        span[0], span[1] = min(span[0], start), max(span[1], end)
    words: list[tuple[int, int, int]] = []
    for index in sorted(spans):
        group = [index]
        while group[-1] + 1 < len(tokens) and group[-1] + 1 not in spans:
            group.append(group[-1] + 1)
        group = [i for i in group if i == index or any(c.isalnum() for c in text[slice(*tokens[i])])]
        start, end = spans[index]
        edges = np.cumsum([0] + [tokens[i][1] - tokens[i][0] for i in group])
        edges = start + np.rint(edges / edges[-1] * (end - start)).astype(int)
        words += [(i, int(s), int(e)) for i, s, e in zip(group, edges, edges[1:])]
    return words


def _seconds(items: Iterable[tuple], sampling_rate: int) -> list[Segment]:
    return [Segment(label, start / sampling_rate, end / sampling_rate) for label, start, end in items]


@functools.cache
def variants() -> list[str]:
    """Names of espeak's voice variants."""
    return sorted(os.listdir(os.path.join(espeak_library()[1], "voices", "!v")), key=str.lower)


@functools.cache
def _mnemonic_table(voice: str) -> dict[str, str]:
    """IPA -> espeak mnemonic in a voice, found out by having each mnemonic said."""
    text, places = probe()
    starts = [offset for offset, _ in places]
    sounds: dict[str, list[str]] = {mnemonic: [] for _, mnemonic in places}
    mnemonic = ""
    for kind, _, offset, name in _run(text, voice, WORDS_PER_MINUTE, _MNEMONICS).events:
        if kind == _WORD:
            mnemonic = places[bisect.bisect_right(starts, offset) - 1][1]
        elif name and mnemonic:
            sounds[mnemonic].append(name.lstrip("ˈˌ"))
    table: dict[str, str] = {}
    for mnemonic, names in sounds.items():
        if len(names) == 2:  # the sound and its neighbour
            table.setdefault(names[0], mnemonic)
    return table


def _spell_phones(voice: str, ipa: str) -> str:
    return " ".join(f"[[{codes}]]" for codes in mnemonics(ipa, _mnemonic_table(voice)))


class EspeakSynthesizer:
    """espeak-ng, timed by its own phoneme events (each edge is the exact sample where espeak changes phone).

    Deterministic and thread-safe. GPL-3.0-or-later at run time, by the package `espeakng-loader`. `variant` is one of
    [`variants`], such as "f3" or "klatt2".
    """

    languages = None

    def __init__(self, variant: str | None = None):
        if variant is not None and variant not in variants():
            raise ValueError(f"voice: espeak-ng has no variant {variant!r}; choose one of: {', '.join(variants())}.")
        self.variant = variant
        self.name = f"espeak+{variant}" if variant else "espeak"

    def __call__(self, text: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak `text`, see [`Synthesizer`]; 22,050 Hz, phones with stress marks, at pace 1 175 words a minute."""
        return self._speak(clean_text(text), language, speaking_rate)

    def speak_phones(self, phones: str, *, language: str = "en-us", speaking_rate: float = 1.0) -> Speech:
        """Speak IPA with or without stress marks, such as "təˈmɑːtəʊ"; the rest as for text.

        A phone that the language lacks is said as the articulatory nearest one; the one word has no spelling.

        Raises:
            ValueError: no IPA letter in `phones`; otherwise as for text.
        """
        groups = mnemonics(clean_text(phones), _mnemonic_table(self._voice(language)))
        return join([self._speak(f"[[{codes}]]", language, speaking_rate, _MNEMONICS) for codes in groups])

    def _speak(self, text: str, language: str, speaking_rate: float, flags: int = 0) -> Speech:
        rate = min(MAX_WORDS_PER_MINUTE, max(80, round(WORDS_PER_MINUTE * check_rate(speaking_rate))))
        code = resolve_language(language)
        spelled = None if flags else respell(text, code, functools.partial(_spell_phones, self._voice(language)))
        spoken = spelled.text if spelled else text
        flags |= _MNEMONICS if spelled and "[[" in spoken else 0
        raw = _run(readable_text(spoken, code), self._voice(language), rate, flags)
        samples = np.concatenate(raw.blocks or [np.zeros(0, np.int16)])
        phones, owners = _phones(raw, samples)
        if not any(label for label, _, _ in phones):
            raise silent_text(text, language)
        _take_closures(phones, samples, raw.sampling_rate)
        tokens = spelled.tokens if spelled else _tokens(spoken, {o for o in owners if o is not None})
        written = [text[a:b] for a, b in (spelled.places if spelled else tokens)]
        words = [(written[i], start, end) for i, start, end in _words(spoken, tokens, phones, owners)]
        phones, words = _seconds(phones, raw.sampling_rate), _seconds(words, raw.sampling_rate)
        timeline = Timeline.from_phones(phones, words, len(samples) / raw.sampling_rate)
        return Speech(to_float(samples), raw.sampling_rate, timeline)

    def _voice(self, language: str) -> str:
        _, identifier = espeak_voices()[resolve_language(language)]
        return f"{identifier}+{self.variant}" if self.variant else identifier
