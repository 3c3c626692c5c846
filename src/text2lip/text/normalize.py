"""Written text to spoken text, before any voice or reader sees it, so that all say the same words."""

import re
import unicodedata

from text2lip.text.cldr import base_language, tables
from text2lip.text.feeling_marks import TAG
from text2lip.text.forms import spoken_forms
from text2lip.text.languages import resolve_language
from text2lip.text.numerals import LONGEST_NUMBER
from text2lip.text.traced import TracedText


_ADDRESS = re.compile(
    r"(?P<scheme>\b(?:https?|ftp)://|\bmailto:)?"
    r"(?P<body>(?(scheme)[^\s<>\"']+"
    r"|(?:(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|\bwww\.[^\s<>\"']+"
    r"|(?<![\w.-])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|io|ai|de|fr|uk|eu|info|dev|app)\b(?:/[^\s<>\"']*)?)))"
)
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\U0001f000-\U0001f2ff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff"
    "\u25fb-\u25fe\u2934\u2935\u3030\u303d\u3297\u3299]|[#*0-9]\ufe0f?\u20e3"
)
_EMOJI_PARTS = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\ufe0e\ufe0f]")
_BLOCK = r"(?:[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?))"
_UNENDED = re.compile(rf"^(?![ \t]*>)({_BLOCK}+)(\S[^\n]*)$", re.M)
_NUMBERED = re.compile(r"^([ \t]*\d{1,3}[.)][ \t]+)(\S[^\n]*)(?=\n\s*\d{1,3}[.)][ \t])", re.M)  # before another
_BLOCKS = re.compile(rf"^{_BLOCK}+", re.M)
# hyphens, fraction and division slashes, Arabic percent sign, and the stroke that makes Arabic words longer
_SIGNS = {"\u2010": "-", "\u2011": "-", "\u2044": "/", "\u2215": "/", "\u066a": "%", "\u0640": ""}
_MARKS = "[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u1160-\u11ff\u3099\u309a]"
# over line breaks too, but not over a blank line; marks of another kind may stand directly inside or outside
_INSIDE = r"(?:[^\n]|\n(?![ \t]*\n)){0,400}?"
_EMPHASIS = [
    re.compile(rf"(?<![\w{sign}]){mark}(?=[^\s{sign}])({_INSIDE}[^\s{sign}])??{mark}(?![\w{sign}])")
    for sign, marks in (("*", r"\*\*\* \*\*"), ("~", "~~"), ("*", r"\*"), ("_", "___ __ _"))
    for mark in marks.split()
]
MAX_NESTED = 3


def normalize_text(text: str, language: str = "en-us") -> str:
    """What is said for a text: see [`speakable`], whose arguments and errors it has.

    Returns:
        `str`: text with single spaces; paragraphs stay apart by a blank line. Idempotent on ordinary prose.
    """
    return speakable(text, language).text


def speakable(text: "str | TracedText", language: str = "en-us") -> TracedText:
    """A text in words as they are spoken, which knows where in the original each of them stood.

    NFC, no control characters, emoji, Markdown or tags of feelings (`[happy]`); numbers, dates, times, money, units,
    addresses, abbreviations and so on in words, where CLDR spells the numbers of the language; other languages leave
    digits to the voice.

    Args:
        text (`str` or `TracedText`): any text; NUL, control characters and lone surrogates become spaces.
        language (`str`): language code or English name.

    Raises:
        ValueError: `text` is not a string.
    """
    if not isinstance(text, (str, TracedText)):
        raise ValueError(f"text: wants a string, got {type(text).__name__}.")
    if not isinstance(language, str):
        raise ValueError(f"language: wants a code such as 'en-us' or 'fr', got {language!r}.")
    if not re.match(r"\s*[A-Za-z]{2,3}(?:[-_.\s]|$)", language):
        language = resolve_language(language)  # a name
    base = base_language(language)
    text = clean_characters(text if isinstance(text, TracedText) else TracedText(text))
    text = strip_markdown(text.sub(TAG, " "))
    text = text.sub(_ADDRESS, lambda found: speak_address(found, base))
    text = text.sub(r"(?<![\w&#@.])([#@])(\w*[^\W\d]\w*)", lambda found: _tag(found, base))
    text = text.sub(_EMOJI_PARTS, "").sub("(?<!\\w)\u200d|\u200d(?!\\w)", "")
    text = text.sub(_EMOJI, lambda emoji: emoji[0][0] if emoji[0][0] in "#*0123456789" else " ")  # a keycap is its key
    text = _spaced(quieten(text.sub("_", " ")))
    forms = spoken_forms(language)
    text = text.sub(r"(?<=\d)٬(?=\d{3})", "'" if forms else "")  # Arabic thousands
    if forms is None:
        text = text.sub(rf"\d{{{LONGEST_NUMBER + 1},}}", _digit_by_digit)
    else:
        text = _spaced(forms.read(text))
    return text.sub(r"(?<=\S) (?=[,;:.!?](?:\s|$))", "")


