"""The timeline of an area: its state after each day on which something changed.

One sweep over the days, in memory that does not grow with the entries: sums per day and regency
come ordered from the ledger, and the totals are carried along. Equal, day for day, to
`coverage.coverage_at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from projections.boundaries import boundaries_at, each_in_its_days, maps_between, within
from projections.coverage import potentials_in_force
from projections.roll_up import EVERYBODY, RollUp

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from registry.reference.boundaries import Map

PAGE_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """The state of an area, or of one category in it, at the end of a day.

    `workers_in` and `workers_out` are heads that came and went on the day, corrections settled:
    what a correction or withdrawal took back is in neither. A term that ends is `workers_out`.
    `reconciled` is the day's balancing entries, net and signed: nobody is known to have come or
    gone, so they are in neither. `active_counted` are the heads of the regencies counted, which the
    percentage is taken of. With categories, `potential` and `coverage` are None and `points`
    is the share of the area's percentage.
    """

    area: str
    area_name: str
    category: str | None
    on: date
    known_position: int
    workers_in: int
    workers_out: int
    reconciled: int
    active: int | None
    potential: int | None
    coverage: Fraction | None
    points: Fraction | None
    regencies_counted: int
    regencies_total: int
    complete: bool
    active_counted: int | None


@dataclass(frozen=True, slots=True)
class _State:
    """What is compared from one day to the next, so that a row means a change."""

    active: int | None
    potential: int | None
    coverage: Fraction | None
    points: Fraction | None
    counted: int
    active_counted: int | None
    code: str


class _Flow(NamedTuple):
    """Heads in, heads out, and the balancing entries (signed) of one day."""

    entered: int
    left: int
    reconciled: int


@dataclass(slots=True)
class _Day:
    """What one day brings: heads per (regency, category), flows, potentials, another map."""

    drawn: Map | None = None
    moves: list[tuple[str, str, int]] = field(default_factory=list)
    flows: dict[str, _Flow] = field(default_factory=dict)
    potentials: list[tuple[str, int]] = field(default_factory=list)


def timeline(
    ledger: Ledger,
    area: str,
    *,
    since: date | None = None,
    until: date,
    known: int | None = None,
    by_category: bool = False,
    as_of: date | None = None,
) -> Iterator[TimelineRow]:
    """Yield the state of an area at the end of each day on which it changed, oldest first.

    Shape: one row per day of change up to `until`; with `since`, the state on that day first, and
    only what follows. `by_category`: one row per category that changed on the day.
    Units: workers are persons; coverage and points are percent of labour potential, exact.
    A province's regencies are those of each day; with `as_of`, a day not before `until`, those of
    that day. A regency that comes under it, or leaves it, changes the state without a flow.
    Read it while the ledger is open.
    """
    position = ledger.position if known is None else known
    connection = ledger.connection
    before = None if since is None else since - timedelta(days=1)
    boundaries = boundaries_at(ledger, position)
    drawn = maps_between(boundaries, before or date.min, until, as_of)
    sweep = _Sweep(area, drawn[0][1], by_category=by_category)
    shown: dict[str, _State] = {}
    started = since is None
    asked = _asked(area, drawn, before, until, position, by_category=by_category)
    for on, day in _days(connection, asked, drawn[1:]):
        if not started and since is not None and on > since:
            # nothing changed on the first day itself: its state is the one before
            yield from _rows(sweep, since, position, {}, shown, all_groups=True)
            started = True
        sweep.take(day)
        if since is None or on >= since:
            first = not started
            yield from _rows(sweep, on, position, day.flows, shown, all_groups=first)
            started = True
    if not started and since is not None and since <= until:
        yield from _rows(sweep, since, position, {}, shown, all_groups=True)


def _rows(
    sweep: _Sweep,
    on: date,
    position: int,
    flows: dict[str, _Flow],
    shown: dict[str, _State],
    *,
    all_groups: bool,
) -> Iterator[TimelineRow]:
    """Yield a row for each group that changed since it was last shown."""
    for group in sweep.groups():
        state = sweep.state(group)
        flow = flows.get(group, _STILL)
        if not (all_groups or any(flow) or shown.get(group, _nothing(state.code)) != state):
            continue
        shown[group] = state
        yield TimelineRow(
            area=state.code,
            area_name=sweep.name,
            category=group or None,
            on=on,
            known_position=position,
            workers_in=flow.entered,
            workers_out=flow.left,
            reconciled=flow.reconciled,
            active=state.active,
            potential=state.potential,
            coverage=state.coverage,
            points=state.points,
            regencies_counted=state.counted,
            regencies_total=sweep.total,
            complete=state.counted == sweep.total > 0,
            active_counted=state.active_counted,
        )


_STILL: Final = _Flow(0, 0, 0)


def _nothing(code: str) -> _State:
    """Return the state before anything is known of an area."""
    return _State(None, None, None, None, 0, None, code)


class _Sweep:
    """The running state of an area, by category or as a whole."""

    def __init__(self, area: str, drawn: Map, *, by_category: bool) -> None:
        self._area = area
        self._by_category = by_category
        self._roll_up = RollUp(area, drawn.keys(area))
        self.code, self.name = drawn.code(area), drawn.name(area)

    @property
    def total(self) -> int:
        """How many regencies lie inside."""
        return self._roll_up.regencies_total

    def take(self, day: _Day) -> None:
        """Take in what one day brings."""
        if day.drawn is not None:
            self._roll_up.draw(day.drawn.keys(self._area))
            self.code, self.name = day.drawn.code(self._area), day.drawn.name(self._area)
        for regency, category, workers in day.moves:
            self._roll_up.move(regency, workers, category)
        for area, workers in day.potentials:
            self._roll_up.revise(area, workers)

    def groups(self) -> list[str]:
        """Return the groups there are: the categories seen so far, or the whole."""
        return sorted(self._roll_up.groups) if self._by_category else [EVERYBODY]

    def state(self, group: str) -> _State:
        """Return the state of a group, or of the whole area."""
        area = self._roll_up
        counted = area.regencies_counted
        heads = area.groups_counted.get(group, 0) if area.coverage is not None else None
        if not self._by_category:
            return _State(
                area.active, area.potential, area.coverage, None, counted, heads, self.code
            )
        points = (
            Fraction(100 * area.groups_counted.get(group, 0), area.potential)
            if area.coverage is not None and area.potential
            else None
        )
        active = None if area.active is None else area.groups[group]
        return _State(active, None, None, points, counted, heads, self.code)


class _Asked(NamedTuple):
    """What is asked of the ledger: where, up to which day and position, after which day.

    `ever` is a condition over `area`: what lies inside on any day; `daily` on the day itself.
    """

    area: str
    keys: frozenset[str]
    ever: str
    daily: str
    before: date | None
    until: date
    known: int
    category: str

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of a question."""
        return {"before": self.before, "until": self.until, "known": self.known}


