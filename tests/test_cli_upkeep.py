"""cli.upkeep: what a store holds, whether it is sound, its ledger rebuilt and checked, a copy."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from registry.storage.soundness import examine
from registry.storage.sqlite import PAGE_SIZE_BYTES
from tests.program import EXAMPLE, head, nothing_recorded, ucj

STORE = "registry.db"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store that holds the example."""
    folder = tmp_path_factory.mktemp("office")
    assert ucj("init", folder=folder).code == 0
    for kind in ("batches", "potentials", "targets", "figures"):
        given = ("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en")
        assert ucj(*given, folder=folder).code == 0
    return folder


@pytest.fixture
def office(made_once: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="module")
def imaged_once(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with that store and an image of it."""
    folder = tmp_path_factory.mktemp("imaged")
    shutil.copytree(made_once, folder, dirs_exist_ok=True)
    assert ucj("rebuild", folder=folder).code == 0
    return folder


@pytest.fixture
def imaged(imaged_once: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    shutil.copytree(imaged_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def tamper(folder: Path, *statements: str) -> None:
    """Change the store with another program."""
    with closing(sqlite3.connect(folder / STORE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def tamper_unseen(folder: Path, statement: str) -> None:
    """Change the store past its triggers, and put those back."""
    with closing(sqlite3.connect(folder / STORE)) as connection, connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _sql in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _name, sql in triggers:
            connection.execute(sql)


def image(folder: Path) -> Path:
    """Return the one image there is."""
    (found,) = (folder / f"{STORE}.ledger").glob("*.duckdb")
    return found


# --- status ------------------------------------------------------------------------------------


def test_the_status_says_what_the_store_holds(office: Path) -> None:
    """One document: place, identity, engines, counts, instants, sizes, image, and soundness."""
    answer = ucj("status", "--format", "json", folder=office)
    assert (answer.code, answer.err) == (0, "")
    status = answer.json()
    assert status["store"] == str((office / STORE).resolve())
    assert len(status["store_id"]) == 32
    assert (status["sound"], status["problems"], status["image"]) == (True, [], None)
    assert {key: status[key] for key in ("known_position", "batches", "areas", "imports")} == {
        "known_position": 28, "batches": 4, "areas": 2, "imports": 4
    }  # fmt: skip
    assert (status["potentials"], status["targets"], status["figures"]) == (2, 4, 14)
    assert status["sources"] == 4
    assert status["source_bytes"] == sum(each.stat().st_size for each in EXAMPLE.glob("*.csv"))
    assert status["store_bytes"] == (office / STORE).stat().st_size
    assert status["sqlite_version"] == sqlite3.sqlite_version
    assert status["duckdb_version"] == duckdb.__version__
    assert status["journal_mode"] in {"delete", "wal"}
    for key in ("created_at", "first_recorded_at", "last_recorded_at"):
        assert status[key].endswith("Z")
    assert status["created_by"] == "siti"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_programs_get_the_same_keys_in_every_format(office: Path, form: str) -> None:
    """One line of facts, not the words that a table has for people."""
    assert ucj("rebuild", folder=office).code == 0
    status = ucj("status", "--format", "json", folder=office).json()
    answer = ucj("status", "--format", form, folder=office)
    if form == "jsonl":
        assert json.loads(answer.out) == status
        return
    (row,) = csv.DictReader(io.StringIO(answer.out))
    assert list(row) == list(status)
    assert (row["known_position"], row["created_at"]) == ("28", status["created_at"])
    assert json.loads(row["image"]) == status["image"]
    assert "28 events" in ucj("status", "--format", "md", folder=office).out


def test_the_status_names_the_image(office: Path) -> None:
    """Its file, position, and how much lies after it."""
    assert ucj("rebuild", folder=office).code == 0
    rows = "area,valid_from,workers,definition,source\n16.07,2025-01-01,5000,x,y\n"
    (office / "p.csv").write_text(rows, encoding="utf-8")
    assert ucj("import", "potentials", "p.csv", folder=office).code == 0
    status = ucj("status", "--format", "json", folder=office).json()
    assert status["image"]["file"] == image(office).name
    assert (status["image"]["position"], status["tail_events"]) == (28, 2)


def test_the_status_names_the_image_that_its_own_question_left_behind(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that there is none, which was so until it asked."""
    monkeypatch.setattr("projections.ledger.PUBLISH_TAIL_EVENTS", 1)
    status = ucj("status", "--format", "json", folder=office).json()
    assert status["image"]["file"] == image(office).name
    assert (status["image"]["position"], status["tail_events"]) == (28, 0)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_status_fits_a_terminal(columns: int, office: Path) -> None:
    """One line under the other, none wider than the terminal."""
    answer = ucj("status", folder=office, terminal=True, columns=columns)
    assert answer.code == 0
    shown = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in answer.lines]
    assert max(map(len, shown)) <= columns
    assert any(line.startswith("Sound") and line.endswith("yes") for line in shown)


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    """Nothing recorded is no fault."""
    ucj("init", folder=tmp_path)
    answer = ucj("status", folder=tmp_path)
    assert answer.code == 0
    assert "nothing yet" in answer.out


