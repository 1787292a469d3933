"""The SQLite store under faults: what is acknowledged is there, and nobody is locked out.

Rows 7–11, 13, 55 and 59 of the list of faults to survive; each protection has its negative control.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import PersistenceError
from eventsourcing.sqlite import SQLiteConnectionPool, SQLiteDatastore

from registry.application import EnrolmentRegistry
from registry.balances import Finding, StatedPeriod, Survivors
from registry.commands import RevisePotential
from registry.errors import (
    RegistryError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    StoreNewerError,
)
from registry.events import LabourPotentialRevised
from registry.storage import sqlite as storage
from registry.storage.log import Log, open_log
from registry.storage.sqlite import (
    back_up,
    create_store,
    engine_is_sound_for_wal,
    journal_mode,
)
from registry.terms import area_id

LOCK_TIMEOUT_SECONDS: Final = 0.3
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS: Final = "(originator_id, originator_version, topic, state)"


class NoRules:
    """Balances that find nothing: these tests are about the store."""

    def prepare(self) -> None:
        """Nothing to do."""

    def follow(self, since: int, expected: int) -> None:
        """Follow nothing."""

    def findings(self, *_: object, **__: object) -> list[Finding]:
        """Nothing is found."""
        return []

    def stated(self, log: Log, areas: Sequence[str], on: date) -> dict[str, StatedPeriod]:
        """Nothing is known."""
        del log, on
        return {each: StatedPeriod(None, None) for each in areas}

    def survivors(self, log: Log, area: str, reference: str, part: str) -> list[Survivors]:
        """Nobody is left."""
        del log, area, reference, part
        return []


def make(folder: Path, name: str = "registry.db") -> Path:
    """Make an empty store."""
    path = folder / name
    create_store(path, created_at=NOON.isoformat(), created_by="tests")
    return path


@contextmanager
def opened(
    path: Path,
    *,
    clock: Callable[[], datetime] = lambda: NOON,
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
) -> Iterator[EnrolmentRegistry]:
    """Open the registry of a store, with a short lock time-out."""
    registry = EnrolmentRegistry(
        path,
        balances=NoRules(),
        actor="tests",
        clock=clock,
        lock_timeout_seconds=lock_timeout_seconds,
    )
    with closing(registry):
        yield registry


def say(registry: EnrolmentRegistry, workers: int = 100, definition: str = "") -> int:
    """Record one fact; return its position."""
    recorded = registry.record(
        RevisePotential("16.06", date(2025, 1, 1), workers, definition or f"d{workers}", "tests")
    )
    assert recorded.decision == "recorded"
    assert recorded.last_position is not None
    return recorded.last_position


def positions(path: Path) -> list[int]:
    """Return the positions in a store, asked with another connection."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT position FROM stored_events")]


def python(program: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a Python process on a program of ours, with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


HOLD: Final = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2].split(";"):
    connection.execute(statement).fetchone()
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held(path: Path, statements: str) -> Iterator[None]:
    """Let another process hold what the statements take, until the end of the block."""
    holder = python(HOLD, str(path), statements)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n", holder.communicate()
        try:
            yield
        finally:
            holder.communicate("\n", timeout=30)


WRITING: Final = "BEGIN IMMEDIATE"
COMMITTING: Final = "BEGIN EXCLUSIVE"
READING: Final = "BEGIN;SELECT count(*) FROM stored_events"


# --- the engine (row 10) ----------------------------------------------------------------------------

ENGINES: Final = [
    ((3, 37, 0), "delete"),
    ((3, 40, 1), "delete"),
    ((3, 44, 0), "delete"),
    ((3, 44, 5), "delete"),
    ((3, 44, 6), "wal"),
    ((3, 44, 9), "wal"),
    ((3, 45, 0), "delete"),
    ((3, 46, 1), "delete"),
    ((3, 49, 2), "delete"),
    ((3, 50, 0), "delete"),
    ((3, 50, 6), "delete"),
    ((3, 50, 7), "wal"),
    ((3, 50, 99), "wal"),
    ((3, 51, 0), "delete"),
    ((3, 51, 2), "delete"),
    ((3, 51, 3), "wal"),
    ((3, 52, 0), "wal"),
    ((4, 0, 0), "wal"),
]


@pytest.mark.parametrize(("version", "mode"), ENGINES)
def test_wal_only_on_an_engine_that_cannot_corrupt_it(version: tuple[int, ...], mode: str) -> None:
    """The fix is in 3.51.3, 3.50.7 and 3.44.6, each with its own line."""
    assert journal_mode(version) == mode
    assert engine_is_sound_for_wal(version) == (mode == "wal")


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 36, 0)])
def test_an_engine_without_strict_tables_is_refused(version: tuple[int, ...]) -> None:
    """It could not keep a store at all."""
    with pytest.raises(StoreError, match="too old"):
        journal_mode(version)


