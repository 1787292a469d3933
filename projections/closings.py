"""Closed periods in the ledger: what is closed, what a closing states, and what changes of it.

A transaction changes a closed day if the sum of an area × category, or the potential in force, is
another with it than without it: its net effect counts, not the dates of its batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from projections.boundaries import among
from projections.coverage import potentials_in_force
from registry.balances import Blame, ChangeOfClosed, Finding, StatedPeriod
from registry.language import _, joined
from registry.safe_text import safe
from registry.terms import FIRST_DAY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SPANS_LISTED: Final = 3
BLAMES_LISTED: Final = 10

# What is closed is what the last row of an area says, up to a position; who closed it is who
# recorded its last closing.
_CLOSED: Final = """
SELECT last.area, last.closed_through, closing.position, closing.recorded_at, closing.recorded_by
FROM (
    SELECT area, closed_through FROM closings WHERE position <= $known
    QUALIFY row_number() OVER (PARTITION BY area ORDER BY position DESC) = 1
) AS last JOIN (
    SELECT * FROM closings WHERE position <= $known AND event = 'period-closed'
    QUALIFY row_number() OVER (PARTITION BY area ORDER BY position DESC) = 1
) AS closing USING (area)
WHERE last.closed_through IS NOT NULL
"""

# `change`: by how much (and of a potential, whether it counts something else) each day differs
# with the transaction from what it is without, until the next day on which anything of it begins.
_CHANGES: Final = f"""
WITH closed AS MATERIALIZED ({_CLOSED}), daily AS (
    SELECT area, category, effective_on, sum(workers) AS workers
    FROM entries JOIN closed USING (area)
    WHERE entries.position > $known AND effective_on <= closed_through
    GROUP BY ALL HAVING sum(workers) <> 0
), heads AS (
    SELECT area, category, effective_on AS first_on, false AS counts_otherwise,
           sum(workers) OVER days AS change,
           lead(effective_on) OVER days AS next_on
    FROM daily WINDOW days AS (PARTITION BY area, category ORDER BY effective_on)
), gone AS (
    SELECT takes_back_position AS position, min(position) AS gone_at FROM taken_back GROUP BY ALL
), said AS (
    SELECT potentials.area, potentials.valid_from, potentials.position, potentials.workers,
           potentials.definition, gone_at
    FROM potentials JOIN closed USING (area) LEFT JOIN gone ON gone.position = potentials.position
    WHERE valid_from <= closed_through
), day AS (
    SELECT DISTINCT area, valid_from AS first_on FROM said
    WHERE area IN (SELECT area FROM said WHERE position > $known OR gone_at > $known)
), in_force AS (
    SELECT day.area, day.first_on,
           arg_max(said.workers, (valid_from, position)) FILTER (is_before) AS workers_before,
           arg_max(definition, (valid_from, position)) FILTER (is_before) AS definition_before,
           arg_max(said.workers, (valid_from, position)) FILTER (gone_at IS NULL) AS workers_after,
           arg_max(definition, (valid_from, position)) FILTER (gone_at IS NULL) AS definition_after
    FROM day JOIN (
        SELECT *, position <= $known AND (gone_at IS NULL OR gone_at > $known) AS is_before FROM said
    ) AS said ON said.area = day.area AND said.valid_from <= day.first_on
    GROUP BY day.area, day.first_on
), change AS (
    SELECT * FROM heads
    UNION ALL
    SELECT area, NULL, first_on,
           workers_before IS NOT NULL AND workers_after IS NOT NULL
             AND definition_before <> definition_after,
           coalesce(workers_after, 0) - coalesce(workers_before, 0),
           lead(first_on) OVER (PARTITION BY area ORDER BY first_on)
    FROM in_force
)
SELECT area, category, closed_through, closed.position, recorded_at, recorded_by,
       min(first_on), max(coalesce(next_on - 1, closed_through)),
       CAST(min(change) AS BIGINT), CAST(max(change) AS BIGINT), count(*),
       min_by((first_on, coalesce(next_on - 1, closed_through), CAST(change AS BIGINT)),
              first_on, {SPANS_LISTED})
FROM change JOIN closed USING (area) WHERE change <> 0 OR counts_otherwise
GROUP BY ALL ORDER BY area, category NULLS LAST
"""

_ROWS_OF_HEADS: Final = f"""
SELECT DISTINCT reference, part, sheet, "row" FROM entries
WHERE position > $known AND area = $area AND category = $category AND kind <> 'lapse'
  AND effective_on <= $through ORDER BY ALL LIMIT {BLAMES_LISTED}
