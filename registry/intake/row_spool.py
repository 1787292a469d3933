"""Checked rows on disk until they are recorded: grouped, in order, whatever the memory.

A private SQLite file (0600) in the spool's private folder, gone when closed. Owns no meaning: it
keeps values as JSON, brings rows of one key together, and remembers why rows were refused. Rows of one
key mostly stand together in a file, and so they are kept: as one run.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, groupby, islice, starmap
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

from pydantic_core import from_json, to_json

from registry.errors import InputUnreadableError
from registry.intake.rows import Row, Values
from registry.language import _
from registry.system_errors import cause_of

PAGE_ROWS: Final = 1_000
RUN_ROWS_MAX: Final = 1_000
PAGE_BYTES: Final = 512 * 1024
"""A page of runs ends with the one that comes to it, however few it has."""

_CACHE_KIB: Final = 32_768
_SCHEMA: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    "BEGIN",
    "CREATE TABLE run (seq INTEGER PRIMARY KEY, key, sheet, numbers, written, is_counted)",
    "CREATE TABLE first_run (number INTEGER PRIMARY KEY, key)",
    "CREATE TABLE refusal (sheet, number, why)",
)
_RUNS: Final = "SELECT key, sheet, numbers, written, is_counted FROM run ORDER BY seq"
_RUN: Final = "SELECT key, sheet, numbers, written, is_counted FROM run WHERE seq = ?"
_GROUPS: Final = (
    "SELECT run.key, sheet, numbers, written, is_counted FROM first_run "
    "CROSS JOIN run ON run.key = first_run.key ORDER BY first_run.number, run.seq"
)
_GROUP: Final = (
    "SELECT run.key, sheet, numbers, written, is_counted FROM first_run "
    "CROSS JOIN run ON run.key = first_run.key WHERE first_run.number = ? ORDER BY run.seq"
)

# One row's values as canonical JSON: what is kept, and what a plan's digest is made of. (The json
# module takes eight times as long for so little.)
written: Final = to_json


class Run(NamedTuple):
    """Rows of one key that stand one below the other.

    `numbers` are the file's rows, as JSON; `written` the values of each as canonical JSON, with commas
    between. `is_counted`: whoever listens has taken them, as all rows of their key.
    """

    key: str
    sheet: int
    numbers: bytes
    written: bytes
    is_counted: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows."""
        values = from_json(b"[%b]" % self.written)
        for number, each in zip(from_json(self.numbers), values, strict=True):
            yield Row(self.sheet, number, each)


def values_of(page: Sequence[Run]) -> list[list[Values]]:
    """Return the values of many runs, row by row: read at once, which takes half as long."""
    rows: list[list[Values]] = from_json(b"[[%b]]" % b"],[".join([run.written for run in page]))
    return rows


def numbers_of(page: Sequence[Run]) -> list[list[int]]:
    """Return the numbers of the rows of many runs."""
    numbers: list[list[int]] = from_json(b"[%b]" % b",".join([run.numbers for run in page]))
    return numbers


class RowSpool:
    """Rows in a temporary file; add pages, seal, then read groups.

    Nothing here needs to survive a crash: no journal, no sync. Opened and closed by one admission.
    `count` is told the rows of each run, and says whether they can be counted as a batch.
    """

    def __init__(
        self, folder: Path, count: Callable[[int, Sequence[Values]], bool] = lambda *_: False
    ) -> None:
        self._count = count
        self._refusals: list[tuple[int, int, str]] = []
        self._runs: list[Run] = []
        self._run_bytes = 0
        self._key: str | None = None  # of the run that is not ended
        self._sheet = 0
        self._numbers: list[int] = []
        self._values: list[Values] = []
        self._is_scattered = False
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
            self._end_run()
            self._sheet = sheet
        key, run_numbers, run_rows = self._key, self._numbers, self._values
        for next_key, number, values in zip(keys, numbers, rows, strict=True):
            if next_key != key or len(run_rows) >= RUN_ROWS_MAX:
                self._end_run()
                key = self._key = next_key
            run_numbers.append(number)
            run_rows.append(values)

    def _end_run(self) -> None:
        if self._values:
            assert self._key is not None
            rows = written(self._values)[1:-1]
            is_counted = self._count(self._sheet, self._values)
            numbers = to_json(self._numbers)
            self._runs.append(Run(self._key, self._sheet, numbers, rows, is_counted))
            self._run_bytes += len(rows)
            self._values.clear()
            self._numbers.clear()
        if len(self._runs) >= PAGE_ROWS or self._run_bytes >= PAGE_BYTES:
            self._keep_runs()

    def _keep_runs(self) -> None:
        try:
            self._connection.executemany(
                "INSERT INTO run (key, sheet, numbers, written, is_counted) VALUES (?, ?, ?, ?, ?)",
                self._runs,
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None
        self._runs.clear()
        self._run_bytes = 0

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
        self._end_run()
        self._keep_runs()
        try:
            self._connection.execute("CREATE INDEX run_key ON run (key)")
            apart = self._connection.execute(
                "SELECT key FROM run GROUP BY key HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
            self._is_scattered = apart is not None
            if not self._is_scattered:
                return
            self._connection.execute(
                "INSERT INTO first_run (key) SELECT key FROM run GROUP BY key ORDER BY min(seq)"
            )
        except sqlite3.Error as error:
            raise _no_room(error) from None

    def pages(self) -> Iterator[list[Run]] | None:
        """Yield the groups many at once, each of one run; None where rows of a key stand apart."""
        return None if self._is_scattered else self._pages()

    def _pages(self) -> Iterator[list[Run]]:
        page: list[Run] = []
        size = 0
        for run in starmap(Run, self._connection.execute(_RUNS)):
            page.append(run)
            size += len(run.written)
            if len(page) >= PAGE_ROWS or size >= PAGE_BYTES:
                yield page
                page, size = [], 0
        if page:
            yield page

    def groups(self, *, rows_max: int) -> Iterator[list[Row]]:
        """Yield the rows of each key; of a longer group only the first `rows_max`."""
        cursor = self._connection.execute(_GROUPS if self._is_scattered else _RUNS)
        for _key, runs in groupby(starmap(Run, cursor), attrgetter("key")):
            yield [*islice(chain.from_iterable(run.rows() for run in runs), rows_max)]

    def group(self, number: int, *, rows_max: int) -> list[Row]:
        """Return the rows of the group of a number, counted from 0, as `groups` yields it."""
        query = _GROUP if self._is_scattered else _RUN
        runs = starmap(Run, self._connection.execute(query, (number + 1,)))
        return [*islice(chain.from_iterable(run.rows() for run in runs), rows_max)]

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
