"""Any history, any two dates: the three stores answer what the oracle counts head by head."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from projections import fold
from projections.coverage import CoverageRow, coverage_at, potentials_in_force
from projections.known import end_of_transaction
from projections.ledger import Ledger
from registry.commands import RevisePotential
from registry.reference.areas import regencies
from registry.reference.categories import AddedCategory
from registry.terms import NATION
from tests.ledger_from_doc import attempted
from tests.oracle import Oracle
from tests.stores import SAID_AS, Admitted, Store, head, position_of
from tests.strategies import DAY, PROVINCES, REGENCIES, History, Step, histories, questions

pairs = st.lists(st.tuples(questions, st.integers(0, 1_000)), min_size=1, max_size=8)
"""Dates, and places in the log (taken modulo its length)."""


@contextmanager
def stores() -> Iterator[tuple[Store, Store]]:
    """Return a store in memory and one in a file, both gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        both = Store(None), Store(Path(folder) / "registry.db")
        try:
            yield both
        finally:
            for store in both:
                store.close()


def play(store: Store, step: Step, oracle: Oracle, *, besides: Collection[int] = ()) -> None:
    """Try a step; the registry must judge as the oracle does, and count the same events.

    `oracle` has seen all that came before the step, or more: only what was said is looked at.
    `besides` are the positions of what was said of areas besides, which it knows nothing of.
    """
    if step.takes_back is not None:
        said = oracle.said[step.takes_back]
        position = position_of(store, step.takes_back, besides=besides)
        store.registry.take_back(SAID_AS[type(said.said)], position, because="mistaken")
        note(f"took back {said} at #{position}")
        return
    if step.adds is not None:
        store.registry.add_category(AddedCategory(step.adds, step.adds, step.adds))
        return
    if step.in_file:
        recorded = store.registry.import_file(Admitted(step.commands, number=head(store)))
    else:
        recorded = attempted(store, step.commands)
    refused = recorded.decision == "refused"
    found = [each.why for each in recorded.problems if each.severity == "error"]
    assert refused == bool(step.verdict.refused), (
        f"registry: {recorded.decision} {found}\noracle: {step.verdict.refused or 'admits it'}"
        f"\n{step!r}"
    )
    if not refused:
        counts = recorded.counts
        assert (counts.new, counts.already_recorded) == (step.verdict.new, step.verdict.already)


def tables(ledger: Ledger) -> dict[str, list[str]]:
    """Return every row of every table."""
    return {
        table: sorted(map(repr, ledger.connection.execute(f"FROM {table}").fetchall()))
        for table in fold.TABLES
    }


def rows(ledger: Ledger, on: date, known: int) -> str:
    """Return everything that coverage says of a date as known at a position, as text."""
    answers = [
        *coverage_at(ledger, [NATION, *PROVINCES, *REGENCIES], on, known=known),
        *coverage_at(ledger, [NATION], on, known=known, by=("area", "category")),
        *coverage_at(ledger, [NATION], on, known=known, by=("area", "segment", "funding")),
    ]
    return json.dumps(
        [each._asdict() | {"points": each.points} for each in answers], default=str, sort_keys=True
    )


def agree(ledger: Ledger, oracle: Oracle, on: date, known: int) -> None:
    """Whatever is asked of a date and a position, the ledger answers what the oracle counts."""
    areas = [NATION, *PROVINCES, *REGENCIES]
    for row in coverage_at(ledger, areas, on, known=known):
        inside = tuple(each.code for each in regencies(row.area))
        answer = oracle.answer(row.area, inside, on, known)
        found = (row.active, row.potential, row.coverage)
        assert found == (answer.active, answer.potential, answer.coverage), (row, answer)
        assert row.regencies_counted == answer.counted
        assert row.regencies_total == len(inside)
        assert row.complete == (answer.counted == len(inside))
    grouped = coverage_at(ledger, list(REGENCIES), on, known=known, by="category")
    for area in REGENCIES:
        assert counted(grouped, area, "category") == oracle.by_category((area,), on, known)
    for by in ("segment", "funding"):
        grouped = coverage_at(ledger, list(REGENCIES), on, known=known, by=by)
        for area in REGENCIES:
            attributed = oracle.attributed((area,), on, known, by=by)
            if attributed is not None:
                assert counted(grouped, area, by) == attributed, (area, by)


def agree_on_potentials(ledger: Ledger, oracle: Oracle) -> None:
    """On each day from which one was ever said, as known after each transaction."""
    said = [each.said for each in oracle.said if isinstance(each.said, RevisePotential)]
    for day in {each.valid_from for each in said}:
        for known in oracle.history:
            found = potentials_in_force(ledger.connection, day, known.last_position)
            expected = {area: oracle.potential(area, day, known) for area in {e.area for e in said}}
            assert {area: each.workers for area, each in found.items()} == {
                area: workers for area, workers in expected.items() if workers is not None
            }


