"""The trace: how one figure became another, and what published figures say of both.

What the steps come to is the change of the heads (`steps`); the change of the percentage is divided
into its effects (`effects`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from projections.boundaries import among
from projections.closings import overrides
from projections.coverage import CoverageRow, coverage_at
from projections.effects import Effects, Measured, effects
from projections.late_potentials import LatePotential, late_potentials
from projections.steps import LINES, Flows, Point, Traced, groups, maps, shown, sides, together
from registry.dates import last_day_of
from registry.terms import Kind, is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.closings import Overridden
    from projections.ledger import Ledger
    from registry.reference.boundaries import Map, Place

Value = TypeVar("Value")

IN_WORDS: Final = {"entered": "in", "left": "out"}
"""What a line of the flows is called in a statement, where it is called otherwise."""


@dataclass(frozen=True, slots=True)
class End:
    """The figure at one end; counts are persons, percentages exact.

    `points` are the heads' share of the potential: the coverage itself, or, of a category, its part
    of the area's (`coverage` is None then). None where coverage is. `own_potential`: whether the
    area's own recorded potential is taken, and not the sum of its regencies'.
    """

    on: date
    known_position: int
    active: int | None
    active_counted: int | None
    potential: int | None
    coverage: Fraction | None
    points: Fraction | None
    potential_valid_from: date | None
    potential_definition: str | None
    potential_source: str | None
    own_potential: bool
    regencies_total: int
    regencies_counted: int
    complete: bool


@dataclass(frozen=True, slots=True)
class LateMove:
    """A regency that was moved against its closing, and where the closing was overridden."""

    area: str
    position: int


@dataclass(frozen=True, slots=True)
class Published:
    """What somebody printed of an end's day: percentages as printed, the others persons.

    `difference` is published less ledger; None without a published count of heads, or a ledger's.
    """

    as_of: str
    active: int | None
    potential: int | None
    percent: str | None
    uncovered_percent: str | None
    publisher: str
    published_on: date | None
    source: str
    position: int
    difference: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement: persons and exact points, signed; None where there is nothing to say.

    `line`: opening, in, out, lapsed, renewed, reconciled, restated, moved, closing or change.
    """

    line: str
    workers: int | None
    points: Fraction | None


@dataclass(frozen=True, slots=True)
class Trace:
    """How an area's figure at one end became that at the other.

    `area` and `area_name` are the code and name at the second end; `joined`: of several regencies,
    one of which was split in between, both ends being of all of them. `moved_in` and `moved_out` are
    the regencies that lie inside at one end only; `names` of codes that differ from the built-in. `points` and `effects` are None where either end has no coverage. `entering` and `leaving` are
    the regencies counted only at the second or first end; `redefined` those counted at both whose
    potential counts something else, or the area itself, where its own potential is taken at an end.
    `left_by_reason`: of the deactivations of the period, signed. `balanced`: the heads of all
    balancing entries among the steps, restated ones too, less those whose term ended.
    `published_change` is None unless each end has one published count of heads. `late`: some steps
    were recorded on closed days, as were the `late_potentials`, in force at one end only, and the
    `late_moves` of regencies that lie inside at one end only.
    """

    traced: Traced
    area: str
    area_name: str
    joined: bool
    start: End
    end: End
    flows: Flows
    flows_by_kind: dict[str, Flows]
    left_by_reason: dict[str, int]
    balanced: int
    points: Fraction | None
    effects: Effects | None
    entering: tuple[str, ...]
    leaving: tuple[str, ...]
    redefined: tuple[str, ...]
    moved_in: tuple[str, ...]
    moved_out: tuple[str, ...]
    names: Mapping[str, str]
    published_start: tuple[Published, ...]
    published_end: tuple[Published, ...]
    published_change: int | None
    late: bool
    late_potentials: tuple[LatePotential, ...]
    late_moves: tuple[LateMove, ...]

    @property
    def active(self) -> int:
        """Return the change of the heads; before an area's first entry there are none."""
        return (self.end.active or 0) - (self.start.active or 0)

    @property
    def published_difference(self) -> int | None:
        """Return how much more the published figures changed than the ledger."""
        return None if self.published_change is None else self.published_change - self.active

    @property
    def unexplained(self) -> int:
        """Return the heads that no batch explains: balanced away, or published and not recorded."""
        return self.balanced + (self.published_difference or 0)

    @property
    def statement(self) -> tuple[Line, ...]:
        """Return opening, what came and went, closing and change.

        Points of a line are its heads' part of the numerator effect.
        """
        worth = self.points_a_head
        flows = (
            Line(IN_WORDS.get(line, line), heads, None if worth is None else heads * worth)
            for line in LINES
            if line != "moved" or self.moved_in or self.moved_out
            for heads in [getattr(self.flows, line)]
        )
        return (
            Line("opening", self.start.active, self.start.points),
            *flows,
            Line("closing", self.end.active, self.end.points),
            Line("change", self.active, self.points),
        )

    @property
    def points_a_head(self) -> Fraction | None:
        """Return what a head is worth in points; None where not every step is of those counted."""
        every_head_counts = all(each.active == each.active_counted for each in self._ends())
        if self.effects is None or not every_head_counts or self.entering or self.leaving:
            return None
        return self.effects.points_a_head

    def _ends(self) -> tuple[End, End]:
        return self.start, self.end


