"""What the ledger says at many points at once: of an area, on a day or any day of a span, as known.

A few queries ask for the heads of all points; potentials are few and are kept in memory. Equal,
point for point, to `coverage.coverage_at`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from projections.courses import Course, courses_at
from projections.days import Days, Stretch
from projections.points import Below, Point
from projections.potentials import Potentials

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from registry.reference.boundaries import Boundaries

ONE_DAY: Final = timedelta(days=1)

_EXTENTS: Final = """
WITH said AS (
    SELECT area, position FROM entries
    UNION ALL SELECT area, position FROM potentials
    UNION ALL SELECT potentials.area, taken_back.position
    FROM taken_back JOIN potentials ON takes_back_position = potentials.position
)
SELECT area, min(position), max(position) FROM said
WHERE area IN (SELECT unnest($areas)) GROUP BY area
"""

_Drawn = Sequence[tuple[date, frozenset[str]]]


def standings_at(
    connection: DuckDBPyConnection,
    points: Collection[Point],
    potentials: Potentials,
    areas: Callable[[int], Boundaries],
    below: Below,
) -> dict[Point, Days]:
    """Return what the ledger says at each point: its first day, and each day of a change after it.

    Shape: at least one standing a point, by day. Units: persons; coverage is percent, exact.
    On each day a province's regencies are those of that day, of the `areas` known at a change of
    areas; `below` has all that ever are.
    """
    asked = list(dict.fromkeys(points))
    drawn = cache(lambda area, known: _drawn(area, areas(known)))
    return {
        point: _days(point, drawn(point.area, point.areas_known), courses, potentials)
        for point, courses in zip(asked, courses_at(connection, asked, below), strict=True)
    }


def _days(
    point: Point, drawn: _Drawn, courses: Mapping[str, Course], potentials: Potentials
) -> Days:
    in_force = {area: potentials.in_force(area, point) for area in potentials.areas_in(point.area)}
    return Days(
        [
            Stretch(point, begins, ends, inside, courses, in_force)
            for begins, ends, inside in _stretches(point, drawn)
        ]
    )


def _drawn(area: str, boundaries: Boundaries) -> _Drawn:
    """Return from which day on which regencies lie in an area; the first entry is the oldest."""
    found: list[tuple[date, frozenset[str]]] = []
    for day in (date.min, *boundaries.days):
        inside = frozenset(boundaries.map_on(day).keys(area))
        if not found or found[-1][1] != inside:
            found.append((day, inside))
    return found


def _stretches(point: Point, drawn: _Drawn) -> Iterator[tuple[date, date, frozenset[str]]]:
    """Yield the stretches of a point's days on which the same regencies lie in its area."""
    begins = point.first_day
    if len(drawn) == 1:  # as of nearly all areas
        yield begins, point.last_day, drawn[0][1]
        return
    place = bisect_right(drawn, begins, key=itemgetter(0)) - 1
    for (_, inside), (following, _) in zip(
        drawn[place:], (*drawn[place + 1 :], (date.max, frozenset())), strict=True
    ):
        if following > point.last_day:
            yield begins, point.last_day, inside
            return
        yield begins, following - ONE_DAY, inside
        begins = following


class Extent(NamedTuple):
    """The first and the last position at which anything that a sum depends on was recorded."""

    first: int
    last: int


def extents_of(
    connection: DuckDBPyConnection, areas: Collection[str], below: Below
) -> dict[str, Extent]:
    """Return from where to where the log speaks of batches and potentials of each area, and below.

    Shape: only keys of which it holds anything at all, each by itself (`extent_within`).
    """
    wanted = sorted({each for area in areas for each in below(area)})
    found = connection.execute(_EXTENTS, {"areas": wanted}).fetchall()
    return {area: Extent(first, last) for area, first, last in found}


def extent_within(extents: Mapping[str, Extent], keys: Iterable[str]) -> Extent | None:
    """Return from where to where the log speaks of some keys together; None where it does not.

    After `last` nothing changes what is known of them.
    """
    found = [extents[key] for key in keys if key in extents]
    if not found:
        return None
    return Extent(min(each.first for each in found), max(each.last for each in found))
