"""The table of dates: each is the right day, or refused with a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError
from registry.dates import last_day_of, parse_as_of, parse_day, parse_point
from registry.errors import InvalidDateError
from registry.terms import FIRST_DAY, LAST_DAY

JULY_31 = date(2025, 7, 31)

DAYS = [
    ("2025-07-31", JULY_31),
    (" 2025-07-31 ", JULY_31),
    ("31/07/2025", JULY_31),
    ("31-07-2025", JULY_31),
    ("31 Juli 2025", JULY_31),
    ("31 JULI 2025", JULY_31),
    ("31  juli  2025", JULY_31),
    ("31\xa0Juli\xa02025", JULY_31),
    ("31 July 2025", JULY_31),
    ("31 Jul 2025", JULY_31),
    ("31 Jul. 2025", JULY_31),
    ("31-Jul-2025", JULY_31),
    ("1/7/2025", date(2025, 7, 1)),
    ("03/04/2025", date(2025, 4, 3)),
    ("1 Januari 2025", date(2025, 1, 1)),
    ("01 January 2025", date(2025, 1, 1)),
    ("2 Pebruari 2025", date(2025, 2, 2)),
    ("2 Februari 2025", date(2025, 2, 2)),
    ("3 Maret 2025", date(2025, 3, 3)),
    ("3 March 2025", date(2025, 3, 3)),
    ("4 April 2025", date(2025, 4, 4)),
    ("5 Mei 2025", date(2025, 5, 5)),
    ("5 May 2025", date(2025, 5, 5)),
    ("6 Juni 2025", date(2025, 6, 6)),
    ("6 Jun 2025", date(2025, 6, 6)),
    ("8 Agustus 2025", date(2025, 8, 8)),
    ("8 Agt 2025", date(2025, 8, 8)),
    ("8 Ags 2025", date(2025, 8, 8)),
    ("8 Aug 2025", date(2025, 8, 8)),
    ("9 Sept 2025", date(2025, 9, 9)),
    ("10 Okt 2025", date(2025, 10, 10)),
    ("10 October 2025", date(2025, 10, 10)),
    ("11 Nopember 2025", date(2025, 11, 11)),
    ("11 Nov 2025", date(2025, 11, 11)),
    ("12 Desember 2025", date(2025, 12, 12)),
    ("12 Dec 2025", date(2025, 12, 12)),
    ("29/02/2024", date(2024, 2, 29)),
    ("1977-12-05", FIRST_DAY),
    ("2199-12-31", LAST_DAY),
    (JULY_31, JULY_31),
    (datetime(2025, 7, 31), JULY_31),
]

NOT_DAYS = [
    ("2025-07", "first day, 2025-07-01, or its last, 2025-07-31"),
    ("Juli 2025", "first day, 2025-07-01, or its last, 2025-07-31"),
    ("07/2025", "first day, 2025-07-01, or its last, 2025-07-31"),
    ("2025", "year"),
    ("2024-02-30", "29 days"),
    ("2025-02-29", "28 days"),
    ("30/02/2025", "28 days"),
    ("31/04/2025", "30 days"),
    ("31 April 2025", "30 days"),
    ("2025-13-01", "no month 13"),
    ("2025-00-10", "no month 0"),
    ("2025-07-00", "31 days"),
    ("12/31/2025", "no month 31: the day comes first"),
    ("0000-01-01", "no year 0"),
    ("0000-00-00", "no year 0"),
    ("9999-12-31", "1977-12-05 to 2199-12-31"),
    ("2200-01-01", "1977-12-05"),
    ("1977-12-04", "1977-12-05"),
    ("1900-01-01", "1977-12-05"),
    ("0025-07-31", "1977-12-05"),
    ("10000-01-01", "no known form"),
    ("03/04", "no year"),
    ("31-07", "no year"),
    ("31/07/25", "two digits"),
    ("31-07-25", "two digits"),
    ("31 Jul 25", "two digits"),
    ("2025-W01", "week"),
    ("2025W01", "week"),
    ("2025-W01-3", "week"),
    ("W01", "no known form"),
    ("2025-212", "no known form"),
    ("2025-07-31T00:00:00", "time of day"),
    ("2025-07-31T00:00:00Z", "time of day"),
    ("2025-07-31 00:00", "time of day"),
    ("2025-07-31T00:00:00+07:00", "time of day"),
    ("2025-07-31+07:00", "time of day"),
    ("2025-07-31Z", "no known form"),
    ("2025/07/31", "hyphens"),
    ("2025.07.31", "hyphens"),
    ("31.07.2025", "no known form"),
    ("31/07-2025", "no known form"),
    ("20250731", "two orders"),
    ("31072025", "two orders"),
    ("2025-7-31", "no known form"),
    ("Juli 31, 2025", "no known form"),
    ("31 Foo 2025", "no known form"),
    ("31 Julii 2025", "no known form"),
    ("31 Ju 2025", "no known form"),
    ("Kamis, 31 Juli 2025", "no known form"),
    ("-2025-07-31", "no known form"),
    ("'2025-07-31", "no known form"),
    ("2025–07–31", "no known form"),
    ("２０２５-07-31", "digits 0 to 9"),
    ("٣١/٠٧/٢٠٢٥", "digits 0 to 9"),
    ("2025-07-3\u00b9", "digits 0 to 9"),
    ("2025-07-31\u200b", "no known form"),
    ("today", "no known form"),
    ("hari ini", "no known form"),
    ("", "blank"),
    ("   ", "blank"),
    ("45869", "2025-07-31"),
    ("44407", "2021-07-30"),
    (45869, "its day 45869, which is 2025-07-31"),
    (45869.0, "its day 45869, which is 2025-07-31"),
    (45869.5, "its day 45869, which is 2025-07-31"),
    (60, "number, not a day"),
    (60.0, "number, not a day"),
    (0, "number, not a day"),
    (-1, "number, not a day"),
    (2025, "its day 2025"),
    (20250731, "number, not a day"),
    (1e300, "number, not a day"),
    (float("nan"), "number, not a day"),
    (float("inf"), "number, not a day"),
    (None, "blank"),
    (True, "true or false"),
    (CellError("#N/A"), "error"),
    (date(1900, 2, 28), "1977-12-05"),  # what a parser makes of serial 60, a day that never was
    (datetime(2025, 7, 31, 10, 0), "time of day"),
    (datetime(2025, 7, 31, tzinfo=UTC), "zone"),
]

AS_OF = [
    ("2025", "2025", date(2025, 12, 31)),
    (2025, "2025", date(2025, 12, 31)),
    (2025.0, "2025", date(2025, 12, 31)),
    ("2025-07", "2025-07", JULY_31),
    ("2024-02", "2024-02", date(2024, 2, 29)),
    ("Juli 2025", "2025-07", JULY_31),
    ("07/2025", "2025-07", JULY_31),
    ("31 Juli 2025", "2025-07-31", JULY_31),
    ("2025-07-31", "2025-07-31", JULY_31),
    (JULY_31, "2025-07-31", JULY_31),
]


def test_the_table_is_large_enough() -> None:
    """At least 80 values."""
    assert len(DAYS) + len(NOT_DAYS) + len(AS_OF) >= 80


@pytest.mark.parametrize(("value", "day"), DAYS)
def test_days_are_read(value: Any, day: date) -> None:
    """Each accepted form is the day it says, the day first, as a date without a time."""
    read = parse_day(value)
    assert read == day
    assert type(read) is date
    assert parse_point(value) == day
    assert parse_as_of(value) == day.isoformat()


@pytest.mark.parametrize(("value", "why"), NOT_DAYS)
def test_what_is_no_day_is_refused_with_the_reason(value: Any, why: str) -> None:
    """No period is guessed: the refusal names the value, the reason and the remedy."""
    with pytest.raises(InvalidDateError) as refusal:
        parse_day(value)
    assert why in refusal.value.why
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2025-07", JULY_31),
        ("Februari 2024", date(2024, 2, 29)),
        ("02/2025", date(2025, 2, 28)),
        ("2025-12", date(2025, 12, 31)),
    ],
)
def test_a_month_as_a_point_of_view_is_its_last_day(value: Any, day: date) -> None:
    """Where a point of view is asked, a month means its last day."""
    assert parse_point(value) == day


@pytest.mark.parametrize(
    "value", ["2025", "2025-13", "2200-01", "1977-11", "", None, 45869, "03/04"]
)
def test_other_points_are_refused(value: Any) -> None:
    """A year is no point of view, and no month lies outside the registry's days."""
    with pytest.raises(InvalidDateError):
        parse_point(value)


