"""What the ledger says at many points at once: of an area, on a day or any day of a span, as known.

One query sums the heads of all points; potentials are few and are kept in memory. Equal, point for
point, to `coverage.coverage_at`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from projections.roll_up import RollUp
from projections.vintages import CLAIMED_DAY, RECORDED_DAY
from registry.terms import is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from registry.reference.boundaries import Boundaries

UNCLASSIFIED: Final = "tidak-terklasifikasi"
ONE_DAY: Final = timedelta(days=1)


Below = Callable[[str], tuple[str, ...]]
"""An area's own key, and those of the regencies that lay in it on any day."""


class Point(NamedTuple):
    """What is asked: an area (or one category or segment of it) on the days from first to last.

    As known at a position; `documented_by` takes only what claims a document of that day or before
    (what claims none is documented by the day it was recorded, as `vintages` has it). Which
    regencies an area has is as known at `areas_known`, the position of a change of areas; 0: none.
    """

    area: str
    category: str | None
    segment: str | None
    first_day: date
    last_day: date
    known: int
    documented_by: date | None = None
    areas_known: int = 0

    @property
    def is_of_a_group(self) -> bool:
        """Whether it is of one category or segment, of which no potential is recorded."""
        return self.category is not None or self.segment is not None


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


class Standing(NamedTuple):
    """What the ledger says from one day on, until it says something else.

    `active` is of the category and segment asked, None before the area's first entry; `potential`
    and `active_counted` are what coverage is taken over, None of a category or segment. `has_group`:
    whether any head was ever recorded of it; `unclassified`: heads that may be of it or are.
    `balance` are the heads in `active` that no batch explains, `balance_counted` those of them in
    `active_counted`.
    """

    on: date
    active: int | None
    potential: int | None
    active_counted: int | None
    regencies_counted: int
    regencies_total: int
    has_group: bool
    unclassified: int
    balance: Balance
    balance_counted: Balance

    @property
    def coverage(self) -> Fraction | None:
        """What is counted over the potential, in percent, exact."""
        if self.active_counted is None or not self.potential:
            return None
        return Fraction(100 * self.active_counted, self.potential)


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

_EXTENTS: Final = """
WITH said AS (
    SELECT area, position FROM entries
    UNION ALL SELECT area, position FROM potentials
    UNION ALL SELECT potentials.area, taken_back.position
    FROM taken_back JOIN potentials ON takes_back_position = potentials.position
)
SELECT area, min(position), max(position) FROM said
WHERE area IN (SELECT unnest($areas)) GROUP BY area
"""

_SUMS: Final = f"""
WITH point AS MATERIALIZED (
    SELECT unnest($numbers) AS number, unnest($areas) AS whole,
           unnest($categories::VARCHAR[]) AS in_category, unnest($segments::VARCHAR[]) AS in_segment,
           unnest($first_days) AS first_day, unnest($last_days) AS last_day,
           unnest($known) AS known, unnest($documented::DATE[]) AS documented_by
), inside AS MATERIALIZED (
    SELECT unnest($wholes) AS whole, unnest($parts) AS area
), balance AS MATERIALIZED (
    SELECT position, kind AS of_kind FROM events WHERE kind IN ('opening', 'reconciling')
), entry AS MATERIALIZED (
    -- a lapse is of the kind of the movement that it ends: the one of its event
    SELECT area, category, segment, effective_on, position, {CLAIMED_DAY} AS claimed_day, workers,
           CASE of_kind WHEN 'opening' THEN workers END AS opening,
           -- what is taken back, and what lapses, has the other sign
           (act = 'takes-back') <> (kind = 'lapse') AS is_undone,
           CASE WHEN of_kind = 'reconciling' AND (workers > 0) <> is_undone
               THEN workers END AS reconciled_in,
           CASE WHEN of_kind = 'reconciling' AND (workers > 0) = is_undone
               THEN workers END AS reconciled_out
    FROM entries LEFT JOIN balance USING (position) WHERE area IN (SELECT area FROM inside)
), of_all AS MATERIALIZED (
    -- whoever asks for no group needs the lines of an event on a day only together
    SELECT area, effective_on, position, claimed_day, CAST(sum(workers) AS BIGINT) AS workers,
           CAST(sum(opening) AS BIGINT) AS opening,
           CAST(sum(reconciled_in) AS BIGINT) AS reconciled_in,
           CAST(sum(reconciled_out) AS BIGINT) AS reconciled_out
    FROM entry GROUP BY ALL
)
SELECT number, greatest(effective_on, first_day) AS on_day, area, CAST(sum(workers) AS BIGINT),
       CAST(sum(workers) AS BIGINT), NULL,
       CAST(sum(opening) AS BIGINT), CAST(sum(reconciled_in) AS BIGINT),
       CAST(sum(reconciled_out) AS BIGINT)
FROM point JOIN inside USING (whole) JOIN of_all USING (area)
WHERE in_category IS NULL AND in_segment IS NULL
  AND effective_on <= last_day AND position <= known
  AND (documented_by IS NULL OR claimed_day <= documented_by)
GROUP BY ALL
UNION ALL
SELECT number, greatest(effective_on, first_day) AS on_day, area, CAST(sum(workers) AS BIGINT),
       CAST(sum(workers) FILTER (is_of_it) AS BIGINT),
       CAST(sum(workers) FILTER (is_of_it
           OR ((category = '{UNCLASSIFIED}' OR coalesce(category = in_category, true))
           AND (segment IS NULL OR coalesce(segment = in_segment, true)))) AS BIGINT),
       CAST(sum(opening) FILTER (is_of_it) AS BIGINT),
       CAST(sum(reconciled_in) FILTER (is_of_it) AS BIGINT),
       CAST(sum(reconciled_out) FILTER (is_of_it) AS BIGINT)
FROM (SELECT *, coalesce(category = in_category, true)
          AND coalesce(segment = in_segment, in_segment IS NULL) AS is_of_it
      FROM point JOIN inside USING (whole) JOIN entry USING (area)
      WHERE in_category IS NOT NULL OR in_segment IS NOT NULL)
WHERE effective_on <= last_day AND position <= known
  AND (documented_by IS NULL OR claimed_day <= documented_by)
GROUP BY ALL
"""

