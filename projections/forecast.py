"""What will lapse: coverage at the month ends to come if nothing is renewed, and which terms end.

Owns what a term's end takes away and what must be renewed to hold a target. The state of each day
is that of `timeline`: what is recorded for later days counts, nothing else is supposed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from projections.boundaries import (
    among,
    boundaries_at,
    each_in_its_days,
    maps_between,
    within,
)
from projections.months import month_ends
from projections.targets import Target, conflicting, target_in_force, targets_of, workers_needed
from projections.timeline import timeline
from registry.terms import is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from projections.timeline import TimelineRow
    from registry.reference.boundaries import Map

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EndingCohort:
    """A cohort whose term ends: its heads on the last covered day, and how many are renewed by then.

    `renewed` are those that a recorded renewal covers on; the others lapse.
    """

    area: str
    area_name: str
    reference: str
    part: str
    category: str
    segment: str | None
    funding: str | None
    covered_until: date
    workers: int
    renewed: int

    @property
    def lapsing(self) -> int:
        """The heads that are covered no more on the day after."""
        return self.workers - self.renewed


@dataclass(frozen=True, slots=True)
class Cliff:
    """A day on which terms have ended, the first that their heads are not covered.

    `coverage` is of that day, `points` its change since the day before, exact; both hold whatever
    else is recorded for the day.
    """

    on: date
    cohorts: int
    workers: int
    renewed: int
    active: int
    coverage: Fraction | None
    points: Fraction | None

    @property
    def lapsing(self) -> int:
        """The heads that are covered no more."""
        return self.workers - self.renewed


@dataclass(frozen=True, slots=True)
class ForecastMonth:
    """The state at the end of a month, and what led to it since the row before.

    `ending` are heads whose term ended, `renewed` those of them that a recorded renewal covers on,
    `other` what else is recorded for those days, net, heads that came or went with their regency
    too. `lapsed` are all that ended unrenewed since the first day. `needed` are the workers short of
    the target, and `must_renew` as many of those who lapsed (in the regencies counted on the day) as
    that takes; None without a target, or a coverage.
    """

    on: date
    active: int | None
    potential: int | None
    coverage: Fraction | None
    regencies_counted: int
    ending: int
    renewed: int
    other: int
    lapsed: int
    needed: int | None
    must_renew: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The answer: the state on the first day, then months, cliffs and cohorts, the largest first.

    `target_percent` is what is to be held: as asked, or that of `target`, the one in force, which
    the targets at `target_conflicts` contradict.
    """

    area: str
    area_name: str
    on: date
    until: date
    known_position: int
    active: int | None
    potential: int | None
    coverage: Fraction | None
    regencies_counted: int
    regencies_total: int
    target: Target | None
    target_conflicts: tuple[int, ...]
    target_percent: Fraction | None
    months: tuple[ForecastMonth, ...]
    cliffs: tuple[Cliff, ...]
    cohorts: tuple[EndingCohort, ...]


def forecast(
    ledger: Ledger,
    area: str,
    on: date,
    until: date,
    *,
    known: int | None = None,
    target_percent: Fraction | None = None,
    as_of: date | None = None,
) -> Forecast:
    """Return what becomes of an area's coverage after a day if nothing more is recorded.

    Shape: a row for each month end after `on` up to `until`, and for `until` itself. What lies in
    the area is of the boundaries of each day; with `as_of`, a day not before `until`, of that day:
    a regency that is split in those days is one with its parts then. A term's end is an area's if
    its regency lies there on the first day that its heads are not covered.
    Without `target_percent` the target in force for the area is to be held, if there is one.
    """
    position = ledger.position if known is None else known
    connection = ledger.connection
    lying = _Lying(area, maps_between(boundaries_at(ledger, position), on, until, as_of), as_of)
    states = _states(ledger, lying, on, until, position)
    cohorts = _ending(connection, lying, on, until, position)
    target: Target | None = None
    conflicts: tuple[int, ...] = ()
    if target_percent is None:
        set_for_it = [
            e for e in targets_of(connection, area, position, lying.first) if e.area == area
        ]
        target = target_in_force(set_for_it, on)
        if target is not None:
            target_percent = 100 * target.share
            conflicts = conflicting(set_for_it).get(target.position, ())
    share = None if target_percent is None else target_percent / 100
    counted_since = _counted_since(connection, lying.ever, position)
    first, cliffs = states.first, _cliffs(states, cohorts)
    return Forecast(
        area=first.area,
        area_name=first.area_name,
        on=on,
        until=until,
        known_position=position,
        active=first.active,
        potential=first.potential,
        coverage=first.coverage,
        regencies_counted=first.regencies_counted,
        regencies_total=first.regencies_total,
        target=target,
        target_conflicts=conflicts,
        target_percent=target_percent,
        months=tuple(_months(states, until, cohorts, share, lying, counted_since)),
        cliffs=tuple(cliffs),
        cohorts=tuple(_largest_first(cohorts, cliffs)),
    )


