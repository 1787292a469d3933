"""Admit a file: without a lock and without a store, one spooled file becomes checked commands.

Owns the order of the two passes and what the application is given: report, plan, commands. Memory
does not grow with the file, since checked rows wait in a RowSpool.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Self

from registry.commands import Command, Commands, EntryPage
from registry.errors import ImportRefusedError, Problem
from registry.intake.columns import InputKind
from registry.intake.delimited import DelimitedTable
from registry.intake.first_pass import FirstPass
from registry.intake.forms import form_for
from registry.intake.grid import Table
from registry.intake.headers import (
    HeaderMap,
    ignored_nowhere,
    map_headers,
    normalised_header,
    recognises,
)
from registry.intake.kept import KeptFile, kept_copy
from registry.intake.notes import Notes, Sheet, sheet_names
from registry.intake.readings import AreaCodes
from registry.intake.refused_rows import write_refused
from registry.intake.report import Report, SheetFacts
from registry.intake.row_spool import RowSpool
from registry.intake.rows import Entering, Form, Page, Row
from registry.intake.second_pass import SecondPass
from registry.intake.spool import SpooledFile
from registry.intake.tables import Tables, open_tables
from registry.language import _, joined
from registry.numbers import Locale
from registry.reference.boundaries import BUILT_IN, Boundaries
from registry.reference.categories import Categories
from registry.terms import LINES_MAX

__all__ = ["Admission", "AdmissionOptions", "SheetFacts", "admit"]

BATCHES_AT_ONCE: Final = 2_000
ROWS_AT_ONCE: Final = 8_000
"""What is handed on together: mostly as many batches, for which the store has the same statement."""


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """What the person declares of a file; nothing of it is ever guessed.

    `correcting`: it is given to `ucj correct`, with the reason.
    """

    kind: InputKind
    locale: Locale = "id"
    area_codes: AreaCodes = "kemendagri"
    sheet: str | None = None
    ignore_columns: tuple[str, ...] = ()
    expect_rows: int | None = None
    expect_workers: int | None = None
    correcting: bool = False

    def meaning(self) -> dict[str, object]:
        """Return what decides how cells are read: a part of the plan."""
        return {
            "kind": self.kind,
            "locale": self.locale,
            "area_codes": self.area_codes,
            "sheet": self.sheet,
            "ignore_columns": sorted({normalised_header(name) for name in self.ignore_columns}),
        }


class Admission:
    """A checked file: its report, its plan's digest, and its commands as long as it is open."""

    def __init__(
        self,
        options: AdmissionOptions,
        form: Form,
        rows: RowSpool,
        report: Report,
        sheets: tuple[Sheet, ...],
        *,
        all_read: bool,
    ) -> None:
        self.options = options
        self.report = report
        self.digest = ""
        self._form = form
        self._rows = rows
        self._sheets = sheets
        self._all_read = all_read
        self._notes = Notes(report, rows)

    @property
    def sheets(self) -> tuple[SheetFacts, ...]:
        """The sheets that were read, with their rows and control totals."""
        return self.report.sheets

    def commands(self) -> Commands:
        """Return the commands, each complete, in the order of their first rows.

        Raises: ImportRefusedError if the report has an error: one file is one decision.
        """
        if self.report.errors:
            raise ImportRefusedError(
                _("{file} was refused").format(file=self.report.file),
                why=_("The report says what is wrong."),
            )
        return _SpooledCommands(self._form, self._rows, [sheet.name for sheet in self._sheets])

    def kept(self, spooled: SpooledFile) -> KeptFile:
        """Return the bytes to keep of the file: without what was declared not to be read."""
        return kept_copy(spooled, self._sheets, verbatim=self._all_read)

    def where(self, sheet: str | None, row: int, column: str | None = None) -> str:
        """Return the address of a command's row (and column), for what is found later."""
        return self._sheet(sheet).address(row, column)

    def add_problem(self, problem: Problem, column: str | None = None) -> None:
        """Take in a problem found later, against the store; an error refuses the file."""
        sheet = None if problem.row is None else self._sheet(problem.sheet)
        self._notes.of_problem(sheet, problem, column)

    def write_refused(self, path: Path) -> None:
        """Write the failed rows, in file order, as a CSV; `report.refused_file` names it.

        It has the delimiter of a text file that was read: whoever sent it opens that one well.
        """
        first = self._sheets[0].table
        write_refused(
            path,
            (
                (sheet.table, sheet.headers.positions, self._rows.refusals(sheet.index))
                for sheet in self._sheets
            ),
            delimiter=first.delimiter if isinstance(first, DelimitedTable) else ",",
        )
        self.report.refused_file = path.name

    def close(self) -> None:
        """Remove the rows that waited; closing twice does no harm."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _of_one_sheet(self, problem: Problem) -> Problem:
        """Name the other way out where a sheet may not be meant at all: to read one of several."""
        if problem.severity != "error" or len(self._sheets) == 1:
            return problem
        others = _("Or read one sheet alone: --sheet NAME.")
        return replace(problem, remedy=joined(" ", (problem.remedy, others)))

    def _sheet(self, name: str | None) -> Sheet:
        return next(sheet for sheet in self._sheets if sheet.name == name)

    def _check(self, tables: Tables, on_progress: Callable[[int], None]) -> None:
        notes, form, rows, report = self._notes, self._form, self._rows, self.report
        _note_left_out(notes, tables, self.options.ignore_columns)
        second = SecondPass(form, rows, report, notes, self._sheets, self.options.meaning())
        first = FirstPass(form, rows, report, notes, second, on_progress)
        for sheet in self._sheets:
            for problem in sheet.headers.problems:
                notes.of_header(self._of_one_sheet(problem))
            first.read(sheet)
        rows.seal()
        self.digest = second.weigh()
        second.check_totals()
        report.plan = None if report.errors else self.digest


class _SpooledCommands:
    """The commands of a file, made of its waiting rows each time they are asked for."""

    def __init__(self, form: Form, rows: RowSpool, sheets: Sequence[str | None]) -> None:
        self._form = form
        self._rows = rows
        self._sheets = sheets

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Command]:
        return map(self._command, self._rows.groups(rows_max=LINES_MAX))

    def __getitem__(self, number: int, /) -> Command:
        return self._command(self._rows.group(number, rows_max=LINES_MAX))

    def parcelled(self) -> tuple[Iterator[EntryPage], Commands] | None:
        """Return what only brings heads in, many at once, and the others.

        None where rows of one batch stand apart, and for kinds of files that bring nobody in.
        """
        pages, entering = self._rows.pages(), self._form.entering
        if pages is None or entering is None:
            return None
        others = array("Q")
        return self._entries(entering, _parted(entering, pages, others)), _Chosen(self, others)

    def _entries(self, entering: Entering, pages: Iterator[Page]) -> Iterator[EntryPage]:
        for page in _of_as_many_batches(pages):
            one_by_one = partial(self._one_by_one, page)
            yield entering.entries(page, self._sheets[page.sheet], one_by_one)

    def _one_by_one(self, page: Page) -> Iterator[Command]:
        return map(self._command, page.runs())

    def _command(self, group: Sequence[Row]) -> Command:
        return self._form.command(group, self._sheets[group[0].sheet])


def _parted(entering: Entering, pages: Iterator[Page], others: array[int]) -> Iterator[Page]:
    """Yield the groups that only bring heads in; the numbers of the others are put into `others`."""
    number = 0
    for page in pages:
        enters = entering.enters(page)
        others.extend(at for at, each in enumerate(enters, number) if not each)
        number += len(enters)
        if any(enters):
            yield page if all(enters) else page.of_runs(enters)


class _Chosen:
    """Some of a file's commands, by their numbers."""

    def __init__(self, commands: Commands, numbers: Sequence[int]) -> None:
        self._commands = commands
        self._numbers = numbers

    def __iter__(self) -> Iterator[Command]:
        return map(self._commands.__getitem__, self._numbers)

    def __getitem__(self, number: int, /) -> Command:
        return self._commands[self._numbers[number]]


