"""Parquet: typed columns, exact decimals, nulls kept, any path."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cli.columnar
from cli.columnar import write_parquet
from cli.listing import Column, Listing

COLUMNS = (
    Column("area", "Area", "code"),
    Column('odd "name"', "Odd", "text"),
    Column("active", "Active", "count"),
    Column("percent", "Coverage", "percent"),
    Column("points", "Points", "points"),
    Column("on", "On", "date"),
    Column("at", "Recorded at", "instant"),
    Column("complete", "Complete", "flag"),
    Column("suspects", "Suspects", "json"),
)
VALUES: dict[str, object] = {
    "area": "16.06",
    'odd "name"': "\x00=1+1\x1b 'x' é",
    "active": -300_000_000_000,
    "percent": Fraction(88_958 * 100, 213_582),
    "points": Fraction(-1, 7),
    "on": date(2024, 12, 31),
    "at": datetime(2025, 7, 16, 2, 30, 15, 123_456, tzinfo=UTC),
    "complete": False,
    "suspects": ["SK-1", {"n": None}],
}


def read(path: Path, what: str = "*") -> list[tuple[object, ...]]:
    """Return the rows of the file as DuckDB reads them."""
    with duckdb.connect(":memory:") as engine:
        engine.execute("SET TimeZone = 'UTC'")
        return engine.execute(f"SELECT {what} FROM read_parquet($1)", [str(path)]).fetchall()


def test_columns_are_typed_and_nulls_are_nulls(tmp_path: Path) -> None:
    """Each value as its own type; decimals to the digit; text as it came, hidden characters too."""
    path = tmp_path / "x.parquet"
    write_parquet(Listing("x", COLUMNS, [VALUES, dict.fromkeys(VALUES)]), path)

    assert read(path, '* REPLACE ("at"::VARCHAR AS "at")') == [
        (
            "16.06",
            "\x00=1+1\x1b 'x' é",
            -300_000_000_000,
            Decimal("41.65"),
            Decimal("-0.142857"),
            date(2024, 12, 31),
            "2025-07-16 02:30:15.123456+00",
            False,
            '["SK-1",{"n":null}]',
        ),
        (None,) * len(COLUMNS),
    ]


def test_no_rows_still_have_their_types(tmp_path: Path) -> None:
    """An empty answer is a table with columns, not an unreadable file."""
    path = tmp_path / "x.parquet"
    write_parquet(Listing("x", COLUMNS, []), path)

    with duckdb.connect(":memory:") as engine:
        described = engine.execute(
            "DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]
        ).fetchall()
    assert [(name, form) for name, form, *_ in described] == [
        ("area", "VARCHAR"),
        ('odd "name"', "VARCHAR"),
        ("active", "BIGINT"),
        ("percent", "DECIMAL(18,2)"),
        ("points", "DECIMAL(18,6)"),
        ("on", "DATE"),
        ("at", "TIMESTAMP WITH TIME ZONE"),
        ("complete", "BOOLEAN"),
        ("suspects", "JSON"),
    ]


def test_pages_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a page: none lost, none twice, in order."""
    monkeypatch.setattr(cli.columnar, "PAGE_ROWS", 3)
    path = tmp_path / "x.parquet"
    write_parquet(Listing("x", COLUMNS[2:3], ({"active": n} for n in range(10))), path)

    assert read(path) == [(n,) for n in range(10)]


def test_any_path_is_a_path(tmp_path: Path) -> None:
    """Quotes, brackets and stars in a folder's name are names, not SQL and not a pattern."""
    folder = tmp_path / "it's [a] * folder"
    folder.mkdir()
    write_parquet(Listing("x", COLUMNS, [VALUES]), folder / "x.parquet")

    assert [path.name for path in folder.iterdir()] == ["x.parquet"]


def test_a_disk_that_refuses_is_an_os_error(tmp_path: Path) -> None:
    """DuckDB's own error is turned into what every other format raises."""
    with pytest.raises(OSError, match=r"."):
        write_parquet(Listing("x", COLUMNS, [VALUES]), tmp_path / "missing" / "x.parquet")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=30))
def test_any_text_and_count_come_back(tmp_path: Path, pairs: list[tuple[str, int]]) -> None:
    """Whatever the letters, whatever the number."""
    path = tmp_path / "x.parquet"
    columns = (Column("t", "T", "text"), Column("n", "N", "count"))
    write_parquet(Listing("x", columns, ({"t": text, "n": n} for text, n in pairs)), path)

    assert read(path) == pairs
