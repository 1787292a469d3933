"""Eight processes import into one store at once: all that was said is true, and no head leaves twice."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import Running, make_store, run, sabotaged, seed_of, start
from tests.office_files import AREAS, OfficeFile, Row, small_rows, write_file
from tests.plain_store import check_store, lowest_balances

pytestmark = pytest.mark.slow

PROCESSES: Final = 8
STOCK: Final = 100
LEAVING: Final = 40  # of the stock: two of the eight can, a third cannot
FIT: Final = STOCK // LEAVING
BUSY: Final = 4
RULE: Final = 1
LOCK_TIMEOUT_SECONDS: Final = 15.0
STARTS_SECONDS_MAX: Final = 30.0  # of a busy machine; it must not wait without end
IMPORT: Final = ("import", "batches", "--format", "jsonl")


@dataclass
class Office:
    """What one of the processes imports, in its order."""

    files: list[OfficeFile]


def _stock(folder: Path, contests: int) -> OfficeFile:
    """Heads that all want: one cohort with a term, one open-ended pool, for each contest."""
    rows = []
    for contest in range(contests):
        area = AREAS[contest % len(AREAS)]
        rows.append(Row(f"STOCK/{contest}", area, "guru", STOCK, covered_until="2025-12-31"))
    rows += [Row(f"POOL/{area}", area, "marbot", STOCK) for area in AREAS]
    return write_file(folder / "stock.csv", rows)


def _offices(folder: Path, rng: random.Random, each: int) -> list[Office]:
    """Give each process its own files, files that all have, that collide, and that compete.

    Of twelve files: five of its own, two the same bytes everywhere, two of a batch that everybody
    states otherwise, two that leave one cohort, one that leaves one pool.
    """
    same = [
        write_file(folder / f"same-{n}.csv", small_rows(rng, f"same-{n}"))
        for n in range(each * 2 // 12)
    ]
    offices = []
    for office in range(PROCESSES):
        files = list(same)
        for n in range(each * 2 // 12):
            row = Row(f"COLLIDES/{n}", AREAS[0], "rt-rw", 10 + office)
            files.append(write_file(folder / f"collides-{n}-{office}.csv", [row]))
        for n in range(each * 2 // 12):
            leave = Row(
                f"LEAVES/{n}/{office}", AREAS[n % len(AREAS)], "guru", LEAVING, "deactivate",
                "2025-07-01", of_batch=f"STOCK/{n}",
            )  # fmt: skip
            files.append(write_file(folder / f"leaves-{n}-{office}.csv", [leave]))
        for n in range(min(each // 12, len(AREAS))):
            leave = Row(
                f"POOLED/{n}/{office}", AREAS[n], "marbot", LEAVING, "deactivate", "2025-07-01"
            )
            files.append(write_file(folder / f"pooled-{n}-{office}.csv", [leave]))
        own = (f"own-{office}-{n}" for n in range(each - len(files)))
        files += [
            write_file(folder / f"{mark}.csv", small_rows(rng, mark, batches=2)) for mark in own
        ]
        rng.shuffle(files)
        offices.append(Office(files))
    return offices


def _import_all(
    folder: Path, offices: list[Office], command: list[str] | None = None
) -> tuple[dict[tuple[int, str], str], Counter[int]]:
    """Run the processes at once; whoever was refused as busy carries on. Return what was decided."""
    decisions: dict[tuple[int, str], str] = {}
    codes: Counter[int] = Counter()
    left = {number: list(office.files) for number, office in enumerate(offices)}
    while left:
        running: dict[int, Running] = {}
        for number, files in left.items():
            paths = [str(file.path) for file in files]
            if command:
                running[number] = Running([*command, *IMPORT, *paths], folder=folder)
            else:
                running[number] = start(*IMPORT, *paths, folder=folder)
        for number, process in running.items():
            ended = process.end()
            assert ended.code in {0, RULE, BUSY}, f"{ended.code}: {ended.out}{ended.err}"
            codes[ended.code] += 1
            reports = ended.reports()
            for report in reports:
                decisions[number, report["sha256"]] = report["decision"]
                _check_refusal(report)
            assert ended.code == BUSY or len(reports) == len(left[number]), ended.err
            left[number] = left[number][len(reports) :]
        left = {number: files for number, files in left.items() if files}
    return decisions, codes


def _check_refusal(report: dict[str, Any]) -> None:
    if report["decision"] == "refused":
        found = {each["code"] for each in report["problems"] if each["severity"] == "error"}
        known = {"recorded-otherwise", "cohort-below-zero", "pool-below-zero"}
        assert found, report
        assert found <= known, report


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    "each", [pytest.param(12, id="12"), pytest.param(500, id="500", marks=pytest.mark.soak)]
)
def test_eight_processes_import_at_once(tmp_path: Path, each: int) -> None:
    """What was acknowledged is there once, the rest is not, and nobody leaves who was not there."""
    rng = seed_of(f"8 x {each}")
    folder = tmp_path / "office"
    store = make_store(folder)
    contests = each * 2 // 12
    stock = _stock(folder, contests)
    assert run("import", "batches", stock.path, folder=folder).code == 0
    offices = _offices(folder, rng, each)
    began = time.monotonic()
    decisions, codes = _import_all(folder, offices)
    seconds = time.monotonic() - began

    files = {file.sha256: file for office in offices for file in office.files}
    contents = check_store(store, [stock, *files.values()])
    imported = contents.imported()
    said = Counter(digest for (_, digest), decision in decisions.items() if decision == "recorded")
    assert len(decisions) == PROCESSES * each, "a file was left undecided"
    assert said == Counter(imported[1:]), "recorded is not what was said to be recorded"
    for (_, digest), decision in decisions.items():
        assert (digest in imported) == (decision != "refused"), files[digest].path.name

    lowest = lowest_balances(contents)
    assert min(lowest.values()) >= 0, [held for held, heads in lowest.items() if heads < 0]
    names = Counter(files[digest].path.name.rsplit("-", 1)[0] for digest in imported[1:])
    for contest in range(contests):
        assert names[f"leaves-{contest}"] == FIT, "as many leave as fit, whoever comes first"
        assert names[f"collides-{contest}"] == 1, "one of those who state it otherwise is first"
    print(  # noqa: T201
        f"8 x {each}: {Counter(decisions.values())} in {seconds:.1f} s, exit codes {codes}"
    )
    assert codes[RULE], "no two processes ever wanted the same"


# Each import takes the rules as kept without asking the ledger.
_NO_RULES: Final = """
from registry.recording import Recording
Recording.check = lambda self, balances, **_: None
"""


def test_control_without_the_rules_heads_leave_twice(tmp_path: Path) -> None:
    """The same competition with the question switched off ends below zero, and it is seen."""
    folder = tmp_path / "office"
    store = make_store(folder)
    stock = _stock(folder, 1)
    assert run("import", "batches", stock.path, folder=folder).code == 0
    offices = [
        Office([file for file in office.files if file.path.name.startswith("leaves-0-")])
        for office in _offices(folder, random.Random(2), 12)
    ]
    _import_all(folder, offices, sabotaged(_NO_RULES))
    files = [stock, *(file for office in offices for file in office.files)]
    lowest = lowest_balances(check_store(store, files))
    assert min(lowest.values()) == STOCK - PROCESSES * LEAVING


HELD: Final = {
    "writes": ("BEGIN IMMEDIATE",),
    "reads without end": ("BEGIN", "SELECT * FROM stored_events"),
}


@contextmanager
def _held(store: Path, statements: Sequence[str]) -> Iterator[None]:
    """Be another program on the store."""
    with closing(sqlite3.connect(store, isolation_level=None)) as holder:
        cursors = [holder.execute(statement) for statement in statements]
        cursors[-1].fetchone()  # and no further: the read goes on
        yield
        for cursor in cursors:
            cursor.close()


def test_a_store_that_is_held_is_waited_for_and_then_said_to_be_busy(tmp_path: Path) -> None:
    """Another program writes, or reads without end: exit 4, "busy", nothing; freed, it works.

    Whoever asks meanwhile is answered. Both are tried at once: each waits for the whole time-out.
    """
    folders = [tmp_path / name for name in HELD]
    stores = [make_store(folder) for folder in folders]
    stocks = [_stock(folder, 1) for folder in folders]
    files = [write_file(folder / "a.csv", small_rows(random.Random(4), "a")) for folder in folders]
    for folder, stock in zip(folders, stocks, strict=True):
        assert run("import", "batches", stock.path, folder=folder).code == 0
    with ExitStack() as holding:
        for store, statements in zip(stores, HELD.values(), strict=True):
            holding.enter_context(_held(store, statements))
        importing = [
            start("import", "batches", file.path, folder=folder)
            for folder, file in zip(folders, files, strict=True)
        ]
        for folder in folders:
            assert run("coverage", AREAS[0], folder=folder).code == 0
        for running in importing:
            refused = running.end()
            assert refused.code == BUSY, refused
            assert "busy" in refused.err
            assert "nothing was recorded" in refused.err
            assert refused.seconds < LOCK_TIMEOUT_SECONDS + STARTS_SECONDS_MAX
    for folder, store, stock, file in zip(folders, stores, stocks, files, strict=True):
        assert check_store(store, [stock, file]).imported() == [stock.sha256]
        assert run("import", "batches", file.path, folder=folder).code == 0
        assert check_store(store, [stock, file]).imported() == [stock.sha256, file.sha256]
