"""The table of numbers: each is read as declared, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError, shown
from registry.errors import InvalidNumberError
from registry.numbers import (
    Locale,
    parse_count,
    parse_percent,
    parse_quantity,
)
from registry.rounding import group_thousands, round_half_away
from registry.terms import WORKERS_MAX

COUNTS = [
    ("1", "id", 1),
    ("999", "id", 999),
    ("45000", "id", 45000),
    ("45000", "en", 45000),
    ("45.000", "id", 45000),
    ("45,000", "en", 45000),
    ("1.234", "id", 1234),
    ("1,234", "en", 1234),
    ("213.582", "id", 213582),
    ("1.234.567", "id", 1234567),
    ("1,234,567", "en", 1234567),
    (" 45.000 ", "id", 45000),
    ("\xa045.000", "id", 45000),
    ("300.000.000", "id", 300_000_000),
    (45000, "id", 45000),
    (45000.0, "id", 45000),
    (45000.0, "en", 45000),
    (1, "en", 1),
]

NOT_COUNTS = [
    ("45,000", "id", "comma"),
    ("45.000", "en", "dot"),
    ("1,5", "id", "comma"),
    ("1.5", "id", "dot"),
    ("1.5", "en", "dot"),
    ("1.50", "id", "three digits"),
    ("1.2345", "id", "three digits"),
    ("1234.567", "id", "three digits"),
    ("12.34.567", "id", "three digits"),
    ("1..234", "id", "three digits"),
    (".500", "id", "three digits"),
    ("45.", "id", "three digits"),
    ("1.234,00", "id", "groups"),
    ("1,234.00", "en", "groups"),
    ("1,234,56", "en", "three digits"),
    ("0.500", "id", "three digits"),
    ("1_000", "id", "other than digits"),
    ("1'000", "id", "other than digits"),
    ("'45000", "id", "other than digits"),
    ("1e3", "id", "other than digits"),
    ("1E3", "en", "other than digits"),
    ("0x10", "id", "other than digits"),
    ("٣", "id", "digits 0 to 9"),
    ("٤٥٠٠٠", "id", "digits 0 to 9"),
    ("４５", "id", "digits 0 to 9"),
    ("4२", "id", "digits 0 to 9"),
    ("²", "id", "digits 0 to 9"),
    ("½", "id", "other than digits"),
    ("Ⅳ", "id", "other than digits"),
    ("-5", "id", "sign"),
    ("+5", "id", "sign"),
    ("\u22125", "id", "sign"),
    ("-45.000", "id", "sign"),
    ("(45)", "id", "other than digits"),
    ("NaN", "id", "other than digits"),
    ("inf", "id", "other than digits"),
    ("Infinity", "en", "other than digits"),
    ("True", "id", "other than digits"),
    ("", "id", "blank"),
    ("   ", "id", "blank"),
    ("\t", "en", "blank"),
    ("-", "id", "sign"),
    ("0", "id", "between"),
    ("00", "id", "zero"),
    ("007", "id", "zero"),
    ("045000", "id", "zero"),
    ("1 000", "id", "space"),
    ("1\xa0000", "id", "space"),
    ("1\u202f000", "id", "space"),
    ("45\u200b000", "id", "other than digits"),
    ("45\n000", "id", "space"),
    ("45 orang", "id", "space"),
    ("45rb", "id", "other than digits"),
    ("Rp45.000", "id", "groups"),
    ("45%", "id", "other than digits"),
    ("1/2", "id", "other than digits"),
    ("=1+1", "id", "other than digits"),
    ("#REF!", "id", "other than digits"),
    ("l000", "id", "other than digits"),
    ("1O0", "id", "other than digits"),
    ("9223372036854775808", "id", "15 digits"),
    ("1671012345678901", "id", "15 digits"),
    ("1.671.012.345.678.901", "id", "15 digits"),
    ("300.000.001", "id", "between"),
    ("999999999999999", "en", "between"),
    ("9" * 5000, "id", "15 digits"),
    (None, "id", "empty"),
    (True, "id", "true or false"),
    (False, "id", "true or false"),
    (0, "id", "between"),
    (-5, "id", "below zero"),
    (-5.0, "id", "below zero"),
    (1.5, "id", "decimals"),
    (45000.000001, "id", "decimals"),
    (float("nan"), "id", "finite"),
    (float("inf"), "id", "finite"),
    (float("-inf"), "en", "finite"),
    (1e15, "id", "15 digits"),
    (1671012345678901.0, "id", "15 digits"),
    (2**63, "id", "15 digits"),
    (999999999999999.0, "id", "between"),
    (date(2025, 7, 31), "id", "date"),
    (datetime(2025, 7, 31), "id", "date"),
    (CellError("#REF!"), "id", "error"),
]

PERCENTS = [
    ("48,26", "id", "48.26"),
    ("48.26", "en", "48.26"),
    ("26,80", "id", "26.80"),
    ("26.80", "en", "26.80"),
    ("48,26%", "id", "48.26"),
    ("48,26 %", "id", "48.26"),
    ("41,65 ", "id", "41.65"),
    ("0", "id", "0"),
    ("0,5", "id", "0.5"),
    ("0,00", "id", "0.00"),
    ("100", "id", "100"),
    ("1000", "en", "1000"),
    ("1,000", "id", "1.000"),
    ("100,02", "id", "100.02"),
    (48.26, "id", "48.26"),
    (48.26, "en", "48.26"),
    (41.65238642207302, "id", "41.652386422073"),
    (100, "id", "100"),
    (100.0, "id", "100"),
    (0.0, "id", "0"),
    (1.05, "id", "1.05"),
]

NOT_PERCENTS = [
    ("48.26", "id", "dot"),
    ("48,26", "en", "comma"),
    ("1.000", "id", "dot"),
    ("1,000", "en", "comma"),
    ("1000,01", "id", "between"),
    ("1001", "id", "between"),
    ("-1", "id", "sign"),
    ("+1", "id", "sign"),
    ("48,", "id", "other than digits"),
    (",5", "id", "other than digits"),
    ("048,26", "id", "other than digits"),
    ("48,2,6", "id", "other than digits"),
    ("%", "id", "blank"),
    ("48%%", "id", "other than digits"),
    ("٤٨", "id", "digits 0 to 9"),
    ("1e2", "id", "other than digits"),
    ("NaN", "en", "other than digits"),
    ("", "id", "blank"),
    ("0," + "3" * 21, "id", "after the decimal sign"),
    (None, "id", "empty"),
    (True, "id", "true or false"),
    (0.4826, "id", "48.26 %"),
    (1.0, "en", "100 %"),
    (1e-300, "id", "formatted as a percentage"),
    (float("nan"), "id", "finite"),
    (1000.01, "id", "between"),
    (CellError("#DIV/0!"), "id", "error"),
]

QUANTITIES = [
    ("8.305", "id", "8305"),
    ("8,305", "en", "8305"),
    ("3,89", "id", "3.89"),
    ("3.89", "en", "3.89"),
    ("21.311,5", "id", "21311.5"),
    ("8305", "id", "8305"),
    ("0", "id", "0"),
    (8305.0, "id", "8305"),
    (3.89, "id", "3.89"),
]

NOT_QUANTITIES = [
    ("3.89", "id", "dot"),
    ("3,89", "en", "comma"),
    ("-3", "id", "sign"),
    ("300.000.001", "id", "between"),
    ("1,234,5", "id", "other than digits"),
    (0.0389, "id", "3.89 %"),
    ("", "id", "blank"),
    (None, "en", "empty"),
]


def test_the_table_is_large_enough() -> None:
    """At least 120 values."""
    tables = (COUNTS, NOT_COUNTS, PERCENTS, NOT_PERCENTS, QUANTITIES, NOT_QUANTITIES)
    assert sum(len(table) for table in tables) >= 120


@pytest.mark.parametrize(("value", "locale", "count"), COUNTS)
def test_counts_are_read_in_the_declared_locale(value: Any, locale: Locale, count: int) -> None:
    """A count means what the declared locale says, as an int."""
    read = parse_count(value, locale)
    assert read == count
    assert type(read) is int


@pytest.mark.parametrize(("value", "locale", "why"), NOT_COUNTS)
def test_what_is_no_count_is_refused_with_the_reason(value: Any, locale: Locale, why: str) -> None:
    """Nothing is guessed: the refusal says why, what to do, and shows no person's number."""
    with pytest.raises(InvalidNumberError) as refusal:
        parse_count(value, locale)
    assert why in refusal.value.why
    assert refusal.value.remedy
    assert len(refusal.value.what) < 200
    assert "1671012345678901" not in str(refusal.value)


