"""Tables copied into an image: nothing is missing, nothing twice, and they lie as the fold's page says."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import fold, laying_out
from projections.laying_out import copy_sorted
from projections.ledger import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AREAS = ["11.01", "11.02", "16.06", "16.71", "33.28", "91.71"]


def entries(areas: list[str]) -> DuckDBPyConnection:
    """Return a connection with the fold's tables, an entry for each area, and `built` beside them."""
    connection = connect(parallel=False)
    fold.create_tables(connection)
    connection.executemany(
        "INSERT INTO entries (position, recorded_at, recorded_by, area, category, kind, act,"
        " effective_on, workers, reference, part, cohort_reference, cohort_part)"
        " VALUES (?, now()::TIMESTAMP, 'x', ?, ?, 'enrolment', 'original', ?, 1, 'R', '', 'R', '')",
        [
            (len(areas) - number, area, f"c{number % 3}", f"2024-01-{number % 28 + 1:02}")
            for number, area in enumerate(areas)
        ]
        or [(1, "11.01", "c", "2024-01-01")],
    )
    connection.execute("ATTACH ':memory:' AS built")
    return connection


@given(areas=st.lists(st.sampled_from(AREAS), max_size=30), threads=st.sampled_from([1, 2]))
def test_a_copy_has_each_row_once(areas: list[str], threads: int) -> None:
    """Side by side in ranges or one after the other, few areas or many, skewed or not."""
    with closing(entries(areas)) as connection:
        connection.execute(f"SET threads = {threads}; SET preserve_insertion_order = true")
        copy_sorted(connection, "memory.main")
        for table in fold.TABLES:
            rows = f"SELECT * FROM {{}}.{table} ORDER BY ALL"
            own = connection.execute(rows.format("memory.main")).fetchall()
            assert connection.execute(rows.format("built")).fetchall() == own
        (again,) = connection.execute("SELECT current_setting('threads')").fetchall()[0]
        assert again == threads


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_of_one_area_lies_together_in_order(threads: int) -> None:
    """A range may come before another, but an area is in one of them, by category and day."""
    with closing(entries(AREAS * 40)) as connection:
        connection.execute(f"SET threads = {threads}; SET preserve_insertion_order = true")
        copy_sorted(connection, "memory.main")
        lie = connection.execute(
            "SELECT area, category, effective_on, position FROM built.entries ORDER BY rowid"
        ).fetchall()
    areas = [area for area, *_rest in lie]
    assert sum(one != next_one for one, next_one in itertools.pairwise(areas)) == 5
    for each in AREAS:
        of_area = [row for row in lie if row[0] == each]
        assert of_area == sorted(of_area)


def test_what_fails_in_a_range_fails_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that lacks some areas would be worse than none."""
    monkeypatch.setattr(laying_out, "_ranges", lambda *_: [["", "x"], [None, object()]])
    with closing(entries(AREAS)) as connection:
        connection.execute("SET threads = 2")
        with pytest.raises(duckdb.Error):
            copy_sorted(connection, "memory.main")
