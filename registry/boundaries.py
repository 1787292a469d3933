"""The changes of areas that a store has recorded: their own stream, read without the write side."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from registry.errors import StoreDamagedError
from registry.language import _
from registry.reference.boundaries import BUILT_IN, AreaChange, Boundaries
from registry.terms import BOUNDARIES_ID, Change

if TYPE_CHECKING:
    from registry.storage.log import Log

CHANGED: Final = "ucj.area-changed"


def boundaries_of(log: Log) -> Boundaries:
    """Return the areas as the whole log knows them."""
    rows = log.stream(BOUNDARIES_ID.hex)
    if not rows:
        return BUILT_IN
    changes: dict[int, AreaChange] = {}
    for row in rows:
        facts = row.facts()
        try:
            if row.topic != CHANGED:
                del changes[facts["takes_back_position"]]
                continue
            changes[row.position] = AreaChange(
                area=facts["area"],
                change=Change(facts["change"]),
                on=date.fromisoformat(facts["effective_on"]),
                before=facts["before"],
                after=facts["after"],
                split_from=facts["split_from"],
                position=row.position,
            )
        except (KeyError, ValueError):
            what = _("the change of an area at #{position} cannot be read").format(
                position=row.position
            )
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup.")) from None
    return Boundaries(changes.values())
