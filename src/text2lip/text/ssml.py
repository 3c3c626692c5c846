"""A subset of SSML, and plain text, as pieces to be spoken one after the other."""

import contextlib
import html
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from text2lip.text.feeling_marks import style_feeling
from text2lip.text.languages import resolve_language
from text2lip.text.nominal_durations import pause_seconds
from text2lip.text.normalize import speakable, spell_out
from text2lip.text.phonemes import parse_ipa
from text2lip.text.scripts import language_runs
from text2lip.text.sentences import sentence_spans
from text2lip.text.traced import TracedText, Written


BREAK_SECONDS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
PACES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.33, "x-fast": 1.75}
PARAGRAPH_SECONDS = 0.4
MAX_BREAK = 60.0  # seconds
MAX_DEPTH = 100
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ROOT = re.compile(r"<(?:[\w.-]+:)?speak(?=[\s>/])", re.IGNORECASE)
_SPACE = re.compile(r"[\ufeff\s]*")
_PROLOG = {"<?": "?>", "<!--": "-->", "<!doctype": ">"}  # what may stand before the root, and what ends it
_ELEMENTS = "speak p s break phoneme prosody sub say-as lang voice emphasis mark desc w token express-as"


@dataclass(frozen=True)
class Piece:
    """A stretch of speech, or a pause.

    Attributes:
        text (`str`): normalised text to speak; "" for a pause.
        language (`str`, *optional*): language code as written; None: that of the call.
        rate (`float`): speaking rate, 1 is normal.
        phonemes (`str`, *optional*): IPA that takes the place of the reading of `text`.
        pause (`float`): seconds of silence, for a piece without text.
        written (`tuple[Written, ...]`): its words as the user wrote them; none where only `text` is known.
    """

    text: str
    language: str | None = None
    rate: float = 1.0
    phonemes: str | None = None
    pause: float = 0.0
    written: tuple[Written, ...] = field(default=(), compare=False, repr=False)


def is_ssml(text: str) -> bool:
    """Whether a text asks to be read as SSML: its first element is `<speak>`, in any case and with any prefix.

    A byte-order mark, an XML declaration, comments and a document type may stand before it.
    """
    return isinstance(text, str) and _ROOT.match(text, _root_start(text)) is not None


def _root_start(text: str) -> int:
    """Where the first element starts."""
    at = 0
    while True:
        at = _SPACE.match(text, at).end()
        opener = next((mark for mark in _PROLOG if text[at : at + len(mark)].lower() == mark), None)
        if opener is None:
            return at
        end = text.find(_PROLOG[opener], at + len(opener))
        subset = text.find("[", at, end) if opener == "<!doctype" else -1
        if subset >= 0:
            end = text.find(">", text.find("]", subset))
        if end < 0:
            return at
        at = end + len(_PROLOG[opener])


def without_prolog(xml: str) -> str:
    """A document with spaces for all that stands before its first element: places, lines and columns stay."""
    start = _root_start(xml)
    return re.sub(r"[^\n]", " ", xml[:start]) + xml[start:]


def to_pieces(text: str | Iterable[Piece], language: str) -> list[Piece]:
    """Plain text by [`plain_pieces`], SSML by [`parse_ssml`]; pieces stay as they are.

    Raises:
        ValueError: it is none of them, or as [`parse_ssml`].
    """
    if isinstance(text, str):
        return parse_ssml(text, language) if is_ssml(text) else plain_pieces(text, language)
    pieces = list(text) if isinstance(text, Iterable) else [text]
    if not all(isinstance(piece, Piece) for piece in pieces):
        raise ValueError(f"text: wants a string or a list of Piece, got {type(text).__name__}.")
    return pieces


def plain_pieces(text: str, language: str = "en-us") -> list[Piece]:
    """Put plain text into words, see [`speakable`], and cut it into sentences, none where there is nothing to say.

    `<` and `&` are ordinary characters. Pieces have the language None (that of the call), but for runs of a script
    that `language` does not read.
    """
    return list(_sentences(speakable(text, language), text, language, Piece("")))


def _sentences(spoken: TracedText, original: str, language: str, like: Piece, spelling=str) -> Iterator[Piece]:
    """Pieces like another of a text and the `original` that it traces, of which each has one language."""
    code = "en-us"
    if not spoken.text.isascii():
        with contextlib.suppress(ValueError):  # who speaks it will refuse it
            code = resolve_language(like.language or language)
    for first, last in sentence_spans(spoken.text):
        sentence = spoken[first:last]
        for start, end, other in language_runs(sentence.text, code):
            part = sentence[start:end]
            bare = part[len(part.text) - len(part.text.lstrip()) : len(part.text.rstrip())]
            yield replace(
                like, text=bare.text, language=other or like.language, written=bare.words(original, spelling)
            )


