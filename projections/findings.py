"""What is odd about a published figure, each oddity with its arithmetic spelled out.

Pure: a figure, what the ledger says of it and what else was said of the same. Nothing is found that
some honest reading of the printed numbers avoids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from projections.figures import (
    PLACES_SHOWN,
    WHOLE,
    Figure,
    Printed,
    in_percent,
    in_persons,
    persons_from,
)
from projections.gaps import Gap
from projections.standings import PotentialSaid, Standing
from projections.verdicts import GOOD, Tested
from registry.language import _, decimal, joined
from registry.terms import Kind
from registry.vocabulary import movement

Code = Literal[
    "percent-inconsistent", "percent-truncated", "uncovered-inconsistent", "gap-inconsistent",
    "other-potential", "figures-conflict", "targets-conflict", "restated", "balanced",
]  # fmt: skip

MORE_PLACES: Final = 2
"""Shown beyond the printed decimals, where it matters what was cut off."""


class Finding(NamedTuple):
    """What is odd, and the arithmetic that shows it, in words."""

    code: Code
    says: str


def of_the_percentage(
    figure: Figure, tested: Tested, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """Its percentage against its own numbers, or against the potential that it must be taken over.

    `potentials` are all that stand for the area.
    """
    percent = figure.percent
    if percent is None:
        return
    if not figure.own_numbers_make(percent):
        yield _against_its_own(figure, percent)
        return
    standing = tested.standing
    if standing is None or not standing.potential or figure.is_of_a_group:
        return
    if standing.regencies_counted < standing.regencies_total and standing.regencies_total > 1:
        return  # a part of the area says nothing about what the whole was taken over
    if figure.active is not None:
        yield from _of_its_own_active(
            figure, figure.active, percent, standing.potential, potentials
        )
    elif not tested.agrees_in("percent") and standing.coverage is not None:
        yield from _of_the_active_counted(figure, percent, standing, potentials)


def of_the_uncovered(figure: Figure, tested: Tested) -> Iterator[Finding]:
    """The percentage not covered against the percentage covered, or against its own numbers."""
    uncovered, percent = figure.uncovered, figure.percent
    if uncovered is None:
        return
    if percent is not None:
        if not _make_a_whole(figure, percent, uncovered, tested.standing):
            places = max(percent.places, uncovered.places)
            total = in_percent(percent.value + uncovered.value, places).removesuffix(" %")
            says = _("{covered} covered and {uncovered} not covered make {total}, not 100").format(
                covered=decimal(percent.text),
                uncovered=decimal(uncovered.text),
                total=decimal(total),
            )
            yield Finding("uncovered-inconsistent", says)
    elif (own := figure.own_coverage_span) is not None:
        least, greatest = own
        if not uncovered.is_within(WHOLE - greatest if greatest else WHOLE - least, WHOLE - least):
            assert figure.active is not None
            assert figure.potential is not None
            left = figure.potential - figure.active
            exactly = Fraction(100 * left, figure.potential)
            says = _("{some} of {all} are not covered: {exactly}, not {percent} %").format(
                some=in_persons(left),
                all=in_persons(figure.potential),
                exactly=in_percent(exactly, max(PLACES_SHOWN, uncovered.places)),
                percent=decimal(uncovered.text),
            )
            yield Finding("uncovered-inconsistent", says)


def of_the_gap(gap: Gap | None) -> Iterator[Finding]:
    """A gap that is neither the workers nor the points to the target, nor everybody not covered."""
    if gap is not None and gap.says is not None:
        yield Finding("gap-inconsistent", gap.says)


def of_the_balance(tested: Tested) -> Iterator[Finding]:
    """Agreement that rests on an opening or a reconciling entry, which no batch explains."""
    standing = tested.standing
    if standing is None or standing.active is None or tested.verdict not in GOOD:
        return
    if not tested.agrees_in("active", "percent", "uncovered_percent"):
        return
    if not (standing.opening or standing.reconciled_in or standing.reconciled_out):
        return
    reconciling = movement(Kind.RECONCILING)
    by_batches = standing.active - standing.opening - standing.reconciling
    parts = (
        (standing.opening, movement(Kind.OPENING)),
        (standing.reconciled_in, reconciling),
        (standing.reconciled_out, reconciling),
        (by_batches, _("by batches")),
    )
    terms = [(workers, name) for workers, name in parts if workers]
    summed = joined(
        " ",
        [
            f"{'−' if workers < 0 else '+' if place else ''}{' ' if place else ''}"
            + joined(" ", (in_persons(abs(workers)), name))
            for place, (workers, name) in enumerate(terms)
        ],
    )
    yield Finding("balanced", joined(" = ", (in_persons(standing.active), summed)))


def _against_its_own(figure: Figure, percent: Printed) -> Finding:
    own = figure.own_coverage
    assert own is not None
    assert figure.active is not None
    assert figure.potential is not None
    quotient = _("{some} of {all}").format(
        some=in_persons(figure.active), all=in_persons(figure.potential)
    )
    if percent.is_cut_from(own):
        return _cut(quotient, own, percent)
    exactly = in_percent(own, max(PLACES_SHOWN, percent.places))
    says = _("{quotient} is {exactly}, not {percent} %").format(
        quotient=quotient, exactly=exactly, percent=decimal(percent.text)
    )
    return Finding("percent-inconsistent", says)


def _of_its_own_active(
    figure: Figure,
    active: int,
    percent: Printed,
    in_force: int,
    potentials: Sequence[PotentialSaid],
) -> Iterator[Finding]:
    if percent.is_share(active, in_force):
        return
    fewest, most = max(0, active - figure.tolerance), active + figure.tolerance
    if (made := percent.workers(in_force)) and made[0] <= most and fewest <= made[1]:
        return  # heads that it may mean are that percentage
    least, greatest = percent.potentials(fewest, most)
    quotient = Fraction(100 * active, in_force)
    if figure.potential is None and percent.is_cut_from(quotient):
        yield _cut(
            _("{some} of {all}").format(some=in_persons(active), all=in_persons(in_force)),
            quotient,
            percent,
        )
        return
    known = [
        each
        for each in potentials
        if least <= each.workers and (greatest is None or each.workers <= greatest)
    ]
    span = (
        _("{least} or more").format(least=in_persons(least))
        if greatest is None
        else persons_from(least, greatest)
    )
    says = _("{active} is {percent} % of {span}; in force are {in_force}").format(
        active=in_persons(active),
        percent=decimal(percent.text),
        span=span,
        in_force=in_persons(in_force),
    )
    yield Finding("other-potential", says + _recorded(known))


def _of_the_active_counted(
    figure: Figure, percent: Printed, standing: Standing, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """Without an active of its own: the ledger's, over the potential in force or another one said."""
    active, in_force, coverage = standing.active_counted, standing.potential, standing.coverage
    assert active is not None
    assert in_force is not None
    assert coverage is not None
    if percent.is_cut_from(coverage):
        yield _cut(
            _("{some} of {all}").format(some=in_persons(active), all=in_persons(in_force)),
            coverage,
            percent,
        )
        return
    others = [each for each in potentials if each.workers != in_force]
    known = [each for each in others if percent.is_share(active, each.workers)]
    if figure.potential is not None and percent.is_share(active, figure.potential):
        says = _("{active} is {percent} % of its own {potential}").format(
            active=in_persons(active),
            percent=decimal(percent.text),
            potential=in_persons(figure.potential),
        )
    elif known:
        says = _("{active} is {percent} % of {potential}").format(
            active=in_persons(active),
            percent=decimal(percent.text),
            potential=in_persons(known[0].workers),
        )
    else:
        return
    yield Finding(
        "other-potential",
        _("{says}; in force are {in_force}{recorded}").format(
            says=says, in_force=in_persons(in_force), recorded=_recorded(known)
        ),
    )


