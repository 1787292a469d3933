"""A spooled file and its admission as one: what the application records, and what became of it.

Satisfies `registry.application.AdmittedFile`, and takes what was found under the lock back into the
report. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol

from registry.commands import Command, Commands, RecordBatch
from registry.errors import Problem
from registry.intake.admission import Admission
from registry.intake.kept import KeptFile
from registry.intake.report import Decision, Movement, Recorded, SheetFacts
from registry.intake.spool import SpooledFile
from registry.language import _
from registry.safe_text import safe
from registry.terms import normalised_reference

# What draws on other batches, or changes them: such a file may name a batch of its own.
_NAMING: Final = frozenset(
    {"renew", "deactivate", "reclassify", "balance-out", "correct", "withdraw"}
)


class Outcome(Protocol):
    """What the application says became of the file."""

    @property
    def decision(self) -> str:
        """Recorded, planned, refused, or already-recorded."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found against the store."""

    @property
    def first_position(self) -> int | None:
        """The first event of the file, None where nothing was recorded."""

    @property
    def last_position(self) -> int | None:
        """The last event of the file."""

    @property
    def recorded_at(self) -> datetime | None:
        """When."""

    @property
    def recorded_by(self) -> str | None:
        """By whom."""

    @property
    def plan(self) -> str | None:
        """The digest of what is, or would be, recorded."""


class AdmittedFile:
    """One checked file on its way into the registry; open as long as its admission is."""

    def __init__(self, spooled: SpooledFile, admission: Admission) -> None:
        self.import_kind: str = admission.options.kind
        self.file_name = spooled.name
        self.sha256 = spooled.sha256
        self.size = spooled.size
        self.sheets: tuple[SheetFacts, ...] = admission.sheets
        self.options = _stored_options(admission)
        self.digest = admission.digest
        self.names_batches = not _NAMING.isdisjoint(admission.report.batches_by_action)
        self.batches_total = admission.report.batches_total
        self._admission = admission
        self._spooled = spooled

    @cached_property
    def kept(self) -> KeptFile:
        """The bytes to keep of it; a copy is made when it is first asked for."""
        return self._admission.kept(self._spooled)

    def commands(self) -> Commands:
        """Return the commands; they are read anew each time they are gone through."""
        return self._admission.commands()

    def let_go(self) -> None:
        """Drop the rows and the copy of the file, before the store commits what is made of them."""
        self._admission.close()
        self._spooled.close()

    def address(self, sheet: str | None, row: int | None, column: str) -> str:
        """Return where a row and column are; the file where no row is meant."""
        if row is None:
            return self.file_name
        return self._admission.where(sheet or None, row, column)

    def refuse_others(self, area: str, reference: str, part: str) -> None:
        """Refuse every row that is not of the one batch; a correction is of that batch alone."""
        wanted = _identity(area, reference, part)
        others = [
            command
            for command in self.commands()
            if not isinstance(command, RecordBatch)
            or _identity(command.area, command.reference, command.part) != wanted
            or not command.lines
        ]
        for command in others:
            self._refuse_other(command, area, reference, part)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Bring into the report what was found outside of the file."""
        for problem in problems:
            # The ledger calls the sheet of a text file "", the report None.
            self._admission.add_problem(replace(problem, sheet=problem.sheet or None))

    def take_outcome(
        self,
        outcome: Outcome,
        *,
        already_recorded: int,
        moved: Mapping[str, tuple[int, int]] | None = None,
        capped: Iterable[str] = (),
    ) -> None:
        """Bring into the report what became of the file: its decision, and what was found.

        `moved` are the heads in and out by category of what is new, `capped` the codes of which
        there may be more problems than are told.
        """
        report = self._admission.report
        self.add_problems(outcome.problems)
        report.capped.update(capped)
        report.plan = None if report.errors else outcome.plan
        report.decision = _DECISIONS[outcome.decision]
        if outcome.decision == "already-recorded":  # nothing of the file is new
            already_recorded = report.batches_total
        report.batches_already_recorded = already_recorded
        if outcome.decision != "refused":
            report.new_by_category = {
                category: Movement(*heads) for category, heads in (moved or {}).items()
            }
        if outcome.first_position is not None and outcome.decision != "planned":
            assert outcome.last_position is not None
            assert outcome.recorded_at is not None
            report.recorded = Recorded(
                outcome.first_position,
                outcome.last_position,
                outcome.recorded_at,
                outcome.recorded_by or "",
            )

    def _refuse_other(self, command: Command, area: str, reference: str, part: str) -> None:
        wanted = (
            _("{reference} part {part}").format(reference=safe(reference), part=safe(part))
            if part
            else safe(reference)
        )
        assert isinstance(command, RecordBatch)
        rows: Sequence[int | None] = [line.row for line in command.lines] or [command.row]
        for row in rows:
            self._admission.add_problem(
                Problem(
                    code="another-batch" if command.lines else "not-a-correction",
                    severity="error",
                    where=self.address(command.sheet, row, "reference"),
                    value=safe(command.reference),
                    why=_("only the rows of {wanted} of {area} belong here").format(
                        wanted=wanted, area=area
                    )
                    if command.lines
                    else _("a correction states the batch anew; it does not withdraw it"),
                    remedy=_("This row is of part {part}: say --part {part}.").format(
                        part=safe(command.part)
                    )
                    if command.lines and command.part and not part
                    else _(
                        "Leave only that batch's complete new rows in the file; import others"
                        " with `ucj import batches`."
                    )
                    if command.lines
                    else _("Use `ucj withdraw`."),
                    row=row,
                    sheet=command.sheet,
                ),
                "reference" if command.lines else "action",
            )


_DECISIONS: Final[dict[str, Decision]] = {
    "recorded": "recorded",
    "planned": "planned",
    "refused": "refused",
    "already-recorded": "already-recorded",
}


def _identity(area: str, reference: str, part: str) -> tuple[str, str, str]:
    return area, normalised_reference(reference), normalised_reference(part)


def _stored_options(admission: Admission) -> dict[str, str]:
    """Return what was declared of the file, as it is kept with the import."""
    declared = admission.options
    options: dict[str, str] = {"locale": declared.locale, "area_codes": declared.area_codes}
    if declared.sheet is not None:
        options["sheet"] = safe(declared.sheet)
    if declared.ignore_columns:
        names = [safe(name) for name in declared.ignore_columns]  # a name may hold any character
        options["ignore_columns"] = json.dumps(names, ensure_ascii=False)
    return options
