"""The fast paths on a large country: whatever is asked, what is counted from the commands themselves.

What is quick only when there is much of it (chunks folded side by side, a tail on disk, an image made
of another, the file's batches made without models) is never reached by small histories; the quick run
sets their bounds lower. `benchmarks.tally` is the oracle: it knows neither events nor ledgers.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import pytest

import projections.ledger
from benchmarks.country import LAST_DAY, OPENED_ON, history, importable
from benchmarks.stores import as_csv, empty_store, fill
from benchmarks.tally import Heads, changed_references, heads_on, potentials_on
from projections import fold
from projections.coverage import CoverageRow, coverage_at
from projections.ledger import Ledger, publish_next
from projections.steps import Point, Traced, groups
from projections.trace import trace
from projections.workspace import Workspace
from registry.commands import Command
from registry.terms import NATION
from tests.faults import make_store, run

SIZES: Final = [
    pytest.param(3_000, marks=pytest.mark.slow),
    pytest.param(10_000, marks=pytest.mark.soak),
    pytest.param(100_000, marks=pytest.mark.soak),
]
LARGE: Final = 10_000
QUESTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Counted:
    """What was said, in the order of recording; one command is one event."""

    said: Sequence[Command]

    def heads(self, on: date, known: int, area: str = NATION) -> Heads:
        """Count the heads of an area and those below it; categories of nobody are left out."""
        said = self.said[:known]
        found = heads_on(said, on, changed=changed_references(said))
        return Heads({key: n for key, n in found.items() if n and _is_in(key[0], area)})

    def coverage(self, area: str, on: date, known: int) -> Fraction | None:
        """Work out the percentage of a regency."""
        potential = potentials_on(self.said[:known], on).get(area)
        if potential is None:
            return None
        return Fraction(100 * self.heads(on, known, area).total(), potential)


def _is_in(regency: str, area: str) -> bool:
    return area == NATION or regency.startswith(area)


def _heads_in(rows: Sequence[CoverageRow]) -> Heads:
    return Heads({(row.area, row.category or ""): row.active for row in rows if row.active})


def _points(random: Random, events: int) -> Iterator[tuple[date, int]]:
    """Yield days and positions: one of them the end of both."""
    yield LAST_DAY, events
    days = (LAST_DAY - OPENED_ON).days
    for _ in range(QUESTIONS - 1):
        # once the stock of each regency is known, so that all have heads
        known = random.randint(events // 3, events)
        yield OPENED_ON + timedelta(days=random.randrange(days)), known


def _digest(ledger: Ledger) -> dict[str, tuple[int, int]]:
    """Return of every table how many rows, and a sum over their bytes whatever their order."""
    found = {}
    for table in fold.TABLES:
        ((rows, summed),) = ledger.connection.execute(
            f"SELECT count(*), coalesce(sum(hash({table}::VARCHAR)), 0) FROM {table}"
        ).fetchall()
        found[table] = (rows, int(summed))
    return found


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("batches", SIZES)
def test_image_and_tail_answer_what_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Of a country with corrections and withdrawals; the image is of somewhere on the way.

    Image and tail are the tail alone, and the next image made of them, and the rebuild, cell by cell.
    """
    if batches < LARGE:
        for bound in (
            "SIDE_BY_SIDE_EVENTS",
            "DISK_TAIL_EVENTS",
            "DISK_REBUILD_EVENTS",
            "PARALLEL_REBUILD_EVENTS",
        ):
            monkeypatch.setattr(projections.ledger, bound, 500)
        for size in ("CHUNK_BYTES", "REBUILD_CHUNK_BYTES", "DISK_REBUILD_CHUNK_BYTES"):
            monkeypatch.setattr(projections.ledger, size, 1 << 18)
    random = Random(batches)
    store = empty_store(tmp_path / "store")
    published_after = random.randrange(12, 60)
    with closing(store.registry()) as registry:
        for month, _head in enumerate(fill(registry, history(batches))):
            if month == published_after:
                store.publish()
    counted = Counted([each.command for each in history(batches)])
    with ExitStack() as opened:
        log = opened.enter_context(closing(store.log()))
        imaged = opened.enter_context(closing(Ledger(log, store.folder())))
        tail = opened.enter_context(closing(Ledger(log, None)))
        assert 0 < imaged.tail_events < tail.tail_events == len(counted.said)
        whole = _digest(tail)
        assert _digest(imaged) == whole
        asked = list(_points(random, log.head()))
        for ledger in (imaged, tail):
            for on, known in asked:
                _check_coverage(ledger, counted, on, known, random)
        for (on, known), (another, later) in itertools.pairwise(asked):
            first = min(on, another), min(known, later)
            second = max(on, another), max(known, later)
            _check_trace(imaged, counted, first, second, random)
        publish_next(log, store.folder())
        with closing(Ledger(log, store.folder())) as following:
            assert following.tail_events == 0
            assert _digest(following) == whole
    store.publish()
    with closing(store.log()) as log, closing(Ledger(log, store.folder())) as rebuilt:
        assert _digest(rebuilt) == whole
        for on, known in asked:
            _check_coverage(rebuilt, counted, on, known, random)


