"""Cells that a parser would pass over in silence: errors, and formulas nobody has calculated.

Runs in the child process only. Owns the search for them in the XML of .xlsx and .ods, since the
parser returns such cells as empty or as 0. Standard library only.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

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

Marks = dict[int, dict[int, str]]  # row -> column -> what stands there; both counted from 0

_CELL_NAME: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
# What a part with an error or a formula has in it; searching for plain bytes costs next to nothing.
_XLSX_SIGNS: Final = (b"<f", b":f", b'"e"', b"'e'", b'"&', b"'&")
_ODS_SIGNS: Final = (b":formula", b'"error"', b"'error'")
_OVERLAP: Final = 16  # bytes kept between two chunks, so that no sign is cut in two
_ROW_START: Final = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER: Final = re.compile(rb"""\sr\s*=\s*["'][0-9]+["']""")
_ROW_END: Final = re.compile(rb"</(?:\w+:)?row\s*>")
ROW_BYTES_MAX: Final = 8 << 20  # 200 full cells in one row come to less


class Collector:
    """Marks with a limit: a sheet of nothing but errors must not fill the memory."""

    def __init__(self) -> None:
        self.marks: Marks = defaultdict(dict)
        self._count = 0

    def add(self, row: int, column: int, text: str) -> None:
        """Mark one cell; refuse the file when there are too many."""
        self._count += 1
        if self._count > MARKS_MAX:
            raise PackageRefusedError(
                _("more than {marks_max:,} cells hold errors").format(marks_max=MARKS_MAX),
                _("formulas without a result, or results like #REF!"),
                _("open the file in a spreadsheet program, mend or calculate it, and save it"),
            )
        self.marks[row][column] = text


def xlsx_marks(archive: zipfile.ZipFile, sheet: XlsxSheet, *, uncalculated: bool) -> Marks:
    """Return the cells of type error, and the formulas without a stored result.

    `uncalculated`: the workbook asks to be calculated when opened, so a stored 0 is no result
    but what the program that wrote the file put in its place.
    """
    if not _has_any(archive, sheet.member, _XLSX_SIGNS):
        return {}
    reader = _XlsxReader(uncalculated=uncalculated)
    try:
        for fragment in _hinted_rows(archive, sheet.member):
            _parser(reader).Parse(fragment, True)  # noqa: FBT003 - expat's own signature
    except (_UnclearRowsError, expat.ExpatError):
        reader = _XlsxReader(uncalculated=uncalculated)
        _parse(archive, sheet.member, reader)
    return reader.found.marks


def ods_marks(archive: zipfile.ZipFile) -> dict[str, Marks]:
    """Return the same for every table of an OpenDocument spreadsheet, by its name."""
    if not _has_any(archive, "content.xml", _ODS_SIGNS):
        return {}
    reader = _OdsReader()
    _parse(archive, "content.xml", reader)
    return {name: collector.marks for name, collector in reader.found.items()}


def _has_any(archive: zipfile.ZipFile, member: str, signs: tuple[bytes, ...]) -> bool:
    """Whether a closer look is needed at all: most sheets have neither error nor formula."""
    tail = b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            piece = tail + chunk
            if any(sign in piece for sign in signs):
                return True
            tail = chunk[-_OVERLAP:]
    return False


class _UnclearRowsError(Exception):
    """The rows cannot be told apart by their tags alone: the part must be read as a whole."""


def _hinted_rows(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
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
                if any(sign in piece for sign in _XLSX_SIGNS):
                    yield _document(piece, closing)
    if _ROW_START.search(buffer):
        raise _UnclearRowsError


def _document(piece: bytes, closing: bytes) -> bytes:
    starts = list(_ROW_START.finditer(piece))
    if not starts or not all(_ROW_NUMBER.search(start[1]) for start in starts):
        raise _UnclearRowsError
    return b"<rows>" + piece[starts[0].start() :] + closing + b"</rows>"


class _XlsxReader:
    def __init__(self, *, uncalculated: bool) -> None:
        self.found = Collector()
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


class _OdsReader:
    def __init__(self) -> None:
        self.found: dict[str, Collector] = {}
        self._collector = Collector()
        self._row = self._column = 0
        self._row_repeat = self._cell_repeat = 1
        self._cell: dict[str, str] | None = None
        self._row_marks: list[tuple[int, str]] = []
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


def _ods_mark(cell: dict[str, str], text: str) -> str:
    """Return what is wrong with a cell, or nothing."""
    kind = cell.get("office:value-type", "")
    if cell.get("calcext:value-type") == "error":
        return text or "#ERROR!"
    if "table:formula" not in cell:
        return ""
    if text.startswith(("#", "Err:")):
        return text
    if not kind or (kind in {"float", "percentage", "currency"} and "office:value" not in cell):
        return UNCALCULATED
    return ""


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
