"""One area at many dates, each as known at many vintages, in one statement over the ledger.

Owns what a vintage is, what the area came to at each, and what changed it in between. Equal, date
for date and position for position, to `coverage.coverage_at`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from projections.boundaries import KnownBoundaries, maps_between, within
from projections.months import month_ends
from registry.terms import is_regency

if TYPE_CHECKING:
    from projections.ledger import Ledger
    from registry.reference.boundaries import Map

BATCHES_LISTED: Final = 20
"""Of one revision, the largest first; how many there are is said beside them."""

RECORDED_DAY: Final = "CAST(recorded_at + INTERVAL 7 HOUR AS DATE)"
"""The day of recording in Jakarta; instants of the ledger are UTC."""

# What claims no date was documented by the day it was recorded, at the latest.
CLAIMED_DAY: Final = f"coalesce(documented_on, {RECORDED_DAY})"
"""The date on the document, as claimed by whoever imported it."""

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Vintage:
    """A state of knowledge: up to a position, or up to a claimed document date, and its day.

    `day` is the last day of a month, the day on which the position was recorded, or the claimed
    one. `recorded_at` and `recorded_by` are of the transaction, where the vintage is one. `through`
    is the last day on which no more was known, None where that is so to this day.
    """

    day: date
    position: int
    recorded_at: datetime | None = None
    recorded_by: str | None = None
    through: date | None = None

    def knows(self, on: date) -> bool:
        """Whether a day had come while this was what was known."""
        return self.through is None or on <= self.through


@dataclass(frozen=True, slots=True)
class Figure:
    """What the ledger says of an area on a date, as known at a vintage.

    `own_potential`: whether the potential is the area's own, and not the sum of its regencies'.
    """

    active: int | None
    potential: int | None
    coverage: Fraction | None
    regencies_counted: int
    own_potential: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class BatchEffect:
    """What one batch did to a figure: its net heads there, and its last event that did so."""

    area: str
    reference: str
    part: str
    position: int
    workers: int


@dataclass(frozen=True, slots=True)
class PotentialEffect:
    """Another labour potential in force than before (persons; None: none is), and the event."""

    area: str
    position: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class AreaEffect:
    """What a regency brought into a figure, or took out of it: its heads as known before (signed).

    `position` is the event by which it lies there, or no more.
    """

    area: str
    change: Literal["came-in", "left"]
    position: int
    workers: int


Cell = tuple[int, int]
"""A reference date and a vintage, by their places."""


@dataclass(frozen=True, slots=True)
class Causes:
    """What changed the figure of a cell since the release before: the largest batches, all counted."""

    batches: Mapping[Cell, tuple[BatchEffect, ...]]
    batches_total: Mapping[Cell, int]
    potentials: Mapping[Cell, tuple[PotentialEffect, ...]]
    areas: Mapping[Cell, tuple[AreaEffect, ...]]


class _Lying(NamedTuple):
    """What lies in an area from a day on: a condition, how many regencies, and its own key.

    `own`: under which key it has a potential of its own. What was split since is one with what it
    was, so of a part that is the whole's.
    """

    since: date
    inside: str
    total: int
    own: str


class _Drawn(NamedTuple):
    """What lies in an area day by day, as known from a change of areas on: its position, its key."""

    position: int
    key: int
    lying: list[_Lying]

    def at(self, on: date) -> _Lying:
        """Return what lies in it on a day."""
        place = bisect_right(self.lying, on, key=itemgetter(0))
        return self.lying[max(0, place - 1)]


class _Part(NamedTuple):
    """Reference dates and vintages, by their places, at which the same lies in the area."""

    lying: _Lying
    references: list[int]
    vintages: range

    def of(
        self, references: Sequence[date], vintages: Sequence[Vintage]
    ) -> tuple[list[date], Sequence[Vintage]]:
        """Return its dates, and its vintages with all before them: knowledge adds up."""
        return [references[place] for place in self.references], vintages[: self.vintages.stop]


class AreaVintages:
    """One area, up to a position, by what was recorded or by what its documents claim.

    Its regencies are, on each reference date and at each vintage, those of that date as known then;
    a change of areas claims no document. With `as_of`, a day not before `until`, they are those of
    that day, as known at the position, at every vintage. The dates are from `since` to `until`.
    """

    def __init__(
        self,
        ledger: Ledger,
        area: str,
        known: int,
        since: date,
        until: date,
        *,
        documented: bool,
        as_of: date | None = None,
    ) -> None:
        self.known = known
        self._area = area
        self._connection = ledger.connection
        self._documented = documented
        self._areas = KnownBoundaries(ledger, known)
        changes = self._areas.changes if as_of is None else []
        self._drawn: list[_Drawn] = []
        for position, day in [(0 if as_of is None else known, date.min), *changes]:
            maps = maps_between(self._areas.at(position), since, until, as_of)
            lying = self._lying_in(maps)
            if not self._drawn or self._drawn[-1].lying != lying:
                key = 0 if day == date.min else self._number(position, day)
                self._drawn.append(_Drawn(position, key, lying))
        last = self._areas.at(known).map_on(until, as_of=as_of)
        self.code, self.name = last.code(area), last.name(area)
        conditions = dict.fromkeys(each.inside for drawn in self._drawn for each in drawn.lying)
        self.inside = (
            f"({' OR '.join(conditions)})" if len(conditions) > 1 else next(iter(conditions))
        )

    def _lying_in(self, maps: Sequence[tuple[date, Map]]) -> list[_Lying]:
        found: list[_Lying] = []
        for since, each in maps:
            own = self._area
            if is_regency(own):
                own = next(iter(each.keys(own)), own)
            inside = within([self._area], each)
            lying = _Lying(since, inside, len(each.inside(self._area)), own)
            if not found or found[-1][1:] != lying[1:]:
                found.append(lying)
        return found

    def _number(self, position: int, day: date) -> int:
        """Return what orders knowledge: a position, or a claimed day as its number since 1970."""
        return (day - _EPOCH).days if self._documented else position

    def changes_after(self, on: date) -> list[Vintage]:
        """Return what was known at the end of a day, and each vintage after it that may differ.

        A vintage for each transaction, or for each claimed day.
        """
        if self._documented:
            return [Vintage(day, self.known) for (day,) in self._all(_CLAIMED, last=on)]
        return [
            Vintage(day, position, at and at.replace(tzinfo=UTC), by)
            for position, at, by, day in self._all(_TRANSACTIONS, last=on)
            if position is not None
        ]

    def first_day(self, until: date) -> date | None:
        """Return the first day with an entry, of what lies inside on it; None up to a date without.

        As it was ever known: a regency that is said to lie elsewhere may have had the first.
        """
        found = []
        for drawn in self._drawn:
            following = [each.since - timedelta(days=1) for each in drawn.lying[1:]]
            for lying, last in zip(drawn.lying, [*following, until], strict=True):
                ((first_day, _, _),) = self._all(_SPAN, lying.inside, last=min(last, until))
                if first_day is not None:
                    assert isinstance(first_day, date)
                    found.append(max(first_day, lying.since))
                    break
        return min(found, default=None)

    def months(self, until: date) -> list[Vintage]:
        """Return the month ends from the first entry recorded (or claimed), and what is known last.

        From the first of dates up to `until`. Last is the day on which anything changed last, of
        whatever date: were it of dates up to `until` only, how a date was revised would depend on
        which others are asked for.
        """
        ((_, first, _),) = self._all(_SPAN, last=until)
        if first is None:
            return []
        ((_, _, last),) = self._all(_SPAN, last=date.max)
        ends = list(month_ends(first, last - timedelta(days=1)))
        if self._documented:
            months = [Vintage(day, self.known, through=day) for day in ends]
        else:
            found = self._all(_POSITIONS, days=ends)
            months = [Vintage(day, position, through=day) for day, position in found]
        return [*months, Vintage(last, self.known)]

    def positions(self, positions: Sequence[int]) -> list[Vintage]:
        """Return the vintages of some positions: each until the day of the next event."""
        days = dict(self._all(_DAYS, positions=sorted({*positions})))
        vintages = []
        for position in sorted({*positions} & days.keys()):
            following = days.get(position + 1)
            through = following and max(days[position], following - timedelta(days=1))
            vintages.append(Vintage(days[position], position, through=through))
        return vintages

    def figures(
        self, references: Sequence[date], vintages: Sequence[Vintage]
    ) -> list[list[Figure]]:
        """Return the figure of each reference date at each vintage; both in their order."""
        rows = [[_NOTHING] * len(vintages) for _ in references]
        for part in self._parts(references, vintages):
            asked, known = part.of(references, vintages)
            lying = part.lying
            found = self._all(_FIGURES, lying.inside, own=lying.own, **self._axes(asked, known))
            for i, changes in groupby(found, key=itemgetter(0)):
                row = rows[part.references[i]]
                steps = {j: self._figure(lying.total, *sums) for _, j, *sums in changes}
                figure = _NOTHING
                for j in range(part.vintages.stop):
                    figure = steps.get(j, figure)
                    if j in part.vintages:
                        row[j] = figure
        return rows

    def causes(
        self,
        references: Sequence[date],
        vintages: Sequence[Vintage],
        released: Sequence[Sequence[int]],
    ) -> Causes:
        """Return what changed each reference date from one of its releases to the next.

        Batches and potentials are of what lies inside at the later one; with what came inside or
        left by then, as known at the earlier, they come to the change.
        """
        batches: dict[Cell, list[BatchEffect]] = {}
        totals: dict[Cell, int] = {}
        potentials: dict[Cell, list[PotentialEffect]] = {}
        for part in self._parts(references, vintages):
            steps = [
                (i, j, release)
                for i, place in enumerate(part.references)
                for before, release in pairwise(released[place])
                if release in part.vintages
                for j in range(before + 1, release + 1)
            ]
            if not steps:
                continue
            inside, places = part.lying.inside, part.references
            names = ("rows", "places", "released")
            columns = (list(each) for each in zip(*steps, strict=True))
            asked = self._axes(*part.of(references, vintages))
            asked |= dict(zip(names, columns, strict=True))
            for i, j, *effect, total in self._all(_BATCHES, inside, most=BATCHES_LISTED, **asked):
                batches.setdefault((places[i], j), []).append(BatchEffect(*effect))
                totals[places[i], j] = total
            for i, j, *effect in self._all(_POTENTIALS, inside, **asked):
                potentials.setdefault((places[i], j), []).append(PotentialEffect(*effect))
        return Causes(
            {cell: tuple(effects) for cell, effects in batches.items()},
            totals,
            {cell: tuple(effects) for cell, effects in potentials.items()},
            self._areas_moved(references, vintages, released),
        )

    def _areas_moved(
        self,
        references: Sequence[date],
        vintages: Sequence[Vintage],
        released: Sequence[Sequence[int]],
    ) -> dict[Cell, tuple[AreaEffect, ...]]:
        """Return which regencies came inside or left from one release to the next, with their heads."""
        keys = self._keys(vintages)
        moved = [
            ((i, release), each, references[i], keys[before])
            for i, places in enumerate(released if len(self._drawn) > 1 else ())
            for before, release in pairwise(places)
            for each in self._areas.crossings(
                self._area,
                (self._known_at(keys[before]).position, references[i]),
                (self._known_at(keys[release]).position, references[i]),
            )
        ]
        if not moved:
            return {}
        found = self._all(
            _HEADS,
            numbers=list(range(len(moved))),
            areas=[each.area for _, each, _, _ in moved],
            days=[on for _, _, on, _ in moved],
            keys=[key for _, _, _, key in moved],
        )
        heads: dict[int, int] = dict(found)
        effects: dict[Cell, list[AreaEffect]] = {}
        for number, (cell, each, _, _) in enumerate(moved):
            workers = heads.get(number, 0) * (1 if each.has_come else -1)
            effect = AreaEffect(each.area, each.change, each.position, workers)
            effects.setdefault(cell, []).append(effect)
        return {
            cell: tuple(sorted(some, key=lambda each: (-abs(each.workers), each.area)))
            for cell, some in effects.items()
        }

    def _figure(
        self,
        total: int,
        active: int,
        known: int,
        counted: int,
        active_counted: int,
        potential_counted: int,
        own: int,
    ) -> Figure:
        """Return the figure by the rule of `coverage_at`: over the regencies counted."""
        denominator = potential_counted
        is_own = is_regency(self._area) or (own > 0 and counted == total)
        if is_own:
            denominator, active_counted = own, active
        return Figure(
            active=active if known else None,
            potential=denominator or None,
            coverage=Fraction(100 * active_counted, denominator) if counted else None,
            regencies_counted=counted,
            own_potential=is_own,
        )

    def takes(self, effect: PotentialEffect, *figures: Figure) -> bool:
        """Whether a potential is one that any of some figures is taken over."""
        is_own = effect.area == self._area
        return is_regency(self._area) or any(each.own_potential == is_own for each in figures)

    def _parts(self, references: Sequence[date], vintages: Sequence[Vintage]) -> Iterator[_Part]:
        """Yield the reference dates and the vintages at which one and the same lies inside."""
        keys = self._keys(vintages)
        begins = [0, *(bisect_left(keys, drawn.key) for drawn in self._drawn[1:]), len(keys)]
        for drawn, (begin, end) in zip(self._drawn, pairwise(begins), strict=True):
            if begin == end:
                continue
            lying = [drawn.at(on) for on in references]
            for each, places in groupby(range(len(references)), key=lying.__getitem__):
                yield _Part(each, list(places), range(begin, end))

    def _known_at(self, key: int) -> _Drawn:
        """Return what is known of areas at a vintage."""
        return self._drawn[bisect_right(self._drawn, key, lo=1, key=attrgetter("key")) - 1]

    def _keys(self, vintages: Sequence[Vintage]) -> list[int]:
        return [self._number(each.position, each.day) for each in vintages]

    def _axes(self, references: Sequence[date], vintages: Sequence[Vintage]) -> dict[str, Any]:
        return {
            "days": list(references), "keys": self._keys(vintages), "last": references[-1],
        }  # fmt: skip

    def _all(self, statement: str, inside: str | None = None, **names: object) -> list[Any]:
        """Ask of what lies inside, or of all that does on any of the days."""
        inside = inside or self.inside
        day = CLAIMED_DAY if self._documented else RECORDED_DAY
        number = f"datediff('day', DATE '{_EPOCH}', {{day}})"
        words = {
            "inside": inside,
            "redrawn": ", ".join(str(each.position) for each in self._drawn[1:]) or "NULL",
            # a province's own potential is recorded under its own code
            "over": inside
            if is_regency(self._area)
            else f"((length(area) = 5 AND {inside}) OR area = '{self._area}')",
            "day": day,
            "recorded_day": RECORDED_DAY,
            "key": number.format(day=day) if self._documented else "position",
            "taken_key": number.format(day=RECORDED_DAY)
            if self._documented
            else "taken_back.position",
        }
        asked = {"known": self.known} | names
        return self._connection.execute(statement.format(**words), asked).fetchall()


_NOTHING: Final = Figure(None, None, None, 0)

# What may have changed figures up to a date, and on which day it became known.
_TOUCHED: Final = """
WITH touched AS (
    SELECT position, {day} AS day, effective_on FROM entries
    WHERE position <= $known AND effective_on <= $last AND {inside}
    UNION
    SELECT position, {day}, NULL FROM potentials
    WHERE position <= $known AND valid_from <= $last AND {over}
    UNION
    SELECT position, {recorded_day}, NULL FROM taken_back JOIN events USING (position)
    WHERE position <= $known AND taken_back.takes_back_position IN (
        SELECT position FROM potentials WHERE valid_from <= $last AND {over})
    UNION
    SELECT position, {recorded_day}, NULL FROM events WHERE position IN ({redrawn})
)
"""

_SPAN: Final = f"""
{_TOUCHED}
SELECT min(effective_on), min(day) FILTER (effective_on IS NOT NULL), max(day) FROM touched
"""

_TRANSACTIONS: Final = f"""
{_TOUCHED}, recorded AS (
    SELECT max(position) AS position, min(recorded_at) AS recorded_at,
           min(recorded_by) AS recorded_by, {{recorded_day}} AS day,
           bool_or(position IN (SELECT position FROM touched)) AS has_touched
    FROM events WHERE position <= $known GROUP BY transaction_id, {{recorded_day}}
)
SELECT position, recorded_at, recorded_by, day FROM recorded WHERE day > $last AND has_touched
UNION ALL
SELECT max(position), NULL, NULL, $last FROM recorded WHERE day <= $last
ORDER BY position
"""

_CLAIMED: Final = f"""
{_TOUCHED}
SELECT DISTINCT greatest(day, CAST($last AS DATE)) AS day FROM touched ORDER BY day
"""

_POSITIONS: Final = """
SELECT month.day, recorded.position
FROM (SELECT unnest($days::DATE[]) AS day) AS month
ASOF JOIN (
    SELECT {recorded_day} AS day, max(position) AS position
    FROM events WHERE position <= $known GROUP BY ALL
) AS recorded ON month.day >= recorded.day
ORDER BY month.day
"""

_DAYS: Final = """
SELECT position, {recorded_day} FROM events
WHERE ($known >= position OR $known + 1 = position) AND position IN (
    SELECT unnest($positions::BIGINT[]) UNION SELECT unnest($positions::BIGINT[]) + 1)
