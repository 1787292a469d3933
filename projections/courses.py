"""How the heads of each regency went in the days of many points: asked with a few queries for all.

Owns what a point counts: by the day it took effect, the position and the day that its document
claims. Knows neither potentials nor which regencies lie in an area on a day.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.points import Below, Point
from projections.vintages import CLAIMED_DAY
from registry.terms import is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNCLASSIFIED: Final = "tidak-terklasifikasi"


class Balance(NamedTuple):
    """Heads (persons) of openings and of reconciling entries, in and out (negative).

    Those whose term has ended are in none of them, nor is what was taken back.
    """

    opening: int
    reconciled_in: int
    reconciled_out: int

    @property
    def reconciling(self) -> int:
        """What reconciling entries come to, net."""
        return self.reconciled_in + self.reconciled_out


NO_BALANCE: Final = Balance(0, 0, 0)


def more(balance: Balance, moved: Balance) -> Balance:
    """Return two balances together."""
    return Balance(
        balance.opening + moved.opening,
        balance.reconciled_in + moved.reconciled_in,
        balance.reconciled_out + moved.reconciled_out,
    )


_Move = tuple[int, int, int, int]
"""The day on which heads moved, the position, the day that its document claims, and how many."""


class Moves:
    """What moved in a regency in some years: read when a day between is asked about, few of them are."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _by_day(self) -> list[_Move]:
        return sorted(map(tuple, json.loads(self._text)))

    def heads_after(self, point: Point, heads: int) -> dict[int, int]:
        """Return the heads from each day on after a point's first, of what it knows; `heads` on that."""
        first_day, last_day = point.first_day.toordinal(), point.last_day.toordinal()
        known, documented_by = point.known, (point.documented_by or date.max).toordinal()
        begins = bisect_right(self._by_day, first_day, key=itemgetter(0))
        ends = bisect_right(self._by_day, last_day, begins, key=itemgetter(0))
        carried: dict[int, int] = {}
        for day, position, claimed_day, workers in self._by_day[begins:ends]:
            if position <= known and claimed_day <= documented_by:
                heads += workers
                carried[day] = heads
        return carried


class _Ahead(NamedTuple):
    """What moved after a point's first day: the last day of it, heads net, and those gained alone."""

    last_day: int
    net: int
    gained: int
    moves: Moves
    point: Point


class Course:
    """The heads (persons) of one regency from each of some days on, ascending ordinals of dates.

    What took effect up to a point's first day is of that day. Of a category or segment also those
    who are of it, None before anybody was, and those who may be or are; else both are empty.
    `balances` are the heads that no batch explains, from the days on when they changed.
    """

    __slots__ = ("_ahead", "_days", "_heads", "balances", "of_group", "perhaps_of_group")

    def __init__(
        self,
        days: list[int],
        heads: list[int],
        of_group: Sequence[int | None] = (),
        perhaps_of_group: Sequence[int | None] = (),
    ) -> None:
        self._days = days
        self._heads = heads
        self.of_group = of_group
        self.perhaps_of_group = perhaps_of_group
        self.balances: Sequence[tuple[int, Balance]] = ()
        self._ahead: _Ahead | None = None

    def goes_on(self, ahead: _Ahead) -> None:
        """Let the days after the first follow, gone through when one of them is asked about."""
        self._ahead = ahead

    @property
    def days(self) -> list[int]:
        """The days on which heads became others."""
        self._go_through()
        return self._days

    @property
    def heads(self) -> list[int]:
        """The heads from each of the days on."""
        self._go_through()
        return self._heads

    @property
    def first_day(self) -> int:
        """The first of its days."""
        return self._days[0] if self._days else self.days[0]

    @property
    def last_day(self) -> int:
        """The last of its days."""
        return self._ahead.last_day if self._ahead else self._days[-1]

    @property
    def bounds(self) -> tuple[int, int]:
        """Heads that it never goes below and never above, from its point's first day on."""
        if self._ahead is None:
            return min(0, *self._heads), max(0, *self._heads)  # nobody was there before
        first, net, gained = sum(self._heads), self._ahead.net, self._ahead.gained
        return first + net - gained, first + gained

    def heads_on(self, day: int) -> int | None:
        """Return the heads on a day; None before anybody was."""
        if self._ahead is not None:
            if day >= self._ahead.last_day:
                return sum(self._heads) + self._ahead.net
            if self._days and day == self._days[0]:
                return self._heads[0]
        place = bisect_right(self.days, day)
        return self._heads[place - 1] if place else None

    def balance_on(self, day: int) -> Balance:
        """Return the heads on a day that no batch explains."""
        place = bisect_right(self.balances, day, key=itemgetter(0))
        return self.balances[place - 1][1] if place else NO_BALANCE

    def _go_through(self) -> None:
        if self._ahead is not None:
            carried = self._ahead.moves.heads_after(self._ahead.point, sum(self._heads))
            self._days += carried.keys()
            self._heads += carried.values()
            self._ahead = None


