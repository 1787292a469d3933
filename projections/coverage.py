"""Coverage: the sum of the ledger with two dates, over the labour potential in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, cast

from projections.boundaries import among, boundaries_at, within
from registry.collecting import collecting_rarely
from registry.reference.gazetteer import area_of
from registry.terms import is_regency

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from registry.reference.boundaries import Map

__all__ = [
    "CoverageRow", "Dimension", "Potential", "coverage_at", "potentials_in_force", "shown_name",
    "within",
]  # fmt: skip

Dimension = Literal["area", "province", "category", "segment", "funding"]
NOT_ATTRIBUTED: Final = "not-attributed"
"""The group of heads of which no segment (or funding) is stated, or that left the open-ended pool."""

_GROUPS: Final = ("category", "segment", "funding")

_SAID: Final = """
SELECT area, valid_from, workers, definition, source, position FROM potentials
WHERE valid_from <= $on AND position <= $known AND $of
  AND position NOT IN (SELECT takes_back_position FROM taken_back WHERE position <= $known)
"""
"""Every potential that may be in force, and was not taken back; `$of` is a condition over the area."""

IN_FORCE: Final = f"""
SELECT area, unnest(arg_max(
    struct_pack(valid_from, workers, definition, source, position), (valid_from, position)))
FROM ({_SAID}) GROUP BY area
"""
"""The potential in force: the latest valid_from up to the date, among equals the latest recorded."""

_VALID_FROM_AND_POSITION: Final = itemgetter(1, 5)

MANY_REGENCIES: Final = 50
"""Of fewer the engine hands over rows sooner than it plans to put them together."""


@dataclass(frozen=True, slots=True)
class Potential:
    """A labour potential in force (persons), and where it comes from."""

    workers: int
    valid_from: date | None
    definition: str | None
    source: str | None


class CoverageRow(NamedTuple):
    """One area, or one group of its heads, on one date as known at one position.

    `coverage` and `points` are exact percentages; they are rounded only when printed. Below the
    area `potential` and `coverage` are None, and `points` is the group's share of the area's
    percentage: `active_counted` over `points_of`. `active` is None before the area's first entry.
    `active_counted` are the heads of the regencies that `coverage` is taken over; with
    `own_potential` the area's own recorded potential is divided by, and all are counted; of a
    regency it is its own, where it has one.
    `area` is the code in force (of what one place was split into: joined by a plus), `key` the one
    under which the registry keeps it.
    """

    area: str
    area_name: str
    category: str | None
    segment: str | None
    funding: str | None
    on: date
    known_position: int
    active: int | None
    potential: int | None
    coverage: Fraction | None
    points_of: int | None
    potential_valid_from: date | None
    potential_definition: str | None
    potential_source: str | None
    regencies_total: int
    regencies_counted: int
    complete: bool
    active_counted: int | None
    own_potential: bool
    key: str

    @property
    def points(self) -> Fraction | None:
        """The group's share of the area's percentage."""
        if self.active_counted is None or not self.points_of:
            return None
        return Fraction(100 * self.active_counted, self.points_of)


@collecting_rarely()
def coverage_at(
    ledger: Ledger,
    areas: Sequence[str],
    on: date,
    *,
    known: int | None = None,
    by: Dimension | Sequence[Dimension] | None = None,
    category: str | None = None,
    own_potential: bool = False,
    as_of: date | None = None,
) -> list[CoverageRow]:
    """Active workers and coverage of areas on a date, as known at a position.

    Shape: one row per area asked; `by` area or province: one row per regency or province below it
    that has an entry or a potential; `by` category, segment or funding: one row per group.
    Units: workers are persons; coverage is percent of labour potential, exact.
    Rule: a province's or the nation's coverage is taken over the regencies that have both an
    active count and a potential on that date; its own recorded potential is used only when all
    its regencies are counted, or with `own_potential`. Regencies are those of the boundaries in
    force on the date; with `as_of`, a day not before it, on that day.
    Source: UCJ formula, docs/glossary.md#cakupan.
    """
    if not areas:
        return []
    position = ledger.position if known is None else known
    dimensions: tuple[Dimension, ...] = (
        () if by is None else (by,) if isinstance(by, str) else tuple(by)
    )
    grouped: list[str] = [each for each in _GROUPS if each in dimensions]
    if category is not None and "category" not in grouped:
        grouped.append("category")
    drawn = boundaries_at(ledger, position).map_on(on, as_of=as_of)
    inside = within(areas, drawn)
    many = sum(len(drawn.keys(area)) for area in areas) >= MANY_REGENCIES
    sums = _sums(ledger.connection, inside, on, position, grouped, together=many)
    potentials = potentials_in_force(
        ledger.connection, on, position, of=f"({inside} OR {among(areas)})"
    )
    rows: list[CoverageRow] = []
    for area in _below(areas, dimensions, drawn, sums, potentials):
        keys = drawn.keys(area)
        own = potentials.get(area) if own_potential or not is_regency(area) else None
        total = _total(area, drawn, keys, sums, potentials, own, on, position, forced=own_potential)
        if grouped:
            rows += _groups(total, keys, grouped, sums, potentials, category, dimensions)
        else:
            rows.append(total)
    return rows


def shown_name(area: str) -> str:
    """Return an area's built-in name as answers show it: a city says that it is one.

    An answer about a day asks the map of that day (`projections.boundaries`), which knows more.
    """
    named = area_of(area)
    if named is None:  # opened in a store: its name is there
        return area
    return named.full_name if named.kind == "kota" else named.name


def potentials_in_force(
    connection: DuckDBPyConnection, on: date, known: int, *, of: str = "true"
) -> dict[str, Potential]:
    """Return the labour potential in force of every area that has one, or of those `of` a condition."""
    found = connection.execute(_SAID.replace("$of", of), {"on": on, "known": known}).fetchall()
    # The same as IN_FORCE says, for which the engine takes longer to plan than there is to do.
    found.sort(key=_VALID_FROM_AND_POSITION)
    return {
        area: Potential(workers, valid_from, definition, source)
        for area, valid_from, workers, definition, source, _ in {
            row[0]: row for row in found
        }.values()
    }


_AS_ROW: Final = cast(
    "Callable[[tuple[Any, ...]], CoverageRow]", partial(tuple.__new__, CoverageRow)
)

Value = TypeVar("Value")
_Sums = dict[str, dict[tuple[str, ...], int]]


def _sums(
    connection: DuckDBPyConnection,
    inside: str,
    on: date,
    known: int,
    grouped: list[str],
    *,
    together: bool,
) -> _Sums:
    """Return regency → group → active heads, for the regencies of the areas asked.

    `together`: the groups of a regency come in one text, as the engine hands over a few long values
    sooner than many short ones. No name of a group has a comma in it (registry.terms).
    """
    summed = (
        f"SELECT area, {''.join(f'{each}, ' for each in grouped)}CAST(sum(workers) AS BIGINT) AS active"
        f" FROM entries WHERE effective_on <= $on AND position <= $known AND {inside} GROUP BY ALL"
    )
    named = "".join(f"coalesce({each}, '{NOT_ATTRIBUTED}'), " for each in grouped)
    asked = {"on": on, "known": known}
    sums: _Sums = {}
    if not together:
        told = connection.execute(f"SELECT area, {named}active FROM ({summed})", asked).fetchall()
        for row in told:
            sums.setdefault(row[0], {})[row[1:-1]] = row[-1]
        return sums
    texts = connection.execute(
        f"SELECT area, string_agg(concat_ws(',', {named}active), ',') FROM ({summed}) GROUP BY area",
        asked,
    ).fetchall()
    width = len(grouped) + 1
    for area, text in texts:
        cells = text.split(",")
        names = [cells[place::width] for place in range(len(grouped))]
        groups = zip(*names, strict=True) if names else [()]
        sums[area] = dict(zip(groups, map(int, cells[len(grouped) :: width]), strict=True))
    return sums


def _below(
    areas: Iterable[str],
    dimensions: tuple[Dimension, ...],
    drawn: Map,
    sums: _Sums,
    potentials: dict[str, Potential],
) -> list[str]:
    """Return the areas to show: those asked, or those below them that have anything."""
    wanted: dict[str, None] = {}
    for area in areas:
        inside = drawn.inside(area)
        having = [each for each in inside if each.key in sums or each.key in potentials]
        if "area" in dimensions:
            wanted.update((each.key, None) for each in having)
        elif "province" in dimensions and not is_regency(area):
            wanted.update((each.province, None) for each in having)
        elif is_regency(area) and inside:
            wanted[inside[0].key] = None
        else:
            wanted[area] = None
    return list(wanted)


def _counted(inside: Sequence[str], sums: _Sums, potentials: dict[str, Potential]) -> list[str]:
    """Return the regencies that have both an active count and a potential."""
    return [each for each in inside if each in sums and each in potentials]


def _total(
    area: str,
    drawn: Map,
    inside: Sequence[str],
    sums: _Sums,
    potentials: dict[str, Potential],
    own: Potential | None,
    on: date,
    known: int,
    *,
    forced: bool,
) -> CoverageRow:
    counted = _counted(inside, sums, potentials)
    having = {each: sum(sums[each].values()) for each in inside if each in sums}
    active = sum(having.values()) if having else None
    active_counted = sum(having[each] for each in counted) if counted else None
    complete = len(counted) == len(inside) > 0
    if is_regency(area):
        denominator = potentials.get(area) if inside else None
    elif forced or (own is not None and complete):
        denominator = own
        active_counted = active
    else:
        denominator = _summed([potentials[each] for each in counted])
    coverage = (
        Fraction(100 * active_counted, denominator.workers)
        if active_counted is not None and denominator is not None
        else None
    )
    return CoverageRow(
        area=drawn.code(area),
        area_name=drawn.name(area),
        category=None,
        segment=None,
        funding=None,
        on=on,
        known_position=known,
        active=active,
        potential=denominator.workers if denominator else None,
        coverage=coverage,
        points_of=None,
        potential_valid_from=denominator.valid_from if denominator else None,
        potential_definition=denominator.definition if denominator else None,
        potential_source=denominator.source if denominator else None,
        regencies_total=len(inside),
        regencies_counted=len(counted),
        complete=complete,
        active_counted=active_counted,
        own_potential=denominator is not None and (is_regency(area) or denominator is own),
        key=area,
    )


def _summed(parts: list[Potential]) -> Potential | None:
    """Return the sum of potentials; what they do not have in common is None."""
    if not parts:
        return None

    return Potential(
        workers=sum(each.workers for each in parts),
        valid_from=_common([each.valid_from for each in parts]),
        definition=_common([each.definition for each in parts]),
        source=_common([each.source for each in parts]),
    )


def _common(values: list[Value]) -> Value | None:
    return values[0] if len(set(values)) == 1 else None


def _groups(
    total: CoverageRow,
    inside: Sequence[str],
    grouped: list[str],
    sums: _Sums,
    potentials: dict[str, Potential],
    category: str | None,
    dimensions: tuple[Dimension, ...],
) -> list[CoverageRow]:
    """Return the rows of an area's groups; their points add up to the area's coverage."""
    taken_over = inside if total.own_potential else _counted(inside, sums, potentials)
    whole = _added(inside, sums)
    counted = whole if len(taken_over) == len(inside) else _added(taken_over, sums)
    if category is not None:
        at = grouped.index("category")
        whole = {group: workers for group, workers in whole.items() if group[at] == category}
        if not whole and "category" not in dimensions and len(grouped) == 1:
            whole = {(category,): 0}
    if not whole:
        return []
    groups = sorted(whole)
    actives = list(map(whole.__getitem__, groups))
    parts = dict(zip(grouped, zip(*groups, strict=True), strict=True))
    actives_counted = actives if counted is whole else [counted.get(group, 0) for group in groups]
    has_active, has_points = total.active is not None, total.coverage is not None
    nothing = repeat(None)
    # By column, with no call in Python for a row: the nation by regency and category are 12,000.
    columns = (
        repeat(total.area),
        repeat(total.area_name),
        *(parts.get(each, nothing) for each in _GROUPS),
        repeat(total.on),
        repeat(total.known_position),
        actives if has_active else nothing,
        nothing,
        nothing,
        repeat(total.potential if has_points else None),
        nothing,
        nothing,
        nothing,
        repeat(total.regencies_total),
        repeat(total.regencies_counted),
        repeat(total.complete),
        actives_counted if has_points else nothing,
        repeat(total.own_potential),
        repeat(total.key),
    )
    return list(map(_AS_ROW, zip(*columns, strict=False)))


def _added(regencies: Sequence[str], sums: _Sums) -> dict[tuple[str, ...], int]:
    """Return the heads of regencies together, by group."""
    if len(regencies) == 1:
        return sums.get(regencies[0], {})
    added: dict[tuple[str, ...], int] = {}
    for regency in regencies:
        for group, workers in sums.get(regency, {}).items():
            added[group] = added.get(group, 0) + workers
    return added
