"""Every call of the system in an import may be the last one, or may fail: no instant is unlucky."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from registry.storage.sqlite import journal_mode
from tests.faults import (
    HAS_STRACE,
    NO_STRACE,
    UCJ,
    Running,
    counted,
    make_store,
    places_in,
    run,
    sabotaged,
    traced,
)
from tests.office_files import AREAS, OfficeFile, Row, write_file
from tests.plain_store import check_store

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_STRACE, reason=NO_STRACE)]

CALLS: Final = ("pwrite64", "fdatasync", "ftruncate", "unlink", "openat")
FAILING: Final = ("pwrite64", "fdatasync", "unlink")
ERRORS: Final = ("EIO", "ENOSPC", "EINTR")
SAMPLE: Final = 3  # in the quick run: the first, the last and one between, of each call
IMPORTS: Final = ("import", "batches")

# Two imports by one process: what fails the first must not fail the second.
_TWO_IMPORTS: Final = """
import sys
from pathlib import Path
from cli.options import Settings
from registry.errors import RegistryError
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.admitted import AdmittedFile
from registry.intake.spool import spool_input
from registry.reference.categories import Categories
registry = Settings(Path("registry.db"), "siti").registry()
for name in sys.argv[1:]:
    try:
        with spool_input(Path(name), name=name) as spooled:
            with admit(spooled, AdmissionOptions(kind="batches"), Categories()) as admission:
                decision = registry.import_file(AdmittedFile(spooled, admission)).decision
        print(decision, flush=True)
    except RegistryError as error:
        print("refused", error.exit_code, error.code, flush=True)
    except OSError as error:
        print("failed", error.errno, flush=True)
