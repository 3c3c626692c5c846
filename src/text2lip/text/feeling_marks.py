"""What a text says of how it is said: feelings by tags, SSML and emoji, and emphasis."""

import math
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from numbers import Real
from typing import Any, NamedTuple
from xml.parsers import expat


FEELINGS = ("happy", "sad", "angry", "surprised", "afraid", "disgusted", "serious")
"""Feelings that a face shows, beside "neutral"."""
_NAMES = ("neutral", *FEELINGS)
MAX_STRENGTH = 2.0
_NUMBER = r"-?\d*\.?\d+"
TAG = re.compile(rf"\[\s*((?:neutral|{'|'.join(FEELINGS)})(?:[\s,:]+(?:{'|'.join(FEELINGS)}|{_NUMBER}))*)\s*\]", re.I)
"""The short form, as `[happy]` or `[happy 0.5, surprised]`; it is not spoken."""
# a word alone, that isn't a link, an index or phonemes
_BRACKETED = re.compile(rf"(?<![\w\[])\[\s*([^\W\d_]{{2,}})(?:[\s,:]+{_NUMBER})*\s*\](?![\](\[:])")
_DEGREES = "a and bit but extremely less little more most not or quite rather really slightly so somewhat too very"
_SEVERAL = re.compile(r"(?<![\w\[])\[([^\W\d_]+(?:[\s,]+[^\W\d_]+){1,4})\](?![\](\[:])")
STYLES = {
    "happy": "cheerful excited friendly hopeful affectionate happy",
    "sad": "sad depressed disappointed sorry",
    "angry": "angry shouting unfriendly disgruntled envious",
    "surprised": "surprised",
    "afraid": "fearful terrified afraid embarrassed",
    "disgusted": "disgusted",
    "serious": "serious newscast newscast-formal documentary-narration narration-professional",
}
"""Styles of Azure's `<mstts:express-as>` by the feeling that they show; others show none."""
_EMOJI = {
    "happy": "😀😃😄😁😆😅🤣😂🙂😊😇🥰😍🤩😘😗😚😙🥲😋😛😜🤪😝🤗😉☺😌😺😸😹😻🥳😎❤💕🎉👍",
    "sad": "😔😞😟🙁☹😢😭🥺😿😩😫😣😖💔😥😪",
    "angry": "😠😡🤬👿😤💢😾",
    "surprised": "😮😯😲🤯😳🙀😦",
    "afraid": "😨😱😰😧🫣",
    "disgusted": "🤢🤮😒🙄",
    "serious": "😐😑🧐🤔😶",
}
EMOJI = {char: feeling for feeling, chars in _EMOJI.items() for char in chars}
_STARS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*\n]{0,200}?[^\s*])\1(?![\w*])")


class FeelingMark(NamedTuple):
    """What a text says from `start` to `end`, places in it; `feeling` as [`read_feeling`] gives it, None for emphasis.

    Attributes:
        sentence (`bool`): it is of the whole sentence that it stands in, as an emoji is.
    """

    start: int
    end: int
    feeling: dict[str, float] | None
    sentence: bool = False


def read_feeling(expression: Any, what: str = "expression") -> dict[str, float]:
    """Feelings and their strengths, 0 (none) to 2, of what a user writes; 1 is plain to see.

    Args:
        expression: a name ("happy"), names with strengths ("happy 0.6, surprised 0.4"), or a mapping of them.
            "neutral" and None are no feeling.
        what (`str`): what messages call it.

    Raises:
        ValueError: an unknown feeling, or a strength out of range.
    """
    if expression is None:
        return {}
    if isinstance(expression, str):
        parts: list[list] = []
        pointed = re.sub(r"(?<=\d),(?=\d)", ".", expression.strip().lower())  # 0,5
        for part in re.split(r"[\s,:=]+", pointed):
            if parts and re.fullmatch(_NUMBER, part):
                parts[-1][1] = float(part)
            else:
                parts.append([part, 1.0])
        told = dict(parts)
    elif isinstance(expression, Mapping):
        told = dict(expression)
    else:
        raise ValueError(f"{what}: got {type(expression).__name__}; wants a name or a mapping of names.")
    for name, strength in told.items():
        if name not in _NAMES:
            near = _nearest(name)
            remedy = f"did you mean {near!r}?" if near else f"choose of {', '.join(_NAMES)}."
            raise ValueError(f"{what}: {name!r}; {remedy}")
        number = not isinstance(strength, bool) and isinstance(strength, Real) and math.isfinite(strength)
        if not number or not 0 <= strength <= MAX_STRENGTH:
            raise ValueError(f"{what}: {name} of strength {strength!r}; wants one from 0 to {MAX_STRENGTH:g}.")
    return {name: float(strength) for name, strength in told.items() if strength and name != "neutral"}


