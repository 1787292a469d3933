"""Days, months and years as offices write them; always the day first, nothing ever guessed.

Owns the reading (text or cell -> date). Knows no clock: "today" is nobody's business here.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time
from typing import Final

from registry.cells import CellError, Value, shown
from registry.errors import InvalidDateError
from registry.language import _
from registry.terms import FIRST_DAY, LAST_DAY

UNKNOWN: Final = frozenset({"unknown", "tidak diketahui"})
REMEDY: Final = _("write the day as 2025-07-31, 31/07/2025, 31-07-2025 or 31 Juli 2025")
REMEDY_AS_OF: Final = _("write the day as 2025-07-31, the month as 2025-07 or the year as 2025")

# Indonesian and English names with the abbreviations and older spellings met in office files.
_MONTH_NAMES: Final = (
    "januari january jan",
    "februari february pebruari feb peb",
    "maret march mar mrt",
    "april apr",
    "mei may",
    "juni june jun",
    "juli july jul",
    "agustus august agu agt ags agust aug",
    "september sep sept",
    "oktober october okt oct",
    "november nopember nov nop",
    "desember december des dec",
)
_MONTHS: Final = {
    name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()
}

_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})")
_NAMED_DAY: Final = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?[ -]([0-9]{4})")
_ISO_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_NAMED_MONTH: Final = re.compile(r"([A-Za-z]{3,9})\.? ([0-9]{4})")
_MONTH_YEAR: Final = re.compile(r"([0-9]{1,2})/([0-9]{4})")
_YEAR: Final = re.compile(r"[0-9]{4}")
_SERIAL_EPOCH: Final = date(1899, 12, 30).toordinal()  # what a spreadsheet's day 0 comes to
_SERIAL_MAX: Final = LAST_DAY.toordinal() - _SERIAL_EPOCH

_WHY_NOT: Final = (
    (
        re.compile(r".*[0-9]:[0-9].*|.*[0-9]T[0-9].*", re.DOTALL),
        _("it holds a time of day, or a zone"),
    ),
    (re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}"), _("it has no year")),
    (re.compile(r"[0-9]{1,2}[/. -][A-Za-z0-9]+\.?[/. -][0-9]{2}"), _("the year has two digits")),
    (re.compile(r"[0-9]{4}-?W[0-9]{1,2}.*", re.IGNORECASE), _("it names a week, not a day")),
    (
        re.compile(r"[0-9]{4}[/.][0-9]{1,2}[/.][0-9]{1,2}"),
        _("the order year/month/day needs hyphens"),
    ),
    (re.compile(r"[0-9]{8}"), _("eight digits alone can be read in two orders")),
)


def parse_day(value: Value) -> date:
    """Read one day: `2025-07-31`, `31/07/2025`, `31-07-2025`, `31 Juli 2025`, or a date cell.

    The day always comes first, except in the ISO form. A month is refused, with both readings.
    Raises: InvalidDateError.
    """
    if not isinstance(value, str):
        return _within(_day_of_cell(value), value)
    text = _tidy(value)
    day = _day_of_text(text, value)
    if day is not None:
        return _within(day, value)
    month = _month_of_text(text, value)
    if month is not None:
        first, last = month, _end_of_month(month)
        raise InvalidDateError(
            _("{value} is a month, not a day").format(value=shown(value)),
            why=_("it can mean its first day, {first}, or its last, {last}").format(
                first=first, last=last
            ),
            remedy=_("write {first} or {last}").format(first=f"{first}", last=f"{last}"),
        )
    raise _unreadable(text, value)


def parse_point(value: Value) -> date:
    """Read a point of view: as `parse_day`, but a month (`2025-07`, `Juli 2025`) is its last day.

    Raises: InvalidDateError.
    """
    if isinstance(value, str):
        month = _month_of_text(_tidy(value), value)
        if month is not None:
            return _within(_end_of_month(month), value)
    return parse_day(value)


def parse_as_of(value: Value) -> str | None:
    """Read what a figure is about: a day, a month or a year as ISO text; None for `unknown`.

    A number cell that is a year of the registry's range is that year. Blank is refused.
    Raises: InvalidDateError.
    """
    try:
        return _as_of(value)
    except InvalidDateError as error:
        if error.remedy == REMEDY:
            error.remedy = REMEDY_AS_OF
        raise


def _as_of(value: Value) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value in range(FIRST_DAY.year, LAST_DAY.year + 1):
            return str(int(value))
        raise _bare_number(value)
    if not isinstance(value, str):
        return parse_day(value).isoformat()
    text = _tidy(value)
    if text.casefold() in UNKNOWN:
        return None
    if _YEAR.fullmatch(text):
        _within(date(max(int(text), 1), 12, 31), value)
        return text
    month = _month_of_text(text, value)
    if month is not None:
        _within(_end_of_month(month), value)
        return f"{month.year:04}-{month.month:02}"
    return parse_day(value).isoformat()


def last_day_of(as_of: str) -> date:
    """Return the last day of a day, month or year in ISO text, as `parse_as_of` gives it."""
    if _YEAR.fullmatch(as_of):
        return date(int(as_of), 12, 31)
    return parse_point(as_of)


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _day_of_text(text: str, value: Value) -> date | None:
    if found := _ISO_DAY.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
    elif (found := _NAMED_DAY.fullmatch(text)) and found[2].casefold() in _MONTHS:
        day, month, year = int(found[1]), _MONTHS[found[2].casefold()], int(found[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        raise _no_such_day(value, year, month) from None


def _month_of_text(text: str, value: Value) -> date | None:
    """Return the first day of the month that the text names, or None if it names none."""
    if found := _ISO_MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
    elif (found := _NAMED_MONTH.fullmatch(text)) and found[1].casefold() in _MONTHS:
        year, month = int(found[2]), _MONTHS[found[1].casefold()]
    elif found := _MONTH_YEAR.fullmatch(text):
        year, month = int(found[2]), int(found[1])
    else:
        return None
    try:
        return date(year, month, 1)
    except ValueError:
        raise _no_such_day(value, year, month) from None


def _end_of_month(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _day_of_cell(value: Value) -> date:
    if isinstance(value, datetime):
        if value.tzinfo is not None or value.time() != time():
            raise InvalidDateError(
                _("{value} is not a day").format(value=shown(value)),
                why=_("the cell holds a time of day, or a zone"),
                remedy=_("format the cell as a date without a time"),
            )
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise _bare_number(value)
    why = _("it is blank")
    if isinstance(value, CellError):
        why = _("the cell holds an error, not a day")
    elif value is not None:
        why = _("the cell holds true or false, not a day")
    raise InvalidDateError(
        _("{value} is not a day").format(value=shown(value)), why=why, remedy=REMEDY
    )


def _within(day: date, value: Value) -> date:
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    raise InvalidDateError(
        _("{value} is out of range").format(value=shown(value)),
        why=_("the registry knows the days from {first_day} to {last_day}").format(
            first_day=FIRST_DAY, last_day=LAST_DAY
        ),
        remedy=_("check the year"),
    )


def _no_such_day(value: Value, year: int, month: int) -> InvalidDateError:
    if not date.min.year <= year <= date.max.year:
        why = _("there is no year 0")
    elif not 1 <= month <= 12:  # noqa: PLR2004 - the months of a year
        why = _("there is no month {month}").format(month=month)
        if isinstance(value, str) and _DAY_FIRST.fullmatch(_tidy(value)):
            why += _(": the day comes first, then the month")
    else:
        why = _("{year:04}-{month:02} has {days} days").format(
            year=year, month=month, days=calendar.monthrange(year, month)[1]
        )
    return InvalidDateError(
        _("{value} is no day of the calendar").format(value=shown(value)), why=why, remedy=REMEDY
    )


def _bare_number(value: float) -> InvalidDateError:
    """Refuse a number where a day should be, saying which day a spreadsheet may mean by it."""
    why = _("it is a number, not a day")
    if value == value and 60 < value <= _SERIAL_MAX:  # noqa: PLR0124, PLR2004 - NaN; 1900-02-29
        day = date.fromordinal(_SERIAL_EPOCH + int(value))
        why = _("it is a number: a spreadsheet may mean its day {serial}, which is {day}").format(
            serial=int(value), day=day
        )
    return InvalidDateError(
        _("{value} is not a day").format(value=shown(value)),
        why=why,
        remedy=_("format the cell as a date, or as text"),
    )


def _unreadable(text: str, value: Value) -> InvalidDateError:
    if not text:
        return InvalidDateError(_("(empty) is not a day"), why=_("it is blank"), remedy=REMEDY)
    if any(character.isdigit() and not character.isascii() for character in text):
        why = _("only the digits 0 to 9 are read")
    elif _YEAR.fullmatch(text):
        why = _("it is a year, not a day")
    elif re.fullmatch(r"[0-9]{1,6}", text):
        return _bare_number(int(text))
    else:
        why = next((reason for form, reason in _WHY_NOT if form.fullmatch(text)), "")
    return InvalidDateError(
        _("{value} is not a day").format(value=shown(value)),
        why=why or _("it is no known form of a date"),
        remedy=REMEDY,
    )