def parse_ssml(xml: str, language: str = "en-us") -> list[Piece]:
    """Parse SSML 1.1: speak, p, s, break, phoneme (alphabet ipa), prosody rate, sub, say-as, lang.

    emphasis and Azure's mstts:express-as are for the face alone, see [`~text2lip.text.feeling_marks.feeling_marks`];
    mark, voice and other prosody attributes are accepted and have no effect (`voice xml:lang` has).

    Args:
        xml (`str`): a document whose root is `<speak>`.
        language (`str`): language of text outside of any `xml:lang`, for normalisation.

    Returns:
        `list[Piece]`: in spoken order, neighbouring pauses joined.

    Raises:
        ValueError: not well-formed (line and column are named), an unknown element, an attribute that is missing or
            has a value that SSML doesn't know, an alphabet other than IPA, a document type that declares anything.
    """
    if re.search(r"<!doctype[^>]*\[|<!entity", xml[: _root_start(xml)], re.IGNORECASE):
        raise ValueError("ssml: declarations inside of <!DOCTYPE> are not accepted; remove them.")
    try:
        document = without_prolog(xml)
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ValueError(
            f"ssml: line {line}, column {column + 1}: {str(error).split(':')[0]}. "
            "Write &lt; and &amp; for < and &, and close every element."
        ) from error
    except ValueError as error:  # lone surrogates
        raise ValueError(f"ssml: {error}; remove the characters that XML can't hold.") from error
    for element in root.iter():  # XML tells cases apart, people who type <SPEAK> do not
        element.tag = element.tag.lower()
        element.attrib = {name if "}" in name else name.lower(): value for name, value in element.attrib.items()}
    if _depth(root) > MAX_DEPTH:
        raise ValueError(f"ssml: elements are nested more than {MAX_DEPTH} deep.")
    if _name(root) != "speak":
        raise ValueError(f"ssml: the root is <{_name(root)}>; wants <speak>.")
    return _Reader(language).read(root, document)


