"""A listing as a Parquet file, typed, through DuckDB: no second engine for one format."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Final

from cli.listing import PERCENT_PLACES, POINTS_PLACES, Kind, Listing
from cli.records import json_lines

PAGE_ROWS: Final = 10_000

_TYPES: Final[dict[Kind, str]] = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "count": "BIGINT",
    "number": "DOUBLE",
    "percent": f"DECIMAL(18,{PERCENT_PLACES})",
    "points": f"DECIMAL(18,{POINTS_PLACES})",
    "date": "DATE",
    "instant": "TIMESTAMPTZ",
    "flag": "BOOLEAN",
    "json": "JSON",
}


def write_parquet(listing: Listing, path: Path) -> None:
    """Write the listing at the path: one column per key, nulls as nulls, decimals exact."""
    import duckdb

    types = {column.key: _TYPES[column.kind] for column in listing.columns}
    columns = ", ".join(f"{_identifier(key)} {form}" for key, form in types.items())
    decode = f"unnest(from_json(line, {_literal(json.dumps(types))}))"
    lines = json_lines(listing)
    # No spill folder: DuckDB's default would be made in the user's current folder.
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as engine:
        engine.execute(f"CREATE TABLE listing ({columns})")
        while page := list(islice(lines, PAGE_ROWS)):
            engine.execute(
                f"INSERT INTO listing SELECT {decode} FROM unnest($1::VARCHAR[]) AS page(line)",  # noqa: S608 (our own keys, quoted)
                [page],
            )
        try:
            engine.execute(f"COPY listing TO {_literal(str(path))} (FORMAT parquet)")
        except duckdb.IOException as error:
            raise OSError(None, str(error).splitlines()[0]) from error


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