_NOTHING: Final = Flows(*(0 for _line in LINES))


def trace(ledger: Ledger, traced: Traced) -> Trace:
    """Return how a figure became another: both ends, the statement, and the percentage's effects.

    Units: workers are persons; percentages and points are exact.
    Rule: an entry is counted at an end if it took effect by its day and stands in the log by its
    position; the steps are the entries counted at exactly one end.
    """
    drawn = maps(ledger, traced)
    start, measured_start, used_start = _end(ledger, traced, traced.start, drawn)
    end, measured_end, used_end = _end(ledger, traced, traced.end, (drawn[1], drawn[0]))
    inside_start, inside_end = sides(traced.area, drawn)
    whole = _whole(traced.area, drawn)

    def codes(keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(shown(key, drawn) for key in keys))

    kinds = list(groups(ledger, traced, "reason"))
    by_kind: dict[str, Flows] = {}
    for each in kinds:
        kind = str(each.kind)
        by_kind[kind] = by_kind[kind] + each.flows if kind in by_kind else each.flows
    published_start = _published(ledger.connection, traced, start, drawn)
    published_end = _published(ledger.connection, traced, end, (drawn[1], drawn[0]))
    both = None
    if measured_start is not None and measured_end is not None:
        both = effects(measured_start, measured_end)
    return Trace(
        traced=traced,
        area=shown(traced.area, drawn) if whole is None else whole.code,
        area_name=_called(traced.area, drawn) if whole is None else whole.name,
        joined=whole is not None,
        start=start,
        end=end,
        flows=Flows(*(sum(getattr(each, line) for each in by_kind.values()) for line in LINES)),
        flows_by_kind={kind: each for kind, each in by_kind.items() if each != _NOTHING},
        left_by_reason={
            each.reason: each.flows.left
            for each in kinds
            if each.kind == Kind.DEACTIVATION and each.reason is not None and each.flows.left
        },
        balanced=sum(each.flows.workers for each in kinds if each.of_balance),
        points=None if start.points is None or end.points is None else end.points - start.points,
        effects=both,
        entering=codes(used_end.counted - used_start.counted),
        leaving=codes(used_start.counted - used_end.counted),
        redefined=codes(_redefined(traced.area, used_start, used_end)),
        moved_in=codes(each for each in inside_end - inside_start if drawn[1].has_place(each)),
        moved_out=codes(each for each in inside_start - inside_end if drawn[0].has_place(each)),
        names={
            each.code: each.shown_name
            for one in drawn
            if not one.is_built_in
            for each in one.places
        },
        published_start=published_start,
        published_end=published_end,
        published_change=_published_change(published_start, published_end),
        late=any(each.late for each in kinds),
        late_potentials=tuple(
            replace(each, area=shown(each.area, drawn))
            for each in late_potentials(
                ledger.connection,
                (traced.start.on, traced.start.known),
                (traced.end.on, traced.end.known),
                inside_start | inside_end,
            )
        ),
        late_moves=tuple(
            LateMove(shown(each.area, drawn), each.position)
            for each in _late_moves(ledger, traced, inside_start ^ inside_end)
        ),
    )