_OF_GROUP: Final = (
    "coalesce(category = in_category, true) AND coalesce(segment = in_segment, in_segment IS NULL)"
)
_HEADS: Final = "CAST(sum(workers) AS BIGINT) AS heads"
_GROUP_HEADS: Final = f"""{_HEADS},
       CAST(sum(workers) FILTER ({_OF_GROUP}) AS BIGINT) AS of_group,
       CAST(sum(workers) FILTER (({_OF_GROUP})
           OR ((category = '{UNCLASSIFIED}' OR coalesce(category = in_category, true))
           AND (segment IS NULL OR coalesce(segment = in_segment, true)))) AS BIGINT) AS perhaps"""

_FIRST: Final = """
    SELECT number, regency, first_day AS on_day, {heads} FROM asked JOIN {entry} USING (regency)
    WHERE is_grouped = {is_grouped}
      AND effective_on <= first_day AND position <= known AND claimed_day <= documented_by
    GROUP BY ALL
"""
_OF_ALL: Final = {"heads": _HEADS, "entry": "entry", "is_grouped": "false"}
_OF_GROUPS: Final = {"heads": _GROUP_HEADS, "entry": "entry_of_group", "is_grouped": "true"}
_ORDINAL: Final = "{} - DATE '0001-01-01' + 1"
_ON_DAY: Final = _ORDINAL.format("on_day")
_MOVE: Final = (
    f"[{_ORDINAL.format('effective_on')}, position, {_ORDINAL.format('claimed_day')}, workers]"
)


def _by_day(name: str) -> str:
    return f"list({name} ORDER BY on_day)"


