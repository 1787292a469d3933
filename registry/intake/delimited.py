"""Delimited text: its encoding, its delimiter, its records. Standard library only.

Owns what makes a text file readable or not, and says in which line. Knows no column by name.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from registry.errors import InputUnreadableError
from registry.intake.grid import (
    FIELD_LENGTH_MAX,
    HEADER_ROWS_MAX,
    Recognises,
    Row,
    Table,
    find_header,
    header_names,
    no_header,
)
from registry.intake.spool import SpooledFile

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
CHUNK_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = CHUNK_BYTES  # a line is held in memory whole; 200 full columns of notes
LINES_MAX: Final = 10_000_000  # about what fits in the largest file; a million rows are usual

# Everything below a space but tab, LF and CR; and DEL. No office program writes them into text.
_CONTROLS: Final = bytes(code for code in [*range(32), 127] if code not in b"\t\n\r")
_CONTROL: Final = re.compile(b"[" + re.escape(_CONTROLS) + b"]")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
# A character of UTF-8 outside ASCII, over-long forms included; bytes as Latin-1.
_UTF8_SEQUENCE: Final = re.compile(
    r"[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
)
_UNDEFINED_CP1252: Final = re.compile(r"[\x81\x8d\x8f\x90\x9d]")

_UTF8_BOM: Final = codecs.BOM_UTF8
_OTHER_FORMATS: Final = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x09\x00\x04\x00", "a spreadsheet of Excel 2"),
    (b"\x09\x02\x06\x00", "a spreadsheet of Excel 3"),
    (b"\x09\x04\x06\x00", "a spreadsheet of Excel 4"),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|\?xml|table|head|meta)", re.IGNORECASE)


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

    def rows(self) -> Iterator[Row]:
        """Yield the records below the header, each with the line it starts on."""
        width = len(self.headers)
        records = _Records(self._path, self.encoding, self.delimiter, self.file)
        header_row = self.header_row
        for line, cells in records:
            if line <= header_row:
                continue
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
    encoding = _checked_encoding(spooled.path, spooled.name)
    readings = [_reading(spooled, encoding, delimiter, recognises) for delimiter in DELIMITERS]
    matches = max(reading.matches for reading in readings)
    if not matches:
        clean = [reading for reading in readings if reading.problem is None]
        fullest = max(clean or readings, key=lambda reading: sum(map(len, reading.cells)))
        raise fullest.problem or no_header(spooled.name, fullest.cells, recognises)
    best, *rivals = [reading for reading in readings if reading.matches == matches]
    if rivals:
        names = " or ".join(DELIMITERS[reading.delimiter] for reading in [best, *rivals])
        raise InputUnreadableError(
            f"{spooled.name} can be read with more than one delimiter",
            why=f"the columns may be separated by {names}",
            remedy="use one delimiter, and one header row",
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
                "a quotation mark stands where none can stand",
                where=f"{self._name}:{end}",
                why="after the mark that closes a cell, only a delimiter or the line's end follows",
                remedy='write a quotation mark inside a quoted cell twice ("")',
            )
        opened = self._open_quote(start)
        if opened is not None and (cut_off or end > opened):
            return InputUnreadableError(
                "a quotation mark opens a cell that is never closed",
                where=f"{self._name}:{opened}",
                why=f"everything from there on, to line {end} at least, would be one cell",
                remedy='close the quotation mark, or write it twice ("") if it belongs to the text',
            )
        return InputUnreadableError(
            f"a cell holds more than {FIELD_LENGTH_MAX:,} characters",
            where=f"{self._name}:{end}",
            why="no spreadsheet can hold such a cell",
            remedy="shorten it",
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


class _Utf8:
    """Whether the bytes fed so far are UTF-8; `broken_at` is the first that is not."""

    def __init__(self) -> None:
        self.broken_at: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._fed = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        if self.broken_at is not None:
            return
        held = len(self._decoder.getstate()[0])  # bytes of a character cut by the last chunk
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            self.broken_at = self._fed - held + error.start
        self._fed += len(chunk)


def _checked_encoding(path: Path, name: str) -> str:
    """Read all bytes once: return the encoding they are all in, or refuse with the line."""
    offset = lines = pending = 0
    utf8 = _Utf8()
    has_mark = False
    with path.open("rb") as stream:
        _refuse_other_formats(stream.read(CHUNK_BYTES), name)
        stream.seek(0)
        while chunk := stream.read(CHUNK_BYTES):
            if offset == 0:
                has_mark = chunk.startswith(_UTF8_BOM)
            if len(chunk.translate(None, _CONTROLS)) != len(chunk):
                raise _control_byte(path, name, offset, chunk)
            lines += chunk.count(b"\n") or chunk.count(b"\r")
            pending = _line_length(chunk, pending)
            if pending > LINE_BYTES_MAX or lines > LINES_MAX:
                raise _too_long(name, lines, _line_of(path, offset))
            utf8.feed(chunk)
            offset += len(chunk)
    utf8.feed(b"", final=True)
    if utf8.broken_at is None:
        return "utf-8-sig" if has_mark else "utf-8"
    if has_mark:
        raise _broken_utf8(path, name, utf8.broken_at)
    _refuse_unless_cp1252(path, name)
    return "cp1252"


def _refuse_other_formats(head: bytes, name: str) -> None:
    what = next((what for magic, what in _OTHER_FORMATS if head.startswith(magic)), None)
    if _MARKUP.match(head.removeprefix(_UTF8_BOM)):
        what = "a web page or an XML document, whatever its name says"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        what = "text in UTF-16 (“Unicode text”)"
    if not head:
        raise InputUnreadableError(f"{name} is empty", why="it has no bytes", remedy="check it")
    if what:
        raise InputUnreadableError(
            f"{name} is {what}",
            why="CSV text, .xlsx, .xls and .ods are read",
            remedy="open it in a spreadsheet program and save it as .xlsx or as CSV UTF-8",
        )


def _line_length(chunk: bytes, pending: int) -> int:
    """Return the longest line that this chunk ends, or else the one it leaves open.

    Lines wholly inside a chunk are never longer than the limit, so they need no look.
    """
    ends = (chunk.find(b"\n"), chunk.find(b"\r"))
    first = min((end for end in ends if end >= 0), default=-1)
    if first < 0:
        return pending + len(chunk)
    if pending + first > LINE_BYTES_MAX:
        return pending + first
    return len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))


def _refuse_unless_cp1252(path: Path, name: str) -> None:
    """Windows-1252 takes almost any byte, so look for what it cannot be, line by line."""
    with path.open(encoding="latin-1", newline="") as bytes_as_text:
        for number, line in enumerate(bytes_as_text, start=1):
            if line.isascii():
                continue
            if _UNDEFINED_CP1252.search(line):
                raise InputUnreadableError(
                    "a character cannot be read",
                    where=f"{name}:{number}",
                    why="its byte belongs neither to UTF-8 nor to Windows-1252",
                    remedy="save the file as CSV UTF-8",
                )
            if _UTF8_SEQUENCE.search(line):
                raise InputUnreadableError(
                    "the file mixes two encodings",
                    where=f"{name}:{number}",
                    why="this line is UTF-8, but another line is not",
                    remedy="save the whole file as CSV UTF-8",
                )


def _control_byte(path: Path, name: str, offset: int, chunk: bytes) -> InputUnreadableError:
    found = _CONTROL.search(chunk)
    where = found.start() if found else 0
    code = chunk[where]
    nul = " (text in UTF-16, or not a text at all)" if code == 0 else ""
    return InputUnreadableError(
        "the file holds a character that no text has",
        where=f"{name}:{_line_of(path, offset + where)}",
        why=f"the byte 0x{code:02x}{nul}",
        remedy="save the file as CSV UTF-8, or as .xlsx",
    )


def _broken_utf8(path: Path, name: str, offset: int) -> InputUnreadableError:
    return InputUnreadableError(
        "a character cannot be read",
        where=f"{name}:{_line_of(path, offset)}",
        why="the file says it is UTF-8, but this byte is not",
        remedy="save the file again as CSV UTF-8",
    )


def _too_long(name: str, lines: int, line: int) -> InputUnreadableError:
    if lines > LINES_MAX:
        return InputUnreadableError(
            f"{name} has more than {LINES_MAX:,} lines", remedy="split it into several files"
        )
    return InputUnreadableError(
        f"a line has more than {LINE_BYTES_MAX:,} bytes",
        where=f"{name}:{line}",
        why="no row of a table is as long",
        remedy="check that the file is a table, with its line ends",
    )


def _line_of(path: Path, offset: int) -> int:
    """Return the line of a byte, counting LF, CR and CR LF as an editor does."""
    ends, read, last = 0, 0, b""
    with path.open("rb") as stream:
        while read < offset and (chunk := stream.read(min(CHUNK_BYTES, offset - read))):
            read += len(chunk)
            ends += len(_LINE_END.findall(chunk))
            if last == b"\r" and chunk.startswith(b"\n"):
                ends -= 1
            last = chunk[-1:]
    return ends + 1
