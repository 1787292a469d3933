"""What is counted of a file's batches: added up while they pass, and told to the report at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from registry.intake.report import Report
from registry.intake.rows import Form, Values


class Tally:
    """Batches, heads and movements, by action, category and sheet; of one file."""

    def __init__(self, form: Form) -> None:
        self.workers_of_sheet: Counter[int] = Counter()
        self._form = form
        self._batches: Counter[str | None] = Counter()
        self._workers: Counter[str | None] = Counter()
        self._in: Counter[str | None] = Counter()
        self._out: Counter[str | None] = Counter()

    def count(self, sheet: int, batches: Iterable[Sequence[Values]]) -> None:
        """Count batches of a sheet, which are added up sooner together than one by one."""
        form = self._form
        rows: list[Values] = []
        for batch in batches:
            self._batches[form.action(batch[0])] += 1
            rows += batch
        for values in form.summed(rows):
            self.workers_of_sheet[sheet] += form.workers(values)
            self._workers[form.action(values)] += form.workers(values)
            for category, moved in form.movements(values):
                (self._in if moved >= 0 else self._out)[category] += abs(moved)

    def tell(self, report: Report) -> None:
        """Add all of it to a report."""
        for action, batches in self._batches.items():
            report.count_batches(action, batches)
        for action, workers in self._workers.items():
            report.count_workers(action, workers)
        for category, workers in self._in.items():
            report.count_movement(category, workers)
        for category, workers in self._out.items():
            report.count_movement(category, -workers)