class _Lying:
    """What lies in an area on each of some days, by keys; `drawn`: from which day on which map.

    In the boundaries of one day (`as_of`) a regency stays together: with `parts`, all that it is
    split into after the first day.
    """

    def __init__(self, area: str, drawn: Sequence[tuple[date, Map]], as_of: date | None) -> None:
        self.area, self.as_of = area, as_of
        self._days = [day for day, _ in drawn]
        self._maps = [each for _, each in drawn]
        self.first = self._maps[0]
        self.parts = frozenset({area})
        if as_of is not None and is_regency(area):
            self.parts = self.first.joined_with(self.parts)
        conditions = [
            (day, among(self.parts) if len(self.parts) > 1 else within([area], each))
            for day, each in drawn
        ]
        self.ever = f"({' OR '.join(dict.fromkeys(each for _, each in conditions))})"
        self.daily = each_in_its_days(conditions)

    @property
    def days(self) -> Sequence[date]:
        """The first day, and each on which another map is to be followed."""
        return self._days

    def drawn(self, day: date) -> Map:
        """Return the map of a day."""
        return self._maps[bisect_right(self._days, day) - 1]

    def keys(self, day: date) -> frozenset[str]:
        """Return the regencies that lie inside on a day."""
        drawn = self.drawn(day)
        if len(self.parts) > 1:
            return frozenset(filter(drawn.has_place, self.parts))
        return frozenset(drawn.keys(self.area))


class _States:
    """The state of an area on any day between the first and the last of a timeline."""

    def __init__(self, rows: Iterable[TimelineRow]) -> None:
        self._rows = list(rows)
        self.days = [row.on for row in self._rows]
        self.first = self._rows[0]

    def at(self, day: date) -> TimelineRow:
        """Return the last row up to a day."""
        return self._rows[bisect_right(self.days, day) - 1]


def _states(ledger: Ledger, lying: _Lying, on: date, until: date, known: int) -> _States:
    """Return the states of an area: those of its timeline, or of its parts taken as one.

    As a trace has it, the parts have a potential where each of them has.
    """
    asked = partial(timeline, ledger, since=on, until=until, known=known)
    whole = asked(lying.area, as_of=lying.as_of)
    if len(lying.parts) == 1:
        return _States(whole)
    first = next(whole)
    parts = {each: _States(asked(each)) for each in lying.parts}
    days = {*lying.days, *(day for each in parts.values() for day in each.days)}
    return _States(
        _as_one(replace(first, on=day), [parts[each].at(day) for each in lying.keys(day)])
        for day in sorted(days)
    )


def _as_one(called: TimelineRow, parts: Sequence[TimelineRow]) -> TimelineRow:
    """Return the state of some parts together."""
    active = [each.active for each in parts if each.active is not None]
    potentials = [each.potential for each in parts if each.potential is not None]
    potential = sum(potentials) if len(potentials) == len(parts) else None
    coverage = Fraction(100 * sum(active), potential) if active and potential else None
    return replace(
        called,
        active=sum(active) if active else None,
        potential=potential,
        coverage=coverage,
        regencies_counted=int(coverage is not None),
    )


def _months(
    states: _States,
    until: date,
    cohorts: Sequence[EndingCohort],
    share: Fraction | None,
    lying: _Lying,
    counted_since: dict[str, date],
) -> Iterator[ForecastMonth]:
    by_end = sorted(cohorts, key=lambda each: each.covered_until)
    lapsed_in: Counter[str] = Counter()
    before = states.first
    done = lapsed = 0
    for day in _days(before.on, until):
        state = states.at(day)
        ending = renewed = 0
        while done < len(by_end) and by_end[done].covered_until < day:
            ending, renewed = ending + by_end[done].workers, renewed + by_end[done].renewed
            lapsed_in[by_end[done].area] += by_end[done].lapsing
            done += 1
        lapsed += ending - renewed
        counted = sum(
            lapsed_in[each]
            for each in lapsed_in.keys() & lying.keys(day)
            if counted_since.get(each, date.max) <= day
        )
        needed = _needed(state, share)
        yield ForecastMonth(
            on=day,
            active=state.active,
            potential=state.potential,
            coverage=state.coverage,
            regencies_counted=state.regencies_counted,
            ending=ending,
            renewed=renewed,
            other=(state.active or 0) - (before.active or 0) + ending - renewed,
            lapsed=lapsed,
            needed=needed,
            must_renew=None if needed is None else min(needed, counted),
        )
        before = state


def _days(on: date, until: date) -> list[date]:
    """Return the month ends after a day, and the last day asked."""
    ends = list(month_ends(on + _DAY, until))
    return ends if ends[-1:] == [until] or until == on else [*ends, until]


def _needed(state: TimelineRow, share: Fraction | None) -> int | None:
    """Return the workers short of a share of the potential that coverage is taken over."""
    if share is None or state.coverage is None or state.potential is None:
        return None
    counted = state.coverage * state.potential / 100
    assert counted.denominator == 1
    return workers_needed(share, state.potential, counted.numerator)