@pytest.mark.parametrize(("value", "text", "last"), AS_OF)
def test_what_a_figure_is_about_keeps_its_precision(value: Any, text: str, last: date) -> None:
    """A year stays a year; its last day is where it is compared."""
    assert parse_as_of(value) == text
    assert last_day_of(text) == last


@pytest.mark.parametrize("value", ["unknown", "Unknown", " tidak  diketahui ", "TIDAK DIKETAHUI"])
def test_an_unknown_date_is_said_in_words(value: Any) -> None:
    """Unknown must be stated, in either language."""
    assert parse_as_of(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        None,
        "?",
        "-",
        "0000",
        "1976",
        "2200",
        1976,
        2200,
        45869,
        True,
        float("nan"),
        "٢٠٢٥",
    ],
)
def test_a_blank_or_odd_as_of_is_refused(value: Any) -> None:
    """Blank is not unknown: it is refused."""
    with pytest.raises(InvalidDateError):
        parse_as_of(value)


@pytest.mark.parametrize("text", ["", "x", "2025-13", "2025-02-30"])
def test_the_last_day_of_nonsense_is_refused(text: str) -> None:
    """`last_day_of` takes what `parse_as_of` gives and nothing else."""
    with pytest.raises(InvalidDateError):
        last_day_of(text)


@given(st.dates(FIRST_DAY, LAST_DAY))
def test_every_form_of_a_day_is_the_same_day(day: date) -> None:
    """ISO, slashes, hyphens and a named month agree on every day of the registry."""
    names = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
    for text in (
        day.isoformat(),
        f"{day.day:02}/{day.month:02}/{day.year}",
        f"{day.day}-{day.month}-{day.year}",
        f"{day.day} {names.split()[day.month - 1]} {day.year}",
    ):
        assert parse_day(text) == day


@given(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.datetimes(), st.none()))
def test_any_value_is_read_or_refused(value: Any) -> None:
    """No value escapes as another exception; what is read lies within the registry's days."""
    for parse in (parse_day, parse_point, parse_as_of):
        try:
            read = parse(value)
        except InvalidDateError:
            continue
        if isinstance(read, str):
            read = last_day_of(read)
        assert read is None or FIRST_DAY <= read <= LAST_DAY