def _use_mode(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(storage, "journal_mode", lambda: mode)


@pytest.mark.parametrize("before", ["delete", "wal"])
@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 3)])
def test_every_writer_is_synchronous_in_the_engines_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], before: str
) -> None:
    """Whatever mode the file was left in: this engine's mode, and FULL."""
    mode = journal_mode(version)
    path = make(tmp_path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {before}")
    _use_mode(monkeypatch, mode)
    with opened(path) as registry:
        with registry.log_recorder.write() as transaction:
            connection = transaction.log._connection
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == mode
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
            assert connection.execute("PRAGMA cache_spill").fetchone()[0] == 0
        say(registry)
    assert positions(path) == [1]


def test_a_store_kept_in_wal_by_another_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an engine that can corrupt it, WAL is left or nothing is recorded."""
    path = make(tmp_path)
    _use_mode(monkeypatch, "delete")
    in_wal = held(path, "PRAGMA journal_mode = wal;" + READING)
    with in_wal, opened(path) as registry, pytest.raises(StoreError):
        say(registry)
    with opened(path) as registry:
        assert say(registry) == 1


def test_the_librarys_pool_takes_wal_on_any_engine(tmp_path: Path) -> None:
    """Negative control: the stock pool writes WAL, and asks nobody."""
    pool = SQLiteConnectionPool(db_name=str(tmp_path / "stock.db"))
    with closing(pool), closing(sqlite3.connect(tmp_path / "stock.db")) as other:
        pool.put_connection(pool.get_connection(is_writer=True))
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


# --- opening that fails (row 9) -----------------------------------------------------------------------


def test_a_first_opening_that_fails_leaks_no_lock(tmp_path: Path) -> None:
    """A hundred times: no store, then the store is there, and the next write succeeds."""
    empty = make(tmp_path, "empty.db").read_bytes()
    cured = 0
    for number in range(100):
        path = tmp_path / f"{number}.db"
        with opened(path) as registry:
            with pytest.raises(StoreMissingError):
                say(registry)
            path.write_bytes(empty)
            started = time.monotonic()
            assert say(registry) == 1
            assert time.monotonic() - started < 1 + LOCK_TIMEOUT_SECONDS
            cured += 1
    assert cured == 100


def _as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _as_text(path: Path) -> None:
    path.write_text("no store at all, but long enough to be read as a header\n" * 20)


def _as_nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [Path.unlink, _as_folder, _as_text, _as_nothing])
def test_whatever_failed_is_forgotten_when_it_is_cured(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """Ten threads at once meet the fault; afterwards each of them can write."""
    path = make(tmp_path)
    kept = path.read_bytes()
    spoil(path)
    failures: list[BaseException] = []

    def try_to_say() -> None:
        try:
            say(registry)
        except StoreError as error:
            failures.append(error)

    with opened(path) as registry:
        _all_at_once(try_to_say, 10)
        assert len(failures) == 10
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(kept)
        failures.clear()
        recorded = [say(registry, number) for number in range(1, 11)]
    assert recorded == list(range(1, 11))


def _all_at_once(work: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def test_the_librarys_pool_leaks_its_writer_lock(tmp_path: Path) -> None:
    """Negative control: one failed opening, and the stock pool never writes again."""

    class Failing(SQLiteConnectionPool):
        broken = True

        def _create_connection(self) -> Any:
            if self.broken:
                message = "no folder"
                raise OSError(message)
            return super()._create_connection()

    pool = Failing(db_name=str(tmp_path / "stock.db"), pool_timeout=0.1)
    with closing(pool):
        with pytest.raises(OSError, match="no folder"):
            pool.get_connection(is_writer=True)
        pool.broken = False
        with pytest.raises(PersistenceError, match="Timed out"):
            pool.get_connection(is_writer=True)


# --- waiting for others (row 13) ------------------------------------------------------------------------


@pytest.mark.parametrize("statements", [WRITING, COMMITTING])
def test_a_busy_store_is_waited_for_and_then_refused(tmp_path: Path, statements: str) -> None:
    """Within the time-out and a second: busy, exit code 4, nothing recorded; afterwards it works."""
    path = make(tmp_path)
    with opened(path) as registry:
        say(registry)
        with held(path, statements):
            started = time.monotonic()
            with pytest.raises(StoreBusyError) as busy:
                say(registry, 200)
            waited = time.monotonic() - started
        assert LOCK_TIMEOUT_SECONDS * 0.9 <= waited < LOCK_TIMEOUT_SECONDS + 1
        assert busy.value.exit_code == 4
        assert f"the store {path} is busy" in busy.value.what
        assert "nothing was recorded" in busy.value.what
        assert positions(path) == [1]
        assert say(registry, 200) == 2


@pytest.mark.parametrize("statements", [WRITING, COMMITTING])
def test_a_store_busy_at_the_first_opening_is_refused_in_time(
    tmp_path: Path, statements: str
) -> None:
    """The same for a process that had nothing open yet."""
    path = make(tmp_path)
    with opened(path) as registry:
        with held(path, statements):
            started = time.monotonic()
            with pytest.raises(StoreBusyError):
                say(registry)
            assert time.monotonic() - started < LOCK_TIMEOUT_SECONDS + 1
        assert say(registry) == 1


def test_threads_of_one_process_write_one_after_the_other(tmp_path: Path) -> None:
    """Eight threads, forty facts: each is recorded once."""
    path = make(tmp_path)
    numbers = iter(range(1, 41))
    with opened(path, lock_timeout_seconds=30) as registry:
        said: list[int] = []
        _all_at_once(lambda: said.extend(say(registry, next(numbers)) for _ in range(5)), 8)
    assert sorted(said) == positions(path) == list(range(1, 41))


def test_a_thread_that_waits_too_long_is_told_so_in_our_words(tmp_path: Path) -> None:
    """Another thread of the process is writing: busy, in time, and not the library's error."""
    path = make(tmp_path)
    refused: list[RegistryError] = []

    def try_to_say() -> None:
        try:
            say(registry)
        except RegistryError as error:
            refused.append(error)

    with opened(path) as registry:
        with registry.log_recorder.write():
            started = time.monotonic()
            _all_at_once(try_to_say, 2)
            assert time.monotonic() - started < 2 * LOCK_TIMEOUT_SECONDS + 1
        assert [type(error) for error in refused] == [StoreBusyError] * 2
        assert say(registry) == 1


# --- a COMMIT that fails ----------------------------------------------------------------------------------

ONE_MORE: Final = """
import sys
from pathlib import Path
from tests.test_registry_storage_sqlite import opened, say
with opened(Path(sys.argv[1])) as registry:
    print(say(registry, int(sys.argv[2])))
"""


def test_a_commit_that_fails_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader outlasts the time-out; then the next save succeeds, here and in another process."""
    _use_mode(monkeypatch, "delete")  # in WAL no reader can make a COMMIT fail
    path = make(tmp_path)
    with opened(path) as registry:
        say(registry)
        with held(path, READING):
            with pytest.raises(StoreBusyError) as busy:
                say(registry, 200)
            assert "nothing was recorded" in busy.value.what
            assert positions(path) == [1]
        other = python(ONE_MORE, str(path), "300", cwd=_root())
        said, errors = other.communicate(timeout=60)
        assert (said, other.returncode) == ("2\n", 0), errors
        assert say(registry, 200) == 3
    assert positions(path) == [1, 2, 3]


def _root() -> Path:
    return Path(__file__).parents[1]


def test_the_librarys_transaction_stays_open_after_a_failed_commit(tmp_path: Path) -> None:
    """Negative control: stock, the transaction that could not commit keeps the write lock."""
    path = tmp_path / "stock.db"
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE stored_events (position INTEGER PRIMARY KEY)")
    pool = SQLiteConnectionPool(db_name=str(path), lock_timeout=1)
    pool.is_journal_mode_wal = True  # it would change the mode: a COMMIT in WAL waits for nobody
    with closing(pool):
        connection = pool.get_connection(is_writer=True)
        connection._sqlite_conn.execute("PRAGMA busy_timeout = 50")
        locked = pytest.raises(Exception, match="locked")
        with held(path, READING), locked, connection.transaction(commit=True) as cursor:
            cursor.execute("INSERT INTO stored_events VALUES (1)")
        assert connection._sqlite_conn.in_transaction
        locked = pytest.raises(sqlite3.OperationalError, match="locked")
        with closing(sqlite3.connect(path, timeout=0.05)) as other, locked:
            other.execute("BEGIN IMMEDIATE")
        pool.put_connection(connection)


# --- a disk that is full (rows 7 and 8) --------------------------------------------------------------------


def test_a_full_disk_records_nothing_and_is_forgotten_when_freed(tmp_path: Path) -> None:
    """No page is left: refused with exit code 4; with space again, the same process goes on."""
    path = make(tmp_path)
    with opened(path) as registry:
        say(registry)
        with registry.log_recorder.write() as transaction:
            connection = transaction.log._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        acknowledged = [1]

        def fill() -> None:
            for number in range(2, 200):
                acknowledged.extend([say(registry, number, "x" * 1_900)])

        with pytest.raises(StoreError, match="full") as full:
            fill()
        assert full.value.exit_code == 4
        assert positions(path) == acknowledged
        connection.execute("PRAGMA max_page_count = 1000000")
        assert say(registry, 1_000) == len(acknowledged) + 1
    _sound(path)


FILE_LIMIT: Final = """
import resource, sys
from pathlib import Path
from registry.errors import StoreError
from tests.test_registry_storage_sqlite import opened, positions, say
path = Path(sys.argv[1])
with opened(path) as registry:
    say(registry)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20_000, unlimited[1]))
    acknowledged = 1
    try:
        for number in range(2, 200):
            acknowledged = say(registry, number, "x" * 1_900)
    except StoreError as error:
        print("refused", error.exit_code)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert positions(path) == list(range(1, acknowledged + 1)), (acknowledged, positions(path))
    assert say(registry, 1_000) == acknowledged + 1
    print("recorded again")
