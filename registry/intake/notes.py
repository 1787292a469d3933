"""Where problems are written down: made of a place and a remark, kept in report and spool.

Owns the address of a problem and what of a cell it shows. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from registry.cells import Value, shown
from registry.errors import Problem, Severity
from registry.intake.grid import Table
from registry.intake.headers import HeaderMap
from registry.intake.readings import CellRefusedError
from registry.intake.report import Report
from registry.intake.row_spool import RowSpool
from registry.intake.rows import Remark
from registry.language import said
from registry.safe_text import safe

_SHEET_NAME_MAX: Final = 120


@dataclass(slots=True)
class Sheet:
    """One table of the file: `name` as it may be shown (None for a text file), `rows` read."""

    index: int
    table: Table
    name: str | None
    headers: HeaderMap
    rows: int = 0

    def address(self, row: int, column: str | None = None) -> str:
        """Return where a cell of a known column is; the row where the file has no such column."""
        position = None if column is None else self.headers.positions.get(column)
        return self.table.address(row, position)


class Notes:
    """Takes problems into the report, and remembers the row's for the file of refused rows."""

    def __init__(self, report: Report, rows: RowSpool) -> None:
        self._report = report
        self._rows = rows

    def of_file(
        self, code: str, severity: Severity, value: str | None, why: str, remedy: str
    ) -> None:
        """Note something about the file as a whole."""
        shown_value = None if value is None else safe(value)
        where = self._report.file
        self._report.add(Problem(code, severity, where, shown_value, why, remedy))

    def of_header(self, problem: Problem) -> None:
        """Note something about a header; no row is refused by it."""
        self._report.add(problem)

    def of_cell(
        self, sheet: Sheet, number: int, column: str, cell: Value, error: CellRefusedError
    ) -> None:
        """Note why a cell was not read, or was read with a remark."""
        remark = Remark(error.code, column, error.why, error.remedy, error.severity)
        self.of_row(sheet, number, remark, cell, value=error.value)

    def of_row(
        self,
        sheet: Sheet,
        number: int,
        remark: Remark,
        cell: Value = None,
        *,
        value: str | None = None,
    ) -> None:
        """Note a remark on a row; `value` is shown instead of the cell where it is given."""
        if value is None and cell is not None:
            value = shown(cell)
        problem = Problem(
            code=remark.code,
            severity=remark.severity,
            where=sheet.address(number, remark.column),
            value=value,
            why=remark.why,
            remedy=remark.remedy,
            row=number,
            sheet=sheet.name,
        )
        self.of_problem(sheet, problem, remark.column)

    def of_problem(self, sheet: Sheet | None, problem: Problem, column: str | None = None) -> None:
        """Take in a problem as it is; in the file of refused rows a person reads it."""
        self._report.add(problem, column)
        if sheet is not None and problem.row is not None and problem.severity == "error":
            at = f"{column}: " if column else ""
            self._rows.refuse(sheet.index, problem.row, f"{at}{said(problem.why)} [{problem.code}]")


def sheet_names(tables: Sequence[Table]) -> list[str | None]:
    """Return the names of the sheets as they may be shown and stored, each a different one."""
    names: list[str | None] = []
    for table in tables:
        name = None if table.sheet is None else safe(table.sheet, limit=_SHEET_NAME_MAX)
        names.append(name if name is None or name not in names else f"{name} ({len(names) + 1})")
    return names
