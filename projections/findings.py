"""What is odd about a published figure, each oddity with its arithmetic spelled out.

Pure: a figure, what the ledger says of it and what else was said of the same. Nothing is found that
some honest reading of the printed numbers avoids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Final, Literal, NamedTuple

from projections.courses import Balance
from projections.days import Days, Standing
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
from projections.potentials import PotentialSaid
from projections.verdicts import GOOD, Tested, What, result_of, verdict_on
from registry.language import _, decimal, joined
from registry.terms import Kind, is_regency
from registry.vocabulary import movement

Code = Literal[
    "percent-inconsistent", "percent-truncated", "uncovered-inconsistent", "gap-inconsistent",
    "other-potential", "figures-conflict", "targets-conflict", "restated", "balanced",
]  # fmt: skip

MORE_PLACES: Final = 2
"""Shown beyond the printed decimals, where it matters what was cut off."""


class Finding(NamedTuple):
    """What is odd, and how to put the arithmetic that shows it in words, which takes longest."""

    code: Code
    words: Callable[[], str]

    @property
    def says(self) -> str:
        """The arithmetic, in words."""
        return self.words()


class _Share(NamedTuple):
    """A percentage as printed: of those covered, or of those who are not."""

    printed: Printed
    covered: bool

    @property
    def in_words(self) -> str:
        """The percentage covered, without its sign."""
        if self.covered:
            return decimal(self.printed.text)
        return in_percent(WHOLE - self.printed.value, self.printed.places).removesuffix(" %")

    def is_of(self, heads: int, potential: int) -> bool:
        """Whether so many covered heads of a potential are printed so."""
        return self.printed.is_share(heads if self.covered else potential - heads, potential)

    def workers(self, potential: int) -> tuple[int, int] | None:
        """Return the fewest and the most covered heads that are printed so."""
        span = self.printed.workers(potential)
        if span is None or self.covered:
            return span
        fewest_left, most_left = span
        return potential - most_left, potential - fewest_left

    def cut(self, heads: int, potential: int) -> Finding | None:
        """Return that it was cut off after the printed decimals, if it was."""
        some = heads if self.covered else potential - heads
        exact = Fraction(100 * some, potential)
        if not self.printed.is_cut_from(exact):
            return None
        words = partial(_cut_in_words, self, some, potential, exact)
        return Finding("percent-truncated", words)


def of_the_percentage(
    figure: Figure, tested: Tested, days: Days, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """Its percentage against its own numbers, and against the potential that it must be taken over.

    `potentials` are all that stand for the area. Of a month or a year only what holds on each of
    its days is found. Where its own numbers do not make it, any of them may be the wrong one: then
    it implies another potential only if that is one of those that stand.
    """
    share = _share_of(figure)
    if share is None:
        return
    is_at_odds = not _is_made_by_its_own(figure, share)
    if is_at_odds:
        assert figure.active is not None
        assert figure.potential is not None
        if share.covered:  # of those not covered it is told beside what is covered
            yield _against_its_own(figure, share.printed)
        if share.cut(figure.active, figure.potential):
            return
    if tested.standing is None or figure.is_of_a_group:
        return
    found = list(_over_the_potential(figure, share, tested.standing, potentials))
    if is_at_odds and not any(_fits(share, figure, each.workers) for each in potentials):
        return
    for day in _unlike(days, tested.standing, figure) if found else ():
        codes = {each.code for each in _over_the_potential(figure, share, day, potentials)}
        found = [each for each in found if each.code in codes]
        if not found:
            return
    yield from found


def _share_of(figure: Figure) -> _Share | None:
    """Return the percentage that it prints, covered rather than not."""
    if figure.percent is not None:
        return _Share(figure.percent, covered=True)
    return None if figure.uncovered is None else _Share(figure.uncovered, covered=False)


def _is_made_by_its_own(figure: Figure, share: _Share) -> bool:
    """Whether its own active and potential, if printed, make its percentage."""
    if share.covered:
        return figure.own_numbers_make(share.printed)
    return _is_left_by_its_own(figure, share.printed)


def of_its_whole(
    figure: Figure, tested: Tested, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """Its potential is the one recorded for the whole area, beside that of the regencies counted.

    Coverage is taken over the regencies counted while some are not, so the two differ. `potentials`
    are all that stand for the area; on the figure's last day, which it is held against.
    """
    standing, on = tested.standing, figure.last_day
    if standing is None or standing.potential is None or on is None or is_regency(figure.area):
        return
    if not any(each.what == "potential" and each.result == "differs" for each in tested.checks):
        return
    begun = [each for each in potentials if each.valid_from <= on]
    own = max(begun, key=lambda each: (each.valid_from, each.position), default=None)
    if own is None or own.workers != figure.potential:
        return
    words = partial(_of_its_whole_in_words, figure, standing, own)
    yield Finding("other-potential", words)


def _of_its_whole_in_words(figure: Figure, standing: Standing, own: PotentialSaid) -> str:
    assert standing.potential is not None
    says = _(
        "{potential} is the potential recorded for the whole area, from {day} (#{position});"
        " in force are {in_force}, of the {counted} of {total} regencies counted"
    ).format(
        potential=in_persons(own.workers),
        day=own.valid_from,
        position=own.position,
        in_force=in_persons(standing.potential),
        counted=standing.regencies_counted,
        total=standing.regencies_total,
    )
    percent, active = figure.percent, standing.active
    if percent is not None and active is not None and percent.is_share(active, own.workers):
        says = _("{says}; {active} of all regencies are {percent} % of it").format(
            says=says, active=in_persons(active), percent=decimal(percent.text)
        )
    return says


def _unlike(days: Days, taken: Standing, figure: Figure) -> list[Standing]:
    """Return days that differ from the day taken in what its percentage is held against."""
    heads_matter = figure.active is None
    looked_at = days if heads_matter else days.by_what_is_counted()
    held = {
        (day.potential, heads_matter and day.active_counted, _is_in_part(day)): day
        for day in (*looked_at, taken)
    }
    return [day for day in held.values() if day is not taken]


def _is_in_part(standing: Standing) -> bool:
    """Whether only a part of the area is counted: then it says nothing about the whole."""
    return standing.regencies_counted < standing.regencies_total and standing.regencies_total > 1


def _over_the_potential(
    figure: Figure, share: _Share, standing: Standing, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """What is odd on one day, over the potential in force on it."""
    if not standing.potential:
        return
    if _is_in_part(standing):  # of the part that is counted it may still have been cut off
        if figure.active is None and standing.coverage is not None:
            yield from _of_the_part(figure, share, standing)
        return
    if figure.active is not None:
        yield from _of_its_own_active(figure, figure.active, share, standing.potential, potentials)
    elif standing.coverage is not None:
        what: What = "percent" if share.covered else "uncovered_percent"
        if result_of(what, figure, standing) not in GOOD:
            yield from _of_the_active_counted(figure, share, standing, potentials)


def _of_the_part(figure: Figure, share: _Share, standing: Standing) -> Iterator[Finding]:
    """The ledger's percentage of the regencies counted, cut off after the printed decimals."""
    what: What = "percent" if share.covered else "uncovered_percent"
    if result_of(what, figure, standing) in GOOD:
        return
    assert standing.active_counted is not None
    assert standing.potential is not None
    if cut := share.cut(standing.active_counted, standing.potential):
        yield cut


