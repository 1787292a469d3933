"""Reading the log: identity, head, pages, streams. Standard library only, for a question's sake.

Writes nothing: a reader opens the store so that SQLite may roll back an interrupted import, and
then only selects. Pages are read one by one with no transaction between, so a writer never
starves.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self, cast

from registry.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    StoreNewerError,
)
from registry.language import _
from registry.safe_text import safe
from registry.system_errors import cause_of

APPLICATION_ID: Final = 0x55434A31  # "UCJ1", so that `file` and we can tell a store
STORE_FORMAT: Final = 1
_SQLITE_HEADER_BYTES: Final = 100
_WRITE_VERSION_AT: Final = 18
_APPLICATION_ID_AT: Final = 68  # https://sqlite.org/fileformat.html#the_database_header
PAGE_EVENTS: Final = 500
"""Few, so that a chunk of the fold ends where it should, and the next begins beside it."""
PAGE_BYTES: Final = 8 << 20  # a batch of thousands of lines is an event of megabytes
_FETCHED: Final = 100
_SIZED: Final = (str, bytes)
LOCK_TIMEOUT_SECONDS: Final = 15.0
READ_TIMEOUT_SECONDS: Final = LOCK_TIMEOUT_SECONDS + 5
"""A writer that waits for somebody to end reading holds up new readers until it gives up itself."""

_RETRY_SECONDS: Final = 0.01
_PATH_LENGTH_MAX: Final = (
    500  # shown whole, but for the very longest: its end tells one from another
)
CHUNK_BYTES: Final = 1 << 20
BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One event as it lies in the log."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    state: bytes

    def facts(self) -> dict[str, Any]:
        """Return the state as plain JSON values, unvalidated: for labels, not for rules."""
        try:
            facts = json.loads(self.state)
        except (ValueError, RecursionError):
            facts = None
        if not isinstance(facts, dict):
            what = _("event #{position} is not an object").format(position=self.position)
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup."))
        return facts

    def recorded_at(self) -> datetime:
        """Return when the event was recorded (UTC)."""
        try:
            return datetime.fromisoformat(self.facts()["recorded_at"]).astimezone(UTC)
        except (KeyError, TypeError, ValueError):
            what = _("event #{position} does not say when it was recorded").format(
                position=self.position
            )
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup.")) from None

    def sha256(self) -> str:
        """Return the digest of everything the log holds of this event."""
        digest = hashlib.sha256()
        head = (self.position, self.originator_id, self.originator_version, self.topic)
        digest.update(json.dumps(head, separators=(",", ":")).encode())
        digest.update(self.state)
        return digest.hexdigest()


class Log(Protocol):
    """What a question needs of a store, whatever database keeps it."""

    store_id: str

    def head(self) -> int:
        """Return the position of the last event, 0 for an empty log."""
        ...

    def row(self, position: int) -> StoredRow | None:
        """Return the event at a position."""
        ...

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Stream events in order, paged."""
        ...

    def lines(self, after: int = 0, upto: int | None = None) -> Iterator[list[str]]:
        """Stream pages of lines: position, stream, version, state, topic, with SEPARATOR between."""
        ...

    def stream(self, originator_id: str) -> list[StoredRow]:
        """Return the events of one stream in order of version."""
        ...

    def source(self, sha256: str) -> Iterator[bytes]:
        """Stream the bytes kept of an imported file, by their own SHA-256."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


_ROW: Final = "SELECT position, originator_id, originator_version, topic, state FROM stored_events"
SEPARATOR: Final = "\x1f"
"""Between the values of a line: canonical JSON escapes it, and no name or topic has it."""

# The line is put together by SQLite: no Python per event between the log and the fold. The state is
# not its last value: whatever it held besides, there would be other values than there should be.
_LINE: Final = (
    "SELECT"
    f" position || '{SEPARATOR}' || originator_id || '{SEPARATOR}' || originator_version"
    f" || '{SEPARATOR}' || CAST(state AS TEXT) || '{SEPARATOR}' || topic,"
    " position FROM stored_events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
)


class ConnectionLog:
    """A `Log` over an SQLite connection.

    Inside a write transaction it sees what is not yet committed, so that rules and answers read
    with the same eyes.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        store_id: str,
        *,
        path: Path | None = None,
        asking: bool = False,
    ) -> None:
        """`path` and `asking` are for what is said where it fails: see `store_error`."""
        self._connection = connection
        self.store_id = store_id
        self._path = path
        self._asking = asking

    def head(self) -> int:
        """See `Log.head`."""
        found = self._all("SELECT max(position) FROM stored_events")
        return int(found[0][0] or 0)

    def row(self, position: int) -> StoredRow | None:
        """See `Log.row`."""
        found = self._all(f"{_ROW} WHERE position = ?", position)
        return StoredRow(*found[0]) if found else None

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """See `Log.rows`."""
        last = self.head() if upto is None else upto
        while page := self._page(
            f"{_ROW} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?", after, last
        ):
            for values in page:
                yield StoredRow(*values)
            after = page[-1][0]

    def lines(self, after: int = 0, upto: int | None = None) -> Iterator[list[str]]:
        """See `Log.lines`; raises StoreDamagedError where an event is missing."""
        last = self.head() if upto is None else upto
        while page := self._page(_LINE, after, last):
            if page[-1][1] != after + len(page):
                expected = enumerate((position for _, position in page), after + 1)
                raise _gap(next(at for at, position in expected if at != position))
            after += len(page)
            yield [line for line, _ in page]

    def _page(self, statement: str, after: int, last: int) -> list[Any]:
        """Return the next events, up to PAGE_EVENTS of them or about PAGE_BYTES."""
        page: list[Any] = []
        size = 0
        try:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            # Closed before the page is used, so that a writer's COMMIT need not wait for us.
            with closing(cursor.execute(statement, (after, last, PAGE_EVENTS))) as rows:
                while size < PAGE_BYTES and (some := rows.fetchmany(_FETCHED)):
                    page += some
                    size += sum(
                        len(value) for row in some for value in row if isinstance(value, _SIZED)
                    )
        except sqlite3.Error as error:
            raise store_error(error, self._path, asking=self._asking) from error
        return page

    def stream(self, originator_id: str) -> list[StoredRow]:
        """See `Log.stream`."""
        found = self._all(
            f"{_ROW} WHERE originator_id = ? ORDER BY originator_version", originator_id
        )
        return [StoredRow(*values) for values in found]

    def source(self, sha256: str) -> Iterator[bytes]:
        """See `Log.source`; raises StoreDamagedError where the bytes no longer match."""
        digest = hashlib.sha256()
        number = 0
        while found := self._all(
            "SELECT bytes FROM source_chunks WHERE sha256 = ? AND number = ?", sha256, number
        ):
            try:
                chunk = zlib.decompress(found[0][0])
            except (zlib.error, TypeError):
                break
            digest.update(chunk)
            yield chunk
            number += 1
        if digest.hexdigest() != sha256:
            what = _("the original file {sha256}… is not in the store as it was imported").format(
                sha256=sha256[:12]
            )
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup."))

    def close(self) -> None:
        """See `Log.close`."""
        self._connection.close()

    def _all(self, statement: str, *values: object) -> list[Any]:
        try:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            return cursor.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(error, self._path, asking=self._asking) from error