"""

_ROWS_OF_POTENTIALS: Final = f"""
SELECT DISTINCT area, '', sheet, "row" FROM potentials
WHERE position > $known AND area = $area AND valid_from <= $through
ORDER BY ALL LIMIT {BLAMES_LISTED}
"""


# Changes of areas where they were recorded, and where they were taken back.
_REDRAWN: Final = """
SELECT position, area, split_from, "before", "after" FROM area_changes
UNION ALL
SELECT taken_back.position, area, split_from, "before", "after"
FROM taken_back JOIN area_changes ON area_changes.position = takes_back_position
"""

# A transaction's events follow each other, and what it overrides comes last.
_LATE: Final = """
EXISTS (SELECT 1 FROM main.overrides AS overridden
        WHERE overridden.area = entries.area AND overridden.category = entries.category
          AND entries.effective_on <= overridden.closed_through
          AND entries.position BETWEEN overridden.transaction_id AND overridden.position)
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """Through which day a regency is closed, and by whose closing, recorded when and where."""

    area: str
    closed_through: date
    position: int
    recorded_at: datetime
    recorded_by: str


What = Literal["heads", "potential", "definition", "boundaries"]


@dataclass(frozen=True, slots=True)
class Overridden:
    """What was changed on closed days: heads of a category; or, where that is None, something else.

    `what`: heads, the potential, its definition alone, or boundaries (in which province the regency
    lies, or what is split from it). Recorded at `position` by one person and seconded by another;
    `closing_position` is the closing's. On the closed days from first to last that it changed it is
    by `lowest` to `highest`.
    """

    area: str
    category: str | None
    what: What
    first_on: date
    last_on: date
    lowest: int
    highest: int
    closed_through: date
    closing_position: int
    position: int
    recorded_at: datetime
    recorded_by: str
    seconded_by: str
    because: str


@dataclass(frozen=True, slots=True)
class Reopened:
    """Closed days of a regency, from first to last, that one person opened again: where and why."""

    area: str
    first_on: date
    last_on: date
    position: int
    recorded_at: datetime
    recorded_by: str
    because: str


def closed_periods(connection: DuckDBPyConnection, known: int) -> dict[str, Closed]:
    """Return what is closed as known at a position, by regency."""
    if not _any_closing(connection, known):
        return {}
    found = connection.execute(f"{_CLOSED} ORDER BY last.area", {"known": known}).fetchall()
    return {
        area: Closed(area, through, position, recorded_at.replace(tzinfo=UTC), recorded_by)
        for area, through, position, recorded_at, recorded_by in found
    }


def overrides(
    connection: DuckDBPyConnection, inside: str, known: int, *, area: str = ""
) -> tuple[Overridden, ...]:
    """Return what was recorded against a closing of some regencies, in its order.

    `inside`: a condition over `area` (`projections.boundaries.within`). Of `area`, the one asked
    about, also what took a regency out of it or brought one in, or opened it.
    """
    found = connection.execute(
        f"""
        WITH redrawn AS ({_REDRAWN}), told AS (
            SELECT *, EXISTS (
                SELECT 1 FROM redrawn
                WHERE redrawn.position BETWEEN transaction_id AND overrides.position) AS redraws
            FROM overrides WHERE position <= $known
        )
        SELECT area, category,
               CASE WHEN category IS NOT NULL THEN 'heads' WHEN redraws THEN 'boundaries'
                    WHEN lowest = 0 AND highest = 0 THEN 'definition' ELSE 'potential' END,
               first_on, last_on, lowest, highest, closed_through,
               closing_position, position, recorded_at, recorded_by, seconded_by, because
        FROM told WHERE {inside} OR (redraws AND EXISTS (
            SELECT 1 FROM redrawn
            WHERE redrawn.position BETWEEN told.transaction_id AND told.position
              AND coalesce(split_from, redrawn.area) = told.area
              AND $area IN (redrawn.area, "before", "after")))
        ORDER BY position, category NULLS LAST
        """,
        {"known": known, "area": area},
    ).fetchall()
    names = [each.name for each in fields(Overridden)]
    facts = (dict(zip(names, row, strict=True)) for row in found)
    return tuple(
        Overridden(**each | {"recorded_at": each["recorded_at"].replace(tzinfo=UTC)})
        for each in facts
    )


