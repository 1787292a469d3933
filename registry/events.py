"""The facts: one frozen, strict model for each thing that can have happened.

An event carries everything its projections need, so that a projection is a map over the log. One
key has one meaning and one type over all events, and every key is always written, nulls too
(registry.storage.mapper). Topics and keys are stored for ever: a change in the form of an event
raises its `class_version` and adds an upcaster and a golden file (CHANGELOG, "Stored data").
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema

from registry.terms import (
    AREA_PATTERN,
    CATEGORY_PATTERN,
    FIRST_DAY,
    LAST_DAY,
    LINES_MAX,
    NOTE_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    REGENCY_PATTERN,
    WORKERS_MAX,
    Change,
    Funding,
    Kind,
    LeaveReason,
    Programme,
    Segment,
)

# No control characters but tab and line feed: nothing stored can drive a terminal.
_PRINTABLE: Final = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"


def _within_calendar(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        msg = f"a day outside {FIRST_DAY} – {LAST_DAY}"
        raise ValueError(msg)
    return day


AreaCode = Annotated[str, StringConstraints(pattern=AREA_PATTERN)]
RegencyCode = Annotated[str, StringConstraints(pattern=REGENCY_PATTERN)]
CategorySlug = Annotated[str, StringConstraints(pattern=CATEGORY_PATTERN, max_length=60)]
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=REFERENCE_LENGTH_MAX, pattern=_PRINTABLE)
]
Part = Annotated[str, StringConstraints(max_length=REFERENCE_LENGTH_MAX, pattern=_PRINTABLE)]
Text = Annotated[str, StringConstraints(max_length=NOTE_LENGTH_MAX, pattern=_PRINTABLE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
Day = Annotated[date, AfterValidator(_within_calendar)]
Workers = Annotated[int, Field(ge=1, le=WORKERS_MAX)]
Count = Annotated[int, Field(ge=0, le=WORKERS_MAX)]
Heads = Annotated[int, Field(ge=0, lt=2**53)]
SignedHeads = Annotated[int, Field(gt=-(2**53), lt=2**53)]
Row = Annotated[int, Field(ge=1)]
Position = Annotated[int, Field(ge=1)]
Decimals = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,12}(?:\.[0-9]{1,6})?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _as_of(text: str) -> str:
    """Admit only what stands in the calendar, within the days the registry knows."""
    first = date.fromisoformat((text + "-01-01")[:10])
    if not FIRST_DAY.year <= first.year <= LAST_DAY.year:
        msg = f"a day outside {FIRST_DAY} – {LAST_DAY}"
        raise ValueError(msg)
    return text


AsOf = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?$"),
    AfterValidator(_as_of),
]
ImportKind = Literal["batches", "potentials", "targets", "figures", "areas"]


class Fact(BaseModel):
    """A frozen, strict value inside an event; unknown keys are refused.

    Its keys are written sorted, as canonical JSON has them, in whatever order they are declared.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        inner: Any = schema
        while "schema" in inner:  # the fields stand inside the model, and that inside its checks
            inner = inner["schema"]
        inner["fields"] = dict(sorted(inner["fields"].items()))
        return schema


class Cohort(Fact):
    """The heads that one batch brought in, alike in category, segment, funding and term.

    `reference` None is the open-ended pool of its category in its area. `expires_on` is the first
    day not covered; None is open-ended.
    """

    area: RegencyCode
    reference: Reference | None
    part: Part
    category: CategorySlug
    segment: Segment | None
    funding: Funding | None
    expires_on: Day | None


class RenewedCohort(Fact):
    """Which cohort a renewal continues; its category, segment and last day are the renewal's."""

    reference: Reference
    part: Part
    funding: Funding | None


