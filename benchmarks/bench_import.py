"""A file imported: the whole of `ucj import batches`, from the start of the process to its end."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from benchmarks.country import enrolments, importable
from benchmarks.library_saves import seconds_one_by_one, seconds_together
from benchmarks.processes import UCJ, Finished, run, run_weighed
from benchmarks.stores import Store, as_csv, empty_store, up_to
from benchmarks.tally import heads_on
from projections.coverage import coverage_at
from projections.workspace import Workspace
from registry.storage.mapper import EventMapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.timing import Benchmark
    from registry.commands import RecordBatch

ON: Final = date(2024, 6, 30)
ROUNDS: Final = 5
MEMORY_MIB_MAX: Final = 512  # of the whole process, up to 200,000 lines
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
    said = list(up_to(SOURCES[kind](max(40, lines)), lines_max=lines))
    written = as_csv(said, path)
    heads = heads_on(said, ON, changed=frozenset())
    return File(path, written, len(said), heads.total())


def import_command(file: File, store: Store) -> tuple[str, ...]:
    """Return the command that imports a file."""
    place = ("--store", str(store.path), "--by", "benchmark")
    return (*UCJ, *place, "import", "batches", str(file.path), "--locale", "en")


def nation(store: Store) -> int:
    """Return how many heads a store has on the day."""
    with Workspace(store.path) as workspace:
        (row,) = workspace.ask(lambda ledger: coverage_at(ledger, ["ID"], ON))
    assert row.active is not None
    return row.active


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("kind", ["plain", "mixed"])
def test_a_file_into_an_empty_store(
    benchmark: Benchmark,
    environment: dict[str, str],
    tmp_path: Path,
    kind: str,
    lines: int,
) -> None:
    """Every row of the file is recorded, once, and the heads add up.

    Beside the plain one a bare `executemany` of what was stored, and the library's own `save()`, of all
    at once and of each. The mixed one is run once where it is long: for its memory.
    """
    file = make_file(tmp_path / f"{kind}.csv", kind, lines)
    stores = (empty_store(tmp_path / f"store-{number}") for number in itertools.count())
    imported: list[tuple[Store, Finished]] = []

    def record(store: Store) -> None:
        command = import_command(file, store)
        imported.append((store, run_weighed(*command, environment=environment)))

    rounds = 1 if kind == "mixed" and lines > 1_000 else ROUNDS
    benchmark.pedantic(record, setup=lambda: ((next(stores),), {}), rounds=rounds)
    store, finished = imported[-1]
    with closing(store.log()) as log:
        assert log.head() == file.batches + 1  # and the fact that the file was imported
    assert nation(store) == file.heads
    benchmark.extra_info["lines"] = file.lines
    benchmark.extra_info["memory_mib_max"] = finished.memory_mib_max
    if kind == "plain":
        benchmark.extra_info["bare_executemany"] = bare_executemany_seconds(store, tmp_path)
        benchmark.extra_info["saved_together"] = seconds_together(store, tmp_path)
        benchmark.extra_info["saved_one_by_one"] = seconds_one_by_one(store, tmp_path)
    if finished.memory_mib_max is not None:
        assert finished.memory_mib_max <= MEMORY_MIB_MAX


def bare_executemany_seconds(store: Store, folder: Path) -> float:
    """Return what it takes to put the very same stored rows into the same table, durably, without triggers.

    The median. The bytes are those that the models make: of every so many rows each is read and
    written by them once more.
    """
    with closing(sqlite3.connect(store.path)) as origin:
        rows = origin.execute(
            "SELECT originator_id, originator_version, topic, state FROM stored_events"
            " ORDER BY position"
        ).fetchall()
        schema = [
            statement
            for (statement,) in origin.execute(
                "SELECT sql FROM sqlite_schema WHERE tbl_name = 'stored_events'"
                " AND type IN ('table', 'index') AND sql IS NOT NULL"
            )
        ]
    mapper = EventMapper(cast("Any", None))
    for originator_id, version, topic, state in rows[:: max(1, len(rows) // 2_000)]:
        stored = StoredEvent(UUID(originator_id), version, topic, state)
        assert mapper.to_stored_event(mapper.to_domain_event(stored)) == stored
    took: list[float] = []
    for number in range(ROUNDS):
        began = perf_counter()
        with closing(sqlite3.connect(folder / f"bare-{number}.db")) as bare:
            bare.execute("PRAGMA page_size = 16384")
            bare.execute("PRAGMA synchronous = FULL")
            for statement in schema:
                bare.execute(statement)
            with bare:
                bare.executemany(
                    "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                    " VALUES (?, ?, ?, ?)",
                    rows,
                )
        took.append(perf_counter() - began)
    with closing(sqlite3.connect(folder / "bare-0.db")) as bare:
        assert bare.execute("SELECT count(*) FROM stored_events").fetchone() == (len(rows),)
    return median(took)


@pytest.mark.benchmark(group="import")
def test_a_small_file_into_an_empty_store(
    benchmark: Benchmark, environment: dict[str, str], tmp_path: Path
) -> None:
    """Beside it: the same forty rows where nothing is recorded yet."""
    file = make_file(tmp_path / "small.csv", "plain", 40)
    stores = (empty_store(tmp_path / f"store-{number}") for number in itertools.count())
    rounds: list[Store] = []

    def record(store: Store) -> None:
        rounds.append(store)
        run(*import_command(file, store), environment=environment)

    benchmark.pedantic(record, setup=lambda: ((next(stores),), {}), rounds=5)
    assert nation(rounds[-1]) == file.heads


@pytest.mark.benchmark(group="import")
def test_a_small_file_into_a_filled_store(
    benchmark: Benchmark, environment: dict[str, str], growing: Store, tmp_path: Path
) -> None:
    """Forty rows beside a whole country; each round another file."""

    def written() -> Iterator[File]:
        for number in itertools.count():
            file = make_file(tmp_path / f"small-{number}.csv", "plain", 40)
            text = file.path.read_text(encoding="utf-8")
            file.path.write_text(text.replace("/SK-", f"/ST-{number}-"), encoding="utf-8")
            yield file

    files = written()
    heads = nation(growing)
    rounds: list[File] = []

    def record(file: File) -> None:
        rounds.append(file)
        run(*import_command(file, growing), environment=environment)

    benchmark.pedantic(record, setup=lambda: ((next(files),), {}), rounds=5)
    assert nation(growing) == heads + sum(file.heads for file in rounds)
