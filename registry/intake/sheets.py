"""The child process that parses one spreadsheet: `python -m registry.intake.sheets FILE`.

Owns its own limits of memory and time, and the lines it writes to stdout, JSON each:
`{"sheet": name, "hidden": bool, "merged": [[row, column, last row, last column]]}` (those over
several rows, counted from 0), then `[row number, [cells]]` for each row that is not blank, and
`{"end": true}`; or `{"refused": [what, why, remedy]}`. Whatever a file does to the parser, it does
it here. Never import this module from the process that must stay alive.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Final, TextIO

from registry.cells import CellError
from registry.intake.biff import xls_marks
from registry.intake.compound import workbook_stream
from registry.intake.grid import FIELD_LENGTH_MAX
from registry.intake.marks import Mark, Marks, ods_marks, xlsx_marks
from registry.intake.number_formats import DateFormat, xlsx_formats
from registry.intake.packages import (
    SHEETS_MAX,
    PackageRefusedError,
    checked_zip,
    refused_damaged,
    refused_far_cell,
    refused_password,
    refused_sheets,
    xlsx_sheets,
)
from registry.intake.spool import ZIP_MAGIC
from registry.intake.workbooks import MEMORY_MIB, PROCESSOR_SECONDS
from registry.language import _, packed
from registry.safe_text import safe

MarksOf = Callable[[int, str], Marks]

MERGED_MAX: Final = 10_000  # those beyond are read as the others, but not explained
OUTPUT_LENGTH_MAX: Final = 1 << 30  # one text shared by a million cells must not fill the disk


def main() -> int:
    """Parse the file named on the command line; return the process's exit code."""
    _limit_ourselves()
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    try:
        for line in lines_of(Path(sys.argv[1])):
            sys.stdout.write(line)
    except PackageRefusedError as refusal:
        _refuse(sys.stdout, refusal.lines)
    except MemoryError:
        _refuse(
            sys.stdout,
            (
                _("the spreadsheet needs more than {memory_mib} MiB of memory").format(
                    memory_mib=MEMORY_MIB
                ),
                _("it is too large, or a forgotten cell stands very far from the table"),
                _("copy the table alone into a new workbook, or save it as CSV"),
            ),
        )
    return 0


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines that describe the spreadsheet. Raises: PackageRefusedError."""
    with path.open("rb") as stream:
        is_zip = stream.read(4).startswith(ZIP_MAGIC)
    kind = checked_zip(path) if is_zip else "xls"
    marks = _zip_marks(path, kind) if is_zip else _xls_marks(path)
    written = 0
    encode = json.JSONEncoder(
        ensure_ascii=False, separators=(",", ":"), default=typed, check_circular=False
    ).encode
    for index, (name, hidden, merged, rows) in enumerate(_sheets(_named_by_kind(path, kind))):
        yield encode({"sheet": name, "hidden": hidden, "merged": merged}) + "\n"
        for number, cells in _marked(rows, marks(index, name)):
            line = encode([number, cells]) + "\n"
            written += len(line)
            if len(line) > FIELD_LENGTH_MAX:
                _check_lengths(name, number, cells)
            if written > OUTPUT_LENGTH_MAX:
                raise PackageRefusedError(
                    _("the spreadsheet holds too much text"),
                    _("its cells come to more than {output_length_max:,} characters").format(
                        output_length_max=OUTPUT_LENGTH_MAX
                    ),
                    _("split it, or save the table alone as CSV"),
                )
            yield line
    yield encode({"end": True}) + "\n"


def typed(value: object) -> object:
    """Return a cell that JSON has no type for, as `workbooks` reads it back."""
    if isinstance(value, CellError):
        return {"error": value.text}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, time | timedelta):
        return str(value)  # no column here holds a time of day: text, to be refused where it stands
    raise TypeError(type(value).__name__)


def _named_by_kind(path: Path, kind: str) -> Path:
    """Return the same file under a name that tells the parser the kind, found by the bytes."""
    named = path.with_name(f"workbook.{kind}")
    named.unlink(missing_ok=True)
    try:
        os.link(path, named)
    except OSError:  # a file system without links
        shutil.copyfile(path, named)
    return named


def _sheets(path: Path) -> Iterator[tuple[str, bool, list[list[int]], Iterator[list[Any]]]]:
    """Yield each worksheet's name, whether it is hidden, merged cells, and rows from the first."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(path) as workbook:
            listed = workbook.sheets_metadata
            if len(listed) > SHEETS_MAX:
                raise refused_sheets(len(listed))
            for index, sheet in enumerate(listed):
                rows: Iterator[list[Any]] = iter(())
                merged: list[list[int]] = []
                if sheet.typ == calamine.SheetTypeEnum.WorkSheet:
                    content = workbook.get_sheet_by_index(index)
                    # rows come from the first one on, columns only from where the data begins
                    before = [""] * (content.start[1] if content.start else 0)
                    rows = (before + cells for cells in content.iter_rows())
                    merged = _merged(content.merged_cell_ranges)
                hidden = sheet.visible != calamine.SheetVisibleEnum.Visible
                yield sheet.name, hidden, merged, rows
    except calamine.PasswordError:
        raise refused_password() from None
    except calamine.CalamineError as error:
        if "limit exceeded" in str(error):
            raise refused_far_cell() from None
        raise refused_damaged(safe(str(error), limit=120)) from None