class Line(Fact):
    """How many heads (signed: in or out) of which cohort, and the row it came from."""

    cohort: Cohort
    workers: Annotated[int, Field(ge=-WORKERS_MAX, le=WORKERS_MAX)]
    row: Row | None
    of: RenewedCohort | None

    @model_validator(mode="after")
    def _moves_somebody(self) -> Self:
        if self.workers == 0:
            msg = "a line moves at least one head"
            raise ValueError(msg)
        return self


class Taken(Fact):
    """What a correction or withdrawal takes back: lines in force, as they had been put."""

    kind: Kind
    effective_on: Day
    reason: LeaveReason | None
    lines: tuple[Line, ...]


class ImportSource(Fact):
    """The imported file (its stream) and sheet that an event came from."""

    import_id: UUID
    sheet: Text


class Event(Fact):
    """Common to all: the stream, its version, who and when, and the transaction.

    `transaction_id` is the position of the transaction's first event. `recorded_at` is UTC and
    never runs backwards along the log.
    """

    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: UUID
    originator_version: Annotated[int, Field(ge=1)]
    transaction_id: Position
    recorded_at: AwareDatetime
    recorded_by: Name

    @classmethod
    def upcast(cls, state: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring a stored state one class version up, until it is today's."""
        while from_version < cls.class_version:
            step = getattr(cls, f"upcast_v{from_version}_v{from_version + 1}")
            state = step(state)
            from_version += 1
        return state


class BatchEvent(Event):
    """Something that happened to one batch."""

    area: RegencyCode
    reference: Reference
    part: Part
    kind: Kind
    decided_on: Day | None
    document: Text | None
    source: ImportSource | None


class BatchStatementEvent(BatchEvent):
    """A batch as stated: when it takes effect, what it says of itself."""

    effective_on: Day
    programmes: tuple[Programme, ...]
    reason: LeaveReason | None
    proposed: Count | None
    rejected: dict[Text, Count]
    note: Text | None


class BatchRecorded(BatchStatementEvent):
    """A batch recorded for the first time, or again after it was withdrawn."""

    KINDS: ClassVar[frozenset[Kind]]

    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=2 * LINES_MAX)]

    @model_validator(mode="after")
    def _says_what_it_is_called(self) -> Self:
        if self.kind not in self.KINDS:
            msg = f"{type(self).__name__} is not of kind {self.kind}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _each_line_ends_after_it_starts(self) -> Self:
        _check_terms(self.lines, self.effective_on)
        return self


class OpeningStated(BatchRecorded):
    """The stock of an area at the end of a day, with which its history begins."""

    TOPIC = "ucj.opening-stated"
    KINDS = frozenset({Kind.OPENING})


class BatchEnrolled(BatchRecorded):
    """New heads are covered from a day on."""

    TOPIC = "ucj.batch-enrolled"
    KINDS = frozenset({Kind.ENROLMENT})


class BatchRenewed(BatchRecorded):
    """Heads whose term ends are covered on, as new cohorts from the old end to the new."""

    TOPIC = "ucj.batch-renewed"
    KINDS = frozenset({Kind.RENEWAL})


class BatchDeactivated(BatchRecorded):
    """Heads leave from a day on, the first day not covered."""

    TOPIC = "ucj.batch-deactivated"
    KINDS = frozenset({Kind.DEACTIVATION})


class BatchReclassified(BatchRecorded):
    """Heads leave one cohort and enter another category (or area: a transfer); the sum stays."""

    TOPIC = "ucj.batch-reclassified"
    KINDS = frozenset({Kind.RECLASSIFICATION, Kind.TRANSFER})

    @model_validator(mode="after")
    def _sum_stays(self) -> Self:
        if sum(line.workers for line in self.lines) != 0:
            msg = "the legs of a reclassification sum to zero"
            raise ValueError(msg)
        return self


class BalanceReconciled(BatchRecorded):
    """A balancing entry that no batch explains; always with a note.

    `settles` is the position of the published figure that the ledger is to agree with, if there is
    one.
    """

    TOPIC = "ucj.balance-reconciled"
    KINDS = frozenset({Kind.RECONCILING})

    settles: Position | None


