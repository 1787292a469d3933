"""The second pass: batch by batch, in the order of their first rows.

Owns what is checked between the rows of a batch, the counts of what is accepted, the plan's digest
and the control totals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from registry.intake.notes import Notes, Sheet
from registry.intake.report import Report, SheetFacts
from registry.intake.row_spool import RowSpool, written
from registry.intake.rows import Form, Row
from registry.language import _
from registry.terms import LINES_MAX


class SecondPass:
    """Weighs the batches of one file."""

    def __init__(
        self, form: Form, rows: RowSpool, report: Report, notes: Notes, sheets: Sequence[Sheet]
    ) -> None:
        self._form = form
        self._rows = rows
        self._report = report
        self._notes = notes
        self._sheets = sheets

    def weigh(self, declared: Mapping[str, object]) -> str:
        """Check and count every batch; return the digest of what was declared and accepted.

        The digest covers the canonical value of every accepted cell, in the order of the commands,
        and nothing that reads the same: spaces, blank rows, the spelling of a number.
        """
        digest = hashlib.sha256(written(declared))
        workers = [0] * len(self._sheets)
        for group in self._rows.groups(rows_max=LINES_MAX + 1):
            accepted = self._accepted(group)
            if not accepted:
                continue
            self._count(accepted, workers)
            sheet = self._sheets[group[0].sheet].name
            lines = b",".join([row.written for row in accepted])
            digest.update(b"\n[%b,%b]" % (written(sheet), lines))
        self._report.sheets = tuple(
            SheetFacts(sheet.name or "", sheet.rows, workers[sheet.index]) for sheet in self._sheets
        )
        return digest.hexdigest()

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

    def _count(self, accepted: Sequence[Row], workers_of_sheet: list[int]) -> None:
        report, form = self._report, self._form
        action = form.action(accepted[0].values)
        report.count_batch(action)
        for row in accepted:
            workers = form.workers(row.values)
            report.count_workers(action, workers)
            workers_of_sheet[row.sheet] += workers
            for category, moved in form.movements(row.values):
                report.count_movement(category, moved)