def of_the_uncovered(figure: Figure, days: Sequence[Standing]) -> Iterator[Finding]:
    """The percentage not covered against the percentage covered, or against its own numbers."""
    uncovered, percent = figure.uncovered, figure.percent
    if uncovered is None:
        return
    if percent is not None:
        if not _make_a_whole(figure, percent, uncovered, days):
            words = partial(_no_whole_in_words, percent, uncovered)
            yield Finding("uncovered-inconsistent", words)
    elif not _is_left_by_its_own(figure, uncovered):
        assert figure.active is not None
        assert figure.potential is not None
        if cut := _Share(uncovered, covered=False).cut(figure.active, figure.potential):
            yield cut
            return
        words = partial(_left_in_words, figure.active, figure.potential, uncovered)
        yield Finding("uncovered-inconsistent", words)


def _no_whole_in_words(percent: Printed, uncovered: Printed) -> str:
    places = max(percent.places, uncovered.places)
    total = in_percent(percent.value + uncovered.value, places).removesuffix(" %")
    return _("{covered} covered and {uncovered} not covered make {total}, not 100").format(
        covered=decimal(percent.text), uncovered=decimal(uncovered.text), total=decimal(total)
    )


def _left_in_words(active: int, potential: int, uncovered: Printed) -> str:
    left = potential - active
    exactly = Fraction(100 * left, potential)
    return _("{some} of {all} are not covered: {exactly}, not {percent} %").format(
        some=in_persons(left),
        all=in_persons(potential),
        exactly=in_percent(exactly, max(PLACES_SHOWN, uncovered.places)),
        percent=decimal(uncovered.text),
    )


