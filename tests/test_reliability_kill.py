"""kill -9 at any point of an import: what was acknowledged is stored, and nothing is ever half."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.faults import (
    Ended,
    Running,
    environment_of,
    journal_of,
    make_store,
    mark_of,
    run,
    sabotaged,
    seed_of,
    start,
)
from tests.office_files import OfficeFile, small_rows, write_file
from tests.plain_store import check_store, read_store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no signals"),
]

SHARDS: Final = 4
REACHED_MIN: Final = 0.7  # of the kills; the others came when the import had just ended
CALIBRATIONS: Final = 2
CALIBRATED_EVERY: Final = 50


@dataclass
class Campaign:
    """One store, imported into and killed again and again."""

    folder: Path
    rng: random.Random
    store: Path = field(init=False)
    files: list[OfficeFile] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    fates: Counter[str] = field(default_factory=Counter)
    life_seconds: float = 0.0
    reading_seconds: float = 0.0
    writing_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.store = make_store(self.folder)

    def next_file(self) -> OfficeFile:
        """Write the next file; each fourth is a workbook, parsed in a child process."""
        number = len(self.files)
        ending = "xlsx" if number % 4 == 3 else "csv"
        path = self.folder / f"office-{number}.{ending}"
        file = write_file(path, small_rows(self.rng, f"{number}"))
        self.files.append(file)
        return file

    def calibrate(self) -> None:
        """Measure how long an import lives, how long until its first write and from there on."""
        lives, reads, writes = [], [], []
        for _ in range(CALIBRATIONS):
            file = self.next_file()
            running = start("import", "batches", file.path, folder=self.folder)
            running.wait_for(self._writing())
            wrote = time.monotonic() - running.started
            ended = running.end()
            assert ended.code == 0, ended.err
            assert ended.acknowledged, ended.out
            self.acknowledged.add(file.sha256)
            lives.append(ended.seconds)
            reads.append(wrote)
            writes.append(ended.seconds - wrote)
        self.life_seconds, self.writing_seconds = min(lives), min(writes)
        self.reading_seconds = min(reads)

    def kill_at(self, share: float, *, aimed: bool, early: bool = False) -> None:
        """Kill an import after a share of its life, or of the part of it that writes, or before."""
        file = self.next_file()
        writing = self._writing()
        running = start("import", "batches", file.path, folder=self.folder)
        began = running.started
        if aimed:
            running.wait_for(writing)
            began = time.monotonic()
        length = self.reading_seconds if early else self.life_seconds
        deadline = began + share * (self.writing_seconds if aimed else length)
        running.wait_for(lambda: time.monotonic() >= deadline)
        running.signal(signal.SIGKILL)
        ended = running.end()
        if ended.code == 0:  # it ended before: the machine is less busy than when it was measured
            seconds = running.started + ended.seconds - began
            if aimed:
                self.writing_seconds = min(self.writing_seconds, seconds)
            else:
                self.life_seconds = min(self.life_seconds, seconds)
        self.fates[self._fate(ended, interrupted=writing())] += 1
        if ended.acknowledged:
            self.acknowledged.add(file.sha256)
        self.check()

    def _writing(self) -> Callable[[], bool]:
        """Return a look whether a journal lies there that did not when this was called.

        One that was never synced is not rolled back and stays until the next writer takes it.
        """
        before = mark_of(journal_of(self.store))
        return lambda: mark_of(journal_of(self.store)) not in {before, None}

    def _fate(self, ended: Ended, *, interrupted: bool) -> str:
        if ended.code != -signal.SIGKILL:
            assert ended.code == 0, ended.err
            return "had ended"
        if interrupted:
            return "within the transaction"
        digest = self.files[-1].sha256
        recorded = digest in read_store(self.store).imported()
        return "after the commit" if recorded else "before the transaction"

    def check(self) -> None:
        """Hold the store to everything that was ever acknowledged."""
        imported = set(check_store(self.store, self.files).imported())
        assert self.acknowledged <= imported, "an acknowledged file is not stored"

    def import_again(self) -> Ended:
        """Import all files once more: each is recorded already, or is recorded now."""
        before = set(read_store(self.store).imported())
        paths = [file.path for file in self.files]
        ended = run("import", "batches", *paths, "--format", "jsonl", folder=self.folder)
        assert ended.code == 0, ended.err
        said = {report["sha256"]: report["decision"] for report in ended.reports()}
        for file in self.files:
            again = "already-recorded" if file.sha256 in before else "recorded"
            assert said[file.sha256] == again, file.path.name
        contents = check_store(self.store, self.files)
        assert set(contents.imported()) == {file.sha256 for file in self.files}
        return ended


def _kills(few: int, many: int) -> list[object]:
    soak = pytest.mark.soak
    shards = range(SHARDS)
    return [
        *(pytest.param(shard, few // SHARDS, id=f"{few}-{shard}") for shard in shards),
        *(
            pytest.param(shard, many // SHARDS, id=f"{many}-{shard}", marks=soak)
            for shard in shards
        ),
    ]


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("shard", "kills"), _kills(100, 1_000))
def test_acknowledged_is_stored_and_nothing_is_half(tmp_path: Path, shard: int, kills: int) -> None:
    """Half of the kills are spread over an import's writing, others over its life and its reading.

    After each, all that was acknowledged is there with its original bytes, every file is there
    whole or not at all, the next import is not held up; at the end everything imports again, and
    the private copies of the killed are gone.
    """
    campaign = Campaign(tmp_path / "office", seed_of(f"kill {shard}"))
    for number in range(kills):
        if number % CALIBRATED_EVERY == 0:  # how busy the machine is changes
            campaign.calibrate()
        aimed = number % 2 == 1
        share = (number // 2 + campaign.rng.random()) / (kills / 2)
        campaign.kill_at(share, aimed=aimed, early=number % 4 == 0)
    campaign.import_again()
    print(f"shard {shard}: {kills} kills, {dict(campaign.fates)}")  # noqa: T201
    assert kills - campaign.fates["had ended"] >= REACHED_MIN * kills, campaign.fates
    assert campaign.fates["before the transaction"], campaign.fates
    assert campaign.fates["within the transaction"], campaign.fates
    left = list(Path(environment_of(campaign.folder)["TMPDIR"]).glob("ucj-*"))
    assert not left, "private copies of killed imports are still there"


# --- negative controls: the protection off, the same checker ---------------------------------------

# Commits what it has after each page, and is killed after the second commit.
_IN_PIECES: Final = """
import os, signal
from registry.storage import sqlite
append, commits = sqlite.WriteTransaction.append, []
def append_and_commit(self, events):
    append(self, events)
    self._connection.execute("COMMIT")
    commits.append(1)
    if len(commits) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    self._connection.execute("BEGIN IMMEDIATE")
