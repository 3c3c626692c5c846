"""What is written in digits and signs, in words: numbers, money, dates, times, units, ... of one language.

The words come from Unicode's CLDR ([`CldrWords`]) and, where it has none, from `assets/readings.toml`; what is written
for what stands here. A language that CLDR does not spell leaves its digits to the voice.
"""

import re
import unicodedata
from functools import cached_property, lru_cache

from text2lip.text.cldr import base_language, tables
from text2lip.text.dates import DateForms
from text2lip.text.numerals import LONGEST_NUMBER, NOT_IN, Numerals
from text2lip.text.traced import TracedText


# whose readers know their counters, or the vowels of their numbers, better
AS_DIGITS = frozenset(["ja", "ar", "fa", "ur", "he", "my", "ti", "am"])
# to 39; no part of a word, nor the I of "I'm"
_ROMAN = r"((?=[IVX])X{0,3}(?:IX|IV|V?I{0,3}))(?<=[IVX])\b(?!['’](?!s\b)\w|\.\w)"
_DASH = r"\s?[-–]\s?"
_WORDS = re.compile(r"\{\\(\d):([\w-]+)\}")
_VULGAR = {char: unicodedata.normalize("NFKC", char).replace("⁄", "/") for char in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}


@lru_cache(maxsize=32)
def spoken_forms(language: str) -> "SpokenForms | None":
    """The reader of a language, None where CLDR does not spell its numbers."""
    if base_language(language) in AS_DIGITS:
        return None
    forms = SpokenForms(language)
    return forms if forms.words.spells else None


