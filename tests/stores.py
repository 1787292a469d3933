"""The three stores that every property is asked of: memory, SQLite, SQLite with an image.

All three go through `EnrolmentRegistry`; a clock that ticks one second a transaction stands in for
the machine's, so that nothing depends on when the tests run.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from projections.ledger import ImageFolder, Ledger, build_image, image_folder
from projections.rules import LedgerBalances
from registry.application import EnrolmentRegistry
from registry.area import TAKES_BACK
from registry.balances import Balances, Finding, StatedPeriod, Survivors
from registry.commands import Command, PublishFigure, RevisePotential, SetTarget
from registry.storage.log import ConnectionLog, Log, open_log
from registry.storage.sqlite import LogFactory, create_store, lay_out_memory

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that is set, and ticks a second each time it is read."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> datetime:
        """Return the time; the next reading is a second later."""
        self.now += timedelta(seconds=1)
        return self.now


class Unguarded:
    """Balances that see nothing: the protection, switched off."""

    def prepare(self) -> None:
        """Do nothing."""

    def follow(self, since: int, expected: int) -> None:
        """Follow nothing."""

    def findings(self, *_: object, **__: object) -> list[Finding]:
        """Find nothing wrong."""
        return []

    def stated(self, log: Log, areas: Sequence[str], on: date) -> dict[str, StatedPeriod]:
        """Answer as usual; this breaks no rule."""
        return LedgerBalances(None, lambda: log).stated(log, areas, on)

    def survivors(self, log: Log, area: str, reference: str, part: str) -> list[Survivors]:
        """Answer as usual; this breaks no rule."""
        return LedgerBalances(None, lambda: log).survivors(log, area, reference, part)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The one sheet of a file that was never written."""

    name: str
    rows: int
    workers: int


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes that are kept of it: those of this module, which are as good as any."""

    sha256: str
    path: Path = Path(__file__)
    size: int = 1


@dataclass(slots=True)
class Admitted:
    """Commands as a checked file hands them over: any history can be imported without a file.

    `number` makes one file differ from another.
    """

    batches: tuple[Command, ...]
    number: int
    import_kind: str = "batches"
    file_name: str = "batches.csv"
    sha256: str = ""
    size: int = 1
    options: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    names_batches: bool = True

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(str(self.number).encode()).hexdigest()

    @property
    def batches_total(self) -> int:
        """Return how many commands there are."""
        return len(self.batches)

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Return one sheet, without a name, as CSV has."""
        return (Sheet("", len(self.batches), 0),)

    @property
    def kept(self) -> Original:
        """Return some bytes."""
        return Original(self.sha256)

    def commands(self) -> tuple[Command, ...]:
        """Return the commands."""
        return self.batches

    def let_go(self) -> None:
        """Nothing waits here."""

    def address(self, sheet: str | None, row: int | None, column: str) -> str:
        """Return where a value would be."""
        return f"{sheet}!{column}{row}"


class Store:
    """A store with its registry; `path` None is in memory."""

    def __init__(self, path: Path | None, balances: Balances | None = None) -> None:
        self.clock = Clock()
        self.path = path
        self.folder: ImageFolder | None = None
        self._memory: sqlite3.Connection | None = None
        if path is not None:
            self.store_id = create_store(path, created_at=str(EPOCH), created_by="tests")
        self.registry = EnrolmentRegistry(
            path,
            balances=balances or LedgerBalances(None, self.log),
            actor="tests",
            clock=self.clock,
        )
        if path is None:
            factory = cast("LogFactory", self.registry.factory)
            self.store_id = lay_out_memory(factory, created_at=str(EPOCH), created_by="tests")
            self._memory = sqlite3.connect(_memory_uri(factory), uri=True, isolation_level=None)

    def log(self) -> ConnectionLog:
        """Open the log for reading."""
        if self.path is not None:
            return open_log(self.path)
        assert self._memory is not None
        return _Lent(self._memory, self.store_id)

    def publish(self) -> None:
        """Publish an image of the log as it is, and use it from now on, for the rules as well."""
        assert self.path is not None
        folder = image_folder(self.path, self.store_id)
        assert folder is not None
        with closing(self.log()) as log:
            build_image(log, folder)
        self.folder = folder
        self.registry._balances = LedgerBalances(folder, self.log)

    @contextmanager
    def ledger(self, *, upto: int | None = None) -> Iterator[Ledger]:
        """Open the ledger: image and tail where there is an image, else all of it as the tail."""
        with closing(self.log()) as log, closing(Ledger(log, self.folder, upto=upto)) as ledger:
            yield ledger

    def close(self) -> None:
        """Release everything."""
        self.registry.close()
        if self._memory is not None:
            self._memory.close()


class _Lent(ConnectionLog):
    """A log over a connection that outlives it: a memory store is gone with its last one."""

    def close(self) -> None:
        """Leave the connection open."""


def _memory_uri(factory: LogFactory) -> str:
    pool: Any = factory.datastore.pool
    return str(pool.memory_uri)


SAID_AS: Final = {RevisePotential: "potential", SetTarget: "target", PublishFigure: "figure"}


def position_of(store: Store, place: int, *, besides: Collection[int] = ()) -> int:
    """Return the position at which something was said of an area, by its place among all of it.

    `besides`: positions of what was said besides, and is not counted.
    """
    topics = {said_as.TOPIC for said_as, _ in TAKES_BACK.values()}
    with closing(store.log()) as log:
        said = [row.position for row in log.rows() if row.topic in topics]
    return [each for each in said if each not in besides][place]


def head(store: Store) -> int:
    """Return the last position."""
    with closing(store.log()) as log:
        return log.head()