sqlite.WriteTransaction.append = append_and_commit
"""

# As it is, but killed at the same point.
_WHOLE: Final = _IN_PIECES.replace('self._connection.execute("COMMIT")', "").replace(
    'self._connection.execute("BEGIN IMMEDIATE")', ""
)

# Says "recorded" and rolls back.
_ALL_TALK: Final = """
from registry.storage import sqlite
sqlite.LogConnection.commit = lambda self: self._sqlite_conn.rollback()
"""

# Keeps only the first half of the original bytes.
_HALF_THE_BYTES: Final = """
from registry.storage import sqlite
keep = sqlite.WriteTransaction.keep_source
def keep_half(self, sha256, size, path):
    half = path.with_name("half")
    half.write_bytes(path.read_bytes()[: size // 2])
    keep(self, sha256, size, half)
sqlite.WriteTransaction.keep_source = keep_half
"""


def _import_sabotaged(patch: str, folder: Path) -> tuple[Path, OfficeFile, Ended]:
    store = make_store(folder)
    file = write_file(folder / "a.csv", small_rows(random.Random(1), "1"))
    command = [*sabotaged(patch), "import", "batches", str(file.path)]
    return store, file, Running(command, folder=folder).end()


def test_control_a_file_committed_in_pieces_is_found(tmp_path: Path) -> None:
    """The same kill leaves half a file where pages are committed one by one, and none as we are."""
    store, file, ended = _import_sabotaged(_IN_PIECES, tmp_path / "pieces")
    assert ended.code == -signal.SIGKILL, ended.err
    with pytest.raises(AssertionError, match="originals and imports differ"):
        check_store(store, [file])
    store, file, ended = _import_sabotaged(_WHOLE, tmp_path / "whole")
    assert ended.code == -signal.SIGKILL, ended.err
    assert not check_store(store, [file]).events


def test_control_an_acknowledged_file_that_is_not_stored_is_found(tmp_path: Path) -> None:
    """Where "recorded" is said and rolled back, the checker finds nothing stored."""
    store, file, ended = _import_sabotaged(_ALL_TALK, tmp_path / "office")
    assert ended.acknowledged, ended.err
    assert file.sha256 not in check_store(store, [file]).imported()


def test_control_missing_bytes_are_found(tmp_path: Path) -> None:
    """An original of which half is kept does not pass."""
    store, file, ended = _import_sabotaged(_HALF_THE_BYTES, tmp_path / "office")
    assert ended.acknowledged, ended.err
    with pytest.raises(AssertionError, match="the original"):
        check_store(store, [file])


_DAMAGES: Final = {
    "an event lost": "DELETE FROM stored_events WHERE position = 3",
    "the last event lost": """
        DELETE FROM stored_events WHERE position = (SELECT max(position) FROM stored_events)""",
    "the original lost": "DELETE FROM sources; DELETE FROM source_chunks",
    "an event changed": """
        UPDATE stored_events
        SET state = CAST(replace(CAST(state AS TEXT), '"guru"', '"marbot"') AS BLOB)""",
    "an event added": """
        INSERT INTO stored_events SELECT position + 100, originator_id || 'x', 1, topic, state
        FROM stored_events WHERE position = 2""",
}


@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES.keys())
def test_control_the_checker_finds_what_is_not_as_it_was_written(
    tmp_path: Path, damage: str
) -> None:
    """A lost, changed or added event and a lost original are each found; untouched it passes."""
    store = make_store(tmp_path / "office")
    file = write_file(tmp_path / "a.csv", small_rows(random.Random(1), "1"))
    assert run("import", "batches", file.path, folder=store.parent).code == 0
    check_store(store, [file])
    with closing(sqlite3.connect(store)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(damage)
    with pytest.raises(AssertionError):
        check_store(store, [file])