def _asked(
    area: str,
    drawn: Sequence[tuple[date, Map]],
    before: date | None,
    until: date,
    known: int,
    *,
    by_category: bool,
) -> _Asked:
    conditions = [(day, within([area], each)) for day, each in drawn]
    ever = " OR ".join(dict.fromkeys(condition for _, condition in conditions))
    return _Asked(
        area=area,
        keys=frozenset(key for _, each in drawn for key in each.keys(area)),
        ever=f"({ever})",
        daily=each_in_its_days(conditions),
        before=before,
        until=until,
        known=known,
        category="category" if by_category else f"'{EVERYBODY}'",
    )


def _days(
    connection: DuckDBPyConnection, asked: _Asked, drawn: Sequence[tuple[date, Map]]
) -> Iterator[tuple[date, _Day]]:
    """Yield the days that bring anything, in order; all days up to `before` as one."""
    days: dict[date, _Day] = {}
    for on, map_of_day in drawn:
        days.setdefault(on, _Day()).drawn = map_of_day
    for on, moved_area, workers in _potential_changes(connection, asked):
        days.setdefault(on, _Day()).potentials.append((moved_area, workers))
    for on, group, *flow in _flows(connection, asked):
        days.setdefault(on, _Day()).flows[group] = _Flow(*flow)
    waiting = iter(sorted(days))
    next_day = next(waiting, None)
    for on, moves in groupby(_moves(connection, asked), key=lambda row: row[0]):
        while next_day is not None and next_day < on:
            yield next_day, days[next_day]
            next_day = next(waiting, None)
        day = days.get(on, _Day())
        day.moves = [(regency, category, workers) for _, regency, category, workers in moves]
        if next_day == on:
            next_day = next(waiting, None)
        yield on, day
    while next_day is not None:
        yield next_day, days[next_day]
        next_day = next(waiting, None)