def reopenings(
    connection: DuckDBPyConnection, inside: str, known: int, *, area: str = ""
) -> tuple[Reopened, ...]:
    """Return which closed days of some regencies were opened again, in the order recorded.

    `inside`: a condition over `area` (`projections.boundaries.within`). Of `area`, the one asked
    about, also those of a regency that was moved, or opened, since. Whether days were closed again
    later is nothing to them: in between anything could be changed by one person alone.
    """
    found = connection.execute(
        f"""
        WITH redrawn AS ({_REDRAWN})
        SELECT area, coalesce(closed_through + 1, $first_day), closed_before,
               position, recorded_at, recorded_by, because
        FROM (
            SELECT *, lag(closed_through) OVER (PARTITION BY area ORDER BY position) AS closed_before
            FROM closings WHERE position <= $known
        ) AS reopened
        WHERE event = 'period-reopened' AND ({inside} OR EXISTS (
            SELECT 1 FROM redrawn
            WHERE redrawn.position BETWEEN reopened.position AND $known
              AND coalesce(split_from, redrawn.area) = reopened.area
              AND $area IN (redrawn.area, "before", "after")))
        ORDER BY position
        """,
        {"known": known, "first_day": FIRST_DAY, "area": area},
    ).fetchall()
    return tuple(
        Reopened(area, first_on, last_on, position, recorded_at.replace(tzinfo=UTC), *said)
        for area, first_on, last_on, position, recorded_at, *said in found
    )


def is_late(connection: DuckDBPyConnection) -> str:
    """Return an expression over `entries`: whether it was recorded against a closing.

    That is an entry of closed days in an area × category that its transaction changes there.
    """
    found = connection.execute("SELECT EXISTS (FROM main.overrides)").fetchone()
    return _LATE if found is None or found[0] else "false"  # else nothing has to be looked up


def stated_on(
    connection: DuckDBPyConnection, areas: Sequence[str], on: date, known: int
) -> dict[str, StatedPeriod]:
    """Return what is known of regencies on a day: active by category, and the potential in force."""
    if not areas:
        return {}
    potentials = potentials_in_force(connection, on, known)
    found = connection.execute(
        f"""
        SELECT area, category, CAST(sum(workers) AS BIGINT) FROM entries
        WHERE effective_on <= $on AND position <= $known AND {among(areas)} GROUP BY ALL
        """,
        {"on": on, "known": known},
    ).fetchall()
    sums: dict[str, dict[str, int]] = {}
    for area, category, workers in found:
        sums.setdefault(area, {})[category] = workers
    return {
        area: StatedPeriod(sums.get(area), potentials[area].workers if area in potentials else None)
        for area in areas
    }


def changes_of_closed(connection: DuckDBPyConnection, since: int) -> Iterator[Finding]:
    """Yield what the events after a position change on days that were closed by then."""
    if not _any_closing(connection, since):
        return
    for row in connection.execute(_CHANGES, {"known": since}).fetchall():
        area, category, through, position, recorded_at, recorded_by = row[:6]
        change = ChangeOfClosed(area, category, through, position, *row[6:10])
        what = (
            _("the potential of {area}").format(area=area)
            if category is None
            else _("the {category} of {area}").format(category=category, area=area)
        )
        yield Finding(
            code="closed-period",
            severity="error",
            area=area,
            why=_(
                "it would change {what} {days}; {area} is closed"
                " through {through}, by {recorded_by} at"
                " {recorded_at:%Y-%m-%d %H:%M}Z (#{position})"
            ).format(
                what=what,
                days=_days_in_words(row[10], row[11]),
                area=area,
                through=through,
                recorded_by=safe(recorded_by),
                recorded_at=recorded_at,
                position=position,
            ),
            remedy=_(
                "State it for days after that; or let somebody else want it as well (--override"
                " REASON --seconded-by NAME); or `ucj reopen {area} --from DATE --reason REASON`."
            ).format(area=area),
            column="valid_from" if category is None else "effective_on",
            blames=_blames(connection, change, since),
            overridable=change,
        )


def _any_closing(connection: DuckDBPyConnection, known: int) -> bool:
    found = connection.execute(
        "SELECT EXISTS (FROM closings WHERE position <= $known)", {"known": known}
    ).fetchone()
    assert found is not None
    return bool(found[0])


def _days_in_words(spans_total: int, spans: list[dict[str, Any] | tuple[Any, ...]]) -> str:
    """Return by how much on which closed days: the first of them, and how many more there are."""
    words = []
    for span in spans:
        first_on, last_on, change = span.values() if isinstance(span, dict) else span
        by = _("by {change:+,}").format(change=change) if change else _("in what it counts")
        words.append(
            _("{by} on {day}").format(by=by, day=first_on)
            if first_on == last_on
            else _("{by} from {first} to {last}").format(by=by, first=first_on, last=last_on)
        )
    more = spans_total - len(spans)
    return joined(", ", words) + (
        _(" and at {more} more times").format(more=more) if more > 0 else ""
    )


def _blames(
    connection: DuckDBPyConnection, change: ChangeOfClosed, since: int
) -> tuple[Blame, ...]:
    """Return the rows of the transaction that reach into the closed days."""
    names = {"known": since, "area": change.area, "through": change.closed_through}
    if change.category is None:
        found = connection.execute(_ROWS_OF_POTENTIALS, names)
    else:
        found = connection.execute(_ROWS_OF_HEADS, {**names, "category": change.category})
    return tuple(Blame(*row) for row in found.fetchall())