def _merged(ranges: list[tuple[tuple[int, int], tuple[int, int]]] | None) -> list[list[int]]:
    """Return the merged cells that span several rows, as many as a person would mend."""
    found = ([*first, *last] for first, last in ranges or () if first[0] != last[0])
    return list(islice(found, MERGED_MAX))


def _zip_marks(path: Path, kind: str) -> MarksOf:
    """Return how to find the marks of a sheet by its index and name, one sheet at a time."""
    if kind == "ods":
        with zipfile.ZipFile(path) as archive:
            by_name = ods_marks(archive)
        return lambda _, name: by_name.get(name, {})
    with zipfile.ZipFile(path) as archive:
        sheets, uncalculated = xlsx_sheets(archive)
        formats = xlsx_formats(archive)

    def of_sheet(index: int, name: str) -> Marks:
        if index >= len(sheets) or sheets[index].name != name:
            raise refused_damaged(_("two parts of it name its sheets differently"))
        with zipfile.ZipFile(path) as archive:
            return xlsx_marks(archive, sheets[index], uncalculated=uncalculated, formats=formats)

    return of_sheet


def _xls_marks(path: Path) -> MarksOf:
    by_index = xls_marks(workbook_stream(path))
    return lambda index, _: by_index[index] if index < len(by_index) else {}


def _marked(rows: Iterator[list[Any]], marks: Marks) -> Iterator[tuple[int, list[Any]]]:
    """Number the rows, put the marks where they belong, drop what is blank."""
    last = max(marks, default=-1)
    endless = chain(rows, repeat(None))
    for index, row in enumerate(endless):
        if row is None and index > last:
            return
        cells = [
            None if cell == "" or (cell.__class__ is str and cell.isspace()) else cell
            for cell in row or ()
        ]
        for column, mark in marks.get(index, {}).items():
            cells += [None] * (column + 1 - len(cells))
            cells[column] = _with_mark(cells[column], mark)
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield index + 1, cells


def _with_mark(cell: object, mark: Mark) -> object:
    if isinstance(mark, str):
        return CellError(mark)
    if isinstance(mark, DateFormat):  # what is shown is what was said: a month, not its first day
        return cell.strftime(mark.shown) if isinstance(cell, date) else cell
    if not isinstance(cell, int | float) or isinstance(cell, bool):
        return cell
    return {"number": cell, "shown": mark} if mark.tells or cell % 1 else cell


def _check_lengths(name: str, number: int, cells: list[Any]) -> None:
    if any(isinstance(cell, str) and len(cell) > FIELD_LENGTH_MAX for cell in cells):
        raise PackageRefusedError(
            _("a cell of sheet {name}, row {number}, is too long").format(
                name=safe(name, limit=40), number=number
            ),
            _(
                "it holds more than {field_length_max:,} characters, which no spreadsheet writes"
            ).format(field_length_max=FIELD_LENGTH_MAX),
            _("shorten it"),
        )


def _refuse(stream: TextIO, lines: tuple[str, str, str]) -> None:
    stream.write(json.dumps({"refused": [packed(line) for line in lines]}) + "\n")


def _limit_ourselves() -> None:
    """Bound memory and processor time; where the system has no such limits, the time-out stays."""
    try:
        import resource
    except ImportError:  # Windows
        return
    memory = MEMORY_MIB << 20
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_CORE, 0),  # a core file would hold the cells
    ):
        with suppress(ValueError, OSError):  # macOS refuses some; a lower limit set outside stays
            # a second apart: at the first the signal says why, at the other it is a plain kill
            apart = 1 if limit == resource.RLIMIT_CPU else 0
            resource.setrlimit(limit, (value, value + apart))


if __name__ == "__main__":
    sys.exit(main())