_COURSES: Final = f"""
WITH point AS MATERIALIZED (
    SELECT unnest($numbers) AS number, unnest($areas) AS whole,
           unnest($categories::VARCHAR[]) AS in_category, unnest($segments::VARCHAR[]) AS in_segment,
           unnest($first_days) AS first_day, unnest($last_days) AS last_day,
           unnest($known) AS known, unnest($documented) AS documented_by
), inside AS MATERIALIZED (
    SELECT unnest($wholes) AS whole, unnest($parts) AS area
), regency AS MATERIALIZED (
    SELECT row_number() OVER () AS regency, area, min(first_day) AS first_day, min(known) AS known,
           min(documented_by) AS documented_by,
           bool_or(in_category IS NOT NULL OR in_segment IS NOT NULL) AS is_asked_by_group
    FROM point JOIN inside USING (whole) GROUP BY area
), asked AS MATERIALIZED (
    SELECT number, regency, in_category, in_segment, point.first_day, last_day, point.known,
           point.documented_by, in_category IS NOT NULL OR in_segment IS NOT NULL AS is_grouped
    FROM point JOIN inside USING (whole) JOIN regency USING (area)
), asked_in_year AS MATERIALIZED (
    SELECT *, unnest(range(year(first_day), year(last_day) + 1)) AS in_year
    FROM asked WHERE first_day < last_day
), entry AS MATERIALIZED (
    -- each point meets all that its regencies have, so that is made few rows first: the lines of an
    -- event on a day are one, and so is all that lies before every point of a regency
    SELECT regency, greatest(effective_on, first_day) AS effective_on,
           greatest(position, known) AS position,
           greatest({CLAIMED_DAY}, documented_by) AS claimed_day,
           CAST(sum(workers) AS BIGINT) AS workers
    FROM entries JOIN regency USING (area) GROUP BY ALL
), entry_of_group AS MATERIALIZED (
    SELECT regency, category, segment, greatest(effective_on, first_day) AS effective_on,
           greatest(position, known) AS position,
           greatest({CLAIMED_DAY}, documented_by) AS claimed_day,
           CAST(sum(workers) AS BIGINT) AS workers
    FROM entries JOIN (FROM regency WHERE is_asked_by_group) USING (area) GROUP BY ALL
), entry_in_year AS (SELECT *, year(effective_on) AS in_year FROM entry
), later AS (
    -- what took effect in the years asked, once for all points of a regency: each takes of it what
    -- it knows, which here would be a row for each of its days
    SELECT NULL AS number, regency, 'later' AS what, list({_MOVE})::JSON AS listed
    FROM entry_in_year SEMI JOIN (FROM asked_in_year WHERE NOT is_grouped) USING (regency, in_year)
    GROUP BY regency
), later_of_group AS (
    SELECT number, regency, effective_on AS on_day, {_GROUP_HEADS}
    FROM asked_in_year JOIN (SELECT *, year(effective_on) AS in_year FROM entry_of_group)
        USING (regency, in_year)
    WHERE is_grouped AND effective_on > first_day AND effective_on <= last_day
      AND position <= known AND claimed_day <= documented_by
    GROUP BY ALL
), later_by_group AS (
    SELECT number, regency, 'later by group' AS what,
           [{_by_day(_ON_DAY)}, {_by_day("heads")}, {_by_day("of_group")}, {_by_day("perhaps")}]::JSON
    FROM later_of_group GROUP BY number, regency
), balance AS MATERIALIZED (
    SELECT position, kind AS of_kind FROM events WHERE kind IN ('opening', 'reconciling')
), balancing AS MATERIALIZED (
    -- a lapse is of the kind of the movement that it ends: the one of its event
    SELECT area, category, segment, effective_on, position, {CLAIMED_DAY} AS claimed_day, workers,
           of_kind = 'opening' AS is_opening,
           -- what is taken back, and what lapses, has the other sign
           (workers > 0) <> ((act = 'takes-back') <> (kind = 'lapse')) AS is_in
    FROM entries JOIN balance USING (position)
), first AS (
    SELECT 'all' AS what, *, NULL AS of_group, NULL AS perhaps FROM ({_FIRST.format(**_OF_ALL)})
    UNION ALL
    SELECT 'group', * FROM ({_FIRST.format(**_OF_GROUPS)})
    UNION ALL
    SELECT 'ahead', number, regency, max(effective_on) AS on_day, {_HEADS},
           CAST(coalesce(sum(workers) FILTER (workers > 0), 0) AS BIGINT), NULL
    FROM asked_in_year JOIN entry_in_year USING (regency, in_year)
    WHERE NOT is_grouped AND effective_on > first_day AND effective_on <= last_day
      AND position <= known AND claimed_day <= documented_by
    GROUP BY number, regency
    UNION ALL
    SELECT 'balance', number, regency, greatest(effective_on, first_day) AS on_day,
           CAST(coalesce(sum(workers) FILTER (is_opening), 0) AS BIGINT),
           CAST(coalesce(sum(workers) FILTER (NOT is_opening AND is_in), 0) AS BIGINT),
           CAST(coalesce(sum(workers) FILTER (NOT is_opening AND NOT is_in), 0) AS BIGINT)
    FROM asked JOIN (
        SELECT balancing.*, regency FROM balancing JOIN regency USING (area)
    ) USING (regency)
    WHERE {_OF_GROUP} AND effective_on <= last_day AND position <= known
      AND claimed_day <= documented_by
    GROUP BY ALL
)
SELECT number, area, what, {_ON_DAY}, heads, of_group, perhaps, NULL
FROM first JOIN regency USING (regency)
UNION ALL
SELECT number, area, what, NULL, NULL, NULL, NULL, listed
FROM (FROM later UNION ALL FROM later_by_group) JOIN regency USING (regency)
"""


