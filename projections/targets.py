"""Targets: how many workers each one needs, at what pace, and which contradict each other.

Owns the arithmetic of a target and which one is in force. What the coverage is it asks of
`coverage`; the pace of the past is summed per regency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from projections.boundaries import boundaries_at, within
from projections.coverage import coverage_at, potentials_in_force
from projections.months import months_after, months_between
from registry.reference.spelling import words
from registry.terms import is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.coverage import CoverageRow
    from projections.ledger import Ledger
    from registry.reference.boundaries import AreaChange, Map

PACE_MONTHS: Final = 12

Course = Literal["reached", "on-course", "behind", "overdue", "unknown"]


@dataclass(frozen=True, slots=True)
class Target:
    """A coverage target that somebody set and nobody took back.

    `percent` is as printed; `basis` is what it rests on, in the words of its source.
    """

    position: int
    area: str
    due_on: date
    percent: str
    basis: str
    source: str
    documented_on: date | None

    @property
    def share(self) -> Fraction:
        """The target as a share of the potential."""
        return Fraction(self.percent) / 100


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target beside what is covered on a day, over the same regencies as the coverage.

    `area` is the code of the day, the target's own the one it is kept under. `needed` are workers:
    the target's share of the potential in force, rounded up, less those active; never below 0, None
    without both. `gap_points` is exact. `pace_needed` are workers a month until it is due, `pace`
    those gained a month over the last twelve (or since the first entry, if that is later; see
    `pace_since`), but for those a newly opened regency had from the one it was split from. `conflicts_with` are the positions of targets of the same area and due year that
    cannot be held together with it.
    """

    target: Target
    area: str
    area_name: str
    on: date
    known_position: int
    active: int | None
    active_counted: int | None
    potential: int | None
    coverage: Fraction | None
    regencies_counted: int
    regencies_total: int
    needed: int | None
    gap_points: Fraction | None
    months_left: Fraction
    pace_needed: Fraction | None
    pace: Fraction | None
    pace_since: date | None
    course: Course
    conflicts_with: tuple[int, ...]


def targets_at(
    ledger: Ledger,
    area: str,
    on: date,
    *,
    known: int | None = None,
    as_of: date | None = None,
) -> list[TargetRow]:
    """Return the targets of an area and of those below it, each with what it needs on a day.

    Shape: one row per target known and not taken back, by area, due date and percentage. What lies
    in an area is of the boundaries of the day; with `as_of`, a day not before it, of that day.
    """
    position = ledger.position if known is None else known
    boundaries = boundaries_at(ledger, position)
    drawn = boundaries.map_on(on, as_of=as_of)
    targets = targets_of(ledger.connection, area, position, drawn)
    if not targets:
        return []
    areas = list(dict.fromkeys(each.area for each in targets))
    rows = coverage_at(ledger, areas, on, known=position, as_of=as_of)
    covered = {row.key: row for row in rows}
    gained = _gained(ledger, within(areas, drawn), on, position)
    _leave_out_splits(ledger.connection, gained, boundaries.opened.values(), on, position)
    conflicts = conflicting(targets)
    return [
        _row(each, covered[_key(each.area, drawn)], drawn, gained, conflicts.get(each.position, ()))
        for each in targets
    ]


def _key(area: str, drawn: Map) -> str:
    """Return under which key coverage has an area: what was split is one with what it became."""
    inside = drawn.inside(area)
    return inside[0].key if is_regency(area) and inside else area


def workers_needed(share: Fraction, potential: int, active: int) -> int:
    """Return how many more workers reach a share of the potential: ⌈share × potential⌉ − active."""
    return max(0, math.ceil(share * potential) - active)


def conflicting(targets: Iterable[Target]) -> dict[int, tuple[int, ...]]:
    """Return target → the targets it contradicts, of the same area and due year."""
    same: dict[tuple[str, int], list[Target]] = {}
    for each in targets:
        same.setdefault((each.area, each.due_on.year), []).append(each)
    return {
        each.position: others
        for group in same.values()
        for each in group
        if (others := tuple(other.position for other in group if _contradict(each, other)))
    }


def _contradict(one: Target, other: Target) -> bool:
    """Whether two targets of one year cannot both be held: they ask for different percentages.

    Milestones that one document sets for different days contradict each other only if the later
    asks for less.
    """
    if one.share == other.share or one.due_on == other.due_on:
        return one.share != other.share
    if not _is_one_document(one, other):
        return True
    earlier, later = sorted((one, other), key=lambda each: each.due_on)
    return later.share < earlier.share


def _is_one_document(one: Target, other: Target) -> bool:
    """Whether two targets stand in one paper, or rest on one, as their sources put it."""
    return words(one.source) == words(other.source) or words(one.basis) == words(other.basis)


def target_in_force(targets: Sequence[Target], on: date) -> Target | None:
    """Return the target that is to be held on a day, of those of one area.

    The next one due, on that day or later; after the last, the last. Among those due on the same
    day the one recorded last.
    """
    ahead = [each for each in targets if each.due_on >= on]
    if ahead:
        return min(ahead, key=lambda each: (each.due_on, -each.position))
    return max(targets, key=lambda each: (each.due_on, each.position), default=None)


