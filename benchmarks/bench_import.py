"""A file imported: the whole of `ucj import batches`, from the start of the process to its end."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.country import enrolments, importable
from benchmarks.processes import UCJ, Finished, run
from benchmarks.stores import Store, as_csv, empty_store
from benchmarks.tally import heads_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

    from registry.commands import RecordBatch

ON: Final = date(2024, 6, 30)
SMOKE_LINES: Final = 60
MEMORY_MIB_MAX: Final = {100_000: 512, 1_000_000: 1_024}  # bars, at this many lines
SOURCES: Final[dict[str, Callable[[int], Iterator[RecordBatch]]]] = {
    "plain": enrolments,
    "mixed": importable,
}


@dataclass(frozen=True, slots=True)
class File:
    """A file to import and what must come of it."""

    path: Path
    lines: int
    batches: int
    heads: int


def make_file(path: Path, kind: str, lines: int) -> File:
    """Write a file of at most so many lines."""
    written = as_csv(SOURCES[kind](max(40, lines)), path, lines_max=lines)
    batches = 0
    rows = 0
    for batch in SOURCES[kind](max(40, lines)):
        rows += len(batch.lines)
        if rows > written:
            break
        batches += 1
    said = itertools.islice(SOURCES[kind](max(40, lines)), batches)
    heads = heads_on(said, ON, changed=frozenset())
    return File(path, written, batches, heads.total())


def import_command(file: File, store: Store) -> tuple[str, ...]:
    """Return the command that imports a file."""
    place = ("--store", str(store.path), "--by", "benchmark")
    return (*UCJ, *place, "import", "batches", str(file.path), "--locale", "en")


def nation(store: Store, environment: dict[str, str]) -> int:
    """Return how many heads a store has on the day, asked of `ucj coverage`."""
    answer = run(
        *UCJ, "--store", str(store.path), "coverage", "ID", "--on", str(ON), "--format", "json",
        environment=environment,
    )  # fmt: skip
    return int(json.loads(answer.printed)[0]["active"])


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("kind", ["plain", "mixed"])
@pytest.mark.parametrize("lines", [1_000, 100_000])
def test_a_file_into_an_empty_store(
    benchmark: BenchmarkFixture,
    environment: dict[str, str],
    tmp_path: Path,
    measuring: bool,  # noqa: FBT001 - a fixture
    kind: str,
    lines: int,
) -> None:
    """Every row of the file is recorded, once, and the heads add up."""
    if not measuring and lines > 1_000:
        pytest.skip("large only where it is measured")
    file = make_file(tmp_path / f"{kind}.csv", kind, lines if measuring else SMOKE_LINES)
    stores = (empty_store(tmp_path / f"store-{number}") for number in itertools.count())
    imported: list[tuple[Store, Finished]] = []

    def record(store: Store) -> None:
        command = import_command(file, store)
        imported.append((store, run(*command, environment=environment)))

    rounds = 3 if lines > 1_000 else 5
    benchmark.pedantic(record, setup=lambda: ((next(stores),), {}), rounds=rounds)
    store, finished = imported[-1]
    with closing(store.log()) as log:
        assert log.head() == file.batches + 1  # and the fact that the file was imported
    assert nation(store, environment) == file.heads
    benchmark.extra_info["lines"] = file.lines
    benchmark.extra_info["memory_mib_max"] = finished.memory_mib_max
    if finished.memory_mib_max is not None:
        assert finished.memory_mib_max <= MEMORY_MIB_MAX.get(lines, 512)


@pytest.mark.benchmark(group="import")
def test_a_small_file_into_a_filled_store(
    benchmark: BenchmarkFixture, environment: dict[str, str], growing: Store, tmp_path: Path
) -> None:
    """Forty rows beside a whole country; each round another file."""

    def written() -> Iterator[File]:
        for number in itertools.count():
            file = make_file(tmp_path / f"small-{number}.csv", "plain", 40)
            text = file.path.read_text(encoding="utf-8")
            file.path.write_text(text.replace("/SK-", f"/ST-{number}-"), encoding="utf-8")
            yield file

    files = written()
    heads = nation(growing, environment)
    rounds: list[File] = []

    def record(file: File) -> None:
        rounds.append(file)
        run(*import_command(file, growing), environment=environment)

    benchmark.pedantic(record, setup=lambda: ((next(files),), {}), rounds=5)
    assert nation(growing, environment) == heads + sum(file.heads for file in rounds)
