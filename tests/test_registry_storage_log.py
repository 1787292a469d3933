"""Reading the log: every opener's refusals, pages without a lock, and read-only places.

Rights are asked for as an ordinary user: as root these tests step down in a process of their own.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from registry.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    StoreNewerError,
)
from registry.storage import log as logs
from registry.storage.log import StoredRow, open_log
from registry.storage.sqlite import PAGE_SIZE_BYTES, create_store

INSERT: Final = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
    " VALUES (?, ?, 't', ?)"
)
NOBODY: Final = 65_534


def make(folder: Path, events: int = 0, name: str = "registry.db") -> Path:
    """Make a store with so many events, two to a stream."""
    path = folder / name
    create_store(path, created_at="2026-01-01T00:00:00Z", created_by="tests")
    add(path, events)
    return path


def add(path: Path, events: int) -> None:
    """Append so many events."""
    with closing(sqlite3.connect(path)) as connection:
        head = connection.execute("SELECT count(*) FROM stored_events").fetchone()[0]
        connection.executemany(
            INSERT,
            [
                (f"{number // 2:032x}", 1 + number % 2, f'{{"n":{number}}}'.encode())
                for number in range(head, head + events)
            ],
        )
        connection.commit()


def as_nobody(program: str, *arguments: object, folder: Path) -> list[str]:
    """Run a program as a user who is not root, and return what it printed.

    Python finds its modules before the step down: the checkout itself may be private.
    """
    prelude = f"""
        import sys
        from pathlib import Path
        import registry.storage.log, registry.storage.sqlite, projections.ledger
        import registry.safe_text, platformdirs, platformdirs.unix, tempfile, sqlite3
        import concurrent.futures.thread
        from contextlib import closing
        from importlib.resources import files
        from registry.errors import RegistryError
        projections.fold._text(); projections.fold.section("tables")
        import os
        if os.getuid() == 0:
            os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
        from registry.storage.log import open_log
        from projections.ledger import Ledger, build_image, image_folder
        from registry.storage.sqlite import create_store
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("UCJ_", "XDG_"))},
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(prelude) + textwrap.dedent(program),
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[1],
        env=environment,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a folder that a stepped-down process can enter, and own if need be."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == Path.home().owner() and parent.stat().st_mode & 0o700 == 0o700:
            if parent == Path("/") or not parent.is_relative_to(_temporary()):
                break
            parent.chmod(parent.stat().st_mode | 0o055)
    folder = tmp_path / "shared"
    folder.mkdir()
    own(folder)
    return folder


def _temporary() -> Path:
    import tempfile

    return Path(tempfile.gettempdir())


def own(*paths: Path) -> None:
    """Give files to the user whom `as_nobody` steps down to."""
    if os.getuid() == 0:
        for path in paths:
            os.chown(path, NOBODY, NOBODY)


# --- what it reads ------------------------------------------------------------------------------------


def test_rows_lines_and_streams_tell_the_same(tmp_path: Path) -> None:
    """In order, whole, from any position to any other."""
    path = make(tmp_path, 10)
    with closing(open_log(path)) as log:
        rows = list(log.rows())
        assert [row.position for row in rows] == list(range(1, 11))
        assert log.head() == 10
        assert [log.row(position) for position in range(1, 11)] == rows
        assert log.row(0) is None
        assert log.row(11) is None
        assert log.stream(f"{2:032x}") == rows[4:6]
        assert log.stream("nobody") == []
        assert list(log.rows(3, 7)) == rows[3:7]
        assert [len(page) for page in log.lines(3, 7)] == [4]
        assert list(log.rows(10)) == []
        assert list(log.lines(10)) == []
        assert rows[4].facts() == {"n": 4}


@pytest.mark.parametrize("page", [1, 3, 5, 10, 11])
def test_pages_of_any_size_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """No event is lost or doubled where two pages meet."""
    path = make(tmp_path, 10)
    with closing(open_log(path)) as log:
        whole = list(log.rows())
        lines = [line for each in log.lines() for line in each]
        monkeypatch.setattr(logs, "PAGE_EVENTS", page)
        assert list(log.rows()) == whole
        assert [line for each in log.lines() for line in each] == lines
        assert max(len(each) for each in log.lines()) == min(page, 10)


