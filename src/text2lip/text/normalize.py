"""Written text to speakable text: what espeak-ng would read wrongly, spell out or choke on is rewritten first."""

import re
import unicodedata

from text2lip.text.money import expand_money


# words for . / @ - _ in addresses; languages that are not listed get a space
_ADDRESS_WORDS = {
    "en": ("dot", "slash", "at", "dash", "underscore"),
    "de": ("Punkt", "Schrägstrich", "ät", "Strich", "Unterstrich"),
    "fr": ("point", "barre oblique", "arobase", "tiret", "tiret bas"),
    "es": ("punto", "barra", "arroba", "guion", "guion bajo"),
    "it": ("punto", "barra", "chiocciola", "trattino", "trattino basso"),
    "pt": ("ponto", "barra", "arroba", "hífen", "sublinhado"),
    "nl": ("punt", "schuine streep", "apenstaartje", "streepje", "laag streepje"),
}
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
_BLOCK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?)", re.M)
# over line breaks too, but not over a blank line; marks of another kind may stand directly inside or outside
_INSIDE = r"(?:[^\n]|\n(?![ \t]*\n)){0,400}?"
_EMPHASIS = [
    re.compile(rf"(?<![\w{sign}]){mark}(?=[^\s{sign}])({_INSIDE}[^\s{sign}])??{mark}(?![\w{sign}])")
    for sign, marks in (("*", r"\*\*\* \*\*"), ("~", "~~"), ("*", r"\*"), ("_", "___ __ _"))
    for mark in marks.split()
]
MAX_NESTED = 3
LONGEST_NUMBER = 15  # digits; a longer one is said digit by digit, as people do, and no engine has names for it
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def normalize_text(text: str, language: str = "en-us") -> str:
    """Make a text speakable: NFC, no control characters, emoji or markdown, money and addresses put into words.

    Numbers, times, ordinals and units are left to the G2P engine, which reads them in its language. Idempotent on
    ordinary prose.

    Args:
        text (`str`): any text; NUL, control characters and lone surrogates become spaces.
        language (`str`): language code; words for money and addresses exist for en, de, fr, es, it, pt and nl.

    Returns:
        `str`: text with single spaces; paragraphs stay apart by a blank line.

    Raises:
        ValueError: `text` is not a string.
    """
    if not isinstance(text, str):
        raise ValueError(f"text: wants a string, got {type(text).__name__}.")
    if not isinstance(language, str):
        raise ValueError(f"language: wants a code such as 'en-us' or 'fr', got {language!r}.")
    base = language.replace("_", "-").lower().split("-")[0]
    text = clean_characters(text)
    text = strip_markdown(text)
    text = _ADDRESS.sub(lambda found: speak_address(found, base), text)
    text = expand_money(text, base)
    if base == "en":
        text = re.sub(r"\b(\d{4})-(\d\d)-(\d\d)\b", _date, text)
    text = _EMOJI_PARTS.sub("", text)
    text = re.sub("(?<!\\w)\u200d|\u200d(?!\\w)", "", text)
    text = _EMOJI.sub(lambda emoji: emoji[0][0] if emoji[0][0] in "#*0123456789" else " ", text)  # a keycap is its key
    text = text.replace("_", " ")
    text = re.sub(rf"\d{{{LONGEST_NUMBER + 1},}}", _digit_by_digit, text)
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    text = "\n\n".join(part for part in paragraphs if part)
    return quieten(re.sub(r"(?<=\S) ([,;:.!?])(?=\s|$)", r"\1", text))


def quieten(text: str) -> str:
    """Write shouted sentences in small letters, so that IT IS is read as words; TV stays. A sentence is shouted that
    has three words or more, one of four letters or more, and no small letter."""
    if not re.search(r"[^\W\d_]{4}", text) or text == text.lower():
        return text
    pieces = re.split(r"((?<![.!?…\n])[.!?…\n]++(?=\s|$))", text)
    return "".join(_in_small_letters(piece) if _is_shouted(piece) else piece for piece in pieces)


def _is_shouted(sentence: str) -> bool:
    if not sentence.isupper():
        return False
    words = re.findall(r"[^\W\d_]{2,}", sentence)
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


