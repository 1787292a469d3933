"""How the ledger's tables are copied into an image, sorted, so that one area's question reads few blocks.

Entries are most of an image. What does not fit into its memory the engine sorts with one thread; so
they are sorted in ranges of areas, two side by side, each by a thread of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from projections import fold

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Statement = tuple[str, list[str | None]]

RANGES: Final = 3
"""With the events, which are sorted beside them, an even number; each reads the areas of all entries."""

WORKERS: Final = 2


def copy_sorted(connection: DuckDBPyConnection, schema: str) -> None:
    """Copy a schema's tables into those of the attached database `built`, which has none yet."""
    (threads,) = connection.execute("SELECT current_setting('threads')").fetchall()[0]
    if threads == 1:
        for table in fold.TABLES:
            connection.execute(_copy(schema, table))
        return
    connection.execute("SET threads = 1")  # each worker is one
    entries = f"{schema}.entries"
    connection.execute(f"CREATE TABLE built.entries AS FROM {entries} LIMIT 0")
    a_range = (
        f"INSERT INTO built.entries FROM {entries}"
        " WHERE area >= $1 AND (area < $2) IS NOT FALSE"  # no end: the last range
        f" ORDER BY {fold.sorted_by('entries')}"
    )
    statements: list[_Statement] = [
        (_copy(schema, table), []) for table in fold.TABLES if table != "entries"
    ]
    statements += [(a_range, ends) for ends in _ranges(connection, entries)]
    _run_side_by_side(connection, statements)
    connection.execute(f"SET threads = {threads}")


def _copy(schema: str, table: str) -> str:
    rows = f"{schema}.{table} ORDER BY {fold.sorted_by(table)}"
    return f"CREATE TABLE built.{table} AS FROM {rows}"


def _ranges(connection: DuckDBPyConnection, entries: str) -> list[list[str | None]]:
    """Return the first area and the end of ranges of about as many entries; the last has no end."""
    # Counted, not asked for their quantiles: for these the engine keeps all of them in memory.
    areas = connection.execute(f"SELECT area, count(*) FROM {entries} GROUP BY ALL ORDER BY ALL")
    counted = areas.fetchall()
    share = sum(count for _area, count in counted) / RANGES
    firsts: list[str] = []
    before = 0
    for area, count in counted:
        if before >= share * (len(firsts) + 1):
            firsts.append(area)
        before += count
    return [[first, end] for first, end in zip(["", *firsts], [*firsts, None], strict=True)]


def _run_side_by_side(connection: DuckDBPyConnection, statements: list[_Statement]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cursors = [connection.cursor() for _number in range(WORKERS)]
    idle = [*cursors]

    def run(statement: _Statement) -> None:
        cursor = idle.pop()
        try:
            cursor.execute(*statement)
        finally:
            idle.append(cursor)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        try:
            list(pool.map(run, statements))
        except BaseException:
            for cursor in cursors:
                cursor.interrupt()
            pool.shutdown(cancel_futures=True)
            raise
    for cursor in cursors:
        cursor.close()
