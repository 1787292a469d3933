"""A trace as people read it: the statement, its groups, and what is said below them.

Knows no option and no stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.listing import Column, Listing, Row
from cli.values import percent
from registry.safe_text import safe
from registry.terms import Kind, is_regency

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from projections.steps import Group, Grouping
    from projections.trace import End, Published, Trace

AREAS_SHOWN_MAX: Final = 8

_MOVING: Final = frozenset({Kind.RECLASSIFICATION, Kind.TRANSFER})
_LEAVING: Final = frozenset({"batch-deactivated", "balance-reconciled"})
_LINE_OF_ITS_OWN: Final = frozenset({Kind.LAPSE, Kind.RENEWAL, Kind.RECONCILING})
"""Kinds that are the whole of a line: the line's name says it."""

_FLOWS: Final = {
    "in": "entered",
    "out": "left",
    "lapsed": "lapsed",
    "renewed": "renewed",
    "reconciled": "reconciled",
    "restated": "restated",
    "moved": "moved",
}


@dataclass(frozen=True, slots=True)
class Known:
    """Up to where the log is read for each end, and whether that was asked or is simply now."""

    start: int
    end: int
    start_is_asked: bool
    end_is_asked: bool

    @classmethod
    def of(cls, position: Callable[[str | None], int], start: str | None, end: str | None) -> Known:
        """Return the positions that the two options mean; now is one and the same for both."""
        now = position(None)
        first, second = (now if text is None else position(text) for text in (start, end))
        return cls(first, second, start is not None, end is not None)

    @property
    def head(self) -> int:
        """The later of the two positions."""
        return max(self.start, self.end)


# --- the statement ------------------------------------------------------------------------------


def statement_for_people(found: Trace) -> Listing:
    """Return opening, in, out, lapsed, renewed, reconciled, restated, closing and change.

    Below them the effects on the percentage, what was published, and what remains unexplained.
    """
    rows = [*_lines(found), *_effects(found), *_published(found), *_unexplained(found)]
    columns = [
        Column("line", f"{found.area_name} ({found.area})", "text"),
        Column("workers", "Workers", "count"),
        Column("points", "Points", "points"),
        Column("remark", "", "text"),
    ]
    said = {key for key in ("points", "remark") for row in rows if row[key] not in {None, ""}}
    said |= {"line", "workers"}
    return Listing("trace", tuple(column for column in columns if column.key in said), rows)


def _lines(found: Trace) -> Iterator[Row]:
    for each in found.statement:
        name, remark = each.line.capitalize(), ""
        if each.line in {"opening", "closing"}:
            end = found.start if each.line == "opening" else found.end
            name, remark = f"{name} {end.on}", _of_potential(end)
        elif each.line == "moved":
            remark = _numbers(found.moved_in, "came in", found.moved_out, "went out")
        elif each.line in _FLOWS:
            remark = _kinds(found, _FLOWS[each.line])
        yield _row(name, each.workers, each.points, remark)


def _row(line: str, workers: int | None, points: Fraction | None, remark: str) -> dict[str, object]:
    return {"line": line, "workers": workers, "points": points, "remark": remark}


def _of_potential(end: End) -> str:
    return "" if end.potential is None else f"of {end.potential:,}"


def _kinds(found: Trace, line: str) -> str:
    """Return what a line is made of, where its name does not say it."""
    parts = [
        f"{kind} {getattr(flows, line):,}"
        for kind, flows in found.flows_by_kind.items()
        if getattr(flows, line) and (line == "restated" or kind not in _LINE_OF_ITS_OWN)
    ]
    return ", ".join(parts)


def _effects(found: Trace) -> Iterator[Row]:
    if found.effects is None:
        return
    yield _row("Numerator effect", None, found.effects.numerator, "more or fewer heads")
    yield _row("Denominator effect", None, found.effects.denominator, "another potential")
    if not is_regency(found.traced.area):
        yield _row("Counted regencies", None, found.effects.counted, _counted(found))


def _counted(found: Trace) -> str:
    return _numbers(found.entering, "entering", found.leaving, "leaving") or "the same ones"


def _numbers(some: Sequence[str], came: str, others: Sequence[str], went: str) -> str:
    counted = [(len(some), came), (len(others), went)]
    return ", ".join(f"{number} {what}" for number, what in counted if number)


def _published(found: Trace) -> Iterator[Row]:
    for figure in (*found.published_start, *found.published_end):
        yield _row(f"Published {figure.as_of}", figure.active, None, _said(figure))


def _said(figure: Published) -> str:
    words = [] if figure.percent is None else [f"{figure.percent} %"]
    if figure.difference:
        more = "more" if figure.difference > 0 else "fewer"
        words.append(f"{abs(figure.difference):,} {more} than the ledger")
    words.append(f"{safe(figure.publisher)}, {safe(figure.source)} (#{figure.position})")
    return " · ".join(words)


def _unexplained(found: Trace) -> Iterator[Row]:
    if not found.balanced and found.published_change is None:
        return
    words = [f"reconciled {found.balanced:,}"] if found.balanced else []
    if found.published_difference:
        words.append(f"published and not recorded {found.published_difference:,}")
    yield _row("Unexplained", found.unexplained, None, ", ".join(words))


