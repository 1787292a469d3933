"""What can be asked of the registry: commands, imperative, checked for form but not yet for rules.

`registry.intake.forms` makes them from rows, the command line from options; only
`registry.application` carries them out. `row` is the row of the file a value came from (1-based,
as a spreadsheet shows it); None where a command was typed. Batches and their lines are not frozen,
which would double the time of making them: a file makes millions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, runtime_checkable
from uuid import UUID

from registry.terms import Action, Change, Funding, LeaveReason, Programme, Segment, batch_id


@dataclass(slots=True)
class BatchLine:
    """One row: how many heads, of which category, and which cohort they are drawn from.

    `of_batch`/`of_part`: the batch drawn on (renew, deactivate, reclassify, balance-out), None for
    the open-ended pool. `covered_until` is the last covered day: of the new cohort for opening,
    enrol, renew and balance-in; of the cohort drawn on for the others (where the named batch has
    several terms). `from_category`/`from_area`: reclassify only.
    """

    category: str | None
    workers: int
    row: int | None = None
    from_category: str | None = None
    from_area: str | None = None
    of_batch: str | None = None
    of_part: str = ""
    covered_until: date | None = None
    segment: Segment | None = None


@dataclass(slots=True)
class RecordBatch:
    """One batch, complete. `action` correct replaces, withdraw takes back (no lines).

    `settles`: balance-in and balance-out only, the position of the published figure they settle.
    """

    action: Action
    area: str
    reference: str
    lines: tuple[BatchLine, ...]
    part: str = ""
    effective_on: date | None = None
    funding: Funding | None = None
    programmes: tuple[Programme, ...] = ()
    reason: LeaveReason | None = None
    decided_on: date | None = None
    document: str | None = None
    proposed: int | None = None
    rejected: tuple[tuple[str, int], ...] = ()
    note: str | None = None
    because: str | None = None
    sheet: str | None = None
    row: int | None = None
    settles: int | None = None

    def identity(self) -> UUID:
        """Return the stream of the batch."""
        return batch_id(self.area, self.reference, self.part)

    def draws_on(self) -> set[UUID]:
        """Return the streams of the batches that its rows name."""
        return {
            batch_id(line.from_area or self.area, line.of_batch, line.of_part)
            for line in self.lines
            if line.of_batch is not None
        }


@dataclass(frozen=True, slots=True)
class RevisePotential:
    """The labour potential (persons) of an area from a day on."""

    area: str
    valid_from: date
    workers: int
    definition: str
    source: str
    documented_on: date | None = None
    row: int | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class SetTarget:
    """A coverage target (percent of potential) of an area, due on a day."""

    area: str
    due_on: date
    percent: Decimal
    basis: str
    source: str
    documented_on: date | None = None
    row: int | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class PublishFigure:
    """What somebody printed. Numbers as printed, so their printed decimals stay known.

    `as_of` is a day (`2025-07-31`), a month (`2025-07`), a year (`2025`), or None for unknown.
    Percentages are texts in canonical form (`41.65`): their decimals are part of the claim.
    """

    area: str
    as_of: str | None
    publisher: str
    source: str
    category: str | None = None
    segment: Segment | None = None
    active: int | None = None
    potential: int | None = None
    percent: str | None = None
    uncovered_percent: str | None = None
    target_percent: str | None = None
    gap: str | None = None
    tolerance: int = 0
    published_on: date | None = None
    quote: str | None = None
    row: int | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeArea:
    """An area has another code, name or province from a day on, or is opened.

    `area`, `before` and `after` as written: what they mean depends on the other rows. `before` is
    None where it is what stands already; of a new regency it is the one it is split from, and
    `after` its name.
    """

    area: str
    change: Change
    on: date
    before: str | None
    after: str
    source: str
    document: str | None = None
    note: str | None = None
    row: int | None = None
    sheet: str | None = None


Command = RecordBatch | RevisePotential | SetTarget | PublishFigure | ChangeArea


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Batches of one sheet that only bring heads in, many at once and by column.

    Of `keys` (`registry.terms.batch_key`) to `note` there is one value a batch; `lines` is how many rows
    each has; the last five have one value a row. Values are cells as `registry.intake` has read them: text,
    whole numbers, None. `commands` makes the same batches one by one.
    """

    sheet: str | None
    commands: Callable[[], Iterable[Command]]
    keys: Sequence[str]
    lines: Sequence[int]
    reference: Sequence[str]
    part: Sequence[str | None]
    area: Sequence[str]
    action: Sequence[str]
    effective_on: Sequence[str]
    funding: Sequence[str | None]
    programmes: Sequence[str | None]
    decided_on: Sequence[str | None]
    document: Sequence[str | None]
    proposed: Sequence[int | None]
    rejected: Sequence[str | None]
    note: Sequence[str | None]
    category: Sequence[str]
    workers: Sequence[int]
    covered_until: Sequence[str | None]
    segment: Sequence[str | None]
    row: Sequence[int]


class Commands(Protocol):
    """Commands in their order, to be gone through again and again; a tuple of them is one."""

    def __iter__(self) -> Iterator[Command]:
        """Start from the first."""
        ...

    def __getitem__(self, number: int, /) -> Command:
        """Return the one of a number, counted from 0."""
        ...


@runtime_checkable
class ParcelledCommands(Protocol):
    """Commands of which those that only bring heads in may be had many at once."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def parcelled(self) -> tuple[Iterator[EntryPage], Commands] | None:
        """Return these, from the first, and all others; None where all come one by one only.

        Which the others are, is known once the former are gone through.
        """
        ...
