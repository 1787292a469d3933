"""What `known` means: positions, dates in Jakarta, instants; never the future."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from projections.known import resolve_known
from registry.commands import BatchLine, RecordBatch
from registry.errors import InvalidDateError, KnownInFutureError
from registry.storage.log import ConnectionLog
from registry.terms import Action
from tests.stores import Store

NOW = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)  # noon in Jakarta

# When each transaction was recorded (UTC), and how many events it has.
RECORDED = (
    (datetime(2026, 3, 1, 16, 59, 59, tzinfo=UTC), 1),  # #1: the last second of 1 March in Jakarta
    (datetime(2026, 3, 1, 17, 0, 0, tzinfo=UTC), 2),  # #2–#3: the first second of 2 March there
    (datetime(2026, 3, 10, 4, 0, 0, tzinfo=UTC), 1),  # #4: today
)


class _Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(name="log", scope="module")
def _log() -> Iterator[ConnectionLog]:
    store = Store(None)
    clock = _Clock()
    store.registry._clock = clock
    number = 0
    for recorded_at, count in RECORDED:
        clock.now = recorded_at
        batches = []
        for _ in range(count):
            number += 1
            line = BatchLine("marbot", number)
            day = date(2025, 1, 1)
            batches.append(
                RecordBatch(Action.ENROL, "16.06", f"SK-{number}", (line,), effective_on=day)
            )
        store.registry.record(*batches)
    with closing(store.log()) as log:
        yield log
    store.close()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (None, 4),
        ("#4", 4),
        ("@4", 4),
        (" @4 ", 4),
        ("#0", 0),
        ("#1", 1),
        ("#2", 1),  # inside a transaction: the last before it
        ("#3", 3),
        ("2026-02-28", 0),  # before anything
        ("2026-03-01", 1),  # its end in Jakarta, not in Greenwich
        ("1 Maret 2026", 1),
        ("01/03/2026", 1),
        ("2026-03-02", 3),
        ("2026-03-09", 3),
        ("2026-03-10", 4),  # today means now
        ("2026-03-01T16:59:59Z", 1),
        ("2026-03-01T16:59:58Z", 0),
        ("2026-03-02T00:00:00+07:00", 3),
        ("2026-03-01 23:59:59+07:00", 1),
        ("2026-03-10T05:00:00Z", 4),
    ],
)
def test_known_is_a_position(log: ConnectionLog, text: str | None, position: int) -> None:
    """A position, the end of a day in Jakarta, or an instant; nothing is head of the log."""
    assert resolve_known(log, text, now=NOW) == position


@pytest.mark.parametrize(
    "text", ["#5", "@5", "#999999999999999999", "2026-03-11", "2026-03-10T05:00:01Z", "2027-01-01"]
)
def test_the_future_is_refused(log: ConnectionLog, text: str) -> None:
    """What the log has not reached is not known."""
    with pytest.raises(KnownInFutureError):
        resolve_known(log, text, now=NOW)


@pytest.mark.parametrize(
    "text",
    ["4", "#", "#-1", "#1.0", "##1", "", "yesterday", "2026-03", "2026-02-30", "2026-03-01T10:00:00", "T10:00", "٢٠٢٦-03-01"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(log: ConnectionLog, text: str) -> None:
    """Never a guess: no bare number, no month, no instant without its zone."""
    with pytest.raises(InvalidDateError):
        resolve_known(log, text, now=NOW)


def test_today_is_now_though_the_clock_was_ahead(log: ConnectionLog) -> None:
    """The log's last instant lies after now, since another's clock was ahead: all of it is known."""
    earlier = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
    assert resolve_known(log, "2026-03-10", now=earlier) == log.head()


def test_today_follows_the_clock_of_jakarta(log: ConnectionLog) -> None:
    """At 18:00 UTC it is tomorrow in Jakarta, and that day may be asked."""
    evening = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)
    assert resolve_known(log, "2026-03-11", now=evening) == 4
    with pytest.raises(KnownInFutureError):
        resolve_known(log, "2026-03-11", now=datetime(2026, 3, 10, 16, 59, tzinfo=UTC))


def test_one_clock_reading_for_a_whole_transaction_that_never_runs_back() -> None:
    """A clock set back does not put an event before an earlier one: the search stays right."""
    store = Store(None)
    clock = _Clock()
    store.registry._clock = clock
    for number, recorded_at in enumerate((NOW, datetime(2020, 1, 1, tzinfo=UTC)), start=1):
        clock.now = recorded_at
        line = BatchLine("marbot", number)
        day = date(2025, 1, 1)
        store.registry.record(
            RecordBatch(Action.ENROL, "16.06", f"SK-{number}", (line,), effective_on=day)
        )
    with closing(store.log()) as log:
        assert resolve_known(log, "2020-01-02", now=NOW) == 0
        assert resolve_known(log, NOW.isoformat(), now=NOW) == 2
    store.close()
