"""Which potentials between two ends of a trace were said, or taken back, on closed days.

Late heads are marked step by step (`steps`); a potential is no step, and changes the denominator.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from projections.boundaries import among
from projections.coverage import IN_FORCE

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class LatePotential:
    """A potential of a regency (its key), or the end of one, recorded on closed days: where."""

    area: str
    position: int


_IN_FORCE: Final = IN_FORCE.replace("$of", "true")

# A transaction's events follow each other, and what it overrides comes last.
_LATE: Final = f"""
WITH first AS ({_IN_FORCE.replace("$on", "$start_on").replace("$known", "$start_known")}),
second AS ({_IN_FORCE.replace("$on", "$end_on").replace("$known", "$end_known")}),
differing AS (
    SELECT area, position, valid_from FROM first WHERE position NOT IN (SELECT position FROM second)
    UNION ALL
    SELECT area, position, valid_from FROM second WHERE position NOT IN (SELECT position FROM first)
), said AS (
    SELECT area, position, valid_from FROM differing
    UNION ALL
    SELECT area, taken_back.position, valid_from FROM differing
    JOIN taken_back ON takes_back_position = differing.position
    WHERE taken_back.position <= greatest($start_known, $end_known)
)
SELECT area, position FROM said
WHERE {{inside}} AND EXISTS (
    SELECT 1 FROM overrides
    WHERE overrides.area = said.area AND overrides.category IS NULL
      AND said.valid_from <= overrides.closed_through
      AND said.position BETWEEN overrides.transaction_id AND overrides.position)
ORDER BY position
"""


def late_potentials(
    connection: DuckDBPyConnection,
    start: tuple[date, int],
    end: tuple[date, int],
    keys: Collection[str],
) -> tuple[LatePotential, ...]:
    """Return those in force at one end only, of some regencies, by position.

    An end is a day, and up to which position the log is read.
    """
    asked = "SELECT EXISTS (FROM overrides WHERE category IS NULL)"
    if connection.execute(asked).fetchall() == [(False,)]:
        return ()  # nothing has to be looked up
    found = connection.execute(
        _LATE.format(inside=among(keys)),
        {
            "start_on": start[0],
            "start_known": start[1],
            "end_on": end[0],
            "end_known": end[1],
        },
    ).fetchall()
    return tuple(LatePotential(*row) for row in found)
