"""The fold: `fold.sql` applied to lines of the log, the same for a tail and for a whole log."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import StoreDamagedError, StoreNewerError

if TYPE_CHECKING:

    from duckdb import DuckDBPyConnection

TABLES = (
    "entries",
    "events",
    "potentials",
    "targets",
    "figures",
    "taken_back",
    "imports",
    "categories",
)

EVENT_BYTES_MAX = 16 << 20
"""DuckDB sets aside twice this a thread; an event of LINES_MAX lines stays below it."""


@cache
def _text() -> str:
    return files("projections").joinpath("fold.sql").read_text(encoding="utf-8")


@cache
def version() -> str:
    """Return what names the fold: eight hex digits of its text, so that any change is another."""
    return hashlib.sha256(_text().encode()).hexdigest()[:8]


@cache
def section(name: str) -> str:
    """Return the part of the page below `-- @name`."""
    for part in _text().split("\n-- @")[1:]:
        head, _, body = part.partition("\n")
        if head.split(":")[0].strip() == name:
            return "\n".join(each for each in body.splitlines() if not each.startswith("--"))
    msg = f"fold.sql has no section {name}"
    raise LookupError(msg)


@cache
def _columns() -> dict[str, str]:
    lines = " ".join(section("lines").split())
    return {
        "position": "BIGINT",
        "originator_id": "VARCHAR",
        "originator_version": "BIGINT",
        "topic": "VARCHAR",
        "state": " ".join(section("state").replace("@LINES", lines).split()),
    }


def sorted_by(table: str) -> str:
    """Return how a table lies in an image; by position unless the page says otherwise."""
    for each in section("order").splitlines():
        name, _, keys = each.partition(":")
        if name.strip() == table:
            return keys.strip()
    return "position"


def create_tables(connection: DuckDBPyConnection) -> None:
    """Create the fold's tables in the current schema."""
    connection.execute(section("tables"))


def fold_file(connection: DuckDBPyConnection, path: Path) -> None:
    """Fold a file of newline-delimited lines into the current schema's tables."""
    _fold(
        connection,
        "SELECT * FROM read_json($1, format = 'newline_delimited', columns = "
        + repr(_columns())
        + f", maximum_object_size = {EVENT_BYTES_MAX})",
        [str(path)],
    )


def _fold(connection: DuckDBPyConnection, select: str, parameters: list[object]) -> None:
    import duckdb

    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE line AS {select}", parameters)
        unknown = connection.execute(section("unknown")).fetchone()
        if unknown is not None:
            position, topic, class_version = unknown
            what = (
                f"the event at #{position} ({topic}, form {class_version}) is not known to this ucj"
            )
            raise StoreNewerError(
                what, why="No figure is given while an event is skipped.", remedy="Update ucj."
            )
        connection.execute(section("fold"))
    except (
        duckdb.ConstraintException,
        duckdb.ConversionException,
        duckdb.InvalidInputException,
    ) as error:
        what = f"an event in the log is malformed: {str(error).splitlines()[0][:200]}"
        raise StoreDamagedError(what, remedy="Restore the store from a backup.") from error
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.line")
