"""What the rows of a command draw on: from a command to the complete statement of a batch.

Leaving, renewing and moving always happen to a cohort, so each row that takes heads is resolved
to one cohort of the batch it names, or to the open-ended pool of its category. Never a guess: a
row that fits several cohorts is refused, listing them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, assert_never

from registry.batch import Batch, Statement, renewed
from registry.commands import BatchLine, RecordBatch
from registry.errors import RegistryError
from registry.events import Cohort, ImportSource, Line
from registry.language import _, joined
from registry.terms import WORKERS_MAX, Action, Funding, Kind, Segment

Find = Callable[[str, str, str], Batch | None]
"""The batch of an area, a reference and a part, as it stands at this point of the transaction."""

KIND_OF: Final[dict[Action, Kind]] = {
    Action.OPENING: Kind.OPENING,
    Action.ENROL: Kind.ENROLMENT,
    Action.RENEW: Kind.RENEWAL,
    Action.DEACTIVATE: Kind.DEACTIVATION,
    Action.RECLASSIFY: Kind.RECLASSIFICATION,
    Action.BALANCE_IN: Kind.RECONCILING,
    Action.BALANCE_OUT: Kind.RECONCILING,
}


class DrawingError(RegistryError):
    """A row that does not say, or wrongly says, which heads it takes; `column` says where."""

    code = "cohort"

    def __init__(
        self, what: str, *, column: str, row: int | None, why: str = "", remedy: str = ""
    ) -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.column = column
        self.row = row


class UnknownBatchDrawnError(DrawingError):
    """The row names a batch that is not recorded in its area, or is withdrawn."""

    code = "unknown-batch"


class AmbiguousCohortError(DrawingError):
    """The named batch has several cohorts that the row could mean."""

    code = "ambiguous-cohort"


class NoSuchCohortError(DrawingError):
    """The named batch has no cohort of that category, segment or term."""

    code = "no-such-cohort"


class OutsideTermError(DrawingError):
    """The row takes effect before the cohort's first day or after its last."""

    code = "outside-term"


class MissingDayError(DrawingError):
    """The day from which the batch is true is not given."""

    code = "missing-value"


class WorkersError(DrawingError):
    """The row moves nobody, or more than there are people."""

    code = "workers"


@dataclass(frozen=True, slots=True)
class _Drawn:
    cohort: Cohort
    starts_on: date


def statement_of(
    command: RecordBatch,
    find: Find,
    *,
    source: ImportSource | None = None,
) -> Statement:
    """Return the complete statement of a command, its lines resolved to cohorts.

    New cohorts carry the command's spelling of its reference and part.
    Raises: DrawingError for the first row that cannot be resolved.
    """
    action = command.action
    _check_rows(command)
    if action is Action.RENEW:
        effective_on, lines = _renewal(command, find)
    else:
        if command.effective_on is None:
            raise MissingDayError(
                _("the day it takes effect is missing"),
                column="effective_on",
                row=command.lines[0].row if command.lines else None,
                remedy=_("Give the first day on which it is true."),
            )
        effective_on = command.effective_on
        lines = tuple(
            line for each in command.lines for line in _lines(command, each, effective_on, find)
        )
    kind = KIND_OF[action]
    if kind is Kind.RECLASSIFICATION and len({line.cohort.area for line in lines}) > 1:
        kind = Kind.TRANSFER
    return Statement(
        kind=kind,
        effective_on=effective_on,
        lines=lines,
        programmes=command.programmes,
        reason=command.reason,
        decided_on=command.decided_on,
        document=command.document,
        proposed=command.proposed,
        rejected=dict(command.rejected),
        note=command.note,
        source=source,
    )


def _check_rows(command: RecordBatch) -> None:
    """Rule 5: a batch has rows, and each of them moves at least one head."""
    if not command.lines:
        raise DrawingError(
            _("{reference} has no rows").format(reference=command.reference),
            column="reference",
            row=command.row,
            remedy=_("Give its rows; to take a batch back use `ucj withdraw`."),
        )
    for line in command.lines:
        if not 1 <= line.workers <= WORKERS_MAX:
            raise WorkersError(
                _("{workers:,} workers is not from 1 to {maximum:,}").format(
                    workers=line.workers, maximum=WORKERS_MAX
                ),
                column="workers",
                row=line.row,
                remedy=_("Give a number of persons; who leaves is recorded as deactivate."),
            )


