"""Stores of any size, and files to import, made from the country.

A store is filled through the registry's own deciding and recording, in one transaction for each
month of the country's years; only the question to the ledger whether the rules hold is left out,
because every beginning of the stream is known to obey them (tests/test_benchmarks_country.py).
"""

from __future__ import annotations

import csv
import itertools
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from benchmarks.country import Dated, history
from projections.ledger import ImageFolder, build_image, image_folder
from projections.rules import LedgerBalances
from registry.application import EnrolmentRegistry
from registry.batch import Stamp
from registry.collecting import collecting_rarely
from registry.commands import BatchLine, RecordBatch
from registry.recording import Recording
from registry.storage.log import ConnectionLog, open_log
from registry.storage.sqlite import check_identity, create_store

if TYPE_CHECKING:
    from registry.storage.mapper import EventMapper

CREATED_AT: Final = "2019-12-31T00:00:00Z"
RECORDED_BY: Final = "Dinas Tenaga Kerja"
NOON: Final = time(12, tzinfo=UTC)

COLUMNS: Final = (
    "reference", "part", "action", "area", "category", "from_category", "workers", "effective_on",
    "covered_until", "of_batch", "segment", "funding", "programmes", "reason", "decided_on",
    "document", "proposed", "rejected", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Store:
    """A store on disk and the size of the country in it; `positions` is the head at each month.

    `batches` are those of one telling, of which there are `times` (benchmarks.told_again).
    """

    path: Path
    batches: int
    events: int
    positions: tuple[int, ...]
    times: int = 1

    def log(self) -> ConnectionLog:
        """Open the log for reading."""
        return open_log(self.path)

    def folder(self) -> ImageFolder:
        """Return where its images lie."""
        folder = image_folder(self.path, check_identity(self.path))
        assert folder is not None
        return folder

    def registry(self) -> EnrolmentRegistry:
        """Open the registry, rules and all."""
        balances = LedgerBalances(self.folder(), self.log)
        return EnrolmentRegistry(self.path, balances=balances, actor=RECORDED_BY)

    def publish(self) -> None:
        """Bring the image up to the head of the log."""
        with closing(self.log()) as log:
            build_image(log, self.folder())

    def copy(self, folder: Path) -> Store:
        """Return a copy in another folder, images and all, which may be written to."""
        folder.mkdir()
        path = folder / self.path.name
        shutil.copyfile(self.path, path)
        if self.folder().path.exists():
            shutil.copytree(self.folder().path, path.with_name(path.name + ".ledger"))
        return replace(self, path=path)


def empty_store(folder: Path) -> Store:
    """Return a store without events in a new folder."""
    folder.mkdir()
    path = folder / "registry.db"
    create_store(path, created_at=CREATED_AT, created_by=RECORDED_BY)
    return Store(path, 0, 0, ())


def filled_store(folder: Path, batches: int) -> Store:
    """Return a store with the country of so many batches, without an image."""
    store = empty_store(folder)
    with closing(store.registry()) as registry, collecting_rarely():
        positions = tuple(fill(registry, history(batches)))
    return Store(store.path, batches, positions[-1] if positions else 0, positions)


def fill(registry: EnrolmentRegistry, said: Iterable[Dated]) -> Iterator[int]:
    """Record a history, a transaction for each month; yield the head after each."""
    for month in months(said):
        with registry.log_recorder.write() as transaction:
            instant = datetime.combine(month[-1].on, NOON)
            recording = Recording(
                transaction,
                cast("EventMapper", registry.mapper),
                Stamp(transaction.head + 1, instant, RECORDED_BY),
            )
            recording.decide([each.command for each in month], draws=False)
            assert not recording.problems, recording.problems[0]
            head = transaction.head + transaction.appended
        yield head


def months(said: Iterable[Dated]) -> Iterator[list[Dated]]:
    """Cut a history into its months."""
    for _, month in itertools.groupby(said, lambda each: (each.on.year, each.on.month)):
        yield list(month)


def up_to(commands: Iterable[RecordBatch], *, lines_max: int) -> Iterator[RecordBatch]:
    """Yield batches until one would bring their lines over a number; a file of them has whole ones."""
    lines = 0
    for command in commands:
        lines += len(command.lines)
        if lines > lines_max:
            return
        yield command


def as_csv(commands: Iterable[RecordBatch], path: Path) -> int:
    """Write commands as a file for `ucj import batches --locale en`; return its rows."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for command in commands:
            head = _head(command)
            for line in command.lines:
                cells = head | _line(line)
                writer.writerow([cells[column] for column in COLUMNS])
            written += len(command.lines)
    return written


def _head(command: RecordBatch) -> dict[str, str]:
    return {
        "reference": command.reference,
        "part": command.part,
        "action": command.action.value,
        "area": command.area,
        "effective_on": _day(command.effective_on),
        "funding": command.funding.value if command.funding else "",
        "programmes": ";".join(command.programmes),
        "reason": command.reason.value if command.reason else "",
        "decided_on": _day(command.decided_on),
        "document": command.document or "",
        "proposed": str(command.proposed or ""),
        "rejected": ";".join(f"{reason}:{heads}" for reason, heads in command.rejected),
        "note": command.note or "",
    }


def _line(line: BatchLine) -> dict[str, str]:
    return {
        "category": line.category or "",
        "from_category": line.from_category or "",
        "workers": str(line.workers),
        "covered_until": _day(line.covered_until),
        "of_batch": line.of_batch or "",
        "segment": line.segment.value if line.segment else "",
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
