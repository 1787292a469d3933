"""Whether a store is as it was made: pages, schema, triggers, and a log without gaps.

Reads only. What an edited file could still hide is what proofs and `rebuild --check` are for.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from registry.language import _
from registry.storage.log import LOCK_TIMEOUT_SECONDS, connect, store_error

_FINDINGS_MAX: Final = 5
_SCHEMA: Final = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Soundness:
    """What an examination found; the three tuples are empty for a sound store.

    `damage`: what SQLite says of the file, and gaps in the log. `missing` and `changed`: triggers
    and tables that are gone, or no longer as the registry lays them out.
    """

    journal_mode: str
    store_format: int
    created_at: str | None
    created_by: str | None
    sources: int
    source_bytes: int
    damage: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]


def examine(path: Path) -> Soundness:
    """Return what a store says of itself, and what is wrong with it.

    Raises: StoreError, where SQLite cannot read it at all.
    """
    connection = connect(path, mode="ro", timeout=LOCK_TIMEOUT_SECONDS)
    try:
        identity = dict(connection.execute("SELECT name, value FROM store").fetchall())
        count, size = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM sources"
        ).fetchone()
        found = dict(connection.execute(_SCHEMA).fetchall())
        laid_out = _laid_out()
        return Soundness(
            journal_mode=str(connection.execute("PRAGMA journal_mode").fetchone()[0]),
            store_format=int(connection.execute("PRAGMA user_version").fetchone()[0]),
            created_at=identity.get("created_at"),
            created_by=identity.get("created_by"),
            sources=int(count),
            source_bytes=int(size),
            damage=(*_pages(connection), *_gaps(connection)),
            missing=tuple(sorted(laid_out.keys() - found.keys())),
            changed=tuple(
                sorted(
                    name for name in laid_out.keys() & found.keys() if found[name] != laid_out[name]
                )
            ),
        )
    except sqlite3.Error as error:
        raise store_error(error) from error
    finally:
        connection.close()


def _laid_out() -> dict[str, str]:
    """Return the schema as a new store has it."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(files("registry.storage").joinpath("schema.sql").read_text())
        return dict(connection.execute(_SCHEMA).fetchall())
    finally:
        connection.close()


def _pages(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(f"PRAGMA quick_check({_FINDINGS_MAX})").fetchall()
    return [] if rows == [("ok",)] else [str(row[0]) for row in rows]


def _gaps(connection: sqlite3.Connection) -> list[str]:
    count, first, last = connection.execute(
        "SELECT count(*), min(position), max(position) FROM stored_events"
    ).fetchone()
    if count == 0 or (first == 1 and last == count):
        return []
    return [
        _("the log holds {count} events from #{first} to #{last}: it has gaps").format(
            count=count, first=first, last=last
        )
    ]
