"""What a number format shows: how many decimals, whether a percentage, or a month without its day.

Runs in the child process only. Owns the codes of spreadsheet programs (ECMA-376 part 1, §18.8.30
and §18.8.31) and of .xls, which are the same. Knows no cell; standard library only.
"""

from __future__ import annotations

import re
import zipfile
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, NamedTuple

from registry.intake.packages import elements

DECIMALS_MAX: Final = 15  # a spreadsheet keeps no more digits

# Those that a file names by number alone; the others show a whole number, a date, or anything.
_BUILT_IN: Final = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 17: "mmm-yy",
    37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 41: "#,##0", 42: "#,##0",
    43: "#,##0.00", 44: "#,##0.00",
}  # fmt: skip
# Words in quotes, a character taken as it is, the width of one, one to fill with, and [colours].
_BESIDE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_SHOWN: Final = re.compile(r"[^0#?.,]*(?:[0#?,]*[0#?])?(?:\.([0?]*)(#*))?[^0#?.,%]*(%?)[^0#?.,%]*")


class NumberFormat(NamedTuple):
    """At least and at most so many decimals; as a percentage: a hundred times the number."""

    is_percent: bool
    decimals_min: int
    decimals_max: int

    @property
    def tells(self) -> bool:
        """Whether it shows a whole number other than as its digits."""
        return self.is_percent or self.decimals_max > 0


class DateFormat(NamedTuple):
    """A month or a year is shown of a day: what the day within it is, nobody has said."""

    shown: str
    """As `strftime` writes what is shown."""

    @property
    def tells(self) -> bool:
        """Whether it shows something other than the day."""
        return True


Format = NumberFormat | DateFormat
MONTH: Final = DateFormat("%Y-%m")
YEAR: Final = DateFormat("%Y")


def number_format(code: str) -> Format | None:
    """Return what a format's code shows; None for days, fractions, powers, and no format at all."""
    first = _BESIDE.sub("", code).partition(";")[0]
    letters = set(re.findall(r"[dmyhs]", first.lower()))
    if "y" in letters and letters <= {"m", "y"}:
        return MONTH if "m" in letters else YEAR
    if re.search(r"[dmyhseDMYHSE@/]|General", first):
        return None
    found = _SHOWN.fullmatch(first)
    if found is None or not re.search("[0#?]", first):
        return None
    fixed, free = len(found[1] or ""), len(found[2] or "")
    if fixed + free > DECIMALS_MAX:
        return None
    return NumberFormat(bool(found[3]), fixed, fixed + free)


def built_in(number: int) -> Format | None:
    """Return the format that files name by number alone."""
    code = _BUILT_IN.get(number)
    return number_format(code) if code else None


def xlsx_formats(archive: zipfile.ZipFile) -> dict[str, Format]:
    """Return the formats of a workbook's numbers by the style (`s`) that its cells name."""
    codes: dict[int, Format | None] = {}
    styles: dict[str, Format] = {}
    count, of_cells = 0, False
    for name, attributes in elements(archive, "xl/styles.xml"):
        if name == "numFmt":
            codes[_number(attributes, "numFmtId")] = number_format(attributes.get("formatCode", ""))
        elif name in {"cellStyleXfs", "cellXfs", "cellStyles", "dxfs"}:
            of_cells = name == "cellXfs"
        elif name == "xf" and of_cells:
            number = _number(attributes, "numFmtId")
            found = codes[number] if number in codes else built_in(number)
            if found is not None:
                styles[str(count)] = found
            count += 1
    return styles


def _number(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else -1


def shown_format(number: str, text: str, *, is_percent: bool) -> NumberFormat | None:
    """Return how a number is shown in the text beside it (.ods has both); None if it is not.

    `8.305` may be thousands or decimals: the digits shown are those of the number as rounded.
    """
    shown = re.fullmatch(r"-?([0-9.,\s\u00a0\u202f]*[0-9])\s*%?", text)
    try:
        exact = abs(Decimal(number).scaleb(2 if is_percent else 0))
    except InvalidOperation:
        return None
    if shown is None or not exact.is_finite():
        return None
    digits = re.sub(r"[^0-9]", "", shown[1])
    after_mark = re.search(r"[.,]([0-9]+)$", shown[1])
    for decimals in (min(len(after_mark[1]), DECIMALS_MAX) if after_mark else 0, 0):
        if int(digits) == int(exact.scaleb(decimals).to_integral_value(ROUND_HALF_UP)):
            return NumberFormat(is_percent, decimals, decimals)
    return None


def shown_period(day: date, text: str) -> DateFormat | None:
    """Return what of a day is shown in the text beside it (.ods has both); None if the day is.

    `Jul 25` of 2025-07-01 is a month: nothing in it is the first.
    """
    numbers = [int(each) for each in re.findall(r"[0-9]{1,4}", text)]
    named = re.search(r"[^\W\d_]{3}", text) is not None
    if not named and day.month in numbers:
        numbers.remove(day.month)
        named = True
    if day.day in numbers or not {day.year, day.year % 100} & set(numbers):
        return None
    return MONTH if named else YEAR
