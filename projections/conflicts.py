"""What was published or set twice, and not the same: figures of one thing, targets of one year."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from projections.figures import Figure, in_percent, in_persons, printed
from projections.findings import Finding
from projections.targets import Target, conflicting
from registry.language import Period, _, joined
from registry.safe_text import safe

Span = tuple[Fraction | int, Fraction | int]


class _Quantity(NamedTuple):
    """What figures say of one thing: from where to where it may lie, and how it is put in words.

    `is_beyond(a, b)`: whether a span that begins at `a` lies beyond one that ends at `b`.
    """

    span: Callable[[Figure], Span | None]
    is_beyond: Callable[[Fraction | int, Fraction | int], bool]
    words: Callable[[Figure], str]


def figures_in_conflict(figures: Iterable[Figure]) -> dict[int, list[Finding]]:
    """Return position → how a figure contradicts others of the same area, date and group.

    Each is set against the two that lie farthest from it: so all that disagree are found without
    comparing each with each. Percentages conflict where no value rounds to both, persons where
    their tolerances do not meet.
    """
    same: dict[tuple[str | None, ...], list[Figure]] = defaultdict(list)
    for figure in figures:
        if figure.as_of is not None:
            same[figure.area, figure.as_of, figure.category, figure.segment].append(figure)
    found: dict[int, list[Finding]] = defaultdict(list)
    for group in same.values():
        for quantity in _QUANTITIES if len(group) > 1 else ():
            for figure, others in _apart(group, quantity):
                against = joined(
                    "; ", [f"#{each.position} " + quantity.words(each) for each in others]
                )
                says = _("{words} as of {as_of}; {against}").format(
                    words=quantity.words(figure), as_of=Period(figure.as_of or ""), against=against
                )
                found[figure.position].append(Finding("figures-conflict", says))
    return found


def targets_in_conflict(targets: Iterable[Target]) -> dict[str, list[Finding]]:
    """Return area → the years for which targets stand that are not one and the same."""
    stand = list(targets)
    contradicted = conflicting(stand)
    at_odds: dict[tuple[str, int], list[Target]] = defaultdict(list)
    for target in stand:
        if target.position in contradicted:
            at_odds[target.area, target.due_on.year].append(target)
    found: dict[str, list[Finding]] = defaultdict(list)
    for (area, year), said in at_odds.items():
        listed = joined("; ", [_target_in_words(each, said) for each in said])
        found[area].append(
            Finding(
                "targets-conflict", _("for {year}: {targets}").format(year=year, targets=listed)
            )
        )
    return found


def _target_in_words(target: Target, said: Sequence[Target]) -> str:
    """Say a target and where it stands; what it rests on, where the percentages do not differ."""
    aim = printed(target.percent)
    alike = len({each.share for each in said}) == 1
    basis = _(" as {basis}").format(basis=safe(target.basis)) if alike else ""
    return _("{percent}{basis} by {day} (#{position}, {source})").format(
        percent=in_percent(aim.value, aim.places),
        basis=basis,
        day=target.due_on,
        position=target.position,
        source=safe(target.source),
    )


def _apart(group: Sequence[Figure], quantity: _Quantity) -> Iterator[tuple[Figure, list[Figure]]]:
    """Yield each figure that another lies beyond, with the farthest on either side."""
    spans = [(span, figure) for figure in group if (span := quantity.span(figure)) is not None]
    if not spans:
        return
    (_, first_end), ends_first = min(spans, key=lambda each: each[0][1])
    (last_begin, _), begins_last = max(spans, key=lambda each: each[0][0])
    for (begins, ends), figure in spans:
        others = []
        if quantity.is_beyond(begins, first_end):
            others.append(ends_first)
        if quantity.is_beyond(last_begin, ends):
            others.append(begins_last)
        if others:
            yield figure, others


def _active(figure: Figure) -> Span | None:
    if figure.active is None:
        return None
    return figure.active - figure.tolerance, figure.active + figure.tolerance


def _potential(figure: Figure) -> Span | None:
    if figure.potential is None:
        return None
    return figure.potential - figure.tolerance, figure.potential + figure.tolerance


def _percent(figure: Figure) -> Span | None:
    stated = figure.stated_percent
    if stated is None:
        return None
    return stated.value - stated.half_unit, stated.value + stated.half_unit


def _percent_in_words(figure: Figure) -> str:
    stated = figure.stated_percent
    assert stated is not None
    return in_percent(stated.value, stated.places)


_QUANTITIES: Final = (
    _Quantity(
        _active,
        operator.gt,
        lambda figure: _("{workers} active").format(workers=in_persons(figure.active or 0)),
    ),
    _Quantity(
        _potential,
        operator.gt,
        lambda figure: _("potential {workers}").format(workers=in_persons(figure.potential or 0)),
    ),
    _Quantity(_percent, operator.ge, _percent_in_words),
)
