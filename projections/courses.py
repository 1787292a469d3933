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
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

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


class Course(NamedTuple):
    """The heads (persons) of one regency from each of some days on, ascending ordinals of dates.

    What took effect up to a point's first day is of that day. Of a category or segment also those
    who are of it, None before anybody was, and those who may be or are; else both are empty.
    """

    days: Sequence[int]
    heads: Sequence[int]
    of_group: Sequence[int | None]
    perhaps_of_group: Sequence[int | None]
    balance_days: Sequence[int] = ()
    balances: Sequence[Balance] = ()

    def balance_on(self, day: int) -> Balance:
        """Return the heads on a day that no batch explains."""
        place = bisect_right(self.balance_days, day)
        return self.balances[place - 1] if place else NO_BALANCE


_ASKED: Final = """
WITH point AS MATERIALIZED (
    SELECT unnest($numbers) AS number, unnest($areas) AS whole,
           unnest($categories::VARCHAR[]) AS in_category, unnest($segments::VARCHAR[]) AS in_segment,
           unnest($first_days) AS first_day, unnest($last_days) AS last_day,
           unnest($known) AS known, unnest($documented) AS documented_by
), inside AS MATERIALIZED (
    SELECT unnest($wholes) AS whole, unnest($parts) AS area
)"""

# Each point meets all that was ever recorded of its regencies, so that is made few rows first: the
# lines of an event on a day are one, and so is all that lies before every point of a regency. The
# days after its first meet only what took effect in their years.
_COURSES: Final = f"""{_ASKED}, regency AS MATERIALIZED (
    SELECT row_number() OVER () AS regency, area, min(first_day) AS first_day, min(known) AS known,
           min(documented_by) AS documented_by
    FROM point JOIN inside USING (whole) GROUP BY area
), asked AS MATERIALIZED (
    SELECT number, regency, in_category, in_segment, point.first_day, last_day, point.known,
           point.documented_by
    FROM point JOIN inside USING (whole) JOIN regency USING (area)
), entry AS MATERIALIZED (
    SELECT regency, {{group}} greatest(effective_on, first_day) AS effective_on,
           greatest(position, known) AS position,
           greatest({CLAIMED_DAY}, documented_by) AS claimed_day,
           CAST(sum(workers) AS BIGINT) AS workers
    FROM entries JOIN regency USING (area) GROUP BY ALL
), asked_in_year AS MATERIALIZED (
    SELECT *, unnest(range(year(first_day), year(last_day) + 1)) AS in_year
    FROM asked WHERE first_day < last_day
), entry_in_year AS (
    SELECT *, year(effective_on) AS in_year FROM entry
), moved AS (
    SELECT number, regency, first_day AS on_day, {{heads}}
    FROM asked JOIN entry USING (regency)
    WHERE effective_on <= first_day AND position <= known AND claimed_day <= documented_by
    GROUP BY ALL
    UNION ALL
    SELECT number, regency, effective_on, {{heads}}
    FROM asked_in_year JOIN entry_in_year USING (regency, in_year)
    WHERE effective_on > first_day AND effective_on <= last_day
      AND position <= known AND claimed_day <= documented_by
    GROUP BY ALL
)
SELECT number, area, list(on_day - DATE '0001-01-01' + 1 ORDER BY on_day)::JSON, {{lists}}
FROM moved JOIN regency USING (regency) GROUP BY number, area
"""

_OF_ALL: Final = _COURSES.format(
    group="",
    heads="CAST(sum(workers) AS BIGINT) AS heads",
    lists="list(heads ORDER BY on_day)::JSON, '[]', '[]'",
)

_OF_GROUP: Final = (
    "coalesce(category = in_category, true) AND coalesce(segment = in_segment, in_segment IS NULL)"
)
_OF_GROUPS: Final = _COURSES.format(
    group="category, segment,",
    heads=f"""CAST(sum(workers) AS BIGINT) AS heads,
        CAST(sum(workers) FILTER ({_OF_GROUP}) AS BIGINT) AS of_group,
        CAST(sum(workers) FILTER (({_OF_GROUP})
            OR ((category = '{UNCLASSIFIED}' OR coalesce(category = in_category, true))
            AND (segment IS NULL OR coalesce(segment = in_segment, true)))) AS BIGINT)
            AS perhaps_of_group""",
    lists="""list(heads ORDER BY on_day)::JSON, list(of_group ORDER BY on_day)::JSON,
        list(perhaps_of_group ORDER BY on_day)::JSON""",
)