def open_log(
    path: Path, *, lock_timeout_seconds: float = READ_TIMEOUT_SECONDS, asking: bool = True
) -> ConnectionLog:
    """Open a store for reading; `asking` unless it is on the way to recording.

    Raises: StoreMissingError, StoreNewerError, StoreBusyError, StoreDamagedError, and StoreError
    where it cannot be reached, or an interrupted import lies in a place that cannot be written.
    """
    try:
        there = path.is_file()
    except OSError as error:  # its folder may not be looked into, or no file has so long a name
        raise StoreError(
            _("the store at {path} cannot be reached").format(path=path),
            why=cause_of(error),
            remedy=_("Check the path, and who may enter its folders."),
        ) from None
    if not there:
        raise missing_store(path)
    writable = os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)
    if not writable:
        _refuse_interrupted(path)
        _refuse_wal(path)
    connection = connect(path, mode="rw" if writable else "ro", timeout=0, factory=_Reading)
    cast("_Reading", connection).lock_timeout_seconds = lock_timeout_seconds
    try:
        connection.execute("PRAGMA query_only = ON")
        store_id = identity(connection, path, asking=asking)
        return ConnectionLog(connection, store_id, path=path, asking=asking)
    except BaseException:
        connection.close()
        raise


class _Reading(sqlite3.Connection):
    """A connection whose statements wait for a commit, and go on as soon as it has ended.

    SQLite itself looks only ten times a second once it has waited for a third of one.
    """

    lock_timeout_seconds: float

    def cursor(self, *_: object) -> sqlite3.Cursor:  # type: ignore[override]  # of one kind only
        """Return a cursor that waits."""
        return _PatientCursor(self)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """See `cursor`: SQLite's own way goes past it."""
        return self.cursor().execute(*arguments)


class _PatientCursor(sqlite3.Cursor):
    def execute(self, *arguments: Any) -> Self:
        until = time.monotonic() + cast("_Reading", self.connection).lock_timeout_seconds
        while True:
            try:
                return super().execute(*arguments)
            except sqlite3.OperationalError as error:
                if primary_code(error) not in BUSY or time.monotonic() >= until:
                    raise
            time.sleep(_RETRY_SECONDS)


