"""What is counted of a file's batches: added up while they pass, and told to the report at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from registry.intake.report import Report
from registry.intake.rows import Form, Values

_WAITING_ROWS: Final = 2_000


class Tally:
    """Batches, heads and movements, by action, category and sheet; of one file."""

    def __init__(self, form: Form) -> None:
        self.workers_of_sheet: Counter[int] = Counter()
        self._form = form
        self._batches: Counter[str | None] = Counter()
        self._workers: Counter[str | None] = Counter()
        self._in: Counter[str | None] = Counter()
        self._out: Counter[str | None] = Counter()
        self._waiting: list[Values] = []

    def is_counted(self, sheet: int, rows: Sequence[Values]) -> bool:
        """Count rows that may be all of a batch, if they agree; False, and nothing, if they may not."""
        if not self._form.agree(rows):
            return False
        self.count(sheet, rows)
        return True

    def count(self, sheet: int, rows: Sequence[Values]) -> None:
        """Count a batch."""
        self._batches[self._form.action(rows[0])] += 1
        self.workers_of_sheet[sheet] += sum(map(self._form.workers, rows))
        self._waiting += rows
        if len(self._waiting) >= _WAITING_ROWS:
            self._add_up()

    def _add_up(self) -> None:
        form = self._form
        for values in form.summed(self._waiting):
            self._workers[form.action(values)] += form.workers(values)
            for category, moved in form.movements(values):
                (self._in if moved >= 0 else self._out)[category] += abs(moved)
        self._waiting.clear()

    def tell(self, report: Report) -> None:
        """Add all of it to a report."""
        self._add_up()
        for action, batches in self._batches.items():
            report.count_batches(action, batches)
        for action, workers in self._workers.items():
            report.count_workers(action, workers)
        for category, workers in self._in.items():
            report.count_movement(category, workers)
        for category, workers in self._out.items():
            report.count_movement(category, -workers)
