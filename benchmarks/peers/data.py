"""The data that every peer is given: the country's entries, once, as files.

The peers are spared what ucj does to come by signed entries: rules, terms and corrections are worked
out already. So what they record is less than what ucj records.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.country import commands, regencies_of
from benchmarks.stores import Store, filled_store
from benchmarks.tally import Heads, changed_references, heads_on
from projections.ledger import Ledger

ON: Final = date(2024, 6, 30)
REGENCY: Final = "16.06"
COLUMNS: Final = (
    "position", "recorded_at", "area", "reference", "part", "act", "category", "effective_on",
    "workers",
)  # fmt: skip
_LINES: Final = frozenset({"lines", "puts", "takes_back"})


class Entry(NamedTuple):
    """A signed movement of heads, as the file has it: days and instants as ISO text.

    `act` is `original`, `takes-back` or `puts`: what a correction or withdrawal takes away of a
    batch, and what a correction puts in its place.
    """

    position: int
    recorded_at: str
    area: str
    reference: str
    part: str
    act: str
    category: str
    effective_on: str
    workers: int


EventWithFacts = tuple[Entry, list[Entry], dict[str, Any]]
"""An event: its first entry, all of them, and what else the log has of it."""


@dataclass(frozen=True, slots=True)
class Data:
    """A country: the store that ucj has of it, its entries as a CSV, and what must be answered.

    The day asked about is `on`, as known at the position `known`, the end of the middle month, when
    `known_at` was the instant of recording (UTC, ISO text). `nation` and `of_regency` are counted
    from the commands.
    """

    store: Store
    csv: Path
    on: date
    known: int
    known_at: str
    regency: str
    nation: Heads
    of_regency: Heads
    batch_events: int

    def entries(self) -> Iterator[Entry]:
        """Read the CSV, in order of position; of one event, what it takes back comes first."""
        with self.csv.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            for position, recorded_at, area, reference, part, act, category, day, workers in rows:
                yield Entry(
                    int(position), recorded_at, area, reference, part, act, category, day,
                    int(workers),
                )  # fmt: skip

    def events(self) -> Iterator[tuple[Entry, list[Entry]]]:
        """Group the entries by event: its first entry, and all of them."""
        for _, group in itertools.groupby(self.entries(), lambda entry: entry.position):
            entries = list(group)
            yield entries[0], entries

    def events_with_facts(self) -> Iterator[EventWithFacts]:
        """As `events`, with what else the log has of each: all but the lines it is worked out from."""
        with closing(self.store.log()) as log:
            rows = log.rows()
            for first, entries in self.events():
                row = next(each for each in rows if each.position == first.position)
                facts = row.facts()
                yield first, entries, {key: facts[key] for key in facts.keys() - _LINES}


def prepared(folder: Path, batches: int) -> Data:
    """Make the store of a country of so many batches, publish its image, write its entries."""
    folder.mkdir()
    store = filled_store(folder / "store", batches)
    store.publish()
    middle = len(store.positions) // 2
    known = store.positions[middle]
    codes = regencies_of(batches)
    regency = REGENCY if REGENCY in codes else codes[0]
    # One command is one event here, so a position counts commands.
    said = list(itertools.islice(commands(batches), known))
    counted = heads_on(said, ON, changed=changed_references(said))
    nation = Heads({key: heads for key, heads in counted.items() if heads})
    path = folder / "entries.csv"
    with closing(store.log()) as log, closing(Ledger(log, store.folder())) as ledger:
        ledger.connection.execute(
            "COPY (SELECT position, strftime(recorded_at, '%Y-%m-%d %H:%M:%S') AS recorded_at, area,"
            " reference, part, act, category, effective_on, workers FROM entries"
            " ORDER BY position, act = 'puts') TO $1 (HEADER)",
            [str(path)],
        )
        ((known_at, batch_events),) = ledger.connection.execute(
            "SELECT strftime(max(recorded_at) FILTER (position <= $1), '%Y-%m-%d %H:%M:%S'),"
            " count(DISTINCT position) FROM entries",
            [known],
        ).fetchall()
    return Data(
        store=store,
        csv=path,
        on=ON,
        known=known,
        known_at=known_at,
        regency=regency,
        nation=nation,
        of_regency=Heads({key: heads for key, heads in nation.items() if key[0] == regency}),
        batch_events=batch_events,
    )
