"""The eventsourcing library as it comes: saved, replayed, folded into a table, projected."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.peers.data import Data, EventWithFacts
from benchmarks.peers.peer import Question, Work
from benchmarks.peers.sqlite_table import ask_nation, fill
from benchmarks.peers.stock_application import (
    Register,
    record_one_by_one,
    record_together,
    register_in,
    replayed,
    rows_of,
)
from benchmarks.peers.stock_projection import project
from benchmarks.tally import Heads

SAVED_TOGETHER: Final = "all in one save(), SQLite"
SAVED_ONE_BY_ONE: Final = "a save() for each event, SQLite"
REPLAYED: Final = "log only replayed through its mapper"
FOLDED: Final = "replayed and folded into an indexed SQLite table"
PROJECTED: Final = "ProjectionRunner from memory into an indexed SQLite view"


class Eventsourcing:
    """What can be done with it at once: one save for all, and a fold of one's own."""

    name = "eventsourcing"
    batches_max: int | None = 100_000  # all of them stand in memory to be saved together

    def why_not(self) -> str | None:
        """Return None: ucj needs it too."""
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        recorded: list[Path] = []
        yield _recording(SAVED_TOGETHER, record_together, data, folder, recorded)
        with closing(register_in(recorded[-1])) as register:
            yield Work(
                Question.REBUILD,
                REPLAYED,
                lambda: sum(1 for _ in replayed(register)),
                data.batch_events,
            )
            path = folder / "folded.db"
            yield Work(
                Question.REBUILD,
                FOLDED,
                lambda: _fold(register, path),
                data.nation,
                answer=lambda: ask_nation(path, data),
                prepare=lambda: path.unlink(missing_ok=True),
            )


class EventsourcingOneByOne:
    """What its documentation shows: each aggregate saved, each event projected."""

    name = "eventsourcing, one by one"
    batches_max: int | None = 100_000

    def why_not(self) -> str | None:
        """Return None: ucj needs it too."""
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        yield _recording(SAVED_ONE_BY_ONE, record_one_by_one, data, folder, [])
        views = (folder / f"view-{number}.db" for number in count())
        projected: list[Path] = []
        with closing(register_in(None)) as register:
            record_together(register, data.events_with_facts())
            yield Work(
                Question.REBUILD,
                PROJECTED,
                lambda: project(register, projected[-1], data.batch_events),
                data.nation,
                answer=lambda: ask_nation(projected[-1], data),
                prepare=lambda: projected.append(next(views)),
            )


def _recording(
    way: str,
    record: Callable[[Register, Iterable[EventWithFacts]], None],
    data: Data,
    folder: Path,
    recorded: list[Path],
) -> Work:
    """Return the recording of everything in a new file, from its opening to its closing.

    The files are put into `recorded`.
    """
    stores = (folder / f"{record.__name__}-{number}.db" for number in count())

    def run() -> None:
        with closing(register_in(recorded[-1])) as register:
            record(register, data.events_with_facts())

    def answer() -> Heads:
        path = folder / f"{record.__name__}-folded.db"
        with closing(register_in(recorded[-1])) as register:
            _fold(register, path)
        return ask_nation(path, data)

    return Work(
        Question.LOAD,
        way,
        run,
        data.nation,
        answer=answer,
        prepare=lambda: recorded.append(next(stores)),
        batches=data.batch_events,
    )


def _fold(register: Register, path: Path) -> None:
    fill(path, (row for said in replayed(register) for row in rows_of(said)))
