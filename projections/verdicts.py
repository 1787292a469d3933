"""A figure held against what the ledger says: each printed number, and the worst of what they show.

Pure: a figure and standings in, results out. A percentage agrees if the exact value rounds to the
printed one; persons agree exactly; the figure's tolerance, in persons, is for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from projections.days import Days, Standing
from projections.figures import PLACES_SHOWN, WHOLE, Figure, Printed
from registry.rounding import round_half_away

Result = Literal[
    "agrees", "within-tolerance", "no-potential", "unclassified", "no-ledger", "undated", "differs"
]  # fmt: skip
What = Literal["active", "potential", "percent", "uncovered_percent", "gap"]

GOOD: Final = frozenset({"agrees", "within-tolerance"})
TOLD: Final = GOOD | {"differs"}
_WORSE: Final[dict[Result, int]] = {
    "agrees": 0, "within-tolerance": 1, "no-potential": 2, "unclassified": 3, "no-ledger": 4,
    "undated": 5, "differs": 6,
}  # fmt: skip


class Check(NamedTuple):
    """One printed number beside what it should be: persons, or an exact percentage.

    `decides`: whether the verdict rests on it. `expected` is None where there is nothing to hold it
    against. `reading` says what a gap was found to mean.
    """

    what: What
    published: int | Printed
    expected: int | Fraction | None
    result: Result
    decides: bool
    reading: str | None = None

    @property
    def published_number(self) -> int | Decimal:
        """The number as printed."""
        return self.published if isinstance(self.published, int) else Decimal(self.published.text)

    @property
    def expected_number(self) -> int | Decimal | None:
        """What it should be; a percentage with the printed decimals, two at least."""
        if self.expected is None or isinstance(self.expected, int):
            return self.expected
        places = self.published.places if isinstance(self.published, Printed) else 0
        return round_half_away(self.expected, max(PLACES_SHOWN, places))

    @property
    def difference(self) -> int | Decimal | None:
        """Published less expected, as both are printed."""
        expected = self.expected_number
        return None if expected is None else self.published_number - expected


class Judgement(NamedTuple):
    """What a figure comes to from one point of view: on which day, and the worst of its numbers."""

    standing: Standing | None
    verdict: Result


def judge(figure: Figure, days: Days) -> Judgement:
    """Judge a figure on each day that it can mean; without days it is undated.

    A month or a year agrees if any day of it does: the last of the best such standings is taken. If none
    does, it is held against its last day, which is what a month means everywhere.
    """
    last = days.last
    best = Judgement(last, _verdict(figure, last))
    if figure.first_day == figure.last_day:
        return best
    for standing in _near(figure, days):
        if best.verdict == "agrees":
            break
        verdict = _verdict(figure, standing)
        if verdict in GOOD and _WORSE[verdict] < _WORSE[best.verdict]:
            best = Judgement(standing, verdict)
    return best


def _near(figure: Figure, days: Days) -> Iterator[Standing]:
    """Yield the days that are not far off by their heads alone, the last first: of most, few."""
    if figure.active is None:
        return reversed(days)
    return days.with_active(figure.active - figure.tolerance, figure.active + figure.tolerance)


def verdict_on(standing: Standing, figure: Figure) -> Result:
    """Return the verdict on a figure if it is of one day."""
    return "differs" if _is_far_off(figure, standing) else _verdict(figure, standing)


def _is_far_off(figure: Figure, standing: Standing) -> bool:
    """Whether a day is none of a figure's by its heads alone: most days of a year are told so."""
    active, found = figure.active, standing.active
    return active is not None and (found is None or abs(active - found) > figure.tolerance)


class Tested(NamedTuple):
    """A figure tested: the ledger's standing on the day taken, each number, and the worst of them."""

    standing: Standing | None
    checks: tuple[Check, ...]
    verdict: Result

    @property
    def deciding(self) -> Check | None:
        """The number that made the verdict: the first of the worst."""
        same = [each for each in self.checks if each.result == self.verdict]
        return next((each for each in same if each.decides), next(iter(same), None))

    def agrees_in(self, *what: What) -> bool:
        """Whether one of these numbers is printed and agrees."""
        return any(each.what in what and each.result in GOOD for each in self.checks)