class BatchCorrected(BatchStatementEvent):
    """The batch's lines in force are taken back and its complete new lines put in their place."""

    TOPIC = "ucj.batch-corrected"

    takes_back: Taken
    puts: Annotated[tuple[Line, ...], Field(min_length=1, max_length=2 * LINES_MAX)]
    because: Text

    @model_validator(mode="after")
    def _each_line_ends_after_it_starts(self) -> Self:
        _check_terms(self.puts, self.effective_on)
        return self


class BatchWithdrawn(BatchEvent):
    """Everything the batch put in is taken back; its reference may be recorded again."""

    TOPIC = "ucj.batch-withdrawn"

    takes_back: Taken
    because: Text
    row: Row | None


class AreaEvent(Event):
    """Something said of one area, not of its batches."""

    area: AreaCode


class LabourPotentialRevised(AreaEvent):
    """The labour potential (persons) of an area, in force from a day on."""

    TOPIC = "ucj.labour-potential-revised"

    valid_from: Day
    workers: Workers
    definition: Text
    citation: Text
    documented_on: Day | None
    source: ImportSource | None
    row: Row | None


class LabourPotentialWithdrawn(AreaEvent):
    """A potential is taken back: the one recorded at `takes_back_position`."""

    TOPIC = "ucj.labour-potential-withdrawn"

    takes_back_position: Position
    because: Text


class TargetSet(AreaEvent):
    """A coverage target, percent of potential, due on a day."""

    TOPIC = "ucj.target-set"

    due_on: Day
    percent: Decimals
    basis: Text
    citation: Text
    documented_on: Day | None
    source: ImportSource | None
    row: Row | None


class TargetWithdrawn(AreaEvent):
    """A target is taken back: the one recorded at `takes_back_position`."""

    TOPIC = "ucj.target-withdrawn"

    takes_back_position: Position
    because: Text


class FigurePublished(AreaEvent):
    """What somebody printed of an area: a claim to be tested, never an input of coverage.

    Percentages are texts with the decimals as printed. `as_of` is a day, month, year or unknown.
    """

    TOPIC = "ucj.figure-published"

    as_of: AsOf | None
    category: CategorySlug | None
    segment: Segment | None
    active: Count | None
    potential: Count | None
    percent: Decimals | None
    uncovered_percent: Decimals | None
    target_percent: Decimals | None
    gap: Decimals | None
    tolerance: Count
    publisher: Text
    published_on: Day | None
    citation: Text
    quote: Text | None
    source: ImportSource | None
    row: Row | None


class FigureRetracted(AreaEvent):
    """A published figure is taken back: the one recorded at `takes_back_position`."""

    TOPIC = "ucj.figure-retracted"

    takes_back_position: Position
    because: Text


class PeriodClosed(AreaEvent):
    """All days of a regency up to one are closed, with what was known of that day: a statement.

    `active` is null where nothing was recorded of it up to that day, `potential` where none was in
    force; `known_position` is the position of the log they were known at.
    """

    TOPIC = "ucj.period-closed"

    area: RegencyCode
    closed_through: Day
    known_position: Annotated[int, Field(ge=0)]
    active: Heads | None
    active_by_category: dict[CategorySlug, Heads]
    potential: Workers | None


class PeriodReopened(AreaEvent):
    """A regency's days from one on are open again; `closed_through` stays closed, null: nothing."""

    TOPIC = "ucj.period-reopened"

    area: RegencyCode
    reopened_from: Day
    closed_through: Day | None
    because: Text


