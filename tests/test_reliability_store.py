"""A store, or its images, that are not as they were left: each command answers right or says why.

Whole programs. "Right" is what the same question answered before anything was done to the store.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from registry.storage.sqlite import PAGE_SIZE_BYTES
from tests.faults import (
    Ended,
    Running,
    RunningForked,
    journal_of,
    make_store,
    ordinary,
    ordinary_program,
    run,
    seed_of,
)
from tests.office_files import AREAS, Row, small_rows, write_file
from tests.plain_store import check_store, read_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and signals of POSIX")

COVERAGE: Final = ("coverage", *AREAS, "--on", "2025-07-31", "--format", "json")
HISTORY: Final = ("history", "--format", "json")
STATUS: Final = ("status", "--format", "json")
QUESTIONS: Final = (COVERAGE, HISTORY)
STORE: Final = 4
FLIPS: Final = 16
CUTS: Final = (0, 8_191, 20_000, -1, -4_096)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Office]:
    """Make two offices once; each test takes copies of them."""
    folder = tmp_path_factory.mktemp("offices")
    return {mark: Office(folder / mark, mark) for mark in ("a", "b")}


@pytest.fixture
def office(made: dict[str, Office], folder: Path) -> Office:
    """Give an office of the test's own."""
    return made["a"].copied(folder / "a")


@pytest.fixture
def other(made: dict[str, Office], folder: Path) -> Office:
    """Give another office, with another store."""
    return made["b"].copied(folder / "b")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that other users can reach, unlike those of pytest; gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="reliability-"))
    path.chmod(0o755)
    yield path
    for each in (path, *path.rglob("*")):
        if each.is_dir():
            each.chmod(0o700)
    shutil.rmtree(path)