def _lines(
    command: RecordBatch, line: BatchLine, effective_on: date, find: Find
) -> tuple[Line, ...]:
    match command.action:
        case Action.OPENING | Action.ENROL | Action.BALANCE_IN:
            return (_line(_new_cohort(command, line, effective_on), line.workers, line),)
        case Action.DEACTIVATE | Action.BALANCE_OUT:
            drawn = _drawn(command.area, line.category, line, effective_on, find)
            return (_line(drawn, -line.workers, line),)
        case Action.RECLASSIFY:
            origin = line.from_area or command.area
            drawn = _drawn(origin, line.from_category or line.category, line, effective_on, find)
            entered = Cohort(
                area=command.area,
                reference=command.reference,
                part=command.part,
                category=line.category or drawn.category,
                segment=drawn.segment,
                funding=drawn.funding,
                expires_on=drawn.expires_on,
            )
            if (entered.area, entered.category) == (drawn.area, drawn.category):
                raise DrawingError(
                    _("the heads are moved to where they are"),
                    column="category",
                    row=line.row,
                    remedy=_("Name another category (or another area in from_area)."),
                )
            return (_line(drawn, -line.workers, line), _line(entered, line.workers, line))
        case Action.RENEW | Action.CORRECT | Action.WITHDRAW:
            msg = f"{command.action} has no lines of its own"
            raise AssertionError(msg)
        case _:
            assert_never(command.action)


def _new_cohort(command: RecordBatch, line: BatchLine, effective_on: date) -> Cohort:
    expires_on = _day_after(line.covered_until)
    if expires_on is not None and expires_on <= effective_on:
        raise OutsideTermError(
            _("the last covered day {covered_until} is before the first, {effective_on}").format(
                covered_until=line.covered_until, effective_on=effective_on
            ),
            column="covered_until",
            row=line.row,
            remedy=_("Give the last day that is covered, or leave it empty for no end."),
        )
    if line.category is None:
        raise DrawingError(
            _("the category is missing"), column="category", row=line.row, remedy=_("Give it.")
        )
    if line.of_batch is not None:
        raise DrawingError(
            _("a batch that is {action} draws on no other batch").format(action=command.action),
            column="of_batch",
            row=line.row,
            remedy=_("Leave of_batch empty."),
        )
    return Cohort(
        area=command.area,
        reference=command.reference,
        part=command.part,
        category=line.category,
        segment=line.segment,
        funding=command.funding,
        expires_on=expires_on,
    )


def _drawn(
    area: str, category: str | None, line: BatchLine, effective_on: date, find: Find
) -> Cohort:
    if line.of_batch is None:
        if category is None:
            raise DrawingError(
                _("neither a category nor a batch says whom this takes"),
                column="category",
                row=line.row,
                remedy=_("Give the category, or the batch in of_batch."),
            )
        if line.covered_until is not None:
            raise DrawingError(
                _("covered_until selects a term of the batch in of_batch, and none is named"),
                column="of_batch",
                row=line.row,
                remedy=_(
                    "Name the batch that brought these heads in, or leave covered_until empty."
                ),
            )
        return Cohort(
            area=area,
            reference=None,
            part="",
            category=category,
            segment=None,
            funding=None,
            expires_on=None,
        )
    drawn = _named(area, category, line, find, term=_day_after(line.covered_until))
    cohort = drawn.cohort
    if effective_on < drawn.starts_on:
        raise OutsideTermError(
            _("{effective_on} is before {of_batch} covers anybody ({starts_on})").format(
                effective_on=effective_on, of_batch=line.of_batch, starts_on=drawn.starts_on
            ),
            column="effective_on",
            row=line.row,
            remedy=_("Check the date, and the batch it names."),
        )
    if cohort.expires_on is not None and effective_on >= cohort.expires_on:
        raise OutsideTermError(
            _(
                "{effective_on} is after the last day that {of_batch} covers"
                " ({expires_on}): these heads have left by themselves"
            ).format(
                effective_on=effective_on,
                of_batch=line.of_batch,
                expires_on=cohort.expires_on - timedelta(days=1),
            ),
            column="effective_on",
            row=line.row,
            remedy=_("Leave the row out; if they were renewed, name the renewal in of_batch."),
        )
    return cohort


def _renewal(command: RecordBatch, find: Find) -> tuple[date, tuple[Line, ...]]:
    """Resolve the rows of a renewal; all of them start on the day the old term ends."""
    starts_on: date | None = None
    lines: list[Line] = []
    continued: dict[Cohort, Cohort] = {}
    for line in command.lines:
        # covered_until is the new last day here; the old term is known by the day it ends
        drawn = _named(
            command.area, line.category, line, find, term=command.effective_on, renewing=True
        ).cohort
        if drawn.expires_on is None:
            raise OutsideTermError(
                _("{of_batch} has no end; there is nothing to renew").format(
                    of_batch=line.of_batch
                ),
                column="of_batch",
                row=line.row,
                remedy=_("Leave the row out."),
            )
        starts_on = starts_on or command.effective_on or drawn.expires_on
        if drawn.expires_on != starts_on:
            raise OutsideTermError(
                _(
                    "the term of {of_batch} ends before {expires_on},"
                    " so it is renewed from that day, not from {starts_on}"
                ).format(of_batch=line.of_batch, expires_on=drawn.expires_on, starts_on=starts_on),
                column="effective_on",
                row=line.row,
                remedy=_(
                    "Give the rows of each day a `part` of their own, or leave the day empty."
                ),
            )
        expires_on = _day_after(line.covered_until)
        if expires_on is None or expires_on <= starts_on:
            raise OutsideTermError(
                _("a renewal from {starts_on} needs a last covered day on or after it").format(
                    starts_on=starts_on
                ),
                column="covered_until",
                row=line.row,
                remedy=_("Give the new last covered day."),
            )
        cohort = Cohort(
            area=command.area,
            reference=command.reference,
            part=command.part,
            category=drawn.category,
            segment=drawn.segment,
            funding=command.funding or drawn.funding,
            expires_on=expires_on,
        )
        if continued.setdefault(cohort, drawn) != drawn:
            raise AmbiguousCohortError(
                _("two cohorts would be renewed into one, and could not be told apart afterwards"),
                column="of_batch",
                row=line.row,
                remedy=_("Give one of them another `part`."),
            )
        lines.append(Line(cohort=cohort, workers=line.workers, row=line.row, of=renewed(drawn)))
    assert starts_on is not None
    return starts_on, tuple(lines)