def _spaced(text: TracedText) -> TracedText:
    """With single spaces, and blank lines between paragraphs."""
    text = text.sub(r"\s+", lambda found: "\n\n" if found[0].count("\n") > 1 else " ")
    size = len(text.text)
    return text[size - len(text.text.lstrip()) : len(text.text.rstrip()) or size]


def _tag(found: re.Match, base: str) -> str | None:
    """#TwoWords and @name."""
    table = tables().get(base, {})
    word = table.get("hashtag", "") if found[1] == "#" else table.get("address", ["", "", ""])[2]
    return f"{word} " + re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found[2].replace("_", " ")) if word else None


def quieten(text: TracedText) -> TracedText:
    """Write shouted sentences in small letters, so that IT IS is read as words; TV stays. A sentence is shouted that
    has three words or more, one of four letters or more, and no small letter."""
    if not re.search(r"[^\W\d_]{4}", text.text) or text.text == text.text.lower():
        return text
    return text.sub(
        r"(?:[^.!?…\n]|[.!?…](?=\S))+", lambda found: _in_small_letters(found[0]) if _is_shouted(found[0]) else None
    )


def _is_shouted(sentence: str) -> bool:
    if not sentence.isupper():
        return False
    words = [word for word in re.findall(r"[^\W\d_]{2,}", sentence) if word != word.lower()]  # scripts without case
    return len(words) >= 3 and max(map(len, words)) >= 4


def _in_small_letters(sentence: str) -> str:
    def small(found: re.Match) -> str:
        word = found.group()
        spelled = word.isascii() and not re.search("[AEIOUY]", word)
        return word if spelled else word.lower()

    return re.sub(r"[^\W\d_]{2,}|\bA\b(?![,.])", small, sentence)


def _digit_by_digit(found: re.Match) -> str:
    digits = found.group()
    return ", ".join(" ".join(digits[i : i + 4]) for i in range(0, len(digits), 4))


def _plain(char: str) -> str:
    """A letter, digit or sign that Unicode keeps apart for its look alone (full width, bold, ligature, lowered) as the
    ordinary one. Punctuation of East Asian scripts, fractions and what is raised (10⁶, 1º, ™) stay: engines know
    them, and side by side with ordinary ones they would say something else."""
    kind, form = unicodedata.category(char), unicodedata.decomposition(char)
    if (
        not form.startswith("<")
        or form.startswith("<super>")
        or "\u0e00" <= char < "\u0f00"
        or "\u3131" <= char < "\u318f"
    ):
        return char
    if form.startswith(("<font>", "<circle>", "<square>", "<sub>", "<narrow>", "<wide>")):
        return char if kind[0] == "P" or kind == "Zs" else unicodedata.normalize("NFKC", char)
    return unicodedata.normalize("NFKC", char) if kind[0] == "L" or kind in ("Nl", "Nd") else char


def clean_characters(text: TracedText) -> TracedText:
    """NFC without control, unassigned and private characters, lone surrogates, soft hyphens and invisible marks;
    letters and digits that differ from ordinary ones by their look or script alone become those. Joiners between
    letters (Persian, Indic scripts) and line ends stay."""
    text = text.sub(r"\r\n?", "\n").sub(r"[^\n -~]", _clean)
    if text.text.isascii():
        return text
    text = text.sub(r"(?<=\d)[．，：／－](?=\d)", lambda sign: unicodedata.normalize("NFKC", sign.group()))
    text = text.sub(r"(?<=\d)٫(?=\d)", ".")
    for cluster in (rf".{_MARKS}+", r"\S+"):
        if not unicodedata.is_normalized("NFC", text.text):
            text = text.sub(cluster, lambda found: unicodedata.normalize("NFC", found[0]))
    return text.sub(r"(?<=\w)[’ʼ](?=\w)", "'")


