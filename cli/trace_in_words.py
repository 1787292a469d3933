"""A trace as people read it: the statement, its groups, and what is said below them.

Knows no option and no stream.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.listing import Column, Listing, Row
from cli.values import percent
from registry.language import Period, _, decimal, formatted, joined, whole
from registry.safe_text import safe
from registry.terms import Kind, is_regency
from registry.vocabulary import leaving, movement

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from projections.steps import Group, Grouping
    from projections.trace import End, Published, Trace

AREAS_SHOWN_MAX: Final = 8
POSITIONS_SHOWN_MAX: Final = 4  # in a cell of the table

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
        Column("workers", _("Workers"), "count"),
        Column("points", _("Points"), "points"),
        Column("remark", "", "text"),
    ]
    said = {key for key in ("points", "remark") for row in rows if row[key] not in {None, ""}}
    said |= {"line", "workers"}
    return Listing("trace", tuple(column for column in columns if column.key in said), rows)


_LINES: Final = {
    "opening": _("Opening {on}"),
    "in": _("In"),
    "out": _("Out"),
    "lapsed": _("Lapsed"),
    "renewed": _("Renewed"),
    "reconciled": _("Reconciled"),
    "restated": _("Restated"),
    "moved": _("Moved"),
    "closing": _("Closing {on}"),
    "change": _("Change"),
}


def _lines(found: Trace) -> Iterator[Row]:
    for each in found.statement:
        name, remark = _LINES.get(each.line, each.line), ""
        if each.line in {"opening", "closing"}:
            end = found.start if each.line == "opening" else found.end
            name, remark = name.format(on=end.on), _of_potential(found, end)
        elif each.line == "moved":
            remark = _numbers(
                (_("{count} came in"), found.moved_in),
                (_("{count} went out"), found.moved_out),
                (_("{count} late"), {each.area for each in found.late_moves}),
            )
        elif each.line in _FLOWS:
            remark = _kinds(found, _FLOWS[each.line])
        yield _row(name, each.workers, each.points, remark)


def _row(line: str, workers: int | None, points: Fraction | None, remark: str) -> dict[str, object]:
    return {"line": line, "workers": workers, "points": points, "remark": remark}


def _of_potential(found: Trace, end: End) -> str:
    if end.potential is None:
        return ""
    # Of a regency it is always its own; of a province only where all its regencies are counted.
    if not is_regency(found.traced.area) and end.own_potential:
        return _("of {potential:,}, its own").format(potential=end.potential)
    return _("of {potential:,}").format(potential=end.potential)


def _kinds(found: Trace, line: str) -> str:
    """Return what a line is made of, where its name does not say it."""
    parts = [
        joined(" ", (movement(kind), whole(getattr(flows, line))))
        for kind, flows in found.flows_by_kind.items()
        if getattr(flows, line) and (line == "restated" or kind not in _LINE_OF_ITS_OWN)
    ]
    return joined(", ", parts)


def _effects(found: Trace) -> Iterator[Row]:
    if found.effects is None:
        return
    yield _row(_("Numerator effect"), None, found.effects.numerator, _("more or fewer heads"))
    yield _row(_("Denominator effect"), None, found.effects.denominator, _potentials(found))
    if not is_regency(found.traced.area):
        yield _row(_("Counted regencies"), None, found.effects.counted, _counted(found))


def _potentials(found: Trace) -> str:
    late = [f"#{each.position}" for each in found.late_potentials]
    if len(late) > POSITIONS_SHOWN_MAX:
        late[POSITIONS_SHOWN_MAX:] = ["…"]
    if not late:
        return _("another potential")
    return _("another potential, late: {positions}").format(positions=", ".join(late))


def _counted(found: Trace) -> str:
    return _numbers(
        (_("{count} entering"), found.entering), (_("{count} leaving"), found.leaving)
    ) or _("the same ones")


def _numbers(*counted: tuple[str, Collection[str]]) -> str:
    return joined(", ", [what.format(count=len(some)) for what, some in counted if some])


def _published(found: Trace) -> Iterator[Row]:
    for end, figures in (
        (found.start, found.published_start),
        (found.end, found.published_end),
    ):
        for figure in figures:
            name = _("Published {as_of}").format(as_of=Period(figure.as_of))
            yield _row(name, figure.active, None, _said(figure, end))


def _said(figure: Published, end: End) -> str:
    words = [] if figure.percent is None else [decimal(figure.percent) + " %"]
    if figure.uncovered_percent is not None:
        words.append(_("{percent} % not covered").format(percent=decimal(figure.uncovered_percent)))
    if figure.difference:
        than = (
            _("{difference:,} more than the ledger")
            if figure.difference > 0
            else _("{difference:,} fewer than the ledger")
        )
        words.append(than.format(difference=abs(figure.difference)))
    if figure.potential not in {None, end.potential}:
        words.append(_("of {potential:,}").format(potential=figure.potential))
    words.append(f"{safe(figure.publisher)}, {safe(figure.source)} (#{figure.position})")
    return joined(" · ", words)


def _unexplained(found: Trace) -> Iterator[Row]:
    if not found.balanced and found.published_change is None:
        return
    words = [*_balanced(found)]
    if found.published_difference:
        words.append(
            _("published and not recorded {workers:,}").format(workers=found.published_difference)
        )
    yield _row(_("Unexplained"), found.unexplained, None, joined(", ", words))


def _balanced(found: Trace) -> Iterator[str]:
    """Yield what was balanced, and how many of those heads have lapsed: the two come to the sum."""
    flows = found.flows_by_kind.get(Kind.RECONCILING)
    reconciled = flows.workers if flows else 0
    if found.balanced and reconciled:
        yield _("reconciled {workers:,}").format(workers=reconciled)
    if found.balanced and found.balanced != reconciled:
        yield _("lapsed of what was reconciled {workers:,}").format(
            workers=found.balanced - reconciled
        )


# --- groups ---------------------------------------------------------------------------------------


_GROUPED: Final = {"kind": _("Kind"), "category": _("Category"), "month": _("Month")}


def grouped_for_people(found: Trace, by: Grouping, rows: Iterable[Group]) -> Listing:
    """Return the steps taken together, with what they come to as the last row."""
    if by == "batch":
        return _batches(found, rows)
    shown = [_group(each, by) for each in rows]
    lines = [Column(key, _LINES[key], "count") for key in _FLOWS]
    if by == "kind":
        lines = [
            Column("in_period", _("In the period"), "count"),
            Column("restated", _("Restated"), "count"),
            Column("moved", _("Moved"), "count"),
        ]
        if not any(row["restated"] or row["moved"] for row in shown):
            lines = []
    columns = (
        Column(by, _GROUPED[by], "code"),
        *(line for line in lines if any(row[line.key] for row in shown)),
        Column("workers", _("Workers"), "count"),
    )
    sums: dict[str, object] = {
        key: sum(int(str(row[key])) for row in shown) for key in ("in_period", *_FLOWS)
    }
    return Listing("trace", columns, shown, total={by: _("Change"), "workers": found.active} | sums)


def _group(group: Group, by: str) -> dict[str, object]:
    flows = group.flows
    return {
        by: _named_group(group, by),
        "in_period": flows.workers - flows.restated - flows.moved,
        **{key: getattr(flows, line) for key, line in _FLOWS.items()},
        "workers": flows.workers,
    }


def _named_group(group: Group, by: str) -> str | None:
    if by == "kind":
        return None if group.kind is None else movement(group.kind)
    name: str | None = getattr(group, by)
    return Period(name) if by == "month" and name else name


_BATCHES: Final = (
    Column("position", "#", "number"),
    Column("effective_on", _("Effective"), "date"),
    Column("what", _("Batch"), "text"),
    Column("workers", _("Workers"), "count"),
    Column("origin", _("From"), "text"),
)


def _batches(found: Trace, rows: Iterable[Group]) -> Listing:
    one_regency = is_regency(found.traced.area) and not found.joined
    total = {"what": _("Change"), "workers": found.active}
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
    words.append(movement(str(group.kind)) + _aside(group))
    if group.step_class == "restatement":
        words.append(_("restated"))
    if group.late:
        words.append(_("late"))
    if group.step_class == "boundary":
        words.append(_("moved with its regency"))
    words.append(
        group.reference + (_(" part {part}").format(part=group.part) if group.part else "")
    )
    if group.event in {"batch-corrected", "batch-withdrawn"}:
        done = (
            _("corrected because {because}")
            if group.event == "batch-corrected"
            else _("withdrawn because {because}")
        )
        words.append(done.format(because=group.because))
    if group.document:
        words.append(group.document)
    return {
        "position": group.position,
        "effective_on": group.effective_on,
        "what": joined(" · ", words),
        "workers": group.flows.workers,
        "origin": _address(group),
    }


def _aside(group: Group) -> str:
    """Return what a kind and its heads do not say: both sides of a move, whose end a lapse is not."""
    flows = group.flows
    if group.kind in _MOVING and not flows.restated and not flows.moved:
        return _(" ({entered:,} in, {left:,} out)").format(entered=flows.entered, left=flows.left)
    if group.kind == Kind.DEACTIVATION and group.reason:
        return joined("", (" (", leaving(group.reason), ")"))
    if group.kind == Kind.LAPSE and group.event in _LEAVING and group.gives_back:
        return _(" (not of those who had left)")
    return ""


def _address(group: Group) -> str:
    """Return where a batch's rows stand: `batches.csv:3`, `batches.xlsx Data!3–17`, or that it was typed."""
    if group.file is None:
        return _("typed")
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
            _(
                "Late is what was recorded on days that were closed: `ucj revisions` says why, and who"
                " wanted it."
            )
            if by == "batch"
            else _("Some of it is late, recorded on days that were closed: `--by batch` marks it.")
        )
    said += _of_what_is_late(found)
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
        return _("{what}, {start} to {end}: both ends as known now, at #{known}.").format(
            what=what, start=traced.start.on, end=traced.end.on, known=known.end
        )
    first, second = (
        (
            _("{on} as known at #{known}") if is_asked else _("{on} as known now, at #{known}")
        ).format(on=at.on, known=at.known)
        for at, is_asked in (
            (traced.start, known.start_is_asked),
            (traced.end, known.end_is_asked),
        )
    )
    return _("{what}: {first}, to {second}.").format(what=what, first=first, second=second)