class ClosedChange(Fact):
    """What a transaction changes on closed days: heads of a category, or (null) the potential.

    On the closed days from the first to the last that change it is by `lowest` to `highest`
    persons, signed; 0 to 0 where the potential only counts something else, or where it is a change of
    areas: in which province the regency lies, or what is split from it.
    """

    category: CategorySlug | None
    first_on: Day
    last_on: Day
    lowest: SignedHeads
    highest: SignedHeads

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_on > self.last_on or self.lowest > self.highest:
            msg = "a change goes from its first day to its last, from its lowest to its highest"
            raise ValueError(msg)
        return self


class ClosingOverridden(AreaEvent):
    """The other events of the transaction change what was closed, as two persons want it.

    `closing_position` is that of the closing, `seconded_by` another than who recorded it.
    """

    TOPIC = "ucj.closing-overridden"

    area: RegencyCode
    closed_through: Day
    closing_position: Position
    changes: Annotated[tuple[ClosedChange, ...], Field(min_length=1)]
    seconded_by: Name
    because: Text

    @model_validator(mode="after")
    def _changes_what_is_closed(self) -> Self:
        if any(change.last_on > self.closed_through for change in self.changes):
            msg = "what changes after the closed days overrides nothing"
            raise ValueError(msg)
        return self


class AreaChanged(AreaEvent):
    """An area has another code, name or province from a day on, or is newly opened.

    `before` and `after` are codes where it was recoded, names where renamed, provinces where moved;
    of an area newly opened `before` is null, `after` its name, and `split_from` the regency whose
    part it was (null for a province). `area` never changes: it is the code under which the
    registry first knew the area, in this event as in all others.
    """

    TOPIC = "ucj.area-changed"

    change: Change
    effective_on: Day
    before: Name | None
    after: Name
    split_from: RegencyCode | None
    document: Text | None
    citation: Text
    note: Text | None
    source: ImportSource | None
    row: Row | None

    @model_validator(mode="after")
    def _says_what_changed(self) -> Self:
        opened = self.change is Change.OPENED
        if (self.before is None) != opened or (self.split_from is not None and not opened):
            msg = (
                "only what is newly opened was nothing before, and only that is split from another"
            )
            raise ValueError(msg)
        if self.before == self.after:
            msg = "a change makes a difference"
            raise ValueError(msg)
        return self


class AreaChangeWithdrawn(AreaEvent):
    """A change of an area is taken back: the one recorded at `takes_back_position`."""

    TOPIC = "ucj.area-change-withdrawn"

    takes_back_position: Position
    because: Text


class FileImported(Event):
    """One sheet of one file was imported; the store keeps what was read, by `kept_sha256`.

    That is `sha256`, the file's own, where all of it was read; else it is a copy without what was
    left out.
    """

    TOPIC = "ucj.file-imported"

    file_name: Name
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    kept_sha256: Sha256
    import_kind: ImportKind
    sheet: Text
    options: dict[Text, Text]
    rows: Annotated[int, Field(ge=0)]
    control_workers: int


class CategoryAdded(Event):
    """A category of workers was added to the list, with its labels and aliases."""

    TOPIC = "ucj.category-added"

    category: CategorySlug
    label_id: Name
    label_en: Name
    aliases: tuple[Name, ...]


EVENTS: Final[tuple[type[Event], ...]] = (
    OpeningStated,
    BatchEnrolled,
    BatchRenewed,
    BatchDeactivated,
    BatchReclassified,
    BalanceReconciled,
    BatchCorrected,
    BatchWithdrawn,
    LabourPotentialRevised,
    LabourPotentialWithdrawn,
    TargetSet,
    TargetWithdrawn,
    FigurePublished,
    FigureRetracted,
    PeriodClosed,
    PeriodReopened,
    ClosingOverridden,
    AreaChanged,
    AreaChangeWithdrawn,
    FileImported,
    CategoryAdded,
)


def _check_terms(lines: tuple[Line, ...], effective_on: date) -> None:
    for line in lines:
        if line.cohort.expires_on is not None and line.cohort.expires_on <= effective_on:
            msg = "a cohort ends after its movement takes effect"
            raise ValueError(msg)
