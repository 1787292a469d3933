"""ucj, through its own classes: what the peers are held against."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from benchmarks.country import importable
from benchmarks.peers import duckdb_table
from benchmarks.peers.data import Data
from benchmarks.peers.peer import Question, Work, asked, heads_of
from benchmarks.stores import Store, as_csv, empty_store
from benchmarks.tally import Heads, heads_on
from projections.coverage import coverage_at
from projections.ledger import ImageFolder, Ledger, build_image
from projections.workspace import Workspace
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.admitted import AdmittedFile
from registry.intake.spool import spool_input
from registry.reference.categories import Categories


class Ucj:
    """The reference of each question is its first work here."""

    name = "ucj"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return None: it is always here."""
        return None

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield import, rebuild and questions; see `benchmarks.peers.peer.Peer`."""
        yield _imported(data, folder)
        images = ImageFolder(folder)
        with closing(data.store.log()) as log:

            def rebuilt() -> Heads:
                with closing(Ledger(log, images)) as ledger:
                    assert ledger.tail_events == 0
                    return nation(ledger, data)

            yield Work(
                Question.REBUILD,
                "log folded, checked, published as an image",
                lambda: build_image(log, images),
                data.nation,
                answer=rebuilt,
            )
            with closing(Ledger(log, data.store.folder())) as ledger:
                yield from asked(
                    data,
                    lambda: nation(ledger, data),
                    lambda: regency(ledger, data),
                    way="ledger open",
                )
                yield from asked(
                    data,
                    lambda: duckdb_table.nation(ledger.connection, data),
                    lambda: duckdb_table.regency(ledger.connection, data),
                    way="of this, the bare sum: as `ucj sql`",
                )
        with Workspace(data.store.path) as workspace:
            yield from asked(
                data,
                lambda: workspace.ask(lambda ledger: nation(ledger, data)),
                lambda: workspace.ask(lambda ledger: regency(ledger, data)),
                way="ledger opened for each question",
            )


def nation(ledger: Ledger, data: Data) -> Heads:
    """Return the nation's heads by regency and category."""
    rows = coverage_at(ledger, ["ID"], data.on, known=data.known, by=("area", "category"))
    return heads_of((row.area, row.category or "", row.active or 0) for row in rows)


def regency(ledger: Ledger, data: Data) -> Heads:
    """Return one regency's heads by category."""
    rows = coverage_at(ledger, [data.regency], data.on, known=data.known, by="category")
    return heads_of((row.area, row.category or "", row.active or 0) for row in rows)


def _imported(data: Data, folder: Path) -> Work:
    """Return the import of what one file can hold: all but corrections and withdrawals."""
    said = list(importable(data.store.batches))
    path = folder / "batches.csv"
    as_csv(said, path)
    counted = heads_on(said, data.on, changed=frozenset())
    numbers = itertools.count()
    stores: list[Store] = []

    def run() -> None:
        options = AdmissionOptions(kind="batches", locale="en")
        with (
            closing(stores[-1].registry()) as registry,
            spool_input(path, name=path.name) as spooled,
            admit(spooled, options, Categories()) as admission,
        ):
            recorded = registry.import_file(AdmittedFile(spooled, admission))
        assert recorded.decision == "recorded", recorded.problems

    def answer() -> Heads:
        with closing(stores[-1].log()) as log, closing(Ledger(log, None)) as ledger:
            rows = coverage_at(ledger, ["ID"], data.on, by=("area", "category"))
        return heads_of((row.area, row.category or "", row.active or 0) for row in rows)

    return Work(
        Question.LOAD,
        "a CSV of batches checked, decided, durable",
        run,
        Heads({key: heads for key, heads in counted.items() if heads}),
        answer=answer,
        prepare=lambda: stores.append(empty_store(folder / f"store-{next(numbers)}")),
        batches=len(said),
    )