def test_between_pages_a_writer_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader in the middle of the log keeps no lock: a COMMIT succeeds at once."""
    path = make(tmp_path, 10)
    monkeypatch.setattr(logs, "PAGE_EVENTS", 3)
    with closing(open_log(path)) as log, closing(sqlite3.connect(path, timeout=0)) as writer:
        pages = log.lines()
        seen = len(next(pages))
        writer.execute(INSERT, ("new", 1, b"{}"))
        writer.commit()
        seen += sum(len(page) for page in pages)
        assert seen == 10  # what it was asked for when it began
        assert log.head() == 11


def test_a_cursor_held_open_would_hold_the_writer_up(tmp_path: Path) -> None:
    """Negative control: the same, read with one cursor over the whole log."""
    path = make(tmp_path, 10)
    with closing(sqlite3.connect(path)) as reader, closing(sqlite3.connect(path)) as writer:
        if reader.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            writer.execute("PRAGMA journal_mode = delete")
        cursor = reader.execute("SELECT * FROM stored_events")
        cursor.fetchone()
        writer.execute("PRAGMA busy_timeout = 0")
        writer.execute(INSERT, ("new", 1, b"{}"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.commit()
        cursor.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """It opens read-write for SQLite's sake, and then only selects."""
    path = make(tmp_path, 2)
    before = path.read_bytes()
    with closing(open_log(path)) as log:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            log._connection.execute("CREATE TABLE mine (a)")
        list(log.rows())
    assert path.read_bytes() == before


def test_the_digest_of_a_row_is_of_all_of_it() -> None:
    """Another position, stream, version, topic or state is another digest."""
    row = StoredRow(1, "a", 1, "t", b"{}")
    others = [
        StoredRow(2, "a", 1, "t", b"{}"),
        StoredRow(1, "b", 1, "t", b"{}"),
        StoredRow(1, "a", 2, "t", b"{}"),
        StoredRow(1, "a", 1, "u", b"{}"),
        StoredRow(1, "a", 1, "t", b"{ }"),
    ]
    assert len({each.sha256() for each in (row, *others)}) == 6
    assert row.sha256() == StoredRow(1, "a", 1, "t", b"{}").sha256()


def test_a_question_needs_nothing_but_the_standard_library() -> None:
    """Reading the log loads neither the write side nor what it is made with."""
    program = "import sys, registry.storage.log; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    loaded = set(ran.stdout.split())
    assert "registry.storage.log" in loaded
    for heavy in ("pydantic", "eventsourcing", "duckdb", "click", "registry.events"):
        assert heavy not in loaded


# --- what it refuses -------------------------------------------------------------------------------------


def test_a_missing_event_is_told(tmp_path: Path) -> None:
    """An event that was cut out of the file is a gap, and no sum is made over a gap."""
    path = make(tmp_path, 10)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER events_never_go")
        connection.execute("DELETE FROM stored_events WHERE position = 5")
        connection.commit()
    with closing(open_log(path)) as log, pytest.raises(StoreDamagedError, match="missing"):
        list(log.lines())


