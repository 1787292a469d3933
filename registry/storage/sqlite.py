"""The SQLite store: the library's recorder made safe to keep a registry in.

What the library leaves open and this module closes (each under test): WAL on engines that can
corrupt it, `synchronous`, deferred BEGIN, a COMMIT that fails and keeps its transaction, a writer
lock that leaks when opening fails, positions that could be reused, files readable by others.
"""

from __future__ import annotations

import errno
import itertools
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID, uuid4

from eventsourcing.persistence import ConnectionUnavailableError, Notification, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteTransaction,
)

from registry.durable import sync_folder
from registry.errors import StoreDamagedError, StoreError
from registry.language import _
from registry.storage.log import (
    APPLICATION_ID,
    BUSY,
    CHUNK_BYTES,
    LOCK_TIMEOUT_SECONDS,
    STORE_FORMAT,
    ConnectionLog,
    busy_store,
    connect,
    identity,
    missing_store,
    primary_code,
    store_error,
)
from registry.system_errors import cause_of

if TYPE_CHECKING:
    from types import TracebackType

    from registry.balances import Follower

SYNCHRONOUS_FULL: Final = 2
PAGE_SIZE_BYTES: Final = 16_384
"""About 25 events a page: an eighth less is held in memory by a large import than with 4,096."""

ENGINE_MIN: Final = (3, 37, 0)  # STRICT tables

INSERTED_ROWS: Final = 2_000
"""Inserted by one statement: for each statement with a trigger SQLite copies the pages it changes, to be
able to undo it alone, and to copy them for every row took as long as the insert itself."""

BACKUP_PAGES: Final = 1_024
BACKUP_PAUSE_SECONDS: Final = 0.01
BACKUP_IN_STEPS_SECONDS: Final = 60.0
"""How long a backup goes on in steps, beginning again after each import, before it holds them up."""


