"""What a parser passes over in silence: errors, formulas nobody has calculated, number formats.

Runs in the child process only. Owns the search for them in the XML of .xlsx and .ods, since the
parser returns such cells as empty or as 0, and 40.20 as 40.2. Standard library only.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final
from xml.parsers import expat

from registry.intake.number_formats import Format, shown_format, shown_period
from registry.intake.packages import (
    CHUNK_BYTES,
    PackageRefusedError,
    XlsxSheet,
    refused_damaged,
)
from registry.language import _

UNCALCULATED: Final = _("a formula without a stored result")
MARKS_MAX: Final = 200_000  # more errors than a table of that size can be mended for
COLUMNS_FAR: Final = 16_384  # the columns of a sheet

Mark = str | Format  # an error, or how the number or day is shown
Marks = dict[int, dict[int, Mark]]  # row -> column -> what stands there; both counted from 0

Sought = Callable[[bytes], bool]

_CELL_NAME: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
# What a part with an error or a formula has in it; searching for plain bytes costs next to nothing.
_XLSX_SIGNS: Final = (b"<f", b":f", b'"e"', b"'e'", b'"&', b"'&")
_ODS_SIGNS: Final = (b":formula", b'"error"', b"'error'", b'"percentage"', b"'percentage'")
# A number with decimals, or one shown with one or two: thousands stand in threes.
# Or a month and a year, as a day may be shown.
_ODS_SHOWN: Final = re.compile(
    rb"""value=["']-?[0-9]+[.]|[0-9][.,][0-9]{1,2}</"""
    rb"""|>(?:[A-Za-z]{3,9}[ ./-]+'?[0-9]{2,4}|[0-9]{1,2}[./-][0-9]{4})</"""
)
_ODS_NUMBERS: Final = frozenset({"float", "percentage", "currency"})
_OVERLAP: Final = 64  # bytes kept between two chunks, so that no sign is cut in two
_ROW_START: Final = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER: Final = re.compile(rb"""\sr\s*=\s*["'][0-9]+["']""")
_ROW_END: Final = re.compile(rb"</(?:\w+:)?row\s*>")
ROW_BYTES_MAX: Final = 8 << 20  # 200 full cells in one row come to less


class Collector:
    """Marks with a limit: a sheet of nothing but errors must not fill the memory."""

    def __init__(self) -> None:
        self.marks: Marks = defaultdict(dict)
        self._count = 0

    def add(self, row: int, column: int, mark: Mark) -> None:
        """Mark one cell; refuse the file when there are too many errors."""
        self._count += isinstance(mark, str)
        if self._count > MARKS_MAX:
            raise PackageRefusedError(
                _("more than {marks_max:,} cells hold errors").format(marks_max=MARKS_MAX),
                _("formulas without a result, or results like #REF!"),
                _("open the file in a spreadsheet program, mend or calculate it, and save it"),
            )
        self.marks[row][column] = mark


def xlsx_marks(
    archive: zipfile.ZipFile,
    sheet: XlsxSheet,
    *,
    uncalculated: bool,
    formats: Mapping[str, Format],
) -> Marks:
    """Return errors, formulas without a stored result, and how numbers are shown.

    `uncalculated`: the workbook asks to be calculated when opened, so a stored 0 is no result
    but what the program that wrote the file put in its place. `formats`: by the cells' style.
    """
    sought = _xlsx_signs(formats)
    if not _has_any(archive, sheet.member, sought):
        return {}
    reader = _XlsxReader(uncalculated=uncalculated, formats=formats)
    try:
        for fragment in _hinted_rows(archive, sheet.member, sought):
            _parser(reader).Parse(fragment, True)  # noqa: FBT003 - expat's own signature
    except (_UnclearRowsError, expat.ExpatError):
        reader = _XlsxReader(uncalculated=uncalculated, formats=formats)
        _parse(archive, sheet.member, reader)
    return reader.found.marks


def ods_marks(archive: zipfile.ZipFile) -> dict[str, Marks]:
    """Return the same for every table of an OpenDocument spreadsheet, by its name."""
    if not _has_any(archive, "content.xml", _sought(_ODS_SIGNS, _ODS_SHOWN)):
        return {}
    reader = _OdsReader()
    _parse(archive, "content.xml", reader)
    return {name: collector.marks for name, collector in reader.found.items()}


def _sought(signs: tuple[bytes, ...], pattern: re.Pattern[bytes] | None) -> Sought:
    return lambda piece: (
        any(sign in piece for sign in signs) or bool(pattern and pattern.search(piece))
    )


def _xlsx_signs(formats: Mapping[str, Format]) -> Sought:
    """Return what tells a piece of a sheet that needs a closer look."""
    telling = [style.encode() for style, each in formats.items() if each.tells]
    whole = [style.encode() for style, each in formats.items() if not each.tells]
    signs = [b's="%s"' % style for style in telling] + [b"s='%s'" % style for style in telling]
    rounded = None
    if whole:  # of numbers shown whole, those that are not
        rounded = re.compile(
            rb"""s=["'](?:%s)["'][^<>]*><(?:\w+:)?v>-?[0-9]*[.eE]""" % b"|".join(whole)
        )
    return _sought((*_XLSX_SIGNS, *signs), rounded)


def _has_any(archive: zipfile.ZipFile, member: str, sought: Sought) -> bool:
    """Whether a closer look is needed at all: most sheets have neither error nor formula."""
    tail = b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            piece = tail + chunk
            if sought(piece):
                return True
            tail = chunk[-_OVERLAP:]
    return False