@pytest.mark.parametrize(("value", "locale", "text"), PERCENTS)
def test_percentages_keep_their_printed_decimals(value: Any, locale: Locale, text: str) -> None:
    """The decimals printed are part of the claim; a cell is taken by its shortest exact text."""
    assert parse_percent(value, locale) == text


@pytest.mark.parametrize(("value", "locale", "why"), NOT_PERCENTS)
def test_what_is_no_percentage_is_refused_with_the_reason(
    value: Any, locale: Locale, why: str
) -> None:
    """Also a number cell up to 1: a cell formatted as a percentage cannot be told from it."""
    with pytest.raises(InvalidNumberError) as refusal:
        parse_percent(value, locale)
    assert why in refusal.value.why
    assert refusal.value.remedy


@pytest.mark.parametrize(("value", "locale", "text"), QUANTITIES)
def test_quantities_are_persons_or_points(value: Any, locale: Locale, text: str) -> None:
    """A gap may be printed either way; both are read as canonical text."""
    assert parse_quantity(value, locale) == text


@pytest.mark.parametrize(("value", "locale", "why"), NOT_QUANTITIES)
def test_what_is_no_quantity_is_refused_with_the_reason(
    value: Any, locale: Locale, why: str
) -> None:
    """A quantity has the same strictness as a count."""
    with pytest.raises(InvalidNumberError) as refusal:
        parse_quantity(value, locale)
    assert why in refusal.value.why


