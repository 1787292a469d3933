"""PostgreSQL: a table of signed entries with a covering index, on a server of its own."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.data import Data
from benchmarks.peers.peer import Question, Work, asked, heads_of, missing
from benchmarks.peers.servers import cannot_start, find_program, private_server
from benchmarks.tally import Heads

# More memory than it takes by default, so that it need not read from disk.
_SETTINGS: Final = ("shared_buffers=1GB", "work_mem=64MB", "listen_addresses=")
_USER: Final = "ucj"
_TABLE: Final = (
    "CREATE TABLE entries (position bigint NOT NULL, area text NOT NULL, category text NOT NULL,"
    " effective_on date NOT NULL, workers bigint NOT NULL)"
)
_COPY: Final = "COPY entries FROM STDIN"
_INDEX: Final = "CREATE INDEX ON entries (area, category, effective_on, position) INCLUDE (workers)"
_NATION: Final = (
    "SELECT area, category, sum(workers)::bigint FROM entries WHERE effective_on <= %s"
    " AND position <= %s GROUP BY area, category"
)
_REGENCY: Final = (
    "SELECT area, category, sum(workers)::bigint FROM entries WHERE area = %s"
    " AND effective_on <= %s AND position <= %s GROUP BY area, category"
)


class Postgresql:
    """What an office with a server would do."""

    name = "PostgreSQL"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return what is missing."""
        if reason := cannot_start() or missing("psycopg"):
            return reason
        if not _program("postgres") or not _program("initdb"):
            return "the server programs postgres and initdb are not installed"
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        del folder  # the server has its own
        with _server() as connection:

            def nation() -> Heads:
                return heads_of(connection.execute(_NATION, (data.on, data.known)))

            def regency() -> Heads:
                return heads_of(connection.execute(_REGENCY, (data.regency, data.on, data.known)))

            yield Work(
                Question.LOAD,
                "entries from a CSV by COPY, then index and VACUUM",
                lambda: _load(connection, data),
                data.nation,
                answer=nation,
                prepare=lambda: connection.execute("DROP TABLE IF EXISTS entries"),
                batches=data.batch_events,
                in_process=False,
            )
            yield from asked(data, nation, regency, in_process=False)


def _load(connection: Any, data: Data) -> None:  # noqa: ANN401 - the driver may be absent
    with connection.transaction():
        connection.execute(_TABLE)
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for each in data.entries():
                copy.write_row(
                    (each.position, each.area, each.category, each.effective_on, each.workers)
                )
        connection.execute(_INDEX)
    connection.execute("VACUUM ANALYZE entries")  # so that the index alone can answer


@contextmanager
def _server() -> Iterator[Any]:
    import psycopg

    initdb, postgres = _program("initdb"), _program("postgres")
    assert initdb is not None
    assert postgres is not None
    with private_server() as server:
        kept = str(server.folder / "data")
        server.run(initdb, "-D", kept, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-locale")
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        place = str(server.folder)

        def connect() -> object:
            return psycopg.connect(host=place, user=_USER, dbname="postgres", autocommit=True)

        with server.serving(
            postgres, "-D", kept, "-k", place, *settings,
            connect=connect, stop_with=signal.SIGINT,
        ) as connection:  # fmt: skip
            yield connection


def _program(name: str) -> str | None:
    # Debian keeps each version's programs to themselves, off the path.
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0),
        reverse=True,
    )
    return find_program(name, folders=[str(folder) for folder in folders])