@pytest.fixture
def _nothing_is_collected() -> Iterator[None]:
    """Keep what earlier tests left from being finalised where the stack is at its end."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_nothing_is_collected")
@pytest.mark.parametrize(
    "state",
    [b"[]", b"{", b"\xff", b"", b"null", b"1", b'{"a":' * 100_000],
    ids=lambda each: each[:5],
)
def test_facts_that_are_none_are_damage(state: bytes) -> None:
    """Labels are read without validation, but not without an answer to damage."""
    with pytest.raises(StoreDamagedError, match="not an object"):
        StoredRow(1, "a", 1, "t", state).facts()


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    """A state that is not UTF-8 is told as damage, not as a fault of ours."""
    path = make(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(INSERT, ("s", 1, b'{"a":"\xff"}'))
        connection.commit()
    with closing(open_log(path)) as log, pytest.raises(StoreDamagedError):
        list(log.lines())


def test_a_page_that_is_damaged_is_told(tmp_path: Path) -> None:
    """What SQLite finds broken is exit code 4 with what to do."""
    path = make(tmp_path, 2_000)
    with path.open("rb+") as file:
        for page in range(10, path.stat().st_size // PAGE_SIZE_BYTES):
            file.seek(page * PAGE_SIZE_BYTES)
            file.write(b"\xa5" * 64)
    with closing(open_log(path)) as log, pytest.raises(StoreDamagedError) as damaged:
        list(log.rows())
    assert damaged.value.exit_code == 4
    assert "backup" in damaged.value.remedy


def test_a_writer_that_commits_is_waited_for(tmp_path: Path) -> None:
    """Longer than the time-out: busy, exit code 4; then it opens."""
    path = make(tmp_path, 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = delete")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError) as busy:
            open_log(path, lock_timeout_seconds=0.1)
        with pytest.raises(StoreBusyError, match="nothing was recorded"):
            open_log(path, lock_timeout_seconds=0.1, asking=False)
    assert busy.value.what == f"the store {path} is busy: another is writing"
    with closing(open_log(path)) as log:
        assert log.head() == 2


@pytest.mark.parametrize("opened", [False, True], ids=["opening", "reading"])
def test_a_commit_that_ends_in_time_is_not_noticed(tmp_path: Path, opened: bool) -> None:
    """Neither by a log that is being opened nor by one that is open and asked."""
    path = make(tmp_path, 2)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("PRAGMA journal_mode = delete")
        log = open_log(path) if opened else None
        writer.execute("BEGIN EXCLUSIVE")
        committing = threading.Timer(0.2, writer.execute, ["COMMIT"])
        committing.start()
        with closing(log or open_log(path)) as log:
            assert log.head() == 2
        committing.join()


@pytest.mark.parametrize(
    ("pragma", "error"),
    [
        ("PRAGMA user_version = 2", StoreNewerError),
        ("PRAGMA user_version = 999", StoreNewerError),
        ("PRAGMA application_id = 7", StoreDamagedError),
        ("PRAGMA application_id = 0", StoreDamagedError),
    ],
)
def test_a_store_of_another_form_is_refused(
    tmp_path: Path, pragma: str, error: type[StoreError]
) -> None:
    """A newer one says: update ucj; another program's says: no store."""
    path = make(tmp_path, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(pragma)
    with pytest.raises(error) as refused:
        open_log(path)
    assert refused.value.exit_code == 4
    assert refused.value.remedy


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Asking makes no file."""
    with pytest.raises(StoreMissingError, match="ucj init"):
        open_log(tmp_path / "registry.db")
    with pytest.raises(StoreMissingError):
        open_log(tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- an interrupted import --------------------------------------------------------------------------------

INTERRUPTED: Final = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = delete")
connection.execute("PRAGMA cache_size = 2")  # so that pages are written before the COMMIT
connection.execute("BEGIN IMMEDIATE")
for number in range(2000):
    connection.execute(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
        " VALUES (?, 1, 't', x'7b7d')", [f"new-{number}"])
os.kill(os.getpid(), signal.SIGKILL)
"""


def interrupt(path: Path) -> Path:
    """Let a writer die with its transaction half in the file; return its journal."""
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED, str(path)], check=False, timeout=60)
    assert ran.returncode == -9
    journal = path.with_name(path.name + "-journal")
    assert journal.stat().st_size > 0, "the fault was not reached"
    return journal


def test_the_next_reader_rolls_an_interrupted_import_back(tmp_path: Path) -> None:
    """After kill -9 before the COMMIT: nothing of it is seen, and the journal is gone."""
    path = make(tmp_path, 6)
    journal = interrupt(path)
    with closing(open_log(path)) as log:
        assert log.head() == 6
        assert len(list(log.rows())) == 6
    assert not journal.exists()
    add(path, 2)
    with closing(open_log(path)) as log:
        assert log.head() == 8


def test_immutable_would_show_what_was_never_committed(tmp_path: Path) -> None:
    """Negative control: opened as immutable, the interrupted import looks recorded."""
    path = make(tmp_path, 6)
    interrupt(path)
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        try:
            seen = connection.execute("SELECT count(*) FROM stored_events").fetchone()[0]
        except sqlite3.DatabaseError:
            seen = -1  # half of it: not even readable
    assert seen != 6


ASK: Final = """
try:
    with closing(open_log(Path(sys.argv[1]))) as log:
        print("head", log.head(), len(list(log.rows())))
except RegistryError as error:
    print(type(error).__name__, error.exit_code)
    print(*error.diagnostics(), sep="\\n")
"""