def _clean(found: re.Match) -> str:
    char = found.group()
    kind = unicodedata.category(char)
    if kind == "Cf":
        return char if char in "\u200c\u200d" or "\U000e0000" < char < "\U000e0080" else ""
    if kind in ("Zl", "Zp"):
        return "\n"
    if kind in ("Cc", "Cs", "Co", "Cn", "Zs"):
        return char if char in "\xa0\u202f" else " "
    if kind == "Nd":
        return str(unicodedata.digit(char))
    return _SIGNS[char] if char in _SIGNS else _plain(char)


def strip_markdown(text: TracedText) -> TracedText:
    """Take the marks of Markdown off a text; headings and list items end like sentences. Arithmetic (2 * 3) stays."""
    text = text.sub(r"(?m)^[ \t]*(?:```|~~~).*$", "")
    text = text.sub(r"(?m)^[ \t]*(?:(?:[-*_][ \t]*){3,}|={3,})$", "")
    text = text.sub(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)", r"\1")
    for line in (_UNENDED, _NUMBERED):
        text = text.sub(line, lambda found: found[1] + _ended(found[2]))
    text = text.sub(_BLOCKS, "").sub(r"`+([^`\n]*)`+", r"\1")
    for _ in range(MAX_NESTED):
        before = text
        for emphasis in _EMPHASIS:
            text = text.sub(emphasis, r"\1")
        if text is before:
            break
    return text


def _ended(line: str) -> str:
    line = line.rstrip().rstrip("#").rstrip()
    return line if line[-1:] in ".!?:;,…。！？" else line + "."


def speak_address(found: re.Match, base: str) -> str:
    """A URL or an e-mail address in words: "www.example.org/a-b" -> "example dot org slash a dash b"."""
    body = found["body"]
    trailing = body[len(body.rstrip(".,;:!?)]}'\"")) :]
    body = body[: len(body) - len(trailing)]
    body = re.sub(r"^www\.|[?#].*$|/+$", "", body)  # nobody reads a query aloud
    if not body:
        return found.group()
    dot, slash, at, dash, underscore = tables().get(base, {}).get("address", ("",) * 5)
    words = {".": dot, "/": slash, "@": at, "-": dash, "_": underscore}
    spoken = re.sub(r"[^\w]|_", lambda sign: f" {words.get(sign.group(), '')} ", body)
    return " ".join(spoken.split()) + trailing


_CHARACTERS = ("characters", "character", "spell-out", "verbatim", "letters")
_DIGITS = ("digits", "telephone")
_ORDINALS = ("spellout-ordinal", "spellout-ordinal-masculine", "spellout-ordinal-neuter", "spellout-ordinal-common")
_AS_WRITTEN = (
    "cardinal", "number", "date", "time", "currency", "unit", "fraction", "address", "name", "duration", "net",
)  # fmt: skip


def spell_out(text: str, interpret_as: str, language: str = "en-us") -> str:
    """What SSML's `<say-as>` says: letters or digits one by one, ordinals; the rest is read as it is written. A
    ValueError for an unknown `interpret_as`."""
    kind = interpret_as.lower()
    if kind in _CHARACTERS:
        return " " + ", ".join(char.upper() for char in text if not char.isspace()) + " "
    if kind in _DIGITS:
        return " " + " ".join(re.sub(r"(?<=\w)(?=\w)", " ", part) for part in re.findall(r"^\s*\+|\w+", text)) + " "
    if kind == "ordinal":
        number = text.strip()
        if not number.isdecimal():
            return text
        forms = spoken_forms(language)
        return (forms and forms.words.number(int(number), *_ORDINALS)) or number
    if kind in _AS_WRITTEN:
        return text
    known = ", ".join((*_CHARACTERS, *_DIGITS, "ordinal", *_AS_WRITTEN))
    raise ValueError(f"ssml: <say-as> interpret-as {interpret_as!r}; wants one of {known}.")
