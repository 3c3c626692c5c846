"""Numbers, units, currencies and months in words, of the languages that Unicode's CLDR knows.

By `unicode-rbnf` (MIT; CLDR's spelled-out numbers) and `babel` (BSD; everything else of CLDR). `assets/readings.toml`
holds what CLDR lacks.
"""

import contextlib
import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from text2lip.text.languages import LANGUAGE_ALIASES


_CODES = {"cmn": "zh", "yue": "zh_Hant_HK", "nb": "no", "pt": "pt_PT", "en-gb": "en_GB"}  # espeak-ng's -> CLDR's
_SPELLED = {"en_GB": "en", "zh_Hant_HK": "yue", "pt_BR": "pt"}  # whose numbers it has under another name


@lru_cache(maxsize=1)
def tables() -> dict:
    """`assets/readings.toml`."""
    return tomllib.loads((files("text2lip") / "assets" / "readings.toml").read_text(encoding="utf-8"))


def base_language(code: str) -> str:
    """A language without region, as CLDR names it: "cmn", "zh-Hans" -> "zh"."""
    code = code.strip().replace("_", "-").lower()
    base = LANGUAGE_ALIASES.get(code, code).split("-")[0]
    return {"cmn": "zh", "yue": "zh", "nb": "no"}.get(base, base)


class CldrWords:
    """Words of one language; None where CLDR has none."""

    def __init__(self, language: str):
        from babel import Locale, UnknownLocaleError
        from unicode_rbnf import RbnfEngine

        code = language.strip().replace("_", "-").lower()
        known = LANGUAGE_ALIASES.get(code, code)
        name = _CODES.get(known) or _CODES.get(code) or known
        self.locale = self._numbers = None
        for candidate in (name, name.split("-")[0].split("_")[0]):
            with contextlib.suppress(UnknownLocaleError, ValueError):
                self.locale = self.locale or Locale.parse(candidate, sep="-" if "-" in candidate else "_")
        region = re.sub("[-_](..)$", lambda found: "_" + found[1].upper(), name)  # fr_BE counts otherwise than fr
        for candidate in (_SPELLED.get(name, region), base_language(code)):
            with contextlib.suppress(ValueError):
                self._numbers = self._numbers or RbnfEngine.for_language(candidate)

    @property
    def spells(self) -> bool:
        """Whether it has words for numbers."""
        return self._numbers is not None and self.locale is not None

    @lru_cache(maxsize=4096)  # noqa: B019  languages are few, and kept
    def number(self, number: int, *rulesets: str) -> str | None:
        """A number by the first of CLDR's `rulesets` that the language has."""
        from unicode_rbnf.engine import RbnfError

        for name in rulesets:
            with contextlib.suppress(RbnfError):
                if name in self._numbers.rulesets:
                    text = self._numbers.format_number(number, ruleset_names=[name]).text
                    return re.sub("^одна тысяча", "тысяча", text.replace("ʼ", "'").replace("〇", "零"))
        return None

    def point(self) -> str:
        """What is said for the decimal point: "point"."""
        zero, five = (self.number(digit, "spellout-numbering", "spellout-cardinal") for digit in (0, 5))
        said = self._numbers.format_number(0.5).text.replace("\u200b", " ").replace("ʼ", "'").removeprefix(zero)
        return (said.removesuffix(five) if said.endswith(five) else said.rpartition(" ")[0]).strip()

    def plural(self, number: int, forms: str) -> str:
        """The form of a noun after a number, of "one|other", "one|few|many" or just one."""
        words = forms.split("|")
        category = str(self.locale.plural_form(abs(number)))
        place = {"one": 0, "few": 1}.get(category, len(words) - 1)
        return words[min(place, len(words) - 1)]

    @lru_cache(maxsize=4096)  # noqa: B019  languages are few, and kept
    def unit(self, unit: str, number: int | float) -> str | None:
        """Pattern such as "{} kilometers"."""
        return self._pattern(unit, number, "long") or self._pattern(unit, number, "short")

    def _pattern(self, unit: str, number: int | float, length: str) -> str | None:
        from babel.numbers import format_decimal
        from babel.units import UnknownUnitError, format_unit

        with contextlib.suppress(UnknownUnitError):
            text = format_unit(number, unit, length=length, locale=self.locale)
            pattern = text.replace(format_decimal(number, locale=self.locale), "{}", 1)
            return pattern if "{}" in pattern and unit not in pattern else None
        return None

    @property
    def symbols(self) -> dict[str, str]:
        """Symbol behind a number -> unit: "km", "%", "°C", the language's own and the international ones."""
        found = {}
        for words in (english(), self):
            for unit in tables()["units"].split():
                for length in ("short", "narrow"):
                    for number in (1, 2, 5):
                        pattern = words._pattern(unit, number, length) or ""
                        symbol = pattern.replace("{}", "").replace("\xa0", " ").strip(" \u202f\u200f\u200e")
                        if pattern.startswith("{}") and symbol and len(symbol) < 12:
                            found.setdefault(symbol, unit)
        found |= {symbol.lower(): unit for symbol, unit in found.items() if re.fullmatch("[mcd]?L", symbol)}
        return found | {
            "°": "angle-degree",
            "KB": "digital-kilobyte",
            "kph": "speed-kilometer-per-hour",
            "℃": "temperature-celsius",
            "℉": "temperature-fahrenheit",
            "Mbit/s": "digital-megabit",
        }

    def currency(self, code: str, number: int) -> str:
        """Name of a currency after a number."""
        from babel.numbers import get_currency_name

        return get_currency_name(code, number, locale=self.locale)

    def months(self) -> dict[str, int]:
        """Names of months, long and short, in small letters -> 1 to 12."""
        return {
            name.strip(".").lower(): month
            for style in ("format", "stand-alone")
            for width in ("abbreviated", "wide")
            for month, name in self.locale.months[style][width].items()
            if not name.strip(".").isdigit()
        } | ({"sept": 9} if self.locale.language == "en" else {})

    def month(self, month: int) -> str:
        """A month as it stands in a date."""
        return self.locale.months["format"]["wide"][month]

    def date_pattern(self, width: str) -> str:
        """Such as "d/M/yy" (short) or "d MMMM y" (long)."""
        return self.locale.date_formats[width].pattern

    def marks(self) -> tuple[str, str]:
        """Its decimal point, and what it may put between thousands."""
        symbols = self.locale.number_symbols.get("latn") or {}
        return symbols.get("decimal", "."), symbols.get("group", ",")


@lru_cache(maxsize=1)
def english() -> CldrWords:
    """Words of English, whose symbols of units are those of all languages."""
    return CldrWords("en")
