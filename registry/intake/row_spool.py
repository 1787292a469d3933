"""Checked rows on disk until they are recorded: grouped, in order, whatever the memory.

A private SQLite file (0600) in the spool's private folder, gone when closed. Owns no meaning: it
keeps values as they are, brings rows of one key together, and remembers why rows were refused. Rows of
one key mostly stand together in a file, and so they are kept: as one run, many runs a page.
"""

from __future__ import annotations

import marshal
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json

from registry.errors import InputUnreadableError
from registry.intake.rows import Page, Row, Values
from registry.language import _
from registry.system_errors import cause_of

PAGE_ROWS: Final = 1_000
RUN_ROWS_MAX: Final = 1_000
PAGE_BYTES: Final = 512 * 1024
"""A page ends with the run that comes to it, however few it has."""

_CACHE_KIB: Final = 32_768
_SCHEMA: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    "BEGIN",
    "CREATE TABLE page (first_run INTEGER PRIMARY KEY, packed)",
    "CREATE TABLE seen (hash INTEGER PRIMARY KEY)",
    # Filled only where rows of a key stand apart.
    "CREATE TABLE run (seq INTEGER PRIMARY KEY, key, packed)",
    "CREATE TABLE first_run (number INTEGER PRIMARY KEY, key)",
    "CREATE TABLE refusal (sheet, number, why)",
)
_PAGES: Final = "SELECT packed FROM page ORDER BY first_run"
_PAGE: Final = (
    "SELECT first_run, packed FROM page WHERE first_run <= ? ORDER BY first_run DESC LIMIT 1"
)
_GROUPS: Final = (
    "SELECT first_run.number, packed FROM first_run "
    "CROSS JOIN run ON run.key = first_run.key ORDER BY first_run.number, run.seq"
)
_GROUP: Final = (
    "SELECT first_run.number, packed FROM first_run "
    "CROSS JOIN run ON run.key = first_run.key WHERE first_run.number = ? ORDER BY run.seq"
)

# One row's values as canonical JSON: what a plan's digest is made of. (The json module takes eight
# times as long for so little.)
written: Final = to_json


class RowSpool:
    """Rows in a temporary file; add them, seal, then read groups.

    Nothing here needs to survive a crash: no journal, no sync. Opened and closed by one admission.
    `is_scattered`: rows of one key stand apart; what is known once all are there.
    """

    def __init__(self, folder: Path) -> None:
        self.is_scattered = False
        self._refusals: list[tuple[int, int, str]] = []
        self._runs = 0
        self._sheet = 0
        # The page that is not ended, nor its last run.
        self._keys: list[str] = []
        self._lengths: list[int] = []
        self._numbers: list[int] = []
        self._rows: list[Values] = []
        self._bytes = 0
        self._looked_up: tuple[int, Page, list[int]] = 0, Page(0, (), (), (), ()), []
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

    def add(
        self, sheet: int, keys: Sequence[str], numbers: Sequence[int], rows: Sequence[Values]
    ) -> None:
        """Keep rows of a sheet: the key, the number and the values of each."""
        if sheet != self._sheet:
            self._end_page()
            self._sheet = sheet
        for key, number, values in zip(keys, numbers, rows, strict=True):
            if key != self.last_key or self._lengths[-1] >= RUN_ROWS_MAX:
                if len(self._rows) >= PAGE_ROWS or self._bytes >= PAGE_BYTES:
                    self._end_page()
                self._keys.append(key)
                self._lengths.append(0)
            self._lengths[-1] += 1
            self._numbers.append(number)
            self._rows.append(values)
            self._bytes += len(written(values))

    @property
    def last_key(self) -> str | None:
        """The key of the last row, while rows may still come that belong to its run."""
        return self._keys[-1] if self._keys else None

    def add_page(self, page: Page, packed: bytes) -> None:
        """Keep a whole page, which is given packed, too."""
        self._end_page()
        self._keep_page(page, packed)

    def _end_page(self) -> None:
        if not self._rows:
            return
        columns = [*zip(*self._rows, strict=True)]
        page = Page(self._sheet, self._keys, self._lengths, self._numbers, columns)
        self._keep_page(page, page.packed())
        self._keys, self._lengths, self._numbers, self._rows = [], [], [], []
        self._bytes = 0

    def _keep_page(self, page: Page, packed: bytes) -> None:
        try:
            self._connection.execute("INSERT INTO page VALUES (?, ?)", (self._runs, packed))
            seen = self._connection.executemany(
                "INSERT OR IGNORE INTO seen VALUES (?)", zip(map(hash, page.keys))
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None
        self._runs += len(page.keys)
        if seen.rowcount < len(page.keys):  # or two keys have one hash, once in an age
            self.is_scattered = True

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
        self._end_page()
        if not self.is_scattered:
            return
        try:
            for page in self._pages():
                self._connection.executemany(
                    "INSERT INTO run (key, packed) VALUES (?, ?)",
                    zip(page.keys, map(_packed_run, page.runs()), strict=True),
                )
            self._connection.execute("CREATE INDEX run_key ON run (key)")
            self._connection.execute(
                "INSERT INTO first_run (key) SELECT key FROM run GROUP BY key ORDER BY min(seq)"
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None

    def pages(self) -> Iterator[Page] | None:
        """Yield the groups many at once, each of one run; None where rows of a key stand apart."""
        return None if self.is_scattered else self._pages()

    def _pages(self) -> Iterator[Page]:
        for (packed,) in self._connection.execute(_PAGES):
            yield Page.unpacked(packed)

    def groups(self, *, rows_max: int) -> Iterator[list[Row]]:
        """Yield the rows of each key; of a longer group only the first `rows_max`."""
        if not self.is_scattered:
            for page in self._pages():
                yield from (rows[:rows_max] for rows in page.runs())
            return
        for _number, runs in groupby(self._connection.execute(_GROUPS), itemgetter(0)):
            yield [*islice(chain.from_iterable(map(_rows_of_run, runs)), rows_max)]

    def __len__(self) -> int:
        """Return how many groups there are; where rows of a key stand apart, each run of them counts."""
        return self._runs

    def group(self, number: int, *, rows_max: int) -> list[Row]:
        """Return the rows of the group of a number, counted from 0, as `groups` yields it."""
        if self.is_scattered:
            runs = self._connection.execute(_GROUP, (number + 1,))
            return [*islice(chain.from_iterable(map(_rows_of_run, runs)), rows_max)]
        first, page, starts = self._looked_up
        if not first <= number < first + len(starts):
            ((first, packed),) = self._connection.execute(_PAGE, (number,))
            page = Page.unpacked(packed)
            starts = page.starts()
            self._looked_up = first, page, starts  # mostly one behind it is asked for next
        start, length = starts[number - first], page.lengths[number - first]
        return page.rows_at(range(start, start + min(length, rows_max)))

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


def _packed_run(rows: Sequence[Row]) -> bytes:
    return marshal.dumps([tuple(row) for row in rows])


def _rows_of_run(found: tuple[int, bytes]) -> Iterator[Row]:
    rows: list[Any] = marshal.loads(found[1])  # noqa: S302 - our own, of a private file
    return (Row(*row) for row in rows)


def _no_room(error: OSError | sqlite3.Error) -> InputUnreadableError:
    return InputUnreadableError(
        _("the rows cannot be kept in the temporary folder"),
        why=cause_of(error) if isinstance(error, OSError) else str(error),
        remedy=_("Free space there, or set TMPDIR to a folder with room."),
    )
