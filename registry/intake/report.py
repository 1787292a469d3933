"""What came of a file: counts, control totals, and every problem, grouped and capped.

Owns the shape of the report (a promise to scripts) and its words for people. Its memory does not
grow with the number of problems.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from registry import vocabulary
from registry.errors import Problem, Severity
from registry.intake.columns import InputKind
from registry.language import _, joined, ngettext, said, whole
from registry.safe_text import safe

Decision = Literal["recorded", "refused", "planned", "already-recorded"]

EXAMPLES_MAX: Final = 20  # of one kind of problem in one column; the rest is counted
GROUPS_MAX: Final = 500  # codes × columns; there are far fewer
SHOWN_MAX: Final = 5  # of one kind in one column, for people
SEVERITIES: Final[dict[Severity, str]] = {"error": _("error"), "warning": _("warning")}


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """One sheet (the name is empty for text files): its rows, and its control total of heads."""

    name: str
    rows: int
    workers: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where and when the file was recorded."""

    first_position: int
    last_position: int
    recorded_at: datetime
    recorded_by: str


@dataclass(slots=True)
class Movement:
    """Heads in and out of one category."""

    workers_in: int = 0
    workers_out: int = 0


@dataclass(slots=True)
class _Group:
    count: int = 0
    examples: list[Problem] = field(default_factory=list)


