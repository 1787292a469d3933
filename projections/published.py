"""What was published and set as a target, as recorded: read whole, once for all figures.

Owns the query that says which figures are asked about, and up to where the log reached at the end
of the day each was published. Tests nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from projections.coverage import within
from projections.figures import Figure, Printed, printed
from projections.known import JAKARTA
from registry.terms import NATION, is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ASKED: Final = """
recorded AS (
    SELECT recorded_at, max(position) AS position FROM events
    WHERE position <= $known GROUP BY recorded_at
), dated AS (
    -- a day, a month or a year: the first day it can mean, and how much it spans
    SELECT *, CAST(as_of || substr('-01-01', length(as_of) - 3) AS DATE) AS first_day,
           published_on + $day_ends AS day_ended_at
    FROM figures WHERE position <= $known AND {scope}
), asked AS (
    SELECT dated.* EXCLUDE (day_ended_at, recorded_at),
           CASE length(as_of) WHEN 4 THEN make_date(year(first_day), 12, 31)
               WHEN 7 THEN last_day(first_day) ELSE first_day END AS last_day,
           -- one transaction has one instant, so this is the end of one
           CASE WHEN published_on IS NOT NULL THEN coalesce(recorded.position, 0) END AS known_then
    FROM dated ASOF LEFT JOIN recorded ON dated.day_ended_at > recorded.recorded_at
)
"""
"""`asked`: the figures recorded of the areas in `scope`, with the days they span and `known_then`."""

_DAY_ENDS: Final = timedelta(days=1) - JAKARTA.utcoffset(None)

_FIGURES: Final = """
WITH {asked}, retracted AS (
    SELECT DISTINCT takes_back_position AS position FROM taken_back WHERE position <= $known)
SELECT position, area, as_of, first_day, last_day, category, segment, active, potential, percent,
       uncovered_percent, target_percent, gap, tolerance, publisher, published_on, source, quote,
       known_then, position IN (FROM retracted)
FROM asked ORDER BY position
"""

_TARGETS: Final = """
SELECT position, area, due_on, percent, source FROM targets
WHERE position <= $known AND {scope} AND NOT EXISTS (
    SELECT 1 FROM taken_back
    WHERE taken_back.takes_back_position = targets.position AND taken_back.position <= $known)
ORDER BY area, due_on, position
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A target that stands: percent of labour potential, due on a day."""

    position: int
    area: str
    due_on: date
    percent: Printed
    source: str


def scope(area: str) -> str:
    """Return the condition for what was said of an area or of one below it."""
    inside = within([area])
    return inside if area == NATION or is_regency(area) else f"({inside} OR area = '{area}')"


def asked(area: str, known: int) -> tuple[str, dict[str, Any]]:
    """Return `ASKED` for an area and what it needs to be told."""
    return ASKED.format(scope=scope(area)), {"known": known, "day_ends": _DAY_ENDS}


def figures_recorded(connection: DuckDBPyConnection, area: str, known: int) -> list[Figure]:
    """Return the figures recorded of an area and those below it, in the order of recording."""
    query, told = asked(area, known)
    found = connection.execute(_FIGURES.format(asked=query), told).fetchall()
    return [_figure(*each) for each in found]


def targets_standing(connection: DuckDBPyConnection, area: str, known: int) -> list[Target]:
    """Return the targets that stand for an area and those below it, by area and day due."""
    found = connection.execute(_TARGETS.format(scope=scope(area)), {"known": known}).fetchall()
    return [
        Target(position, of, due_on, printed(percent), source)
        for position, of, due_on, percent, source in found
    ]


def _figure(*said: Any) -> Figure:  # noqa: ANN401 - a row as the query gives it
    facts = dict(zip(_FIELDS, said, strict=True))
    for name in _PRINTED:
        facts[name] = None if facts[name] is None else printed(facts[name])
    return Figure(**facts)


_FIELDS: Final = tuple(each.name for each in fields(Figure))
_PRINTED: Final = ("percent", "uncovered", "target", "gap")
