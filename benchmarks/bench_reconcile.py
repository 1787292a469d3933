"""Published figures held against the ledger: ten thousand of them at once, over an image."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.country import regencies_of
from projections.ledger import publish_next
from projections.reconciliation import Reconciliation, reconcile
from projections.workspace import Workspace
from registry.commands import PublishFigure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.conftest import Country
    from benchmarks.stores import Store
    from benchmarks.timing import Benchmark

FIGURES: Final = 10_000
SMOKE_FIGURES: Final = 200
ROUNDS: Final = 5
SECONDS_MAX: Final = 2.0
"""What the promise allows for `FIGURES`: by the clock, or of processor time where others work too."""


@dataclass(frozen=True, slots=True)
class Published:
    """A copy of the country with figures; `agree` is how many are right, by construction."""

    store: Store
    figures: int
    agree: int


@pytest.fixture(scope="module")
def published(
    country: Country,
    measuring: bool,  # noqa: FBT001 - a fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Published:
    """Every second figure is the true one of the country's day; of the others each is too high."""
    number = FIGURES if measuring else SMOKE_FIGURES
    store = country.store.copy(tmp_path_factory.mktemp("published") / "store")
    with closing(store.registry()) as registry:
        registry.record(*_figures(country, number))
    with closing(store.log()) as log:
        publish_next(log, store.folder())
    return Published(store, number, number // 2)


def _figures(country: Country, number: int) -> Iterator[PublishFigure]:
    random = Random(1)
    areas = regencies_of(country.store.batches)
    true: dict[str, int] = {}
    for (area, _), heads in country.heads.items():
        true[area] = true.get(area, 0) + heads
    for each in range(number):
        area = areas[each // 2 % len(areas)]
        day = country.on + timedelta(days=random.randrange(500))
        as_of = (f"{day}", f"{day:%Y-%m}", f"{day:%Y}")[each % 3]
        heads = true.get(area, 0) + 10**8
        if each % 2:
            as_of, heads = f"{country.on}", true.get(area, 0)
        on = date(2024, 7, 1) + timedelta(days=random.randrange(500))
        percent = None if each % 2 else "12.34"
        source = f"page {each}"
        yield PublishFigure(
            area, as_of, "BPS", source, active=heads, percent=percent, published_on=on
        )


@pytest.mark.benchmark(group="reconcile")
def test_all_figures_of_the_nation(
    benchmark: Benchmark,
    published: Published,
    measuring: bool,  # noqa: FBT001 - a fixture
) -> None:
    """A few queries whatever their number: two seconds for ten thousand."""
    took: list[tuple[float, float]] = []

    def ask() -> Reconciliation:
        began, began_work = perf_counter(), process_time()
        answer = workspace.ask(reconcile)
        took.append((perf_counter() - began, process_time() - began_work))
        return answer

    with Workspace(published.store.path) as workspace:
        answer = benchmark.pedantic(ask, rounds=ROUNDS)
    seconds = min(map(median, zip(*took, strict=True)))
    assert len(answer.figures) == published.figures
    verdicts = [each.verdict for each in answer.figures]
    assert verdicts.count("agrees") == published.agree
    assert verdicts.count("differs") == published.figures - published.agree
    if measuring:
        assert seconds <= SECONDS_MAX
