"""The second pass: batch by batch, in the order of their first rows.

Owns what is checked between the rows of a batch, the counts of what is accepted, the plan's digest
and the control totals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from registry.intake.notes import Notes, Sheet
from registry.intake.report import Report, SheetFacts
from registry.intake.row_spool import RowSpool, Run, written
from registry.intake.rows import Form, Row
from registry.intake.tally import Tally
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

    def weigh(self, declared: Mapping[str, object], tally: Tally) -> str:
        """Check and count every batch; return the digest of what was declared and accepted.

        The digest covers the canonical value of every accepted cell, in the order of the commands,
        and nothing that reads the same: spaces, blank rows, the spelling of a number. `tally` has what
        the first pass has counted: all batches in which there is nothing to say, if none has rows that
        stand apart.
        """
        digest = hashlib.sha256(written(declared))
        pages = self._rows.pages()
        if pages is None:
            tally = Tally(self._form)
            for group in self._rows.groups(rows_max=LINES_MAX + 1):
                digest.update(self._weighed(group, tally))
        else:
            for page in pages:
                digest.update(b"".join([self._weighed_run(run, tally) for run in page]))
        tally.tell(self._report)
        workers = tally.workers_of_sheet
        self._report.sheets = tuple(
            SheetFacts(sheet.name or "", sheet.rows, workers[sheet.index]) for sheet in self._sheets
        )
        return digest.hexdigest()

    def _weighed_run(self, run: Run, tally: Tally) -> bytes:
        if run.is_counted:
            return self._taken(run.sheet, run.written)
        return self._weighed([*run.rows()], tally)

    def _weighed(self, group: Sequence[Row], tally: Tally) -> bytes:
        """Check and count one batch; return what the digest takes of it."""
        accepted = self._accepted(group)
        if not accepted:
            return b""
        values = [row.values for row in accepted]
        tally.count(accepted[0].sheet, values)
        return self._taken(group[0].sheet, written(values)[1:-1])

    def _taken(self, sheet: int, rows: bytes) -> bytes:
        return b"\n[%b,%b]" % (written(self._sheets[sheet].name), rows)

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
