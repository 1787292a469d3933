"""One batch recorded: into an empty store and into a filled one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.stores import Store, empty_store
from registry.commands import BatchLine, RecordBatch
from registry.terms import Action, LeaveReason

if TYPE_CHECKING:
    from benchmarks.conftest import Country
    from benchmarks.timing import Benchmark

ROUNDS: Final = 20


def _enrolments(area: str) -> Iterator[RecordBatch]:
    for number in itertools.count(1):
        yield RecordBatch(
            Action.ENROL,
            area,
            f"Tambahan {number}",
            (BatchLine("guru", 120), BatchLine("marbot", 30)),
            effective_on=date(2025, 12, 31),
        )


def _leaves(area: str) -> Iterator[RecordBatch]:
    for number in itertools.count(1):
        yield RecordBatch(
            Action.DEACTIVATE,
            area,
            f"Keluar {number}",
            (BatchLine("guru", 1),),
            effective_on=date(2025, 12, 31),
            reason=LeaveReason.RESIGNED,
        )


def _append(benchmark: Benchmark, store: Store, said: Iterator[RecordBatch]) -> None:
    """Record one batch a round; every acknowledged one must lie in the log."""
    with closing(store.log()) as log, closing(store.registry()) as registry:
        before = log.head()
        positions: list[int | None] = []

        def record(command: RecordBatch) -> None:
            positions.append(registry.record(command).last_position)

        benchmark.pedantic(record, setup=lambda: ((next(said),), {}), rounds=ROUNDS)
        assert positions == list(range(before + 1, before + 1 + len(positions)))
        assert log.head() == positions[-1]


@pytest.mark.benchmark(group="append")
def test_an_enrolment_into_an_empty_store(benchmark: Benchmark, tmp_path: Path) -> None:
    """One enrolment is acknowledged, with nothing there before."""
    _append(benchmark, empty_store(tmp_path / "store"), _enrolments("16.06"))


@pytest.mark.benchmark(group="append")
def test_an_enrolment_into_a_filled_store(
    benchmark: Benchmark, growing: Store, country: Country
) -> None:
    """One enrolment is acknowledged beside a whole country."""
    _append(benchmark, growing, _enrolments(country.regency))


@pytest.mark.benchmark(group="append")
def test_a_leave_into_a_filled_store(
    benchmark: Benchmark, growing: Store, country: Country
) -> None:
    """One leave from the pool is acknowledged: the balances of its category are asked."""
    with closing(growing.registry()) as registry:
        stock = RecordBatch(
            Action.ENROL,
            country.regency,
            "Persediaan",
            (BatchLine("guru", 1_000),),
            effective_on=date(2020, 1, 1),
        )
        registry.record(stock)
    _append(benchmark, growing, _leaves(country.regency))
