"""The batches of an imported file saved by the eventsourcing library as it comes: stock mapper and recorder.

An aggregate has the facts of its batch, and the entries in place of the lines (benchmarks.peers.
stock_application). Making the aggregates is timed, reading what they are made of is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.peers.data import Entry, EventWithFacts
from benchmarks.peers.stock_application import (
    Register,
    record_one_by_one,
    record_together,
    register_in,
)
from benchmarks.stores import Store

ROUNDS: Final = 3


def seconds_together(store: Store, folder: Path) -> float:
    """Return what one `save()` of all batches takes, the median of three."""
    return _seconds(record_together, store, folder, ROUNDS)


def seconds_one_by_one(store: Store, folder: Path) -> float:
    """Return what a `save()` for each batch takes; run once, because it takes over 30 s."""
    return _seconds(record_one_by_one, store, folder, 1)


def _seconds(
    record: Callable[[Register, Iterable[EventWithFacts]], None],
    store: Store,
    folder: Path,
    rounds: int,
) -> float:
    batches = [*_enrolments(store)]
    took: list[float] = []
    for number in range(rounds):
        began = perf_counter()
        with closing(register_in(folder / f"{record.__name__}-{number}.db")) as register:
            record(register, batches)
            recorded = register.recorder.max_notification_id()
        took.append(perf_counter() - began)
        assert recorded == len(batches)
    return median(took)


def _enrolments(store: Store) -> Iterator[EventWithFacts]:
    """Yield the batches of a store that has nothing but enrolments, and what tells of their import."""
    with closing(store.log()) as log:
        for row in log.rows():
            facts = row.facts()
            lines = facts.pop("lines", ())
            entries: list[Entry] = []
            for line in lines:
                cohort, workers = line["cohort"], line["workers"]
                movements = [(facts["effective_on"], workers)]
                if cohort["expires_on"] is not None:
                    movements.append((cohort["expires_on"], -workers))
                entries += [
                    Entry(
                        row.position, facts["recorded_at"], facts["area"], facts["reference"],
                        facts["part"], "original", cohort["category"], day, heads,
                    )
                    for day, heads in movements
                ]  # fmt: skip
            if entries:
                yield entries[0], entries, facts