"""


def test_a_file_that_may_not_grow_records_nothing_half(tmp_path: Path) -> None:
    """RLIMIT_FSIZE in a process of its own: acknowledged = stored, and it works again at once."""
    path = make(tmp_path)
    limited = python(FILE_LIMIT, str(path), cwd=_root())
    said, errors = limited.communicate(timeout=60)
    assert said.splitlines() == ["refused 4", "recorded again"], errors
    _sound(path)


def _sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert positions(path) == list(range(1, len(positions(path)) + 1))


# --- an insert that fails (row 11) ---------------------------------------------------------------------------


def _facts(after: int, count: int) -> list[LabourPotentialRevised]:
    common = {
        "originator_id": area_id("16.06"),
        "recorded_at": NOON,
        "recorded_by": "tests",
        "area": "16.06",
        "valid_from": date(2025, 1, 1),
        "definition": "d",
        "citation": "c",
        "documented_on": None,
        "source": None,
        "row": None,
    }
    return [
        LabourPotentialRevised.model_validate(
            {**common, "originator_version": version, "transaction_id": version, "workers": version}
        )
        for version in range(after + 1, after + count + 1)
    ]


@contextmanager
def _failing_at(path: Path, version: int) -> Iterator[None]:
    """Let the insert of one version of a stream fail."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON stored_events"
            f" WHEN NEW.originator_version = {version}"
            " BEGIN SELECT RAISE(ABORT, 'the disk said no'); END"
        )
        try:
            yield
        finally:
            other.execute("DROP TRIGGER fault")


