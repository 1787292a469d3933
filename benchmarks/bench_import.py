"""A file imported: the whole of `ucj import batches`, from the start of the process to its end."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from benchmarks.country import enrolments, importable
from benchmarks.processes import UCJ, Finished, run, run_weighed
from benchmarks.stores import Store, as_csv, empty_store
from benchmarks.tally import heads_on
from projections.coverage import coverage_at
from projections.workspace import Workspace
from registry.storage.mapper import EventMapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.timing import Benchmark
    from registry.commands import RecordBatch

ON: Final = date(2024, 6, 30)
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
    """Every row of the file is recorded, once, and the heads add up."""
    file = make_file(tmp_path / f"{kind}.csv", kind, lines)
    stores = (empty_store(tmp_path / f"store-{number}") for number in itertools.count())
    imported: list[tuple[Store, Finished]] = []

    def record(store: Store) -> None:
        command = import_command(file, store)
        imported.append((store, run_weighed(*command, environment=environment)))

    rounds = 3 if lines > 1_000 else 5
    benchmark.pedantic(record, setup=lambda: ((next(stores),), {}), rounds=rounds)
    store, finished = imported[-1]
    with closing(store.log()) as log:
        assert log.head() == file.batches + 1  # and the fact that the file was imported
    assert nation(store) == file.heads
    benchmark.extra_info["lines"] = file.lines
    benchmark.extra_info["memory_mib_max"] = finished.memory_mib_max
    if finished.memory_mib_max is not None:
        assert finished.memory_mib_max <= MEMORY_MIB_MAX


@pytest.mark.benchmark(group="import")
def test_bare_executemany_of_the_same_rows(
    benchmark: Benchmark, environment: dict[str, str], tmp_path: Path, large: int
) -> None:
    """Beside it: the very same stored rows put into the same table, durably, without triggers.

    The bytes are those that the models make: each is read and written by them once more.
    """
    file = make_file(tmp_path / "plain.csv", "plain", large)
    store = empty_store(tmp_path / "store")
    run(*import_command(file, store), environment=environment)
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
    numbers = itertools.count()

    def insert() -> None:
        with closing(sqlite3.connect(tmp_path / f"bare-{next(numbers)}.db")) as bare:
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

    benchmark.pedantic(insert, rounds=5)
    with closing(sqlite3.connect(tmp_path / "bare-0.db")) as bare:
        assert bare.execute("SELECT count(*) FROM stored_events").fetchone() == (len(rows),)


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