class _UnclearRowsError(Exception):
    """The rows cannot be told apart by their tags alone: the part must be read as a whole."""


def _hinted_rows(archive: zipfile.ZipFile, member: str, sought: Sought) -> Iterator[bytes]:
    """Yield the rows that need a closer look, each as a document of its own.

    Reading a whole sheet element by element takes four times as long as parsing it; of 100,000
    rows often only the last one, the sum, has a formula.
    """
    buffer, closing = b"", b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            buffer += chunk
            if not closing:
                found = _ROW_END.search(buffer)
                closing = found[0] if found else b""
            *pieces, buffer = buffer.split(closing) if closing else [buffer]
            if len(buffer) > ROW_BYTES_MAX:
                raise _UnclearRowsError
            for piece in pieces:
                if sought(piece):
                    yield _document(piece, closing)
    if _ROW_START.search(buffer):
        raise _UnclearRowsError


def _document(piece: bytes, closing: bytes) -> bytes:
    starts = list(_ROW_START.finditer(piece))
    if not starts or not all(_ROW_NUMBER.search(start[1]) for start in starts):
        raise _UnclearRowsError
    return b"<rows>" + piece[starts[0].start() :] + closing + b"</rows>"


class _XlsxReader:
    def __init__(self, *, uncalculated: bool, formats: Mapping[str, Format]) -> None:
        self.found = Collector()
        self._formats = formats
        self._format: Format | None = None
        self._no_results = {"", "0"} if uncalculated else {""}
        self._row, self._column = -1, -1
        self._type = ""
        self._formula = self._collecting = False
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self._column += 1
            placed = _CELL_NAME.fullmatch(attributes.get("r", ""))
            if placed:
                self._row, self._column = int(placed[2]) - 1, _column_number(placed[1])
            self._type = attributes.get("t", "n")
            self._format = self._formats.get(attributes.get("s", ""))
            self._formula, self._text = False, ""
        elif local == "v":
            self._collecting = True
        elif local == "f":
            self._formula = True
        elif local == "row":
            number = attributes.get("r", "")
            self._row = int(number) - 1 if number.isdecimal() else self._row + 1
            self._column = -1

    def text(self, text: str) -> None:
        if self._collecting:
            self._text += text

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "v":
            self._collecting = False
        elif local == "c":
            text = self._text.strip()
            if self._type == "e":
                self.found.add(self._row, self._column, text or "#ERROR!")
            elif self._formula and self._type not in {"str", "s", "b"} and text in self._no_results:
                self.found.add(self._row, self._column, UNCALCULATED)
            elif self._type == "n" and self._format is not None:
                self.found.add(self._row, self._column, self._format)


class _OdsReader:
    def __init__(self) -> None:
        self.found: dict[str, Collector] = {}
        self._collector = Collector()
        self._row = self._column = 0
        self._row_repeat = self._cell_repeat = 1
        self._cell: dict[str, str] | None = None
        self._row_marks: list[tuple[int, Mark]] = []
        self._annotation = 0
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._collector = self.found.setdefault(attributes.get("table:name", ""), Collector())
            self._row = 0
        elif name == "table:table-row":
            self._row_repeat = _repeat(attributes, "table:number-rows-repeated")
            self._column = 0
            self._row_marks = []
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._cell_repeat = _repeat(attributes, "table:number-columns-repeated")
            self._cell, self._text = attributes, ""
        elif name == "office:annotation":
            self._annotation += 1

    def text(self, text: str) -> None:
        if self._cell is not None and not self._annotation:
            self._text += text

    def end(self, name: str) -> None:
        if name == "table:table-row":
            if self._row_marks:
                for row in range(self._row, self._row + self._row_repeat):
                    for column, text in self._row_marks:
                        self._collector.add(row, column, text)
            self._row += self._row_repeat
        elif name in {"table:table-cell", "table:covered-table-cell"} and self._cell is not None:
            mark = _ods_mark(self._cell, self._text.strip())
            if mark:
                last = min(self._column + self._cell_repeat, COLUMNS_FAR)
                self._row_marks += [(column, mark) for column in range(self._column, last)]
            self._column += self._cell_repeat
            self._cell = None
        elif name == "office:annotation":
            self._annotation -= 1


def _ods_mark(cell: dict[str, str], text: str) -> Mark | None:
    """Return what is wrong with a cell, or how its number is shown."""
    kind = cell.get("office:value-type", "")
    if cell.get("calcext:value-type") == "error":
        return text or "#ERROR!"
    if "table:formula" in cell:
        if text.startswith(("#", "Err:")):
            return text
        if not kind or (kind in _ODS_NUMBERS and "office:value" not in cell):
            return UNCALCULATED
    if kind == "date":
        return _ods_period(cell.get("office:date-value", ""), text)
    if kind not in _ODS_NUMBERS:
        return None
    number = cell.get("office:value", "")
    return shown_format(number, text, is_percent=kind == "percentage")


def _ods_period(value: str, text: str) -> Mark | None:
    try:
        return shown_period(date.fromisoformat(value[:10]), text)
    except ValueError:
        return None


def _repeat(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    return int(value) if value.isascii() and value.isdecimal() else 1


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _parser(reader: _XlsxReader | _OdsReader) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    return parser


def _parse(archive: zipfile.ZipFile, member: str, reader: _XlsxReader | _OdsReader) -> None:
    parser = _parser(reader)
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                parser.Parse(chunk, False)  # noqa: FBT003
            parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise refused_damaged(f"{member}: {error}") from None
