"""A reader beside an import: how long the longest question takes, with and without the writer."""

from __future__ import annotations

import itertools
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.bench_import import File, import_command, make_file
from benchmarks.processes import run, start
from projections.coverage import coverage_at
from projections.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.conftest import Country
    from benchmarks.stores import Store
    from benchmarks.timing import Benchmark

PAUSE_SECONDS: Final = 0.02


def _file_of_its_own(folder: Path, name: str, lines: int) -> File:
    """Write a file of batches that no other file has: their references have its name."""
    file = make_file(folder / f"{name}.csv", "plain", lines)
    text = file.path.read_text(encoding="utf-8")
    file.path.write_text(text.replace("/SK-", f"/{name}-"), encoding="utf-8")
    return file


@pytest.mark.benchmark(group="beside")
def test_a_reader_beside_an_import(
    benchmark: Benchmark,
    environment: dict[str, str],
    growing: Store,
    country: Country,
    tmp_path: Path,
    small: int,
    questions: int,
) -> None:
    """Every question is answered, at each moment as before the import or as after it."""
    file = _file_of_its_own(tmp_path, f"SB{small}", small)

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


READERS: Final = 8
ALONE_SECONDS: Final = 10.0


@pytest.mark.benchmark(group="beside")
def test_eight_readers_beside_a_writer(
    benchmark: Benchmark,
    environment: dict[str, str],
    growing: Store,
    country: Country,
    tmp_path: Path,
    large: int,
    measuring: bool,  # noqa: FBT001 - a fixture
) -> None:
    """Each asks once a second: how long it takes alone and beside an import, and the import likewise.

    Also how long the longest question took.
    """
    files = [_file_of_its_own(tmp_path, name, large) for name in ("S8-alone", "S8-beside")]

    def importing(file: File) -> float:
        began = time.perf_counter()
        run(*import_command(file, growing), environment=environment)
        return time.perf_counter() - began

    def reading(meanwhile: Callable[[], float], name: str) -> tuple[float, float, float]:
        """Return the readers' median and worst while something goes on, and what that took."""
        stop = tmp_path / f"stop-{name}"
        ready = [tmp_path / f"ready-{name}-{number}" for number in range(READERS)]
        asked = (str(growing.path), country.regency, str(country.on))
        command = (sys.executable, "-m", "benchmarks.reader", *asked)
        readers = [start(*command, str(each), str(stop), environment=environment) for each in ready]
        try:
            while not all(each.exists() for each in ready):
                assert not any(reader.has_ended() for reader in readers), "a reader never asked"
                time.sleep(PAUSE_SECONDS)
            took = meanwhile()
        finally:  # whatever happens: they would ask without end
            stop.touch()
        printed = (json.loads(reader.wait().printed) for reader in readers)
        answers = list(itertools.chain.from_iterable(printed))
        return median(answers), max(answers), took

    def waiting() -> float:
        seconds = ALONE_SECONDS if measuring else 1.5
        time.sleep(seconds)
        return seconds

    writer_alone = importing(files[0])
    alone, worst_alone, _ = reading(waiting, "alone")
    beside, worst_beside, writer_beside = benchmark.pedantic(
        reading, (lambda: importing(files[1]), "beside"), rounds=1
    )
    benchmark.extra_info |= {
        "alone": alone,
        "beside": beside,
        "writer_alone": writer_alone,
        "writer_beside": writer_beside,
        "worst_alone_seconds": worst_alone,
        "worst_beside_seconds": worst_beside,
    }
