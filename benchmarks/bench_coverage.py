"""Coverage asked in process, over an image that is up to date, and over one that is behind."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.country import Dated, enrolments
from benchmarks.stores import fill
from benchmarks.tally import Heads, heads_on
from benchmarks.timing import timed_in_turn
from projections.coverage import CoverageRow, coverage_at
from projections.ledger import Ledger
from projections.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.conftest import Country
    from benchmarks.timing import Benchmark

BOTH: Final = ("area", "category")


def _heads(rows: list[CoverageRow]) -> Heads:
    return Heads({(row.area, row.category or ""): row.active for row in rows if row.active})


def _without_zeros(heads: Heads, area: str | None = None) -> Heads:
    return Heads({key: n for key, n in heads.items() if n and area in {None, key[0]}})


@pytest.mark.benchmark(group="coverage")
def test_one_regency(benchmark: Benchmark, country: Country) -> None:
    """The percentage of a regency."""
    with Workspace(country.store.path) as workspace:
        (row,) = benchmark(
            workspace.ask, lambda ledger: coverage_at(ledger, [country.regency], country.on)
        )
    active = _without_zeros(country.heads, country.regency).total()
    assert row.active == active
    assert row.coverage == Fraction(100 * active, country.potentials[country.regency])


@pytest.mark.benchmark(group="coverage")
def test_one_regency_by_category(benchmark: Benchmark, country: Country) -> None:
    """A regency's heads by category."""
    with Workspace(country.store.path) as workspace:
        rows = benchmark(
            workspace.ask,
            lambda ledger: coverage_at(ledger, [country.regency], country.on, by="category"),
        )
    assert _heads(rows) == _without_zeros(country.heads, country.regency)


@pytest.mark.benchmark(group="coverage")
def test_the_nation_by_regency_and_category(benchmark: Benchmark, country: Country) -> None:
    """The nation's heads by regency and category."""
    with Workspace(country.store.path) as workspace:
        rows = benchmark(
            workspace.ask, lambda ledger: coverage_at(ledger, ["ID"], country.on, by=BOTH)
        )
    assert _heads(rows) == _without_zeros(country.heads)


@pytest.fixture(scope="module")
def ledger(country: Country) -> Iterator[Ledger]:
    """The ledger opened once, for what is asked in process."""
    with (
        closing(country.store.log()) as log,
        closing(Ledger(log, country.store.folder())) as opened,
    ):
        yield opened


_BARE: Final = (
    "SELECT area, category, sum(workers) FROM entries WHERE effective_on <= $on"
    " AND position <= $known{} GROUP BY ALL"
)
"""Beside them: DuckDB's own sum over the same sorted columns, with nothing around it."""


def _bare(ledger: Ledger, country: Country, area: str | None = None) -> list[tuple[str, str, int]]:
    given = {"on": country.on, "known": country.half_way}
    if area is None:
        return ledger.connection.execute(_BARE.format(""), given).fetchall()
    statement = _BARE.format(" AND area = $area")
    return ledger.connection.execute(statement, given | {"area": area}).fetchall()


def _summed(rows: list[tuple[str, str, int]]) -> Heads:
    return Heads({(area, category): int(heads) for area, category, heads in rows if heads})


@pytest.mark.benchmark(group="coverage in process")
def test_one_regency_by_category_in_process(
    benchmark: Benchmark, country: Country, ledger: Ledger
) -> None:
    """As known half-way, the ledger open: what a server would do for each question."""
    rows, bare = timed_in_turn(
        benchmark,
        lambda: coverage_at(
            ledger, [country.regency], country.on, known=country.half_way, by="category"
        ),
        lambda: _bare(ledger, country, country.regency),
    )
    expected = _without_zeros(country.heads_half_way, country.regency)
    assert _heads(rows) == _summed(bare) == expected


@pytest.mark.benchmark(group="coverage in process")
def test_the_nation_by_regency_and_category_in_process(
    benchmark: Benchmark, country: Country, ledger: Ledger
) -> None:
    """As known half-way, the ledger open."""
    rows, bare = timed_in_turn(
        benchmark,
        lambda: coverage_at(ledger, ["ID"], country.on, known=country.half_way, by=BOTH),
        lambda: _bare(ledger, country),
    )
    assert _heads(rows) == _summed(bare) == _without_zeros(country.heads_half_way)


@pytest.mark.benchmark(group="coverage")
def test_the_nation_as_known_half_way(benchmark: Benchmark, country: Country) -> None:
    """The same as it was known at an earlier position."""
    with Workspace(country.store.path) as workspace:
        rows = benchmark(
            workspace.ask,
            lambda ledger: coverage_at(ledger, ["ID"], country.on, known=country.half_way, by=BOTH),
        )
    assert _heads(rows) == _without_zeros(country.heads_half_way)


@pytest.mark.benchmark(group="catch-up")
def test_a_question_with_a_tail(
    benchmark: Benchmark,
    country: Country,
    tmp_path_factory: pytest.TempPathFactory,
    tail: int,
) -> None:
    """What was recorded after the image counts at once; the image stays behind."""
    store = country.store.copy(tmp_path_factory.mktemp("behind") / "store")
    said = list(itertools.islice(later(tail), tail))
    with closing(store.registry()) as registry:
        list(fill(registry, said))
    heads = heads_on((each.command for each in said), country.on, changed=frozenset())

    def ask() -> tuple[int, list[CoverageRow]]:
        with closing(store.log()) as log, closing(Ledger(log, store.folder())) as ledger:
            rows = coverage_at(ledger, [country.regency], country.on, by="category")
            return ledger.tail_events, rows

    folded, rows = benchmark(ask)
    assert folded == tail
    expected = Heads(_without_zeros(country.heads, country.regency))
    expected.update(_without_zeros(heads, country.regency))
    assert _heads(rows) == expected


def later(tail: int) -> Iterator[Dated]:
    """Yield enrolments that the country does not have, recorded after its last day."""
    for number, batch in enumerate(enrolments(max(40, 2 * tail), seed=1)):
        yield Dated(date(2026, 1, 2), replace(batch, reference=f"Susulan {number}"))