def _recorded(known: Sequence[PotentialSaid]) -> str:
    """Say which recorded potentials fit."""
    return joined(
        "",
        [
            _("; {potential} holds from {day} (#{position})").format(
                potential=in_persons(each.workers), day=each.valid_from, position=each.position
            )
            for each in known
        ],
    )


def _cut(quotient: str, exact: Fraction, percent: Printed) -> Finding:
    exactly = in_percent(exact, max(PLACES_SHOWN, percent.places) + MORE_PLACES)
    says = _("{quotient} is {exactly}: {percent} % is cut off, rounded it is {rounded}").format(
        quotient=quotient,
        exactly=exactly,
        percent=decimal(percent.text),
        rounded=in_percent(exact, percent.places),
    )
    return Finding("percent-truncated", says)


def _make_a_whole(
    figure: Figure, percent: Printed, uncovered: Printed, standing: Standing | None
) -> bool:
    """Whether the two can be of one exact percentage.

    Where it lies just half way both are rounded up and make more than 100: believed only of a
    percentage that is known exactly.
    """
    if uncovered.is_near(WHOLE - percent.value, percent.half_unit):
        return True
    exact = (figure.own_coverage, standing.coverage if standing else None)
    return any(
        percent.is_rounded_from(each) and uncovered.is_rounded_from(WHOLE - each)
        for each in exact
        if each is not None
    )