def _cliffs(states: _States, cohorts: Sequence[EndingCohort]) -> list[Cliff]:
    """Return the days on which terms have ended, the largest fall first."""
    found = []
    by_day = sorted(cohorts, key=lambda each: each.covered_until)
    for last_day, group in groupby(by_day, key=lambda each: each.covered_until):
        ended = list(group)
        state = states.at(last_day + _DAY)
        before, after = states.at(last_day).coverage, state.coverage
        found.append(
            Cliff(
                on=last_day + _DAY,
                cohorts=len(ended),
                workers=sum(each.workers for each in ended),
                renewed=sum(each.renewed for each in ended),
                active=state.active or 0,
                coverage=after,
                points=None if before is None or after is None else after - before,
            )
        )
    return sorted(found, key=lambda each: (-each.lapsing, -each.workers, each.on))


def _largest_first(
    cohorts: Sequence[EndingCohort], cliffs: Sequence[Cliff]
) -> Iterator[EndingCohort]:
    """Yield the cohorts of the largest cliff first, and of each cliff the largest first."""
    places = {cliff.on: place for place, cliff in enumerate(cliffs)}
    yield from sorted(
        cohorts,
        key=lambda each: (
            places[each.covered_until + _DAY],
            -each.lapsing,
            -each.workers,
            each.area,
            each.reference,
            each.part,
            each.category,
        ),
    )


# The heads that a cohort's end takes away are what is left of it, whoever left before. Those a
# renewal covers on are its own on its first day: heads named as leaving on that day never were.
_ENDING: Final = """
WITH ending AS (
    SELECT area, cohort_reference, cohort_part, category, segment, funding, effective_on AS ends_on,
           -sum(workers) AS workers
    FROM entries
    WHERE kind = 'lapse' AND effective_on > $on AND effective_on <= $until AND position <= $known
      AND {inside}
    GROUP BY ALL HAVING sum(workers) <> 0
), continuing AS (
    SELECT DISTINCT area, category, segment, funding, cohort_reference, cohort_part, expires_on,
           of_reference, of_part, of_funding, effective_on AS starts_on
    FROM entries
    WHERE kind = 'renewal' AND effective_on > $on AND effective_on <= $until
      AND position <= $known AND {inside}
), renewed AS (
    SELECT continuing.area, continuing.of_reference, continuing.of_part, continuing.category,
           continuing.segment, continuing.of_funding, starts_on, sum(entries.workers) AS workers
    FROM continuing JOIN entries
      ON entries.area = continuing.area AND entries.category = continuing.category
     AND entries.segment IS NOT DISTINCT FROM continuing.segment
     AND entries.funding IS NOT DISTINCT FROM continuing.funding
     AND entries.cohort_reference = continuing.cohort_reference
     AND entries.cohort_part = continuing.cohort_part
     AND entries.expires_on = continuing.expires_on
    WHERE entries.effective_on <= starts_on AND entries.position <= $known
      AND entries.kind NOT IN ('reclassification', 'transfer')
    GROUP BY ALL
)
SELECT ending.area, cohort_reference, cohort_part, ending.category, ending.segment,
       ending.funding, ends_on, CAST(ending.workers AS BIGINT),
       CAST(coalesce(renewed.workers, 0) AS BIGINT)
FROM ending LEFT JOIN renewed
  ON renewed.area = ending.area AND renewed.of_reference = cohort_reference
 AND renewed.of_part = cohort_part AND renewed.category = ending.category
 AND renewed.segment IS NOT DISTINCT FROM ending.segment
 AND renewed.of_funding IS NOT DISTINCT FROM ending.funding AND renewed.starts_on = ends_on
ORDER BY ALL
"""


def _ending(
    connection: DuckDBPyConnection, lying: _Lying, on: date, until: date, known: int
) -> list[EndingCohort]:
    """Return the cohorts whose term ends after a day, covered no more by another at the latest."""
    found = connection.execute(
        _ENDING.format(inside=lying.daily), {"on": on, "until": until, "known": known}
    ).fetchall()
    return [
        EndingCohort(
            area=code,
            area_name=lying.drawn(ends_on).name(code),
            reference=reference,
            part=part,
            category=category,
            segment=segment,
            funding=funding,
            covered_until=ends_on - _DAY,
            workers=workers,
            renewed=renewed,
        )
        for code, reference, part, category, segment, funding, ends_on, workers, renewed in found
    ]


def _counted_since(connection: DuckDBPyConnection, inside: str, known: int) -> dict[str, date]:
    """Return from which day each regency has a potential: later ones only take its place."""
    found = connection.execute(
        f"""
        SELECT area, min(valid_from) FROM potentials
        WHERE position <= $known AND {inside} AND NOT EXISTS (
            SELECT 1 FROM taken_back
            WHERE takes_back_position = potentials.position AND taken_back.position <= $known)
        GROUP BY area
        """,
        {"known": known},
    ).fetchall()
    return dict(found)
