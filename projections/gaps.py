"""What a printed gap can mean, and whether it is any of it: the arithmetic spelled out.

Three things are called a gap: the workers still needed to reach a target (the target of the
potential, rounded up, less the active), the points to the target, and everybody not covered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from projections.days import Standing
from projections.figures import (
    WHOLE,
    Figure,
    Printed,
    in_percent,
    in_persons,
    persons_from,
)
from projections.verdicts import Check, Result
from registry.language import _, decimal, joined

Meaning = Literal["workers-to-target", "points-to-target", "not-covered"]
EXACT: Final = Fraction(0)


class Gap(NamedTuple):
    """A printed gap held against what it can mean; `says`: the arithmetic, where it is none of it."""

    check: Check
    says: str | None


class _Reading(NamedTuple):
    """One thing the gap may be: from the least to the greatest value it can then have."""

    meaning: Meaning
    unit: Literal["workers", "points"]
    least: Fraction | int
    greatest: Fraction | int
    half_unit: Fraction = EXACT


class _Base(NamedTuple):
    """What a gap is counted from: a potential, heads (at least and at most), and a percentage.

    What is said of the first two tells where they come from, if not from the figure itself.
    """

    potential: int | None
    potential_said: str
    heads: tuple[int, int] | None
    heads_said: str
    percent: Fraction | None
    half_unit: Fraction


def read_gap(
    figure: Figure,
    standing: Standing | None,
    days: Sequence[Standing],
    targets: Sequence[Printed],
) -> Gap:
    """Return what the gap of a figure means; `targets` are the recorded ones, if it prints none.

    It is counted from its own numbers where they are printed, else from those of the ledger on the
    day taken; of a month or a year on another, if it means nothing then.
    """
    taken = _base(figure, standing)
    gap = _read(figure, taken, targets)
    if gap.says is None:
        return gap
    others = dict.fromkeys(_base(figure, day) for day in days)
    read = (_read(figure, base, targets) for base in others if base != taken)
    return next((other for other in read if other.says is None), gap)


def _read(figure: Figure, base: _Base, targets: Sequence[Printed]) -> Gap:
    gap = figure.gap
    assert gap is not None
    aims = (figure.target,) if figure.target is not None else tuple(targets)
    readings = [*_to_the_targets(base, aims), *_not_covered(base)]
    needed = _needed(gap, readings)
    slack: tuple[tuple[int, Result], ...] = ((0, "agrees"), (figure.tolerance, "within-tolerance"))
    for tolerance, result in slack:
        for each in readings:
            if _fits(gap, each, tolerance):
                return Gap(_check(gap, needed, result, each.meaning), None)
    if not _is_refuted(gap, readings):
        untold: Result = "no-potential" if base.potential is None else "no-ledger"
        return Gap(_check(gap, needed, untold, None), None)
    says = joined("; ", _says(gap, base, aims))
    return Gap(_check(gap, needed, "differs", None), says)


def _base(figure: Figure, standing: Standing | None) -> _Base:
    potential, potential_said = figure.potential, ""
    if potential is None and standing is not None:
        potential, potential_said = standing.potential, _(" in force")
    stated = figure.stated_percent
    heads, heads_said = _heads(figure, standing, potential)
    percent, half_unit = None, EXACT
    if stated is not None:
        percent, half_unit = stated.value, stated.half_unit
    elif heads is not None and potential:
        percent = Fraction(100 * heads[0], potential)
    return _Base(potential, potential_said, heads, heads_said, percent, half_unit)


def _heads(
    figure: Figure, standing: Standing | None, potential: int | None
) -> tuple[tuple[int, int] | None, str]:
    """Return the heads covered, at least and at most, and where they are from if not printed."""
    if figure.active is not None:
        return (figure.active, figure.active), ""
    stated = figure.stated_percent
    if stated is not None:
        said = _(", which is {percent}").format(percent=in_percent(stated.value, stated.places))
        return (stated.workers(potential) if potential else None), said
    if standing is None or standing.active_counted is None:
        return None, ""
    return (standing.active_counted, standing.active_counted), _(" in the ledger")


def _to_the_targets(base: _Base, aims: Sequence[Printed]) -> Iterator[_Reading]:
    for aim in aims:
        if base.potential is not None and base.heads is not None:
            goal = _goal(aim, base.potential)
            fewest, most = base.heads
            yield _Reading("workers-to-target", "workers", goal - most, goal - fewest)
        if base.percent is not None:
            points = aim.value - base.percent
            yield _Reading("points-to-target", "points", points, points, base.half_unit)


def _not_covered(base: _Base) -> Iterator[_Reading]:
    if base.potential is not None and base.heads is not None:
        fewest, most = base.heads
        least, greatest = base.potential - most, base.potential - fewest
        yield _Reading("not-covered", "workers", least, greatest)
    if base.percent is not None:
        left = WHOLE - base.percent
        yield _Reading("not-covered", "points", left, left, base.half_unit)


def _goal(aim: Printed, potential: int) -> int:
    """Return the heads with which a target is reached."""
    return -(-aim.units * potential // (100 * aim.unit))


def _fits(gap: Printed, reading: _Reading, tolerance: int) -> bool:
    if reading.unit == "points":
        exact = Fraction(reading.least)
        return (
            gap.is_near(exact, reading.half_unit)
            if reading.half_unit
            else (gap.is_rounded_from(exact))
        )
    if gap.whole is None:
        return False
    if reading.greatest <= 0:  # the target is reached already
        return gap.whole == 0
    return reading.least - tolerance <= gap.whole <= reading.greatest + tolerance


def _is_refuted(gap: Printed, readings: Sequence[_Reading]) -> bool:
    """Whether all that the gap can mean was tried: a target is known, and persons where it is whole."""
    units = {each.unit for each in readings if each.meaning != "not-covered"}
    return "workers" in units or ("points" in units and gap.whole is None)


def _needed(gap: Printed, readings: Sequence[_Reading]) -> int | None:
    """Return the workers needed to the first target, none where it is reached.

    Of a span, the nearest to the printed gap.
    """
    for each in readings:
        if each.meaning == "workers-to-target":
            return max(0, math.floor(min(max(gap.value, each.least), each.greatest)))
    return None


def _check(gap: Printed, needed: int | None, result: Result, reading: Meaning | None) -> Check:
    published = gap if gap.whole is None else gap.whole
    return Check("gap", published, needed, result, decides=False, reading=reading)


def _says(gap: Printed, base: _Base, aims: Sequence[Printed]) -> Iterator[str]:
    """Put in words what the gap would be by each reading, and which target it would fit."""
    yield _("{gap:,} printed").format(gap=Decimal(gap.text))
    for aim in aims:
        target = in_percent(aim.value, aim.places)
        amounts = []
        if base.potential is not None and base.heads is not None:
            goal = _goal(aim, base.potential)
            fewest, most = base.heads
            is_reached = goal <= fewest
            amounts.append(
                (
                    _(
                        "0 workers ({goal}, that is"
                        " {target} of {potential}{potential_said} rounded up, is reached by"
                        " {heads}{heads_said})"
                    )
                    if is_reached
                    else _(
                        "{needed} workers ({goal}, that is"
                        " {target} of {potential}{potential_said} rounded up, less"
                        " {heads}{heads_said})"
                    )
                ).format(
                    needed=persons_from(max(0, goal - most), max(0, goal - fewest)),
                    goal=in_persons(goal),
                    target=target,
                    potential=in_persons(base.potential),
                    potential_said=base.potential_said,
                    heads=persons_from(fewest, most),
                    heads_said=base.heads_said,
                )
            )
        if base.percent is not None:
            points = max(Fraction(0), aim.value - base.percent)
            amounts.append(_("{points} points").format(points=_points(points)))
        if amounts:
            yield _("needed for {target} are {amounts}").format(
                target=target, amounts=joined(_(" or "), amounts)
            )
    yield from _left_in_words(base)
    yield from _would_fit(gap, base)


def _left_in_words(base: _Base) -> Iterator[str]:
    amounts = []
    if base.potential is not None and base.heads is not None:
        fewest, most = base.heads
        amounts.append(persons_from(base.potential - most, base.potential - fewest))
    if base.percent is not None:
        amounts.append(_("{points} points").format(points=_points(WHOLE - base.percent)))
    if amounts:
        yield _("not covered are {amounts}").format(amounts=joined(_(" or "), amounts))


def _would_fit(gap: Printed, base: _Base) -> Iterator[str]:
    """Say which target the printed gap would fit, as workers still needed."""
    workers = gap.whole
    if base.heads is None or base.percent is None or not base.potential or workers is None:
        return
    fewest, most = base.heads
    words = _("{workers} fits a target of").format(workers=in_persons(workers))
    if fewest == most:
        reached = fewest + workers
        target = in_percent(Fraction(100 * reached, base.potential))
        yield _("{words} {target} ({reached} of {potential})").format(
            words=words,
            target=target,
            reached=in_persons(reached),
            potential=in_persons(base.potential),
        )
    else:
        target = in_percent(base.percent + Fraction(100 * workers, base.potential))
        yield joined(" ", (words, target))


def _points(exact: Fraction) -> str:
    return decimal(in_percent(exact).removesuffix(" %"))
