"""The registry as the eventsourcing library's documentation would have it: stock mapper, stock recorder.

An event holds what ucj's event holds, but in place of its lines the signed entries, already worked
out, and the position it has in ucj's log. No rule is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.peers.data import Entry, EventWithFacts

Row = tuple[int, str, str, str, int]
"""Position, area, category, day, heads: an entry of a table."""

PAGE_EVENTS = 5_000


class Batch(Aggregate):
    """An enrolment batch. `entries`: category, day as ISO text, signed heads."""

    @event("Recorded")
    def __init__(
        self,
        area: str,
        reference: str,
        part: str,
        position: int,
        facts: dict[str, Any],
        entries: list[list[str | int]],
    ) -> None:
        self.area = area
        self.reference = reference
        self.part = part
        self.position = position
        self.facts = facts
        self.entries = entries

    @event("Changed")
    def change(
        self, area: str, position: int, facts: dict[str, Any], entries: list[list[str | int]]
    ) -> None:
        """Correct or withdraw it, by the entries of the difference."""
        self.area = area
        self.position = position
        self.facts = facts
        self.entries = [*self.entries, *entries]

    @staticmethod
    def create_id(area: str, reference: str, part: str) -> UUID:
        """Return the id of the batch with this name."""
        return uuid5(NAMESPACE_OID, f"{area}\n{reference}\n{part}")


class Register(Application[UUID]):
    """Keeps batches."""

    def record(self, first: Entry, entries: list[Entry], facts: dict[str, Any]) -> None:
        """Record one event, with one `save()`."""
        self.save(recorded(first, entries, facts, self.repository.get))


def register_in(path: Path | None) -> Register:
    """Return an application over an SQLite file, or over the memory."""
    if path is None:
        return Register(env={"REGISTER_PERSISTENCE_MODULE": "eventsourcing.popo"})
    return Register(
        env={
            "REGISTER_PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "REGISTER_SQLITE_DBNAME": str(path),
        }
    )


def recorded(
    first: Entry, entries: list[Entry], facts: dict[str, Any], find: Callable[[UUID], Any]
) -> Batch:
    """Return a batch after an event: a new one, or one that `find` has, changed."""
    said: list[list[str | int]] = [
        [each.category, each.effective_on, each.workers] for each in entries
    ]
    if first.act == "original":
        return Batch(first.area, first.reference, first.part, first.position, facts, said)
    batch: Batch = find(Batch.create_id(first.area, first.reference, first.part))
    batch.change(first.area, first.position, facts, said)
    return batch


def record_one_by_one(register: Register, events: Iterable[EventWithFacts]) -> None:
    """Record each event with a save of its own."""
    for first, entries, facts in events:
        register.record(first, entries, facts)


def record_together(register: Register, events: Iterable[EventWithFacts]) -> None:
    """Record all of them in one save."""
    batches: dict[UUID, Batch] = {}
    for first, entries, facts in events:
        batch = recorded(first, entries, facts, batches.__getitem__)
        batches[batch.id] = batch
    register.save(*batches.values())


def replayed(register: Register) -> Iterator[Any]:
    """Yield every event of the log, through the mapper."""
    start = 1
    while page := register.recorder.select_notifications(start, PAGE_EVENTS):
        yield from map(register.mapper.to_domain_event, page)
        start = page[-1].id + 1


def rows_of(said: Any) -> Iterator[Row]:  # noqa: ANN401 - the library makes the classes of events
    """Yield the entries of an event."""
    for category, effective_on, workers in said.entries:
        yield said.position, said.area, category, effective_on, workers
