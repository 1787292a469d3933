"""The records of an .xls: its errors and uncalculated formulas, its password, its macro sheets.

Runs in the child process only. Owns the few records that are looked at ([MS-XLS]); the values of
cells are the parser's. Standard library only.
"""

from __future__ import annotations

import struct
from typing import Final

from registry.intake.marks import UNCALCULATED, Collector, Marks
from registry.intake.packages import (
    SHEETS_MAX,
    refused_damaged,
    refused_macros,
    refused_password,
    refused_sheets,
)
from registry.language import _

_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _BOOLERR = 0x0809, 0x000A, 0x0085, 0x002F, 0x0205
_FORMULAS: Final = frozenset({0x0006, 0x0206, 0x0406})
_MACRO_SHEETS: Final = frozenset({1, 6})  # Excel 4 macros, Visual Basic
_NOT_A_NUMBER, _ERROR_RESULT = 0xFFFF, 2
_CALCULATE_ON_LOAD: Final = 0x2
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def xls_marks(stream: bytes) -> list[Marks]:
    """Return errors and uncalculated formulas of each sheet, in the order the workbook lists them."""
    offsets: list[int] = []
    try:
        for kind, start, length in _records(stream, 0):
            if kind == _FILEPASS:
                raise refused_password()
            if kind == _BOUNDSHEET and length >= 6:  # noqa: PLR2004 - offset, state, type
                offset, _state, sheet_kind = struct.unpack_from("<IBB", stream, start)
                if sheet_kind in _MACRO_SHEETS:
                    raise refused_macros()
                offsets.append(offset)
        if len(offsets) > SHEETS_MAX:
            raise refused_sheets(len(offsets))
        return [_xls_sheet_marks(stream, offset) for offset in offsets]
    except struct.error as error:
        raise refused_damaged(
            _("its records do not hold together: {error}").format(error=error)
        ) from None


def _records(stream: bytes, start: int) -> list[tuple[int, int, int]]:
    """Return (kind, start, length) of the records of one substream, up to its own end."""
    records = []
    depth, place = 0, start
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        place += 4
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1:
            records.append((kind, place, length))
        place += length
    return records


def _xls_sheet_marks(stream: bytes, offset: int) -> Marks:
    found = Collector()
    for kind, start, _length in _records(stream, offset):
        if kind == _BOOLERR:
            row, column, code, is_error = struct.unpack_from("<HH2xBB", stream, start)
            if is_error:
                found.add(row, column, _ERRORS.get(code, "#ERROR!"))
        elif kind in _FORMULAS:
            row, column, result, flags = struct.unpack_from("<HH2x8sH", stream, start)
            if result[6:] == b"\xff\xff":
                if result[0] == _ERROR_RESULT:
                    found.add(row, column, _ERRORS.get(result[2], "#ERROR!"))
            elif flags & _CALCULATE_ON_LOAD and result == bytes(8):
                found.add(row, column, UNCALCULATED)
    return found.marks
