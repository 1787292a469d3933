"""The one rounding rule, and how thousands are grouped, wherever a number is printed."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction


def round_half_away(value: Fraction | int, places: int) -> Decimal:
    """Round the exact value to `places` decimals, a half away from zero; never a minus zero."""
    scaled = math.floor(abs(value) * 10**places + Fraction(1, 2))
    sign = 1 if value < 0 and scaled else 0
    return Decimal((sign, tuple(map(int, str(scaled))), -places))


def group_thousands(number: int, lang: str = "en") -> str:
    """Return the number with its thousands grouped: 88,958 (en) or 88.958 (id)."""
    text = f"{number:,}"
    return text.replace(",", ".") if lang == "id" else text