_Move = tuple[date, str, str, int]


def _moves(connection: DuckDBPyConnection, asked: _Asked) -> Iterator[_Move]:
    """Yield (day, regency, category, heads), by day; days up to `before` count as that day."""
    found = connection.cursor().execute(
        f"SELECT {_DAY} AS day, area, {asked.category} AS category, CAST(sum(workers) AS BIGINT)"
        f" FROM main.entries WHERE {_UP_TO} AND {asked.ever}"
        " GROUP BY ALL ORDER BY day, area, category",
        asked.parameters,
    )
    while page := found.fetchmany(PAGE_ROWS):
        yield from page


def _flows(connection: DuckDBPyConnection, asked: _Asked) -> list[tuple[date, str, int, int, int]]:
    """Return (day, category, heads in, heads out, balancing entries) of the days after `before`.

    What one batch moves in one cohort is summed over all acts first, so that a correction shows
    only what it came to. Legs of a reclassification are settled within what is asked, and the end
    of a term is one movement of its cohort, whoever left it before.
    """
    settled = f"""
        SELECT effective_on, {asked.category} AS category, kind = 'reconciling' AS balances,
            sum(workers) AS workers
        FROM main.entries WHERE {_UP_TO} AND {asked.daily}
          AND ($before IS NULL OR effective_on > $before)
        GROUP BY effective_on, {asked.category}, kind,
            CASE WHEN kind <> 'lapse' THEN reference END, CASE WHEN kind <> 'lapse' THEN part END,
            CASE WHEN kind NOT IN ('reclassification', 'transfer')
                 THEN (area, category, segment, funding, cohort_reference, cohort_part, expires_on)
            END
    """
    return connection.execute(
        "SELECT effective_on, category,"
        f" {_heads('workers > 0 AND NOT balances')}, -{_heads('workers < 0 AND NOT balances')},"
        f" {_heads('balances')}"
        f" FROM ({settled}) GROUP BY ALL HAVING count(*) FILTER (workers <> 0) > 0",
        asked.parameters,
    ).fetchall()


def _heads(condition: str) -> str:
    return f"CAST(coalesce(sum(workers) FILTER ({condition}), 0) AS BIGINT)"


def _potential_changes(
    connection: DuckDBPyConnection, asked: _Asked
) -> list[tuple[date, str, int]]:
    """Return (day, area, persons) for each day on which another potential comes into force."""
    changes: list[tuple[date, str, int]] = []
    if asked.before is not None:
        in_force = potentials_in_force(connection, asked.before, asked.known)
        changes += [(asked.before, code, each.workers) for code, each in in_force.items()]
    changes += connection.execute(
        """
        SELECT valid_from, area, workers FROM potentials
        WHERE valid_from <= $until AND position <= $known
          AND ($before IS NULL OR valid_from > $before)
          AND NOT EXISTS (
            SELECT 1 FROM taken_back WHERE taken_back.takes_back_position = potentials.position
              AND taken_back.position <= $known)
        QUALIFY row_number() OVER (PARTITION BY area, valid_from ORDER BY position DESC) = 1
        """,
        asked.parameters,
    ).fetchall()
    return [change for change in changes if change[1] == asked.area or change[1] in asked.keys]


_UP_TO: Final = "effective_on <= $until AND position <= $known"
_DAY: Final = "greatest(effective_on, coalesce(CAST($before AS DATE), effective_on))"
