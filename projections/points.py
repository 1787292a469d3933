"""What is asked of the ledger at many points at once: of which area, on which days, as known when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from registry.reference.boundaries import Boundaries

Below = Callable[[str], tuple[str, ...]]
"""An area's own key, and those of the regencies that lay in it on any day."""


class Point(NamedTuple):
    """What is asked: an area (or one category or segment of it) on the days from first to last.

    As known at a position; `documented_by` takes only what claims a document of that day or before
    (what claims none is documented by the day it was recorded, as `vintages` has it). Which
    regencies an area has is as known at `areas_known`, the position of a change of areas; 0: none.
    """

    area: str
    category: str | None
    segment: str | None
    first_day: date
    last_day: date
    known: int
    documented_by: date | None = None
    areas_known: int = 0

    @property
    def is_of_a_group(self) -> bool:
        """Whether it is of one category or segment, of which no potential is recorded."""
        return self.category is not None or self.segment is not None


def below_on_any_day(*known: Boundaries) -> Below:
    """Return what gives an area and every regency that lay in it on any day, as ever known."""
    maps = [each.map_on(day) for each in known for day in (date.min, *each.days)]
    return cache(
        lambda area: tuple(dict.fromkeys((area, *sorted({k for m in maps for k in m.keys(area)}))))
    )