def _late_moves(ledger: Ledger, traced: Traced, moved: Collection[str]) -> Iterator[Overridden]:
    """Yield what was recorded of regencies that moved, against their closings."""
    known = max(traced.start.known, traced.end.known)
    for each in overrides(ledger.connection, among(moved), known) if moved else ():
        if each.what == "boundaries":
            yield each


def as_of_texts(on: date) -> tuple[str, ...]:
    """Return what a published figure may say of a day: the day, or the month or year it ends."""
    day = on.isoformat()
    texts = (day, day[: len("2025-07")], day[: len("2025")])
    return tuple(text for text in texts if last_day_of(text) == on)


def _called(area: str, drawn: tuple[Map, Map]) -> str:
    """Return an area's name at the second end, or at the first where it is none at that."""
    first, second = drawn
    gone = is_regency(area) and not second.has(area) and first.has(area)
    return (first if gone else second).name(area)


def _whole(area: str, drawn: tuple[Map, Map]) -> Place | None:
    """Return the regencies that are one at both ends, where one was split in between."""
    if not is_regency(area):
        return None
    keys = together(area, drawn)
    places = [[place for place in each.places if place.key in keys] for each in drawn]
    if not any(others for _one, *others in filter(None, places)):
        return None
    return next((one for (one, *others) in filter(None, places) if not others), None)


# --- the ends -----------------------------------------------------------------------------------


class _Used(NamedTuple):
    """Which regencies are counted at an end, and what the potentials that it is taken over count.

    `definitions`: of each of those regencies, or of the area alone where its own potential is taken.
    """

    counted: frozenset[str]
    definitions: Mapping[str, frozenset[str | None]]


def _redefined(area: str, start: _Used, end: _Used) -> Iterable[str]:
    """Yield whose potential counts something else at the two ends, of those used at them."""
    of_whole = [area in each.definitions for each in (start, end)]
    if of_whole[0] != of_whole[1] and start.definitions and end.definitions:
        first, second = (frozenset().union(*e.definitions.values()) for e in (start, end))
        return [area] if first != second else []
    common = start.definitions.keys() & end.definitions.keys()
    return [each for each in common if start.definitions[each] != end.definitions[each]]


def _end(
    ledger: Ledger, traced: Traced, at: Point, drawn: tuple[Map, Map]
) -> tuple[End, Measured | None, _Used]:
    """Return an end, what its percentage is taken over, and what each potential counted counts.

    `drawn`: the map at this end, then that at the other.
    """
    area, category = traced.area, traced.category
    here, other = drawn
    inside = here.keys(area)
    if is_regency(area):
        inside = tuple(each for each in sorted(together(area, drawn)) if here.has_place(each))
        if len(inside) > 1:
            return _end_of_parts(ledger, traced, at, inside)
    whole_key = next(iter(inside), area) if is_regency(area) else area
    asked = list(dict.fromkeys((whole_key, *inside)))
    question = partial(coverage_at, ledger, asked, at.on, known=at.known, as_of=traced.as_of)
    totals = {row.key: row for row in question()}
    rows = totals if category is None else {row.key: row for row in question(category=category)}
    whole, row = totals[whole_key], rows[whole_key]
    counted = [each for each in inside if totals[each].coverage is not None]

    def label(key: str) -> str:
        """Return by which key a regency is compared: what was split since with its parts."""
        holder = area if is_regency(area) else other.holder(key)
        return holder if is_regency(area) or holder in {*inside} & {*other.keys(area)} else key

    measured = None
    if whole.coverage is not None and whole.potential is not None:
        parts: dict[str, tuple[int, int]] = {}
        for each in counted:
            heads, potential = parts.get(label(each), (0, 0))
            parts[label(each)] = (
                heads + (rows[each].active or 0),
                potential + (totals[each].potential or 0),
            )
        measured = Measured(row.active_counted or 0, whole.potential, parts)
    defined: dict[str, frozenset[str | None]] = {}
    if counted and whole.own_potential and not is_regency(area):
        defined[area] = frozenset({whole.potential_definition})
    else:
        for each in counted:
            said = {totals[each].potential_definition}
            defined[label(each)] = defined.get(label(each), frozenset()) | said
    used = _Used(frozenset(map(label, counted)), defined)
    return _shown(whole, row, category), measured, used


