"""What of a file is not read, looked over before its very bytes are kept: is there somebody's number?

Owns where such a number may stand beside the cells that are read, and what only looks like one.
Finds numbers as long as a KPJ or a NIK; a name alone it does not know.
"""

from __future__ import annotations

import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import takewhile
from pathlib import Path
from typing import Final

from registry.cells import CellError, Value
from registry.intake.grid import Row, Table
from registry.intake.notes import Sheet
from registry.intake.spool import CHUNK_BYTES, SpooledFile
from registry.safe_text import PERSONAL_DIGITS_MIN, looks_personal

_NUMBER: Final = b"[0-9]{%d,}" % PERSONAL_DIGITS_MIN
_LONG: Final = re.compile(_NUMBER)
# Spreadsheet programs write as many digits of their own accord: ids, typefaces, decimal fractions,
# zeros of a number format.
_LONG_OR_HARMLESS: Final = re.compile(
    rb"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    rb'|panose="[0-9A-Fa-f]{20}"'
    rb"|[0-9]\.[0-9]+|0+(?![0-9])"
    rb"|(?P<long>" + _NUMBER + rb")"
)
_LONG_IN_XLS: Final = re.compile(rb"(?:[0-9]\x00?){%d,}" % PERSONAL_DIGITS_MIN)  # UTF-16, Latin-1
_OVERLAP_BYTES: Final = 64  # of two chunks, where no mark-up ends: longer than any such number


def may_name_somebody(spooled: SpooledFile, sheets: Sequence[Sheet]) -> bool:
    """Whether a number as long as a person's stands where nothing is read.

    Of every table: the rows above its header, and columns of running numbers. Of a spreadsheet
    besides: everything else in the file, such as its properties, comments and pivot tables; what
    cannot be unpacked may name anybody. Streams.
    """
    cells = (value for sheet in sheets for value in _unread(sheet))
    return any(map(_is_long, cells)) or _LOOKED_OVER[spooled.kind](spooled.path)


def _unread(sheet: Sheet) -> Iterator[Value]:
    for _, values in _above(sheet.table):
        yield from values
    if counters := sheet.headers.counters:
        for _, values in sheet.table.rows():
            yield from (values[index] for index in counters)


def _above(table: Table) -> Iterator[Row]:
    """Yield the rows above the header: those of a table whose header stands above all of them."""
    headless = copy(table)
    headless.header_row = 0
    return takewhile(lambda row: row[0] < table.header_row, headless.rows())


def _is_long(value: Value) -> bool:
    if isinstance(value, CellError):
        value = value.text
    if isinstance(value, str):
        return looks_personal(value)
    return isinstance(value, int | float) and abs(value) >= 10 ** (PERSONAL_DIGITS_MIN - 1)


def _in_text(path: Path) -> bool:
    del path  # it has nothing but cells
    return False


def _in_package(path: Path) -> bool:
    """Whether any part of an .xlsx or .ods has such a number; its parts were looked over before."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            named = [archive.comment, *(m.comment + m.filename.encode() for m in members)]
            return any(map(_has_long, named)) or any(_in_member(archive, m) for m in members)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return True


def _in_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    rest = b""
    with archive.open(member) as part:
        while chunk := part.read(CHUNK_BYTES):
            piece = rest + chunk
            # They part where mark-up ends, so that nothing is torn; else what is torn comes twice.
            end = piece.rfind(b">", max(0, len(piece) - CHUNK_BYTES)) + 1
            end = end or max(0, len(piece) - _OVERLAP_BYTES)
            if _has_long(piece[:end]):
                return True
            rest = piece[end:]
    return _has_long(rest)


def _has_long(piece: bytes) -> bool:
    if _LONG.search(piece) is None:
        return False
    return any(match["long"] for match in _LONG_OR_HARMLESS.finditer(piece))


def _in_xls(path: Path) -> bool:
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return _LONG_IN_XLS.search(content) is not None


_LOOKED_OVER: Final = {"text": _in_text, "zip": _in_package, "ole": _in_xls}