def _triggers() -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        schema = Path(examine.__code__.co_filename).with_name("schema.sql")
        connection.executescript(schema.read_text(encoding="utf-8"))
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return [row[0] for row in found]


@pytest.mark.parametrize("name", _triggers())
def test_every_missing_trigger_is_found(name: str, office: Path) -> None:
    """Exit code 1; the trigger and what to do are named, and the document is printed as well."""
    tamper(office, f"DROP TRIGGER {name}")
    answer = ucj("status", "--format", "json", folder=office)
    assert answer.code == 1, answer
    assert answer.json()["problems"] == [f"trigger {name} is missing"]
    assert answer.json()["sound"] is False
    assert f"not sound: trigger {name} is missing" in answer.err
    assert "restore the store from a backup" in answer.err


def test_a_weakened_trigger_is_found(office: Path) -> None:
    """A trigger of the same name that does nothing is not the same trigger."""
    tamper(
        office,
        "DROP TRIGGER events_never_go",
        "CREATE TRIGGER events_never_go BEFORE DELETE ON stored_events BEGIN SELECT 1; END",
    )
    answer = ucj("status", folder=office)
    assert answer.code == 1
    assert "trigger events_never_go is not as it was made" in answer.err


def test_a_gap_in_the_log_is_found(office: Path) -> None:
    """An event cut out of the middle: exit code 4, although every trigger is back."""
    tamper_unseen(office, "DELETE FROM stored_events WHERE position = 9")
    answer = ucj("status", folder=office)
    assert answer.code == 4
    assert "27 events from #1 to #28" in answer.err


def test_an_event_that_cannot_be_folded_is_said(office: Path) -> None:
    """The status is given as far as it goes, with exit code 4 and the event's position."""
    tamper(
        office,
        "DROP TRIGGER events_never_change",
        "UPDATE stored_events SET topic = 'ucj.from-the-future' WHERE position = 3",
    )
    answer = ucj("status", "--format", "json", folder=office)
    assert answer.code == 4
    status = answer.json()
    assert (status["known_position"], status["batches"]) == (28, None)
    assert any("#3" in problem for problem in status["problems"])


def test_damaged_pages_are_found(office: Path) -> None:
    """Bytes overwritten in the middle of the file: exit code 4, no traceback."""
    path = office / STORE
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // PAGE_SIZE_BYTES * PAGE_SIZE_BYTES
    content[middle : middle + PAGE_SIZE_BYTES] = b"\xa5" * PAGE_SIZE_BYTES
    path.write_bytes(content)
    answer = ucj("status", folder=office)
    assert answer.code == 4, answer
    assert "Traceback" not in answer.err


def test_the_example_store_is_sound(office: Path) -> None:
    """The control: what was not tampered with has nothing to report."""
    found = examine(office / STORE)
    assert (found.damage, found.missing, found.changed) == ((), (), ())


DAMAGES: dict[str, tuple[str, str]] = {
    "the last event is gone": (
        "DELETE FROM stored_events WHERE position = 28",
        "ends at #27, but #28",
    ),
    "a version is skipped": (
        "UPDATE stored_events SET originator_version = 3 WHERE position = 4",
        "has a gap",
    ),
    "an original is another": (
        "UPDATE source_chunks SET bytes = substr(bytes, 1, length(bytes) - 9)",
        "original file",
    ),
    "its birth cannot be read": (
        "UPDATE store SET value = 'x' WHERE name = 'created_at'",
        "was made cannot be read",
    ),
}


