"""Checked rows on disk until they are recorded: grouped, in order, whatever the memory.

A private SQLite file (0600) in the spool's private folder, gone when closed. Owns no meaning: it
keeps values as JSON, brings rows of one key together, and remembers why rows were refused.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic_core import from_json, to_json

from registry.errors import InputUnreadableError
from registry.intake.rows import Row
from registry.language import _
from registry.system_errors import cause_of

PAGE_ROWS: Final = 1_000
_CACHE_KIB: Final = 32_768
_SCHEMA: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    "BEGIN",
    "CREATE TABLE line (seq INTEGER PRIMARY KEY, key, sheet, number, written)",
    "CREATE TABLE first_line (number INTEGER PRIMARY KEY, key)",
    "CREATE TABLE refusal (sheet, number, why)",
)
_GROUPS: Final = (
    "SELECT line.key, sheet, line.number, written FROM first_line "
    "CROSS JOIN line ON line.key = first_line.key ORDER BY first_line.number, line.seq"
)
_GROUP: Final = (
    "SELECT sheet, line.number, written FROM first_line "
    "CROSS JOIN line ON line.key = first_line.key WHERE first_line.number = ? "
    "ORDER BY line.seq LIMIT ?"
)

# One row's values as canonical JSON: what is kept, and what a plan's digest is made of. (The json
# module takes eight times as long for so little.)
written: Final = to_json


class RowSpool:
    """Rows in a temporary file; add pages, seal, then read groups.

    Nothing here needs to survive a crash: no journal, no sync. Opened and closed by one admission.
    """

    def __init__(self, folder: Path) -> None:
        self._refusals: list[tuple[int, int, str]] = []
        try:
            # mkstemp makes the file 0600 before SQLite writes a byte.
            descriptor, name = tempfile.mkstemp(prefix="rows-", suffix=".db", dir=folder)
            os.close(descriptor)
            self._path = Path(name)
            self._connection = sqlite3.connect(name, isolation_level=None)
            for statement in _SCHEMA:
                self._connection.execute(statement)
        except (OSError, sqlite3.Error) as error:
            raise _no_room(error) from None

    def add(self, page: Sequence[tuple[str, int, int, bytes]]) -> None:
        """Keep rows: (key, sheet, number, values as `written`)."""
        try:
            self._connection.executemany(
                "INSERT INTO line (key, sheet, number, written) VALUES (?, ?, ?, ?)", page
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None

    def refuse(self, sheet: int, number: int, why: str) -> None:
        """Remember why a row was refused."""
        self._refusals.append((sheet, number, why))
        if len(self._refusals) >= PAGE_ROWS:
            self._keep_refusals()

    def _keep_refusals(self) -> None:
        try:
            self._connection.executemany("INSERT INTO refusal VALUES (?, ?, ?)", self._refusals)
        except sqlite3.Error as error:
            raise _no_room(error) from None
        self._refusals.clear()

    def seal(self) -> None:
        """Bring the rows of each key together, groups in the order of their first rows."""
        try:
            self._connection.execute("CREATE INDEX line_key ON line (key)")
            self._connection.execute(
                "INSERT INTO first_line (key) SELECT key FROM line GROUP BY key ORDER BY min(seq)"
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None

    def groups(self, *, rows_max: int) -> Iterator[list[Row]]:
        """Yield the rows of each key; of a longer group only the first `rows_max`."""
        key: str | None = None
        group: list[Row] = []
        cursor = self._connection.execute(_GROUPS)
        while page := cursor.fetchmany(PAGE_ROWS):
            for line_key, sheet, number, values in page:
                if line_key != key:
                    if group:
                        yield group
                    key, group = line_key, []
                if len(group) < rows_max:
                    group.append(Row(sheet, number, from_json(values), values))
        if group:
            yield group

    def group(self, number: int, *, rows_max: int) -> list[Row]:
        """Return the rows of the group of a number, counted from 0, as `groups` yields it."""
        rows = self._connection.execute(_GROUP, (number + 1, rows_max))
        return [Row(sheet, row, from_json(values), values) for sheet, row, values in rows]

    def refusals(self, sheet: int) -> Iterator[tuple[int, str]]:
        """Yield (row number, why) of a sheet in file order; a row may have several."""
        self._keep_refusals()
        cursor = self._connection.execute(
            "SELECT number, why FROM refusal WHERE sheet = ? ORDER BY number, rowid", (sheet,)
        )
        while page := cursor.fetchmany(PAGE_ROWS):
            yield from page

    def close(self) -> None:
        """Remove the file; may be called twice."""
        self._connection.close()
        with suppress(OSError):  # its folder goes too; by now the file may be recorded
            self._path.unlink(missing_ok=True)


def _no_room(error: OSError | sqlite3.Error) -> InputUnreadableError:
    return InputUnreadableError(
        _("the rows cannot be kept in the temporary folder"),
        why=cause_of(error) if isinstance(error, OSError) else str(error),
        remedy=_("Free space there, or set TMPDIR to a folder with room."),
    )
