"""DuckDB alone: a sorted table of entries; and the log's lines read as JSON and folded in SQL.

Nothing is checked: an event of another form would be passed over or misread.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from benchmarks.peers.data import Data
from benchmarks.peers.peer import Question, Work, asked, heads_of
from benchmarks.tally import Heads

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LOAD: Final = """
CREATE OR REPLACE TABLE entries AS
SELECT position, area, category, effective_on, workers
FROM read_csv($path, header = true, columns = {
    'position': 'BIGINT', 'recorded_at': 'TIMESTAMP', 'area': 'VARCHAR', 'reference': 'VARCHAR',
    'part': 'VARCHAR', 'act': 'VARCHAR', 'category': 'VARCHAR', 'effective_on': 'DATE',
    'workers': 'BIGINT'})
ORDER BY area, category, effective_on, position
"""
_LINE: Final = (
    """SELECT '{"position":' || position || ',"state":' || CAST(state AS TEXT) || '}'"""
    " FROM stored_events ORDER BY position"
)
_LINES: Final = (
    "STRUCT(cohort STRUCT(area VARCHAR, category VARCHAR, expires_on DATE), workers BIGINT)[]"
)
_STATE: Final = (
    f"STRUCT(effective_on DATE, lines {_LINES}, puts {_LINES},"
    f" takes_back STRUCT(effective_on DATE, lines {_LINES}))"
)
_FOLD: Final = """
CREATE OR REPLACE TABLE entries AS
WITH log AS (
    SELECT position, unnest(state) FROM read_json($path, format = 'newline_delimited',
        columns = {'position': 'BIGINT', 'state': $state})
), movement AS (
    SELECT position, effective_on, 1 AS sign, unnest(lines) AS line FROM log
    UNION ALL SELECT position, effective_on, 1, unnest(puts) FROM log
    UNION ALL SELECT position, takes_back.effective_on, -1, unnest(takes_back.lines) FROM log
), signed AS (
    SELECT position, line.cohort.area AS area, line.cohort.category AS category, effective_on,
           sign * line.workers AS workers FROM movement
    UNION ALL
    SELECT position, line.cohort.area, line.cohort.category, line.cohort.expires_on,
           -sign * line.workers FROM movement WHERE line.cohort.expires_on IS NOT NULL
)
SELECT * FROM signed ORDER BY area, category, effective_on, position
"""
_NATION: Final = (
    "SELECT area, category, sum(workers) FROM entries WHERE effective_on <= $1 AND position <= $2"
    " GROUP BY ALL"
)
_REGENCY: Final = (
    "SELECT area, category, sum(workers) FROM entries WHERE area = $1 AND effective_on <= $2"
    " AND position <= $3 GROUP BY ALL"
)


class DuckdbTable:
    """What an analyst would do."""

    name = "DuckDB"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return None: ucj needs it too."""
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        with closing(duckdb.connect(str(folder / "entries.duckdb"))) as connection:
            yield Work(
                Question.LOAD,
                "entries from a CSV into a sorted table",
                lambda: _run(connection, _LOAD, data.csv),
                data.nation,
                answer=lambda: nation(connection, data),
                batches=data.batch_events,
            )
            yield from asked(
                data, lambda: nation(connection, data), lambda: regency(connection, data)
            )
            lines = folder / "lines.json"

            def written_and_folded() -> None:
                write_lines(data.store.path, lines)
                _run(connection, fold, lines)

            fold = _FOLD.replace("$state", f"'{_STATE}'")
            ways = {
                "log written as lines, read_json, fold in SQL": written_and_folded,
                "of this, without writing the lines": lambda: _run(connection, fold, lines),
            }
            for way, run in ways.items():
                yield Work(
                    Question.REBUILD,
                    way,
                    run,
                    data.nation,
                    answer=lambda: nation(connection, data),
                    prepare=lambda: connection.execute("DROP TABLE IF EXISTS entries"),
                )


def write_lines(store: Path, lines: Path) -> None:
    """Write each event of a store as a line of JSON."""
    with (
        closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as log,
        lines.open("w", encoding="utf-8") as file,
    ):
        rows = log.execute(_LINE)
        while page := rows.fetchmany(5_000):
            file.write("\n".join(itertools.chain.from_iterable(page)) + "\n")


def _run(connection: DuckDBPyConnection, statement: str, path: Path) -> None:
    connection.execute(statement, {"path": str(path)})
    connection.execute("CHECKPOINT")  # so that it lies sorted in its file, and durable


def nation(connection: DuckDBPyConnection, data: Data) -> Heads:
    """Return the nation's heads by regency and category."""
    return heads_of(connection.execute(_NATION, [data.on, data.known]).fetchall())


def regency(connection: DuckDBPyConnection, data: Data) -> Heads:
    """Return one regency's heads by category."""
    return heads_of(connection.execute(_REGENCY, [data.regency, data.on, data.known]).fetchall())