def test_the_bounds_are_the_callers() -> None:
    """A tolerance may be 0; nothing may exceed what is asked for."""
    assert parse_count("0", "id", minimum=0) == 0
    assert parse_count(0.0, "id", minimum=0) == 0
    with pytest.raises(InvalidNumberError, match=r"between 0 and 10"):
        parse_count("11", "id", minimum=0, maximum=10)


@given(st.integers(1, WORKERS_MAX), st.sampled_from(["id", "en"]))
def test_what_is_grouped_is_read_back(number: int, locale: Locale) -> None:
    """Grouping and reading are inverse in the same locale, and never agree on it in the other."""
    text = group_thousands(number, locale)
    assert parse_count(text, locale) == number
    if len(text) > 3:
        with pytest.raises(InvalidNumberError):
            parse_count(text, "en" if locale == "id" else "id")


@given(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.booleans(), st.none()))
def test_any_value_is_read_or_refused(value: Any) -> None:
    """No value escapes as another exception; what is read is canonical and within bounds."""
    for locale in ("id", "en"):
        for parse in (parse_count, parse_percent, parse_quantity):
            try:
                read = parse(value, locale)
            except InvalidNumberError:
                continue
            assert 0 <= Decimal(read) <= WORKERS_MAX


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Fraction(88958 * 100, 213582), 2, "41.65"),
        (Fraction(103079 * 100, 213582), 2, "48.26"),
        (Fraction(5, 1000), 2, "0.01"),
        (Fraction(-5, 1000), 2, "-0.01"),
        (Fraction(4999, 1000000), 2, "0.00"),
        (Fraction(-1, 1000), 2, "0.00"),
        (Fraction(25, 10), 0, "3"),
        (Fraction(-25, 10), 0, "-3"),
        (7, 2, "7.00"),
        (0, 2, "0.00"),
        (Fraction(10**40 + 1, 2), 0, "5" + "0" * 38 + "1"),
    ],
)
def test_a_half_goes_away_from_zero(value: Any, places: int, rounded: str) -> None:
    """One rounding rule everywhere, from the exact value, with the places kept."""
    assert str(round_half_away(value, places)) == rounded


@pytest.mark.parametrize(("lang", "text"), [("en", "88,958"), ("id", "88.958"), ("de", "88,958")])
def test_thousands_are_grouped_in_the_readers_language(lang: str, text: str) -> None:
    """88,958 in English, 88.958 in Indonesian."""
    assert group_thousands(88958, lang) == text


@pytest.mark.parametrize(("locale", "other"), [("id", "en"), ("en", "id")])
@pytest.mark.parametrize("parse", [parse_count, parse_percent, parse_quantity])
def test_the_other_locale_is_named_as_the_option_it_is(
    parse: Callable[..., object], locale: Locale, other: str
) -> None:
    """Whoever has the whole file in the other notation is told how to say so."""
    text = "1.5,5" if locale == "id" else "1,5.5"
    with pytest.raises(InvalidNumberError) as refused:
        parse(text, locale)
    assert f"--locale {other}" in refused.value.remedy


def test_a_whole_number_of_a_spreadsheet_is_shown_as_people_see_it() -> None:
    """1671.0 is how a parser has it."""
    assert [shown(1671.0), shown(0.0), shown(48.5), shown(1e300)] == ["1671", "0", "48.5", "1e+300"]
    assert [shown(1 / 3), shown(41.65051362000001)] == ["0.3333333333", "41.65051362"]
    assert shown(12.0000000001) == "12.0000000001", "12 would be admitted"
    assert "1606" not in shown(1606011212900001.0), "digits before the point may be a person's"