def _without_tags(xml: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", "", xml))


def _character_data(xml: str) -> TracedText:
    """All text of a document, entities resolved, and where it stands in it."""
    found: list[tuple[int, str]] = []
    parser = expat.ParserCreate("utf-8")
    parser.CharacterDataHandler = lambda data: found.append((parser.CurrentByteIndex, data))
    data = xml.encode("utf-8")
    parser.Parse(data, True)
    places = np.cumsum([1] + [byte & 0xC0 != 0x80 for byte in data]) - 1 if not xml.isascii() else range(len(xml) + 1)
    parts = []
    for byte, text in found:
        start = places[byte]
        entity = xml[start] == "&"
        starts = np.full(1, start) if entity else np.arange(start, start + len(text))
        ends = np.full(1, xml.index(";", start) + 1) if entity else starts + 1
        parts.append(TracedText(text, starts.astype(np.int32), ends.astype(np.int32)))
    return TracedText.join(parts)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _depth(root: ElementTree.Element) -> int:
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


class _Reader:
    """Walks the tree and collects pieces; running text is gathered until something interrupts it."""

    def __init__(self, language: str):
        self.language = language
        self.xml = ""
        self.pieces: list[Piece] = []
        self.run: list[TracedText] = []

    def read(self, root: ElementTree.Element, xml: str) -> list[Piece]:
        self.xml, self.source, self.place = xml, _character_data(xml), 0
        self.visit(root, None, 1.0)
        self.flush(None, 1.0)
        return self.pieces

    def flush(self, language: str | None, rate: float):
        text = speakable(TracedText.join(self.run), language or self.language)
        self.run = []
        mark = re.match(r"[.,;:!?…]+(?=\s|$)", text.text)  # what stands behind a <phoneme> or the like
        if self.pieces and mark:
            self.pause(pause_seconds(mark.group()))
        self.pieces += _sentences(text, self.xml, self.language, Piece("", language, rate), _without_tags)

    def take(self, text: str | None) -> TracedText:
        """The next characters of the document, which are `text`."""
        taken = self.source[self.place : self.place + len(text or "")]
        self.place += len(taken.text)
        return taken

    def pause(self, seconds: float):
        if seconds > 0 and self.pieces and not self.pieces[-1].text:
            seconds += self.pieces.pop().pause
        if seconds > 0:
            self.pieces.append(Piece("", pause=seconds))

    def visit(self, element: ElementTree.Element, language: str | None, rate: float):
        name = _name(element)
        if name not in _ELEMENTS.split():
            raise ValueError(f"ssml: <{name}> is unknown; wants one of {', '.join(_ELEMENTS.split())}.")
        inner_language = element.get(_LANG) or language
        if name == "express-as":
            style_feeling(element.attrib)  # which the face shows; no voice here knows styles
        if name == "lang" and not element.get(_LANG):
            raise ValueError("ssml: <lang> lacks its attribute xml:lang.")
        inner_rate = rate * _rate(element.get("rate")) if name == "prosody" else rate
        new_scope = (inner_language, inner_rate) != (language, rate) or name in ("p", "s", "phoneme", "break")
        if new_scope:
            self.flush(language, rate)
        if name == "break":
            self.pause(_break(element))
        elif name == "phoneme":
            self.phoneme(element, inner_language, inner_rate)
        elif name == "sub":
            self.run.append(self.take("".join(element.itertext())).replaced(_required(element, "alias")))
        elif name == "say-as":
            text = self.take("".join(element.itertext()))
            kind = _required(element, "interpret-as")
            self.run.append(text.replaced(spell_out(text.text, kind, inner_language or self.language)))
        elif name in ("mark", "desc"):
            self.take("".join(element.itertext()))
        else:
            self.run.append(self.take(element.text))
            for child in element:
                self.visit(child, inner_language, inner_rate)
                self.run.append(self.take(child.tail))
        if new_scope and name not in ("break", "phoneme"):
            self.flush(inner_language, inner_rate)
        if name == "p":
            self.pause(PARAGRAPH_SECONDS)

    def phoneme(self, element: ElementTree.Element, language: str | None, rate: float):
        if element.get("alphabet", "ipa").lower() != "ipa":
            raise ValueError(f"ssml: <phoneme> alphabet {element.get('alphabet')!r}; wants 'ipa'.")
        phonemes = _required(element, "ph")
        parse_ipa(phonemes)
        source = self.take("".join(element.itertext()))
        text = " ".join(source.text.split()) or phonemes
        span = (int(source.starts[0]), int(source.ends[-1])) if source.text else None
        self.pieces.append(Piece(text, language, rate, phonemes, written=(Written(0, len(text), text, span),)))


def _required(element: ElementTree.Element, attribute: str) -> str:
    value = element.get(attribute)
    if value is None:
        raise ValueError(f"ssml: <{_name(element)}> lacks its attribute {attribute}.")
    return value


def _break(element: ElementTree.Element) -> float:
    """Seconds of a <break>: time="500ms" or "1.5s", else strength (the seconds are ours, the standard leaves them)."""
    time, strength = element.get("time"), element.get("strength", "medium")
    if time is not None:
        found = re.fullmatch(r"\+?(\d+(?:\.\d*)?|\.\d+)\s*(ms|s)", time.strip())
        if not found:
            raise ValueError(f"ssml: <break> time {time!r}; wants a time such as '500ms' or '1.5s'.")
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
        if seconds > MAX_BREAK:
            raise ValueError(f"ssml: <break> time {time!r} is longer than {MAX_BREAK:.0f} s; shorten it.")
        return seconds
    if strength not in BREAK_SECONDS:
        raise ValueError(f"ssml: <break> strength {strength!r}; wants one of {', '.join(BREAK_SECONDS)}.")
    return BREAK_SECONDS[strength]


def _rate(value: str | None) -> float:
    """Factor of a prosody rate: a word, a percentage ("120%", "+20%", "-10%") or a factor ("1.2")."""
    if value is None:
        return 1.0
    value = value.strip()
    if value in PACES:
        return PACES[value]
    found = re.fullmatch(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(%?)", value)
    factor = math.nan
    if found:
        number = float(found[2]) / (100 if found[3] else 1)
        factor = {"": number, "+": 1 + number, "-": 1 - number}[found[1]] if found[3] or not found[1] else math.nan
    if not 0.1 <= factor <= 10:
        raise ValueError(
            f"ssml: <prosody> rate {value!r}; wants {', '.join(PACES)}, a percentage such as '80%' or '+20%', or a "
            "factor from 0.1 to 10."
        )
    return factor
