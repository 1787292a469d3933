"""The ledger's tables, whole and in a fixed order: for exports, and views for statements.

Owns which tables there are beside the fold's (`areas`, `area_days`), and the order that makes two exports of
one position equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from projections import fold
from projections.boundaries import boundaries_in
from registry.reference.categories import Categories
from registry.terms import FIRST_DAY, Change, is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAGE_ROWS: Final = 5_000
TABLES: Final = (*fold.TABLES, "areas", "area_days")
COMPLETED: Final = frozenset({"categories", "areas", "area_days"})
"""Tables that hold what is built in too: they are made when they are asked for."""

ColumnKind = Literal["text", "count", "flag", "date", "instant", "json"]
ColumnType = Literal["string", "integer", "boolean", "date", "datetime", "array", "object"]

# The engine's types of the ledger's columns → (how a value is printed, its Table Schema type).
_TYPES: Final[dict[str, tuple[ColumnKind, ColumnType]]] = {
    "BIGINT": ("count", "integer"),
    "BOOLEAN": ("flag", "boolean"),
    "DATE": ("date", "date"),
    "TIMESTAMP": ("instant", "datetime"),
    "VARCHAR": ("text", "string"),
    "VARCHAR[]": ("json", "array"),
    "MAP(VARCHAR, BIGINT)": ("json", "object"),
    "MAP(VARCHAR, VARCHAR)": ("json", "object"),
}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table: how its values are printed, and what they are (Table Schema)."""

    name: str
    kind: ColumnKind
    type: ColumnType


def add_areas(connection: DuckDBPyConnection, name: str, known: int) -> None:
    """Create a table of all areas, as they stand after the last change, under a name of ours.

    `code` is that of the other tables: the one under which the registry keeps the area.
    """
    areas = boundaries_in(connection, known).areas
    connection.execute(
        f"CREATE TABLE {name} AS SELECT unnest($1::VARCHAR[]) AS code,"
        " unnest($2::VARCHAR[]) AS name, unnest($3::VARCHAR[]) AS kind,"
        " unnest($4::VARCHAR[]) AS province",
        [
            [area.code for area in areas],
            [area.name for area in areas],
            [area.kind for area in areas],
            [area.province for area in areas],
        ],
    )


def add_area_days(connection: DuckDBPyConnection, name: str, known: int) -> None:
    """Create a table of what each area is called, and where it lies, from one day to the next.

    One row holds from `valid_from` until the day before `expires_on` (null: no end). `area` is the
    code of the other tables, `code` the one in force.
    """
    boundaries = boundaries_in(connection, known)
    rows = []
    for area in boundaries.areas:
        opened = boundaries.opened.get(area.code)
        changed = {e.on for trait in Change for e in boundaries.chain(area.code, trait)}
        days = sorted({opened.on if opened else FIRST_DAY, *changed})
        for day, end in zip(days, [*days[1:], None], strict=True):
            standing = [
                boundaries.standing(area.code, trait, day)
                if trait is Change.RENAMED or is_regency(area.code)
                else None
                for trait in (Change.RECODED, Change.RENAMED, Change.MOVED)
            ]
            rows.append((area.code, day, end, standing[0] or area.code, *standing[1:]))
    connection.execute(
        f"CREATE TABLE {name} AS SELECT unnest($1::VARCHAR[]) AS area,"
        " unnest($2::DATE[]) AS valid_from, unnest($3::DATE[]) AS expires_on,"
        " unnest($4::VARCHAR[]) AS code, unnest($5::VARCHAR[]) AS name,"
        " unnest($6::VARCHAR[]) AS province",
        [list(column) for column in zip(*rows, strict=True)],
    )


def add_categories(connection: DuckDBPyConnection, name: str, known: int) -> None:
    """Create a table of all categories under a name of ours: built-in ones, then those added."""
    built_in = Categories()
    slugs = built_in.slugs()
    connection.execute(
        f"CREATE TABLE {name} AS"
        " SELECT unnest($1::VARCHAR[]) AS category, unnest($2::VARCHAR[]) AS label_id,"
        " unnest($3::VARCHAR[]) AS label_en, false AS added"
        " UNION ALL SELECT category, label_id, label_en, true FROM memory.main.categories"
        f" WHERE position <= {int(known)}",
        [
            list(slugs),
            [built_in.label(slug, "id") for slug in slugs],
            [built_in.label(slug, "en") for slug in slugs],
        ],
    )


def columns_of(connection: DuckDBPyConnection, table: str) -> tuple[TableColumn, ...]:
    """Return the columns of a table."""
    described = connection.execute(f"DESCRIBE {place_of(table)}").fetchall()
    return tuple(TableColumn(name, *_TYPES[form]) for name, form, *_ in described)


def rows_of(connection: DuckDBPyConnection, table: str, known: int) -> Iterator[dict[str, object]]:
    """Yield the rows of a table as known at a position, a page in memory at a time."""
    columns = columns_of(connection, table)
    names = ", ".join(
        f'to_json("{each.name}")::VARCHAR' if each.kind == "json" else f'"{each.name}"'
        for each in columns
    )
    found = connection.execute(f"SELECT {names} FROM ({_selected(table, columns, known)})")
    while page := found.fetchmany(PAGE_ROWS):
        for values in page:
            yield {
                column.name: _value(value, column.kind)
                for column, value in zip(columns, values, strict=True)
            }


def copy_parquet(connection: DuckDBPyConnection, table: str, known: int, path: Path) -> None:
    """Write a table as known at a position to a Parquet file, by the engine itself."""
    columns = columns_of(connection, table)
    names = ", ".join(
        f'"{each.name}"::TIMESTAMPTZ AS "{each.name}"'
        if each.kind == "instant"
        else f'"{each.name}"'
        for each in columns
    )
    quoted = str(path).replace("'", "''")
    connection.execute(
        f"COPY (SELECT {names} FROM ({_selected(table, columns, known)}))"
        f" TO '{quoted}' (FORMAT parquet)"
    )


def _selected(table: str, columns: tuple[TableColumn, ...], known: int) -> str:
    """Return a query of a whole table, in an order without ties: exports are to be equal."""
    if table in COMPLETED:
        return f"SELECT * FROM {place_of(table)} ORDER BY ALL"
    order = fold.sorted_by(table).split(", ")
    order += [f'"{each.name}"' for each in columns if each.name not in order]
    return f"SELECT * FROM {table} WHERE position <= {int(known)} ORDER BY {', '.join(order)}"


def complete(connection: DuckDBPyConnection, known: int) -> None:
    """Make the tables that hold what is built in too, in a schema of their own."""
    connection.execute("CREATE SCHEMA completed")
    add_areas(connection, place_of("areas"), known)
    add_area_days(connection, place_of("area_days"), known)
    add_categories(connection, place_of("categories"), known)


def place_of(table: str) -> str:
    """Return where a table is found, by name."""
    return f"completed.{table}" if table in COMPLETED else table


def _value(value: object, kind: ColumnKind) -> object:
    if value is None:
        return None
    if kind == "instant":
        return value.replace(tzinfo=UTC)  # type: ignore[attr-defined]
    return json.loads(str(value)) if kind == "json" else value