@pytest.mark.parametrize("ending", ["-journal", "-wal"])
def test_an_interrupted_import_that_nobody_may_roll_back_is_refused(
    shared: Path, ending: str
) -> None:
    """Beside a read-only store: exit code 4, with what to do; without the journal it answers."""
    path = make(shared, 6)
    journal = interrupt(path)
    beside = journal.rename(path.with_name(path.name + ending))
    own(path, beside)
    path.chmod(0o400)
    shared.chmod(0o500)
    said = as_nobody(ASK, path, folder=shared)
    assert said[0] == "StoreError 4"
    assert beside.name in said[1]
    assert any("Copy the store and that file together" in line for line in said)
    assert beside.exists()
    shared.chmod(0o700)


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o400, 0o500), (0o600, 0o500), (0o400, 0o700)]
)
def test_a_read_only_store_answers(shared: Path, file_mode: int, folder_mode: int) -> None:
    """A read-only file, folder or both; an empty journal that SQLite left there is none."""
    path = make(shared, 6)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    beside = path.with_name(path.name + "-journal")
    beside.touch()
    own(path, beside)
    path.chmod(file_mode)
    shared.chmod(folder_mode)
    assert as_nobody(ASK, path, folder=shared) == ["head 6 6"]
    shared.chmod(0o700)


def test_a_read_only_copy_in_wal_mode_says_what_to_do(shared: Path) -> None:
    """SQLite would need to make a file beside it, and say that it cannot open the store."""
    path = make(shared, 6)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
    own(path)
    path.chmod(0o400)
    shared.chmod(0o500)
    said = as_nobody(ASK, path, folder=shared)
    shared.chmod(0o700)
    assert said[0] == "StoreError 4"
    assert any("WAL" in line for line in said)
    assert any("ucj backup" in line for line in said)


def test_a_store_that_may_not_be_read_is_refused(shared: Path) -> None:
    """Somebody else's 0600 file: exit code 4 and the word permissions, no traceback."""
    path = make(shared, 6)
    path.chmod(0o000)
    own(path)
    said = as_nobody(ASK, path, folder=shared)
    assert said[0] == "StoreError 4"
    assert any("permissions" in line for line in said)


WRITE: Final = """
from registry.storage.sqlite import LogPool
try:
    pool = LogPool(Path(sys.argv[1]), lock_timeout_seconds=0.2)
    connection = pool.get_connection(is_writer=True)
    with connection.transaction(commit=True) as cursor:
        cursor.execute("INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                       " VALUES ('s', 1, 't', x'7b7d')")
    print("written")
except RegistryError as error:
    print(type(error).__name__, error.exit_code)
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o400, 0o700), (0o600, 0o500), (0o400, 0o500)]
)
def test_writing_where_one_may_not_is_refused(
    shared: Path, file_mode: int, folder_mode: int
) -> None:
    """A read-only file or folder: exit code 4, nothing recorded; afterwards it can be written."""
    path = make(shared, 6)
    own(path)
    path.chmod(file_mode)
    shared.chmod(folder_mode)
    said = as_nobody(WRITE, path, folder=shared)
    assert said == ["StoreError 4"]
    path.chmod(0o600)
    shared.chmod(0o700)
    with closing(open_log(path)) as log:
        assert log.head() == 6
    assert as_nobody(WRITE, path, folder=shared) == ["written"]


def test_steps_down_from_root(shared: Path) -> None:
    """Control of the tests above: their processes are not root, and rights hold for them."""
    private = shared / "private"
    private.write_text("x")
    private.chmod(0o000)
    said = as_nobody(
        "print(os.getuid() != 0, os.access(sys.argv[1], os.R_OK))", private, folder=shared
    )
    assert said == ["True False"]
    assert stat.S_IMODE(private.stat().st_mode) == 0


def test_a_page_of_nothing_ends_the_pages(tmp_path: Path) -> None:
    """An empty store has no pages, no head and no rows."""
    path = make(tmp_path)
    with closing(open_log(path)) as log:
        empty: Sequence[object] = [*log.rows(), *log.lines()]
        assert empty == []
        assert log.head() == 0
