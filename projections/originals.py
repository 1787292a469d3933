"""The original rows of an event, read again from the bytes that the store keeps of its file.

Owns no format: the same reader that admitted the file reads it, and shows what it read then;
columns that were left unread at the import are not read now, and not in what is kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from registry.errors import RegistryError, StoreDamagedError
from registry.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.batches import Version
    from registry.intake.tables import Table, Value
    from registry.storage.log import Log

CELL_LENGTH_MAX: Final = 2_000


class NoOriginalError(RegistryError):
    """What is asked for was typed, or came from more than one file."""

    code = "no-original"


@dataclass(frozen=True, slots=True)
class OriginalRow:
    """One row as it stands in the file; `cells` are safe to print, None where empty."""

    number: int
    address: str
    cells: tuple[str | None, ...]
    cell_addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """What one version of a batch came from; no header and no rows where it was typed."""

    version: Version
    header_row: int | None
    header: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: tuple[OriginalRow, ...]


def original_of(log: Log, version: Version) -> Original:
    """Return the original cells of an event.

    Raises: StoreDamagedError where the bytes kept, or the row in them, are not as they were.
    """
    if version.import_id is None or version.kept_sha256 is None or not version.rows:
        return Original(version, None, (), (), ())
    from registry.intake.headers import map_headers, recognises
    from registry.intake.spool import spool_input
    from registry.intake.tables import open_tables

    imported = _import(log, version.import_id)
    kind, options = imported["import_kind"], imported["options"]
    stream = cast("Any", io.BufferedReader(_Kept(log.source(version.kept_sha256))))
    with spool_input(stream, name=version.file or "input") as spooled:
        (table,) = open_tables(
            spooled, recognises=recognises(kind), sheet=imported["sheet"] or None
        )
        ignored = json.loads(options.get("ignore_columns", "[]"))
        # Only columns that the import read: what it does not know may be of persons.
        columns = sorted(map_headers(kind, table, ignored).positions.values())
        rows = tuple(_rows(table, columns, version.rows))
    if len(rows) < len(version.rows):
        missing = sorted(set(version.rows) - {row.number for row in rows})
        what = _("row {missing} is not in {file} as it is kept").format(
            missing=missing[0], file=version.file
        )
        raise StoreDamagedError(what, remedy=_("Restore the store from a backup."))
    left_out = [
        header.strip()
        for index, header in enumerate(table.headers)
        if index not in columns and header.strip()
    ]
    return Original(
        version=version,
        header_row=table.header_row,
        header=tuple(_text(table.headers[index]) or "" for index in columns),
        left_out=tuple(_text(header) or "" for header in left_out),
        rows=rows,
    )


def _import(log: Log, import_id: str) -> dict[str, Any]:
    stream = log.stream(UUID(import_id).hex)
    if not stream:
        what = _("the import {import_id} is not in the log").format(import_id=import_id)
        raise StoreDamagedError(what, remedy=_("Restore the store from a backup."))
    return stream[0].facts()


def _rows(table: Table, columns: Sequence[int], wanted: Sequence[int]) -> Iterator[OriginalRow]:
    asked, last = set(wanted), max(wanted)
    for number, values in table.rows():
        if number in asked:
            yield OriginalRow(
                number=number,
                address=table.address(number),
                cells=tuple(_text(values[index]) for index in columns),
                cell_addresses=tuple(table.address(number, index) for index in columns),
            )
        if number >= last:
            return


def _text(value: Value) -> str | None:
    from registry.cells import shown

    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a spreadsheet has no whole numbers, but shows them so
    return None if value is None else shown(value, limit=CELL_LENGTH_MAX)


class _Kept(io.RawIOBase):
    """The bytes streamed out of the log, as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (a Buffer, which 3.11 cannot name)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        with memoryview(buffer) as view:
            count = min(len(view), len(self._rest))
            view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
