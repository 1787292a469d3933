"""One area: what was said of its labour potential, targets and published figures, and taken back.

Also through which day it is closed, which `registry.closing` decides.

Decisions return events, None where just that is recorded already, or raise. Knows no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from registry.batch import Stamp
from registry.commands import PublishFigure, RevisePotential, SetTarget
from registry.errors import RuleBrokenError
from registry.events import (
    AreaEvent,
    FigurePublished,
    FigureRetracted,
    ImportSource,
    LabourPotentialRevised,
    LabourPotentialWithdrawn,
    PeriodClosed,
    PeriodReopened,
    TargetSet,
    TargetWithdrawn,
)
from registry.language import _
from registry.terms import area_id
from registry.vocabulary import statement

Said = LabourPotentialRevised | TargetSet | FigurePublished
TakenBack = LabourPotentialWithdrawn | TargetWithdrawn | FigureRetracted

TAKES_BACK: Final[dict[str, tuple[type[Said], type[TakenBack]]]] = {
    "potential": (LabourPotentialRevised, LabourPotentialWithdrawn),
    "target": (TargetSet, TargetWithdrawn),
    "figure": (FigurePublished, FigureRetracted),
}

_NOT_CONTENT: Final = frozenset(
    {
        "originator_id",
        "originator_version",
        "transaction_id",
        "recorded_at",
        "recorded_by",
        "source",
        "row",
    }
)


@dataclass(slots=True)
class Area:
    """One area as its stream tells it: what stands, by the position it was recorded at."""

    code: str
    version: int = 0
    standing: dict[int, Said] = field(default_factory=dict)
    taken_back: set[int] = field(default_factory=set)
    closed_through: date | None = None
    closed_at: int | None = None
    """The position of its last closing."""
    _contents: dict[tuple[Any, ...], set[int]] = field(default_factory=dict)
    """What was ever said, with the positions at which it stands."""

    def evolve(self, event: AreaEvent, position: int) -> None:
        """Fold one more event of the stream."""
        self.version = event.originator_version
        if isinstance(event, Said):
            self.standing[position] = event
            self._contents.setdefault(_content(event), set()).add(position)
        elif isinstance(event, TakenBack):
            gone = self.standing.pop(event.takes_back_position, None)
            self.taken_back.add(event.takes_back_position)
            if gone is not None:
                self._contents[_content(gone)].discard(event.takes_back_position)
        elif isinstance(event, PeriodClosed):
            self.closed_through, self.closed_at = event.closed_through, position
        elif isinstance(event, PeriodReopened):
            self.closed_through = event.closed_through

    def says(self, event: Said) -> bool:
        """Whether just that stands already; a potential only if no later one replaced it."""
        positions = self._contents.get(_content(event))
        if not positions or not isinstance(event, LabourPotentialRevised):
            return bool(positions)
        version = max(self.standing[each].originator_version for each in positions)
        return not any(
            isinstance(other, LabourPotentialRevised)
            and other.valid_from == event.valid_from
            and other.originator_version > version
            for other in self.standing.values()
        )

    def is_replaced(self, event: Said) -> bool:
        """Whether just that stands, but a later one is in force in its place."""
        return bool(self._contents.get(_content(event))) and not self.says(event)

    def is_taken_back(self, event: Said) -> bool:
        """Whether just that was said, and each time taken back."""
        return self._contents.get(_content(event)) == set()


def say(
    area: Area,
    command: RevisePotential | SetTarget | PublishFigure,
    *,
    source: ImportSource | None,
    stamp: Stamp,
) -> Said | None:
    """Record what a row says of an area; None if just that is recorded already."""
    common: dict[str, Any] = {
        "originator_id": area_id(area.code),
        "originator_version": area.version + 1,
        "transaction_id": stamp.transaction_id,
        "recorded_at": stamp.recorded_at,
        "recorded_by": stamp.recorded_by,
        "area": area.code,
        "citation": command.source,
        "source": source,
        "row": command.row,
    }
    event: Said
    match command:
        case RevisePotential():
            event = LabourPotentialRevised(
                valid_from=command.valid_from,
                workers=command.workers,
                definition=command.definition,
                documented_on=command.documented_on,
                **common,
            )
        case SetTarget():
            event = TargetSet(
                due_on=command.due_on,
                percent=str(command.percent),
                basis=command.basis,
                documented_on=command.documented_on,
                **common,
            )
        case PublishFigure():
            event = FigurePublished(
                as_of=command.as_of,
                category=command.category,
                segment=command.segment,
                active=command.active,
                potential=command.potential,
                percent=command.percent,
                uncovered_percent=command.uncovered_percent,
                target_percent=command.target_percent,
                gap=command.gap,
                tolerance=command.tolerance,
                publisher=command.publisher,
                published_on=command.published_on,
                quote=command.quote,
                **common,
            )
    return None if area.says(event) else event


def take_back(area: Area, position: int, what: str, *, because: str, stamp: Stamp) -> TakenBack:
    """Take back the potential, target or figure recorded at a position."""
    said_as, taken_back_as = TAKES_BACK[what]
    if not isinstance(area.standing.get(position), said_as):
        message = _("no {what} was recorded at #{position}").format(
            what=statement(what), position=position
        )
        raise RuleBrokenError(
            message, remedy=_("Find its position with `ucj history {code}`.").format(code=area.code)
        )
    return taken_back_as(
        originator_id=area_id(area.code),
        originator_version=area.version + 1,
        transaction_id=stamp.transaction_id,
        recorded_at=stamp.recorded_at,
        recorded_by=stamp.recorded_by,
        area=area.code,
        takes_back_position=position,
        because=because,
    )


def check_settled(area: Area, position: int) -> None:
    """Raise RuleBrokenError unless a figure published of the area stands at the position."""
    if not isinstance(area.standing.get(position), FigurePublished):
        message = _("no figure of {code} stands at #{position}, so none is settled").format(
            code=area.code, position=position
        )
        raise RuleBrokenError(
            message, remedy=_("See `ucj reconcile {code}`.").format(code=area.code)
        )


def _content(event: Said) -> tuple[Any, ...]:
    said = event.model_dump(exclude=set(_NOT_CONTENT))
    return (event.TOPIC, *said.values())
