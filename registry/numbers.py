"""Numbers as offices write them, read in a declared locale; nothing is ever guessed.

Owns the reading (text or cell -> number). Knows no file and no column.
"""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Final, Literal

from registry.cells import CellError, ShownNumber, Value, shown
from registry.errors import InvalidNumberError
from registry.language import _
from registry.rounding import group_thousands
from registry.safe_text import safe
from registry.terms import WORKERS_MAX

Locale = Literal["id", "en"]

PERCENT_MAX: Final = 1000  # coverage may exceed 100 %, but not ten times over: a slip
DECIMALS_MAX: Final = 20  # more than the shortest exact text of a double ever needs here
FLOAT_MAX: Final = 1e15  # a spreadsheet keeps 15 digits: from here on the last ones are invented
DIGITS_MAX: Final = 15

_GROUP: Final[dict[str, str]] = {"id": ".", "en": ","}
_DECIMAL: Final[dict[str, str]] = {"id": ",", "en": "."}
_EXAMPLE: Final[dict[str, str]] = {"id": "45.000", "en": "45,000"}
_PERCENT_EXAMPLE: Final[dict[str, str]] = {"id": "48,26", "en": "48.26"}

_PLAIN: Final = re.compile(r"0|[1-9][0-9]*")
_GROUPED: Final = {
    "id": re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+"),
    "en": re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+"),
}


def parse_count(
    value: Value, locale: Locale, *, minimum: int = 1, maximum: int = WORKERS_MAX
) -> int:
    """Read a whole number of persons: `45.000` (id), `45,000` (en), `45000`, or a number cell.

    Raises: InvalidNumberError for anything else: a number of persons is never guessed.
    """
    if isinstance(value, str):
        count = _count_from_text(value.strip(), locale)
    else:
        exact = _number_from_cell(value, _remedy_count(locale))
        if exact.denominator != 1:
            raise InvalidNumberError(
                _("{value} is not a whole number of persons").format(value=shown(value)),
                why=_("the cell holds a number with decimals"),
                remedy=_("if it means thousands, type the number without separators"),
            )
        count = exact.numerator
    if not minimum <= count <= maximum:
        raise _out_of_range(value, minimum, maximum, locale)
    return count


def parse_percent(value: Value, locale: Locale) -> str:
    """Read a percentage 0 to 1000 as canonical text with a dot, its decimals kept as printed.

    `48,26` (id) and `48.26` (en) -> `48.26`; a trailing `%` is allowed; a number cell is taken as
    its format shows it, without one by its shortest exact text. A number cell above 0 and up to 1
    that is not formatted as a percentage is refused: 0.4826 may well be meant for 48.26 %.

    Raises: InvalidNumberError.
    """
    remedy = _("write the percentage as {percent_example}").format(
        percent_example=_PERCENT_EXAMPLE[locale]
    )
    if isinstance(value, str):
        text = value.strip()
        digits = text[:-1].rstrip() if text.endswith("%") else text
        of_text = remedy + _or_other(locale)
        canonical = _decimal_from_text(digits, value, locale, of_text, groups=False)
    else:
        exact = _number_from_cell(value, remedy)
        if 0 < exact <= 1 and not (isinstance(value, ShownNumber) and value.is_percent):
            raise _percent_cell_error(value, remedy)
        canonical = _canonical(exact, value, remedy)
    if Decimal(canonical) > PERCENT_MAX:
        raise _out_of_range(value, 0, PERCENT_MAX, locale)
    return canonical


def parse_quantity(value: Value, locale: Locale) -> str:
    """Read persons or points, not negative, as canonical text with a dot, decimals kept.

    `8.305` (id) -> `8305`; `3,89` (id) -> `3.89`. Raises: InvalidNumberError.
    """
    remedy = _("write {example} for persons, {percent_example} for points").format(
        example=_EXAMPLE[locale], percent_example=_PERCENT_EXAMPLE[locale]
    )
    if isinstance(value, str):
        of_text = remedy + _or_other(locale)
        canonical = _decimal_from_text(value.strip(), value, locale, of_text, groups=True)
    else:
        exact = _number_from_cell(value, remedy)
        if 0 < exact < 1 and not (isinstance(value, ShownNumber) and value.is_percent):
            raise _percent_cell_error(value, remedy)
        canonical = _canonical(exact, value, remedy)
        if exact.denominator == 1 and Decimal(canonical) == exact.numerator:
            canonical = str(exact.numerator)  # persons, in whatever format
    if Decimal(canonical) > WORKERS_MAX:
        raise _out_of_range(value, 0, WORKERS_MAX, locale)
    return canonical


def _count_from_text(text: str, locale: Locale) -> int:
    if _GROUPED[locale].fullmatch(text):
        digits = text.replace(_GROUP[locale], "")
    elif _PLAIN.fullmatch(text):
        digits = text
    else:
        raise InvalidNumberError(
            _("{value} is not a whole number of persons").format(value=shown(text or None)),
            why=_why_not(text, locale, decimals=False),
            remedy=_remedy_count(locale),
        )
    if len(digits) > DIGITS_MAX:
        raise InvalidNumberError(
            _("{text} is too large").format(text=shown(text)),
            why=_("no number here has more than {digits_max} digits").format(digits_max=DIGITS_MAX),
            remedy=_("check that the columns were not shifted"),
        )
    return int(digits)