def _is_left_by_its_own(figure: Figure, uncovered: Printed) -> bool:
    """Whether its own active and potential, if printed, leave what it says is not covered."""
    own = figure.own_coverage_span
    if own is None:
        return True
    least, greatest = own
    return uncovered.is_within(WHOLE - greatest if greatest else WHOLE - least, WHOLE - least)


def of_the_gap(gap: Gap | None) -> Iterator[Finding]:
    """A gap that is neither the workers nor the points to the target, nor everybody not covered."""
    if gap is not None and (says := gap.says) is not None:
        yield Finding("gap-inconsistent", lambda: says)


def of_the_balance(figure: Figure, tested: Tested, days: Sequence[Standing]) -> Iterator[Finding]:
    """Agreement that rests on an opening or a reconciling entry, which no batch explains.

    Of a month or a year only where no day agrees as well without one.
    """
    standing = tested.standing
    if standing is None or tested.verdict not in GOOD:
        return
    if not tested.agrees_in("active", "percent", "uncovered_percent"):
        return
    if not any(_balance(figure, standing)) or any(
        not any(_balance(figure, day)) and verdict_on(day, figure) == tested.verdict for day in days
    ):
        return
    yield Finding("balanced", partial(_sum_of_the_balance, figure, standing))


def _balance(figure: Figure, standing: Standing) -> Balance:
    """Return what is in the heads that it was held against: for a percentage, in those counted."""
    return standing.balance if figure.active is not None else standing.balance_counted