class SpokenForms(Numerals):
    """Reads written forms in one language, a code such as "en-gb"."""

    def read(self, text: TracedText) -> TracedText:
        """A text, clean and without Markdown, with words for what stands in digits and signs."""
        for pattern, say in self.passes:
            text = text.sub(pattern, say)
        return text

    @cached_property
    def passes(self) -> list:
        """(pattern, what is said for a match), in order."""
        passes = [
            (r"(?<=\d)[½-¾⅓-⅞]", lambda found: " " + _VULGAR[found[0]] if found[0] in _VULGAR else None),
            (r"[½-¾⅓-⅞]", lambda found: _VULGAR.get(found[0])),
            (rf"(\d:\d\d){_DASH}(?=\d{{1,2}}:\d\d)", rf"\1 {self.table.get('to', '')} "),
            (r"(?i)(?<=\d(?:st|nd|rd|th))[-–](?=\d+(?:st|nd|rd|th)\b)", f" {self.table.get('to', '-')} "),
            (r"⁻?[⁰¹²³⁴-⁹]+", _raised),
            (rf"\d{{{LONGEST_NUMBER + 1},}}", lambda found: self.grouped_digits(found[0], 4)),
            (r"(?<![\w.,])\.(?=\d)(?!\d+\.\d)", "0."),
            (rf"(?<![\w.,])({self.num})[eE]\+?([-−]?\d{{1,3}})(?!\w|[.,]\d)", self._scientific),
            *self._money(),
            *DateForms(self).dates(),
            *((pattern, self._template(say)) for pattern, say in self.table.get("abbreviations", {}).items()),
            *DateForms(self).times(),
            *self._phones(),
            *self._decades(),
            (rf"{NOT_IN}(v\.? ?)?\d+(?:\.\d+){{2,}}(?![\w])", self._version),
            *self._arithmetic(),
            *self._units(),
            *self._fractions(),
            *self._ordinals(),
            *self._romans(),
            *self._rest(),
        ]
        flags = re.ASCII if self.table.get("joined") else 0  # no word ends where digits begin
        return [(re.compile(pattern, flags), say) for pattern, say in passes]

    def _counted(self, found: re.Match) -> bool:
        return re.match(r" [^\W\d_]", found.string[found.end() :][:2]) is not None

    def _template(self, say: str):
        def expand(found: re.Match) -> str:
            spelled = _WORDS.sub(
                lambda part: self.words.number(_value(found[int(part[1])]), part[2]) or found[int(part[1])], say
            )
            text = found.expand(spelled)
            ended = text.endswith("~")
            after = r" [^\W\d_a-z]|\s*$|\n" if ended else r"\s*$|\n"
            text = text.rstrip("~")
            ends = found[0].endswith(".") and re.match(after, found.string[found.end() :][:3])
            return text + ("." if ends and not text.endswith(".") else "")

        return expand

    # money

    def _money(self):
        signs = tables()["currencies"]
        own = {
            "sv": {"kr": "SEK"},
            "da": {"kr": "DKK"},
            "no": {"kr": "NOK"},
            "zh": {"元": "CNY", "¥": "CNY", "￥": "CNY"},
        }
        names = {sign: code for sign, code in signs.items() if sign != "codes"} | own.get(self.base, {})
        names |= {code: code for code in signs["codes"].split()}
        sign = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        scale = "|".join(re.escape(name) for name in sorted(self.table.get("scales", {}), key=len, reverse=True))
        scale = rf"(?:\s?(?P<{{0}}>(?i:{scale}))(?!\w))?" if scale else "(?P<{0}>(?!))?"
        pattern = (
            rf"(?<![\w.,])(?P<minus>[-−]?)(?P<sign>{sign})\s?(?:(?P<from>{self.num}){_DASH})?(?P<amount>{self.num}){scale.format('scale')}(?![\w])"
            rf"|(?<![\w.,$€£])(?:(?P<low>{self.num}){_DASH})?(?P<minus2>[-−]?)(?P<amount2>{self.num}){scale.format('scale2')}\s?(?P<sign2>{sign})(?!\w)"
        )
        yield rf"(?<![\w.,])({sign})[-−](?=\d)", r"-\1"
        if to := self.table.get("to"):  # $5-$10, 10%-20%
            yield rf"((?:{sign})\s?{self.num}|\d\s?%){_DASH}(?={sign}|\d+(?:[.,]\d+)?\s?%)", rf"\1 {to} "
        yield pattern, lambda found: self._amount(found, names)

    def _amount(self, found: re.Match, names: dict[str, str]) -> str:
        code = names[found["sign"] or found["sign2"]]
        amount = found["amount"] or found["amount2"]
        forms = self.table.get("currencies", {}).get(code, [])
        whole, fraction = self.parts(amount)
        scale = (found["scale"] or found["scale2"] or "").lower()
        name = lambda number: self.words.plural(number, forms[0]) if forms else self.words.currency(code, number)  # noqa: E731
        sign = self.negative("{}") if found["minus"] or found["minus2"] else "{}"
        low = found["low"] or found["from"]
        low = f"{self.number(low, True)} {self.table.get('to', '')} " if low else ""
        if scale:
            return sign.format(low + f"{self.number(amount)} {self.table['scales'][scale]} {name(5_000_000)}")
        if len(fraction) > 2 or (fraction and self.table.get("joined")):
            return sign.format(low + f"{self.number(amount)}{self.gap}{name(2)}")
        minor = int(fraction.ljust(2, "0") or 0)
        coins = forms[1] if len(forms) > 1 else ""
        said = f"{self.cardinal(int(whole), True)}{self.gap}{name(int(whole))}"
        if not minor:
            return sign.format(low + said)
        named = f"{self.cardinal(minor, True)} {self.words.plural(minor, coins)}" if coins else self.cardinal(minor)
        if not int(whole) and coins:
            return sign.format(named)
        plain = not coins or not (self.table.get("coins") or "|" in coins and len(coins.split("|")) > 2)
        return sign.format(low + said + self.table.get("money_and", " ") + (self.cardinal(minor) if plain else named))

    def _phones(self):
        plus = self.table.get("plus", "+")
        grouped = lambda text: ", ".join(self.digits(part) for part in re.findall(r"\d+", text))  # noqa: E731
        yield (
            r"(?<![\w.+])\+(?!\d+\.\d+(?![\d.]))(\d[\d ()./-]{6,20}\d)(?!\w)",
            lambda found: f"{plus} {grouped(found[1])}",
        )
        yield r"(?<![\w.])\((\d{2,5})\)[ -]?(\d{3,4}(?:[ -]\d{3,4}){1,2})(?![\w-])", lambda found: grouped(found[0])
        yield r"(?<![\w.$€£-])\d{4}(?: \d{4}){2,4}(?![\w-]|[.,]\d)", lambda found: grouped(found[0])
        yield r"(?<![\w.$€£/-])\d+(?:-\d+){2,}(?![\w/-]|[.,]\d)", self._hyphened
        if self.base == "en":
            yield r"(?<![\w.$€£-])(?:1-)?(?:\d{3}[-.])?\d{3}[-.]\d{4}(?![\w-])", lambda found: grouped(found[0])
        if self.base == "fr":
            pairs = lambda text: ", ".join(self.number(part) for part in text.split())  # noqa: E731
            yield r"(?<![\w.])0\d(?:[ .]\d\d){4}(?![\w.]\d)", lambda found: pairs(found[0].replace(".", " "))
        yield r"(?<![\w.,:/-])(?<!\d )0\d{1,5}(?:[ /-]\d{2,}){1,4}(?![\w,:-]|\.\d)", lambda found: grouped(found[0])

    def _hyphened(self, found: re.Match) -> str | None:
        """Numbers of accounts, books and the like; short ones and years are counted."""
        parts = found[0].split("-")
        if sum(map(len, parts)) < 7 or all(map(self.is_year, parts)):
            return None
        return ", ".join(map(self.digits, parts))

    def _version(self, found: re.Match) -> str:
        english = self.base == "en"
        if not english and re.fullmatch(self.num, found[0]):
            return self.number(found[0])
        dot = self.said_point if english else self.table.get("address", [self.said_point])[0]
        parts = [self.cardinal(int(part)) for part in re.findall(r"\d+", found[0])]
        return ("v " if found[1] else "") + f" {dot} ".join(parts)

    def _scientific(self, found: re.Match) -> str:
        return found.expand(r"\1 times 10^\2" if self.base == "en" else r"\1 e \2")

    def _arithmetic(self):
        yield r"(?<=\d)( ?)−\1(?=\d)", f" {self.negative('').strip()} "
        if times := self.table.get("symbols", {}).get("×"):
            yield r"(?<=\d)(?<!\b0) ?[*x×] ?(?=\d)", f" {times} "  # 0x1F is no product

    # units, fractions, ordinals

    def _units(self):
        symbols = self.words.symbols
        names = "|".join(re.escape(name) for name in sorted(symbols, key=len, reverse=True))
        yield (
            rf"{NOT_IN}(?:(?P<low>[-−]?{self.num}){_DASH})?(?P<number>[-−+±]?{self.num})\s?(?P<unit>{names})(?![\w²³/])",
            lambda found: self._unit(found, symbols[found["unit"]]),
        )
        if self.base == "tr":
            yield rf"(?<!\w)%({self.num})(?!\w)", lambda found: f"yüzde {self.number(found[1])}"

    def _unit(self, found: re.Match, unit: str) -> str | None:
        written = found["number"]
        if unit == "concentr-percent" and "percent" in self.table:
            pattern = self.table["percent"]
        else:
            pattern = self.words.unit(unit, self.value(written))
        if pattern is None:
            return None
        feminine = self._feminine(pattern.format("").strip())
        said = self.number(written, True, *feminine)
        if written[0] in "+±":
            said = f"{self.table.get('symbols', {}).get(written[0], '')} {said}".strip()
        low = found["low"]
        said = f"{self.number(low, True)} {self.table.get('to', '')} {said}" if low else said
        said = pattern.replace("\xa0", " ").replace("{}", said)
        return said.replace(" ", "") if self.table.get("joined") else said

    def _feminine(self, noun: str) -> tuple[str, ...]:
        cue = self.table.get("feminine")
        return ("spellout-cardinal-feminine",) if cue and re.match(cue, noun) else ()

    def _fractions(self):
        if "fractions" not in self.table:
            return
        yield (
            r"(?<![\w/.,:^-])(?:(\d{1,3})[ -])?(\d{1,3})/(\d{1,3})(?![\w/]|[.,]\d)",
            lambda found: self._fraction(found[1], int(found[2]), int(found[3])),
        )

    def _fraction(self, whole: str | None, top: int, bottom: int) -> str | None:
        if isinstance(self.table["fractions"], str):
            said = self.table["fractions"].format(self.cardinal(top), self.cardinal(bottom))
            whole = f"{self.cardinal(int(whole))}{self.table['and']}" if whole else ""
            return whole + said if 0 < top < bottom else None
        names = self.table["fractions"].get(str(bottom))
        if names is None and self.base == "en" and 2 < bottom <= 100:
            name = self.words.number(bottom, "spellout-ordinal")
            names = [name, f"{name}s"]
        if names is None or not 0 < top < bottom:
            return None if whole else f"{self.cardinal(top)} {self.table.get('slash', '')} {self.cardinal(bottom)}"
        name = names[top > 1]
        feminine = ("spellout-cardinal-feminine",) if self.base in ("pl", "ru") else ()
        count = self.cardinal(top, True, *feminine)
        if self.base == "en" and top == 1:
            count = "one" if not whole or bottom != 2 else "a"
        if self.base == "de" and bottom == 2:
            return f"{self.cardinal(int(whole), True)}einhalb" if whole and top == 1 else "ein halb"
        if whole and bottom == 2 and self.base in ("fr", "es", "it", "pt"):
            count = ""
        before = f"{self.cardinal(int(whole))}{self.table.get('and', ' ')}" if whole else ""
        return before + f"{count} {name}".strip()

    def _ordinals(self):
        for suffix, rules in self.table.get("ordinals", {}).items():
            yield (
                rf"{NOT_IN}(\d{{1,9}}|\d{{1,3}}(?:,\d{{3}})+)(?i:{suffix})(?!\w)",
                lambda found, rules=rules: self.words.number(int(found[1].replace(",", "")), rules),
            )

    def _romans(self):
        if "roman_names" in self.table:
            names = self.table["roman_names"]
            yield rf"\b({names}) {_ROMAN}" + r"\.?" * (self.base == "de"), self._ruler
        if self.base in ("en", "fr", "es", "it", "pt", "de", "nl", "pl", "sv"):
            yield (
                rf"\b([A-Z][a-zà-ÿ]+) {_ROMAN}(?<=[IVX]{{2}})",
                lambda found: f"{found[1]} {self.cardinal(_value(found[2]))}",
            )
        if self.base == "en":
            yield (
                rf"\b(Chapter|Part|Volume|Act|Scene|Book|Section|War|Phase|Type|Class|Level) {_ROMAN}",
                lambda found: f"{found[1]} {self.cardinal(_value(found[2]))}",
            )

    def _ruler(self, found: re.Match) -> str | None:
        number = _value(found[2])
        after = found.string[found.end() :][:10]
        if (
            found[2] == "I"
            and self.base == "en"
            and not re.match(r"[^\w\s]|\s*$| (?:of|reigned|ruled|died)\b| and [A-Z]", after)
        ):
            return None  # I told Peter I would
        if number > self.table.get("roman_ordinal_to", 99):
            return f"{found[1]} {self.cardinal(number)}"
        said = self.words.number(number, "spellout-ordinal", "spellout-ordinal-masculine")
        said = self.table["roman_order"].format(said.capitalize() if self.base == "de" else said)
        return f"{found[1]} {said}" + "." * (found[0].endswith(".") and found.end() == len(found.string))

    def _rest(self):
        to, signs = self.table.get("to", ""), self.table.get("symbols", {})
        if self.base == "en":
            power = lambda found: f"{self.number(found[1])} to the power of {self.number(found[2])}"  # noqa: E731
            yield rf"(?<![\w.,])({self.num})\^([-−]?\d+)", power
            yield r"(?<=\w)\^(-?\d+)", lambda found: _power(found[1], self)
        if to:
            yield r"(?<![\w:.,])(\d{1,3}):(\d{1,3})(?![\w:])", rf"\1 {self.table.get('ratio', to)} \2"
            if self.base == "en":
                yield rf"({self.num}) [-−–] ({self.num})(?= =)", r"\1 minus \2"
            yield (
                rf"{NOT_IN}({self.num}){_DASH}({self.num})(?![\w/-]|[.,:]\d)",
                lambda found: f"{self.number(found[1])} {to} {self.number(found[2])}" if to != "-" else
                f"{self.number(found[1])}-{self.number(found[2])}",
            )  # fmt: skip
        yield (
            rf"(?<![\w.,:/-])([-−]{self.num})(?![\w]|[.,:/-]\d)",
            lambda found: self.number(found[1], self._counted(found)),
        )
        if "two" in self.table:
            two, counted = self.table["two"]
            yield rf"(?<![\d.,])2(?={counted})", lambda found: two
        if self.base == "en":
            yield r"(?<=[A-Z])-?(\d{1,4})s\b", lambda found: f" {_several(self._code(found[1]))}"
        if self.base in ("en", "de", "fr", "es", "it", "pt", "nl"):
            yield r"(?<=[A-Za-z])-?(\d{1,4})(?![\d.,]\d|\d)", lambda found: f" {self._code(found[1])}{_space(found)}"
            yield r"(?<![\d.,])(\d{1,4})(?=[A-Za-z])(?!\w*[a-z]{3})", lambda found: self._code(found[1]) + " "
        for sign, word in self.table.get("comparisons", {}).items():
            yield rf"(?<=\w) {sign} (?=\w)", f" {word} "
        if "+" in signs:
            yield r"(?:(?<=\d)|(?<=\b[A-F]))\+(?![\w+])", f" {signs['+']}"  # 18+, A+
        for sign, word in signs.items():
            yield rf" ?{re.escape(sign)} ?", lambda found, word=word: self._sign(found, word)
        yield (
            rf"(?<![\w.,])({self.num})(?![\d])" if not self.table.get("joined") else rf"({self.num})",
            lambda found: (
                self.number(found[1], self._counted(found) and not self.is_year(found[1]), *self._noun(found))
                + _space(found)
            ),
        )
        # what is glued to letters, or comes after a mark
        yield rf"(?<!\d)(\d{{1,{LONGEST_NUMBER}}})(?!\d)", self._glued

    def _noun(self, found: re.Match) -> tuple[str, ...]:
        following = re.match(r" (\w+)", found.string[found.end() :][:40])
        return self._feminine(following[1]) if following else ()

    def _glued(self, found: re.Match) -> str:
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        said = self.number(found[1])
        if self.table.get("joined"):
            return said
        return (" " if before.isalnum() else "") + said + (" " if after.isalnum() else "")

    def _code(self, digits: str) -> str:
        return self.digits(digits) if len(digits) == 3 or digits[0] == "0" else self.number(digits)

    def _decades(self):
        if self.base == "en":
            yield r"(?<![\w.,])['’]?([12]\d\d0|[2-9]0)['’]?s\b", self._decade

    def _decade(self, found: re.Match) -> str:
        year = int(found[1])
        return _several(self.words.number(year, "spellout-numbering-year" if year > 99 else "spellout-numbering"))

    def _sign(self, found: re.Match, word: str) -> str | None:
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        if not after or (found[0].strip() in "=+" and not (after.isalnum() or after in "(-")):
            return None if not after else f"{' ' if before.isalnum() else ''}{word} "
        return (" " if before and not before.isspace() else "") + word + " "


def _space(found: re.Match) -> str:
    after = found.string[found.end() :][:1]
    return " " if after.lower() != after.upper() else ""  # no syllable of Chinese or Korean


def _raised(found: re.Match) -> str | None:
    """A power such as the ⁶ of 10⁶; what stands behind a word is a note's number, m² is a unit."""
    before = found.string[: found.start()][-5:]
    if re.search(r"(?:\d|\b[a-zA-Z]{1,2})$", before) and not re.search(r"\d ?[kcdm]?m?m$", before):
        return "^" + unicodedata.normalize("NFKC", found[0])
    return None


def _several(number: str) -> str:
    return number[:-1] + "ies" if number.endswith("y") else number + ("es" if number.endswith("x") else "s")


def _power(digits: str, forms: SpokenForms) -> str:
    named = {"2": " squared", "3": " cubed"}.get(digits)
    return named or f" to the power of {forms.number(digits)}"


def _value(text: str) -> int:
    """Of digits or a Roman numeral."""
    if text.isdigit():
        return int(text)
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[char] for char in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0]))
