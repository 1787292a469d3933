"""Which batches lie between a figure and the last one that agreed: asked for all figures at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from projections.points import Point

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMED_MAX: Final = 10
"""Named of one figure; all of them are counted."""


class Window(NamedTuple):
    """Where to look: what moved the heads of a point, if it was effective or recorded after this.

    `inside`: the regencies that lie in its area, on its last day. `explains`: the heads that a batch
    must have moved to explain all by itself; such are named first.
    """

    point: Point
    inside: frozenset[str]
    effective_after: date
    recorded_after: int
    explains: int = 0


class Suspect(NamedTuple):
    """A batch, and the heads (signed) that it moved within the window, taken back ones settled.

    Of a batch whose heads came and lapsed within it, those who lapsed.
    `area` is the batch's own; heads that it transferred may be in another.
    """

    area: str
    reference: str
    part: str
    workers: int


class Suspects(NamedTuple):
    """The batches of one window, those named and how many they are in all."""

    named: tuple[Suspect, ...] = ()
    total: int = 0


NOBODY: Final = Suspects()
_BATCHES: Final = """
WITH looked AS MATERIALIZED (
    SELECT unnest($numbers) AS number, unnest($places) AS whole,
           unnest($categories::VARCHAR[]) AS in_category, unnest($segments::VARCHAR[]) AS in_segment,
           unnest($last_days) AS last_day, unnest($known) AS known,
           unnest($effective) AS effective_after, unnest($recorded) AS recorded_after,
           unnest($explain) AS explains
), inside AS MATERIALIZED (
    SELECT unnest($wholes) AS whole, unnest($parts) AS area
), transferring AS MATERIALIZED (
    -- heads of these may be in another area than the batch is of
    SELECT position, any_value(events.area) AS batch_area
    FROM (SELECT DISTINCT position FROM entries WHERE kind = 'transfer') JOIN events USING (position)
    GROUP BY position
), entry AS MATERIALIZED (
    SELECT coalesce(batch_area, entries.area) AS batch_area, entries.area, reference, part, category,
           segment, effective_on, position, workers, kind = 'lapse' AS lapses
    FROM entries LEFT JOIN transferring USING (position)
    WHERE entries.area IN (SELECT area FROM inside)
), of_all AS MATERIALIZED (
    -- whoever looks for no group needs the lines of an event on a day only together
    SELECT batch_area, area, reference, part, effective_on, position, lapses,
           CAST(sum(workers) AS BIGINT) AS workers
    FROM entry GROUP BY ALL
), seen AS NOT MATERIALIZED (
    SELECT number, explains, effective_after, batch_area, reference, part, effective_on, lapses, workers
    FROM looked JOIN inside USING (whole) JOIN of_all USING (area)
    WHERE in_category IS NULL AND in_segment IS NULL
      AND effective_on <= last_day AND position <= known
      AND (effective_on > effective_after OR position > recorded_after)
    UNION ALL
    SELECT number, explains, effective_after, batch_area, reference, part, effective_on, lapses, workers
    FROM looked JOIN inside USING (whole) JOIN entry USING (area)
    WHERE (in_category IS NOT NULL OR in_segment IS NOT NULL)
      AND coalesce(category = in_category, in_category IS NULL)
      AND coalesce(segment = in_segment, in_segment IS NULL)
      AND effective_on <= last_day AND position <= known
      AND (effective_on > effective_after OR position > recorded_after)
), moved AS (
    SELECT number, batch_area AS area, reference, part, any_value(explains) AS explains,
           CAST(sum(workers) AS BIGINT) AS net,
           CAST(coalesce(sum(workers) FILTER (lapses AND effective_on > effective_after), 0)
                AS BIGINT) AS lapsed
    FROM seen GROUP BY number, batch_area, reference, part
), suspect AS (
    -- whose term began and ended in between moved nobody in the end, and explains a figure that
    -- still counts them
    SELECT *, CASE WHEN net <> 0 THEN net ELSE lapsed END AS workers
    FROM moved WHERE net <> 0 OR lapsed <> 0
), placed AS (
    SELECT *, count(*) OVER (PARTITION BY number) AS total, row_number() OVER (
        PARTITION BY number
        ORDER BY workers <> explains, abs(workers) DESC, area, reference, part) AS place
    FROM suspect
)
SELECT number, area, reference, part, workers, total FROM placed WHERE place <= $named
ORDER BY number, place
"""


Key = TypeVar("Key")


def suspects_in(
    connection: DuckDBPyConnection, windows: Mapping[Key, Window]
) -> dict[Key, Suspects]:
    """Return the batches of each window: what explains all first, then the largest.

    Shape: the windows that have any; at most `NAMED_MAX` batches are named, all are counted. A term
    that ended is of the batch whose term it was.
    """
    if not windows:
        return {}
    asked = list(windows.values())
    wholes = dict.fromkeys(window.inside for window in asked)
    places = {inside: place for place, inside in enumerate(wholes)}
    pairs = [(place, area) for inside, place in places.items() for area in inside]
    found = connection.execute(
        _BATCHES,
        {
            "numbers": list(range(len(asked))),
            "places": [places[each.inside] for each in asked],
            "categories": [each.point.category for each in asked],
            "segments": [each.point.segment for each in asked],
            "last_days": [each.point.last_day for each in asked],
            "known": [each.point.known for each in asked],
            "effective": [each.effective_after for each in asked],
            "recorded": [each.recorded_after for each in asked],
            "explain": [each.explains for each in asked],
            "wholes": [whole for whole, _ in pairs],
            "parts": [part for _, part in pairs],
            "named": NAMED_MAX,
        },
    ).fetchall()
    named: dict[int, list[Suspect]] = defaultdict(list)
    totals: dict[int, int] = {}
    for number, *batch, total in found:
        named[number].append(Suspect(*batch))
        totals[number] = total
    return {
        key: Suspects(tuple(named[number]), totals[number])
        for number, key in enumerate(windows)
        if number in totals
    }
