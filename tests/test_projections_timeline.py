"""The timeline: every row is what coverage says of that day, and no day of change is missing."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import projections.ledger
from projections.coverage import coverage_at
from projections.timeline import TimelineRow, timeline
from registry.terms import NATION, Action
from tests.ledger_from_doc import Ledger, ledger_document
from tests.oracle import Book, standing
from tests.strategies import PROVINCES, REGENCIES, History, histories, questions
from tests.test_properties_histories import play, stores

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)

DAY = timedelta(days=1)
LAST = date(2027, 6, 30)


def rows(
    ledger: Ledger, area: str, *, since: str | None = None, until: str = "2027-06-30"
) -> list[TimelineRow]:
    """Return the timeline of an area in a document."""
    first = date.fromisoformat(since) if since else None
    return list(timeline(ledger.ask(), area, since=first, until=date.fromisoformat(until)))


def said(found: list[TimelineRow]) -> list[tuple[str, int, int, int | None]]:
    """Return day, in, out and active of each row."""
    return [(str(row.on), row.workers_in, row.workers_out, row.active) for row in found]


def test_each_day_of_change_has_a_row(ledger_from_doc: Ledger) -> None:
    """Heads that come, leave, and whose term ends: in, out, and who is left.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 deactivate 16.06 pekerja-rentan  30 from 2025-02-01 of SK-1 SK-2
    #3 2025-03-01 enrol      16.06 marbot           5 from 2025-02-01 SK-3
    """
    assert said(rows(ledger_from_doc, "16.06")) == [
        ("2025-01-01", 100, 0, 100),
        ("2025-02-01", 5, 30, 75),
        ("2026-01-01", 0, 70, 5),
    ]


def test_a_correction_shows_only_what_it_came_to(ledger_from_doc: Ledger) -> None:
    """What was taken back is neither in nor out; a withdrawn batch has no day at all.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 enrol 16.06 marbot  50 from 2025-02-01 SK-2
    #3 2025-04-01 withdraw 16.06 SK-2 because mistaken
    """
    from dataclasses import replace

    from registry.commands import RecordBatch
    from tests.ledger_from_doc import parsed

    document = "#4 2025-05-01 enrol 16.06 marbot 98 from 2025-01-01 until 2025-12-31 SK-1"
    (command,) = parsed(document)[0].commands
    assert isinstance(command, RecordBatch)
    ledger_from_doc.store.registry.record(replace(command, because="two counted twice"))

    assert said(rows(ledger_from_doc, "16.06")) == [
        ("2025-01-01", 98, 0, 98),
        ("2026-01-01", 0, 98, 0),
    ]


def test_a_reclassification_moves_nobody_out_of_the_area(ledger_from_doc: Ledger) -> None:
    """The area's row does not change; the categories' rows do; a transfer stays in the province.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-02-01 reclassify 16.06 marbot  10 to guru from 2025-02-01 SK-2
    #3 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 SK-3
    """
    ledger = ledger_from_doc
    assert said(rows(ledger, "16.06")) == [("2025-01-01", 100, 0, 100), ("2025-03-01", 0, 20, 80)]
    assert said(rows(ledger, "16.71")) == [("2025-03-01", 20, 0, 20)]
    assert said(rows(ledger, "16")) == [("2025-01-01", 100, 0, 100)]
    by_category = timeline(ledger.ask(), "16.06", until=LAST, by_category=True)
    assert [
        (str(row.on), row.category, row.workers_in, row.workers_out, row.active)
        for row in by_category
    ] == [
        ("2025-01-01", "marbot", 100, 0, 100),
        ("2025-02-01", "guru", 10, 0, 10),
        ("2025-02-01", "marbot", 0, 10, 90),
        ("2025-03-01", "marbot", 0, 20, 70),
    ]


def test_a_renewal_comes_as_the_old_term_goes(ledger_from_doc: Ledger) -> None:
    """On the day a term ends its heads are out, and those renewed are in.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-12-01 renew 16.06 marbot  60 until 2026-12-31 of SK-1 SK-2
    """
    assert said(rows(ledger_from_doc, "16.06")) == [
        ("2025-01-01", 100, 0, 100),
        ("2026-01-01", 60, 100, 60),
        ("2027-01-01", 0, 60, 0),
    ]


def test_a_balancing_entry_is_neither_in_nor_out(ledger_from_doc: Ledger) -> None:
    """It counts in active and stands apart, signed and net, however it came about.

    #1 2025-01-10 opening     16.06 marbot 100 from 2025-01-01 SALDO
    #2 2025-02-10 enrol       16.06 marbot  40 from 2025-02-01 SK-1
    +             balance-out 16.06 marbot  30 from 2025-02-01 S-1 note "a figure printed"
    #4 2025-03-10 balance-in  16.06 guru     7 from 2025-03-01 until 2025-03-31 S-2 note "again"
    +             deactivate  16.06 marbot   5 from 2025-03-01 SK-2
    #6 2025-05-10 balance-in  16.06 guru     9 from 2025-05-01 S-3 note "mistaken"
    #7 2025-05-11 withdraw    16.06 S-3 because mistaken
    """
    ledger = ledger_from_doc

    def flows(
        *, by_category: bool = False
    ) -> list[tuple[str, str | None, int, int, int, int | None]]:
        return [
            (str(row.on), row.category, row.workers_in, row.workers_out, row.reconciled, row.active)
            for row in timeline(ledger.ask(), "16.06", until=LAST, by_category=by_category)
        ]

    assert flows() == [
        ("2025-01-01", None, 100, 0, 0, 100),
        ("2025-02-01", None, 40, 0, -30, 110),
        ("2025-03-01", None, 0, 5, 7, 112),
        ("2025-04-01", None, 0, 7, 0, 105),  # a term that ends is a leave, whoever began it
    ]
    assert flows(by_category=True)[1:4] == [
        ("2025-02-01", "marbot", 40, 0, -30, 110),
        ("2025-03-01", "guru", 0, 0, 7, 7),
        ("2025-03-01", "marbot", 0, 5, 0, 105),
    ]


def test_a_potential_alone_is_a_day_of_change(ledger_from_doc: Ledger) -> None:
    """Another denominator makes a row, without anybody in or out.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-11 potential 16.06 200 from 2025-03-01
    #3 2025-01-12 potential 16.06 400 from 2025-06-01
    """
    found = rows(ledger_from_doc, "16.06")

    assert [(str(row.on), row.coverage) for row in found] == [
        ("2025-01-01", None),
        ("2025-03-01", Fraction(50)),
        ("2025-06-01", Fraction(25)),
    ]


def test_from_begins_with_the_state_on_that_day(ledger_from_doc: Ledger) -> None:
    """The first row is the state on --from, whether or not anything changed on it.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-01 enrol 16.06 marbot   5 from 2025-03-01 SK-2
    """
    ledger = ledger_from_doc
    assert said(rows(ledger, "16.06", since="2025-02-01")) == [
        ("2025-02-01", 0, 0, 100),
        ("2025-03-01", 5, 0, 105),
    ]
    assert said(rows(ledger, "16.06", since="2025-03-01")) == [("2025-03-01", 5, 0, 105)]
    assert said(rows(ledger, "16.06", since="2025-05-01")) == [("2025-05-01", 0, 0, 105)]
    assert said(rows(ledger, "16.06", since="2024-01-01", until="2024-06-30")) == [
        ("2024-01-01", 0, 0, None)
    ]
    assert rows(ledger, "16.71") == []


def test_a_province_follows_the_potentials_of_its_regencies(ledger_from_doc: Ledger) -> None:
    """A regency counts from the day it has both; a later potential takes the place of the former.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-11 potential 16.06 200 from 2025-03-01
    #3 2025-01-11 potential 16.06 999 from 2025-06-01
    #4 2025-01-12 potential 16.06 400 from 2025-06-01
    #5 2025-01-13 potential 16.71 600 from 2025-02-01
    #6 2025-01-14 enrol     16.71 marbot 100 from 2025-07-01 SK-1
    """
    ledger = ledger_from_doc.ask()
    found = rows(ledger_from_doc, "16")
    assert [(str(row.on), row.potential, row.coverage, row.regencies_counted) for row in found] == [
        ("2025-01-01", None, None, 0),
        ("2025-03-01", 200, Fraction(50), 1),
        ("2025-06-01", 400, Fraction(25), 1),
        ("2025-07-01", 1000, Fraction(20), 2),
    ]
    for area in ("16.06", "16"):
        for since in (None, date(2025, 6, 1), date(2025, 6, 2)):
            for known in (3, 4, 6):
                check_against_coverage(ledger, area, since, known)
                check_categories(ledger, area, since, known)


def change(row: TimelineRow) -> int:
    """Return what the day's flows come to."""
    return row.workers_in - row.workers_out + row.reconciled


