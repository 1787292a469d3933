"""The OLE file an .xls is packed in: finds the workbook's stream, refuses what hides as one.

Runs in the child process only. Owns the sectors and their chains ([MS-CFB], version 3 and 4).
Reads no cell; standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from registry.intake.packages import (
    PackageRefusedError,
    refused_damaged,
    refused_macros,
    refused_password,
)
from registry.language import _

_SECTOR_LAST: Final = 0xFFFFFFFA  # above: free, end of chain, or the table's own sectors
_ENTRY_BYTES: Final = 128
_STREAM, _ROOT = 2, 5


def workbook_stream(path: Path) -> bytes:
    """Return the workbook's own stream out of an OLE file. Raises: PackageRefusedError."""
    try:
        return _workbook_stream(path.read_bytes())
    except (struct.error, IndexError, ValueError) as error:
        raise refused_damaged(
            _("its sectors do not hold together: {error}").format(error=error)
        ) from None


def _workbook_stream(data: bytes) -> bytes:
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    if shift not in (9, 12) or mini_shift != 6:  # noqa: PLR2004 - the two versions of the format
        raise refused_damaged(_("its sector size is unknown"))
    first_entry, cutoff, first_mini = struct.unpack_from("<I4xII", data, 48)
    sector = 1 << shift

    def at(number: int) -> bytes:
        start = (number + 1) << shift
        if start >= len(data):
            raise ValueError("a sector lies beyond the end")
        return data[start : start + sector]

    table = _allocation_table(data, at, sector)
    entries = b"".join(at(number) for number in _chain(table, first_entry))
    names: dict[str, tuple[int, int]] = {}
    root = (_SECTOR_LAST + 1, 0)
    for start in range(0, len(entries) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length, kind = struct.unpack_from("<HB", entries, start + 64)
        name = entries[start : start + max(length - 2, 0)].decode("utf-16-le", "replace")
        place = struct.unpack_from("<II", entries, start + 116)
        if kind == _ROOT:
            root = place
        elif kind:
            names[name.lower()] = place if kind == _STREAM else (_SECTOR_LAST + 1, 0)
    _check_names(set(names))
    first, size = names.get("workbook") or names["book"]
    if size >= cutoff:
        return b"".join(at(number) for number in _chain(table, first))[:size]
    small = b"".join(at(number) for number in _chain(table, root[0]))
    mini = b"".join(at(number) for number in _chain(table, first_mini))
    mini_table = struct.unpack(f"<{len(mini) // 4}I", mini)
    return b"".join(small[n << 6 : (n + 1) << 6] for n in _chain(mini_table, first))[:size]


def _allocation_table(data: bytes, at: Callable[[int], bytes], sector: int) -> tuple[int, ...]:
    numbers = [n for n in struct.unpack_from("<109I", data, 76) if n < _SECTOR_LAST]
    more, count = struct.unpack_from("<II", data, 68)
    for _sector in range(min(count, len(data) // sector)):
        if more >= _SECTOR_LAST:
            break
        *listed, more = struct.unpack(f"<{sector // 4}I", at(more))
        numbers += [n for n in listed if n < _SECTOR_LAST]
    table = b"".join(at(number) for number in numbers)
    return struct.unpack(f"<{len(table) // 4}I", table)


def _chain(table: tuple[int, ...], first: int) -> Iterator[int]:
    number = first
    for _link in range(len(table) + 1):
        if number >= _SECTOR_LAST:
            return
        yield number
        number = table[number]
    raise ValueError("a chain of sectors runs in a circle")


def _check_names(names: set[str]) -> None:
    if names & {"encryptedpackage", "encryptioninfo"}:
        raise refused_password()
    if names & {"_vba_project_cur", "_vba_project", "vba"}:
        raise refused_macros()
    if not names & {"workbook", "book"}:
        what = _("a Word document") if "worddocument" in names else _("no spreadsheet")
        raise PackageRefusedError(
            _("it is {what}").format(what=what),
            _(".xlsx, .xls, .ods and CSV are read"),
            _("save the table as .xlsx or CSV"),
        )