class Office:
    """A folder with a store, an image of it, and a file that was not imported yet."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder = folder
        self.store = make_store(folder)
        self.files = [
            write_file(folder / f"{mark}-{n}.csv", small_rows(random.Random(mark), f"{mark}-{n}"))
            for n in range(3)
        ]
        first = [file.path for file in self.files[:2]]
        assert run("import", "batches", *first, folder=folder).code == 0
        assert run("rebuild", folder=folder).code == 0
        (self.image,) = self.images()
        # One more after it, so that answers need the tail as well.
        assert run("import", "batches", self.files[2].path, folder=folder).code == 0
        self.fresh = write_file(folder / f"{mark}-fresh.csv", [Row("NEW/1", AREAS[0], "guru", 7)])
        self.answers = [self.ask(*question) for question in QUESTIONS]
        assert all(answer.code == 0 for answer in self.answers)
        assert '"active": ' in self.answers[0].out

    def copied(self, folder: Path) -> Office:
        """Return the same office in another folder."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder = folder
        other.store = folder / self.store.name
        other.image = folder / self.image.relative_to(self.folder)
        other.fresh = replace(self.fresh, path=folder / self.fresh.path.name)
        return other

    def images(self) -> list[Path]:
        """Return the images beside the store."""
        return sorted(self.store.with_name(self.store.name + ".ledger").glob("*.duckdb"))

    def ask(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Ended:
        """Run the program in the folder, with the permissions of an ordinary user."""
        running = RunningForked(
            arguments, folder=self.folder, environment=environment, program=ordinary_program()
        )
        return running.end()

    def answers_right(self) -> None:
        """Hold every question to what it answered before."""
        for question, before in zip(QUESTIONS, self.answers, strict=True):
            now = self.ask(*question)
            assert (now.code, now.out) == (0, before.out), f"{question[0]}: {now.err}"
        status = self.ask(*STATUS)
        assert status.code == 0, status.err
        assert '"sound": true' in status.out

    def imports(self) -> None:
        """See that a file can still be recorded, and counts."""
        done = self.ask("import", "batches", self.fresh.path)
        assert done.code == 0, done.err
        check_store(self.store, [*self.files, self.fresh])
        assert self.ask(*COVERAGE).out != self.answers[0].out

    def records_nothing(self, said: str) -> Ended:
        """See that an import is refused as the store's fault, that it says so, and records nothing."""
        before = read_store(self.store).events
        refused = self.ask("import", "batches", self.fresh.path)
        assert refused.code == STORE, refused
        _explains(refused, said)
        assert read_store(self.store).events == before
        return refused


def _explains(refused: Ended, said: str) -> None:
    """A refusal names the cause, then what to do, and is no fault of ours."""
    lines = refused.err.splitlines()
    assert said in refused.err, refused.err
    assert len(lines) >= 2, "it says what is wrong, not what to do"
    assert "Traceback" not in refused.err
    assert not refused.out


def test_a_store_replaced_by_another_answers_from_the_other(office: Office, other: Office) -> None:
    """Another store at the same path, the images of the first still beside it: its own answers."""
    assert office.answers[0].out != other.answers[0].out
    shutil.copyfile(other.store, office.store)
    assert office.images(), "the images of the first store are gone: nothing is tried here"
    for question, right in zip(QUESTIONS, other.answers, strict=True):
        now = office.ask(*question)
        assert (now.code, now.out) == (0, right.out), now.err
    assert office.ask("import", "batches", office.fresh.path).code == 0
    check_store(office.store, [*other.files, office.fresh])


def test_a_store_put_back_to_an_older_copy_answers_from_the_copy(
    office: Office, folder: Path
) -> None:
    """An image that reaches further than the store is not used."""
    older = folder / "older.db"
    assert office.ask("backup", older).code == 0
    office.imports()
    assert office.ask("rebuild").code == 0
    shutil.copyfile(older, office.store)
    office.answers_right()
    assert office.ask("import", "batches", office.fresh.path).code == 0


@pytest.mark.parametrize("other_name", [False, True])
def test_an_image_of_another_store_is_not_used(
    office: Office, other: Office, other_name: bool
) -> None:
    """An image with the right name and position, of another store, is found out."""
    name = other.image.name if other_name else office.image.name
    target = office.image.with_name(name)
    shutil.copyfile(other.image, target)
    if other_name:
        office.image.unlink(missing_ok=target != office.image)
    office.answers_right()
    office.imports()


@pytest.mark.parametrize("size", CUTS)
def test_a_truncated_image_is_rebuilt(office: Office, size: int) -> None:
    """Cut anywhere, the image is set aside; the answers are those of the log."""
    whole = office.image.stat().st_size
    os.truncate(office.image, size if size >= 0 else whole + size)
    office.answers_right()
    office.imports()


@pytest.mark.slow
def test_a_bit_flipped_in_an_image_changes_no_answer(office: Office) -> None:
    """Whichever bit flips, the answers stay; some of the flips are noticed, or none was tried."""
    rng = seed_of("image bits")
    whole = office.image.read_bytes()
    noticed = 0
    for number in range(FLIPS):
        damaged = bytearray(whole)
        # Half of them within the first blocks: headers and catalogue.
        within = len(whole) if number % 2 else min(len(whole), 32_768)
        damaged[rng.randrange(within)] ^= 1 << rng.randrange(8)
        for image in office.images():
            image.unlink()
        office.image.write_bytes(damaged)
        answer = office.ask(*COVERAGE)
        assert (answer.code, answer.out) == (0, office.answers[0].out), answer.err
        noticed += "image" in answer.err
    print(f"{noticed} of {FLIPS} flips were noticed")  # noqa: T201
    assert noticed, "no flip was ever noticed: perhaps the image was never read"


@pytest.mark.parametrize("damage", ["bits", "cut", "text", "empty"])
def test_a_damaged_store_is_said_to_be_damaged(office: Office, damage: str) -> None:
    """A store that is cut, overwritten, empty or no store at all: exit 4 and what to do."""
    content = bytearray(office.store.read_bytes())
    if damage == "bits":
        content[1_024:PAGE_SIZE_BYTES] = bytes(PAGE_SIZE_BYTES - 1_024)  # the schema
    elif damage == "cut":
        del content[len(content) // 2 :]
    office.store.write_bytes(
        {"text": b"reference,part\n" * 99, "empty": b""}.get(damage, bytes(content))
    )
    shutil.rmtree(office.image.parent)
    for command in (*QUESTIONS, STATUS, ("import", "batches", office.fresh.path)):
        refused = office.ask(*command)
        assert refused.code == STORE, (command, refused)
        assert "Traceback" not in refused.err
        assert len(refused.err.splitlines()) >= 2, refused.err


def test_no_store_is_made_by_asking(folder: Path) -> None:
    """Where there is no store every command says so, and none appears."""
    file = write_file(folder / "a.csv", [Row("NEW/1", AREAS[0], "guru", 7)])
    for command in (*QUESTIONS, STATUS, ("import", "batches", file.path)):
        refused = run(*command, folder=folder)
        assert refused.code == STORE, (command, refused)
        _explains(refused, "no store")
    assert not (folder / "registry.db").exists()


@pytest.fixture
def permissions_hold() -> None:
    """Skip, with a word, where root cannot be made an ordinary user."""
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("root reads and writes everything here, and cannot be kept from it")


@pytest.mark.usefixtures("permissions_hold")
def test_in_a_read_only_folder_questions_answer_and_an_import_says_why(office: Office) -> None:
    """Questions answer right from a folder that cannot be written; an import is refused, exit 4."""
    office.folder.chmod(0o555)
    office.answers_right()
    office.records_nothing("cannot be written")


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("image", [True, False])
def test_a_read_only_copy_answers(office: Office, folder: Path, image: bool) -> None:
    """A copy that cannot be written, such as one on a CD, answers with its image and without."""
    backup = folder / "copy" / "registry.db"
    backup.parent.mkdir()
    assert office.ask("backup", backup).code == 0
    if image:
        shutil.copytree(office.image.parent, backup.parent / office.image.parent.name)
    (backup.parent / "temporary").mkdir()
    for each in (*backup.parent.rglob("*"), backup.parent):
        each.chmod(0o755 if each.name == "temporary" else 0o555 if each.is_dir() else 0o444)
    office.folder = backup.parent
    office.store = backup
    office.answers_right()
    office.records_nothing("cannot be written")


@pytest.mark.usefixtures("permissions_hold")
def test_a_store_of_somebody_else_is_not_opened(office: Office) -> None:
    """A store that this user may not read: exit 4, and what to check."""
    office.store.chmod(0)
    for command in (*QUESTIONS, STATUS, ("import", "batches", office.fresh.path)):
        refused = office.ask(*command)
        assert refused.code == STORE, (command, refused)
        _explains(refused, "")
    office.store.chmod(0o600)
    office.answers_right()


# Writes events into the store beyond the page cache, as SQLite may, and is killed before COMMIT.
_INTERRUPTED: Final = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(500):
    connection.execute(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
        " SELECT ?, 1, topic, state FROM stored_events WHERE position = 2", (f"{number:032x}",))
os.kill(os.getpid(), signal.SIGKILL)
"""


def _interrupt(office: Office) -> None:
    """Leave a hot journal beside a store into which uncommitted events were written."""
    before = office.store.read_bytes()
    command = [sys.executable, "-c", _INTERRUPTED, str(office.store)]
    assert Running(command, folder=office.folder).end().code == -signal.SIGKILL
    assert journal_of(office.store).stat().st_size, "nothing was interrupted"
    # The control: without the journal the store's own bytes are no longer what was committed.
    assert office.store.read_bytes() != before, "nothing uncommitted was written into the store"


@pytest.mark.parametrize("first", ["question", "import"])
def test_an_interrupted_import_is_undone_by_whoever_comes_next(office: Office, first: str) -> None:
    """With a hot journal beside the store, questions and imports go on as if it had not been."""
    _interrupt(office)
    if first == "question":
        office.answers_right()
    office.imports()
    assert not journal_of(office.store).exists()


@pytest.mark.usefixtures("permissions_hold")
def test_an_interrupted_import_on_a_read_only_place_is_refused(
    office: Office, folder: Path
) -> None:
    """Nobody can undo it there, and nothing uncommitted is shown: exit 4, naming the way out."""
    _interrupt(office)
    office.folder.chmod(0o555)
    for command in (*QUESTIONS, STATUS, ("import", "batches", office.fresh.path)):
        refused = office.ask(*command)
        assert refused.code == STORE, (command, refused)
        _explains(refused, "registry.db-journal")
        assert "Copy the store and that file together" in refused.err
    # The remedy it names works.
    office.folder.chmod(0o755)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("registry.db", "registry.db-journal"):
        shutil.copyfile(office.folder / name, elsewhere / name)
    answer = run(*COVERAGE, folder=elsewhere)
    assert (answer.code, answer.out) == (0, office.answers[0].out), answer.err


@pytest.mark.usefixtures("permissions_hold")
def test_without_any_folder_for_images_questions_still_answer(office: Office, folder: Path) -> None:
    """No place beside the store and no cache folder: worked out in memory, with one line of notice."""
    nowhere = folder / "nowhere"
    nowhere.mkdir()
    nowhere.chmod(0o555)
    shutil.rmtree(office.image.parent)
    office.image.parent.touch()
    answer = office.ask(*COVERAGE, environment={"UCJ_CACHE": str(nowhere)})
    assert (answer.code, answer.out) == (0, office.answers[0].out), answer.err
    assert answer.err.startswith("No folder for the ledger image can be written"), answer.err


def test_control_permissions_hold_for_the_program_under_test(folder: Path) -> None:
    """The program as these tests start it cannot write where it may not, also when root tests."""
    (folder / "temporary").mkdir()
    folder.chmod(0o555)
    code = "open('made', 'w')"
    ended = Running(ordinary([sys.executable, "-c", code]), folder=folder).end()
    assert ended.code != 0
    assert "PermissionError" in ended.err