def balanced(book: Book, area: str, on: date, category: str | None = None) -> int:
    """Return the heads that the balancing entries of a day bring, as the oracle has them stand."""
    return sum(
        sign * move.workers
        for batch in standing(book).values()
        for move in batch.moves
        for sign, place in ((1, move.enters), (-1, move.leaves))
        if place is not None
        and batch.action in {Action.BALANCE_IN, Action.BALANCE_OUT}
        and batch.first_day == on
        and (area in {NATION, place.area, place.area[:2]})
        and category in {None, place.category}
    )


def check_against_coverage(
    ledger: projections.ledger.Ledger, area: str, since: date | None, known: int
) -> None:
    """Hold each row to coverage on its day, and each day between two rows to the row before."""
    found = list(timeline(ledger, area, since=since, until=LAST, known=known))
    assert [row.on for row in found] == sorted({row.on for row in found})
    before = None
    for row in found:
        (day,) = coverage_at(ledger, [area], row.on, known=known)
        assert (row.active, row.active_counted, row.potential, row.coverage) == (
            day.active,
            day.active_counted,
            day.potential,
            day.coverage,
        )
        assert (row.regencies_counted, row.regencies_total, row.complete) == (
            day.regencies_counted,
            day.regencies_total,
            day.complete,
        )
        (yesterday,) = coverage_at(ledger, [area], row.on - DAY, known=known)
        assert (row.active or 0) - (yesterday.active or 0) == change(row)
        if before is not None:  # nothing changed since the row before
            assert (yesterday.active, yesterday.potential, yesterday.coverage) == (
                before.active,
                before.potential,
                before.coverage,
            )
        before = row
    (at_last,) = coverage_at(ledger, [area], LAST, known=known)
    if before is not None:
        assert (at_last.active, at_last.coverage) == (before.active, before.coverage)
    else:
        assert (at_last.active, at_last.potential) == (None, None)


