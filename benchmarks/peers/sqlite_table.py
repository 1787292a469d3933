"""SQLite alone: a table of signed entries and an index that answers without the table."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.peers.data import Data
from benchmarks.peers.peer import Question, Work, asked, heads_of
from benchmarks.tally import Heads

SCHEMA: Final = (
    (
        "CREATE TABLE entries (position INTEGER NOT NULL, area TEXT NOT NULL,"
        " category TEXT NOT NULL, effective_on TEXT NOT NULL, workers INTEGER NOT NULL)"
    ),
    "CREATE INDEX entries_covering ON entries (area, category, effective_on, position, workers)",
)
INSERT: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?)"
_NATION: Final = (
    "SELECT area, category, sum(workers) FROM entries WHERE effective_on <= ? AND position <= ?"
    " GROUP BY area, category"
)
_REGENCY: Final = (
    "SELECT area, category, sum(workers) FROM entries WHERE area = ? AND effective_on <= ?"
    " AND position <= ? GROUP BY area, category"
)


def nation(connection: sqlite3.Connection, data: Data) -> Heads:
    """Return the nation's heads by regency and category."""
    return heads_of(connection.execute(_NATION, (data.on.isoformat(), data.known)))


def regency(connection: sqlite3.Connection, data: Data) -> Heads:
    """Return one regency's heads by category."""
    values = (data.regency, data.on.isoformat(), data.known)
    return heads_of(connection.execute(_REGENCY, values))


def fill(path: Path, rows: Iterable[tuple[int, str, str, str, int]]) -> None:
    """Write entries to a new file, the index filled row by row, in one durable transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("BEGIN")
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")


def ask_nation(path: Path, data: Data) -> Heads:
    """Return `nation` of a file."""
    with closing(sqlite3.connect(path)) as connection:
        return nation(connection, data)


class SqliteTable:
    """What a small program would do."""

    name = "SQLite"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return None: Python brings it."""
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        path = folder / "entries.db"

        def rows() -> Iterator[tuple[int, str, str, str, int]]:
            for each in data.entries():
                yield each.position, each.area, each.category, each.effective_on, each.workers

        yield Work(
            Question.LOAD,
            "entries from a CSV, one transaction",
            lambda: fill(path, rows()),
            data.nation,
            answer=lambda: ask_nation(path, data),
            prepare=lambda: path.unlink(missing_ok=True),
            batches=data.batch_events,
        )
        with closing(sqlite3.connect(path)) as connection:
            yield from asked(
                data, lambda: nation(connection, data), lambda: regency(connection, data)
            )