def _named(
    area: str,
    category: str | None,
    line: BatchLine,
    find: Find,
    *,
    term: date | None,
    renewing: bool = False,
) -> _Drawn:
    """Return the one cohort of the named batch that fits the row, and ends on `term` if given."""
    if line.of_batch is None:
        raise DrawingError(
            _("the batch that is renewed is missing"),
            column="of_batch",
            row=line.row,
            remedy=_("Name the batch whose term ends."),
        )
    batch = find(area, line.of_batch, line.of_part)
    if batch is None or batch.statement is None:
        state = _("is withdrawn") if batch else _("is not recorded")
        raise UnknownBatchDrawnError(
            _("the batch {of_batch} {state} in {area}").format(
                of_batch=line.of_batch, state=state, area=area
            ),
            column="of_batch",
            row=line.row,
            remedy=_(
                "Check the reference and the area with `ucj history`; if its document has"
                " parts, name the part in of_part."
            ),
        )
    fitting = [
        each
        for each in batch.cohorts()
        if each.area == area
        and (category is None or each.category == category)
        and (line.segment is None or each.segment == line.segment)
        and (term is None or each.expires_on == term)
    ]
    if not fitting:
        raise NoSuchCohortError(
            _("{of_batch} brought in no such heads; it has {listed}").format(
                of_batch=line.of_batch, listed=_listed(batch.cohorts())
            ),
            column="of_batch",
            row=line.row,
            remedy=_("Check category, segment and term."),
        )
    if renewing:  # what has no end is not renewed, so it is not meant beside what has one
        fitting = [each for each in fitting if each.expires_on is not None] or fitting
    if len(fitting) > 1:
        raise AmbiguousCohortError(
            _("{of_batch} brought in several groups that fit: {listed}").format(
                of_batch=line.of_batch, listed=_listed(tuple(fitting))
            ),
            column="of_batch",
            row=line.row,
            remedy=_telling_apart(fitting, renewing=renewing),
        )
    return _Drawn(fitting[0], batch.statement.effective_on)


def _telling_apart(cohorts: list[Cohort], *, renewing: bool) -> str:
    """Return what a row may say so that it fits only one of these cohorts."""
    columns = {"category": "category", "segment": "segment", "expires_on": "covered_until"}
    by_old_term = renewing and _differ(cohorts, "expires_on")
    if renewing:
        del columns["expires_on"]  # covered_until is the new term's end there
    apart = [column for name, column in columns.items() if _differ(cohorts, name)]
    listed = joined(_(" or "), apart)
    if apart and by_old_term:
        return _(
            "Say which by {columns}, or give in effective_on the day after its old term."
        ).format(columns=listed)
    if by_old_term:
        return _("Give in effective_on the day after its old term.")
    if apart:
        return _("Say which by {columns}.").format(columns=listed)
    return _("Correct that batch first, so that each of them has a `part`.")


def _differ(cohorts: list[Cohort], name: str) -> bool:
    return len({getattr(each, name) for each in cohorts}) > 1


def _listed(cohorts: tuple[Cohort, ...], *, most: int = 5) -> str:
    def words(cohort: Cohort) -> str:
        term = (
            _("until {expires_on}").format(expires_on=cohort.expires_on - timedelta(days=1))
            if cohort.expires_on
            else _("open-ended")
        )
        segment: Segment | None = cohort.segment
        funding: Funding | None = cohort.funding
        return joined(" ", (each for each in (cohort.category, segment, funding, term) if each))

    more = (
        _(" and {cohorts} more").format(cohorts=len(cohorts) - most) if len(cohorts) > most else ""
    )
    return joined("; ", (words(each) for each in cohorts[:most])) + more


def _line(cohort: Cohort, workers: int, line: BatchLine) -> Line:
    return Line(cohort=cohort, workers=workers, row=line.row, of=None)


def _day_after(covered_until: date | None) -> date | None:
    return covered_until + timedelta(days=1) if covered_until else None
