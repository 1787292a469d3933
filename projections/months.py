"""Months of the calendar: their last days, and how many of them lie between two days, exactly."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

_DAY: Final = timedelta(days=1)
_YEAR: Final = 12


def end_of_month(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def month_ends(since: date, until: date) -> Iterator[date]:
    """Yield the last day of each month from that of `since` on, up to and including `until`."""
    day = end_of_month(since)
    while day <= until:
        yield day
        day = end_of_month(day + _DAY)


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later (or earlier).

    The last day of a month goes to the last of another; a day that a month does not have, too.
    """
    number = day.year * _YEAR + day.month - 1 + months
    first = date(number // _YEAR, number % _YEAR + 1, 1)
    last = end_of_month(first)
    return last if day == end_of_month(day) else first.replace(day=min(day.day, last.day))


def months_between(earlier: date, later: date) -> Fraction:
    """Return how many months lie between two days: whole ones, and the days of the one begun.

    From one month's end to another there are only whole ones. 0 where `later` is not later.
    """
    if later <= earlier:
        return Fraction()
    whole = (later.year - earlier.year) * _YEAR + later.month - earlier.month
    if months_after(earlier, whole) > later:
        whole -= 1
    begun, ends = months_after(earlier, whole), months_after(earlier, whole + 1)
    return whole + Fraction((later - begun).days, (ends - begun).days)
