"""Cells that a parser would pass over in silence: errors, and formulas nobody has calculated.

Runs in the child process only. Owns the search for them in the XML of .xlsx and .ods, since the
parser returns such cells as empty or as 0. Standard library only.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from typing import Any, Final
from xml.parsers import expat

from registry.intake.packages import (
    CHUNK_BYTES,
    PackageRefusedError,
    XlsxSheet,
    refused_damaged,
)

UNCALCULATED: Final = "a formula without a stored result"
MARKS_MAX: Final = 200_000  # more errors than a table of that size can be mended for
COLUMNS_FAR: Final = 16_384  # the columns of a sheet

Marks = dict[int, dict[int, str]]  # row -> column -> what stands there; both counted from 0

_CELL_NAME: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_XLSX_HINT: Final = re.compile(rb"""\bt\s*=\s*["'](?:e["']|&)|<(?:\w+:)?f[\s/>]""")
_ODS_HINT: Final = re.compile(rb""":formula\s*=|value-type\s*=\s*["']error""")
_HINT_OVERLAP: Final = 64


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
                f"more than {MARKS_MAX:,} cells hold errors",
                "formulas without a result, or results like #REF!",
                "open the file in a spreadsheet program, mend or calculate it, and save it",
            )
        self.marks[row][column] = text


def xlsx_marks(archive: zipfile.ZipFile, sheet: XlsxSheet, *, uncalculated: bool) -> Marks:
    """Return the cells of type error, and the formulas without a stored result.

    `uncalculated`: the workbook asks to be calculated when opened, so a stored 0 is no result
    but what the program that wrote the file put in its place.
    """
    if not _hinted(archive, sheet.member, _XLSX_HINT):
        return {}
    reader = _XlsxReader(uncalculated=uncalculated)
    _parse(archive, sheet.member, reader)
    return reader.found.marks


def ods_marks(archive: zipfile.ZipFile) -> dict[str, Marks]:
    """Return the same for every table of an OpenDocument spreadsheet, by its name."""
    if not _hinted(archive, "content.xml", _ODS_HINT):
        return {}
    reader = _OdsReader()
    _parse(archive, "content.xml", reader)
    return {name: collector.marks for name, collector in reader.found.items()}


def _hinted(archive: zipfile.ZipFile, member: str, hint: re.Pattern[bytes]) -> bool:
    """Whether a closer look is needed at all: most sheets have neither error nor formula."""
    tail = b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if hint.search(tail + chunk):
                return True
            tail = chunk[-_HINT_OVERLAP:]
    return False


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


def _parse(archive: zipfile.ZipFile, member: str, reader: _XlsxReader | _OdsReader) -> None:
    parser: Any = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
            parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise refused_damaged(f"{member}: {error}") from None