def change_in_words(found: Trace) -> str:
    """Return where it began, where it ended, and the effects: what a table of groups does not have."""
    before, after = (
        _("nobody yet") if each.active is None else whole(each.active)
        for each in (found.start, found.end)
    )
    said = _("From {before} to {after}: {active:+,} workers").format(
        before=before, after=after, active=found.active
    )
    if found.points is None or found.effects is None:
        return said + "."
    parts = [
        name.format(points=_signed(value))
        for name, value, is_shown in (
            (_("{points} of numerator effect"), found.effects.numerator, True),
            (_("{points} of denominator effect"), found.effects.denominator, True),
            (
                _("{points} of counted regencies"),
                found.effects.counted,
                bool(found.effects.counted),
            ),
        )
        if is_shown
    ]
    return _("{said}, {points} points: {effects}.").format(
        said=said, points=_signed(found.points), effects=joined(", ", parts)
    )


def _signed(value: Fraction) -> str:
    shown = percent(value)
    return formatted(shown, "+," if shown else "")


def _of_steps(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    if not found.flows_by_kind:
        if start.active is None and end.active is None:
            of = (
                _(" of {category}").format(category=found.traced.category)
                if found.traced.category
                else ""
            )
            yield _("No batch{of} is recorded there up to either day.").format(of=of)
        elif found.points or start.potential != end.potential:
            yield _("No heads changed: who is counted at both ends comes to the same everywhere.")
        else:
            yield _("Nothing changed: what is counted at both ends comes to the same everywhere.")
        return
    if end.on < start.on:
        yield (
            _(
                "Read backwards: what took effect after {on} is undone, and stands with its sign"
                " turned."
            ).format(on=end.on)
        )
    if found.left_by_reason:
        reasons = (
            joined(" ", (leaving(reason), whole(workers)))
            for reason, workers in sorted(found.left_by_reason.items(), key=lambda each: each[1])
        )
        yield _("Deactivated, by reason: {reasons}.").format(reasons=joined(", ", reasons))
    flows = found.flows
    if flows.lapsed and flows.renewed:
        yield (
            _(
                "A renewal covers on from the day the term ends: lapsed and renewed together come to"
                " {workers:,}."
            ).format(workers=flows.lapsed + flows.renewed)
        )
    if flows.restated:
        yield (
            _("Restated: in effect by {day} already, and known at one end only.").format(
                day=min(start.on, end.on)
            )
        )


def _of_what_is_late(found: Trace) -> Iterator[str]:
    for late, says in (
        (
            found.late_potentials,
            _(
                "A potential is late, changed on days that were closed: {areas}; `ucj revisions`"
                " says why, and who wanted it."
            ),
        ),
        (
            found.late_moves,
            _(
                "A regency was moved late, on days that were closed: {areas}; `ucj revisions` says"
                " why, and who wanted it."
            ),
        ),
    ):
        some = ", ".join(f"{each.area} (#{each.position})" for each in late[:AREAS_SHOWN_MAX])
        more = len(late) - AREAS_SHOWN_MAX
        areas = _("{some} and {more} more").format(some=some, more=more) if more > 0 else some
        if late:
            yield says.format(areas=areas)


def _of_percentage(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    for each in (start, end):
        if each.points is None:
            lacking = _("no head count") if each.potential is not None else _("no labour potential")
            yield _(
                "There is no percentage for {on}, so no change of one: {lacking} is known."
            ).format(on=each.on, lacking=lacking)
            break
    yield from _of_potentials(found)
    if found.moved_in or found.moved_out:
        came = (
            [_("came under it: {areas}").format(areas=_named(found, found.moved_in))]
            if found.moved_in
            else []
        )
        went = (
            [_("left it: {areas}").format(areas=_named(found, found.moved_out))]
            if found.moved_out
            else []
        )
        yield (
            _(
                "As known at one of the two positions only, regencies {came_and_went}. All their heads are Moved."
            )
            if start.on == end.on
            else _("Between the two days regencies {came_and_went}. All their heads are Moved.")
        ).format(came_and_went=joined("; ", [*came, *went]))
    if found.joined:
        yield (
            _(
                "One was split, as known at one of the two positions only: both ends are of {areas}"
                " together, so that nobody is apportioned."
            )
            if start.on == end.on
            else _(
                "One was split between the two days: both ends are of {areas} together, so that"
                " nobody is apportioned."
            )
        ).format(areas=found.area)
    if found.traced.as_of is not None:
        yield _("Codes, names and provinces are today's.")
    if is_regency(found.traced.area):
        return
    yield (
        _(
            "Points are of the regencies counted, those with both an active count and a potential:"
            " {counted} of {total} on {start},"
            " {counted_then} of {total_then} on {end}. Workers are of all."
        ).format(
            counted=start.regencies_counted,
            total=start.regencies_total,
            start=start.on,
            counted_then=end.regencies_counted,
            total_then=end.regencies_total,
            end=end.on,
        )
    )
    if found.entering or found.leaving:
        came = (
            [_("entering {areas}").format(areas=_named(found, found.entering))]
            if found.entering
            else []
        )
        went = (
            [_("leaving {areas}").format(areas=_named(found, found.leaving))]
            if found.leaving
            else []
        )
        yield (
            _(
                "Other regencies are counted: {areas}. That is an effect of its"
                " own; the other two are of the regencies counted on both days."
            ).format(areas=joined("; ", [*came, *went]))
        )


def _of_potentials(found: Trace) -> Iterator[str]:
    start, end = found.start, found.end
    if found.redefined:
        yield (
            _("The potential counts something else on the two days")
            + (
                ""
                if is_regency(found.traced.area) or found.traced.area in found.redefined
                else _(" in {area}").format(area=_named(found, found.redefined))
            )
            + _(": the percentages are not of like with like.")
        )
    potentials = [_potential(start), _potential(end)]
    if None in potentials:
        return
    if potentials[0] == potentials[1]:
        yield _("Potential on both days: {potential}.").format(potential=potentials[0])
    else:
        yield _("Potential: {first} on {start}; {second} on {end}.").format(
            first=potentials[0], start=start.on, second=potentials[1], end=end.on
        )


def _potential(end: End) -> str | None:
    if end.potential is None:
        return None
    definition = f", {safe(end.potential_definition)}" if end.potential_definition else ""
    source = f" ({safe(end.potential_source)})" if end.potential_source else ""
    return whole(end.potential) + f"{definition}{source}"


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
        category = found.traced.category
        yield (
            _("No figure of {category} is published for {days}.")
            if category
            else _("No figure is published for {days}.")
        ).format(category=category, days=_either(lacking))
    elif found.published_change is None:
        yield _("The published figures do not give one count of heads for each day.")
    if found.published_change is not None or found.balanced:
        yield (
            _(
                "Unexplained are heads that no batch accounts for: balanced to a known stock, or in the"
                " published change and not in the ledger's."
            )
        )


def _either(days: Sequence[date]) -> str:
    return joined(_(" or "), (formatted(each) for each in dict.fromkeys(days)))


def _name(found: Trace, area: str) -> str:
    from projections.coverage import shown_name

    return found.names.get(area) or shown_name(area)


def _named(found: Trace, areas: Sequence[str]) -> str:
    some = ", ".join(f"{_name(found, each)} ({each})" for each in areas[:AREAS_SHOWN_MAX])
    more = len(areas) - AREAS_SHOWN_MAX
    return _("{some} and {more} more").format(some=some, more=more) if more > 0 else some


def _next(by: str | None) -> str:
    if by == "batch":
        return _("`ucj show @N` shows an event whole, `ucj source @N` the original cells.")
    return _("`--by batch` names the batches, with document, file and row.")
