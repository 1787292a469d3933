"""The one rounding rule, and how thousands are grouped, wherever a number is printed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def round_half_away(value: Fraction | int, places: int) -> Decimal:
    """Round the exact value to `places` decimals, a half away from zero; never a minus zero."""
    twice, of = 2 * abs(value.numerator) * 10**places, value.denominator
    scaled = (twice + of) // (2 * of)
    sign = 1 if value < 0 and scaled else 0
    return Decimal((sign, tuple(map(int, str(scaled))), -places))


def group_thousands(number: int, lang: str = "en") -> str:
    """Return the number with its thousands grouped: 88,958 (en) or 88.958 (id)."""
    text = f"{number:,}"
    return text.replace(",", ".") if lang == "id" else text