def _sum_of_the_balance(figure: Figure, standing: Standing) -> str:
    balance = _balance(figure, standing)
    heads = standing.active if figure.active is not None else standing.active_counted
    assert heads is not None
    reconciling = movement(Kind.RECONCILING)
    by_batches = heads - balance.opening - balance.reconciling
    parts = (
        (balance.opening, movement(Kind.OPENING)),
        (balance.reconciled_in, reconciling),
        (balance.reconciled_out, reconciling),
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
    return joined(" = ", (in_persons(heads), summed))


def _against_its_own(figure: Figure, percent: Printed) -> Finding:
    own = figure.own_coverage
    assert own is not None
    assert figure.active is not None
    assert figure.potential is not None
    if cut := _Share(percent, covered=True).cut(figure.active, figure.potential):
        return cut
    words = partial(_not_its_own_in_words, figure.active, figure.potential, own, percent)
    return Finding("percent-inconsistent", words)


def _not_its_own_in_words(active: int, potential: int, own: Fraction, percent: Printed) -> str:
    quotient = _("{some} of {all}").format(some=in_persons(active), all=in_persons(potential))
    exactly = in_percent(own, max(PLACES_SHOWN, percent.places))
    return _("{quotient} is {exactly}, not {percent} %").format(
        quotient=quotient, exactly=exactly, percent=decimal(percent.text)
    )


def _of_its_own_active(
    figure: Figure,
    active: int,
    share: _Share,
    in_force: int,
    potentials: Sequence[PotentialSaid],
) -> Iterator[Finding]:
    if _fits(share, figure, in_force):
        return
    if figure.potential is None and (cut := share.cut(active, in_force)):
        yield cut
        return
    words = partial(_implied_in_words, figure, active, share, in_force, potentials)
    yield Finding("other-potential", words)


def _implied_in_words(
    figure: Figure,
    active: int,
    share: _Share,
    in_force: int,
    potentials: Sequence[PotentialSaid],
) -> str:
    stated = figure.stated_percent
    assert stated is not None
    least, greatest = stated.potentials(
        max(0, active - figure.tolerance), active + figure.tolerance
    )
    known = [each for each in potentials if _fits(share, figure, each.workers)]
    span = (
        _("{least} or more").format(least=in_persons(least))
        if greatest is None
        else persons_from(least, greatest)
    )
    says = _("{active} is {percent} % of {span}; in force are {in_force}").format(
        active=in_persons(active),
        percent=share.in_words,
        span=span,
        in_force=in_persons(in_force),
    )
    return says + _recorded(known)


def _fits(share: _Share, figure: Figure, potential: int) -> bool:
    """Whether its own active, or heads within its tolerance, are printed so of a potential."""
    active = figure.active
    if active is None:
        return False
    if share.is_of(active, potential):
        return True
    fewest, most = max(0, active - figure.tolerance), active + figure.tolerance
    made = share.workers(potential)
    return made is not None and made[0] <= most and fewest <= made[1]


def _of_the_active_counted(
    figure: Figure, share: _Share, standing: Standing, potentials: Sequence[PotentialSaid]
) -> Iterator[Finding]:
    """Without an active of its own: the ledger's, over the potential in force or another one said."""
    active, in_force = standing.active_counted, standing.potential
    assert active is not None
    assert in_force is not None
    if cut := share.cut(active, in_force):
        yield cut
        return
    others = [each for each in potentials if each.workers != in_force]
    known = [each for each in others if share.is_of(active, each.workers)]
    if figure.potential is not None and share.is_of(active, figure.potential):
        fits, template = figure.potential, _("{active} is {percent} % of its own {potential}")
    elif known:
        fits, template = known[0].workers, _("{active} is {percent} % of {potential}")
    else:
        return
    words = partial(_other_in_words, template, share, active, fits, in_force, known)
    yield Finding("other-potential", words)


def _other_in_words(
    template: str,
    share: _Share,
    active: int,
    fits: int,
    in_force: int,
    known: Sequence[PotentialSaid],
) -> str:
    says = template.format(
        active=in_persons(active), percent=share.in_words, potential=in_persons(fits)
    )
    return _("{says}; in force are {in_force}{recorded}").format(
        says=says, in_force=in_persons(in_force), recorded=_recorded(known)
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


def _cut_in_words(share: _Share, some: int, potential: int, exact: Fraction) -> str:
    percent = share.printed
    quotient = _("{some} of {all}") if share.covered else _("{some} of {all} not covered")
    exactly = in_percent(exact, max(PLACES_SHOWN, percent.places) + MORE_PLACES)
    return _("{quotient} is {exactly}: {percent} % is cut off, rounded it is {rounded}").format(
        quotient=quotient.format(some=in_persons(some), all=in_persons(potential)),
        exactly=exactly,
        percent=decimal(percent.text),
        rounded=in_percent(exact, percent.places),
    )


def _make_a_whole(
    figure: Figure, percent: Printed, uncovered: Printed, days: Sequence[Standing]
) -> bool:
    """Whether the two can be of one exact percentage.

    Where it lies just half way both are rounded up and make more than 100: believed only of a
    percentage that is known exactly.
    """
    if uncovered.is_near(WHOLE - percent.value, percent.half_unit):
        return True
    exact = (figure.own_coverage, *(each.coverage for each in days))
    return any(
        percent.is_rounded_from(each) and uncovered.is_rounded_from(WHOLE - each)
        for each in exact
        if each is not None
    )
