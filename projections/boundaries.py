"""Which boundaries an answer follows: the changes of areas that the ledger knows at a position.

The one place where a question learns which regencies a province has on a day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from registry.boundaries import CHANGED, boundaries_of
from registry.reference.areas import area_by_code
from registry.reference.boundaries import BUILT_IN, AreaChange, Boundaries, Map
from registry.terms import BOUNDARIES_ID, JAKARTA, NATION, Change, is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger

STANDING: Final = """
SELECT area, change, effective_on, "before", "after", split_from, position
FROM main.area_changes AS area_changes
WHERE position <= $known AND NOT EXISTS (
    SELECT 1 FROM main.taken_back AS taken_back
    WHERE taken_back.takes_back_position = area_changes.position AND taken_back.position <= $known)
"""
"""The changes that stand: recorded up to a position, and not taken back up to it."""


def boundaries_at(ledger: Ledger, known: int) -> Boundaries:
    """Return the areas as known at a position; what was opened later is known by name only."""
    # The log says at once that nothing ever changed; the engine takes twenty times as long.
    recorded = ledger.log.stream(BOUNDARIES_ID.hex)
    if not recorded:
        return BUILT_IN
    later: list[AreaChange] = []
    if recorded[-1].position > known:
        opened = boundaries_of(ledger.log).opened.values()
        later += (each for each in opened if each.position > known)
    return boundaries_in(ledger.connection, known, later=later)


class Crossing(NamedTuple):
    """A regency or city that came to lie in an area, or left it, and the event that made it so."""

    area: str
    position: int
    has_come: bool

    @property
    def change(self) -> Literal["came-in", "left"]:
        """Which of the two it did, as programs read it."""
        return "came-in" if self.has_come else "left"


class KnownBoundaries:
    """The areas as known at any position up to one: those of a position drawn once for all alike.

    Between two changes of areas nothing new is known of them.
    """

    def __init__(self, ledger: Ledger, known: int) -> None:
        self._ledger = ledger
        recorded = ledger.log.stream(BOUNDARIES_ID.hex)
        self._drawn = {} if recorded else {0: BUILT_IN}
        self._rows = [row for row in recorded if row.position <= known]
        self._recorded = [row.position for row in self._rows]
        self._inside: dict[tuple[str, int, int], frozenset[str]] = {}

    @property
    def changes(self) -> list[tuple[int, date]]:
        """The last position of each transaction that changed areas, and its day in Jakarta."""
        last = {row.facts()["transaction_id"]: row for row in self._rows}
        return [
            (row.position, row.recorded_at().astimezone(JAKARTA).date()) for row in last.values()
        ]

    def change_before(self, known: int) -> int:
        """Return the last position up to one at which a change was recorded, or taken back; 0: none."""
        place = bisect_right(self._recorded, known)
        return self._recorded[place - 1] if place else 0

    def at(self, known: int) -> Boundaries:
        """Return the areas as known at a position."""
        change = self.change_before(known)
        if change not in self._drawn:
            self._drawn[change] = boundaries_at(self._ledger, change)
        return self._drawn[change]

    def inside(self, area: str, known: int, on: date) -> frozenset[str]:
        """Return the keys of the regencies of an area on a day, as known at a position."""
        boundaries = self.at(known)
        asked = area, self.change_before(known), bisect_right(boundaries.days, on)
        if asked not in self._inside:
            self._inside[asked] = frozenset(boundaries.map_on(on).keys(area))
        return self._inside[asked]

    def crossings(
        self, area: str, before: tuple[int, date], after: tuple[int, date]
    ) -> tuple[Crossing, ...]:
        """Return what left an area or came into it from one position and day to another.

        The position is not earlier than the one before. Of a regency there is nothing to say.
        """
        if not self._recorded or is_regency(area):
            return ()
        lay, lie = self.inside(area, *before), self.inside(area, *after)
        return tuple(
            Crossing(key, self._made_by(key, before, after), has_come=key in lie)
            for key in sorted(lay ^ lie)
        )

    @cached_property
    def _taken_back(self) -> dict[int, int]:
        """By the position of a change that was taken back, where that was."""
        return {
            row.facts()["takes_back_position"]: row.position
            for row in self._rows
            if row.topic != CHANGED
        }

    def _made_by(self, key: str, before: tuple[int, date], after: tuple[int, date]) -> int:
        """Return the event by which a regency lies elsewhere: a change, or that one was taken back."""
        (known_before, day_before), (known, day) = before, after
        was, now = _last(self.at(known_before), key, day_before), _last(self.at(known), key, day)
        stands = was is None or was in self.at(known).changes
        return max(
            0 if was is None or stands else self._taken_back[was.position],
            0 if now is None else now.position,
        )


def _last(boundaries: Boundaries, key: str, on: date) -> AreaChange | None:
    """Return the change that says where a regency lies on a day: the last by then, else the next."""
    chain = boundaries.chain(key, Change.MOVED)
    begun = [each for each in chain if each.on <= on]
    return begun[-1] if begun else boundaries.opened.get(key) or next(iter(chain), None)


def boundaries_in(
    connection: DuckDBPyConnection, known: int, *, later: Sequence[AreaChange] = ()
) -> Boundaries:
    """Return the areas as known at a position, of the tables alone; and those opened `later`."""
    found = connection.execute(STANDING, {"known": known}).fetchall()
    changes = tuple(AreaChange(area, Change(change), *facts) for area, change, *facts in found)
    return _drawn_once(changes, tuple(later)) if changes or later else BUILT_IN


@lru_cache(maxsize=8)
def _drawn_once(changes: tuple[AreaChange, ...], later: tuple[AreaChange, ...]) -> Boundaries:
    """Return the areas of some changes: who asks again and again does not draw all of them again."""
    return Boundaries(changes, later=later)


def last_map(ledger: Ledger, known: int) -> Map:
    """Return the areas after the last change: for answers that are about no day."""
    return boundaries_at(ledger, known).map_on(date.max)


def maps_between(
    boundaries: Boundaries, since: date, until: date, as_of: date | None
) -> list[tuple[date, Map]]:
    """Return from which day on which map is to be followed: from `since`, and each change up to `until`.

    With `as_of`, a day not before `until`, areas are called and lie as on that day.
    """
    return [
        (day, boundaries.map_on(day, as_of=as_of))
        for day in (since, *boundaries.days)
        if since <= day <= until
    ]


def within(areas: Sequence[str], drawn: Map | None = None) -> str:
    """Return a condition over `area`, by keys: those of what lies inside, as drawn on a map.

    Without a map, as the built-in list has it; codes are checked ones, of digits and a dot.
    """
    if NATION in areas:
        return "true"
    if drawn is None or drawn.is_built_in:
        codes = [area_by_code(area).code for area in areas]
        conditions = [
            f"area = '{code}'" if is_regency(code) else f"(area >= '{code}.' AND area < '{code}/')"
            for code in codes
        ]
        return f"({' OR '.join(conditions)})"
    return among({key for area in areas for key in drawn.keys(area)})


def each_in_its_days(conditions: Sequence[tuple[date, str]]) -> str:
    """Return one condition over `effective_on`, of some that hold each from its day until the next's.

    The first of them begins before anything asked about. Where all are one, it is that.
    """
    if len({condition for _, condition in conditions}) == 1:
        return conditions[0][1]
    ends = [*(day for day, _ in conditions[1:]), date.max]
    daily = (
        f"(effective_on >= '{day}' AND effective_on < '{end}' AND {condition})"
        for (day, condition), end in zip(conditions, ends, strict=True)
    )
    return f"({' OR '.join(daily)})"


def among(keys: Iterable[str]) -> str:
    """Return a condition over `area`: one of some keys, which are codes and have been checked."""
    listed = ", ".join(map(repr, sorted(keys)))
    return f"area IN ({listed})" if listed else "false"
