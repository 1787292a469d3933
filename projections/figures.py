"""One published figure: what it says, as printed, and how each of its numbers may be read.

Exact arithmetic, rounded half away from zero at the printed decimals. Knows no ledger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from registry.language import _, decimal
from registry.rounding import group_thousands, round_half_away

WHOLE: Final = Fraction(100)
PLACES_SHOWN: Final = 2


class Printed(NamedTuple):
    """A number as printed: so many units of its last decimal, which is one `unit`th.

    What rounds to it lies from half a unit below up to, and not with, half a unit above.
    """

    text: str
    units: int
    unit: int
    places: int

    @property
    def value(self) -> Fraction:
        """The number itself."""
        return Fraction(self.units, self.unit)

    @property
    def number(self) -> Decimal:
        """The number with its decimals as printed."""
        return Decimal(self.units).scaleb(-self.places)

    @property
    def whole(self) -> int | None:
        """The number, if it is a whole one."""
        whole, rest = divmod(self.units, self.unit)
        return None if rest else whole

    @property
    def half_unit(self) -> Fraction:
        """How far rounding may have moved it."""
        return Fraction(1, 2 * self.unit)

    def is_rounded_from(self, exact: Fraction) -> bool:
        """Whether the exact value rounds to what is printed."""
        return self._is_quotient(exact.numerator, exact.denominator)

    def is_share(self, heads: int, potential: int) -> bool:
        """Whether heads over a potential, in percent, round to what is printed."""
        return self._is_quotient(100 * heads, potential)

    def is_cut_from(self, exact: Fraction) -> bool:
        """Whether the exact value was cut off after the printed decimals, where rounding gives more."""
        cut = math.floor(exact * self.unit)
        return cut == self.units and not self.is_rounded_from(exact)

    def is_within(self, lowest: Fraction, highest: Fraction | None) -> bool:
        """Whether some value from `lowest` to `highest` (None: without end) rounds to it."""
        return lowest < self.value + self.half_unit and (
            highest is None or highest >= self.value - self.half_unit
        )

    def is_near(self, value: Fraction, half_unit: Fraction) -> bool:
        """Whether it and another rounded number can stand for one and the same exact value."""
        return abs(self.value - value) < self.half_unit + half_unit

    def workers(self, potential: int) -> tuple[int, int] | None:
        """Return the fewest and the most heads that are printed as this percentage of a potential.

        None if no number of heads is: of a small potential the steps are wide.
        """
        fewest = -(-(2 * self.units - 1) * potential // (200 * self.unit))
        most = -(-(2 * self.units + 1) * potential // (200 * self.unit)) - 1
        return (max(0, fewest), most) if fewest <= most else None

    def potentials(self, fewest: int, most: int) -> tuple[int, int | None]:
        """Return the least and the greatest potential of which so many heads are this percentage.

        The greatest is None where nothing bounds it: a percentage that was rounded to 0.
        """
        least = 200 * self.unit * fewest // (2 * self.units + 1) + 1
        return least, 200 * self.unit * most // (2 * self.units - 1) if self.units else None

    def _is_quotient(self, numerator: int, denominator: int) -> bool:
        twice = 2 * numerator * self.unit
        if numerator < 0:  # a half goes away from zero on this side too
            return self.units == 0 and -twice < denominator
        return (2 * self.units - 1) * denominator <= twice < (2 * self.units + 1) * denominator


@lru_cache(maxsize=65_536)  # the percentages of a country's press are few
def printed(text: str) -> Printed:
    """Return a percentage or quantity in canonical text (`48.26`) with its decimals."""
    whole, _, decimals = text.partition(".")
    return Printed(text, int(whole + decimals), 10 ** len(decimals), len(decimals))


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure as recorded: a claim to be tested.

    `first_day` and `last_day` are those that `as_of` spans, None where it is unknown. Persons are
    whole numbers; percentages and the gap are as printed. `known_then` is the last position recorded
    by the end of the day it was published, in Jakarta; None where that day is unknown.
    """

    position: int
    area: str
    as_of: str | None
    first_day: date | None
    last_day: date | None
    category: str | None
    segment: str | None
    active: int | None
    potential: int | None
    percent: Printed | None
    uncovered: Printed | None
    target: Printed | None
    gap: Printed | None
    tolerance: int
    publisher: str
    published_on: date | None
    source: str
    quote: str | None
    known_then: int | None
    retracted: bool

    @property
    def is_of_a_group(self) -> bool:
        """Whether it is of one category or segment, of which no potential is recorded."""
        return self.category is not None or self.segment is not None

    @property
    def stated_percent(self) -> Printed | None:
        """Its percentage: as printed, or what its uncovered percentage leaves of 100."""
        if self.percent is not None or self.uncovered is None:
            return self.percent
        of_all = 100 * self.uncovered.unit
        return self.uncovered._replace(units=of_all - self.uncovered.units)

    @property
    def own_coverage(self) -> Fraction | None:
        """Its own active over its own potential, exact, in percent."""
        if self.active is None or not self.potential:
            return None
        return Fraction(100 * self.active, self.potential)

    def own_numbers_make(self, percentage: Printed) -> bool:
        """Whether its own active over its own potential, if printed, round to a percentage.

        Each may be off by its tolerance.
        """
        if self.active is None or not self.potential:
            return True
        if percentage.is_share(self.active, self.potential):
            return True
        span = self.own_coverage_span
        return self.tolerance > 0 and span is not None and percentage.is_within(*span)

    @property
    def own_coverage_span(self) -> tuple[Fraction, Fraction | None] | None:
        """The least and greatest percentage of its own active and potential, within its tolerance."""
        if self.active is None or not self.potential:
            return None
        least, greatest = self.potential - self.tolerance, self.potential + self.tolerance
        return (
            Fraction(100 * (self.active - self.tolerance), greatest),
            Fraction(100 * (self.active + self.tolerance), least) if least > 0 else None,
        )


def in_persons(number: int) -> str:
    """Return a number of persons as people read it, with a minus as a printer sets it."""
    return decimal(group_thousands(number).replace("-", "−"))


def persons_from(least: int, greatest: int) -> str:
    """Return a span of numbers of persons, or the one number that it is."""
    return (
        in_persons(least)
        if least == greatest
        else _("{least} to {greatest}").format(
            least=in_persons(least), greatest=in_persons(greatest)
        )
    )


def in_percent(exact: Fraction, places: int = PLACES_SHOWN) -> str:
    """Return an exact percentage as people read it."""
    return decimal(f"{round_half_away(exact, places):,} %".replace("-", "−"))
