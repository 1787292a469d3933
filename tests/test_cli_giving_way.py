"""A long import runs at a lower priority, so that those who ask beside it wait less; a short one not.

The system's own calls are stood in for: what they do depends on how these tests themselves are run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from cli import importing
from cli.giving_way import LONG_ROWS, LONG_TEXT_BYTES, NICENESS, give_way
from registry.intake import admission
from tests.faults import make_store
from tests.office_files import small_rows, write_file
from tests.program import ucj

READ = "read"
NEVER = 10**9


class System:
    """What a process runs at, and what happened in which order."""

    def __init__(self) -> None:
        self.niceness = 0
        self.seen: list[int | str] = []

    def getpriority(self, which: int, who: int) -> int:
        """Answer for the process itself."""
        assert (which, who) == (os.PRIO_PROCESS, 0)
        return self.niceness

    def setpriority(self, which: int, who: int, niceness: int) -> None:
        """Take only what any user may: never a higher priority."""
        assert (which, who) == (os.PRIO_PROCESS, 0)
        if niceness < self.niceness:
            raise PermissionError
        self.niceness = niceness
        self.seen.append(niceness)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    """Stand in for a system that knows priorities, whatever this one knows."""
    system = System()
    monkeypatch.setattr(os, "PRIO_PROCESS", 0, raising=False)
    monkeypatch.setattr(os, "getpriority", system.getpriority, raising=False)
    monkeypatch.setattr(os, "setpriority", system.setpriority, raising=False)
    admit = admission.admit

    def admitting(*given: Any, **named: Any) -> Any:
        system.seen.append(READ)
        return admit(*given, **named)

    monkeypatch.setattr(admission, "admit", admitting)
    return system


@pytest.mark.parametrize(
    ("name", "long_bytes", "long_rows", "expected"),
    [
        ("short.csv", LONG_TEXT_BYTES, LONG_ROWS, [READ]),
        ("short.xlsx", LONG_TEXT_BYTES, LONG_ROWS, [READ]),
        ("long.csv", 1, NEVER, [NICENESS, READ]),
        ("rows.csv", NEVER, 1, [READ, NICENESS]),
        # The child that reads a spreadsheet has only so much time: it must not give way.
        ("long.xlsx", 1, NEVER, [READ]),
        ("rows.xlsx", 1, 1, [READ, NICENESS]),
    ],
)
def test_a_long_import_gives_way_a_spreadsheet_once_it_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: System,
    name: str,
    long_bytes: int,
    long_rows: int,
    expected: list[int | str],
) -> None:
    """What is long is made small here, so that the order of things is seen and takes no time."""
    monkeypatch.setattr(importing, "LONG_TEXT_BYTES", long_bytes)
    monkeypatch.setattr(importing, "LONG_ROWS", long_rows)
    folder = tmp_path / "office"
    make_store(folder)
    write_file(folder / name, small_rows(random.Random(1), "A"))
    answer = ucj("import", "batches", name, folder=folder)
    assert answer.code == 0, answer
    assert system.seen == expected


def test_who_runs_lower_already_stays_there(system: System) -> None:
    """A nightly job at niceness 15 is not made to hurry."""
    system.niceness = 15
    give_way()
    assert system.niceness == 15


def test_a_system_that_forbids_or_knows_no_priorities_is_no_obstacle(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a courtesy: the import goes on without."""

    def forbidden(*_given: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    give_way()
    monkeypatch.delattr(os, "setpriority")
    give_way()
    assert system.niceness == 0
