"""Changes of areas against closed periods: where a closed regency lies, and what is split from it.

Neither changes a sum of the regency, but one of the provinces, or of what the regency once held. It
is decided by the changes of areas alone, without the transaction's and with them; knows no ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from registry.area import Area
from registry.balances import Blame, ChangeOfClosed, Finding
from registry.events import AreaChanged
from registry.language import _
from registry.reference.boundaries import AreaChange, Boundaries
from registry.terms import FIRST_DAY, Change

_DAY: Final = timedelta(days=1)
_WORDS: Final[Mapping[Change, str]] = MappingProxyType(
    {
        Change.MOVED: _("in which province {area} lies"),
        Change.OPENED: _("what is split from {area}"),
    }
)


def changes_of_closed(
    before: Boundaries,
    after: Boundaries,
    area_of: Callable[[str], Area],
    events: Sequence[AreaChanged] = (),
) -> Iterator[Finding]:
    """Yield what differs on closed days between the areas before a transaction and after it.

    A change may tell of the days before it: the built-in list is how things stand today. So days
    are compared, not dates of changes. `events` are the transaction's, for their rows.
    """
    differing = {*before.changes} ^ {*after.changes}
    for change, key in sorted({(each.change, _closed_with(each)) for each in differing}):
        area = area_of(key) if change in _WORDS and key else None
        if area is None or area.closed_through is None or area.closed_at is None:
            continue
        spans = [*_spans(before, after, change, area.code, area.closed_through)]
        if not spans:
            continue
        (first_on, _end), (_begin, last_on) = spans[0], spans[-1]
        yield Finding(
            code="closed-period",
            severity="error",
            area=key,
            why=_(
                "it would change {what} from {first} to {last}; {area} is closed through {through}"
                " (#{position})"
            ).format(
                what=_WORDS[change].format(area=key),
                first=first_on,
                last=last_on,
                area=key,
                through=area.closed_through,
                position=area.closed_at,
            ),
            remedy=_(
                "Let somebody else want it as well (--override REASON --seconded-by NAME); or"
                " `ucj reopen {area} --from DATE --reason REASON`."
            ).format(area=key),
            column="on",
            blames=tuple(
                Blame(each.area, "", each.source.sheet if each.source else None, each.row)
                for each in events
                if each.change is change and _closed_with(each) == key
            ),
            overridable=ChangeOfClosed(
                key, None, area.closed_through, area.closed_at, first_on, last_on, 0, 0
            ),
        )


def _closed_with(change: AreaChange | AreaChanged) -> str:
    """Return whose closing a change concerns: what is opened is closed with what it was part of."""
    return (change.split_from or "") if change.change is Change.OPENED else change.area


def _spans(
    before: Boundaries, after: Boundaries, change: Change, key: str, through: date
) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each stretch of closed days on which a regency differs."""
    days = sorted({FIRST_DAY, *(day for day in (*before.days, *after.days) if day <= through)})
    ends = [*(day - _DAY for day in days[1:]), through]
    for day, end in zip(days, ends, strict=True):
        if _standing(before, change, key, day) != _standing(after, change, key, day):
            yield day, end


def _standing(boundaries: Boundaries, change: Change, key: str, on: date) -> object:
    """Return in which province a regency lies on a day; or which were split from it by then."""
    if change is Change.MOVED:
        return boundaries.standing(key, change, on)
    return {
        each.area for each in boundaries.opened.values() if each.split_from == key and each.on <= on
    }