def targets_of(connection: DuckDBPyConnection, area: str, known: int, drawn: Map) -> list[Target]:
    """Return the targets of an area and of those below it, as known at a position."""
    found = connection.execute(
        f"""
        SELECT position, area, due_on, percent, basis, source, documented_on FROM targets
        WHERE position <= $known AND ({within([area], drawn)} OR area = $area) AND NOT EXISTS (
            SELECT 1 FROM taken_back
            WHERE takes_back_position = targets.position AND taken_back.position <= $known)
        ORDER BY area <> 'ID', area, due_on, percent::DECIMAL(18, 6), position
        """,
        {"area": area, "known": known},
    ).fetchall()
    return [Target(*each) for each in found]


@dataclass(frozen=True, slots=True)
class _Gain:
    """What a regency gained since a day: a year ago, or its first entry, if that is later."""

    since: date
    workers: int


def _row(
    target: Target,
    covered: CoverageRow,
    drawn: Map,
    gained: Mapping[str, _Gain],
    conflicts: tuple[int, ...],
) -> TargetRow:
    needed = gap = None
    if covered.coverage is not None and covered.potential and covered.active_counted is not None:
        needed = workers_needed(target.share, covered.potential, covered.active_counted)
        gap = max(Fraction(), 100 * target.share - covered.coverage)
    left = months_between(covered.on, target.due_on)
    pace, since = _pace(covered, drawn, gained)
    return TargetRow(
        target=target,
        area=covered.area,
        area_name=covered.area_name,
        on=covered.on,
        known_position=covered.known_position,
        active=covered.active,
        active_counted=covered.active_counted,
        potential=covered.potential,
        coverage=covered.coverage,
        regencies_counted=covered.regencies_counted,
        regencies_total=covered.regencies_total,
        needed=needed,
        gap_points=gap,
        months_left=left,
        pace_needed=needed / left if needed is not None and left else None,
        pace=pace,
        pace_since=since,
        course=_course(needed, left, pace),
        conflicts_with=conflicts,
    )


def _course(needed: int | None, left: Fraction, pace: Fraction | None) -> Course:
    if needed is None:
        return "unknown"
    if needed == 0:
        return "reached"
    if not left:
        return "overdue"
    if pace is None:
        return "unknown"
    return "on-course" if pace * left >= needed else "behind"


def _pace(
    covered: CoverageRow, drawn: Map, gained: Mapping[str, _Gain]
) -> tuple[Fraction | None, date | None]:
    """Return workers gained a month, and since when: summed over the regencies that are counted.

    Each regency's gain is since its own first day, if that is less than a year ago; what began then
    is gained, but for an opening. The earliest of those days is returned.
    """
    paces: list[Fraction] = []
    days: list[date] = []
    for regency in drawn.keys(covered.key):
        gain = gained.get(regency)
        months = months_between(gain.since, covered.on) if gain else Fraction()
        if gain and months:
            paces.append(gain.workers / months)
            days.append(gain.since)
    return (sum(paces, Fraction()), min(days)) if paces else (None, None)


def _gained(ledger: Ledger, inside: str, on: date, known: int) -> dict[str, _Gain]:
    """Return what each regency that has a potential gained over the last twelve months."""
    potentials = potentials_in_force(ledger.connection, on, known)
    found = ledger.connection.execute(
        f"""
        WITH asked AS (
            SELECT area, effective_on, workers, kind,
                   greatest(min(effective_on) OVER (PARTITION BY area), $year_ago) AS since
            FROM entries WHERE effective_on <= $on AND position <= $known AND {inside}
        )
        SELECT area, since, CAST(coalesce(sum(workers) FILTER (
            effective_on > since OR (since > $year_ago AND kind <> 'opening')), 0) AS BIGINT)
        FROM asked GROUP BY area, since
        """,
        {"on": on, "known": known, "year_ago": months_after(on, -PACE_MONTHS)},
    ).fetchall()
    return {area: _Gain(since, gain) for area, since, gain in found if area in potentials}


def _leave_out_splits(
    connection: DuckDBPyConnection,
    gained: dict[str, _Gain],
    openings: Iterable[AreaChange],
    on: date,
    known: int,
) -> None:
    """Leave out of what regencies gained the heads that a new one had from the start.

    Those are transferred on the day it is opened from the one whose part it was: neither gained by
    the one nor lost by the other.
    """
    year_ago = months_after(on, -PACE_MONTHS)
    for opening in openings:
        if opening.split_from is None or not year_ago < opening.on <= on:
            continue
        ((workers,),) = connection.execute(
            """
            SELECT CAST(coalesce(-sum(entries.workers), 0) AS BIGINT)
            FROM entries JOIN events USING (position)
            WHERE entries.kind = 'transfer' AND entries.area = $parent AND events.area = $area
              AND entries.effective_on = $day AND position <= $known
            """,
            {"parent": opening.split_from, "area": opening.area, "day": opening.on, "known": known},
        ).fetchall()
        for area, came in ((opening.area, workers), (opening.split_from, -workers)):
            if area in gained:
                gained[area] = replace(gained[area], workers=gained[area].workers - came)
