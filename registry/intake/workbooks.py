"""Spreadsheets, seen from the process that stays alive: starts the child, reads what it wrote.

Owns the child's time-out, the lines it speaks and the choice of sheets. Imports no spreadsheet
library; `registry.intake.sheets` is the other end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import registry
from registry.cells import CellError, ShownNumber, Value
from registry.errors import InputUnreadableError
from registry.intake.grid import (
    HEADER_ROWS_MAX,
    Recognises,
    Row,
    Table,
    column_letters,
    find_header,
    header_names,
    no_header,
)
from registry.intake.spool import SpooledFile
from registry.language import _, joined, unpacked
from registry.safe_text import safe
from registry.system_errors import cause_of

CHILD: Final = "registry.intake.sheets"
TIMEOUT_SECONDS: Final = 20  # twice the child's processor time: the machine may be busy
MEMORY_MIB: Final = 512  # what the child may use; said here for the messages
PROCESSOR_SECONDS: Final = 10

HIDDEN: Final = _("it is hidden; name it to have it read")
NOT_ASKED_FOR: Final = _(
    "it has a table as well, and --sheet names another; name it to have it read"
)
NO_HEADER: Final = _("it has no header row")


class SheetTable(Table):
    """One sheet as a table; its rows are read from what the child wrote."""

    def __init__(
        self,
        file: str,
        sheet: str,
        header_row: int,
        headers: tuple[str, ...],
        *,
        path: Path,
        offset: int,
        merged: Sequence[Sequence[int]] = (),
    ) -> None:
        super().__init__(file, sheet, header_row, headers)
        self._merged = merged
        self._by_column: dict[int, list[tuple[int, int, str]]] = {}
        self._path = path
        self._offset = offset

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header, numbered as the spreadsheet numbers them."""
        width = len(self.headers)
        for number, cells in _rows_from(self._path, self._offset):
            if number <= self.header_row:
                continue
            values, count = cells, len(cells)
            if count < width:
                values += (None,) * (width - count)
            elif count > width and all(value is None for value in values[width:]):
                values = values[:width]
            if any(value is not None for value in values):
                yield number, values

    def merged_into(self, row: int, column: int) -> str | None:
        """Return the merged cells that have their value in a row above, as `B4:B5`."""
        merged = self._merged_in(column)
        index = bisect_left(merged, (row - 1,)) - 1  # the last one that starts in a row above
        if index < 0 or row - 1 > merged[index][1]:
            return None
        return merged[index][2]

    def _merged_in(self, column: int) -> list[tuple[int, int, str]]:
        """Return first row, last row and name of the merged cells of a column, in order."""
        if column not in self._by_column:
            self._by_column[column] = sorted(
                (
                    first_row,
                    last_row,
                    f"{column_letters(first)}{first_row + 1}:{column_letters(last)}{last_row + 1}",
                )
                for first_row, first, last_row, last in self._merged
                if first <= column <= last
            )
        return self._by_column[column]


@dataclass(slots=True)
class _Sheet:
    """A sheet as the child announced it, with its first rows and where its rows begin."""

    name: str
    hidden: bool
    offset: int
    merged: list[list[int]]
    first: list[tuple[int, tuple[Value, ...]]] = field(default_factory=list)


def open_workbook(
    spooled: SpooledFile, *, recognises: Recognises, sheet: str | None = None
) -> tuple[list[Table], tuple[tuple[str, str], ...], int]:
    """Parse a spreadsheet in a child process; return its tables, those left out, and how many.

    Raises: InputUnreadableError, naming the cause, whatever becomes of the child.
    """
    output = spooled.path.with_name("sheets")
    _run_child(spooled, output)
    sheets = _announced(output, spooled.name)
    asked_for = None if sheet is None else _named(sheets, sheet, spooled.name)
    tables: list[Table] = []
    left_out: list[tuple[str, str]] = []
    for candidate in sheets:
        cells = [tuple(map(_header_text, values)) for _, values in candidate.first]
        index, matches = find_header(cells, recognises)
        if asked_for is not None and candidate is not asked_for:
            if matches:
                left_out.append((candidate.name, NOT_ASKED_FOR))
        elif candidate.hidden and asked_for is None:
            left_out.append((candidate.name, HIDDEN))
        elif not matches:
            left_out.append((candidate.name, NO_HEADER))
        else:
            row = candidate.first[index][0]
            headers = header_names(
                cells[index],
                _("{name}, sheet {sheet}").format(name=spooled.name, sheet=safe(candidate.name)),
            )
            tables.append(
                SheetTable(
                    spooled.name,
                    candidate.name,
                    row,
                    headers,
                    path=output,
                    offset=candidate.offset,
                    merged=candidate.merged,
                )
            )
    if not tables:
        chosen = sheets if asked_for is None else [asked_for]
        seen = [tuple(map(_header_text, values)) for each in chosen for _, values in each.first]
        raise no_header(spooled.name, seen, recognises)
    return tables, tuple(left_out), len(sheets)


