"""A reader beside an import: how long the longest question takes, with and without the writer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.bench_import import import_command, make_file
from benchmarks.processes import start
from projections.coverage import coverage_at
from projections.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.conftest import Country
    from benchmarks.stores import Store
    from benchmarks.timing import Benchmark

PAUSE_SECONDS: Final = 0.02


@pytest.mark.benchmark(group="beside")
def test_a_reader_beside_an_import(
    benchmark: Benchmark,
    environment: dict[str, str],
    growing: Store,
    country: Country,
    tmp_path: Path,
    lines: int,
    questions: int,
) -> None:
    """Every question is answered, at each moment as before the import or as after it."""
    file = make_file(tmp_path / "beside.csv", "plain", lines)
    text = file.path.read_text(encoding="utf-8")
    file.path.write_text(text.replace("/SK-", f"/SB{lines}-"), encoding="utf-8")

    def ask() -> tuple[float, int | None]:
        began = time.perf_counter()
        with Workspace(growing.path) as workspace:
            (row,) = workspace.ask(
                lambda ledger: coverage_at(ledger, [country.regency], country.on)
            )
        return time.perf_counter() - began, row.active

    alone = [ask() for _ in range(questions)]
    beside: list[tuple[float, int | None]] = []

    def read_while_importing() -> None:
        started = start(*import_command(file, growing), environment=environment)
        while not started.has_ended():
            beside.append(ask())
            time.sleep(PAUSE_SECONDS)
        started.wait()

    benchmark.pedantic(read_while_importing, rounds=1)
    before, after = alone[-1][1], ask()[1]
    assert {active for _, active in beside} <= {before, after}
    benchmark.extra_info["worst_alone_seconds"] = max(took for took, _ in alone)
    benchmark.extra_info["worst_beside_seconds"] = max(took for took, _ in beside)
    benchmark.extra_info["questions_beside"] = len(beside)