def tested(judged: Judgement, checks: tuple[Check, ...], gap: Check | None) -> Tested:
    """Return a judgement with its numbers, the gap too; that decides where nothing else is printed."""
    if gap is None:
        return Tested(judged.standing, checks, judged.verdict)
    alone = gap.result in TOLD and not any(each.decides for each in checks)
    return Tested(judged.standing, (*checks, gap), gap.result if alone else judged.verdict)


def is_untested(figure: Figure, verdict: str, standing: Standing | None) -> bool:
    """Whether a figure without a ledger to hold it against prints nothing that a ledger holds.

    That is a target alone, or a gap that no target is known to count from, of a day that it has.
    """
    if verdict != "no-ledger" or any(decides for *_, decides in _results(figure, standing)):
        return False
    return figure.gap is None or (standing is not None and standing.active is not None)


def checks_of(figure: Figure, standing: Standing | None) -> tuple[Check, ...]:
    """Return each printed number beside what the ledger says; a gap is none of the ledger's."""
    return tuple(
        Check(what, published, _expected(what, standing), result, decides=decides)
        for what, published, result, decides in _results(figure, standing)
    )


def result_of(what: What, figure: Figure, standing: Standing) -> Result | None:
    """Return what became of one printed number on one day; None if it is not printed."""
    return next((found for each, _, found, _ in _results(figure, standing) if each == what), None)


def fits(whats: Sequence[What], figure: Figure, days: Sequence[Standing]) -> bool:
    """Whether one of a figure's days has all of some printed numbers."""
    return any(all(result_of(what, figure, day) in GOOD for what in whats) for day in days)


def _verdict(figure: Figure, standing: Standing | None) -> Result:
    results = [result for _, _, result, decides in _results(figure, standing) if decides]
    if results:
        return max(results, key=_WORSE.__getitem__)
    if standing is None:
        return "undated"
    if figure.gap is not None and standing.active is not None and standing.potential is None:
        return "no-potential"
    return "no-ledger"  # only a target or a gap is printed: nothing that a ledger holds


def _results(
    figure: Figure, standing: Standing | None
) -> Iterator[tuple[What, int | Printed, Result, bool]]:
    """Yield what is printed, what became of it, and whether the verdict rests on it."""
    if figure.active is not None:
        yield "active", figure.active, _active(figure.active, figure, standing), True
    if figure.potential is not None:
        yield "potential", figure.potential, _potential(figure.potential, figure, standing), True
    if figure.percent is not None:
        yield (
            "percent",
            figure.percent,
            _share(figure.percent, figure, standing, covered=True),
            True,
        )
    if figure.uncovered is not None:
        result = _share(figure.uncovered, figure, standing, covered=False)
        yield "uncovered_percent", figure.uncovered, result, figure.percent is None


def _expected(what: What, standing: Standing | None) -> int | Fraction | None:
    if standing is None:
        return None
    match what:
        case "active":
            return standing.active
        case "potential":
            return standing.potential
        case "percent":
            return standing.coverage
        case _:
            return None if standing.coverage is None else WHOLE - standing.coverage


def _active(active: int, figure: Figure, standing: Standing | None) -> Result:
    if standing is None:
        return "undated"
    if standing.active is None:
        return "no-ledger"
    if active == standing.active:
        return "agrees"
    if not standing.has_group and standing.unclassified >= max(1, active - figure.tolerance):
        return "unclassified"
    return "within-tolerance" if abs(active - standing.active) <= figure.tolerance else "differs"


def _potential(potential: int, figure: Figure, standing: Standing | None) -> Result:
    if standing is None:
        return "undated"
    if standing.potential is None:
        return "no-potential"
    if potential == standing.potential:
        return "agrees"
    off = abs(potential - standing.potential)
    return "within-tolerance" if off <= figure.tolerance else "differs"


def _share(printed: Printed, figure: Figure, standing: Standing | None, *, covered: bool) -> Result:
    """Hold a percentage of the potential, covered or not, against the ledger's."""
    if standing is None:
        return "undated"
    active, potential = standing.active_counted, standing.potential
    if active is None or not potential:
        return "no-ledger" if standing.active is None else "no-potential"
    heads = active if covered else potential - active
    if printed.is_share(heads, potential):
        return "agrees"
    slack = figure.tolerance
    if slack and printed.is_within(
        Fraction(100 * (heads - slack), potential), Fraction(100 * (heads + slack), potential)
    ):
        return "within-tolerance"
    return "differs"
