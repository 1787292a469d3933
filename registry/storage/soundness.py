"""Whether a store is as it was made: pages, schema, triggers, and a log without gaps.

Reads only. What an edited file could still hide is what proofs and `rebuild --check` are for.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from registry.errors import StoreDamagedError
from registry.language import _
from registry.storage.log import LOCK_TIMEOUT_SECONDS, ConnectionLog, connect, store_error

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
            damage=(
                *_pages(connection),
                *_gaps(connection),
                *_streams(connection),
                *_originals(connection, path),
                *_birth(identity.get("created_at")),
            ),
            missing=tuple(sorted(laid_out.keys() - found.keys())),
            changed=tuple(
                sorted(
                    name for name in laid_out.keys() & found.keys() if found[name] != laid_out[name]
                )
            ),
        )
    except sqlite3.Error as error:
        raise store_error(error, path, asking=True) from error
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
    found = []
    if count and (first != 1 or last != count):
        found.append(
            _("the log holds {count} events from #{first} to #{last}: it has gaps").format(
                count=count, first=first, last=last
            )
        )
    given = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'stored_events'"
    ).fetchone()[0]
    if given != (last or 0):
        found.append(
            _("the log ends at #{last}, but #{given} was recorded").format(
                last=last or 0, given=given
            )
        )
    return found


def _streams(connection: sqlite3.Connection) -> list[str]:
    """Find streams whose versions do not count from 1 without a gap."""
    rows = connection.execute(
        "SELECT min(position) FROM stored_events GROUP BY originator_id"
        " HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)"
        " ORDER BY 1 LIMIT ?",
        (_FINDINGS_MAX,),
    ).fetchall()
    return [
        _("the stream that begins at #{position} has a gap").format(position=row[0]) for row in rows
    ]


def _birth(created_at: str | None) -> list[str]:
    try:
        datetime.fromisoformat(created_at or "")
    except ValueError:
        return [_("the instant at which the store was made cannot be read")]
    return []


def _originals(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Find original files that are no longer what was imported."""
    found: list[str] = []
    log = ConnectionLog(connection, "", path=path, asking=True)
    for (sha256,) in connection.execute("SELECT sha256 FROM sources ORDER BY sha256").fetchall():
        try:
            for _chunk in log.source(sha256):
                pass
        except StoreDamagedError as error:
            found.append(error.what)
            if len(found) == _FINDINGS_MAX:
                break
    return found