@pytest.mark.parametrize("way", ["save", "append"])
def test_a_failed_insert_leaves_no_gap(tmp_path: Path, way: str) -> None:
    """At every k from 1 to 20, by `save` and page by page: nothing of it stays, the retry is whole.

    The retry reloads: it reads the head of the stream and makes the events anew.
    """
    path = make(tmp_path)
    with opened(path) as registry:

        def store(count: int) -> None:
            with closing(open_log(path)) as log:
                events = _facts(len(log.stream(area_id("16.06").hex)), count)
            if way == "save":
                registry.save(*events)
                return
            with registry.log_recorder.write() as transaction:
                transaction.append(registry.mapper.to_stored_event(event) for event in events)

        for failing in range(1, 21):
            before = positions(path)
            with _failing_at(path, len(before) + failing):
                with pytest.raises(RegistryError) as refused:
                    store(20)
                assert refused.value.exit_code == 4
                assert positions(path) == before
            store(20)
            assert len(positions(path)) == len(before) + 20
    _sound(path)
    with closing(open_log(path)) as log:
        versions = [row.originator_version for row in log.stream(area_id("16.06").hex)]
    assert versions == list(range(1, 401))


def test_a_version_gap_is_refused_by_the_store_itself(tmp_path: Path) -> None:
    """The contiguity trigger holds against any client; without it the gap goes in (control)."""
    path = make(tmp_path)
    insert = f"INSERT INTO stored_events {COLUMNS} VALUES ('s', 2, 't', x'7b7d')"
    with closing(sqlite3.connect(path)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="no gaps"):
            connection.execute(insert)
        connection.execute("DROP TRIGGER events_version_contiguous")
        connection.execute(insert)


# --- append-only (row 55) ------------------------------------------------------------------------------------

INSERT: Final = "INSERT INTO stored_events"
FORBIDDEN: Final = {
    "update": "UPDATE stored_events SET state = x'00' WHERE position = 2",
    "update-position": "UPDATE stored_events SET position = 9 WHERE position = 3",
    "update-or-replace": "UPDATE OR REPLACE stored_events SET position = 2 WHERE position = 3",
    "update-rowid": "UPDATE stored_events SET rowid = 9 WHERE rowid = 3",
    "delete-last": "DELETE FROM stored_events WHERE position = 3",
    "delete-all": "DELETE FROM stored_events",
    "replace-version": f"REPLACE INTO stored_events {COLUMNS} VALUES ('s', 3, 't', x'00')",
    "replace-last-position": "REPLACE INTO stored_events VALUES (3, 'other', 1, 't', x'00')",
    "replace-position": "REPLACE INTO stored_events VALUES (1, 'other', 1, 't', x'00')",
    "insert-or-replace": "INSERT OR REPLACE INTO stored_events VALUES (3, 's', 4, 't', x'00')",
    "upsert": f"{INSERT} {COLUMNS} VALUES ('s', 3, 't', x'00')"
    " ON CONFLICT (originator_id, originator_version) DO UPDATE SET state = x'00'",
    "ignore": f"INSERT OR IGNORE INTO stored_events {COLUMNS} VALUES ('s', 3, 't', x'00')",
    "same-version": f"{INSERT} {COLUMNS} VALUES ('s', 3, 't', x'00')",
    "gap-in-versions": f"{INSERT} {COLUMNS} VALUES ('s', 5, 't', x'00')",
    "version-0": f"{INSERT} {COLUMNS} VALUES ('new', 0, 't', x'00')",
    "negative-version": f"{INSERT} {COLUMNS} VALUES ('new', -1, 't', x'00')",
    "gap-in-positions": f"{INSERT} VALUES (5, 's', 4, 't', x'00')",
    "position-minus-5": f"{INSERT} VALUES (-5, 's', 4, 't', x'00')",
    "position-0": f"{INSERT} VALUES (0, 's', 4, 't', x'00')",
    "sequence-moved-on": "UPDATE sqlite_sequence SET seq = 99;"
    f"{INSERT} {COLUMNS} VALUES ('s', 4, 't', x'00')",
    "state-as-text": f"{INSERT} {COLUMNS} VALUES ('s', 4, 't', 'text')",
    "version-as-text": f"{INSERT} {COLUMNS} VALUES ('s', 'four', 't', x'00')",
    "null-topic": f"{INSERT} {COLUMNS} VALUES ('s', 4, NULL, x'00')",
    "store-id": "UPDATE store SET value = 'mine' WHERE name = 'id'",
    "store-replace": "REPLACE INTO store VALUES ('id', 'mine')",
    "store-delete": "DELETE FROM store",
    "source-update": "UPDATE sources SET size = 1",
    "source-replace": "REPLACE INTO sources VALUES ('abc', 1)",
    "source-delete": "DELETE FROM sources",
    "chunk-update": "UPDATE source_chunks SET bytes = x'00'",
    "chunk-replace": "REPLACE INTO source_chunks VALUES ('abc', 0, x'00')",
    "chunk-delete": "DELETE FROM source_chunks",
}