def _named(sheets: list[_Sheet], name: str, file: str) -> _Sheet:
    for same in (str, str.casefold):
        found = [each for each in sheets if same(each.name.strip()) == same(name.strip())]
        if len(found) == 1:
            return found[0]
    names = ", ".join(safe(each.name, limit=40) for each in sheets[:10])
    raise InputUnreadableError(
        _("{file} has no sheet {name}").format(file=file, name=safe(name, limit=40)),
        why=_("its sheets are: {names}").format(names=names),
        remedy=_("name one of them"),
    )


def _header_text(value: Value) -> str:
    if value is None:
        return ""
    return value.text if isinstance(value, CellError) else str(value)


def _run_child(spooled: SpooledFile, output: Path) -> None:
    """Run the child on the spooled file, its lines going into a private file beside it."""
    root = Path(registry.__file__).resolve().parents[1]
    environment = dict(os.environ)
    if root.name not in {"site-packages", "dist-packages"}:  # run from a checkout
        inherited = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [inherited, str(root)]))
    # -P: a folder named registry where the command happens to be run must not be imported.
    command = [sys.executable, "-P", "-m", CHILD, str(spooled.path)]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(output, flags, 0o600), "wb") as lines:
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module, a private path
                command,
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _too_slow(
                spooled.name,
                _("after {timeout_seconds} s of waiting").format(timeout_seconds=TIMEOUT_SECONDS),
            ) from None
        except OSError as error:
            raise InputUnreadableError(
                _("{name} cannot be read now").format(name=spooled.name),
                why=_("no process could be started: {cause}").format(cause=cause_of(error)),
                remedy=_("try again, or save the table as CSV"),
            ) from None
    if done.returncode != 0:
        raise _died(spooled.name, done.returncode)


def _died(name: str, returncode: int) -> InputUnreadableError:
    """Say why the child ended without an answer of its own."""
    processor = getattr(signal, "SIGXCPU", None)
    if processor is not None and returncode == -processor:
        return _too_slow(
            name,
            _("after {processor_seconds} s of processor time").format(
                processor_seconds=PROCESSOR_SECONDS
            ),
        )
    return InputUnreadableError(
        _("{name} made the spreadsheet parser give up").format(name=name),
        why=(
            _(
                "it needs more than {memory_mib} MiB of memory, or is damaged; often one forgotten "
                "cell stands very far from the table (Ctrl+End shows it)"
            ).format(memory_mib=MEMORY_MIB)
        ),
        remedy=_("copy the table alone into a new workbook, or save it as CSV"),
    )


def _too_slow(name: str, when: str) -> InputUnreadableError:
    return InputUnreadableError(
        _("{name} takes too long to read").format(name=name),
        why=_("the spreadsheet parser was stopped {when}").format(when=when),
        remedy=_("save the table as CSV, or split the workbook"),
    )


def _announced(output: Path, name: str) -> list[_Sheet]:
    """Return the sheets the child wrote; refuse what it refused, and an answer without an end."""
    sheets: list[_Sheet] = []
    offset = 0
    complete = False
    with output.open("rb") as lines:
        for line in lines:
            offset += len(line)
            if line.startswith(b"["):
                if not sheets or len(sheets[-1].first) == HEADER_ROWS_MAX:
                    continue
                number, values = json.loads(line, object_hook=_cell)
                if number <= HEADER_ROWS_MAX:
                    sheets[-1].first.append((number, tuple(values)))
            elif line.startswith(b'{"sheet"'):
                said = json.loads(line)
                sheets.append(_Sheet(said["sheet"], said["hidden"], offset, said["merged"]))
            elif line.startswith(b'{"refused"'):
                what, why, remedy = map(unpacked, json.loads(line)["refused"])
                raise InputUnreadableError(joined(": ", (name, what)), why=why, remedy=remedy)
            else:
                complete = line.startswith(b'{"end"')
    if not complete:
        raise _died(name, 0)
    return sheets


def _rows_from(path: Path, offset: int) -> Iterator[tuple[int, tuple[Value, ...]]]:
    decode = json.JSONDecoder(object_hook=_cell).decode
    with path.open("rb") as lines:
        lines.seek(offset)
        for line in lines:
            if not line.startswith(b"["):
                return
            number, values = decode(line.decode())
            yield number, tuple(values)


def _cell(typed: dict[str, Any]) -> Value:
    """Return the value of a cell that JSON has no type for; `sheets.typed` writes them."""
    if "error" in typed:
        return CellError(typed["error"])
    if "number" in typed:
        return ShownNumber(typed["number"], typed["shown"])
    if "day" in typed:
        return date.fromisoformat(typed["day"])
    return datetime.fromisoformat(typed["moment"])