def check_categories(
    ledger: projections.ledger.Ledger, area: str, since: date | None, known: int
) -> None:
    """Hold each category's row to coverage by category, and the flows to the change."""
    last: dict[str, int] = {}
    for row in timeline(ledger, area, since=since, until=LAST, known=known, by_category=True):
        assert row.category is not None
        groups = {
            each.category: each
            for each in coverage_at(ledger, [area], row.on, known=known, by="category")
        }
        group = groups[row.category]
        assert (row.active, row.points) == (group.active, group.points)
        assert row.active_counted == group.active_counted
        if row.category in last:
            assert (row.active or 0) - last[row.category] == change(row)
        last[row.category] = row.active or 0
    ends = coverage_at(ledger, [area], LAST, known=known, by="category")
    assert last == {str(each.category): each.active or 0 for each in ends}


def check_balances(
    ledger: projections.ledger.Ledger, area: str, since: date | None, known: int, book: Book
) -> None:
    """Hold what is reconciled on each day to the balancing entries that stand, and to no other."""
    for by_category in (False, True):
        for row in timeline(
            ledger, area, since=since, until=LAST, known=known, by_category=by_category
        ):
            assert row.reconciled == balanced(book, area, row.on, row.category)


@settings(max_examples=settings().max_examples // 5)  # each asks coverage for every day
@given(
    histories(),
    st.sampled_from((*REGENCIES, *PROVINCES, NATION)),
    st.one_of(st.none(), questions),
    st.integers(0, 1_000),
)
def test_every_row_is_what_coverage_says_of_that_day(
    history: History, area: str, since: date | None, place: int
) -> None:
    """Any history, any first day, any position: the sweep equals a question for each day."""
    with stores() as (store, _):
        for step in history.steps:
            play(store, step, history.oracle)
        with store.ledger() as ledger:
            known = place % (ledger.position + 1)
            check_against_coverage(ledger, area, since, known)
            check_categories(ledger, area, since, known)
            counted = history.oracle.known(known)
            if counted.last_position == known:  # the oracle knows no part of a transaction
                check_balances(ledger, area, since, known, counted.book)
