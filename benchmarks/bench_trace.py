"""A trace over a year, in process, beside the two questions of coverage that are its ends."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from projections.coverage import coverage_at
from projections.steps import Point, Traced, groups
from projections.trace import Trace, trace
from projections.workspace import Workspace

if TYPE_CHECKING:
    from benchmarks.conftest import Country
    from benchmarks.timing import Benchmark
    from projections.ledger import Ledger

NATION: Final = "ID"


def _a_year_before(on: date) -> date:
    return on.replace(year=on.year - 1)


def _traced(country: Country, area: str) -> Traced:
    known = country.store.events
    return Traced(area, Point(_a_year_before(country.on), known), Point(country.on, known))


def _change(country: Country, area: str | None) -> int:
    """Return the change of the heads, counted from the commands."""
    return sum(
        heads[key] * sign
        for heads, sign in ((country.heads, 1), (country.heads_a_year_before, -1))
        for key in heads
        if area in {None, key[0]}
    )


@pytest.mark.benchmark(group="trace")
def test_both_ends_of_a_regency(benchmark: Benchmark, country: Country) -> None:
    """Beside it: the two questions of coverage."""
    with Workspace(country.store.path) as workspace:

        def ends(ledger: Ledger) -> int:
            days = (_a_year_before(country.on), country.on)
            first, second = (coverage_at(ledger, [country.regency], day)[0].active for day in days)
            return (second or 0) - (first or 0)

        assert benchmark(workspace.ask, ends) == _change(country, country.regency)


@pytest.mark.benchmark(group="trace")
def test_a_regency_over_a_year(benchmark: Benchmark, country: Country) -> None:
    """The statement: both ends, what came and went, the effects."""
    traced = _traced(country, country.regency)
    with Workspace(country.store.path) as workspace:
        found: Trace = benchmark(workspace.ask, lambda ledger: trace(ledger, traced))
    assert found.active == found.flows.workers == _change(country, country.regency)


@pytest.mark.benchmark(group="trace")
def test_both_ends_of_the_nation_by_category(benchmark: Benchmark, country: Country) -> None:
    """Beside it: the two questions of coverage."""
    with Workspace(country.store.path) as workspace:

        def ends(ledger: Ledger) -> int:
            days = (_a_year_before(country.on), country.on)
            first, second = (coverage_at(ledger, [NATION], day, by="category") for day in days)
            return sum(row.active or 0 for row in second) - sum(row.active or 0 for row in first)

        assert benchmark(workspace.ask, ends) == _change(country, None)


@pytest.mark.benchmark(group="trace")
def test_the_nation_over_a_year_by_category(benchmark: Benchmark, country: Country) -> None:
    """What came and went in each category."""
    traced = _traced(country, NATION)
    with Workspace(country.store.path) as workspace:
        found = benchmark(
            workspace.ask,
            lambda ledger: sum(e.flows.workers for e in groups(ledger, traced, "category")),
        )
    assert found == _change(country, None)
