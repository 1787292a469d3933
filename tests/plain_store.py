"""What lies in a store, read with sqlite3 and json alone: the checker of the fault tests.

Imports nothing of the program. It knows the tables, the keys of an event, and what must hold of
any store whatever happened to the processes that wrote it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.office_files import OfficeFile

WAITS_SECONDS: Final = 5.0
IMPORTED: Final = "ucj.file-imported"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, its state read as plain JSON."""

    position: int
    stream: str
    version: int
    topic: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a store holds: its events, and the bytes of the files."""

    events: tuple[Event, ...]
    sources: dict[str, bytes]

    def imported(self) -> list[str]:
        """Return the digests of the files that were recorded, in order."""
        return [str(event.facts["sha256"]) for event in self.events if event.topic == IMPORTED]


def read_store(path: Path) -> Contents:
    """Read a store as any SQLite program would, which also undoes what was interrupted."""
    with contextlib.closing(sqlite3.connect(path, timeout=WAITS_SECONDS)) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert sound == "ok", sound
        events = tuple(
            Event(position, stream, version, topic, json.loads(state))
            for position, stream, version, topic, state in connection.execute(
                "SELECT position, originator_id, originator_version, topic, state"
                " FROM stored_events ORDER BY position"
            )
        )
        sources = {}
        for digest, size in connection.execute("SELECT sha256, size FROM sources"):
            chunks = connection.execute(
                "SELECT bytes FROM source_chunks WHERE sha256 = ? ORDER BY number", (digest,)
            )
            content = b"".join(zlib.decompress(chunk) for (chunk,) in chunks)
            assert len(content) == size, f"the original {digest[:12]} is {len(content)} of {size}"
            sources[digest] = content
    return Contents(events, sources)


def check_store(path: Path, files: Iterable[OfficeFile]) -> Contents:
    """Hold a store to it: each of these files is in it whole, with its bytes, or not at all.

    Nothing but these files may have been recorded.
    """
    contents = read_store(path)
    _check_order(contents.events)
    by_digest = {file.sha256: file for file in files}
    imported = contents.imported()
    assert len(set(imported)) == len(imported), "a file is recorded twice"
    assert set(contents.sources) == set(imported), "originals and imports differ"
    recorded: set[tuple[str, str]] = set()
    for transaction in _transactions(contents.events):
        fact = transaction[0]
        assert fact.topic == IMPORTED, f"#{fact.position} begins a transaction: {fact.topic}"
        file = by_digest[fact.facts["sha256"]]
        content = contents.sources[file.sha256]
        assert hashlib.sha256(content).hexdigest() == file.sha256, f"bytes of {file.path.name}"
        expected = {key: said for key, said in file.batches().items() if key not in recorded}
        found = {
            (event.facts["area"], event.facts["reference"]): sorted(
                (line["row"], line["cohort"]["category"], line["workers"])
                for line in event.facts["lines"]
            )
            for event in transaction[1:]
        }
        assert found == expected, f"{file.path.name} is recorded in part, or otherwise"
        assert len(found) == len(transaction) - 1, f"a batch of {file.path.name} is there twice"
        recorded |= set(found)
    return contents


def _check_order(events: tuple[Event, ...]) -> None:
    assert [event.position for event in events] == list(range(1, len(events) + 1)), "gap"
    versions: dict[str, int] = defaultdict(int)
    recorded_at = ""
    for event in events:
        versions[event.stream] += 1
        assert event.version == versions[event.stream], f"#{event.position}: version"
        assert event.facts["recorded_at"] >= recorded_at, f"#{event.position}: clock went back"
        recorded_at = event.facts["recorded_at"]


def _transactions(events: tuple[Event, ...]) -> Iterator[list[Event]]:
    group: list[Event] = []
    for event in events:
        if group and event.facts["transaction_id"] != group[0].facts["transaction_id"]:
            yield group
            group = []
        group.append(event)
    if group:
        yield group
    numbers = [group.facts["transaction_id"] for group in events]
    assert numbers == sorted(numbers), "transactions are mixed"


def lowest_balances(contents: Contents) -> dict[tuple[Any, ...], int]:
    """Return the lowest number of heads each cohort and each open-ended pool ever has.

    Day after day over every day on which anything happens, by counting: heads that came, less
    heads that went, less heads whose term ended.
    """
    moves: dict[tuple[Any, ...], list[tuple[str, int]]] = defaultdict(list)
    for event in contents.events:
        taken = event.facts.get("takes_back")
        if taken:
            for line in taken["lines"]:
                _move(moves, line, taken["effective_on"], -1)
        for line in event.facts.get("lines") or event.facts.get("puts") or ():
            _move(moves, line, event.facts["effective_on"], 1)
    lowest = {}
    for held, changes in moves.items():
        days = sorted({day for day, _ in changes})
        lowest[held] = min(sum(n for when, n in changes if when <= day) for day in days)
    return lowest


def _move(
    moves: dict[tuple[Any, ...], list[tuple[str, int]]], line: dict[str, Any], day: str, sign: int
) -> None:
    cohort, heads = line["cohort"], sign * line["workers"]
    changes = [(day, heads)]
    if cohort["expires_on"]:
        changes.append((cohort["expires_on"], -heads))
    else:
        moves["pool", cohort["area"], cohort["category"]] += changes
    if cohort["reference"] is not None:
        moves["cohort", *(cohort[key] for key in sorted(cohort))] += changes
