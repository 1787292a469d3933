"""One batch: decisions return events or raise, `evolve` folds one event.

Knows no database, no clock, no file. What other batches depend on is asked of the ledger at the
end of the transaction (registry.balances).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple, assert_never
from uuid import UUID

from registry.errors import RuleBrokenError, UnknownBatchError
from registry.events import (
    BalanceReconciled,
    BatchCorrected,
    BatchDeactivated,
    BatchEnrolled,
    BatchReclassified,
    BatchRecorded,
    BatchRenewed,
    BatchWithdrawn,
    Cohort,
    ImportSource,
    Line,
    OpeningStated,
    RenewedCohort,
    Taken,
)
from registry.language import _
from registry.safe_text import safe
from registry.terms import (
    Action,
    Kind,
    LeaveReason,
    Programme,
    batch_id,
    normalised_reference,
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every event of one transaction has in common."""

    transaction_id: int
    recorded_at: datetime
    recorded_by: str


class Statement(NamedTuple):
    """Everything a batch says: its lines, when they take effect, and what it says of itself.

    Its fields are those of the event that records it.
    """

    kind: Kind
    effective_on: date
    lines: tuple[Line, ...]
    programmes: tuple[Programme, ...]
    reason: LeaveReason | None
    decided_on: date | None
    document: str | None
    proposed: int | None
    rejected: dict[str, int]
    note: str | None
    source: ImportSource | None

    def action(self) -> Action:
        """Return the action of a file that says this; a balance is in or out by its sign."""
        return _ACTION_OF.get(self.kind) or (
            Action.BALANCE_IN if self.lines[0].workers > 0 else Action.BALANCE_OUT
        )

    def content(self) -> tuple[object, ...]:
        """Return what makes two statements equal: all of it but rows, order and import."""
        lines = sorted(
            (*_compared(line.cohort), *_compared(line.of), line.workers) for line in self.lines
        )
        return (
            self.kind,
            self.effective_on,
            tuple(lines),
            tuple(sorted(self.programmes)),
            self.reason,
            self.decided_on,
            self.document,
            self.proposed,
            tuple(sorted(self.rejected.items())),
            self.note,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as its stream tells it. `statement` is None once it is withdrawn."""

    id: UUID
    area: str
    reference: str
    part: str
    version: int
    statement: Statement | None
    former: tuple[Statement, ...] = ()

    @property
    def name(self) -> str:
        """Return how the batch is spoken of: reference, and part if it has one."""
        return (
            _("{reference} part {part}").format(reference=self.reference, part=self.part)
            if self.part
            else self.reference
        )

    def cohorts(self) -> tuple[Cohort, ...]:
        """Return the cohorts that the batch brought in, as in force, each once."""
        if self.statement is None:
            return ()
        brought = (line.cohort for line in self.statement.lines if line.workers > 0)
        return tuple(dict.fromkeys(brought))


RECORDED_AS: Final[dict[Kind, type[BatchRecorded]]] = {
    Kind.OPENING: OpeningStated,
    Kind.ENROLMENT: BatchEnrolled,
    Kind.RENEWAL: BatchRenewed,
    Kind.DEACTIVATION: BatchDeactivated,
    Kind.RECLASSIFICATION: BatchReclassified,
    Kind.TRANSFER: BatchReclassified,
    Kind.RECONCILING: BalanceReconciled,
}

_ACTION_OF: Final[dict[Kind, Action]] = {
    Kind.OPENING: Action.OPENING,
    Kind.ENROLMENT: Action.ENROL,
    Kind.RENEWAL: Action.RENEW,
    Kind.DEACTIVATION: Action.DEACTIVATE,
    Kind.RECLASSIFICATION: Action.RECLASSIFY,
    Kind.TRANSFER: Action.RECLASSIFY,
}

BatchFact = BatchRecorded | BatchCorrected | BatchWithdrawn


def record(
    batch: Batch | None,
    statement: Statement,
    *,
    area: str,
    reference: str,
    part: str,
    stamp: Stamp,
    settles: int | None = None,
) -> BatchRecorded:
    """Record a batch for the first time, or again after it was withdrawn.

    `settles` is the position of the figure that a balancing entry settles.
    """
    if batch is not None and batch.statement is not None:
        what = _("{name} of {area} is recorded already").format(name=batch.name, area=area)
        raise RuleBrokenError(what, remedy=_("Use `ucj correct` to change what it says."))
    said = statement._asdict()
    if statement.kind is Kind.RECONCILING:
        said["settles"] = settles
    return RECORDED_AS[statement.kind](
        originator_id=batch_id(area, reference, part),
        originator_version=batch.version + 1 if batch else 1,
        area=area,
        reference=reference,
        part=part,
        **said,
        **_stamped(stamp),
    )


def correct(
    batch: Batch | None, statement: Statement, *, because: str, stamp: Stamp
) -> BatchCorrected:
    """Replace what the batch says; everything may change but area, identity and kind."""
    batch, in_force = _live(batch)
    if in_force.action() != statement.action():
        what = _("{name} was recorded as {recorded}, not as {stated}").format(
            name=batch.name, recorded=in_force.action(), stated=statement.action()
        )
        raise RuleBrokenError(
            what, remedy=_("Withdraw it and record another batch, or keep its action.")
        )
    if in_force.content() == statement.content():
        what = _("{name} says just that already; nothing to correct").format(name=batch.name)
        raise RuleBrokenError(what, remedy=_("Check that this is the file you meant."))
    said = statement._asdict()
    return BatchCorrected(
        originator_id=batch.id,
        originator_version=batch.version + 1,
        area=batch.area,
        reference=batch.reference,
        part=batch.part,
        takes_back=_taken(in_force),
        puts=said.pop("lines"),
        because=because,
        **said,
        **_stamped(stamp),
    )


def withdraw(
    batch: Batch | None,
    *,
    because: str,
    stamp: Stamp,
    decided_on: date | None = None,
    document: str | None = None,
    source: ImportSource | None = None,
    row: int | None = None,
) -> BatchWithdrawn:
    """Take back everything the batch put in. Refused if it is withdrawn already."""
    batch, in_force = _live(batch)
    return BatchWithdrawn(
        originator_id=batch.id,
        originator_version=batch.version + 1,
        area=batch.area,
        reference=batch.reference,
        part=batch.part,
        kind=in_force.kind,
        decided_on=decided_on,
        document=document,
        source=source,
        row=row,
        takes_back=_taken(in_force),
        because=because,
        **_stamped(stamp),
    )


def missing(area: str, reference: str, part: str) -> UnknownBatchError:
    """Return the refusal for a batch that the log does not know."""
    name = (
        _("{reference} part {part}").format(reference=safe(reference), part=safe(part))
        if part
        else safe(reference)
    )
    return UnknownBatchError(
        _("{area} has no such batch: {name}").format(area=area, name=name),
        remedy=_(
            "`ucj history {area}` lists its batches; one with parts is named with its `part`."
        ).format(area=area),
    )


def evolve(batch: Batch | None, event: BatchFact) -> Batch:
    """Return the batch after one more event of its stream."""
    match event:
        case BatchRecorded():
            return Batch(
                id=event.originator_id,
                area=event.area,
                reference=event.reference,
                part=event.part,
                version=event.originator_version,
                statement=said_by(event),
                former=batch.former if batch else (),
            )
        case BatchCorrected():
            batch, in_force = _live(batch)
            return replace(
                batch,
                version=event.originator_version,
                statement=said_by(event),
                former=(*batch.former, in_force),
            )
        case BatchWithdrawn():
            batch, in_force = _live(batch)
            return replace(
                batch,
                version=event.originator_version,
                statement=None,
                former=(*batch.former, in_force),
            )
        case _:
            assert_never(event)


def evolve_all(events: Iterable[Any]) -> Batch | None:
    """Return the batch that a whole stream tells of, None for an empty stream."""
    batch: Batch | None = None
    for event in events:
        batch = evolve(batch, event)
    return batch


def said_by(event: BatchRecorded | BatchCorrected) -> Statement:
    """Return what the batch says from this event on."""
    return Statement(
        kind=event.kind,
        effective_on=event.effective_on,
        lines=event.puts if isinstance(event, BatchCorrected) else event.lines,
        programmes=event.programmes,
        reason=event.reason,
        decided_on=event.decided_on,
        document=event.document,
        proposed=event.proposed,
        rejected=event.rejected,
        note=event.note,
        source=event.source,
    )


def _compared(cohort: Cohort | RenewedCohort | None) -> tuple[str, ...]:
    """Return a cohort as texts, its batch's spelling evened out."""
    if cohort is None:
        return ()
    said = dict(cohort)
    spelt = (normalised_reference(said.pop(name) or "") for name in ("reference", "part"))
    return (*spelt, *(str(each) for each in said.values()))


def _live(batch: Batch | None) -> tuple[Batch, Statement]:
    assert batch is not None  # who asks for it refuses first (`missing`)
    if batch.statement is None:
        what = _("{name} of {area} is withdrawn").format(name=batch.name, area=batch.area)
        raise RuleBrokenError(what, remedy=_("It may be recorded again with `ucj import batches`."))
    return batch, batch.statement


def _taken(statement: Statement) -> Taken:
    return Taken(
        kind=statement.kind,
        effective_on=statement.effective_on,
        reason=statement.reason,
        lines=statement.lines,
    )


def _stamped(stamp: Stamp) -> dict[str, Any]:
    return {
        "transaction_id": stamp.transaction_id,
        "recorded_at": stamp.recorded_at,
        "recorded_by": stamp.recorded_by,
    }


def renewed(cohort: Cohort) -> RenewedCohort:
    """Return how a renewal names the cohort it continues."""
    assert cohort.reference is not None
    return RenewedCohort(reference=cohort.reference, part=cohort.part, funding=cohort.funding)