_BALANCES: Final = f"""{_ASKED}, balance AS MATERIALIZED (
    SELECT position, kind AS of_kind FROM events WHERE kind IN ('opening', 'reconciling')
), entry AS MATERIALIZED (
    -- a lapse is of the kind of the movement that it ends: the one of its event
    SELECT area, category, segment, effective_on, position, {CLAIMED_DAY} AS claimed_day, workers,
           of_kind,
           -- what is taken back, and what lapses, has the other sign
           (workers > 0) <> ((act = 'takes-back') <> (kind = 'lapse')) AS is_in
    FROM entries JOIN balance USING (position) WHERE area IN (SELECT area FROM inside)
)
SELECT number, area, greatest(effective_on, first_day) - DATE '0001-01-01' + 1 AS on_day,
       CAST(coalesce(sum(workers) FILTER (of_kind = 'opening'), 0) AS BIGINT),
       CAST(coalesce(sum(workers) FILTER (of_kind <> 'opening' AND is_in), 0) AS BIGINT),
       CAST(coalesce(sum(workers) FILTER (of_kind <> 'opening' AND NOT is_in), 0) AS BIGINT)
FROM point JOIN inside USING (whole) JOIN entry USING (area)
WHERE {_OF_GROUP} AND effective_on <= last_day AND position <= known
  AND claimed_day <= documented_by
GROUP BY ALL ORDER BY number, area, on_day
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
    asked = _asked(points, below)
    for is_of_groups, statement in ((False, _OF_ALL), (True, _OF_GROUPS)):
        numbers = [
            number for number, each in enumerate(points) if each.is_of_a_group is is_of_groups
        ]
        if numbers:
            some = asked | _listed(numbers, points)
            for number, area, days, *moved in connection.execute(statement, some).fetchall():
                courses[number][area] = _course(days, *moved)
    everybody = asked | _listed(range(len(points)), points)
    moved_balances: dict[tuple[int, str], list[tuple[int, Balance]]] = defaultdict(list)
    for number, area, day, *moved in connection.execute(_BALANCES, everybody).fetchall():
        moved_balances[number, area].append((day, Balance(*moved)))
    for (number, area), changes in moved_balances.items():
        days, balances = zip(*changes, strict=True)
        courses[number][area] = courses[number][area]._replace(
            balance_days=days, balances=list(accumulate(balances, more))
        )
    return courses


def more(balance: Balance, moved: Balance) -> Balance:
    """Return two balances together."""
    return Balance(
        balance.opening + moved.opening,
        balance.reconciled_in + moved.reconciled_in,
        balance.reconciled_out + moved.reconciled_out,
    )


def _asked(points: Iterable[Point], below: Below) -> dict[str, list[str]]:
    """Return the regencies of each area, as two columns."""
    pairs = [
        (area, part)
        for area in dict.fromkeys(each.area for each in points)
        for part in below(area)
        if part != area or is_regency(area)
    ]
    return {"wholes": [whole for whole, _ in pairs], "parts": [part for _, part in pairs]}


def _listed(numbers: Sequence[int], points: Sequence[Point]) -> dict[str, list[object]]:
    """Return some points as columns; what claims any day is documented by the last there is."""
    listed = [points[number] for number in numbers]
    return {
        "numbers": list(numbers),
        "areas": [each.area for each in listed],
        "categories": [each.category for each in listed],
        "segments": [each.segment for each in listed],
        "first_days": [each.first_day for each in listed],
        "last_days": [each.last_day for each in listed],
        "known": [each.known for each in listed],
        "documented": [each.documented_by or date.max for each in listed],
    }


def _course(days: str, heads: str, of_group: str, perhaps_of_group: str) -> Course:
    """Add up what moved from day to day; text is read ten times as fast as a list of the engine's."""
    return Course(
        json.loads(days),
        list(accumulate(json.loads(heads))),
        list(_added_up(json.loads(of_group))),
        list(_added_up(json.loads(perhaps_of_group))),
    )


def _added_up(moved: Iterable[int | None]) -> Iterator[int | None]:
    """Yield running sums; None as long as nothing moved."""
    total = None
    for each in moved:
        if each is not None:
            total = (total or 0) + each
        yield total
