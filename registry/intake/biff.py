"""The records of an .xls: errors, uncalculated formulas, number formats, password, macro sheets.

Runs in the child process only. Owns the few records that are looked at ([MS-XLS]); the values of
cells are the parser's. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from registry.intake.marks import UNCALCULATED, Collector, Marks
from registry.intake.number_formats import Format, built_in, number_format
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
_FORMAT, _XF, _NUMBER, _RK, _MULRK = 0x041E, 0x00E0, 0x0203, 0x027E, 0x00BD
_WIDE: Final = 0x1  # two bytes a character
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
    codes: dict[int, Format | None] = {}
    formats: list[Format | None] = []  # by the index that cells name
    try:
        for kind, start, length in _records(stream, 0):
            if kind == _FORMAT and length >= 5:  # noqa: PLR2004 - number, characters, width
                number, characters, width = struct.unpack_from("<HHB", stream, start)
                wide = width & _WIDE
                code = stream[start + 5 : start + 5 + characters * (2 if wide else 1)]
                text = code.decode("utf-16-le" if wide else "latin-1", "replace")
                codes[number] = number_format(text)
            elif kind == _XF and length >= 4:  # noqa: PLR2004 - font, format
                (number,) = struct.unpack_from("<H", stream, start + 2)
                formats.append(codes[number] if number in codes else built_in(number))
            if kind == _FILEPASS:
                raise refused_password()
            if kind == _BOUNDSHEET and length >= 6:  # noqa: PLR2004 - offset, state, type
                offset, _state, sheet_kind = struct.unpack_from("<IBB", stream, start)
                if sheet_kind in _MACRO_SHEETS:
                    raise refused_macros()
                offsets.append(offset)
        if len(offsets) > SHEETS_MAX:
            raise refused_sheets(len(offsets))
        return [_xls_sheet_marks(stream, offset, formats) for offset in offsets]
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


def _xls_sheet_marks(stream: bytes, offset: int, formats: Sequence[Format | None]) -> Marks:
    found = Collector()
    for kind, start, length in _records(stream, offset):
        for row, column, style in _numbers(stream, kind, start, length):
            shown = formats[style] if style < len(formats) else None
            if shown is not None:
                found.add(row, column, shown)
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


def _numbers(stream: bytes, kind: int, start: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Yield row, column and style of the numbers in a record."""
    if kind in {_NUMBER, _RK} or kind in _FORMULAS:
        yield struct.unpack_from("<HHH", stream, start)
    elif kind == _MULRK:
        row, first = struct.unpack_from("<HH", stream, start)
        for place in range((length - 6) // 6):
            (style,) = struct.unpack_from("<H", stream, start + 4 + 6 * place)
            yield row, first + place, style
