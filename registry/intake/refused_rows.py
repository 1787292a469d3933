"""The failed rows of a file as a CSV of their own, in file order, for the clerk to look through.

Owns what leaves in it: only columns that the kind knows, personal numbers masked, nothing that a
spreadsheet would run as a formula. The file itself is repaired in the original, not here.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from registry.cells import Value, shown
from registry.intake.grid import Table
from registry.safe_text import unformulated

_CELL_LENGTH_MAX: Final = 4_000
_SHEET: Final = "sheet"
_OF_ROWS: Final = ("row", "problem")


def holds_refused_rows(headers: Sequence[str]) -> bool:
    """Whether a header begins as ours do: such a table lacks whatever was not refused."""
    names = tuple(header.strip().casefold() for header in headers)
    return (names[1:] if names[:1] == (_SHEET,) else names)[: len(_OF_ROWS)] == _OF_ROWS


def write_refused(
    path: Path,
    parts: Iterable[tuple[Table, Mapping[str, int], Iterable[tuple[int, str]]]],
    *,
    delimiter: str = ",",
) -> None:
    """Write the refused rows; an existing file is replaced, at the end.

    Each part is a table, its known columns (name → index) and (row number, why) in file order; the
    table is read again. Columns: `sheet` (spreadsheets only), `row`, `problem`, then the file's own
    header, written anew for each sheet.
    """
    descriptor, name = tempfile.mkstemp(prefix=".refused-", suffix=".csv", dir=path.parent)  # 0600
    try:
        # With a BOM: without it a spreadsheet reads UTF-8 as cp1252.
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as stream:
            # Quoted, as no spreadsheet saves it: by that ours are told from those saved again.
            writer = csv.writer(
                stream,
                delimiter=delimiter,
                quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_ALL,
                lineterminator="\r\n",
            )
            for table, columns, refusals in parts:
                for line in _lines(table, columns, refusals):
                    writer.writerow([unformulated(cell) for cell in line])
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _lines(
    table: Table, columns: Mapping[str, int], refusals: Iterable[tuple[int, str]]
) -> Iterator[list[str]]:
    indexes = sorted(columns.values())
    sheet = [] if table.sheet is None else [shown(table.sheet, limit=_CELL_LENGTH_MAX)]
    headers = [shown(table.headers[index], limit=_CELL_LENGTH_MAX) for index in indexes]
    rows = table.rows()
    header_written = False
    for number, reasons in groupby(refusals, key=itemgetter(0)):
        if not header_written:
            yield [*([_SHEET] if sheet else []), *_OF_ROWS, *headers]
            header_written = True
        values = _row(rows, number)
        why = "; ".join(dict.fromkeys(why for _, why in reasons))
        yield [*sheet, str(number), why, *(_cell(values[index]) for index in indexes)]


def _row(rows: Iterator[tuple[int, tuple[Value, ...]]], number: int) -> tuple[Value, ...]:
    return next(values for row, values in rows if row == number)


def _cell(value: Value) -> str:
    return "" if value is None else shown(value, limit=_CELL_LENGTH_MAX)