class RowSet:
    """Row numbers of one sheet, one bit each: a million rows take 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def add(self, number: int) -> None:
        """Put a row in; twice is once."""
        byte, bit = divmod(number, 8)
        if byte >= len(self._bits):
            self._bits.extend(bytes(max(byte + 1 - len(self._bits), len(self._bits))))
        if not self._bits[byte] >> bit & 1:
            self._bits[byte] |= 1 << bit
            self._count += 1

    def __contains__(self, number: int) -> bool:
        byte, bit = divmod(number, 8)
        return byte < len(self._bits) and bool(self._bits[byte] >> bit & 1)

    def __len__(self) -> int:
        return self._count


class Report:
    """The report of one file: filled while it is read, completed when it is recorded.

    `as_json` has these keys, and they only ever grow:
    `file`, `sha256`, `size`, `kind`, `sheets` [{`name`, `rows`, `workers`}], `locale`,
    `area_codes`, `decision` (recorded | refused | planned | already-recorded), `plan` (the digest
    of what would be recorded, null if refused), `rows_read`, `rows_accepted`, `rows_refused` (those
    with an error; all of them where one is of the file itself, such as its header),
    `batches` {`new`, `already_recorded`, `total`, `by_action` {action: batches}} (of potentials,
    targets and figures each row counts as one), `workers_in`, `workers_out`, `by_category`
    [{`category` (null where only the batch drawn on knows it), `workers_in`, `workers_out`}],
    `new_workers_in`, `new_workers_out`, `new_by_category` (the same of what is new, a correction
    or withdrawal by its net effect; nothing where the file is refused),
    `workers_by_action` {action: heads}, `control` {`rows`, `workers`, `expected_rows`,
    `expected_workers`}, `problems` [{`code`, `severity`, `where`, `value`, `why`, `remedy`, `row`,
    `sheet`}] (at most 20 of a kind), `problem_groups` [{`code`, `severity`, `column`, `count`,
    `at_least` (there may be more)}],
    `problems_total`, `errors`, `warnings`, `recorded` {`first_position`, `last_position`,
    `recorded_at`, `recorded_by`} | null, `refused_file` | null.
    """

    def __init__(
        self,
        *,
        file: str,
        sha256: str,
        size: int,
        kind: InputKind,
        locale: str,
        area_codes: str,
        expected_rows: int | None = None,
        expected_workers: int | None = None,
    ) -> None:
        self.file = file
        self.sha256 = sha256
        self.size = size
        self.kind: InputKind = kind
        self.locale = locale
        self.area_codes = area_codes
        self.expected_rows = expected_rows
        self.expected_workers = expected_workers
        self.sheets: tuple[SheetFacts, ...] = ()
        self.decision: Decision = "planned"
        self.plan: str | None = None
        self.rows_read = 0
        self.workers = 0
        self.batches_total = 0
        self.batches_already_recorded = 0
        self.batches_by_action: dict[str, int] = {}
        self.workers_by_action: dict[str, int] = {}
        self.by_category: dict[str | None, Movement] = {}
        self.new_by_category: dict[str | None, Movement] | None = None  # until it is decided
        self.recorded: Recorded | None = None
        self.refused_file: str | None = None
        self.capped: set[str] = set()  # codes of which there may be more than were told
        self.errors = 0
        self.warnings = 0
        self._groups: dict[tuple[str, Severity, str | None], _Group] = {}
        self._refused: dict[str, RowSet] = {}
        self._is_refused_whole = False

    # --- filled while reading ------------------------------------------------------------------

    def add(self, problem: Problem, column: str | None = None) -> None:
        """Take a problem in; an error refuses the file, and its row where it has one."""
        if problem.severity == "error":
            self.errors += 1
            self.decision = "refused"
            self.plan = None
            if problem.row is None:
                self._is_refused_whole = True
            else:
                self.refuse_row(problem.sheet, problem.row)
        else:
            self.warnings += 1
        name = (problem.code, problem.severity, column)
        if name not in self._groups and len(self._groups) >= GROUPS_MAX:
            name = ("other", problem.severity, None)
        group = self._groups.setdefault(name, _Group())
        group.count += 1
        if len(group.examples) < EXAMPLES_MAX:
            group.examples.append(problem)

    def refuse_row(self, sheet: str | None, number: int) -> None:
        """Count a row as refused, once."""
        self._refused.setdefault(sheet or "", RowSet()).add(number)

    def count_batches(self, action: str | None, count: int = 1) -> None:
        """Count batches of one action, or statements without an action."""
        self.batches_total += count
        if action is not None:
            self.batches_by_action[action] = self.batches_by_action.get(action, 0) + count

    def count_workers(self, action: str | None, workers: int) -> None:
        """Add the heads of an accepted row to the control totals."""
        self.workers += workers
        if action is not None:
            self.workers_by_action[action] = self.workers_by_action.get(action, 0) + workers

    def count_movement(self, category: str | None, workers: int) -> None:
        """Add heads that enter (or, negative, leave) a category."""
        movement = self.by_category.setdefault(category, Movement())
        if workers >= 0:
            movement.workers_in += workers
        else:
            movement.workers_out -= workers

    # --- asked afterwards ----------------------------------------------------------------------

    @property
    def rows_at_fault(self) -> int:
        """Rows with an error of their own."""
        return sum(map(len, self._refused.values()))

    @property
    def rows_refused(self) -> int:
        """Rows with an error; all of them where an error is of the file itself."""
        return self.rows_read if self._is_refused_whole else self.rows_at_fault

    @property
    def rows_accepted(self) -> int:
        """Rows without an error, in a file without one."""
        return self.rows_read - self.rows_refused

    @property
    def problems(self) -> list[Problem]:
        """The examples kept: those of the file first, then by sheet and row."""
        kept = [problem for group in self._groups.values() for problem in group.examples]
        order = {sheet.name: index for index, sheet in enumerate(self.sheets)}
        return sorted(kept, key=lambda one: (order.get(one.sheet or "", 0), one.row or 0))

    def as_json(self) -> dict[str, object]:
        """Return the report with the keys promised above, ready for `json.dumps`."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "size": self.size,
            "kind": self.kind,
            "sheets": [asdict(sheet) for sheet in self.sheets],
            "locale": self.locale,
            "area_codes": self.area_codes,
            "decision": self.decision,
            "plan": self.plan,
            "rows_read": self.rows_read,
            "rows_accepted": self.rows_accepted,
            "rows_refused": self.rows_refused,
            "batches": {
                "new": self.batches_total - self.batches_already_recorded,
                "already_recorded": self.batches_already_recorded,
                "total": self.batches_total,
                "by_action": dict(sorted(self.batches_by_action.items())),
            },
            "workers_in": self.workers_in,
            "workers_out": self.workers_out,
            "by_category": _categories_json(self.by_category),
            "new_workers_in": sum(each.workers_in for each in self._new.values()),
            "new_workers_out": sum(each.workers_out for each in self._new.values()),
            "new_by_category": _categories_json(self._new),
            "workers_by_action": dict(sorted(self.workers_by_action.items())),
            "control": {
                "rows": self.rows_read,
                "workers": self.workers,
                "expected_rows": self.expected_rows,
                "expected_workers": self.expected_workers,
            },
            "problems": [asdict(problem) for problem in self.problems],
            "problem_groups": [
                {
                    "code": code,
                    "severity": severity,
                    "column": column,
                    "count": group.count,
                    "at_least": code in self.capped,
                }
                for (code, severity, column), group in self._groups.items()
            ],
            "problems_total": self.errors + self.warnings,
            "errors": self.errors,
            "warnings": self.warnings,
            "recorded": None if self.recorded is None else _recorded_json(self.recorded),
            "refused_file": self.refused_file,
        }

    @property
    def workers_in(self) -> int:
        """Heads that enter a category."""
        return sum(movement.workers_in for movement in self.by_category.values())

    @property
    def workers_out(self) -> int:
        """Heads that leave a category."""
        return sum(movement.workers_out for movement in self.by_category.values())

    def as_lines(self) -> list[str]:
        """Return the report as lines for people: what was read, what is wrong, what was decided."""
        return [*self.count_lines(), *self.problem_lines(), *self.decision_lines()]

    @property
    def _new(self) -> Mapping[str | None, Movement]:
        return self.new_by_category or {}

    def count_lines(self) -> Iterator[str]:
        """Yield what was read, and what it comes to."""
        yield ngettext(
            "{file}: {read:,} row read, {accepted:,} accepted, {refused:,} refused",
            "{file}: {read:,} rows read, {accepted:,} accepted, {refused:,} refused",
            self.rows_read,
        ).format(
            file=self.file,
            read=self.rows_read,
            accepted=self.rows_accepted,
            refused=self.rows_refused,
        )
        if self.kind == "batches" and (self.batches_total or not self.errors):
            actions = joined(
                ", ",
                (
                    joined(" ", (whole(count), vocabulary.action(name)))
                    for name, count in sorted(self.batches_by_action.items())
                ),
            )
            yield ngettext(
                "  {count:,} batch: {actions}", "  {count:,} batches: {actions}", self.batches_total
            ).format(count=self.batches_total, actions=actions or _("none"))
        if self.batches_already_recorded:
            known = self.batches_already_recorded
            new = self.batches_total - known
            yield (
                _("  {known:,} already recorded").format(known=known)
                if self.errors  # what of the others would be new, nobody can say
                else _("  {known:,} already recorded, and skipped; {new:,} new").format(
                    known=known, new=new
                )
            )
        renewed = self.workers_by_action.get("renew", 0)
        if renewed and not self.errors:
            yield _("  renewed: {workers:,}").format(workers=renewed)
        yield from self._movement_lines()

    def _movement_lines(self) -> Iterator[str]:
        """Yield heads by category: what is new, beside the whole file where that is more."""
        if self.new_by_category is None:
            yield from _movement_lines(self.by_category)
            return
        whole = _total(self.by_category)
        if whole in {(0, 0), _total(self._new)}:  # a file of corrections has no heads of its own
            yield from _movement_lines(self._new)
            return
        both = {**self.by_category, **self._new}
        nothing = Movement()
        for category, _movement in _sorted(both):
            new, of_file = self._new.get(category, nothing), self.by_category.get(category, nothing)
            yield _("  {category}: {new} new; {of_file} in the file").format(
                category=_category(category), new=_heads(new), of_file=_heads(of_file)
            )
        if len(both) > 1:
            new, of_file = Movement(*_total(self._new)), Movement(*whole)
            yield _("  in all: {new} new; {of_file} in the file").format(
                new=_heads(new), of_file=_heads(of_file)
            )

    def problem_lines(self, codes: Collection[str] | None = None) -> Iterator[str]:
        """Yield what is wrong or odd, errors first, and what to do; of some codes alone, if given."""
        groups = sorted(self._groups.items(), key=lambda item: item[0][1] != "error")
        for (code, severity, column), group in groups:
            if codes is not None and code not in codes:
                continue
            for problem in group.examples[:SHOWN_MAX]:
                value = "" if _is_told(problem) else f" ({problem.value})"
                head = f": {problem.where}: "
                yield SEVERITIES[severity] + head + problem.why + f"{value} [{code}]"
                if problem.remedy:
                    yield "  " + problem.remedy
            if group.count > SHOWN_MAX:
                yield _("  … and {least}{more:,} more of {code}{at}").format(
                    least=_("at least ") if code in self.capped else "",
                    more=group.count - SHOWN_MAX,
                    code=code,
                    at=_(" in {column}").format(column=column) if column else "",
                )

    def decision_lines(self) -> Iterator[str]:
        """Yield what was decided."""
        if self.decision == "refused":
            yield ngettext(
                "refused: {count:,} error; nothing was recorded",
                "refused: {count:,} errors; nothing was recorded",
                self.errors,
            ).format(count=self.errors)
            if self.refused_file:
                yield _(
                    "the refused rows are in {file}, to look through;"
                    " repair the original file and import that again"
                ).format(file=self.refused_file)
        elif self.decision == "planned":
            yield _("plan {plan}: nothing was recorded yet").format(plan=self.plan)
        elif self.recorded is None:
            yield _("nothing to record: all of it is recorded already")
        else:
            first, last = self.recorded.first_position, self.recorded.last_position
            at = f"#{first}" if first == last else f"#{first}–#{last}"
            done = (
                _("recorded at {at}, {instant:%Y-%m-%d %H:%M:%SZ}, by {person}")
                if self.decision == "recorded"
                else _("already recorded at {at}, {instant:%Y-%m-%d %H:%M:%SZ}, by {person}")
            )
            yield done.format(
                at=at,
                instant=self.recorded.recorded_at.astimezone(UTC),
                person=safe(self.recorded.recorded_by),
            )