_Sum = tuple[int, date, str, int, int | None, int | None, int | None, int | None, int | None]


def below_on_any_day(*known: Boundaries) -> Below:
    """Return what gives an area and every regency that lay in it on any day, as ever known."""
    maps = [each.map_on(day) for each in known for day in (date.min, *each.days)]
    return cache(
        lambda area: tuple(dict.fromkeys((area, *sorted({k for m in maps for k in m.keys(area)}))))
    )


def potentials_said(
    connection: DuckDBPyConnection, areas: Collection[str], below: Below
) -> Potentials:
    """Return every potential ever recorded of the areas and of the regencies in them."""
    wanted = {each for area in areas for each in below(area)}
    found = connection.execute(_POTENTIALS, {"areas": sorted(wanted)}).fetchall()
    return Potentials([PotentialSaid(*each) for each in found], below)


def standings_at(
    connection: DuckDBPyConnection,
    points: Collection[Point],
    potentials: Potentials,
    areas: Callable[[int], Boundaries],
    below: Below,
) -> dict[Point, list[Standing]]:
    """Return what the ledger says at each point: its first day, and each day of a change after it.

    Shape: at least one standing a point, by day. Units: persons; coverage is percent, exact.
    On each day a province's regencies are those of that day, of the `areas` known at a change of
    areas; `below` has all that ever are.
    """
    asked = list(dict.fromkeys(points))
    sums: list[list[_Sum]] = [[] for _ in asked]
    for each in _sums(connection, asked, below):
        sums[each[0]].append(each)

    drawn = cache(lambda area, known: _drawn(area, areas(known)))
    return {
        point: [
            standing
            for begins, ends, inside in _stretches(point, drawn(point.area, point.areas_known))
            for standing in _standings(
                point._replace(first_day=begins, last_day=ends),
                inside,
                _as_on(begins, ends, point, sums[number]),
                potentials,
            )
        ]
        for number, point in enumerate(asked)
    }


_Drawn = Sequence[tuple[date, frozenset[str]]]


def _drawn(area: str, boundaries: Boundaries) -> _Drawn:
    """Return from which day on which regencies lie in an area; the first entry is the oldest."""
    found: list[tuple[date, frozenset[str]]] = []
    for day in (date.min, *boundaries.days):
        inside = frozenset(boundaries.map_on(day).keys(area))
        if not found or found[-1][1] != inside:
            found.append((day, inside))
    return found


def _stretches(point: Point, drawn: _Drawn) -> Iterator[tuple[date, date, frozenset[str]]]:
    """Yield the stretches of a point's days on which the same regencies lie in its area."""
    begins = point.first_day
    place = bisect_right(drawn, begins, key=itemgetter(0)) - 1
    for (_, inside), (following, _) in zip(
        drawn[place:], (*drawn[place + 1 :], (date.max, frozenset())), strict=True
    ):
        if following > point.last_day:
            yield begins, point.last_day, inside
            return
        yield begins, following - ONE_DAY, inside
        begins = following


def _as_on(begins: date, ends: date, point: Point, sums: Sequence[_Sum]) -> Sequence[_Sum]:
    """Return what moved up to the end of a stretch; what moved before it as on its first day."""
    if (begins, ends) == (point.first_day, point.last_day):
        return sums
    return [(each[0], max(each[1], begins), *each[2:]) for each in sums if each[1] <= ends]


