"""How Indonesian is written: the catalogue, numbers and days. Imported only when it is asked for.

Knows no sentence of ours but through the catalogue (gettext).
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, Final

DOMAIN: Final = "ucj"
FOLDER: Final = Path(__file__).parent / "locale"
MONTHS: Final = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip

_MARKS: Final = str.maketrans(",.", ".,")  # thousands and decimals: 106,679.50 is 106.679,50
_DAY_LENGTH: Final = len("2025-07-31")
_MONTH_LENGTH: Final = len("2025-07")


@cache
def catalogue() -> GNUTranslations:
    """Return the translations of our own sentences."""
    with (FOLDER / "id" / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)


def filled(template: str, arguments: Mapping[str, Any]) -> str:
    """Return the template with its braces filled in, as `str.format` does it in English."""
    return _FORM.vformat(template, (), arguments)


def written(value: object, form: str) -> str:
    """Return a value inside a sentence: `format(value, form)` with Indonesian marks and months."""
    match value:
        case datetime():
            return format(value, form.replace("%Y-%m-%d", "%d-%m-%Y"))
        case date() if form:
            return format(value, form.replace("%Y-%m-%d", "%d-%m-%Y").replace("%Y-%m", "%m-%Y"))
        case date():
            return f"{value.day} {MONTHS[value.month - 1]} {value.year}"
        case int() | float() | Decimal():
            return numeral(format(value, form))
        case _:
            return format(value, form)


def numeral(text: str) -> str:
    """Return a number written in English with Indonesian marks: `106,679.50` is `106.679,50`."""
    return text.translate(_MARKS)


def period(iso: str) -> str:
    """Return a day or a month in words: `31 Juli 2025`, `Juli 2025`; a year, as it is."""
    if len(iso) == _DAY_LENGTH:
        return written(date.fromisoformat(iso), "")
    if len(iso) == _MONTH_LENGTH:
        return f"{MONTHS[int(iso[5:]) - 1]} {iso[:4]}"
    return iso


def short_day(iso: str) -> str:
    """Return the day of a table, whatever follows it: `2025-07-31 09:30` is `31-07-2025 09:30`."""
    year, month, day = iso[:_DAY_LENGTH].split("-")
    return f"{day}-{month}-{year}{iso[_DAY_LENGTH:]}"


class _Form(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        return written(value, format_spec)


_FORM: Final = _Form()