def feeling_marks(text: str, ssml: bool = False) -> list[FeelingMark]:
    """Feelings and emphasis that `text` asks for, in order; a later one holds where two overlap.

    `[happy]` is of all that follows, up to the next tag. `<mstts:express-as style="cheerful" styledegree="1.5">` and
    `<emphasis>` are of what is in them, an emoji of its sentence. `*word*` is emphasis.

    Args:
        text (`str`): as written.
        ssml (`bool`): whether it is SSML, that [`~text2lip.text.ssml.parse_ssml`] accepts.

    Raises:
        ValueError: SSML that isn't well-formed, or a strength out of range.
    """
    tags = list(TAG.finditer(text))
    marks = [
        FeelingMark(tag.end(), after.start() if after else len(text), read_feeling(tag[1], f"prompt: {tag[0]}"))
        for tag, after in zip(tags, [*tags[1:], None])
    ]
    marks += _elements(text) if ssml else [FeelingMark(*m.span(2), None) for m in _STARS.finditer(text)]
    for place, char in enumerate(text):
        if char in EMOJI:
            marks.append(FeelingMark(place, place + 1, {EMOJI[char]: 1.0}, True))
    return marks


def unknown_tags(text: str) -> list[str]:
    """What to say of words in brackets that are no feelings, each once: they are spoken, and maybe misspelt. Of
    several words a feeling is one, and others say how much, as in `[very happy]`."""
    told = {}
    for found in _SEVERAL.finditer(text):
        words = re.findall(r"\w+", found[1].lower())
        felt = [word for word in words if word in FEELINGS]
        if felt and not TAG.fullmatch(found[0]) and not set(words) - {*felt, *_DEGREES.split()}:
            remedy = f"a number says how much, as in [{felt[0]} 1.5], and a comma parts two, as in [happy, surprised]."
            told[found[0]] = f"{found[0]} is no tag and is spoken; {remedy}"
    for found in _BRACKETED.finditer(text):
        if found[1].lower() not in _NAMES:
            near = _nearest(found[1])
            remedy = f"did you mean [{near}]?" if near else f"there are {', '.join(f'[{name}]' for name in _NAMES)}."
            told[found[0]] = f"{found[0]} is no feeling and is spoken; {remedy}"
    return list(told.values())


def _nearest(name: Any) -> str:
    """The feeling that `name` is most like, "" if it is like none."""
    return (get_close_matches(str(name).lower(), _NAMES, 1) or [""])[0]


def _elements(xml: str) -> Iterator[FeelingMark]:
    """Marks of the elements of SSML, those within others later."""
    data, stack, found = xml.encode("utf-8"), [], []
    parser = expat.ParserCreate("utf-8")

    def place() -> int:
        return len(data[: parser.CurrentByteIndex].decode("utf-8"))

    def start(name: str, attributes: Mapping[str, str]):
        stack.append((place(), name.rpartition(":")[2].lower(), attributes))

    def end(name: str):
        first, name, attributes = stack.pop()
        if name == "express-as":
            found.append(FeelingMark(first, place(), style_feeling(attributes)))
        elif name == "emphasis" and attributes.get("level", "moderate") not in ("none", "reduced"):
            found.append(FeelingMark(first, place(), None))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"ssml: {error}; write &lt; and &amp; for < and &, and close every element.") from error
    return iter(sorted(found))


def style_feeling(attributes: Mapping[str, str]) -> dict[str, float]:
    """The feeling of an `express-as` element: its `style`, Azure's or one of ours, and `styledegree`, 0.01 to 2.

    Raises:
        ValueError: no style, or a degree out of range.
    """
    style, degree = attributes.get("style"), attributes.get("styledegree", "1")
    if not style:
        raise ValueError("ssml: <express-as> lacks its attribute style.")
    if not re.fullmatch(_NUMBER, degree.strip()) or not 0 <= float(degree) <= MAX_STRENGTH:
        raise ValueError(f"ssml: <express-as> styledegree {degree!r}; wants a number from 0.01 to {MAX_STRENGTH:g}.")
    feeling = next((name for name, styles in STYLES.items() if style.strip().lower() in styles.split()), None)
    return {feeling: float(degree)} if feeling else {}


def vader_is_installed() -> bool:
    """Whether `expression="auto"` can be asked for."""
    return find_spec("vaderSentiment") is not None


@cache
def _analyser() -> Any:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise ValueError(
            "expression: 'auto' needs VADER, which is not installed; run: pip install 'text2lip[feelings]'"
        ) from error
    return SentimentIntensityAnalyzer()


def guessed_feeling(sentence: str) -> dict[str, float]:
    """The feeling of an English sentence by VADER (Hutto & Gilbert 2014): happy or sad by its compound score, beyond
    the 0.05 that its authors call neutral by some; which other feeling it may be, it doesn't tell.

    Raises:
        ValueError: vaderSentiment is not installed.
    """
    score = _analyser().polarity_scores(sentence)["compound"]
    return {("happy" if score > 0 else "sad"): round(abs(score), 2)} if abs(score) > 0.3 else {}