def _check_coverage(ledger: Ledger, counted: Counted, on: date, known: int, random: Random) -> None:
    heads = counted.heads(on, known)
    rows = coverage_at(ledger, [NATION], on, known=known, by=("area", "category"))
    assert _heads_in(rows) == heads, (on, known)
    regency = random.choice(sorted({area for area, _ in heads}))
    (row,) = coverage_at(ledger, [regency], on, known=known)
    assert row.coverage == counted.coverage(regency, on, known)
    areas = [NATION, *sorted({area[:2] for area, _ in heads})]
    for total in coverage_at(ledger, areas, on, known=known):
        of_it = [heads[key] for key in heads if _is_in(key[0], total.area)]
        assert total.active == sum(of_it), (total.area, on, known)


def _check_trace(
    ledger: Ledger,
    counted: Counted,
    first: tuple[date, int],
    second: tuple[date, int],
    random: Random,
) -> None:
    """Every worker of a change is told of, by category as well."""
    change = counted.heads(*second)
    change.subtract(counted.heads(*first))
    regency = random.choice(sorted({area for area, _ in change}))
    for area in (NATION, regency[:2], regency):
        traced = Traced(area, Point(*first), Point(*second))
        expected = {key: n for key, n in change.items() if _is_in(key[0], area)}
        found = trace(ledger, traced)
        assert found.active == found.flows.workers == sum(expected.values()), (traced, found)
        by_category: Counter[str | None] = Counter()
        for each in groups(ledger, traced, "category"):
            by_category[each.category] += each.flows.workers
        for (_, category), workers in expected.items():
            by_category[category] -= workers
        assert not any(by_category.values()), traced


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("batches", SIZES)
def test_an_imported_file_answers_what_is_counted(tmp_path: Path, batches: int) -> None:
    """All actions that one file can hold, through the program itself, and checked by it."""
    folder = tmp_path / "office"
    store = make_store(folder)
    file = folder / "mixed.csv"
    as_csv(importable(batches), file)
    ended = run("import", "batches", file, "--locale", "en", folder=folder)
    assert (ended.code, ended.acknowledged) == (0, True), ended.err
    counted = Counted(list(importable(batches)))
    random = Random(batches)
    with Workspace(store) as workspace:
        for on, _ in _points(random, len(counted.said)):
            workspace.ask(partial(_check_heads, counted=counted, on=on))
    checked = run("rebuild", "--check", folder=folder)
    assert checked.code == 0, checked.err


def _check_heads(ledger: Ledger, counted: Counted, on: date) -> None:
    rows = coverage_at(ledger, [NATION], on, by=("area", "category"))
    assert _heads_in(rows) == counted.heads(on, len(counted.said)), on
