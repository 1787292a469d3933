"""A listing as an XLSX workbook: real numbers and days, and never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.escapes import visible
from cli.listing import Kind, Listing
from cli.values import encoded, plain, shown
from registry.language import Words, language, said

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS_MAX: Final = 1_048_576  # Excel's own limits, for this and the next three
TEXT_LENGTH_MAX: Final = 32_767
SHEET_NAME_LENGTH_MAX: Final = 31
FIRST_YEAR: Final = 1900
COLUMN_WIDTH_MAX: Final = 60
ROWS_MEASURED: Final = 1_000  # for the widths of columns

_FORMATS: Final[dict[Kind, str]] = {
    "count": "#,##0",
    "percent": '0.00" %"',
    "points": "0.00",
    "date": "yyyy-mm-dd",
    "instant": 'yyyy-mm-dd hh:mm:ss"Z"',
}


def write_workbook(listing: Listing, path: Path) -> None:
    """Write the workbook at the path, one row in memory at a time; more sheets if one is full.

    Text is written as text, so nothing runs; its control characters are shown as escapes and what
    is over Excel's limit is cut. Notes become the comments of the document's properties.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook = xlsxwriter.Workbook(str(path), options)
    workbook.set_properties(
        {"title": listing.name, "comments": "\n".join(map(said, listing.notes))}
    )
    sheets = _Sheets(workbook, listing)
    try:
        for row in listing.rows:
            sheets.write([row[column.key] for column in listing.columns])
        sheets.finish()
    finally:
        try:
            workbook.close()
        except XlsxWriterException as error:
            raise OSError(None, str(error)) from error


class _Sheets:
    """The sheets of one listing: a header frozen on each, a filter over it, widths to read by."""

    def __init__(self, workbook: Workbook, listing: Listing) -> None:
        self._workbook = workbook
        self._listing = listing
        self._bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._formats: dict[Kind, Format] = {
            kind: workbook.add_format({"num_format": _in_language(form)})
            for kind, form in _FORMATS.items()
        }
        self._count = 0
        self._start()

    def write(self, values: Sequence[object]) -> None:
        """Write one row, on a new sheet if this one is full."""
        if self._next_row >= SHEET_ROWS_MAX:
            self.finish()
            self._start()
        for at, value in enumerate(values):
            kind = self._listing.columns[at].kind
            if self._next_row <= ROWS_MEASURED:
                self._widths[at] = max(self._widths[at], _width(value, kind))
            _write(self._sheet, (self._next_row, at), value, kind, self._formats.get(kind))
        self._next_row += 1

    def finish(self) -> None:
        """Give the sheet its filter and its widths."""
        self._sheet.autofilter(0, 0, self._next_row - 1, len(self._widths) - 1)
        for at, width in enumerate(self._widths):
            # Three more, for the filter's arrow.
            self._sheet.set_column(at, at, min(width, COLUMN_WIDTH_MAX) + 3)

    def _start(self) -> None:
        self._count += 1
        number = f" {self._count}" if self._count > 1 else ""
        name = self._listing.name[: SHEET_NAME_LENGTH_MAX - len(number)] + number
        self._sheet: Worksheet = self._workbook.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._widths = [len(said(column.title)) for column in self._listing.columns]
        for at, column in enumerate(self._listing.columns):
            self._sheet.write_string(0, at, said(column.title), self._bold)
        self._next_row = 1


def _write(
    sheet: Worksheet, at: tuple[int, int], value: object, kind: Kind, form: Format | None
) -> None:
    ready = plain(value, kind)
    match kind:
        case _ if ready is None:
            return
        case "count" | "number" | "percent" | "points":
            sheet.write_number(*at, float(str(ready)), form)
        case "flag":
            sheet.write_boolean(*at, bool(ready))
        case "date" | "instant" if isinstance(value, date) and value.year >= FIRST_YEAR:
            sheet.write_datetime(*at, _without_zone(value), form)
        case _:
            sheet.write_string(*at, _fitting(_text(value, ready, kind)))


def _in_language(form: str) -> str:
    """Return the number format; marks of numbers are the spreadsheet's own, the order of days ours."""
    return form if language() == "en" else form.replace("yyyy-mm-dd", "dd-mm-yyyy")


def _without_zone(value: date) -> date:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _text(value: object, ready: object, kind: Kind) -> str:
    if kind == "json":
        return encoded(ready)
    return str(said(value) if isinstance(value, Words) else ready)


def _fitting(text: str) -> str:
    """Return the text within Excel's limit, which counts UTF-16 units."""
    units = visible(text).encode("utf-16-le")
    if len(units) <= 2 * TEXT_LENGTH_MAX:
        return visible(text)
    return units[: 2 * (TEXT_LENGTH_MAX - 1)].decode("utf-16-le", "ignore") + "…"


def _width(value: object, kind: Kind) -> int:
    return len(str(value)) if isinstance(value, str) else len(shown(value, kind))
