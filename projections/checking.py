"""Is the ledger what the log says? A fresh replay, compared cell by cell with image and tail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from projections import fold
from projections.ledger import Ledger, replayed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import ImageFolder
    from registry.storage.log import Log

Side = Literal["ledger", "log"]
Progress = Callable[[int], None]

SLICE_EVENTS: Final = 500_000
"""Rows of so many events are compared at once, so that memory does not grow with the log."""
MEMORY_LIMIT: Final = "512MB"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of one table that is in the ledger or in the log's replay, and not in the other."""

    table: str
    side: Side
    position: int
    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a check compared, and what differs; of a flood of differences the first are kept."""

    position: int
    image_position: int | None
    rows: int
    differences: tuple[Difference, ...]
    differences_total: int
    damaged_images: tuple[Path, ...] = ()


def compare(
    log: Log,
    folder: ImageFolder | None,
    *,
    most: int = 20,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Replay the log into fresh tables and compare them with image and tail, both ways.

    Nothing is changed: an image that cannot be used is left where it is, and named.
    Raises: duckdb.Error, where the image cannot be read to its end.
    """
    ledger = Ledger(log, folder, keep_damaged=True)
    try:
        image_position = ledger.image.position if ledger.image else None
        # An image published meanwhile reaches past the head that was read before it.
        position = max(ledger.position, image_position or 0)
        with replayed(log, folder, position, progress=progress) as replay:
            found = _compared(ledger.connection, replay, position, image_position, most)
            return replace(found, damaged_images=ledger.refused_images)
    finally:
        ledger.close()


def _compared(
    connection: DuckDBPyConnection,
    replay: Path,
    position: int,
    image_position: int | None,
    most: int,
) -> Comparison:
    spill = str(replay.parent / "compared").replace("'", "''")
    path = str(replay).replace("'", "''")
    connection.execute(
        f"SET memory_limit = '{MEMORY_LIMIT}'; SET temp_directory = '{spill}';"
        f" ATTACH '{path}' AS fresh (READ_ONLY)"
    )
    kept: list[Difference] = []
    total = rows = 0
    for table in fold.TABLES:
        rows += _count(connection, f"fresh.{table}")
        for within in _slices(position):
            for side, has, lacks in (
                ("ledger", f"main.{table}", f"fresh.{table}"),
                ("log", f"fresh.{table}", f"main.{table}"),
            ):
                only = (
                    f"SELECT * FROM {has} WHERE {within}"
                    f" EXCEPT ALL SELECT * FROM {lacks} WHERE {within}"
                )
                differing = _count(connection, f"({only})")
                total += differing
                if differing and len(kept) < most:
                    named: Side = "ledger" if side == "ledger" else "log"
                    kept.extend(_read(connection, table, named, only, most - len(kept)))
    connection.execute("DETACH fresh")
    return Comparison(position, image_position, rows, tuple(kept), total)


def _slices(position: int) -> Iterator[str]:
    """Yield conditions that part all rows by position, whatever positions a damaged one has."""
    bounds = list(range(SLICE_EVENTS, position, SLICE_EVENTS))
    for after, upto in zip([None, *bounds], [*bounds, None], strict=True):
        lower = "true" if after is None else f"position > {after}"
        upper = "true" if upto is None else f"position <= {upto}"
        yield f"({lower} AND {upper})"


def _count(connection: DuckDBPyConnection, source: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    assert found is not None
    return int(found[0])


def _read(
    connection: DuckDBPyConnection, table: str, side: Side, only: str, most: int
) -> Iterator[Difference]:
    answer = connection.execute(f"SELECT * FROM ({only}) ORDER BY position LIMIT {most}")
    names = [column[0] for column in answer.description or ()]
    for values in answer.fetchall():
        row = {
            name: value.isoformat() if isinstance(value, date | datetime) else value
            for name, value in zip(names, values, strict=True)
            if value is not None
        }
        yield Difference(table, side, values[names.index("position")], row)