@pytest.mark.parametrize(("statement", "said"), DAMAGES.values(), ids=DAMAGES)
def test_what_sqlite_does_not_see_is_found(statement: str, said: str, office: Path) -> None:
    """The file passes SQLite's own check; the status still says what is wrong, and exits 4."""
    tamper_unseen(office, statement)
    answer = ucj("status", folder=office)
    assert answer.code == 4, answer
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_damaged_original_is_no_fault_of_ours(office: Path) -> None:
    """Bytes that cannot be unpacked are the store's damage: exit 4."""
    tamper_unseen(office, "UPDATE source_chunks SET bytes = CAST(x'00' || bytes AS BLOB)")
    answer = ucj("source", "PAKE-KELAMBU-2025", folder=office)
    assert answer.code == 4, answer


def test_an_identity_that_is_none_is_damage(office: Path) -> None:
    """A letter changed in the id of an import: questions say where, and exit 4."""
    tamper_unseen(
        office,
        "UPDATE stored_events SET originator_id = replace(originator_id, 'a', 'u')"
        " WHERE topic = 'ucj.file-imported'",
    )
    for command in (["coverage", "16.06"], ["history"], ["status"]):
        answer = ucj(*command, folder=office)
        assert answer.code == 4, answer
        assert "malformed" in answer.err


# --- rebuild -----------------------------------------------------------------------------------


