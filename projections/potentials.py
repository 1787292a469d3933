"""Every labour potential ever recorded of some areas, in memory: which is in force at a point."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from projections.points import Below, Point
from projections.vintages import CLAIMED_DAY, RECORDED_DAY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class PotentialSaid(NamedTuple):
    """A labour potential (persons) as recorded: from when, where, and where it was taken back."""

    area: str
    valid_from: date
    position: int
    workers: int
    definition: str
    source: str
    claimed_day: date
    taken_back: int | None
    taken_back_day: date | None

    def counts(self, known: int, documented_by: date | None) -> bool:
        """Whether it is said, and not taken back, at a position and by what is claimed of a day."""
        if self.position > known:
            return False
        taken_back = self.taken_back is not None and self.taken_back <= known
        if documented_by is None:
            return not taken_back
        if taken_back and self.taken_back_day is not None:
            taken_back = self.taken_back_day <= documented_by
        return self.claimed_day <= documented_by and not taken_back


class Potentials:
    """All potentials of some areas, in memory."""

    def __init__(self, said: Sequence[PotentialSaid], below: Below) -> None:
        self._below = below
        self._of: dict[str, list[PotentialSaid]] = defaultdict(list)
        for each in sorted(said, key=itemgetter(0, 1, 2)):
            self._of[each.area].append(each)
        self._inside: dict[str, list[str]] = {}

    def areas_in(self, area: str) -> Sequence[str]:
        """Return the areas that have any, of an area and the regencies in it."""
        if area not in self._inside:
            self._inside[area] = [code for code in self._below(area) if code in self._of]
        return self._inside[area]

    def said_of(self, area: str) -> Sequence[PotentialSaid]:
        """Return what was ever said of one area, by the day from which it holds."""
        return self._of.get(area, ())

    def in_force(self, area: str, point: Point) -> list[PotentialSaid]:
        """Return the one in force on the point's first day, then each that replaces it in its span.

        The latest `valid_from` is in force, among equals the one recorded last.
        """
        said = self._of.get(area, [])
        begun = bisect_right(said, point.first_day, key=itemgetter(1))
        _, _, _, _, last_day, known, documented_by, _ = point
        found = []
        for each in reversed(said[:begun]):
            if each.counts(known, documented_by):
                found.append(each)
                break
        for each in said[begun:]:
            if each.valid_from > last_day:
                break
            if each.counts(known, documented_by):
                found.append(each)
        return found


_POTENTIALS: Final = f"""
SELECT area, valid_from, position, workers, definition, source, {CLAIMED_DAY},
       taken.by_position, taken.on_day
FROM potentials LEFT JOIN (
    SELECT taken_back.takes_back_position AS position, min(position) AS by_position,
           min({RECORDED_DAY}) AS on_day
    FROM taken_back JOIN events USING (position) GROUP BY ALL
) AS taken USING (position)
WHERE area IN (SELECT unnest($areas))
"""


def potentials_said(
    connection: DuckDBPyConnection, areas: Collection[str], below: Below
) -> Potentials:
    """Return every potential ever recorded of the areas and of the regencies in them."""
    wanted = {each for area in areas for each in below(area)}
    found = connection.execute(_POTENTIALS, {"areas": sorted(wanted)}).fetchall()
    return Potentials([PotentialSaid(*each) for each in found], below)
