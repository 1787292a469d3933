"""One value on its way out: exact until here, rounded here, written as JSON or as words.

Rounding is half away from zero, from the exact value, and happens nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from cli.escapes import json_escaped, visible
from cli.listing import PERCENT_PLACES, POINTS_PLACES, Kind
from registry.language import Words, _, numeral, said, short_day
from registry.rounding import group_thousands, round_half_away
from registry.safe_text import CUT, safe
from registry.terms import NOTE_LENGTH_MAX

NOTHING: Final = "–"

# What the registry made itself: a SHA-256 or an id. Such a text is nobody's number, though eleven
# of its digits may come one after another; one letter at least, or it is not told from digits.
_IDENTITY: Final = r"(?=[0-9-]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
_IS_IDENTITY: Final = re.compile(_IDENTITY)
_QUOTED_IDENTITY: Final = re.compile(f'("{_IDENTITY}")')
_ESCAPE_LENGTH_MAX: Final = len("\\U0010ffff")

_json: Final = json.JSONEncoder(ensure_ascii=False).encode


def rounded(value: object, places: int) -> Decimal | None:
    """Return an exact number with that many decimals; None stays None. Never takes a float."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Fraction | int | Decimal):
        raise TypeError(f"an exact number is needed, not {type(value).__name__}")
    return round_half_away(Fraction(value), places)


def percent(value: object) -> Decimal | None:
    """Return a percentage as documents print it: two decimals."""
    return rounded(value, PERCENT_PLACES)


def points(value: object) -> Decimal | None:
    """Return percentage points as documents print them: six decimals, so that they add up."""
    return rounded(value, POINTS_PLACES)


def instant(value: datetime) -> str:
    """Return an instant as ISO text in UTC, with a Z."""
    if value.tzinfo is None:
        raise TypeError("an instant needs its offset")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(value: object, kind: Kind) -> object:
    """Return the value as a program reads it: str, int, Decimal, bool, None; nested for json."""
    return None if value is None else _PLAIN[kind](value)


def encoded(value: object) -> str:
    """Return the value as JSON on one line: decimals as written, no hidden character raw."""
    match value:
        case None | bool() | int() | str():
            return json_escaped(_json(value))
        case Decimal():
            return format(value, "f")
        case date() | UUID():
            return f'"{instant(value) if isinstance(value, datetime) else value}"'
        case Mapping():
            pairs = (f"{encoded(str(key))}: {encoded(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case Sequence() if not isinstance(value, bytes | bytearray):
            return "[" + ", ".join(encoded(item) for item in value) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON: round or name it first")


def shown(value: object, kind: Kind) -> str:
    """Return the value as people read it, without a control character, on one line."""
    if value is None:
        return NOTHING
    if kind == "points":  # more decimals in programs than people read
        return numeral(f"{percent(value):,}")
    ready = said(value) if isinstance(value, Words) else plain(value, kind)
    words = _WORDS.get(kind)
    return str(ready) if words is None else words(ready)


def _words_of_count(ready: object) -> str:
    return numeral(group_thousands(int(str(ready))))


def _words_of_number(ready: object) -> str:
    return numeral(format(ready, "f")) if isinstance(ready, Decimal) else str(ready)


def _words_of_percent(ready: object) -> str:
    return numeral(f"{ready:,} %")


def _words_of_day(ready: object) -> str:
    return short_day(str(ready))


def _words_of_instant(ready: object) -> str:
    return short_day(str(ready)[: len("2025-07-16T09:30:00")].replace("T", " ") + "Z")


def _words_of_flag(ready: object) -> str:
    return str(said(_("yes") if ready else _("no")))


def _words_of_code(ready: object) -> str:
    return visible(str(ready)).replace("\n", "\\x0a")


def _words_of_text(ready: object) -> str:
    text = str(ready)
    return text if _IS_IDENTITY.fullmatch(text) else safe(text, limit=NOTE_LENGTH_MAX)


def _words_of_json(ready: object) -> str:
    pieces = _QUOTED_IDENTITY.split(encoded(ready))  # every second one is an identity
    words = "".join(
        piece if at % 2 else safe(piece, limit=_ESCAPE_LENGTH_MAX * len(piece))
        for at, piece in enumerate(pieces)
    )
    return words if len(words) <= NOTE_LENGTH_MAX else words[: NOTE_LENGTH_MAX - 1] + CUT


def _text(value: object) -> str:
    if not isinstance(value, str | UUID):
        raise TypeError(f"text is needed, not {type(value).__name__}")
    return str(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a whole number is needed, not {type(value).__name__}")
    return int(value)


def _number(value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"a number is needed, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise TypeError("a finite number is needed")
    return value


def _day(value: object) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"a day is needed, not {type(value).__name__}")
    return value.isoformat()


def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"an instant is needed, not {type(value).__name__}")
    return instant(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"yes or no is needed, not {type(value).__name__}")
    return value


def _nested(value: object) -> object:
    return value


_PLAIN: Final[Mapping[Kind, Callable[[object], object]]] = {
    "text": _text,
    "code": _text,
    "count": _count,
    "number": _number,
    "percent": percent,
    "points": points,
    "date": _day,
    "instant": _instant,
    "flag": _flag,
    "json": _nested,
}

_WORDS: Final[Mapping[Kind, Callable[[object], str]]] = {
    "text": _words_of_text,
    "code": _words_of_code,
    "count": _words_of_count,
    "number": _words_of_number,
    "percent": _words_of_percent,
    "date": _words_of_day,
    "instant": _words_of_instant,
    "flag": _words_of_flag,
    "json": _words_of_json,
}
