"""Listings as an XLSX workbook: real numbers and days, and never a formula.

One listing for programs, with its header in the first row; or a document for people, with a cover
and a sheet for each section that says above its rows what they are of.
"""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain, repeat
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.escapes import visible
from cli.listing import Column, Document, Kind, Listing, Section
from cli.tables import display_width
from cli.values import encoded, plain, shown
from registry.language import Words, _, language, said

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS_MAX: Final = 1_048_576  # Excel's own limits, for this and the next three
TEXT_LENGTH_MAX: Final = 32_767
SHEET_NAME_LENGTH_MAX: Final = 31
FIRST_YEAR: Final = 1900
COLUMN_WIDTH_MAX: Final = 60
ROWS_MEASURED: Final = 1_000  # for the widths of columns
ROOM_FOR_ARROW: Final = 3  # of a filter
SENTENCE_WIDTH_MIN: Final = 80  # characters, as many columns as that takes
COLUMN_WIDTH: Final = 8.43  # of a column that nobody has set
ROW_HEIGHT: Final = 15  # points, of a line of text
A4: Final = 9  # Excel's number for it

_FORMATS: Final[dict[Kind, str]] = {
    "count": "#,##0",
    "percent": '0.00" %"',
    "points": "0.00",
    "date": "yyyy-mm-dd",
    "instant": 'yyyy-mm-dd hh:mm:ss"Z"',
}
_CONTENTS: Final = (
    Column("name", _("Sheet"), "text"),
    Column("chapter", _("Chapter"), "text"),
    Column("title", _("Section"), "text"),
    Column("asked", _("Of"), "text"),
    Column("command", _("Asked again by"), "text"),
)


def write_workbook(listing: Listing, path: Path) -> None:
    """Write the workbook at the path, one row in memory at a time; more sheets if one is full.

    Text is written as text, so nothing runs; its control characters are shown as escapes and what
    is over Excel's limit is cut. Notes become the comments of the document's properties.
    """
    with _workbook(
        path, title=listing.name, comments="\n".join(map(said, listing.notes))
    ) as workbook:
        sheets = _Sheets(workbook, _Styles(workbook), listing)
        sheets.write_rows()


def write_document(document: Document, path: Path) -> None:
    """Write the workbook at the path: a cover, and a sheet for each section, one after the other.

    As `write_workbook`, but texts are as people are shown them, and what is said of a section
    stands on its sheet.
    """
    with _workbook(path, title=document.title, created=document.made_at) as workbook:
        styles = _Styles(workbook)
        _write_cover(workbook, styles, document)
        for section, listing in document.answered:
            sheets = _Sheets(workbook, styles, listing, section)
            sheets.write_rows()
            sheets.write_sentences(listing.notes)


@contextmanager
def _workbook(path: Path, **properties: Any) -> Iterator[Workbook]:  # noqa: ANN401 (the library's)
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with io.BufferedWriter(_Target(path, "wb")) as file:
        workbook = xlsxwriter.Workbook(file, options)
        workbook.set_properties(properties)
        try:
            yield workbook
        finally:
            failure = _closed(workbook)
            if failure is not None:
                gc.collect()  # the half-written ZIP goes before its file is closed
                raise failure


def _closed(workbook: Workbook) -> OSError | None:
    """Close a workbook; return what kept it from being written: raised, it would hold the ZIP."""
    from xlsxwriter.exceptions import XlsxWriterException

    try:
        workbook.close()
    except XlsxWriterException as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, OSError):
            return OSError(cause.errno, cause.strerror)
        return OSError(None, str(error))
    return None


class _Target(io.FileIO):
    """A file that fails once: a ZIP thrown away writes its end, and would fail with a traceback."""

    _has_failed = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self._has_failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError:
            self._has_failed = True
            raise


class _Styles:
    """The formats of a workbook: of each kind of value, plain and bold, and of words."""

    def __init__(self, workbook: Workbook) -> None:
        self.bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.sentence = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.left = workbook.add_format({"align": "left", "valign": "top", "text_wrap": True})
        self._of: dict[tuple[str | None, bool, bool], Format] = {}
        self._workbook = workbook

    def of(
        self, kind: Kind, value: object = None, *, bold: bool = False, left: bool = False
    ) -> Format | None:
        """Return the format of a value, the same one each time; None where it is the usual one.

        A number as printed somewhere keeps its decimals: 50.00 is not 50.
        """
        form = _FORMATS.get(kind) or _as_printed(value)
        if form is None and not bold and not left:
            return None
        if (form, bold, left) not in self._of:
            wanted = {"bold": bold} | ({"num_format": _in_language(form)} if form else {})
            wanted |= {"align": "left", "valign": "top", "text_wrap": True} if left else {}
            self._of[form, bold, left] = self._workbook.add_format(wanted)
        return self._of[form, bold, left]