def _decimal_from_text(
    text: str, value: Value, locale: Locale, remedy: str, *, groups: bool
) -> str:
    whole, mark, decimals = text.partition(_DECIMAL[locale])
    grouped = groups and _GROUPED[locale].fullmatch(whole)
    digits = whole.replace(_GROUP[locale], "") if grouped else whole
    well_formed = _PLAIN.fullmatch(digits) and (
        re.fullmatch(r"[0-9]+", decimals) if mark else not decimals
    )
    if not well_formed:
        raise InvalidNumberError(
            _("{value} is not a number").format(value=shown(value if text else None)),
            why=_why_not(text, locale, decimals=True),
            remedy=remedy,
        )
    if len(digits) > DIGITS_MAX or len(decimals) > DECIMALS_MAX:
        raise _too_many_digits(value, remedy)
    return f"{digits}.{decimals}" if mark else digits


def _number_from_cell(value: Value, remedy: str) -> Fraction:
    """Return the exact number of a number cell; refuse every other kind of cell."""
    why = ""
    if value is None:
        why = _("the cell is empty")
    elif isinstance(value, CellError):
        why = _("the cell holds an error, not a number")
    elif isinstance(value, bool):
        why = _("the cell holds true or false, not a number")
    elif isinstance(value, date):
        why = _("the cell holds a date, not a number")
    elif isinstance(value, float) and not math.isfinite(value):
        why = _("the cell holds no finite number")
    elif isinstance(value, int | float) and abs(value) >= FLOAT_MAX:
        why = _("a spreadsheet keeps only 15 digits of a number: the others are already lost")
    elif isinstance(value, int | float) and value < 0:
        why = _("it is below zero")
    elif isinstance(value, int | float):
        return Fraction(repr(value))  # repr: the text a person would see, 48.26 and not 48.2599…
    raise InvalidNumberError(
        _("{value} is not a number that fits here").format(value=shown(value)),
        why=why,
        remedy=remedy,
    )


def _canonical(exact: Fraction, value: Value, remedy: str) -> str:
    """Return the number of a cell as text; its denominator divides a power of ten."""
    if isinstance(value, ShownNumber):
        return value.text()
    if exact.denominator == 1:
        return str(exact.numerator)
    # As a spreadsheet shows it, at 15 digits: 48.260000000000005 is what is left of a sum.
    text = format(Decimal(f"{value:.15g}"), "f")
    if len(text.partition(".")[2]) > DECIMALS_MAX:
        raise _too_many_digits(value, remedy)
    return text


def _why_not(text: str, locale: Locale, *, decimals: bool) -> str:
    """Say what keeps the text from being a number in this locale: the first reason that holds."""
    group, decimal = _GROUP[locale], _DECIMAL[locale]
    whole, mark, _decimals = text.partition(decimal)
    fraction = not decimals and re.fullmatch(rf"[0-9]+{re.escape(decimal)}[0-9]+", text)
    other = "en" if locale == "id" else "id"
    starts = _("in the locale {locale} a {sign} starts the decimals").format(
        locale=locale, sign=_sign(mark)
    )
    foreign = any(character.isdigit() and not character.isascii() for character in text)
    grouping = _("in the locale {locale} a {sign} groups thousands").format(
        locale=locale, sign=_sign(group)
    )
    reasons = (
        (not text, _("it is blank")),
        (foreign, _("only the digits 0 to 9 are read")),
        (
            text.startswith(("+", "-", "\u2212")),
            _("a sign is not read: no number here is negative"),
        ),
        (
            re.fullmatch(r"0[0-9]+", text),
            _("it starts with a zero, as a code or an identity number does"),
        ),
        (re.search(r"\s", text), _("it has a space inside")),
        (
            fraction,
            _("{starts}: {whole} and a fraction; in the locale {other} it may be thousands").format(
                starts=starts, whole=whole, other=other
            ),
        ),
        (
            group in text and decimals,
            _("{grouping} and starts no decimals").format(grouping=grouping),
        ),
        (group in text, _("{grouping}, three digits each").format(grouping=grouping)),
    )
    return next((why for holds, why in reasons if holds), _("it holds something other than digits"))


def _sign(mark: str) -> str:
    return _("comma") if mark == "," else _("dot")


@cache  # of two locales; it is made for every number cell
def _remedy_count(locale: Locale) -> str:
    return _("write it as {example} or 45000{otherwise}").format(
        example=_EXAMPLE[locale], otherwise=_or_other(locale)
    )


def _or_other(locale: Locale) -> str:
    return _(", or declare --locale {other}").format(other="en" if locale == "id" else "id")


def _percent_cell_error(value: Value, remedy: str) -> InvalidNumberError:
    as_percent = safe(format(Decimal(repr(value)).scaleb(2), "f"), limit=30)
    return InvalidNumberError(
        _("{value} in a number cell has two readings").format(value=shown(value)),
        why=_("it is {value}, or {as_percent} % if the cell is formatted as a percentage").format(
            value=shown(value), as_percent=as_percent
        ),
        remedy=_(
            "{remedy}, in a cell formatted as text, or format the cell as a percentage"
        ).format(remedy=remedy),
    )


def _too_many_digits(value: Value, remedy: str) -> InvalidNumberError:
    return InvalidNumberError(
        _("{value} has too many digits").format(value=shown(value)),
        why=_(
            "at most {digits_max} before and {decimals_max} after the decimal sign are read"
        ).format(digits_max=DIGITS_MAX, decimals_max=DECIMALS_MAX),
        remedy=remedy,
    )


def _out_of_range(value: Value, minimum: int, maximum: int, locale: Locale) -> InvalidNumberError:
    low, high = group_thousands(minimum, locale), group_thousands(maximum, locale)
    return InvalidNumberError(
        _("{value} is out of range").format(value=shown(value)),
        why=_("it must lie between {low} and {high}").format(low=low, high=high),
        remedy=_("check the number, and that the columns were not shifted"),
    )