"""


def _three_batches(folder: Path, name: str) -> OfficeFile:
    rows = [
        Row(f"SK-{name}/{number}", AREAS[number], category, 100 + number)
        for number in range(3)
        for category in ("guru", "marbot")
    ]
    return write_file(folder / f"{name}.csv", rows)


def _places(
    command: Sequence[str | Path], folder: Path, calls: Sequence[str]
) -> dict[str, list[int]]:
    """Return which of its calls a run without a fault makes; of the opened files, ours.

    It runs once before: whoever starts a changed program first opens more files, to compile it.
    """
    before = folder / "before"
    make_store(before)
    assert Running(command, folder=before).end().code == 0
    log = folder / "calls.log"
    ended = Running(counted(command, log, calls), folder=folder).end()
    assert ended.code == 0, ended.err
    places = places_in(log, calls, only={"openat": r'registry\.db(-\w+)?"'})
    assert places["pwrite64"], "strace saw no call"
    assert places["fdatasync"], "nothing is ever synced"
    return places


def _sampled(places: list[int], *, every: bool) -> list[int]:
    if every or len(places) <= SAMPLE:
        return places
    return [places[round(n * (len(places) - 1) / (SAMPLE - 1))] for n in range(SAMPLE)]


_EXTENTS: Final = [
    pytest.param(False, id="sample"),
    pytest.param(True, id="every", marks=pytest.mark.soak),
]

_ERRORS: Final = [
    pytest.param("EIO", False, id="EIO-sample"),
    *(pytest.param(each, True, id=f"{each}-every", marks=pytest.mark.soak) for each in ERRORS),
]


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("every", _EXTENTS)
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_the_nth_call(tmp_path: Path, call: str, every: bool) -> None:
    """Killed at any call that writes, syncs, cuts, removes or opens: stored whole or not at all.

    What had been acknowledged is there, and the file imports afterwards, or says it is recorded.
    """
    office = tmp_path / "counting"
    make_store(office)
    file = _three_batches(office, "a")
    places = _places([*UCJ, *IMPORTS, file.path], office, [call, "pwrite64", "fdatasync"])[call]
    tried = _sampled(places, every=every)
    if not tried:
        pytest.skip(f"an import makes no call of {call} here")
    for number in tried:
        folder = tmp_path / f"{call}-{number}"
        store = make_store(folder)
        command = traced([*UCJ, *IMPORTS, file.path], call, "signal=KILL", number)
        ended = Running(command, folder=folder).end()
        assert ended.code == -signal.SIGKILL, f"{call} {number} was never reached: {ended}"
        imported = check_store(store, [file]).imported()
        assert imported or not ended.acknowledged, f"{call} {number}: acknowledged and lost"
        again = run(*IMPORTS, file.path, folder=folder)
        assert again.code == 0, f"{call} {number}: {again.err}"
        assert ("already recorded" in again.out) == bool(imported), f"{call} {number}"
        assert check_store(store, [file]).imported() == [file.sha256]
    print(f"{call}: killed at {len(tried)} of {len(places)} places")  # noqa: T201


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("error", "every"), _ERRORS)
@pytest.mark.parametrize("call", FAILING)
def test_the_nth_call_fails(tmp_path: Path, call: str, error: str, every: bool) -> None:
    """Where a call fails, "recorded" is said exactly of what is stored; the next import works.

    Both imports run in one process: a failure poisons neither the connection nor the lock.
    """
    folder = tmp_path / "counting"
    make_store(folder)
    files = [_three_batches(folder, name) for name in ("a", "b")]
    driver = [sys.executable, "-c", _TWO_IMPORTS, *(str(file.path) for file in files)]
    places = _places(driver, folder, list({call, "pwrite64", "fdatasync"}))[call]
    tried = _sampled(places, every=every)
    refused = 0
    for number in tried:
        folder = tmp_path / f"{call}-{number}"
        store = make_store(folder)
        log = folder / "calls.log"
        command = traced(driver, call, f"error={error}", number, log=log)
        ended = Running(command, folder=folder).end()
        where = f"{error} at {call} {number}: {ended}"
        assert "(INJECTED)" in log.read_text(), f"never reached: {where}"
        assert ended.code == 0, where
        decisions = [line.split()[0] for line in ended.out.splitlines()]
        assert len(decisions) == len(files), where
        imported = check_store(store, files).imported()
        assert imported == [
            file.sha256
            for file, decision in zip(files, decisions, strict=True)
            if decision == "recorded"
        ], where
        assert imported, f"neither was recorded: {where}"
        refused += len(files) - decisions.count("recorded")
    print(f"{call} {error}: {len(tried)} of {len(places)} places, {refused} refused")  # noqa: T201
    if error != "EINTR" and call != "unlink":  # SQLite repeats what was only interrupted
        assert refused, "no fault was ever noticed"


_NO_SYNC: Final = """
from registry.storage import sqlite
sqlite.sync_folder = lambda folder: None
"""


@pytest.mark.skipif(journal_mode() != "delete", reason="this engine has no journal to remove")
@pytest.mark.parametrize("protected", [True, False])
def test_the_journals_removal_is_durable_before_it_is_acknowledged(
    tmp_path: Path, protected: bool
) -> None:
    """The commit is the journal's removal: at a power cut it may come back until its folder is synced."""
    make_store(tmp_path)
    file = _three_batches(tmp_path, "a")
    command = UCJ if protected else sabotaged(_NO_SYNC)
    log = tmp_path / "calls.log"
    calls = ("unlink", "fsync", "fdatasync", "write")
    ended = Running(counted([*command, *IMPORTS, file.path], log, calls), folder=tmp_path).end()
    assert ended.acknowledged, ended
    lines = log.read_text(errors="replace").splitlines()
    removed = max(n for n, line in enumerate(lines) if "unlink" in line and "-journal" in line)
    told = next(n for n, line in enumerate(lines) if n > removed and " write(1," in line)
    synced = [line for line in lines[removed:told] if "fsync(" in line or "fdatasync(" in line]
    assert bool(synced) == protected, lines[removed : told + 1]


# Writes the store without its journal: an interruption then leaves whatever was written by then.
_NO_JOURNAL: Final = """
from registry.storage import sqlite
prepare = sqlite._prepare
def unprotected(connection, *, in_memory):
    prepare(connection, in_memory=in_memory)
    connection.execute("PRAGMA journal_mode = OFF")
sqlite._prepare = unprotected
"""


def test_control_without_a_journal_a_kill_leaves_half(tmp_path: Path) -> None:
    """The same kills, at the writes into a store that has no journal, are found by the checker."""
    office = tmp_path / "counting"
    make_store(office)
    file = _three_batches(office, "a")
    command = [*sabotaged(_NO_JOURNAL), *IMPORTS, str(file.path)]
    places = _places(command, office, ["pwrite64", "fdatasync"])["pwrite64"]
    broken = 0
    for number in places[-6:]:
        folder = tmp_path / f"kill-{number}"
        store = make_store(folder)
        ended = Running(traced(command, "pwrite64", "signal=KILL", number), folder=folder).end()
        assert ended.code == -signal.SIGKILL, f"{number} was never reached: {ended}"
        try:
            check_store(store, [file])
        except Exception:  # noqa: BLE001 - a torn store fails in many ways; any of them counts
            broken += 1
    assert broken, "the checker passed every store that had no journal"
