"""The first pass over a table: every cell, then every row; good rows wait in the spool.

Owns the loop that a million rows go through: a page of usual rows is read column by column, a look-up
for each cell; one with an odd row, row by row, and only that row is looked at closely. Knows neither
batches nor totals.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from operator import getitem, itemgetter
from typing import Any, Final

from registry.cells import Value
from registry.intake.grid import Record
from registry.intake.grid import Row as TableRow
from registry.intake.headers import how_to_add
from registry.intake.notes import Notes, Sheet
from registry.intake.reading_ahead import can_read_ahead, made_ahead
from registry.intake.readings import Canonical, CellRefusedError
from registry.intake.report import Report
from registry.intake.row_spool import PAGE_BYTES, PAGE_ROWS, RowSpool
from registry.intake.rows import Form, Page, Remark
from registry.intake.second_pass import SecondPass
from registry.language import _, joined

_BLANK: Final = frozenset({None, ""})
_UNREAD: Final = "?"  # stands for a cell that could not be read: not blank, and not looked at
_TOTAL_WORDS: Final = frozenset(
    {"jumlah", "total", "jumlah total", "grand total", "sub total", "subtotal", "jumlah seluruhnya"}
)
_TOTAL_ROW: Final = Remark(
    "total-row",
    None,
    _("this is a total of other rows"),
    _("Delete the row; the report adds up itself."),
)

_HEADER_AGAIN: Final = Remark(
    "header-again",
    None,
    _("the header is repeated here, as on a printed page"),
    _("Delete the row."),
)

_OFTEN_MERGED: Final = frozenset(
    {"reference", "action", "area", "effective_on", "source", "publisher"}
)
_MERGED_HINT: Final = _(
    "Cells merged over several rows have their value in the first only: unmerge them."
)

Progress = Callable[[int], None]
# Rows as they stand; or a page of them, packed, with the cells of the last one.
_Read = tuple[Sequence[TableRow] | None, bytes, Sequence[Value]]


class FirstPass:
    """Reads the tables of one file into the spool, and what is wrong with them into the notes."""

    def __init__(
        self,
        form: Form,
        rows: RowSpool,
        report: Report,
        notes: Notes,
        second: SecondPass,
        progress: Progress,
    ) -> None:
        self._second = second
        self._form = form
        self._rows = rows
        self._report = report
        self._notes = notes
        self._progress = progress
        self._picked: Sequence[Value] = ()  # the cells of the columns, of the last row read
        self._above: Sequence[Value] = ()  # the row before, and the row that is being read
        self._cells: Sequence[Value] = ()
        self._left_blank: set[str] = set()  # columns with blank cells below a filled one

    def read(self, sheet: Sheet) -> None:
        """Read one table to its end."""
        if sheet.headers.readable:
            self._read(sheet)
        else:
            self._refuse_all(sheet)
        self._report.rows_read += sheet.rows
        self._progress(self._report.rows_read)

    def _refuse_all(self, sheet: Sheet) -> None:
        """Count the rows of a table whose header leaves none of them readable."""
        for number, _cells in sheet.table.rows():
            sheet.rows += 1
            self._report.refuse_row(sheet.name, number)

    def _read(self, sheet: Sheet) -> None:
        width = len(sheet.table.headers)
        # A column that the file does not have is read from the None put behind its last cell.
        positions = [sheet.headers.positions.get(name, width) for name in self._form.columns]
        pick = itemgetter(*positions)
        before = self._report.rows_read
        self._above = self._picked = (None,) * len(positions)
        self._left_blank.clear()
        make = partial(self._pages, sheet, positions)
        is_ahead = sheet.table.is_long_text and can_read_ahead()
        with closing(made_ahead(make) if is_ahead else make()) as pages:
            for rows, packed, last in pages:
                if rows is not None:
                    self._second.is_complete = False
                    self._read_by_row(sheet, rows, pick)
                    sheet.rows += len(rows)
                else:
                    page = Page.unpacked(packed)
                    self._keep(page, packed)
                    self._picked = pick((*last, None))
                    sheet.rows += len(page.numbers)
                self._progress(before + sheet.rows)

    def _keep(self, page: Page, packed: bytes) -> None:
        is_whole = all(a != b for a, b in pairwise((self._rows.last_key, *page.keys)))
        small = len(packed) <= PAGE_BYTES
        if is_whole and small and self._form.all_agree(page.columns, page.lengths):
            self._rows.add_page(page, packed)
            if self._second.is_complete:
                self._second.take(page)
        else:
            self._second.is_complete = False
            self._rows.add(page.sheet, [*page.keys_of_rows()], page.numbers, page.rows())

    def _pages(self, sheet: Sheet, positions: Sequence[int]) -> Generator[_Read]:
        """Yield the rows of a table, many at once; as a page where there is nothing to say of them."""
        table, form = sheet.table, self._form
        records = table.records()
        begun: list[Record] = []  # rows of a batch that may go on
        while rows := [*begun, *(more := [*islice(records, PAGE_ROWS)])]:
            begun = []
            columns = self._by_column(sheet, rows, positions)
            if columns is None:
                yield [*table.cleaned(rows)], b"", ()
                continue
            starts = form.starts(columns)
            if len(more) == PAGE_ROWS and len(starts) > 1:
                end = starts.pop()
                rows, begun = rows[:end], rows[end:]
                columns = [column[:end] for column in columns]
            keys = form.keys([[column[start] for start in starts] for column in columns])
            lengths = [end - start for start, end in pairwise((*starts, len(rows)))]
            page = Page(sheet.index, keys, lengths, [number for number, _ in rows], columns)
            ((_number, last),) = table.cleaned(rows[-1:])
            yield None, page.packed(), last

    def _by_column(
        self, sheet: Sheet, rows: Sequence[Record], positions: Sequence[int]
    ) -> list[Sequence[Canonical]] | None:
        """Return the values of many rows of which there is nothing to say; None if there is.

        Of a row that is all blank there is: any kind of file has a column that must not be.
        """
        if sheet.headers.unnamed:
            return None
        cells_of_rows = [cells for _, cells in rows]
        width = len(sheet.table.headers)
        if set(map(len, cells_of_rows)) != {width}:
            cells_of_rows = [cells for _, cells in sheet.table.cleaned(rows)]
            if len(cells_of_rows) < len(rows) or set(map(len, cells_of_rows)) != {width}:
                return None
        cells = [*zip(*cells_of_rows, strict=True), nothing := (None,) * len(rows)]
        columns: list[Sequence[Canonical]] = []
        try:
            for position, reading in zip(positions, self._form.readings, strict=True):
                column = cells[position]
                blank = not any(column) and {*column} <= _BLANK
                columns.append(nothing if blank else reading.column(column))
        except CellRefusedError:
            return None
        return columns if self._form.is_usual(columns) else None

    def _read_by_row(
        self, sheet: Sheet, page: Iterable[TableRow], pick: Callable[[Sequence[Value]], Any]
    ) -> None:
        """Read rows one by one, and note what is wrong with each."""
        form, readings, width = self._form, self._form.readings, len(sheet.table.headers)
        for number, cells in page:
            if (sheet.headers.unnamed or len(cells) > width) and self._is_stray(
                sheet, number, cells
            ):
                continue
            self._above, self._cells = self._picked, cells
            picked = self._picked = pick((*cells, None))
            try:
                values: list[Canonical] | None = list(map(getitem, readings, picked))
            except CellRefusedError:
                values = self._look_closely(sheet, number, picked)
            if values is None:
                continue
            remarks = form.shape_remarks(values) or form.value_remarks(values)
            if remarks and self._note(sheet, number, remarks, picked):
                continue
            self._rows.add(sheet.index, [form.key(values)], [number], [values])

    def _is_stray(self, sheet: Sheet, number: int, cells: Sequence[Value]) -> bool:
        """Refuse a row with something under no header; what it is, is not shown."""
        unnamed = (index for index in sheet.headers.unnamed if cells[index] is not None)
        index = next(unnamed, sheet.table.surplus(cells))
        if index is None:
            return False
        remark = Remark(
            "unnamed-column",
            None,
            _("its cell in {column_shown} has no header above it").format(
                column_shown=sheet.table.column_shown(index)
            ),
            _("Name its column in the header row, or delete the cell."),
        )
        self._notes.of_row(sheet, number, remark)
        return True

    def _look_closely(
        self, sheet: Sheet, number: int, picked: Sequence[Value]
    ) -> list[Canonical] | None:
        """Note what is wrong with each cell of a row; return its values if all was but odd."""
        values: list[Canonical] = []
        odd: list[tuple[str, Value, CellRefusedError]] = []
        columns = zip(self._form.columns, self._form.readings, picked, strict=True)
        for name, reading, cell in columns:
            try:
                values.append(reading[cell])
            except CellRefusedError as error:
                odd.append((name, cell, error))
                values.append(_UNREAD if error.severity == "error" else error.reading)
        refused = [name for name, _, why in odd if why.severity == "error"]
        if refused and (known := self._known_row(sheet, picked)):
            self._notes.of_row(sheet, number, known)
            return None
        for name, cell, why in odd:
            self._notes.of_cell(sheet, number, name, cell, why)
        if not refused:
            return values
        # What is missing can be said at once, unless it depends on an action nobody could read.
        if "action" not in refused:
            self._note(sheet, number, self._form.shape_remarks(values), picked)
        return None

    def _note(
        self, sheet: Sheet, number: int, remarks: Sequence[Remark], picked: Sequence[Value]
    ) -> bool:
        """Note remarks on a row; return whether they refuse it."""
        refused = any(remark.severity == "error" for remark in remarks)
        if refused and (known := self._known_row(sheet, picked)):
            self._notes.of_row(sheet, number, known)
            return True
        for remark in remarks:
            cell = None
            if remark.column is not None:
                cell = picked[self._form.columns.index(remark.column)]
            self._notes.of_row(sheet, number, self._explained(sheet, number, remark), cell)
        return refused

    def _explained(self, sheet: Sheet, number: int, remark: Remark) -> Remark:
        """Say of a blank cell that its column is missing, or that it is merged with the one above."""
        if remark.code != "missing-value" or remark.column is None:
            return remark
        position = sheet.headers.positions.get(remark.column)
        if position is None:
            return replace(remark, remedy=how_to_add(self._report.kind, remark.column))
        merged = sheet.table.merged_into(number, position)
        if merged is not None:
            return replace(
                remark,
                why=_("{why}: {merged} are merged, and only their first row has the value").format(
                    why=remark.why, merged=merged
                ),
                remedy=_("Unmerge {merged} and fill in {column} in each row.").format(
                    merged=merged, column=remark.column
                ),
            )
        if remark.column not in _OFTEN_MERGED or not self._is_below_filled(remark.column):
            return remark
        return replace(remark, remedy=joined(" ", (remark.remedy, _MERGED_HINT)))

    def _is_below_filled(self, column: str) -> bool:
        above = self._above[self._form.columns.index(column)]
        if above is not None:
            self._left_blank.add(column)
        return column in self._left_blank

    def _known_row(self, sheet: Sheet, picked: Sequence[Value]) -> Remark | None:
        """Return what a row that cannot be read is, where offices often have such a one."""
        headers = sheet.table.headers
        positions = sheet.headers.positions.values()
        if all(self._cells[index] == headers[index] for index in positions):
            return _HEADER_AGAIN
        return _TOTAL_ROW if self._is_total(sheet, picked) else None

    def _is_total(self, sheet: Sheet, picked: Sequence[Value]) -> bool:
        """Whether a row that cannot be read is the sum at the foot of an office's table."""
        beside = (self._cells[index] for index in sheet.headers.counters)
        return any(
            isinstance(cell, str) and " ".join(cell.casefold().split()) in _TOTAL_WORDS
            for cell in (*picked, *beside)
        )
