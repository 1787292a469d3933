"""The second pass: batch by batch, in the order of their first rows.

Owns what is checked between the rows of a batch, the counts of what is accepted, the plan's digest
and the control totals.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from registry.intake.notes import Notes, Sheet
from registry.intake.report import Report, SheetFacts
from registry.intake.row_spool import RowSpool, Run, values_of, written
from registry.intake.rows import Form, Row, Values
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
        pages = self._rows.pages()
        if pages is None:
            for group in self._rows.groups(rows_max=LINES_MAX + 1):
                digest.update(self._weighed(group, workers))
        else:
            for page in pages:
                digest.update(b"".join(self._weighed_runs(page, workers)))
        self._report.sheets = tuple(
            SheetFacts(sheet.name or "", sheet.rows, workers[sheet.index]) for sheet in self._sheets
        )
        return digest.hexdigest()

    def _weighed(self, group: Sequence[Row], workers: list[int]) -> bytes:
        """Check and count one batch; return what the digest takes of it."""
        accepted = self._accepted(group)
        if not accepted:
            return b""
        self._count_batches([[row.values for row in accepted]])
        for row in accepted:
            workers[row.sheet] += self._form.workers(row.values)
        return self._taken(group[0].sheet, written([row.values for row in accepted])[1:-1])

    def _weighed_runs(self, page: Sequence[Run], workers: list[int]) -> Iterator[bytes]:
        """Check and count many batches; only one that does not agree is looked at row by row."""
        agree, heads = self._form.agree, self._form.workers
        counted: list[list[Values]] = []
        for run, rows in zip(page, values_of(page), strict=True):
            if not agree(rows):
                yield self._weighed([*run.rows()], workers)
                continue
            counted.append(rows)
            workers[run.sheet] += sum(map(heads, rows))
            yield self._taken(run.sheet, run.written)
        self._count_batches(counted)

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

    def _count_batches(self, batches: Sequence[Sequence[Values]]) -> None:
        report, form = self._report, self._form
        for action, count in Counter(form.action(rows[0]) for rows in batches).items():
            report.count_batches(action, count)
        for values in form.summed(chain.from_iterable(batches)):
            report.count_workers(form.action(values), form.workers(values))
            for category, moved in form.movements(values):
                report.count_movement(category, moved)