def agree_on_every_turn(ledger: Ledger, oracle: Oracle) -> None:
    """On each day that anything names or ever named, and the day before, the entries add up."""
    turns: set[date] = set()
    for record in oracle.now.book.values():
        for stated in (*record.former, *([record.stands] if record.stands else [])):
            turns.add(stated.first_day)
            ends = (move.enters.until for move in stated.moves if move.enters is not None)
            turns |= {until + DAY for until in ends if until is not None}
    days = sorted(turns | {turn - DAY for turn in turns})
    found = ledger.connection.execute(
        """SELECT day, area, category, sum(workers)
        FROM entries JOIN (SELECT unnest($days) AS day) ON effective_on <= day
        GROUP BY ALL HAVING sum(workers) <> 0""",
        {"days": days},
    ).fetchall()
    counts: dict[date, Counter[tuple[str, str]]] = {day: Counter() for day in days}
    for day, area, category, workers in found:
        counts[day][area, category] = workers
    for day, heads in counts.items():
        assert heads == Counter(oracle.now.world.covered(day)), day


def counted(grouped: list[CoverageRow], area: str, by: str) -> Counter[str]:
    """Return the heads of an area by group, groups of nobody left out."""
    found = ((getattr(row, by), row.active) for row in grouped if row.area == area)
    return Counter({group: active for group, active in found if active})


def add_up(ledger: Ledger, on: date, known: int) -> None:
    """Categories sum to the area, areas to their province, provinces to the nation; so do points."""
    everywhere = [NATION, *PROVINCES, *REGENCIES]
    totals = {row.area: row for row in coverage_at(ledger, everywhere, on, known=known)}

    def active(area: str) -> int:
        return totals[area].active or 0

    assert active(NATION) == sum(map(active, PROVINCES))
    for province in PROVINCES:
        assert active(province) == sum(active(e) for e in REGENCIES if e.startswith(province))
    for by in ("category", "segment", "funding"):
        groups = coverage_at(ledger, everywhere, on, known=known, by=by)
        for area, total in totals.items():
            parts = [row for row in groups if row.area == area]
            assert sum(row.active or 0 for row in parts) == active(area)
            if total.coverage is not None:
                assert sum(row.points or 0 for row in parts) == total.coverage


LONG = settings().max_examples >= 500
SHARDS = 4 if LONG else 1  # so that several processors can share the long run
EXAMPLES = 2_000 // SHARDS if LONG else 15


@pytest.mark.timeout(20 * EXAMPLES)  # about 0.8 s an example where nothing else runs
@pytest.mark.parametrize("shard", range(SHARDS))
@settings(max_examples=EXAMPLES)
@given(history=histories(), asked=pairs, published=st.integers(0, 4))
def test_three_stores_answer_what_the_oracle_counts(
    shard: int, history: History, asked: list[tuple[date, int]], published: int
) -> None:
    """Memory, SQLite, and SQLite with an image published somewhere on the way: all agree.

    Also: tail and image together are the rebuild, cell by cell; what was known stays byte for byte
    what it was while events arrive; and sums add up over categories and areas.
    """
    del shard
    oracle = history.oracle
    with stores() as (memory, file):
        early: dict[tuple[date, int], str] = {}
        for number, step in enumerate(history.steps):
            play(memory, step, oracle)
            play(file, step, oracle)
            if number == published % len(history.steps):
                file.publish()
            if number == len(history.steps) // 2:
                with file.ledger() as ledger:
                    for on, place in asked[:3]:
                        known = end_of_transaction(ledger.log, place % (ledger.head + 1))
                        early[on, known] = rows(ledger, on, known)
        with memory.ledger() as in_memory, file.ledger() as imaged:
            folder, file.folder = file.folder, None
            with file.ledger() as rebuilt:
                file.folder = folder
                assert in_memory.head == imaged.head == oracle.now.last_position
                assert tables(in_memory) == tables(imaged) == tables(rebuilt)
                agree_on_every_turn(in_memory, oracle)
                agree_on_potentials(in_memory, oracle)
                for on, place in asked:
                    at = place % (in_memory.head + 1)
                    known = end_of_transaction(in_memory.log, at)
                    assert known == oracle.known(at).last_position
                    agree(in_memory, oracle, on, known)
                    add_up(in_memory, on, known)
                    expected = rows(in_memory, on, known)
                    assert rows(imaged, on, known) == expected
                    assert rows(rebuilt, on, known) == expected
                for (on, known), before in early.items():
                    assert rows(in_memory, on, known) == rows(imaged, on, known) == before