def _is_told(problem: Problem) -> bool:
    """Whether the words name the value already."""
    value = problem.value
    return (
        value is None
        or re.search(rf"(?<!\w){re.escape(value)}(?!\w)", said(problem.why)) is not None
    )


def _sorted(movements: Mapping[str | None, Movement]) -> list[tuple[str | None, Movement]]:
    return sorted(movements.items(), key=lambda item: item[0] or "")


def _categories_json(movements: Mapping[str | None, Movement]) -> list[dict[str, object]]:
    return [{"category": category, **asdict(movement)} for category, movement in _sorted(movements)]


def _movement_lines(movements: Mapping[str | None, Movement]) -> Iterator[str]:
    for category, movement in _sorted(movements):
        yield joined("", ("  ", _category(category), ": ", _heads(movement)))


def _category(category: str | None) -> str:
    return category or _("(as the batch drawn on)")


def _heads(movement: Movement) -> str:
    return joined("", ("+", whole(movement.workers_in), " -", whole(movement.workers_out)))


def _total(movements: Mapping[str | None, Movement]) -> tuple[int, int]:
    return (
        sum(each.workers_in for each in movements.values()),
        sum(each.workers_out for each in movements.values()),
    )


def _recorded_json(recorded: Recorded) -> dict[str, object]:
    return {**asdict(recorded), "recorded_at": recorded.recorded_at.isoformat()}