def _end_of_parts(
    ledger: Ledger, traced: Traced, at: Point, parts: Sequence[str]
) -> tuple[End, Measured | None, _Used]:
    """Return an end of regencies taken as the one that they were before a split.

    It has a potential where each of them has: else part of it would be missing.
    """
    question = partial(coverage_at, ledger, parts, at.on, known=at.known, as_of=traced.as_of)
    totals = question()
    rows = totals if traced.category is None else question(category=traced.category)
    active = _sum_of(each.active for each in rows)
    everybody = _sum_of(each.active for each in totals)
    potential = _sum_of(each.potential for each in totals)
    is_counted = everybody is not None and None not in {each.potential for each in totals}

    def common(values: Iterable[Value]) -> Value | None:
        first, *others = {*values}
        return None if others else first

    points = Fraction(100 * (active or 0), potential) if is_counted and potential else None
    end = End(
        on=at.on,
        known_position=at.known,
        active=None if everybody is None else active or 0,
        active_counted=active or 0 if is_counted else None,
        potential=potential if is_counted else None,
        coverage=points if traced.category is None else None,
        points=points,
        potential_valid_from=common(each.potential_valid_from for each in totals),
        potential_definition=common(each.potential_definition for each in totals),
        potential_source=common(each.potential_source for each in totals),
        own_potential=is_counted,
        regencies_total=1,
        regencies_counted=int(is_counted),
        complete=is_counted,
    )
    if not is_counted or potential is None:
        return end, None, _Used(frozenset(), {})
    measured = Measured(active or 0, potential, {traced.area: (active or 0, potential)})
    definitions = frozenset(each.potential_definition for each in totals)
    return end, measured, _Used(frozenset({traced.area}), {traced.area: definitions})


def _sum_of(values: Iterable[int | None]) -> int | None:
    known = [each for each in values if each is not None]
    return sum(known) if known else None


def _shown(whole: CoverageRow, row: CoverageRow, category: str | None) -> End:
    return End(
        on=whole.on,
        known_position=whole.known_position,
        active=row.active,
        active_counted=row.active_counted,
        potential=whole.potential,
        coverage=whole.coverage if category is None else None,
        points=whole.coverage if category is None else row.points,
        potential_valid_from=whole.potential_valid_from,
        potential_definition=whole.potential_definition,
        potential_source=whole.potential_source,
        own_potential=whole.own_potential,
        regencies_total=whole.regencies_total,
        regencies_counted=whole.regencies_counted,
        complete=whole.complete,
    )


def _published(
    connection: DuckDBPyConnection, traced: Traced, end: End, drawn: tuple[Map, Map]
) -> tuple[Published, ...]:
    """Return the figures of an end's day, as known at either end: they are recorded afterwards.

    Nothing is published of several regencies as the one that they were.
    """
    area = traced.area
    if is_regency(area):
        held = [each for each in together(area, drawn) if drawn[0].has_place(each)]
        if len(held) > 1:
            return ()
        area = next(iter(held), area)
    found = connection.execute(
        """
        SELECT as_of, active, potential, percent, uncovered_percent, publisher, published_on, source,
               position, active - $active::BIGINT AS difference
        FROM figures
        WHERE area = $area AND category IS NOT DISTINCT FROM $category AND segment IS NULL
          AND as_of IN (SELECT unnest($as_of::VARCHAR[])) AND position <= $known
          AND NOT EXISTS (
            SELECT 1 FROM taken_back WHERE taken_back.takes_back_position = figures.position
              AND taken_back.position <= $known)
        ORDER BY length(as_of) DESC, position
        """,
        {
            "area": area,
            "category": traced.category,
            "as_of": as_of_texts(end.on),
            "known": max(traced.start.known, traced.end.known),
            "active": end.active,
        },
    ).fetchall()
    return tuple(Published(*said) for said in found)


def _published_change(start: tuple[Published, ...], end: tuple[Published, ...]) -> int | None:
    """Return how the published heads changed, if each end has a count and only one."""
    first, second = ({e.active for e in each if e.active is not None} for each in (start, end))
    return second.pop() - first.pop() if len(first) == len(second) == 1 else None