"""

# A vintage's `key` orders knowledge: a position, or a claimed day as its number since 1970. `i` and
# `j` are the places of a reference date and of a vintage; of months in which nothing came to be known
# all have one key, and the first counts: which of equals an ASOF JOIN takes is left to the engine.
_AXES: Final = """
WITH reference AS (
    SELECT unnest($days::DATE[]) AS day, unnest(range(len($days))) AS i
), vintage AS (
    SELECT key, min(j) AS j
    FROM (SELECT unnest($keys::BIGINT[]) AS key, unnest(range(len($keys))) AS j) GROUP BY key
)
"""

# The potential in force of each area, at each vintage at which any was said or taken back; 0: none.
_IN_FORCE: Final = """
said AS (
    SELECT area, valid_from, workers, position, vintage.j
    FROM (SELECT *, {key} AS key FROM potentials
          WHERE position <= $known AND valid_from <= $last AND {over}) AS potential
    ASOF JOIN vintage ON potential.key <= vintage.key
), taken AS (
    SELECT takes_back_position AS position, vintage.j, withdrawal.position AS by_position
    FROM (SELECT taken_back.*, {taken_key} AS key FROM taken_back JOIN events USING (position)
          WHERE taken_back.position <= $known) AS withdrawal
    ASOF JOIN vintage ON withdrawal.key <= vintage.key
), potential AS (
    SELECT said.*, taken.j AS until_j, taken.by_position FROM said LEFT JOIN taken USING (position)
), turn AS (
    SELECT area, j FROM potential UNION SELECT area, until_j FROM potential WHERE until_j IS NOT NULL
), in_force AS (
    SELECT turn.area, reference.i, turn.j,
           coalesce(arg_max(workers, (valid_from, position))
               FILTER (coalesce(until_j > turn.j, true)), 0) AS potential,
           max(CASE turn.j WHEN until_j THEN by_position WHEN potential.j THEN position END)
               AS position
    FROM turn CROSS JOIN reference
    LEFT JOIN potential
      ON potential.area = turn.area AND potential.valid_from <= reference.day
     AND potential.j <= turn.j
    GROUP BY ALL
)
"""

_SUMS: Final = ("active", "known", "counted", "active_counted", "potential_counted", "own")
_STEPS: Final = ", ".join(f"{each} - lag({each}, 1, 0) OVER earlier AS {each}" for each in _SUMS)
_TOTALS: Final = ", ".join(f"sum({each}) AS {each}" for each in _SUMS)
_RUNNING: Final = ", ".join(f"CAST(sum({each}) OVER upto AS BIGINT)" for each in _SUMS)

# Heads are put into the first reference date on which they count and the first vintage that knows
# them: what an area comes to is the running sum over both. Only where a regency changes is there a
# row, and what each change adds to the area is summed up.
_FIGURES: Final = f"""
{_AXES}, moved AS (
    SELECT area, i, j, sum(workers) AS workers
    FROM (
        SELECT area, effective_on, workers, {{key}} AS key FROM entries
        WHERE position <= $known AND effective_on <= $last AND {{inside}}
    ) AS entry
    ASOF JOIN reference ON entry.effective_on <= reference.day
    ASOF JOIN vintage ON entry.key <= vintage.key
    GROUP BY ALL
), heads AS (
    SELECT area, reference.i, j, sum(workers) AS workers
    FROM moved JOIN reference ON reference.i >= moved.i GROUP BY ALL
), {_IN_FORCE}, change AS (
    SELECT area, i, j, max(workers) AS workers, max(potential) AS potential
    FROM (SELECT area, i, j, workers, NULL AS potential FROM heads
          UNION ALL SELECT area, i, j, NULL, potential FROM in_force)
    GROUP BY ALL
), state AS (
    SELECT area, i, j, sum(workers) OVER upto AS active,
           nullif(last_value(potential IGNORE NULLS) OVER upto, 0) AS potential
    FROM change
    WINDOW upto AS (PARTITION BY area, i ORDER BY j ROWS UNBOUNDED PRECEDING)
), counted AS (
    SELECT area, i, j, coalesce(active, 0) AS active, (active IS NOT NULL)::INT AS known,
           (active IS NOT NULL AND potential IS NOT NULL)::INT AS counted,
           CASE counted WHEN 1 THEN active ELSE 0 END AS active_counted,
           CASE counted WHEN 1 THEN potential ELSE 0 END AS potential_counted,
           CASE area WHEN $own THEN coalesce(potential, 0) ELSE 0 END AS own
    FROM state
), step AS (
    SELECT i, j, {_STEPS} FROM counted
    WINDOW earlier AS (PARTITION BY area, i ORDER BY j)
), total AS (
    SELECT i, j, {_TOTALS} FROM step GROUP BY i, j
)
SELECT i, j, {_RUNNING} FROM total
WINDOW upto AS (PARTITION BY i ORDER BY j ROWS UNBOUNDED PRECEDING)
ORDER BY i, j
"""

# `cell`: the vintages since the release before, and the release that they led to.
_CELLS: Final = f"""
{_AXES}, cell AS (
    SELECT unnest($rows::BIGINT[]) AS i, unnest($places::BIGINT[]) AS j,
           unnest($released::BIGINT[]) AS released
)
"""

_BATCHES: Final = f"""
{_CELLS}, moved AS (
    SELECT events.area, events.reference, events.part, entry.effective_on, j,
           max(position) AS position, sum(entry.workers) AS workers
    FROM (
        SELECT position, effective_on, workers, {{key}} AS key FROM entries
        WHERE position <= $known AND effective_on <= $last AND {{inside}}
    ) AS entry
    ASOF JOIN vintage ON entry.key <= vintage.key
    JOIN events USING (position)
    WHERE j >= (SELECT min(j) FROM cell) GROUP BY ALL
), effect AS (
    SELECT cell.i, cell.released, area, moved.reference, part, max(position) AS position,
           CAST(sum(workers) AS BIGINT) AS workers
    FROM moved JOIN cell USING (j) JOIN reference ON reference.i = cell.i
    WHERE moved.effective_on <= reference.day
    GROUP BY ALL HAVING sum(workers) <> 0
)
SELECT i, released, area, reference, part, position, workers,
       count(*) OVER (PARTITION BY i, released)
