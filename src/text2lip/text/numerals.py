"""Numbers of one language: how they are written, and what is said for them."""

import re
from functools import cached_property

from text2lip.text.cldr import CldrWords, base_language, tables
from text2lip.text.languages import LANGUAGE_ALIASES


LONGEST_NUMBER = 15  # digits; a longer one is said digit by digit, as people do, and no engine has names for it
NOT_IN = r"(?<![\w.,:/^-])"  # what may not stand before a number


class Numerals:
    """Reads numbers in one language, a code such as "en-gb". `num` is the pattern of an unsigned one."""

    def __init__(self, language: str):
        self.words = CldrWords(language)
        self.base = base_language(language)
        code = language.strip().replace("_", "-").lower()
        code = LANGUAGE_ALIASES.get(code, code)
        self.table = tables().get(self.base, {}) | (tables().get(code, {}) if code != self.base else {})
        self.gap = "" if self.table.get("joined") else " "
        point, group = self.words.marks() if self.words.spells else (".", ",")
        groups = {group, "\xa0", "\u202f", "'", "’", " "} - {point}
        self.group = "[" + "".join(map(re.escape, sorted(groups | ({"."} if point == "," else set())))) + "]"
        self.point = re.escape(point) if point == "." else re.escape(point) + "."
        other = r"\d{1,3}(?:\.\d{3}){1,5},\d{1,2}(?!\d)|" if point == "." else ""  # 1.234,50 in English
        other += r"\d{1,2}(?:,\d\d){1,5},\d{3}(?!\d)|" if group == "," else ""  # 1,00,000 in India
        grouped = rf"\d{{1,3}}(?:{self.group}\d{{3}}){{1,5}}(?!\d)"
        self.num = rf"(?:{other}{grouped}|\d{{1,{LONGEST_NUMBER}}}(?!\d))(?:[{self.point}]\d{{1,12}}(?!\d))?"

    def cardinal(self, number: int, counting: bool = False, *rules: str) -> str:
        """A whole number, `counting` in front of what is counted."""
        counting = counting and (number == 1 or self.base != "it")
        masculine = ("spellout-cardinal-masculine", "spellout-cardinal") if counting else ()
        fixed = (self.table["cardinal"],) if "cardinal" in self.table else ()
        return self.words.number(number, *rules, *fixed, *masculine, "spellout-numbering", "spellout-cardinal")

    def number(self, written: str, counting: bool = False, *rules: str) -> str:
        """A number as written: sign, thousands, decimals, leading zeros, years."""
        whole, fraction = self.parts(written)
        sign = "-" if written[0] in "-−–" else ""
        if not fraction and len(whole) > 1 and whole[0] == "0":
            said = self.digits(whole)
        elif not fraction and not counting and self.is_year(written):
            said = self.words.number(int(whole), self.table["year"])
        else:
            said = self.cardinal(int(whole), counting and not fraction, *rules)
        if fraction:
            said = self._decimal(int(whole), said, fraction)
        return self.negative(said) if sign else said

    def negative(self, said: str) -> str:
        if "minus" in self.table:
            return f"{self.table['minus']} {said}"
        return (self.cardinal(-1) or "- 1").replace(self.cardinal(1), said)

    def parts(self, written: str) -> tuple[str, str]:
        if re.search(r"\.\d{3},", written):
            written = written.replace(".", "").replace(",", self.point.strip("\\")[0])
        if re.match(r"\D?\d{1,2}(?:,\d\d){1,5},\d{3}", written):
            written = written.replace(",", "")
        found = re.fullmatch(rf"[-−–+±]?(\d{{1,3}}(?:{self.group}\d{{3}})+|\d+)(?:[{self.point}](\d+))?", written)
        return re.sub(r"\D", "", found[1]), found[2] or ""

    def value(self, written: str) -> int | float:
        """As a number, for plurals."""
        whole, fraction = self.parts(written)
        return float(f"{whole}.{fraction}") if fraction else int(whole)

    def is_year(self, written: str) -> bool:
        low, high = self.table.get("years", (1, 0))
        return len(written) == 4 and written.isdigit() and low <= int(written) <= high

    def _decimal(self, whole: int, said: str, fraction: str) -> str:
        way = self.table.get("decimals")
        if way == "tenths" and len(fraction) < len(self.table["tenths"]):
            feminine = "spellout-cardinal-feminine"
            parts = []
            for number, forms in (
                (whole, self.table["tenths"][0]),
                (int(fraction), self.table["tenths"][len(fraction)]),
            ):
                parts += [self.words.number(number, feminine), self.words.plural(number, forms)]
            return " ".join(parts)
        point = self.said_point
        if way == "whole" and len(fraction) < 4:
            zeros = len(fraction) - len(fraction.lstrip("0"))
            digits = [self.cardinal(0)] * zeros + ([self.cardinal(int(fraction))] if int(fraction) else [])
        else:
            digits = [self.cardinal(int(digit)) for digit in fraction]
        return self.gap.join([said, *([point] if point else []), *digits])

    @cached_property
    def said_point(self) -> str:
        return self.table.get("point") or self.words.point()

    def digits(self, written: str) -> str:
        """One by one."""
        return self.gap.join(self._digits[digit] for digit in written if digit in self._digits)

    @cached_property
    def _digits(self) -> dict[str, str]:
        return {str(digit): self.cardinal(digit) for digit in range(10)}

    def grouped_digits(self, digits: str, size: int) -> str:
        """One by one, with a pause after each `size`."""
        return ", ".join(self.digits(digits[i : i + size]) for i in range(0, len(digits), size))