# --- groups ---------------------------------------------------------------------------------------


def grouped_for_people(found: Trace, by: Grouping, rows: Iterable[Group]) -> Listing:
    """Return the steps taken together, with what they come to as the last row."""
    if by == "batch":
        return _batches(found, rows)
    shown = [_group(each, by) for each in rows]
    lines = [Column(key, key.capitalize(), "count") for key in _FLOWS]
    if by == "kind":
        lines = [
            Column("in_period", "In the period", "count"),
            Column("restated", "Restated", "count"),
            Column("moved", "Moved", "count"),
        ]
        if not any(row["restated"] or row["moved"] for row in shown):
            lines = []
    columns = (
        Column(by, by.capitalize(), "code"),
        *(line for line in lines if any(row[line.key] for row in shown)),
        Column("workers", "Workers", "count"),
    )
    sums: dict[str, object] = {
        key: sum(int(str(row[key])) for row in shown) for key in ("in_period", *_FLOWS)
    }
    return Listing("trace", columns, shown, total={by: "Change", "workers": found.active} | sums)


def _group(group: Group, by: str) -> dict[str, object]:
    flows = group.flows
    return {
        by: getattr(group, by),
        "in_period": flows.workers - flows.restated - flows.moved,
        **{key: getattr(flows, line) for key, line in _FLOWS.items()},
        "workers": flows.workers,
    }


_BATCHES: Final = (
    Column("position", "#", "number"),
    Column("effective_on", "Effective", "date"),
    Column("what", "Batch", "text"),
    Column("workers", "Workers", "count"),
    Column("origin", "From", "text"),
)


def _batches(found: Trace, rows: Iterable[Group]) -> Listing:
    one_regency = is_regency(found.traced.area)
    total = {"what": "Change", "workers": found.active}
    return Listing(
        "trace",
        _BATCHES,
        (_batch(each, found, one_regency=one_regency) for each in rows),
        total=total,
    )


def _batch(group: Group, found: Trace, *, one_regency: bool) -> Row:
    assert group.area is not None
    assert group.reference is not None
    words = [] if one_regency else [_name(found, group.area)]
    words.append(f"{group.kind}{_aside(group)}")
    if group.step_class == "restatement":
        words.append("restated")
    if group.late:
        words.append("late")
    if group.step_class == "boundary":
        words.append("moved with its regency")
    words.append(group.reference + (f" part {group.part}" if group.part else ""))
    if group.event in {"batch-corrected", "batch-withdrawn"}:
        words.append(f"{group.event.removeprefix('batch-')} because {group.because}")
    if group.document:
        words.append(group.document)
    return {
        "position": group.position,
        "effective_on": group.effective_on,
        "what": " · ".join(words),
        "workers": group.flows.workers,
        "origin": _address(group),
    }


def _aside(group: Group) -> str:
    """Return what a kind and its heads do not say: both sides of a move, whose end a lapse is not."""
    flows = group.flows
    if group.kind in _MOVING and not flows.restated and not flows.moved:
        return f" ({flows.entered:,} in, {flows.left:,} out)"
    if group.kind == Kind.LAPSE and group.event in _LEAVING:
        return " (not of those who had left)"
    return ""


def _address(group: Group) -> str:
    """Return where a batch's rows stand: `batches.csv:3`, `batches.xlsx Data!3–17`, or that it was typed."""
    if group.file is None:
        return "typed"
    file = f"{group.file} {group.sheet}!" if group.sheet else f"{group.file}:"
    rows = "" if group.row is None else str(group.row)
    if group.row != group.last_row:
        rows += f"–{group.last_row}"
    return f"{file}{rows}".rstrip("!:")


# --- what is said below ---------------------------------------------------------------------------


def notes(
    found: Trace, known: Known, *, by: str | None, for_programs: bool = False
) -> Sequence[str]:
    """Return what the figures leave unsaid, in words; programs are told the two ends only."""
    said = [_between(found, known)]
    if for_programs:
        return said
    if by:
        said.append(change_in_words(found))
    said += _of_steps(found)
    if found.late:
        said.append(
            "Late is what was recorded on days that were closed: `ucj revisions` says why, and who"
            " wanted it."
            if by == "batch"
            else "Some of it is late, recorded on days that were closed: `--by batch` marks it."
        )
    said += _of_percentage(found)
    if not by:
        said += _of_published(found)
    if found.flows_by_kind:
        said.append(_next(by))
    return said


def _between(found: Trace, known: Known) -> str:
    traced = found.traced
    of = f", {traced.category}" if traced.category else ""
    what = f"{found.area_name} ({found.area}){of}"
    if not known.start_is_asked and not known.end_is_asked:
        return f"{what}, {traced.start.on} to {traced.end.on}: both ends as known now, at #{known.end}."
    first, second = (
        f"{at.on} as known {'at' if is_asked else 'now, at'} #{at.known}"
        for at, is_asked in (
            (traced.start, known.start_is_asked),
            (traced.end, known.end_is_asked),
        )
    )
    return f"{what}: {first}, to {second}."