def _filled(folder: Path) -> Path:
    path = make(folder)
    with closing(sqlite3.connect(path)) as connection:
        for version in (1, 2, 3):
            connection.execute(f"{INSERT} {COLUMNS} VALUES ('s', ?, 't', x'7b7d')", [version])
        connection.execute("INSERT INTO sources VALUES ('abc', 3)")
        connection.execute("INSERT INTO source_chunks VALUES ('abc', 0, x'01')")
        connection.commit()
    return path


def _everything(connection: sqlite3.Connection) -> list[Any]:
    return [
        connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("stored_events", "store", "sources", "source_chunks")
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that holds something of everything."""
    return _filled(tmp_path_factory.mktemp("filled"))


@pytest.mark.parametrize("recursive", ["off", "on"])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_recorded_never_changes(filled: Path, name: str, recursive: str) -> None:
    """Whatever client tries, by whatever statement: refused, and everything is as it was."""
    with closing(sqlite3.connect(filled, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA recursive_triggers = {recursive}")
        before = _everything(connection)
        connection.execute("BEGIN")
        *before_it, last = FORBIDDEN[name].split(";")
        for statement in before_it:
            connection.execute(statement)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(last)
        assert _everything(connection) == before
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("name", FORBIDDEN)
def test_without_its_triggers_the_store_would_change(filled: Path, name: str) -> None:
    """Negative control: what the triggers refuse, the bare tables take (but for types and keys)."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with closing(sqlite3.connect(filled)) as kept:
            kept.backup(connection)
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        before = _everything(connection)
        if name in {"same-version", "state-as-text", "version-as-text", "null-topic"}:
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(FORBIDDEN[name])
            return
        for statement in FORBIDDEN[name].split(";"):
            connection.execute(statement)
        assert (_everything(connection) == before) == (name == "ignore")


def test_a_rolled_back_position_is_not_lost(tmp_path: Path) -> None:
    """Positions stay without a gap when transactions are rolled back between."""
    path = make(tmp_path)
    with opened(path) as registry:
        for number in range(1, 6):
            with registry.log_recorder.write() as transaction:
                events = _facts(2 * number - 2, 3)
                transaction.append(registry.mapper.to_stored_event(event) for event in events)
                transaction.discard()
            registry.save(*_facts(2 * number - 2, 2))
    _sound(path)
    assert len(positions(path)) == 10


def test_rows_are_inserted_many_at_a_time(tmp_path: Path) -> None:
    """In their order, whatever a statement holds; one of them refused, and nothing is recorded."""
    path = make(tmp_path)
    count = 2 * storage.INSERTED_ROWS + 1
    with opened(path) as registry:
        stored = [registry.mapper.to_stored_event(each) for each in _facts(0, count)]
        for gap in (1, storage.INSERTED_ROWS, count - 2):
            with (
                pytest.raises(StoreError, match="CONSTRAINT_TRIGGER"),
                registry.log_recorder.write() as transaction,
            ):
                transaction.append(stored[:gap] + stored[gap + 1 :])
        assert positions(path) == []
        with registry.log_recorder.write() as transaction:
            transaction.append(iter(stored))
            assert transaction.appended == count
    assert positions(path) == [*range(1, count + 1)]
    _sound(path)


# --- who may read (row 59) -------------------------------------------------------------------------------------

MODES: Final = """
import os, sys
from pathlib import Path
from contextlib import closing
os.umask(0)
from tests.test_registry_storage_sqlite import make, opened, say, back_up, _facts
from projections.ledger import _building_folder, build_image, image_folder
from registry.storage.log import open_log

def show(word, path):
    print(word, oct(path.stat().st_mode & 0o777))

path = make(Path(sys.argv[1]))
show("store", path)
with opened(path) as registry:
    with registry.log_recorder.write() as transaction:
        transaction.append(registry.mapper.to_stored_event(each) for each in _facts(0, 3))
        beside = [each for each in path.parent.iterdir() if each != path]
        assert beside, "no journal was seen"
        for each in beside:
            show("journal", each)
    back_up(path, path.with_name("backup.db"))
show("backup", path.with_name("backup.db"))
with closing(open_log(path)) as log:
    folder = image_folder(path, log.store_id)
    with _building_folder(folder.path) as building:
        show("folder", folder.path)
        show("building", building)
    show("image", build_image(log, folder).path)
for each in path.parent.rglob("*"):
    show("any", each)
"""


def test_nothing_is_readable_by_others(tmp_path: Path) -> None:
    """Under umask 000: files 0600, folders 0700; the umask itself would have left them open."""
    control = tmp_path / "control"
    folder = tmp_path / "stores"
    folder.mkdir()
    asked = python(
        f"import os; os.umask(0); open({str(control)!r}, 'w').close()\n" + textwrap.dedent(MODES),
        str(folder),
        cwd=_root(),
    )
    said, errors = asked.communicate(timeout=60)
    assert asked.returncode == 0, errors
    assert stat.S_IMODE(control.stat().st_mode) == 0o666  # the negative control
    shown = {tuple(line.split()) for line in said.splitlines()}
    assert {word for word, _ in shown} == {
        *("store", "journal", "backup", "folder", "building", "image", "any")
    }
    for word, mode in shown:
        expected = {"folder": {"0o700"}, "building": {"0o700"}, "any": {"0o600", "0o700"}}
        assert mode in expected.get(word, {"0o600"}), (word, mode)


# --- what chooses the store --------------------------------------------------------------------------------------

STRAY: Final = [
    "PERSISTENCE_MODULE",
    "ENROLMENTREGISTRY_PERSISTENCE_MODULE",
    "SQLITE_DBNAME",
    "ENROLMENTREGISTRY_SQLITE_DBNAME",
    "SQLITE_LOCK_TIMEOUT",
    "ENROLMENTREGISTRY_MAPPER_TOPIC",
    "MAPPER_TOPIC",
    "TRANSCODER_TOPIC",
    "INFRASTRUCTURE_FACTORY",
    "FACTORY_TOPIC",
    "COMPRESSOR_TOPIC",
    "CIPHER_TOPIC",
    "CIPHER_KEY",
    "IS_SNAPSHOTTING_ENABLED",
    "CREATE_TABLE",
    "ENROLMENTREGISTRY_CREATE_TABLE",
]


def test_no_variable_of_the_environment_chooses_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stray settings of the library do nothing: the store named is the store written."""
    path = make(tmp_path)
    stray = tmp_path / "stray.db"
    for name in STRAY:
        monkeypatch.setenv(name, "1" if "TIMEOUT" in name else str(stray))
    with opened(path) as registry:
        assert say(registry) == 1
    assert positions(path) == [1]
    assert not stray.exists()


def test_the_library_would_let_the_environment_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the stock application takes its store from a shell variable."""
    from eventsourcing.application import Application

    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.sqlite")
    monkeypatch.setenv("SQLITE_DBNAME", ":memory:")
    with closing(Application[UUID]()) as stock:
        assert isinstance(cast("Any", stock.factory).datastore, SQLiteDatastore)


NAMES: Final = [
    "a:memory:.db",
    ":memory:",
    "file:registry.db?mode=memory",
    "mode=memory",
    "what?.db",
    "100%.db",
    "%41.db",
    "a b  c.db",
    "#1.db",
    "nama;é\U0001f600.db",
    "it's.db",
    "-store.db",
    "registry.db?immutable=1",
    "a\nb.db",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_a_path(tmp_path: Path, name: str) -> None:
    """Whatever is in its name, the file of that name is the store, and no other file appears."""
    path = make(tmp_path, name)
    with opened(path) as registry:
        say(registry)
        say(registry, 200)
    with closing(open_log(path)) as log:
        assert log.head() == 2
    assert back_up(path, tmp_path / "backup.db") == 2
    assert {each.name for each in tmp_path.iterdir()} == {name, "backup.db"}
    with opened(path) as registry:
        assert say(registry, 300) == 3


def test_a_path_may_be_relative_and_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store behind a link is the store, with its journal beside the file itself."""
    monkeypatch.chdir(tmp_path)
    path = make(tmp_path)
    (tmp_path / "link.db").symlink_to(path)
    for name in ("registry.db", "link.db"):
        with opened(Path(name)) as registry:
            say(registry, len(name))
    assert positions(path) == [1, 2]


# --- what is no store, or a newer one ------------------------------------------------------------------------------


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE stored_events (position, state)")


def _cut(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size // 2 - 100)


def _cut_short(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(50)


def _without_identity(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER store_never_goes")
        connection.execute("DELETE FROM store")
        connection.commit()


SPOILT: Final[list[tuple[Callable[[Path], Any], type[StoreError]]]] = [
    (Path.unlink, StoreMissingError),
    (_as_folder, StoreMissingError),
    (_as_text, StoreDamagedError),
    (_as_nothing, StoreDamagedError),
    (_foreign, StoreDamagedError),
    (_cut, StoreDamagedError),
    (_cut_short, StoreDamagedError),
    (_without_identity, StoreDamagedError),
    (_newer, StoreNewerError),
]


@pytest.mark.parametrize(("spoil", "error"), SPOILT)
def test_what_is_no_store_of_ours_is_refused_by_every_opener(
    tmp_path: Path, spoil: Callable[[Path], Any], error: type[StoreError]
) -> None:
    """Reader, writer and backup: exit code 4, with what to do, and not a byte is changed."""
    path = make(tmp_path)
    with opened(path) as registry:
        for number in range(1, 30):
            say(registry, number, "x" * 1_000)
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    target = tmp_path / "backup.db"
    with opened(path) as registry:
        for attempt in (
            lambda: _read_all(path),
            lambda: say(registry, 1_000),
            lambda: back_up(path, target),
        ):
            with pytest.raises(StoreError) as refused:
                attempt()
            assert isinstance(refused.value, error), refused.value
            assert refused.value.exit_code == 4
            assert refused.value.remedy
            assert path.name in refused.value.what
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not target.exists()


def _read_all(path: Path) -> None:
    with closing(open_log(path)) as log:
        list(log.rows())


def test_a_store_is_never_made_over_a_file(tmp_path: Path) -> None:
    """What is there stays; a folder that is not there is told."""
    path = make(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="already"):
        make(tmp_path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="cannot be made"):
        make(tmp_path / "nowhere")


# --- time ---------------------------------------------------------------------------------------------------------


def test_recorded_at_never_runs_backwards(tmp_path: Path) -> None:
    """The clock is set back a day, then a year on, then back: the log's time only grows."""
    path = make(tmp_path)
    steps = [0, -1, 365, -365, 0, 366]
    clock = iter(NOON + timedelta(days=days) for days in steps)
    with opened(path, clock=lambda: next(clock)) as registry:
        for number in range(1, len(steps) + 1):
            say(registry, number)
    with closing(open_log(path)) as log:
        recorded = [datetime.fromisoformat(row.facts()["recorded_at"]) for row in log.rows()]
    days = [(instant - NOON).days for instant in recorded]
    assert days == [0, 0, 365, 365, 365, 366]


def test_one_transaction_has_one_instant(tmp_path: Path) -> None:
    """However often the clock ticks meanwhile, and over processes."""
    path = make(tmp_path)
    ticks = iter(NOON + timedelta(seconds=second) for second in range(100))
    with opened(path, clock=lambda: next(ticks)) as registry:
        registry.record(
            *(RevisePotential("16.06", date(2025, 1, day), 5, "d", "tests") for day in range(1, 11))
        )
    with closing(open_log(path)) as log:
        facts = [row.facts() for row in log.rows()]
    assert len({each["recorded_at"] for each in facts}) == 1
    assert {each["transaction_id"] for each in facts} == {1}


# --- backup -----------------------------------------------------------------------------------------------------------

WRITER: Final = """
import sys
from pathlib import Path
from tests.test_registry_storage_sqlite import opened, say
with opened(Path(sys.argv[1])) as registry:
    number = 1
    print("started", flush=True)
    while not Path(sys.argv[2]).exists():
        number += 1
        try:
            say(registry, number, "x" * 500)
        except Exception as error:
            if "busy" not in str(error):
                raise
"""


def test_a_writer_need_not_wait_for_a_whole_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two steps of the copy another commits; the copy begins again, and has it."""
    path = make(tmp_path)
    with opened(path, lock_timeout_seconds=0.2) as registry:
        for number in range(1, 60):
            say(registry, number, "x" * 2_000)
        steps: list[int] = []
        copy_pages = storage._copy_pages

        def slow(origin: sqlite3.Connection, copy: sqlite3.Connection) -> None:
            class Origin:
                def backup(self, target: sqlite3.Connection, **named: Any) -> None:
                    in_time = named.pop("progress")

                    def step(status: int, remaining: int, total: int) -> None:
                        steps.append(remaining)
                        if len(steps) == 2:
                            say(registry, 1_000)
                        in_time(status, remaining, total)

                    origin.backup(target, progress=step, **named)

            copy_pages(cast("Any", Origin()), copy)

        monkeypatch.setattr(storage, "BACKUP_PAGES", 1)
        monkeypatch.setattr(storage, "_copy_pages", slow)
        assert back_up(path, tmp_path / "backup.db") == 60
    assert len(steps) > 5
    assert positions(tmp_path / "backup.db") == list(range(1, 61))


def test_control_whoever_reads_without_end_holds_writers_up(tmp_path: Path) -> None:
    """A copy in one step reads so, and the one who commits is refused: it must let go between steps."""
    path = make(tmp_path)
    with opened(path, lock_timeout_seconds=0.2) as registry:
        say(registry)
        with closing(sqlite3.connect(path, isolation_level=None)) as reading:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM stored_events").fetchall()
            if journal_mode() == "delete":
                with pytest.raises(StoreError, match="busy"):
                    say(registry, 2)


@pytest.mark.parametrize("pages", [1_024, 1])
def test_backups_while_another_writes_are_exact_prefixes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    """Each is a whole store: same id, the log as it was, one file, 0600, and the triggers in it."""
    monkeypatch.setattr(storage, "BACKUP_PAGES", pages)
    monkeypatch.setattr(storage, "BACKUP_IN_STEPS_SECONDS", 0.3)
    path = make(tmp_path)
    with opened(path) as registry:
        say(registry)
    stop = tmp_path / "stop"
    writer = python(WRITER, str(path), str(stop), cwd=_root())
    heads = []
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "started\n", writer.communicate()
        try:
            for number in range(4):
                target = tmp_path / f"backup-{number}.db"
                heads.append(back_up(path, target))
        finally:
            stop.touch()
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    with closing(open_log(path)) as log, ExitStack() as backups:
        rows = list(log.rows())
        for number, head in enumerate(heads):
            target = tmp_path / f"backup-{number}.db"
            backup = backups.enter_context(closing(open_log(target)))
            assert backup.store_id == log.store_id
            assert list(backup.rows()) == rows[:head]
            assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert heads == sorted(heads)
    with closing(sqlite3.connect(tmp_path / "backup-0.db")) as backup_connection:
        mode = backup_connection.execute("PRAGMA journal_mode").fetchone()[0]
        assert mode == "delete"
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            backup_connection.execute("DELETE FROM stored_events")
    assert not list(tmp_path.glob("backup-*-journal"))
    with opened(tmp_path / "backup-3.db") as registry:
        assert say(registry, 10_000_000) == heads[-1] + 1


def test_a_dump_is_no_backup(tmp_path: Path) -> None:
    """Negative control: `iterdump` builds a log that is not the same store."""
    path = make(tmp_path)
    with opened(path) as registry:
        say(registry)
    with closing(sqlite3.connect(path)) as origin, closing(sqlite3.connect(":memory:")) as copy:
        copy.executescript("\n".join(origin.iterdump()))
        assert copy.execute("PRAGMA application_id").fetchone()[0] == 0


def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    """A file that is there stays as it is; a place that cannot be written leaves nothing."""
    path = make(tmp_path)
    target = tmp_path / "notes.txt"
    target.write_text("mine")
    with pytest.raises(StoreError, match="already"):
        back_up(path, target)
    assert target.read_text() == "mine"
    with pytest.raises(StoreError, match="already"):
        back_up(path, path)
    with pytest.raises(StoreError, match="cannot be made"):
        back_up(path, tmp_path / "nowhere" / "backup.db")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["notes.txt", "registry.db"]


def test_a_backup_of_a_wal_store_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens from read-only media, whatever mode the store is kept in."""
    _use_mode(monkeypatch, "wal")
    path = make(tmp_path)
    target = tmp_path / "backup.db"
    with opened(path) as registry:
        say(registry)
        assert back_up(path, target) == 1
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


# --- originals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3 * (1 << 20), (1 << 20) + 17])
def test_originals_are_kept_once_and_come_back_byte_for_byte(tmp_path: Path, size: int) -> None:
    """In one transaction with the events; a second import of the same bytes keeps no second copy."""
    path = make(tmp_path)
    original = tmp_path / "batches.xlsx"
    original.write_bytes(os.urandom(size))
    sha256 = hashlib.sha256(original.read_bytes()).hexdigest()
    with opened(path) as registry:
        for _ in range(2):
            with registry.log_recorder.write() as transaction:
                transaction.keep_source(sha256, size, original)
    with closing(open_log(path)) as log:
        assert b"".join(log.source(sha256)) == original.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM sources").fetchall() == [(sha256, size)]
        chunks = connection.execute("SELECT count(*) FROM source_chunks").fetchone()[0]
    assert chunks == -(-size // (1 << 20))


def test_an_original_goes_with_its_transaction(tmp_path: Path) -> None:
    """Rolled back with the events; and one that changed under us is told when it is read."""
    path = make(tmp_path)
    original = tmp_path / "batches.csv"
    original.write_bytes(b"reference,part\n")
    sha256 = hashlib.sha256(b"something else").hexdigest()
    with opened(path) as registry:
        with registry.log_recorder.write() as transaction:
            transaction.keep_source(sha256, 15, original)
            transaction.discard()
        with closing(open_log(path)) as log, pytest.raises(StoreDamagedError):
            list(log.source(sha256))
        with registry.log_recorder.write() as transaction:
            transaction.keep_source(sha256, 15, original)
    with closing(open_log(path)) as log, pytest.raises(StoreDamagedError, match="original"):
        list(log.source(sha256))


# --- first events ------------------------------------------------------------------------------


def test_first_events_are_appended_all_or_none() -> None:
    """One that is there already keeps the others out; whatever else is wrong is raised."""
    registry = EnrolmentRegistry(None, balances=NoRules(), actor="tests", clock=lambda: NOON)
    with closing(registry):
        factory = cast("storage.LogFactory", registry.factory)
        storage.lay_out_memory(factory, created_at=NOON.isoformat(), created_by="tests")
        with registry.log_recorder.write() as transaction:
            known, *others = [(uuid4().hex, 1, "ucj.batch-enrolled", b"{}") for _ in range(4)]
            assert transaction.append_first([known])
            assert not transaction.append_first([*others, known])
            assert (transaction.appended, transaction.log.head()) == (1, 1)
            with pytest.raises(sqlite3.IntegrityError, match="gaps"):
                transaction.append_first([(uuid4().hex, 2, "ucj.batch-enrolled", b"{}")])
            assert transaction.append_first(others)
            assert (transaction.appended, transaction.log.head()) == (4, 4)
            transaction.discard()


# --- memory ---------------------------------------------------------------------------------------------------------------


def test_a_store_in_memory_has_the_same_rules() -> None:
    """Positions, triggers and transactions: what tests ask of it is what a file would say."""
    registry = EnrolmentRegistry(None, balances=NoRules(), actor="tests", clock=lambda: NOON)
    with closing(registry):
        factory = cast("storage.LogFactory", registry.factory)
        storage.lay_out_memory(factory, created_at=NOON.isoformat(), created_by="tests")
        assert say(registry) == 1
        with registry.log_recorder.write() as transaction:
            assert transaction.head == 1
            assert transaction.known_streams([area_id("16.06"), uuid4()]) == {area_id("16.06")}
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                transaction.log._connection.execute("DELETE FROM stored_events")
        assert [each.id for each in registry.recorder.select_notifications(1, 10)] == [1]
