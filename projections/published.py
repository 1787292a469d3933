"""What was published, as recorded: read whole, once for all figures.

Owns the query that says which figures are asked about, and up to where the log reached at the end
of the day each was published. Tests nothing.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from projections.boundaries import within
from projections.figures import Figure, printed
from registry.terms import JAKARTA

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from registry.reference.boundaries import Boundaries

_FIGURES: Final = """
WITH recorded AS (
    SELECT recorded_at, max(position) AS position FROM events
    WHERE position <= $known GROUP BY recorded_at
), dated AS (
    -- a day, a month or a year: the first day it can mean
    SELECT *, CAST(as_of || substr('-01-01', length(as_of) - 3) AS DATE) AS first_day,
           published_on + $day_ends AS day_ended_at
    FROM figures WHERE position <= $known AND ({inside} OR area = $area)
), retracted AS (
    SELECT DISTINCT takes_back_position AS position FROM taken_back WHERE position <= $known
)
SELECT dated.position, area, as_of, first_day,
       CASE length(as_of) WHEN 4 THEN make_date(year(first_day), 12, 31)
           WHEN 7 THEN last_day(first_day) ELSE first_day END,
       category, segment, active, potential, percent, uncovered_percent, target_percent, gap,
       tolerance, publisher, published_on, source, quote,
       -- one transaction has one instant, so this is the end of one
       CASE WHEN published_on IS NOT NULL THEN coalesce(recorded.position, 0) END,
       dated.position IN (FROM retracted)
FROM dated ASOF LEFT JOIN recorded ON dated.day_ended_at > recorded.recorded_at
ORDER BY dated.position
"""

_DAY_ENDS: Final = timedelta(days=1) - JAKARTA.utcoffset(None)


def figures_recorded(
    connection: DuckDBPyConnection, area: str, known: int, boundaries: Boundaries
) -> list[Figure]:
    """Return the figures recorded of an area and those below it, in the order of recording."""
    found = connection.execute(
        _FIGURES.format(inside=within([area], boundaries.map_on(date.max))),
        {"area": area, "known": known, "day_ends": _DAY_ENDS},
    ).fetchall()
    return [_figure(*each) for each in found]


def _figure(*said: Any) -> Figure:  # noqa: ANN401 - a row as the query gives it
    before, texts, after = said[:_PRINTED], said[_PRINTED:_TOLERANCE], said[_TOLERANCE:]
    return Figure(*before, *(None if text is None else printed(text) for text in texts), *after)


_FIELDS: Final = [each.name for each in fields(Figure)]
_PRINTED: Final = _FIELDS.index("percent")
_TOLERANCE: Final = _FIELDS.index("tolerance")
"""The four numbers between are kept as printed."""
