"""A file of any accepted kind as tables: the one way in.

Owns the choice of reader, by the file's bytes. Text is read here; a spreadsheet is parsed by a
child process, so that whatever it does to its parser, this process goes on.
"""

from __future__ import annotations

from registry.cells import CellError, Value
from registry.errors import InputUnreadableError
from registry.intake.delimited import open_delimited
from registry.intake.grid import Recognises, Row, Table
from registry.intake.spool import SpooledFile
from registry.intake.workbooks import open_workbook
from registry.language import _

__all__ = ["CellError", "Recognises", "Row", "Table", "Tables", "Value", "open_tables"]


class Tables(list[Table]):
    """The tables of a file, and the sheets left out with the reason of each.

    `whole` is False where the file has sheets that are not among the tables.
    """

    def __init__(
        self,
        tables: list[Table],
        left_out: tuple[tuple[str, str], ...] = (),
        *,
        whole: bool = True,
    ) -> None:
        super().__init__(tables)
        self.left_out = left_out
        self.whole = whole


def open_tables(
    spooled: SpooledFile, *, recognises: Recognises, sheet: str | None = None
) -> Tables:
    """Open the tables of a file: one of a text file, one per sheet with a header of a spreadsheet.

    `recognises` says how many of a row's cells are known headers; the first of the first rows
    that knows the most, two at least, is the header. `sheet` selects one sheet by its name.
    Sheets without a header, hidden ones not asked for, and tables beside the one that was asked
    for are named in `left_out`.

    Raises: InputUnreadableError, saying what is wrong and where.
    """
    if spooled.kind != "text":
        tables, left_out, sheets = open_workbook(spooled, recognises=recognises, sheet=sheet)
        return Tables(tables, left_out, whole=len(tables) == sheets)
    if sheet is not None:
        raise InputUnreadableError(
            _("{name} has no sheets").format(name=spooled.name),
            why=_("it is a text file, one table"),
            remedy=_("leave the choice of a sheet out"),
        )
    return Tables([open_delimited(spooled, recognises=recognises)])
