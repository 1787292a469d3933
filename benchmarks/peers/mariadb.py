"""MariaDB: a system-versioned table, which remembers by itself what it said before.

Each batch's entries stand in it; a correction or withdrawal deletes them. What was known at a
position is what the table said at the instant at which that position was recorded.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.data import Data, Entry
from benchmarks.peers.peer import Question, Work, asked, heads_of, missing
from benchmarks.peers.servers import cannot_start, find_program, private_server
from benchmarks.tally import Heads

_TABLE: Final = """
CREATE TABLE entries (
    area VARCHAR(5) NOT NULL, reference VARCHAR(200) NOT NULL, part VARCHAR(50) NOT NULL,
    category VARCHAR(60) NOT NULL, effective_on DATE NOT NULL, workers BIGINT NOT NULL,
    known_from TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
    known_until TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
    PERIOD FOR SYSTEM_TIME (known_from, known_until),
    KEY covering (area, category, effective_on, known_from, known_until, workers),
    KEY batch (area, reference, part)
) WITH SYSTEM VERSIONING CHARACTER SET ascii
"""
_INSERT: Final = (
    "INSERT INTO entries (area, reference, part, category, effective_on, workers)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
)
_DELETE: Final = "DELETE FROM entries WHERE area = %s AND reference = %s AND part = %s"
_NATION: Final = (
    "SELECT area, category, CAST(sum(workers) AS INT)"
    " FROM entries FOR SYSTEM_TIME AS OF TIMESTAMP %s"
    " WHERE effective_on <= %s GROUP BY area, category"
)
_REGENCY: Final = (
    "SELECT area, category, CAST(sum(workers) AS INT)"
    " FROM entries FOR SYSTEM_TIME AS OF TIMESTAMP %s"
    " WHERE area = %s AND effective_on <= %s GROUP BY area, category"
)


class Mariadb:
    """What the SQL standard has for questions with two dates."""

    name = "MariaDB, system-versioned"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return what is missing."""
        if reason := cannot_start() or missing("pymysql"):
            return reason
        if not find_program("mariadbd") or not find_program("mariadb-install-db"):
            return "the server programs mariadbd and mariadb-install-db are not installed"
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        del folder  # the server has its own
        with _server() as connection, connection.cursor() as cursor:

            def nation() -> Heads:
                cursor.execute(_NATION, (data.known_at, data.on))
                return heads_of(cursor.fetchall())

            def regency() -> Heads:
                cursor.execute(_REGENCY, (data.known_at, data.regency, data.on))
                return heads_of(cursor.fetchall())

            yield Work(
                Question.LOAD,
                "entries from a CSV, a transaction for each instant",
                lambda: _load(connection, data),
                data.nation,
                answer=nation,
                prepare=lambda: cursor.execute("DROP TABLE IF EXISTS entries"),
                batches=data.batch_events,
                in_process=False,
            )
            yield from asked(data, nation, regency, in_process=False)


def _load(connection: Any, data: Data) -> None:  # noqa: ANN401 - the driver may be absent
    """Record each instant's events at that instant, as the server's clock is made to say."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        together = itertools.groupby(data.events(), lambda event: event[0].recorded_at)
        for recorded_at, events in together:
            cursor.execute("SET @@timestamp = UNIX_TIMESTAMP(%s)", (recorded_at,))
            _record(cursor, events)
            connection.commit()
        cursor.execute("SET @@timestamp = DEFAULT")
        cursor.execute("ANALYZE TABLE entries")


def _record(cursor: Any, events: Iterator[tuple[Entry, list[Entry]]]) -> None:  # noqa: ANN401
    waiting: list[tuple[object, ...]] = []
    for first, entries in events:
        if first.act == "takes-back":
            if waiting:  # it may be one of those
                cursor.executemany(_INSERT, waiting)
                waiting.clear()
            cursor.execute(_DELETE, (first.area, first.reference, first.part))
        waiting += (
            (each.area, each.reference, each.part, each.category, each.effective_on, each.workers)
            for each in entries
            if each.act != "takes-back"
        )
    if waiting:
        cursor.executemany(_INSERT, waiting)


@contextmanager
def _server() -> Iterator[Any]:
    import pymysql

    install, mariadbd = find_program("mariadb-install-db"), find_program("mariadbd")
    assert install is not None
    assert mariadbd is not None
    with private_server() as server:
        kept, socket = f"--datadir={server.folder / 'data'}", str(server.folder / "socket")
        server.run(
            install, "--no-defaults", kept, "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )  # fmt: skip

        def connect() -> object:
            if not Path(socket).exists():  # where it cannot connect, the driver leaves its end open
                raise FileNotFoundError(socket)
            connection = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4")
            with connection.cursor() as cursor:
                cursor.execute("SET time_zone = '+00:00'")
                cursor.execute("CREATE DATABASE IF NOT EXISTS peers")
            connection.select_db("peers")
            return connection

        with server.serving(
            mariadbd, "--no-defaults", kept, f"--socket={socket}", "--skip-networking",
            f"--pid-file={server.folder / 'pid'}", "--innodb-buffer-pool-size=1G",
            connect=connect, stop_with=signal.SIGTERM,
        ) as connection:  # fmt: skip
            yield connection
