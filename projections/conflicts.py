"""What was published or set twice, and not the same: figures of one thing, targets of one year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from projections.figures import Figure, Printed, in_percent, in_persons, printed
from projections.findings import Finding
from projections.targets import Target, conflicting
from projections.verdicts import What
from registry.language import Period, _, joined
from registry.safe_text import safe

Bound = tuple[Fraction | int, int]
"""A number and 0; with −1 what lies just below it, with 1 just above."""
Span = tuple[Bound, Bound]
OTHERS_MAX: Final = 3
"""Other printed targets named of one."""


class _Quantity(NamedTuple):
    """What figures say of one thing: from where to where it may lie, and how it is put in words.

    `what` names it among the numbers that a figure prints.
    """

    what: Callable[[Figure], tuple[What, ...]]
    span: Callable[[Figure], Span | None]
    words: Callable[[Figure], str]


def figures_in_conflict(
    figures: Iterable[Figure], fits: Callable[[Sequence[What], Figure], bool]
) -> dict[int, list[Finding]]:
    """Return position → how a figure contradicts others of the same area, date and group.

    Each is set against the two that lie farthest from it: so all that disagree are found without
    comparing each with each. Percentages conflict where no value rounds to both, persons where
    their tolerances do not meet. What is said of a month or year may be of another day of it: that
    excuses it where the ledger has such a day (`fits`).
    """
    same: dict[tuple[str | None, ...], list[Figure]] = defaultdict(list)
    for figure in figures:
        if figure.as_of is not None:
            same[figure.area, figure.as_of, figure.category, figure.segment].append(figure)
    found: dict[int, list[Finding]] = defaultdict(list)
    for group in same.values():
        for quantity in _QUANTITIES if len(group) > 1 else ():
            for figure, others in _apart(group, quantity, fits):
                words = partial(_apart_in_words, quantity, figure, others)
                found[figure.position].append(Finding("figures-conflict", words))
    return found


def _apart_in_words(quantity: _Quantity, figure: Figure, others: Sequence[Figure]) -> str:
    against = joined("; ", [f"#{each.position} " + quantity.words(each) for each in others])
    return _("{words} as of {as_of}; {against}").format(
        words=quantity.words(figure), as_of=Period(figure.as_of or ""), against=against
    )


def targets_in_conflict(targets: Iterable[Target]) -> dict[tuple[str, int], Finding]:
    """Return area and year → that the targets which stand for it contradict each other."""
    stand = list(targets)
    contradicted = conflicting(stand)
    at_odds: dict[tuple[str, int], list[Target]] = defaultdict(list)
    for target in stand:
        if target.position in contradicted:
            at_odds[target.area, target.due_on.year].append(target)
    return {
        (area, year): _targets_of_a_year(year, map(_target_in_words, said))
        for (area, year), said in at_odds.items()
    }


def printed_targets_in_conflict(
    figures: Iterable[Figure], targets: Iterable[Target]
) -> dict[int, Finding]:
    """Return position → that a figure prints a target which nobody set, and others say otherwise.

    It is held against the targets recorded for its area and year that are not yet due, and against
    what other figures of that year print and nobody set. One that is recorded, for that year or a
    later one, is none.
    """
    recorded: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        recorded[target.area].append(target)
    unset: dict[tuple[str, int], list[tuple[Printed, Figure]]] = defaultdict(list)
    for figure in figures:
        aim, year = figure.target, named_year(figure)
        if aim is not None and year is not None:
            ahead = [each for each in recorded[figure.area] if each.due_on.year >= year]
            if not any(_is_same_aim(aim, printed(each.percent)) for each in ahead):
                unset[figure.area, year].append((aim, figure))
    found = {}
    for (area, year), said in unset.items():
        firsts = {aim.value: (aim, figure) for aim, figure in reversed(said)}.values()
        for aim, figure in said:
            assert figure.first_day is not None
            against = [
                _target_in_words(each)
                for each in recorded[area]
                if each.due_on.year == year and each.due_on >= figure.first_day
            ]
            others = [each for each in firsts if not _is_same_aim(aim, each[0])]
            against += [_aim_in_words(*each) for each in others[:OTHERS_MAX]]
            if against:
                listed = [_aim_in_words(aim, figure), *against]
                found[figure.position] = _targets_of_a_year(year, listed)
    return found


def named_year(figure: Figure) -> int | None:
    """Return the year of which a figure names a target of its whole area; None if it names none."""
    if figure.target is None or figure.first_day is None or figure.is_of_a_group:
        return None
    return figure.first_day.year


def _is_same_aim(one: Printed, other: Printed) -> bool:
    """Whether two targets are one: the more exact rounds to the other."""
    exact, rounded = (one, other) if one.places >= other.places else (other, one)
    return rounded.is_rounded_from(exact.value)


def _targets_of_a_year(year: int, said: Iterable[str]) -> Finding:
    says = _("for {year}: {targets}").format(year=year, targets=joined("; ", said))
    return Finding("targets-conflict", lambda: says)


def _target_in_words(target: Target) -> str:
    """Say a target and where it stands."""
    aim = printed(target.percent)
    return _("{percent} by {day} (#{position}, {source})").format(
        percent=in_percent(aim.value, aim.places),
        day=target.due_on,
        position=target.position,
        source=safe(target.source),
    )


def _aim_in_words(aim: Printed, figure: Figure) -> str:
    """Say a target that a figure prints."""
    return _("{percent} printed (#{position}, {source})").format(
        percent=in_percent(aim.value, aim.places),
        position=figure.position,
        source=safe(figure.source),
    )


_Spans = Sequence[tuple[Span, Figure]]


def _apart(
    group: Sequence[Figure],
    quantity: _Quantity,
    fits: Callable[[Sequence[What], Figure], bool],
) -> Iterator[tuple[Figure, list[Figure]]]:
    """Yield each figure that another lies beyond, with the farthest on either side."""
    spans = [(span, figure) for figure in group if (span := quantity.span(figure)) is not None]
    ends = _ends(spans)
    if not any(_beyond(span, ends) for span, _ in spans):
        return
    wrong = [
        (span, figure)
        for span, figure in spans
        if figure.first_day == figure.last_day or not fits(quantity.what(figure), figure)
    ]
    unexcused = {figure.position for _, figure in wrong}
    ends_of_wrong = _ends(wrong)
    for span, figure in spans:
        others = _beyond(span, ends if figure.position in unexcused else ends_of_wrong)
        if others:
            yield figure, others


def _ends(spans: _Spans) -> _Spans:
    """Return the one that ends first and the one that begins last."""
    if not spans:
        return ()
    return min(spans, key=lambda each: each[0][1]), max(spans, key=lambda each: each[0][0])


def _beyond(span: Span, ends: _Spans) -> list[Figure]:
    """Return which of the two ends a span does not meet."""
    if not ends:
        return []
    ((_, first_end), ends_first), ((last_begin, _), begins_last) = ends
    begins, ends_at = span
    others = []
    if begins > first_end:
        others.append(ends_first)
    if last_begin > ends_at:
        others.append(begins_last)
    return others


def _persons(number: int | None, tolerance: int) -> Span | None:
    return None if number is None else ((number - tolerance, 0), (number + tolerance, 0))


def _percent(figure: Figure) -> Span | None:
    """Return what a printed percentage may have been; else what the figure's own persons make."""
    stated = figure.stated_percent
    if stated is not None:  # half a unit is rounded up, of the uncovered as of the covered
        below, above = (0, -1) if figure.percent is not None else (1, 0)
        return (stated.value - stated.half_unit, below), (stated.value + stated.half_unit, above)
    least, greatest = figure.own_coverage_span or (None, None)
    return None if least is None or greatest is None else ((least, 0), (greatest, 0))


def _percent_in_words(figure: Figure) -> str:
    stated = figure.stated_percent
    if stated is not None:
        return in_percent(stated.value, stated.places)
    assert figure.own_coverage is not None
    return _("{active} of {potential} = {percent}").format(
        active=in_persons(figure.active or 0),
        potential=in_persons(figure.potential or 0),
        percent=in_percent(figure.own_coverage),
    )


def _percent_is(figure: Figure) -> tuple[What, ...]:
    if figure.stated_percent is None:
        return ("active", "potential")
    return ("uncovered_percent",) if figure.percent is None else ("percent",)


_QUANTITIES: Final = (
    _Quantity(
        lambda _figure: ("active",),
        lambda figure: _persons(figure.active, figure.tolerance),
        lambda figure: _("{workers} active").format(workers=in_persons(figure.active or 0)),
    ),
    _Quantity(
        lambda _figure: ("potential",),
        lambda figure: _persons(figure.potential, figure.tolerance),
        lambda figure: _("potential {workers}").format(workers=in_persons(figure.potential or 0)),
    ),
    _Quantity(_percent_is, _percent, _percent_in_words),
)