def test_a_rebuilt_ledger_is_checked(office: Path) -> None:
    """An image is built where there was none; the check finds nothing before or after."""
    assert ucj("rebuild", "--check", folder=office).code == 0
    answer = ucj("rebuild", folder=office)
    assert answer.code == 0
    assert answer.lines == [f"built the ledger image at #28: {image(office).resolve()}"]
    assert stat.S_IMODE(image(office).stat().st_mode) == 0o600
    answer = ucj("rebuild", "--check", folder=office)
    assert (answer.code, answer.err) == (0, "")
    assert "the image at #28 and 0 events after it" in answer.out


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        duckdb.FatalException("Failed: database has been invalidated because of a previous error"),
        duckdb.IOException("Could not write file: No space left on device"),
    ],
)
def test_a_check_says_that_the_log_cannot_be_replayed(
    imaged: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """On a full disk nothing is compared: it is no fault of ours, and of no image."""

    def fold_chunk(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr("projections.fold.fold_chunk", fold_chunk)
    answer = ucj("rebuild", "--check", folder=imaged)
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.splitlines()[0] == "the log cannot be replayed to be compared"
    assert "Free some space" in answer.err
    assert image(imaged).exists()


@pytest.mark.parametrize(
    ("why", "code", "words"),
    [
        ("No space left on device", 4, "the ledger cannot be compared with the replayed log"),
        ("the checksum does not match", 1, "the ledger image cannot be read to its end"),
    ],
)
def test_a_check_tells_a_full_disk_from_a_damaged_image(
    imaged: Path, monkeypatch: pytest.MonkeyPatch, why: str, code: int, words: str
) -> None:
    """Both fail while image and log are compared; only one of them is the image's fault."""

    def compared(*_arguments: object) -> None:
        raise duckdb.IOException(why)

    monkeypatch.setattr("projections.checking._compared", compared)
    answer = ucj("rebuild", "--check", folder=imaged)
    assert answer.code == code
    assert answer.err.startswith(words)


@pytest.mark.parametrize(
    ("statement", "side"),
    [
        ("UPDATE entries SET workers = workers + 1 WHERE position = 2", "both"),
        ("DELETE FROM entries WHERE position = 2", "log"),
        ("INSERT INTO entries SELECT * FROM entries WHERE position = 2", "ledger"),
        ("UPDATE potentials SET source = source || ' '", "both"),
        ("UPDATE figures SET percent = '48.27' WHERE percent = '48.26'", "both"),
        ("UPDATE events SET recorded_by = 'budi' WHERE position = 4", "both"),
        ("UPDATE imports SET options = MAP {'locale': 'id'} WHERE position = 1", "both"),
        ("INSERT INTO taken_back VALUES (99, 2, 'planted')", "ledger"),
        ("UPDATE entries SET position = 28 WHERE position = 2", "both"),
    ],
)
def test_every_changed_cell_of_an_image_is_found(statement: str, side: str, imaged: Path) -> None:
    """Exit code 1 with the rows that differ, and on which side."""
    with duckdb.connect(str(image(imaged))) as connection:
        connection.execute(statement)
    with nothing_recorded(imaged / STORE):
        answer = ucj("rebuild", "--check", folder=imaged)
    assert answer.code == 1, answer
    sides = {line.split()[-1] for line in answer.lines if line.startswith("Only in")}
    assert sides == ({"ledger", "log"} if side == "both" else {side})
    assert "the ledger differs from the log in" in answer.err
    assert "`ucj rebuild`" in answer.err


def test_a_flood_of_differences_is_capped(imaged: Path) -> None:
    """Every difference is counted, a few are shown."""
    with duckdb.connect(str(image(imaged))) as connection:
        connection.execute("UPDATE events SET recorded_by = 'budi'")
    answer = ucj("rebuild", "--check", folder=imaged)
    assert answer.code == 1
    assert "differs from the log in 56 rows" in answer.err
    assert len([line for line in answer.lines if line.startswith("Table")]) == 20
    assert ucj("rebuild", folder=imaged).code == 0
    assert ucj("rebuild", "--check", folder=imaged).code == 0, "rebuilding cures it"


def test_the_tail_is_checked_too(imaged: Path) -> None:
    """Image and tail together are what the log says."""
    rows = "area,valid_from,workers,definition,source\n16.07,2025-01-01,5000,x,y\n"
    (imaged / "p.csv").write_text(rows, encoding="utf-8")
    ucj("import", "potentials", "p.csv", folder=imaged)
    answer = ucj("rebuild", "--check", folder=imaged)
    assert answer.code == 0
    assert "the image at #28 and 2 events after it" in answer.out


def test_a_check_compares_slice_by_slice(imaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the rows are parted, none is compared twice and none is left out."""
    with duckdb.connect(str(image(imaged))) as connection:
        connection.execute("UPDATE events SET recorded_by = 'budi' WHERE position IN (1, 7, 28)")
    for events in (7, 27):
        monkeypatch.setattr("projections.checking.SLICE_EVENTS", events)
        answer = ucj("rebuild", "--check", folder=imaged)
        assert "differs from the log in 6 rows" in answer.err


def test_an_unreadable_image_is_said(imaged: Path) -> None:
    """A truncated image: nothing is answered from it, and rebuilding cures it."""
    content = image(imaged).read_bytes()
    damaged = image(imaged)
    damaged.write_bytes(content[: len(content) // 2])
    answer = ucj("rebuild", "--check", folder=imaged)
    assert answer.code == 1, answer
    assert f"{damaged.name} is damaged" in answer.err
    assert "ucj rebuild" in answer.err
    assert damaged.exists(), "a check changes nothing"
    assert ucj("rebuild", folder=imaged).code == 0
    assert ucj("rebuild", "--check", folder=imaged).code == 0


def test_nowhere_to_put_an_image(imaged: Path) -> None:
    """Exit code 4 with what to do; the check needs no folder."""
    beside = image(imaged).parent
    shutil.rmtree(beside)
    beside.write_text("a file, not a folder")
    elsewhere = {"UCJ_CACHE": str(beside)}
    answer = ucj("rebuild", folder=imaged, environment=elsewhere)
    assert answer.code == 4
    assert "UCJ_CACHE" in answer.err
    assert ucj("rebuild", "--check", folder=imaged, environment=elsewhere).code == 0


# --- backup ------------------------------------------------------------------------------------


def test_a_backup_is_the_same_store(office: Path) -> None:
    """One private file with the same log, that answers by itself, also where nothing is written."""
    answer = ucj("backup", "copy.db", folder=office)
    assert answer.code == 0
    assert answer.lines[0].startswith(f"copied up to #28: {(office / 'copy.db').resolve()}, ")
    copy = office / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert head(copy) == head(office / STORE)
    ids = {
        ucj("status", "--store", name, "--format", "json", folder=office).json()["store_id"]
        for name in (STORE, "copy.db")
    }
    assert len(ids) == 1


def test_a_backup_never_overwrites_the_store_itself(office: Path) -> None:
    """It stays as it is (tests/test_cli_destination.py tries the other places)."""
    with nothing_recorded(office / STORE):
        answer = ucj("backup", STORE, folder=office)
    assert answer.code == 1
    assert "already" in answer.err
