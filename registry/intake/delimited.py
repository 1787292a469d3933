"""Delimited text as a table: its delimiter, its header, its records. Standard library only.

Owns the reading of records and the refusal of broken ones, with their line. Knows no column by
name.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from pathlib import Path
from typing import Final, cast

from registry.errors import InputUnreadableError
from registry.intake.encodings import checked_encoding
from registry.intake.grid import (
    FIELD_LENGTH_MAX,
    HEADER_ROWS_MAX,
    Recognises,
    Record,
    Row,
    Table,
    find_header,
    header_names,
    no_header,
)
from registry.intake.spool import SpooledFile
from registry.language import _

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
LONG_BYTES: Final = 1 << 20  # about 10,000 rows, read in a tenth of a second
_READ_SO: Final = _(
    "the columns of a text file are separated by commas, semicolons, tabs or vertical bars"
)


class DelimitedTable(Table):
    """A text file as a table; the file is read anew each time its rows are asked."""

    def __init__(
        self,
        file: str,
        header_row: int,
        headers: tuple[str, ...],
        *,
        path: Path,
        encoding: str,
        delimiter: str,
    ) -> None:
        super().__init__(file, None, header_row, headers)
        self._path = path
        self.encoding = encoding
        self.delimiter = delimiter
        self.is_long_text = path.stat().st_size >= LONG_BYTES

    def rows(self) -> Iterator[Row]:
        """Yield the records below the header, each with the line it starts on."""
        return self.cleaned(self.records())

    def records(self) -> Iterator[Record]:
        """Yield the records below the header as they stand there: a blank cell is of spaces, or empty."""
        records = _Records(self._path, self.encoding, self.delimiter, self.file)
        return dropwhile(lambda record: record[0] <= self.header_row, records)

    def cleaned(self, records: Iterable[Record]) -> Iterator[Row]:
        """Yield records that are not blank, each as wide as the header unless it says more than that."""
        width = len(self.headers)
        for line, cells in cast("Iterable[tuple[int, Sequence[str]]]", records):
            values = tuple([cell if cell and not cell.isspace() else None for cell in cells])
            count = len(values)
            if count != width:
                if count < width:
                    values += (None,) * (width - count)
                elif not any(values[width:]):
                    values = values[:width]
            if any(values):
                yield line, values


def open_delimited(spooled: SpooledFile, *, recognises: Recognises) -> DelimitedTable:
    """Find encoding, delimiter and header of a text file; the bytes are all checked, once.

    Raises: InputUnreadableError, with the line.
    """
    encoding = checked_encoding(spooled.path, spooled.name)
    readings = [_reading(spooled, encoding, delimiter, recognises) for delimiter in DELIMITERS]
    matches = max(reading.matches for reading in readings)
    if not matches:
        clean = [reading for reading in readings if reading.problem is None]
        fullest = max(clean or readings, key=lambda reading: sum(map(len, reading.cells)))
        raise fullest.problem or no_header(
            spooled.name, fullest.cells, recognises, columns=_READ_SO
        )
    best, *rivals = [reading for reading in readings if reading.matches == matches]
    if rivals:
        names = " or ".join(DELIMITERS[reading.delimiter] for reading in [best, *rivals])
        raise InputUnreadableError(
            _("{name} can be read with more than one delimiter").format(name=spooled.name),
            why=_("the columns may be separated by {names}").format(names=names),
            remedy=_("use one delimiter, and one header row"),
        )
    line = best.lines[best.header]
    headers = header_names(best.cells[best.header], f"{spooled.name}:{line}")
    return DelimitedTable(
        spooled.name, line, headers, path=spooled.path, encoding=encoding, delimiter=best.delimiter
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The first records of a file as one delimiter reads them, and the header found among them."""

    delimiter: str
    lines: list[int]
    cells: list[list[str]]
    header: int
    matches: int
    problem: InputUnreadableError | None


def _reading(
    spooled: SpooledFile, encoding: str, delimiter: str, recognises: Recognises
) -> _Reading:
    """Read the records where a header may stand, up to the first that cannot be read."""
    lines: list[int] = []
    cells: list[list[str]] = []
    problem: InputUnreadableError | None = None
    try:
        records = _Records(spooled.path, encoding, delimiter, spooled.name)
        for line, record in islice(records, HEADER_ROWS_MAX):
            lines.append(line)
            cells.append(record)
    except InputUnreadableError as error:
        problem = error
    header, matches = find_header(cells, recognises)
    return _Reading(delimiter, lines, cells, header, matches, problem)


class _Records:
    """The records of a text file with the line each starts on; csv errors become refusals."""

    def __init__(self, path: Path, encoding: str, delimiter: str, name: str) -> None:
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter
        self._name = name

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(FIELD_LENGTH_MAX)  # the module has one limit for the whole process
        end = 0
        with self._path.open(encoding=self._encoding, newline="") as text:
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            try:
                for cells in reader:
                    start, end = end + 1, reader.line_num
                    yield start, cells
            except csv.Error as error:
                raise self._refusal(str(error), end + 1, reader.line_num) from None

    def _refusal(self, message: str, start: int, end: int) -> InputUnreadableError:
        """Say what the csv module means, and in which line; `start` is where the record starts."""
        cut_off = "end of data" in message
        if not cut_off and "field limit" not in message:
            return InputUnreadableError(
                _("a quotation mark stands where none can stand"),
                where=f"{self._name}:{end}",
                why=_(
                    "after the mark that closes a cell, only a delimiter or the line's end follows"
                ),
                remedy=_('write a quotation mark inside a quoted cell twice ("")'),
            )
        opened = self._open_quote(start)
        if opened is not None and (cut_off or end > opened):
            return InputUnreadableError(
                _("a quotation mark opens a cell that is never closed"),
                where=f"{self._name}:{opened}",
                why=_("everything from there on, to line {end} at least, would be one cell").format(
                    end=end
                ),
                remedy=_(
                    'close the quotation mark, or write it twice ("") if it belongs to the text'
                ),
            )
        return InputUnreadableError(
            _("a cell holds more than {maximum:,} characters").format(maximum=FIELD_LENGTH_MAX),
            where=f"{self._name}:{end}",
            why=_("no spreadsheet can hold such a cell"),
            remedy=_("shorten it"),
        )

    def _open_quote(self, start: int) -> int | None:
        """Return the line where the cell was opened that is too long, or open at the end."""
        opened: int | None = None
        closed: int | None = None  # where a cell was opened whose closing mark was just met
        length = 0
        at_cell_start = True
        with self._path.open(encoding=self._encoding, newline="") as text:
            for number, line in enumerate(islice(text, start - 1, None), start=start):
                for character in line:
                    length += 1
                    if opened is not None:
                        if character == '"':
                            opened, closed = None, opened
                    elif character == '"' and closed is not None:
                        opened, closed = closed, None  # a doubled mark: still the same cell
                    elif character == '"' and at_cell_start:
                        opened, length = number, 0
                    else:
                        at_cell_start = character in (self._delimiter, "\r", "\n")
                        length = 0 if at_cell_start else length
                        closed = None
                    if length > FIELD_LENGTH_MAX:
                        return opened
        return opened