def connect(
    path: Path,
    *,
    mode: str,
    timeout: float,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Return a connection in autocommit mode to an existing file; never creates one."""
    try:
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=timeout,
            check_same_thread=False,
            factory=factory,
        )
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def identity(connection: sqlite3.Connection, path: Path, *, asking: bool = False) -> str:
    """Return the store's id after checking that this is a store, and of a form we know."""
    try:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        store_format = connection.execute("PRAGMA user_version").fetchone()[0]
        if application_id != APPLICATION_ID:
            what = _("{name} is not a ucj store").format(name=path.name)
            raise StoreDamagedError(
                what, remedy=_("Name another file with --store, or make one with `ucj init`.")
            )
        if store_format > STORE_FORMAT:
            what = _("{name} was written by a newer ucj (store format {store_format})").format(
                name=path.name, store_format=store_format
            )
            raise StoreNewerError(
                what,
                why=_("This ucj knows formats up to {store_format}.").format(
                    store_format=STORE_FORMAT
                ),
                remedy=_("Update ucj."),
            )
        found = connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
    except sqlite3.Error as error:
        raise store_error(error, path, asking=asking) from error
    if found is None:
        what = _("{name} has no identity").format(name=path.name)
        raise StoreDamagedError(what, remedy=_("Restore the store from a backup."))
    return str(found[0])


def is_store(path: Path) -> bool:
    """Whether a file is a store of this program, sound or not; what cannot be read is none."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            header = file.read(_SQLITE_HEADER_BYTES)
    except OSError:
        return False
    marked = header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4]
    return header.startswith(b"SQLite format 3\0") and marked == APPLICATION_ID.to_bytes(4, "big")


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code, None where Python itself raised the error."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else None


def store_error(error: sqlite3.Error, path: Path | None, *, asking: bool = False) -> StoreError:
    """Return the refusal for an SQLite error, in words; `path` None is a store in memory.

    `asking`: nothing was to be recorded, so nothing is said of it.
    """
    store = _shown(path)
    primary = primary_code(error)
    if primary in BUSY:
        return busy_store(path, asking=asking)
    not_text = primary is None and "UTF-8" in str(error)  # said by Python, not by SQLite
    if not_text or primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamagedError(
            _("the store's file {store} is damaged or is not a store").format(store=store),
            remedy=_("Restore it from a backup (`ucj backup` made one), or name another --store."),
        )
    if primary == sqlite3.SQLITE_FULL:
        return StoreError(
            _("the disk is full; nothing was recorded"), remedy=_("Free some space and try again.")
        )
    if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StoreError(
            _("the store {store} cannot be written or opened here").format(store=store),
            remedy=_("Check the permissions of the file and of its folder."),
        )
    return StoreError(
        _("the store {store} did not answer ({name})").format(
            store=store, name=getattr(error, "sqlite_errorname", "SQLite error")
        ),
        why="" if asking else _("Nothing was recorded."),
        remedy=_("Check the disk and try again."),
    )


def busy_store(path: Path | None, *, asking: bool = False) -> StoreBusyError:
    """Return the refusal for a store that another holds for longer than the time-out."""
    busy = (
        _("the store {store} is busy: another is writing")
        if asking
        else _("the store {store} is busy: another is writing; nothing was recorded")
    )
    return StoreBusyError(busy.format(store=_shown(path)), remedy=_("Try again in a moment."))


def _shown(path: Path | None) -> str:
    return _("in memory") if path is None else safe(str(path), limit=_PATH_LENGTH_MAX)


def missing_store(path: Path) -> StoreMissingError:
    """Return the refusal for a store that is not there, or is a folder."""
    if path.is_dir():
        return StoreMissingError(
            _("{path} is a folder, not a store").format(path=path),
            remedy=_("Name the store's file with --store (or UCJ_STORE)."),
        )
    return StoreMissingError(
        _("there is no store at {path}").format(path=path),
        remedy=_("Make one with `ucj init`, or name another with --store (or UCJ_STORE)."),
    )


def _gap(position: int) -> StoreDamagedError:
    return StoreDamagedError(
        _("the event at #{position} is missing from the log").format(position=position),
        remedy=_("Restore the store from a backup."),
    )


def _refuse_wal(path: Path) -> None:
    """Refuse a store kept in WAL where the file that this mode needs beside it cannot be made."""
    is_wal = False
    with suppress(OSError), path.open("rb") as file:  # SQLite tells of one that may not be read
        file.seek(_WRITE_VERSION_AT)
        is_wal = file.read(1) == b"\x02"
    if is_wal and not path.with_name(path.name + "-shm").exists():
        raise StoreError(
            _(
                "the store is kept in SQLite's WAL mode, which is not readable where nothing can be written"
            ),
            remedy=_(
                "Copy it to a folder you may write, and ask there; or use a file made by `ucj backup`."
            ),
        )


def _refuse_interrupted(path: Path) -> None:
    for ending in ("-journal", "-wal"):
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size > 0:
            raise StoreError(
                _(
                    "an interrupted import ({name}) lies beside a store that cannot be written"
                ).format(name=beside.name),
                why=_("Reading it as it is could show what was never committed."),
                remedy=_(
                    "Copy the store and that file together to a folder you may write, "
                    "and ask there; or use a file made by `ucj backup`."
                ),
            )