def engine_is_sound_for_wal(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset bug: fixed in 3.51.3, 3.50.7 and 3.44.6.

    Source: https://sqlite.org/wal.html#walresetbug
    """
    if version >= (3, 51, 3):
        return True
    return (
        version[:2] in {(3, 50), (3, 44)}
        and version
        >= {
            (3, 50): (3, 50, 7),
            (3, 44): (3, 44, 6),
        }[version[0], version[1]]
    )


def journal_mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """Return the journal mode for an engine: WAL only where it cannot corrupt the store."""
    if version < ENGINE_MIN:
        what = _("SQLite {version} is too old for the store").format(
            version=".".join(map(str, version))
        )
        raise StoreError(what, remedy=_("Use a Python built with SQLite 3.37 or newer."))
    return "wal" if engine_is_sound_for_wal(version) else "delete"


def create_store(path: Path, *, created_at: str, created_by: str) -> str:
    """Make an empty store, readable by its owner only, and return its id.

    Raises: StoreError if there is a file at that place already, or it cannot be written.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        what = _("there is a file at {path} already; nothing was changed").format(path=path)
        raise StoreError(what, remedy=_("Name another place with --store.")) from None
    except OSError as error:
        what = _("a store cannot be made at {path}: {cause}").format(
            path=path, cause=cause_of(error)
        )
        raise StoreError(what, remedy=_("Check the folder and its permissions.")) from None
    try:
        connection = connect(path, mode="rw", timeout=LOCK_TIMEOUT_SECONDS)
        try:
            return _lay_out(connection, path, created_at=created_at, created_by=created_by)
        finally:
            connection.close()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _lay_out(
    connection: sqlite3.Connection, path: Path | None, *, created_at: str, created_by: str
) -> str:
    """Write schema and identity in one transaction, the application id last."""
    store_id = uuid4().hex
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE_BYTES}")
        connection.execute(f"PRAGMA journal_mode = {journal_mode()}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(files("registry.storage").joinpath("schema.sql").read_text()):
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO store VALUES (?, ?)",
            [("id", store_id), ("created_at", created_at), ("created_by", created_by)],
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {STORE_FORMAT}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    return store_id


def _statements(script: str) -> Iterator[str]:
    """Split a script where SQLite itself says that a statement is complete."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


class LogTransaction(SQLiteTransaction):
    """BEGIN IMMEDIATE … COMMIT, which ends the transaction whatever happens.

    `committed` tells whether it did, also where an interruption came while it did.
    """

    committed = False

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        return cursor

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        connection = cast("LogConnection", self.connection)
        if exc_val is not None or not self.commit:
            connection.end_quietly()
            if isinstance(exc_val, sqlite3.Error):
                raise self._refusal(exc_val) from exc_val
            return
        try:
            connection.commit()  # waits for readers as long as the lock time-out
            self.committed = True
        except sqlite3.Error as error:
            # A failed COMMIT leaves the transaction open: left so, it would lock everybody out.
            connection.end_quietly()
            raise self._refusal(error) from error
        except BaseException:  # an interruption is heard before a COMMIT or after it
            self.committed = not connection.sqlite_connection.in_transaction
            connection.end_quietly()
            raise

    def _refusal(self, error: sqlite3.Error) -> StoreError:
        return store_error(error, cast("LogConnection", self.connection).path)


class LogConnection(SQLiteConnection):
    """The library's connection with our transaction; `path` is None for a store in memory."""

    path: Path | None = None

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """See `LogTransaction`."""
        with LogTransaction(self, commit=commit) as cursor, cursor:
            yield cursor

    @property
    def sqlite_connection(self) -> sqlite3.Connection:
        """The connection itself, for reading within the transaction."""
        return self._sqlite_conn

    def end_quietly(self) -> None:
        """Roll back; where even that fails, discard the connection (SQLite then rolls back)."""
        try:
            if self._sqlite_conn.in_transaction:
                self._sqlite_conn.rollback()
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self.close()


class LogPool(SQLiteConnectionPool):
    """The library's pool: our connections, and a writer lock that does not leak."""

    def __init__(self, path: Path | None, *, lock_timeout_seconds: float) -> None:
        self.path = path
        self.lock_timeout_seconds = lock_timeout_seconds
        self._waiting = threading.local()
        self.memory_uri = f"file:ucj-{uuid4().hex}?mode=memory&cache=shared"
        super().__init__(
            db_name=str(path) if path else self.memory_uri,
            pool_size=1,
            max_overflow=4,
            pool_timeout=lock_timeout_seconds,
        )

    def get_connection(
        self, timeout: float | None = None, *, is_writer: bool | None = None
    ) -> SQLiteConnection:
        """Issue a connection; where opening it fails, give back what was counted for it."""
        self._waiting.counted = False
        try:
            return super().get_connection(timeout, is_writer=is_writer)
        except BaseException as error:
            if self._waiting.counted and is_writer is True:
                self._num_writers -= 1
                self._writer_lock.release()
            elif self._waiting.counted and is_writer is False:
                with self._no_readers:
                    self._num_readers -= 1
                    self._no_readers.notify()
            if isinstance(error, ConnectionUnavailableError):  # another thread has it
                raise busy_store(self.path) from error
            raise

    def _get_connection(self, timeout: float = 0.0) -> SQLiteConnection:
        self._waiting.counted = True
        return super()._get_connection(timeout)

    def _create_connection(self) -> SQLiteConnection:
        if self.path is None:
            raw = sqlite3.connect(
                self.memory_uri, uri=True, isolation_level=None, check_same_thread=False
            )
        else:
            if not self.path.is_file():
                raise missing_store(self.path)
            raw = connect(self.path, mode="rw", timeout=self.lock_timeout_seconds)
        try:
            if self.path is not None:
                identity(raw, self.path)
            raw.row_factory = sqlite3.Row
            _prepare(raw, in_memory=self.path is None)
        except sqlite3.Error as error:
            raw.close()
            raise store_error(error, self.path) from error
        except BaseException:
            raw.close()
            raise
        connection = LogConnection(raw, max_age=None)
        connection.path = self.path
        return connection


def _prepare(connection: sqlite3.Connection, *, in_memory: bool) -> None:
    """Set what a connection that writes must have, and see that it has it."""
    if not in_memory:
        wanted = journal_mode()
        found = connection.execute("PRAGMA journal_mode").fetchone()[0]
        if found != wanted:
            found = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        if found == "wal" and wanted != "wal":
            what = _(
                "the store is in WAL mode, which this SQLite can corrupt; nothing was recorded"
            )
            raise StoreError(what, remedy=_("Close all other programs on the store and try again."))
    connection.execute("PRAGMA synchronous = FULL")
    # A transaction that outgrows the page cache would lock every reader out until it commits.
    connection.execute("PRAGMA cache_spill = OFF")
    # Each statement with a trigger keeps the pages it may have to put back: not by way of a file.
    connection.execute("PRAGMA temp_store = MEMORY")
    if not in_memory and connection.execute("PRAGMA synchronous").fetchone()[0] < SYNCHRONOUS_FULL:
        what = _("the store cannot be written safely here (synchronous is below FULL)")
        raise StoreError(what, remedy=_("Use a Python with the stock SQLite."))


class LogDatastore(SQLiteDatastore):
    """The library's datastore over our pool."""

    def __init__(self, path: Path | None, *, lock_timeout_seconds: float) -> None:
        self.pool = LogPool(path, lock_timeout_seconds=lock_timeout_seconds)
        self.single_row_tracking = True
        self.originator_id_type = "uuid"


class WriteTransaction:
    """One transaction on the log: read, append, keep originals; all of it commits or nothing.

    `log` reads with the transaction's own eyes: what was appended is in it. `following` is given every
    event that is.
    """

    following: Follower | None = None

    def __init__(self, connection: sqlite3.Connection, store_id: str, *, path: Path | None) -> None:
        self._connection = connection
        self.log = ConnectionLog(connection, store_id, path=path)
        self.head = self.log.head()
        self.appended = 0
        self.discarded = False

    def discard(self) -> None:
        """Roll everything back at the end instead of committing it (a dry run)."""
        self.discarded = True

    def append(self, stored_events: Iterable[StoredEvent]) -> None:
        """Append events one after another; positions follow the head without a gap."""
        rows = (
            (e.originator_id.hex, e.originator_version, e.topic, e.state)  # type: ignore[union-attr]
            for e in stored_events
        )
        while page := [*itertools.islice(rows, INSERTED_ROWS)]:
            self.append_rows(page)

    def append_rows(self, rows: Sequence[tuple[str, int, str, bytes]]) -> None:
        """Append a page of events as the columns have them: stream in hexadecimal, version, topic, state."""
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        cursor = self._connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            f" VALUES {marks}",
            [*itertools.chain.from_iterable(rows)],
        )
        if self.following is not None:
            self.following.take(self.head + self.appended + 1, rows)
        self.appended += cursor.rowcount

    def append_first(self, rows: Sequence[tuple[str, int, str, bytes]]) -> bool:
        """Append a page of first events; False, and none is, if one of their streams has events.

        The store looks itself, so that nothing is asked of it beforehand.
        """
        try:
            self.append_rows(rows)
        except sqlite3.IntegrityError:
            if not self.known_among([stream for stream, *_ in rows]):
                raise
            return False
        return True

    def known_streams(self, originator_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the streams that have events."""
        return set(map(UUID, self.known_among([each.hex for each in originator_ids])))

    def known_among(self, streams: Sequence[str]) -> set[str]:
        """Return those of the streams, in hexadecimal, that have events."""
        found: set[str] = set()
        for start in range(0, len(streams), 500):
            page = streams[start : start + 500]
            marks = ",".join("?" * len(page))
            found.update(
                row[0]
                for row in self._connection.execute(
                    "SELECT originator_id FROM stored_events WHERE originator_version = 1"
                    f" AND originator_id IN ({marks})",
                    page,
                )
            )
        return found

    def keep_source(self, sha256: str, size: int, path: Path) -> None:
        """Keep a file's bytes, once."""
        kept = self._connection.execute("SELECT 1 FROM sources WHERE sha256 = ?", (sha256,))
        if kept.fetchone():
            return
        self._connection.execute("INSERT INTO sources VALUES (?, ?)", (sha256, size))
        with path.open("rb") as file:
            for number in itertools.count():
                chunk = file.read(CHUNK_BYTES)
                if not chunk:
                    break
                self._connection.execute(
                    "INSERT INTO source_chunks VALUES (?, ?, ?)",
                    (sha256, number, zlib.compress(chunk, 1)),
                )


class LogRecorder(SQLiteApplicationRecorder):
    """The library's recorder over our table, whose position is a column of its own.

    `committed`: the first and last position of the last transaction that it recorded.
    """

    committed: tuple[int, int] | None = None

    def __init__(self, datastore: LogDatastore) -> None:
        super().__init__(datastore)
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, ?, ?, ?)"
        )
        self.select_max_notification_id_statement = "SELECT MAX(position) FROM stored_events"

    def construct_create_table_statements(self) -> list[str]:
        """Return nothing: only `create_store` lays out a schema."""
        return []

    @contextmanager
    def write(self) -> Iterator[WriteTransaction]:
        """Open the one transaction in which a command is decided and recorded.

        Raises: StoreBusyError after the lock time-out; StoreError where the commit fails. In
        either case nothing was recorded.
        """
        with self.datastore.get_connection(commit=True) as connection:
            ours = cast("LogConnection", connection)
            raw = ours.sqlite_connection
            scope = LogTransaction(connection, commit=True)
            transaction: WriteTransaction | None = None
            try:
                with scope:
                    found = raw.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
                    if found is None:
                        what = _("the store has no identity")
                        raise StoreDamagedError(what, remedy=_("Restore it from a backup."))
                    transaction = WriteTransaction(raw, str(found[0]), path=ours.path)
                    yield transaction
                    scope.commit = not transaction.discarded
            finally:
                if transaction is not None and scope.committed and transaction.appended:
                    head = transaction.head
                    self.committed = head + 1, head + transaction.appended
            if scope.committed and transaction.appended:
                self._make_durable(transaction)

    def _make_durable(self, transaction: WriteTransaction) -> None:
        """Sync the store's folder: a commit is the journal's removal, which a power cut may undo.

        SQLite does so itself only with `synchronous = EXTRA`, and then calls a commit failed, that
        is done, if it cannot.
        """
        path = cast("LogPool", self.datastore.pool).path
        if path is None or journal_mode() == "wal":
            return
        try:
            sync_folder(path.resolve().parent)
        except OSError as error:
            first, last = transaction.head + 1, transaction.head + transaction.appended
            what = _(
                "recorded at #{first} to #{last}, but the disk does not confirm that it is kept"
            ).format(first=first, last=last)
            raise StoreError(
                what,
                why=cause_of(error),
                remedy=_("Check the disk, and then with `ucj history` whether it is there."),
            ) from error

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events from a position on (the library's reads an unnamed rowid)."""
        conditions: list[str] = []
        values: list[int | str] = []
        if start is not None:
            conditions.append("position >= ?" if inclusive_of_start else "position > ?")
            values.append(start)
        if stop is not None:
            conditions.append("position <= ?")
            values.append(stop)
        if topics:
            conditions.append(f"topic IN ({','.join('?' * len(topics))})")
            values.extend(topics)
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        statement = f"SELECT * FROM stored_events {where}ORDER BY position LIMIT ?"
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(statement, [*values, limit])
            return [
                Notification(
                    id=row["position"],
                    originator_id=UUID(row["originator_id"]),
                    originator_version=row["originator_version"],
                    topic=row["topic"],
                    state=row["state"],
                )
                for row in cursor.fetchall()
            ]


class LogFactory(SQLiteFactory):
    """The library's factory, told by arguments and never by the environment."""

    def __init__(self, path: Path | None, *, lock_timeout_seconds: float) -> None:
        super().__init__({"SQLITE_DBNAME": "replaced below"})
        self.datastore.close()
        self.datastore = LogDatastore(path, lock_timeout_seconds=lock_timeout_seconds)

    def application_recorder(self) -> LogRecorder:
        """Return the recorder; the schema is laid out by `create_store` alone."""
        return LogRecorder(cast("LogDatastore", self.datastore))


def lay_out_memory(factory: LogFactory, *, created_at: str, created_by: str) -> str:
    """Lay out a store in memory; it lives as long as the factory's pooled connection."""
    pool = cast("LogPool", factory.datastore.pool)
    connection = cast("LogConnection", pool.get_connection(is_writer=True))
    try:
        raw = connection.sqlite_connection
        return _lay_out(raw, None, created_at=created_at, created_by=created_by)
    finally:
        pool.put_connection(connection)


def check_identity(path: Path) -> str:
    """Return the id of the store at a path, after the checks every opener makes."""
    if not path.is_file():
        raise missing_store(path)
    connection = connect(path, mode="rw", timeout=LOCK_TIMEOUT_SECONDS)
    try:
        return identity(connection, path)
    finally:
        connection.close()


def back_up(path: Path, target: Path) -> int:
    """Copy the store, while others write, to one file that opens anywhere; return its head.

    Raises: StoreError if the target exists or cannot be written; OSError if its disk is full.
    """
    check_identity(path)
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        what = _("there is a file at {target} already; nothing was copied").format(target=target)
        raise StoreError(what, remedy=_("Name a new file.")) from None
    except OSError as error:
        what = _("a backup cannot be made at {target}: {cause}").format(
            target=target, cause=cause_of(error)
        )
        raise StoreError(what, remedy=_("Check the folder and its permissions.")) from None
    try:
        return _copy(path, target)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        if primary_code(error) == sqlite3.SQLITE_FULL:  # of the copy: the store is only read
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        raise store_error(error, path) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _copy(path: Path, target: Path) -> int:
    origin = connect(path, mode="rw", timeout=LOCK_TIMEOUT_SECONDS)
    copy = connect(target, mode="rw", timeout=LOCK_TIMEOUT_SECONDS)
    try:
        _copy_pages(origin, copy)
        copy.execute("PRAGMA journal_mode = delete")  # one file, also from read-only media
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            what = _("the copy does not pass SQLite's integrity check")
            raise StoreDamagedError(
                what, remedy=_("Check the disk, and the store, before anything.")
            )
        return int(
            copy.execute("SELECT coalesce(max(position), 0) FROM stored_events").fetchone()[0]
        )
    finally:
        copy.close()
        origin.close()


def _copy_pages(origin: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy some pages at a time, so that nobody who writes waits for all of them.

    Whenever somebody wrote between, SQLite begins again; so at last it is all in one step.
    """
    began = time.monotonic()

    def in_time(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > began + BACKUP_IN_STEPS_SECONDS:
            raise TimeoutError

    with suppress(TimeoutError):
        origin.backup(copy, pages=BACKUP_PAGES, sleep=BACKUP_PAUSE_SECONDS, progress=in_time)
        return
    deadline = time.monotonic() + 10 * LOCK_TIMEOUT_SECONDS
    while True:
        try:
            origin.backup(copy)
        except sqlite3.OperationalError as error:
            if primary_code(error) not in BUSY or time.monotonic() > deadline:
                raise
        else:
            return
