"""What one cell of a file may hold, before anybody has given it a meaning.

Owns the type and how such a value is printed. Knows no file format.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from registry.language import _
from registry.safe_text import safe


@dataclass(frozen=True, slots=True)
class CellError:
    """A spreadsheet's error (`#REF!`), or a formula without a stored result: never an empty cell."""

    text: str


_SHORT_MAX: Final = 1e10  # what has fewer digits before the point than any person's number
_EXACT_MAX: Final = 1e15  # a spreadsheet keeps 15 digits

Value = str | int | float | bool | date | datetime | CellError | None  # None: an empty cell


def shown(value: Value, *, limit: int = 80) -> str:
    """Return the value as a message may print it: safe, never a personal number."""
    if value is None:
        return _("(empty)")
    if isinstance(value, CellError):
        return safe(value.text, limit=limit)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_MAX:
        value = int(value)  # 1671.0 is how a parser has it, 1671 what the clerk sees
    if isinstance(value, float) and abs(value) < _SHORT_MAX:
        return safe(f"{value:.10g}", limit=limit)  # a third has no end, and is nobody's number
    return safe(str(value), limit=limit)