def change_in_words(found: Trace) -> str:
    """Return where it began, where it ended, and the effects: what a table of groups does not have."""
    before, after = (
        "nobody yet" if each.active is None else f"{each.active:,}"
        for each in (found.start, found.end)
    )
    said = f"From {before} to {after}: {found.active:+,} workers"
    if found.points is None or found.effects is None:
        return f"{said}."
    parts = [
        f"{_signed(value)} {name}"
        for name, value in (
            ("of numerator effect", found.effects.numerator),
            ("of denominator effect", found.effects.denominator),
            ("of counted regencies", found.effects.counted),
        )
        if value or not name.endswith("regencies")
    ]
    return f"{said}, {_signed(found.points)} points: {', '.join(parts)}."


def _signed(value: Fraction) -> str:
    shown = percent(value)
    return f"{shown:+,}" if shown else f"{shown}"


def _of_steps(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    if not found.flows_by_kind:
        if start.active is None and end.active is None:
            of = f" of {found.traced.category}" if found.traced.category else ""
            yield f"No batch{of} is recorded there up to either day."
        else:
            yield "Nothing changed: what is counted at both ends comes to the same everywhere."
        return
    if end.on < start.on:
        yield (
            f"Read backwards: what took effect after {end.on} is undone, and stands with its sign"
            " turned."
        )
    flows = found.flows
    if flows.lapsed and flows.renewed:
        yield (
            "A renewal covers on from the day the term ends: lapsed and renewed together come to"
            f" {flows.lapsed + flows.renewed:,}."
        )
    if flows.restated:
        yield (
            f"Restated: in effect by {min(start.on, end.on)} already, and known at one end only."
        )


def _of_percentage(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    for each in (start, end):
        if each.points is None:
            lacking = "no head count" if each.potential is not None else "no labour potential"
            yield f"There is no percentage for {each.on}, so no change of one: {lacking} is known."
            break
    yield from _of_potentials(found)
    if found.moved_in or found.moved_out:
        came = [f"came under it: {_named(found, found.moved_in)}"] if found.moved_in else []
        went = [f"left it: {_named(found, found.moved_out)}"] if found.moved_out else []
        yield (
            f"Between the two days regencies {'; '.join([*came, *went])}. All their heads are Moved."
        )
    if found.traced.as_of is not None:
        yield "Codes, names and provinces are today's."
    if is_regency(found.traced.area):
        return
    yield (
        f"Points are of the regencies counted, those with both an active count and a potential:"
        f" {start.regencies_counted} of {start.regencies_total} on {start.on},"
        f" {end.regencies_counted} of {end.regencies_total} on {end.on}. Workers are of all."
    )
    if found.entering or found.leaving:
        came = [f"entering {_named(found, found.entering)}"] if found.entering else []
        went = [f"leaving {_named(found, found.leaving)}"] if found.leaving else []
        yield (
            f"Other regencies are counted: {'; '.join([*came, *went])}. That is an effect of its"
            " own; the other two are of the regencies counted on both days."
        )


def _of_potentials(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    if found.redefined:
        yield (
            "The potential counts something else on the two days"
            + ("" if is_regency(found.traced.area) else f" in {_named(found, found.redefined)}")
            + ": the percentages are not of like with like."
        )
    potentials = [_potential(start), _potential(end)]
    if None in potentials:
        return
    if potentials[0] == potentials[1]:
        yield f"Potential on both days: {potentials[0]}."
    else:
        yield f"Potential: {potentials[0]} on {start.on}; {potentials[1]} on {end.on}."


def _potential(end: End) -> str | None:
    if end.potential is None:
        return None
    definition = f", {safe(end.potential_definition)}" if end.potential_definition else ""
    source = f" ({safe(end.potential_source)})" if end.potential_source else ""
    return f"{end.potential:,}{definition}{source}"


def _of_published(found: Trace) -> Iterator[str]:
    lacking = [
        end.on
        for end, figures in (
            (found.start, found.published_start),
            (found.end, found.published_end),
        )
        if not figures
    ]
    if lacking:
        yield f"No figure is published for {_either(lacking)}."
    elif found.published_change is None:
        yield "The published figures do not give one count of heads for each day."
    if found.published_change is not None or found.balanced:
        yield (
            "Unexplained are heads that no batch accounts for: balanced to a known stock, or in the"
            " published change and not in the ledger's."
        )


def _either(days: Sequence[date]) -> str:
    return " or ".join(dict.fromkeys(map(str, days)))


def _name(found: Trace, area: str) -> str:
    from projections.coverage import shown_name

    return found.names.get(area) or shown_name(area)


def _named(found: Trace, areas: Sequence[str]) -> str:
    some = ", ".join(f"{_name(found, each)} ({each})" for each in areas[:AREAS_SHOWN_MAX])
    more = len(areas) - AREAS_SHOWN_MAX
    return f"{some} and {more} more" if more > 0 else some


def _next(by: str | None) -> str:
    if by == "batch":
        return "`ucj show @N` shows an event whole, `ucj source @N` the original cells."
    return "`--by batch` names the batches, with document, file and row."
