"""ucj beside what people would use instead, on the same data: `python -m benchmarks.peers`.

Prints one table for each size, in Markdown, with ratios to what ucj took in the same run. A peer that
is not installed is skipped with a word. One that gives another answer than the commands' own tally,
or fails, is named, and the exit code is 1. A peer that would take too long is measured on a smaller
country, and ucj beside it on the same.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks.peers.beancount_ledger import Beancount
from benchmarks.peers.data import Data, prepared
from benchmarks.peers.data_frames import Pandas, Polars
from benchmarks.peers.duckdb_table import DuckdbTable
from benchmarks.peers.mariadb import Mariadb
from benchmarks.peers.measuring import RUNS_MIN, Figure, measured
from benchmarks.peers.peer import Peer
from benchmarks.peers.postgresql import Postgresql
from benchmarks.peers.sqlite_table import SqliteTable
from benchmarks.peers.stock_eventsourcing import Eventsourcing, EventsourcingOneByOne
from benchmarks.peers.table import tables
from benchmarks.peers.ucj_itself import Ucj
from registry.temporary import private_folder

PEERS: Final[tuple[Peer, ...]] = (
    SqliteTable(),
    Eventsourcing(),
    EventsourcingOneByOne(),
    DuckdbTable(),
    Pandas(),
    Polars(),
    Mariadb(),
    Postgresql(),
    Beancount(),
)
_VERSIONS_OF: Final = ("eventsourcing", "duckdb", "pandas", "polars", "beancount")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description="ucj beside its peers")
    parser.add_argument("--batches", type=int, default=100_000, help="how large the country is")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[each.name for each in PEERS],
        help="a peer to measure (may be repeated)",
    )
    parser.add_argument(
        "--runs", type=int, default=RUNS_MIN, help="how often at least, of which the median counts"
    )
    given = parser.parse_args(arguments)
    chosen = [each for each in PEERS if given.only is None or each.name in given.only]
    _say(_machine())
    present = []
    for peer in chosen:
        if reason := peer.why_not():
            _say(f"Skipped: {peer.name}: {reason}.")
        else:
            present.append(peer)
    is_sound = True
    with private_folder() as folder:
        for batches in _sizes(given.batches, present):
            _note(f"{batches:,} batches: the data, and ucj")
            data = prepared(folder / str(batches), batches)
            of_size = [each for each in present if _size(each, given.batches) == batches]
            figures, failures = _compare(of_size, data, folder / f"work-{batches}", given.runs)
            _say("", *tables(figures, batches=batches), *failures)
            is_sound = is_sound and not failures and all(each.is_right for each in figures)
    return 0 if is_sound else 1


def _compare(
    peers: Sequence[Peer], data: Data, folder: Path, runs: int
) -> tuple[list[Figure], list[str]]:
    """Measure peers on the same data; also tell which of them failed, and of what.

    ucj is measured before and after them, half of its runs each, so that neither is favoured where
    the machine slows down.
    """
    folder.mkdir()
    figures: list[Figure] = []
    failures: list[str] = []
    ours = measured(Ucj(), data, folder / "before", runs_min=(runs + 1) // 2)
    for peer in peers:
        _note(f"{data.store.batches:,} batches: {peer.name}")
        try:
            figures += measured(peer, data, folder / peer.name, runs_min=runs)
        except Exception as error:  # noqa: BLE001 - the others are measured all the same
            failures.append(f"Failed: {peer.name}: {type(error).__name__}: {error}")
    _note(f"{data.store.batches:,} batches: ucj again")
    again = measured(Ucj(), data, folder / "after", runs_min=max(1, runs // 2))
    ours = [each.with_more(later) for each, later in zip(ours, again, strict=True)]
    return [*ours, *figures], failures


def _size(peer: Peer, batches: int) -> int:
    return batches if peer.batches_max is None else min(batches, peer.batches_max)


def _sizes(batches: int, peers: Sequence[Peer]) -> list[int]:
    """Return the sizes to measure at, largest first."""
    return sorted({batches, *(_size(each, batches) for each in peers)}, reverse=True)


def _machine() -> str:
    """Say what was measured on, without naming the machine."""
    parts = [f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    parts.append(f"SQLite {sqlite3.sqlite_version}")
    parts.extend(_versions())
    if hasattr(os, "getloadavg"):
        parts.append(f"load before {os.getloadavg()[0]:.1f}")
    return ", ".join(parts)


def _versions() -> Iterator[str]:
    for package in _VERSIONS_OF:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _note(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    # Ended from outside, no server and no data is left either.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
