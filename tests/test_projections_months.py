"""Months: their ends, and exact fractions of them between two days."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.months import end_of_month, month_ends, months_after, months_between

days = st.dates(date(1977, 12, 5), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("since", "until", "ends"),
    [
        ("2024-01-31", "2024-03-31", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-01-01", "2024-03-30", ["2024-01-31", "2024-02-29"]),
        ("2025-12-15", "2026-01-31", ["2025-12-31", "2026-01-31"]),
        ("2025-12-15", "2025-12-30", []),
        ("2026-01-01", "2025-12-31", []),
    ],
)
def test_month_ends_lie_between_two_days(since: str, until: str, ends: list[str]) -> None:
    """From the end of the first day's month on, none beyond the last day."""
    found = month_ends(date.fromisoformat(since), date.fromisoformat(until))
    assert [str(day) for day in found] == ends


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2025-07-31", 1, "2025-08-31"),
        ("2025-07-31", 2, "2025-09-30"),
        ("2025-06-30", 1, "2025-07-31"),
        ("2025-01-30", 1, "2025-02-28"),
        ("2025-07-15", -12, "2024-07-15"),
        ("2024-02-29", -12, "2023-02-28"),
        ("2025-02-28", -12, "2024-02-29"),
        ("2025-01-15", -1, "2024-12-15"),
    ],
)
def test_a_day_some_months_later(day: str, months: int, then: str) -> None:
    """The last day of a month goes to the last of another, whatever its number."""
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(then)


@pytest.mark.parametrize(
    ("earlier", "later", "months"),
    [
        ("2025-07-31", "2025-12-31", Fraction(5)),
        ("2025-08-15", "2025-12-31", 4 + Fraction(16, 31)),
        ("2025-12-31", "2026-01-01", Fraction(1, 31)),
        ("2024-12-31", "2025-07-31", Fraction(7)),
        ("2025-07-31", "2025-07-31", Fraction(0)),
        ("2025-08-01", "2025-07-31", Fraction(0)),
        ("2025-02-28", "2025-03-31", Fraction(1)),
        ("2025-01-01", "2026-01-01", Fraction(12)),
    ],
)
def test_months_between_two_days(earlier: str, later: str, months: Fraction) -> None:
    """Whole months from month's end to month's end; else the days of the month that has begun."""
    assert months_between(date.fromisoformat(earlier), date.fromisoformat(later)) == months


@given(days, st.integers(0, 400), st.integers(1, 27))
def test_months_count_as_the_calendar_does(day: date, months: int, more: int) -> None:
    """So many months later are so many months, and some days more are less than one more."""
    if day.year + months // 12 > 2199:
        return
    then = months_after(day, months)
    assert months_between(day, then) == months
    later = date.fromordinal(then.toordinal() + more)
    assert months <= months_between(day, later) < months + 1
    assert end_of_month(day).month == day.month
    assert date.fromordinal(end_of_month(day).toordinal() + 1).day == 1
