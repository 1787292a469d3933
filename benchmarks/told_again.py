"""A country told again and again: ten million batches without asking the rules of each.

What the registry recorded of the first telling is copied with other references, and so other streams,
recorded eight years later. It is, byte for byte, what the registry records of the same commands with
these references (tests/test_benchmarks_country.py), in a tenth of the time.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from benchmarks.country import Dated
from registry.commands import BatchLine, RecordBatch, RevisePotential
from registry.terms import batch_id

if TYPE_CHECKING:
    from benchmarks.stores import Store

YEARS: Final = 8
"""Longer than a country's history, and of any day of it, 29 February too, the same day is there again."""

_READ: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events"
    " WHERE position <= ? ORDER BY position"
)
_WRITE: Final = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
    " VALUES (?, ?, ?, ?)"
)
_POTENTIAL: Final = "ucj.labour-potential-revised"
_RECORDED: Final = re.compile(rb'"recorded_at":"([0-9]{4})')
_TRANSACTION: Final = re.compile(rb'"transaction_id":([0-9]+)')
_REFERENCE: Final = re.compile(rb'"reference":"([^"]*)","rejected"|"reference":"([^"]*)","row"')
_AREA: Final = slice(len('{"area":"'), len('{"area":"16.06'))


def told_again(store: Store, times: int) -> Store:
    """Add to a filled store the same history, until it was told so many times."""
    positions = list(store.positions)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        versions = Counter(
            stream
            for (stream,) in connection.execute(
                "SELECT originator_id FROM stored_events WHERE topic = ?", (_POTENTIAL,)
            )
        )
        for number in range(1, times):
            after = number * store.events
            said = connection.execute(_READ, (store.events,))
            connection.executemany(_WRITE, _copied(said, number, after, versions))
            positions += [after + each for each in store.positions]
    return replace(store, events=times * store.events, positions=tuple(positions), times=times)


def in_other_words(said: Iterable[Dated], number: int) -> Iterator[Dated]:
    """Yield the commands of the telling of a number, from 1, as `told_again` has them."""
    for on, command in said:
        again = on.replace(year=on.year + number * YEARS)
        if isinstance(command, RevisePotential):
            yield Dated(again, replace(command, source=_again(command.source, number)))
        elif isinstance(command, RecordBatch):
            lines = tuple(_line(each, number) for each in command.lines)
            reference = _again(command.reference, number)
            yield Dated(again, replace(command, reference=reference, lines=lines))


def _line(line: BatchLine, number: int) -> BatchLine:
    if line.of_batch is None:
        return line
    return replace(line, of_batch=_again(line.of_batch, number))


_NAMED: Final = ("560/SK-", "Saldo awal ", "BPS, Sakernas ")
"""What references of batches and sources of potentials begin with."""


def _again(name: str, number: int) -> str:
    begin = next(each for each in _NAMED if name.startswith(each))
    return f"{begin}{number}.{name.removeprefix(begin)}"


def _copied(
    rows: Iterable[tuple[str, int, str, bytes]], number: int, after: int, versions: Counter[str]
) -> Iterator[tuple[str, int, str, bytes]]:
    named = [(f'"{each}'.encode(), f'"{each}{number}.'.encode()) for each in _NAMED]
    for stream, version, topic, stored in rows:
        state = stored
        for name, again in named:
            state = state.replace(name, again)
        at, end = _of(_RECORDED, state)
        state = b"%b%d%b" % (state[:at], int(state[at:end]) + number * YEARS, state[end:])
        at, end = _of(_TRANSACTION, state)
        state = b"%b%d%b" % (state[:at], int(state[at:end]) + after, state[end:])
        if topic == _POTENTIAL:
            yield stream, version + number * versions[stream], topic, state
        else:
            yield _stream(state), version, topic, state


def _of(pattern: re.Pattern[bytes], state: bytes) -> tuple[int, int]:
    """Return where in a state the value begins and ends that a pattern finds."""
    found = pattern.search(state)
    assert found is not None
    return found.span(1)


def _stream(state: bytes) -> str:
    """Return the stream of the batch of a state."""
    found = _REFERENCE.search(state)
    assert found is not None
    reference = (found[1] or found[2]).decode()
    return batch_id(state[_AREA].decode(), reference).hex