def _sums(connection: DuckDBPyConnection, points: Sequence[Point], below: Below) -> list[_Sum]:
    """Return what moved: all up to the first day of a point as on it, then day by day."""
    areas, categories, segments, first_days, last_days, known, documented, _ = (
        zip(*points, strict=True) if points else ((),) * len(Point._fields)
    )
    pairs = [
        (area, part)
        for area in dict.fromkeys(areas)
        for part in below(area)
        if part != area or is_regency(area)
    ]
    return connection.execute(
        _SUMS,
        {
            "numbers": list(range(len(points))),
            "areas": list(areas),
            "categories": list(categories),
            "segments": list(segments),
            "first_days": list(first_days),
            "last_days": list(last_days),
            "known": list(known),
            "documented": list(documented),
            "wholes": [whole for whole, _ in pairs],
            "parts": [part for _, part in pairs],
        },
    ).fetchall()


def _standings(
    point: Point, inside: frozenset[str], sums: Sequence[_Sum], potentials: Potentials
) -> Iterator[Standing]:
    """Carry the sums and the potentials of one point from day to day."""
    roll_up = RollUp(point.area, inside)
    of_it = may_be = 0
    balances = _Balances()
    has_group, grouped = False, point.is_of_a_group
    for on, moved, revised in _days(point, sums, potentials):
        for said in revised:
            roll_up.revise(said.area, said.workers)
        for _, _, area, workers, in_it, perhaps_in_it, *balance in moved:
            if area not in inside:
                continue
            roll_up.move(area, workers)
            has_group = has_group or in_it is not None
            of_it += in_it or 0
            may_be += perhaps_in_it or 0
            balances.move(area, *balance)
        yield Standing(  # by place: there may be one for each day of a year of each figure
            on,
            None if roll_up.active is None else of_it,
            None if grouped else roll_up.potential,
            None if grouped else roll_up.active_counted,
            roll_up.regencies_counted,
            roll_up.regencies_total,
            has_group,
            may_be,
            balances.everywhere,
            NO_BALANCE if grouped else balances.of(roll_up),
        )


class _Balances:
    """The balance of each regency that has one, as it changes, and of all of them."""

    def __init__(self) -> None:
        self.everywhere = NO_BALANCE
        self._of: dict[str, Balance] = {}

    def move(self, area: str, *moved: int | None) -> None:
        """Let heads of each kind (signed) enter or leave a regency."""
        if any(moved):
            self.everywhere = _more(self.everywhere, moved)
            self._of[area] = _more(self._of.get(area, NO_BALANCE), moved)

    def of(self, roll_up: RollUp) -> Balance:
        """Return the balance of the regencies that a coverage is taken over."""
        if roll_up.counts_all:
            return self.everywhere
        found = NO_BALANCE
        for area, balance in self._of.items():
            if roll_up.counts(area):
                found = _more(found, balance)
        return found


def _more(balance: Balance, moved: Sequence[int | None]) -> Balance:
    opening, reconciled_in, reconciled_out = moved
    return Balance(
        balance.opening + (opening or 0),
        balance.reconciled_in + (reconciled_in or 0),
        balance.reconciled_out + (reconciled_out or 0),
    )


def _days(
    point: Point, sums: Sequence[_Sum], potentials: Potentials
) -> Iterable[tuple[date, Sequence[_Sum], Sequence[PotentialSaid]]]:
    """Return the days that bring anything, the first day always: what moved, what was revised."""
    revised = [
        said
        for area in potentials.areas_in(point.area)
        for said in potentials.in_force(area, point)
    ]
    if point.first_day == point.last_day:
        return [(point.first_day, sums, revised)]
    moving: dict[date, list[_Sum]] = {point.first_day: []}
    for each in sums:
        moving.setdefault(each[1], []).append(each)
    revising: dict[date, list[PotentialSaid]] = {}
    for said in revised:
        revising.setdefault(max(said.valid_from, point.first_day), []).append(said)
    days = sorted(moving.keys() | revising.keys())
    return [(day, moving.get(day, ()), revising.get(day, ())) for day in days]


class Extent(NamedTuple):
    """The first and the last position at which anything that a sum depends on was recorded."""

    first: int
    last: int


def extents_of(
    connection: DuckDBPyConnection, areas: Collection[str], below: Below
) -> dict[str, Extent]:
    """Return from where to where the log speaks of batches and potentials of each area, and below.

    Shape: only keys of which it holds anything at all, each by itself (`extent_within`).
    """
    wanted = sorted({each for area in areas for each in below(area)})
    found = connection.execute(_EXTENTS, {"areas": wanted}).fetchall()
    return {area: Extent(first, last) for area, first, last in found}


def extent_within(extents: Mapping[str, Extent], keys: Iterable[str]) -> Extent | None:
    """Return from where to where the log speaks of some keys together; None where it does not.

    After `last` nothing changes what is known of them.
    """
    found = [extents[key] for key in keys if key in extents]
    if not found:
        return None
    return Extent(min(each.first for each in found), max(each.last for each in found))