FROM effect
QUALIFY row_number() OVER (
    PARTITION BY i, released ORDER BY abs(workers) DESC, area, reference, part) <= $most
ORDER BY i, released, abs(workers) DESC, area, reference, part
"""

# The heads of a regency on a day, as known up to a key.
_HEADS: Final = """
WITH moved AS (
    SELECT unnest($numbers::BIGINT[]) AS number, unnest($areas::VARCHAR[]) AS area,
           unnest($days::DATE[]) AS day, unnest($keys::BIGINT[]) AS known
)
SELECT number, CAST(sum(workers) AS BIGINT)
FROM moved JOIN (
    SELECT area, effective_on, workers, {key} AS key FROM entries
    WHERE position <= $known AND area IN (SELECT area FROM moved)
) AS entry USING (area)
WHERE effective_on <= day AND key <= known GROUP BY number
"""

_POTENTIALS: Final = f"""
{_CELLS}, {_IN_FORCE}, revised AS (
    SELECT area, i, j, position, nullif(potential, 0) AS after,
           nullif(lag(potential) OVER (PARTITION BY area, i ORDER BY j), 0) AS earlier
    FROM in_force
)
SELECT i, released, area, max(position), arg_min_null(earlier, j), arg_max_null(after, j)
FROM revised JOIN cell USING (i, j)
WHERE earlier IS DISTINCT FROM after
GROUP BY i, released, area
HAVING arg_min_null(earlier, j) IS DISTINCT FROM arg_max_null(after, j)
ORDER BY i, released, area
"""
