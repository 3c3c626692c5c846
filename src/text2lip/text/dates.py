"""Dates and clock times in words."""

import re
from collections.abc import Iterator

from text2lip.text.numerals import NOT_IN, Numerals


_WORDS_TOO = ("mar", "set", "v", "x")  # short names of months that are more often other words
_SUFFIX = r"(?:st|nd|rd|th|er|º|°|\.)?"


class DateForms:
    """What is said for dates and times of the language of `numerals`."""

    def __init__(self, numerals: Numerals):
        self.numerals = numerals

    def dates(self) -> Iterator[tuple]:
        """Passes for dates; (pattern, what is said for a match)."""
        months = self.numerals.words.months()
        names = "|".join(re.escape(name) for name in sorted(months, key=len, reverse=True) if name not in _WORDS_TOO)
        order = re.sub(r"[^dMy]", "", re.sub(r"'[^']*'", "", self.numerals.words.date_pattern("short")))
        order = re.sub(r"(.)\1+", r"\1", order)
        yield rf"{NOT_IN}(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?![\w-])", lambda found: self._date(found, "yMd")
        if order == "yMd":
            yield rf"{NOT_IN}(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}})(?![\w/])", lambda found: self._date(found, "yMd")
            order = "dMy"
        yield rf"{NOT_IN}(\d{{1,2}})[/.-](\d{{1,2}})[/.-](\d{{4}})(?![\w/-])", lambda found: self._date(found, order)
        yield rf"{NOT_IN}(\d{{1,2}})/(\d{{1,2}})/(\d{{2}})(?![\w/-])", lambda found: self._date(found, order)
        if self.numerals.base == "zh":
            yield r"(?<!\d)(\d{4})(?=\s?年)", lambda found: self.numerals.digits(found[1])
        if self.numerals.base == "pl":
            yield r"\b([Ww] )?(\d{4})(?= roku\b)", self._in_year
        if not names:
            return
        capital = "(?=[A-Z])" if self.numerals.base == "en" else ""  # all 3 may come
        if capital:
            yield (
                rf"\b({capital}(?i:{names}))\.? (\d{{1,2}})[-–](\d{{1,2}})\b(?![\d:%/-])",
                lambda found: (
                    f"{self._month_day(found[2], months[found[1].lower()], None)} to {self._day(int(found[3]))}"
                ),
            )
            yield (
                rf"\b{capital}(?i:({names}))\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?![\d:%/])(?:,? (\d{{4}})\b)?",
                lambda found: self._month_day(found[2], months[found[1].lower()], found[3]),
            )
            yield (
                rf"\b{capital}(?i:({names}))\.?(?= \d{{4}}\b)",
                lambda found: self.numerals.words.month(months[found[1].lower()]),
            )
        if "day" in self.numerals.table or "days" in self.numerals.table or "day_first" in self.numerals.table:
            yield (
                rf"{NOT_IN}(?:[Tt]he )?(\d{{1,2}}){_SUFFIX} (?:of )?{capital}(?i:({names}))\b(?:\.(?= \d{{4}}))?"
                r"(?:,? (\d{4})\b( года| г\.)?)?",
                lambda found: self._day_month(found, months[found[2].lower()]),
            )

    def _date(self, found: re.Match, order: str) -> str | None:
        part = dict(zip(order, found.groups()))
        day, month, year = int(part["d"]), int(part["M"]), int(part["y"])
        if len(part["y"]) == 2:
            year += 2000 if year <= 30 else 1900
        if month > 12 >= day:
            day, month = month, day
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return None
        pattern = self.numerals.table.get("date") or self.numerals.words.date_pattern("long")
        values = {
            "d": self._day(day, found.string[: found.start()][-12:]),
            "M": self.numerals.words.month(month) if self.numerals.base != "zh" else self.numerals.cardinal(month),
            "y": self.numerals.digits(str(year)) if self.numerals.base == "zh" else self._year(year),
        }
        pieces = re.findall(r"'([^']*)'|(d+|M+|y+)|([^'dMy]+)", pattern)
        said = "".join(quoted or (values[field[0]] if field else other) for quoted, field, other in pieces)
        return said.replace(".", "") + self.numerals.table.get("date_end", "")

    def _day(self, day: int, before: str = "") -> str:
        if day == 1 and "day_first" in self.numerals.table:
            return self.numerals.table["day_first"]
        if "days" in self.numerals.table:
            return self.numerals.table["days"].split()[day - 1].replace("_", " ")
        for pattern, rules in self.numerals.table.get("day_after", {}).items():
            if re.search(pattern, before, re.IGNORECASE):
                return self.numerals.words.number(day, rules)
        return self.numerals.cardinal(
            day, False, *([self.numerals.table["day"]] if "day" in self.numerals.table else [])
        )

    def _year(self, year: int) -> str:
        if "tens" in self.numerals.table and year % 100:
            return self._year_by_its_tail(year)
        rules = [
            self.numerals.table[name]
            for name in ("date_year", "year")
            if name in self.numerals.table and (name != "year" or self.numerals.is_year(str(year)))
        ]
        return self.numerals.cardinal(year, False, *rules)

    def _year_by_its_tail(self, year: int) -> str:
        """1985 as "thousand nine hundred eighty-fifth", with the words of the table."""
        days, tens = (self.numerals.table[name].split() for name in ("days", "tens"))
        last = year % 100
        said = [days[last - 1]] if last <= 31 else [days[29] if last < 40 else tens[last // 10 - 4]]
        if last > 31 and last % 10:
            said.append(days[last % 10 - 1])
        return " ".join([self.numerals.cardinal(year - last), *said]).replace("_", " ")

    def _in_year(self, found: re.Match) -> str:
        said = self._year(int(found[2]))
        return found[1] + re.sub("(i?)ego\\b", lambda end: "im" if end[1] else "ym", said) if found[1] else said

    def _month_day(self, day: str, month: int, year: str | None) -> str | None:
        if not 1 <= int(day) <= 31:
            return None
        said = f"{self.numerals.words.month(month)} {self.numerals.words.number(int(day), 'spellout-ordinal')}"
        return said + (f", {self._year(int(year))}" if year else "")

    def _day_month(self, found: re.Match, month: int) -> str | None:
        if not 1 <= int(found[1]) <= 31:
            return None
        day = self._day(int(found[1]), found.string[: found.start()][-12:])
        year = (
            ""
            if not found[3]
            else f" {self._year(int(found[3]))}" + (self.numerals.table.get("date_end", "") if found[4] else "")
        )
        if self.numerals.base == "en":
            return f"the {day} of {self.numerals.words.month(month)}" + (f",{year}" if year else "")
        return f"{day} {found[2] if len(found[2]) > 4 else self.numerals.words.month(month)}{year}"

    def times(self) -> Iterator[tuple]:
        """The same for clock times."""
        after = self.numerals.table.get("time", {}).get("after", "")
        if "clock" in self.numerals.table:
            yield self.numerals.table["clock"] + f"(?:{after})?" * bool(after), self._time
        yield (
            r"(?<![\d.,:/-])(\d{1,2}):(\d{2})(?::(\d{2}))?(?![\d:/])" + f"(?:{after})?" * bool(after),
            self._time,
        )
        if after:
            yield rf"{NOT_IN}(\d{{1,2}}){after}(?! \d)", self._time

    def _time(self, found: re.Match) -> str | None:
        parts = [int(part) for part in found.groups() if part is not None]
        hour, minute, *seconds = [*parts, 0][: max(2, len(parts))]
        if hour > 24 or minute > 59:
            return None
        table = self.numerals.table.get("time", {"minutes": "{h} {m}", "full": "{h}"})
        rules = [table["rules"]] if "rules" in table else []
        said = self.numerals.cardinal(hour, "one" in table, *rules)
        if "hours" in self.numerals.table:
            said = self.numerals.table["hours"].split()[hour].replace("_", " ")
            for pattern, (old, new) in self.numerals.table["hours_after"].items():
                if re.search(pattern, found.string[: found.start()][-12:]):
                    said = re.sub(old, new, said)
        if hour == 2 and "two" in table:
            said = table["two"]
        minutes = self.numerals.cardinal(minute)
        if self.numerals.base == "en" and minute < 10:
            minutes = f"oh {minutes}"
        half_day = re.match(r"\s?[AaPp]\.?[Mm]", found.string[found.end() :])
        if seconds and seconds[0]:
            parts = (
                table["minutes"].format(h=said, m=self.numerals.cardinal(minute)),
                self.numerals.cardinal(seconds[0]),
            )
            return " ".join(parts)
        if minute:
            return table["minutes"].format(h=said, m=minutes)
        if "unit" in table:
            return self.numerals.words.unit(table["unit"], hour).format(said)
        if half_day or hour > 12 and self.numerals.base == "en":
            return said if half_day else f"{said} hundred"
        if hour == 1 and "hour1" in table:
            return table["hour1"]
        return table["full"].format(h=said)
