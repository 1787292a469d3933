"""What one cell of a file may hold, before anybody has given it a meaning.

Owns the type and how such a value is printed. Knows no file format.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Self

from registry.language import _
from registry.safe_text import safe


@dataclass(frozen=True, slots=True)
class CellError:
    """A spreadsheet's error (`#REF!`), or a formula without a stored result: never an empty cell."""

    text: str


class ShownNumber(float):
    """A number cell with what its format shows of it: 0.4826 as 48.26 %, 40.2 as 40.20.

    At least and at most so many decimals are shown; of a percentage a hundred times the number.
    """

    __slots__ = ("decimals_max", "decimals_min", "is_percent")

    is_percent: bool
    decimals_min: int
    decimals_max: int

    def __new__(cls, number: float, form: tuple[bool, int, int]) -> Self:
        """Take the number, and (is_percent, decimals_min, decimals_max)."""
        made = super().__new__(cls, number)
        made.is_percent, made.decimals_min, made.decimals_max = form
        return made

    @property
    def code(self) -> str:
        """Return a number format that shows it so."""
        optional = "#" * (self.decimals_max - self.decimals_min)
        decimals = "0" * self.decimals_min + optional
        return "0" + ("." + decimals if decimals else "") + ("%" if self.is_percent else "")

    def text(self) -> str:
        """Return the digits shown, with a dot, a half rounded away from zero; no per cent sign."""
        exact = Decimal(repr(float(self))).scaleb(2 if self.is_percent else 0)
        shown = format(exact.quantize(Decimal((0, (1,), -self.decimals_max)), ROUND_HALF_UP), "f")
        whole, _mark, decimals = shown.partition(".")
        decimals = decimals.rstrip("0").ljust(self.decimals_min, "0")
        return f"{whole}.{decimals}" if decimals else whole


_SHORT_MAX: Final = 1e10  # what has fewer digits before the point than any person's number
_LONG_MAX: Final = 1e21  # longer than any person's number; read more easily with an exponent

Value = str | int | float | bool | date | datetime | CellError | None  # None: an empty cell


def shown(value: Value, *, limit: int = 80) -> str:
    """Return the value as a message may print it: safe, never a personal number."""
    if value is None:
        return _("(empty)")
    if isinstance(value, CellError):
        return safe(value.text, limit=limit)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONG_MAX:
        value = int(value)  # 1671.0 is how a parser has it, 1671 what the clerk sees
    if isinstance(value, float) and abs(value) < _SHORT_MAX:
        text = f"{value:.10g}"  # a third has no end, and is nobody's number
        if float(text).is_integer():  # so near to a whole number that it must be seen to be none
            text = repr(float(value))
        return text
    return safe(str(value), limit=limit)
