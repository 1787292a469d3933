"""What was known when: from `#1234`, a date or an instant to a position in the log.

The position orders; the clock only labels. A position inside a transaction means the last one
before it, because rules hold only at the end of a transaction.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from registry.errors import InvalidDateError, KnownInFutureError
from registry.language import _
from registry.terms import JAKARTA

if TYPE_CHECKING:
    from registry.storage.log import Log

_POSITION: Final = re.compile(r"[#@]([0-9]{1,30})")
_REMEDY: Final = _(
    "Give a position (#1234 or @1234), a date, or an instant (2025-07-31T12:00:00+07:00)."
)


def resolve_known(log: Log, known: str | None, *, now: datetime) -> int:
    """Return the position that a question's `known` means; None is the head of the log.

    Raises: KnownInFutureError for what the log has not reached, InvalidDateError for what cannot
    be read.
    """
    head = log.head()
    if known is None:
        return head
    text = known.strip()
    if match := _POSITION.fullmatch(text):
        position = int(match[1])
        if position > head:
            what = _("the log ends at #{head}; #{position} is not recorded yet").format(
                head=head, position=position
            )
            raise KnownInFutureError(what, remedy=_("Ask without --known for what is known now."))
        return end_of_transaction(log, position)
    instant = _instant(text, now=now)
    # Today is now, whatever the clock says: another's clock may have been ahead.
    return head if instant is None else last_recorded(log, instant, head)


def end_of_transaction(log: Log, position: int) -> int:
    """Return the position itself if a transaction ends there, else the last one before it."""
    following = log.row(position + 1)
    if following is None:
        return position
    first = int(following.facts()["transaction_id"])
    return position if first > position else first - 1


def last_recorded(log: Log, instant: datetime, head: int) -> int:
    """Return the last position recorded at or before an instant; 0 if there is none."""
    low, high = 0, head  # recorded_at never runs backwards, so half the log is ruled out each time
    while low < high:
        middle = (low + high + 1) // 2
        row = log.row(middle)
        assert row is not None
        if row.recorded_at() <= instant:
            low = middle
        else:
            high = middle - 1
    return low


def _instant(text: str, *, now: datetime) -> datetime | None:
    """Return the instant that is meant; None for today, which is not over."""
    if not text[:1].isdigit() or not {"T", " "} & set(text):
        return _end_of_day(text, now=now)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return _end_of_day(text, now=now)
    if instant.tzinfo is None:
        what = _("the instant {text} has no time zone").format(text=text)
        raise InvalidDateError(what, remedy=_("Add +07:00 (Jakarta) or Z (UTC)."))
    if instant > now:
        what = _("{text} has not come yet").format(text=text)
        raise KnownInFutureError(what, remedy=_("Ask without --known for what is known now."))
    return instant


def _end_of_day(text: str, *, now: datetime) -> datetime | None:
    from registry.dates import parse_day

    try:
        day: date = parse_day(text)
    except InvalidDateError as error:
        raise InvalidDateError(error.what, why=error.why, remedy=_REMEDY) from None
    today = now.astimezone(JAKARTA).date()
    if day > today:
        what = _("{day} has not come yet").format(day=day)
        raise KnownInFutureError(what, remedy=_("Ask without --known for what is known now."))
    if day == today:
        return None
    return datetime.combine(day + timedelta(days=1), time(), JAKARTA) - timedelta(microseconds=1)