def courses_at(
    connection: DuckDBPyConnection, points: Sequence[Point], below: Below
) -> list[dict[str, Course]]:
    """Return for each point, by key, the course of each regency that has any entry by its last day.

    Those of `below` all, whether they lie in the area on a day or not.
    """
    courses: list[dict[str, Course]] = [{} for _ in points]
    if not points:
        return courses
    asked = _asked(connection, points, below)
    for number, area, what, day, heads, of_group, perhaps, _ in asked:
        if what == "all":
            courses[number][area] = Course([day], [heads])
        elif what == "group":
            courses[number][area] = Course([day], [heads], [of_group], [perhaps])
    moves = {area: Moves(text) for _, area, what, *_, text in asked if what == "later"}
    balanced: dict[tuple[int, str], list[tuple[int, Balance]]] = defaultdict(list)
    for number, area, what, day, heads, gained, perhaps, text in asked:
        if what == "ahead":
            course = courses[number].setdefault(area, Course([], []))
            course.goes_on(_Ahead(day, heads, gained, moves[area], points[number]))
        elif what == "later by group":
            begun = courses[number].get(area, Course([], []))
            courses[number][area] = _followed(begun, *json.loads(text))
        elif what == "balance":
            balanced[number, area].append((day, Balance(heads, gained, perhaps)))
    for (number, area), parts in balanced.items():
        courses[number][area].balances = _carried(parts) if len(parts) > 1 else parts
    return courses


def _followed(
    course: Course,
    days: list[int],
    heads: list[int],
    of_group: Sequence[int | None],
    perhaps: Sequence[int | None],
) -> Course:
    """Let the days after the first follow, of a group: what moved on each of them is added up."""
    return Course(
        course.days + days,
        list(accumulate(course.heads + heads)),
        list(_added_up((*course.of_group, *of_group))),
        list(_added_up((*course.perhaps_of_group, *perhaps))),
    )


def _carried(moved: Sequence[tuple[int, Balance]]) -> list[tuple[int, Balance]]:
    """Return the balances from each day on of what moved on each."""
    days, balances = zip(*sorted(moved), strict=True)
    return list(zip(days, accumulate(balances, more), strict=True))


def _asked(
    connection: DuckDBPyConnection, points: Sequence[Point], below: Below
) -> list[tuple[Any, ...]]:
    """Return rows of a point's number and a regency: what moved by its first day, or as text later.

    What moved later is that of a regency for all points, without a number, unless of a group.
    """
    areas, categories, segments, first_days, last_days, known, documented, _ = zip(
        *points, strict=True
    )
    pairs = [
        (area, part)
        for area in dict.fromkeys(areas)
        for part in below(area)
        if part != area or is_regency(area)
    ]
    return connection.execute(
        _COURSES,
        {
            "numbers": list(range(len(points))),
            "areas": list(areas),
            "categories": list(categories),
            "segments": list(segments),
            "first_days": list(first_days),
            "last_days": list(last_days),
            "known": list(known),
            # who asks for no document takes those of any day
            "documented": [each or date.max for each in documented],
            "wholes": [whole for whole, _ in pairs],
            "parts": [part for _, part in pairs],
        },
    ).fetchall()


def _added_up(moved: Iterable[int | None]) -> Iterator[int | None]:
    """Yield running sums; None as long as nothing moved."""
    total = None
    for each in moved:
        if each is not None:
            total = (total or 0) + each
        yield total
