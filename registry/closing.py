"""Closed periods: closing, reopening, and recording against a closing as two persons want it.

Decisions return events, None where there is nothing to do, or raise. Knows no database: what a
closing states, and what a transaction changes of it, is asked of the ledger (registry.balances).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from registry.area import Area
from registry.balances import ChangeOfClosed, StatedPeriod
from registry.batch import Stamp
from registry.errors import Problem, RuleBrokenError
from registry.events import ClosedChange, ClosingOverridden, PeriodClosed, PeriodReopened
from registry.language import _
from registry.terms import FIRST_DAY, JAKARTA, area_id, normalised_reference

if TYPE_CHECKING:
    from registry.reference.boundaries import Map

NAMED_MAX: Final = 8
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Override:
    """Why closed days are to be changed, and who seconds it."""

    because: str
    seconded_by: str


def check_override(override: Override, actor: str) -> None:
    """Refuse who seconds himself; names are compared as references are: NFKC, case, spaces."""
    if normalised_reference(override.seconded_by) == normalised_reference(actor):
        raise RuleBrokenError(
            _("{actor} records this, and cannot second it as well").format(actor=actor),
            why=_("What was closed is changed only if two persons want it."),
            remedy=_("Name somebody else with --seconded-by."),
        )


def close(area: Area, through: date, stated: StatedPeriod, *, stamp: Stamp) -> PeriodClosed | None:
    """Close a regency through a day; None if it is closed through just that day.

    Raises: RuleBrokenError, where it is closed through a later day.
    """
    check_closable(through, stamp)
    if area.closed_through == through:
        return None
    if area.closed_through is not None and area.closed_through > through:
        raise RuleBrokenError(
            _("{code} is closed through {closed_through} already, and {through} with it").format(
                code=area.code, closed_through=area.closed_through, through=through
            ),
            remedy=_("To open the days after it: `ucj reopen {code} --from {through}`.").format(
                code=area.code, through=through + _DAY
            ),
        )
    known = stated.active_by_category
    return PeriodClosed(
        **_common(area, stamp),
        closed_through=through,
        known_position=stamp.transaction_id - 1,
        active=None if known is None else sum(known.values()),
        active_by_category=dict(sorted((known or {}).items())),
        potential=stated.potential,
    )


def close_with(parent: Area, area: Area, *, stamp: Stamp) -> PeriodClosed:
    """Close what is split from a closed regency on closed days, through the same day.

    Nothing was known of it when that was closed, and nothing is stated.
    """
    assert parent.closed_at is not None
    return PeriodClosed.model_validate(
        {
            **_common(area, stamp),
            "closed_through": parent.closed_through,
            "known_position": parent.closed_at,
            "active": None,
            "active_by_category": {},
            "potential": None,
        }
    )


def close_all(
    areas: Sequence[Area],
    through: date,
    stated: Mapping[str, StatedPeriod],
    drawn: Map,
    *,
    stamp: Stamp,
) -> tuple[list[PeriodClosed], list[Problem]]:
    """Close regencies through a day; what is worth saying of those closed already, or of nothing.

    `drawn` is the map of that day: what is said names them as it does.

    Raises: RuleBrokenError, of a single one that is closed through a later day.
    """
    events: list[PeriodClosed] = []
    said: list[Problem] = []
    for area in areas:
        is_later = area.closed_through is not None and area.closed_through > through
        event = None
        if len(areas) == 1 or not is_later:
            event = close(area, through, stated[area.code], stamp=stamp)
        if event is None:
            code = drawn.code(area.code)
            why = _("{code} is closed through {closed_through} already (#{closed_at})").format(
                code=code, closed_through=area.closed_through, closed_at=area.closed_at
            )
            said.append(_remark("already-closed", code, why, _("Nothing needs to be done.")))
            continue
        events.append(event)
    unstated = [drawn.code(event.area) for event in events if event.active is None]
    if unstated:
        some = ", ".join(unstated[:NAMED_MAX])
        more = (
            _(" and {more} more").format(more=len(unstated) - NAMED_MAX)
            if len(unstated) > NAMED_MAX
            else ""
        )
        why = _(
            "nothing is recorded of {some}{more} up to {through}; the closing states just that"
        ).format(some=some, more=more, through=through)
        said.append(
            _remark("nothing-stated", unstated[0], why, _("If that is not meant, reopen it."))
        )
    return events, said


def check_closable(through: date, stamp: Stamp) -> None:
    """Refuse to close what has not come yet."""
    today = stamp.recorded_at.astimezone(JAKARTA).date()
    if through > today:
        raise RuleBrokenError(
            _("{through} is still to come: today is {today} (Jakarta)").format(
                through=through, today=today
            ),
            why=_("A closing states what is known of days that are over."),
            remedy=_("Close through today at the latest."),
        )


def reopen(area: Area, since: date, *, because: str, stamp: Stamp) -> PeriodReopened:
    """Open the days of a regency from one on. Raises: RuleBrokenError, where none is closed."""
    closed = area.closed_through
    if closed is None or closed < since:
        state = (
            _("nothing is closed")
            if closed is None
            else _("it is closed through {closed} only").format(closed=closed)
        )
        raise RuleBrokenError(
            _("there is nothing to reopen in {code} from {since}: {state}").format(
                code=area.code, since=since, state=state
            ),
            remedy=_("See `ucj history` for its closings."),
        )
    return PeriodReopened(
        **_common(area, stamp),
        reopened_from=since,
        closed_through=since - _DAY if since > FIRST_DAY else None,
        because=because,
    )


def overridden(
    changes: Iterable[ChangeOfClosed],
    areas: dict[str, Area],
    override: Override,
    *,
    stamp: Stamp,
) -> Iterator[ClosingOverridden]:
    """Yield, for each regency whose closing is overridden, what changes, why and who wants it."""
    ordered = sorted(changes, key=lambda each: (each.area, each.category or ""))
    for code, found in groupby(ordered, key=lambda each: each.area):
        of_area: Sequence[ChangeOfClosed] = list(found)
        yield ClosingOverridden(
            **_common(areas[code], stamp),
            closed_through=of_area[0].closed_through,
            closing_position=of_area[0].closing_position,
            changes=tuple(
                ClosedChange(
                    category=each.category,
                    first_on=each.first_on,
                    last_on=each.last_on,
                    lowest=each.lowest,
                    highest=each.highest,
                )
                for each in of_area
            ),
            seconded_by=override.seconded_by,
            because=override.because,
        )


def _remark(code: str, where: str, why: str, remedy: str) -> Problem:
    return Problem(code, "warning", where, None, why, remedy)


def _common(area: Area, stamp: Stamp) -> dict[str, Any]:
    return {
        "originator_id": area_id(area.code),
        "originator_version": area.version + 1,
        "transaction_id": stamp.transaction_id,
        "recorded_at": stamp.recorded_at,
        "recorded_by": stamp.recorded_by,
        "area": area.code,
    }
