"""What is kept of a file: its very bytes, or, where they may name somebody, a copy of what was read.

Owns the choice, and the form of the copy: the same rows at the same numbers, the same columns at
the same places, only the cells that were read. Titles, columns and sheets that were not read, and
whatever else a spreadsheet holds, are not in it.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from registry.cells import CellError, ShownNumber, Value
from registry.errors import InputUnreadableError
from registry.intake.grid import Row
from registry.intake.notes import Sheet
from registry.intake.spool import SpooledFile
from registry.intake.unread import may_name_somebody
from registry.language import _
from registry.safe_text import safe
from registry.system_errors import cause_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_FIRST_YEAR: Final = 1901  # earlier days have no number that every spreadsheet agrees on
_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # one file read in one way has one copy, any day


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The bytes to keep, in the spool's private folder; `verbatim` where they are the input's."""

    path: Path
    sha256: str
    size: int
    verbatim: bool


def kept_copy(spooled: SpooledFile, sheets: Sequence[Sheet], *, verbatim: bool) -> KeptFile:
    """Return what to keep of an admitted file.

    Its bytes, if `verbatim` (nothing was declared not to be read) and no number as long as a
    person's stands where nothing is read; else a copy of what was read is made. Streams.
    Raises: InputUnreadableError where the copy cannot be written.
    """
    if verbatim and not may_name_somebody(spooled, sheets):
        return KeptFile(spooled.path, spooled.sha256, spooled.size, verbatim=True)
    path = spooled.path.with_name("kept")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        os.close(os.open(path, flags, 0o600))
        if spooled.kind == "text":
            with path.open("w", encoding="utf-8", newline="") as text:
                _write_text(text, _read_rows(sheets[0]))
        else:
            _write_workbook(path, sheets)
        with path.open("rb") as copy:
            digest = hashlib.file_digest(copy, "sha256").hexdigest()
        return KeptFile(path, digest, path.stat().st_size, verbatim=False)
    except OSError as error:
        raise InputUnreadableError(
            _("no copy of what was read of {name} can be made").format(name=spooled.name),
            why=cause_of(error),
            remedy=_("see that the folder for temporary files has room"),
        ) from None


def _read_rows(sheet: Sheet) -> Iterator[Row]:
    """Yield the header and the rows, with what was not read left blank.

    Every header stays, for the places of the others to be found again: one that was not read is
    a word of ours, or was named to be ignored and stands in the import's options.
    """
    table, columns = sheet.table, frozenset(sheet.headers.positions.values())
    yield (
        table.header_row,
        tuple(
            header if index in columns else safe(header) or None
            for index, header in enumerate(table.headers)
        ),
    )
    for number, values in table.rows():
        kept = tuple(value if index in columns else None for index, value in enumerate(values))
        if any(value is not None for value in kept):
            yield number, kept


def _write_text(text: TextIO, rows: Iterable[Row]) -> None:
    """Write each row on the line of its number; a cell's own line breaks would move the others."""
    lines = csv.writer(text, lineterminator="\n")
    line = 1
    for number, values in rows:
        text.write("\n" * (number - line))
        lines.writerow(_LINE_BREAK.sub(" ", str(value)) if value else "" for value in values)
        line = number + 1


def _write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write the sheets, one row in memory at a time, each cell of the type that was read."""
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    class _Workbook(xlsxwriter.Workbook):  # type: ignore[misc]  # it has no types
        """One whose sheets are called as they were: others allow names that Excel does not."""

        def _check_sheetname(self, sheetname: str, is_chartsheet: bool = False) -> str:  # noqa: FBT001, FBT002
            del is_chartsheet
            return sheetname

    options = {"constant_memory": True, "in_memory": False, "tmpdir": str(path.parent)}
    book = _Workbook(str(path), options)
    book.set_properties({"created": _MADE})

    @cache
    def shown_as(code: str) -> Format:
        return book.add_format({"num_format": code})

    try:
        for sheet in sheets:
            page = book.add_worksheet(sheet.name or "")
            for number, values in _read_rows(sheet):
                for column, value in enumerate(values):
                    _write_cell(page, number - 1, column, value, shown_as)
    finally:
        try:
            book.close()
        except XlsxWriterException as error:
            raise OSError(None, str(error)) from error


def _write_cell(
    page: Worksheet, row: int, column: int, value: Value, shown_as: Callable[[str], Format]
) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, ShownNumber):
        page.write_number(row, column, value, shown_as(value.code))
    elif isinstance(value, (int, float)):
        page.write_number(row, column, value)
    elif isinstance(value, date) and value.year >= _FIRST_YEAR:
        timed = isinstance(value, datetime) and value.time() != time()
        page.write_datetime(row, column, value, shown_as(_MOMENT if timed else _DAY))
    else:  # never a formula, never a link
        shown = value.text if isinstance(value, CellError) else str(value)
        page.write_string(row, column, shown)
