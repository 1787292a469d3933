"""Why a percentage changed, exactly: by heads, by the potential, by which regencies are counted.

Arithmetic over exact numbers; knows no ledger, no date and no rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

_HALF_PERCENT: Final = Fraction(100, 2)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a percentage is taken over at one end of a trace (persons).

    `counted`: each regency that is counted → its own heads and potential. Their sums are `heads`
    and `potential`, unless the area's own recorded potential is divided by.
    """

    heads: int
    potential: int
    counted: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Effects:
    """The parts of a change of percentage, in percentage points; exact, and they add up to it.

    `points_a_head`: what one head more is worth in `numerator`; None where no regency is counted
    at both ends.
    """

    numerator: Fraction
    denominator: Fraction
    counted: Fraction
    points_a_head: Fraction | None


def effects(first: Measured, second: Measured) -> Effects:
    """Return how much of a change of percentage the heads, the potential and the counting make.

    Of a1 heads over p1 and a2 over p2, the numerator is (a2 - a1) · ½(1/p1 + 1/p2) and the
    denominator ½(a1 + a2) · (1/p2 - 1/p1): symmetric, so exchanging the ends negates each. Where
    other regencies are counted at the two ends, both are taken over those counted at both; what
    is left is the effect of the regencies that entered (all counted at the second end, less those
    in common) and of those that left, and that of dividing by the area's own potential instead of
    the sum of theirs, which belongs to the denominator.
    """
    if first.counted.keys() == second.counted.keys():
        return _of_the_same((first.heads, first.potential), (second.heads, second.potential))
    all_1, all_2 = _over(first, first.counted), _over(second, second.counted)
    own_1 = _percent(first.heads, first.potential) - _percent(*all_1)
    own_2 = _percent(second.heads, second.potential) - _percent(*all_2)
    common = first.counted.keys() & second.counted.keys()
    if not common:
        counted = _percent(*all_2) - _percent(*all_1)
        return Effects(Fraction(0), own_2 - own_1, counted, None)
    one, other = _over(first, common), _over(second, common)
    entered = _percent(*all_2) - _percent(*other)
    left = _percent(*one) - _percent(*all_1)
    same = _of_the_same(one, other)
    return replace(same, denominator=same.denominator + own_2 - own_1, counted=entered + left)


def _of_the_same(first: tuple[int, int], second: tuple[int, int]) -> Effects:
    """Return the effects where the same regencies are counted: heads and potential at each end."""
    (heads_1, potential_1), (heads_2, potential_2) = first, second
    points_a_head = _HALF_PERCENT * (Fraction(1, potential_1) + Fraction(1, potential_2))
    turn = Fraction(1, potential_2) - Fraction(1, potential_1)
    return Effects(
        numerator=(heads_2 - heads_1) * points_a_head,
        denominator=_HALF_PERCENT * (heads_1 + heads_2) * turn,
        counted=Fraction(0),
        points_a_head=points_a_head,
    )


def _over(measured: Measured, regencies: Collection[str]) -> tuple[int, int]:
    """Return the heads and the potential of some of the regencies."""
    found = [measured.counted[each] for each in regencies]
    return sum(heads for heads, _ in found), sum(potential for _, potential in found)


def _percent(heads: int, potential: int) -> Fraction:
    return Fraction(100 * heads, potential)