def _of_as_many_batches(pages: Iterator[Page]) -> Iterator[Page]:
    """Yield the same batches in pages of BATCHES_AT_ONCE, but for the last of a sheet and for long ones."""
    waiting: list[Page] = []
    batches = rows = 0
    for page in pages:
        if waiting and page.sheet != waiting[0].sheet:
            if batches:  # what a cut left may be nothing
                yield Page.joined(waiting)
            waiting, batches, rows = [], 0, 0
        waiting.append(page)
        batches += len(page.keys)
        rows += len(page.numbers)
        if batches >= BATCHES_AT_ONCE or rows >= ROWS_AT_ONCE:
            now, later = Page.joined(waiting).cut(BATCHES_AT_ONCE)
            yield now
            waiting, batches, rows = [later], len(later.keys), len(later.numbers)
    if batches:
        yield Page.joined(waiting)


def admit(
    spooled: SpooledFile,
    options: AdmissionOptions,
    categories: Categories,
    *,
    boundaries: Boundaries = BUILT_IN,
    on_progress: Callable[[int], None] | None = None,
) -> Admission:
    """Read and check a spooled file; close the admission when done (it is a context manager).

    What is wrong in the file stands in the report. `on_progress` hears how many rows were read.
    Raises: InputUnreadableError, where there is no table to check.
    """
    tables = open_tables(spooled, recognises=recognises(options.kind), sheet=options.sheet)
    form = form_for(
        options.kind,
        locale=options.locale,
        area_codes=options.area_codes,
        categories=categories,
        boundaries=boundaries,
        correcting=options.correcting,
    )
    report = Report(
        file=spooled.name,
        sha256=spooled.sha256,
        size=spooled.size,
        kind=options.kind,
        locale=options.locale,
        area_codes=options.area_codes,
        expected_rows=options.expect_rows,
        expected_workers=options.expect_workers,
    )
    names = sheet_names(tables)
    sheets = tuple(
        Sheet(index, table, names[index], _headers(options, table, names[index]))
        for index, table in enumerate(tables)
    )
    with ExitStack() as cleanup:
        rows = RowSpool(spooled.path.parent)
        cleanup.callback(rows.close)
        all_read = tables.whole and not _ignores(options, tables)
        admission = Admission(options, form, rows, report, sheets, all_read=all_read)
        admission._check(tables, on_progress or _silent)  # noqa: SLF001 - an admission is made here only
        cleanup.pop_all()
    return admission


def _headers(options: AdmissionOptions, table: Table, name: str | None) -> HeaderMap:
    return map_headers(options.kind, table, options.ignore_columns, sheet=name)


def _ignores(options: AdmissionOptions, tables: Tables) -> bool:
    """Whether a table has a column that is not to be read."""
    ignored = {normalised_header(name) for name in options.ignore_columns}
    return any(normalised_header(cell) in ignored for table in tables for cell in table.headers)


def _note_left_out(notes: Notes, tables: Tables, ignore_columns: tuple[str, ...]) -> None:
    """Warn of sheets that were not read, and of columns to ignore that are nowhere."""
    for name, why in tables.left_out:
        notes.of_file(
            "sheet-left-out",
            "warning",
            name,
            _("the sheet was not read: {why}").format(why=why),
            _("Nothing to do."),
        )
    for name in ignored_nowhere(ignore_columns, [table.headers for table in tables]):
        notes.of_file(
            "nothing-to-ignore",
            "warning",
            name,
            _("no column of the file is called so"),
            _("Check the spelling of --ignore-column."),
        )


def _silent(rows: int) -> None:
    del rows
