"""The second pass: batch by batch, in the order of their first rows.

Owns what is checked between the rows of a batch, the counts of what is accepted, the plan's digest
and the control totals. Where all is as usual the first pass has given it every batch by its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from registry.intake.notes import Notes, Sheet
from registry.intake.report import Report, SheetFacts
from registry.intake.row_spool import RowSpool, written
from registry.intake.rows import Form, Page, Row, Values
from registry.intake.tally import Tally
from registry.language import _
from registry.terms import LINES_MAX


class SecondPass:
    """Weighs the batches of one file."""

    def __init__(
        self,
        form: Form,
        rows: RowSpool,
        report: Report,
        notes: Notes,
        sheets: Sequence[Sheet],
        declared: Mapping[str, object],
    ) -> None:
        self._declared = declared
        self._form = form
        self._rows = rows
        self._report = report
        self._notes = notes
        self._sheets = sheets
        self.is_complete = True
        self._begin()

    def _begin(self) -> None:
        self._digest = hashlib.sha256(written(self._declared))
        self._tally = Tally(self._form)

    def weigh(self) -> str:
        """Check and count every batch; return the digest of what was declared and accepted.

        The digest covers the canonical value of every accepted cell, in the order of the commands,
        and nothing that reads the same: spaces, blank rows, the spelling of a number.
        """
        if not self.is_complete or self._rows.is_scattered:
            self._begin()
            pages = self._rows.pages()
            if pages is None:
                for group in self._rows.groups(rows_max=LINES_MAX + 1):
                    self._weigh(group)
            else:
                for page in pages:
                    self._weigh_page(page)
        self._tally.tell(self._report)
        workers = self._tally.workers_of_sheet
        self._report.sheets = tuple(
            SheetFacts(sheet.name or "", sheet.rows, workers[sheet.index]) for sheet in self._sheets
        )
        return self._digest.hexdigest()

    def take(self, page: Page) -> None:
        """Count and digest whole batches of which there is nothing to say, many at once."""
        rows = iter(page.rows())
        self._take(page.sheet, [[*islice(rows, length)] for length in page.lengths])

    def _weigh_page(self, page: Page) -> None:
        if self._form.all_agree(page.columns, page.lengths):
            self.take(page)
            return
        for group in page.runs():
            self._weigh(group)

    def _weigh(self, group: Sequence[Row]) -> None:
        accepted = self._accepted(group)
        if accepted:
            self._take(group[0].sheet, [[row.values for row in accepted]])

    def _take(self, sheet: int, batches: Sequence[Sequence[Values]]) -> None:
        self._tally.count(sheet, batches)
        self._digest.update(b"".join(_digested(written(self._sheets[sheet].name), batches)))

    def check_totals(self) -> None:
        """Compare with what the person expects; an empty file is never what anybody means."""
        report = self._report
        if not report.rows_read:
            self._notes.of_file(
                "no-rows",
                "error",
                None,
                _("there is no row below the header"),
                _("Check the file."),
            )
        self._compare("rows", report.expected_rows, report.rows_read)
        # Heads of refused rows are unknown: then the sum says nothing yet.
        if not report.rows_at_fault:
            self._compare("workers", report.expected_workers, report.workers)

    def _compare(self, what: str, expected: int | None, found: int) -> None:
        if expected is None or expected == found:
            return
        expectation = (
            _("{expected:,} rows were expected and {found:,} found (difference {difference:,})")
            if what == "rows"
            else _(
                "{expected:,} workers were expected and {found:,} found (difference {difference:,})"
            )
        )
        self._notes.of_file(
            "control-total",
            "error",
            str(found),
            expectation.format(expected=expected, found=found, difference=found - expected),
            _("Compare the file with its cover letter, or correct --expect-{what}.").format(
                what=what
            ),
        )

    def _accepted(self, group: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of a batch that agree with its first, noting the others."""
        refused: set[tuple[int, int]] = set()
        for row, remark in self._form.group_remarks(group):
            cell = None
            if remark.column is not None:
                cell = row.values[self._form.columns.index(remark.column)]
            self._notes.of_row(self._sheets[row.sheet], row.number, remark, cell)
            if remark.severity == "error":
                refused.add((row.sheet, row.number))
        if not refused:
            return group
        return [row for row in group if (row.sheet, row.number) not in refused]


def _digested(sheet: bytes, batches: Sequence[Sequence[Values]]) -> Iterator[bytes]:
    """Yield what the digest takes of batches: a line for each, of the sheet's name and its rows."""
    together = written(batches)
    between = b"]],[["
    # As often inside a text as never: then the line of each is written by itself.
    if together.count(between) == len(batches) - 1:
        yield b"\n[%b," % sheet
        yield together[2:-1].replace(between, b"]]\n[%b,[" % sheet)
        return
    for rows in batches:
        yield b"\n[%b,%b]" % (sheet, written(rows)[1:-1])