def clean_characters(text: str) -> str:
    """NFC without control, unassigned and private characters, lone surrogates, soft hyphens and invisible marks;
    letters and digits that differ from ordinary ones by their look alone become those. Joiners between letters
    (Persian, Indic scripts) and line ends stay."""
    if not text.isascii():
        text = "".join(char if char.isascii() else _plain(char) for char in text)
        text = re.sub(r"(?<=\d)[．，：／－](?=\d)", lambda sign: unicodedata.normalize("NFKC", sign.group()), text)
    cleaned = []
    for char in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        kind = unicodedata.category(char)
        if char == "\n" or char in "\u200c\u200d":
            cleaned.append(char)
        elif kind == "Cf" and not "\U000e0000" < char < "\U000e0080":
            continue
        elif kind in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"):
            cleaned.append("\n" if kind in ("Zl", "Zp") else " ")
        else:
            cleaned.append(char)
    return re.sub(r"(?<=\w)[’ʼ](?=\w)", "'", "".join(cleaned))


def strip_markdown(text: str) -> str:
    """Take the marks of Markdown off a text; headings and list items end like sentences. Arithmetic (2 * 3) stays."""
    text = re.sub(r"^[ \t]*(?:```|~~~).*$", "", text, flags=re.M)
    text = re.sub(r"^[ \t]*(?:(?:[-*_][ \t]*){3,}|={3,})$", "", text, flags=re.M)
    text = re.sub(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    lines = []
    for line in text.split("\n"):
        bare = line
        while found := _BLOCK.match(bare):
            bare = bare[found.end() :]
        if bare != line and bare.strip() and not line.lstrip().startswith(">"):
            bare = bare.rstrip().rstrip("#").rstrip()
            bare = bare if bare[-1:] in ".!?:;,…。！？" else bare + "."
        lines.append(bare)
    text = "\n".join(lines)
    text = re.sub(r"`+([^`\n]*)`+", r"\1", text)
    for _ in range(MAX_NESTED):
        before = text
        for emphasis in _EMPHASIS:
            text = emphasis.sub(r"\1", text)
        if text == before:
            break
    return text


def speak_address(found: re.Match, base: str) -> str:
    """A URL or an e-mail address in words: "www.example.org/a-b" -> "example dot org slash a dash b"."""
    body = found["body"]
    trailing = body[len(body.rstrip(".,;:!?)]}'\"")) :]
    body = body[: len(body) - len(trailing)]
    body = re.sub(r"^www\.|[?#].*$|/+$", "", body)  # nobody reads a query aloud
    if not body:
        return found.group()
    dot, slash, at, dash, underscore = _ADDRESS_WORDS.get(base, ("",) * 5)
    words = {".": dot, "/": slash, "@": at, "-": dash, "_": underscore}
    spoken = re.sub(r"[^\w]|_", lambda sign: f" {words.get(sign.group(), '')} ", body)
    return " ".join(spoken.split()) + trailing


def _date(found: re.Match) -> str:
    year, month, day = (int(part) for part in found.groups())
    return f"{_MONTHS[month - 1]} {day}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else found.group()


_CHARACTERS = ("characters", "character", "spell-out", "verbatim", "letters")
_DIGITS = ("digits", "telephone")
_AS_WRITTEN = (
    "cardinal", "number", "date", "time", "currency", "unit", "fraction", "address", "name", "duration", "net",
)  # fmt: skip


def spell_out(text: str, interpret_as: str) -> str:
    """What SSML's `<say-as>` says: letters or digits one by one, ordinals; the rest is read as it is written. A
    ValueError for an unknown `interpret_as`."""
    kind = interpret_as.lower()
    if kind in _CHARACTERS:
        return " " + ", ".join(char.upper() for char in text if not char.isspace()) + " "
    if kind in _DIGITS:
        return " " + " ".join(re.sub(r"(?<=\w)(?=\w)", " ", part) for part in re.findall(r"\w+", text)) + " "
    if kind == "ordinal":
        number = text.strip()
        if not number.isdigit():
            return text
        teen = number[-2:] in ("11", "12", "13")
        return number + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th"))
    if kind in _AS_WRITTEN:
        return text
    known = ", ".join((*_CHARACTERS, *_DIGITS, "ordinal", *_AS_WRITTEN))
    raise ValueError(f"ssml: <say-as> interpret-as {interpret_as!r}; wants one of {known}.")
