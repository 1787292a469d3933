"""A table with addresses: its header, its rows, and where in the file each cell stands.

Owns the search for the header row and the limits of a table. Knows neither CSV nor spreadsheets,
and no column by name: what a header means is the caller's business.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from registry.cells import Value
from registry.errors import InputUnreadableError
from registry.language import _, joined
from registry.safe_text import looks_personal, safe

HEADER_ROWS_MAX: Final = 30  # title rows above a header; a letterhead has about ten
HEADER_MATCHES_MIN: Final = 2  # one known word may stand in a title; two make a header
COLUMNS_MAX: Final = 200  # our widest form has 20; a payroll sheet about 100
FIELD_LENGTH_MAX: Final = 32_767  # characters in a cell: what a spreadsheet can hold
HEADERS_SHOWN_MAX: Final = 8  # of a refused file, enough to recognise it by

Recognises = Callable[[Sequence[str]], int]
Row = tuple[int, tuple[Value, ...]]
Record = tuple[int, Sequence[Value]]

_PLAIN_SHEET_NAME: Final = re.compile(r"[^\W\d]\w*")


class Table(ABC):
    """One table of one file. `headers` are as written, without the blank ones at the end."""

    file: str
    sheet: str | None
    header_row: int
    headers: tuple[str, ...]
    is_long_text = False
    """Whether its cells are texts, and so many that to read them takes a while."""

    def __init__(
        self, file: str, sheet: str | None, header_row: int, headers: tuple[str, ...]
    ) -> None:
        self.file = file
        self.sheet = sheet
        self.header_row = header_row
        self.headers = headers

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield each row below the header that is not blank, with its 1-based number.

        The number is what a spreadsheet or an editor shows; in CSV the line a record starts on.
        A row has one value per header, missing ones None. Only a row with something beyond the
        last header is longer: `surplus` finds it, and nothing is lost silently. Streams, in
        constant memory; may be asked again.

        Raises: InputUnreadableError where the rest of the file cannot be read.
        """

    def records(self) -> Iterator[Record]:
        """Yield what `rows` is made of: rows perhaps of another width, and blank; `cleaned` makes it."""
        return self.rows()

    def cleaned(self, records: Iterable[Record]) -> Iterator[Row]:
        """Yield the rows of records."""
        return ((number, tuple(cells)) for number, cells in records)

    def surplus(self, values: Sequence[Value]) -> int | None:
        """Return the column of the first value beyond the headers, or None: a well-formed row."""
        width = len(self.headers)
        if len(values) <= width:
            return None
        return next(i for i in range(width, len(values)) if values[i] is not None)

    def merged_into(self, row: int, column: int) -> str | None:
        """Return the merged cells, as `B4:B5`, whose value stands above this one; usually None."""
        del row, column
        return None

    def address(self, row: int, column: int | None = None) -> str:
        """Return where to look: `batches.csv:17:workers` or `Data!C17`. Columns count from 0."""
        if self.sheet is None:
            place = f"{self.file}:{row}"
            return place if column is None else f"{place}:{self._column_name(column)}"
        sheet = safe(self.sheet)
        if not _PLAIN_SHEET_NAME.fullmatch(sheet):
            sheet = f"'{sheet}'"
        return f"{sheet}!{row}" if column is None else f"{sheet}!{column_letters(column)}{row}"

    def column_shown(self, column: int) -> str:
        """Return how a column without a header is found: `column 13`, or its letters."""
        return _("column {column}").format(
            column=column + 1 if self.sheet is None else column_letters(column)
        )

    def _column_name(self, column: int) -> str:
        header = self.headers[column].strip() if column < len(self.headers) else ""
        return safe(header, limit=40) if header else _("column {column}").format(column=column + 1)


def column_letters(column: int) -> str:
    """Return a spreadsheet's letters of a column counted from 0: A, Z, AA."""
    letters = ""
    number = column + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def find_header(rows: Sequence[Sequence[str]], recognises: Recognises) -> tuple[int, int]:
    """Return (index, matches) of the first row that knows the most headers; (-1, 0) if none does."""
    best, matches = -1, 0
    for index, cells in enumerate(rows):
        known = recognises(cells) if any(cells) else 0
        if known >= HEADER_MATCHES_MIN and known > matches:
            best, matches = index, known
    return best, matches


def header_names(cells: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the headers without the blank ones at the end; refuse too many."""
    last = max((index for index, cell in enumerate(cells) if cell.strip()), default=-1)
    if last >= COLUMNS_MAX:
        raise InputUnreadableError(
            _("the header has {last} columns").format(last=last + 1),
            where=where,
            why=_("at most {columns_max} columns are read").format(columns_max=COLUMNS_MAX),
            remedy=_("keep the table's own columns only"),
        )
    return tuple(cells[: last + 1])


def no_header(
    where: str, rows: Sequence[Sequence[str]], recognises: Recognises, *, columns: str = ""
) -> InputUnreadableError:
    """Return the refusal of a table without a known header, naming the one most like it.

    `columns` says how the columns of such a file are told apart.
    """
    filled = [cells for cells in rows if any(cell.strip() for cell in cells)]
    if not filled:
        return InputUnreadableError(
            _("there is no table in it"),
            where=where,
            why=_("its first {header_rows_max} rows are blank").format(
                header_rows_max=HEADER_ROWS_MAX
            ),
            remedy=_("put the header row at the top"),
        )
    likeliest = max(filled, key=lambda cells: (recognises(cells), sum(map(bool, cells))))
    seen = [safe(cell, limit=30) for cell in likeliest if cell.strip()]
    more = " …" if len(seen) > HEADERS_SHOWN_MAX else ""
    reads = (
        _("the likeliest row has {count} cells, some of a person, which are not shown").format(
            count=len(seen)
        )
        if any(map(looks_personal, likeliest))
        else _("the likeliest row reads: {headers}{more}").format(
            headers=", ".join(seen[:HEADERS_SHOWN_MAX]), more=more
        )
    )
    needed = _(
        "at least {header_matches_min} known column names must stand in one of the first "
        "{header_rows_max} rows; an empty template has them all"
    ).format(header_matches_min=HEADER_MATCHES_MIN, header_rows_max=HEADER_ROWS_MAX)
    return InputUnreadableError(
        _("no header row was found"),
        where=where,
        why=reads,
        remedy=joined("; ", [needed, columns] if columns else [needed]),
    )
