"""Which batches lie between a figure and the last one that agreed: asked for all figures at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
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

_IN_WINDOW: Final = """effective_on <= last_day AND position <= known
      AND (effective_on > effective_after OR position > recorded_after)"""
_EXPLAINS_ALL: Final = 2**63 - 1
"""More than any heads weigh."""

_BATCHES: Final = f"""
WITH looked AS MATERIALIZED (
    SELECT unnest($numbers) AS number, unnest($places) AS whole,
           unnest($categories::VARCHAR[]) AS in_category, unnest($segments::VARCHAR[]) AS in_segment,
           unnest($last_days) AS last_day, unnest($known) AS known,
           unnest($effective) AS effective_after, unnest($recorded) AS recorded_after,
           unnest($explain) AS explains
), inside AS MATERIALIZED (
    SELECT unnest($wholes) AS whole, unnest($parts) AS area
), regency AS MATERIALIZED (
    -- and the widest of the windows that look at it
    SELECT row_number() OVER () AS regency, area, max(last_day) AS last_day, max(known) AS known,
           min(effective_after) AS effective_after, min(recorded_after) AS recorded_after
    FROM looked JOIN inside USING (whole) GROUP BY area
), opened AS MATERIALIZED (
    SELECT number, regency, in_category, in_segment, looked.last_day, looked.known,
           looked.effective_after, looked.recorded_after
    FROM looked JOIN inside USING (whole) JOIN regency USING (area)
), followed AS MATERIALIZED (
    -- a batch goes by the position of the first event that spells it so: only few have more events
    SELECT later.position, min(earlier.position) AS batch
    FROM events AS later JOIN events AS earlier USING (area, reference, part)
    WHERE later.originator_version > 1 GROUP BY later.position
), entry AS MATERIALIZED (
    SELECT regency, coalesce(batch, position) AS batch, category, segment, effective_on, position,
           workers, kind = 'lapse' AS lapses
    FROM entries JOIN regency USING (area) LEFT JOIN followed USING (position) WHERE {_IN_WINDOW}
), of_all AS MATERIALIZED (
    -- whoever looks for no group needs the lines of an event on a day only together
    SELECT regency, batch, effective_on, position, lapses, CAST(sum(workers) AS BIGINT) AS workers
    FROM entry GROUP BY ALL
), several AS MATERIALIZED (
    -- most batches moved heads on one day by one event, and need no adding up
    SELECT batch FROM of_all GROUP BY batch HAVING count(*) > 1
), seen AS (
    SELECT number, effective_after, batch, effective_on, lapses, workers
    FROM opened JOIN (FROM of_all SEMI JOIN several USING (batch)) USING (regency)
    WHERE in_category IS NULL AND in_segment IS NULL AND {_IN_WINDOW}
    UNION ALL
    SELECT number, effective_after, batch, effective_on, lapses, workers
    FROM opened JOIN entry USING (regency)
    WHERE (in_category IS NOT NULL OR in_segment IS NOT NULL)
      AND coalesce(category = in_category, in_category IS NULL)
      AND coalesce(segment = in_segment, in_segment IS NULL) AND {_IN_WINDOW}
), moved AS (
    SELECT number, batch, workers AS net, 0 AS lapsed
    FROM opened JOIN (FROM of_all ANTI JOIN several USING (batch)) USING (regency)
    WHERE in_category IS NULL AND in_segment IS NULL AND {_IN_WINDOW}
    UNION ALL
    SELECT number, batch, CAST(sum(workers) AS BIGINT) AS net,
           CAST(coalesce(sum(workers) FILTER (lapses AND effective_on > effective_after), 0)
                AS BIGINT) AS lapsed
    FROM seen GROUP BY ALL
), suspect AS (
    -- whose term began and ended in between moved nobody in the end, and explains a figure that
    -- still counts them
    SELECT number, batch, CASE WHEN net <> 0 THEN net ELSE lapsed END AS workers
    FROM moved WHERE net <> 0 OR lapsed <> 0
), weighed AS MATERIALIZED (
    SELECT number, batch, workers,
           CASE WHEN workers = explains THEN {_EXPLAINS_ALL} ELSE abs(workers) END AS weight
    FROM suspect JOIN looked USING (number)
), counted AS MATERIALIZED (
    -- names are read, and put in order, of none that weigh less than those to be named
    SELECT number, count(*) AS total, list_last(max(weight, $named)) AS least
    FROM weighed GROUP BY number
)
SELECT number, area, reference, part, weighed.workers, total
FROM weighed JOIN counted USING (number) JOIN events ON position = batch
WHERE weight >= least
QUALIFY row_number() OVER (
    PARTITION BY number ORDER BY weight DESC, area, reference, part) <= $named
ORDER BY number, weight DESC, area, reference, part
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


@contextmanager
def looking_for_suspects(
    connection: DuckDBPyConnection, windows: Mapping[Key, Window]
) -> Iterator[Callable[[], dict[Key, Suspects]]]:
    """Look for `suspects_in` windows beside what is done meanwhile; what it yields waits for them."""
    from concurrent.futures import ThreadPoolExecutor

    with closing(connection.cursor()) as cursor, ThreadPoolExecutor(max_workers=1) as pool:
        try:
            looked_for = pool.submit(suspects_in, cursor, windows).result
        except RuntimeError:  # no thread more for this user
            looked_for = partial(suspects_in, connection, windows)
        try:
            yield looked_for
        except BaseException:
            cursor.interrupt()  # who gives up need not wait for them
            raise