class _Sheets:
    """The sheets of one listing: a header frozen on each, a filter over it, widths to read by."""

    def __init__(
        self,
        workbook: Workbook,
        styles: _Styles,
        listing: Listing,
        section: Section | None = None,
    ) -> None:
        self._workbook = workbook
        self._styles = styles
        self._listing = listing
        self._section = section
        self._columns = listing.columns if section is None else listing.shown
        self._count = self._header = self._next_row = 0
        self._widths: list[float] = []
        self._start()

    def write_rows(self) -> None:
        """Write all rows, on a new sheet wherever one is full, and the total."""
        for row in self._listing.rows:
            if self._next_row >= SHEET_ROWS_MAX:
                self._finish()
                self._start()
            self._write([row[column.key] for column in self._columns])
        self._finish()
        if self._section and (total := self._listing.total):
            self._write([total.get(column.key) for column in self._columns], bold=True)

    def write_sentences(self, sentences: Sequence[str]) -> None:
        """Write what is said of the rows below them, over as many columns as read well."""
        last, width = -1, 0.0
        for each in chain(self._widths, repeat(COLUMN_WIDTH)):
            last, width = last + 1, width + each
            if width >= SENTENCE_WIDTH_MIN:
                break
        for sentence in sentences:
            self._next_row += 1
            text = _fitting(said(sentence))
            lines = max(1, ceil(display_width(text) / (0.9 * width)))  # a line is seldom full
            self._sheet.set_row(self._next_row, ROW_HEIGHT * lines)
            at = (self._next_row, 0, self._next_row, last)
            self._sheet.merge_range(*at, "", self._styles.sentence)
            self._sheet.write_string(self._next_row, 0, text, self._styles.sentence)

    def _write(self, values: Sequence[object], *, bold: bool = False) -> None:
        for at, (value, column) in enumerate(zip(values, self._columns, strict=True)):
            kind = column.kind
            if self._next_row <= ROWS_MEASURED:
                self._widths[at] = max(self._widths[at], _width(value, kind))
            place, form = (self._next_row, at), self._styles.of(kind, value, bold=bold)
            ready = _for_people(value, kind) if self._section else value
            _write(self._sheet, place, ready, kind, form)
        self._next_row += 1

    def _finish(self) -> None:
        """Give the sheet its filter and its widths."""
        last = max(self._next_row - 1, self._header)
        self._sheet.autofilter(self._header, 0, last, len(self._widths) - 1)
        self._widths = [min(each, COLUMN_WIDTH_MAX) + ROOM_FOR_ARROW for each in self._widths]
        for at, width in enumerate(self._widths):
            self._sheet.set_column(at, at, width)

    def _start(self) -> None:
        self._count += 1
        number = f" {self._count}" if self._count > 1 else ""
        name = self._section.name if self._section else self._listing.name
        self._sheet = _sheet(self._workbook, name[: SHEET_NAME_LENGTH_MAX - len(number)] + number)
        self._header = self._write_head() if self._section else 0
        self._sheet.freeze_panes(self._header + 1, 0)
        self._sheet.repeat_rows(0, self._header)
        titles = [said(column.title) for column in self._columns]
        self._widths = [len(title) for title in titles]
        for at, title in enumerate(titles):
            self._sheet.write_string(self._header, at, title, self._styles.bold)
        self._next_row = self._header + 1

    def _write_head(self) -> int:
        """Write what the rows are of; return the row that is left for their header."""
        assert self._section is not None
        head = (f"{self._section.chapter}: {self._section.title}", *_said_of(self._section))
        for at, text in enumerate(head):
            self._sheet.write_string(at, 0, _fitting(text), None if at else self._styles.title)
        return len(head) + 1


def _said_of(section: Section) -> tuple[str, str]:
    return f"{section.asked}.", said(_("Asked again by: {command}").format(command=section.command))


def _write_cover(workbook: Workbook, styles: _Styles, document: Document) -> None:
    """Write what the document is, one fact a row, and which sheets there are."""
    sheet = _sheet(workbook, said(_("Cover")))
    sheet.write_string(0, 0, _fitting(document.title), styles.title)
    cover = document.cover
    next_row = 2
    for row in cover.rows:
        for column in cover.shown:
            sheet.write_string(next_row, 0, column.title, styles.bold)
            value, form = (
                _for_people(row[column.key], column.kind),
                styles.of(column.kind, left=True),
            )
            _write(sheet, (next_row, 1), value, column.kind, form)
            next_row += 1
    next_row += 1
    for at, column in enumerate(_CONTENTS):
        sheet.write_string(next_row, at, said(column.title), styles.bold)
    for section in document.sections:
        next_row += 1
        sheet.write_url(next_row, 0, f"internal:'{section.name}'!A1", string=section.name)
        for at, column in enumerate(_CONTENTS[1:], 1):
            sheet.write_string(next_row, at, _fitting(getattr(section, column.key)), styles.left)
    for at, width in enumerate((28, 60, 30, 60, 90)):
        sheet.set_column(at, at, width)


def _sheet(workbook: Workbook, name: str) -> Worksheet:
    """Add a sheet that prints well: A4 across, as wide as the paper, its pages numbered."""
    sheet = workbook.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")
    return sheet


def _for_people(value: object, kind: Kind) -> object:
    """Return a text as people are shown it; what has a form of its own in a workbook as it is."""
    return shown(value, kind) if isinstance(value, str) else value


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
            sheet.write_boolean(*at, bool(ready), form)
        case "date" | "instant" if isinstance(value, date) and value.year >= FIRST_YEAR:
            sheet.write_datetime(*at, _without_zone(value), form)
        case _:
            sheet.write_string(
                *at, _fitting(_text(value, ready, kind)), None if kind in _FORMATS else form
            )


def _as_printed(value: object) -> str | None:
    """Return the number format with the decimals of a number that has some, zeros too."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    places = -int(value.as_tuple().exponent)
    return "0." + "0" * places if places > 0 else None


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
